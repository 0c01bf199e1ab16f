"""Logged images, decoded within bounds."""

from __future__ import annotations

import struct
import sys
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from lossmon.ui.media.picture import MISSING, brightness, decode

GROUND = (10, 20, 30)


def png(width: int, height: int, color: tuple[int, ...] = (255, 0, 0)) -> bytes:
    file = BytesIO()
    Image.new("RGB" if len(color) == 3 else "RGBA", (width, height), color).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("size", "shown"),
    [((400, 200), (100, 50)), ((4, 2), (100, 50)), ((1, 1000), (1, 80)), ((30, 30), (60, 60))],
)
def test_a_picture_keeps_its_shape_in_the_room(
    size: tuple[int, int], shown: tuple[int, int]
) -> None:
    picture = decode([png(*size)], 100, 80, GROUND)
    assert (picture.width, picture.height, picture.problem) == (*size, "")
    assert picture.pixels.shape == (shown[1], shown[0], 3)
    assert (picture.pixels == (255, 0, 0)).all()


def test_what_is_transparent_shows_the_ground() -> None:
    assert (decode([png(2, 2, (1, 2, 3, 0))], 2, 2, GROUND).pixels == GROUND).all()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that states any size."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (head, b"IDAT" + zlib.compress(bytes(1000)), b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in chunks
    )


@pytest.mark.parametrize("size", [(8000, 8000), (11_000, 11_000), (60_000, 60_000)])
def test_a_decompression_bomb_is_not_decoded(size: tuple[int, int]) -> None:
    picture = decode([bomb(*size)], 10, 10, GROUND)
    assert picture.problem.startswith(("too large", "cannot be decoded"))
    assert not picture.pixels.size


@pytest.mark.parametrize(
    "data", [b"", b"not an image", png(3, 3)[:40], b"%!PS-Adobe-3.0 EPSF-3.0", bomb(50, 50)]
)
def test_what_is_not_an_image_says_so(data: bytes) -> None:
    assert decode([data], 10, 10, GROUND).problem.startswith("cannot be decoded")


def test_without_pillow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    data = png(1, 1)
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert decode([data], 10, 10, GROUND).problem == MISSING


def test_brightness_is_that_of_two_pixels_per_cell() -> None:
    pixels = np.array([[[255, 255, 255]], [[0, 0, 0]], [[255, 255, 255]]], np.uint8)
    assert brightness(pixels)[:, 0].tolist() == pytest.approx([0.5, 1.0])


def test_several_images_stand_beside_each_other() -> None:
    red, blue = png(10, 10), png(10, 10, (0, 0, 255))
    pixels = decode([red, b"not an image", blue, blue], 41, 42, GROUND).pixels
    assert pixels.shape == (42, 41, 3)
    assert pixels[0, 0].tolist() == [255, 0, 0]
    assert pixels[0, -1].tolist() == list(GROUND)
    assert pixels[-1, 0].tolist() == pixels[-1, -1].tolist() == [0, 0, 255]
    assert (pixels[20:22] == GROUND).all()
    assert (pixels[:, 20] == GROUND).all()
    assert decode([red, blue], 1, 1, GROUND).pixels.shape == (1, 1, 3)
