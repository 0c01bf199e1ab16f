from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region

from lossmon.ui.chart.model import ChartModel, ChartOptions, Curve
from lossmon.ui.widgets.charts.chart import Chart

STEPS = np.arange(1, 2001)
VALUES = 0.5 + 2 * np.exp(-STEPS / 600) + np.random.default_rng(0).normal(0, 0.1, len(STEPS))


class Spy(Chart):
    """A chart that tells what it repaints."""

    def __init__(self) -> None:
        super().__init__()
        self.painted: list[tuple[Region, ...]] = []

    def refresh(self, *regions: Region, **kwargs: bool) -> Spy:
        if hasattr(self, "painted") and not kwargs.get("layout"):
            self.painted.append(regions)
        super().refresh(*regions, **kwargs)
        return self


class Stage(App[None]):
    """A chart alone."""

    def __init__(self) -> None:
        super().__init__()
        self.chart = Spy()

    def compose(self) -> ComposeResult:
        yield self.chart


def model(n: int) -> ChartModel:
    return ChartModel((Curve("train", STEPS[:n], VALUES[:n]),))


def on_screen(app: Stage) -> str:
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips)


async def test_a_model_given_before_the_first_paint_is_drawn_with_it() -> None:
    app = Stage()
    app.chart.show(model(1000), ChartOptions())
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.pause()
        assert app.chart.picture is not None
        assert on_screen(app) == app.chart.picture.text


async def test_only_changed_cells_are_painted_again() -> None:
    app = Stage()
    async with app.run_test(size=(80, 20)) as pilot:
        app.chart.show(model(1005), ChartOptions())
        await pilot.pause()
        app.chart.painted.clear()
        for n in range(1006, 1050):
            app.chart.show(model(n))
            await pilot.pause()
            assert app.chart.picture is not None
            assert on_screen(app) == app.chart.picture.text
        regions = [region for painted in app.chart.painted for region in painted]
        assert regions and all(painted for painted in app.chart.painted)
        assert sum(region.area for region in regions) < 300
        assert all(region.height == 1 and region.x >= 55 for region in regions)


async def test_what_was_shown_already_costs_nothing() -> None:
    app = Stage()
    async with app.run_test(size=(80, 20)) as pilot:
        same = model(1000)
        app.chart.show(same, ChartOptions())
        await pilot.pause()
        app.chart.painted.clear()
        app.chart.show(same, ChartOptions())
        app.chart.show(ChartModel(same.curves), ChartOptions())
        assert app.chart.painted == []


async def test_another_size_draws_the_chart_anew() -> None:
    app = Stage()
    async with app.run_test(size=(80, 20)) as pilot:
        app.chart.show(model(1000), ChartOptions())
        await pilot.pause()
        await pilot.resize_terminal(50, 12)
        await pilot.pause()
        assert app.chart.picture is not None
        assert (app.chart.picture.width, app.chart.picture.height) == (50, 12)
        assert on_screen(app) == app.chart.picture.text


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (10, 3), (40, 8), (200, 50)])
async def test_it_fills_every_size(size: tuple[int, int]) -> None:
    app = Stage()
    app.chart.show(model(500), ChartOptions(marker="ascii"))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        lines = on_screen(app).splitlines()
        assert len(lines) == size[1] and all(len(line) == size[0] for line in lines)


def test_drawing_needs_neither_plotext_nor_the_rest_of_the_screen() -> None:
    code = "import sys, lossmon.ui.chart.painter; print({'plotext', 'textual'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
