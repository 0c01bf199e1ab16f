from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lossmon.analysis.generalisation_gap import gap_series
from lossmon.monitor.runs.run_state import steps_per_epoch
from lossmon.types import Axis, Best, Floats, RunSnapshot, Severity, VerdictChange
from lossmon.ui.chart.model import ChartSettings, XAxis
from lossmon.ui.chart.positions import axes_of_run
from lossmon.ui.chart.run_model import model_of
from lossmon.ui.dashboard.chart_titles import footer_of, gap_of, options_of, title_of
from lossmon.ui.dashboard.main_panes import titles
from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import plain
from tests.ui import stage


@pytest.mark.parametrize("epoch", [math.nan, math.inf, -1.0, 1e308, 5e-324])
def test_an_epoch_that_cannot_be_leaves_a_scale_that_can(epoch: float) -> None:
    run = replace(stage.healthy(), epoch=epoch)
    assert 0 < steps_per_epoch(run, run.series[0]) < math.inf


@pytest.mark.parametrize("total", [math.nan, math.inf])
def test_an_end_that_is_no_number_is_not_drawn(total: float) -> None:
    run = replace(stage.healthy(), total_epochs=total)
    assert model_of(run, ChartSettings(x=XAxis.EPOCH), (0,)).total is None


def test_the_largest_numbers_make_a_title_without_a_change() -> None:
    run = stage.run(stage.HEALTHY, evaluated=np.array([1e308, -1e308, 1e308]))
    scene = Scene(stage.snapshot(run))
    value, *_, change = (plain(line) for _, line in title_of(scene, run, 1, 100))
    assert (value, change) == ("eval 1.0e308", "")


@pytest.mark.parametrize(
    ("line", "smoothed"), [(0.5, "smoothed 0.5000"), (math.nan, ""), (None, "")]
)
def test_a_title_begins_with_the_newest_value_of_the_log(line: float | None, smoothed: str) -> None:
    run = stage.healthy()
    parts = [plain(one) for _, one in title_of(Scene(stage.snapshot(run)), run, 0, 100, line)]
    assert parts[0] == "train 0.5158" and parts[-1] == smoothed


def test_the_slope_of_tiny_values_is_no_zero_and_that_of_rounding_is_none() -> None:
    def trend(values: Floats) -> str:
        falling = stage.series(stage.TRAIN_LOSS, np.arange(90), values)
        run = replace(stage.healthy(), series=(falling,), eval=None)
        return plain(title_of(Scene(stage.snapshot(run)), run, 0, 100)[2][1])

    assert trend(np.linspace(2e-9, 1e-9, 90)).startswith("−1.1e-9/")
    assert trend(0.5 + 1e-13 * np.linspace(1, 0, 90)) == ""


def test_a_constant_has_neither_a_minimum_nor_a_slope() -> None:
    flat = stage.series(stage.TRAIN_LOSS, np.arange(90), np.full(90, 0.5))
    run = replace(stage.healthy(), series=(flat,), eval=None)
    value, *others = (plain(line) for _, line in title_of(Scene(stage.snapshot(run)), run, 0, 100))
    assert value == "train 0.5000" and not any(others)


@pytest.mark.parametrize(
    ("axis", "epoch", "wanted", "said"),
    [
        (Axis.STEP, 1.24, XAxis.STEP, ""),
        (Axis.STEP, 1.24, XAxis.EPOCH, "epoch"),
        (Axis.STEP, None, XAxis.EPOCH, "step"),
        (Axis.STEP, 1.24, XAxis.TOKENS, "step"),
        (Axis.EPOCH, 3.0, XAxis.STEP, "epoch"),
    ],
)
def test_a_title_says_what_the_x_axis_really_counts(
    axis: Axis, epoch: float | None, wanted: XAxis, said: str
) -> None:
    run = stage.healthy()
    run = replace(run, epoch=epoch, series=(replace(run.series[0], axis=axis), *run.series[1:]))
    scene = Scene(stage.snapshot(run), chart_settings=ChartSettings(x=wanted))
    words = {plain(line) for _, line in titles(scene, run, (0,), (), 120)}
    assert words & {f"by {x.value}" for x in XAxis} == ({f"by {said}"} if said else set())
    assert options_of(scene, run.series[0]).x_axis is (wanted if said == wanted else XAxis.STEP)


