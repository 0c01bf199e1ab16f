"""The log pane follows a log that grows faster than the screen is drawn."""

from __future__ import annotations

from pathlib import Path

from textual.app import App, ComposeResult

from lossmon.types import RunSnapshot, Snapshot
from lossmon.ui.scene import Scene
from lossmon.ui.widgets.log import LogTail


class Stage(App[None]):
    """A log pane alone, as high as its log but at most three lines."""

    CSS = "LogTail { height: auto; max-height: 3; }"

    def compose(self) -> ComposeResult:
        yield LogTail()


def scene(*lines: str) -> Scene:
    run = RunSnapshot("run", Path("run"), log=lines)
    return Scene(Snapshot(runs=(run,)))


async def test_a_log_that_is_longer_at_every_look_shows_its_newest_lines() -> None:
    async with Stage().run_test(size=(20, 6)) as pilot:
        tail = pilot.app.query_one(LogTail)
        for length in range(1, 9):
            tail.show(scene(*(f"line {number}" for number in range(length))))
            await pilot.pause()
        assert [tail.render_line(y).text.strip() for y in range(3)] == [
            "line 5",
            "line 6",
            "line 7",
        ]
