"""Footer: the keys that matter here, as many as fit; each can be clicked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from textual import events
from textual.binding import Binding

from lossmon.ui.text.lines import MUTED, TEXT, Line, width
from lossmon.ui.widgets.panel import Panel

NAMES = {
    "question_mark": "?",
    "plus": "+",
    "minus": "-",
    "escape": "esc",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "slash": "/",
    "comma": ",",
    "number_sign": "#",
    "space": "space",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "equals_sign": "=",
    "underscore": "_",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "full_stop": ".",
    "pageup": "pgup",
    "pagedown": "pgdn",
}


KEYS_BY_NAME = {name: key for key, name in NAMES.items()}
"""Keys by how they are written in hints, where they have another name."""


TYPING_KEYS = (("enter", "apply"), ("esc", "clear"))
"""What ends the typing of a filter: keys and words, the most wanted first."""


def spelled(key: str) -> str:
    """How a key is written: `?`, `shift+←`."""
    *held, last = key.split("+")
    return "+".join([*held, NAMES.get(last, last)])


def key_name(binding: Binding) -> str:
    """How the first key of a binding is written."""
    return binding.key_display or spelled(binding.key.split(",")[0])


class Keys(Panel):
    """One line of keys.

    Args:
        bindings: In the order they stand; the first are given up last.
        say: Puts a word of the screen into the user's language.
    """

    def __init__(
        self,
        bindings: Sequence[Binding],
        say: Callable[[str], str] = str,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._say = say
        self._bindings_shown = bindings
        self._cue: tuple[Binding, ...] = ()
        self._first: tuple[Binding, ...] = ()
        self._useless: frozenset[str] = frozenset()
        self._is_typing = False
        self._spots: list[tuple[int, int, str]] = []

    def cue(self, id: str, description: str) -> None:
        """Put the key of an action before all others, with other words.

        Args:
            id: Id of a binding that the footer was given.
            description: What stands behind its key; empty puts it back to its place.
        """
        found = (one for one in self._bindings_shown if one.id == id and description)
        cue = tuple(replace(one, description=description) for one in found)
        if cue != self._cue:
            self._cue = cue
            self.redraw()

    def offer(self, first: Sequence[Binding], useless: Collection[str] = ()) -> None:
        """Put the keys that matter most now before the others.

        Args:
            first: Bindings of what has the focus.
            useless: Ids of bindings that would do nothing now.
        """
        offered = tuple(first), frozenset(useless)
        if offered != (self._first, self._useless):
            self._first, self._useless = offered
            self.redraw()

    def type(self, *, active: bool) -> None:
        """Show what ends the typing instead of keys, or the keys again."""
        if active != self._is_typing:
            self._is_typing = active
            self.redraw()

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        return [self._row(width)]

    def _row(self, room: int) -> Line:
        line: Line = ((" ", TEXT),)
        self._spots = []
        if self._is_typing:
            hints = [((key, "key"), (f" {self._say(word)}  ", MUTED)) for key, word in TYPING_KEYS]
            return (*line, *(span for hint in hints for span in hint))
        before = (*self._cue, *self._first)
        left_out = {one.id for one in before} | self._useless
        others = (one for one in self._bindings_shown if one.id not in left_out)
        for binding in (*before, *others):
            hint: Line = ((key_name(binding), "key"), (f" {self._say(binding.description)}", MUTED))
            start = width(line)
            if start + width(hint) > room - 1:
                break
            self._spots.append((start, start + width(hint), binding.action))
            line = (*line, *hint, ("  ", TEXT))
        return line

    def hint_at(self, x: int, y: int) -> str:
        # Hints of several keys have an action of their own.
        return "" if self._spots else super().hint_at(x, y)

    async def on_click(self, event: events.Click) -> None:
        for start, end, action in self._spots:
            if start <= event.x < end:
                # The view knows most of them, the app the others.
                known = await self.app.run_action(action, self.screen)
                if not known:
                    await self.app.run_action(action)
