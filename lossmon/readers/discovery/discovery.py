"""Paths → runs: what lies under the paths that the user gave, as runs with their files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lossmon.errors import internal_error
from lossmon.fast_dataclass import dataclass
from lossmon.readers.discovery.containers import RunContainers
from lossmon.readers.discovery.detection import Detector
from lossmon.readers.discovery.members import ordered
from lossmon.readers.discovery.search_path import PlacedRun, SearchPath
from lossmon.readers.format import Format
from lossmon.readers.run_directories import VERSION

EXAMPLES = 5
"""Names of unrecognised files that a message may quote: enough to see what sort they are."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of a run.

    Attributes:
        path: Where it is.
        format: What it is and how to read it.
        scope: Sub-run inside the run (`validation`), or rank (`rank1`), or empty.
        part: Key of the run in a file that holds several, or empty.
    """

    path: Path
    format: Format
    scope: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class FoundRun:
    """One run.

    Attributes:
        name: What the user calls it.
        path: Its own directory or file, or of several runs in one file a name below it; stays
            the same for as long as the run is known.
        files: What to read, the better source first, files of one source oldest first.
        checkpoints: Steps and names of the checkpoints on disk, ascending.
    """

    name: str
    path: Path
    files: tuple[FoundFile, ...] = ()
    checkpoints: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Scan:
    """What one look at the paths found.

    Attributes:
        runs: In the order of the paths, below each by name.
        notes: What was stepped over, and why.
        seen_files: Regular files seen.
        unrecognised: Names of some of those that no reader knows.
    """

    runs: tuple[FoundRun, ...] = ()
    notes: tuple[str, ...] = ()
    seen_files: int = 0
    unrecognised: tuple[str, ...] = ()


class Discovery:
    """Finds runs under some paths, again and again; a look where nothing changed is cheap."""

    def __init__(self, paths: Sequence[Path], patterns: Mapping[str, str] | None = None) -> None:
        """Look at nothing yet.

        Args:
            paths: Directories and files.
            patterns: The user's own regular expressions for text logs, by what they are called.

        Raises:
            ConfigError: A pattern is wrong; says which.
        """
        self._places = [SearchPath(path) for path in paths]
        self._claims = Detector(_own_format(patterns) if patterns else None)
        self._shelves = RunContainers()
        self._scan: Scan | None = None
        self._placed: dict[SearchPath, list[PlacedRun]] = {}
        self._broken: dict[SearchPath, str] = {}

    def scan(self) -> Scan:
        """Look now. Paths that do not exist (yet) are named in the notes.

        Returns:
            The very same object as before while nothing changed.
        """
        changed = [self._refreshed(place) for place in self._places]
        changed += [self._claims.grew(), self._shelves.grew()]
        if self._scan is not None and not any(changed) and not self._broken:
            return self._scan
        seen: set[tuple[int, int]] = set()
        found = [run for place in self._places for run in self._runs(place, seen)]
        notes = [note for place in self._places for note in place.notes]
        notes += self._broken.values()
        unknown = [name for place in self._places for name in place.unrecognised]
        scan = Scan(
            runs=tuple(_found(found)),
            notes=(*notes, *self._claims.notes, *self._shelves.notes),
            seen_files=sum(place.seen for place in self._places),
            unrecognised=tuple(dict.fromkeys(unknown))[:EXAMPLES],
        )
        if scan != self._scan:
            self._scan = scan
        return self._scan

    def _refreshed(self, place: SearchPath) -> bool:
        try:
            return place.refresh()
        except Exception as error:
            self._broken[place] = f"{place.given}: {internal_error(error)}; new files are not found"
            return True

    def _runs(self, place: SearchPath, seen: set[tuple[int, int]]) -> list[PlacedRun]:
        """The runs of a place; those it had before where they cannot be told any more."""
        try:
            self._placed[place] = list(place.runs(self._claims, self._shelves, seen))
        except Exception as error:
            self._broken[place] = f"{place.given}: {internal_error(error)}; new files are not found"
        else:
            self._broken.pop(place, None)
        return self._placed.get(place, [])


def _own_format(patterns: Mapping[str, str]) -> Format:
    # Few have patterns: the others do not wait for the text reader before they need it.
    from lossmon.readers.text.reader import own_format
    from lossmon.readers.text.user_patterns import Pattern

    return own_format(Pattern(patterns))


def _found(runs: list[PlacedRun]) -> Iterator[FoundRun]:
    called = names([_place_of(run) for run in runs], [run.name for run in runs])
    for run, name in zip(runs, called, strict=True):
        files = tuple(
            FoundFile(Path(member.claim.path), member.claim.format, member.scope, member.part)
            for member in ordered(run.members)
        )
        yield FoundRun(name, run.path, files, run.checkpoints)


def _place_of(run: PlacedRun) -> Path:
    """Where the run lies; of one run among several in a file that is the file."""
    files = [Path(member.claim.path) for member in run.members]
    within = run.name and not any(file.is_relative_to(run.path) for file in files)
    return run.path.parent if within else run.path


def names(paths: Sequence[Path], given: Sequence[str] | None = None) -> list[str]:
    """Name each run after the end of its path: as much of it as tells it from the others.

    Args:
        paths: Of each run.
        given: What the framework calls each, or nothing; where it is not enough, the end of the
            path stands before it.
    """
    parts = [
        (*_telling_parts(path), name) if name else _telling_parts(path)
        for path, name in zip(paths, given or [""] * len(paths), strict=True)
    ]
    lengths = [2 if VERSION.match(own[-1]) else 1 for own in parts]
    while True:
        tails = [own[-length:] for own, length in zip(parts, lengths, strict=True)]
        counts = Counter(tails)
        longer = [
            counts[tail] > 1 and length < len(own)
            for tail, length, own in zip(tails, lengths, parts, strict=True)
        ]
        if not any(longer):
            return _counted(["/".join(tail) for tail in tails])
        lengths = [length + more for length, more in zip(lengths, longer, strict=True)]


def _counted(names: Sequence[str]) -> list[str]:
    """The names, those that are the same to the last letter counted."""
    seen: Counter[str] = Counter()
    counted = []
    for name in names:
        seen[name] += 1
        counted.append(f"{name} ({seen[name]})" if seen[name] > 1 else name)
    return counted


def _telling_parts(path: Path) -> tuple[str, ...]:
    parts = path.parts
    if not parts or parts[-1] == "..":
        parts = path.resolve().parts
    parts = tuple(part for part in parts if part != path.anchor)
    return parts or (str(path.resolve()),)
