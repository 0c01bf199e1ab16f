"""Grouping of files into runs, as users think of runs."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.discovery.found import FoundFile, only_text, scoped, without_repeats
from lossmon.readers.format import Rank
from lossmon.readers.registry import directories
from lossmon.readers.run_directories import RunDirectory, TellingNames
from lossmon.readers.tags.spellings import EVAL_WORDS, TRAIN_WORDS

FilesByRun = dict[str, list[FoundFile]]
"""Path of a run's own directory or file → its files."""

_Stem = tuple[str, str]
"""Directory, and file name without what tells the stream, the rank or the format only."""

_LATEST = "latest-run"
"""W&B's link to its newest run."""

_COMMON_STEMS = lazy_pattern(
    r"^(?:|(?:running|trainer|training|train|main|launcher?|full|all|job|my|run|app|process|"
    r"eval|valid|val|test|debug|info|error|errors|warn|warnings|console|output|out|err|log|logs|"
    r"logging|nohup|stdout|stderr|std|history|metrics?|results?|progress|scalars?|loss|losses|"
    r"rank|local|node|worker|gpu|cuda|device|host|proc|learn|[-_. ]|\d{1,2})*)$",
    re.IGNORECASE,
)
"""File names that do not tell one run from another."""

_ENDINGS = lazy_pattern(
    r"(?:\.(?:log|out|err|txt|stdout|stderr|output|csv|tsv|jsonl?|ndjson|\d+))+$"
)
_SPLIT_IN_STEM = lazy_pattern(
    r"(?:^|[-_.])(?:train|training|val|valid|validation|eval|test|dev|rank\d+)(?=[-_.]|$)",
    re.IGNORECASE,
)


def grouped(files: Sequence[FoundFile], root: str, marks: TellingNames) -> FilesByRun:
    """Put files together that belong to one run.

    Args:
        files: Every recognised file below `root`.
        root: Directory that the user gave.
        marks: Gives the telling names in a directory, see `RunDirectories.telling`.

    Returns:
        The runs by path, ascending.
    """
    runs: FilesByRun = {}
    for file, place in _located(files, root, marks):
        placed = replace(file, scope=place.scope) if place.scope else file
        runs.setdefault(place.path, []).append(placed)
    _drop_copies(runs)
    _join_splits(runs, root)
    _join_numbered(runs, root)
    _join_same_id(runs)
    _join_nested(runs)
    paths = sorted(runs)
    parts: FilesByRun = {}
    for path in paths:
        for own, members in _split_up(path, without_repeats(runs[path]), _below(paths, path) > 0):
            if members:
                parts[own] = [scoped(file, members) for file in members]
    return dict(sorted(parts.items()))


def _below(paths: list[str], path: str) -> int:
    """How many of the sorted paths lie below one."""
    return bisect_left(paths, _inside(path)[:-1] + _AFTER_SEPARATOR) - _first_below(paths, path)


def _first_below(paths: list[str], path: str) -> int:
    """Index of the first of the sorted paths that lies below one."""
    index = bisect_left(paths, _inside(path))
    # The root of the file system ends with what separates it from what it holds.
    return index + (index < len(paths) and paths[index] == path)


def _inside(path: str) -> str:
    return path.rstrip(os.sep) + os.sep


_AFTER_SEPARATOR = chr(ord(os.sep) + 1)


def _located(
    files: Sequence[FoundFile], root: str, marks: TellingNames
) -> Iterator[tuple[FoundFile, RunDirectory]]:
    """Give each file its run directory; files nested below others of their writer share theirs."""
    locate = directories().locate
    writers: dict[str, set[str]] = defaultdict(set)
    for file in files:
        if file.origin.writer:
            writers[os.path.dirname(file.path)].add(file.origin.writer)
    for file in files:
        directory, name = os.path.split(file.path)
        above, own = os.path.split(directory)
        origin = file.origin
        if origin.nests and directory != root and origin.writer in writers.get(above, ()):
            if not origin.copy:
                place = locate(os.path.join(above, name), root, marks)
                yield file, replace(place, scope=origin.sub or own.rsplit("_", 1)[-1])
        else:
            yield file, locate(str(file.path), root, marks)


def _sources(files: Sequence[FoundFile]) -> frozenset[str]:
    """Sources of files, text logs apart."""
    return frozenset(file.format.source for file in files if file.format.rank < Rank.TEXT)


def _drop_copies(runs: FilesByRun) -> None:
    """Leave out logs of a `latest-run` that is no link to a run beside it but a copy of it.

    Where links cannot be kept, as in archives, W&B's becomes a directory.
    """
    for path in [path for path in runs if os.path.basename(path) == _LATEST]:
        above = os.path.dirname(path)
        beside = [other for other in runs if other != path and os.path.dirname(other) == above]
        originals = {_inner(file, other) for other in beside for file in runs[other]}
        if only_text(runs[path]) and all(_inner(file, path) in originals for file in runs[path]):
            del runs[path]


def _inner(file: FoundFile, run: str) -> tuple[str, int]:
    """Path of a file below its run, and its size in bytes."""
    try:
        size = os.path.getsize(file.path)
    except OSError:
        size = -1
    return os.path.relpath(file.path, run), size


