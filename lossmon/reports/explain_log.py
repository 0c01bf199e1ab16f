"""The lines of a text log: what is taken from each and what is left."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lossmon.errors import ConfigError
from lossmon.readers.discovery.found import FoundFile
from lossmon.readers.files.lines import LineTail, decode
from lossmon.readers.files.terminal import resolved
from lossmon.readers.tags.meaning import meaning
from lossmon.readers.text.explain import Explanation, explain_line
from lossmon.readers.text.user_patterns import Pattern
from lossmon.reports.file_summary import described, summarise
from lossmon.types import MetricNames

MOST_LINES = 20_000
"""Lines of a log that are explained: a few seconds, and every kind of line has long come."""

MOST_KINDS = 60
"""Kinds of lines listed of one log."""

CONTEXT = 64 << 20
"""Characters before a line that are read again to know its step."""

WIDTH = 160
"""Characters of a line that are quoted."""

Kind = tuple[object, ...]


@dataclass(slots=True)
class SimilarLines:
    """Lines that are understood in the same way.

    Attributes:
        number: The first of them, from 1.
        text: Its text.
        explanation: How it was understood.
        count: How many there are.
    """

    number: int
    text: str
    explanation: Explanation
    count: int = 1


def explain_log(
    path: Path, source: str, names: MetricNames, pattern: Pattern | None
) -> Iterator[str]:
    """Say what each kind of metric line gives, and why the others give nothing.

    Args:
        path: A text log.
        source: Family of formats that its contents turned out to be of.
        names: Raw tags for canonical names, from the user's config.
        pattern: The user's own pattern.
    """
    kinds: dict[Kind, SimilarLines] = {}
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
        more = f", {alike.count:,} lines alike" if alike.count > 1 else ""
        yield f"    line {alike.number:,}{more}: {_quoted(alike.text)}"
        yield from (f"      {line}" for line in _details(alike.explanation, source, names))
    if silent:
        why = "; ".join(f"{count:,} {reason}" for reason, count in silent.most_common(8))
        yield f"    lines that give nothing: {why}"
    if number > MOST_LINES:
        yield f"    the lines after {MOST_LINES:,} are read, but not explained here"


def explain_one_line(
    file: FoundFile, number: int, names: MetricNames, pattern: Pattern | None
) -> Iterator[str]:
    """Say what one line gives, the step that the lines before it lend it included.

    Raises:
        ConfigError: There is no such line.
    """
    before: list[str] = []
    size, count = 0, 0
    for count, text in _lines(file.path):
        if count == number:
            break
        if size < CONTEXT:
            before.append(text)
            size += len(text)
    if count < number:
        raise ConfigError(f"--line {number}: {file.path} has {count:,} lines")
    yield f"  line {number:,}: {_quoted(text)}"
    if file.format.source == "text":
        yield from (f"  {line}" for line in _details(_explained(text, pattern), "text", names))
    if size >= CONTEXT:
        yield "  the lines before it are too many to tell its step"
        return
    gained = list(_gained(file, before, text, names))
    yield from (f"  gives {one}" for one in gained)
    if not gained:
        yield "  gives no point"


def _gained(file: FoundFile, before: list[str], text: str, names: MetricNames) -> Iterator[str]:
    """The points that a file has with a line and had not without it."""
    with tempfile.TemporaryDirectory(prefix="lossmon-") as kept:
        copy = Path(kept, file.path.name)
        told = []
        for lines in (before, [*before, text]):
            copy.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="")
            told.append(summarise(FoundFile(copy, file.format, file.scope), names).series)
    counts = {(one.tag, one.axis): one.n for one in told[0]}
    for one in told[1]:
        if one.n > counts.get((one.tag, one.axis), 0):
            where = f"{one.axis} {one.last:,}"
            yield f"{one.tag} = {one.value:.9g} at {where}, as {described(one.meaning)}"


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line; the states of a redrawn line are one line."""
    tail = LineTail(path)
    rest, number = "", 0
    while (chunk := tail.chunk()) is not None:
        text = rest + decode(chunk.data).replace("\r\n", "\n")
        *whole, rest = text.split("\n")
        for line in whole:
            number += 1
            yield number, line
    rest += "" if tail.rest is None else tail.rest.text
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


def _kind(found: Explanation) -> Kind:
    return (
        tuple(name for name, _ in found.metrics),
        tuple(name for name, _ in found.position),
        tuple(sorted({reason for _, reason in found.left})),
    )


def _details(found: Explanation, source: str, names: MetricNames) -> Iterator[str]:
    for tag, value in found.metrics:
        what = meaning(tag, source=source, overrides=names or None)
        yield f"taken {tag} = {value:.9g}, as {described(what)}"
    if found.position:
        yield "place " + ", ".join(f"{name} {text}" for name, text in found.position)
    left: dict[str, list[str]] = {}
    for text, reason in found.left:
        left.setdefault(reason, []).append(text)
    for reason, texts in left.items():
        yield f"left {', '.join(texts)}: {reason}"
    if found.reason:
        yield f"no metric: {found.reason}"


def _quoted(text: str) -> str:
    states = [state for state in resolved(text).split("\r") if state.strip()]
    text = states[-1].strip() if states else ""
    return text if len(text) <= WIDTH else text[:WIDTH] + " …"
