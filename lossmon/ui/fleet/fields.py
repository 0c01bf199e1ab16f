"""Fields of a run that a filter can name: state, badge, losses, hyperparameters."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import cache
from typing import TypeVar

from lossmon.diagnosis.advice import badge_of, codes
from lossmon.fast_dataclass import dataclass
from lossmon.locale import languages
from lossmon.types import RunSnapshot, RunState, Series, Severity

V = TypeVar("V")


class Sort(Enum):
    """How a value is written and compared."""

    CHOICE = "choice"
    """One of a few words."""
    TEXT = "text"
    """A part of it is asked for."""
    NUMBER = "number"
    TIME = "time"
    """Seconds."""


Reading = float | str | None
"""A value of a run; None where it has none."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that every run may have.

    Attributes:
        sort: How its value is written.
        read: Its value, of a run and the time (seconds since the Unix epoch).
        choices: What may be typed for a choice, and the value that it stands for.
        ordered: The values of a choice, least first, where they have an order.
    """

    sort: Sort
    read: Callable[[RunSnapshot, float], Reading]
    choices: Mapping[str, str] | None = None
    ordered: tuple[str, ...] = ()


def folded(text: str) -> str:
    """A word as it is compared: no case, no blanks, hyphens or underscores."""
    return "".join(char for char in text.casefold() if char not in " -_")


@cache
def _badges() -> Mapping[str, str]:
    """What a badge may be called, in every language, and its code."""
    names = {folded(code): code for code in codes()}
    for code in codes():
        for language in languages():
            names.setdefault(folded(badge_of(code, language=language)), code)
    return names


def newest(series: Series | None) -> float | None:
    """The last value, None where there is no series."""
    return None if series is None or not series.n else series.last


def best(run: RunSnapshot) -> float | None:
    """The lowest finite eval loss, None where there is none."""
    series = run.eval_loss
    return None if series is None or not math.isfinite(series.minimum) else series.minimum


def age(run: RunSnapshot, now: float) -> float | None:
    """Seconds since the newest sign of life, None where unknown."""
    return None if run.last_time is None else max(0.0, now - run.last_time)


def remaining(run: RunSnapshot) -> float | None:
    """Seconds to the end, None for a run that is over or that does not tell."""
    return run.remaining if run.state is RunState.RUNNING else None


def speed(run: RunSnapshot) -> float | None:
    """Steps per second, None for a run that is not at work."""
    return run.steps_per_second if run.state is RunState.RUNNING else None


def _done(run: RunSnapshot) -> float | None:
    return run.step / run.total_steps if run.step is not None and run.total_steps else None


@cache
def fields() -> Mapping[str, Field]:
    """Every field by name, those that are asked for most first."""
    states = {folded(state.value): state.value for state in RunState}
    severities = {folded(one.word): one.word for one in Severity}
    numbers: Mapping[str, Callable[[RunSnapshot], Reading]] = {
        "loss": lambda run: newest(run.train_loss),
        "train": lambda run: newest(run.train_loss),
        "eval": lambda run: newest(run.eval_loss),
        "best": best,
        "step": lambda run: run.step,
        "total": lambda run: run.total_steps,
        "done": _done,
        "epoch": lambda run: run.epoch,
        "speed": speed,
    }
    return {
        "state": Field(Sort.CHOICE, lambda run, now: run.state.value, states),
        "badge": Field(Sort.CHOICE, lambda run, now: run.diagnosis.verdict.code, _badges()),
        "severity": Field(
            Sort.CHOICE,
            lambda run, now: run.diagnosis.verdict.severity.word,
            severities,
            tuple(one.word for one in Severity),
        ),
        "name": Field(Sort.TEXT, lambda run, now: run.name),
        "path": Field(Sort.TEXT, lambda run, now: str(run.path)),
        "source": Field(Sort.TEXT, lambda run, now: " ".join(run.sources)),
        **{
            name: Field(Sort.NUMBER, lambda run, now, read=read: read(run))  # type: ignore[misc]
            for name, read in numbers.items()
        },
        "age": Field(Sort.TIME, age),
        "updated": Field(Sort.TIME, age),
        "eta": Field(Sort.TIME, lambda run, now: remaining(run)),
    }


ALIASES = {"lr": "learning_rate", "learning_rate": "lr"}
"""Two names of one hyperparameter; a run has one of them."""


def own(run: RunSnapshot, name: str) -> Reading:
    """A hyperparameter, else the newest value of a series; None where the run has neither.

    The last part of a name is enough (`lr` for `optimizer.lr`, `accuracy` for `eval/accuracy`).
    A hyperparameter that writes a number is one.
    """
    text = _of(run.settings, name)
    if text is not None:
        value = number(text)
        return text if value is None else value
    series = _of({**_tags(run.series), **_keys(run.series)}, name)
    return newest(series)


def group_of(run: RunSnapshot, name: str, now: float) -> str:
    """The group of a run by a field or a setting, as it is written; empty where it has neither."""
    field = fields().get(name)
    if field is None and (setting := _of(run.settings, name)) is not None:
        return setting
    value = own(run, name) if field is None else field.read(run, now)
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def spellings(name: str) -> tuple[str, ...]:
    """A name as short as it may be typed, and what else it is called."""
    short = _short(name)
    return (short, ALIASES[short]) if short in ALIASES else (short,)


def own_names(runs: Iterable[RunSnapshot]) -> set[str]:
    """Every name of a hyperparameter or series, as short as it may be typed."""
    names: set[str] = set()
    for run in runs:
        names.update(_short(name) for name in run.settings)
        names.update(_short(one.meaning.key) for one in run.series)
    return names


def _of(values: Mapping[str, V], name: str) -> V | None:
    wanted = name.casefold()
    names = (wanted, ALIASES[wanted]) if wanted in ALIASES else (wanted,)
    for one in names:
        if one in values:
            return values[one]
    return next((value for key, value in values.items() if _is_called(key, names)), None)


def _is_called(key: str, names: tuple[str, ...]) -> bool:
    key = key.casefold()
    return key in names or _short(key) in names


def _short(name: str) -> str:
    """The last part of a name with parts: what people call it."""
    return name.casefold().replace(".", "/").rpartition("/")[2]


def _tags(series: Iterable[Series]) -> dict[str, Series]:
    return {one.tag: one for one in series}


def _keys(series: Iterable[Series]) -> dict[str, Series]:
    return {one.meaning.key: one for one in series}


_SUFFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9, "t": 1e12, "%": 1e-2}
"""`m` is a million: a thousandth is typed as `1e-3`."""

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}

_NUMBER = re.compile(r"([+-]?(?:[0-9][0-9,_]*\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]{1,3})?)([kmgbt%]?)")
_PIECE = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([smhdw])")


def number(text: str) -> float | None:
    """Return the number that a text writes, None where it writes none.

    `k`, `M`, `G` (or `B`) and `T` multiply, `%` divides by a hundred; `nan` and `inf` are numbers.
    """
    text = text.strip().casefold()
    if text in ("nan", "inf", "-inf", "+inf"):
        return float(text)
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    return float(match[1].replace(",", "").replace("_", "")) * _SUFFIXES[match[2]]


def seconds(text: str) -> float | None:
    """Return the seconds that a text writes, bare numbers too; None where it writes none."""
    text = text.strip().casefold().replace(" ", "")
    pieces = _PIECE.findall(text)
    if pieces and "".join(size + unit for size, unit in pieces) == text:
        return sum(float(size) * _UNITS[unit] for size, unit in pieces)
    plain = number(text)
    return plain if plain is not None and plain >= 0 else None
