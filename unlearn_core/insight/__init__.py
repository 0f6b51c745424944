"""The numbers behind each picture, as arrays and DataFrames: usable without the app."""
