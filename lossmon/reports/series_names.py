"""Names of the series of a run in reports, and their choice by patterns."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from lossmon.types import RunSnapshot, Series


def series_names(series: Sequence[Series]) -> list[str]:
    """Return a unique name for each series: its tag, with the source where two share a tag.

    Args:
        series: All series of a run, the more important ones first.
    """
    names: list[str] = []
    for one in series:
        name = one.tag if one.tag not in names else f"{one.tag} ({one.source})"
        count = 2
        while name in names:
            name, count = f"{one.tag} ({one.source} {count})", count + 1
        names.append(name)
    return names


def fitting(run: RunSnapshot, patterns: Sequence[str]) -> list[Series]:
    """Return the series of a run that fit any of the patterns, all if there is none.

    Args:
        patterns: Shell patterns of tags (`*loss*`) or canonical names (`eval/*`), in any case.
    """
    wanted = [pattern.lower() for pattern in patterns]
    return [
        one
        for one in run.series
        if not wanted
        or any(
            fnmatchcase(name.lower(), pattern)
            for pattern in wanted
            for name in (one.tag, one.meaning.key)
        )
    ]
