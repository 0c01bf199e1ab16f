"""Explanation of the lines of a text log: metrics, position and ignored values."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lossmon.errors import ConfigError
from lossmon.readers.discovery.found import FoundFile
from lossmon.readers.files.lines import LineTail, decode
from lossmon.readers.files.terminal import resolved
from lossmon.readers.tags.meaning import meaning
from lossmon.readers.text.explain import Explanation, explain_line
from lossmon.readers.text.user_patterns import Pattern
from lossmon.reports.file_summary import SeriesSummary, described, summarise
from lossmon.types import MetricNames

MOST_LINES = 20_000
"""Most lines explained per log: a few seconds, enough to see every kind of line."""

MOST_KINDS = 60
"""Most kinds of lines listed per log."""

CONTEXT = 64 << 20
"""Most characters before a line that are read to determine its step."""

WIDTH = 160
"""Most characters quoted per line."""

NO_POINT = "a part of an evaluation, a bar before its end, or a copy of another line"
"""What the values of a line are that gives no point."""

LineKind = tuple[object, ...]


@dataclass(slots=True)
class SimilarLines:
    """Lines with the same metrics and position.

    Attributes:
        number: Number of the first of them, from 1.
        text: Its text.
        explanation: How it was parsed.
        count: Number of lines.
    """

    number: int
    text: str
    explanation: Explanation
    count: int = 1


def explain_log(
    path: Path, source: str, names: MetricNames, pattern: Pattern | None
) -> Iterator[str]:
    """Explain each kind of metric line, and why other lines have no metrics."""
    kinds: dict[LineKind, SimilarLines] = {}
    silent: Counter[str] = Counter()
    number = 0
    for number, text in _lines(path):
        if number > MOST_LINES:
            break
        found = _explained(text, pattern)
        if not found.metrics and not found.position:
            silent[found.reason] += 1
        elif (kind := _kind(found)) in kinds:
            kinds[kind].count += 1
        elif len(kinds) < MOST_KINDS:
            kinds[kind] = SimilarLines(number, text, found)
    for alike in kinds.values():
        more = f" and {alike.count - 1:,} similar" if alike.count > 1 else ""
        yield f"    line {alike.number:,}{more}: {_quoted(alike.text)}"
        yield from (f"      {line}" for line in _details(alike.explanation, source, names))
    if silent:
        why = "; ".join(f"{count:,} {reason}" for reason, count in silent.most_common(8))
        yield f"    lines without metrics: {why}"
    if number > MOST_LINES:
        yield f"    lines after {MOST_LINES:,} are read, but not explained"


def explain_one_line(
    file: FoundFile, number: int, names: MetricNames, pattern: Pattern | None
) -> Iterator[str]:
    """Explain one line, and list its points with the step that earlier lines determine.

    Raises:
        ConfigError: The line does not exist.
    """
    before, text, after = _around(file.path, number)
    size = sum(map(len, before))
    yield f"  line {number:,}: {_quoted(text)}"
    gained = list(_gained(file, before, text, names)) if size < CONTEXT else []
    later = [] if gained or size >= CONTEXT else _gained_later(file, before, text, after, names)
    if file.format.source == "text":
        found = _explained(text, pattern)
        if not gained and not later and size < CONTEXT:
            found = _without_points(found)
        yield from (f"  {line}" for line in _details(found, "text", names))
    if size >= CONTEXT:
        yield "  too many lines before it to determine its step"
        return
    yield from (f"  point {one}" for one in gained)
    yield from (f"  point of {tag}, at a step that a later line determines" for tag in later)
    if not gained and not later:
        yield "  no point"


def _around(path: Path, number: int) -> tuple[list[str], str, list[str]]:
    """The lines before a line, itself, and those after it.

    Raises:
        ConfigError: The line does not exist.
    """
    before: list[str] = []
    after: list[str] = []
    size = count = 0
    text = ""
    for count, line in _lines(path):
        if count == number:
            text = line
        elif size < CONTEXT:
            (before if count < number else after).append(line)
            size += len(line)
    if count < number:
        raise ConfigError(f"--line {number}: {path} has {count:,} lines")
    return before, text, after


def _without_points(found: Explanation) -> Explanation:
    """Explain the values of a line that gives no point as ignored."""
    left = tuple((f"{value:.9g}", f"no point: {NO_POINT}") for _, value in found.metrics)
    return replace(found, metrics=(), left=(*found.left, *left))


def _gained(file: FoundFile, before: list[str], text: str, names: MetricNames) -> Iterator[str]:
    """The points that a line adds to a file."""
    counts, series = (_read(file, lines, names) for lines in (before, [*before, text]))
    for place, one in series.items():
        if place not in counts or one.n > counts[place].n:
            where = f"{one.axis} {one.last:,}"
            yield f"{one.tag} = {one.value:.9g} at {where}: {described(one.meaning)}"


def _gained_later(
    file: FoundFile, before: list[str], text: str, after: list[str], names: MetricNames
) -> list[str]:
    """Tags of the points that a line adds to a file once later lines are read as well."""
    counts = _read(file, [*before, *after], names)
    series = _read(file, [*before, text, *after], names)
    return [
        one.tag for place, one in series.items() if place not in counts or one.n > counts[place].n
    ]


def _read(
    file: FoundFile, lines: list[str], names: MetricNames
) -> dict[tuple[str, str], SeriesSummary]:
    """The series of a file with some lines, by tag and axis."""
    with tempfile.TemporaryDirectory(prefix="lossmon-") as kept:
        copy = Path(kept, file.path.name)
        copy.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="")
        # Nothing will follow: what waits for another line is read at once.
        os.utime(copy, (0, 0))
        found = summarise(FoundFile(copy, file.format, file.scope), names).series
    return {(one.tag, one.axis): one for one in found}


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line; the states of a redrawn line count as one."""
    tail = LineTail(path)
    rest, number = "", 0
    while (chunk := tail.read()) is not None:
        text = rest + decode(chunk.data).replace("\r\n", "\n")
        *whole, rest = text.split("\n")
        for line in whole:
            number += 1
            yield number, line
    rest += "" if tail.unfinished is None else tail.unfinished.text
    if rest:
        yield number + 1, rest


