"""Chart widget: repaints only the cells that differ from the last picture."""

from __future__ import annotations

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from lossmon.ui.chart.axes.ranges import Frame, Span
from lossmon.ui.chart.canvas import Picture, changes
from lossmon.ui.chart.curve_cache import Trace
from lossmon.ui.chart.model import ChartModel, ChartOptions, Curve
from lossmon.ui.chart.painter import Painter, cell_style
from lossmon.ui.widgets.guarded import Guarded
from lossmon.ui.widgets.painting import palette_of


class Chart(Guarded, Widget):
    """Curves over time. Give it a model with `show`; it never asks for anything itself."""

    DEFAULT_CSS = "Chart { width: 1fr; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.model = ChartModel()
        self.options = ChartOptions()
        self._painter = Painter()
        self._picture: Picture | None = None
        self._drawn_for = Size(0, 0)

    def on_unmount(self) -> None:
        """Free the columns: the widget itself may stay until garbage is searched for."""
        self.model, self._painter, self._picture = ChartModel(), Painter(), None

    @property
    def frame(self) -> Frame | None:
        """Ranges of the axes as they are drawn, None while there is nothing to draw."""
        return self._painter.frame

    @property
    def traces(self) -> tuple[Trace, ...]:
        """The curves as they were painted, for the readout; empty while the model is not painted:
        before the first picture, and where the chart is hidden."""
        return () if self._picture is None else self._painter.traces

    @property
    def found(self) -> frozenset[str]:
        """Which of `clipped`, `below` and `nan` the picture points out."""
        return self._painter.found

    @property
    def whole(self) -> Span | None:
        """Positions from the start to the newest, whatever window is shown; None without points."""
        return self._painter.whole(self.model, self.options)

    @property
    def cell(self) -> float:
        """How far one column reaches, in shown units; 0 while there is nothing to draw."""
        plan, frame = self._painter.plan, self._painter.frame
        return 0.0 if plan is None or frame is None else frame.x.length / plan.width

    def position_at(self, column: int) -> float | None:
        """The position in the middle of a column of the widget; None beside the curves."""
        plan, frame = self._painter.plan, self._painter.frame
        if plan is None or frame is None or not 0 <= column - plan.left < plan.width:
            return None
        return frame.x.low + (column - plan.left + 0.5) / plan.width * frame.x.length

    @property
    def picture(self) -> Picture | None:
        """What stands on the screen, None before the first paint."""
        return self._picture

    def show(self, model: ChartModel, options: ChartOptions | None = None) -> None:
        """Draw a model; cells that stay the same are not sent to the terminal again.

        Args:
            model: What to draw. A live curve is given again with its longer columns.
            options: How to draw it; by default as before.
        """
        options = self.options if options is None else options
        size = self.content_size
        if self._shows(model, options) and self._drawn_for == size:
            return
        self.model, self.options = model, options
        if not self.is_mounted or not size:
            # A chart that is hidden meanwhile may come back in its old size.
            self._picture = None
            return
        before = self._picture if self._drawn_for == size else None
        self._drawn_for = size
        self._picture = self._painter.paint(model, options, *size)
        runs = changes(before, self._picture)
        if runs is None:
            self.refresh()
        elif runs:
            self.refresh(*(Region(run.start, run.y, run.end - run.start, 1) for run in runs))

    def _shows(self, model: ChartModel, options: ChartOptions) -> bool:
        old = self.model
        return (
            options == self.options
            and (model.marks, model.total, model.live) == (old.marks, old.total, old.live)
            and len(model.curves) == len(old.curves)
            and len(model.context) == len(old.context)
            and len(model.behind) == len(old.behind)
            and all(map(Curve.same, _curves_of(model), _curves_of(old)))
        )

    def render_line(self, y: int) -> Strip:
        size = self.content_size
        if self._picture is None or self._drawn_for != size:
            self._drawn_for = size
            self._picture = self._painter.paint(self.model, self.options, *size)
        if y >= self._picture.height:
            return Strip.blank(size.width, cell_style(palette_of(self.app), "blank"))
        palette = palette_of(self.app)
        runs = self._picture.segments(y)
        segments = [Segment(text, cell_style(palette, name)) for text, name in runs]
        return Strip(segments, size.width)


def _curves_of(model: ChartModel) -> tuple[Curve, ...]:
    return model.curves + model.context + model.behind
