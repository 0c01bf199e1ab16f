"""Run directories: which directory of a tree a file's run lives in.

Frameworks spread what one run writes over directories: logs, checkpoints, splits, ranks. The words
below are anybody's; what a single framework does is in the `DirectoryRules` of its formats.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.format import DirectoryRules, Location, words

PARTS = words(
    "logs log logging metrics csv csv_logs plots console stdout stderr checkpoints checkpoint ckpt "
    "ckpts weights files text_logs train_logs training_logs history"
)
"""Directories that hold a part of what their parent's run writes, by their lower-cased names."""

SPLITS = words("train training validation valid val eval evaluation test learn dev")
"""Directories that hold one split of a run."""

CHECKPOINT = lazy_pattern(r"^(?:checkpoint|ckpt|global_step|step|iter)[-_]?\d+$")
"""Directories of checkpoints."""

_RANK = lazy_pattern(
    r"^(?:rank|local_rank|node|worker|host|proc)[-_]?(\d+)(?:[-_].*)?$", re.IGNORECASE
)
_RANK_IN_FILE = re.compile(
    r"(?:^|[._-])(?:rank|local_rank|proc)[-_]?(\d+)(?=[._-]|$)", re.IGNORECASE
)
_NEVER = lazy_pattern(r"(?!)")

TellingNames = Callable[[str], tuple[str, ...]]
"""Gives the telling names in a directory, see `RunDirectories.telling`."""


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """Where a file belongs.

    Attributes:
        path: Directory of its run.
        scope: Sub-run inside it (`validation`, `rank1`), or empty.
    """

    path: str
    scope: str = ""


class RunDirectories:
    """Finds the directory of the run that a file belongs to, by the rules of all formats.

    Attributes:
        run: Pattern of directories that are one run each.
        numbered: Pattern of such directories that several loggers number alike.
        telling: Pattern of names that tell what sort of directory they stand in.
        run_files: Names of files that make their directory a run.
        hidden: Names of hidden directories that are searched.
    """

    def __init__(self, rules: Iterable[DirectoryRules]) -> None:
        rules = list(rules)
        self.run = _any(one.run for one in rules)
        self.numbered = _any(one.numbered for one in rules)
        self.run_files = frozenset(one.run_file for one in rules if one.run_file)
        self.hidden = frozenset().union(*(one.hidden for one in rules))
        self._own_files = frozenset().union(*(one.own_files for one in rules))
        exact = "|".join(map(re.escape, sorted(self.run_files | self._own_files)))
        self.telling = _any((*(one.telling for one in rules), f"(?:{exact})$" if exact else ""))
        self._parts = PARTS.union(*(one.parts for one in rules))
        self._part_of = [one.part_of for one in rules if one.part_of is not None]
        self._trees = [one.metric_tree for one in rules if one.metric_tree]
        self._run_trees = {one.metric_tree[0] for one in rules if one.run_file and one.metric_tree}

    def locate(self, path: str, root: str, marks: TellingNames) -> RunDirectory:
        """Find the run directory of a file.

        Args:
            root: Directory that the user gave: never left upwards.
            marks: Gives the telling names in a directory.
        """
        directory, name = os.path.split(path)
        scope = _rank(_RANK_IN_FILE.search(name))
        if found := self._marked(directory, root, marks):
            return RunDirectory(found, scope)
        while directory != root:
            above, _, own = directory.rpartition("/")
            inherited = self._scope(Location(own, above, name, marks), directory)
            if inherited is None:
                break
            scope = scope or inherited
            directory = above or "/"
        return RunDirectory(directory, scope)

    def _marked(self, directory: str, root: str, marks: TellingNames) -> str:
        """The directory around a file that is a run by its name or contents, or empty."""
        inner = os.path.relpath(directory, root).split(os.sep)[0]
        while directory != root:
            above, own = os.path.split(directory)
            if self.run.match(own) or self.numbered.match(own):
                return directory
            if not self.run_files.isdisjoint(marks(directory)):
                return directory
            if (outer := self._outside_tree(directory)) is not None:
                return root if outer == root else self._outside_parts(outer, root)
            directory = above
        is_run = not self.run_files.isdisjoint(marks(root))
        return root if is_run and inner in self._run_trees else ""

    def _outside_tree(self, directory: str) -> str | None:
        """The directory that a tree of metric names lies in, None if this is not its top."""
        for tree in self._trees:
            top = directory
            for name in reversed(tree):
                top, own = os.path.split(top)
                if own != name:
                    break
            else:
                if len(tree) > 1:
                    return os.path.join(top, tree[0])
        return None

    def _outside_parts(self, directory: str, root: str) -> str:
        """The nearest directory above whose name is not that of a part."""
        while directory != root and os.path.basename(directory) in self._parts:
            directory = os.path.dirname(directory)
        return directory

    def _scope(self, place: Location, directory: str) -> str | None:
        """Scope of what lies in a directory that is a part of a run, None if it is a run's own."""
        if place.own.lower() in self._parts or CHECKPOINT.match(place.own):
            return ""
        if not self._own_files.isdisjoint(place.marks(directory)):
            place = place._replace(is_own=True)
        for part_of in self._part_of:
            scope = part_of(place)
            if scope is not None:
                return scope
        rank = _RANK.match(place.own)
        return _rank(rank) if rank else None


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    """A pattern that fits where any of them does."""
    whole = "|".join(f"(?:{one})" for one in patterns if one)
    return lazy_pattern(whole) if whole else _NEVER


def _rank(match: re.Match[str] | None) -> str:
    """`rank1` for a rank of its own, empty for the one that stands for the run."""
    return f"rank{int(match[1])}" if match and int(match[1]) else ""
