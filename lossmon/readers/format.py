"""Formats: how a file is recognised and read, and what its framework's names mean.

A format is one row, a `Format`. A family of formats is a package with a tuple `FORMATS`; importing
it must be cheap, so that its code for detecting and reading files is named by `lazy` and imported
when a file asks for it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import field
from enum import IntEnum
from fnmatch import translate
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from zlib import crc32

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.types import MediaContent, MediaRecord, MediaSeries, Reader

HEAD = 4096
"""Bytes of a file that `Format.claims` may look at: one disk block, enough for any header."""


class Rank(IntEnum):
    """How much a source is worth when several hold the same quantity; the lowest wins."""

    EVENTS = 10
    """Full precision, explicit steps and wall times, written at once."""
    LIVE = 20
    """Full precision and explicit steps, written at once."""
    UNNAMED = 25
    """The same, but the names of the metrics are in another file."""
    BLOCKS = 30
    """Full precision and explicit steps, written in blocks and so minutes late."""
    SETTINGS = 35
    """Better than what a text log says about the settings, and no points."""
    CHECKPOINTS = 40
    """Full precision and explicit steps, written at checkpoints only."""
    ROUNDED = 50
    """Often rounded, often by epoch, or written now and then as a whole."""
    TEXT = 90
    """Text logs: they accompany a run rather than being one."""
    RESULTS = 95
    """One number at the end of the run, which counts only if no curve was logged."""


def lazy(reference: str) -> Callable[..., Any]:
    """Return a function that imports what it stands for when it is first called.

    Args:
        reference: `package.module:name`, as entry points spell it.
    """
    module, _, name = reference.partition(":")

    @cache
    def target() -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(import_module(module), name)
        return found

    def call(*arguments: Any) -> Any:
        return target()(*arguments)

    call.__qualname__ = reference
    return call


def words(text: str) -> frozenset[str]:
    """Return the words of a text as a set: shorter to write than each in quotes."""
    return frozenset(text.split())


class Origin(NamedTuple):
    """What the name and the first bytes of a file say about how it came to be.

    Attributes:
        begun: Seconds since the Unix epoch at which it was begun, 0 if unknown: orders the files
            of one source.
        writer: Process that wrote it, the same for all of its files; empty if unknown.
        nests: It belongs to the run of its writer's files in the directory above, if there are
            any, as a sub-run.
        sub: Name of that sub-run; empty for the last word of the directory's name.
        copy: As such it repeats what the files above hold.
        run: Id that its framework gave the run: files of one id in directories beside each other
            belong to one run.
        history: First record of the history that it holds: files of one history repeat each other.
    """

    begun: int = 0
    writer: str = ""
    nests: bool = False
    sub: str = ""
    copy: bool = False
    run: str = ""
    history: str = ""


class Location(NamedTuple):
    """A directory above a file, for `DirectoryRules.part_of`.

    Attributes:
        own: Name of the directory.
        above: Path of its parent.
        file: Name of the file.
        marks: Gives the telling names in a directory, see `DirectoryRules.telling`.
        is_own: Its contents say that it is a run of its own, see `DirectoryRules.own_files`.
    """

    own: str
    above: str
    file: str
    marks: Callable[[str], tuple[str, ...]]
    is_own: bool = False

    @property
    def inside(self) -> tuple[str, ...]:
        """The telling names in the directory."""
        return self.marks(f"{self.above}/{self.own}")

    @property
    def beside(self) -> tuple[str, ...]:
        """The telling names in its parent."""
        return self.marks(self.above)


@dataclass(frozen=True, slots=True, eq=False)
class DirectoryRules:
    """Which directories a framework makes, and which of them is a run's own.

    Names are compared in lower case unless they are patterns; patterns are regular expressions
    that fit from the beginning of a name.

    Attributes:
        parts: Names of directories that hold a part of what their parent's run writes.
        hidden: Those of them that hide, and are searched all the same.
        run: Pattern of directories; each is one run, whatever it holds.
        numbered: Pattern of such directories that several loggers number alike: those of one
            number beside each other are one run.
        run_file: Name of a file that makes its directory a run.
        own_files: Names of files that make their directory a run rather than a part of one,
            although its name is that of a part.
        metric_tree: Names of nested directories below which the names of directories are parts of
            the names of metrics.
        telling: Pattern of names worth knowing about a directory; `part_of` gets to see them.
        part_of: Scope that a directory gives to what lies in it if it is a part of the run
            above, usually empty; None if it is not such a part.
    """

    parts: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    run: str = ""
    numbered: str = ""
    run_file: str = ""
    own_files: frozenset[str] = frozenset()
    metric_tree: tuple[str, ...] = ()
    telling: str = ""
    part_of: Callable[[Location], str | None] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """What is special about the tags of a source.

    Attributes:
        aliases: Its own spellings by a spelling of `lossmon.readers.tags.spellings`, both in
            lower case with the words joined by `_`.
        closing_record: It may hold the record that ends a training, in which `train_loss` and the
            speeds are means of the whole run.
        closing_loss: There `train_loss` is that mean even without a prefix.
        boosting: What it measures is what boosted trees minimise.
        bare_splits: A split as the whole name stands for the objective, or for a score.
    """

    aliases: Mapping[str, str] = field(default_factory=dict)
    closing_record: bool = True
    closing_loss: bool = False
    boosting: bool = False
    bare_splits: bool = False


PLAIN = Dialect(closing_record=False)
"""Tags as a script names them."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file, how to recognise it and how to read it.

    Attributes:
        source: Name of the family as the header prints it: `tensorboard`.
        title: The same for people: `TensorBoard event files`.
        names: Patterns on the lower-cased file name; a file that fits none is not opened.
        claims: Whether a file is of this format, given its path and its first `HEAD` bytes.
            Called only after `names` fitted; an empty head means the file is empty so far.
        open: Makes a reader that starts at the beginning of the file.
        rank: Preference of its values when several sources hold the same quantity; lower is
            better. Full precision with explicit steps ranks before rounded text.
        marker: Bytes that the head of every such file contains; without them `claims` is not
            called.
        container: Opens the file as one that may hold several runs, None where it holds one; then
            `open` gives the run that stands for the file.
        studies: Its runs are studies of hyperparameters and their trials.
        general: It takes nearly anything of its names, so all others are asked before it.
        user_named: Users name such files themselves: the name tells little about the run.
        write_ahead: The file is a database whose newest rows may stand in a log beside it.
        lies: Whether a path is one at which only this format keeps files, for files whose names
            the user chose.
        no_metrics: Patterns of lower-cased names of files that its framework writes and that
            hold no metrics.
        repeats: Whether a file repeats another one beside it, whatever format takes it.
        superseded: Those of a run's files that repeat others of it, given all of their paths.
        origin: How a file came to be, given its path and its first bytes.
        dialect: What is special about its tags.
        directories: Which directories its framework makes.
        load_media: Decodes records of a series that its readers returned, in their order; reads
            the files again. What cannot be read is `UnreadableMedia`.
    """

    source: str
    title: str
    names: tuple[str, ...]
    claims: Callable[[Path, bytes], bool]
    open: Callable[[Path], Reader]
    rank: int
    marker: bytes = b""
    container: Callable[[Path], RunContainer] | None = None
    studies: bool = False
    general: bool = False
    user_named: bool = False
    write_ahead: bool = False
    lies: Callable[[str], bool] | None = None
    no_metrics: tuple[str, ...] = ()
    repeats: Callable[[Path], bool] | None = None
    superseded: Callable[[Collection[str]], Collection[str]] | None = None
    origin: Callable[[Path, bytes], Origin] | None = None
    dialect: Dialect = Dialect()
    directories: DirectoryRules = DirectoryRules()
    load_media: Callable[[MediaSeries, Sequence[MediaRecord]], Sequence[MediaContent]] | None = None

    def fits(self, path: Path) -> bool:
        """Whether the place and the name of a file make this format possible."""
        name = path.name.lower()
        if not _patterns(self.names).match(name):
            return False
        return self.lies is None or self.lies(str(path))


@cache
def _patterns(names: tuple[str, ...]) -> NamePatterns:
    return NamePatterns(names)


MOST_RUNS = 1000
"""Runs of one file that are followed, the newest ones: a database may hold years of work."""

_LONGEST_KEY = 100
"""Characters of a key that a path may show."""

_UNFIT = lazy_pattern(r"[\\/\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True, slots=True)
class ContainedRun:
    """One run of a file that holds several.

    Attributes:
        key: Tells it from the others for as long as the file exists.
        name: What the framework calls it; may be empty, or that of another one too.
        started: Seconds since the Unix epoch, NaN if unknown.
        overview: It sums up others, as a study does its trials.
        mark: A different value whenever there is something new to read of it.
    """

    key: str
    name: str = ""
    started: float = math.nan
    overview: bool = False
    mark: Hashable = None


class RunContainer(Protocol):
    """A file that holds several runs."""

    @property
    def notes(self) -> Sequence[str]:
        """What was left out, and why."""
        ...

    def runs(self) -> Sequence[ContainedRun]:
        """Return its runs: an overview before what it sums up, otherwise the newest first.

        Looks at the file if that changed; where it cannot be read, returns what was known before.
        """
        ...

    def open(self, key: str) -> Reader:
        """Return a reader of one run, from its first point on."""
        ...


def lead(runs: Sequence[ContainedRun]) -> ContainedRun | None:
    """Return the run that stands for the file: an overview if there is one, else the newest."""
    return next((run for run in runs if run.overview), runs[0] if runs else None)


def as_file_name(key: str) -> str:
    """Return a key as the last part of a path that is shown and never opened, unlike all others."""
    name = _UNFIT.sub("-", key[:_LONGEST_KEY])
    if name == key and name.strip(". "):
        return name
    return f"{name}-{crc32(key.encode(errors='replace')):08x}"


class NamePatterns:
    """Shell patterns; a name matches if it matches any of them.

    Nearly all are a name or an ending, and compiling them would take a tenth of the time to the
    first frame; the others are compiled when the first name matches none of these.

    Args:
        patterns: Shell patterns of lower-cased names.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        whole, starts, ends, rest = set[str](), list[str](), list[str](), list[str]()
        for pattern in patterns:
            plain = pattern.strip("*")
            if not plain or any(sign in plain for sign in "*?["):
                rest.append(pattern)
            elif pattern == plain:
                whole.add(plain)
            elif pattern == f"*{plain}":
                ends.append(plain)
            elif pattern == f"{plain}*":
                starts.append(plain)
            else:
                rest.append(pattern)
        self._whole, self._starts, self._ends = frozenset(whole), tuple(starts), tuple(ends)
        self._rest = tuple(rest)

    def match(self, name: str) -> bool:
        """Whether a lower-cased name matches one of the patterns."""
        if name in self._whole or name.endswith(self._ends) or name.startswith(self._starts):
            return True
        return bool(self._rest) and self._pattern.match(name) is not None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(translate, self._rest)))
