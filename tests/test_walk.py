"""Every view in a real pseudo-terminal: whole frames, a title, a way out, and nothing left behind.

`make walk` does the same in tmux at every size and in every kind of terminal, on growing runs.
"""

from __future__ import annotations

import shutil
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.frames import faults
from benchmarks.terminal import Emulated, has_text, started
from lossmon.locale import translate
from lossmon.ui.views import VIEWS
from tests import paths

DATA = paths.DATA
RUNS = {"sft": "llamafactory/sft", "训练-一号": "hf_trainer/v5/overfit", "nan": "lightning/nan"}
SENDS = {"ctrl+p": "\x10", "question_mark": "?"}
"""What keys with a name send."""

TITLES = {
    "\r": "train",
    **{
        SENDS.get(key := view.key.split(",")[0], key): view.title
        for view in VIEWS
        if view.key and view.id not in ("view.runs", "view.labels")
    },
}
"""What a key sends, and the title of the view that it opens."""

ESCAPE = "\x1b"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for name, source in RUNS.items():
        shutil.copytree(DATA / source, tmp_path / "runs" / name)
    return tmp_path / "runs"


@pytest.fixture
def terminal(runs: Path, request: pytest.FixtureRequest) -> Iterator[Emulated]:
    size, language = request.param
    command = [sys.executable, "-m", "lossmon", "--no-hardware", "--lang", language, str(runs)]
    home = {"XDG_CONFIG_HOME": str(runs.parent), "LC_ALL": "C.UTF-8"}
    terminal = started(command, size, home)
    try:
        deadline = time.monotonic() + 20
        waited = has_text(translate("runs", language))
        while not waited(terminal.screen.display) and time.monotonic() < deadline:
            terminal.pump(0.05)
        yield terminal
    finally:
        terminal.end()


def edges(rows: list[str]) -> list[str]:
    """What a run view shows that does not grow older by itself."""
    return [row for row in rows if row[0] in "╭╰"]


def whole(terminal: Emulated, rows: list[str]) -> None:
    size = (terminal.screen.columns, terminal.screen.lines)
    assert faults(rows, size) == [], "\n".join(rows)


@pytest.mark.parametrize(
    "terminal, language",
    [
        pytest.param(((80, 24), "en"), "en", id="80x24"),
        pytest.param(((40, 15), "zh"), "zh", id="40x15 in Chinese"),
    ],
    indirect=["terminal"],
)
def test_every_view_is_whole_and_can_be_left(terminal: Emulated, language: str) -> None:
    fleet = terminal.settle()
    whole(terminal, fleet)
    run = terminal.settle("\r")
    whole(terminal, run)
    for key, title in TITLES.items():
        rows = terminal.settle(key)
        whole(terminal, rows)
        assert translate(title, language) in rows[0], "\n".join(rows)
        assert any(row[0] in "╰├" and " esc " in row for row in rows), "\n".join(rows)
        assert edges(terminal.settle(ESCAPE)) == edges(run)


@pytest.mark.parametrize("terminal", [((80, 24), "en")], ids=["80x24"], indirect=True)
def test_the_size_may_change_in_any_view_and_q_leaves_nothing_behind(terminal: Emulated) -> None:
    for key in ("", "\r", "\r"):
        terminal.settle(key)
        for size in ((10, 3), (200, 50), (40, 15), (120, 40)):
            terminal.resize(size)
            rows = terminal.settle()
            if size[0] >= 40:
                whole(terminal, rows)
    terminal.settle("q")
    # What is drawn last may be drawn well before the process is gone, on a busy machine.
    deadline = time.monotonic() + 20
    while terminal.status is None and time.monotonic() < deadline:
        terminal.pump(0.05)
    assert terminal.status == 0
    assert not terminal.screen.cursor.hidden
    local = termios.tcgetattr(terminal.fd)[3]
    assert local & termios.ICANON
    assert local & termios.ECHO
