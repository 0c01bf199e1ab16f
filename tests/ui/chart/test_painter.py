from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.types import Floats, Kind, Meaning, Series, Severity
from lossmon.ui.chart.canvas import Picture, changes
from lossmon.ui.chart.model import (
    ChartModel,
    ChartOptions,
    Curve,
    Guides,
    Mark,
    Marker,
    XAxis,
    curve_of,
    start_of,
)
from lossmon.ui.chart.painter import Painter, render
from lossmon.ui.chart.readout import readout, step_to

PLAIN = ChartOptions(smoothing=0.0, hide_outliers=False)
ASCII = ChartOptions(smoothing=0.0, hide_outliers=False, marker="ascii")


def curve(values: list[float] | Floats, style: str = "train", *, smooth: bool = True) -> Curve:
    y = np.asarray(values, np.float64)
    return Curve(style, np.arange(len(y)), y, style, smooth=smooth)


def finished(*curves: Curve, marks: tuple[Mark, ...] = ()) -> ChartModel:
    return ChartModel(curves, marks, live=False)


def lines(picture: Picture) -> list[str]:
    return [line.rstrip() for line in picture.text.splitlines()]


def cells(picture: Picture, style: str) -> int:
    return int((picture.styles == picture.names.index(style)).sum())


def test_a_falling_line_in_ascii() -> None:
    picture = render(finished(curve([5.0, 4, 3, 2, 1, 0])), ASCII, 20, 7)
    assert lines(picture) == [
        "5+'-_",
        " |   '-_",
        " |      '-_",
        " |         '-_",
        " |            '-_",
        "0+               '-_",
        "  0                5",
    ]
    assert picture.text.isascii()


def test_a_falling_line_in_braille() -> None:
    picture = render(finished(curve([2.0, 1.0, 0.0])), PLAIN, 12, 4)
    assert lines(picture) == ["⠉⠒⠤⣀", "    ⠉⠒⠤⢄", "        ⠉⠑⠤⢄", "0     1    2"]


def test_one_value_is_a_visible_point() -> None:
    assert "•" in render(ChartModel((curve([2.3]),)), PLAIN, 30, 8).text
    assert "o" in render(ChartModel((curve([2.3]),)), ASCII, 30, 8).text


def test_nothing_to_draw_is_an_empty_picture() -> None:
    for model in (ChartModel(), ChartModel((curve([]),))):
        picture = render(model, PLAIN, 20, 5)
        assert picture.text.split() == [] and picture.height == 5 and picture.width == 20


def test_a_smoothed_line_of_few_points_is_the_mean_and_not_the_points() -> None:
    values = np.tile([1.0, 3.0], 20)
    model = finished(Curve("loss", np.arange(40), values, raw=False))
    picture = render(model, ChartOptions(smoothing=0.9, y_range=(0, 4)), 60, 17)
    drawn = [y for y, line in enumerate(picture.text.splitlines()[:-1]) if line[-9:].strip()]
    assert drawn and set(drawn) <= {6, 7, 8}


def test_a_line_comes_into_a_column_at_its_first_point() -> None:
    # The last point falls into the column of the one before: the line must not fall towards it.
    steps, values = np.array([0, 50, 99, 100]), np.array([0.0, 0.5, 1.0, 0.0])
    falling = Curve("", steps, values, "eval", smooth=False)
    options = ChartOptions(marker="ascii", hide_outliers=False)
    rows = lines(render(finished(falling), options, 31, 10))
    assert rows[0].endswith("_-|")
    assert all(row.endswith(" |") for row in rows[1:9])


def test_a_spike_that_is_cut_is_marked_at_the_edge() -> None:
    values = 2 + 0.1 * np.sin(np.arange(1000))
    values[400], values[700] = 90.0, -90.0
    picture = render(finished(curve(values)), ChartOptions(), 60, 12)
    top, bottom = picture.text.splitlines()[0], picture.text.splitlines()[10]
    assert top.count("▴") == 1 and bottom.count("▾") == 1
    assert cells(picture, "clipped") == 2


def test_a_spike_is_drawn_when_outliers_are_shown() -> None:
    values = 2 + 0.1 * np.sin(np.arange(100_000))
    values[40_000] = 90.0
    picture = render(finished(curve(values)), ChartOptions(hide_outliers=False), 60, 12)
    assert cells(picture, "clipped") == 0
    assert any(name == "train-raw" for _, name in picture.rows[0])


def test_nan_is_marked_where_it_was_logged_and_breaks_the_line() -> None:
    values = np.linspace(2, 1, 100)
    values[50:] = math.nan
    picture = render(finished(curve(values)), ChartOptions(), 60, 12)
    bottom = picture.text.splitlines()[10]
    assert bottom.rstrip().endswith("×××") and 20 < bottom.count("×") < 30
    assert cells(picture, "nan") == bottom.count("×")


