"""Events of MLPerf's logging: JSON behind `:::MLLOG`, one metric and its place per line."""

from __future__ import annotations

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.text.grammar.parsed import LinePosition, LineValue, MetricLine, Scale
from lossmon.readers.text.grammar.prefix import Prefix
from lossmon.readers.text.grammar.words import NONFINITE, NUMBER, is_known

_EVENT = lazy_pattern(
    r'.{0,80}:::MLL(?:OG)? ?\{.{0,200}?"key": "(?P<name>\w{1,60})", '
    rf'"value": (?P<value>(?:{NUMBER}|{NONFINITE})), "metadata": \{{'
)
"""An event of MLPerf's logging, up to the object that states its place."""

_EVENT_PLACE = lazy_pattern(
    r'"(?:(?P<step>step(?:_num)?|iteration(?:_num)?|samples_count)|epoch_(?:num|count))": '
    r"(?P<number>\d+(?:\.\d+)?)"
)


def mlperf_event(line: str, before: Prefix) -> MetricLine | None:
    """An event that names its place; settings are logged without one."""
    found = _EVENT.match(line)
    if found is None or not is_known(found["name"]):
        return None
    places = list(_EVENT_PLACE.finditer(line, found.end()))
    step = next((at.span("number") for at in places if at["step"]), None)
    epoch = next((at.span("number") for at in places if not at["step"]), None)
    if step is None and epoch is None:
        return None
    scale = Scale.STEP if step else Scale.EPOCH
    values = (LineValue(found["name"], found.span("value")),)
    return MetricLine(values, LinePosition(scale, step, None, epoch), before.rank, before.time)
