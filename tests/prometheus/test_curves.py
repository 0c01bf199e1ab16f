from __future__ import annotations

import math
import subprocess
from pathlib import Path

import pytest

from lossmon.prometheus.client import Range
from lossmon.prometheus.curves import _curves, _selector, escaped, with_curves
from lossmon.prometheus.fleet import FleetSnapshots, ServerRow
from lossmon.types import Series
from tests.services.prometheus import promtool

KEY = ("gpu01:9712", "/runs/a")
LABELS = {"instance": KEY[0], "path": KEY[1]}


def curve(steps: list[float], values: list[float]) -> Series:
    times = [15.0 * n for n in range(len(steps))]
    found = [
        Range({**LABELS, "__name__": "lossmon_step"}, times, steps),
        Range({**LABELS, "__name__": "lossmon_train_loss"}, times, values),
    ]
    (series,) = _curves(found)[KEY]
    return series


def test_a_value_that_was_scraped_twice_is_one_point() -> None:
    series = curve([10, 10, 20, 20, 20, 30], [3, 3, 2, 2, 2, 1])
    assert series.steps.tolist() == [10, 20, 30] and series.values.tolist() == [3, 2, 1]
    assert series.wall_times.tolist() == [0, 30, 75]
    assert (series.minimum, series.min_step, series.last, series.tag) == (1, 30, 1, "train/loss")


def test_an_eval_loss_that_stays_is_one_point_per_eval() -> None:
    assert curve([10, 20, 30, 40], [2, 2, 2, 1.5]).steps.tolist() == [10, 40]


def test_nan_is_a_point_once() -> None:
    series = curve([10, 20, 30], [2, math.nan, math.nan])
    assert series.steps.tolist() == [10, 20]
    assert (series.n_nonfinite, series.minimum, series.maximum) == (1, 2, 2)


def test_of_a_run_that_went_back_what_it_logged_since_counts() -> None:
    series = curve([10, 20, 30, 15, 25], [5, 4, 3, 4.5, 3.5])
    assert series.steps.tolist() == [10, 15, 25] and series.values.tolist() == [5, 4.5, 3.5]


def test_moments_without_a_step_are_left_out() -> None:
    times = [0.0, 15.0, 30.0]
    found = [
        Range({**LABELS, "__name__": "lossmon_step"}, times[1:], [10, 20]),
        Range({**LABELS, "__name__": "lossmon_train_loss"}, times, [3, 2, 1]),
    ]
    (series,) = _curves(found)[KEY]
    assert series.steps.tolist() == [10, 20]
    assert _curves(found[1:]).get(KEY, ()) == ()


def test_a_curve_ends_with_the_newest_point_and_keeps_the_minimum_that_was_seen() -> None:
    values = {
        "lossmon_step": 40.0,
        "lossmon_train_loss": 1.2,
        "lossmon_eval_loss": 1.5,
        "lossmon_best_eval_loss": 0.9,
        "lossmon_best_step": 25.0,
    }
    (run,) = FleetSnapshots().of({KEY: ServerRow("a", values)}).values()
    made = with_curves(run, (curve([10, 20, 30], [3, 2, 1]),))
    train, eval_ = made.train_loss, made.eval_loss
    assert train is not None and train.steps.tolist() == [10, 20, 30, 40] and train.last == 1.2
    assert eval_ is not None and (eval_.minimum, eval_.min_step) == (0.9, 25)


NAMES = ['a"b', "a\\b", "a.b*c(d)[e]{f}|g^h$i+j?k", "läuft·gut", "a b", "}", "'", "`", "-", '\\"']


@pytest.mark.parametrize("name", NAMES)
def test_any_name_selects_its_run_and_no_other(name: str, tmp_path: Path) -> None:
    """Held against Prometheus itself: a unit test of rules evaluates the selector."""
    tool = promtool("test", "rules", "test.json")
    import json

    def labels(path: str) -> str:
        quoted = json.dumps(path, ensure_ascii=False)
        return f'lossmon_step{{instance="h:1", path={quoted}}}'

    document = {
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": labels(name), "values": "1 1"},
                    {"series": labels(name + "x"), "values": "2 2"},
                    {"series": labels("axb"), "values": "3 3"},
                ],
                "promql_expr_test": [
                    {
                        "expr": f"sum({_selector((('h:1', name),), 'lossmon_step')})",
                        "eval_time": "1m",
                        "exp_samples": [{"labels": "{}", "value": 1}],
                    }
                ],
            }
        ]
    }
    (tmp_path / "test.json").write_text(json.dumps(document, ensure_ascii=False))
    done = subprocess.run(tool, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr + escaped(name)
