"""Ticks of an axis and their labels: steps of 1, 2 or 5, whole decades, whole minutes."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from lossmon.fast_dataclass import dataclass
from lossmon.ui.text import numbers


@dataclass(frozen=True, slots=True)
class Tick:
    """One labelled place of an axis.

    Attributes:
        at: Where, in the units of the axis (on a log axis the value, not its logarithm).
        label: What is written there.
    """

    at: float
    label: str


_TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)
_HOURS = (1, 2, 3, 6, 12, 24, 48, 96, 168)
_TIME_STEPS = (*_TIMES, *(3600 * hours for hours in _HOURS))
"""Steps of a clock, in seconds: what divides minutes, hours and days evenly."""

_FAR = 1e6
"""Steps away from zero from which on labels tell the distance to the first one."""

_DECIMALS = 4
"""Digits behind the point at most; `0.00002` is harder to read than `2e-5`."""

_LONGEST = 9
"""Cells of a label at most; a longer one would eat the chart."""


def nice_floor(size: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above `size` (positive)."""
    power = 10.0 ** math.floor(math.log10(size))
    for factor in (5.0, 2.0):
        if size >= factor * power * (1 - 1e-9):
            return factor * power
    return power


def nice_ceil(size: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below `size` (positive)."""
    power = 10.0 ** math.floor(math.log10(size))
    for factor in (1.0, 2.0, 5.0):
        if size <= factor * power * (1 + 1e-9):
            return factor * power
    return 10.0 * power


def growth_step(length: float, *, clock: bool = False) -> float:
    """The step in which the axis of a growing curve grows: three to six of them hold `length`
    (positive), so that the axis is changed about ten times while the curve grows tenfold.

    Args:
        length: Length of the curve so far, in units of the axis.
        clock: These are seconds, whose steps divide minutes, hours and days.
    """
    unit = 86400.0 if clock and length > _TIME_STEPS[-1] else 1.0
    if clock and _TIME_STEPS[0] <= length <= _TIME_STEPS[-1]:
        steps: Iterable[float] = _TIME_STEPS
    else:
        power = 10.0 ** math.floor(math.log10(length / unit))
        steps = [unit * power * factor for factor in (0.2, 0.5, 1.0, 2.0, 5.0)]
    held = ((step * count, -step) for step in steps for count in (3, 4, 5, 6))
    return -min(one for one in held if one[0] >= length * (1 - 1e-9))[1]


def linear_ticks(low: float, high: float, most: int) -> tuple[Tick, ...]:
    """Round values from `low` to `high`, at most `most` of them (at least one step apart)."""
    step = _step(low, high, most)
    return () if step is None else _labelled(_multiples(low, high, step), step)


def step_ticks(low: float, high: float, most: int, *, whole: bool = True) -> tuple[Tick, ...]:
    """Round steps or epochs as `0`, `500`, `1k`, `12.5k`; only whole ones if `whole`."""
    step = _step(low, high, most)
    if step is None:
        return ()
    if step < 1 and whole:
        step = 1.0
    values = _multiples(low, high, step)
    if step < 1:
        return _labelled(values, step)
    return _distinct(values, step, lambda at: _count(at, step), lambda at: _count(at, step))


def time_ticks(low: float, high: float, most: int) -> tuple[Tick, ...]:
    """Round times since the start, in seconds, as `0`, `30s`, `15m`, `2h`, `1d 12h`."""
    if not _drawable(low, high, most):
        return ()
    wanted = (high - low) / most
    step = next((float(step) for step in _TIME_STEPS if step >= wanted * (1 - 1e-9)), 0.0)
    if not step:
        step = min(86400.0 * nice_ceil(wanted / 86400.0), sys.float_info.max)
    return _distinct(_multiples(low, high, step), step, _time, _time)


_LADDERS = ((1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8), (1, 1.5, 2, 3, 5, 7), (1, 2, 5))
"""Values within a decade that may be labelled, about evenly spaced on a logarithmic axis."""


def log_ticks(low: float, high: float, most: int) -> tuple[Tick, ...]:
    """Values on a logarithmic axis from `low` to `high` (both positive): as many within each
    decade as there is room for, else decades, else round values."""
    if not (0 < low < high < math.inf) or most < 1:
        return ()
    for factors in _LADDERS:
        found = _rungs(low, high, factors, most)
        if 2 <= len(found) <= most:
            return tuple(Tick(at, numbers.si(at)) for at in found)
    decades = _decades(low, high, most)
    if len(decades) >= 2:
        return decades
    found = _rungs(low, high, _LADDERS[-1], most)
    if len(found) < 2:
        return linear_ticks(low, high, most)
    return tuple(Tick(at, numbers.si(at)) for at in found[: max(most, 2)])


def _rungs(low: float, high: float, factors: Sequence[float], most: int) -> list[float]:
    """The factors of each decade in a range; none where they are far more than `most`."""
    first, last = math.floor(math.log10(low)), math.floor(math.log10(high) + 1e-9)
    if (last - first - 1) * len(factors) > most:
        return []
    return [
        at
        for exponent in range(first, last + 1)
        for factor in factors
        if low * (1 - 1e-9) <= (at := factor * 10.0**exponent) <= high * (1 + 1e-9)
    ]


def _decades(low: float, high: float, most: int) -> tuple[Tick, ...]:
    """Whole decades, so many that there is room for them."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    stride = max(1, -(-(last - first + 1) // max(most, 2)))
    exponents = range(first + (-first) % stride, last + 1, stride)
    return tuple(Tick(10.0**exponent, _power(exponent)) for exponent in exponents)


def decade_ticks(low: float, high: float, most: int) -> tuple[Tick, ...]:
    """Positions on a logarithmic axis from `low` to `high` (both positive) as `1`, `10`, `1k`:
    decades, and where they are few 1-2-5 between them."""
    ticks = [Tick(at, numbers.si(at)) for at in _rungs(low, high, _LADDERS[-1], most)]
    if 1 < len(ticks) <= most:
        return tuple(ticks)
    decades = tuple(replace(one, label=numbers.si(one.at)) for one in _decades(low, high, most))
    return decades if len(decades) > 1 else linear_ticks(low, high, most)


def _drawable(low: float, high: float, most: int) -> bool:
    return most >= 1 and math.isfinite(high - low) and high > low


def _step(low: float, high: float, most: int) -> float | None:
    if not _drawable(low, high, most):
        return None
    step = nice_ceil((high - low) / most)
    # Beside a huge offset the step can vanish in rounding: no two ticks would differ.
    return step if low + step > low and high + step > high else None


def _multiples(low: float, high: float, step: float) -> list[float]:
    rounding = 1e-6 * min(1.0, (high - low) / step)
    first, last = math.ceil(low / step - rounding), math.floor(high / step + rounding)
    return [index * step + 0.0 for index in range(first, last + 1)]


def _labelled(values: list[float], step: float) -> tuple[Tick, ...]:
    if not values:
        return ()
    largest = max(abs(value) for value in values)
    apart = _label_of(values[-1] - values[0], step)
    if largest < step * _FAR:
        return _distinct(values, step, _label_of(largest, step), apart)
    return _from_first(values, step, numbers.si, apart)


Label = Callable[[float], str]
"""Writes a value, or the distance between two."""


def _distinct(values: list[float], step: float, label: Label, apart: Label) -> tuple[Tick, ...]:
    """Label each value by itself, or by its distance to the first where two would read alike."""
    ticks = tuple(Tick(at, label(at)) for at in values)
    if len({tick.label for tick in ticks}) == len(ticks):
        return ticks
    return _from_first(values, step, label, apart)


def _from_first(values: list[float], step: float, label: Label, apart: Label) -> tuple[Tick, ...]:
    """Far from zero neighbours differ in digits that no label has room for."""
    further = (Tick(at, "+" + apart(index * step)) for index, at in enumerate(values) if index)
    return (Tick(values[0], label(values[0])), *further)


def _label_of(largest: float, step: float) -> Label:
    """One way of writing for all labels of an axis, so that their points stand in line."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if largest >= 10_000 and step >= 100:
        return lambda at: _count(at, step)
    if largest < 1e15 and decimals <= _DECIMALS and decimals + len(f"{largest:.0f}") < _LONGEST:
        return lambda at: numbers.minus(f"{at:.{decimals}f}")
    digits = max(0, _exponent(largest) - _exponent(step))
    return lambda at: "0" if at == 0 else numbers.minus(numbers.scientific(at, min(digits, 4)))


def _exponent(size: float) -> int:
    """The power of ten that its first digit counts; that of 1 for 0."""
    return math.floor(math.log10(size) + 1e-9) if size > 0 else 0


def _count(at: float, step: float) -> str:
    """As many digits as tell neighbours apart: `12.5k`, `1.005M`."""
    digits = 1 + max(0, math.floor(math.log10(max(abs(at), 1.0) / step) + 1e-9)) + 1
    return numbers.si(at, max(3, min(digits, 6)))


def _power(exponent: int) -> str:
    return numbers.si(10.0**exponent) if -4 <= exponent < 15 else f"1e{exponent}"


def _time(at: float) -> str:
    return "0" if at == 0 else ("−" if at < 0 else "") + _clock(abs(at))


def _clock(seconds: float) -> str:
    if 60 <= seconds < 3600 and seconds % 60:
        return f"{int(seconds // 60)}m {int(seconds % 60)}s"
    if seconds >= 10_000 * 86400:
        return numbers.si(seconds / 86400) + "d"
    return numbers.duration(seconds)
