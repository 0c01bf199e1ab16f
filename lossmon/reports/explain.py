"""`lossmon explain`: the format of each file, why it was chosen, and the series that were read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import TextIO

from lossmon.config import Config
from lossmon.errors import ConfigError, internal_error
from lossmon.locale import message, phrase, translate
from lossmon.monitor.runs.ambiguous_tags import TagOverrides
from lossmon.readers.discovery.discovery import Discovery
from lossmon.readers.discovery.found import FoundFile, FoundRun
from lossmon.readers.files.head import read_head
from lossmon.readers.format import Format
from lossmon.readers.registry import detect_named, formats, is_claimed, is_interesting
from lossmon.readers.text.user_patterns import Pattern
from lossmon.reports.explain_log import explain_log, explain_one_line
from lossmon.reports.file_summary import FileSummary, summarise
from lossmon.sanitize import cells
from lossmon.types import MetricNames

MOST_TAGS = 40
"""Most series listed per file: a screen or two."""

MOST_UNREAD = 20
"""Most files listed that are named like logs but not read."""

MOST_WALKED = 20_000
"""Most files examined per path, in case it is a home directory."""


def explain(
    paths: Sequence[Path],
    config: Config,
    out: TextIO,
    line: int | None,
    typed: Mapping[Path, str] = MappingProxyType({}),
) -> bool:
    """Print the format and the series of each file.

    Args:
        paths: Directories and files; with `line`, files.
        out: Text file to print to.
        line: Number of one line to explain in detail, from 1.
        typed: What the user wrote for paths that stand for something else.

    Returns:
        Whether any file was read.

    Raises:
        ConfigError: A pattern is invalid, or the line does not exist.
    """
    pattern = Pattern(config.patterns) if config.patterns else None
    read = False
    for path in paths:
        discovery = Discovery([path], config.patterns)
        runs = discovery.scan().runs
        read = read or bool(runs)
        name = typed.get(path, str(path))
        if line is not None:
            lines = _line(path, runs, config, pattern, line, name)
        else:
            notes = _notes(discovery.scan().notes, config.lang)
            unread = _unread(path, runs, config.lang, name)
            lines = chain(_runs(path, runs, config, pattern, name), unread, notes)
        for one in lines:
            print(cells(one), file=out, flush=True)
    return read


def _line(
    path: Path,
    runs: Sequence[FoundRun],
    config: Config,
    pattern: Pattern | None,
    number: int,
    name: str,
) -> Iterator[str]:
    if path.is_dir():
        raise ConfigError(f"--line {number}: {path} is a directory, not a log")
    if not runs:
        yield from _unread(path, runs, config.lang, name)
        return
    file = runs[0].files[0]
    if b"\0" in (read_head(file.path.resolve()) or b"")[:64] and file.format.source != "text":
        raise ConfigError(f"--line {number}: {name} has no lines; its format is {_title(file)}")
    yield f"{name}   {file.format.source}: {file.format.title}"
    names = _known([file], config.metrics)
    yield from explain_one_line(file, number, names, pattern, config.lang, name)


def _known(files: Sequence[FoundFile], names: MetricNames) -> MetricNames:
    """The user's names of metrics that the files log."""
    known = TagOverrides(names)
    for file in files if names else ():
        tags = [one.tag for one in summarise(file, {}).series]
        known.add([*tags, *(f"{file.scope}/{tag}" for tag in tags)])
    return known.known


def _runs(
    path: Path, runs: Sequence[FoundRun], config: Config, pattern: Pattern | None, name: str
) -> Iterator[str]:
    language = config.lang
    for run in runs:
        where = name if run.path == path else str(run.path)
        yield phrase("run {name}   {path}", language, name=run.name, path=where)
        names = _known(run.files, config.metrics)
        for file in run.files:
            yield f"  {name if file.path == path else _relative(file.path, path)}"
            try:
                yield from list(_file(file, names, pattern, language))
            except OSError as error:
                yield _error(error.strerror or str(error), language)
            except Exception as error:
                yield _error(internal_error(error), language)
        if run.checkpoints:
            listed = ", ".join(name for _, name in run.checkpoints[:5])
            more = ", …" if len(run.checkpoints) > 5 else ""
            text = "{count} {count:checkpoint|checkpoints}: {names}"
            count = str(len(run.checkpoints))
            yield f"  {phrase(text, language, count=count, names=listed + more)}"


