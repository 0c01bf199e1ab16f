from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lossmon.types import Best, RunSnapshot
from lossmon.ui.curves import footer_of, model_of, steps_per_epoch, title_of
from lossmon.ui.lines import plain
from lossmon.ui.scene import Look, Scene, XAxis
from tests.ui import stage


@pytest.mark.parametrize("epoch", [math.nan, math.inf, -1.0, 1e308, 5e-324])
def test_an_epoch_that_cannot_be_leaves_a_scale_that_can(epoch: float) -> None:
    run = replace(stage.healthy(), epoch=epoch)
    assert 0 < steps_per_epoch(run, run.series[0]) < math.inf


@pytest.mark.parametrize("total", [math.nan, math.inf])
def test_an_end_that_is_no_number_is_not_drawn(total: float) -> None:
    run = replace(stage.healthy(), total_epochs=total)
    assert model_of(run, Look(x=XAxis.EPOCH), (0,)).total is None


def test_the_largest_numbers_make_a_title_without_a_change() -> None:
    run = stage.run(stage.HEALTHY, evaluated=np.array([1e308, -1e308, 1e308]))
    scene = Scene(stage.snapshot(run))
    assert "eval" in " ".join(plain(line) for _, line in title_of(scene, run, 1, 100))


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
