from __future__ import annotations

import pytest

from lossmon.reports.check import annotation
from lossmon.types import Confidence, Diagnosis, Finding, Severity
from tests.reports.test_record import snapshot


@pytest.mark.parametrize(
    "code, severity, level",
    [
        ("non_finite", Severity.CRITICAL, "error"),
        ("overfitting", Severity.WARNING, "warning"),
        ("oscillating", Severity.NOTICE, "notice"),
        ("healthy", Severity.OK, "notice"),
    ],
)
def test_the_severity_is_the_level(code: str, severity: Severity, level: str) -> None:
    finding = Finding(code, severity, 3, Confidence.HIGH)
    run = snapshot(diagnosis=Diagnosis(finding, (finding,), ()))
    assert annotation(run, "en").startswith(f"::{level} title=output%2C failed%2C step 30::")


def test_a_finding_comes_with_its_first_remedy() -> None:
    assert annotation(snapshot(), "en").count("%0A") == 1


def test_a_hostile_name_cannot_end_the_command() -> None:
    text = annotation(snapshot(name="a::b,c%0A\n::error::x"), "en")
    assert text.count("\n") == 0
    assert "title=a%3A%3Ab%2Cc%250A�%3A%3Aerror%3A%3Ax%2C failed" in text


def test_in_chinese_every_word_is() -> None:
    finding = Finding("overfitting", Severity.WARNING, 3, Confidence.HIGH)
    text = annotation(snapshot(diagnosis=Diagnosis(finding, (finding,), ())), "zh")
    assert text.startswith("::warning title=output%2C 失败%2C 第 30 步::过拟合 自第 3 步起: ")
