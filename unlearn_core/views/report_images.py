"""Images inside a report: small, and part of the file."""

from __future__ import annotations

import base64
import io

import numpy as np

SIDE = 64
"""Pixels a side, at most."""
SHARP = 40
"""Up to so many pixels a side every pixel is kept."""


def embed(pixels: np.ndarray) -> str:
    """uint8 (H, W) or (H, W, 3) as a data address: small ones as PNG with every pixel, larger ones as JPEG of at most
    :data:`SIDE` pixels, so that a report of many stays small."""
    from PIL import Image

    image, buffer = Image.fromarray(np.ascontiguousarray(pixels)), io.BytesIO()
    if max(image.size) <= SHARP:
        image.save(buffer, "PNG", optimize=True)
        return _address("image/png", buffer.getvalue())
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    image.save(buffer, "JPEG", quality=82)
    return _address("image/jpeg", buffer.getvalue())


def embed_file(mime: str, content: str) -> str:
    """Text as a data address."""
    return _address(mime, content.encode())


def _address(mime: str, content: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"
