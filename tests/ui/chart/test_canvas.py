from __future__ import annotations

import numpy as np
import pytest

from lossmon.ui.chart.canvas import (
    Canvas,
    CellSpan,
    Picture,
    bars,
    braille,
    cells_of,
    changes,
    joined,
    quadrants,
    thirds,
)

NAMES = ("blank", "train", "axis")


def dots(*rows: str) -> np.ndarray:
    return np.array([[char == "#" for char in row] for row in rows])


def text(codes: np.ndarray) -> list[str]:
    return ["".join(map(chr, row)) for row in codes.tolist()]


def drawn(*rows: str) -> Picture:
    canvas = Canvas(max(len(cells_of(row)) for row in rows), len(rows), NAMES)
    for y, row in enumerate(rows):
        canvas.write(0, y, row, "train")
    return canvas.picture()


def test_eight_dots_make_a_braille_character() -> None:
    assert text(braille(dots("#.", "..", "..", ".#"))) == ["⢁"]
    assert text(braille(dots("####", "####", "####", "####"))) == ["⣿⣿"]
    assert text(braille(dots("....", "....", "....", "...."))) == ["  "]


def test_four_dots_make_a_block() -> None:
    assert text(quadrants(dots("#.#.", ".#..", "....", "####"))) == ["▚▘", "▄▄"]


def test_three_dots_make_an_ascii_character() -> None:
    assert text(thirds(dots("#...", ".#.#", "..##"))) == ["'-__"]


def test_bars_are_cut_at_the_edges() -> None:
    filled = bars(np.array([-5, 1, 2]), np.array([0, 9, 1]), 3)
    assert filled.tolist() == dots("#..", ".#.", ".#.").tolist()


def test_a_line_is_one_dot_thick_and_has_no_holes() -> None:
    filled = bars(*joined(np.array([0, 0, 4, 1]), np.ones(4, bool)), 5)
    assert filled.tolist() == dots("##..", ".#.#", ".#.#", "..#.", "..#.").tolist()


def test_a_line_breaks_where_there_is_no_value() -> None:
    filled = bars(*joined(np.array([0, 9, 2]), np.array([True, False, True])), 4)
    assert filled.tolist() == dots("#..", "...", "..#", "...").tolist()


def test_rows_are_cut_into_runs_of_one_style() -> None:
    canvas = Canvas(6, 1, NAMES)
    canvas.write(0, 0, "1.5", "axis")
    canvas.put(4, 0, "x", "train")
    picture = canvas.picture()
    assert picture.rows == ((("1.5", "axis"), (" ", "blank"), ("x", "train"), (" ", "blank")),)


def test_nothing_is_written_outside() -> None:
    canvas = Canvas(3, 1, NAMES)
    canvas.write(-1, 0, "abcde", "axis")
    canvas.write(0, 5, "abc", "axis")
    canvas.put(9, 0, "x", "axis")
    assert canvas.picture().text == "bcd"


@pytest.mark.parametrize(
    ("name", "cells"),
    [("loss", 4), ("损失", 4), ("a\x1b[31m", 6), ("e\u0301", 1), ("a\nb", 3), ("", 0)],
)
def test_a_hostile_name_takes_the_cells_it_is_drawn_in(name: str, cells: int) -> None:
    assert len(cells_of(name)) == cells
    assert all(code == 0 or chr(code).isprintable() for code in cells_of(name))


def test_the_same_picture_has_no_changes_and_another_size_is_all_new() -> None:
    assert changes(drawn("abc"), drawn("abc")) == ()
    assert changes(drawn("abc"), drawn("abcd")) is None
    assert changes(None, drawn("abc")) is None


def test_changes_near_each_other_are_one_run() -> None:
    old = drawn("." * 30, "." * 30)
    new = drawn("." * 30, "..x..x" + "." * 20 + "x...")
    assert changes(old, new) == (CellSpan(1, 2, 6), CellSpan(1, 26, 27))


def test_a_change_never_halves_a_wide_character() -> None:
    assert changes(drawn("a损b"), drawn("a失b")) == (CellSpan(0, 1, 3),)
    assert changes(drawn("a损b"), drawn("a--b")) == (CellSpan(0, 1, 3),)
    assert changes(drawn("a--b"), drawn("a-xb")) == (CellSpan(0, 2, 3),)
