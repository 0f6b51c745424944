"""Weights from files that other programs wrote."""
