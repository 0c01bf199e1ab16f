"""`lossmon explain`: which reader took each file and why, and what came out of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from itertools import chain
from pathlib import Path
from typing import TextIO

from lossmon.config import Config
from lossmon.errors import ConfigError
from lossmon.monitor.tag_overrides import TagOverrides
from lossmon.readers.discovery.discovery import Discovery
from lossmon.readers.discovery.found import FoundFile, FoundRun
from lossmon.readers.files.head import read_head
from lossmon.readers.format import Format
from lossmon.readers.registry import detect_named, formats, is_claimed, is_interesting
from lossmon.readers.text.user_patterns import Pattern
from lossmon.reports.explain_log import explain_log, explain_one_line
from lossmon.reports.file_summary import FileSummary, summarise
from lossmon.reports.plain import printable
from lossmon.types import MetricNames

MOST_TAGS = 40
"""Series listed of one file: a screen or two."""

MOST_UNREAD = 20
"""Files listed that no reader takes although their names are those of logs."""

MOST_WALKED = 20_000
"""Files looked at below one path: a home directory given by mistake must not hang us."""


def explain(paths: Sequence[Path], config: Config, out: TextIO, line: int | None) -> bool:
    """Print what is read from each file, and why.

    Args:
        paths: Directories and files; with `line`, files.
        config: Settings; its patterns and names hold.
        out: Where to print.
        line: Number of one line to explain in detail, from 1.

    Returns:
        Whether any file is read.

    Raises:
        ConfigError: A pattern is wrong, or there is no such line.
    """
    pattern = Pattern(config.patterns) if config.patterns else None
    read = False
    for path in paths:
        discovery = Discovery([path], config.patterns)
        runs = discovery.scan().runs
        read = read or bool(runs)
        if line is not None:
            told = _line(path, runs, config, pattern, line)
        else:
            notes = (f"note: {note}" for note in discovery.scan().notes)
            told = chain(_runs(path, runs, config, pattern), _unread(path, runs), notes)
        for one in told:
            print(printable(one), file=out, flush=True)
    return read


def _line(
    path: Path, runs: Sequence[FoundRun], config: Config, pattern: Pattern | None, number: int
) -> Iterator[str]:
    if path.is_dir():
        raise ConfigError(f"--line {number}: {path} is a directory; name the log itself")
    if not runs:
        yield from _unread(path, runs)
        return
    file = runs[0].files[0]
    if b"\0" in (read_head(file.path.resolve()) or b"")[:64] and file.format.source != "text":
        raise ConfigError(f"--line {number}: {path} has no lines; it is read as {_title(file)}")
    yield f"{path}   {file.format.source}: {file.format.title}"
    yield from explain_one_line(file, number, _known([file], config.metrics), pattern)


def _known(files: Sequence[FoundFile], names: MetricNames) -> MetricNames:
    """What the user says of names, as far as the files log them."""
    known = TagOverrides(names)
    for file in files if names else ():
        tags = [one.tag for one in summarise(file, {}).series]
        known.add([*tags, *(f"{file.scope}/{tag}" for tag in tags)])
    return known.known


def _runs(
    path: Path, runs: Sequence[FoundRun], config: Config, pattern: Pattern | None
) -> Iterator[str]:
    for run in runs:
        yield f"run {run.name}   {run.path}"
        names = _known(run.files, config.metrics)
        for file in run.files:
            yield f"  {_relative(file.path, path)}"
            yield f"    {file.format.source}: {file.format.title}; {_why(file)}"
            told = summarise(file, names)
            yield from _told(told)
            if file.format.source == "text":
                source = told.source or "text"
                yield from explain_log(file.path, source, names, pattern)
        if run.checkpoints:
            listed = ", ".join(name for _, name in run.checkpoints[:5])
            more = f" and {len(run.checkpoints) - 5} more" if len(run.checkpoints) > 5 else ""
            yield f"  checkpoints: {listed}{more}"


def _told(told: FileSummary) -> Iterator[str]:
    if told.source:
        yield f"    it speaks as {told.source}"
    for one in told.series[:MOST_TAGS]:
        yield f"    {one}"
    if len(told.series) > MOST_TAGS:
        yield f"    and {len(told.series) - MOST_TAGS} more series"
    if not told.series:
        yield "    no metrics in it"
    yield from (f"    note: {note}" for note in told.notes)
    if told.error:
        yield f"    error: {told.error}"


def _why(file: FoundFile) -> str:
    """Why this reader took the file, and who else looked at it."""
    name = file.path.name.lower()
    fitting = [one for one in file.format.names if fnmatch(name, one)]
    why = f"the name fits {fitting[0]}" if fitting else "you named it"
    why += " and its beginning agrees"
    head = read_head(file.path) if file.format.source != "text" else None
    refused = _refusing(file.path, head, file.format) if head else []
    if refused:
        why += f"; not {', '.join(refused)}: its beginning is another"
    return why + (f"; scope {file.scope}" if file.scope else "")


def _refusing(path: Path, head: bytes, taker: Format | None) -> list[str]:
    """Formats that a file of this name could have, before the one that took it."""
    refused: list[str] = []
    for one in formats():
        if taker is not None and (one.source, one.title) == (taker.source, taker.title):
            break
        if "*" not in one.names and one.fits(path) and not is_claimed(one, path, head):
            refused.append(one.title)
    return list(dict.fromkeys(refused))


def _unread(path: Path, runs: Sequence[FoundRun]) -> Iterator[str]:
    """Say of every other file why it is not read."""
    read = {os.path.realpath(file.path) for run in runs for file in run.files}
    listed = 0
    others: Counter[str] = Counter()
    for file in _below(path):
        if os.path.realpath(file) in read:
            continue
        reason = _why_not(file, alone=file == path)
        if reason is None:
            others[file.suffix or file.name] += 1
        elif listed < MOST_UNREAD:
            if not listed:
                yield "not read"
            listed += 1
            yield f"  {_relative(file, path)}: {reason}"
    if others:
        kinds = ", ".join(f"{count} {kind}" for kind, count in others.most_common(8))
        yield f"not read, for no log has such a name: {kinds}"


def _below(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    count = 0
    for directory, inner, names in os.walk(path):
        inner.sort()
        for name in sorted(names):
            count += 1
            if count > MOST_WALKED:
                return
            yield Path(directory, name)


def _why_not(path: Path, *, alone: bool) -> str | None:
    """Why a file is not read; None where already its name says that it is no log."""
    if not alone and not is_interesting(str(path.parent), path.name):
        return None
    if path.is_symlink() and not alone:
        return "a link; name it to have it read"
    if not path.is_file():
        return "neither a file nor a directory"
    head = read_head(path.resolve())
    if head is None:
        return "cannot be read"
    if not head:
        return "empty so far"
    taken = detect_named(path, head)
    if taken is not None:
        return f"{taken.title}, left out: it repeats another file, or its first line is unfinished"
    refused = _refusing(path, head, None)
    if not refused:
        return "nothing in its beginning is of a format that is known"
    return f"could be {'; '.join(refused)} by its name, but its beginning is none of these"


def _relative(path: Path, root: Path) -> str:
    return os.path.relpath(path, root) if root.is_dir() else str(path)


def _title(file: FoundFile) -> str:
    return f"{file.format.source} ({file.format.title})"
