"""Images that the terminal draws: what it is sent, and the cells that show them."""

from __future__ import annotations

import base64
import re
import sys
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from textual.geometry import Size
from textual.strip import Strip

from lossmon.ui.media.kitty import (
    MARKS,
    MOST_BYTES,
    PLACEHOLDER,
    TerminalImage,
    encode,
    png_size,
    terminal_image,
    without_images,
)
from lossmon.ui.terminal import TRUE_COLOR, Terminal, detect
from lossmon.ui.theme.palette import Palette
from lossmon.ui.widgets.media.picture import image_row
from tests.ui.media.test_picture import GROUND, bomb, png

CELL = (10, 20)


def noise(width: int, height: int, kind: str = "PNG") -> bytes:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def parsed(text: str) -> list[tuple[dict[str, str], str]]:
    """The keys and the payload of every control sequence; nothing else may stand there."""
    sequence = re.compile(r"\x1b_G([^;\x1b]*)(?:;([A-Za-z0-9+/=]*))?\x1b\\")
    assert not sequence.sub("", text)
    return [
        (dict(key.split("=") for key in keys.split(",")), payload or "")
        for keys, payload in sequence.findall(text)
    ]


def test_an_image_is_sent_in_chunks_that_make_up_the_png() -> None:
    data = noise(60, 40)
    first, *others = parsed(TerminalImage(0x10203, 6, 2).sent(data))
    assert first[0] == {
        "a": "T", "U": "1", "f": "100", "i": "66051", "c": "6", "r": "2", "q": "2", "m": "1",
    }  # fmt: skip
    assert [keys for keys, _ in others] == [{"q": "2", "m": "1"}] * (len(others) - 1) + [
        {"q": "2", "m": "0"}
    ]
    payloads = [payload for _, payload in (first, *others)]
    assert {len(one) for one in payloads[:-1]} == {4096}
    assert base64.b64decode("".join(payloads)) == data
    assert parsed(TerminalImage(7, 1, 1).sent(png(1, 1)))[0][0]["m"] == "0"
    [(keys, payload)] = parsed(TerminalImage(7, 1, 1).deleted)
    assert (keys, payload) == ({"a": "d", "d": "I", "i": "7", "q": "2"}, "")


def test_cells_say_their_row_and_column_and_stand_in_the_middle() -> None:
    assert len(set(MARKS)) == 297
    assert [ord(mark) for mark in (*MARKS[:5], MARKS[64], MARKS[-1])] == [
        0x305, 0x30D, 0x30E, 0x310, 0x312, 0x659, 0x1D244,
    ]  # fmt: skip
    image, palette = TerminalImage(0x10203, 3, 2), Palette({})
    rows = [image_row(image, y, Size(7, 4), palette) for y in range(4)]
    assert [row.cell_length for row in rows] == [7] * 4
    assert not rows[0].text.strip() and not rows[3].text.strip()
    for y, row in enumerate(rows[1:3]):
        cells = [PLACEHOLDER + MARKS[y] + MARKS[x] for x in range(3)]
        assert row.text == "  " + "".join(cells) + "  "
        assert row.crop(3, 5).text == "".join(cells[1:])
        colors = {one.style.color.triplet for one in row if PLACEHOLDER in one.text}  # type: ignore[union-attr]
        assert colors == {(1, 2, 3)}
    assert without_images(rows[1].text) == "  " + 3 * "&#160;" + "  "
    assert Strip.join(rows).cell_length == 28


@pytest.mark.parametrize(
    "size, cells",
    [((400, 200), (40, 10)), ((8000, 400), (40, 1)), ((28, 28), (40, 20)), ((15, 25), (39, 33))],
)
def test_an_image_keeps_its_shape_in_the_room(
    size: tuple[int, int], cells: tuple[int, int]
) -> None:
    image = terminal_image(png(*size), (40, 40), CELL)
    assert image is not None
    assert (image.columns, image.rows) == cells
    following = terminal_image(png(*size), (40, 40), CELL)
    assert following is not None
    assert 0 < image.id != following.id < 1 << 24


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", png(3, 3)[:40], png(3, 3)[:-1], bomb(60_000, 60), bomb(0, 3),
     png(3, 3).replace(b"\0\0\0\x03", b"\0\0\0\x04", 1), png(3, 3) + b"\x1b\\"],
)  # fmt: skip
def test_what_is_not_a_whole_png_of_bounded_size_is_not_sent_as_it_is(data: bytes) -> None:
    assert png_size(data) is None
    assert terminal_image(data, (40, 40), CELL) is None


def test_a_png_is_sent_as_it_is_and_others_are_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    large, small = png(300, 100), png(30, 10)
    assert encode([large], 400, 400, GROUND).png is large
    assert png_size(encode([small], 400, 400, GROUND).png) == (390, 130)
    assert png_size(encode([noise(300, 100, "JPEG")], 400, 400, GROUND).png) == (300, 100)
    assert png_size(encode([small, small], 61, 20, GROUND).png) == (61, 20)
    broken = encode([large[:60]], 400, 400, GROUND)
    assert broken.problem.startswith("cannot be decoded") and not broken.png
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert encode([small], 400, 400, GROUND).png is small
    assert encode([small, small], 400, 400, GROUND).problem


def test_what_is_sent_is_bounded() -> None:
    data = noise(900, 700)
    assert len(data) > MOST_BYTES
    picture = encode([data], 900, 700, GROUND)
    assert (picture.width, picture.height) == (900, 700)
    assert png_size(picture.png) == (450, 350)


KITTY = {"TERM": "xterm-kitty"}


@pytest.mark.parametrize(
    "environ, expected",
    [
        (KITTY, True),
        ({"TERM": "xterm-ghostty"}, True),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "KITTY_WINDOW_ID": "1"}, True),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "TERM_PROGRAM": "ghostty"}, True),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, False),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, False),
        ({"TERM": "alacritty", "COLORTERM": "truecolor", "KITTY_WINDOW_ID": "1"}, False),
        ({**KITTY, "TERM": "xterm-256color", "COLORTERM": "truecolor", "KITTY_WINDOW_ID": "1",
          "TERM_PROGRAM": "vscode"}, False),
        ({**KITTY, "TMUX": "/tmp/tmux"}, False),
        ({**KITTY, "STY": "1.pts"}, False),
        ({**KITTY, "TEXTUAL_DRIVER": "web"}, False),
        ({**KITTY, "NO_COLOR": "1"}, False),
        ({**KITTY, "LC_ALL": "C"}, False),
    ],
)  # fmt: skip
def test_the_environment_says_whether_the_terminal_draws_images(
    environ: dict[str, str], expected: bool
) -> None:
    assert detect(environ, "utf-8").has_images == expected


def test_no_images_without_colours_or_unicode() -> None:
    assert Terminal(kitty=True).has_images
    assert not Terminal().has_images
    assert not Terminal(TRUE_COLOR, unicode=False, kitty=True).has_images
    assert not Terminal(256, kitty=True).has_images
