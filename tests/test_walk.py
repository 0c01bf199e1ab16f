"""Every view in a real pseudo-terminal: whole frames, a title, a way out, and nothing left behind.

`make walk` does the same in tmux at every size and in every kind of terminal, on growing runs.
"""

from __future__ import annotations

import os
import shutil
import termios
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.frames import faults
from benchmarks.terminal import Emulated, has_curve, has_text
from lossmon.locale import translate
from lossmon.ui.views import VIEWS
from tests import paths
from tests.terminals import Shows, lossmon, patience, quiet, wait

DATA = paths.DATA
RUNS = {"sft": "llamafactory/sft", "训练-一号": "hf_trainer/v5/overfit", "nan": "lightning/nan"}
SENDS = {"ctrl+p": "\x10", "question_mark": "?"}
"""What keys with a name send."""

TITLES = {
    "\r": "train",
    **{
        SENDS.get(key := view.key.split(",")[0], key): view.title
        for view in VIEWS
        if view.key and view.id not in ("view.runs", "view.labels", "view.hardware")
    },
}
"""What a key sends, and the title of the view that it opens, whatever the run has."""

ESCAPE = b"\x1b"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for name, source in RUNS.items():
        shutil.copytree(DATA / source, tmp_path / "runs" / name)
    return tmp_path / "runs"


@pytest.fixture
def terminal(runs: Path, request: pytest.FixtureRequest) -> Iterator[Emulated]:
    size, language = request.param
    # With a size in its environment the program would not follow the terminal.
    env = {"XDG_CONFIG_HOME": str(runs.parent), "COLUMNS": "", "LINES": ""}
    with lossmon("--lang", language, str(runs), size=size, **env) as terminal:
        yield terminal


def fits(terminal: Emulated) -> Shows:
    """Whether a screen is whole at the size of a terminal."""
    size = (terminal.screen.columns, terminal.screen.lines)
    return lambda rows: faults(rows, size) == []


def is_fleet(rows: Sequence[str]) -> bool:
    """Whether the screen shows all runs, each of them read and judged."""
    text = "\n".join(rows)
    return rows[0][0] == "╭" and all(one in text for one in ("✖", "95", "▲", "240", "✓", "200"))


def is_run(rows: Sequence[str]) -> bool:
    """Whether the screen shows a run, down to the last line."""
    return rows[0][0] != "╭" and has_curve(rows) and rows[-1][0] == " "


def edges(rows: Sequence[str]) -> list[str]:
    """What a run view shows that does not grow older by itself."""
    return [row for row in rows if row[0] in "╭╰"]


@pytest.mark.parametrize(
    "terminal, language",
    [
        pytest.param(((80, 24), "en"), "en", id="80x24"),
        pytest.param(((40, 15), "zh"), "zh", id="40x15 in Chinese"),
    ],
    indirect=["terminal"],
)
def test_every_view_is_whole_and_can_be_left(terminal: Emulated, language: str) -> None:
    def has_title(title: str) -> Shows:
        return lambda rows: translate(title, language) in rows[0]

    def says_how_to_leave(rows: Sequence[str]) -> bool:
        return any(row[0] in "╰├ " and " esc " in row for row in rows)

    def is_view(rows: Sequence[str]) -> bool:
        return edges(rows) != edges(run)

    whole, is_tall = fits(terminal), terminal.screen.lines >= 24
    wait(terminal, is_fleet, whole)
    os.write(terminal.fd, b"\r")
    wait(terminal, is_run, whole)
    run = terminal.settle(quiet=4 * quiet())
    for key, title in TITLES.items():
        os.write(terminal.fd, key.encode())
        wait(terminal, has_title(title), is_view, whole, *([says_how_to_leave] if is_tall else []))
        os.write(terminal.fd, ESCAPE)
        wait(terminal, lambda rows: edges(rows) == edges(run), whole)


@pytest.mark.parametrize("terminal", [((80, 24), "en")], ids=["80x24"], indirect=True)
def test_the_size_may_change_in_any_view_and_q_leaves_nothing_behind(terminal: Emulated) -> None:
    for key, shows in ((b"", is_fleet), (b"\r", is_run), (b"\r", has_text(" esc back "))):
        os.write(terminal.fd, key)
        wait(terminal, shows, fits(terminal))
        for size in ((10, 3), (200, 50), (40, 15), (120, 40)):
            terminal.resize(size)
            if size[0] < 40:
                terminal.settle(quiet=2 * quiet())
            else:
                wait(terminal, shows, fits(terminal))
    terminal.settle("q", quiet=0.0)
    assert terminal.ended(patience()) == 0
    assert not terminal.screen.cursor.hidden
    local = termios.tcgetattr(terminal.fd)[3]
    assert local & termios.ICANON
    assert local & termios.ECHO
