"""Command palette: every action that can be run now, found by a part of its name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import ClassVar, Self

from rich.cells import cell_len
from textual import events
from textual.binding import ActiveBinding, Binding, BindingType

from lossmon.fast_dataclass import dataclass
from lossmon.ui.metrics.entries import MEDIA_WORDS, key_of
from lossmon.ui.metrics.names import display_name
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.page_screen import PageScreen
from lossmon.ui.screens.base.scene_screen import DetailRequested, MediaRequested, TypingScreen
from lossmon.ui.text.lines import MUTED, STRONG, TEXT, Line, clean, clip, fit, pointer
from lossmon.ui.widgets.keys import spelled
from lossmon.ui.widgets.text_input import ENDS


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """One thing to do.

    Attributes:
        text: What it does, in the user's language.
        hint: Its keys, or what kind of thing it is.
        name: How the settings call it; it is searched too.
        act: Does it. What it returns is awaited if it can be.
    """

    text: str
    hint: str
    name: str
    act: Callable[[], object]

    def fits(self, words: Iterable[str]) -> bool:
        """Whether the command's name or description contains every word."""
        label = f"{self.text} {self.name} {self.hint}".casefold()
        return all(word in label for word in words)


def actions(
    active: Mapping[str, ActiveBinding],
    say: Callable[[str], str],
    run: Callable[[ActiveBinding], object],
) -> list[PaletteEntry]:
    """The actions in reach, each once, with all of its keys.

    Args:
        active: What each key does at the moment.
        say: Puts a word of the screen into the user's language.
        run: Does what a binding stands for.
    """
    keys: dict[str, list[str]] = {}
    bound: dict[str, ActiveBinding] = {}
    for key, one in active.items():
        name = one.binding.id
        if name and name != "app.palette" and one.enabled:
            keys.setdefault(name, []).append(spelled(key))
            bound.setdefault(name, one)
    return [
        PaletteEntry(
            text=say(one.binding.tooltip or one.binding.description),
            hint=" ".join(keys[name]),
            name=name,
            act=lambda one=one: run(one),  # type: ignore[misc]
        )
        for name, one in bound.items()
    ]


class PaletteScreen(TypingScreen, PageScreen):
    """A list that what is typed makes shorter; Enter does the chosen thing.

    Args:
        known: All there is to do, the most wanted first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "select", id="page.command", tooltip="Run the selected command"),
    ]

    HINTS = ("page.command", "page.back")
    TYPING_HINTS = (("enter", "select"), ("esc", "back"))

    prompt = "> "

    @classmethod
    def create(cls, app: ViewHost) -> Self | None:
        """List the actions of the view on top, the runs, the metrics and the themes."""
        say, runs = app.scene.say, app.scene.snapshot.runs
        known = actions(
            app.screen.active_bindings,
            say,
            lambda one: app.run_action(one.binding.action, one.node),
        )
        if len(runs) > 1:
            known += [
                PaletteEntry(run.name, say("runs"), "open run", partial(app.runs.choose, at))
                for at, run in enumerate(runs)
            ]
        known += [
            PaletteEntry(
                app.scene.metric(display_name(one)),
                say("metric"),
                f"open metric {one.tag}",
                partial(app.post_message, DetailRequested(key_of(one))),
            )
            for one in (app.scene.run.series if app.scene.run else ())
        ]
        known += [
            PaletteEntry(
                clean(one.name),
                say(MEDIA_WORDS[one.kind]),
                f"open {one.kind} {one.tag}",
                partial(app.post_message, MediaRequested(one)),
            )
            for one in (app.scene.run.media if app.scene.run else ())
        ]
        return cls(
            known
            + [
                PaletteEntry(name, say("theme"), "theme", partial(app.themes.switch, name))
                for name in app.themes.names
            ]
        )

    def __init__(self, known: Sequence[PaletteEntry]) -> None:
        super().__init__()
        self.known = known
        self.chosen = 0
        self.entry.begin()

    @property
    def found(self) -> list[PaletteEntry]:
        """What fits the typed words."""
        words = self.entry.text.casefold().split()
        return [one for one in self.known if one.fits(words)]

    def hints(self) -> list[tuple[int, Line]]:
        hints = super().hints()
        return hints if self.found else hints[1:]

    def heading(self) -> Line:
        return self.entry.line()

    def lines(self, room: int) -> Sequence[Line]:
        found = self.found
        self.chosen = max(0, min(self.chosen, len(found) - 1))
        self.body.reveal(self.chosen)
        if not found:
            return [((self.scene.say("no matching command"), MUTED),)]
        hint = min(room // 3, max(cell_len(one.hint) for one in found))
        return [_row(one, room, hint, chosen=at == self.chosen) for at, one in enumerate(found)]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Letters are letters here; what is done, is done by `on_key`.
        return action in ("quit", "help_quit", "take")

    async def on_key(self, event: events.Key) -> None:  # type: ignore[override]
        if event.key in ENDS:
            return
        event.stop()
        event.prevent_default()
        if event.key == "enter":
            await self.action_take()
        elif event.key == "escape":
            self.action_back()
        elif event.key == "tab":
            self._choose(self.chosen + 1)
        elif rows := self.rows_moved(event):
            self._choose(self.chosen + rows)
        elif self.entry.handle(event):
            self.typed()

    def typed(self) -> None:
        self._choose(0)

    async def on_click(self, event: events.Click) -> None:
        at = self.row_at(event)
        if at is not None:
            self.chosen = at
            await self.action_take()

    def wheel(self, event: events.MouseEvent, way: int) -> None:
        self._choose(self.chosen + way)

    async def action_take(self) -> None:
        """Close the palette and do the chosen thing."""
        found = self.found
        if not found:
            return
        command = found[self.chosen]
        self.action_back()
        result = command.act()
        if inspect.isawaitable(result):
            await result

    def _choose(self, index: int) -> None:
        self.chosen = max(0, min(index, len(self.found) - 1))
        self.present(self.scene)


def _row(command: PaletteEntry, room: int, hint_room: int, *, chosen: bool) -> Line:
    hint = clip(clean(command.hint), hint_room)
    text = clip(clean(command.text), max(4, room - hint_room - 4))
    gap = " " * max(1, room - 2 - cell_len(text) - cell_len(hint))
    return fit(
        (
            pointer(chosen=chosen),
            (text, STRONG if chosen else TEXT),
            (gap, TEXT),
            (hint, "key"),
        ),
        room,
    )
