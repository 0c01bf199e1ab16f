"""Lazy pattern: a regular expression that is compiled when it is used first.

A module of a reader holds dozens of expressions, and most logs need few of them. Compiling all of
them at import took a quarter of the time of `lossmon check` on a text log of 2,000 lines. What
every line is matched against is compiled at import by `re.compile`, which finds its methods faster.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, AnyStr

METHODS = ("search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split")


def lazy_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what behaves like `re.compile(pattern, flags)` and is compiled at its first use.

    An error in the expression is raised then, too. The functions of `re` do not accept the result
    in place of an expression; its methods and `pattern` work as usual.
    """
    if TYPE_CHECKING:
        return re.compile(pattern, flags)
    return _LazyPattern(pattern, flags)


class _LazyPattern:
    """Compiles its expression when an attribute other than `pattern` is read first."""

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self.pattern = pattern
        self._given_flags = flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        compiled = re.compile(self.pattern, self._given_flags)
        # From now on a method is found without this detour.
        self.__dict__.update({one: getattr(compiled, one) for one in METHODS})
        return getattr(compiled, name)
