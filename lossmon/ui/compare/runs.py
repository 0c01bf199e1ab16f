"""Compared runs, the metric of the comparison, and what is known of each run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from lossmon.analysis.comparison import (
    ComparedSeries,
    CurveDifference,
    CurveLevel,
    difference,
    level,
)
from lossmon.fast_dataclass import dataclass
from lossmon.types import Kind, RunSnapshot, Series
from lossmon.ui.chart.model import Curve, XAxis, start_of
from lossmon.ui.chart.positions import has_axis, placed_curve
from lossmon.ui.metrics.table import others
from lossmon.ui.scene import Scene
from lossmon.ui.state.session import LETTERS, MOST


@dataclass(frozen=True, slots=True)
class Metric:
    """What the runs are compared by.

    Attributes:
        key: `eval` and `train` for the headline losses, else a canonical name.
        label: What it is called.
        lower_is_better: None where neither direction is good.
    """

    key: str
    label: str
    lower_is_better: bool | None

    def of(self, run: RunSnapshot) -> Series | None:
        """The series of a run, None where it has none."""
        if self.key in ("eval", "train"):
            found = run.eval_loss if self.key == "eval" else run.train_loss
            return found if found is not None and len(found) else None
        return next((one for one in others(run) if one.meaning.key == self.key), None)


def chosen_runs(scene: Scene) -> tuple[list[int], int]:
    """Indices of the runs to compare, and how many more there would be.

    Those that the user marked; of a single mark, or none, the run in view beside it; without a
    mark also the runs that began last.
    """
    runs = scene.snapshot.runs
    marked = [at for at, run in enumerate(runs) if run.path in scene.marked]
    if len(marked) > 1:
        wanted = marked
    elif marked:
        wanted = [*marked, *(at for at in [scene.index] if at not in marked)]
    else:
        rest = [at for at in range(len(runs)) if at != scene.index]
        wanted = [scene.index, *sorted(rest, key=lambda at: (-_began(runs[at]), at))]
    wanted = [at for at in wanted if at < len(runs)]
    return wanted[:MOST], max(0, len(wanted) - MOST)


def _began(run: RunSnapshot) -> float:
    # When it began does not change, so that the choice stands still while runs go on.
    return start_of(run.series) if any(map(len, run.series)) else -math.inf


def baseline_of(runs: Sequence[RunSnapshot], in_view: Path | None) -> Path | None:
    """The run that others are compared with: the one in view, unless its losses are not finite.

    Then it is the first run with finite losses; None where all runs have failed so.
    """
    sound = [run.path for run in runs if _is_finite(run)]
    return in_view if in_view in sound else next(iter(sound), None)


def _is_finite(run: RunSnapshot) -> bool:
    losses = [loss for loss in (run.train_loss, run.eval_loss) if loss is not None and len(loss)]
    masked = run.diagnosis.verdict.code == NON_FINITE
    return not masked and all(math.isfinite(loss.last) for loss in losses)


NON_FINITE = "non_finite"
"""The verdict on runs whose loss is NaN, also where the log has another number for it."""


def metrics_of(runs: Sequence[RunSnapshot]) -> list[Metric]:
    """Metrics that at least one run has: the losses, then what most runs have."""
    found = []
    for key, label in (("eval", "eval loss"), ("train", "train loss")):
        metric = Metric(key, label, True)
        if any(metric.of(run) is not None for run in runs):
            found.append(metric)
    heads = {loss.meaning.key for run in runs for loss in (run.eval_loss, run.train_loss) if loss}
    rest: dict[str, Series] = {}
    for run in runs:
        for one in others(run):
            if one.meaning.key not in heads:
                rest.setdefault(one.meaning.key, one)
    ranked = sorted(rest.values(), key=lambda one: _ORDER.index(one.meaning.kind))
    return found + [
        Metric(one.meaning.key, one.meaning.label, one.meaning.lower_is_better) for one in ranked
    ]


_ORDER = (
    Kind.METRIC,
    Kind.LOSS,
    Kind.LEARNING_RATE,
    Kind.GRAD_NORM,
    Kind.THROUGHPUT,
    Kind.OTHER,
)


def usual_metric(runs: Sequence[RunSnapshot], metrics: Sequence[Metric]) -> int:
    """The metric to begin with: the eval loss, unless it is of fewer than two of several runs."""
    for at, metric in enumerate(metrics):
        if sum(metric.of(run) is not None for run in runs) >= min(2, len(runs)):
            return at
    return 0


def axis_of(runs: Sequence[RunSnapshot], metric: Metric, wanted: XAxis) -> XAxis:
    """The axis that is shown: the wanted one if any run has it, else the first that one has."""
    pairs = [(run, series) for run in runs if (series := metric.of(run)) is not None]
    axes: list[XAxis] = [wanted, *XAxis]
    for x in axes:
        if any(has_axis(run, series, x) for run, series in pairs):
            return x
    return wanted


@dataclass(frozen=True, slots=True, eq=False)
class ComparedRun:
    """One run in a comparison.

    Attributes:
        run: The run.
        index: Its index in the snapshot.
        place: Of its letter and its colour.
        hidden: It is not drawn and does not count.
        series: The metric, None where the run has none.
        curve: It on the axis, None where it is not on that axis.
        level: Where it stands at the common position, None where there is none.
        apart: Its difference to the baseline there; None for the baseline itself.
    """

    run: RunSnapshot
    index: int
    place: int
    hidden: bool
    series: Series | None
    curve: Curve | None
    level: CurveLevel | None = None
    apart: CurveDifference | None = None

    @property
    def letter(self) -> str:
        return LETTERS[self.place]

    @property
    def style(self) -> str:
        return f"series-{self.place + 1}"


def drawn_row(
    run: RunSnapshot, index: int, place: int, metric: Metric | None, x: XAxis, *, hidden: bool
) -> ComparedRun:
    """A run with its curve."""
    series = metric.of(run) if metric is not None else None
    curve = None
    if series is not None and has_axis(run, series, x):
        curve = placed_curve(run, series, x, f"series-{place + 1}")
    return ComparedRun(run, index, place, hidden, series, curve)


def common_position(rows: Sequence[ComparedRun], base: Path | None) -> float | None:
    """The largest position that every drawn curve and the baseline have reached.

    None without two curves.
    """
    counted = [row for row in rows if not row.hidden or row.run.path == base]
    ends = [row.curve.last for row in counted if row.curve is not None]
    known = [end for end in ends if math.isfinite(end)]
    return min(known) if len(known) > 1 else None


def measured(
    row: ComparedRun, base: ComparedRun | None, at: float | None
) -> tuple[CurveLevel | None, CurveDifference | None]:
    """Where a run stands at a position that it has reached, and how far from the baseline."""
    if at is None or row.curve is None or row.hidden:
        return None, None
    here = _track(row.curve)
    if not _reaches(here, at):
        return None, None
    if base is None or base.curve is None or base.run is row.run:
        return level(here, at), None
    there = _track(base.curve)
    return level(here, at), difference(here, there, at) if _reaches(there, at) else None


def _reaches(track: ComparedSeries, at: float) -> bool:
    return bool(len(track.x)) and bool(track.x[0] <= at <= track.x[-1])


def _track(curve: Curve) -> ComparedSeries:
    n = min(len(curve.x), len(curve.y))
    x = curve.x[:n]
    if curve.origin or curve.unit != 1.0:
        return ComparedSeries(curve.shown(x), curve.y[:n])
    return ComparedSeries(x, curve.y[:n])


def best_of(series: Series, metric: Metric) -> tuple[float, int] | None:
    """Best value and its step; None where neither direction is good."""
    if metric.lower_is_better is None:
        return None
    if metric.lower_is_better:
        return series.minimum, series.min_step
    return series.maximum, series.max_step
