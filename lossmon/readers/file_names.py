"""Patterns of file names; most need no regular expression."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import cached_property


class NamePatterns:
    """Shell patterns; a name matches if it matches any of them.

    Nearly all are a name or an ending, and compiling them would take a tenth of the time to the
    first frame; the others are compiled when the first name matches none of these.

    Args:
        patterns: Shell patterns of lower-cased names.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        whole, starts, ends, rest = set[str](), list[str](), list[str](), list[str]()
        for pattern in patterns:
            plain = pattern.strip("*")
            if not plain or any(sign in plain for sign in "*?["):
                rest.append(pattern)
            elif pattern == plain:
                whole.add(plain)
            elif pattern == f"*{plain}":
                ends.append(plain)
            elif pattern == f"{plain}*":
                starts.append(plain)
            else:
                rest.append(pattern)
        self._whole, self._starts, self._ends = frozenset(whole), tuple(starts), tuple(ends)
        self._rest = tuple(rest)

    def match(self, name: str) -> bool:
        """Whether a lower-cased name matches one of the patterns."""
        if name in self._whole or name.endswith(self._ends) or name.startswith(self._starts):
            return True
        return bool(self._rest) and self._pattern.match(name) is not None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(translate, self._rest)))
