"""Pictures: logged images decoded into pixels, within bounds of bytes and pixels."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np

from lossmon.types import Floats
from lossmon.ui.media.heat import Rgb

MOST_PIXELS = 20_000_000
"""Pixels of the largest image that is decoded, 80 MB; a larger one may be a decompression bomb."""

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
"""What trainings log. Pillow knows more, some of them by running other programs."""

MISSING = "needs Pillow: pip install 'lossmon[images]'"

NO_PIXELS: Rgb = np.zeros((0, 0, 3), np.uint8)


class DecodedPicture(NamedTuple):
    """An image scaled to a number of pixels.

    Attributes:
        pixels: Its colours; of shape (0, 0, 3) where `problem` says why, or only `png` has it.
        width: Pixels of the image itself, 0 where unknown.
        height: Likewise.
        problem: Why it cannot be shown, or empty.
        png: What a terminal that draws images is sent; empty elsewhere.
    """

    pixels: Rgb
    width: int = 0
    height: int = 0
    problem: str = ""
    png: bytes = b""


def decode(
    images: Sequence[bytes], width: int, height: int, ground: tuple[int, int, int]
) -> DecodedPicture:
    """Decode images and scale them to fit a rectangle, several of them beside each other.

    Args:
        images: Encoded images; untrusted.
        width: Most columns of pixels, at least 1.
        height: Most rows of pixels, at least 1.
        ground: Colour between the images, and behind transparent pixels.
    """
    first = _decode(images[0], width, height, ground)
    if len(images) == 1 or not first.width or first.problem == MISSING:
        return first
    columns = _columns(len(images), width, height, first.width / first.height)
    rows = -(-len(images) // columns)
    # One cell between two images, which is two pixels high.
    room = (width + 1) // columns - 1, (height + 2) // rows // 2 * 2 - 2
    if min(room) < 1:
        return first
    pixels = np.empty((rows * (room[1] + 2) - 2, columns * (room[0] + 1) - 1, 3), np.uint8)
    pixels[:] = ground
    for at, data in enumerate(images):
        tile = _decode(data, *room, ground).pixels
        x, y = at % columns * (room[0] + 1), at // columns * (room[1] + 2)
        pixels[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    return first._replace(pixels=pixels, problem="")


def _columns(count: int, width: int, height: int, shape: float) -> int:
    """Columns in which so many images of a shape (width by height) are largest."""

    def size(columns: int) -> float:
        return min(width / columns, height / -(-count // columns) * shape)

    return max(range(1, count + 1), key=size)


def _decode(data: bytes, width: int, height: int, ground: tuple[int, int, int]) -> DecodedPicture:
    """Decode an image and scale it down, or up by a whole factor."""
    try:
        from PIL import Image
    except ImportError:
        return _failed(MISSING)
    size = (0, 0)
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as image:
            size = image.size
            if size[0] * size[1] > MOST_PIXELS:
                return _failed(f"too large: {size[0]}×{size[1]} pixels", *size)
            factor = max(1, min(width // size[0], height // size[1]))
            image.draft("RGB", (width, height))
            image.thumbnail((width, height))
            shown = image.convert("RGBA")
            if factor > 1:
                shown = shown.resize((size[0] * factor, size[1] * factor), Image.Resampling.NEAREST)
            behind = Image.new("RGBA", shown.size, (*ground, 255))
            pixels = np.asarray(Image.alpha_composite(behind, shown).convert("RGB"))
    except Exception as error:
        # Decoders of images raise nearly anything for what is not one.
        return _failed(f"cannot be decoded ({type(error).__name__})", *size)
    return DecodedPicture(pixels, *size)


def _failed(problem: str, width: int = 0, height: int = 0) -> DecodedPicture:
    return DecodedPicture(NO_PIXELS, width, height, problem)


def brightness(pixels: Rgb) -> Floats:
    """Brightness of pairs of rows, 0 to 1: as many rows as a terminal needs cells."""
    rows = np.concatenate((pixels, pixels[-1:])) if len(pixels) % 2 else pixels
    rows = rows.reshape(-1, 2, pixels.shape[1], 3)
    return np.asarray(rows.mean(axis=1) @ np.array([0.299, 0.587, 0.114]) / 255)
