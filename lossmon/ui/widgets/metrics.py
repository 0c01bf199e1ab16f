"""Every scalar that is not the headline loss: a sparkline and its newest value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content

from lossmon.types import Series
from lossmon.ui.metrics.entries import Bands, MetricEntry
from lossmon.ui.metrics.names import frequencies
from lossmon.ui.metrics.ranking import SearchError, matcher
from lossmon.ui.metrics.table import Spans, entries_in, is_double, spans_of, table, table_rows
from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import EMPTY, TEXT, Line, clean, pad
from lossmon.ui.widgets.panel import ScenePanel


class Metrics(ScenePanel, can_focus=True):
    """Sparklines of the run in view; with the focus one of them is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "up", id="pane.row_up", show=False, tooltip="Metric above"),
        Binding(
            "down,j", "choose(1)", "down", id="pane.row_down", show=False, tooltip="Metric below"
        ),
        Binding("pageup,b,ctrl+u", "page(-1)", "page up", id="pane.row_page_up", show=False,
                tooltip="Page of metrics above"),
        Binding("pagedown,ctrl+d", "page(1)", "page down", id="pane.row_page_down", show=False,
                tooltip="Page of metrics below"),
        Binding("home", "edge(-1)", "first", id="pane.row_first", show=False,
                tooltip="First metric"),
        Binding("end,G", "edge(1)", "last", id="pane.row_last", show=False,
                tooltip="Last metric"),
    ]  # fmt: skip

    title_word = "metrics"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._spans: Spans = {}
        self.entries: list[MetricEntry] = []
        self.filter = ""
        """What was typed to filter the metrics."""
        self._bands = Bands()
        self._place = self._typed = ""
        self._series: Sequence[Series] = ()
        self._listed: tuple[frozenset[str], str] = (frozenset(), "")
        self._counts: Counter[str] = Counter()
        self.chosen_key: str | None = None
        """Key of the chosen metric, None before the panel had the focus."""
        self.top = 0
        """The first metric in view, where they do not all fit."""

    def show(self, scene: Scene) -> None:
        """Show the scalars of a scene's run."""
        self.scene = scene
        run = scene.run
        series = run.series if run is not None else ()
        # Series are compared by identity: arrays have no single truth.
        if series is not self._series or (scene.pins, self.filter) != self._listed:
            self._series, self._listed = series, (scene.pins, self.filter)
            self.entries = entries_in(run, scene.pins, self.filter) if run else []
            self._counts = frequencies(one.name for one in self.entries)
            self._spans = spans_of(run) if run else {}
        self.set_class(not self.entries and not self.filter, "-empty", update=self.is_mounted)
        self.redraw()

    def sift(self, text: str, *, typing: bool = False) -> None:
        """Show only metrics that fit a filter; an incomplete pattern changes nothing.

        Args:
            text: The filter (see `matcher`).
            typing: It is still typed.
        """
        self._typed = f"/{clean(text)}▏" if typing else ""
        try:
            matcher(text)
        except SearchError:
            pass
        else:
            self.filter = text
        self.show(self.scene)

    def redraw(self) -> None:
        super().redraw()
        self._show_place()

    def on_resize(self) -> None:
        self._show_place()

    def _show_place(self) -> None:
        """Say in the lower edge of the box which metrics are in view, where they do not all fit."""
        width, height = self.content_size
        shown = self._rows(width, height) * (2 if self._is_double(width) else 1)
        count = len(self.entries)
        is_all = self.styles.gutter.top == 0 or not 0 < shown < count
        place = "" if is_all else f"{self.top + 1}-{min(count, self.top + shown)}/{count}"
        if self.filter or self._typed:
            place = f"{self._typed or '/' + clean(self.filter)}  {place or count}"
        if place != self._place:
            self._place = place
            # Setting it paints the whole panel, even where it says the same.
            self.border_subtitle = Content(place)

    def wanted_height(self, width: int) -> int:
        rows = table_rows(len(self.entries), width, boxed=self.styles.gutter.top > 0)
        named = self.styles.gutter.top == 0 and bool(self._typed or self.filter)
        return rows + 1 if named else rows

    def _is_double(self, width: int) -> bool:
        return is_double(len(self.entries), width, boxed=self.styles.gutter.top > 0)

    @property
    def chosen(self) -> int | None:
        """Place of the chosen metric, None where the panel has not got the focus."""
        if not self.has_focus or not self.entries:
            return None
        keys = [one.key for one in self.entries]
        return keys.index(self.chosen_key) if self.chosen_key in keys else 0

    @property
    def chosen_series(self) -> Series | None:
        """The chosen metric, of a group its first; None without the focus."""
        return None if self.chosen is None else self.entries[self.chosen].lead

    def action_choose(self, rows: int) -> None:
        """Move the choice."""
        at = self.chosen
        if at is not None:
            self._choose(max(0, min(len(self.entries) - 1, at + rows)))

    def action_page(self, pages: int) -> None:
        """Move the choice by a screenful."""
        width, height = self.content_size
        shown = self._rows(width, height) * (2 if self._is_double(width) else 1)
        self.action_choose(pages * max(1, shown))

    def action_edge(self, side: int) -> None:
        """Choose the first or the last metric."""
        self.action_choose(side * len(self.entries))

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        if _has_focus and self.chosen is not None:
            self._choose(self.chosen)
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """A click chooses, two open."""
        offset = event.get_content_offset(self)
        if offset is None or self.chosen is None:
            return
        width, height = self.content_size
        at = self.top + offset.y
        if self._is_double(width) and offset.x > width // 2:
            at += self._rows(width, height)
        if not self.top <= at < len(self.entries):
            return
        self._choose(at)
        if event.chain > 1:
            self.call_later(self.run_action, "screen.open")

    def on_mouse_scroll_down(self) -> None:
        self.action_choose(1)

    def on_mouse_scroll_up(self) -> None:
        self.action_choose(-1)

    def _choose(self, at: int) -> None:
        self.chosen_key = self.entries[at].key
        self.redraw()

    def _rows(self, width: int, height: int) -> int:
        """Rows of metrics in view."""
        return min(height, self.wanted_height(width))

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        if self.styles.gutter.top > 0 or not (self._typed or self.filter):
            return self._table(width, height)
        # Without a border there is no title to show the filter in.
        filtered = ((self._typed or f"/{clean(self.filter)}", "key"),)
        return [filtered, *self._table(width, max(1, height - 1))]

    def _table(self, width: int, height: int) -> Sequence[Line]:
        ascii = not self.scene.terminal.unicode
        rows, chosen = self._rows(width, height), self.chosen
        shown = rows * (2 if self._is_double(width) else 1)
        at = chosen or 0
        self.top = max(0, min(self.top, at, len(self.entries) - shown), at - shown + 1)
        visible = self._visible(shown)
        mark = None if chosen is None else chosen - self.top

        def drawn(
            series: Sequence[Series], room: int, mark: int | None, beside: Sequence[Series] = ()
        ) -> list[Line]:
            known = self._counts, self._spans, self.scene.metric
            return table(series, room, ascii, mark, *known, beside)

        if self._is_double(width):
            half = (width - 2) // 2
            below = None if mark is None else mark - rows
            ours, others = visible[:rows], visible[rows:]
            left, right = drawn(ours, half, mark, others), drawn(others, half, below, ours)
            right += [EMPTY] * (len(left) - len(right))
            return [
                (*pad(one, half), ("  ", TEXT), *two) for one, two in zip(left, right, strict=True)
            ]
        return drawn(visible, width, mark)

    def _visible(self, count: int) -> list[Series]:
        """The series in view; a group is shown by its median."""
        visible = self.entries[self.top : self.top + count]
        self._bands.keep([one.key for one in visible])
        return [self._bands.median(one) if one.is_group else one.lead for one in visible]
