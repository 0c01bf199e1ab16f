"""The screen in another language: no text of ours is forgotten."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import lossmon
from lossmon.locale import ENGLISH, languages, metric_name, section, translate
from lossmon.monitor.runs import run_state
from lossmon.types import RunState
from lossmon.ui.key_catalogue import catalogue
from lossmon.ui.scene import ScreenConfig
from tests.ui import stage
from tests.ui.screen import rows

UI = Path(lossmon.__file__).parent / "ui"
TRANSLATIONS = [language for language in languages() if language != ENGLISH]


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_text_of_a_view_is_translated(language: str) -> None:
    sources = [path.read_text(encoding="utf-8") for path in UI.rglob("*.py")]
    texts = {
        text for source in sources for text in re.findall(r'\b(?:say|translate)\("([^"]+)"', source)
    }
    assert texts
    assert texts <= section("screen", language).keys()


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_reason_of_a_state_is_translated(language: str) -> None:
    text = Path(run_state.__file__).read_text(encoding="utf-8")
    reasons = set(re.findall(r'return RunState\.\w+, "([^"]+)"', text))
    assert reasons
    assert reasons <= section("screen", language).keys()


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_key_is_explained(language: str) -> None:
    bindings = [one for group in catalogue().values() for one in group]
    assert {one.tooltip for one in bindings} <= section("screen", language).keys()


def test_a_text_without_translation_stays_english() -> None:
    assert translate("CUDA out of memory", "zh") == "CUDA out of memory"


async def test_the_detail_speaks_chinese() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()), config=ScreenConfig(language="zh"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("enter", "M")
        await pilot.pause()
        screen = "\n".join(rows(app))
        for word in ("训练损失", "判定 过拟合", "第 910 步", "m 标记", "e 量程"):
            assert word in screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_machine_without_gpus_is_told_in_chinese(size: tuple[int, int]) -> None:
    run = replace(stage.healthy(), state=RunState.FINISHED, state_reason="according to the log")
    app = stage.app(stage.snapshot(run, hardware=stage.NO_GPU), config=ScreenConfig(language="zh"))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        screen = "\n".join(rows(app))
        assert "本机没有 NVIDIA 驱动" in screen
        assert size[0] > 60 or "日志已说明" in screen


@pytest.mark.parametrize(
    ("name", "chinese"),
    [
        ("learning rate", "学习率"),
        ("eval accuracy", "验证准确率"),
        ("eval easy loss", "验证 easy 损失"),
        ("train loss box reg", "train loss box reg"),
        ("optim/param.weight", "optim/param.weight"),
        ("learning rate group0", "学习率 group0"),
    ],
)
def test_names_of_metrics_are_translated_where_they_are_terms(name: str, chinese: str) -> None:
    assert metric_name(name, "zh") == chinese
    assert metric_name(name, "en") == name
