"""The name of before, which stays in names of files and folders: what was stored under it must be found."""

from __future__ import annotations

WORKING_TITLE = "lethe"
