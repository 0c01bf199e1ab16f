"""What is shown is written into files."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from lossmon.types import Snapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.export import ExportScreen
from tests.ui import stage
from tests.ui.screen import rows


def page(app: LossmonApp) -> ExportScreen:
    assert isinstance(app.screen, ExportScreen)
    return app.screen


async def end_of_writing(app: LossmonApp, pilot: Pilot[None]) -> None:
    """Wait until the page says how it ended."""
    while not page(app).said:
        await pilot.pause(0.02)
    await pilot.pause()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_enter_writes_page_points_and_picture(here: Path) -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("w", "enter")
        await end_of_writing(app, pilot)
        assert "✓" in "\n".join(rows(app))
    found = {path.suffix: path for path in here.iterdir()}
    assert set(found) == {".html", ".csv", ".svg"}
    assert "OVERFITTING" in found[".html"].read_text()
    assert "@font-face" not in found[".svg"].read_text()
    with found[".csv"].open(newline="") as file:
        points = list(csv.DictReader(file))
    assert len(points) == sum(one.n for one in stage.overfitting().series)


async def test_the_picture_is_of_the_screen_below(here: Path) -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("d", "w", "down", "down", "up", "space", "up", "space", "enter")
        await end_of_writing(app, pilot)
    written = list(here.iterdir())
    assert [path.suffix for path in written] == [".svg"]
    assert "diagnosis" in written[0].read_text()


async def test_the_newest_part_in_view_is_all_that_is_written(here: Path) -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("g", "w", "enter")
        await end_of_writing(app, pilot)
    path = next(here.glob("*.csv"))
    with path.open(newline="") as file:
        steps = [int(row["step"]) for row in csv.DictReader(file)]
    assert max(steps) == 1240
    assert 900 < min(steps) < 1000


async def test_another_directory_is_typed_and_made(here: Path) -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("w", "e", "ctrl+u", *"sub", "slash", *"q", "enter", "enter")
        await end_of_writing(app, pilot)
    assert len(list((here / "sub" / "q").iterdir())) == 3


async def test_a_directory_that_cannot_be_is_told_and_nothing_is_lost(here: Path) -> None:
    (here / "file").write_text("kept")
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("w", "e", "ctrl+u", *"file", "enter", "enter")
        await end_of_writing(app, pilot)
        assert "✖" in "\n".join(rows(app))
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)
    assert (here / "file").read_text() == "kept"


async def test_nothing_chosen_writes_nothing(here: Path) -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("w", "space", "down", "space", "down", "space", "enter")
        await pilot.pause()
        assert page(app).share is None
    assert list(here.iterdir()) == []


async def test_escape_ends_a_long_writing_and_leaves_no_half_file(here: Path) -> None:
    n = 3_000_000
    run = stage.healthy()
    long = stage.series(stage.TRAIN_LOSS, np.arange(1, n + 1), np.ones(n))
    run = replace(run, series=(long,), train=0, eval=None)
    app = stage.app(stage.snapshot(run))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("w", "space", "down", "down", "space", "enter")
        await pilot.pause(0.3)
        assert "█" in "\n".join(rows(app)) or "░" in "\n".join(rows(app))
        await pilot.press("escape")
        await end_of_writing(app, pilot)
        assert isinstance(app.screen, ExportScreen)
        assert "cancelled" in "\n".join(rows(app))
    assert list(here.iterdir()) == []


async def test_without_a_run_there_is_nothing_to_write() -> None:
    app = stage.app(Snapshot())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("w")
        assert isinstance(app.screen, Dashboard)


async def test_a_click_chooses_what_is_written() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(40, 15)) as pilot:
        await pilot.press("w")
        await pilot.click(page(app).body, offset=(6, 1))
        assert page(app).wanted == {"html", "svg"}


@pytest.mark.parametrize(
    "columns, hint", [(40, "enter write  space choose  e path"), (24, "enter write")]
)
async def test_the_hints_are_whole_or_not_there(columns: int, hint: str) -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(columns, 15)) as pilot:
        await pilot.press("w")
        await pilot.pause()
        assert f"  {hint} " in "\n".join(rows(app))
