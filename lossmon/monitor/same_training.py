"""Runs that are one training: continued under a new number, or logged by several loggers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, combinations, islice, product
from pathlib import Path

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.monitor.runs import run_state
from lossmon.readers.discovery.found import FoundRun, ordered
from lossmon.types import Floats, Kind, RunSnapshot, Series

_NUMBERED = lazy_pattern(r"(version_|slurm-|slurm_|attempt_)(\d+)(\.out|\.log|\.err)?")
"""Names that a framework or a scheduler numbers by itself: a new number need not be a new
training."""

TEXT_RANK = 90
"""Rank of text logs: they accompany a run rather than being one."""

SETTLED = 2
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
    return later.train_loss is not None and later.train_loss.n >= SETTLED


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


FEWEST = 3
"""Common points of losses from which on two runs can be compared."""

NEARBY = 3
"""Directories above a run within which the other loggers of its training write."""

MOST_PAIRS = 2000
"""Pairs compared at a time: a directory of many runs must not cost more than its reading."""

_ROUNDED = 6e-4
"""Largest difference of a value in a text log, which may have three decimals."""

_MOSTLY = 0.9
"""Share of the common points of a text log that must be equal."""

_EXACT = 1e-5
"""Largest relative difference of a value in single precision."""

Pair = tuple[Path, Path]


@dataclass(frozen=True, slots=True)
class _Compared:
    """Points of two runs at common steps.

    Attributes:
        common: How many there are.
        equal: How many of them are equal.
    """

    common: int
    equal: int


class DuplicateLogs:
    """Finds the runs that log the training of another one.

    Attributes:
        found: Path of such a run → path of the run with the better source.
    """

    def __init__(self) -> None:
        self.found: dict[Path, Path] = {}
        self._different: set[Pair] = set()
        self._compared: dict[Pair, tuple[RunSnapshot, RunSnapshot]] = {}

    def update(self, known: Mapping[Path, FoundRun], runs: Iterable[RunSnapshot]) -> bool:
        """Compare runs that changed.

        Returns:
            Whether any turned out to be a duplicate.
        """
        shown = [run for run in runs if run.path in known and run.series]
        before = len(self.found)
        for one, other in _pairs(shown):
            pair = one.path, other.path
            if pair in self._different or not self.found.keys().isdisjoint(pair):
                continue
            seen = self._compared.get(pair)
            if seen is not None and seen[0] is one and seen[1] is other:
                continue
            self._compared[pair] = one, other
            is_text = TEXT_RANK in (_rank(known[one.path]), _rank(known[other.path]))
            self._decide(pair, _comparison(one, other, is_text=is_text), known)
        return len(self.found) > before

    def _decide(self, pair: Pair, compared: _Compared, known: Mapping[Path, FoundRun]) -> None:
        if compared.common < FEWEST:
            return
        del self._compared[pair]
        if compared.equal < compared.common:
            self._different.add(pair)
            return
        better, worse = sorted(pair, key=lambda path: (_rank(known[path]), str(path)))
        self.found[worse] = better


def _pairs(runs: Iterable[RunSnapshot]) -> Iterator[tuple[RunSnapshot, RunSnapshot]]:
    """Runs of different sources near each other; a fleet mostly has the same."""
    by_sources: dict[frozenset[str], list[RunSnapshot]] = {}
    for run in sorted(runs, key=lambda run: run.path):
        by_sources.setdefault(frozenset(run.sources), []).append(run)
    apart = (pair for pair in combinations(by_sources, 2) if pair[0].isdisjoint(pair[1]))
    pairs = chain.from_iterable(product(by_sources[a], by_sources[b]) for a, b in apart)
    for one, other in islice(pairs, MOST_PAIRS):
        if not _above(one.path).isdisjoint(_above(other.path)):
            yield (one, other) if one.path < other.path else (other, one)


def _above(path: Path) -> set[Path]:
    return set(path.parents[:NEARBY])


def _rank(found: FoundRun) -> int:
    return min(file.format.rank for file in found.files)


def _comparison(one: RunSnapshot, other: RunSnapshot, *, is_text: bool) -> _Compared:
    """Compare the losses of two runs at their common steps.

    A text log may count from 1 what the other one counts from 0, and a bar in it lags at times.
    """
    if not is_text:
        return _compared(one, other, 0, rtol=_EXACT, atol=0.0)
    if _end_alike(one, other):
        return _Compared(FEWEST, FEWEST)
    shifted = [_compared(one, other, shift, rtol=0.0, atol=_ROUNDED) for shift in (0, -1, 1)]
    best = max(shifted, key=lambda compared: compared.equal)
    enough = best.equal >= _MOSTLY * best.common
    return _Compared(best.common, best.common if enough else best.equal)


def _end_alike(one: RunSnapshot, other: RunSnapshot) -> bool:
    """Whether the newest train loss and the newest eval loss are the same at the same step.

    Of a training whose bar is drawn at its end only, a text log holds nothing else.
    """
    pairs = [(one.train_loss, other.train_loss), (one.eval_loss, other.eval_loss)]
    return all(
        a is not None
        and b is not None
        and a.axis is b.axis
        and abs(a.last_step - b.last_step) <= 1
        and abs(a.last - b.last) <= _ROUNDED
        for a, b in pairs
    )


def _compared(
    one: RunSnapshot, other: RunSnapshot, shift: int, *, rtol: float, atol: float
) -> _Compared:
    theirs = {series.meaning.key: series for series in other.series}
    common = equal = 0
    for series in one.series:
        match = theirs.get(series.meaning.key)
        if match is None or series.meaning.kind is not Kind.LOSS or match.axis is not series.axis:
            continue
        a, b = _at_common_steps(series, match, shift)
        if len(np.unique(a)) > 1:
            common += len(a)
            equal += int(np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True).sum())
    return _Compared(common, equal)


def _at_common_steps(one: Series, other: Series, shift: int) -> tuple[Floats, Floats]:
    if not len(one) or not len(other):
        return one.values[:0], other.values[:0]
    steps = other.steps + shift
    places = np.minimum(np.searchsorted(steps, one.steps), len(steps) - 1)
    at = np.flatnonzero(steps[places] == one.steps)
    return one.values[at], other.values[places[at]]
