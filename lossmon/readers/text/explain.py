"""Explanation of a line of text: what is read from it, what is ignored, and why."""

from __future__ import annotations

from lossmon.fast_dataclass import dataclass
from lossmon.readers.files.lines import resolved
from lossmon.readers.text.grammar.parse import LONGEST, parse, refusal, wordiness
from lossmon.readers.text.grammar.parsed import LineValue, MetricLine, TextSpan, scaled
from lossmon.readers.text.grammar.prefix import prefix
from lossmon.readers.text.grammar.values import REACH, name_before
from lossmon.readers.text.grammar.words import TOKEN, is_metric, masked
from lossmon.readers.text.progress_bars import tqdm, without_gauge


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one line was understood.

    Attributes:
        metrics: Tag and value of each metric, left to right.
        position: What the line says of its place: `step`, `total`, `epoch`, `epochs`, `rank`,
            `time`, each with the text that says it.
        left: Every other number of the line, and why it was left.
        reason: Why the line gives no metric, empty if it gives one.
    """

    metrics: tuple[tuple[str, float], ...]
    position: tuple[tuple[str, str], ...]
    left: tuple[tuple[str, str], ...]
    reason: str


def explain_line(text: str) -> Explanation:
    """Tell what would be taken from a line of a log.

    Args:
        text: The line as it stands in the file; of a redrawn one, its last state counts.
    """
    line = _last_state(text)
    parsed = parse(line)
    if parsed is None:
        return Explanation((), (), _left(line, ()), _reason(line))
    if parsed.summary:
        return Explanation((), (), _left(line, ()), "the closing record of a training")
    place = parsed.position
    spans = {
        "step": place.step,
        "total": place.total,
        "epoch": place.epoch,
        "epochs": place.epochs,
        "rank": parsed.rank,
        "time": parsed.time,
    }
    metrics = tuple((v.name, _number(line, v)) for v in parsed.values)
    said = tuple((name, line[slice(*span)]) for name, span in spans.items() if span is not None)
    reason = "" if metrics else "it gives the lines below it their position"
    return Explanation(metrics, said, _left(line, _taken(parsed)), reason)


def _last_state(text: str) -> str:
    states = [state for state in resolved(text.rstrip("\r\n")).split("\r") if state.strip()]
    line = states[-1] if states else ""
    bar = tqdm(line)
    if bar is not None:
        line = bar.rest or bar.line or line
    return without_gauge(line)


def _taken(parsed: MetricLine) -> tuple[TextSpan, ...]:
    place = parsed.position
    said = (parsed.rank, parsed.time, place.step, place.total, place.epoch, place.epochs)
    whole = [span for span in said if span is not None]
    return (*parsed.position.taken, *whole, *(value.span for value in parsed.values))


def _number(line: str, value: LineValue) -> float:
    return scaled(line[slice(*value.span)].replace(",", ""), value.scale)


def _left(line: str, taken: tuple[TextSpan, ...]) -> tuple[tuple[str, str], ...]:
    body = masked(line[:LONGEST])
    return tuple(
        (number[0], _why_left(body, number.start()))
        for number in TOKEN.finditer(line[:LONGEST])
        if not any(left <= number.start() < right for left, right in taken)
    )


def _why_left(body: str, at: int) -> str:
    if body[at] == " ":
        return "part of a clock, a path, a version or an id"
    name = name_before(body[max(0, at - REACH) : at])
    if not name:
        return "no name in front of it"
    why = "is not the name of a metric" if is_metric(name) else "is a setting, a clock or a count"
    return f"{name!r} {why}"


def _reason(line: str) -> str:
    if len(line) > LONGEST:
        return "too long for a record"
    before = prefix(line)
    why = refusal(line, before) or wordiness(line, before)
    if why:
        return why
    if not TOKEN.search(line):
        return "no number in it"
    return "neither a position nor a loss"
