from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from lossmon.alerts.pacing import (
    BURST,
    FIRST_RETRY,
    GATHER,
    GATHER_STALLED,
    LONGEST_RETRY,
    REPEAT,
    WINDOW,
    Pacing,
    Pending,
    retry_after,
)
from lossmon.types import Severity

_numbers: Iterator[int] = iter(range(10**6))


def alert(code: str = "diverging", path: str = "a", at: float = 0.0) -> Pending:
    return Pending(f"id{next(_numbers)}", "onset", code, path, Severity.WARNING, at)


def test_an_alert_waits_a_moment_for_others() -> None:
    pacing, one = Pacing(), alert(at=100.0)
    assert pacing.batch([one], 100.0 + GATHER - 0.1) == []
    assert pacing.batch([one], 100.0 + GATHER) == [one]


def test_what_comes_meanwhile_goes_with_it() -> None:
    first, second = alert(path="a", at=100.0), alert(path="b", at=100.0 + GATHER)
    other = alert("spike", at=100.0)
    batch = Pacing().batch([first, second, other], 100.0 + GATHER)
    assert batch == [first, second]


def test_fifty_runs_that_fall_silent_one_after_the_other_are_one_message() -> None:
    alerts = [alert("stalled", str(number), at=number / 2) for number in range(50)]
    assert Pacing().batch(alerts, GATHER_STALLED - 0.1) == []
    assert len(Pacing().batch(alerts, GATHER_STALLED)) == 50


def test_no_more_than_a_few_messages_of_one_kind_are_sent_in_a_while() -> None:
    pacing, now, sent = Pacing(), 0.0, []
    pending: list[Pending] = []
    while now < WINDOW:
        pending.append(alert(path=str(now), at=now))
        if batch := pacing.batch(pending, now):
            pacing.sent(batch, now)
            sent.append(len(batch))
            pending = [one for one in pending if one not in batch]
        now += GATHER
    assert len(sent) == BURST
    assert len(pacing.batch(pending, now + GATHER)) == len(pending)


def test_one_run_is_not_spoken_of_again_and_again() -> None:
    pacing = Pacing()
    pacing.sent([alert("spike", "a", at=0.0)], 0.0)
    again, other = alert("spike", "a", at=60.0), alert("spike", "b", at=60.0)
    assert pacing.batch([again, other], 60.0 + GATHER) == [other]
    assert pacing.batch([again], REPEAT - 1) == []
    assert pacing.batch([again], REPEAT) == [again]


def test_what_is_not_paced_goes_at_once_and_one_by_one() -> None:
    first, second = alert(at=100.0), alert(at=100.0)
    assert Pacing(paced=False).batch([first, second], 100.0) == [first]
    assert Pacing(paced=False).batch([], 100.0) == []


def test_what_was_sent_long_ago_takes_no_memory() -> None:
    pacing = Pacing()
    for number in range(1000):
        pacing.sent([alert(path=str(number))], number * REPEAT)
    assert len(pacing._runs) == 1


@pytest.mark.parametrize("failures", [1, 2, 5, 30, 10_000])
def test_the_wait_for_the_next_attempt_doubles_up_to_a_limit(failures: int) -> None:
    expected = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(failures - 1, 30))
    assert 0.8 * expected <= retry_after(failures, random.Random(1)) <= 1.2 * expected
