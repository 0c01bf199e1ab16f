"""Runs grouped by a setting: `group:lr`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lossmon.types import RunSnapshot, RunState
from lossmon.ui.fleet.fleet import Fleet
from lossmon.ui.fleet.names import RunNames
from lossmon.ui.fleet.query import Fault, Filter, completed, parse
from lossmon.ui.fleet.table import Table, Trends
from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import plain, width
from tests.ui import stage

SETTINGS = {"a": "1e-3", "b": "3e-4", "c": "1e-3", "d": "", "e": "3e-4"}


def runs() -> tuple[RunSnapshot, ...]:
    return tuple(
        RunSnapshot(
            name, Path("/runs") / name, (), RunState.FINISHED, settings={"opt.lr": lr} if lr else {}
        )
        for name, lr in SETTINGS.items()
    )


def grouped(text: str) -> Fleet:
    fleet = Fleet()
    fleet.follow(runs(), stage.NOW)
    fleet.sift(text, stage.NOW)
    return fleet


def test_runs_of_one_value_stand_together_where_the_first_would() -> None:
    fleet = grouped("group:lr")
    assert [path.name for path in fleet.rows] == ["a", "c", "b", "e", "d"]
    assert [path.name for path in grouped("group:lr -c -a").rows] == ["b", "e", "d"]
    assert [path.name for path in grouped("").rows] == list("abcde")


def test_the_first_row_of_a_group_has_its_size() -> None:
    fleet = grouped("group:lr")
    scene = Scene(stage.snapshot(*runs()), now=stage.NOW)
    for room in (76, 116):
        table = Table(fleet, scene, room, Trends(), RunNames())
        lines = [plain(line) for line in table[:]]
        assert "lr" in plain(table.head())
        assert ["×2" in line for line in lines] == [True, False, True, False, False]
        assert all("1e-3" in line for line in lines[:2]) and "×1" in lines[4]
        assert all(width(line) <= room for line in table[:])


def test_a_group_is_a_setting_that_some_run_has() -> None:
    names = {"lr"}.copy
    assert isinstance(wrong := parse("group:nonsense", names), Fault)
    assert "nonsense" in wrong.parts
    # While its name is still typed nothing is grouped, and nothing is wrong.
    assert parse("group:", names) == Filter("group:")
    found = parse("group:state sft", names)
    assert isinstance(found, Filter) and found.group == "state" and len(found.tests) == 1


@pytest.mark.parametrize(
    ("typed", "text"),
    [("gro", "group:"), ("group:sta", "group:state"), ("x group:wei", "x group:weight_decay")],
)
def test_tab_completes_a_group(typed: str, text: str) -> None:
    assert completed(typed, lambda: {"weight_decay"}) == text


def test_a_field_groups_as_a_setting_does() -> None:
    fleet = Fleet()
    broken = replace(runs()[1], state=RunState.FAILED)
    fleet.follow((runs()[0], broken), stage.NOW)
    fleet.sift("group:state", stage.NOW)
    assert set(fleet.groups.values()) == {"finished", "failed"}
