"""Main panes: what the chart of each shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

from lossmon.fast_dataclass import dataclass
from lossmon.types import RunSnapshot, Series
from lossmon.ui.chart.curve_cache import Trace
from lossmon.ui.chart.model import SMOOTHINGS, ChartModel, ChartOptions, XAxis
from lossmon.ui.chart.run_model import eval_sets, model_of, reward_charts
from lossmon.ui.dashboard.chart_titles import (
    footer_of,
    further_sets,
    gap_of,
    letter_of,
    options_of,
    shade_of,
    title_of,
    x_axis_of,
)
from lossmon.ui.metrics.entries import key_of
from lossmon.ui.metrics.names import named
from lossmon.ui.metrics.table import others
from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import EMPTY, MUTED, Line

PANES = ("train", "eval", "more")
"""Ids of the panes, in the order they stand."""

CRAMPED = 126
"""Columns below which three charts stand one above the other rather than side by side."""

Titles = Callable[[Sequence[Trace], int], Sequence[tuple[int, Line]]]
"""Parts of a title by importance, for the curves as they were drawn and so many cells."""

ROOM_OF_LEAD = 24
"""Cells of a title that further eval sets leave to its frame and to the headline one."""

ROOM_OF_TRAIN, LEAST_NAMES = 13, 12
"""Cells that a train loss takes in the same title, and below which sets are not named."""

SEPARATOR: Line = (("·", MUTED),)
"""Stands between the curves of one title."""


@dataclass(frozen=True, slots=True)
class PanePlan:
    """What a pane shows, as indices into the series of a run.

    Attributes:
        shown: Series of its own, the most important first.
        beside: Series of other panes, whose range it takes where the ranges are shared.
        behind: Series that are drawn faintly behind.
    """

    shown: tuple[int, ...]
    beside: tuple[int, ...] = ()
    behind: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PaneContent:
    """A chart with its title and its footer.

    Attributes:
        model: What to draw.
        options: How to draw it.
        titles: Parts of the title.
        footer: What the lower edge says without a cursor.
    """

    model: ChartModel
    options: ChartOptions
    titles: Titles
    footer: Line


def content_of(scene: Scene, plan: PanePlan) -> PaneContent:
    """The chart of a plan."""
    run = scene.run
    if run is None or not plan.shown:
        return PaneContent(ChartModel(), options_of(scene), no_titles, EMPTY)
    context = () if scene.chart_settings.own else plan.beside
    options = options_of(scene, run.series[plan.shown[0]])
    if len(plan.shown) == len(plan.behind) == 1:
        options = replace(options, shade_gap=shade_of(scene))
    model = model_of(run, scene.chart_settings, plan.shown, context, plan.behind)
    model = named(model, run, plan.shown)
    letters = [letter_of(scene, run, index).rstrip() for index in plan.shown]
    if any(letters):
        pairs = zip(model.curves, letters, strict=True)
        model = replace(model, curves=tuple(replace(one, letter=letter) for one, letter in pairs))
    return PaneContent(
        model,
        options,
        partial(titles, scene, run, plan.shown),
        footer_of(scene, run, plan.shown),
    )


def plans_in(scene: Scene, visible: Sequence[str]) -> list[PanePlan]:
    """What the visible panes show, in their order; the only one shows all."""
    wanted = pane_plans(scene)
    if len(visible) == 1:
        return [together(scene, wanted)]
    return [wanted.get(name, PanePlan(())) for name in visible]


def no_titles(_traces: Sequence[Trace], _room: int) -> Sequence[tuple[int, Line]]:
    """The title of a pane that shows nothing."""
    return ()


def pane_plans(scene: Scene) -> dict[str, PanePlan]:
    """What to draw, by pane: the main charts that there are and that the user did not close.

    A run without any loss shows its first other scalar instead.
    """
    run = scene.run
    if run is None:
        return {}
    leading, hidden = reward_charts(run), scene.chart_settings.hidden
    plans = (
        dict(zip(PANES, map(PanePlan, leading), strict=False)) if leading else _losses(run, hidden)
    )
    kept = {name: plan for name, plan in plans.items() if name not in hidden}
    return kept or plans


def lead_keys(scene: Scene) -> list[str]:
    """Keys of the first series of each main chart."""
    run, plans = scene.run, pane_plans(scene).values()
    return [] if run is None else [key_of(run.series[plan.shown[0]]) for plan in plans]


def _losses(run: RunSnapshot, hidden: Collection[str]) -> dict[str, PanePlan]:
    train = () if run.train is None else (run.train,)
    evals = eval_sets(run)
    plans = {}
    if train and evals and max(len(run.series[index]) for index in evals) == 1:
        # A single point is no curve: it has a place beside the train loss, not a box of its own.
        return {"train": PanePlan(train if "eval" in hidden else train + evals)}
    if train:
        plans["train"] = PanePlan(train, beside=evals)
    if evals:
        plans["eval"] = PanePlan(evals, beside=train, behind=train)
    if plans or not (rest := others(run)):
        return plans
    # Compared by identity: series hold arrays, which have no single truth.
    return {"train": PanePlan((next(i for i, one in enumerate(run.series) if one is rest[0]),))}


def together(scene: Scene, plans: dict[str, PanePlan]) -> PanePlan:
    """What the only pane shows: all losses, or the first of charts that have no axis in common."""
    if scene.run is None or not plans:
        return PanePlan(())
    if reward_charts(scene.run):
        return next(iter(plans.values()))
    return PanePlan(tuple(index for plan in plans.values() for index in plan.shown))


def titles(
    scene: Scene, run: RunSnapshot, shown: tuple[int, ...], traces: Sequence[Trace], room: int
) -> list[tuple[int, Line]]:
    """The title of a pane: the numbers of each curve, and how it is drawn.

    Args:
        shown: Indices into its series, the most important first.
        traces: The same curves as they were drawn, or nothing before they were.
        room: Cells of the pane.
    """
    ends = (
        [trace.line_end for trace in traces] if len(traces) == len(shown) else [None] * len(shown)
    )
    parts: list[tuple[int, Line]] = []
    left = room - ROOM_OF_LEAD - (ROOM_OF_TRAIN if run.train in shown else 0)
    named = further_sets(scene, run, shown, left) if left >= LEAST_NAMES else EMPTY
    for index, end in zip(shown, ends, strict=True):
        if index != shown[0] and index in eval_sets(run)[1:]:
            continue
        if parts:
            parts.append((4, SEPARATOR))
        head, *rest = title_of(scene, run, index, room, end)
        parts += [head, (0, named if index == run.eval else EMPTY), *rest]
        if index == run.eval and run.train not in shown and (gap := gap_of(scene, run)):
            parts.append((2, gap))
    drawn = modes(scene, run.series[shown[0]], smoothed=any(end is not None for end in ends))
    if len(shown) == 1 or room >= 100:
        parts += [(importance + 3, line) for importance, line in drawn]
    elif changed := [part for part in drawn if part[0] == 0]:
        parts += [(1, line) for _, line in changed]
    return parts


def modes(scene: Scene, lead: Series, *, smoothed: bool) -> list[tuple[int, Line]]:
    """How the curves of a chart are drawn; what differs from the usual comes first.

    Args:
        lead: Its first series.
    """
    chart_settings, x = scene.chart_settings, x_axis_of(scene, lead)
    words = []
    if options_of(scene, lead).log_y:
        words.append("log y")
    if chart_settings.log_x:
        words.append("log x")
    if x is not XAxis.STEP or x is not chart_settings.x:
        words.append(scene.sorted_by(x.value))
    if chart_settings.recent:
        words.append("recent")
    if not chart_settings.robust:
        words.append("outliers")
    usual = chart_settings.smoothing == SMOOTHINGS[2]
    if not smoothed and not usual:
        # A key of smoothing was pressed: it shows what came of it.
        words.append("few points: raw" if chart_settings.smoothing else "raw")
    marks: list[tuple[int, Line]] = [(0, ((scene.say(word), MUTED),)) for word in words]
    if smoothed and not usual:
        how = f"{scene.say('smoothing')} {chart_settings.smoothing:g}"
        marks.append((0, ((how, MUTED),)))
    return marks
