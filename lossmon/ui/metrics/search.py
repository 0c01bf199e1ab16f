"""Metric search: plain words, a glob pattern or a regular expression."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate

_REGEX = re.compile(r"[\\^$|(){}+]|\[[^\]]*-[^\]]*\]")
"""Marks that only a regular expression has."""

_GLOB = frozenset("*?[")


class SearchError(ValueError):
    """The text is not a regular expression, as its message says."""


def matcher(text: str) -> Callable[[str], bool]:
    """A test for names; case does not count.

    Text with `^ $ | ( ) { } + \\` is a regular expression that may match anywhere; text with `*`,
    `?` or `[` a glob pattern for the whole name or the end of it behind a `/`, and with `.*`, which
    may mean either, both; all other text is words that all have to occur.

    Raises:
        SearchError: It is meant as a regular expression and is none.
    """
    text = text.strip()
    if _REGEX.search(text):
        return _regex(text)
    if _GLOB & set(text):
        whole = re.compile(translate(text.casefold()))
        behind = re.compile(translate(f"*/{text.casefold()}"))
        either = _regex(text) if ".*" in text and text[0] not in _GLOB else None
        return lambda name: (
            bool(whole.match(name.casefold()) or behind.match(name.casefold()))
            or (either is not None and either(name))
        )
    words = text.casefold().split()
    return lambda name: all(word in name.casefold() for word in words)


def _regex(text: str) -> Callable[[str], bool]:
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise SearchError(str(error)) from None
    return lambda name: pattern.search(name) is not None
