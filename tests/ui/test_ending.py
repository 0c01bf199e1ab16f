"""However the screen is asked to end, it ends in order."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
from functools import partial
from typing import Any, cast

import pytest
from textual.containers import Vertical

from lossmon.ending import ENDING
from lossmon.ui import app as app_module
from lossmon.ui.follower import SnapshotReady
from lossmon.ui.hand_over import LastingOutput
from lossmon.ui.launch import run_until_asked
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.terminal import is_hung_up
from tests.ui import stage


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, ENDING[-1]])
async def test_a_signal_ends_the_screen_and_is_told_by_the_status(number: int) -> None:
    before = signal.getsignal(number)
    app = stage.app(stage.snapshot(stage.healthy()))
    cast(Any, app).run_async = partial(app.run_async, headless=True)
    shown = asyncio.create_task(run_until_asked(app))
    async with asyncio.timeout(30):
        while not app.is_running:
            await asyncio.sleep(0.01)
        os.kill(os.getpid(), number)
        assert await shown == 128 + number
    assert signal.getsignal(number) == before


@pytest.mark.faulty
async def test_an_unexpected_error_of_the_screen_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # No panel is at fault, and there is no view below.
    monkeypatch.setattr(Vertical, "render_lines", lambda container, crop: 1 / 0)
    app = stage.app(stage.snapshot(stage.healthy()))
    cast(Any, app).run_async = partial(app.run_async, headless=True)
    assert await run_until_asked(app) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith("lossmon: internal error: ZeroDivisionError: division by zero (")
    assert said.endswith("`lossmon doctor` says more")


async def test_a_screen_ends_with_its_terminal_though_no_signal_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    master, terminal = os.openpty()
    app = stage.app(stage.snapshot(stage.healthy()))
    try:
        async with app.run_test() as pilot:
            monkeypatch.setattr(type(app), "is_headless", False)
            monkeypatch.setattr(app_module, "is_hung_up", lambda _: is_hung_up(terminal))
            app.tick()
            await pilot.pause()
            assert app.is_running and app.return_code is None
            os.close(master)
            app.tick()
            assert app.return_code == 128 + signal.SIGHUP
    finally:
        os.close(terminal)


def test_what_is_written_to_a_closed_terminal_is_dropped() -> None:
    master, terminal = os.openpty()
    with os.fdopen(terminal, "w") as file:
        output = LastingOutput(file)
        assert output.isatty()
        output.write("seen")
        output.flush()
        assert os.read(master, 10) == b"seen"
        os.close(master)
        output.write("lost")
        output.flush()
        with open(os.devnull, "w") as nowhere:
            # The file is written out as it closes.
            os.dup2(nowhere.fileno(), terminal)


async def test_reading_ends_also_where_the_terminal_was_lost() -> None:
    async def lost() -> None:
        raise BrokenPipeError

    app = stage.app(stage.snapshot(stage.healthy()))
    cast(Any, app).run_async = lost
    reading = threading.Thread(target=app.follower.run)
    reading.start()
    with pytest.raises(BrokenPipeError):
        await run_until_asked(app)
    reading.join(30)
    assert not reading.is_alive()


@pytest.mark.parametrize("before", [(), ("d",), ("l", "slash", "a")], ids=" ".join)
async def test_ctrl_c_quits_from_everywhere(before: tuple[str, ...]) -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test() as pilot:
        await pilot.press(*before, "ctrl+c")
        assert app.return_code == 0


@pytest.mark.parametrize("seed", range(3))
async def test_no_key_at_no_time_and_size_is_too_much(seed: int) -> None:
    dice = random.Random(seed)
    scenes = [make() for make in stage.SCENES.values()]
    app = stage.app(scenes[seed], config=ScreenConfig(language=dice.choice(["en", "zh"])))
    bindings = [one for group in app.key_groups.values() for one in group]
    keys = [key for one in bindings for key in one.key.split(",") if key != "q"]
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(40):
            luck = dice.random()
            if luck < 0.1:
                await pilot.resize_terminal(dice.randint(1, 200), dice.randint(1, 50))
            elif luck < 0.2:
                app.post_message(SnapshotReady(dice.choice(scenes)))
            else:
                await pilot.press(dice.choice([*keys, "ctrl+p", "s", "left", "f5"]))
        await pilot.press("escape", "escape", "q")
        assert app.return_code == 0


async def test_what_is_frozen_stays_as_it_was() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test() as pilot:
        await pilot.press("space")
        held = app.snapshot
        app.post_message(SnapshotReady(stage.snapshot(stage.non_finite())))
        await pilot.pause()
        assert app.snapshot is held
        app.post_message(SnapshotReady(held))
        await pilot.press("space")
        assert not app.follower.paused
