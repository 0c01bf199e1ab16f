"""Base of all views: a screen that is given scenes and shows them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from textual import events, on
from textual.errors import NoWidget
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen

from lossmon.types import MediaSeries
from lossmon.ui.chart.model import XAxis
from lossmon.ui.chart.positions import axes_of_run
from lossmon.ui.compositor import DiffCompositor
from lossmon.ui.dashboard.places import COLUMNS, ROWS
from lossmon.ui.keys import is_key
from lossmon.ui.scene import Scene
from lossmon.ui.widgets.guarded import Guarded
from lossmon.ui.widgets.keys import KEYS_BY_NAME
from lossmon.ui.widgets.panel import Panel
from lossmon.ui.widgets.text_input import Entry

if TYPE_CHECKING:
    from lossmon.ui.compare.runs import Comparison
    from lossmon.ui.screens.base.host import ViewHost

MOVES: Mapping[str, int] = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10}
"""Keys that move the choice in a list while its filter is typed, and by how many rows."""


def axes_of(scene: Scene) -> Collection[XAxis]:
    """X axes of the run in view: of steps, epochs, time and tokens those that it logs."""
    return [] if scene.run is None else axes_of_run(scene.run)


class DetailRequested(Message):
    """Asks the app to show a metric full screen.

    Attributes:
        key: Key of the metric; None for the one shown last, or both losses.
        step: Step to put the cursor on, or None.
    """

    def __init__(self, key: str | None = None, step: int | None = None) -> None:
        super().__init__()
        self.key, self.step = key, step


class MediaRequested(Message):
    """Asks the app to show a histogram, a curve or an image.

    Attributes:
        series: What was logged under a tag.
    """

    def __init__(self, series: MediaSeries) -> None:
        super().__init__()
        self.series = series


class SceneScreen(Guarded, Screen[None]):
    """One view of the scene. The app gives the view on top every new scene."""

    HORIZONTAL_BREAKPOINTS = COLUMNS
    VERTICAL_BREAKPOINTS = ROWS
    AUTO_FOCUS = ""

    comparison: Comparison | None = None
    """What the view compares, None where it shows one run."""

    def __init__(self) -> None:
        super().__init__()
        self.title_word = ""
        """Title of the view in English, from the table of views."""
        self.scene = Scene()
        self._compositor = DiffCompositor()
        self._is_opening = False
        """Its first layout is being made."""

    @classmethod
    def create(cls, app: ViewHost) -> Self | None:
        """Make the screen for an app; None where there is nothing to show, or where the view
        below is the one that is wanted and has been shown again."""
        return cls()

    def on_unmount(self) -> None:
        """Free the data: the view itself may stay until garbage is searched for."""
        self.scene = Scene()

    # Textual styles, lays out and paints a view that opens once more than it takes.

    def on_screen_resume(self) -> None:
        self._is_opening = not self._compositor.size
        if self._is_opening:
            self.call_next(self._has_opened)

    def _has_opened(self) -> None:
        """The first layout was painted as a whole, with all that its sizes changed."""
        self._is_opening = False
        for widget in self._compositor.widgets:
            if not any(widget.scrollbars_enabled):
                widget._repaint_required = widget._layout_required = False
                widget._repaint_regions.clear()

    def update_node_styles(self, animate: bool = True) -> None:
        # Each widget got its styles when it was added.
        if not self._is_opening:
            super().update_node_styles(animate)

    def _screen_resized(self, size: Size) -> None:
        if size != self._compositor.size:
            super()._screen_resized(size)

    def toggle(self) -> None:
        """Close the view: its key was pressed while it is on top."""
        self.app.pop_screen()

    @on(events.Click)
    def press_hint(self, event: events.Click) -> None:
        """A click on the hint of a key does what the key does."""
        with suppress(NoWidget):
            panel, _ = self.get_widget_at(*event.screen_offset)
            if isinstance(panel, Panel):
                hint = panel.hint_at(*(event.screen_offset - panel.content_region.offset))
                key = KEYS_BY_NAME.get(hint, hint)
                if key and is_key(key):
                    self.app.simulate_key(key)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.wheel(event, -1)

    def wheel(self, event: events.MouseEvent, way: int) -> None:
        """The wheel was turned down (1) or up (-1) by a notch; nothing by default."""

    def present(self, scene: Scene) -> None:
        """Show a scene; cheap where nothing changed."""
        raise NotImplementedError

    def free(self) -> None:
        """Free what the terminal keeps for the view, as the app ends; nothing by default."""

    def tick(self, scene: Scene) -> None:
        """Show what depends on the clock alone; called once per second."""

    def axes(self, scene: Scene) -> Collection[XAxis]:
        """X axes that the charts of the view have."""
        return axes_of(scene)

    def shown_steps(self, scene: Scene) -> tuple[float, float] | None:
        """First and last step in view, None where the whole run is."""
        return None

    @property
    def is_typing(self) -> bool:
        """Whether keys are for a text that the user types."""
        return False

    @property
    def step(self) -> int | None:
        """Step at the cursor of the view, None where it has none."""
        return None

    def seen(self) -> tuple[Path, ...]:
        """Paths of the runs in view; empty where it is the run of the scene alone."""
        return ()


class TypingScreen(SceneScreen):
    """While its entry is active every key is for the text, but those that end the program."""

    prompt: ClassVar[str] = ""
    """What stands before the text."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = Entry(self.prompt)

    @property
    def is_typing(self) -> bool:
        return self.entry.active

    def typed(self) -> None:
        """Show what was typed so far, and what comes of it."""
        raise NotImplementedError

    def on_key(self, event: events.Key) -> None:
        # A subclass that takes the key for itself keeps it from here by `prevent_default`.
        if self.entry.handle(event):
            self.typed()

    def rows_moved(self, event: events.Key) -> int:
        """Rows by which a key moves the choice while a filter is typed, which uses the key up.

        0 where it is not such a key.
        """
        rows = MOVES.get(event.key, 0)
        if rows:
            event.stop()
            event.prevent_default()
        return rows

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not self.entry.active or action in ("quit", "help_quit")

    def on_paste(self, event: events.Paste) -> None:
        if self.entry.active:
            event.stop()
            self.entry.paste(event.text)
            self.typed()
