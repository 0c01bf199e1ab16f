"""However the screen is asked to end, it ends in order."""

from __future__ import annotations

import asyncio
import os
import signal
from functools import partial
from typing import Any, cast

import pytest

from lossmon.ui.ending import ENDING, run_until_asked
from tests.ui import stage


@pytest.mark.parametrize("number", ENDING)
async def test_a_signal_ends_the_screen_and_is_told_by_the_status(number: signal.Signals) -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    cast(Any, app).run_async = partial(app.run_async, headless=True)
    shown = asyncio.create_task(run_until_asked(app))
    async with asyncio.timeout(30):
        while not app.is_running:
            await asyncio.sleep(0.01)
        os.kill(os.getpid(), number)
        assert await shown == 128 + number
    assert signal.getsignal(number) is signal.SIG_DFL


@pytest.mark.parametrize("before", [(), ("d",), ("l", "slash", "a")], ids=" ".join)
async def test_ctrl_c_quits_from_everywhere(before: tuple[str, ...]) -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test() as pilot:
        await pilot.press(*before, "ctrl+c")
        assert app.return_code == 0
