"""Which files make one run, as users think of runs."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from lossmon.readers.discovery.detection import GENERIC, DetectedFile
from lossmon.readers.discovery.members import (
    TEXT_RANK,
    Group,
    Member,
    scoped,
    without_repeats,
)
from lossmon.readers.run_directories import (
    CLOCK,
    SPLITS,
    VERSION,
    RunDirectory,
    home,
    is_events,
    writer,
)

_COMMON_STEMS = re.compile(
    r"^(?:|(?:running|trainer|training|train|main|launcher?|full|all|job|my|run|app|process|"
    r"eval|valid|val|test|debug|info|error|errors|warn|warnings|console|output|out|err|log|logs|"
    r"logging|nohup|stdout|stderr|std|history|metrics?|results?|progress|scalars?|loss|losses|"
    r"rank|local|node|worker|learn|[-_. ]|\d{1,2})*)$",
    re.IGNORECASE,
)
"""File names that say nothing of which run it is."""

_ENDINGS = re.compile(r"(?:\.(?:log|out|err|txt|stdout|stderr|output|csv|tsv|jsonl?|ndjson|\d+))+$")
_SPLIT_IN_STEM = re.compile(
    r"(?:^|[-_.])(?:train|training|val|valid|validation|eval|test|dev|rank\d+)(?=[-_.]|$)",
    re.IGNORECASE,
)


def grouped(
    claims: Iterable[DetectedFile], root: str, marks: Callable[[str], tuple[str, ...]]
) -> list[Group]:
    """Put files together that belong to one run.

    Args:
        claims: Every recognised file below `root`.
        root: Directory that the user gave.
        marks: Telling names in a directory, see `homes.TRAINER_MARKS`.
    """
    homes: dict[str, Group] = {}
    for claim, place in _placed(list(claims), root, marks):
        homes.setdefault(place.path, Group(place.path)).members.append(Member(claim, place.scope))
    _join_versions(homes, root)
    _join_nested(homes)
    for group in homes.values():
        group.members = without_repeats(group.members)
    paths = sorted(homes)
    groups = [part for path in paths for part in _parted(homes[path], _below(paths, path) > 0)]
    for group in groups:
        group.members = [scoped(member, group.members) for member in group.members]
    return sorted((group for group in groups if group.members), key=lambda group: group.path)


def _below(paths: list[str], path: str) -> int:
    """How many of the sorted paths lie below one."""
    return bisect_left(paths, _inside(path)[:-1] + _AFTER_SEPARATOR) - _first_below(paths, path)


def _first_below(paths: list[str], path: str) -> int:
    """Place of the first of the sorted paths that lies below one."""
    place = bisect_left(paths, _inside(path))
    # The root of the file system begins with what stands between it and what it holds.
    return place + (place < len(paths) and paths[place] == path)


def _inside(path: str) -> str:
    return path.rstrip(os.sep) + os.sep


_AFTER_SEPARATOR = chr(ord(os.sep) + 1)


def _placed(
    claims: list[DetectedFile], root: str, marks: Callable[[str], tuple[str, ...]]
) -> Iterator[tuple[DetectedFile, RunDirectory]]:
    """Give each file its home; the event files of one writer below its own go to that one."""
    writers: dict[str, set[str]] = defaultdict(set)
    for claim in claims:
        directory, name = os.path.split(claim.path)
        if is_events(name):
            writers[directory].add(writer(name))
    for claim in claims:
        directory, name = os.path.split(claim.path)
        above, own = os.path.split(directory)
        nested = directory != root and is_events(name) and writer(name)
        if nested and writer(name) in writers.get(above, ()) and own.lower() not in SPLITS:
            if CLOCK.match(own):
                continue
            place = home(os.path.join(above, name), root, marks)
            yield claim, RunDirectory(place.path, claim.sub or own.rsplit("_", 1)[-1])
        else:
            yield claim, home(claim.path, root, marks)


def _join_versions(homes: dict[str, Group], root: str) -> None:
    """Lightning's loggers each keep a `version_N`: those of one number are one run."""
    kept: dict[tuple[str, str], Group] = {}
    for path in sorted(homes):
        logger, version = os.path.split(path)
        if path == root or VERSION.match(version) is None or logger == root:
            continue
        first = kept.setdefault((os.path.dirname(logger), version), homes[path])
        if first is homes[path]:
            continue
        if first.sources & homes[path].sources:
            kept[os.path.dirname(logger), version] = homes[path]
            continue
        first.members += homes.pop(path).members


def _join_nested(homes: dict[str, Group]) -> None:
    """A log beside a single run below it is that run's; so is its only other logger."""
    paths = sorted(homes)
    for path in reversed(paths.copy()):
        if _below(paths, path) != 1:
            continue
        inner = paths[_first_below(paths, path)]
        outer, nested = homes[path], homes[inner]
        if outer.only_text or nested.only_text or not outer.sources & nested.sources:
            outer.members += homes.pop(inner).members
            paths.remove(inner)


def _parted(group: Group, beside: bool) -> list[Group]:
    """Split files that merely lie side by side, such as the logs of many jobs.

    Args:
        group: The files of one directory and its parts.
        beside: There are runs in directories below it.
    """
    stems: dict[tuple[str, str], list[Member]] = defaultdict(list)
    for member in group.members:
        if member.claim.format.rank >= TEXT_RANK or member.claim.format.source in GENERIC:
            stems[_stem(member.claim.path)].append(member)
    loose = _rivals(stems) | (_strangers(stems, beside) if group.only_text else set())
    parts = []
    for stem in sorted(loose):
        members = stems[stem]
        group.members = [member for member in group.members if member not in members]
        parts.append(Group(_face(members), members))
    if group.members and group.only_text and (parts or beside):
        group.path = _face(group.members)
    return [group, *parts]


def _face(members: list[Member]) -> str:
    """The file that a run without a directory is called after: not its errors if it can be."""
    return min((member.claim.path for member in members), key=lambda p: (p.endswith(".err"), p))


def _rivals(stems: Mapping[tuple[str, str], list[Member]]) -> set[tuple[str, str]]:
    """Stems of tables and JSON lines of which several in one directory hold a run each."""
    counts: Counter[tuple[str, str]] = Counter()
    for (directory, _), members in stems.items():
        if not _SPLIT_IN_STEM.search(os.path.basename(members[0].claim.path)):
            rivals = {member.claim.format.source for member in members if member.claim.has_loss}
            counts.update((directory, source) for source in rivals)
    crowded = {directory for (directory, _), count in counts.items() if count > 1}
    return {
        (directory, stem)
        for (directory, stem), members in stems.items()
        if directory in crowded and any(member.claim.format.source in GENERIC for member in members)
    }


def _strangers(stems: Mapping[tuple[str, str], list[Member]], beside: bool) -> set[tuple[str, str]]:
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


def _stem(path: str) -> tuple[str, str]:
    """Directory and file name without what only tells the stream, the rank or the format."""
    directory, name = os.path.split(path)
    stem = _ENDINGS.sub("", name.lower())
    stem = re.sub(r"[-_.]?(?:stdout|stderr)$|[-_.]?(?:rank|local_rank)[-_]?\d+", "", stem)
    return directory, stem
