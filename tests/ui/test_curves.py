from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lossmon.ui.curves import model_of, steps_per_epoch, title_of
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
