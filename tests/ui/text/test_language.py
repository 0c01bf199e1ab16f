"""The screen in Chinese: no word of ours is forgotten."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import lossmon
from lossmon.monitor import run_state
from lossmon.types import Snapshot
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.text.language import CHINESE, say
from tests.ui import stage
from tests.ui.test_app_sizes import rows

UI = Path(lossmon.__file__).parent / "ui"


def test_every_word_that_a_view_says_is_translated() -> None:
    texts = [path.read_text(encoding="utf-8") for path in UI.rglob("*.py")]
    said = {word for text in texts for word in re.findall(r'\bsay\("([^"]+)"\)', text)}
    assert said
    assert said <= set(CHINESE)


def test_every_reason_of_a_state_is_translated() -> None:
    text = Path(run_state.__file__).read_text(encoding="utf-8")
    reasons = set(re.findall(r'return State\.\w+, "([^"]+)"', text))
    assert reasons
    assert reasons <= set(CHINESE)


def test_every_key_is_explained_in_chinese() -> None:
    bindings = stage.app(Snapshot()).all_bindings
    assert [one.tooltip for one in bindings if one.tooltip not in CHINESE] == []


def test_what_has_no_translation_stays() -> None:
    assert say("CUDA out of memory", "zh") == "CUDA out of memory"
    assert say("running", "en") == "running"


async def test_the_detail_speaks_chinese() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()), config=ScreenConfig(language="zh"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("enter", "M")
        await pilot.pause()
        screen = "\n".join(rows(app))
        for word in ("训练损失", "判定 过拟合", "步 910", "m 标记", "e 量程"):
            assert word in screen


@pytest.mark.parametrize("size", [(40, 15), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_machine_without_gpus_is_told_in_chinese(size: tuple[int, int]) -> None:
    run = replace(stage.healthy(), state_reason="the log says so")
    app = stage.app(stage.snapshot(run, hardware=stage.NO_GPU), config=ScreenConfig(language="zh"))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        screen = "\n".join(rows(app))
        assert "本机没有 NVIDIA 驱动" in screen
        assert size[0] > 60 or "日志已说明" in screen
