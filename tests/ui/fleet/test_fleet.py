"""Rows keep their places while the user is at work, and the choice stays with its run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lossmon.types import RunSnapshot
from lossmon.ui.fleet.fleet import HANDS_OFF, INTERVAL, Fleet
from lossmon.ui.fleet.order import Key
from tests.ui import stage


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fleet(clock: Clock) -> Fleet:
    fleet = Fleet(clock)
    fleet.follow(RUNS, stage.NOW)
    return fleet


def healthy(name: str) -> RunSnapshot:
    return replace(stage.healthy(), name=name, path=Path("/runs") / name)


def broken(name: str) -> RunSnapshot:
    return replace(stage.non_finite(), name=name, path=Path("/runs") / name)


RUNS = tuple(healthy(name) for name in "abcd")
WORSE = (*RUNS[:3], broken("d"))


def rows(fleet: Fleet) -> str:
    return "".join(path.name for path in fleet.rows)


def chosen(fleet: Fleet) -> str:
    return fleet.chosen.name if fleet.chosen else ""


def test_no_row_moves_until_the_user_lets_go(fleet: Fleet, clock: Clock) -> None:
    clock.now += 60
    fleet.choose(1)
    clock.now += HANDS_OFF - 1
    fleet.follow(WORSE, stage.NOW)
    assert rows(fleet) == "abcd"
    assert fleet.is_late
    clock.now += 1
    fleet.follow(WORSE, stage.NOW)
    assert rows(fleet) == "dabc"
    assert chosen(fleet) == "b"
    assert fleet.row == 2
    assert not fleet.is_late


def test_the_order_changes_at_calm_intervals(fleet: Fleet, clock: Clock) -> None:
    clock.now += INTERVAL / 2
    fleet.follow(WORSE, stage.NOW)
    assert rows(fleet) == "abcd"
    clock.now += INTERVAL / 2
    fleet.follow(WORSE, stage.NOW)
    assert rows(fleet) == "dabc"


def test_the_first_row_is_chosen_until_the_user_chooses(fleet: Fleet, clock: Clock) -> None:
    assert chosen(fleet) == "a"
    clock.now += 60
    fleet.follow(WORSE, stage.NOW)
    assert chosen(fleet) == "d"


def test_a_run_that_is_gone_leaves_the_list_at_once(fleet: Fleet, clock: Clock) -> None:
    fleet.choose(2)
    fleet.follow((RUNS[0], RUNS[3]), stage.NOW)
    assert rows(fleet) == "ad"
    assert chosen(fleet) == "d"


def test_a_new_run_stands_in_its_place_once_rows_may_move(fleet: Fleet, clock: Clock) -> None:
    fleet.choose(0)
    more = (*RUNS, broken("e"))
    fleet.follow(more, stage.NOW)
    assert rows(fleet) == "abcd"
    clock.now += HANDS_OFF
    fleet.follow(more, stage.NOW)
    assert rows(fleet) == "eabcd"


def test_what_the_user_sorts_is_sorted_at_once(fleet: Fleet) -> None:
    fleet.choose(0)
    fleet.sort(Key.NAME, stage.NOW, turned=True)
    assert rows(fleet) == "dcba"
    assert chosen(fleet) == "a"


def test_the_last_good_filter_holds_while_a_term_means_nothing(fleet: Fleet) -> None:
    fleet.sift("name:a,b", stage.NOW)
    assert rows(fleet) == "ab"
    fleet.sift("name:a,b stat:x", stage.NOW)
    assert fleet.fault is not None
    assert rows(fleet) == "ab"
    fleet.sift("name:a,b -b", stage.NOW)
    assert fleet.fault is None
    assert rows(fleet) == "a"


def test_a_choice_that_a_filter_hides_comes_back_with_its_row(fleet: Fleet) -> None:
    fleet.choose(2)
    fleet.sift("a", stage.NOW)
    assert chosen(fleet) == "a"
    fleet.sift("", stage.NOW)
    assert chosen(fleet) == "c"


def test_steps_from_run_to_run_go_round_the_ends_of_what_is_shown(fleet: Fleet) -> None:
    a, b, c, d = (run.path for run in RUNS)
    fleet.sift("-b", stage.NOW)
    assert fleet.step(a, 1) == c
    assert fleet.step(a, -1) == d
    assert fleet.step(d, 1) == a
    assert fleet.step(b, 1) == a
    fleet.sift("nobody", stage.NOW)
    assert fleet.step(a, 1) is None
    assert fleet.chosen is None
