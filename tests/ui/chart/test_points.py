"""Every raw point of a window is seen, and the gap between two curves is shaded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.ui.chart.canvas import CELLS, Picture
from lossmon.ui.chart.layers import Grid
from lossmon.ui.chart.model import ChartModel, ChartOptions, Curve, Mark, Marker, XAxis
from lossmon.ui.chart.painter import TINTED, Painter

WIDTH, HEIGHT = 60, 16


def painted(model: ChartModel, options: ChartOptions) -> tuple[Painter, Picture]:
    painter = Painter()
    return painter, painter.paint(model, options, WIDTH, HEIGHT)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    """Fewer points than there are columns of dots, anywhere, spikes among them."""
    steps = draw(st.lists(st.integers(0, 5000), min_size=2, max_size=54, unique=True))
    values = [draw(st.floats(-100, 100, width=32)) for _ in steps]
    return Curve("loss", np.array(sorted(steps)), np.array(values))


@given(
    curves(),
    st.sampled_from(["braille", "block", "ascii"]),
    st.sampled_from([0.0, 0.6, 0.99]),
    st.booleans(),
    st.tuples(st.floats(0, 0.5), st.floats(0.6, 1)),
)
def test_every_raw_point_of_a_window_is_lit(
    curve: Curve, marker: Marker, smoothing: float, robust: bool, part: tuple[float, float]
) -> None:
    first, length = float(curve.x[0]), float(curve.x[-1] - curve.x[0])
    window = (first + part[0] * length, first + part[1] * length)
    options = ChartOptions(
        smoothing=smoothing, marker=marker, hide_outliers=robust, points=True, x_range=window
    )
    painter, picture = painted(ChartModel((curve,), live=False), options)
    frame, plan = painter.frame, painter.plan
    assert frame is not None and plan is not None
    rows, columns = CELLS[marker]
    grid = Grid(frame, plan.width * columns, plan.height * rows)
    lines = picture.text.splitlines()
    for x, row in zip(curve.x.tolist(), np.rint(grid.rows(curve.y)).tolist(), strict=True):
        column = grid.column(float(x))
        if column is None:
            continue
        cell = plan.left + column // columns
        inside = 0 <= row < grid.height
        at = int(row) // rows if inside else 0 if row < 0 else plan.height - 1
        assert lines[at][cell] != " ", (x, row)
        if not inside:
            assert lines[at][cell] in "▴▾^v"


def test_few_points_get_a_character_each() -> None:
    model = ChartModel((Curve("loss", np.arange(10), np.linspace(3, 1, 10)),), live=False)
    assert painted(model, ChartOptions(points=True))[1].text.count("•") == 10
    ascii = painted(model, ChartOptions(points=True, marker="ascii"))[1]
    assert ascii.text.count("o") == 10 and ascii.text.isascii()
    assert "•" not in painted(model, ChartOptions())[1].text


@pytest.mark.parametrize(("axis", "is_broken"), [(XAxis.TIME, True), (XAxis.STEP, False)])
def test_a_pause_breaks_the_line_on_the_clock_alone(axis: XAxis, is_broken: bool) -> None:
    x = np.concatenate((np.arange(0, 100), np.arange(1000, 1100), [1500])).astype(np.float64)
    model = ChartModel((Curve("loss", x, np.linspace(3, 1, len(x))),), live=False)
    text = painted(model, ChartOptions(x_axis=axis))[1].text.splitlines()[:-1]
    between = [row[20:40].strip() for row in text]
    assert any(between) is not is_broken


def test_evals_far_apart_are_connected_on_the_clock() -> None:
    x = np.array([0.0, 50.0, 300.0, 600.0, 1000.0])
    model = ChartModel((Curve("loss", x, np.linspace(3, 1, len(x))),), live=False)
    text = painted(model, ChartOptions(x_axis=XAxis.TIME))[1].text
    assert all(any(row[at] != " " for row in text.splitlines()[:-1]) for at in range(10, 55))


def test_a_checkpoint_at_a_label_stands_beside_it() -> None:
    curve = Curve("loss", np.arange(1001), np.linspace(3, 1, 1001))
    model = ChartModel((curve,), (Mark(500.0, "checkpoint"),), live=False)
    row = painted(model, ChartOptions(points=True))[1].text.splitlines()[-1]
    assert "500▪" in row or "▪500" in row
    assert "▪" not in painted(model, ChartOptions())[1].text


def both(first: float, second: float) -> ChartModel:
    steps = np.arange(100)
    return ChartModel(
        (
            Curve("train", steps, np.full(100, first)),
            Curve("eval", steps[50:], np.full(50, second), "eval", smooth=False),
        ),
        live=False,
    )


def shaded(picture: Picture, texture: str = "") -> list[tuple[int, int]]:
    """Cells (row, column) that are tinted, or that hold the texture."""
    found = []
    for y in range(picture.height):
        x = 0
        for text, name in picture.segments(y):
            for char in text:
                if name.endswith(TINTED) if not texture else char == texture:
                    found.append((y, x))
                x += 1
    return found


@pytest.mark.parametrize("shade, texture", [("tint", ""), ("texture", "·")])
def test_the_gap_is_shaded_between_the_curves_where_both_are(shade: str, texture: str) -> None:
    options = ChartOptions(shade_gap=shade, y_range=(0, 4))  # type: ignore[arg-type]
    painter, picture = painted(both(1.0, 3.0), options)
    plan = painter.plan
    assert plan is not None
    cells = shaded(picture, texture)
    assert len(cells) > (200 if shade == "tint" else 15)
    for y, x in cells:
        assert plan.left + plan.width // 2 - 1 <= x
        assert plan.height // 4 - 1 <= y <= plan.height * 3 // 4 + 1
    assert shaded(painted(both(1.0, 3.0), ChartOptions())[1], texture) == []


def test_a_gap_whose_other_end_is_out_of_view_is_not_shaded() -> None:
    options = ChartOptions(shade_gap="tint", y_range=(2, 4))
    assert shaded(painted(both(1.0, 3.0), options)[1]) == []


def test_the_shade_lies_behind_the_lines() -> None:
    plain = painted(both(1.0, 3.0), ChartOptions())[1]
    tinted = painted(both(1.0, 3.0), ChartOptions(shade_gap="tint"))[1]
    assert tinted.text == plain.text
    texture = painted(both(1.0, 3.0), ChartOptions(shade_gap="texture"))[1]
    for old, new in zip(plain.text, texture.text, strict=True):
        assert new == old or (old, new) == (" ", "·")
