from __future__ import annotations

import pytest

from lossmon.analysis.run_settings import ComparedSetting, differing


def test_only_what_differs_is_told() -> None:
    found = differing([{"lr": "1e-3", "seed": "1"}, {"lr": "2e-3", "seed": "1"}])
    assert found == [ComparedSetting("lr", ("1e-3", "2e-3"))]


@pytest.mark.parametrize(
    "one, other", [("1e-3", "0.001"), ("2", "2.0"), ("True", "true"), ("'adam'", "adam")]
)
def test_the_same_value_may_be_spelled_differently(one: str, other: str) -> None:
    assert differing([{"a": one}, {"a": other}]) == []


def test_what_one_run_does_not_tell_differs() -> None:
    assert differing([{"a": "1", "b": "2"}, {"a": "1"}]) == [ComparedSetting("b", ("2", None))]


def test_a_run_without_settings_differs_in_none() -> None:
    assert differing([{"a": "1"}, {}]) == []
    assert differing([{"a": "1"}, {}, {"a": "2"}]) == [ComparedSetting("a", ("1", None, "2"))]
    assert differing([]) == []


def test_the_names_of_the_runs_stand_behind_what_makes_them_different() -> None:
    one = {"output_dir": "x", "zeta": "1", "model.learning_rate": "1", "run_name": "x"}
    other = {"output_dir": "y", "zeta": "2", "model.learning_rate": "2", "run_name": "y"}
    found = differing([one, other])
    assert [setting.name for setting in found] == [
        "model.learning_rate",
        "zeta",
        "output_dir",
        "run_name",
    ]
    assert [setting.aside for setting in found] == [False, False, True, True]
