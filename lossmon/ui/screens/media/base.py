"""Base of the views of histograms, curves and images: a list of tags, and one at some step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Self

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from lossmon.monitor.media import load_media
from lossmon.types import MediaContent, MediaKind, MediaRecord, MediaSeries, UnreadableMedia
from lossmon.ui.keys import footer
from lossmon.ui.metrics.names import natural_key
from lossmon.ui.metrics.ranking import SearchError, matcher
from lossmon.ui.scene import Scene
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.scene_screen import TypingScreen
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, clean
from lossmon.ui.widgets.charts.pane import Edge
from lossmon.ui.widgets.keys import Keys
from lossmon.ui.widgets.media.card import MediaList

FOOTER = ("media.later", "media.down", "histograms.bands", "media.filter", "media.back")
"""Ids of what the footer shows, the most important first."""

BATCH = 40
"""Records that are read before the screen shows them, the newest first."""


class MediaLoaded(Message):
    """Contents of records of a series, read in a thread.

    Attributes:
        key: Key of the series.
        contents: Contents by record.
    """

    def __init__(self, key: str, contents: dict[MediaRecord, MediaContent]) -> None:
        super().__init__()
        self.key, self.contents = key, contents


class MediaScreen(TypingScreen):
    """Tags of one kind in the run in view; the chosen one at the chosen step.

    Args:
        app: The app, for the keys that the user chose.
        key: Key of the series to begin with; the first by default.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="media.back", tooltip="Clear the filter, go back"),
        Binding("up,k", "choose(-1)", "tag", id="media.up", tooltip="Tag above"),
        Binding("down,j", "choose(1)", "tag", id="media.down", key_display="↑↓",
                tooltip="Tag below"),
        Binding("pageup,b,ctrl+u", "choose(-10)", "far up", id="media.page_up",
                tooltip="Ten tags up"),
        Binding("pagedown,ctrl+d", "choose(10)", "far down", id="media.page_down",
                tooltip="Ten tags down"),
        Binding("left", "step(-1)", "earlier", id="media.earlier", tooltip="Previous step"),
        Binding("right", "step(1)", "step", id="media.later", key_display="←→",
                tooltip="Next step; at the end follow the run"),
        Binding("home", "edge(-1)", "first", id="media.first", tooltip="First step"),
        Binding("end,G", "edge(1)", "newest", id="media.newest", tooltip="Newest step"),
        Binding("slash", "filter", "filter", id="media.filter",
                tooltip="Filter by words, glob or regex; - excludes"),
    ]  # fmt: skip

    DEFAULT_CSS = """
    MediaScreen HeatMap, MediaScreen PictureView {
        padding: 0 1; border-left: round $frame; border-right: round $frame;
    }
    """

    kind: ClassVar[MediaKind]
    """What the view shows."""

    missing: ClassVar[str]
    """What is said where the run logged none, in English."""

    prompt = "/"

    @classmethod
    def create(cls, app: ViewHost) -> Self | None:
        return cls(app)

    @classmethod
    def create_for(cls, app: ViewHost, key: str) -> Self:
        """Make the screen for one series."""
        return cls(app, key)

    def __init__(self, app: ViewHost, key: str = "") -> None:
        super().__init__()
        self.key = key
        self.filter = ""
        self.wrong = ""
        """What is wrong with the filter that is being typed."""
        self.chosen_step: int | None = None
        """Step in view, None for the newest."""
        self.shown: tuple[MediaSeries, ...] = ()
        """The series that fit the filter, in natural order of names."""
        self.contents: dict[MediaRecord, MediaContent] = {}
        """What was read of the chosen series."""
        self._media: tuple[MediaSeries, ...] | None = None
        self._path: object = None
        self._loading = False
        self.upper = Edge("╭╮", left=True)
        self.list = MediaList()
        self.view = self.make_view()
        self.lower = Edge("╰╯", left=False)
        tables = (vars(one).get("BINDINGS", ()) for one in (type(self), MediaScreen))
        bindings = [one for table in tables for one in table]
        self.keys = Keys(
            footer(bindings, FOOTER, app.config.keys), lambda text: self.scene.say(text), id="keys"
        )

    # ---------------------------------------------------------------- what subclasses say

    view: Widget
    """The widget below the list."""

    def make_view(self) -> Widget:
        """Make the widget below the list."""
        raise NotImplementedError

    def draw(self) -> None:
        """Show the chosen series in the view, as far as it was read."""
        raise NotImplementedError

    def wanted(self, series: MediaSeries) -> Sequence[MediaRecord]:
        """Records of the chosen series to read: all of them by default."""
        return series.records

    def facts(self) -> list[tuple[int, Line]]:
        """What the lower edge says, with importance."""
        return []

    def mode(self) -> Line:
        """How it is drawn, where there is a choice; for the upper edge."""
        return EMPTY

    # --------------------------------------------------------------------------- data in

    def compose(self) -> ComposeResult:
        yield self.upper
        yield self.list
        yield self.view
        yield self.lower
        yield self.keys

    def present(self, scene: Scene) -> None:
        self.scene = scene
        self.keys.redraw()
        run = scene.run
        path, media = (run.path, run.media) if run is not None else (None, ())
        if path != self._path:
            self._path, self.chosen_step, self.contents = path, None, {}
        if media is not self._media:
            self._media = media
            self._list()
        self.show()

    def _list(self) -> None:
        fits = matcher(self.filter)
        found = (one for one in self._media or () if one.kind is self.kind and fits(one.name))
        self.shown = tuple(sorted(found, key=lambda one: natural_key(one.name)))

    def on_resize(self) -> None:
        self.call_after_refresh(self.show)

    @property
    def chosen(self) -> int:
        """Index of the chosen series in `shown`."""
        return next((at for at, one in enumerate(self.shown) if one.key == self.key), 0)

    @property
    def series(self) -> MediaSeries | None:
        """The chosen series, None where there is none."""
        return self.shown[self.chosen] if self.shown else None

    @property
    def place(self) -> int:
        """Index of the record in view: that of the chosen step, or the last one before it."""
        series = self.series
        if series is None or self.chosen_step is None:
            return -1 if series is None else len(series.records) - 1
        earlier = [at for at, one in enumerate(series.records) if one.step <= self.chosen_step]
        return earlier[-1] if earlier else 0

    @property
    def record(self) -> MediaRecord | None:
        """The record in view, None where there is none."""
        return None if self.series is None else self.series.records[self.place]

    @property
    def content(self) -> MediaContent | None:
        """What the record in view holds, None while it is not read."""
        return None if self.record is None else self.contents.get(self.record)

    @property
    def step(self) -> int | None:
        return None if self.record is None or self.chosen_step is None else self.record.step

    # ---------------------------------------------------------------------------- reading

    def fetch(self) -> None:
        """Read what is wanted and not known yet, in a thread."""
        series = self.series
        if series is None or self._loading or not self.is_attached:
            return
        missing = [one for one in self.wanted(series) if one not in self.contents]
        if missing:
            self._loading = True
            self.run_worker(
                partial(self._read, series, missing[-BATCH:]),
                thread=True,
                group="media",
                exit_on_error=False,
            )

    def _read(self, series: MediaSeries, records: Sequence[MediaRecord]) -> None:
        found = dict(zip(records, load_media(series, records), strict=True))
        self.post_message(MediaLoaded(series.key, found))

    @on(MediaLoaded)
    def receive(self, message: MediaLoaded) -> None:
        """Show what was read, and read on."""
        self._loading = False
        series = self.series
        if series is not None and message.key == series.key:
            wanted = set(self.wanted(series))
            known = self.contents | message.contents
            # Records that were thinned meanwhile are forgotten.
            self.contents = {one: known[one] for one in known if one in wanted}
        self.show()

    # --------------------------------------------------------------------------- data out

    def show(self) -> None:
        """Bring everything up to date."""
        self.fetch()
        self.list.show(self.scene, self.shown, self.chosen)
        self.keys.type(active=self.is_typing)
        self.draw()
        self.upper.show(self._title(), "frame")
        self.lower.show(self._lower(), "frame")

    def _title(self) -> list[tuple[int, Line]]:
        say, series, run = self.scene.say, self.series, self.scene.run
        parts: list[tuple[int, Line]] = [(1, ((say(self.title_word), "strong"),))]
        if series is not None and len(self.shown) == 1:
            parts.append((2, ((clean(series.name), TEXT),)))
        elif series is not None:
            parts.append((3, ((f"{self.chosen + 1}/{len(self.shown)}", TEXT),)))
        parts.append((0, self._filtered()))
        parts.append((2, self.mode()))
        parts.append((4, ((clean(run.name), MUTED),) if run is not None else EMPTY))
        return parts

    def _filtered(self) -> Line:
        if self.wrong:
            return ((clean(self.wrong), "warning"),)
        if self.entry.active:
            return self.entry.line()
        text = self.filter.strip()
        return ((f"{self.scene.say('filter')}: ", MUTED), (clean(text), "key")) if text else EMPTY

    def _lower(self) -> list[tuple[int, Line]]:
        say, record = self.scene.say, self.record
        if record is None:
            word = "nothing matches the filter" if self.filter else self.missing
            return [(0, ((say(word), MUTED),))]
        step: Line = ((f"{say('step')} ", MUTED), (f"{record.step:,}", TEXT))
        content = self.content
        if content is None:
            return [(0, step), (1, ((say("reading"), MUTED),))]
        if isinstance(content, UnreadableMedia):
            return [(1, step), (0, ((clean(content.reason), "warning"),))]
        return [(0, step), *self.facts()]

    # ------------------------------------------------------------------------------- keys

    def action_back(self) -> None:
        """Clear the filter, or close the view."""
        if self.filter:
            self._sift("")
        else:
            self.app.pop_screen()

    def action_choose(self, by: int) -> None:
        """Choose another tag; the step stays."""
        if self.shown:
            place = max(0, min(len(self.shown) - 1, self.chosen + by))
            if self.shown[place].key != self.key:
                self.key, self.contents = self.shown[place].key, {}
            self.show()

    def action_step(self, by: int) -> None:
        """Go to the previous or the next step."""
        series = self.series
        if series is None:
            return
        place = max(0, self.place + by)
        is_newest = place >= len(series.records) - 1
        self.chosen_step = None if is_newest else series.records[place].step
        self.show()

    def action_edge(self, side: int) -> None:
        """Go to the first or the newest step."""
        series = self.series
        if series is not None:
            self.chosen_step = series.records[0].step if side < 0 else None
            self.show()

    def action_filter(self) -> None:
        """Begin to type a filter."""
        self.entry.begin(self.filter)
        self.show()

    def on_key(self, event: events.Key) -> None:
        if self.entry.active and (rows := self.rows_moved(event)):
            self.action_choose(rows)

    def typed(self) -> None:
        self._sift(self.entry.text)

    def _sift(self, text: str) -> None:
        """Filter; an incomplete pattern changes nothing."""
        before = self.series
        try:
            matcher(text)
        except SearchError as error:
            self.wrong = str(error) if self.entry.active else ""
        else:
            self.wrong, self.filter = "", text
            self._list()
        after = self.series
        if after is not None and (before is None or after.key != before.key):
            self.key, self.contents = after.key, {}
        self.show()

    # ------------------------------------------------------------------------------ mouse

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self.list)
        if place is not None and 0 <= self.list.top + place.y < len(self.shown):
            self.action_choose(self.list.top + place.y - self.chosen)

    def wheel(self, event: events.MouseEvent, way: int) -> None:
        """Go through the steps over the picture, else through the tags."""
        if event.get_content_offset(self.view) is not None or not self.list.display:
            self.action_step(way)
        else:
            self.action_choose(way)
