"""Plain data as one text that never varies, and the short key that is made of it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel

SCHEMA_VERSION = 1
"""Part of every key: raised when the meaning of a spec changes, so that older results are never mistaken for new ones."""
FOR_KEY = "key"
"""The context in which a spec leaves out what is no part of its key."""


def content_key(*parts: object) -> str:
    """First 16 hex digits of SHA-256 over the canonical JSON of ``parts`` and the schema version."""
    text = canonical_json([SCHEMA_VERSION, *parts])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def canonical_json(value: object) -> str:
    """JSON with sorted keys, no spaces, no NaN; pydantic models are dumped first."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True, default=plain_data)


def plain_data(value: object) -> dict[str, Any]:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", context=FOR_KEY)
    raise TypeError(f"{type(value).__name__} has no canonical JSON")
