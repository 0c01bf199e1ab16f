"""Files of one run: their order, their scopes, and which of them only repeat others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lossmon.readers.discovery.found import FoundFile
from lossmon.readers.registry import formats
from lossmon.readers.tags.spellings import EVAL_WORDS, TEST_WORDS

_ROTATED = re.compile(r"(.+\.(?:log|out|err|txt|jsonl))\.([0-9]{1,4})")


def scoped(file: FoundFile, files: Sequence[FoundFile]) -> FoundFile:
    """Take the split from the name of a table whose columns do not tell it: `val.csv`.

    A lone `test.csv` may be somebody's test of a training; beside a `train.csv` it is not.
    """
    if file.scope or not file.format.user_named:
        return file
    words = [word for word in re.split(r"[-_.]", file.path.name.lower()) if word in EVAL_WORDS]
    if not words:
        return file
    alone = not any(
        other is not file
        and other.format.source == file.format.source
        and other.path.parent == file.path.parent
        for other in files
    )
    return file if alone and words[0] in TEST_WORDS else replace(file, scope=words[0])


def without_repeats(files: Sequence[FoundFile]) -> list[FoundFile]:
    """Leave out files that others of the run repeat, unless they hold another history."""
    histories = {file.origin.history for file in files} - {""} or {""}
    repeated: set[str] = set()
    for history in histories:
        paths = {str(file.path) for file in files if file.origin.history in ("", history)}
        for one in formats():
            if one.superseded is not None:
                repeated.update(one.superseded(paths))
    return [file for file in files if str(file.path) not in repeated] if repeated else list(files)


def ordered(files: Iterable[FoundFile]) -> tuple[FoundFile, ...]:
    """Sort files: the better source first; of one source in the order in which they were begun."""

    def key(file: FoundFile) -> tuple[int, int, list[str | int], int]:
        plain, turns = _unrotated(str(file.path))
        return file.format.rank, file.origin.begun, _natural(plain), -turns

    return tuple(sorted(files, key=key))


def _unrotated(path: str) -> tuple[str, int]:
    """Name of a log before it was rotated, and how often it was: `train.log.2` is the oldest."""
    found = _ROTATED.fullmatch(path)
    return (found[1], int(found[2])) if found else (path, 0)


def _natural(path: str) -> list[str | int]:
    """Sorts `slurm-99.out` before `slurm-100.out`: text and numbers take turns."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", path)]
