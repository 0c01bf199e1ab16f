"""What all views share: they are given a scene and show it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import ClassVar

from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen

from lossmon.ui.chart.tokens import tokens_of
from lossmon.ui.chart.view_options import XAxis
from lossmon.ui.compositor import DiffCompositor
from lossmon.ui.scene import Scene

Breakpoints = list[tuple[int, str]]

COLUMNS: Breakpoints = [
    (0, "-tiny"),
    (40, "-narrow"),
    (60, "-normal"),
    (110, "-wide"),
    (170, "-very-wide"),
]
"""Columns from which a class is set; `app.tcss` says what each means."""

ROWS: Breakpoints = [
    (0, "-sliver"),
    (9, "-strip"),
    (14, "-short"),
    (20, "-low"),
    (30, "-tall"),
    (38, "-taller"),
    (46, "-very-tall"),
]
"""Rows from which a class is set."""


def classes_of(size: Size) -> tuple[str, str]:
    """The classes that a screen of this size will have."""
    columns = [name for least, name in COLUMNS if size.width >= least]
    rows = [name for least, name in ROWS if size.height >= least]
    return columns[-1], rows[-1]


def axes_of(scene: Scene) -> Collection[XAxis]:
    """What the charts of the run in view can count: steps, epochs, time, and tokens if it does."""
    counts = scene.run is not None and tokens_of(scene.run) is not None
    return [x for x in XAxis if counts or x is not XAxis.TOKENS]


class Detail(Message):
    """Asks for a metric full screen; goes up to the app.

    Attributes:
        key: Key of the metric; None for what was looked at last, or both losses.
        step: Step to put the cursor on, or None.
    """

    def __init__(self, key: str | None = None, step: int | None = None) -> None:
        super().__init__()
        self.key, self.step = key, step


class View(Screen[None]):
    """One view of the scene. The app gives the view on top every new scene."""

    HORIZONTAL_BREAKPOINTS = COLUMNS
    VERTICAL_BREAKPOINTS = ROWS
    AUTO_FOCUS = ""

    title_word: ClassVar[str] = ""
    """What the view is called."""

    def __init__(self) -> None:
        super().__init__()
        self._compositor = DiffCompositor()

    def shown_steps(self, scene: Scene) -> tuple[float, float] | None:
        """First and last step in view, None where the whole run is."""
        return None

    @property
    def step(self) -> int | None:
        """The step that is looked at, None where the view has none."""
        return None

    def present(self, scene: Scene) -> None:
        """Show a scene; cheap where nothing changed."""
        raise NotImplementedError

    def seen(self) -> tuple[Path, ...]:
        """Runs that are looked at where it is not only the one in view."""
        return ()

    def tick(self, scene: Scene) -> None:
        """Show what depends on the clock alone; called each second."""

    def axes(self, scene: Scene) -> Collection[XAxis]:
        """What the charts of the view can count along the horizontal."""
        return axes_of(scene)
