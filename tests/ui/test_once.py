"""The screen as text, printed once."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from lossmon.cli import main
from lossmon.config import Config
from lossmon.monitor import LocalSource, MonitorConfig
from lossmon.ui.once import once
from tests.monitor.logs import append, falling


@pytest.fixture
def log(tmp_path: Path) -> Path:
    append(tmp_path / "trainer_log.jsonl", falling(1, 101))
    return tmp_path


class FakeTerminal(io.StringIO):
    """An output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_the_whole_screen_is_printed_with_its_charts(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(log), "--once", "--size", "100x30"]) == 0
    text = capsys.readouterr().out
    assert "HEALTHY" in text
    assert "100/100" in text.replace(" ", "")
    assert len(re.findall("[\u2801-\u28ff]", text)) > 30
    assert "\x1b" not in text
    lines = text.splitlines()
    assert len(lines) == 30
    assert max(map(len, lines)) <= 100
    assert "RAM" in text


def test_several_runs_are_a_table(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (log / "other").mkdir()
    (log / "trainer_log.jsonl").rename(log / "other" / "trainer_log.jsonl")
    (log / "another").mkdir()
    append(log / "another" / "trainer_log.jsonl", falling(1, 51))
    assert main([str(log), "--once", "--no-hardware"]) == 0
    text = capsys.readouterr().out
    assert "other" in text and "another" in text
    assert len(text.splitlines()) == 30


def test_a_terminal_gets_colours(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = FakeTerminal()
    source = LocalSource([log], MonitorConfig(), hardware=False)
    assert once(source, Config(hardware=False), (80, 20), out) == 0
    assert "\x1b[" in out.getvalue()


def test_without_colours_a_terminal_gets_none(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = FakeTerminal()
    source = LocalSource([log], MonitorConfig(), hardware=False)
    once(source, Config(hardware=False), (80, 20), out)
    assert "\x1b" not in out.getvalue()


def test_an_empty_directory_says_what_is_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "--once", "--no-hardware"]) == 0
    assert str(tmp_path)[:20] in capsys.readouterr().out


@pytest.mark.parametrize("size", ["100", "0x0", "10x30", "100x4", "1001x30", "²x³", "axb"])
def test_a_size_that_cannot_be_is_refused(
    log: Path, size: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([str(log), "--once", "--size", size])
    assert end.value.code == 2
    assert "is not a size" in capsys.readouterr().err


def test_a_size_without_once_is_refused(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(log), "--size", "100x30"]) == 2
    assert "--size needs --once" in capsys.readouterr().err