def test_a_curve_of_nan_alone_has_marks_but_no_values() -> None:
    picture = render(finished(curve([math.nan] * 5)), ChartOptions(), 40, 8)
    assert picture.text.count("×") == 5 and "┤" not in picture.text


def test_the_minimum_is_pointed_at_from_above() -> None:
    values = [3.0, 2.0, 1.0, 2.0, 3.0]
    mark = Mark(2.0, "min", y=1.0, curve=0)
    picture = render(finished(curve(values), marks=(mark,)), PLAIN, 40, 10)
    (row,) = (y for y, line in enumerate(picture.text.splitlines()) if "▼" in line)
    column = picture.text.splitlines()[row].index("▼")
    assert 0x2800 < ord(picture.text.splitlines()[row + 1][column]) < 0x2900


def test_train_and_eval_are_told_apart_by_colour_and_without_it() -> None:
    train, evaluated = curve(np.full(60, 1.0)), curve(np.full(60, 2.0), "eval")
    coloured = render(finished(train, evaluated), PLAIN, 60, 12)
    assert cells(coloured, "train") > 40 and cells(coloured, "eval") > 40
    mono = render(finished(train, evaluated), ChartOptions(smoothing=0, mono=True), 60, 12)
    rows = [line[6:] for line in lines(mono) if 0x2800 < max(map(ord, line)) < 0x2900]
    assert sum(" " in row.strip() for row in rows) == 1
    ascii = lines(render(finished(train, evaluated), ASCII, 60, 12))
    assert any("oooooooo" in line for line in ascii)


def test_raw_points_stand_behind_the_line() -> None:
    noisy = curve(np.random.default_rng(0).normal(2, 0.5, 400))
    picture = render(finished(noisy), ChartOptions(), 60, 16)
    assert cells(picture, "train-raw") > cells(picture, "train") > 30


def test_superseded_points_stay_as_a_ghost() -> None:
    steps = np.arange(100)
    again = Curve(
        "train", steps, np.full(100, 1.0), ghost_x=steps[50:] + 100, ghost_y=np.full(50, 1.05)
    )
    picture = render(finished(again, marks=(Mark(99.0, "restart"),)), PLAIN, 60, 12)
    assert cells(picture, "ghost") > 5 and cells(picture, "restart") > 5


def test_another_run_does_not_inherit_the_range_of_the_one_before() -> None:
    wide, narrow = np.linspace(4, 1, 50), np.linspace(4, 2, 50)
    alone = render(finished(curve(narrow)), PLAIN, 40, 20)
    painter = Painter()
    painter.paint(finished(curve(wide)), PLAIN, 40, 20)
    assert painter.paint(finished(curve(narrow)), PLAIN, 40, 20).text == alone.text


def test_panes_that_know_of_each_other_share_their_ranges() -> None:
    train, evaluated = curve(np.linspace(3, 1, 400)), curve(np.full(300, 3.5), "eval", smooth=False)
    one, other = Painter(), Painter()
    one.paint(ChartModel((train,), context=(evaluated,)), ChartOptions(), 80, 12)
    other.paint(ChartModel((evaluated,), context=(train,)), ChartOptions(), 70, 20)
    assert one.frame == other.frame


@pytest.mark.parametrize("marker", ["braille", "block", "ascii"])
def test_guide_lines_stand_at_the_labels_and_behind_all_else(marker: Marker) -> None:
    model, options = finished(curve([5.0, 4, 3, 2, 1, 0])), replace(PLAIN, marker=marker)
    bare = render(model, options, 60, 12)
    painter = Painter()
    ruled = painter.paint(model, replace(options, guides=Guides.GRID), 60, 12)
    drawn = bare.codes != ord(" ")
    assert (ruled.codes[drawn] == bare.codes[drawn]).all()
    cross = ord("+" if marker == "ascii" else "┼")
    plan = painter.plan
    assert plan is not None
    crossings = (ruled.codes[: plan.height, plan.left :] == cross).sum(axis=1)
    axis = bare.codes[: plan.height, plan.left - 1]
    labelled = (axis == ord("┤")) | (axis == ord("+"))
    assert ((crossings > 1) == labelled).all() and labelled.sum() > 2
    assert render(model, replace(options, guides=Guides.HORIZONTAL), 5, 1).height == 1


def test_a_log_axis_marks_what_cannot_be_drawn_on_it() -> None:
    picture = render(
        finished(curve([100.0, 10, 1, 0, 1])), ChartOptions(smoothing=0, log_y=True), 50, 12
    )
    assert "▾" in picture.text and "100┤" in picture.text.replace(" ", "")


