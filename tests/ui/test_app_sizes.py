"""The screen at every size: nothing overflows, nothing is cut, the losses stay."""

from __future__ import annotations

import pytest

from lossmon.ui.scene import ScreenConfig
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.terminal import Terminal
from tests.ui import stage
from tests.ui.screen import SIZES, TINY, faults, rows, text, wrong, wrong_at

ODD_SIZES = ((20, 6), (25, 9), (39, 13), (59, 19), (60, 8), (79, 23), (100, 30), (109, 37),
             (110, 20), (110, 14), (149, 45), (150, 12), (240, 20), (300, 100))  # fmt: skip


@pytest.mark.parametrize("at, name", enumerate(stage.SCENES), ids=str)
async def test_the_first_frame_is_whole(at: int, name: str) -> None:
    """Before the first layout the screen has the classes of its size from elsewhere."""
    app = stage.app(stage.SCENES[name]())
    async with app.run_test(size=SIZES[at % len(SIZES)]) as pilot:
        await pilot.pause()
        assert wrong(app) == []


@pytest.mark.usefixtures("unpainted")
async def test_odd_sizes_are_sizes_too() -> None:
    app = stage.app(stage.SCENES["eight-gpus"]())
    async with app.run_test(size=(80, 24)) as pilot:
        for size in ODD_SIZES:
            assert await wrong_at(pilot, app, size) == []
            assert isinstance(app.screen, Dashboard)
            assert app.screen.losses.size.height >= 3, size
            assert "OVERFITTING" in "\n".join(rows(app)), size


@pytest.mark.usefixtures("unpainted")
@pytest.mark.parametrize("first, key", enumerate(["d", "l", "r", "c", "u", "question_mark"]))
async def test_a_view_scrolls_at_every_size(first: int, key: str) -> None:
    """Each view at every second size, and the next view at those between them."""
    app = stage.app(stage.several() if key != "u" else stage.snapshot(stage.answered()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        for size in (TINY, *SIZES)[first % 2 :: 2]:
            assert await wrong_at(pilot, app, size) == []
            await pilot.press(*["pagedown"] * 3, "end", "home", "down", "up")
            assert faults(app) == [], size


@pytest.mark.usefixtures("unpainted")
async def test_the_terminal_may_change_its_size_at_any_time() -> None:
    app = stage.app(stage.SCENES["overfitting"]())
    async with app.run_test(size=(80, 24)) as pilot:
        # Every width with a low and a high one, every height with a narrow and a wide one.
        for size in (
            (20, 50),
            (120, 6),
            (60, 30),
            (200, 14),
            (20, 6),
            (120, 50),
            (60, 14),
            (200, 30),
        ):
            assert await wrong_at(pilot, app, size) == []


async def test_the_losses_keep_most_of_a_normal_terminal() -> None:
    app = stage.app(stage.SCENES["overfitting"]())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)
        assert app.screen.losses.size.height >= 10


@pytest.mark.usefixtures("unpainted")
@pytest.mark.parametrize("first, name", enumerate(["overfitting", "several", "waiting", "outputs"]))
async def test_a_terminal_of_ascii_gets_ascii(first: int, name: str) -> None:
    app = stage.app(stage.SCENES[name](), terminal=Terminal(colors=16, unicode=False))
    async with app.run_test(size=SIZES[first]) as pilot:
        for at, key in enumerate(("", "d", "l", "r", "u", "question_mark")):
            await pilot.press(*filter(None, [key]))
            await pilot.resize_terminal(*SIZES[(first + at) % len(SIZES)])
            assert all(row.isascii() for row in rows(app)), rows(app)
            if key:
                await pilot.press("escape")


async def test_a_terminal_of_ascii_gets_english() -> None:
    config = ScreenConfig(language="zh", ascii=True)
    app = stage.app(stage.SCENES["overfitting"](), config=config)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "OVERFITTING" in text(app)
        assert "???" not in text(app)
