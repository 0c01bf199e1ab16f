"""A page of text that scrolls: what help, diagnosis, log and runs are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from lossmon.ui.scene import Scene
from lossmon.ui.screens.base.scene_screen import SceneScreen
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, clean, fit
from lossmon.ui.widgets.charts.pane import Edge
from lossmon.ui.widgets.keys import TYPING_KEYS, spelled
from lossmon.ui.widgets.panel import Panel


class Body(Panel):
    """The lines of a page from `top` on."""

    DEFAULT_CSS = """
    Body { height: 1fr; padding: 0 1; border-left: round $frame; border-right: round $frame; }
    """

    def __init__(self) -> None:
        super().__init__(id="text")
        self.whole: Sequence[Line] = ()
        self.top = 0
        self.follow = False

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        self.top = self.last_top(height) if self.follow else min(self.top, self.last_top(height))
        return [fit(line, width) for line in self.whole[self.top : self.top + height]]

    def last_top(self, height: int | None = None) -> int:
        """The first line shown when the end is in view."""
        return max(0, len(self.whole) - (self.rows if height is None else height))

    @property
    def rows(self) -> int:
        """Lines that are in view at once; 0 before the first layout."""
        return self.size.height

    def reveal(self, row: int) -> None:
        """Scroll as little as it takes to have a row in view."""
        if self.rows:
            self.top = max(0, row + 1 - self.rows, min(self.top, row))


class HeadedBody(Body):
    """The lines in view beneath the titles of their columns, which stay."""

    def __init__(self) -> None:
        super().__init__()
        self.head: Line = EMPTY

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        head = [fit(self.head, width)] if self.head else []
        return [*head, *super().compose_lines(width, max(0, height - len(head)))]

    @property
    def rows(self) -> int:
        return max(0, super().rows - bool(self.head))


class PageScreen(SceneScreen):
    """A framed page that scrolls. Subclasses say what stands on it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="page.back", tooltip="Go back"),
        Binding("up,k", "scroll(-1)", "up", id="page.up", show=False, tooltip="One line up"),
        Binding("down,j", "scroll(1)", "down", id="page.down", show=False, tooltip="One line down"),
        Binding(
            "pageup,b,ctrl+u",
            "page(-1)",
            "page up",
            id="page.page_up",
            show=False,
            tooltip="Page up",
        ),
        Binding(
            "pagedown,ctrl+d",
            "page(1)",
            "page down",
            id="page.page_down",
            show=False,
            tooltip="Page down",
        ),
        Binding(
            "home", "edge(-1)", "start", id="page.start", show=False, tooltip="Go to the start"
        ),
        Binding("end,G", "edge(1)", "end", id="page.end", show=False, tooltip="Go to the end"),
    ]

    HINTS: ClassVar[tuple[str, ...]] = ("page.back",)
    """Ids of what the lower edge tells, the most wanted first and the way out last."""

    TYPING_HINTS: ClassVar[Sequence[tuple[str, str]]] = TYPING_KEYS
    """Keys and words that it tells while a text is typed."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, tuple[str, str]] = {}
        """Key and word of each hint, as the user has set the keys."""
        self.upper = Edge("╭╮", left=True)
        self.body = Body()
        self.lower = Edge("╰╯", left=False)

    def compose(self) -> ComposeResult:
        yield self.upper
        yield self.body
        yield self.lower

    def lines(self, room: int) -> Sequence[Line]:
        """Everything that stands on the page, for lines of `room` cells."""
        raise NotImplementedError

    def heading(self) -> Line:
        """What stands in the upper edge behind the title."""
        run = self.scene.run
        return ((clean(run.name), TEXT),) if run else EMPTY

    def present(self, scene: Scene) -> None:
        self.scene = scene
        self.body.whole = self.lines(max(1, self.room))
        self.body.redraw()
        self.edges()

    def on_resize(self) -> None:
        self.present(self.scene)

    @property
    def room(self) -> int:
        """Cells of a line of the page."""
        return self.app.size.width - 4

    def row_at(self, event: events.Click) -> int | None:
        """Which line of the page the mouse is on; None beside them."""
        place = event.get_content_offset(self.body)
        at = -1 if place is None else self.body.top + place.y
        return at if 0 <= at < len(self.body.whole) else None

    def edges(self) -> None:
        """Bring title, place and hint up to date."""
        title: Line = ((self.scene.say(self.title_word), "strong"),)
        self.upper.show([(0, title), (1, self.heading())], "frame")
        self.lower.show([(1, self.place()), *self.hints()], "frame")

    def hints(self) -> list[tuple[int, Line]]:
        """What can be done here and how the page is left, which is given up last."""
        if not self._known:
            for key, active in self.active_bindings.items():
                id = active.binding.id
                if id in self.HINTS and id not in self._known:
                    self._known[id] = (spelled(key), active.binding.description)
            # Where one types at once, escape ends the typing and with it the page.
            self._known.setdefault(self.HINTS[-1], ("esc", "back"))
        known = [self._known[id] for id in self.HINTS if id in self._known]
        if self.is_typing:
            known = list(self.TYPING_HINTS)
        return [
            ((rank + 1) % len(known) * 2, ((key, "key"), (f" {self.scene.say(word)}", MUTED)))
            for rank, (key, word) in enumerate(known)
        ]

    def place(self) -> Line:
        """Which part of the page is in view, where it does not fit."""
        # Before the first layout the page has all rows but those of its edges.
        height, count = self.body.rows or self.app.size.height - 2, len(self.body.whole)
        if height < 1 or count <= height:
            return EMPTY
        top = count - height if self.body.follow else self.body.top
        return ((f"{top + 1}-{min(count, top + height)}/{count}", MUTED),)

    def action_back(self) -> None:
        """Close the page."""
        self.app.pop_screen()

    def action_scroll(self, lines: int) -> None:
        """Move the page by some lines."""
        self._move(self.body.top + lines)

    def action_page(self, pages: int) -> None:
        """Move by almost a screenful, so that a line of it stays in view."""
        self._move(self.body.top + pages * max(1, self.body.rows - 1))

    def action_edge(self, side: int) -> None:
        """Go to the first or the last line."""
        self._move(0 if side < 0 else self.body.last_top())

    def wheel(self, event: events.MouseEvent, way: int) -> None:
        self.action_scroll(3 * way)

    def _move(self, top: int) -> None:
        self.body.top = max(0, min(top, self.body.last_top()))
        self.body.follow = False
        self.body.redraw()
        self.edges()
