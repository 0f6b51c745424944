"""The dashboard: a file a page. Widgets and layout only."""
