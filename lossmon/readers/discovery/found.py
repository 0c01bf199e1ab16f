"""Discovery types: a file with its format, a run with its files in order, and a checkpoint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import NamedTuple

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.format import Format, Origin, Rank
from lossmon.readers.registry import formats
from lossmon.readers.tags.spellings import EVAL_WORDS, TEST_WORDS

_DIRECTORY = lazy_pattern(r"^(?:checkpoint|ckpt|global_step|step|iter)[-_]?(\d+)$")
_FILE = re.compile(
    r"^(?:(?:checkpoint|ckpt|step|iter|epoch)[-_]?(\d+)|model_(\d{4,})|"
    r".*(?:^|[-_.])(?:global_)?step[-_=]?(\d+).*)"
    r"\.(?:pt|pth|ckpt|safetensors|bin|weights|index|npz)$"
)
CHECKPOINT_NAME = lazy_pattern(f"{_DIRECTORY.pattern}|{_FILE.pattern}")
"""Any name that can be a checkpoint's."""


class FoundCheckpoint(NamedTuple):
    """A checkpoint on disk.

    Attributes:
        directory: Where it lies.
        step: Step in its name.
        name: Its name.
        history: First record of the history that it holds, or empty.
    """

    directory: str
    step: int
    name: str
    history: str = ""


def checkpoint_step(name: str, *, directory: bool) -> int | None:
    """Step in the name of a checkpoint, None where the name is not one.

    A file named after its epoch (`epoch_8.pth`) gives the epoch.
    """
    match = (_DIRECTORY if directory else _FILE).match(name)
    if match is None:
        return None
    return int(next(group for group in match.groups() if group))


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of a run.

    Attributes:
        path: Where it is.
        format: What it is and how to read it.
        scope: Sub-run inside the run (`validation`), or rank (`rank1`), or empty.
        part: Key of the run in a file that holds several, or empty.
        inode: Its (device, inode).
        has_loss: Its first line names the train loss of a whole run.
        origin: How it came to be.
    """

    path: Path
    format: Format
    scope: str = ""
    part: str = ""
    inode: tuple[int, int] = field(default=(0, 0), compare=False)
    has_loss: bool = field(default=False, compare=False)
    origin: Origin = field(default=Origin(), compare=False)


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run.

    Attributes:
        name: What the user calls it.
        path: Its own directory or file, or of several runs in one file a name below it; stays
            the same for as long as the run is known.
        files: What to read, the better source first, files of one source oldest first.
        checkpoints: Steps and names of the checkpoints on disk, ascending.
        superseded: A later training was begun in its directory.
    """

    name: str
    path: Path
    files: tuple[FoundFile, ...] = ()
    checkpoints: tuple[tuple[int, str], ...] = ()
    superseded: bool = False


def only_text(files: Iterable[FoundFile]) -> bool:
    """Whether files are nothing but text logs."""
    return all(file.format.rank >= Rank.TEXT for file in files)


_ROTATED = re.compile(r"(.+\.(?:log|out|err|txt|jsonl))\.([0-9]{1,4})")


_LOG_WORDS = frozenset({"log", "logs", "out", "txt", "output", "loss", "results", "metrics"})
"""What a log of an evaluation may be called besides the word for it."""


def scoped(file: FoundFile, files: Sequence[FoundFile]) -> FoundFile:
    """Take the split from the name of a file whose contents may not tell it: `val.csv`.

    A lone `test.csv` or `eval.log` may be somebody's test of a training; beside a `train.csv` or
    another log it is not.
    """
    is_log = file.format.rank >= Rank.TEXT
    if file.scope or not (file.format.user_named or is_log):
        return file
    parts = re.split(r"[-_.]", file.path.name.lower())
    words = [word for word in parts if word in EVAL_WORDS]
    if not words or (is_log and not set(parts) <= EVAL_WORDS | _LOG_WORDS):
        return file
    alone = not any(
        other is not file
        and other.format.source == file.format.source
        and other.path.parent == file.path.parent
        for other in files
    )
    return file if alone and (is_log or words[0] in TEST_WORDS) else replace(file, scope=words[0])


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
