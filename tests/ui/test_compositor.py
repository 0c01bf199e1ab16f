"""What is sent to the terminal: enough to bring it up to date, and little."""

from __future__ import annotations

import random
import weakref
from collections import Counter

import pyte
import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from lossmon.ui.compositor import (
    DiffUpdate,
    WholeUpdate,
    forget_closed_widgets,
    forget_shown,
)
from lossmon.ui.screens.base.page_screen import Body
from lossmon.ui.screens.base.scene_screen import SceneScreen
from lossmon.ui.widgets.panel import Panel
from tests.ui import stage
from tests.ui.screen import until

WIDTH, HEIGHT = 40, 6
STYLES = [
    *(Style(color="red"), Style(color="green", bold=True), Style(bgcolor="blue"), Style()),
    *(Style(color="red", bgcolor="blue"), Style(color="green", bgcolor="blue", bold=True)),
    *(Style(color="cyan", bgcolor="blue", bold=True), Style(color="cyan", underline=True)),
    *(Style(bold=True), Style(color="#102030", bgcolor="blue", reverse=True)),
]


def strip_of(text: str) -> Strip:
    """Text padded to the width; each character has a style of its own."""
    text = text.ljust(WIDTH)[:WIDTH]
    return Strip([Segment(char, STYLES[ord(char) % len(STYLES)]) for char in text], WIDTH)


def send(screen: pyte.Screen, update: CompositorUpdate) -> str:
    console = Console(color_system="truecolor", force_terminal=True, width=WIDTH)
    sequence = update.render_segments(console)
    pyte.Stream(screen).feed(sequence)
    return sequence


def update_of(rows: list[str], spans: list[tuple[int, int, int]], cut: int = 15) -> DiffUpdate:
    """The rows in two widgets side by side, of which spans changed."""
    chops = []
    for row in rows:
        left, right = strip_of(row).divide([cut, WIDTH])
        chops.append({0: left, cut: right})
    return DiffUpdate(chops, spans, [[cut, WIDTH]] * len(rows))


def test_changed_spans_bring_the_terminal_up_to_date() -> None:
    random.seed(5)
    screen = pyte.Screen(WIDTH, HEIGHT)
    rows = ["." * WIDTH] * HEIGHT
    send(screen, update_of(rows, [(y, 0, WIDTH) for y in range(HEIGHT)]))
    for _ in range(200):
        y, start = random.randrange(HEIGHT), random.randrange(WIDTH)
        end = random.randint(start + 1, WIDTH)
        patch = "".join(random.choice("abcdefghij ") for _ in range(end - start))
        rows[y] = rows[y][:start] + patch + rows[y][end:]
        send(screen, update_of(rows, [(y, start, end)]))
        assert screen.display == rows
    whole = pyte.Screen(WIDTH, HEIGHT)
    console = Console(color_system="truecolor", force_terminal=True, width=WIDTH)
    pyte.Stream(whole).feed("\r\n".join(strip_of(row).render(console) for row in rows))
    assert screen.buffer == whole.buffer


def test_styles_on_one_background_set_it_once() -> None:
    ground = Style(color="red", bgcolor="#102030")
    segments = [
        Segment("a", ground),
        Segment("b", Style(color="green", bold=True) + Style(bgcolor="#102030")),
        Segment("c", Style(color="green", bgcolor="#102030")),
    ]
    sequence = send(pyte.Screen(WIDTH, 1), DiffUpdate([{0: Strip(segments)}], [(0, 0, 3)], [[3]]))
    assert sequence.count("48;2;16;32;48") == 1
    assert sequence.endswith("\x1b[0m")


def test_a_whole_screen_sets_each_colour_once() -> None:
    rows = ["abcdefghij" * 4] * HEIGHT
    screen = pyte.Screen(WIDTH, HEIGHT)
    strips = [strip_of(row) for row in rows]
    halves = [strip.divide([15, WIDTH]) for strip in strips]
    sequence = send(screen, WholeUpdate(list(halves), Region(0, 0, WIDTH, HEIGHT)))
    assert screen.display == rows
    assert screen.buffer[3][20] == screen.buffer[0][0]
    assert sequence.count("m") <= len(STYLES) + 1


def test_one_cell_costs_one_colour_and_one_movement() -> None:
    screen = pyte.Screen(WIDTH, HEIGHT)
    sequence = send(screen, update_of(["x" * WIDTH], [(0, 30, 31)]))
    assert len(sequence) < 30


def test_a_wide_character_is_sent_whole() -> None:
    screen = pyte.Screen(WIDTH, HEIGHT)
    strip = Strip([Segment("ab中文cd", STYLES[0]), Segment(" " * 32, STYLES[0])], WIDTH)
    send(screen, DiffUpdate([{0: strip}], [(0, 2, 6)], [[WIDTH]]))
    assert screen.display[0].startswith("  中文")


