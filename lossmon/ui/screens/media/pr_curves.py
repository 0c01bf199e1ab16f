"""PR curves view: precision over recall at one step, and the average precision over steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from textual.containers import Container

from lossmon.types import MediaKind, PrCurve
from lossmon.ui.chart.model import ChartModel, ChartOptions, Curve
from lossmon.ui.chart.view_options import XAxis
from lossmon.ui.dashboard.chart_titles import options_of
from lossmon.ui.media.heat import curve_model, unit_square, unsmoothed
from lossmon.ui.screens.media.base import MediaScreen
from lossmon.ui.text.lines import MUTED, TEXT, Line
from lossmon.ui.widgets.charts.chart import Chart
from lossmon.ui.widgets.panel import Heading


class PrCurvesScreen(MediaScreen):
    """The curve of the chosen step beside the average precision of all steps."""

    DEFAULT_CSS = """
    PrCurvesScreen #curves {
        layout: horizontal; height: 1fr; border-left: round $frame; border-right: round $frame;
    }
    PrCurvesScreen #curves Container { width: 1fr; height: 1fr; }
    PrCurvesScreen.-tiny #curves, PrCurvesScreen.-narrow #curves { layout: vertical; }
    PrCurvesScreen.-tiny #average, PrCurvesScreen.-narrow #average { height: 7; }
    PrCurvesScreen.-narrow.-short #average, PrCurvesScreen.-tiny.-short #average { display: none; }
    """

    kind = MediaKind.PR_CURVE
    missing = "this run logs no PR curves"

    def make_view(self) -> Container:
        self.curve, self.average = Chart(), Chart()
        self.titles = Heading(), Heading()
        return Container(
            Container(self.titles[0], self.curve),
            Container(self.titles[1], self.average, id="average"),
            id="curves",
        )

    def draw(self) -> None:
        content, options = self.content, options_of(self.scene)
        curve = curve_model(content if isinstance(content, PrCurve) else None)
        self.curve.show(curve, unit_square(options))
        titles = ("precision over recall", "average precision over steps")
        for heading, word in zip(self.titles, titles, strict=True):
            heading.show([(0, ((self.scene.say(word), MUTED),))])
        self._draw_average(unsmoothed(options))

    def _draw_average(self, options: ChartOptions) -> None:
        records = self.series.records if self.series is not None else ()
        known = [
            (one.step, found.average_precision)
            for one in records
            if isinstance(found := self.contents.get(one), PrCurve)
        ]
        steps = np.array([step for step, _ in known], np.int64)
        values = np.array([value for _, value in known], np.float64)
        cursor = None if self.step is None else float(self.step)
        self.average.show(
            ChartModel((Curve("", steps, values, "eval", smooth=False),)),
            replace(options, x_axis=XAxis.STEP, cursor=cursor),
        )

    def facts(self) -> list[tuple[int, Line]]:
        content = self.content
        if not isinstance(content, PrCurve):
            return []
        word = self.scene.say("average precision")
        return [(1, ((f"{word} ", MUTED), (f"{content.average_precision:.3f}", TEXT)))]
