from __future__ import annotations

from pathlib import Path

from lossmon.commands.demo import CASES
from lossmon.demo.cards import end_card, opening_card
from tests.ui import stage


def test_the_opening_card_says_what_shows_and_when() -> None:
    assert opening_card(["nan"], 2.0, "en").startswith("demo: NaN LOSS shows within 8 s: a float16")
    assert "within 1 s" in opening_card(["nan"], 200.0, "en")
    assert opening_card(["nan"], 0.0, "en").startswith("demo: NaN LOSS: a float16")
    assert "9 trainings side by side" in opening_card(CASES, 1.0, "en")


def test_the_end_card_has_the_verdict_and_where_the_logs_are() -> None:
    lines = list(end_card([stage.overfitting()], Path("kept"), "en"))
    assert lines[1].lstrip().startswith("sft-qwen-7b: OVERFITTING")
    assert lines[-1] == "Saved in kept; `lossmon kept` shows it again."
    assert list(end_card([], None, "zh"))[-1] != list(end_card([], None, "en"))[-1]