def test_only_axes_that_a_run_has_are_offered() -> None:
    run = stage.healthy()
    assert axes_of_run(run) == [XAxis.STEP, XAxis.EPOCH, XAxis.TIME]
    timeless = tuple(replace(one, wall_times=one.wall_times * math.nan) for one in run.series)
    assert axes_of_run(replace(run, epoch=None, series=timeless)) == [XAxis.STEP]


def footer(run: RunSnapshot) -> str:
    scene = Scene(snapshot=stage.snapshot(run), now=stage.NOW)
    return plain(footer_of(scene, run, (1,)))


def test_the_edge_of_the_eval_pane_names_the_best_checkpoint() -> None:
    run = stage.overfitting()
    assert footer(run) == "▼ best: checkpoint-700 on disk"


def test_the_edge_names_the_nearest_earlier_checkpoint_where_the_best_is_gone() -> None:
    kept = ((640, "checkpoint-640"), (1200, "checkpoint-1200"))
    run = replace(stage.overfitting(), best=Best(700, 1.4), checkpoints=kept)
    assert footer(run) == "▼ best: checkpoint-640, 60 steps before the best"
    assert footer(replace(run, checkpoints=())) == ""


# -------------------------------------------------------------------------------- marks


def marked(run: RunSnapshot, kind: str, shown: tuple[int, ...] = (1,)) -> list[float]:
    return [mark.x for mark in model_of(run, ChartSettings(), shown).marks if mark.kind == kind]


def test_a_turn_to_trouble_is_marked_on_the_axis_and_the_turn_back() -> None:
    run = stage.overfitting()
    assert marked(run, "verdict") == marked(run, "verdict", (0,)) == [910.0]
    history = (*run.diagnosis.history, VerdictChange(1100, "healthy", Severity.OK))
    run = replace(run, diagnosis=replace(run.diagnosis, history=history))
    assert marked(run, "verdict") == [910.0, 1100.0]
    assert marked(stage.healthy(), "verdict") == []


def test_a_badge_that_flickers_does_not_fill_the_axis() -> None:
    run = stage.overfitting()
    history = tuple(VerdictChange(step, "spike", Severity.NOTICE) for step in range(10, 1000, 10))
    run = replace(run, diagnosis=replace(run.diagnosis, history=history))
    assert marked(run, "verdict") == [float(step) for step in range(880, 1000, 10)]


def test_of_many_checkpoints_only_the_one_to_take_and_the_newest_are_marked() -> None:
    few = tuple((step, f"checkpoint-{step}") for step in (400, 700, 1200))
    run = replace(stage.overfitting(), checkpoints=few)
    assert marked(run, "checkpoint") == [400.0, 700.0, 1200.0]
    many = tuple((step, f"checkpoint-{step}") for step in range(20, 1020, 20))
    assert marked(replace(run, checkpoints=many), "checkpoint") == [700.0, 1000.0]


def test_checkpoints_stand_below_the_eval_loss_where_there_is_one() -> None:
    run = replace(stage.overfitting(), checkpoints=((700, "checkpoint-700"),))
    assert marked(run, "checkpoint", (0,)) == []
    alone = replace(stage.without_eval(), checkpoints=((700, "checkpoint-700"),))
    assert marked(alone, "checkpoint", (0,)) == [700.0]


def test_the_gap_at_the_edge_is_that_of_the_newest_eval() -> None:
    run = stage.overfitting()
    gap = gap_series(run)
    assert gap is not None
    scene = Scene(snapshot=stage.snapshot(run), now=stage.NOW)
    assert plain(footer_of(scene, run, (0, 1))).startswith(f"gap {gap.last:.2f}  ")


def test_a_gap_that_the_digits_of_the_losses_do_not_show_is_none() -> None:
    run = stage.healthy()
    train = run.series[0]
    flat = replace(train, values=np.full(len(train), 1.68), last=1.68)
    evals = stage.series(stage.EVAL_LOSS, train.steps[-3:], np.array([2.0, 1.9, 1.68004]))
    run = replace(run, series=(flat, evals), train=0, eval=1)
    assert plain(gap_of(Scene(stage.snapshot(run)), run)) == "gap 0"


def test_a_learning_rate_and_what_is_measured_on_eval_data_are_not_smoothed() -> None:
    run = stage.overfitting()
    smoothed = {
        series.meaning.key: model_of(run, ChartSettings(), (index,)).curves[0].smooth
        for index, series in enumerate(run.series)
    }
    assert smoothed["train/loss"] and smoothed["grad_norm"]
    assert not smoothed["learning_rate"] and not smoothed["eval/accuracy"]
