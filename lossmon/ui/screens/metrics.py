"""Metrics view: a grid of charts of all metrics, paged, filtered and sorted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from operator import is_
from typing import ClassVar, Self

from textual import events, getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid
from textual.geometry import Size

from lossmon.types import RunSnapshot
from lossmon.ui.chart.model import ChartOptions, XAxis
from lossmon.ui.dashboard.chart_titles import options_of
from lossmon.ui.keys import footer
from lossmon.ui.metrics.charts import SCALES, chart_of, grid_of, room_of
from lossmon.ui.metrics.entries import (
    Bands,
    MediaEntry,
    MetricEntry,
    entries_of,
    find,
    media_entries,
)
from lossmon.ui.metrics.names import frequencies, shared_prefix, shortened
from lossmon.ui.metrics.ranking import MetricSort, SearchError, matcher, ordered
from lossmon.ui.scene import Scene
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.scene_screen import DetailRequested, MediaRequested, TypingScreen
from lossmon.ui.screens.media.previews import Previews, PreviewsRead
from lossmon.ui.text.lines import EMPTY, MUTED, STRONG, TEXT, Line, clean
from lossmon.ui.widgets.keys import Keys
from lossmon.ui.widgets.metric_list import Catalogue
from lossmon.ui.widgets.metric_pane import (
    FRAME_ROOM,
    MetricPane,
    range_of,
    title_of_entry,
    value_of,
)
from lossmon.ui.widgets.panel import Heading

FOOTER = ("metrics.open", "metrics.filter", "metrics.sort", "metrics.pin", "metrics.page_down",
          "metrics.back", "metrics.log_y", "metrics.larger", "metrics.smaller")  # fmt: skip
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
        Binding("home", "edge(-1)", "first", id="metrics.first", tooltip="First metric"),
        Binding("end,G", "edge(1)", "last", id="metrics.last", tooltip="Last metric"),
        Binding("enter", "open", "open", id="metrics.open",
                tooltip="Open the chart or the group"),
        Binding("slash", "filter", "filter", id="metrics.filter",
                tooltip="Filter by words, glob or regex; - excludes"),
        Binding("s", "sort", "sort", id="metrics.sort",
                tooltip="Sort by importance, name or change"),
        Binding("y", "log_y", "log y", id="metrics.log_y",
                tooltip="Logarithmic / linear y axis of the selected chart"),
        Binding("z", "scale(1)", "larger", id="metrics.larger", tooltip="Fewer, larger charts"),
        Binding("Z", "scale(-1)", "smaller", id="metrics.smaller",
                tooltip="More, smaller charts"),
        Binding("space", "pin", "pin", id="metrics.pin",
                tooltip="Pin the metric to the dashboard"),
    ]  # fmt: skip

    DEFAULT_CSS = """
    MetricsScreen Grid { height: 1fr; width: 1fr; grid-gutter: 0; }
    MetricsScreen .-unused { display: none; }
    """

    app = getters.app(ViewHost)
    prompt = "/"

    @classmethod
    def create(cls, app: ViewHost) -> Self | None:
        return cls(app)

    def __init__(self, app: ViewHost) -> None:
        super().__init__()
        self.choices = app.metric_choices
        self.scene = Scene()
        self.catalogue = Catalogue()
        self.shown: list[MetricEntry | MediaEntry] = []
        """All metrics that fit the filter, in their order."""
        self.top = 0
        """Place of the first metric of the page."""
        self.cursor: tuple[tuple[XAxis, bool], float] | None = None
        """The axis that was clicked, and the position on it; None without a cursor."""
        self.wrong = ""
        """What is wrong with the filter that is being typed."""
        self.most = grid_of(app.size, self.choices.scale)
        """Columns and rows of charts that there is room for."""
        self.columns, self.rows = self.most
        self.heading = Heading()
        self.grid = Grid()
        self.panes = [MetricPane(place) for place in range(self.columns * self.rows)]
        self.keys = Keys(
            footer(list(self._own()), FOOTER, app.config.keys),
            lambda text: self.scene.say(text),
            id="keys",
        )
        self.previews = Previews(self)
        self._bands = Bands()
        self._order: dict[str, int] = {}
        self._counts: Counter[str] = Counter()
        self._listed: tuple[object, object] = (None, None)
        """What the list was made of: the series and media of a run."""

    @classmethod
    def _own(cls) -> list[Binding]:
        return [one for one in cls.BINDINGS if isinstance(one, Binding)]

    def compose(self) -> ComposeResult:
        yield self.heading
        with self.grid:
            yield from self.panes
        yield self.keys

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size)

    def _fit(self, size: Size) -> None:
        """Have as many panes as there is room for."""
        self.most = grid_of(size, self.choices.scale)
        missing = [MetricPane(at) for at in range(len(self.panes), self.most[0] * self.most[1])]
        if missing:
            self.panes += missing
            self.grid.mount_all(missing)
        self._arrange()
        # Rooms of titles are known once the grid is laid out.
        self.call_after_refresh(self._draw)

    def _arrange(self) -> None:
        """Give few charts all of the room."""
        columns, rows = self.most
        count = max(1, len(self.shown))
        self.columns = min(columns, count)
        self.rows = min(rows, -(-count // self.columns))
        self.grid.styles.grid_size_columns = self.columns
        self.grid.styles.grid_size_rows = self.rows

    # -------------------------------------------------------------------------- what is shown

    def present(self, scene: Scene) -> None:
        self.scene = scene
        self.keys.redraw()
        run = scene.run
        if run is None:
            self.shown = []
        elif not all(map(is_, self._listed, (run.series, run.media))):
            self._listed = run.series, run.media
            self.catalogue.update(run)
            self._list()
        self._draw()

    def _list(self) -> None:
        """Bring the list of metrics up to date with data and choices."""
        run, choices = self.catalogue.run, self.choices
        if run is None:
            return
        indices = dict.fromkeys(at for one in self.catalogue.subjects for at in one.shown)
        series = [run.series[at] for at in indices]
        entries = entries_of(series)
        group = next((one for one in entries if one.key == choices.group), None)
        media: list[MediaEntry] = []
        if group is not None:
            entries = entries_of(group.members, collapse=False)
        else:
            choices.group = None
            fits = matcher(choices.filter)
            entries = entries_of([one for one in series if fits(one.tag, one.meaning.label)])
            media = media_entries(run.media, fits)
        self.shown = [*self._sorted(entries, run), *media]
        self._counts = frequencies(one.name for one in self.shown)
        self._arrange()

    def _sorted(self, entries: list[MetricEntry], run: RunSnapshot) -> list[MetricEntry]:
        """In their order; by change they keep it while data come, else charts would jump."""
        by = MetricSort.NAME if self.choices.group is not None else self.choices.sort
        if by is MetricSort.CHANGE and self._order:
            last = len(self._order)
            return sorted(entries, key=lambda one: self._order.get(one.key, last))
        found = ordered(entries, by, self.scene.pins)
        if by is MetricSort.IMPORTANCE:
            losses = {id(one): at for at, one in enumerate((run.train_loss, run.eval_loss))}
            found.sort(key=lambda one: losses.get(id(one.lead), 2))
        self._order = {one.key: at for at, one in enumerate(found)}
        return found

    @property
    def chosen(self) -> int:
        """Place of the chosen metric."""
        return find(self.shown, self.choices.chosen)

    def _draw(self) -> None:
        size = self.columns * self.rows
        self.top = self.chosen // size * size
        page = self.shown[self.top : self.top + size]
        self._bands.keep([one.key for one in page])
        room = room_of(self.app.size, self.columns, self.rows)
        self.previews.want([one for one in page if isinstance(one, MediaEntry)], room)
        named = self.scene.metric
        names = [named(one.name) for one in self.shown if isinstance(one, MetricEntry)]
        prefix = shared_prefix(names)
        for pane in self.panes:
            pane.set_class(pane.place >= len(page), "-unused")
        for pane, entry in zip(self.panes, page, strict=False):
            if isinstance(entry, MetricEntry):
                self._show(pane, entry, prefix)
            else:
                self._show_media(pane, entry)
        self.heading.show(self._heading(prefix, len(page)))
        self.keys.type(active=self.is_typing)

    def _show(self, pane: MetricPane, entry: MetricEntry, prefix: str) -> None:
        run, scene = self.catalogue.run, self.scene
        if run is None:
            return
        index = next(at for at, one in enumerate(run.series) if one is entry.lead)
        chart = chart_of(run, scene.chart_settings, entry, index, self._bands)
        options = options_of(scene, index)
        log_y = self.choices.log_y.get(entry.key, options.log_y and chart.may_be_log)
        # Values at most zero have no logarithm.
        options = replace(options, log_y=log_y and chart.high > 0)
        if self.cursor is not None and self.cursor[0] == self._axis_of(options):
            options = replace(options, cursor=self.cursor[1])
        pinned = entry.key in scene.pins
        extra = len(value_of(chart.last)) + 1 + 2 * pinned + 4 * entry.is_group
        room = (pane.size.width or self.app.size.width // self.columns) - FRAME_ROOM - extra
        name = shortened(scene.metric(entry.name)[len(prefix) :], room, self._counts)
        pane.show(
            chart.model,
            options,
            [
                *title_of_entry(entry, name, chart.last, chart.style, pinned=pinned),
                (2, ((scene.say("log y"), MUTED),) if options.log_y else EMPTY),
            ],
            range_of(scene, chart.low, chart.high),
            chosen=entry.key == self.shown[self.chosen].key,
        )

    def _show_media(self, pane: MetricPane, entry: MediaEntry) -> None:
        room = (pane.size.width or self.app.size.width // self.columns) - FRAME_ROOM
        name = shortened(entry.name, room - 4 * entry.is_group, self._counts)
        is_chosen = entry.key == self.shown[self.chosen].key
        pane.show_media(self.scene, entry, self.previews.of(entry), name, chosen=is_chosen)

    @on(PreviewsRead)
    def show_previews(self, message: PreviewsRead) -> None:
        """Show what was read of histograms, curves and images."""
        self.previews.receive(message)
        self._draw()

    def _heading(self, prefix: str, count: int) -> list[tuple[int, Line]]:
        say, scene, size = self.scene.say, self.scene, self.columns * self.rows
        if self.wrong:
            return [(0, self.entry.line()), (1, ((clean(self.wrong), "warning"),))]
        total = len(self.shown)
        place = f"{self.top + 1}-{self.top + count}/{total}" if total > size else f"{total}"
        parts: list[tuple[int, Line]] = [
            (3, ((say(self.title_word), STRONG),)),
            (4, ((clean(scene.run.name), TEXT),) if scene.run else EMPTY),
            (1, ((place, TEXT),)),
            (0, self._filtered()),
            (2, ((prefix + "…", MUTED),) if prefix else EMPTY),
            (5, ((self.scene.sorted_by(self.choices.sort.value), MUTED),)),
        ]
        if not total:
            parts.append((1, ((say("no metric matches the filter"), MUTED),)))
        return parts

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
        self._choose(self.chosen + rows * self.columns)

    def action_page(self, pages: int) -> None:
        """Go to another page."""
        place = self.chosen + pages * self.columns * self.rows
        if place >= len(self.shown):
            place = len(self.shown) - 1
        self._choose(place)

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
        else:
            self.post_message(DetailRequested(entry.key))

    def action_back(self) -> None:
        """Take the cursor away, else leave the group, drop the filter or close the view."""
        if self.cursor is not None:
            self.cursor = None
            self._draw()
        elif self.choices.group is not None:
            self.choices.chosen, self.choices.group = self.choices.group, None
            self._again()
        elif self.choices.filter:
            self._sift("")
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
        if not any(one.maximum > 0 for one in entry.members):
            self.app.show_notice(self.scene.say("no value above zero for a logarithmic axis"))
            return
        pane = self.panes[self.chosen - self.top]
        self.choices.log_y[entry.key] = not pane.chart.options.log_y
        self._draw()

    def action_pin(self) -> None:
        """Pin the chosen metric to the dashboard, or unpin it."""
        if self.shown and isinstance(self.shown[self.chosen], MetricEntry):
            self.choices.chosen = self.shown[self.chosen].key
            self.app.preferences.pin(self.choices.chosen)
            self._listed = (None, None)
            self.app.present()

    def _again(self) -> None:
        """List the metrics again."""
        self._order = {}
        self._list()
        self._draw()

    # ----------------------------------------------------------------------------- filter

    def action_filter(self) -> None:
        """Begin to type a filter."""
        self.choices.group = None
        self.entry.begin(self.choices.filter)
        self._again()

    def on_key(self, event: events.Key) -> None:
        if not self.entry.active:
            return
        if rows := self.rows_moved(event):
            self.action_row(rows)
        elif self.entry.handle(event):
            self._sift(self.entry.text)

    def typed(self) -> None:
        self._sift(self.entry.text)

    def _sift(self, text: str) -> None:
        """Filter; an incomplete pattern changes nothing."""
        try:
            matcher(text)
        except SearchError as error:
            self.wrong = str(error) if self.entry.active else ""
        else:
            self.wrong, self.choices.filter = "", text
        self._again()

    # ------------------------------------------------------------------------------ mouse

    @on(MetricPane.Clicked)
    def choose_pane(self, event: MetricPane.Clicked) -> None:
        """A click chooses and puts a cursor on every chart with that axis, two open."""
        if event.position is not None:
            self.cursor = self._axis_of(event.pane.chart.options), event.position
        self._choose(self.top + event.pane.place)
        if event.times > 1:
            self.action_open()

    def _axis_of(self, options: ChartOptions) -> tuple[XAxis, bool]:
        return options.x_axis, self.scene.chart_settings.log_x

    def wheel(self, event: events.MouseEvent, way: int) -> None:
        self.action_page(way)
