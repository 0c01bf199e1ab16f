"""Joining of runs: what several loggers wrote of one training in directories beside each other."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from lossmon.readers.discovery.found import FoundFile, only_text
from lossmon.readers.discovery.grouping import FilesByRun
from lossmon.readers.discovery.probe import Probe
from lossmon.readers.format import Rank

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
