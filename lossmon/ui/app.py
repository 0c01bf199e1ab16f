"""The app: one thread polls the monitor, the view on top shows what it found."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual import on, work
from textual.app import App, ScreenStackError
from textual.binding import Binding, BindingType
from textual.events import Event, Key, Resize
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker, WorkerState, get_current_worker

from lossmon.errors import internal_error
from lossmon.types import MetricNames, Snapshot
from lossmon.ui.chart.view_options import XAxis
from lossmon.ui.chart_actions import ChartActions
from lossmon.ui.keys.bindings import BINDINGS, footer
from lossmon.ui.scene import Scene, ScreenConfig, liveliest
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.view import Detail, View, axes_of, classes_of
from lossmon.ui.state.preferences import Preferences
from lossmon.ui.terminal import Terminal, detect
from lossmon.ui.text.ascii import Ascii
from lossmon.ui.theme.switcher import ThemeSwitcher
from lossmon.ui.views import Views

if TYPE_CHECKING:
    from lossmon.ui.fleet.fleet import Fleet

BUDGET = 0.05
"""Seconds of reading between two chances to stop."""

FRAME = 0.5
"""Seconds between two pictures of a live run: twice a second reads as live, and costs a slow
line and the reader's machine little."""

LOADING_FRAME = 0.25
"""Seconds between two pictures while a long log is being read, so that its progress flows."""

GIVE_WAY = 0.15
"""Seconds that reading pauses after a key: one Python thread works at a time, and opening a view
takes the half of this when it is left alone."""

HEARTBEAT = 1.0
"""Seconds after which the monitor looks even if no file event came: network mounts send none."""

TICK = 1.0
"""Seconds between two looks at the clock; only a changed text is written."""


class Pollable(Protocol):
    """What the app asks for data. One thread calls it."""

    def poll(self, budget: float) -> Snapshot:
        """Read for about `budget` seconds; the same object as before while nothing changed."""
        ...


