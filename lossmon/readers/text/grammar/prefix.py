"""Prefixes of loggers and launchers: time, level, module, rank, MLPerf marks."""

from __future__ import annotations

import re
from typing import NamedTuple

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.text.grammar.parsed import LinePosition, LineValue, MetricLine, Scale, TextSpan
from lossmon.readers.text.grammar.words import NONFINITE, NUMBER, is_known

MOST = 8
"""Prefixes taken off one line: rank, launcher, time, level, logger, file, function, arrow."""


class Prefix(NamedTuple):
    """What stands before the message.

    Attributes:
        end: Index of the first character of the message.
        rank: Where the rank number stands, or None.
        time: Where a full date and time stands, or None.
        bad: The line is a warning or an error.
    """

    end: int
    rank: TextSpan | None = None
    time: TextSpan | None = None
    bad: bool = False


_TIME = (
    r"\d{4}[-/.]\d{2}[-/.]\d{2}[ T_]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?"
    r"(?:\s?(?:Z|UTC|[+-]\d{2}:?\d{2})(?![\w:]))?"
)
_LEVEL = (
    r"(?:DEBUG|INFO|NOTICE|TRACE|SUCCESS|Info|"
    r"(?P<bad>WARN(?:ING)?|ERROR|CRITICAL|FATAL|Warning|Error))"
)
_SPLIT = r"(?i:train|val|valid|validation|eval|test|dev|cv|metric|epoch|step|iter|batch)"
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\[default(?P<rank>\d+)\]:\s?",
        # ESPnet: "[host:0/2] 2026-03-04 10:11:12,123 (trainer:464) INFO:".
        r"\[[A-Za-z][\w.-]{0,60}(?::\d{1,4}/\d{1,4})?\](?= \d{4}-\d{2}-\d{2} )",
        r"(?i:\[(?:global )?rank[ :_=]{0,2}(?P<rank>\d+)[^\]\n]{0,40}\]):?\s*",
        r"\[\d+,(?P<rank>\d+)\]<std(?:out|err)>:\s?",
        r"(?i:rank)[ =:]{0,2}(?P<rank>\d+)\]?\s*[:|,-]\s+",
        r"\[(?i:gpu|cuda|worker|process|proc|device)[ :=_-]?(?P<rank>\d+)\]:?\s+",
        r"(?i:gpu|cuda|worker|process|proc)[ :=_-]?(?P<rank>\d+)(?::\s+|\s*\|\s+|\s+(?=[a-z\[]))",
        r"\((?:\w+ )?pid=\d+(?:,[^)\n]{0,60})?\)\s*",
        r"\[PID:\d+\]\s*",
        r"\((?!step|epoch|iter)[A-Za-z_][\w.]{0,60}:\d{1,6}\)(?=\s)",
        rf"\[(?:{_LEVEL})\|(?:(?P<time>{_TIME})|[^\]\n]{{0,80}})\]\s*(?:[\w.]+:\d+ )?(?:>>\s*)?",
        # Swin Transformer: "[2025-03-04 10:11:12 name] (main.py 226): INFO".
        rf"\[(?P<time>{_TIME}) (?!{_LEVEL}\])[A-Za-z_][\w.-]{{0,60}}\](?= \()",
        r"\([\w./-]{1,80}\.py \d+\):",
        rf"[\[(<]?(?P<time>{_TIME})[\])>]?(?:\s*>>\s*)?:?",
        r"\[\d{1,2}[-/]\d{1,2} \d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?: [\w.]{1,60})?\]:?",
        r"\[\d{2}[./]\d{2}[./]\d{2}[| ]\d{2}:\d{2}:\d{2}\]",
        r"(?:\d{2}/)?\d{1,2}[-/]\d{1,2} \d{2}:\d{2}:\d{2}(?:[.,]\d+)?,?(?=\s)",
        r"Rabit\w+(?:\$\w+)?:",
        r"\[\d{4} \d{2}:\d{2}:\d{2} @[\w./-]{1,80}:\d+\]",
        r"[A-Z][a-z]{2} \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}(?=\s)",
        r"\[?\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?:\]|(?=\s))(?! *[<|])",
        r"[IWEF]\d{4} \d{2}:\d{2}:\d{2}(?:\.\d+)?\s+\d+ [\w./-]{1,80}:\d+\]",
        r"[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} [\w.-]{1,60} [\w./-]{1,60}(?:\[\d+\])?:",
        rf"[\[(<]\s*{_LEVEL}\s*[\])>]",
        rf"\|?\s*{_LEVEL}(?:\]|(?=[\s:|-])(?::[A-Za-z_][\w.]{{0,60}}:)?)",
        r"\[[\w./-]{1,80}:\d+(?::\w{1,60})?\]",
        r"[\w./-]{1,80}\.py(?::\d+|\[line:\d+\])(?::\w{1,60})?\]?",
        r"[A-Za-z_][\w.]{0,60}:[\w<>]{1,60}:\d+(?=\s)",
        rf"\[(?!{_SPLIT}\])[A-Za-z_][\w.]{{0,60}}\](?=[\s:\[-])",
    )
)
_LOGGERS = tuple(
    lazy_pattern(pattern)
    for pattern in (
        rf"(?!{_SPLIT}\b)[A-Za-z_][\w.]{{0,60}}(?=\s+-\s)",
        rf"(?!{_SPLIT}\b)[A-Za-z_][\w.]{{0,60}}(?=\s*\|)",
        rf"[A-Za-z_\d][\w.]{{0,60}}(?=\t{_LEVEL}\t)",
        rf"(?!{_SPLIT}\b)[A-Za-z_]\w*(?:\.\w+)* {_LEVEL}:",
        r"(?:train|valid|test)(?:_inner)?(?= \| )",
        # loguru: "... | INFO | package.module:260 - epoch 1".
        r"(?:[A-Za-z_]\w*(?:\.\w+)+|__\w+__):\d{1,6}(?=\s+-\s)",
        # icefall: "... INFO [train.py:898] (0/4) Epoch 1", the rank and the number of processes.
        r"\((?P<rank>\d{1,3})/\d{1,3}\)(?= [A-Z])",
    )
)
"""Names of loggers, taken only behind a time or a level."""