class Letters(Widget):
    """A field of one letter per row, which also counts how often it is rendered."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.rows = list("." * HEIGHT)
        self.renders = 0

    def render_lines(self, crop: Region) -> list[Strip]:
        self.renders += 1
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        return Strip([Segment(self.rows[y] * self.size.width, STYLES[0])])

    def change(self, y: int, letter: str) -> None:
        self.rows[y] = letter
        self.refresh(Region(0, y, self.size.width, 1))


class Overlapping(App[None]):
    """Three fields below each other, and one above them all; what they send goes to a terminal."""

    CSS = """
    Screen { layers: below above; layout: vertical; overflow: hidden; }
    Letters { height: 1fr; }
    #over { layer: above; width: 10; height: 6; offset: 5 2; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.terminal = pyte.Screen(WIDTH, 12)

    def get_default_screen(self) -> Screen[None]:
        screen = SceneScreen()
        screen.compose = lambda: map(Letters, ("top", "middle", "low", "over"))  # type: ignore[method-assign]
        return screen

    def _display(self, screen: Screen[None], renderable: object) -> None:  # type: ignore[override]
        if isinstance(renderable, CompositorUpdate):
            pyte.Stream(self.terminal).feed(renderable.render_segments(self.console))


async def test_a_partial_update_renders_only_what_is_seen_where_it_changed() -> None:
    random.seed(7)
    app = Overlapping()
    async with app.run_test(size=(WIDTH, 12)) as pilot:
        fields = list(app.query(Letters))
        for _ in range(25):
            for field in random.sample(fields, 2):
                field.change(random.randrange(field.size.height), random.choice("abcdefgh"))
            await pilot.pause()
            whole = app.screen._compositor.render_strips()
            assert app.terminal.display == [strip.text for strip in whole]
        before = [field.renders for field in fields]
        fields[0].change(0, "x")
        fields[2].change(3, "y")
        await pilot.pause()
        assert [field.renders for field in fields] == [
            before[0] + 1,
            before[1],
            before[2] + 1,
            before[3],
        ]


async def test_a_closed_view_is_freed_with_its_lines_and_the_data_it_showed() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        text = app.screen.query_one("#text")
        held = [weakref.ref(app.screen), weakref.ref(text), weakref.ref(text._styles_cache)]
        del text
        await pilot.press("escape")
        await pilot.pause()
        assert held[-1]() is not None

        def is_freed() -> bool:
            forget_closed_widgets()
            return [one() for one in held] == [None, None, None]

        await until(pilot, is_freed)


def test_a_whole_picture_sends_the_rows_alone_that_the_terminal_does_not_show() -> None:
    console = Console(color_system="truecolor", force_terminal=True, width=WIDTH)
    screen = pyte.Screen(WIDTH, HEIGHT)

    def rows_sent(update: CompositorUpdate) -> int:
        sequence = update.render_segments(console)
        pyte.Stream(screen).feed(sequence)
        return sum(f"\x1b[{y + 1};1H" in sequence for y in range(HEIGHT))

    def whole(rows: list[str]) -> WholeUpdate:
        return WholeUpdate([[strip_of(row)] for row in rows], Region(0, 0, WIDTH, HEIGHT))

    rows = [letter * WIDTH for letter in "abcdef"]
    assert rows_sent(whole(rows)) == HEIGHT
    assert rows_sent(whole(rows)) == 0
    other = [*rows[:2], "x" * WIDTH, *rows[3:]]
    rows_sent(update_of(other, [(2, 0, WIDTH)]))
    assert screen.display == other
    assert rows_sent(whole(rows)) == 1
    assert screen.display == rows
    forget_shown(console)
    assert rows_sent(whole(rows)) == HEIGHT


def test_pictures_that_share_parts_with_those_before_them_are_sent_right() -> None:
    random.seed(6)
    console = Console(color_system="truecolor", force_terminal=True, width=WIDTH)
    screen = pyte.Screen(WIDTH, HEIGHT)
    rows = ["." * WIDTH] * HEIGHT
    for at in range(400):
        cut = random.choice((15, 15, 22))
        if at == 0 or random.random() < 0.3:
            rows = [random.choice((row, "".join(random.choices("ab", k=WIDTH)))) for row in rows]
            strips = [strip_of(row).divide([cut, WIDTH]) for row in rows]
            update: CompositorUpdate = WholeUpdate(strips, Region(0, 0, WIDTH, HEIGHT))
        else:
            y, start = random.randrange(HEIGHT), random.choice((0, cut, random.randrange(WIDTH)))
            end = random.choice((cut, WIDTH, random.randint(start, WIDTH)))
            start, end = min(start, end), max(start, end)
            text = "".join(random.choices("ab", k=end - start))
            rows = [*rows[:y], rows[y][:start] + text + rows[y][end:], *rows[y + 1 :]]
            update = update_of(rows, [(y, start, end)], cut)
        pyte.Stream(screen).feed(update.render_segments(console))
        assert screen.display == rows


async def test_a_view_that_opens_is_styled_laid_out_and_rendered_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rendered: list[tuple[Panel, int]] = []
    render_line = Panel.render_line

    def render(panel: Panel, y: int) -> Strip:
        rendered.append((panel, y))
        return render_line(panel, y)

    monkeypatch.setattr(Panel, "render_line", render)
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        rendered.clear()
        await pilot.press("question_mark")
        await pilot.pause()
        body = app.screen.query_one(Body)
        times = Counter(y for panel, y in rendered if panel is body)
        assert times == dict.fromkeys(range(body.size.height), 1)
