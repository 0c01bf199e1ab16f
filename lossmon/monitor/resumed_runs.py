"""Resumed runs: one training that continues under a new number, `version_1` after `version_0`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from lossmon.lazy_pattern import lazy_pattern
from lossmon.monitor.runs import run_state
from lossmon.readers.discovery.found import FoundRun, ordered
from lossmon.types import RunSnapshot

_NUMBERED = lazy_pattern(r"(version_|slurm-|slurm_|attempt_)(\d+)(\.out|\.log|\.err)?")
"""Names that a framework or a scheduler numbers by itself: a new number need not be a new
training."""

TEXT_RANK = 90
"""Rank of text logs: they accompany a run rather than being one."""

FEWEST = 2
"""Points of the later run from which on its stride is known."""


def predecessors(paths: list[Path]) -> dict[Path, Path]:
    """The path with the number before each one, among its siblings."""
    families: dict[tuple[Path, str, str], list[tuple[int, Path]]] = {}
    for path in paths:
        if found := _NUMBERED.fullmatch(path.name):
            family = path.parent, found[1], found[3] or ""
            families.setdefault(family, []).append((int(found[2]), path))
    before: dict[Path, Path] = {}
    for members in families.values():
        ordered = [path for _, path in sorted(members)]
        before.update(zip(ordered[1:], ordered, strict=False))
    return before


def is_left_behind(path: Path, others: Iterable[Path]) -> bool:
    """Whether one of the other files was begun later by the same training after a resume."""
    own = _parts(path)
    return any(
        (later[0], later[2]) == (mine[0], mine[2]) and later[1] > mine[1]
        for mine in own
        for other in others
        for later in _parts(other)
    )


def _parts(path: Path) -> list[tuple[str, int, str]]:
    """For each number in a path: the path before it, the number, and the suffix of that name."""
    found = []
    for place, part in enumerate(path.parts):
        if match := _NUMBERED.fullmatch(part):
            before = "/".join((*path.parts[:place], match[1]))
            found.append((before, int(match[2]), match[3] or ""))
    return found


def is_settled(later: RunSnapshot) -> bool:
    """Whether a run has enough points to know if it continues another."""
    return later.train_loss is not None and later.train_loss.n >= FEWEST


def continues(earlier: RunSnapshot, later: RunSnapshot) -> bool:
    """Whether a run continues where another one ended.

    It starts well after its own first logging interval, at a step that the other had reached or
    was about to reach; a separate training starts at the beginning. Both log the same loss.
    """
    old, new = earlier.train_loss, later.train_loss
    if old is None or new is None or (old.tag, old.axis) != (new.tag, new.axis):
        return False
    stride = run_state.stride(new)
    return new.first_step > 2 * stride and (
        old.first_step < new.first_step <= old.last_step + 2 * max(stride, run_state.stride(old))
    )


def joined(
    runs: tuple[FoundRun, ...], continued: Mapping[Path, Path], duplicates: Mapping[Path, Path]
) -> tuple[FoundRun, ...]:
    """Join runs that are one training, under the path of the newest part.

    Args:
        runs: The runs found.
        continued: By path of a run, the path of the run that it continues.
        duplicates: By path of a run, the path of the run whose training it logs too.
    """
    if not continued and not duplicates:
        return runs
    runs = _with_duplicates(runs, duplicates)
    known = {run.path: run for run in runs}
    earlier = set(continued.values())
    whole = [_with_earlier(run, known, continued) for run in runs if run.path not in earlier]
    logs = [run for run in whole if all(file.format.rank >= TEXT_RANK for file in run.files)]
    others = [run for run in whole if run not in logs]
    if len(others) == 1 and len(logs) == 1 and _is_adjacent(logs[0].path, others[0].path):
        return (replace(others[0], files=(*others[0].files, *logs[0].files)),)
    return tuple(whole)


def _with_duplicates(
    runs: tuple[FoundRun, ...], duplicates: Mapping[Path, Path]
) -> tuple[FoundRun, ...]:
    """Give the files of each duplicate to the run that it repeats."""
    whole = {run.path: run for run in runs}
    for run in runs:
        own = whole.get(duplicates.get(run.path, run.path))
        if own is not None and own.path != run.path:
            files = ordered((*own.files, *whole.pop(run.path).files))
            checkpoints = tuple(sorted({*own.checkpoints, *run.checkpoints}))
            whole[own.path] = replace(own, files=files, checkpoints=checkpoints)
    return tuple(whole.values())


def _with_earlier(
    run: FoundRun, known: Mapping[Path, FoundRun], continued: Mapping[Path, Path]
) -> FoundRun:
    parts = [run]
    while (before := continued.get(parts[0].path)) in known and before is not None:
        parts.insert(0, known[before])
    if len(parts) == 1:
        return run
    files = tuple(file for part in parts for file in part.files)
    checkpoints = {checkpoint for part in parts for checkpoint in part.checkpoints}
    return replace(run, files=files, checkpoints=tuple(sorted(checkpoints)))


def _is_adjacent(log: Path, run: Path) -> bool:
    """Whether a log is in a directory that contains the run, or the other way round."""
    return log.parent in run.parents or log in run.parents
