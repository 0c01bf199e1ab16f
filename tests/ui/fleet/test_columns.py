"""Which columns a width has room for."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from lossmon.readers.tags.meaning import meaning
from lossmon.types import RunSnapshot, RunState
from lossmon.ui.fleet.columns import (
    MARKS,
    Columns,
    SettingColumns,
    empty_columns,
    laid_out,
    objective_column,
)
from lossmon.ui.fleet.fleet import Fleet
from lossmon.ui.fleet.names import RunNames
from lossmon.ui.fleet.order import Key
from lossmon.ui.fleet.table import Table, Trends
from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import TINT, plain, width
from tests.ui import stage


def titles(columns: Columns) -> list[str]:
    return [column.title for column in columns.rest]


@pytest.mark.parametrize(
    "room, shown",
    [
        (38, ["step", "train"]),
        (76, ["step", "train", "eval", "loss"]),
        (116, ["step", "ETA", "train", "eval", "best", "loss", "updated"]),
        (196, ["state", "step", "ETA", "train", "eval", "best", "loss", "speed", "updated"]),
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


@pytest.mark.parametrize(
    ("value", "text"), [(4.0e-4, "4.0e-4"), (3.6e-13, "4e-13"), (math.nan, "nan"), (2.5, "2.50")]
)
def test_a_loss_is_never_cut(value: float, text: str) -> None:
    train = stage.falling(100)
    train[-1] = value
    run = stage.run(stage.HEALTHY, train=train, n=100)
    column = next(one for one in laid_out(116, 20).rest if one.title == "train")
    assert column.cell is not None
    assert plain(column.cell(Scene(), run)) == text


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
        table = Table(fleet, scene, room, trends, RunNames())
        lines = [table.head(), *table[:]]
        assert all(width(line) <= room for line in lines), room
        assert all(cell_len(plain(line)) == width(line) for line in lines)
    drawn = Trends()
    assert len(Table(fleet, scene, 116, drawn, RunNames())[5:12]) == 7
    assert len(drawn._known) == 7


def test_columns_without_a_value_go_and_a_metric_stands_for_a_loss() -> None:
    run = stage.without_eval()
    done = replace(run, state=RunState.FINISHED)
    assert {"eval", "best", "ETA", "speed"} == empty_columns([done])
    study = replace(run, series=run.series[1:], train=None)
    empty = empty_columns([study])
    objective = objective_column([study])
    assert objective is not None
    assert objective.title == "learning rate"
    shown = titles(laid_out(116, 20, empty, objective))
    assert "learning rate" in shown
    assert not {"train", "eval", "best", "loss"} & set(shown)


def test_the_reward_stands_for_the_loss_where_all_runs_are_reinforcement_learning() -> None:
    run = stage.without_eval()
    tag = "rollout/ep_rew_mean"
    reward = replace(run.series[0], tag=tag, meaning=meaning(tag))
    missing = replace(run.diagnosis, missing=("reward_loss",))
    learner = replace(run, series=(*run.series, reward), diagnosis=missing)
    assert {"train", "eval", "best", "loss"} <= empty_columns([learner])
    column = objective_column([learner])
    assert column is not None
    assert column.title == "train episode reward"
    assert "train" not in empty_columns([learner, run])


def test_the_chosen_row_is_filled_over_its_width() -> None:
    snapshot = stage.fleet(4)
    fleet = Fleet()
    fleet.follow(snapshot.runs, stage.NOW)
    table = Table(fleet, Scene(snapshot=snapshot, now=stage.NOW), 90, Trends(), RunNames())
    chosen, other = table[fleet.row], table[(fleet.row + 1) % 4]
    assert width(chosen) == 90
    assert all(role.endswith(TINT) for _, role in chosen)
    assert not any(role.endswith(TINT) for _, role in other)


def with_settings(name: str, **settings: str) -> RunSnapshot:
    return replace(stage.healthy(), path=Path("/runs") / name, settings=settings)


def test_settings_that_differ_have_columns_and_others_than_one_loss_give_way() -> None:
    runs = [
        with_settings("a", lr="1e-3", optim="adamw", seed="1", run_name="a", fixed="3"),
        with_settings("b", lr="0.001", optim="x" * 40, seed="2", run_name="b", fixed="3"),
    ]
    made = SettingColumns()
    columns = made.of(runs)
    assert [one.title for one in columns] == ["optim", "seed"]
    assert made.of(list(runs)) is columns
    cells = [plain(columns[0].cell(Scene(), run)) for run in runs if columns[0].cell]
    assert cells[0] == "adamw" and cells[1].startswith("x") and "…" in cells[1]
    assert titles(laid_out(76, 20, settings=columns))[-2:] == ["optim", "seed"]
    assert titles(laid_out(66, 20, settings=columns)) == ["eval", "optim"]
    narrow = laid_out(30, 20, settings=columns)
    assert titles(narrow) == ["optim"] and narrow.settings == 1
    assert not made.of([with_settings("a", lr="1"), with_settings("b")])


def test_settings_of_one_last_name_keep_their_whole_names() -> None:
    runs = [with_settings(one, **{"a.lr": one, "b.lr": one, "c.wd": one}) for one in "12"]
    assert [one.title for one in SettingColumns().of(runs)] == ["a.lr", "b.lr", "wd"]
