"""Discovery of runs and their files below the paths that the user gave."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lossmon.errors import internal_error
from lossmon.fast_dataclass import dataclass
from lossmon.readers.discovery.containers import RunContainers
from lossmon.readers.discovery.detection import Detector, OutOfTime
from lossmon.readers.discovery.found import FoundRun, ordered
from lossmon.readers.discovery.search_path import EXAMPLES, SearchPath
from lossmon.readers.format import Format
from lossmon.readers.registry import directories, plugin_notes


@dataclass(frozen=True, slots=True)
class Scan:
    """What one look at the paths found.

    Attributes:
        runs: In the order of the paths, below each by name.
        notes: What was skipped, and why.
        seen_files: Regular files seen.
        unrecognised: Names of some of those that no reader knows.
        is_complete: All paths were searched; else the runs are those of the scan before, or those
            found among the files that most probably hold metrics.
    """

    runs: tuple[FoundRun, ...] = ()
    notes: tuple[str, ...] = ()
    seen_files: int = 0
    unrecognised: tuple[str, ...] = ()
    is_complete: bool = True


class Discovery:
    """Finds runs under some paths, again and again; a look where nothing changed is cheap."""

    def __init__(self, paths: Sequence[Path], patterns: Mapping[str, str] | None = None) -> None:
        """Look at nothing yet.

        Args:
            patterns: The user's own regular expressions for text logs, by what they are called.

        Raises:
            ConfigError: A pattern is wrong; says which.
        """
        self._paths = [SearchPath(path) for path in paths]
        self._detector = Detector(_own_format(patterns) if patterns else None)
        self._containers = RunContainers()
        self._scan: Scan | None = None
        self._is_partial = False
        self._runs: dict[SearchPath, list[FoundRun]] = {}
        self._broken: dict[SearchPath, str] = {}

    def scan(self, deadline: float = math.inf) -> Scan:
        """Look now. Paths that do not exist (yet) are named in the notes.

        Args:
            deadline: `time.monotonic()` at which the search stops, to go on at the next call.

        Returns:
            The very same object as before while nothing changed.
        """
        changed = [self._refreshed(path, deadline) for path in self._paths]
        changed += [self._containers.changed(), self._is_partial]
        changed.append(
            self._detector.changed()
            if self._detector.is_complete
            else self._detector.look_at_lookalikes(deadline)
        )
        if self._scan is not None and not any(changed) and not self._broken:
            return self._scan
        self._is_partial = True
        if not all(path.is_complete for path in self._paths):
            return self._partial()
        self._detector.start(deadline)
        seen: set[tuple[int, int]] = set()
        try:
            found = [run for path in self._paths for run in self._found(path, seen)]
        except OutOfTime:
            return self._partial()
        self._is_partial = False
        notes = [note for path in self._paths for note in path.notes]
        notes += self._broken.values()
        unknown = [name for path in self._paths for name in path.unrecognised]
        scan = Scan(
            runs=tuple(_named(found)),
            notes=(*notes, *self._detector.notes, *self._containers.notes, *plugin_notes()),
            seen_files=sum(path.seen for path in self._paths),
            unrecognised=tuple(dict.fromkeys(unknown))[:EXAMPLES],
            is_complete=self._detector.is_complete,
        )
        if scan != self._scan:
            self._scan = scan
        # Who can wait is given all at once.
        return self._scan if scan.is_complete or deadline < math.inf else self.scan()

    def _partial(self) -> Scan:
        """What was found before, and how far the search is."""
        seen = sum(path.seen_so_far for path in self._paths)
        return replace(self._scan or Scan(), seen_files=seen, is_complete=False)

    def _refreshed(self, path: SearchPath, deadline: float) -> bool:
        try:
            return path.refresh(deadline)
        except BaseException as error:
            self._broken[path] = f"{path.given}: {internal_error(error)}; new files are not found"
            return True

    def _found(self, path: SearchPath, seen: set[tuple[int, int]]) -> list[FoundRun]:
        """The runs below a path; those it had before where they cannot be found out any more."""
        try:
            self._runs[path] = list(path.runs(self._detector, self._containers, seen))
        except OutOfTime:
            raise
        except BaseException as error:
            self._broken[path] = f"{path.given}: {internal_error(error)}; new files are not found"
        else:
            self._broken.pop(path, None)
        return self._runs.get(path, [])


def _own_format(patterns: Mapping[str, str]) -> Format:
    # Few users have patterns: the others do not wait for this import.
    from lossmon.readers.text import own_format
    from lossmon.readers.text.user_patterns import Pattern

    return own_format(Pattern(patterns))


def _named(runs: Sequence[FoundRun]) -> Iterator[FoundRun]:
    called = names([_own_path(run) for run in runs], [run.name for run in runs])
    for run, name in zip(runs, called, strict=True):
        yield replace(run, name=name, files=ordered(run.files))


def _own_path(run: FoundRun) -> Path:
    """Where the run lies; of one run among several in a file that is the file."""
    if not run.name:
        return run.path
    # Files may be absolute where the user gave a relative path.
    places = (run.path, run.path.resolve())
    within = any(file.path.is_relative_to(place) for file in run.files for place in places)
    return run.path if within else run.path.parent


def names(paths: Sequence[Path], given: Sequence[str] | None = None) -> list[str]:
    """Name each run after the end of its path: as much of it as tells it from the others.

    Args:
        given: What the framework calls each, or nothing; where it is not enough, the end of the
            path stands before it.
    """
    parts = [
        (*_telling_parts(path), name) if name else _telling_parts(path)
        for path, name in zip(paths, given or [""] * len(paths), strict=True)
    ]
    numbered = directories().numbered
    lengths = [2 if numbered.match(own[-1]) else 1 for own in parts]
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