def _explained(text: str, pattern: Pattern | None) -> Explanation:
    if pattern is not None:
        (found,) = pattern.find([resolved(text)])
        if found is not None:
            template, row = found
            metrics = tuple((tag, float(row[at])) for tag, at, _ in template.values)
            places = ("step", "total", "epoch", "epochs", "rank", "time")
            said = [(name, getattr(template, name)) for name in places]
            position = tuple((name, row[at]) for name, at in said if at >= 0)
            return Explanation(metrics, position, (), "")
    return explain_line(text)


def _kind(found: Explanation) -> LineKind:
    return (
        tuple(name for name, _ in found.metrics),
        tuple(name for name, _ in found.position),
        tuple(sorted({reason for _, reason in found.left})),
    )


def _details(found: Explanation, source: str, names: MetricNames) -> Iterator[str]:
    for tag, value in found.metrics:
        what = meaning(tag, source=source, overrides=names or None)
        yield f"metric {tag} = {value:.9g}: {described(what)}"
    if found.position:
        yield "position " + ", ".join(f"{name} {text}" for name, text in found.position)
    left: dict[str, list[str]] = {}
    for text, reason in found.left:
        left.setdefault(reason, []).append(text)
    for reason, texts in left.items():
        yield f"ignored {', '.join(texts)}: {reason}"
    if found.reason:
        yield f"no metrics: {found.reason}"


def _quoted(text: str) -> str:
    states = [state for state in resolved(text).split("\r") if state.strip()]
    text = states[-1].strip() if states else ""
    return text if len(text) <= WIDTH else text[:WIDTH] + " …"
