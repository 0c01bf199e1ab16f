"""Joining of runs: what several loggers wrote of one training, found by its first points."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from itertools import pairwise

from lossmon.ending import pass_on_the_end
from lossmon.fast_dataclass import dataclass
from lossmon.readers.discovery.found import FoundFile, only_text
from lossmon.readers.discovery.grouping import FilesByRun
from lossmon.readers.format import Rank
from lossmon.readers.tags.meaning import meaning
from lossmon.types import Batch, Kind, Meaning, Points, Reader, Split

MOST_POINTS = 12
"""First points kept of a tag: enough to compare two files, and to see how far apart they are."""

COMPARED = 3
"""First losses that two logs of one training have in common."""

MOST_BYTES = 4 << 20
"""Size from which a file is read no further: all that it logs has shown by then."""

_SAME = 2e-4
"""Relative difference up to which two first losses are the same one, once rounded for a log."""

_INTERVAL = "logging_steps"
"""Setting that says how far apart the train losses are logged."""


@dataclass(slots=True)
class FirstPoints:
    """First points of one tag, in logged order."""

    meaning: Meaning
    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    @property
    def is_train_loss(self) -> bool:
        """Whether it is a loss of the training."""
        return self.meaning.kind is Kind.LOSS and self.meaning.split is Split.TRAIN

    @property
    def spacing(self) -> int:
        """Steps between two points, 0 where unknown."""
        return min((b - a for a, b in pairwise(self.steps) if b > a), default=0)


class Probe:
    """Reads the first points of a file, and more as it grows, until they suffice."""

    def __init__(self, file: FoundFile) -> None:
        self.file = file
        self.curves: dict[str, FirstPoints] = {}
        self.interval = 0
        """Steps between two train losses according to the settings, 0 where unknown."""
        self.resumed = False
        """It says that it goes on from a later step."""
        self.has_trials = False
        """It counts the trials of a study."""
        self._reader: Reader | None = None
        self._size = -1
        self._is_done = False

    def changed(self) -> bool:
        """Whether there may be points that are missing so far."""
        return not self._is_done and self._size != _size_of(self.file)

    def read(self) -> None:
        """Read on where the file grew; never raises."""
        if not self.changed():
            return
        self._size = _size_of(self.file)
        try:
            self._read()
        except BaseException as error:
            pass_on_the_end(error)
            # The reader that gives its points meets the same error and reports it.
            self._is_done = True

    def _read(self) -> None:
        if self._reader is None:
            self._reader = self.file.format.open(self.file.path)
        while True:
            batch = self._reader.read(0.0)
            self._add(batch)
            read = self._size - batch.pending
            if not batch.pending or read >= MOST_BYTES:
                break
        self._is_done = read >= MOST_BYTES

    def _add(self, batch: Batch) -> None:
        if batch.replaced:
            self.curves.clear()
        for points in batch.points:
            self._add_points(points)
        for fact in batch.facts:
            every = fact.settings.get(_INTERVAL, "")
            self.interval = int(every) if every.isdecimal() else self.interval
            self.has_trials = self.has_trials or bool(fact.trials)
        self.resumed = self.resumed or any(restart.step > 0 for restart in batch.restarts)

    def _add_points(self, points: Points) -> None:
        what = meaning(points.tag, scope=self.file.scope, source=self.file.format.source)
        if what.kind is Kind.OTHER or what.summary:
            return
        curve = self.curves.setdefault(what.key, FirstPoints(what))
        room = MOST_POINTS - len(curve.steps)
        curve.steps += points.steps[:room].tolist()
        curve.values += points.values[:room].tolist()

    @property
    def losses(self) -> list[FirstPoints]:
        """Its train losses."""
        return [curve for curve in self.curves.values() if curve.is_train_loss]

    @property
    def begins(self) -> bool:
        """Whether its train losses begin with a training: at the first step that is logged."""
        return not self.resumed and any(0 <= one.steps[0] <= one.spacing for one in self.losses)

    def agrees_with(self, other: Probe) -> bool:
        """Whether both begin with the same train losses, as two logs of one training do."""
        return any(_agree(one.values, two.values) for one in self.losses for two in other.losses)

    def precedes(self, other: Probe) -> bool:
        """Whether a train loss begins before that of another file, with the same common values."""
        for key, one in self.curves.items():
            two = other.curves.get(key)
            if two is None or not one.is_train_loss or one.steps[0] >= two.steps[0]:
                continue
            at = dict(zip(two.steps, two.values, strict=True))
            own = zip(one.steps, one.values, strict=True)
            if all(_is_same(value, at.get(step, value)) for step, value in own):
                return True
        return False


def _is_same(one: float, two: float) -> bool:
    return abs(one - two) <= max(_SAME * max(abs(one), abs(two)), 6e-5)


def _agree(one: list[float], two: list[float]) -> bool:
    """Whether the first values of one list stand in a row in the other; constants do not count."""
    short, long = sorted((one[:COMPARED], two[:COMPARED]), key=len)
    if len(set(short)) < 2:
        return False
    return all(_is_same(a, b) for a, b in zip(short, long, strict=False))


def _size_of(file: FoundFile) -> int:
    try:
        return os.stat(file.path).st_size
    except OSError:
        return -1


TRACKERS = frozenset({"wandb", "swanlog"})
"""Directories that trackers create where a training is started, whatever its output directory."""

MOST_COMPARED = 8
"""Runs that a log is compared with at most: every one of them is read a second time."""


class RunJoiner:
    """Joins a log or a tracker's run with the run beside it whose first train losses it repeats.

    A training that is started in one directory and writes to another leaves its stdout and
    `wandb/` in the first. Where two runs fit, nothing shows to which of them a log belongs.
    """

    def __init__(self) -> None:
        self._probes: dict[str, Probe] = {}
        self._joined: dict[str, str] = {}
        """Path of a run → that of the run that it is a part of."""

    def changed(self) -> bool:
        """Whether a file that was not decided on has grown."""
        return any(probe.changed() for probe in self._probes.values())

    def join(self, runs: FilesByRun) -> FilesByRun:
        """Return the runs, each with the files of the runs that repeat it."""
        joined = {path: list(files) for path, files in runs.items()}
        for path in sorted(runs, key=lambda path: (only_text(runs[path]), path)):
            home = _home(path, runs[path])
            if not home:
                continue
            own = self._joined.get(path)
            if own not in joined:
                # Several runs of a tracker may repeat one training: each time that it was resumed.
                own = self._owner(path, home, joined, runs)
            if own:
                self._joined[path] = own
                joined[own] += joined.pop(path)
        return joined

    def _owner(self, path: str, home: str, left: Iterable[str], runs: FilesByRun) -> str:
        """The one run below a directory that has the same losses from another source, or empty."""
        sources = _sources(runs[path])
        inside = home.rstrip(os.sep) + os.sep
        beside = [
            other
            for other in left
            if other != path
            and other.startswith(inside)
            and not only_text(runs[other])
            and not sources & _sources(runs[other])
        ]
        if not 0 < len(beside) <= MOST_COMPARED:
            return ""
        own = list(self._probed(runs[path]))
        fitting = [
            other
            for other in beside
            if any(one.agrees_with(two) for two in self._probed(runs[other]) for one in own)
        ]
        if len(fitting) != 1:
            return ""
        for file in (*runs[path], *runs[fitting[0]]):
            self._probes.pop(str(file.path), None)
        return fitting[0]

    def _probed(self, files: Sequence[FoundFile]) -> Iterator[Probe]:
        for file in files:
            if file.format.container is not None:
                continue
            probe = self._probes.get(str(file.path))
            if probe is None or probe.file.inode != file.inode:
                probe = self._probes[str(file.path)] = Probe(file)
            probe.read()
            yield probe


def _home(path: str, files: Sequence[FoundFile]) -> str:
    """The directory in which a log or a tracker's run was begun, empty for any other run."""
    if only_text(files):
        return path if os.path.isdir(path) else os.path.dirname(path)
    above, own = os.path.split(os.path.dirname(path))
    return above if own in TRACKERS else ""


def _sources(files: Sequence[FoundFile]) -> set[str]:
    """Sources of files, text logs apart: a tracker keeps the stdout of its run, too."""
    return {file.format.source for file in files if file.format.rank < Rank.TEXT}
