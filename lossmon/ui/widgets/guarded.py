"""Guarded widget: an unexpected exception costs the panel that raises it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from lossmon.errors import internal_error
from lossmon.locale import message as translated
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, clean, wrap
from lossmon.ui.widgets.painting import painted, palette_of

UPDATES = ("present", "tick", "show", "redraw")
"""Methods that bring a widget up to date, all with new data."""

PAINTING = ("render_line", "get_content_height")
"""Methods that Textual calls while it lays out and paints."""


_logged: dict[object, str] = {}
"""Descriptions by place in the code: the same fault may come with every update."""


class HandlerFailed(Message):
    """Tells the app that the handler of a key or of another event failed.

    Attributes:
        text: What happened, in one line.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


if TYPE_CHECKING:
    _Base = Widget
else:
    # Textual takes styles from the first base that is a widget: from Screen or Grid, not from here.
    _Base = object


class Guarded(_Base):
    """A panel or a view whose exceptions end neither the program nor its neighbours.

    Where a method of `UPDATES` or `PAINTING` raises, the room of the widget says so until a later
    update succeeds, and the traceback is kept, see `internal_error`.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._is_guarding = False
        self._rooms: dict[str, Guarded] = {}
        """Updates of this widget that failed, and the widget that says so."""
        self._unpainted: set[Guarded] = set()
        """This widget, and those in it, that failed while they were laid out or painted."""
        self._faults: dict[tuple[Guarded, str], str] = {}
        """What stands here in place of the content, by the widget and its method that failed."""
        for name in (*UPDATES, *PAINTING, "free"):
            method = getattr(self, name, None)
            if method is not None:
                # Calls of `super()` in subclasses go past the guard.
                setattr(self, name, partial(self._guard, name, method))

    def _guard(self, name: str, method: Callable[..., Any], *args: Any, **options: Any) -> Any:
        if self._faults and name in PAINTING:
            return self._fault_painted(name, args)
        if self._is_guarding:
            return method(*args, **options)
        self._is_guarding = True
        try:
            result = method(*args, **options)
        except Exception as error:
            self.contain(error, name if name in UPDATES else "")
            return self._fault_painted(name, args) if name in PAINTING else None
        finally:
            self._is_guarding = False
        if name in UPDATES:
            self._forgive(name)
            while self._unpainted:
                self._unpainted.pop()._forgive("")
        return result

    def contain(self, error: Exception, update: str = "") -> None:
        """Have the widget at fault say so in its room.

        Args:
            update: Method of this widget that is to succeed before the room shows its content
                again; by default any update of it, or of a widget that it is in.
        """
        name, room, text = update, self._room_of(error), described(error)
        if not update:
            for one in self.ancestors_with_self:
                if isinstance(one, Guarded):
                    one._unpainted.add(self)
        if self._rooms.get(name) is not room:
            self._forgive(name)
        is_new = (self, name) not in room._faults
        self._rooms[name], room._faults[self, name] = room, text
        if is_new:
            room.refresh(layout=True)

    def _forgive(self, name: str) -> None:
        room = self._rooms.pop(name, None)
        if room is not None:
            del room._faults[self, name]
            room.refresh(layout=True)

    def _room_of(self, error: Exception) -> Guarded:
        """The innermost widget that raised it; of one that others cover, the largest of these."""
        inner = [one for one in guarded_in(error) if self in one.ancestors_with_self]
        widget = inner[-1] if inner else self
        # A region would have the screen laid out, perhaps by what has just failed.
        covering = [one for one in widget.query(Widget) if isinstance(one, Guarded)]
        leaves = [one for one in covering if one.size and not one.children and _is_shown(one)]
        return max(leaves, key=lambda one: one.size.area, default=widget)

    def _fault_painted(self, name: str, args: tuple[Any, ...]) -> Strip | int:
        """The height or the line `args[-1]` of what stands in place of the content."""
        if name == "get_content_height":
            return max(1, len(self._fault_lines(args[-1])))
        width = self.content_size.width
        rows = dict(enumerate(self._fault_lines(width)))
        role = TEXT if args[-1] == 0 else MUTED
        line = ((rows[args[-1]], role),) if args[-1] in rows else EMPTY
        return painted(palette_of(self.app), line, width)

    def _fault_lines(self, width: int) -> list[str]:
        for text in self._faults.values():
            text = f"{text}; tried again with new data; `lossmon doctor` says more"
            return wrap(clean(translated(text)), max(1, width))
        return []

    async def _on_message(self, message: Message) -> None:
        try:
            await super()._on_message(message)
        except Exception as error:
            self.app.post_message(HandlerFailed(described(error)))
            # A key whose handler failed may still close the view.
            if message.bubble and self._parent is not None and not message._stop_propagation:
                message._bubble_to(self._parent)


def described(error: Exception) -> str:
    """Log an exception, once per place in the code, and describe it in one line."""
    frames = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__)]
    place = (type(error), *frames[-1:])
    if place not in _logged:
        _logged[place] = internal_error(error)
    return _logged[place]


def guarded_in(error: BaseException) -> list[Guarded]:
    """Widgets through whose methods an exception came, the outermost first."""
    known = [frame.f_locals.get("self") for frame, _ in walk_tb(error.__traceback__)]
    return [one for one in known if isinstance(one, Guarded)]


def _is_shown(widget: Widget) -> bool:
    return all(one.display for one in widget.ancestors_with_self if isinstance(one, Widget))
