"""The charts of the losses: two panes where they fit, one with both curves where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual.app import ComposeResult
from textual.widget import Widget

from lossmon.types import RunSnapshot
from lossmon.ui.chart.curve_cache import Trace
from lossmon.ui.chart.model import ChartModel
from lossmon.ui.chart.run_model import model_of
from lossmon.ui.chart.view_options import SMOOTHINGS, XAxis
from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import EMPTY, MUTED, Line
from lossmon.ui.widgets.chart_titles import footer_of, options_of, title_of
from lossmon.ui.widgets.metrics import others
from lossmon.ui.widgets.pane import LossPane, no_titles, separator

PANES = ("train", "eval")


class Losses(Widget):
    """Train and eval, side by side, one above the other, or in one pane."""

    DEFAULT_CSS = "Losses { width: 1fr; height: 1fr; layout: vertical; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.scene = Scene()
        self.panes = {name: LossPane(id=name) for name in PANES}

    def compose(self) -> ComposeResult:
        yield from self.panes.values()

    def show(self, scene: Scene) -> None:
        """Show the losses of a scene's run."""
        self.scene = scene
        wanted = wanted_series(scene)
        self.set_class("train" not in wanted, "-without-train")
        self.set_class("eval" not in wanted, "-without-eval")
        visible = [name for name in PANES if self.panes[name].display]
        if len(visible) == len(PANES) == len(wanted):
            train, evaluated = wanted["train"], wanted["eval"]
            self._show("train", (train,), (evaluated,))
            self._show("eval", (evaluated,), (train,))
        elif visible:
            self._show(visible[0], tuple(wanted.values()), ())

    def on_resize(self) -> None:
        self.show(self.scene)

    def _show(self, name: str, shown: tuple[int, ...], beside: tuple[int, ...]) -> None:
        scene, run, pane = self.scene, self.scene.run, self.panes[name]
        if run is None or not shown:
            pane.show(ChartModel(), options_of(scene), no_titles, EMPTY)
            return
        context = () if scene.chart_settings.own else beside
        pane.show(
            model_of(run, scene.chart_settings, shown, context),
            options_of(scene),
            partial(titles, scene, run, shown),
            footer_of(scene, run, shown),
        )


def wanted_series(scene: Scene) -> dict[str, int]:
    """Which series to draw, by pane: the losses that there are and that the user did not close.

    A run without any loss shows its first other scalar instead.
    """
    run = scene.run
    if run is None:
        return {}
    found = {"train": run.train, "eval": run.eval}
    there = {name: index for name, index in found.items() if index is not None}
    kept = {name: index for name, index in there.items() if name not in scene.chart_settings.hidden}
    if there:
        return kept or there
    rest = others(run)
    # Compared by identity: series hold arrays, which have no single truth.
    return {"train": next(i for i, one in enumerate(run.series) if one is rest[0])} if rest else {}


def titles(
    scene: Scene, run: RunSnapshot, shown: tuple[int, ...], traces: Sequence[Trace], room: int
) -> list[tuple[int, Line]]:
    """The title of a pane: the numbers of each curve, and how it is drawn.

    Args:
        scene: What the screen shows.
        run: The run.
        shown: Indices into its series, the most important first.
        traces: The same curves as they were drawn, or nothing before they were.
        room: Cells of the pane.
    """
    ends = (
        [trace.line_end for trace in traces] if len(traces) == len(shown) else [None] * len(shown)
    )
    parts: list[tuple[int, Line]] = []
    for index, end in zip(shown, ends, strict=True):
        if parts:
            parts.append((4, separator()))
        parts += title_of(scene, run, index, room, end)
    drawn = modes(scene, smoothed=any(end is not None for end in ends))
    if len(shown) == 1 or room >= 100:
        parts += [(importance + 3, line) for importance, line in drawn]
    elif changed := [part for part in drawn if part[0] == 0]:
        parts += [(3, line) for _, line in changed]
    return parts


def modes(scene: Scene, *, smoothed: bool) -> list[tuple[int, Line]]:
    """How the curves are drawn; what differs from the usual comes first."""
    chart_settings = scene.chart_settings
    words = []
    if chart_settings.log:
        words.append("log")
    if chart_settings.x is not XAxis.STEP:
        words.append(chart_settings.x.value)
    if chart_settings.recent:
        words.append("recent")
    if not chart_settings.robust:
        words.append("outliers")
    marks: list[tuple[int, Line]] = [(0, ((word, MUTED),)) for word in words]
    if smoothed:
        usual = chart_settings.smoothing == SMOOTHINGS[2]
        how = f"{scene.say('smoothing')} {chart_settings.smoothing:g}"
        marks.append((2 if usual else 0, ((how, MUTED),)))
    return marks
