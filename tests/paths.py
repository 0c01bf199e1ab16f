"""Where the tests find their files."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parent / "data"
"""Real logs and small files of their shape, one directory per framework."""

ROOT = Path(__file__).parent.parent
"""The checkout."""
