"""A panel of text lines that repaints only the cells that changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, choose
from lossmon.ui.widgets.guarded import Guarded
from lossmon.ui.widgets.painting import painted, palette_of

JOIN_GAP = 6
"""Unchanged cells of one colour between two changes that are sent along: moving the cursor costs as
many bytes."""


class Panel(Guarded, Widget):
    """Shows lines that a subclass composes from the values it was given."""

    DEFAULT_CSS: ClassVar[str] = "Panel { width: 1fr; height: auto; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes, markup=False)
        self._lines: tuple[Line, ...] = ()
        self._cuts: dict[int, list[int]] = {}
        self._composed_for: Size | None = None
        self._height = -1

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        """Return the lines for this room, top to bottom; those beyond `height` are not shown."""
        raise NotImplementedError

    def wanted_height(self, width: int) -> int:
        """Rows that the panel would fill if it could have them all."""
        return 1

    def hint_at(self, x: int, y: int) -> str:
        """The key whose hint stands in a cell of the content (`esc back`, `press m`), as it is
        written there; empty where none does."""
        line = self._lines[y] if 0 <= y < len(self._lines) else EMPTY
        for at, (text, role) in enumerate(line):
            word, word_role = line[at + 1] if at + 1 < len(line) else ("", TEXT)
            # Names and filters that stand out have the same colour, but no words behind them.
            is_hint = role == "key" and word_role == MUTED and word.startswith(" ")
            x -= cell_len(text)
            if is_hint and x < cell_len(word):
                return text
            if x < 0:
                break
        return ""

    def redraw(self) -> None:
        """Compose again after a value changed, and repaint the cells that differ."""
        size = self.content_size
        if not self.is_mounted or not self.display or (self._composed_for and not size):
            # A panel that is hidden meanwhile may come back in its old size, with its old lines.
            if self._composed_for is not None:
                self._composed_for = None
                self.refresh()
            return
        width = size.width or self.app.size.width
        if self.styles.is_auto_height and (wanted := self.wanted_height(width)) != self._height:
            self._height = wanted
            # The room may stay the same, clamped by the layout, though the lines do not.
            self._composed_for = None
            self.refresh(layout=True)
            return
        if self._composed_for != size or not size:
            return
        before, self._lines = self._lines, tuple(self.compose_lines(*size))
        self._repaint(before, size)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        self._height = self.wanted_height(width)
        return self._height

    def render_line(self, y: int) -> Strip:
        size = self.content_size
        if self._composed_for != size:
            self._composed_for = size
            self._lines = tuple(self.compose_lines(*size))
            self._cuts.clear()
        line = self._lines[y] if y < len(self._lines) else EMPTY
        strip = painted(palette_of(self.app), line, size.width)
        cuts = self._cuts.pop(y, None)
        if cuts:
            # The compositor sends whole segments: cut where the change begins and ends.
            strip = Strip.join(strip.divide([*cuts, size.width]))
        return strip

    def _repaint(self, before: Sequence[Line], size: Size) -> None:
        regions = []
        for y in range(size.height):
            old = before[y] if y < len(before) else EMPTY
            new = self._lines[y] if y < len(self._lines) else EMPTY
            if old == new:
                continue
            spans = changed_spans(old, new)
            regions += [Region(start, y, end - start, 1) for start, end in spans]
            self._cuts[y] = sorted({x for span in spans for x in span if 0 < x < size.width})
        if regions:
            self.refresh(*regions)


def changed_spans(old: Line, new: Line) -> list[tuple[int, int]]:
    """Where two lines differ: start and end cells, left to right; near ones are joined."""
    alike = 0
    while alike < min(len(old), len(new)) and old[alike] == new[alike]:
        alike += 1
    offset = sum(cell_len(text) for text, _ in old[:alike])
    was, now = _cells(old[alike:]), _cells(new[alike:])
    spans: list[tuple[int, int]] = []
    for x in range(max(len(was), len(now))):
        before = was[x] if x < len(was) else _BLANK
        after = now[x] if x < len(now) else _BLANK
        if before == after:
            continue
        end = spans[-1][1] if spans else -JOIN_GAP - 1
        if x - end <= JOIN_GAP and all(role == after[1] for _, role in now[end:x]):
            spans[-1] = (spans[-1][0], x + 1)
        else:
            spans.append((x, x + 1))
    whole = (_whole(span, was, now) for span in spans)
    return [(start + offset, end + offset) for start, end in whole]


_BLANK = (" ", "foreground")
_SECOND = ("", "")


def _cells(line: Line) -> list[tuple[str, str]]:
    cells: list[tuple[str, str]] = []
    for text, role in line:
        if text.isascii():
            cells += [(char, role) for char in text]
            continue
        for char in text:
            size = cell_len(char)
            if size == 0 and cells:
                cells[-1] = (cells[-1][0] + char, cells[-1][1])
            elif size:
                cells.append((char, role))
                cells += [_SECOND] * (size - 1)
    return cells


def _whole(
    span: tuple[int, int], was: Sequence[tuple[str, str]], now: Sequence[tuple[str, str]]
) -> tuple[int, int]:
    """Widen a span so that it halves no wide character."""
    start, end = span
    while start > 0 and any(start < len(c) and c[start] == _SECOND for c in (was, now)):
        start -= 1
    while any(end < len(c) and c[end] == _SECOND for c in (was, now)):
        end += 1
    return start, end


class ScenePanel(Panel):
    """Shows something of the newest scene."""

    title_word: ClassVar[str] = ""
    """What stands in the upper edge where the panel has one."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.scene = Scene()

    def on_mount(self) -> None:
        if self.title_word:
            self.border_title = Content(self.scene.say(self.title_word))

    def show(self, scene: Scene) -> None:
        """Show a scene; cheap where nothing of it changed."""
        self.scene = scene
        self.redraw()


class Heading(Panel):
    """Parts of a line by importance."""

    DEFAULT_CSS = "Heading { height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.parts: Sequence[tuple[int, Line]] = ()

    def show(self, parts: Sequence[tuple[int, Line]]) -> None:
        """Show parts with importance."""
        self.parts = parts
        self.redraw()

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        return [((" ", TEXT), *choose(self.parts, width - 2, 3))]
