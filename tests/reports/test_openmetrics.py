"""The exposition is read back by the parser of the Prometheus client."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from lossmon.reports.openmetrics import render
from lossmon.types import RunSnapshot
from tests.reports.test_record import snapshot


def parsed(*runs: RunSnapshot) -> dict[tuple[str, str], float]:
    """Value by sample name and path, of samples that no other label tells apart."""
    return {
        (sample.name, sample.labels["path"]): sample.value
        for family in text_string_to_metric_families(render(runs) + "\n")
        for sample in family.samples
        if sample.labels.keys() <= {"run", "path", "sources"}
    }


def states(name: str, *runs: RunSnapshot) -> set[str]:
    """The states of a state set that are 1."""
    return {
        sample.labels[name]
        for family in text_string_to_metric_families(render(runs) + "\n")
        for sample in family.samples
        if sample.name == name and sample.value == 1
    }


def test_a_known_value_is_a_sample_and_an_unknown_one_is_none() -> None:
    found = parsed(snapshot())
    assert found["lossmon_step", "output"] == 30
    assert found["lossmon_total_steps", "output"] == 100
    assert found["lossmon_run_info", "output"] == 1
    assert ("lossmon_eval_loss", "output") not in found
    assert ("lossmon_remaining_seconds", "output") not in found


def test_a_nan_loss_is_a_sample() -> None:
    assert math.isnan(parsed(snapshot())["lossmon_train_loss", "output"])


def test_the_verdict_and_the_state_are_state_sets() -> None:
    assert states("lossmon_verdict", snapshot()) == {"non_finite"}
    assert states("lossmon_state", snapshot()) == {"failed"}


def test_findings_that_hold_are_listed_once() -> None:
    (sample,) = [
        sample
        for family in text_string_to_metric_families(render([snapshot()]) + "\n")
        for sample in family.samples
        if sample.name == "lossmon_finding"
    ]
    assert sample.labels["code"] == "non_finite"
    assert sample.labels["severity"] == "critical"


def test_two_runs_of_one_name_are_told_apart_by_their_paths() -> None:
    other = replace(snapshot(), path=Path("elsewhere"), step=7)
    found = parsed(snapshot(), other)
    assert (found["lossmon_step", "output"], found["lossmon_step", "elsewhere"]) == (30, 7)


def test_a_hostile_name_stays_inside_its_label() -> None:
    name = 'a"} 1\nlossmon_step{run="b\\ \x1b[31m\udcff'
    text = render([snapshot(name=name)])
    text.encode("utf-8")
    (sample,) = [
        sample
        for family in text_string_to_metric_families(text + "\n")
        for sample in family.samples
        if sample.name == "lossmon_step"
    ]
    assert sample.labels["run"] == 'a"} 1�lossmon_step{run="b\\ �[31m�'


def test_no_run_is_an_empty_exposition() -> None:
    assert render([]) == "# EOF"
