"""All runs, one row each: who needs attention first, filtered and sorted as the user likes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Self

from textual import events, getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from lossmon.locale import phrase
from lossmon.types import RunSnapshot, RunState
from lossmon.ui.fleet.columns import MOST_COMPARED, Column, SettingColumns
from lossmon.ui.fleet.fleet import following
from lossmon.ui.fleet.names import RunNames
from lossmon.ui.fleet.order import Key, needs_attention
from lossmon.ui.fleet.query import GROUP, completed
from lossmon.ui.fleet.table import Table, Trends
from lossmon.ui.run_selection import RunSelection
from lossmon.ui.scene import Scene
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.page_screen import HeadedBody, PageScreen
from lossmon.ui.screens.base.scene_screen import TypingScreen
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, clean
from lossmon.ui.widgets.run_preview import RunPreview, preview_size

NARROW = 60
"""Columns below which the rows have the cells beside the frame too."""


class FramedRows(Widget):
    """The framed list."""

    DEFAULT_CSS = "FramedRows { layout: vertical; width: 1fr; height: 1fr; }"


class RunsScreen(TypingScreen, PageScreen):
    """The list of all runs.

    Args:
        runs: The run in view, marked runs and the fleet; they outlive the screen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "up", id="page.row_up", show=False, tooltip="Run above"),
        Binding("down,j", "choose(1)", "down", id="page.row_down", show=False, tooltip="Run below"),
        Binding("g", "edge(-1)", "first", id="page.row_first", show=False, tooltip="First run"),
        Binding("enter", "open", "open", id="page.take", tooltip="Open the selected run"),
        Binding("slash", "filter", "filter", id="page.filter", tooltip="Filter the runs"),
        Binding("v", "group", "group", id="page.group", tooltip="Group the runs by a setting"),
        Binding("s", "sort", "sort", id="page.sort", tooltip="Sort by the next column"),
        Binding("S", "turn", "reverse", id="page.turn", tooltip="Reverse the order"),
        Binding("space", "mark", "mark", id="page.mark", tooltip="Mark for comparison"),
        Binding("D", "settings", "settings", id="page.settings",
                tooltip="Settings that differ as columns; again: the next ones"),
    ]  # fmt: skip

    app = getters.app(ViewHost)

    DEFAULT_CSS = """
    RunsScreen.-tiny Body, RunsScreen.-narrow Body { padding: 0; }
    RunsScreen.-beside RunPreview, RunsScreen.-below RunPreview { display: block; }
    RunsScreen.-below Outlook { height: 3; }
    """

    prompt = "/"

    @classmethod
    def create(cls, app: ViewHost) -> Self | None:
        run, runs = app.runs.run, app.runs
        if run is not None and runs.is_chosen:
            runs.fleet.choose_path(run.path)
        return cls(runs, app.scene)

    def __init__(self, runs: RunSelection, scene: Scene) -> None:
        super().__init__()
        self.runs, self.fleet, self.scene = runs, runs.fleet, scene
        self._shown: Path | None = None
        """The run that was last chosen here."""
        self._trends, self._names = Trends(), RunNames()
        self._settings, self._asked = SettingColumns(), frozenset[Path]()
        self._counted: tuple[RunSnapshot, ...] = ()
        self._urgent = 0
        self.body = self.table = HeadedBody()
        self.preview = RunPreview()

    def compose(self) -> ComposeResult:
        yield FramedRows(self.upper, self.body, self.lower)
        yield self.preview

    def on_mount(self) -> None:
        self._make_room()

    def on_resize(self) -> None:
        self._make_room()
        super().on_resize()

    def _make_room(self) -> None:
        """Give the preview its place, where the screen has one for it."""
        size = preview_size(self.app.size, len(self.body.whole))
        self.set_class(size.width > 0, "-beside")
        self.set_class(size.height > 0, "-below")
        self.styles.layout = "horizontal" if size.width else "vertical"
        self.preview.styles.width = size.width or "1fr"
        self.preview.styles.height = size.height or "1fr"

    # -------------------------------------------------------------------------- what is shown

    @property
    def room(self) -> int:
        width = self.app.size.width - preview_size(self.app.size, 0).width
        return width - (2 if width < NARROW else 4)

    def present(self, scene: Scene) -> None:
        offset = self.fleet.row - self.body.top
        self.fleet.follow(scene.snapshot.runs, scene.now)
        self._count(scene)
        if self.body.top:
            # Where the list was scrolled the chosen row stays at its height, others flow past it.
            self.body.top = self.fleet.row - offset
        self.body.reveal(self.fleet.row)
        self._draw(scene)
        self._show_choice()

    def seen(self) -> tuple[Path, ...]:
        return tuple(self.fleet.rows[self.body.top : self.body.top + self.table.rows])

    def _count(self, scene: Scene) -> None:
        runs = scene.snapshot.runs
        if runs is not self._counted:
            self._counted = runs
            self._urgent = sum(needs_attention(run, scene.now) for run in runs)

    def tick(self, scene: Scene) -> None:
        """Let rows take their places once the user lets go of them, and ages grow."""
        if self.fleet.is_late and self.fleet.may_arrange:
            self.present(scene)
            return
        active = (RunState.RUNNING, RunState.STALLED)
        if any(self.fleet.run(path).state in active for path in self.seen()):
            self._draw(scene)

    def lines(self, room: int) -> Sequence[Line]:
        wanted = () if self._settings.first is None else self._differing()
        table = Table(self.fleet, self.scene, room, self._trends, self._names, wanted)
        self._settings.shown = table.columns.settings
        self.table.head = table.head()
        self._columns = table.columns
        if table:
            return table
        empty = "no run matches the filter" if self.scene.snapshot.runs else "waiting"
        return [((self.scene.say(empty), MUTED),)]

    def _differing(self) -> Sequence[Column]:
        """The columns of the settings that differ; those not read yet are asked for."""
        paths = self.fleet.rows[:MOST_COMPARED]
        unknown = {*paths, *self.seen()} - self._asked
        if unknown:
            self._asked |= unknown
            self.app.load_settings(unknown)
        return self._settings.page([self.fleet.run(path) for path in paths])

    def edges(self) -> None:
        say = self.scene.say
        count, shown = len(self.scene.snapshot.runs), len(self.fleet.rows)
        word = phrase("{count:run|runs}", self.scene.language, count=str(count))
        counted = f"{shown}/{count}" if self.fleet.filter.tests else f"{count}"
        upper: list[tuple[int, Line]] = [
            (1, ((counted, TEXT), (f" {word}", "strong"))),
            (2, self._urgency()),
            (1, self._progress()),
            (4, ((self.scene.sorted_by(self.fleet.key.value), MUTED),)),
            (3, self._marked()),
            (1, self._settings.place(self.scene)),
            (0, self._typed()),
        ]
        self.upper.show(upper, "frame")
        if self.fleet.fault is not None:
            text = clean(self.fleet.fault.message(say))
            self.lower.show([(0, ((text, "warning"),))], "frame")
            return
        hints = [
            (rank, ((key, "key"), (f" {say(word)}", MUTED))) for rank, key, word in self._hints()
        ]
        self.lower.show([(1, self.place()), *hints], "frame")

    def _hints(self) -> list[tuple[int, str, str]]:
        if self.entry.active:
            return [(2, "tab", "complete"), (0, "enter", "apply"), (3, "esc", "clear")]
        usual = [
            (0, "enter", "open"),
            (2, "/", "filter"),
            (3, "s", "sort"),
            (4, "v", "group"),
            (5, "space", "mark"),
            (6, "D", "settings"),
        ]
        usual.append((1, "esc" if len(self.scene.snapshot.runs) < 2 else "r", "back"))
        if self.fleet.filter.text.strip():
            return [(0, "esc", "all runs"), *((at + 1, key, word) for at, key, word in usual)]
        return usual

    def _urgency(self) -> Line:
        if not self._urgent:
            return EMPTY
        return ((f"{self._urgent} {self.scene.say('need attention')}", "warning"),)

    def _progress(self) -> Line:
        """How many runs are read, until all are; without a number while more are found."""
        snapshot, word = self.scene.snapshot, self.scene.say("reading")
        if not snapshot.busy or (
            snapshot.read is not None and snapshot.read[0] == snapshot.read[1]
        ):
            return EMPTY
        if snapshot.read is None:
            return ((word, MUTED),)
        done, count = snapshot.read
        return ((f"{word} {done}/{count}", MUTED),)

    def _marked(self) -> Line:
        known = sum(run.path in self.scene.marked for run in self.scene.snapshot.runs)
        return ((f"● {known}", "key"),) if known else EMPTY

    def _typed(self) -> Line:
        say = self.scene.say
        if self.entry.active:
            return ((f"{say('filter')}: ", MUTED), (clean(self.entry.text) + "▏", TEXT))
        text = clean(self.fleet.filter.text.strip())
        return ((f"{say('filter')}: ", MUTED), (text, TEXT)) if text else EMPTY

    def place(self) -> Line:
        height, count = self.table.rows, len(self.fleet.rows)
        if not height or count <= height:
            return EMPTY
        return ((f"{self.fleet.row + 1}/{count}", MUTED),)

    # ---------------------------------------------------------------------------- the choice

    def _show_choice(self) -> None:
        chosen = self.fleet.chosen
        if chosen is not None and chosen != self._shown:
            self._shown = chosen
            self.runs.choose_path(chosen)

    def choose(self, row: int) -> None:
        """Choose a row and bring it into view."""
        self.fleet.choose(row)
        self.body.reveal(self.fleet.row)
        self._again()
        self._show_choice()

    def _again(self) -> None:
        """Draw the rows again without looking for new data."""
        self._draw(self.scene)

    def _draw(self, scene: Scene) -> None:
        count = len(self.body.whole)
        super().present(scene)
        if len(self.body.whole) != count:
            self._make_room()
        if self.preview.display:
            index = self.fleet.index(self.fleet.chosen)
            # An index out of range is of no run.
            index = len(scene.snapshot.runs) if index is None else index
            self.preview.show(replace(scene, index=index))

    def action_choose(self, rows: int) -> None:
        """Move the choice."""
        self.choose(self.fleet.row + rows)

    def action_page(self, pages: int) -> None:
        """Move the choice by almost a screenful."""
        self.choose(self.fleet.row + pages * max(1, self.table.rows - 1))

    def action_edge(self, side: int) -> None:
        """Choose the first or the last row."""
        self.choose(0 if side < 0 else len(self.fleet.rows) - 1)

    def action_scroll(self, lines: int) -> None:
        """Move the rows beneath the wheel; the choice stays where it can be seen."""
        self.fleet.touch()
        top = max(0, min(self.body.top + lines, self.body.last_top()))
        self.body.top = top
        row = max(top, min(self.fleet.row, top + max(1, self.table.rows) - 1))
        if row != self.fleet.row:
            self.fleet.choose(row)
            self._show_choice()
        self._again()

    def action_open(self) -> None:
        """Look at the chosen run."""
        chosen = self.fleet.chosen
        if chosen is not None:
            self.fleet.choose_path(chosen)
            self.runs.choose_path(chosen)
            self.app.pop_screen()

    def action_mark(self) -> None:
        """Mark the chosen run for comparison, or take its mark away."""
        chosen = self.fleet.chosen
        if chosen is not None:
            self.fleet.choose(self.fleet.row)
            self.runs.mark(chosen)
            self.app.present()

    def action_settings(self) -> None:
        """Show the settings that differ as columns, then the next ones, then none again."""
        self._settings.turn()
        self._again()

    def action_back(self) -> None:
        """Show all runs again; of a single run, go back to it."""
        if self.fleet.filter.text.strip() or self.fleet.fault is not None:
            self._sift("")
        elif len(self.scene.snapshot.runs) < 2:
            self.app.pop_screen()

    # ----------------------------------------------------------------------- order and filter

    def action_sort(self) -> None:
        """Sort by the next key."""
        self._sort(following(list(Key), self.fleet.key))

    def action_turn(self) -> None:
        """Sort the other way round."""
        self._sort(self.fleet.key, turned=not self.fleet.turned)

    def _sort(self, key: Key, *, turned: bool = False) -> None:
        self.fleet.sort(key, self.scene.now, turned=turned)
        self.body.reveal(self.fleet.row)
        self._again()
        self._show_choice()

    def action_filter(self) -> None:
        """Begin to type which runs to show."""
        self.entry.begin(self.fleet.filter.text)
        self.edges()

    def action_group(self) -> None:
        """Begin to type by which setting the runs are grouped, behind the filter."""
        shown = " ".join(
            one for one in self.fleet.filter.text.split() if not one.startswith(f"{GROUP}:")
        )
        self.entry.begin(f"{shown} {GROUP}:".lstrip())
        self.edges()

    def _sift(self, text: str) -> None:
        self.fleet.sift(text, self.scene.now)
        self.body.reveal(self.fleet.row)
        self._again()
        self._show_choice()

    def on_key(self, event: events.Key) -> None:
        if not self.entry.active:
            return
        if rows := self.rows_moved(event):
            self.choose(self.fleet.row + rows)
        elif event.key == "tab":
            event.stop()
            event.prevent_default()
            self.entry.text = completed(self.entry.text, self.fleet.names)
            self._sift(self.entry.text)
        elif self.entry.handle(event):
            if event.key == "enter":
                # What means nothing is dropped with the end of typing.
                self._sift(self.fleet.filter.text)
            else:
                self._sift(self.entry.text)

    def typed(self) -> None:
        self._sift(self.entry.text)

    # ----------------------------------------------------------------------------- the mouse

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self.body)
        if place is None:
            return
        if place.y == 0:
            key = self._columns.key_at(place.x)
            if key is not None:
                self._sort(key, turned=key is self.fleet.key and not self.fleet.turned)
            return
        row = self.body.top + place.y - 1
        if row < len(self.fleet.rows):
            again = event.chain > 1 and row == self.fleet.row
            self.choose(row)
            if again:
                self.action_open()
