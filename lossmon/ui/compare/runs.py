"""Comparison of runs: which are compared, by what, and what is known of each run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
from lossmon.ui.metrics.entries import Bands
from lossmon.ui.metrics.table import others
from lossmon.ui.scene import Scene
from lossmon.ui.state.session import LETTERS, MOST, RunLetters


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


MetricTable = Mapping[str, Series]
"""Series of a run by the key of their metric."""

_LOSSES = {"eval": "eval loss", "train": "train loss"}
"""Keys and labels of the headline losses, which runs log under many names."""


def metrics_in(run: RunSnapshot) -> MetricTable:
    """The metrics of a run: its losses, then the others as the panel ranks them."""
    losses = {"eval": run.eval_loss, "train": run.train_loss}
    found = {key: one for key, one in losses.items() if one is not None and len(one)}
    for one in others(run):
        found.setdefault(one.meaning.key, one)
    return found


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


def metrics_of(tables: Sequence[MetricTable]) -> list[Metric]:
    """Metrics that at least one run has: the losses, then what most runs have."""
    return [
        Metric(key, _LOSSES[key], True)
        if key in _LOSSES
        else Metric(key, one.meaning.label, one.meaning.lower_is_better)
        for key, one in leads_of(tables).items()
    ]


def leads_of(tables: Sequence[MetricTable]) -> MetricTable:
    """Every metric that a run has, by the series of the first run that has it; losses first."""
    leads = {key: one for key in _LOSSES for table in tables[::-1] if (one := table.get(key))}
    # What is the headline loss of one run may be logged beside another one by the next.
    heads = {table[key].meaning.key for table in tables for key in _LOSSES if key in table}
    rest: dict[str, Series] = {}
    for table in tables:
        for key, one in table.items():
            if key not in _LOSSES and key not in heads:
                rest.setdefault(key, one)
    ranked = sorted(rest.items(), key=lambda one: _ORDER.index(one[1].meaning.kind))
    return leads | dict(ranked)


_ORDER = (
    Kind.METRIC,
    Kind.LOSS,
    Kind.LEARNING_RATE,
    Kind.GRAD_NORM,
    Kind.THROUGHPUT,
    Kind.OTHER,
)


def usual_metric(tables: Sequence[MetricTable], metrics: Sequence[Metric]) -> Metric | None:
    """The metric to begin with: the eval loss, unless fewer than two of several runs have it."""
    least = min(2, len(tables))
    shared = (one for one in metrics if sum(one.key in table for table in tables) >= least)
    return next(shared, metrics[0] if metrics else None)


def shared_axis(series: Sequence[tuple[RunSnapshot, Series]], wanted: XAxis) -> XAxis:
    """The axis that is shown: the wanted one if any run has it, else the first that one has."""
    axes: list[XAxis] = [wanted, *XAxis]
    for x in axes:
        if any(has_axis(run, one, x) for run, one in series):
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
        return style_of(self.place)


def style_of(place: int) -> str:
    """Colour role of the curves of a run."""
    return f"series-{place + 1}"


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


class Comparison:
    """Runs that are compared, and what the user chose about them.

    Attributes:
        indices: Of the runs in the snapshot, in the order of their letters.
        runs: The runs, in the same order.
        tables: Their metrics.
        left_out: How many more runs there would be.
        metrics: What they can be compared by.
        metric: What they are compared by; None without metrics.
        chosen: Path of the selected run, None without runs.
        base: Path of the baseline, None where all runs have failed.
        hidden: Paths of the runs that are not drawn.
        bands: Bands of the groups in view, by the place of the run.

    Args:
        letters: Gives each run its letter and its colour.
    """

    def __init__(self, letters: RunLetters) -> None:
        self._letters = letters
        self.indices: list[int] = []
        self.runs: list[RunSnapshot] = []
        self.tables: list[MetricTable] = []
        self.left_out = 0
        self.metrics: list[Metric] = []
        self.metric: Metric | None = None
        self.chosen: Path | None = None
        self.base: Path | None = None
        self.hidden: frozenset[Path] = frozenset()
        self.bands: dict[int, Bands] = {}
        self._picked = False
        """Whether the user picked the baseline."""
        self._places: dict[Path, int] = {}
        self._known: dict[Path, tuple[tuple[Series, ...], MetricTable]] = {}
        """Metrics of each run, and the series that they were found among."""

    @property
    def paths(self) -> list[Path]:
        """Paths of the runs."""
        return [run.path for run in self.runs]

    def update(self, scene: Scene) -> None:
        """Find out what is compared."""
        runs = scene.snapshot.runs
        indices, self.left_out = chosen_runs(scene)
        self._places = self._letters.of([runs[at].path for at in indices])
        self.indices = sorted(indices, key=lambda at: self._places[runs[at].path])
        self.runs = [runs[at] for at in self.indices]
        paths = self.paths
        in_view = scene.run.path if scene.run is not None else None
        if self.chosen not in paths:
            self.chosen = in_view if in_view in paths else next(iter(paths), None)
        self._picked = self._picked and self.base in paths
        if not self._picked:
            # It stays where it is while its losses are finite.
            self.base = baseline_of(self.runs, self.base if self.base in paths else in_view)
        self.tables = self._tables()
        self.metrics = metrics_of(self.tables)
        key = None if self.metric is None else self.metric.key
        same = next((one for one in self.metrics if one.key == key), None)
        self.metric = same or usual_metric(self.tables, self.metrics)

    def _tables(self) -> list[MetricTable]:
        known, self._known = self._known, {}
        for run in self.runs:
            found = known.get(run.path)
            if found is None or found[0] is not run.series:
                found = run.series, metrics_in(run)
            self._known[run.path] = found
        return [table for _, table in self._known.values()]

    def place(self, run: RunSnapshot) -> int:
        """Index of the letter of a run, and of its colour."""
        return self._places[run.path]

    def axis(self, metric: Metric | None, wanted: XAxis) -> XAxis:
        """The axis on which a metric is shown."""
        if metric is None:
            return XAxis.STEP
        pairs = zip(self.runs, self.tables, strict=True)
        having = [(run, table[metric.key]) for run, table in pairs if metric.key in table]
        return shared_axis(having, wanted)

    def rows(self, x: XAxis) -> list[ComparedRun]:
        """The runs with their curves of the metric."""
        return [
            self._row(at, run, table, x)
            for at, run, table in zip(self.indices, self.runs, self.tables, strict=True)
        ]

    def _row(self, at: int, run: RunSnapshot, table: MetricTable, x: XAxis) -> ComparedRun:
        place, curve = self._places[run.path], None
        series = None if self.metric is None else table.get(self.metric.key)
        if series is not None and has_axis(run, series, x):
            curve = placed_curve(run, series, x, style_of(place))
        return ComparedRun(run, at, place, run.path in self.hidden, series, curve)

    def pick_base(self) -> None:
        """Compare with the selected run from now on."""
        self.base, self._picked = self.chosen, True

    def hide(self, path: Path | None) -> None:
        """Hide a run, or show it again."""
        if path is not None:
            self.hidden ^= {path}
