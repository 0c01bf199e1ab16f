"""The screen at every size: nothing overflows, nothing is cut, the losses stay."""

from __future__ import annotations

from itertools import product

import pytest
from rich.cells import cell_len
from textual.widget import Widget

from lossmon.ui.app import LossmonApp
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.terminal import Terminal
from tests.ui import stage

SIZES = ((40, 15), (80, 24), (120, 40), (200, 50))
ODD_SIZES = ((20, 6), (25, 9), (39, 13), (59, 19), (60, 8), (79, 23), (100, 30), (109, 37),
             (110, 20), (110, 14), (169, 45), (170, 12), (240, 20), (300, 100))  # fmt: skip


def rows(app: LossmonApp) -> list[str]:
    """What stands on the terminal, line by line."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


def faults(app: LossmonApp) -> list[str]:
    """Widgets that stick out of the one around them, or that have no room at all."""
    found = []
    for widget in app.screen.query("*").results(Widget):
        if not _is_visible(widget):
            continue
        region, around = widget.region, _parent(widget).region
        if not around.contains_region(region):
            found.append(f"{widget} {region} sticks out of {around}")
        if not region.width or not region.height:
            found.append(f"{widget} has no room: {region}")
    return found


def _parent(widget: Widget) -> Widget:
    parent = widget.parent
    assert isinstance(parent, Widget)
    return parent


def _is_visible(widget: Widget) -> bool:
    return all(node.display for node in (widget, *widget.ancestors) if isinstance(node, Widget))


@pytest.mark.parametrize("name", stage.SCENES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_nothing_sticks_out(name: str, size: tuple[int, int]) -> None:
    app = stage.app(stage.SCENES[name]())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert faults(app) == []
        assert all(cell_len(row) == size[0] for row in rows(app))


@pytest.mark.parametrize("size", ODD_SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_odd_sizes_are_sizes_too(size: tuple[int, int]) -> None:
    app = stage.app(stage.SCENES["eight-gpus"]())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert faults(app) == []
        dashboard = app.screen
        assert isinstance(dashboard, Dashboard)
        assert dashboard.losses.size.height >= 3
        assert "OVERFITTING" in "\n".join(rows(app))


@pytest.mark.parametrize("key", ["d", "l", "r", "c", "u", "question_mark"])
@pytest.mark.parametrize("size", [(20, 6), *SIZES], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_every_view_fits_every_size(key: str, size: tuple[int, int]) -> None:
    snapshot = stage.several() if key != "u" else stage.snapshot(stage.answered())
    app = stage.app(snapshot)
    async with app.run_test(size=size) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert faults(app) == []
        for _ in range(3):
            await pilot.press("pagedown")
        await pilot.press("end", "home", "down", "up")
        assert faults(app) == []


async def test_the_terminal_may_change_its_size_at_any_time() -> None:
    app = stage.app(stage.SCENES["overfitting"]())
    async with app.run_test(size=(80, 24)) as pilot:
        for width, height in product((20, 60, 120, 200), (6, 14, 30, 50)):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            assert faults(app) == [], (width, height)


async def test_the_losses_keep_most_of_a_normal_terminal() -> None:
    app = stage.app(stage.SCENES["overfitting"]())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)
        assert app.screen.losses.size.height >= 10


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", ["overfitting", "several", "waiting", "outputs"])
async def test_a_terminal_of_ascii_gets_ascii(name: str, size: tuple[int, int]) -> None:
    app = stage.app(stage.SCENES[name](), terminal=Terminal(colors=16, unicode=False))
    async with app.run_test(size=size) as pilot:
        for key in ("", "d", "l", "r", "u", "question_mark"):
            if key:
                await pilot.press(key)
            await pilot.pause()
            assert all(row.isascii() for row in rows(app)), rows(app)
            if key:
                await pilot.press("escape")
