"""The diagnosis page: what stands on it beside the verdict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lossmon.types import Best, Forecast, Kind, Meaning, RunSnapshot, Split
from lossmon.ui.scene import Scene
from lossmon.ui.screens.diagnosis import DiagnosisScreen
from lossmon.ui.text.lines import plain
from tests.ui import stage


def shown(run: RunSnapshot, language: str = "en") -> str:
    page = DiagnosisScreen()
    page.scene = Scene(snapshot=stage.snapshot(run), now=stage.NOW, language=language)
    return "\n".join(plain(line).rstrip() for line in page.lines(110))


def test_next_begins_with_the_stop_and_ends_with_the_weights_to_take() -> None:
    kept = ((640, "checkpoint-640"),)
    run = replace(stage.overfitting(), best=Best(700, 1.382), checkpoints=kept)
    text = shown(run)
    assert "Next             1. Stop now: this saves 1,760 steps (13 m)." in text
    assert "best: eval 1.382 at step 700, checkpoint-640, 60 steps before the best" in text
    assert "现在停止可节省 1,760 步" in shown(run, "zh")


def test_the_task_metric_stands_beside_the_evidence() -> None:
    meaning = Meaning("eval/accuracy", "eval accuracy", Split.EVAL, Kind.METRIC, "", False)
    values = np.array([*np.linspace(0.5, 0.78, 15), *[0.768] * 9])
    run = stage.overfitting()
    accuracy = stage.series(meaning, np.arange(50, 1201, 50), values)
    text = shown(replace(run, series=(*run.series[:2], accuracy)))
    assert (
        "Metric           eval accuracy 0.768, best 0.78 at step 750: loss and metric agree" in text
    )
    assert text.index("Why") < text.index("Metric") < text.index("Meaning")


def test_the_forecast_is_told_where_there_is_one() -> None:
    run = stage.healthy()
    told = replace(run, diagnosis=replace(run.diagnosis, forecast=Forecast(0.41, 0.38, 0.45, 2400)))
    assert (
        "Forecast         expected final loss 0.41 (0.38–0.45); flattens near step 2,400"
        in shown(told)
    )
    assert "Forecast" not in shown(run)


def test_a_narrow_page_drops_whole_words_beside_the_verdict() -> None:
    page = DiagnosisScreen()
    page.scene = Scene(snapshot=stage.snapshot(stage.overfitting()), now=stage.NOW)
    assert plain(page.lines(36)[0]).rstrip() == "▐▲ OVERFITTING ▌   since step 910"


def test_no_number_changes_by_rounding_alone() -> None:
    page, run = DiagnosisScreen(), stage.healthy()
    verdict = run.diagnosis.verdict
    seen = set()
    for loss in (0.516, 0.517, 0.515):
        facts = {**verdict.facts, "level": loss}
        diagnosis = replace(run.diagnosis, verdict=replace(verdict, facts=facts))
        snapshot = stage.snapshot(replace(run, diagnosis=diagnosis))
        page.scene = Scene(snapshot=snapshot, now=stage.NOW)
        seen.add(next(text for line in page.lines(110) if (text := plain(line)).startswith("Why")))
    assert len(seen) == 1


async def test_a_warning_stands_without_praise_beside_it() -> None:
    run = stage.overfitting()
    findings = (stage.OVERFITTING, stage.NON_FINITE, stage.HEALTHY)
    run = replace(run, diagnosis=replace(run.diagnosis, findings=findings))
    app = stage.app(stage.snapshot(run))
    async with app.run_test(size=(100, 60)) as pilot:
        await pilot.press("d")
        page = app.screen
        assert isinstance(page, DiagnosisScreen)
        also = [plain(line) for line in page.lines(96) if "NaN LOSS" in plain(line)]
        assert len(also) == 1
        assert not any("HEALTHY:" in plain(line) for line in page.lines(96))


def test_where_there_are_outputs_the_next_step_is_to_look_at_them() -> None:
    assert "Look at the outputs (u)." in shown(stage.answered())
    assert "请看模型输出（u）。" in shown(stage.answered(), "zh")
    assert "(u)" not in shown(stage.overfitting())
