"""How words and keys are spelled in TOML."""

from __future__ import annotations

import re

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPECIAL = re.compile(r'["\\\x00-\x1f\x7f]')


def text_of(word: str) -> str:
    """A word as a basic string on one line."""
    return f'"{_SPECIAL.sub(_escaped, word)}"'


def key_of(word: str) -> str:
    """A word as a key, quoted where it has to be."""
    return word if _BARE.fullmatch(word) else text_of(word)


def _escaped(found: re.Match[str]) -> str:
    char = found[0]
    return "\\" + char if char in '"\\' else f"\\u{ord(char):04x}"
