"""Every view in a real pseudo-terminal: whole frames, a title, a way out, and nothing left behind.

`make walk` does the same in tmux at every size and in every kind of terminal, on growing runs.
"""

from __future__ import annotations

import shutil
import termios
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.frames import faults
from benchmarks.terminal import Emulated, has_text
from lossmon.locale import translate
from lossmon.ui.views import VIEWS
from tests import paths
from tests.terminals import lossmon, patience, quiet

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

ESCAPE = "\x1b"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for name, source in RUNS.items():
        shutil.copytree(DATA / source, tmp_path / "runs" / name)
    return tmp_path / "runs"


@pytest.fixture
def terminal(runs: Path, request: pytest.FixtureRequest) -> Iterator[Emulated]:
    size, language = request.param
    home = {"XDG_CONFIG_HOME": str(runs.parent)}
    with lossmon("--lang", language, str(runs), size=size, **home) as terminal:
        terminal.until(has_text(translate("runs", language)), most=patience())
        yield terminal


def fits(size: tuple[int, int]) -> Callable[[Sequence[str]], bool]:
    """Whether a screen is whole at a size."""
    return lambda rows: faults(list(rows), size) == []


def edges(rows: Sequence[str]) -> list[str]:
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
    fleet = terminal.settle(quiet=4 * quiet())
    whole(terminal, fleet)
    run = terminal.settle("\r", quiet=4 * quiet())
    whole(terminal, run)

    def has_title(title: str) -> Callable[[Sequence[str]], bool]:
        return lambda rows: translate(title, language) in rows[0]

    def is_run(rows: Sequence[str]) -> bool:
        return edges(rows) == edges(run)

    for key, title in TITLES.items():
        rows = terminal.until(has_title(title), key, most=patience(), quiet=quiet())
        whole(terminal, rows)
        assert has_title(title)(rows), "\n".join(rows)
        if len(rows) >= 24:
            assert any(row[0] in "╰├ " and " esc " in row for row in rows), "\n".join(rows)
        rows = terminal.until(is_run, ESCAPE, most=patience(), quiet=quiet())
        assert is_run(rows), "\n".join(rows)


@pytest.mark.parametrize("terminal", [((80, 24), "en")], ids=["80x24"], indirect=True)
def test_the_size_may_change_in_any_view_and_q_leaves_nothing_behind(terminal: Emulated) -> None:
    for key in ("", "\r", "\r"):
        terminal.settle(key, quiet=4 * quiet())
        for size in ((10, 3), (200, 50), (40, 15), (120, 40)):
            terminal.resize(size)
            if size[0] < 40:
                terminal.settle(quiet=2 * quiet())
                continue
            rows = terminal.until(fits(size), most=patience(), quiet=quiet())
            whole(terminal, rows)
    terminal.settle("q", quiet=0.0)
    assert terminal.ended(patience()) == 0
    assert not terminal.screen.cursor.hidden
    local = termios.tcgetattr(terminal.fd)[3]
    assert local & termios.ICANON
    assert local & termios.ECHO
