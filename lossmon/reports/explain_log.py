"""Explanation of the lines of a text log: metrics, position and ignored values."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lossmon.errors import ConfigError
from lossmon.locale import phrase, translate
from lossmon.readers.discovery.found import FoundFile
from lossmon.readers.files.lines import LineTail, decode, resolved
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

NO_POINT = "no point: a part of an evaluation, a bar before its end, or a copy of another line"
"""What the values of a line are that gives no point."""

LINE = "line {number}: {line}"

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
    path: Path, source: str, names: MetricNames, pattern: Pattern | None, language: str
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
        text = "line {number} and {count} similar: {line}" if alike.count > 1 else LINE
        values = {"number": f"{alike.number:,}", "count": f"{alike.count - 1:,}"}
        yield f"    {phrase(text, language, line=_quoted(alike.text), **values)}"
        details = _details(alike.explanation, source, names, language)
        yield from (f"      {line}" for line in details)
    if silent:
        why = "; ".join(
            f"{count:,} {translate(reason, language)}" for reason, count in silent.most_common(8)
        )
        yield f"    {phrase('lines without metrics: {reasons}', language, reasons=why)}"
    if number > MOST_LINES:
        text = "lines after {number} are read, but not explained"
        yield f"    {phrase(text, language, number=f'{MOST_LINES:,}')}"


def explain_one_line(
    file: FoundFile,
    number: int,
    names: MetricNames,
    pattern: Pattern | None,
    language: str,
    name: str,
) -> Iterator[str]:
    """Explain one line, and list its points with the step that earlier lines determine.

    Args:
        name: Name of the file as the user wrote it.

    Raises:
        ConfigError: The line does not exist.
    """
    before, text, after = _around(file.path, number, name)
    size = sum(map(len, before))
    yield f"  {phrase(LINE, language, number=f'{number:,}', line=_quoted(text))}"
    gained = list(_gained(file, before, text, names, language)) if size < CONTEXT else []
    later = [] if gained or size >= CONTEXT else _gained_later(file, before, text, after, names)
    if file.format.source == "text":
        found = _explained(text, pattern)
        if not gained and not later and size < CONTEXT:
            found = _without_points(found)
        yield from (f"  {line}" for line in _details(found, "text", names, language))
    if size >= CONTEXT:
        yield f"  {translate('too many lines before it to determine its step', language)}"
        return
    yield from (f"  {one}" for one in gained)
    for tag in later:
        point = "point of {tag}, at a step that a later line determines"
        yield f"  {phrase(point, language, tag=tag)}"
    if not gained and not later:
        yield f"  {translate('no point', language)}"


def _around(path: Path, number: int, name: str) -> tuple[list[str], str, list[str]]:
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
        raise ConfigError(f"--line {number}: {name} has {count:,} lines")
    return before, text, after


def _without_points(found: Explanation) -> Explanation:
    """Explain the values of a line that gives no point as ignored."""
    left = tuple((f"{value:.9g}", NO_POINT) for _, value in found.metrics)
    return replace(found, metrics=(), left=(*found.left, *left))


def _gained(
    file: FoundFile, before: list[str], text: str, names: MetricNames, language: str
) -> Iterator[str]:
    """The points that a line adds to a file."""
    counts, series = (_read(file, lines, names) for lines in (before, [*before, text]))
    for place, one in series.items():
        if place not in counts or one.n > counts[place].n:
            yield phrase(
                "point {tag} = {value} at {axis} {step}: {meaning}",
                language,
                tag=one.tag,
                value=f"{one.value:.9g}",
                axis=translate(one.axis, language),
                step=f"{one.last:,}",
                meaning=described(one.meaning, language),
            )


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


def _details(found: Explanation, source: str, names: MetricNames, language: str) -> Iterator[str]:
    for tag, value in found.metrics:
        what = described(meaning(tag, source=source, overrides=names or None), language)
        text, shown = "metric {tag} = {value}: {meaning}", f"{value:.9g}"
        yield phrase(text, language, tag=tag, value=shown, meaning=what)
    if found.position:
        said = ", ".join(f"{translate(name, language)} {text}" for name, text in found.position)
        yield phrase("position {position}", language, position=said)
    left: dict[str, list[str]] = {}
    for text, reason in found.left:
        left.setdefault(reason, []).append(text)
    for reason, texts in left.items():
        # A reason may begin with the name that it is about, in quotes.
        name, quote, why = reason.rpartition("' ")
        why = name + quote + translate(why, language)
        yield phrase("ignored {values}: {reason}", language, values=", ".join(texts), reason=why)
    if found.reason:
        why = translate(found.reason, language)
        yield phrase("no metrics: {reason}", language, reason=why)


def _quoted(text: str) -> str:
    states = [state for state in resolved(text).split("\r") if state.strip()]
    text = states[-1].strip() if states else ""
    return text if len(text) <= WIDTH else text[:WIDTH] + " …"
