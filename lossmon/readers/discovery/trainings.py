"""Trainings: several of them may have written their files into one directory.

The same output directory is used again, or all trainings share one `./logs`. A file that begins at
the beginning begins a new training; one that a resumed training wrote goes on where the one before
it stood.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import field
from itertools import combinations
from pathlib import Path

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.discovery.found import FoundCheckpoint, FoundFile, only_text, ordered
from lossmon.readers.discovery.joining import FirstPoints, Probe

_NUMBERED = lazy_pattern(
    r"(?i)(?:run|job|exp|experiment|trial|train|training)[-_.]?\d{1,4}\.\w{2,6}"
)
"""File name that counts trainings; other names that are numbered count processes."""

_FIRST_PROCESS = lazy_pattern(r"(?i)train(?:ing)?[-_.]?0+\.\w{2,6}")
"""Such a name that counts from 0 counts the processes of one training."""

_DATED = lazy_pattern(
    r"20\d\d[-_.]?[01]\d[-_.]?[0-3]\d(?:[-_.T]?[0-2]\d[-_.:hH]?\d\d(?:[-_.:m]?\d\d)?)?"
)
"""A date in the name of a file, maybe with a time."""

MOST_NUMBERED = 100
"""Numbered logs compared with each other at most."""


@dataclass(slots=True)
class TrainingFiles:
    """One of the trainings of a directory.

    Attributes:
        files: Its files.
        checkpoints: Its checkpoints.
        path: Its own directory or file, as long as it is known.
        name: Name where the path says little, or empty.
        superseded: A later one was begun in the directory.
    """

    files: list[FoundFile] = field(default_factory=list)
    checkpoints: list[FoundCheckpoint] = field(default_factory=list)
    path: str = ""
    name: str = ""
    superseded: bool = False
    _probes: list[Probe] = field(default_factory=list)

    @property
    def begun(self) -> float:
        """Seconds since the Unix epoch at which its first file was begun."""
        return min((file.origin.begun for file in self.files if file.origin.begun), default=0)

    @property
    def histories(self) -> set[str]:
        """First records of the histories that its files hold."""
        return {file.origin.history for file in self.files if file.origin.history}

    @property
    def losses(self) -> set[str]:
        """Canonical names of the train losses that its event files log: the plain one, or all."""
        dated = [probe for probe in self._probes if probe.file.origin.begun]
        found = {
            key for probe in dated for key, curve in probe.curves.items() if curve.is_train_loss
        }
        return found & {"train/loss"} or found

    def add(self, probe: Probe) -> None:
        """Add a file that was probed."""
        self.files.append(probe.file)
        self._probes.append(probe)

    def agrees_with(self, probe: Probe) -> bool:
        """Whether another file logged the same training."""
        return any(probe.agrees_with(own) for own in self._probes)

    def is_end_of(self, probe: Probe) -> bool:
        """Whether the files begin after another one, and say nothing else at its steps."""
        return any(probe.precedes(own) for own in self._probes)

    def precedes(self, later: Probe) -> bool:
        """Whether a later file begins another training, instead of going on with this one.

        Its first step then equals its own spacing. A lone evaluation begins nothing: at step 0 it
        is that of a model that was loaded.
        """
        if later.resumed:
            return False
        # Files without a common tag are written side by side.
        common = [
            (curve, known)
            for key, curve in later.curves.items()
            if (known := [own.curves[key] for own in self._probes if key in own.curves])
        ]
        losses = [pair for pair in common if pair[0].is_train_loss]
        if not common or (losses and not self.losses <= later.curves.keys()):
            return False
        # Losses may be missing from the first record: SB3 logs those of the update before.
        late = max((begun for curve, _ in common if (begun := _begun(curve))), default=0)
        return all(
            (curve.is_train_loss or curve.spacing)
            and curve.steps[0] >= 0
            and curve.steps[0] <= (curve.spacing or later.interval or _spacing(known)) + late
            for curve, known in losses or common
        )


class Trainings:
    """Separates the trainings of each run directory, and remembers how they are called."""

    def __init__(self) -> None:
        self._probes: dict[str, Probe] = {}
        self._paths: dict[str, str] = {}
        """First file of a training → path under which it is known."""

    def changed(self) -> bool:
        """Whether a file that was not decided on has grown."""
        return any(probe.changed() for probe in self._probes.values())

    def separate(
        self, path: str, files: Sequence[FoundFile], checkpoints: Sequence[FoundCheckpoint] = ()
    ) -> list[TrainingFiles]:
        """Separate the files of one run directory.

        Returns:
            The trainings, the newest first; of one alone the path is the directory's. A newest
            file without a point yet is left out.
        """
        if beside := self._beside_study(files):
            rest = [file for file in files if file not in beside]
            study = next(str(file.path) for file in rest if file.format.studies)
            return [*self.separate(path, beside, checkpoints), TrainingFiles(rest, path=study)]
        dated = [file for file in ordered(files) if file.origin.begun and not file.origin.run]
        histories = {file.origin.history for file in files if file.origin.history}
        if len(dated) < 2 and len(histories) < 2:
            if not checkpoints and (numbered := self._numbered(files)):
                return numbered
            return [TrainingFiles(list(files), list(checkpoints), path)]
        found, silent = self._in_turn(dated)
        states = [file for file in files if file.origin.history]
        found = self._with_states(found, states)
        if not found or (len(found) == 1 and not silent):
            return [TrainingFiles(list(files), list(checkpoints), path)]
        others = [file for file in files if file not in dated and file not in states]
        self._share_out(found, others, checkpoints)
        found.reverse()
        for earlier in found[1:]:
            earlier.superseded = True
        self._call(found, path)
        return found

    def _beside_study(self, files: Sequence[FoundFile]) -> list[FoundFile]:
        """Files of a training that merely lie beside the database of a study, if there is one."""
        if not any(file.format.studies for file in files):
            return []
        others = [file for file in files if file.format.container is None]
        probes = [self._probe(file) for file in others]
        return [one.file for one in probes if one.losses and not one.has_trials]

    def _numbered(self, files: Sequence[FoundFile]) -> list[TrainingFiles]:
        """Trainings from scratch with numbered or dated logs, none if the logs may be of one."""
        if not 1 < len(files) <= MOST_NUMBERED or not only_text(files):
            return []
        names = [file.path.name for file in files]
        if not all(map(_NUMBERED.fullmatch, names)) and not _are_dated(names):
            return []
        if any(_FIRST_PROCESS.fullmatch(file.path.name) for file in files):
            return []
        probes = [self._probe(file) for file in files]
        if not all(probe.begins for probe in probes):
            return []
        if any(one.agrees_with(other) for one, other in combinations(probes, 2)):
            return []
        return [TrainingFiles([file], path=str(file.path)) for file in files]

    def _probe(self, file: FoundFile) -> Probe:
        probe = self._probes.get(str(file.path))
        if probe is None or probe.file.inode != file.inode:
            probe = self._probes[str(file.path)] = Probe(file)
        probe.file = file
        probe.read()
        return probe

    def _in_turn(self, dated: Iterable[FoundFile]) -> tuple[list[TrainingFiles], bool]:
        """Trainings by their event files, and whether a file that says nothing was left out."""
        found: list[TrainingFiles] = []
        silent: list[Probe] = []
        for file in dated:
            probe = self._probe(file)
            if not probe.curves:
                silent.append(probe)
                continue
            if not found or found[-1].precedes(probe):
                found.append(TrainingFiles())
            for earlier in silent:
                found[-1].add(earlier)
            silent.clear()
            found[-1].add(probe)
        return found, bool(silent)

    def _with_states(
        self, found: list[TrainingFiles], states: Sequence[FoundFile]
    ) -> list[TrainingFiles]:
        """Add each state to the training that it sums up; one of another training is its own."""
        foreign: dict[str, TrainingFiles] = {}
        for state in states:
            probe = self._probe(state)
            agreeing = [one for one in found if one.agrees_with(probe)]
            # A state may hold the beginning of a training whose first events were deleted.
            later = [one for one in found if not probe.losses or one.is_end_of(probe)]
            own = next(iter(agreeing or later[-1:]), None)
            (own or foreign.setdefault(state.origin.history, TrainingFiles())).add(probe)
        older = sorted(foreign.values(), key=_written)
        return [*older, *found] if found else older

    def _share_out(
        self,
        found: Sequence[TrainingFiles],
        others: Iterable[FoundFile],
        checkpoints: Iterable[FoundCheckpoint],
    ) -> None:
        """Give each other file to the training that it agrees with, else to the newest."""
        for file in others:
            fitting = found[-1:]
            if len(found) > 1:
                probe = self._probe(file)
                fitting = [one for one in found if one.agrees_with(probe)] or fitting
            fitting[-1].files.append(file)
        for checkpoint in checkpoints:
            _owner(found, checkpoint).checkpoints.append(checkpoint)

    def _call(self, found: Sequence[TrainingFiles], path: str) -> None:
        """Give each training its path, the same one as before: the first has the directory's."""
        taken = {known for one in found if (known := self._paths.get(_first(one))) is not None}
        for place, one in enumerate(found):
            free = place == 0 and path not in taken
            one.path = self._paths.setdefault(
                _first(one), path if free else _own_path(one, found, path)
            )
            if one.path != path and os.path.isfile(one.path):
                one.name = _named(one, path)


