"""Metrics view: a grid of charts of all metrics, paged, filtered and sorted."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from textual import events, getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size

from lossmon.ui.compare.charts import ComparedMetrics, RunLegend
from lossmon.ui.compare.runs import Comparison
from lossmon.ui.keys import footer
from lossmon.ui.metrics.charts import SCALES, grid_of, room_of
from lossmon.ui.metrics.entries import MediaEntry, MetricEntry
from lossmon.ui.metrics.names import shared_prefix, shortened
from lossmon.ui.metrics.ranking import MetricList, MetricSort, SearchError, matcher
from lossmon.ui.scene import Scene
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.scene_screen import DetailRequested, MediaRequested, TypingScreen
from lossmon.ui.screens.media.previews import Previews, PreviewsRead
from lossmon.ui.text.lines import EMPTY, MUTED, STRONG, TEXT, Line, clean
from lossmon.ui.widgets.keys import Keys
from lossmon.ui.widgets.metric_grid import MetricGrid, MetricSource, RunMetrics
from lossmon.ui.widgets.metric_pane import (
    FRAME_ROOM,
    MetricPane,
    range_of,
    title_of_entry,
    value_of,
)
from lossmon.ui.widgets.panel import Heading

FOOTER = ("metrics.open", "metrics.filter", "metrics.sort", "metrics.pin", "metrics.page_down",
          "metrics.back", "metrics.cursor_left", "metrics.zoom_in", "metrics.log_y",
          "metrics.larger", "metrics.smaller")  # fmt: skip
"""Ids of what the footer shows, the most important first."""


class MetricsScreen(TypingScreen):
    """The charts of the run in view, a page at a time.

    Args:
        app: The app, which keeps what was chosen here.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="metrics.back",
                tooltip="Clear the cursor or filter, leave the group"),
        Binding("left", "choose(-1)", "left", id="metrics.left", tooltip="Metric to the left"),
        Binding("right", "choose(1)", "right", id="metrics.right", tooltip="Metric to the right"),
        Binding("up,k", "row(-1)", "up", id="metrics.up", tooltip="Metric above"),
        Binding("down,j", "row(1)", "down", id="metrics.down", tooltip="Metric below"),
        Binding("pageup,b,ctrl+u", "page(-1)", "page up", id="metrics.page_up",
                tooltip="Previous page"),
        Binding("pagedown,ctrl+d", "page(1)", "page", id="metrics.page_down", key_display="pgdn",
                tooltip="Next page"),
        Binding("shift+left,comma", "cursor(-1)", "cursor", id="metrics.cursor_left",
                key_display="shift+←→", tooltip="Cursor of all charts to the left"),
        Binding("shift+right,full_stop", "cursor(1)", "cursor", id="metrics.cursor_right",
                tooltip="Cursor of all charts to the right"),
        Binding("greater_than_sign", "zoom(0.5)", "zoom", id="metrics.zoom_in", key_display="< >",
                tooltip="Zoom in all charts at the cursor or the newest"),
        Binding("less_than_sign", "zoom(2.0)", "zoom out", id="metrics.zoom_out",
                tooltip="Zoom out all charts"),
        Binding("home", "edge(-1)", "first", id="metrics.first", tooltip="First metric"),
        Binding("end,G", "edge(1)", "last", id="metrics.last", tooltip="Last metric"),
        Binding("enter", "open", "open", id="metrics.open", tooltip="Open the chart or the group"),
        Binding("slash", "filter", "filter", id="metrics.filter",
                tooltip="Filter by words, glob or regex; - excludes"),
        Binding("s", "sort", "sort", id="metrics.sort",
                tooltip="Sort by importance, name or change"),
        Binding("y", "log_y", "log y", id="metrics.log_y",
                tooltip="Logarithmic / linear y axis of the selected chart"),
        Binding("z", "scale(1)", "larger", id="metrics.larger", tooltip="Fewer, larger charts"),
        Binding("Z", "scale(-1)", "smaller", id="metrics.smaller", tooltip="More, smaller charts"),
        Binding("space", "pin", "pin", id="metrics.pin",
                tooltip="Pin the metric to the dashboard"),
    ]  # fmt: skip

    app = getters.app(ViewHost)
    prompt = "/"

    @classmethod
    def create(cls, app: ViewHost) -> Self | None:
        return cls(app, app.comparison())

    def __init__(self, app: ViewHost, comparison: Comparison | None = None) -> None:
        super().__init__()
        self.choices, self.comparison = app.metric_choices, comparison
        self.source: MetricSource = RunMetrics()
        self.legend: RunLegend | None = None
        if comparison is not None:
            self.source, self.legend = ComparedMetrics(comparison), RunLegend(comparison)
        self.list = MetricList(self.choices)
        self.top = 0
        """Place of the first metric of the page."""
        self.wrong = ""
        """What is wrong with the filter that is being typed."""
        self.heading = Heading()
        self.most = self._most(app.size)
        """Columns and rows of charts that there is room for."""
        self.grid = MetricGrid()
        self.keys = Keys(
            footer(self.BINDINGS, FOOTER, app.config.keys),
            lambda text: self.scene.say(text),
            id="keys",
        )
        self.previews = Previews(self)

    def compose(self) -> ComposeResult:
        yield self.heading
        if self.legend is not None:
            yield self.legend
        yield self.grid
        yield self.keys

    def on_unmount(self) -> None:
        self.source, self.list = RunMetrics(), MetricList(self.choices)

    def seen(self) -> tuple[Path, ...]:
        return () if self.comparison is None else tuple(self.comparison.paths)

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size)

    def _most(self, size: Size) -> tuple[int, int]:
        above = 0 if self.legend is None else self.legend.rows_in(size)
        return grid_of(Size(size.width, size.height - above), self.choices.scale)

    def _fit(self, size: Size) -> None:
        """Have as many panes as there is room for."""
        self.most = self._most(size)
        self._arrange()
        # Rooms of titles are known once the grid is laid out.
        self.call_after_refresh(self._draw)

    def _arrange(self) -> None:
        """Give few charts all of the room."""
        columns, rows = self.most
        count = max(1, len(self.shown))
        columns = min(columns, count)
        self.grid.share(columns, min(rows, -(-count // columns)))

    # -------------------------------------------------------------------------- what is shown

    def present(self, scene: Scene) -> None:
        self.scene = scene
        self.keys.redraw()
        if self.source.update(scene):
            self._list()
        self._draw()

    def _list(self) -> None:
        """Bring the list of metrics up to date with data and choices."""
        source = self.source
        self.list.update(source.series, source.media, source.losses, self.scene.pins)
        self._arrange()

    @property
    def shown(self) -> list[MetricEntry | MediaEntry]:
        """All metrics that fit the filter, in their order."""
        return self.list.shown

    @property
    def chosen(self) -> int:
        """Place of the chosen metric."""
        return self.list.chosen

    def _draw(self) -> None:
        grid = self.grid
        self.top = self.chosen // grid.count * grid.count
        page = self.shown[self.top : self.top + grid.count]
        self.source.keep([one.key for one in page])
        room = room_of(self.app.size, grid.columns, grid.rows)
        self.previews.want([one for one in page if isinstance(one, MediaEntry)], room)
        named = self.scene.metric
        names = [named(one.name) for one in self.shown if isinstance(one, MetricEntry)]
        prefix = shared_prefix(names)
        grid.draw(
            len(page),
            lambda pane: self._show(pane, page[pane.place], prefix),
            self.chosen - self.top,
            lambda pane: pane.announce(self._short_name(pane, page[pane.place], prefix)),
        )
        self.heading.show(self._heading(prefix, len(page)))
        if self.legend is not None:
            self.legend.show(self.scene, self.chosen_pane)
        self.keys.type(active=self.is_typing)

    @property
    def chosen_pane(self) -> MetricPane:
        """The pane of the chosen metric."""
        return self.grid.panes[self.chosen - self.top]

    def _show(self, pane: MetricPane, entry: MetricEntry | MediaEntry, prefix: str) -> None:
        if isinstance(entry, MediaEntry):
            self._show_media(pane, entry)
            return
        scene = self.scene
        chart, options = self.source.chart(scene, entry)
        pinned = entry.key in scene.pins
        value = 0 if chart.last is None else len(value_of(chart.last)) + 1
        name = self._short_name(pane, entry, prefix, value + 2 * pinned)
        pane.show(
            chart.model,
            self.grid.viewed(options, log_x=chart.model.log_x),
            [
                *title_of_entry(entry, name, chart, pinned=pinned),
                (2, ((scene.say("log y"), MUTED),) if options.log_y else EMPTY),
            ],
            range_of(scene, chart.low, chart.high),
            chosen=entry.key == self.shown[self.chosen].key,
        )

    def _short_name(
        self, pane: MetricPane, entry: MetricEntry | MediaEntry, prefix: str = "", beside: int = 0
    ) -> str:
        """The name of an entry in the frame of its pane, with `beside` cells of other text."""
        width = pane.size.width or self.app.size.width // self.grid.columns
        room = width - FRAME_ROOM - beside - 4 * entry.is_group
        is_metric = isinstance(entry, MetricEntry)
        name = self.scene.metric(entry.name)[len(prefix) :] if is_metric else entry.name
        return shortened(name, room, self.list.counts)

    def _show_media(self, pane: MetricPane, entry: MediaEntry) -> None:
        name = self._short_name(pane, entry)
        is_chosen = entry.key == self.shown[self.chosen].key
        pane.show_media(self.scene, entry, self.previews.of(entry), name, chosen=is_chosen)

    @on(PreviewsRead)
    def show_previews(self, message: PreviewsRead) -> None:
        """Show what was read of histograms, curves and images."""
        self.previews.receive(message)
        self._draw()

    def _heading(self, prefix: str, count: int) -> list[tuple[int, Line]]:
        say = self.scene.say
        if self.wrong:
            return [(0, self.entry.line()), (1, ((clean(self.wrong), "warning"),))]
        total = f"{len(self.shown)}"
        place = f"{self.top + 1}-{self.top + count}/{total}" if count < len(self.shown) else total
        empty = EMPTY if self.shown else ((say("no metric matches the filter"), MUTED),)
        return [
            (3, ((say(self.title_word), STRONG),)),
            (4, self.source.name(self.scene)),
            (1, ((place, TEXT),)),
            (0, self._filtered()),
            (2, ((prefix + "…", MUTED),) if prefix else EMPTY),
            (5, ((self.scene.sorted_by(self.choices.sort.value), MUTED),)),
            (1, empty),
        ]

    def _filtered(self) -> Line:
        if self.entry.active:
            return self.entry.line()
        if self.choices.group is not None:
            return ((clean(self.choices.group), "key"),)
        text = self.choices.filter.strip()
        return ((f"{self.scene.say('filter')}: ", MUTED), (clean(text), "key")) if text else EMPTY

    # ------------------------------------------------------------------------------- keys

    def _choose(self, place: int) -> None:
        if self.shown:
            place = max(0, min(len(self.shown) - 1, place))
            self.choices.chosen = self.shown[place].key
            self._draw()

    def action_choose(self, by: int) -> None:
        """Choose another metric."""
        self._choose(self.chosen + by)

    def action_row(self, rows: int) -> None:
        """Choose the metric above or below."""
        self._choose(self.chosen + rows * self.grid.columns)

    def action_page(self, pages: int) -> None:
        """Go to another page."""
        self._choose(self.chosen + pages * self.grid.count)

    def action_cursor(self, direction: int) -> None:
        """Move the cursor of all charts along the chosen one."""
        self.grid.move(self.chosen_pane.chart, direction)
        self._draw()

    def action_zoom(self, factor: float) -> None:
        """Zoom all charts at the cursor."""
        self.grid.zoom(self.chosen_pane.chart, factor)
        self._draw()

    def action_scale(self, by: int) -> None:
        """Show fewer and larger charts, or more and smaller ones."""
        at = SCALES.index(self.choices.scale) + by
        self.choices.scale = SCALES[max(0, min(len(SCALES) - 1, at))]
        self._fit(self.app.size)

    def action_edge(self, side: int) -> None:
        """Choose the first or the last metric."""
        self._choose(0 if side < 0 else len(self.shown) - 1)

    def action_open(self) -> None:
        """Open the chosen chart full screen; of a group, the charts of its members."""
        if not self.shown:
            return
        entry = self.shown[self.chosen]
        if isinstance(entry, MediaEntry):
            self.post_message(MediaRequested(entry.lead))
        elif entry.is_group:
            self.choices.group, self.choices.chosen = entry.key, None
            self._again()
        elif isinstance(self.source, ComparedMetrics):
            self.source.choose(entry)
            self.app.pop_screen()
        else:
            self.post_message(DetailRequested(entry.key))

    def action_back(self) -> None:
        """Take the cursor away, else leave the group, drop the filter or close the view."""
        if self.grid.forget():
            self._draw()
        elif self.choices.group is not None:
            self.choices.chosen, self.choices.group = self.choices.group, None
            self._again()
        elif self.choices.filter:
            self.entry.clear()
            self.typed()
        else:
            self.app.pop_screen()

    def action_sort(self) -> None:
        """Sort by the next key."""
        kinds = list(MetricSort)
        self.choices.sort = kinds[(kinds.index(self.choices.sort) + 1) % len(kinds)]
        self._again()

    def action_log_y(self) -> None:
        """Switch the chosen chart between a logarithmic and a linear y axis."""
        entry = self.shown[self.chosen] if self.shown else None
        if not isinstance(entry, MetricEntry):
            return
        options = self.chosen_pane.chart.options
        self.app.switch_log_y(entry.key, entry.members, log=not options.log_y)

    def action_pin(self) -> None:
        """Pin the chosen metric to the dashboard, or unpin it."""
        if self.shown and isinstance(self.shown[self.chosen], MetricEntry):
            self.choices.chosen = self.shown[self.chosen].key
            self.app.preferences.pin(self.choices.chosen)
            self._list()
            self.app.present()

    def _again(self) -> None:
        """List the metrics again."""
        self.list.forget_order()
        self._list()
        self._draw()

    # ----------------------------------------------------------------------------- filter

    def action_filter(self) -> None:
        """Begin to type a filter."""
        self.choices.group = None
        self.entry.begin(self.choices.filter)
        self._again()

    def on_key(self, event: events.Key) -> None:
        if self.entry.active and (rows := self.rows_moved(event)):
            self.action_row(rows)

    def typed(self) -> None:
        """Filter; an incomplete pattern changes nothing."""
        try:
            matcher(self.entry.text)
        except SearchError as error:
            self.wrong = str(error) if self.entry.active else ""
        else:
            self.wrong, self.choices.filter = "", self.entry.text
        self._again()

    # ------------------------------------------------------------------------------ mouse

    @on(MetricPane.Clicked)
    def choose_pane(self, event: MetricPane.Clicked) -> None:
        """A click chooses and puts a cursor on every chart with that axis, two open."""
        if event.position is not None:
            self.grid.point(event.pane.chart, event.position)
        self._choose(self.top + event.pane.place)
        if event.times > 1:
            self.action_open()

    @on(RunLegend.Toggled)
    def hide_run(self) -> None:
        """Draw without a run that was hidden, or with one that is shown again."""
        self._draw()

    def wheel(self, event: events.MouseEvent, way: int) -> None:
        if event.ctrl:
            self.grid.wheel(event, way)
            self._draw()
        else:
            self.action_page(way)
