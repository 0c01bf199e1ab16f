"""Terminal image: an image in the graphics protocol of kitty, shown by ordinary cells.

The PNG is sent once. Cells that hold the character U+10EEEE show it: two combining characters say
which row and column of the image a cell shows, and the foreground colour is the id of the image.
So Textual lays the image out, crops and clears it as it does any text. kitty from 0.28 on and
Ghostty know such cells. No library under a permissive licence draws them in Textual, so this is
our own.

Source: https://sw.kovidgoyal.net/kitty/graphics-protocol/#unicode-placeholders
"""

from __future__ import annotations

import re
import struct
import zlib
from base64 import standard_b64encode
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import count
from typing import NamedTuple

from lossmon.ui.media.heat import Rgb
from lossmon.ui.media.picture import MISSING, NO_PIXELS, DecodedPicture, decode

MOST_BYTES = 1_000_000
"""Of a PNG that is sent: over a slow line the screen waits for it."""

MOST_SENT_PIXELS = 4_000_000
"""Of a PNG that is sent as it was logged: the terminal decodes it."""

LONGEST_SIDE = 10_000
"""Pixels; kitty takes no more."""

CHUNK = 4096
"""Most characters of base64 per control sequence."""

PLACEHOLDER = chr(0x10EEEE)

_MARKS = """
305 30d-30e 310 312 33d-33f 346 34a-34c 350-352 357 35b 363-36f 483-487 592-595 597-599 59c-5a1
5a8-5a9 5ab-5ac 5af 5c4 610-617 657-65b 65d-65e 6d6-6dc 6df-6e2 6e4 6e7-6e8 6eb-6ec 730 732-733
735-736 73a 73d 73f-741 743 745 747 749-74a 7eb-7f1 7f3 816-819 81b-823 825-827 829-82d 951 953-954
f82-f83 f86-f87 135d-135f 17dd 193a 1a17 1a75-1a7c 1b6b 1b6d-1b73 1cd0-1cd2 1cda-1cdb 1ce0 1dc0-1dc1
1dc3-1dc9 1dcb-1dcc 1dd1-1de6 1dfe 20d0-20d1 20d4-20d7 20db-20dc 20e1 20e7 20e9 20f0 2cef-2cf1
2de0-2dff a66f a67c-a67d a6f0-a6f1 a8e0-a8f1 aab0 aab2-aab3 aab7-aab8 aabe-aabf aac1 fe20-fe26 10a0f
10a38 1d185-1d189 1d1aa-1d1ad 1d242-1d244
"""
"""Ranges of the combining characters that count rows and columns. The protocol took them from
Unicode 6.0; later versions have more of the kind, so they cannot be derived."""


def _expanded(ranges: str) -> Iterator[str]:
    for one in ranges.split():
        first, _, last = one.partition("-")
        yield from map(chr, range(int(first, 16), int(last or first, 16) + 1))


MARKS = tuple(_expanded(_MARKS))
"""The combining character of each row or column."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_END = b"\0\0\0\0IEND\xaeB`\x82"


class TerminalImage(NamedTuple):
    """An image that the terminal keeps.

    Attributes:
        id: 1 to 2**24 - 1.
        columns: Cells that it covers.
        rows: Likewise.
    """

    id: int
    columns: int
    rows: int

    @property
    def color(self) -> tuple[int, int, int]:
        """Foreground of its cells: red, green and blue."""
        return self.id >> 16, self.id >> 8 & 255, self.id & 255

    def row(self, y: int) -> str:
        """Its cells in one row."""
        return "".join(PLACEHOLDER + MARKS[y] + mark for mark in MARKS[: self.columns])

    def sent(self, png: bytes) -> str:
        """Control sequences that send it; the terminal answers nothing."""
        data = standard_b64encode(png).decode("ascii")
        keys = f"a=T,U=1,f=100,i={self.id},c={self.columns},r={self.rows},q=2,"
        parts = []
        for start in range(0, len(data), CHUNK):
            more = int(start + CHUNK < len(data))
            parts.append(f"\x1b_G{keys}m={more};{data[start : start + CHUNK]}\x1b\\")
            keys = "q=2,"
        return "".join(parts)

    @property
    def deleted(self) -> str:
        """The control sequence after which the terminal forgets it."""
        return f"\x1b_Ga=d,d=I,i={self.id},q=2\x1b\\"


_numbers = count()


def terminal_image(
    png: bytes, room: tuple[int, int], cell: tuple[int, int]
) -> TerminalImage | None:
    """Give a PNG an id and as many cells as it fills.

    Args:
        room: Columns and rows of cells, at least 1.
        cell: Width and height of a cell in pixels.

    Returns:
        None if it is not a PNG.
    """
    size = png_size(png)
    if size is None:
        return None
    columns, rows = (min(one, len(MARKS)) for one in room)
    part = min(columns * cell[0] / size[0], rows * cell[1] / size[1])
    # Scaled up by a whole factor alone, an image stays crisp.
    scale = int(part) if part >= 1 else part
    covered = (-int(-side * scale // pixels) for side, pixels in zip(size, cell, strict=True))
    width, height = covered
    # Other programs in this terminal count from 1.
    number = 0x10_00_00 + next(_numbers) % 0xE0_00_00
    return TerminalImage(number, min(max(width, 1), columns), min(max(height, 1), rows))


def png_size(data: bytes) -> tuple[int, int] | None:
    """Width and height by the header of a whole PNG that may be sent; None for anything else."""
    head = data[:33]
    if len(data) > MOST_BYTES or not head.startswith(_SIGNATURE) or not data.endswith(_END):
        return None
    if struct.pack(">I", zlib.crc32(head[12:29])) != head[29:]:
        return None
    width, height = struct.unpack(">II", head[16:24])
    fits = 0 < width * height <= MOST_SENT_PIXELS and max(width, height) <= LONGEST_SIDE
    return (width, height) if fits else None


def encode(
    images: Sequence[bytes], width: int, height: int, ground: tuple[int, int, int]
) -> DecodedPicture:
    """Make one PNG of images: of a PNG itself, of others what `decode` makes of them.

    Args:
        images: Encoded images; untrusted.
        width: Pixels that there is room for.
        ground: Colour between the images, and behind transparent pixels.
    """
    size = png_size(images[0]) if len(images) == 1 else None
    if size is not None and (2 * size[0] > width or 2 * size[1] > height):
        return DecodedPicture(NO_PIXELS, *size, png=images[0])
    picture = decode(images, width, height, ground)
    if size is not None and picture.problem == MISSING:
        return DecodedPicture(NO_PIXELS, *size, png=images[0])
    return picture if picture.problem else picture._replace(png=_png(picture.pixels))


def _png(pixels: Rgb) -> bytes:
    """Encode pixels; coarser ones if they are too many to be sent."""
    from PIL import Image

    image = Image.fromarray(pixels)
    while True:
        file = BytesIO()
        image.save(file, "PNG")
        if png_size(file.getvalue()) or min(image.size) < 2:
            return file.getvalue()
        image = image.reduce(2)


def without_images(svg: str) -> str:
    """Blank the cells of images in a picture of the screen."""
    return re.sub(f"{PLACEHOLDER}..", "&#160;", svg)
