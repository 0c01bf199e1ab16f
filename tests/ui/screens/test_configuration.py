"""The configuration view: settings, what matters among them, what changed since the run before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lossmon.analysis.run_settings import headline_settings
from lossmon.types import RunSnapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.screens.configuration import ConfigurationScreen, previous_run
from lossmon.ui.screens.dashboard import Dashboard
from tests.ui import stage
from tests.ui.screen import SIZES, text, wrong_at

SETTINGS = {
    "learning_rate": "2e-05",
    "lr_scheduler_type": "cosine",
    "per_device_train_batch_size": "8",
    "gradient_accumulation_steps": "4",
    "num_train_epochs": "3.0",
    "bf16": "true",
    "seed": "0",
    "model.layers": "24",
    "output_dir": "out/[red]x",
}


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        (SETTINGS, ["2e-05", "cosine", "8 × 4", "3.0", "bf16", "0"]),
        ({"optimizer.learning_rate": "0.1", "scheduler.name": "linear", "max_iters": "10",
          "epochs": "9", "model.precision": "amp_bf16"}, ["0.1", "linear", "10", "amp_bf16"]),
        ({"lr0": "0.01", "batch": "16", "amp": "True", "max_steps": "-1", "epochs": "100"},
         ["0.01", "16", "100", "amp"]),
        ({"device_train_microbatch_size": "8", "device_train_grad_accum": "64",
          "device_train_batch_size": "512"}, ["8 × 64"]),
        ({}, []),
    ],
    ids=["trainer", "nested", "detector", "OLMo", "none"],
)  # fmt: skip
def test_what_matters_is_found_under_any_name(settings: dict[str, str], found: list[str]) -> None:
    assert [value for _, value in headline_settings(settings)] == found


def runs() -> tuple[RunSnapshot, RunSnapshot]:
    """A run, and the one of its directory before it."""
    now = replace(stage.overfitting(), settings=SETTINGS)
    steps = np.arange(1, 1241)
    earlier = stage.series(stage.TRAIN_LOSS, steps, stage.falling(1240))
    earlier = replace(earlier, wall_times=earlier.wall_times - 9000)
    before = replace(
        stage.without_eval(),
        name="first",
        path=now.path.parent / "first",
        series=(earlier,),
        settings={**SETTINGS, "learning_rate": "0.0001", "output_dir": "out/y"},
    )
    return now, before


def test_the_run_before_is_the_last_of_the_same_directory_that_began_earlier() -> None:
    now, before = runs()
    older = replace(before, path=before.path.with_name("older"), series=(
        replace(before.series[0], wall_times=before.series[0].wall_times - 9000),
    ))  # fmt: skip
    elsewhere = replace(before, path=Path("/elsewhere/first"))
    assert previous_run((older, now, before, elsewhere), now) is before
    assert previous_run((now, elsewhere), now) is None


def app_of(*known: RunSnapshot) -> LossmonApp:
    return stage.app(stage.snapshot(*known))


@pytest.mark.usefixtures("unpainted")
async def test_the_view_shows_what_changed_and_all_settings() -> None:
    app = app_of(*runs())
    async with app.run_test(size=(80, 24)) as pilot:
        app.runs.choose(0)
        await pilot.press("h")
        await pilot.pause()
        assert isinstance(app.screen, ConfigurationScreen)
        shown = text(app)
        assert "changed since first" in shown
        assert "0.0001 → 2e-05" in shown
        assert "out/[red]x" in shown
        for size in SIZES:
            assert await wrong_at(pilot, app, size) == []
        await pilot.press("h")
        assert isinstance(app.screen, Dashboard)


async def test_what_is_typed_filters_names_and_values() -> None:
    app = app_of(runs()[0])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("h", "slash", *"cos")
        await pilot.pause()
        assert "lr_scheduler_type" in text(app)
        assert "model.layers" not in text(app)
        await pilot.press("enter", "escape")
        await pilot.pause()
        assert "model.layers" in text(app)
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)


async def test_the_wide_dashboard_shows_what_matters() -> None:
    app = app_of(runs()[0])
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "8 × 4" in text(app)
