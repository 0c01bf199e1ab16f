"""Views of PR and ROC curves: the curve at one step, and the area under it over steps."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from textual import events
from textual.containers import Container

from lossmon.types import ClassifierCurve, MediaKind
from lossmon.ui.chart.model import ChartModel, ChartOptions, Curve, XAxis
from lossmon.ui.dashboard.chart_titles import options_of
from lossmon.ui.media.heat import area_word, curve_model, unit_square, unsmoothed
from lossmon.ui.screens.media.base import MediaScreen
from lossmon.ui.text.lines import MUTED, TEXT, Line
from lossmon.ui.widgets.charts.chart import Chart
from lossmon.ui.widgets.panel import Heading


class CurvesScreen(MediaScreen):
    """The curve of the chosen step beside the area under that of each step."""

    DEFAULT_CSS = """
    CurvesScreen #curves {
        layout: horizontal; height: 1fr; border-left: round $frame; border-right: round $frame;
    }
    CurvesScreen #curves Container { width: 1fr; height: 1fr; }
    CurvesScreen.-tiny #curves, CurvesScreen.-narrow #curves { layout: vertical; }
    CurvesScreen.-tiny #area, CurvesScreen.-narrow #area { height: 7; }
    CurvesScreen.-narrow.-short #area, CurvesScreen.-tiny.-short #area { display: none; }
    """

    titles: ClassVar[tuple[str, str]]
    """What the curve shows, and what is drawn over steps, in English."""

    def make_view(self) -> Container:
        self.curve, self.area = Chart(), Chart()
        self.headings = Heading(), Heading()
        return Container(
            Container(self.headings[0], self.curve),
            Container(self.headings[1], self.area, id="area"),
            id="curves",
        )

    def draw(self) -> None:
        content, options = self.content, options_of(self.scene)
        curve = curve_model(content if isinstance(content, ClassifierCurve) else None)
        self.curve.show(curve, unit_square(options))
        for heading, word in zip(self.headings, self.titles, strict=True):
            heading.show([(0, ((self.scene.say(word), MUTED),))])
        self._draw_area(unsmoothed(options))

    def _draw_area(self, options: ChartOptions) -> None:
        records = self.series.records if self.series is not None else ()
        known = [
            (one.step, found.area)
            for one in records
            if isinstance(found := self.contents.get(one), ClassifierCurve)
        ]
        steps = np.array([step for step, _ in known], np.int64)
        values = np.array([value for _, value in known], np.float64)
        cursor = None if self.step is None else float(self.step)
        self.area.show(
            ChartModel((Curve("", steps, values, "eval", smooth=False),)),
            replace(options, x_axis=XAxis.STEP, cursor=cursor),
        )

    def on_click(self, event: events.Click) -> None:
        """A click on the chart over steps goes to the nearest one."""
        place = event.get_content_offset(self.area)
        position = None if place is None else self.area.position_at(place.x)
        if position is not None and self.series is not None:
            steps = [one.step for one in self.series.records]
            nearest = min(range(len(steps)), key=lambda at: abs(steps[at] - position))
            self.action_step(nearest - self.place)

    def facts(self) -> list[tuple[int, Line]]:
        content = self.content
        if not isinstance(content, ClassifierCurve):
            return []
        word = self.scene.say(area_word(content))
        return [(1, ((f"{word} ", MUTED), (f"{content.area:.3f}", TEXT)))]


class PrCurvesScreen(CurvesScreen):
    """PR curves view: precision over recall, and the average precision over steps."""

    kind = MediaKind.PR_CURVE
    missing = "this run logs no PR curves"
    titles = ("precision over recall", "average precision over steps")


class RocCurvesScreen(CurvesScreen):
    """ROC curves view: true positive rate over false positive rate, and the AUC over steps."""

    kind = MediaKind.ROC_CURVE
    missing = "this run logs no ROC curves"
    titles = ("true positive rate over false positive rate", "AUC over steps")
