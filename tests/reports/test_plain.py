from __future__ import annotations

import re
from dataclasses import replace

import pytest

from lossmon.reports.plain import plain
from lossmon.types import Job, RunSnapshot
from tests.ui import stage


def test_a_warning_stands_without_praise_beside_it() -> None:
    run = stage.overfitting()
    findings = (stage.OVERFITTING, stage.NON_FINITE, stage.HEALTHY)
    run = replace(run, diagnosis=replace(run.diagnosis, findings=findings))
    text = plain(run, "en", history=False)
    assert "also: NaN LOSS" in text
    assert "HEALTHY" not in text


def test_names_from_outside_cannot_steer_the_terminal() -> None:
    run = replace(stage.healthy(), name="a\x1b[31m\x9b2J\u202eb", notes=("x\ny\x07",))
    text = plain(run, "en", history=True)
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "  note: x\n" not in text


def test_the_job_of_a_run_is_named() -> None:
    text = plain(replace(stage.healthy(), job=Job("Slurm", "4711")), "en", history=False)
    assert "job: Slurm job 4711" in text


NAMES = re.compile(
    r"save_steps|patience|early stopping|load_best_model_at_end|dropout|softmax|[bf]+p?\d\d|float32"
    r"|torch[.\w]+|HF Trainer|logging_nan_inf_filter|eval accuracy|checkpoint-\d+|NaN|nan|Inf"
    r"|\b(overfitting|healthy|non_finite|warming_up)\b"
)
"""Names and codes, which stay as they are."""


@pytest.mark.parametrize("run", [stage.overfitting(), stage.healthy(), stage.non_finite()])
def test_in_chinese_only_names_and_codes_are_english(run: RunSnapshot) -> None:
    run = replace(run, name="", sources=(), notes=(), errors=())
    text = plain(run, "zh", history=True)
    assert re.findall(r"[A-Za-z]{2,}", NAMES.sub("", text)) == []
