"""Emitter of points: lines whose steps are known become scalars."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.points_builder import PointsBuilder
from lossmon.readers.text.facts.run_facts import RunFacts
from lossmon.readers.text.grammar.parsed import scaled
from lossmon.readers.text.grammar.words import EVAL_NAME
from lossmon.readers.text.templates import Groups, Template
from lossmon.types import Axis

NOTHING: frozenset[str] = frozenset()


class PointEmitter:
    """Adds the values of lines to the points of a log.

    Args:
        facts: Facts about the run, which the lines may change.
    """

    def __init__(self, points: PointsBuilder, facts: RunFacts) -> None:
        self._points = points
        self._facts = facts
        self._clock = Clock()
        self._stale: dict[str, str] = {}

    def emit(
        self,
        template: Template,
        rows: Sequence[Groups],
        steps: Sequence[int],
        axis: Axis,
        skip: frozenset[str] = NOTHING,
    ) -> None:
        """Add the values of lines of one shape.

        Args:
            rows: Their numbers.
            steps: Their steps.
            axis: What the steps count.
        """
        orders = self._points.reserve(len(rows))
        if template.time >= 0:
            walls = [self._clock.seconds(row[template.time]) for row in rows]
            self._facts.start(walls[0])
        else:
            walls = [math.nan] * len(rows)
        columns = list(zip(*rows, strict=True))
        for tag, index, scale in template.values:
            if tag in skip:
                continue
            texts = columns[index]
            if template.parsed.stale and EVAL_NAME.search(tag):
                self._emit_changes(tag, texts, orders, steps, walls, axis)
                continue
            values = map(float, texts) if scale == 1.0 else [scaled(t, scale) for t in texts]
            self._points.extend(tag, axis, orders, steps, walls, values)
        if template.epoch >= 0 and "epoch" not in skip:
            epochs = map(float, columns[template.epoch])
            self._points.extend("epoch", axis, orders, steps, walls, epochs)
        if self._facts.finished and trains(template) and not self._is_last(steps[-1], axis):
            for step in {steps[0], steps[-1]}:
                self._facts.train(step)

    def _is_last(self, step: int, axis: Axis) -> bool:
        """Whether a step is the planned last one, which a bar may show again after the end."""
        return axis is Axis.STEP and 0 < self._facts.planned_steps <= step

    def _emit_changes(
        self,
        tag: str,
        texts: Sequence[str],
        orders: range,
        steps: Sequence[int],
        walls: Sequence[float],
        axis: Axis,
    ) -> None:
        """Add values that repeat until they are measured again: only a change is a point."""
        for text, order, step, wall in zip(texts, orders, steps, walls, strict=True):
            if self._stale.get(tag) != text:
                self._stale[tag] = text
                self._points.extend(tag, axis, (order,), (step,), (wall,), (float(text),))


def trains(template: Template) -> bool:
    """Whether a line is about training rather than an evaluation."""
    return any(not EVAL_NAME.search(tag) for tag, _, _ in template.values)


MOST_MINUTES = 4096
"""Minutes remembered: converting one from local time takes as long as parsing three lines."""

_MINUTE = 16
"""Characters of `2026-11-21 00:50`."""
_ZONE = lazy_pattern(r"(Z|UTC|[+-]\d{2}:?\d{2})$")


class Clock:
    """Converts printed local times to seconds since the Unix epoch."""

    def __init__(self) -> None:
        self._minutes: dict[str, float] = {}

    def seconds(self, text: str) -> float:
        """Return the seconds since the Unix epoch, NaN if the text is not a date.

        A time without a zone is local time of this machine.
        """
        zone = None
        if text[-1] in "ZC" or text[-3] in ":+-" or text[-5] in "+-":
            zone = _ZONE.search(text, 19)
        try:
            if zone:
                return _zoned(text[: zone.start()].strip(), zone[1])
            return self._minute(text[:_MINUTE]) + float(text[17:].replace(",", "."))
        except (ValueError, OverflowError, OSError):
            return math.nan

    def _minute(self, text: str) -> float:
        known = self._minutes.get(text)
        if known is None:
            if len(self._minutes) >= MOST_MINUTES:
                self._minutes.clear()
            known = time.mktime(_parts(text).timetuple())
            self._minutes[text] = known
        return known


def _parts(text: str) -> datetime:
    return datetime(
        int(text[:4]), int(text[5:7]), int(text[8:10]), int(text[11:13]), int(text[14:16])
    )


def _zoned(text: str, zone: str) -> float:
    offset = 0
    if zone[0] in "+-":
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        offset = (hours * 60 + minutes) * (-60 if zone[0] == "-" else 60)
    moment = _parts(text[:_MINUTE]).replace(tzinfo=UTC)
    return moment.timestamp() + float(text[17:].replace(",", ".")) - offset