def _are_dated(names: Sequence[str]) -> bool:
    """Whether names of logs differ in nothing but the time at which each was begun."""
    if not all(map(_DATED.search, names)):
        return False
    return len({_DATED.sub("", name) for name in names}) == 1


def _begun(curve: FirstPoints) -> int:
    """First step of a curve that begins at its own spacing, else 0."""
    first = curve.steps[0]
    return first if first == curve.spacing else 0


def _spacing(curves: Iterable[FirstPoints]) -> int:
    return max(curve.spacing for curve in curves)


def _first(training: TrainingFiles) -> str:
    return str(training.files[0].path)


def _own_path(training: TrainingFiles, found: Sequence[TrainingFiles], path: str) -> str:
    """The directory that only this training has written to, else its first file."""
    directory = os.path.dirname(_first(training))
    shared = any(
        os.path.dirname(file.path) == directory
        for one in found
        if one is not training
        for file in one.files
    )
    return _first(training) if shared or directory == path else directory


def _named(training: TrainingFiles, path: str) -> str:
    """The directory and the time at which the training began."""
    begun = training.begun
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(begun)) if begun else ""
    return f"{os.path.basename(path)} {when}".strip()


def _owner(found: Sequence[TrainingFiles], checkpoint: FoundCheckpoint) -> TrainingFiles:
    """The training that wrote a checkpoint: by its state, else the last one begun before it."""
    if checkpoint.history:
        for one in found:
            if checkpoint.history in one.histories:
                return one
    written = _modified(os.path.join(checkpoint.directory, checkpoint.name))
    before = [one for one in found if one.begun <= written]
    return before[-1] if before else found[-1]


def _written(training: TrainingFiles) -> tuple[float, str]:
    return max(_modified(file.path) for file in training.files), _first(training)


def _modified(path: str | Path) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