def _file(
    file: FoundFile, names: MetricNames, pattern: Pattern | None, language: str
) -> Iterator[str]:
    """Lines on one file."""
    yield f"    {file.format.source}: {file.format.title}; {_why(file, language)}"
    summary = summarise(file, names)
    yield from _contents(summary, language)
    if file.format.source == "text":
        source = summary.source or "text"
        yield from explain_log(file.path, source, names, pattern, language)


def _contents(summary: FileSummary, language: str) -> Iterator[str]:
    if summary.source:
        yield f"    {phrase('content: {source}', language, source=summary.source)}"
    for one in summary.series[:MOST_TAGS]:
        yield f"    {one.line(language)}"
    if more := len(summary.series[MOST_TAGS:]):
        yield f"    {phrase('… and {count} more series', language, count=str(more))}"
    if not summary.series:
        yield f"    {translate('no metrics', language)}"
    yield from (f"    {note}" for note in _notes(summary.notes, language))
    if summary.error:
        yield _error(summary.error, language)


def _error(said: str, language: str) -> str:
    return f"    {phrase('error: {error}', language, error=message(said, language))}"


def _notes(notes: Iterable[str], language: str) -> Iterator[str]:
    return (phrase("note: {note}", language, note=message(note, language)) for note in notes)


def _why(file: FoundFile, language: str) -> str:
    """Why the file has this format, and which others were ruled out."""
    name = file.path.name.lower()
    fitting = [one for one in file.format.names if fnmatch(name, one)]
    matched = "matched by name ({name}) and content" if fitting else "matched by content"
    why = phrase(matched, language, name=fitting[0] if fitting else "")
    head = read_head(file.path) if file.format.source != "text" else None
    refused = _refusing(file.path, head, file.format) if head else []
    if refused:
        others = ", ".join(refused)
        why += "; " + phrase("ruled out by content: {formats}", language, formats=others)
    return why + (f"; {file.scope}" if file.scope else "")


def _refusing(path: Path, head: bytes, taker: Format | None) -> list[str]:
    """Formats with such file names that precede the format of the file."""
    refused: list[str] = []
    for one in formats():
        if taker is not None and (one.source, one.title) == (taker.source, taker.title):
            break
        if "*" not in one.names and one.fits(path) and not is_claimed(one, path, head):
            refused.append(one.title)
    return list(dict.fromkeys(refused))


def _unread(path: Path, runs: Sequence[FoundRun], language: str, name: str) -> Iterator[str]:
    """Lines on every other file: why it is not read."""
    read = {os.path.realpath(file.path) for run in runs for file in run.files}
    listed, seen = 0, False
    others: Counter[str] = Counter()
    for file in _below(path):
        seen = True
        if os.path.realpath(file) in read:
            continue
        try:
            reason = _why_not(file, language, alone=file == path)
        except Exception as error:
            reason = message(internal_error(error), language)
        if reason is None:
            others[file.suffix or file.name] += 1
        elif listed < MOST_UNREAD:
            if not listed:
                yield translate("not read:", language)
            listed += 1
            yield f"  {name if file == path else _relative(file, path)}: {reason}"
    if others:
        kinds = ", ".join(f"{count} {kind}" for kind, count in others.most_common(8))
        yield phrase("ignored by name (no log has such a name): {kinds}", language, kinds=kinds)
    if not seen:
        yield phrase("no files in {path}", language, path=name)


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


def _why_not(path: Path, language: str, *, alone: bool) -> str | None:
    """Why a file is not read; None if it is not named like a log."""
    if not alone and not is_interesting(str(path.parent), path.name):
        return None
    if path.is_symlink() and not alone:
        return translate("a symbolic link, which is read only if given as an argument", language)
    if not path.is_file():
        return translate("not a regular file", language)
    head = read_head(path.resolve())
    if head is None:
        return translate("cannot be read", language)
    if not head:
        return translate("an empty file", language)
    taken = detect_named(path, head)
    if taken is not None:
        text = "{format}, skipped: a copy of another file, or its first line is incomplete"
        return phrase(text, language, format=taken.title)
    refused = _refusing(path, head, None)
    if not refused:
        return translate("not in a known format", language)
    text = "named like {formats}, but the content is different"
    return phrase(text, language, formats="; ".join(refused))


def _relative(path: Path, root: Path) -> str:
    return os.path.relpath(path, root) if root.is_dir() else str(path)


def _title(file: FoundFile) -> str:
    return f"{file.format.source} ({file.format.title})"