def _join_splits(runs: FilesByRun, root: str) -> None:
    """Join `train` and `valid` beside each other where a script writes a table into each."""
    held_out: dict[str, list[str]] = defaultdict(list)
    for path in runs:
        above, own = os.path.split(path)
        if own.lower() in EVAL_WORDS:
            held_out[above].append(path)
    for path in [path for path in runs if os.path.basename(path).lower() in TRAIN_WORDS]:
        above = os.path.dirname(path)
        names = {file.path.name for file in runs[path]}
        if path == root or above in runs or not all(f.format.user_named for f in runs[path]):
            continue
        beside = [p for p in held_out[above] if {file.path.name for file in runs[p]} == names]
        for other in beside:
            scope = os.path.basename(other).lower()
            runs[path] += [replace(file, scope=file.scope or scope) for file in runs.pop(other)]
        if beside:
            runs[above] = runs.pop(path)


def _join_numbered(runs: FilesByRun, root: str) -> None:
    """Join the directories of one number that several loggers keep beside each other."""
    numbered = directories().numbered
    kept: dict[tuple[str, str], str] = {}
    for path in sorted(runs):
        logger, number = os.path.split(path)
        if path == root or logger == root or numbered.match(number) is None:
            continue
        key = (os.path.dirname(logger), number)
        first = kept.setdefault(key, path)
        if first == path:
            continue
        if _sources(runs[first]) & _sources(runs[path]):
            kept[key] = path
        else:
            runs[first] += runs.pop(path)


def _join_same_id(runs: FilesByRun) -> None:
    """Join directories beside each other whose files have one run id: a copy, or a resumed run."""
    newest: dict[tuple[str, str, str], str] = {}
    for path in sorted(runs, key=lambda path: max(file.origin.begun for file in runs[path])):
        ids = {(file.format.source, file.origin.run) for file in runs[path] if file.origin.run}
        for key in ((os.path.dirname(path), *own) for own in ids):
            earlier = newest.get(key)
            if earlier is not None and earlier != path:
                runs[path] += runs.pop(earlier)
            newest[key] = path


def _join_nested(runs: FilesByRun) -> None:
    """Join a log with the single run below it, and so the only other logger of that run.

    Of the logs of several jobs at most one is of that run; its losses will show which.
    """
    paths = sorted(runs)
    for path in reversed(paths.copy()):
        if _below(paths, path) != 1:
            continue
        inner = paths[_first_below(paths, path)]
        outer, nested = runs[path], runs[inner]
        if only_text(outer) and _other_jobs(_by_stem(outer), beside=False):
            continue
        if only_text(outer) or only_text(nested) or not _sources(outer) & _sources(nested):
            outer += runs.pop(inner)
            paths.remove(inner)


def _split_up(
    path: str, files: list[FoundFile], beside: bool
) -> Iterator[tuple[str, list[FoundFile]]]:
    """Split files that merely lie side by side, such as the logs of many jobs.

    Args:
        files: The files of the directory and its parts.
        beside: There are runs in directories below it.
    """
    stems = _by_stem(files)
    # A database of many runs belongs to none of the logs.
    alone = only_text(file for file in files if file.format.container is None)
    apart = _rivals(stems) | (_other_jobs(stems, beside) if alone else set())
    if apart:
        moved = {str(file.path) for stem in apart for file in stems[stem]}
        files = [file for file in files if str(file.path) not in moved]
    if files and only_text(files) and (apart or beside):
        path = _main_file(files)
    yield path, files
    for stem in sorted(apart):
        yield _main_file(stems[stem]), stems[stem]


def _by_stem(files: Iterable[FoundFile]) -> dict[_Stem, list[FoundFile]]:
    """The files whose names their users chose, by stem."""
    stems: dict[_Stem, list[FoundFile]] = defaultdict(list)
    for file in files:
        if file.format.rank >= Rank.TEXT or file.format.user_named:
            stems[_stem(str(file.path))].append(file)
    return stems


def _main_file(files: Sequence[FoundFile]) -> str:
    """The file that names a run without a directory: not its errors if there is another."""
    paths = (str(file.path) for file in files)
    return min(paths, key=lambda path: (path.endswith(".err"), path))


def _rivals(stems: Mapping[_Stem, Sequence[FoundFile]]) -> set[_Stem]:
    """Stems of tables and JSON lines that hold one run each if several are in one directory."""
    counts: Counter[tuple[str, str]] = Counter()
    for (directory, _), files in stems.items():
        if not _SPLIT_IN_STEM.search(files[0].path.name):
            rivals = {file.format.source for file in files if file.has_loss}
            counts.update((directory, source) for source in rivals)
    crowded = {directory for (directory, _), count in counts.items() if count > 1}
    return {
        stem
        for stem, files in stems.items()
        if stem[0] in crowded and any(file.format.user_named for file in files)
    }


def _other_jobs(stems: Collection[_Stem], beside: bool) -> set[_Stem]:
    """Stems of text logs that name different jobs, in a directory that holds nothing else."""
    named = {key for key in stems if not _COMMON_STEMS.match(key[1])}
    common = set(stems) - named
    extended = any(
        stem.startswith(f"{base}_")
        for directory, stem in named
        for where, base in common
        if base and where == directory
    )
    crowded = any(count > 1 for count in Counter(directory for directory, _ in named).values())
    return named if crowded or (named and (beside or extended)) else set()


def _stem(path: str) -> _Stem:
    directory, name = os.path.split(path)
    stem = _ENDINGS.sub("", name.lower())
    stem = re.sub(r"[-_.]?(?:stdout|stderr)$|[-_.]?(?:rank|local_rank)[-_]?\d+", "", stem)
    return directory, stem
