"""What is sent to the terminal: enough to bring it up to date, and little."""

from __future__ import annotations

import random

import pyte
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from lossmon.ui.compositor import DiffUpdate

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


def send(screen: pyte.Screen, update: DiffUpdate) -> str:
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


def test_one_cell_costs_one_colour_and_one_movement() -> None:
    screen = pyte.Screen(WIDTH, HEIGHT)
    sequence = send(screen, update_of(["x" * WIDTH], [(0, 30, 31)]))
    assert len(sequence) < 30


def test_a_wide_character_is_sent_whole() -> None:
    screen = pyte.Screen(WIDTH, HEIGHT)
    strip = Strip([Segment("ab中文cd", STYLES[0]), Segment(" " * 32, STYLES[0])], WIDTH)
    send(screen, DiffUpdate([{0: strip}], [(0, 2, 6)], [[WIDTH]]))
    assert screen.display[0].startswith("  中文")
