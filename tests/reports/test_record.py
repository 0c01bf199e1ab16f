from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lossmon.config import Config
from lossmon.reports.check import Style, check, fails
from lossmon.reports.plain import plain
from lossmon.reports.record import record
from lossmon.types import (
    Best,
    Confidence,
    Diagnosis,
    Finding,
    Kind,
    Meaning,
    MediaKind,
    MediaRecord,
    MediaSeries,
    RunSnapshot,
    RunState,
    Series,
    Severity,
    Split,
    VerdictChange,
)

KEYS = {
    "run",
    "path",
    "sources",
    "state",
    "step",
    "total_steps",
    "epoch",
    "verdict",
    "findings",
    "history",
    "series",
    "media",
    "best",
    "job",
    "nodes",
    "errors",
}
"""What other programs rely on."""


def snapshot(**changes: object) -> RunSnapshot:
    finding = Finding("non_finite", Severity.CRITICAL, 30, Confidence.HIGH, {"step": 30})
    loss = Series(
        "train/loss",
        Meaning("train/loss", "train loss", Split.TRAIN, Kind.LOSS),
        source="tensorboard",
        steps=np.array([10, 20, 30]),
        values=np.array([2.0, 1.0, np.nan]),
        n=3,
        n_nonfinite=1,
        first_step=10,
        last_step=30,
        last=math.nan,
        minimum=1.0,
        min_step=20,
    )
    values: dict[str, object] = {
        "name": "output",
        "path": Path("output"),
        "sources": ("tensorboard",),
        "state": RunState.FAILED,
        "step": 30,
        "total_steps": 100,
        "series": (loss,),
        "train": 0,
        "diagnosis": Diagnosis(
            finding,
            (finding,),
            (VerdictChange(10, "warming_up", Severity.NEUTRAL),),
            ("no_eval_loss",),
        ),
        "errors": ("bad.csv: line 3: no numbers",),
    }
    return RunSnapshot(**{**values, **changes})  # type: ignore[arg-type]


def test_the_record_has_the_keys_of_the_contract_and_is_strict_json() -> None:
    written = json.dumps(record(snapshot(), "en"), allow_nan=False)
    told = json.loads(written)
    assert set(told) == KEYS
    assert set(told["verdict"]) == {
        "code",
        "severity",
        "since_step",
        "confidence",
        "evidence",
        "advice",
    }
    assert told["verdict"]["severity"] == "critical"
    assert told["verdict"]["evidence"]
    assert told["verdict"]["advice"]
    assert told["history"] == [{"step": 10, "code": "warming_up", "severity": "neutral"}]
    assert told["series"]["train/loss"] == {
        "split": "train",
        "kind": "loss",
        "axis": "step",
        "n": 3,
        "n_nonfinite": 1,
        "first_step": 10,
        "last_step": 30,
        "last": None,
        "min": 1.0,
        "min_step": 20,
    }
    assert told["best"] is None
    assert told["epoch"] is None


def test_the_best_eval_is_told_with_its_checkpoint() -> None:
    told = record(snapshot(best=Best(20, 1.5, "checkpoint-20")), "en")
    assert told["best"] == {"step": 20, "eval_loss": 1.5, "checkpoint": "checkpoint-20"}


def test_two_series_of_one_tag_are_both_told() -> None:
    loss = snapshot().series[0]
    told = record(snapshot(series=(loss, loss)), "en")
    assert list(told["series"]) == ["train/loss", "train/loss (tensorboard)"]


def test_the_text_tells_the_same() -> None:
    text = plain(snapshot(), "en", history=True)
    for part in ("output", "failed", "step 30 of 100", "critical", "line 3", "warming_up"):
        assert part in text, part
    assert max(map(len, text.splitlines())) <= 100


def test_no_control_character_of_a_log_reaches_the_terminal() -> None:
    text = plain(snapshot(name="a\x1b[31mb", errors=("x\x07\r",)), "en", history=False)
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("threshold", "expected"), [("notice", True), ("warning", True), ("critical", True)]
)
def test_a_critical_finding_fails_at_every_threshold(threshold: str, expected: bool) -> None:
    assert fails([snapshot()], threshold) is expected


def test_a_notice_fails_only_where_asked() -> None:
    finding = Finding("plateau", Severity.NOTICE, 1, Confidence.LOW)
    run = snapshot(diagnosis=Diagnosis(finding, (finding,), ()))
    assert [fails([run], word) for word in ("notice", "warning", "critical")] == [
        True,
        False,
        False,
    ]


def test_runs_without_metrics_are_not_told(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing of note\n", encoding="utf-8")
    out = io.StringIO()
    assert check([tmp_path], Config(), out, "json", Style()) == []
    assert out.getvalue() == ""


def test_the_points_are_added_when_asked_for() -> None:
    told = record(snapshot(), "en", points=True)
    assert told["series"]["train/loss"]["points"] == {
        "steps": [10, 20, 30],
        "values": [2.0, 1.0, None],
        "wall_times": [],
    }


def test_histograms_and_images_are_listed_by_name() -> None:
    logged = MediaRecord(40, 0.0, Path("log"), 0, 1)
    one = MediaSeries(MediaKind.IMAGE, "img", "train/img", "tensorboard", (logged,))
    described = record(replace(snapshot(), media=(one,)), "en")
    assert described["media"] == [{"kind": "image", "name": "train/img", "last_step": 40}]
