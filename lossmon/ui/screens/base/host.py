"""View host: the app, as its views know it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from textual.app import App
from textual.binding import Binding

from lossmon.ui.chart_actions import ChartActions
from lossmon.ui.metrics.ranking import MetricChoices
from lossmon.ui.run_selection import RunSelection
from lossmon.ui.scene import Scene, ScreenConfig
from lossmon.ui.screens.base.scene_screen import SceneScreen
from lossmon.ui.state.hardware_timeline import HardwareTimeline
from lossmon.ui.state.preferences import Preferences
from lossmon.ui.state.session import Session
from lossmon.ui.theme.switcher import ThemeSwitcher

NOTICE_SECONDS = 3.0
"""How long a message stands on the screen."""


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

    def write_sequence(self, text: str) -> None:
        """Write a control sequence to the terminal between two pictures; any thread may call it."""
        raise NotImplementedError

    def load_settings(self, paths: Collection[Path]) -> None:
        """Have the settings files of runs read."""
        raise NotImplementedError
