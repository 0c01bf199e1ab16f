from __future__ import annotations

import json
import random

import pytest

from lossmon.alerts.tracker import SECONDS, Change, RunTracker, Transition, conditions
from lossmon.types import RunSnapshot, RunState, Severity
from tests.alerts.runs import SEVERITIES, change, finding, run

START = (("warming_up", 1), ("healthy", 10))


def changes(tracker: RunTracker, snapshot: RunSnapshot, now: float = 0.0) -> list[str]:
    """`onset diverging` and the like, neutral and good conditions left out."""
    found = tracker.update(snapshot, now)
    return [f"{one.change} {one.code}" for one in found if one.severity >= Severity.NOTICE]


@pytest.fixture
def tracker() -> RunTracker:
    tracker = RunTracker()
    assert changes(tracker, run(*START, step=20)) == []
    return tracker


def test_a_verdict_begins_once(tracker: RunTracker) -> None:
    bad = (*START, ("diverging", 30))
    assert changes(tracker, run(*bad, step=30)) == ["onset diverging"]
    assert changes(tracker, run(*bad, step=31)) == []


def test_a_verdict_that_is_over_may_begin_again(tracker: RunTracker) -> None:
    history = (*START, ("spike", 30))
    assert changes(tracker, run(*history, step=30)) == ["onset spike"]
    history = (*history, ("healthy", 40))
    assert changes(tracker, run(*history, step=40)) == ["end spike"]
    history = (*history, ("spike", 50))
    assert changes(tracker, run(*history, step=50)) == ["onset spike"]


def test_a_second_onset_has_a_number_of_its_own(tracker: RunTracker) -> None:
    tracker.update(run(*START, ("spike", 30), step=30), 0)
    tracker.update(run(*START, ("spike", 30), ("healthy", 40), step=40), 0)
    found = tracker.update(run(*START, ("spike", 30), ("healthy", 40), ("spike", 50), step=50), 0)
    assert [one.number for one in found if one.code == "spike"] == [2]


def test_what_came_and_went_while_nobody_looked_is_not_lost(tracker: RunTracker) -> None:
    history = (*START, ("spike", 30), ("healthy", 40), ("diverging", 50), ("healthy", 60))
    assert changes(tracker, run(*history, step=60)) == [
        "onset spike",
        "onset diverging",
        "end diverging",
        "end spike",
    ]


def test_what_ended_and_began_again_while_nobody_looked_is_not_lost(tracker: RunTracker) -> None:
    history = (*START, ("spike", 30))
    tracker.update(run(*history, step=30), 0)
    history = (*history, ("healthy", 40), ("spike", 50))
    assert changes(tracker, run(*history, step=60)) == ["end spike", "onset spike"]


def test_a_higher_severity_is_worse_and_a_lower_one_is_nothing(tracker: RunTracker) -> None:
    def oscillating(severity: Severity, step: int) -> RunSnapshot:
        return run(*START, step=step, beside=[finding("stalled", 30, severity)])

    for step in (30, 31):
        assert changes(tracker, oscillating(Severity.NOTICE, step)) == []
    assert changes(tracker, oscillating(Severity.NOTICE, 32)) == ["onset stalled"]
    assert changes(tracker, oscillating(Severity.WARNING, 33)) == ["worse stalled"]
    assert changes(tracker, oscillating(Severity.NOTICE, 34)) == []
    assert changes(tracker, oscillating(Severity.WARNING, 35)) == []


def test_a_finding_that_becomes_the_badge_is_no_worse(tracker: RunTracker) -> None:
    def overfitting(*history: tuple[str, int], step: int) -> RunSnapshot:
        return run(*START, *history, step=step, beside=[finding("overfitting", 25)])

    for step in (30, 31, 32):
        tracker.update(overfitting(step=step), 0.0)
    assert "overfitting" in tracker.active
    assert changes(tracker, overfitting(("overfitting", 33), step=33)) == []


def test_a_finding_beside_the_verdict_must_last(tracker: RunTracker) -> None:
    beside = [finding("overfitting", 25)]
    assert changes(tracker, run(*START, step=30, beside=beside)) == []
    assert changes(tracker, run(*START, step=31)) == []
    for step in (40, 41):
        assert changes(tracker, run(*START, step=step, beside=beside)) == []
        assert changes(tracker, run(*START, step=step, beside=beside)) == []
    assert changes(tracker, run(*START, step=42, beside=beside)) == ["onset overfitting"]


def test_a_finding_of_a_run_that_stands_still_must_last_for_a_while(tracker: RunTracker) -> None:
    snapshot = run(*START, step=30, beside=[finding("overfitting", 25)])
    assert changes(tracker, snapshot, 1000.0) == []
    assert changes(tracker, snapshot, 1000.0 + SECONDS - 1) == []
    assert tracker.is_unsettled
    assert changes(tracker, snapshot, 1000.0 + SECONDS) == ["onset overfitting"]
    assert not tracker.is_unsettled