def test_limits_that_were_typed_hold() -> None:
    painter = Painter()
    options = ChartOptions(x_range=(20, 40), y_range=(0, 5))
    painter.paint(finished(curve(np.arange(100.0))), options, 50, 12)
    assert painter.frame is not None
    assert (painter.frame.x.low, painter.frame.x.high) == (20, 40)
    assert (painter.frame.y.low, painter.frame.y.high) == (0, 5)


def test_a_cursor_is_a_line_through_what_is_blank() -> None:
    options = ChartOptions(smoothing=0, cursor=50.0)
    assert cells(render(finished(curve(np.arange(100.0))), options, 60, 12), "cursor") >= 9


def test_the_readout_tells_the_nearest_point_of_each_curve() -> None:
    series = Series(
        "loss",
        Meaning("train/loss", "train loss", kind=Kind.LOSS),
        steps=np.array([10, 20, 30]),
        values=np.array([3.0, 2.0, 1.0]),
        wall_times=np.array([100.0, 110.0, 120.0]),
        n=3,
    )
    model = ChartModel((curve_of(series, "train", XAxis.TIME), curve([])))
    (reading,) = readout(model, 11.0)
    assert (reading.x, reading.step, reading.value, reading.wall_time) == (10.0, 20, 2.0, 110.0)
    assert step_to(model, 10.0, 1) == 20.0
    assert step_to(model, 10.0, -5) == 0.0


def test_a_new_point_changes_a_few_cells_at_the_right_edge_only() -> None:
    rng = np.random.default_rng(0)
    steps = np.arange(1, 2001)
    values = 0.5 + 2 * np.exp(-steps / 600) + rng.normal(0, 0.1, 2000)
    painter, before, changed = Painter(), None, []
    for n in range(1000, 2000):
        picture = painter.paint(
            ChartModel((Curve("train", steps[:n], values[:n]),)), ChartOptions(), 78, 12
        )
        runs = changes(before, picture)
        if runs is not None:
            changed.append(sum(run.end - run.start for run in runs))
        before = picture
    # All is drawn again only where the axes move: some ten times in a thousand steps.
    assert np.median(changed) <= 2 and sum(count > 78 for count in changed) <= 20


def test_a_live_picture_is_the_picture_drawn_at_once() -> None:
    rng = np.random.default_rng(3)
    steps, values = np.arange(3000), rng.normal(2, 0.3, 3000)
    options = ChartOptions(y_range=(0, 4))
    painter = Painter()
    for n in (1, 2, 700, 701, 1500, 1501, 2999, 3000):
        live = painter.paint(ChartModel((Curve("train", steps[:n], values[:n]),)), options, 80, 20)
    once = render(ChartModel((Curve("train", steps, values),)), options, 80, 20)
    assert changes(live, once) == ()


def test_a_million_points_are_drawn_while_nobody_notices() -> None:
    steps = np.arange(1_000_100)
    values = np.random.default_rng(0).normal(2, 0.3, len(steps))
    painter = Painter()
    painter.paint(
        ChartModel((Curve("train", steps[:-100], values[:-100]),)), ChartOptions(), 120, 40
    )
    started = time.process_time()
    painter.paint(ChartModel((Curve("train", steps, values),)), ChartOptions(), 120, 40)
    # A full picture of a million points takes some 40 ms, the next one some 2.
    assert time.process_time() - started < 0.025


FLOATS = st.lists(st.floats(), max_size=30)


