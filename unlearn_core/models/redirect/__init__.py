"""Redirect channels: layers, normalisation, masks, adapters for networks from outside."""
