"""Search path: a directory or file that the user gave, and the runs below it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from lossmon.errors import similar_path
from lossmon.readers.discovery.containers import Contained, RunContainers, leading
from lossmon.readers.discovery.detection import Detector
from lossmon.readers.discovery.found import (
    CHECKPOINT_NAME,
    FoundCheckpoint,
    FoundFile,
    FoundRun,
    checkpoint_step,
    only_text,
)
from lossmon.readers.discovery.grouping import FilesByRun, grouped
from lossmon.readers.discovery.joining import RunJoiner
from lossmon.readers.discovery.trainings import Trainings
from lossmon.readers.discovery.tree import ListedFile, Tree
from lossmon.readers.format import as_file_name
from lossmon.readers.registry import directories, is_interesting
from lossmon.types import EMPTY

EXAMPLES = 5
"""Names of unrecognised files that a message may quote: enough to see what sort they are."""

Checkpoints = tuple[tuple[int, str], ...]
"""Steps and names, ascending."""


class SearchPath:
    """A directory or a file that the user gave.

    Attributes:
        given: As the user spelled it.
        notes: What was skipped, and why.
        seen: Regular files seen.
        unrecognised: Names of some that no reader knows.
    """

    def __init__(self, given: Path) -> None:
        self.given = given
        self._root = ""
        self._tree: Tree | None = None
        self._file: ListedFile | None = None
        self._trainings = Trainings()
        self._joiner = RunJoiner()
        self._owners: dict[str, str] = {}
        """Path of a file, or path and key of a run in it → path of the run it belongs to."""
        self.notes: tuple[str, ...] = ()
        self.seen = 0
        self.unrecognised: list[str] = []

    @cached_property
    def _similar(self) -> str:
        """What may have been meant where the path is missing, looked up once."""
        return similar_path(self.given)

    @property
    def is_complete(self) -> bool:
        """Whether all directories were listed."""
        return self._tree is None or self._tree.is_complete

    @property
    def seen_so_far(self) -> int:
        """Regular files seen while the search goes on."""
        return self.seen if self._tree is None else self._tree.seen

    def refresh(self, deadline: float = math.inf) -> bool:
        """Look at the file system; returns whether anything may have changed.

        Args:
            deadline: `time.monotonic()` at which the first look stops, to go on at the next call.
        """
        # A link that the user names is meant; those below it are not followed. Not asked before:
        # a file system may hang, and this is where a caller is ready for it.
        self._root = self._root or os.path.realpath(self.given)
        try:
            status = os.stat(self._root)
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            why = f"does not exist yet{self._similar}" if missing else error.strerror
            before, self.notes = self.notes, (f"{self.given}: {why}",)
            gone = self._tree is not None or self._file is not None
            self._tree, self._file = None, None
            self._root = os.path.realpath(self.given)
            return gone or before != self.notes
        if not os.path.isdir(self._root):
            file = ListedFile(self._root, (status.st_dev, status.st_ino))
            changed, self._file, self._tree = file != self._file, file, None
            self.notes, self.seen = (), 1
            return changed
        self._file = None
        if self._tree is None:
            rules = directories()
            telling = rf"{rules.telling.pattern}|{CHECKPOINT_NAME.pattern}"
            self._tree = Tree(
                Path(self._root), is_interesting, telling, rules.run_files, rules.hidden
            )
        changed = self._tree.refresh(deadline) or self._trainings.changed()
        changed = changed or self._joiner.changed()
        self.notes = self._tree.notes
        return changed

    def runs(
        self, detector: Detector, containers: RunContainers, seen: set[tuple[int, int]]
    ) -> Iterator[FoundRun]:
        """Give the runs here; their names are empty where the path is telling enough.

        Args:
            detector: Knows the format of each file.
            containers: Knows the runs in files that hold several.
            seen: Files that belong to runs of other paths; those found here are added.
        """
        self.unrecognised = []
        if self._file is not None:
            file = self._find(self._file, detector, seen, named=True)
            if file is not None:
                yield from self._separated(self._root, [file], containers, ())
        elif self._tree is not None:
            yield from self._below(self._tree, detector, containers, seen)

    def _find(
        self,
        listed: ListedFile,
        detector: Detector,
        seen: set[tuple[int, int]],
        *,
        named: bool = False,
    ) -> FoundFile | None:
        file = detector.find(listed, named=named)
        if file is None:
            # What a training has not written to yet is no unknown format.
            is_empty = len(self.unrecognised) < EXAMPLES and _is_empty(listed.path)
            if not (named and is_empty):
                name = os.path.basename(listed.path)
                self.unrecognised.append(name + EMPTY if is_empty else name)
        elif listed.inode not in seen:
            seen.add(listed.inode)
            return file
        return None

    def _below(
        self,
        tree: Tree,
        detector: Detector,
        containers: RunContainers,
        seen: set[tuple[int, int]],
    ) -> Iterator[FoundRun]:
        marks: dict[str, tuple[str, ...]] = {}
        files: list[FoundFile] = []
        checkpoints: list[FoundCheckpoint] = []
        self.seen = 0
        for directory in tree.directories():
            marks[directory.path] = directory.marks
            self.seen += directory.seen
            if directory.example:
                self.unrecognised.append(directory.example)
            for name in directory.marks:
                inner = os.path.join(directory.path, name) in directory.children
                if (step := checkpoint_step(name, directory=inner)) is not None:
                    checkpoints.append(FoundCheckpoint(directory.path, step, name))
            found = (self._find(file, detector, seen) for file in directory.files)
            files += [file for file in found if file is not None]
        runs = self._settled(grouped(files, self._root, lambda path: marks.get(path, ())))
        runs = self._joiner.join(runs)
        histories = {
            os.path.dirname(file.path): file.origin.history for file in files if file.origin.history
        }
        owned = _owned(runs, [_with_history(checkpoint, histories) for checkpoint in checkpoints])
        for path, members in runs.items():
            for one in self._trainings.separate(path, members, owned.get(path, ())):
                parts = self._separated(
                    one.path, one.files, containers, _listed(one.checkpoints), one.name
                )
                yield from (replace(run, superseded=one.superseded) for run in parts)

    def _separated(
        self,
        path: str,
        files: Sequence[FoundFile],
        containers: RunContainers,
        checkpoints: Checkpoints,
        name: str = "",
    ) -> Iterator[FoundRun]:
        """Separate the runs of one file; one of them gets what lies beside the file."""
        contained = {
            file.path: containers.runs(file) for file in files if file.format.container is not None
        }
        first = self._first(path, list(contained.values()))
        own_files = [file for file in files if file.path not in contained]
        if first is not None:
            name = first[0].name if only_text(own_files) else ""
            own_files.append(first[1])
        own = FoundRun(name, self._spelled(path), tuple(own_files), checkpoints)
        if own_files and first is None:
            yield own
        for one in (one for runs in contained.values() for one in runs):
            yield own if one is first else self._alone(one)

    def _alone(self, contained: Contained) -> FoundRun:
        """A run that has nothing but its part of a file."""
        run, file = contained
        self._owners.setdefault(_owned_name(contained), str(file.path))
        path = self._spelled(str(file.path)) / as_file_name(run.key)
        return FoundRun(run.name, path, (file,))

    def _first(self, path: str, files: Sequence[Sequence[Contained]]) -> Contained | None:
        """The run that owns what lies beside its file: the same one as before."""
        owner = f"{path}/"
        for runs in files:
            for one in runs:
                if self._owners.get(_owned_name(one)) == owner:
                    return one
        first = leading(
            [one for one in runs if _owned_name(one) not in self._owners] for runs in files
        )
        if first is not None:
            self._owners[_owned_name(first)] = owner
        return first

    def _spelled(self, path: str) -> Path:
        """A path below this one as the user would spell it."""
        return self.given / os.path.relpath(path, self._root)

    def _settled(self, runs: FilesByRun) -> FilesByRun:
        """Keep every file in the run that it was first found in, and every run its path.

        What is found later can make another grouping look better, but a run that is being
        watched must not fall apart or move.
        """
        settled: FilesByRun = {}
        for path, files in runs.items():
            for file in files:
                owner = self._owners.get(str(file.path))
                if owner is None:
                    owner = self._owners[str(file.path)] = self._known_path(path, files)
                settled.setdefault(owner, []).append(file)
        return dict(sorted(settled.items()))

    def _known_path(self, path: str, files: Iterable[FoundFile]) -> str:
        """Path under which a run is known already, else its own."""
        owners = (self._owners.get(str(file.path)) for file in files)
        return next((owner for owner in owners if owner is not None), path)


def _owned_name(contained: Contained) -> str:
    return f"{contained[1].path}\0{contained[0].key}"


def _owned(
    runs: Iterable[str], checkpoints: Iterable[FoundCheckpoint]
) -> dict[str, list[FoundCheckpoint]]:
    """Give each checkpoint to the run whose directory is nearest above it."""
    paths = list(runs)
    owned: dict[str, list[FoundCheckpoint]] = {}
    by_directory = {path if os.path.isdir(path) else os.path.dirname(path): path for path in paths}
    for checkpoint in checkpoints:
        directory = checkpoint.directory
        while directory not in by_directory and len(directory) > 1:
            directory = os.path.dirname(directory)
        owner = by_directory.get(directory)
        if owner is None and len(paths) == 1:
            owner = paths[0]
        if owner is not None:
            owned.setdefault(owner, []).append(checkpoint)
    return owned


def _with_history(checkpoint: FoundCheckpoint, histories: Mapping[str, str]) -> FoundCheckpoint:
    path = os.path.join(checkpoint.directory, checkpoint.name)
    return checkpoint._replace(history=histories.get(path, ""))


def _listed(checkpoints: Iterable[FoundCheckpoint]) -> Checkpoints:
    return tuple(sorted({(checkpoint.step, checkpoint.name) for checkpoint in checkpoints}))


def _is_empty(path: str) -> bool:
    try:
        return os.stat(path).st_size == 0
    except OSError:
        return False
