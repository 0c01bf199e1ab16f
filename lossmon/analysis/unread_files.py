"""Sentences about files that no reader takes, for the screen and for commands."""

from __future__ import annotations

from collections.abc import Sequence

from lossmon.locale import phrase, translate

_NONE = "no files here yet"
_ONE = "{name} is not a log in a known format"
_SEVERAL = "{count} {count:file|files} here, none is a log: {names}"


def about_unread(path: str, seen: int, unread: Sequence[str], language: str) -> str:
    """Say which files are not read.

    Args:
        path: The path that was searched.
        seen: Regular files seen there.
        unread: Names of some that are not in a known format.
        language: Code of a language.
    """
    if not seen:
        return translate(_NONE, language)
    if seen == 1 and path.rpartition("/")[2] in unread:
        return phrase(_ONE, language, name=unread[0])
    names = ", ".join(unread) + (", …" if len(unread) < seen else "")
    return phrase(_SEVERAL, language, count=str(seen), names=names)
