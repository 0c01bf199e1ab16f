"""The views of histograms, PR curves and images, over a real event file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from textual import events
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Offset

from lossmon.monitor import LocalSource
from lossmon.types import Histogram, LoggedImage, Snapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.follower import SnapshotReady
from lossmon.ui.media.kitty import PLACEHOLDER
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.screens.media.base import MediaScreen
from lossmon.ui.screens.media.curves import PrCurvesScreen
from lossmon.ui.screens.media.histograms import HistogramsScreen
from lossmon.ui.screens.media.images import ImagesScreen
from lossmon.ui.screens.metrics import MetricsScreen
from lossmon.ui.terminal import Terminal
from lossmon.ui.widgets.media.heat_map import HeatMap
from tests.readers.tensorboard.event_files import histogram, image, recorded, scalar, tensor
from tests.ui import stage
from tests.ui.media.test_picture import png
from tests.ui.screen import SIZES, text, until, wrong_at

LAYERS = [f"gradients/layer.{layer}.weight" for layer in range(12)]


def curve(step: int) -> np.ndarray:
    rows = np.zeros((6, 11), np.float32)
    rows[5] = np.linspace(1, 0, 11)
    rows[4] = np.linspace(0.5 + step / 1000, 1, 11)
    return rows


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.out.tfevents.1.host"
    events = [scalar("train/loss", step, 1.0) for step in range(0, 400, 50)]
    for step in (0, 100, 300):
        events += [histogram(tag, step) for tag in (*LAYERS, "act[red]")]
        events += [tensor("pr", step, "pr_curves", curve(step)), image("img", step, png(8, 6))]
    events += [image("broken", 300, b"not an image")]
    path.write_bytes(recorded(*events))
    return path


@pytest.fixture
def source(log: Path) -> LocalSource:
    return LocalSource([log.parent], hardware=False, clock=lambda: stage.NOW)


def turn(screen: MediaScreen, place: Offset, way: int) -> None:
    """Turn the wheel down (1) or up (-1) over a cell of the screen."""
    screen.wheel(events.MouseScrollDown(screen, *place, 0, way, 0, False, False, False), way)


def app_of(source: LocalSource, **options: object) -> LossmonApp:
    return stage.app(source.drain(), **options)  # type: ignore[arg-type]


async def test_the_metrics_view_lists_them_and_opens_a_histogram(source: LocalSource) -> None:
    app = app_of(source)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m")
        await pilot.pause()
        assert isinstance(app.screen, MetricsScreen)
        names = [one.name for one in app.screen.shown]
        assert names[1:] == ["act[red]", "gradients/layer.*.weight", "pr", "broken", "img"]
        assert "×12" in text(app)
        await pilot.press("end", "space", "slash", *"grad", "enter", "end", "enter")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, HistogramsScreen)
        assert screen.series is not None
        assert screen.series.name == LAYERS[0]
        await until(pilot, lambda: isinstance(screen.content, Histogram))
        assert "median" in text(app)
        assert "step 300" in text(app)
        await pilot.press("escape")
        assert isinstance(app.screen, MetricsScreen)


async def test_keys_choose_tags_and_steps_and_what_is_typed_filters(source: LocalSource) -> None:
    app = app_of(source)
    async with app.run_test(size=(80, 24)) as pilot:
        app.action_view("view.histograms")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, HistogramsScreen)
        assert [one.name for one in screen.shown] == ["act[red]", *LAYERS]
        await until(pilot, lambda: len(screen.contents) == 3)
        await pilot.press("down", "pagedown", "up", "left")
        await pilot.pause()
        assert (screen.chosen, screen.step) == (10, 100)
        await until(pilot, lambda: isinstance(screen.content, Histogram))
        assert "▲" in text(app)
        await pilot.press("home", "left")
        assert screen.step == 0
        await pilot.press("right", "right", "right")
        assert screen.step is None
        heat_map = screen.query_one(HeatMap)
        steps = heat_map.render_line(heat_map.content_size.height - 1).text.split()
        assert steps[0] == "0"
        dense = heat_map.render_line(3)
        await pilot.press("v")
        assert heat_map.render_line(3) != dense
        assert "bands 7–93" in text(app)
        await pilot.press("v")
        assert heat_map.render_line(3) == dense
        over = heat_map.content_region.offset
        for way, step in ((-1, 100), (-1, 0), (1, 100)):
            turn(screen, over, way)
            assert screen.step == step
        turn(screen, screen.list.content_region.offset, -1)
        assert screen.chosen == 9
        await pilot.press("slash", *"layer.7", "enter")
        await pilot.pause()
        assert [one.name for one in screen.shown] == [LAYERS[7]]
        await pilot.press("slash", *"(", "enter", "escape", "slash", *"zz", "enter")
        await pilot.pause()
        assert "nothing matches the filter" in text(app)
        await pilot.press("escape")
        assert len(screen.shown) == 13


async def test_a_view_follows_its_run(source: LocalSource, log: Path) -> None:
    app = app_of(source)
    async with app.run_test(size=(80, 24)) as pilot:
        app.action_view("view.histograms")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, HistogramsScreen)
        await until(pilot, lambda: len(screen.contents) == 3)
        with log.open("ab") as file:
            file.write(recorded(histogram("act[red]", 350)))
        app.post_message(SnapshotReady(source.drain()))
        await until(pilot, lambda: len(screen.contents) == 4)
        assert "step 350" in text(app)


async def test_the_palette_opens_a_pr_curve_and_images(source: LocalSource) -> None:
    app = app_of(source)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+p", *"open pr_curve", "enter")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, PrCurvesScreen)
        await until(pilot, lambda: len(screen.contents) == 3)
        assert "average precision 0." in text(app)
        await pilot.click(screen.area, offset=(screen.area.size.width // 3, 3))
        assert screen.step == 100
        await pilot.press("escape", "ctrl+p", *"open image img", "enter")
        await pilot.pause()
        images = app.screen
        assert isinstance(images, ImagesScreen)
        await until(pilot, lambda: images.picture is not None)
        assert "8×6" in text(app)
        assert "events.out.tfevents" in text(app)
        assert "▀" in text(app)
        await pilot.press("up")
        await until(pilot, lambda: isinstance(images.content, LoggedImage))
        await until(pilot, lambda: "cannot be decoded" in text(app))


@pytest.mark.parametrize("view", ["view.histograms", "view.roc_curves", "view.images"])
async def test_a_view_fits_every_size_and_says_what_is_missing(
    source: LocalSource, view: str
) -> None:
    config = ScreenConfig(language="zh")
    app = app_of(source, config=config, terminal=Terminal(colors=0, unicode=False))
    async with app.run_test(size=SIZES[0]) as pilot:
        app.action_view(view)
        await pilot.pause()
        found = [fault for size in SIZES for fault in await wrong_at(pilot, app, size)]
        app.post_message(SnapshotReady(Snapshot()))
        await pilot.pause()
        assert not found + await wrong_at(pilot, app, SIZES[0])


async def test_the_metrics_view_draws_the_newest_of_each(source: LocalSource) -> None:
    app = app_of(source)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m")
        await until(pilot, lambda: "▀" in text(app) and "█" in text(app))
        shown = text(app)
        assert "histogram  min −0.500  max 2.00" in shown
        assert "average precision 0." in shown
        assert "cannot be decoded" in shown
        await pilot.press("slash", *"loss")
        await pilot.pause()
        assert "▀" not in text(app)
        await pilot.press("escape")
        await until(pilot, lambda: "▀" in text(app))
        await pilot.resize_terminal(200, 50)
        await until(pilot, lambda: "▀" * 3 in text(app))


async def test_a_run_without_scalars_begins_with_its_media_and_says_what_it_has(
    tmp_path: Path,
) -> None:
    events = [histogram(LAYERS[0], step) for step in (0, 100)]
    events += [image("img", 100, png(8, 6))]
    (tmp_path / "events.out.tfevents.1.host").write_bytes(recorded(*events))
    source = LocalSource([tmp_path], hardware=False, clock=lambda: stage.NOW)
    config = ScreenConfig(initial=source.drain(), fleet_first=True)
    app = LossmonApp(source, config, clock=lambda: stage.NOW, terminal=Terminal())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, MetricsScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert "no scalars so far" in text(app) and "1 histogram, 1 image" in text(app)


async def test_kitty_draws_the_image_and_is_freed_of_it(
    source: LocalSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(HeadlessDriver, "write", lambda _, text: sent.append(text))

    def kept() -> set[str]:
        """Ids of the images that the terminal still has."""
        found = re.findall(r"\x1b_Ga=([Td]),.*?i=(\d+)", "".join(sent))
        return {one for action, one in found if action == "T"} - {
            one for action, one in found if action == "d"
        }

    app = app_of(source, terminal=Terminal(kitty=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p", *"open image img", "enter")
        await until(pilot, lambda: PLACEHOLDER in text(app) and len(kept()) == 1)
        first = kept()
        await pilot.press("left")
        await until(pilot, lambda: len(kept() - first) == len(kept()) == 1)
        await pilot.press("escape")
        await until(pilot, lambda: not kept())
        await pilot.press("ctrl+p", *"open image img", "enter")
        await until(pilot, lambda: PLACEHOLDER in text(app))
        assert kept()
        app.exit()
        assert not kept()
