"""Limits of the axes: typed as `x 1000..2000` or `y auto`, zoomed and moved."""

from __future__ import annotations

import math
import re

from lossmon.errors import LossmonError
from lossmon.fast_dataclass import dataclass
from lossmon.ui.chart.axes.ranges import Span
from lossmon.ui.chart.axes.ticks import nice_floor

EXAMPLE = "x 1k..2k, y 0.1..2, y auto"
"""What can be typed, in the words of an example."""

_FACTORS = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12}
_CLOCK = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER = r"[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_BOUND = re.compile(rf"(?P<number>{_NUMBER})(?P<unit>[A-Za-z]?)", re.ASCII)
_DOTS = re.compile(r"\s*\.\.+\s*|\s*…\s*")
_ONE = re.compile(r"(?P<axis>[xy])\s*[=:]?\s*(?P<range>[^\s,;]+)", re.IGNORECASE)


class LimitsError(LossmonError):
    """What was typed is not a limit.

    Attributes:
        what: The part that is wrong.
        why: What is wrong with it, a word of the screen.
    """

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")
        self.what, self.why = what, why


@dataclass(frozen=True, slots=True)
class Limit:
    """The range of one axis. A bound that is None stays as it is shown; both None is automatic.

    Attributes:
        axis: `x` or `y`.
        low: Lower bound.
        high: Upper bound.
    """

    axis: str
    low: float | None = None
    high: float | None = None

    @property
    def automatic(self) -> bool:
        return self.low is None and self.high is None


def parse_limits(text: str, *, log_y: bool = False, clock: bool = False) -> tuple[Limit, ...]:
    """Read limits; a later one of the same axis counts.

    Args:
        text: What was typed. Numbers may end in k, M, G or T; `1000..` leaves the other end as
            it is.
        log_y: The values stand on a logarithmic axis.
        clock: The positions are seconds, which may be written `90s`, `10m`, `2h`, `1d`.

    Raises:
        LimitsError: Something in it is not a limit.
    """
    rest, limits = _DOTS.sub("..", text).strip(" ,;\t"), []
    while rest:
        found = _ONE.match(rest)
        if found is None:
            raise LimitsError(_shown(rest), EXAMPLE)
        limit = _limit(found["axis"].lower(), found["range"], log_y=log_y, clock=clock)
        limits.append(limit)
        rest = rest[found.end() :].lstrip(" ,;\t")
    return tuple(limits)


def _limit(axis: str, text: str, *, log_y: bool, clock: bool) -> Limit:
    if text.lower() == "auto":
        return Limit(axis)
    low, dots, high = text.partition("..")
    if not dots:
        raise LimitsError(_shown(text), "write low..high or auto")
    units = _CLOCK if clock and axis == "x" else _FACTORS
    bounds = [_number(part, units) if part else None for part in (low, high)]
    known = [bound for bound in bounds if bound is not None]
    if not known:
        raise LimitsError(text, "a number is missing")
    if len(known) == 2 and known[0] == known[1]:
        raise LimitsError(_shown(text), "the upper limit must be higher")
    if axis == "y" and log_y and min(known) <= 0:
        raise LimitsError(_shown(text), "a log axis begins above 0")
    if len(known) == 2:
        return Limit(axis, min(known), max(known))
    return Limit(axis, bounds[0], bounds[1])


def _number(text: str, units: dict[str, float]) -> float:
    found = _BOUND.fullmatch(text)
    unit = found["unit"] if found else ""
    factor = units.get(unit, _FACTORS.get(unit))
    if found is None or factor is None:
        raise LimitsError(_shown(text), "no number")
    number = float(found["number"].replace("_", "")) * factor
    if not math.isfinite(number) or abs(number) > 1e300:
        raise LimitsError(_shown(text), "too large")
    return number


def _shown(text: str) -> str:
    return text if len(text) <= 12 else text[:11] + "…"


_AHEAD = 8
"""A window that follows moves on by a nice part of its length, at most this many of it: the
picture stands still in between."""


def zoomed(shown: Span, whole: Span, factor: float, anchor: float, least: float) -> Span | None:
    """The window after zooming; the anchor keeps its place on the screen.

    Args:
        factor: How much longer the window becomes; below 1 zooms in.
        anchor: Position to zoom at, in shown units; taken into the window if it is outside.
        least: Length below which nothing more would be seen.

    Returns:
        The new window, or None where it would hold the whole.
    """
    anchor = min(max(anchor, shown.low), shown.high)
    length = max(shown.length * factor, least)
    if length >= whole.length:
        return None
    share = (anchor - shown.low) / shown.length
    return within(Span(anchor - share * length, anchor + (1 - share) * length), whole)


def moved(shown: Span, whole: Span, by: float) -> Span:
    """The window moved by a share of its length; it stops at the ends of the whole."""
    distance = by * shown.length
    return within(Span(shown.low + distance, shown.high + distance), whole)


def holding(shown: Span, whole: Span, place: float) -> Span:
    """The window, moved as far as it takes to have a position in view with some room beside."""
    if shown.low <= place <= shown.high:
        return shown
    side = 0.1 if place > shown.high else 0.9
    low = place - (1 - side) * shown.length
    return within(Span(low, low + shown.length), whole)


def following(shown: Span, before: float, now: float) -> Span:
    """The window for data that has grown from `before` to `now`.

    It follows while its right edge is in view: the newest position was in it. Otherwise it
    stands still.
    """
    if not shown.low <= before <= shown.high or now <= shown.high:
        return shown
    high = ahead(shown.length, now)
    return Span(high - shown.length, high) if high > high - shown.length else shown


def ahead(length: float, now: float) -> float:
    """The right edge of a window of a length that follows data up to `now`."""
    if not math.isfinite(now):
        return now
    quantum = nice_floor(length / _AHEAD)
    return math.ceil(now / quantum - 1e-9) * quantum


def within(span: Span, whole: Span) -> Span:
    """A window moved until it lies within the whole, as far as it fits there."""
    low = min(max(span.low, whole.low), max(whole.low, whole.high - span.length))
    return Span(low, low + span.length) if low + span.length > low else span
