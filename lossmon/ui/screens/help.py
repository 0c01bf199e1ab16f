"""Help: every key, by what it is for, and the formats that are read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Self

from rich.cells import cell_len
from textual.binding import Binding

from lossmon.monitor import format_titles
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.page_screen import PageScreen
from lossmon.ui.screens.dashboard_keys import useless_keys
from lossmon.ui.text.lines import EMPTY, MUTED, STRONG, TEXT, Line, clean, clip, pad, wrap
from lossmon.ui.widgets.keys import spelled


class HelpScreen(PageScreen):
    """The keys and the formats.

    Args:
        groups: Every binding of the app and of its views, by the name of its group.
        remapped: Other keys for actions, by binding id.
        formats: Titles of the formats that are read.
        works: Ids of the bindings that do something in the view below; all others are dim.
    """

    @classmethod
    def create(cls, app: ViewHost) -> Self | None:
        active = {one.binding.id or "" for one in app.screen.active_bindings.values()}
        works = active - useless_keys(app.scene)
        return cls(current_first(app), app.config.keys, format_titles(), works)

    def __init__(
        self,
        groups: Mapping[str, Sequence[Binding]],
        remapped: dict[str, str],
        formats: Sequence[str] = (),
        works: Collection[str] = (),
    ) -> None:
        super().__init__()
        self._works = works
        self._formats = formats
        self._groups = groups
        self._remapped = remapped

    def heading(self) -> Line:
        return ((self.scene.say("dim keys do nothing here"), MUTED),)

    def lines(self, room: int) -> Sequence[Line]:
        lines: list[Line] = []
        for title, bindings in self._groups.items():
            rows = [
                KeyRow(
                    self._keys_of(binding),
                    self.scene.say(binding.tooltip or binding.description),
                    "key" if (binding.id or "") in self._works else MUTED,
                )
                for binding in bindings
            ]
            lines += [((self.scene.say(title), STRONG),), *two_columns(rows, room), EMPTY]
        if not self._formats:
            return lines[:-1]
        listed = " · ".join(clean(title) for title in self._formats)
        lines.append(((self.scene.say("Formats"), STRONG),))
        return lines + [((f" {line}", MUTED),) for line in wrap(listed, room - 2)]

    def _keys_of(self, binding: Binding) -> str:
        keys = self._remapped.get(binding.id or "", binding.key)
        return " ".join(map(spelled, keys.split(",")))


def current_first(app: ViewHost) -> Mapping[str, Sequence[Binding]]:
    """All keys by group, those of the view on top first."""
    groups = app.key_groups
    first = app.view.title_word if app.view is not None else ""
    order = [first, *groups] if first in groups else [*groups]
    return {title: groups[title] for title in dict.fromkeys(order)}


class KeyRow(NamedTuple):
    """A key, what it does, and the role that the key is painted in."""

    key: str
    text: str
    role: str


def two_columns(rows: Sequence[KeyRow], room: int) -> list[Line]:
    """Key and meaning, one per line, or two where both fit whole."""
    key_room = max(cell_len(one.key) for one in rows) + 2
    longest = max(cell_len(one.text) for one in rows) + key_room + 2
    if longest > room // 2:
        return [_row(one, key_room, room) for one in rows]
    half = (len(rows) + 1) // 2
    column = room // 2
    lines = []
    for at in range(half):
        line = _row(rows[at], key_room, column)
        if at + half < len(rows):
            line = (*pad(line, column), *_row(rows[at + half], key_room, column))
        lines.append(line)
    return lines


def _row(row: KeyRow, key_room: int, room: int) -> Line:
    gap = " " * (key_room - cell_len(row.key))
    return ((" " + row.key, row.role), (gap, TEXT), (clip(row.text, room - key_room - 2), MUTED))
