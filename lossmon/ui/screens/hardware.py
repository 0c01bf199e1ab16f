"""Hardware view: load and memory of every GPU over time, under the loss on the same clock."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Self

from textual import events, getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size

from lossmon.hardware.recorded import recorded_quantity
from lossmon.locale import message, phrase
from lossmon.types import Floats, RunSnapshot, Series
from lossmon.types.hardware import PREFIX
from lossmon.ui.chart.model import ChartModel, ChartOptions, Curve, XAxis, start_of
from lossmon.ui.chart.positions import has_axis
from lossmon.ui.chart.run_model import model_of, style_of
from lossmon.ui.dashboard.chart_titles import options_of
from lossmon.ui.keys import footer
from lossmon.ui.metrics.names import natural_key
from lossmon.ui.metrics.ranking import SearchError, matcher
from lossmon.ui.scene import Scene
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.scene_screen import TypingScreen
from lossmon.ui.state.hardware_timeline import GpuTrack, memory_share, system_series
from lossmon.ui.text.lines import EMPTY, MUTED, STRONG, TEXT, Line, choose, clean, clip_middle
from lossmon.ui.widgets.gpu_loads import GpuLoads, TrackPanel
from lossmon.ui.widgets.gpus import gpu_facts, short_name
from lossmon.ui.widgets.hardware import host_parts
from lossmon.ui.widgets.keys import Keys
from lossmon.ui.widgets.metric_grid import MetricGrid
from lossmon.ui.widgets.metric_pane import FRAME_ROOM, MetricPane, range_of, value_of
from lossmon.ui.widgets.panel import Heading
from lossmon.ui.widgets.processes import ProcessTable

CELL = (38, 7)
"""Columns and rows that a chart has at least."""

LIVE_SHARE = 4.0
"""The axis shows the run from its start, unless it is longer by this factor than the time for
which its GPUs are known."""

SHORTEST = 300.0
"""Seconds that the axis has at least, where the run is that long."""

FOOTER = (
    "hardware.filter",
    "hardware.loads",
    "hardware.processes",
    "hardware.page_down",
    "hardware.back",
)


class HardwareScreen(TypingScreen):
    """The loss of the run in view, and below it a chart per GPU."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "back", "back", id="hardware.back",
                tooltip="Clear the cursor or filter, go back"),
        Binding("slash", "filter", "filter", id="hardware.filter",
                tooltip="Filter by words, glob or regex; - excludes"),
        Binding("v", "loads", "all GPUs", id="hardware.loads",
                tooltip="Load of every GPU over time, one line per GPU"),
        Binding("p", "processes", "processes", id="hardware.processes",
                tooltip="Every process that holds GPU memory"),
        Binding("pageup,up,k,b,ctrl+u", "page(-1)", "page up", id="hardware.page_up",
                tooltip="Previous GPUs"),
        Binding("pagedown,down,j,ctrl+d", "page(1)", "page", id="hardware.page_down",
                key_display="pgdn", tooltip="Next GPUs"),
    ]  # fmt: skip

    DEFAULT_CSS = """
    HardwareScreen MetricGrid { height: 2fr; }
    HardwareScreen #loss { height: 1fr; }
    HardwareScreen TrackPanel { height: 2fr; width: 1fr; }
    HardwareScreen.-strip #loss, HardwareScreen.-sliver #loss { display: none; }
    """

    app = getters.app(ViewHost)
    prompt = "/"

    @classmethod
    def create(cls, app: ViewHost) -> Self | None:
        scene = app.scene
        run = scene.run
        if not app.timeline.tracks(scene.snapshot, run) and not system_series(
            () if run is None else run.series
        ):
            app.show_notice(scene.say("no GPUs and no system metrics"))
            return None
        return cls(app)

    def __init__(self, app: ViewHost) -> None:
        super().__init__()
        self.timeline = app.timeline
        self.cursor: float | None = None
        """Seconds since the run began at which a cursor stands, None without one."""
        self.page = 0
        self.pages = 1
        self.heading = Heading()
        self.loss = MetricPane(-1)
        self.loss.id = "loss"
        self.grid = MetricGrid()
        self.loads = GpuLoads(self.loss.chart.position_at)
        self.processes = ProcessTable("processes")
        self.keys = Keys(
            footer(self.BINDINGS, FOOTER, app.config.keys),
            lambda text: self.scene.say(text),
            id="keys",
        )

    def compose(self) -> ComposeResult:
        yield self.heading
        yield self.loss
        yield self.grid
        yield self.loads
        yield self.processes
        yield self.keys

    def present(self, scene: Scene) -> None:
        self.scene = scene
        self.keys.redraw()
        self._draw()

    def tick(self, scene: Scene) -> None:
        self.present(scene)

    def on_resize(self) -> None:
        self._draw()
        self.call_after_refresh(self._draw)

    # -------------------------------------------------------------------------- what is shown

    def _draw(self) -> None:
        scene, run = self.scene, self.scene.run
        if run is None or not self.is_mounted:
            return
        tracks = self.timeline.tracks(scene.snapshot, run)
        system = sorted(system_series(run.series), key=system_rank)
        every = self._filtered([*tracks, *system])
        columns, rows = self._grid(max(1, len(every)))
        size = columns * rows
        self.pages = max(1, -(-len(every) // size))
        self.page = min(self.page, self.pages - 1)
        begin = start_of(run.series)
        span = span_of(run, tracks, begin)
        self._draw_loss(run, span)
        if (lines := self._lines()) is not None:
            self.pages, self.loads.begin = 1, begin
            lines.show_tracks(scene, [one for one in every if isinstance(one, GpuTrack)])
            self.heading.show(self._heading(len(tracks)))
            return
        shown = every[self.page * size : (self.page + 1) * size]
        options = replace(
            options_of(scene),
            x_axis=XAxis.TIME,
            x_range=span,
            log_y=False,
            recent=False,
            cursor=self.cursor,
        )
        several = len({track.node for track in tracks}) > 1

        def show(pane: MetricPane) -> None:
            one = shown[pane.place]
            if isinstance(one, GpuTrack):
                self._draw_gpu(pane, one, options, begin, several=several)
            else:
                self._draw_series(pane, one, options, begin)

        self.grid.draw(len(shown), show)
        self.heading.show(self._heading(len(tracks)))

    def _filtered(self, every: Sequence[GpuTrack | Series]) -> list[GpuTrack | Series]:
        """What fits the filter; all of it while an incomplete pattern is typed."""
        try:
            fits = matcher(self.entry.text)
        except SearchError:
            return list(every)
        return [one for one in every if fits(self._name_of(one))]

    def _name_of(self, one: GpuTrack | Series) -> str:
        if isinstance(one, GpuTrack):
            return f"{one.node} GPU{one.reading.index} {one.reading.name}"
        return f"{self._quantity_of(one)[0]} {one.tag}"

    def _grid(self, count: int) -> tuple[int, int]:
        """Columns and rows of charts; few charts have all of the room."""
        room = Size(self.size.width or self.app.size.width, self.grid.size.height or CELL[1])
        columns = max(1, min(count, room.width // CELL[0]))
        rows = max(1, min(room.height // CELL[1], -(-count // columns)))
        self.grid.share(columns, rows)
        return columns, rows

    def _draw_loss(self, run: RunSnapshot, span: tuple[float, float] | None) -> None:
        scene = self.scene
        shown = tuple(at for at in (run.train, run.eval) if at is not None)
        has_clock = bool(shown) and has_axis(run, run.series[shown[0]], XAxis.TIME)
        x = XAxis.TIME if has_clock else XAxis.STEP
        settings = replace(scene.chart_settings, x=x, recent=False, log_x=False)
        options = replace(options_of(scene), x_axis=x, recent=False)
        if has_clock:
            options = replace(options, x_range=span, cursor=self.cursor)
        model = model_of(run, settings, shown) if shown else ChartModel()
        title = [(at, _loss_title(scene, run, index)) for at, index in enumerate(shown)]
        self.loss.show(model, options, title, EMPTY, chosen=False)

    def _draw_gpu(
        self,
        pane: MetricPane,
        track: GpuTrack,
        options: ChartOptions,
        begin: float,
        *,
        several: bool,
    ) -> None:
        gpu = track.reading
        model = ChartModel(
            (
                _curve("load", *track.load, "train", begin),
                _curve("VRAM", *track.memory, "eval", begin),
            ),
            live=False,
        )
        node = f"{clean(track.node)} " if several else ""
        title: list[tuple[int, Line]] = [
            (0, ((f"{node}GPU{gpu.index}", STRONG),)),
            (2, ((short_name(gpu.name), MUTED),)),
            (0, _percent(self.scene.say("load"), gpu.utilization, "train")),
            (1, _percent(self.scene.say("VRAM"), memory_share(gpu), "eval")),
        ]
        room = (pane.size.width or CELL[0]) - FRAME_ROOM
        facts = choose(gpu_facts(self.scene, gpu), room, 2)
        pane.show(model, replace(options, y_range=(0.0, 100.0)), title, facts, chosen=False)

    def _draw_series(
        self, pane: MetricPane, series: Series, options: ChartOptions, begin: float
    ) -> None:
        name, unit, factor = self._quantity_of(series)
        curve = _curve(name, series.wall_times, series.values * factor, "other", begin)
        last = f"{value_of(series.last * factor)} {unit}".rstrip()
        room = (pane.size.width or CELL[0]) - FRAME_ROOM - len(last) - 1
        title: Line = ((f"{clip_middle(name, room)} ", STRONG), (last, TEXT))
        footer = range_of(self.scene, series.minimum * factor, series.maximum * factor)
        pane.show(ChartModel((curve,), live=False), options, [(0, title)], footer, chosen=False)

    def _quantity_of(self, series: Series) -> tuple[str, str, float]:
        """Name, unit and factor of a recorded series; its tag where its meaning is unknown."""
        quantity = recorded_quantity(series.meaning.key)
        if quantity is None:
            return clean(series.tag.removeprefix(PREFIX)), "", 1.0
        name = f"{clean(quantity.device)} {self.scene.say(quantity.words)}"
        return name.strip(), quantity.unit, quantity.factor

    def _heading(self, gpus: int) -> list[tuple[int, Line]]:
        scene, say = self.scene, self.scene.say
        reading = scene.snapshot.hardware
        place = f"{self.page + 1}/{self.pages}"
        page = phrase("page {place}", scene.language, place=place) if self.pages > 1 else ""
        parts: list[tuple[int, Line]] = [
            (1, ((say(self.title_word), STRONG),)),
            (3, ((clean(scene.run.name), TEXT),) if scene.run else EMPTY),
            (2, ((f"{gpus} GPU{'s' * (gpus != 1)}", TEXT),) if gpus else EMPTY),
            (0, ((page, MUTED),) if page else EMPTY),
        ]
        host = reading.host
        if host is not None:
            parts += [(4 + rank, part) for rank, part in host_parts(scene, host)]
        note = clean(message(reading.note, scene.language))
        if self.entry.active or self.entry.text:
            parts.append((0, self.entry.line()))
        return [*parts, (8, ((note, MUTED),) if note else EMPTY)]

    # ------------------------------------------------------------------------------- keys

    def action_back(self) -> None:
        """Take the lines, the cursor or the filter away, else close the view."""
        if (lines := self._lines()) is not None:
            self._show_lines(lines)
        elif self.cursor is not None:
            self.cursor = None
        elif self.entry.text:
            self.entry.clear()
        else:
            self.app.pop_screen()
            return
        self._draw()

    def action_processes(self) -> None:
        """Show the processes instead of the charts, or the charts again."""
        self._show_lines(self.processes)

    def action_loads(self) -> None:
        """Show a line per GPU instead of the charts, or the charts again."""
        self._show_lines(self.loads)

    def _lines(self) -> TrackPanel | None:
        """The lines that stand in the place of the charts."""
        return next((one for one in (self.loads, self.processes) if one.display), None)

    def _show_lines(self, lines: TrackPanel) -> None:
        for one in (self.loads, self.processes):
            one.display = one is lines and not one.display
        self.grid.display = self._lines() is None
        self.page = 0
        self._draw()

    def action_filter(self) -> None:
        """Begin to type which charts are shown."""
        self.entry.begin(self.entry.text)
        self.typed()

    def typed(self) -> None:
        self.page = 0
        self.keys.type(active=self.entry.active)
        self._draw()

    @on(MetricPane.Clicked)
    def point(self, event: MetricPane.Clicked) -> None:
        """Put a cursor on every chart at the time that was clicked."""
        if event.position is not None and event.pane.chart.options.x_axis is XAxis.TIME:
            self.cursor = event.position
            self._draw()

    def action_page(self, by: int) -> None:
        """Show other GPUs, or other rows of the list of processes."""
        if (lines := self._lines()) is not None:
            lines.scroll(by * max(1, lines.size.height - 2))
            return
        self.page = max(0, min(self.pages - 1, self.page + by))
        self._draw()

    def wheel(self, event: events.MouseEvent, way: int) -> None:
        self.action_page(way)


def span_of(
    run: RunSnapshot, tracks: Sequence[GpuTrack], begin: float
) -> tuple[float, float] | None:
    """Positions to show on the clock of a run, in seconds since it began; None without a clock.

    All of the run, and of a run that is much longer than its GPUs are known only that time.

    Args:
        begin: When it began, in seconds since the Unix epoch; 0 where it has no clock.
    """
    columns = [one for track in tracks for one in (track.load[0], track.memory[0]) if len(one)]
    losses = [one for one in (run.train_loss, run.eval_loss) if one is not None and len(one)]
    columns += [one.wall_times for one in losses]
    ends = [float(one[-1]) for one in columns if math.isfinite(float(one[-1]))]
    starts = [float(track.load[0][0]) for track in tracks if len(track.load[0])]
    if not ends:
        return None
    end = max(ends)
    first = min(starts, default=begin)
    is_short = end - first < (end - begin) / LIVE_SHARE
    if not is_short and begin:
        return min(begin, first) - begin, end - begin
    return max(begin, min(first, end - SHORTEST)) - begin, end - begin


def system_rank(series: Series) -> tuple[object, ...]:
    """Sort key of a recorded series: GPUs first, then processors, memory, network and disks;
    what never changed comes last."""
    words = series.tag.casefold()
    place = next((at for at, word in enumerate(_SYSTEM) if word in words), len(_SYSTEM))
    return series.minimum == series.maximum, place, natural_key(series.tag)


_SYSTEM = ("power", "temp", "gpu", "cpu", "mem", "net", "disk")
"""Words in the names of recorded series, in the order in which they are shown."""


def _curve(name: str, times: Floats, values: Floats, style: str, begin: float) -> Curve:
    return Curve(name, times, values, style, smooth=False, raw=False, origin=begin)


def _loss_title(scene: Scene, run: RunSnapshot, index: int) -> Line:
    role = style_of(run, index)
    word = scene.say("train" if index == run.train else "eval")
    return ((f"{word} ", f"{role}!"), (value_of(run.series[index].last), f"{role}!"))


def _percent(word: str, value: float | None, role: str) -> Line:
    if value is None or not math.isfinite(value):
        return EMPTY
    return ((f"{word} ", MUTED), (f"{value:.0f}%", f"{role}!"))