def test_a_finding_that_flickers_neither_ends_nor_begins(tracker: RunTracker) -> None:
    history = (*START, ("overfitting", 30))
    tracker.update(run(*history, step=30), 0)
    history = (*history, ("oscillating", 40))
    beside = [finding("overfitting", 30)]
    assert changes(tracker, run(*history, step=40, beside=beside)) == ["onset oscillating"]
    assert changes(tracker, run(*history, step=41)) == []
    assert changes(tracker, run(*history, step=42, beside=beside)) == []
    assert changes(tracker, run(*history, step=43)) == []
    assert changes(tracker, run(*history, step=44)) == []
    assert changes(tracker, run(*history, step=45)) == ["end overfitting"]


@pytest.mark.parametrize(
    "state, code",
    [(RunState.STALLED, "stalled"), (RunState.FAILED, "failed"), (RunState.FINISHED, "finished")],
)
def test_a_state_begins_at_once(tracker: RunTracker, state: RunState, code: str) -> None:
    found = tracker.update(run(*START, step=30, state=state), 0)
    assert [(one.change, one.code) for one in found] == [("onset", code)]


def test_a_silence_ends_with_new_steps(tracker: RunTracker) -> None:
    assert changes(tracker, run(*START, step=30, state=RunState.STALLED)) == ["onset stalled"]
    assert [changes(tracker, run(*START, step=step)) for step in (31, 32, 33)] == [
        [],
        [],
        ["end stalled"],
    ]


def test_a_log_that_was_rewritten_counts_as_it_is_now(tracker: RunTracker) -> None:
    other = (("warming_up", 2), ("spike", 5), ("healthy", 11))
    assert changes(tracker, run(*other, step=40)) == []
    assert changes(tracker, run(*other, ("diverging", 50), step=50)) == ["onset diverging"]


def test_an_old_run_that_is_alive_is_alerted_to_as_it_is_now() -> None:
    tracker = RunTracker()
    snapshot = run(*START, ("spike", 30), ("healthy", 40), ("diverging", 50), step=60)
    tracker.skip(snapshot)
    assert changes(tracker, snapshot) == ["onset diverging"]


@pytest.mark.parametrize("state", [RunState.STALLED, RunState.FAILED, RunState.FINISHED])
def test_an_old_run_that_has_stopped_is_left_alone(state: RunState) -> None:
    tracker = RunTracker()
    snapshot = run(*START, ("diverging", 50), step=60, state=state)
    tracker.skip(snapshot)
    assert changes(tracker, snapshot) == []


def onsets(transitions: list[Transition]) -> list[tuple[str, int]]:
    return sorted((one.code, one.number) for one in transitions if one.change is Change.ONSET)


def test_the_same_verdicts_bring_the_same_alerts_however_often_it_is_restarted() -> None:
    """A tracker that is dumped and loaded at random misses nothing and doubles nothing."""
    chance = random.Random(7)
    for _ in range(50):
        codes = [chance.choice([*SEVERITIES]) for _ in range(30)]
        history = [
            (code, 10 * place)
            for place, code in enumerate(codes, start=1)
            if place == 1 or codes[place - 2] != code
        ]
        steady, restarted = RunTracker(), RunTracker()
        expected, found = [], []
        for count in range(1, len(history) + 1):
            snapshot = run(*history[:count], step=history[count - 1][1])
            expected += steady.update(snapshot, 0.0)
            if chance.random() < 0.4:
                found += restarted.update(snapshot, 0.0)
                restarted = RunTracker.load(json.loads(json.dumps(restarted.dump())))
        found += restarted.update(run(*history, step=history[-1][1]), 0.0)
        assert onsets(found) == onsets(expected)


def test_a_change_is_remembered_as_it_was() -> None:
    tracker = RunTracker()
    tracker.update(run(*START, ("spike", 30), step=30), 0)
    loaded = RunTracker.load(json.loads(json.dumps(tracker.dump())))
    assert loaded.last == change("spike", 30)
    assert loaded.dump() == tracker.dump()


def test_of_two_findings_of_one_code_the_first_or_the_more_severe_one_counts() -> None:
    beside = [finding("spike", 40), finding("spike", 60)]
    found = conditions(run(("diverging", 10), beside=beside))
    assert found["spike"].since_step == 40
    worse = finding("spike", 80, Severity.CRITICAL)
    found = conditions(run(("diverging", 10), beside=[*beside, worse]))
    assert (found["spike"].since_step, found["spike"].severity) == (80, Severity.CRITICAL)
