"""Every finding has its words, in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from rich.cells import cell_len

from lossmon.diagnosis.advice import _text, advise, explain_missing
from lossmon.diagnosis.rules import RULES
from lossmon.hardware.findings import CODES as HARDWARE_CODES
from lossmon.locale import languages, section
from lossmon.types import Confidence, Finding, Severity
from tests.diagnosis.feeding import Curve, diagnose
from tests.diagnosis.test_rules import QUIET, SHOWN

CODES = {*(rule.code for rule in RULES), *HARDWARE_CODES, "stalled", "study", "not_judged"}
TEXTS = ("badge", "evidence", "meaning", "could_also_be", "would_change_if")


@pytest.mark.parametrize("language", languages())
def test_every_code_is_told_in_full(language: str) -> None:
    entries = section("advice", language)
    assert entries.keys() == CODES
    for code in CODES:
        for key in TEXTS:
            assert str(entries[code][key]).strip(), (code, key)
        assert entries[code]["remedies"], code


@pytest.mark.parametrize("language", languages())
def test_no_remedy_says_stop_where_the_outlook_says_what_stopping_saves(language: str) -> None:
    entries = section("advice", language)
    for code in ("overfitting", "diverging", "converged"):
        remedies = entries[code]["remedies"]
        assert not re.search(r"\bstop\b|停止", remedies[0], re.IGNORECASE), code


@pytest.mark.parametrize("curves", [param.values[0] for param in (*SHOWN, *QUIET)])
def test_no_number_is_missing_from_a_sentence(curves: dict[str, Curve]) -> None:
    for finding, language in product(diagnose(curves).findings, languages()):
        words = advise(finding, language)
        for text in (words.badge, words.evidence, words.meaning, *words.remedies):
            assert text
            assert "–" not in text
            assert not re.search(r"[{}]", text)


def test_the_evidence_of_overfitting_reads_as_people_write_it() -> None:
    finding = Finding(
        "overfitting",
        Severity.WARNING,
        800,
        Confidence.HIGH,
        {"eval": 1.62, "best": 1.37, "best_step": 800, "rise_percent": 18.2},
    )
    assert advise(finding).evidence == (
        "eval 1.62 is 18% above its minimum 1.37 at step 800; train still falls"
    )
    assert advise(finding, "zh").evidence.startswith(
        "验证损失 1.62，比第 800 步的最低值 1.37 高 18%"
    )


@pytest.mark.parametrize("language", languages())
def test_no_evidence_repeats_the_present_train_loss(language: str) -> None:
    """The title of the chart below has it, as it was logged and not as the level that is judged."""
    for code, texts in section("advice", language).items():
        for one in (texts, *texts.get("variants", {}).values()):
            said = one.get("evidence", "") + one.get("levels", "")
            assert "{level}" not in said and ("{train}" not in said or "{times}" in said), code


@pytest.mark.parametrize("language", languages())
def test_short_evidence_fits_beside_its_badge_on_a_narrow_screen(language: str) -> None:
    numbers: dict[str, float | int | str] = {
        "rise_percent": 18.2, "drop_percent": 99.94, "best_step": 12_800, "step": 12_800,
        "points": 108,
    }  # fmt: skip
    shown = 0
    for code, texts in section("advice", language).items():
        for variant in ("", *texts.get("variants", {})):
            advice = advise(
                Finding(code, Severity.OK, 0, Confidence.HIGH, numbers, variant), language
            )
            shown += bool(advice.short)
            assert cell_len(f"▐▲ {advice.badge} ▌ {advice.short}") <= 40 or not advice.short, code
    assert shown >= 6


@pytest.mark.parametrize(
    ("rise", "shown"),
    [(4.26, "4.3%"), (18.2, "18%"), (99.97, "99.9%"), (120.0, "120%"), (5e4, ">999%")],
)
def test_percentages_have_the_digits_that_matter(rise: float, shown: str) -> None:
    numbers = {"eval": 1.62, "best": 1.37, "best_step": 800, "rise_percent": rise}
    finding = Finding("overfitting", Severity.WARNING, 800, Confidence.HIGH, numbers)
    assert f" is {shown} above " in advise(finding).evidence


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("level", 1.6, "1.60"),
        ("level", 2.0, "2.00"),
        ("level", 0.05, "0.0500"),
        ("level", 12.5, "12.50"),
        ("level", 1234.5, "1,234"),
        ("level", 1.5e-12, "1.5e-12"),
        ("level", -3.2e13, "-3.2e13"),
        ("rate", 0.001, "0.001"),
    ],
)
def test_what_is_measured_keeps_its_digits(key: str, value: float, shown: str) -> None:
    assert _text(key, value, {}) == shown


def test_a_healthy_run_is_told_that_a_loss_is_an_alarm() -> None:
    finding = Finding("healthy", Severity.OK, 0, Confidence.MEDIUM, {"level": 1.0})
    assert "alarm" in advise(finding).meaning
    assert "报警器" in advise(finding, "zh").meaning


def test_an_unknown_code_is_told_by_its_name() -> None:
    finding = Finding("brand_new", Severity.NOTICE, 0, Confidence.LOW)
    assert advise(finding).badge == "BRAND NEW"


def test_an_unknown_language_is_answered_in_english() -> None:
    finding = Finding("stalled", Severity.WARNING, 7, Confidence.LOW, {"step": 7})
    assert advise(finding, "tlh") == advise(finding, "en")


def test_a_number_that_is_not_known_reads_as_a_dash() -> None:
    finding = Finding("stalled", Severity.WARNING, 7, Confidence.LOW, {"step": np.nan})
    assert advise(finding).evidence == "no new step since step –"


@pytest.mark.parametrize("language", languages())
def test_what_is_missing_is_explained(language: str) -> None:
    assert explain_missing("no_eval_loss", language) != "no eval loss"
    assert explain_missing("something_else", language) == "something else"


def test_remedies_of_a_run_that_is_over_keep_to_the_variant_that_has_its_own() -> None:
    recovering = Finding("diverging", Severity.WARNING, 9, Confidence.LOW, {"best_step": 7})
    recovering = replace(recovering, variant="recovering")
    assert advise(recovering).remedies[0].startswith("Wait")
    assert advise(recovering, over=True).remedies[0].startswith("Take a checkpoint from before")
    early = Finding("healthy", Severity.NEUTRAL, 1, Confidence.LOW, {}, "so_far")
    assert advise(early, over=True).remedies == advise(early).remedies


def test_the_evidence_of_convergence_does_not_contradict_it_near_zero() -> None:
    steps = np.arange(400) * 5
    values = 3.0 * 0.93 ** np.arange(400) + 0.02 * 0.997 ** np.arange(400)
    verdict = diagnose({"train/loss": (steps, values)}).verdict
    assert verdict.code == "converged"
    assert float(verdict.facts["moved_percent"]) < 2
    assert "% of that fall" in advise(verdict).evidence


def test_no_sentence_says_that_a_loss_fell_which_did_not() -> None:
    steps = np.arange(1, 301)
    swinging = 2.0 + 0.9 * np.sin(steps / 7) + 0.004 * steps
    evals = (15 * np.arange(1, 21), np.where(np.arange(20) % 2, 3.2, 1.9))
    found = diagnose({"train/loss": (steps, swinging), "eval/loss": evals}).findings
    (swings,) = (finding for finding in found if finding.code == "oscillating")
    assert "drop_percent" not in swings.facts
    assert "falling" not in advise(swings).evidence
