"""The user's own pattern for a log that nothing recognises."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lossmon.errors import ConfigError
from lossmon.readers.text.reader import TextReader
from lossmon.readers.text.user_patterns import Pattern

SOUND = r"#(?P<step>\d+)/(?P<total>\d+) <(?P<loss>[\d.]+|nan)>(?: \((?P<eval_loss>[\d.]+)\))?"


def test_named_groups_become_metrics(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("#1/9 <0.5>\nnoise\n#2/9 <0.4> (0.6)\n#3/9 <nan>\n", encoding="utf-8")
    batch = TextReader(path, Pattern(SOUND)).read(time.monotonic() + 60)
    points = {points.tag: points for points in batch.points}
    assert points["loss"].steps.tolist() == [1, 2, 3]
    assert points["eval_loss"].values.tolist() == [0.6]
    assert batch.facts[0].total_steps == 9
    assert len(batch.lines) == 4


def test_lines_that_it_does_not_fit_are_read_as_always(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("#1/9 <0.5>\nstep 2: loss 0.25\n", encoding="utf-8")
    batch = TextReader(path, Pattern(SOUND)).read(time.monotonic() + 60)
    assert batch.points[0].values.tolist() == [0.5, 0.25]


def test_a_pattern_that_backtracks_without_end_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("a" * 60 + "!\nstep 2: loss 0.25\n", encoding="utf-8")
    reader = TextReader(path, Pattern(r"(?P<loss>(a+)+)$"))
    begin = time.monotonic()
    batch = reader.read(begin + 60)
    assert time.monotonic() - begin < 30
    assert batch.points[0].values.tolist() == [0.25]
    assert "took longer" in batch.notes[0]
    assert reader.read(time.monotonic() + 60).notes == ()


@pytest.mark.parametrize("expression", ["(", r"(?P<step>\d+)", r"\d+"])
def test_a_pattern_that_cannot_work_is_a_setting_error(expression: str) -> None:
    with pytest.raises(ConfigError, match="pattern"):
        Pattern(expression)


def test_what_is_no_number_is_left_out() -> None:
    pattern = Pattern(r"(?P<step>\S+) (?P<loss>\S+)")
    found = pattern.find(["x 0.5", "7 high", "7 0.5"])
    pattern.close()
    assert [None if f is None else f[1] for f in found] == [("0.5",), None, ("7", "0.5")]
