"""View host: the app, as its views know it."""

from __future__ import annotations

import os
from codecs import getincrementaldecoder
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from select import select
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import constants, on
from textual._time import get_time
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Event, Resize
from textual.message import Message
from textual.screen import Screen

from lossmon.errors import USAGE_ERROR, internal_error
from lossmon.locale import message
from lossmon.sanitize import cells
from lossmon.types import Series
from lossmon.ui.chart_actions import ChartActions
from lossmon.ui.compositor import forget_shown
from lossmon.ui.metrics.ranking import MetricChoices
from lossmon.ui.run_selection import RunSelection
from lossmon.ui.scene import Scene, ScreenConfig
from lossmon.ui.screens.base.scene_screen import SceneScreen
from lossmon.ui.state.hardware_timeline import HardwareTimeline
from lossmon.ui.state.preferences import Preferences
from lossmon.ui.state.session import Session
from lossmon.ui.theme.switcher import ThemeSwitcher
from lossmon.ui.widgets.guarded import HandlerFailed, described, guarded_in

if TYPE_CHECKING:
    from lossmon.ui.compare.runs import Comparison

NOTICE_SECONDS = 3.0
"""How long a message stands on the screen."""

FAULT_SECONDS = 10.0
"""The same for one that nobody expects, and that names a place in the code."""


ESCAPE_SECONDS = 0.05
"""Seconds after which an escape is a key and not the beginning of one, as in Neovim: a terminal
sends a key at once, and only a slow line may cut it in two. `ESCDELAY` (milliseconds) overrules."""

if "ESCDELAY" not in os.environ:
    setattr(constants, "ESCAPE_DELAY", ESCAPE_SECONDS)  # noqa: B010 (declared to be constant)

LOOK = 0.1
"""Seconds after which the thread that reads keys looks whether the program ends."""


MOST_CELLS = 500_000
"""Cells of the largest screen that is believed: a report of more is wrong, and its layout would not
end."""


class ContinuingDriver(LinuxDriver):
    """Reads an escape without delay, and takes the terminal again after any stop of the process.

    After SIGSTOP, or where SIGCONT comes to a running process, Textual would read keys in two
    threads and hang at the end, because it has not left the terminal as Ctrl+Z makes it.
    """

    def run_input_thread(self) -> None:
        """Read keys until the end. Textual looks every tenth of a second whether an escape was
        all of a key; this looks when it is due."""
        # A terminal with another encoding must not end the program with its first key.
        decode = getincrementaldecoder("utf-8")("replace").decode
        parser = XTermParser(self._debug)
        while not self.exit_event.is_set():
            due = parser._timeout_time
            wait = LOOK if due is None else min(max(0.0, due - get_time()), LOOK)
            is_ready = select([self.fileno], [], [], wait)[0]
            text = decode(os.read(self.fileno, 4096)) if is_ready else ""
            # An empty text would end the parser.
            for event in chain(parser.feed(text) if text else (), parser.tick()):
                self.process_message(event)

    def start_application_mode(self) -> None:
        forget_shown(self._app.console)
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def _sigcont_application(self, *_: object) -> None:
        if self._must_signal_resume:
            super()._sigcont_application()
        else:
            # The code that was interrupted may hold the lock of the queue of what is written.
            self._loop.call_soon_threadsafe(self._begin_anew)

    def _begin_anew(self) -> None:
        if self._auto_restart and self._app.is_running:
            self.suspend_application_mode()
            self._must_signal_resume = True
            self.resume_application_mode()


