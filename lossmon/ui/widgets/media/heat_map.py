"""Heat map: histograms over steps, as densities or as bands, with the axes of values and steps."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from lossmon.types import Histogram
from lossmon.ui.chart.axes.ticks import Tick, linear_ticks, step_ticks
from lossmon.ui.media.heat import bands, colored, columns_of, densities, shaded, value_range
from lossmon.ui.terminal import Terminal
from lossmon.ui.widgets.guarded import Guarded
from lossmon.ui.widgets.media.picture import (
    glyph_row,
    glyphs_of,
    ground_of,
    has_pixels,
    pixel_row,
    rgb_of,
)
from lossmon.ui.widgets.painting import palette_of

_ROWS_PER_LABEL = 3
_CELLS_PER_LABEL = 14
_ROOM_FOR_LABELS = 24
"""Columns below which the axis of values has no labels."""


class HeatMap(Guarded, Widget):
    """Shows histograms over steps; columns are steps, rows are bins of value."""

    DEFAULT_CSS = "HeatMap { width: 1fr; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._steps: tuple[int, ...] = ()
        self._histograms: tuple[Histogram | None, ...] = ()
        self._cursor: int | None = None
        self._draws_bands = False
        self._terminal = Terminal()
        self._rows: list[list[Segment]] = []
        self._drawn_for: tuple[object, ...] = ()

    def show(
        self,
        steps: Sequence[int],
        histograms: Sequence[Histogram | None],
        terminal: Terminal,
        cursor: int | None = None,
        *,
        draws_bands: bool = False,
    ) -> None:
        """Show histograms.

        Args:
            steps: Their steps, ascending.
            histograms: As many; None where one is not known.
            cursor: Index of the one that is marked, or None.
            draws_bands: Draw bands of percentiles instead of how dense the values are.
        """
        asked = (tuple(steps), tuple(histograms), cursor, draws_bands)
        if asked == (self._steps, self._histograms, self._cursor, self._draws_bands):
            return
        self._steps, self._histograms, self._cursor, self._draws_bands = asked
        self._terminal, self._drawn_for = terminal, ()
        self.refresh()

    def step_at(self, x: int) -> int | None:
        """Index of the histogram in a column of the widget; None beside the map."""
        left = self._left(self.content_size)
        columns = self.content_size.width - left
        if not self._steps or not 0 <= x - left < columns:
            return None
        return columns_of(self._steps, columns)[x - left]

    def render_line(self, y: int) -> Strip:
        size, palette = self.content_size, palette_of(self.app)
        if self._drawn_for != (size, palette):
            self._drawn_for = (size, palette)
            self._rows = self._paint(size) if size else []
        line = self._rows[y] if y < len(self._rows) else []
        return Strip(line).adjust_cell_length(size.width, palette.style("foreground"))

    def _known(self) -> list[Histogram]:
        return [one for one in self._histograms if one is not None]

    def _left(self, size: Size) -> int:
        """Cells of the labels of values and their axis."""
        if size.width < _ROOM_FOR_LABELS or not self._known():
            return 0
        ticks = self._ticks(size)
        return 1 + max((len(tick.label) for tick in ticks), default=0)

    def _ticks(self, size: Size) -> tuple[Tick, ...]:
        low, high = value_range(self._known())
        return linear_ticks(low, high, max(2, (size.height - 1) // _ROWS_PER_LABEL))

    def _paint(self, size: Size) -> list[list[Segment]]:
        if not self._known() or size.height < 2:
            return []
        left = self._left(size)
        columns, rows = size.width - left, size.height - 1
        shown = columns_of(self._steps, columns)
        cells = self._cells(shown, rows)
        labels = self._labels(size, left, rows)
        axis = palette_of(self.app).style("axis")
        lines = [
            [Segment(label, axis), *line] if left else line
            for label, line in zip(labels, cells, strict=True)
        ]
        return [*lines, self._positions(shown, left)]

    def _cells(self, shown: Sequence[int], rows: int) -> list[list[Segment]]:
        palette, terminal = palette_of(self.app), self._terminal
        low, high = value_range(self._known())
        histograms = [self._histograms[at] for at in shown]
        shares = bands if self._draws_bands else densities
        if not has_pixels(terminal, palette):
            codes = shaded(shares(histograms, low, high, rows), glyphs_of(terminal))
            return [glyph_row(row, palette.style("train")) for row in codes]
        ground = ground_of(palette)
        ramp = (
            ground,
            rgb_of(palette.style("train-raw"), ground),
            rgb_of(palette.style("train"), ground),
            rgb_of(palette.style("mark"), ground),
        )
        pixels = colored(shares(histograms, low, high, 2 * rows), ramp)
        return [pixel_row(pixels, y) for y in range(rows)]

    def _labels(self, size: Size, left: int, rows: int) -> list[str]:
        """What stands at the left of each row."""
        bar = "│" if self._terminal.unicode else "|"
        labels = [f"{'':{max(0, left - 1)}}{bar}"] * rows
        if left:
            low, high = value_range(self._known())
            for tick in self._ticks(size):
                y = round((high - tick.at) / (high - low) * rows - 0.5)
                edge = "┤" if self._terminal.unicode else "+"
                labels[min(max(y, 0), rows - 1)] = f"{tick.label:>{left - 1}}{edge}"
        return labels

    def _positions(self, shown: Sequence[int], left: int) -> list[Segment]:
        """Labels of the steps, and the mark of the chosen one."""
        palette, first, last = palette_of(self.app), self._steps[0], self._steps[-1]
        text = [" "] * len(shown)
        mark = shown.index(self._cursor) if self._cursor in shown else -1
        for tick in step_ticks(first, last, max(2, len(shown) // _CELLS_PER_LABEL)):
            at = round((tick.at - first) / (last - first) * (len(shown) - 1))
            start = max(0, min(len(text) - len(tick.label), at - len(tick.label) // 2))
            stop = start + len(tick.label)
            is_marked = mark >= 0 and start - 1 <= mark <= stop
            if not is_marked and stop <= len(text):
                text[start:stop] = tick.label
        axis = palette.style("axis")
        if mark < 0:
            return [Segment(" " * left + "".join(text), axis)]
        sign = "▲" if self._terminal.unicode else "^"
        return [
            Segment(" " * left + "".join(text[:mark]), axis),
            Segment(sign, palette.style("key")),
            Segment("".join(text[mark + 1 :]), axis),
        ]
