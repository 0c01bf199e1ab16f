"""Curves of runs from range queries: points where a value changed, against the step."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from string import punctuation

import numpy as np

from lossmon.prometheus.client import PrometheusClient, Range
from lossmon.prometheus.fleet import EVAL, SOURCE, TRAIN, Key
from lossmon.readers.tags.meaning import meaning
from lossmon.types import Floats, Meaning, RunSnapshot, Series

WINDOW = 30 * 86400.0
"""Seconds back to which a curve is looked for."""

COARSE = 360
"""Points of the look that finds where a run begins."""

FINE = 1500
"""Points per curve of a run in view: more than a screen has cells."""

TREND = 60
"""Points per curve of a run in a list."""

LISTED = 40
"""Runs of a list whose trends are asked for at once."""

STEP = "lossmon_step"

_PUNCTUATION = frozenset(punctuation) - frozenset('"_/')
"""What RE2 lets a backslash stand before, but for what needs none."""

CURVES: Mapping[str, tuple[str, Meaning]] = {
    "lossmon_train_loss": ("train/loss", TRAIN),
    "lossmon_eval_loss": ("eval/loss", EVAL),
    "lossmon_steps_per_second": ("steps_per_second", meaning("train/steps_per_second")),
    "lossmon_epoch": ("epoch", meaning("epoch")),
}
"""Tag and meaning of each metric that is a curve."""


def read_start(client: PrometheusClient, key: Key, now: float) -> float:
    """Seconds since the Unix epoch from which a run is known, to the accuracy of a coarse look.

    Raises:
        PrometheusError: The server does not answer.
    """
    step = WINDOW / COARSE
    found = client.query_range(_selector((key,), STEP), now - WINDOW, now, step)
    return min((one.times[0] - step for one in found if one.times), default=now - step)


def read_curves(client: PrometheusClient, key: Key, start: float, now: float) -> tuple[Series, ...]:
    """Every curve of one run since it began.

    Raises:
        PrometheusError: The server does not answer.
    """
    selected = _selector((key,), "|".join((STEP, *CURVES)))
    found = client.query_range(selected, start, now, (now - start) / FINE)
    return _curves(found).get(key, ())


def read_trends(
    client: PrometheusClient, keys: Iterable[Key], span: float, now: float
) -> dict[Key, tuple[Series, ...]]:
    """Short train losses of the runs of a list.

    Args:
        keys: The runs; of many, the first are asked for.
        span: Seconds back.
        now: Seconds since the Unix epoch.

    Raises:
        PrometheusError: The server does not answer.
    """
    wanted = tuple(keys)[:LISTED]
    if not wanted:
        return {}
    selected = _selector(wanted, f"{STEP}|lossmon_train_loss")
    return _curves(client.query_range(selected, now - span, now, span / TREND))


def with_curves(run: RunSnapshot, curves: tuple[Series, ...]) -> RunSnapshot:
    """The run with curves in place of its newest points, as far as there are some."""
    fuller = {one.tag: one for one in curves}
    series = [_merged(one, fuller.pop(one.tag, None)) for one in run.series]
    series += fuller.values()
    return replace(run, series=tuple(series))


def _merged(newest: Series, curve: Series | None) -> Series:
    """A curve that ends with the newest point, and knows the minimum that its exporter saw."""
    if curve is None or not len(curve):
        return newest
    if newest.last_step > curve.last_step:
        curve = Series.of_points(
            curve.tag,
            curve.meaning,
            SOURCE,
            np.append(curve.steps, newest.steps[-1]),
            np.append(curve.values, newest.values[-1]),
            np.append(curve.wall_times, newest.wall_times[-1]),
        )
    if newest.minimum < curve.minimum:
        return replace(curve, minimum=newest.minimum, min_step=newest.min_step)
    return curve


def _selector(keys: Iterable[Key], names: str) -> str:
    """What selects metrics of some runs; pairs of the product that are not a run have no data."""
    instances = "|".join(sorted({escaped(instance) for instance, _ in keys}))
    paths = "|".join(sorted({escaped(path) for _, path in keys}))
    return f'{{__name__=~"{names}",instance=~"{instances}",path=~"{paths}"}}'


def escaped(text: str) -> str:
    """Text that a regular expression of RE2 takes literally, inside a string of PromQL."""
    literal = "".join(f"\\{one}" if one in _PUNCTUATION else one for one in text)
    return literal.replace("\\", "\\\\").replace('"', '\\"')


def _curves(found: Iterable[Range]) -> dict[Key, tuple[Series, ...]]:
    by_run: dict[Key, dict[str, Range]] = defaultdict(dict)
    for one in found:
        key = (one.labels.get("instance", ""), one.labels.get("path", ""))
        by_run[key][one.labels.get("__name__", "")] = one
    return {
        key: tuple(
            series
            for name, (tag, what) in CURVES.items()
            if name in ranges and STEP in ranges
            if (series := _series(tag, what, ranges[name], ranges[STEP])) is not None
        )
        for key, ranges in by_run.items()
    }


def _series(tag: str, what: Meaning, values: Range, steps: Range) -> Series | None:
    """Join values and steps of the same moments, and keep the moments at which they changed."""
    at = dict(zip(steps.times, steps.values, strict=True))
    rows = [
        (time, at[time], value)
        for time, value in zip(values.times, values.values, strict=True)
        if math.isfinite(at.get(time, math.nan))
    ]
    if not rows:
        return None
    walls, where, levels = (np.array(column) for column in zip(*rows, strict=True))
    fresh = np.concatenate(([True], (np.diff(where) != 0) & _differ(levels)))
    walls, where, levels = walls[fresh], where[fresh].astype(np.int64), levels[fresh]
    # Of a run that went back, what it logged since then counts.
    newest = np.minimum.accumulate(where[::-1])[::-1]
    kept = np.concatenate((where[:-1] < newest[1:], [True]))
    return Series.of_points(tag, what, SOURCE, where[kept], levels[kept], walls[kept])


def _differ(levels: Floats) -> Floats:
    """Whether each value but the first differs from the one before; NaN equals NaN here."""
    before, after = levels[:-1], levels[1:]
    differ: Floats = (before != after) & ~(np.isnan(before) & np.isnan(after))
    return differ