class ViewHost(App[None]):
    """What a view may use of the app.

    Attributes:
        config: Settings that the screen was opened with.
        clock: Seconds since the Unix epoch.
        preferences: Choices kept from one start to the next.
        charts: Chart settings and the actions that change them.
        runs: The run in view, marked runs, the fleet.
        session: What views keep until the end.
        metric_choices: What the user chose in the metrics view.
        timeline: Load and memory of GPUs over time.
        themes: Names of the themes; switches between them.
    """

    config: ScreenConfig
    clock: Callable[[], float]
    preferences: Preferences
    charts: ChartActions
    runs: RunSelection
    session: Session
    metric_choices: MetricChoices
    timeline: HardwareTimeline
    themes: ThemeSwitcher

    async def _on_message(self, message: Message) -> None:
        with self.contained():
            await super()._on_message(message)

    async def _dispatch_action(self, namespace: DOMNode, action_name: str, params: Any) -> bool:
        is_handled = True
        with self.contained():
            is_handled = await super()._dispatch_action(namespace, action_name, params)
        return is_handled

    @contextmanager
    def contained(self) -> Iterator[None]:
        """Have an unexpected exception cost what was being done, and say so."""
        try:
            yield
        except Exception as error:
            self.report(HandlerFailed(described(error)))

    @on(HandlerFailed)
    def report(self, fault: HandlerFailed) -> None:
        """Say what failed; the traceback was kept."""
        text = message(f"{fault.text}; `lossmon doctor` says more")
        self.clear_notifications()
        self.notify(text, severity="error", timeout=FAULT_SECONDS, markup=False)

    def _handle_exception(self, error: Exception) -> None:
        """Take what Textual could not lay out, paint or call back: it costs a panel or a view.

        Where the first view itself cannot be shown, the program ends.
        """
        guarded, stack = guarded_in(error), self._screen_stack if self.is_running else []
        if guarded and not isinstance(guarded[-1], Screen):
            guarded[0].contain(error)
        elif len(stack) > 1:
            self.report(HandlerFailed(described(error)))
            self.call_later(self._close_view, stack[-1])
        else:
            super()._handle_exception(error)

    def _close_view(self, screen: Screen[Any]) -> None:
        if screen.is_current and len(self.screen_stack) > 1:
            self.pop_screen()

    def _fatal_error(self) -> None:
        """End with one line, as a command does. Textual would print all variables, and exit with
        the status of a bad verdict."""
        if self._exception is not None and not self._exit_renderables:
            said = f"{internal_error(self._exception)}; `lossmon doctor` says more"
            self._exit_renderables.append(Text(cells(f"lossmon: {message(said)}")))
        self._return_code = USAGE_ERROR
        self._close_messages_no_wait()

    async def on_event(self, event: Event) -> None:
        if not (isinstance(event, Resize) and event.size.area > MOST_CELLS):
            await super().on_event(event)

    def get_driver_class(self) -> type[Driver]:
        """The usual driver, which is another one in a browser."""
        usual = super().get_driver_class()
        return ContinuingDriver if usual is LinuxDriver else usual

    @property
    def scene(self) -> Scene:
        """What the view on top shows."""
        raise NotImplementedError

    @property
    def view(self) -> SceneScreen | None:
        """The view on top, None while there is none."""
        raise NotImplementedError

    @property
    def below(self) -> SceneScreen | None:
        """The view below the one on top, None where there is none."""
        stack = self.screen_stack
        screen = stack[-2] if len(stack) > 1 else None
        return screen if isinstance(screen, SceneScreen) else None

    def comparison(self) -> Comparison | None:
        """What the view on top compares; None where it shows one run.

        A view that was opened over the comparison is closed: another one takes its place.
        """
        view, below = self.view, self.below
        found = None if view is None else view.comparison
        if found is not None and below is not None and below.comparison is found:
            self.pop_screen()
        return found

    @property
    def key_groups(self) -> Mapping[str, Sequence[Binding]]:
        """Every key of the screen, by the title of its group."""
        raise NotImplementedError

    def present(self) -> None:
        """Give the view on top the newest scene."""
        raise NotImplementedError

    def show_notice(self, text: str, title: str = "") -> None:
        """Show a message for some seconds, instead of the one before."""
        self.clear_notifications()
        self.notify(text, title=title, timeout=NOTICE_SECONDS, markup=False)

    def switch_log_y(self, key: str, shown: Iterable[Series], *, log: bool) -> None:
        """Give a chart a logarithmic or a linear y axis, or say that it has no value for it.

        Args:
            key: Key of the chart.
            shown: Its series.
        """
        if any(one.maximum > 0 for one in shown):
            self.charts.log_chart(key, log)
            self.present()
        else:
            self.show_notice(self.scene.say("no value above zero for a logarithmic axis"))

    def write_sequence(self, text: str) -> None:
        """Write a control sequence to the terminal between two pictures; any thread may call it."""
        raise NotImplementedError

    def load_settings(self, paths: Collection[Path]) -> None:
        """Have the settings files of runs read."""
        raise NotImplementedError
