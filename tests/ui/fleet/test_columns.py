"""Which columns a width has room for."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from lossmon.ui.fleet.columns import MARKS, Columns, laid_out
from lossmon.ui.fleet.fleet import Fleet
from lossmon.ui.fleet.order import Key
from lossmon.ui.fleet.table import Table, Trends
from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import plain, width
from tests.ui import stage


def titles(columns: Columns) -> list[str]:
    return [column.title for column in columns.rest]


@pytest.mark.parametrize(
    "room, shown",
    [
        (38, ["step", "train"]),
        (76, ["step", "train", "eval", "loss", "age"]),
        (116, ["state", "step", "ETA", "train", "eval", "best", "loss", "age"]),
        (196, ["state", "step", "ETA", "train", "eval", "best", "loss", "speed", "age"]),
    ],
)
def test_the_least_wanted_columns_are_given_up_first(room: int, shown: list[str]) -> None:
    assert titles(laid_out(room, 30)) == shown


@pytest.mark.parametrize("longest", [0, 3, 12, 30, 400])
def test_columns_never_need_more_than_the_room(longest: int) -> None:
    for room in range(14, 320):
        columns = laid_out(room, longest)
        used = MARKS + columns.badge + 1 + columns.name + sum(one.size for one in columns.rest)
        assert used <= room, room
        assert columns.name >= 1


def test_a_wide_screen_shows_a_name_whole() -> None:
    assert laid_out(196, 40).name == 40
    assert laid_out(76, 40).name >= 12


def test_the_title_under_a_cell_says_what_a_click_sorts_by() -> None:
    columns = laid_out(116, 20)
    keys = [columns.key_at(x) for x in range(116)]
    seen = list(dict.fromkeys(keys))
    wanted = [Key.ATTENTION, Key.NAME, None, Key.STEP, Key.TRAIN, Key.EVAL, Key.BEST, Key.AGE]
    assert seen == wanted


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_row_fills_its_width_at_most_and_only_rows_in_view_are_composed(
    language: str,
) -> None:
    snapshot = stage.fleet(40)
    fleet = Fleet()
    fleet.follow(snapshot.runs, stage.NOW)
    scene = Scene(snapshot=snapshot, now=stage.NOW, language=language)
    trends = Trends()
    for room in range(20, 220, 7):
        table = Table(fleet, scene, room, trends)
        lines = [table.head(), *table[:]]
        assert all(width(line) <= room for line in lines), room
        assert all(cell_len(plain(line)) == width(line) for line in lines)
    drawn = Trends()
    assert len(Table(fleet, scene, 116, drawn)[5:12]) == 7
    assert len(drawn._known) == 7
