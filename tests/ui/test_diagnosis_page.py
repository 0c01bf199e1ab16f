from __future__ import annotations

from dataclasses import replace

from lossmon.ui.lines import plain
from lossmon.ui.screens.diagnosis import DiagnosisPage
from tests.ui import stage


async def test_a_warning_stands_without_praise_beside_it() -> None:
    run = stage.overfitting()
    findings = (stage.OVERFITTING, stage.NON_FINITE, stage.HEALTHY)
    run = replace(run, diagnosis=replace(run.diagnosis, findings=findings))
    app = stage.app(stage.snapshot(run))
    async with app.run_test(size=(100, 60)) as pilot:
        await pilot.press("d")
        page = app.screen
        assert isinstance(page, DiagnosisPage)
        also = [plain(line) for line in page.lines(96) if "NOT A NUMBER" in plain(line)]
        assert len(also) == 1
        assert not any("HEALTHY:" in plain(line) for line in page.lines(96))
