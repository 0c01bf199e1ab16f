"""One path that the user gave, and the runs below it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path

from lossmon.fast_dataclass import dataclass
from lossmon.readers.discovery.checkpoints import CHECKPOINT_NAME, checkpoint_step
from lossmon.readers.discovery.containers import LocatedRun, RunContainers, leading
from lossmon.readers.discovery.detection import DetectedFile, Detector
from lossmon.readers.discovery.grouping import grouped
from lossmon.readers.discovery.members import Group, Member
from lossmon.readers.discovery.tree import Entry, Tree
from lossmon.readers.format import as_file_name
from lossmon.readers.registry import possible
from lossmon.readers.run_directories import TRAINER_MARKS, is_metric

_TELLING = re.compile(f"{TRAINER_MARKS.pattern}|{CHECKPOINT_NAME.pattern}")
_NO_METRICS = re.compile(
    r"(?:tokenizer.*|.*vocab|.*config|special_tokens_map|added_tokens|preprocessor.*|package(?:-lock)?|"
    r"tsconfig|dataset_info|dataset_dict|.*\.index|.*\.trace|params|args)\.json|"
    r".*\.pt\.trace\.json.*|requirements.*\.txt|merges\.txt|runs\.swanlab|.*\.ipynb|"
    r"wandb-metadata\.json|swanlab-metadata\.json|conda-environment\.yaml",
    re.IGNORECASE,
)
"""Files that many runs have beside their logs and that hold no metrics."""


@dataclass(slots=True)
class PlacedRun:
    """A run as found at one place.

    Attributes:
        path: Its own directory or file, spelled as the user spelled the place.
        members: Its files.
        checkpoints: Steps and names of the checkpoints on disk, ascending.
        name: What the framework calls it, where that tells more than the path; or empty.
    """

    path: Path
    members: list[Member] = field(default_factory=list)
    checkpoints: tuple[tuple[int, str], ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    directory: str
    step: int
    name: str


class SearchPath:
    """A directory or a file that the user gave.

    Attributes:
        given: As the user spelled it.
        notes: What was stepped over, and why.
        seen: Regular files seen.
        unrecognised: Names of some that no reader knows.
    """

    def __init__(self, given: Path) -> None:
        self.given = given
        # A link that the user names is meant; those below it are not followed.
        self._root = os.path.realpath(given)
        self._tree: Tree | None = None
        self._file: Entry | None = None
        self._owners: dict[str, str] = {}
        self.notes: tuple[str, ...] = ()
        self.seen = 0
        self.unrecognised: list[str] = []

    def refresh(self) -> bool:
        """Look at the file system; returns whether anything may have changed."""
        try:
            status = os.stat(self._root)
        except OSError as error:
            before, self.notes = self.notes, (f"{self.given}: {error.strerror}",)
            gone = self._tree is not None or self._file is not None
            self._tree, self._file = None, None
            self._root = os.path.realpath(self.given)
            return gone or before != self.notes
        if not os.path.isdir(self._root):
            entry = Entry(self._root, (status.st_dev, status.st_ino))
            changed, self._file, self._tree = entry != self._file, entry, None
            self.notes, self.seen = (), 1
            return changed
        self._file = None
        if self._tree is None:
            self._tree = Tree(Path(self._root), is_interesting, _TELLING)
        changed = self._tree.refresh()
        self.notes = self._tree.notes
        return changed

    def runs(
        self, claims: Detector, shelves: RunContainers, seen: set[tuple[int, int]]
    ) -> Iterator[PlacedRun]:
        """The runs here.

        Args:
            claims: What each file is.
            shelves: What is in the files that hold several runs.
            seen: Files that belong to runs of other places; those found here are added.
        """
        self.unrecognised = []
        if self._file is not None:
            claim = self._claim(self._file, claims, seen, named=True)
            if claim is not None:
                group = Group(self._root, [Member(claim)])
                yield from self._apart(group, shelves, ())
        elif self._tree is not None:
            yield from self._below(self._tree, claims, shelves, seen)

    def _claim(
        self, entry: Entry, claims: Detector, seen: set[tuple[int, int]], *, named: bool = False
    ) -> DetectedFile | None:
        claim = claims.of(entry, named=named)
        if claim is None:
            self.unrecognised.append(os.path.basename(entry.path))
        elif entry.inode not in seen:
            seen.add(entry.inode)
            return claim
        return None

    def _below(
        self, tree: Tree, claims: Detector, shelves: RunContainers, seen: set[tuple[int, int]]
    ) -> Iterator[PlacedRun]:
        marks: dict[str, tuple[str, ...]] = {}
        taken: list[DetectedFile] = []
        checkpoints: list[_Checkpoint] = []
        self.seen = 0
        for directory in tree.directories():
            marks[directory.path] = directory.marks
            self.seen += directory.seen
            if directory.example:
                self.unrecognised.append(directory.example)
            for name in directory.marks:
                inner = os.path.join(directory.path, name) in directory.children
                if (step := checkpoint_step(name, directory=inner)) is not None:
                    checkpoints.append(_Checkpoint(directory.path, step, name))
            found = (self._claim(entry, claims, seen) for entry in directory.files)
            taken += [claim for claim in found if claim is not None]
        groups = self._settled(grouped(taken, self._root, lambda path: marks.get(path, ())))
        owned = _owned(groups, checkpoints)
        for group in groups:
            yield from self._apart(group, shelves, owned.get(group.path, ()))

    def _apart(
        self, group: Group, shelves: RunContainers, checkpoints: tuple[tuple[int, str], ...]
    ) -> Iterator[PlacedRun]:
        """Take the runs apart that lie in one file; one of them has what lies beside the file."""
        slots = {
            member.claim.path: shelves.slots(member.claim)
            for member in group.members
            if member.claim.format.shelf is not None
        }
        first = self._first(group.path, list(slots.values()))
        members = [one for one in group.members if one.claim.path not in slots]
        name = ""
        if first is not None:
            name = first.name if Group("", members).only_text else ""
            members.append(Member(first.claim, part=first.part.key))
        own = PlacedRun(self._spelled(group.path), members, checkpoints, name)
        if members and first is None:
            yield own
        for one in (one for held in slots.values() for one in held):
            yield own if one is first else self._shelved(one)

    def _shelved(self, slot: LocatedRun) -> PlacedRun:
        """A run that has nothing but its part of a file."""
        self._owners.setdefault(_slot(slot), slot.claim.path)
        path = self._spelled(slot.claim.path) / as_file_name(slot.part.key)
        return PlacedRun(path, [Member(slot.claim, part=slot.part.key)], (), slot.name)

    def _first(self, path: str, slots: list[list[LocatedRun]]) -> LocatedRun | None:
        """The run to which belongs what lies beside its file: the same one as before."""
        every = [one for held in slots for one in held]
        known = next((one for one in every if self._owners.get(_slot(one)) == f"{path}/"), None)
        if known is not None:
            return known
        free = [[one for one in held if _slot(one) not in self._owners] for held in slots]
        first = leading(free)
        if first is not None:
            self._owners[_slot(first)] = f"{path}/"
        return first

    def _spelled(self, path: str) -> Path:
        """A path below this place as the user would spell it."""
        return self.given / os.path.relpath(path, self._root)

    def _settled(self, groups: list[Group]) -> list[Group]:
        """Keep every file in the run that it was first found in, and every run its path.

        What is found later can make another grouping look better, but a run that is being
        watched must not fall apart or move.
        """
        runs: dict[str, Group] = {}
        for group in groups:
            for member in group.members:
                owner = self._owners.get(member.claim.path)
                if owner is None:
                    owner = self._continued(group)
                    self._owners[member.claim.path] = owner
                runs.setdefault(owner, Group(owner)).members.append(member)
        return sorted(runs.values(), key=lambda group: group.path)

    def _continued(self, group: Group) -> str:
        """Path under which a group is known already, else the one that it has itself."""
        owners = (self._owners.get(member.claim.path) for member in group.members)
        return next((owner for owner in owners if owner is not None), group.path)


def _slot(slot: LocatedRun) -> str:
    return f"{slot.claim.path}\0{slot.part.key}"


def is_interesting(directory: str, name: str) -> bool:
    """Whether a file is looked at: it can be a log, and is not known to be none."""
    if possible(name):
        return _NO_METRICS.fullmatch(name) is None
    return is_metric(os.path.join(directory, name))


def _owned(
    groups: list[Group], checkpoints: list[_Checkpoint]
) -> dict[str, tuple[tuple[int, str], ...]]:
    """Give each checkpoint to the run whose directory is nearest above it."""
    owned: dict[str, set[tuple[int, str]]] = {}
    by_directory = {
        group.path if os.path.isdir(group.path) else os.path.dirname(group.path): group.path
        for group in groups
    }
    for checkpoint in checkpoints:
        directory = checkpoint.directory
        while directory not in by_directory and len(directory) > 1:
            directory = os.path.dirname(directory)
        owner = by_directory.get(directory)
        if owner is None and len(groups) == 1:
            owner = groups[0].path
        if owner is not None:
            owned.setdefault(owner, set()).add((checkpoint.step, checkpoint.name))
    return {owner: tuple(sorted(names)) for owner, names in owned.items()}