@given(
    FLOATS,
    FLOATS,
    st.integers(0, 70),
    st.integers(0, 14),
    st.sampled_from(["braille", "block", "ascii"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_any_values_make_a_picture_of_the_size_asked_for(
    train: list[float],
    evaluated: list[float],
    width: int,
    height: int,
    marker: Marker,
    log: bool,
    robust: bool,
    recent: bool,
) -> None:
    model = ChartModel((curve(train), curve(evaluated, "eval", smooth=False)))
    options = ChartOptions(
        marker=marker,
        log_y=log,
        hide_outliers=robust,
        recent=recent,
        shade_gap="tint",
        points=True,
        cursor=3.0,
    )
    picture = render(model, options, width, height)
    assert (picture.width, picture.height) == (width, height)
    if marker == "ascii":
        assert picture.text.isascii()


@pytest.mark.parametrize("name", ["损失" * 40, "\x1b[31mred", "a\nb\tc", "e\u0301" * 30, ""])
def test_a_hostile_name_never_breaks_the_layout(name: str) -> None:
    named = Curve(name, np.arange(3), np.array([3.0, 2.0, 1.0]))
    picture = render(finished(named, named), PLAIN, 60, 10)
    assert all(sum(map(len, map(str, (text for text, _ in row)))) <= 60 for row in picture.rows)
    assert "\x1b" not in picture.text and picture.text.count("\n") == 9


def timed(values: list[float], times: list[float]) -> Series:
    return Series(
        "loss",
        Meaning("train/loss", "train loss", kind=Kind.LOSS),
        steps=np.arange(len(values)),
        values=np.array(values),
        wall_times=np.array(times),
        n=len(values),
    )


def test_on_the_time_axis_an_eval_stands_where_it_was_logged() -> None:
    train = timed([3.0, 2.0, 1.0], [math.nan, 100.0, 200.0])
    evaluated = timed([2.5, 1.5], [150.0, 200.0])
    start = start_of((train, evaluated))
    curves = [curve_of(one, "train", XAxis.TIME, start) for one in (train, evaluated)]
    late = readout(ChartModel(tuple(curves)), 0.0)
    assert start == 100.0 and [reading.x for reading in late] == [0.0, 50.0]


def test_a_run_without_a_clock_starts_at_zero() -> None:
    assert start_of((timed([1.0], [math.nan]), timed([], []))) == 0.0


# ------------------------------------------------------------------- marks on the x axis


def axis_row(*marks: Mark, marker: Marker = "braille", height: int = 12) -> str:
    falling = curve(np.linspace(2, 1, 1000))
    options = ChartOptions(smoothing=0.0, hide_outliers=False, marker=marker)
    return render(finished(falling, marks=marks), options, 60, height).text.splitlines()[-1]


def test_a_verdict_stands_among_the_labels_of_the_axis_in_its_own_glyph() -> None:
    trouble = Mark(700.0, "verdict", severity=Severity.WARNING)
    calm = Mark(900.0, "verdict", severity=Severity.OK)
    row = axis_row(trouble, calm)
    assert row.index("▲") < row.index("✓")
    assert axis_row().replace(" ", "") == row.replace("▲", "").replace("✓", "").replace(" ", "")
    assert "!" in axis_row(trouble, marker="ascii")
    assert axis_row(trouble, marker="ascii").isascii()


def test_a_verdict_stands_at_its_step_and_a_label_there_gives_way() -> None:
    row, labels = axis_row(Mark(500.0, "verdict", severity=Severity.CRITICAL)), axis_row()
    assert labels.index("500") <= row.index("✖") <= labels.index("500") + 2
    assert "500" not in row and row.strip().startswith("0")


def test_a_checkpoint_gives_way_to_labels_and_verdicts() -> None:
    verdict = Mark(700.0, "verdict", severity=Severity.NOTICE)
    row = axis_row(verdict, *(Mark(float(step), "checkpoint") for step in (500, 700, 900)))
    assert "500" in row and row.count("◆") == 1 and row.count("▪") == 1


def test_a_chart_too_low_for_labels_has_no_marks_among_them() -> None:
    assert "▲" not in axis_row(Mark(700.0, "verdict", severity=Severity.WARNING), height=3)


def test_marks_cost_a_live_chart_no_cells_while_its_axis_stands() -> None:
    marks = (
        Mark(100.0, "verdict", severity=Severity.WARNING),
        *(Mark(float(step), "checkpoint") for step in range(50, 400, 50)),
    )
    assert redrawn(marks) == redrawn(()) > 0


def redrawn(marks: tuple[Mark, ...]) -> int:
    """Cells written again while twenty points come."""
    options = ChartOptions(smoothing=0.0, hide_outliers=False, x_range=(0.0, 500.0))
    painter, values = Painter(), np.linspace(2, 1, 500)
    before: Picture | None = None
    count = 0
    for points in range(400, 421):
        chart = ChartModel((curve(values[:points]),), marks)
        picture = painter.paint(chart, options, 80, 12)
        runs = changes(before, picture) if before is not None else None
        count += sum(run.end - run.start for run in runs or [])
        before = picture
    return count


def test_of_a_curve_that_is_nearly_constant_every_value_is_drawn() -> None:
    painter = Painter()
    painter.paint(finished(curve([0.07, 0.04, *[0.0] * 100])), ChartOptions(), 60, 10)
    assert painter.frame is not None
    assert painter.frame.y.high >= 0.07 and painter.frame.y.low > -0.07


def test_nan_is_marked_above_another_curve_that_runs_along_the_edge() -> None:
    broken = replace(curve([3.0] * 10 + [math.nan] * 30), style="train")
    along = replace(curve([1.0] * 40), style="eval")
    picture = render(ChartModel((broken, along)), ChartOptions(), 40, 8)
    rows = picture.text.splitlines()
    at = next(at for at, row in enumerate(rows) if "×" in row)
    assert rows[at].count("×") > 20 and "⣀⣀⣀" in rows[at + 1]
