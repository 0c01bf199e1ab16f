"""Numbers as people read them: short, aligned, never more digits than they are worth."""

from __future__ import annotations

import math

_SI = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_BINARY = ((1 << 50, "P"), (1 << 40, "T"), (1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K"))
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_SMALL = 1e-3
"""Below this a plain decimal wastes its digits on zeros, so the exponent is written."""
_GROUPED = 10_000
"""Below this a number is spelled out (`1,234`); above, five digits would crowd a title."""
_LARGEST = 1e15
"""From here on the suffixes end and the exponent is written."""


def minus(text: str) -> str:
    """A number with a minus sign instead of a hyphen before it; exponents keep theirs."""
    return f"−{text[1:]}" if text.startswith("-") else text


def value(number: float, digits: int = 4) -> str:
    """A measured value with `digits` significant digits: `0.4132`, `−1.620`, `3.5e-5`, `12.5k`.

    Zeros at the end are kept below 10,000, so that a live number does not change its width.
    """
    return minus(_value(number, digits))


def _value(number: float, digits: int) -> str:
    if not math.isfinite(number):
        return "nan" if math.isnan(number) else ("inf" if number > 0 else "-inf")
    size = abs(number)
    if size == 0:
        return "0"
    if size < _SMALL:
        return scientific(number, 1)
    if size < 1:
        # Four decimals for four digits: 0.0412 keeps the width that 0.4132 has. Two digits are
        # the least: 0.0024 is not 0.002.
        decimals = max(digits, 1 - math.floor(math.log10(size)))
        text = f"{number:.{decimals}f}"
        if abs(float(text)) < 1:
            return text
    rounded = _rounded(size, digits)
    if rounded >= _GROUPED:
        return _si(number, digits)
    return f"{number:,.{max(0, digits - len(str(int(rounded))))}f}"


def si(number: float, digits: int = 3) -> str:
    """A count or a step in few characters: `800`, `1.24k`, `12.5k`, `1M`, `2.5e16`.

    Zeros at the end are dropped.
    """
    return minus(_si(number, digits))


def _si(number: float, digits: int) -> str:
    if not math.isfinite(number):
        return _value(number, digits)
    if abs(number) >= _LARGEST:
        return scientific(number, 1)
    number = _rounded(number, digits)
    for factor, suffix in _SI:
        if abs(number) >= factor:
            return _trimmed(f"{number / factor:.{digits}g}", number / factor) + suffix
    return _trimmed(f"{number:.{digits}g}", number)


def _rounded(number: float, digits: int) -> float:
    """So that 999,999 becomes `1M`, not `1000k`."""
    return float(f"{number:.{digits}g}")


def _trimmed(text: str, number: float) -> str:
    if "e" in text:
        return f"{number:.0f}" if abs(number) >= 1 else _short_exponent(text)
    return text


def scientific(number: float, decimals: int) -> str:
    """A number with an exponent that has no needless sign or zero: `3.5e-5`, `2e16`."""
    return _short_exponent(f"{number:.{decimals}e}")


def _short_exponent(text: str) -> str:
    return text.replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")


def step(number: int) -> str:
    """A step spelled out: `1,240`."""
    return f"{number:,}"


def progress(done: int, total: int | None) -> str:
    """`1,240/3,000`, shortened to `18.2k/120k` from 10,000 on; `1,240` where no total is known."""
    short = max(done, total or 0) >= _GROUPED
    spell = si if short else step
    return spell(done) if total is None else f"{spell(done)}/{spell(total)}"


def percent(share: float) -> str:
    """A share of 0 to 100 without decimals: `87%`."""
    return f"{share:.0f}%"


def size(count: float, decimals: int | None = None) -> str:
    """Bytes in binary units, one letter: `61G`, `1.2T`, `812M`, `0`.

    Args:
        count: Bytes, 0 or more.
        decimals: Digits behind the point; by default one below 10, none above.
    """
    for factor, suffix in _BINARY:
        if count >= factor * 0.9995:
            scaled = count / factor
            places = (1 if scaled < 9.95 else 0) if decimals is None else decimals
            return f"{scaled:.{places}f}{suffix}"
    return f"{count:.0f}"


def used_of(used: float, total: float, decimals: int = 0) -> str:
    """Two amounts of bytes in the unit of the larger: `61/80G`, `61.2/80.0G`."""
    for factor, suffix in _BINARY:
        if total >= factor * 0.9995:
            return f"{used / factor:.{decimals}f}/{total / factor:.{decimals}f}{suffix}"
    return f"{used:.0f}/{total:.0f}"


def duration(seconds: float) -> str:
    """How long something takes, in at most two units: `45s`, `14m`, `2h 10m`, `3d 4h`.

    Seconds are shown only below a minute: a remaining time that changes each second is noise.
    """
    if not math.isfinite(seconds):
        return "?"
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m"
    if whole < _DAY:
        return _two(whole // _HOUR, "h", whole % _HOUR // _MINUTE, "m")
    return _two(whole // _DAY, "d", whole % _DAY // _HOUR, "h")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit} {small}{small_unit}" if small else f"{large}{large_unit}"


def age(seconds: float) -> str:
    """How long ago something was, in one unit, rounded down: `3 s`, `14 m`, `2 h`, `5 d`, `3 y`.

    Days are shown up to 999: a clock that was never set gives years.
    """
    if not math.isfinite(seconds):
        return "?"
    whole = max(0, int(seconds))
    if whole >= 1000 * _DAY:
        return f"{whole // (365 * _DAY)} y"
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m")):
        if whole >= unit:
            return f"{whole // unit} {name}"
    return f"{whole} s"


def rate(per_second: float, unit: str = "it") -> str:
    """A rate: `2.1 it/s`, `18.1k tok/s`; below one per second the other way round: `3.2 s/it`."""
    if not math.isfinite(per_second) or per_second <= 0:
        return "?"
    if per_second < 0.995:
        return f"{si(1 / per_second, 2)} s/{unit}"
    return f"{si(per_second, 2 if per_second < 100 else 3)} {unit}/s"


def slope(per_step: float, steps: int) -> str:
    """A change per a number of steps, signed: `−0.021/100`, `+0.060/1k`; per step without a number.

    Args:
        per_step: Change per step.
        steps: Steps that it is given for, 1 or more.
    """
    if not math.isfinite(per_step):
        return "?"
    change = signed(per_step * steps)
    return change if steps == 1 else f"{change}/{si(steps)}"


def signed(number: float) -> str:
    """A change with its sign: `+1.2`, `−0.021`, `±0`; zeros at the end stay, so that it does not
    change its width."""
    size = abs(number)
    text = si(size, 2) if size >= 1 or 0 < size < _SMALL else f"{size:.3f}"
    return "±0" if size == 0 else ("−" if number < 0 else "+") + text
