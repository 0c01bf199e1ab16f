"""App: gives the newest scene to the view on top, and runs the actions of keys."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.console import RenderableType
from textual import on, work
from textual.app import ScreenStackError
from textual.binding import Binding, BindingType
from textual.events import Event, Key, Resize
from textual.filter import Monochrome, NoColor
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import Worker, WorkerState

from lossmon.locale import translate
from lossmon.monitor import RunSource
from lossmon.types import MetricNames, Snapshot
from lossmon.ui.chart.model import XAxis
from lossmon.ui.chart_actions import ChartActions
from lossmon.ui.compositor import forget_closed_widgets, forget_shown
from lossmon.ui.dashboard.main_panes import lead_keys
from lossmon.ui.dashboard.places import classes_of
from lossmon.ui.follower import ReadingFailed, SnapshotPoller, SnapshotReady
from lossmon.ui.keys import BINDINGS, FOOTER, footer, in_groups
from lossmon.ui.metrics.ranking import MetricChoices
from lossmon.ui.run_selection import RunSelection
from lossmon.ui.scene import Scene, ScreenConfig
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.scene_screen import (
    DetailRequested,
    MediaRequested,
    SceneScreen,
    axes_of,
)
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.dashboard_keys import useless_keys
from lossmon.ui.state.hardware_timeline import HardwareTimeline
from lossmon.ui.state.preferences import Preferences
from lossmon.ui.state.session import Session
from lossmon.ui.terminal import Terminal, detect, is_hung_up
from lossmon.ui.text.ascii import Ascii
from lossmon.ui.theme.palette import color_system
from lossmon.ui.theme.switcher import ThemeSwitcher
from lossmon.ui.views import BY_ID, DETAIL, MEDIA, METRICS, RUNS, VIEWS, View

TICK = 1.0
"""Seconds between two looks at the clock; only a changed text is written."""

KEYS = in_groups([*(view.binding for view in VIEWS if view.key), *BINDINGS])
"""Keys that work in every view."""


class LossmonApp(ViewHost):
    """The live view of training runs.

    Args:
        clock: Seconds since the Unix epoch.
        begin: Called once, after the first poll; by default the source begins then.
        terminal: What may be drawn; detected from the environment if None.
    """

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    """Ours finds runs and themes too, in the frame of the other views."""
    TITLE = "lossmon"
    BINDINGS: ClassVar[list[BindingType]] = list(KEYS)

    def __init__(
        self,
        source: RunSource,
        config: ScreenConfig | None = None,
        *,
        clock: Callable[[], float] = time.time,
        begin: Callable[[], None] | None = None,
        terminal: Terminal | None = None,
    ) -> None:
        config = config or ScreenConfig()
        terminal = terminal or detect()
        if config.ascii is not None:
            terminal = replace(terminal, unicode=not config.ascii)
        # Sixteen colours and none at all are the terminal's own: nothing is made of them here.
        super().__init__(ansi_color=True if terminal.plain else None)
        if not terminal.plain:
            # As many as the first frame has; rich does not know every terminal by its name.
            self.console._color_system = color_system(terminal)
        # Textual takes an empty NO_COLOR for a set one, and sends colours to a TERM without any.
        self._filters = [one for one in self._filters if not isinstance(one, NoColor | Monochrome)]
        self.no_color = terminal.colors == 0
        if self.no_color:
            self._filters.append(NoColor())
        self.animation_level = "none"
        self.source, self.clock, self.terminal = source, clock, terminal
        self.config = replace(config, initial=None)
        self.preferences = Preferences(config.state)
        self.snapshot = config.initial or Snapshot()
        self.charts = ChartActions(config.chart_settings, self.preferences)
        self.runs = RunSelection(self.snapshot, clock)
        self.metric_choices = MetricChoices()
        self.timeline = HardwareTimeline()
        self.timeline.update(self.snapshot, self.runs.run)
        self.session = Session(
            config.state,
            config.file,
            config.names,
            self._rename,
            lambda: not self.is_web,
        )
        self.follower = SnapshotPoller(
            source, self.post_message, begin or source.begin, config.initial
        )
        if not terminal.unicode:
            self._filters.append(Ascii())
        kept = self.preferences
        self._errors: tuple[str, ...] = (kept.error,) if kept.error else ()
        self.themes = ThemeSwitcher(self, terminal, config.theme, kept.theme, config.themes)
        self._has_opened = not config.fleet_first
        self._started_by = os.getppid()
        self._forgetting: Timer | None = None
        self._remap_keys()

    def _remap_keys(self) -> None:
        if not self.config.keys:
            return
        from lossmon.ui.key_catalogue import ids
        from lossmon.ui.keys import pressable

        keys = pressable(self.config.keys, ids())
        self.config = replace(self.config, keys=keys)
        self.set_keymap(keys)

    def _rename(self, names: MetricNames) -> None:
        self.source.set_metric_names(names)
        self.source.changed.set()

    # --------------------------------------------------------------------------- data in

    def get_default_screen(self) -> Screen[None]:
        self.charts.arrange(" ".join(classes_of(*self.size)))
        ranks = {**FOOTER, **{one.id: one.footer for one in VIEWS if one.footer is not None}}
        keys = footer(
            (*KEYS, *Dashboard.BINDINGS), sorted(ranks, key=ranks.__getitem__), self.config.keys
        )
        # A method of the scene would keep the columns of its snapshot as long as the dashboard.
        scene = self.scene
        dashboard = Dashboard(keys, partial(translate, language=scene.language))
        # All that is known before the first layout need not be painted again after it.
        dashboard.add_class(*classes_of(*self.size), update=False)
        dashboard.present(scene)
        return dashboard

    def on_mount(self) -> None:
        self.present()
        self._open_first()
        # Reading and judging go on once the first frame stands, not beside it.
        self.call_after_refresh(self.follow_runs)
        self.set_interval(TICK, self.tick)
        self.set_timer(TICK, lambda: self.themes.names)
        # The shell wrote over the screen while the process was suspended.
        self.app_resume_signal.subscribe(self, lambda app: self.screen.refresh(layout=True))

    async def on_event(self, event: Event) -> None:
        if isinstance(event, Key):
            self.follower.last_key = time.monotonic()
        await super().on_event(event)

    def on_resize(self, event: Resize) -> None:
        forget_shown(self.console)
        if self.charts.arrange(" ".join(classes_of(*event.size))):
            self.present()

    def on_unmount(self) -> None:
        self.follower.stop()

    @work(thread=True, exclusive=True, group="reader", exit_on_error=False)
    def follow_runs(self) -> None:
        """Read until the end, in a thread."""
        self.follower.run()

    @on(SnapshotReady)
    def receive(self, message: SnapshotReady) -> None:
        """Show new data, unless the user paused."""
        if self.follower.paused:
            return
        self.snapshot = message.snapshot
        self.runs.update(message.snapshot)
        self.timeline.update(message.snapshot, self.runs.run)
        self._open_first()
        self.present()

    def _open_first(self) -> None:
        """Begin with all runs where there are several, with its media where a run has nothing else;
        not where the user is at work."""
        if self._has_opened:
            return
        several = len(self.snapshot.runs) > 1
        self._has_opened = several or bool(self.snapshot.runs and not self.snapshot.busy)
        if self.follower.last_key != float("-inf"):
            return
        if several:
            self.action_view(RUNS.id)
        elif self._has_opened and self.scene.lacks_scalars and self.snapshot.runs[0].media:
            self.action_view(METRICS.id)

    @on(ReadingFailed)
    def note_failure(self, message: ReadingFailed) -> None:
        """Say once what went wrong; the screen keeps its data until the next poll."""
        if message.reason not in self._errors:
            self._errors += (message.reason,)
            self.present()

    @on(Worker.StateChanged)
    def report_failure(self, event: Worker.StateChanged) -> None:
        """Say that the reader thread died; the screen keeps its last data."""
        if event.state is WorkerState.ERROR:
            self._errors += (f"reading stopped: {event.worker.error!r}",)
            self.present()

    def load_settings(self, paths: Collection[Path]) -> None:
        self.source.load_settings(paths)

    # -------------------------------------------------------------------------- scene out

    @property
    def scene(self) -> Scene:
        return Scene(
            snapshot=self.snapshot,
            index=self.runs.index,
            chart_settings=self.charts.settings,
            now=self.clock(),
            # Words of another script would all become question marks.
            language=self.config.language if self.terminal.unicode else "en",
            terminal=self.terminal,
            paused=self.follower.paused,
            errors=(*self._errors, *self.themes.errors, *self.session.errors),
            marked=self.runs.marked,
            position=self.runs.position,
            ambiguous_tags=self.session.unlabelled(self.runs.run),
            keys=self.config.keys,
            pins=self.preferences.pins,
        )

    @property
    def view(self) -> SceneScreen | None:
        try:
            screen = self.screen
        except ScreenStackError:
            # While the app begins or ends there is none.
            return None
        return screen if isinstance(screen, SceneScreen) else None

    def present(self) -> None:
        view = self.view
        if view is None:
            return
        with self.batch_update():
            view.present(self.scene)
        run = self.runs.run
        self.source.prioritise(view.seen() or ((run.path,) if run else ()))

    def tick(self) -> None:
        """Let time pass on the view on top."""
        with self.contained():
            if self._is_abandoned():
                self.exit(return_code=128 + signal.SIGHUP)
            view = self.view
            if view is not None and not self.follower.paused:
                view.tick(self.scene)

    def _is_abandoned(self) -> bool:
        """Nobody can see the screen any more: its server was killed, or its terminal closed.

        A closed terminal says so by SIGHUP, but not to every process; Textual reads on from it
        without a pause.
        """
        if self.is_web:
            return os.getppid() != self._started_by
        return not self.is_headless and is_hung_up(0)

    def pop_screen(self) -> object:  # type: ignore[override]
        """Go back to the view below and bring it up to date."""
        result = super().pop_screen()
        # Its first picture is of now: another run may be in view than when it was covered.
        self.present()
        self._forget_after_rest()
        self.call_after_refresh(self.present)
        return result

    def _forget_after_rest(self) -> None:
        """Free closed views once no key has come for a while: it takes as long as opening one."""
        if self._forgetting is not None:
            self._forgetting.stop()
        self._forgetting = self.set_timer(TICK, self._forget)

    def _forget(self) -> None:
        if time.monotonic() - self.follower.last_key < TICK:
            self._forget_after_rest()
        else:
            forget_closed_widgets()

    def _open(self, view: View, screen: SceneScreen | None) -> None:
        if screen is not None:
            screen.title_word = view.title
            # All that is known before the first layout stands in the first picture of the view.
            screen.add_class(*classes_of(*self.size), update=False)
            screen.present(self.scene)
            self.push_screen(screen)
            self.call_after_refresh(self.present)

    # ---------------------------------------------------------------------------- actions

    @property
    def key_groups(self) -> Mapping[str, Sequence[Binding]]:
        from lossmon.ui.key_catalogue import catalogue

        return catalogue()

    def action_view(self, id: str) -> None:
        """Open a view, or close it where it is on top."""
        view = BY_ID[id]
        screen_class = view.screen_class()
        if isinstance(self.view, screen_class):
            self.view.toggle()
        elif self.runs.run is None and id in useless_keys(self.scene):
            self.show_notice(self.scene.say("no run yet"))
        else:
            self._open(view, screen_class.create(self))

    @on(DetailRequested)
    def show_detail(self, message: DetailRequested) -> None:
        """Show a metric full screen, or go back to the one below."""
        from lossmon.ui.screens.detail import DetailScreen

        self._open(DETAIL, DetailScreen.create_for(self, message))

    @on(MediaRequested)
    def show_media(self, message: MediaRequested) -> None:
        """Show what was logged under a tag full screen."""
        from lossmon.ui.screens.media.base import MediaScreen

        view = MEDIA[message.series.kind]
        screen_class = view.screen_class()
        assert issubclass(screen_class, MediaScreen)
        self._open(view, screen_class.create_for(self, message.series.key))

    def action_chart(self, name: str, *arguments: object) -> None:
        """Change the chart settings."""
        getattr(self.charts, name)(*arguments)
        self.present()

    def action_log_axis(self) -> None:
        """Switch the loss axis; on the dashboard that of every main chart, whatever it shows."""
        self.charts.log_axis(lead_keys(self.scene) if isinstance(self.view, Dashboard) else ())
        self.present()

    def action_x_axis(self) -> None:
        """Switch to the next axis that the view on top has."""
        scene = self.scene
        axes: Collection[XAxis] = axes_of(scene) if self.view is None else self.view.axes(scene)
        self.charts.x_axis(axes)
        self.present()

    def action_next_run(self, step: int) -> None:
        """Show the next or the previous run of the fleet, as it is sorted and filtered."""
        self.runs.step(step)
        self.present()

    def action_pause(self) -> None:
        """Pause reading, or resume it."""
        self.follower.paused = not self.follower.paused
        self.present()

    def write_sequence(self, text: str) -> None:
        """Write a control sequence to the terminal between two pictures; any thread may call it."""
        if self.is_running and self._driver is not None:
            self._driver.write(text)

    def exit(
        self, result: None = None, return_code: int = 0, message: RenderableType | None = None
    ) -> None:
        """Quit; views free what the terminal keeps for them before it is given back."""
        for screen in self.screen_stack:
            if isinstance(screen, SceneScreen):
                screen.free()
        super().exit(result, return_code, message)

    def action_help_quit(self) -> None:
        """Quit with Ctrl+C, as every program that only reads does."""
        self.exit()
