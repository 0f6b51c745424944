"""The data map: how sure a watched training run is of every given label, and how much that changes over its epochs."""
