from __future__ import annotations

import pytest

from lossmon.reports.status_line import compact, status_line
from lossmon.types import Confidence, Diagnosis, Finding, RunState, Severity
from tests.reports.test_record import snapshot


def judged(code: str, severity: Severity, **changes: object) -> object:
    finding = Finding(code, severity, 30, Confidence.HIGH)
    return snapshot(diagnosis=Diagnosis(finding, (finding,), ()), state=RunState.RUNNING, **changes)


def test_the_line_says_verdict_loss_progress_and_time_left() -> None:
    run = judged("healthy", Severity.OK, step=41, remaining=845.0)
    assert status_line([run], "en") == "✓ healthy nan 41% ETA 14m"


def test_of_several_runs_the_worst_is_shown_with_its_name() -> None:
    runs = [
        judged("healthy", Severity.OK, name="fine"),
        judged("diverging", Severity.CRITICAL, name="bad"),
    ]
    assert status_line(runs, "en") == "✖ diverging nan 30% · bad (1/2)"


def test_a_run_that_ended_says_so() -> None:
    assert status_line([snapshot()], "en").endswith("30% failed")


def test_in_chinese_every_word_is() -> None:
    run = judged("overfitting", Severity.WARNING, step=41, remaining=845.0)
    assert status_line([run], "zh") == "▲ 过拟合 nan 41% 剩余 14m"
    assert status_line([snapshot()], "zh").endswith("30% 失败")


def test_what_tmux_would_expand_is_shown_as_it_is() -> None:
    runs = [judged("healthy", Severity.OK), judged("spike", Severity.WARNING, name="#(id)\x1b")]
    assert "##(id)�" in status_line(runs, "en")


@pytest.mark.parametrize(
    "seconds, text",
    [(0, "0s"), (59.4, "59s"), (60, "1m"), (7800, "2h10m"), (7200, "2h"), (273600, "3d4h")],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert compact(seconds) == text
