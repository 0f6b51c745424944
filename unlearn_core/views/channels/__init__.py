"""Base and redirect channels: what they do, and what happens when the redirect channels are turned down."""