class SnapshotReady(Message):
    """New data. A newer one replaces it, so it carries state only, never news."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SnapshotReady)


class ReadingFailed(Message):
    """A poll failed; the next one comes all the same."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class LossmonApp(Views, ChartActions, ThemeSwitcher, App[None]):
    """The live view of training runs.

    Args:
        monitor: Where snapshots come from.
        changed: Set by the watcher when a file changed; cleared before each poll.
        config: What the user set.
        clock: Seconds since the Unix epoch.
        prioritise: Called with the paths of the runs in view while some runs are not judged.
        set_metric_names: Called with the user's metric names whenever they change.
        load_settings: Called with the paths of runs whose settings files are to be read.
        terminal: What may be drawn; asked of the environment if None.
    """

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    """Ours finds the runs and the themes too, in the frame of the other views."""
    TITLE = "lossmon"
    BINDINGS: ClassVar[list[BindingType]] = list(BINDINGS)

    def __init__(
        self,
        monitor: Pollable,
        changed: threading.Event,
        config: ScreenConfig | None = None,
        *,
        clock: Callable[[], float] = time.time,
        prioritise: Callable[[Collection[Path]], None] = lambda paths: None,
        set_metric_names: Callable[[MetricNames], None] = lambda names: None,
        load_settings: Callable[[Collection[Path]], None] = lambda paths: None,
        terminal: Terminal | None = None,
    ) -> None:
        config = config or ScreenConfig()
        terminal = terminal or detect()
        if config.ascii is not None:
            terminal = replace(terminal, unicode=not config.ascii)
        # Sixteen colours and none at all are the terminal's own: nothing is made of them here.
        super().__init__(ansi_color=True if terminal.plain else None)
        self.animation_level = "none"
        self.monitor, self.changed, self.config, self.clock = monitor, changed, config, clock
        self.terminal = terminal
        self.look = config.look
        self.kept = Preferences(config.home)
        self.snapshot = config.initial or Snapshot()
        self._prioritise, self._set_metric_names = prioritise, set_metric_names
        self._load_settings = load_settings
        self.frozen = False
        self.marked: frozenset[Path] = frozenset()
        self._fleet: Fleet | None = None
        self._is_opened = not config.fleet_first
        self._chosen = liveliest(self.snapshot)
        self._user_chose = False
        self._troubles: tuple[str, ...] = (self.kept.trouble,) if self.kept.trouble else ()
        self._ending = threading.Event()
        self._started_by = os.getppid()
        self._typed = -math.inf
        if not terminal.unicode:
            self._filters.append(Ascii())
        self.begin_theme()
        self._begin_keys()

    def _begin_keys(self) -> None:
        if not self.config.keys:
            return
        from lossmon.ui.keys.keymap import pressable

        ids = [binding.id for binding in self.all_bindings if binding.id]
        good, troubles = pressable(self.config.keys, ids)
        self._troubles += tuple(troubles)
        self.config = replace(self.config, keys=good)
        self.set_keymap(good)

    # --------------------------------------------------------------------------- data in

    def get_default_screen(self) -> Screen[None]:
        self.arrange(self.size)
        own = [one for one in Dashboard.BINDINGS if isinstance(one, Binding)]
        dashboard = Dashboard(footer((*BINDINGS, *own), self.config.keys), self.scene.say)
        # All that is known before the first layout need not be painted again after it.
        dashboard.add_class(*classes_of(self.size), update=False)
        dashboard.present(self.scene)
        return dashboard

    def on_mount(self) -> None:
        self.present()
        self._open_first()
        self.call_after_refresh(self.all_themes)
        # Reading and judging go on once the first frame stands, not beside it.
        self.call_after_refresh(self.follow_runs)
        self.set_interval(TICK, self.tick)

    async def on_event(self, event: Event) -> None:
        if isinstance(event, Key):
            self._typed = time.monotonic()
        await super().on_event(event)

    def on_resize(self, event: Resize) -> None:
        before = self.look
        self.arrange(event.size)
        if self.look is not before:
            self.present()

    def on_unmount(self) -> None:
        self._ending.set()
        self.changed.set()

    @work(thread=True, exclusive=True, group="reader", exit_on_error=False)
    def follow_runs(self) -> None:
        """Publish what is new, then sleep until something changes."""
        worker = get_current_worker()
        shown, due = self.config.initial, 0.0
        while not worker.is_cancelled and not self._ending.is_set():
            self.changed.clear()
            if self._ending.is_set():
                # The bell of the end may have been the one that was just cleared.
                return
            if self.frozen:
                # What stands still costs nothing; what was found meanwhile is shown afterwards.
                shown = None
                self.changed.wait()
                continue
            try:
                snapshot = self.monitor.poll(BUDGET)
            except Exception as error:
                self.post_message(ReadingFailed(internal_error(error)))
                self._ending.wait(HEARTBEAT)
                continue
            now = time.monotonic()
            if snapshot is not shown and (now >= due or not snapshot.busy):
                self.post_message(SnapshotReady(snapshot))
                shown, due = snapshot, now + LOADING_FRAME
                if not snapshot.busy:
                    self._ending.wait(FRAME)
                    continue
            if not snapshot.busy:
                self.changed.wait(HEARTBEAT)
            elif (pause := self._typed + GIVE_WAY - now) > 0:
                self._ending.wait(pause)

    @on(SnapshotReady)
    def receive(self, message: SnapshotReady) -> None:
        """Show new data, unless the user froze the old."""
        if self.frozen:
            return
        before = self.scene.run
        self.snapshot = message.snapshot
        self._keep_run(before.path if before else None)
        self._open_first()
        self.present()

    def _open_first(self) -> None:
        """Where there are several runs begin with all of them, unless the user is at work."""
        if self._is_opened:
            return
        several = len(self.snapshot.runs) > 1
        self._is_opened = several or bool(self.snapshot.runs and not self.snapshot.busy)
        if several and self._typed == -math.inf:
            self.action_runs()

    @on(ReadingFailed)
    def note_failure(self, message: ReadingFailed) -> None:
        """Say once what went wrong; the screen keeps its data until the next poll."""
        if message.reason not in self._troubles:
            self._troubles += (message.reason,)
            self.present()

    @on(Worker.StateChanged)
    def report_failure(self, event: Worker.StateChanged) -> None:
        """Say that the reader thread died; the screen keeps its last data."""
        if event.state is WorkerState.ERROR:
            self._troubles += (f"reading stopped: {event.worker.error!r}",)
            self.present()

    def _keep_run(self, path: object) -> None:
        """Stay with the run in view, whatever else was found; before a choice, the liveliest."""
        runs = self.snapshot.runs
        if not self._user_chose:
            self._chosen = liveliest(self.snapshot)
            return
        at = next((i for i, run in enumerate(runs) if run.path == path), None)
        self._chosen = liveliest(self.snapshot) if at is None else at

    # -------------------------------------------------------------------------- scene out

    @property
    def scene(self) -> Scene:
        """What the view on top shows."""
        runs, index = self.snapshot.runs, self._chosen
        return Scene(
            snapshot=self.snapshot,
            index=self._chosen,
            look=self.look,
            now=self.clock(),
            language=self.config.language,
            terminal=self.terminal,
            frozen=self.frozen,
            recognised=self.config.recognised,
            errors=(*self._troubles, *self.naming_troubles),
            marked=self.marked,
            place=self._place,
            ambiguous_tags=self.unclear_of(runs[index] if index < len(runs) else None),
            asks=self.config.keys.get("view.names", "i"),
        )

    @property
    def _place(self) -> tuple[int, int] | None:
        runs = self.snapshot.runs
        if self._fleet is None or self._chosen >= len(runs):
            return self._chosen + 1, len(runs)
        row = self._fleet.row_of(runs[self._chosen].path)
        return None if row is None else (row + 1, len(self._fleet.rows))

    @property
    def view(self) -> View | None:
        """The view on top; None while the app begins or ends and there is no screen."""
        try:
            screen = self.screen
        except ScreenStackError:
            return None
        return screen if isinstance(screen, View) else None

    @property
    def axes(self) -> Collection[XAxis]:
        """What the view on top can count along the horizontal."""
        return axes_of(self.scene) if self.view is None else self.view.axes(self.scene)

    def present(self) -> None:
        """Give the view on top the newest scene."""
        view = self.view
        if view is not None:
            with self.batch_update():
                view.present(self.scene)
            if self.snapshot.busy:
                run = self.scene.run
                self._prioritise(view.seen() or ((run.path,) if run else ()))

    def tick(self) -> None:
        """Let time pass on the view on top."""
        if self.is_web and os.getppid() != self._started_by:
            # The server was killed, and nobody can look any more.
            self.exit()
        view = self.view
        if view is not None and not self.frozen:
            view.tick(self.scene)

    def open(self, view: View) -> None:
        """Put a view on top, with the scene on it from its first frame."""
        if type(self.screen) is type(view):
            self.pop_screen()
            return
        self.push_screen(view)
        self.call_after_refresh(self.present)

    def pop_screen(self) -> object:  # type: ignore[override]
        """Go back to the view below and bring it up to date."""
        result = super().pop_screen()
        self.call_after_refresh(self.present)
        return result

    # ---------------------------------------------------------------------------- actions

    @property
    def all_bindings(self) -> tuple[Binding, ...]:
        """Every binding with an id, of the app and of its views."""
        from lossmon.ui.key_catalogue import catalogue

        return tuple(binding for group in catalogue().values() for binding in group)

    @on(Detail)
    def follow_detail(self, message: Detail) -> None:
        """Open a metric full screen, or go back to the one below."""
        self.open_detail(message.key, message.step)

    @property
    def fleet(self) -> Fleet:
        """Order, filter and choice of all runs; made when first asked for."""
        if self._fleet is None:
            from lossmon.ui.fleet.fleet import Fleet

            self._fleet = Fleet()
        self._fleet.follow(self.snapshot.runs, self.clock())
        return self._fleet

    def look_at(self, path: Path) -> None:
        """Have a run in view from now on."""
        at = self.fleet.index(path)
        if at is not None:
            self._chosen, self._user_chose = at, True

    def choose_run(self, index: int) -> None:
        """Look at a run of the snapshot."""
        if index < len(self.snapshot.runs):
            self._chosen, self._user_chose = index, True
            self.present()

    def tell_names(self, names: MetricNames) -> None:
        """Have the runs read with what the user says of names."""
        self._set_metric_names(names)
        self.changed.set()

    def load_settings(self, paths: Collection[Path]) -> None:
        """Have the settings files of runs read."""
        self._load_settings(paths)
        self.changed.set()

    def mark(self, path: Path) -> None:
        """Mark a run for comparison, or take its mark away."""
        self.marked ^= {path}
        self.present()

    def action_next_run(self, step: int) -> None:
        """Look at the next or the previous run of the fleet as it is sorted and filtered."""
        run = self.scene.run
        path = None if run is None else self.fleet.step(run.path, step)
        if path is not None:
            self.look_at(path)
            self.present()

    def action_freeze(self) -> None:
        """Hold the data still, or go on with the newest."""
        self.frozen = not self.frozen
        self.changed.set()
        self.present()

    def write_sequence(self, text: str) -> None:
        """Write a control sequence to the terminal between two pictures; any thread may call it."""
        if self.is_running and self._driver is not None:
            self._driver.write(text)

    def action_help_quit(self) -> None:
        """Ctrl+C ends the screen, as it ends every program that only looks."""
        self.exit()