_INSIDE = lazy_pattern(r"(?i)[(\[]\s*(?:global[ _])?rank[ :=]{0,2}(?P<rank>\d+)\s*[)\]]")
"""A rank in brackets, wherever it stands."""

_BETWEEN = lazy_pattern(r"[\s|:>-]*")
_BULLET = lazy_pattern(r"\s*(?:[=*#>✨🚀•]{1,12}\s+|\|\s(?=[A-Z][a-z]{2,12}: \[))?|\s*")
_SRUN = lazy_pattern(r"\s{0,3}(?P<rank>\d{1,4}): (?=\S)")


def prefix(line: str, *, srun: bool = False) -> Prefix:
    """Take off what stands before the message.

    Args:
        line: A line without control characters.
        srun: Take a number and a colon for the rank that `srun --label` writes.
    """
    bullet = _BULLET.match(line)
    at = bullet.end() if bullet else 0
    rank: TextSpan | None = None
    time: TextSpan | None = None
    bad = logged = False
    if srun and (label := _SRUN.match(line)):
        at, rank = label.end(), label.span("rank")
    for _ in range(MOST):
        found = _first(line, at, logged)
        if found is None:
            break
        groups = found.groupdict()
        rank = found.span("rank") if groups.get("rank") and rank is None else rank
        time = found.span("time") if groups.get("time") and time is None else time
        bad = bad or bool(groups.get("bad"))
        logged = logged or "rank" not in groups
        gap = _BETWEEN.match(line, found.end())
        at = gap.end() if gap else found.end()
    if rank is None and (inside := _INSIDE.search(line, at)):
        rank = inside.span("rank")
    if at and line[at - 1] == "-" and line[at : at + 1].isdigit():
        at -= 1
    return Prefix(at, rank, time, bad)


def _first(line: str, at: int, logged: bool) -> re.Match[str] | None:
    for pattern in _PATTERNS:
        if found := pattern.match(line, at):
            return found
    if logged:
        for pattern in _LOGGERS:
            if found := pattern.match(line, at):
                return found
    return None


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
