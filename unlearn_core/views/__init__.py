"""One folder a picture: its arrays (``data``), its figure, the stage that computes it. Figures alone import plotly."""
