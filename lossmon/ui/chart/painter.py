"""A chart as a picture: axes, curves and marks in their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from rich.style import Style

from lossmon.types import Severity
from lossmon.ui.chart.annotations import (
    draw_checkpoints,
    draw_cursor,
    draw_findings,
    draw_letters,
    draw_marks,
    draw_points,
    draw_verdicts,
)
from lossmon.ui.chart.axes.ranges import Frame, Span
from lossmon.ui.chart.axes.ticks import Tick
from lossmon.ui.chart.canvas import CELLS, Canvas, Dots, Picture, cells_of
from lossmon.ui.chart.curve_cache import Trace, Window
from lossmon.ui.chart.layers import (
    Grid,
    Layer,
    gap_cells,
    line_layer,
    merge,
    raw_layer,
    scatter_layer,
)
from lossmon.ui.chart.layout import Layout, horizontal, layout, vertical
from lossmon.ui.chart.model import ChartModel, ChartOptions, Curve, Guides, XAxis
from lossmon.ui.theme.palette import Palette

SERIES = tuple(f"series-{number}" for number in range(1, 9))
"""Styles of curves that are neither train nor eval."""

CALM = tuple(f"{name}-calm" for name in SERIES)
"""The same, fainter: curves beside the one that is looked at."""

LINES = ("train", "eval", "other", *SERIES, *CALM)
"""Styles of lines; each has a fainter one for its raw points, named `…-raw`."""

TINTED = "+gap"
"""What the name of a style ends in where its ground is that of the gap between two curves."""

_PLAIN = (
    "blank",
    "axis",
    *LINES,
    *(f"{name}-raw" for name in LINES),
    "ghost",
    "gap",
    "mark",
    "nan",
    "clipped",
    "restart",
    *(f"verdict-{severity.word}" for severity in Severity),
    "checkpoint",
    "cursor",
    "guide",
)

STYLES = (*_PLAIN, *(f"{name}{TINTED}" for name in _PLAIN))
"""Every style name that a picture can hold."""

_ROOM_OF_A_POINT = 2
"""Columns that a raw point has on the average where it gets a character of its own."""

_INDEX = {name: index for index, name in enumerate(STYLES)}

_ASCII_GLYPHS = "oxABCDEFGH"
"""What the second and further curves are made of in ASCII."""


_GUIDES, _ASCII_GUIDES = ("┈", "┊", "┼", 1), ("-", ":", "+", 4)
"""Characters of a line across, of one down, and of their crossing; in so many columns stands one
across, since in ASCII an unbroken line would look like a curve."""


class Painter:
    """Draws one chart again and again, and remembers what need not be done twice."""

    def __init__(self) -> None:
        self.frame: Frame | None = None
        """Ranges of the newest picture, None while there was nothing to draw."""
        self.plan: Layout | None = None
        """Where the curves stand in the newest picture, None while there is none."""
        self.found: frozenset[str] = frozenset()
        """Which of `clipped`, `below` and `nan` the newest picture points out."""
        self._traces: dict[tuple[str, int], Trace] = {}
        self._settled: tuple[object, ...] = ()

    def paint(self, model: ChartModel, options: ChartOptions, width: int, height: int) -> Picture:
        """Draw a chart in `width` x `height` cells."""
        canvas = Canvas(width, height, STYLES)
        traces = self._updated(model, options)
        x = horizontal(traces, model, options)
        if x is None or width < 2 or height < 1:
            self.frame, self.plan, self.found = None, None, frozenset()
            return canvas.picture()
        self._paint(canvas, model, options, traces, x)
        return canvas.picture()

    @property
    def traces(self) -> tuple[Trace, ...]:
        """The curves of the newest picture as they are remembered, in their order."""
        return tuple(trace for (kind, _), trace in self._traces.items() if kind == "curve")

    def whole(self, model: ChartModel, options: ChartOptions) -> Span | None:
        """The positions of a model that was painted, without any window; None without points."""
        unbounded = replace(options, x_range=None, recent=False)
        return horizontal(list(self._traces.values()), model, unbounded)

    def _updated(self, model: ChartModel, options: ChartOptions) -> list[Trace]:
        """Traces of the curves, of the context and of what lies behind, up to date."""
        wanted = [(("curve", at), curve) for at, curve in enumerate(model.curves)]
        wanted += [(("context", at), curve) for at, curve in enumerate(model.context)]
        wanted += [(("behind", at), curve) for at, curve in enumerate(model.behind)]
        kept = {key: self._traces.get(key) or Trace() for key, _ in wanted}
        self._traces = kept
        # Only drawn curves have a line; those beside give their values to the ranges.
        known = [
            kept[key].update(curve, 0.0 if key[0] == "context" else options.smoothing)
            for key, curve in wanted
        ]
        if not any(known):
            # Another run or another metric: it has a range of its own.
            self._settled = ()
        return list(kept.values())

    def _paint(
        self,
        canvas: Canvas,
        model: ChartModel,
        options: ChartOptions,
        traces: Sequence[Trace],
        x: Span,
    ) -> None:
        rows, columns = CELLS[options.marker]
        previous = self._previous(options)
        ranging = traces[: len(traces) - len(model.behind)]
        losses = all(curve.loss for curve in (*model.curves, *model.context))
        y = vertical(ranging, options, x, previous, losses=losses)
        self.frame = Frame(x, y or previous or Span(0.0, 1.0), options.log_y)
        plan = self.plan = layout(
            self.frame, options, canvas.width, canvas.height, log_x=model.log_x
        )
        on_clock = options.x_axis is XAxis.TIME
        grid = Grid(self.frame, plan.width * columns, plan.height * rows, pauses=on_clock)
        drawn = [
            (curve, trace.drawn(x, grid.width, plan.width))
            for curve, trace in zip(model.curves, traces, strict=False)
        ]
        behind = [
            (curve, trace.drawn(x, grid.width, plan.width))
            for curve, trace in zip(model.behind, traces[len(ranging) :], strict=True)
        ]
        _curves(canvas, plan, grid, drawn, behind, options)
        if options.points:
            for (curve, window), trace in zip(drawn, traces, strict=False):
                _points(canvas, plan, grid, curve, window, trace, options)
        draw_letters(canvas, plan, grid, drawn, options)
        draw_marks(canvas, plan, grid, model, options)
        windows = [window for _, window in drawn]
        self.found = draw_findings(canvas, plan, grid, windows, options)
        if options.cursor is not None:
            draw_cursor(canvas, plan, grid, options)
        if options.guides is not Guides.NONE:
            _guides(canvas, plan, grid, options)
        pair = [*windows, *(window for _, window in behind)] if len(windows) == 1 else windows
        if options.shade_gap != "none" and len(pair) == 2:
            between = gap_cells(pair[0], pair[1], grid, (rows, columns))
            _shade(canvas, plan, between, options)
        draw_verdicts(canvas, plan, grid, model.marks, options)
        _axes(canvas, plan, grid, options, labelled=y is not None)
        draw_checkpoints(canvas, plan, grid, model.marks, options)

    def _previous(self, options: ChartOptions) -> Span | None:
        """The range shown so far, unless the user asked for another view."""
        ranges = (options.log_y, options.hide_outliers, options.x_range, options.recent)
        asked = (*ranges, options.x_axis)
        known = self.frame.y if self.frame is not None and self._settled == asked else None
        self._settled = asked
        return known


def render(model: ChartModel, options: ChartOptions, width: int, height: int) -> Picture:
    """Draw a chart once, in `width` x `height` cells."""
    return Painter().paint(model, options, width, height)


def _curves(
    canvas: Canvas,
    plan: Layout,
    grid: Grid,
    drawn: Sequence[tuple[Curve, Window]],
    behind: Sequence[tuple[Curve, Window]],
    options: ChartOptions,
) -> None:
    front: list[Layer] = []
    back = [_faint(curve, window, grid, options) for curve, window in behind]
    points: list[Layer] = []
    for at, (curve, window) in enumerate(drawn):
        style = curve.style if curve.style in LINES else "other"
        dashed = options.mono and at > 0 and options.marker != "ascii"
        glyph = "" if at == 0 else curve.letter or _ASCII_GLYPHS[(at - 1) % len(_ASCII_GLYPHS)]
        dots = line_layer(window, grid, exact=not window.smoothed, dashed=dashed)
        front.append(Layer(dots, style, glyph))
        if window.smoothed and curve.raw:
            # In ASCII a cell has one character: there the line keeps its own.
            apart = options.points and options.marker != "ascii" and _few(window, grid.width)
            raw = Layer(raw_layer(window, grid), f"{style}-raw", ".")
            (points if apart else back).append(raw)
        if len(curve.ghost_y):
            back.append(Layer(_ghost(curve, grid), "ghost", ","))
    if front:
        codes, styles = merge([*front, *points], back, options.marker, _INDEX)
        canvas.lay(plan.left, 0, codes, styles)
    if front and drawn[0][0].letter:
        # Of curves that are compared the one that is looked at hides the others.
        canvas.lay(plan.left, 0, *merge(front[:1], [], options.marker, _INDEX))
    for layer in front:
        _lone_point(canvas, plan, layer, options)


def _faint(curve: Curve, window: Window, grid: Grid, options: ChartOptions) -> Layer:
    dots = line_layer(window, grid, exact=not window.smoothed, dashed=options.mono)
    return Layer(dots, f"{curve.style if curve.style in LINES else 'other'}-raw", ".")


def _few(window: Window, room: int) -> bool:
    return int(window.columns.points.sum()) <= room


def _points(
    canvas: Canvas,
    plan: Layout,
    grid: Grid,
    curve: Curve,
    window: Window,
    trace: Trace,
    options: ChartOptions,
) -> None:
    """Draw every raw point as a character of its own, where there is room for them."""
    if not _few(window, plan.width // _ROOM_OF_A_POINT):
        return
    style = curve.style if curve.style in LINES else "other"
    if window.smoothed:
        style = f"{style}-raw"
    draw_points(canvas, plan, grid, *trace.points(grid.frame.x), style, options)


def _shade(
    canvas: Canvas,
    plan: Layout,
    cells: Dots,
    options: ChartOptions,
) -> None:
    if options.shade_gap == "tint":
        canvas.tint(plan.left, 0, cells, len(_PLAIN))
        return
    for y, x in zip(*np.nonzero(cells), strict=True):
        at = plan.left + int(x)
        # Only where there is much of it: a dot between two near lines would look like a point.
        if (x + 4 * (y % 2)) % 8 == 0 and canvas.blank(at - 1, int(y), 3):
            canvas.put(at, int(y), "·", "gap")


def _lone_point(canvas: Canvas, plan: Layout, layer: Layer, options: ChartOptions) -> None:
    """A curve of one dot is easily overlooked: it gets a larger one."""
    rows, columns = np.nonzero(layer.dots)
    if len(rows) == 1:
        shape = CELLS[options.marker]
        x, y = plan.left + int(columns[0]) // shape[1], int(rows[0]) // shape[0]
        canvas.put(x, y, "o" if options.marker == "ascii" else "•", layer.style)


def _ghost(curve: Curve, grid: Grid) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    x = curve.shown(curve.ghost_x)
    n = min(len(x), len(curve.ghost_y))
    return scatter_layer(x[:n], curve.ghost_y[:n], grid)


def _axes(
    canvas: Canvas, plan: Layout, grid: Grid, options: ChartOptions, *, labelled: bool
) -> None:
    plain = options.marker == "ascii"
    if plan.left:
        for y in range(plan.height):
            canvas.put(plan.left - 1, y, "|" if plain else "│", "axis")
    if plan.left and labelled:
        for tick, y in zip(plan.values, _value_rows(plan, grid, options), strict=True):
            canvas.write(plan.left - 1 - len(tick.label), y, _label(tick, options), "axis")
            canvas.put(plan.left - 1, y, "+" if plain else "┤", "axis")
    _positions(canvas, plan, grid, options)


def _value_rows(plan: Layout, grid: Grid, options: ChartOptions) -> list[int]:
    """The row of each label of the y axis."""
    places = grid.rows(np.array([tick.at for tick in plan.values], np.float64))
    rows = CELLS[options.marker][0]
    return [min(max(round(one), 0), grid.height - 1) // rows for one in places.tolist()]


def _guides(canvas: Canvas, plan: Layout, grid: Grid, options: ChartOptions) -> None:
    """Draw lines at the labels of the axes where nothing else is drawn."""
    across, down, cross, apart = _ASCII_GUIDES if options.marker == "ascii" else _GUIDES
    codes = np.full((plan.height, plan.width), ord(" "), np.uint32)
    rows = _value_rows(plan, grid, options)
    codes[rows, ::apart] = ord(across)
    if options.guides is Guides.GRID:
        places = [grid.column(tick.at) for tick in plan.positions]
        columns = [at // CELLS[options.marker][1] for at in places if at is not None]
        codes[:, columns] = ord(down)
        codes[np.ix_(rows, columns)] = ord(cross)
    canvas.underlay(plan.left, 0, codes, "guide")


def _label(tick: Tick, options: ChartOptions) -> str:
    return tick.label.replace("−", "-") if options.marker == "ascii" else tick.label


def _positions(canvas: Canvas, plan: Layout, grid: Grid, options: ChartOptions) -> None:
    columns = CELLS[options.marker][1]
    free = 0
    for tick in plan.positions:
        column = grid.column(tick.at)
        if column is None:
            continue
        width = len(cells_of(tick.label))
        begin = plan.left + column // columns - width // 2
        begin = max(0, min(begin, canvas.width - width))
        # A label gives way to a mark, and one close to it would read as a part of the number.
        apart = range(begin - 1, begin + width + 1)
        is_free = all(canvas.blank(at, plan.height, 1) for at in apart if 0 <= at < canvas.width)
        if begin >= free and is_free:
            canvas.write(begin, plan.height, _label(tick, options), "axis")
            free = begin + width + 1


SERIES_ROLES = {
    "series-1": "train",
    "series-2": "eval",
    "series-3": "ok",
    "series-4": "warning",
    "series-5": "critical",
    "series-6": "notice",
    "series-7": "mark",
    "series-8": "bar",
}
"""The colours of runs that are laid over each other."""

_ROLES = {
    "blank": "foreground",
    "axis": "axis",
    "train": "train",
    "eval": "eval",
    "train-raw": "train-raw",
    "eval-raw": "eval-raw",
    "other": "train",
    "other-raw": "train-raw",
    **SERIES_ROLES,
    "ghost": "muted",
    "gap": "frame",
    "mark": "mark",
    "nan": "critical",
    "clipped": "muted",
    "restart": "muted",
    "verdict-neutral": "muted",
    "verdict-ok": "ok",
    "verdict-notice": "notice",
    "verdict-warning": "warning",
    "verdict-critical": "critical",
    "checkpoint": "muted",
    "cursor": "key",
    "guide": "frame",
}
"""The role of the theme that paints each style; raw points of further curves are muted."""

_ROLES |= {f"{name}-calm": f"{_ROLES[name]}~" for name in SERIES}
_ROLES |= {f"{name}-raw": "muted" for name in LINES if f"{name}-raw" not in _ROLES}


def cell_style(palette: Palette, name: str) -> Style:
    """The style of cells that a picture names so."""
    if name.endswith(TINTED):
        return palette.tinted(_ROLES[name.removesuffix(TINTED)])
    return palette.style(_ROLES[name])
