"""The doctor, on machines that a test makes up."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from lossmon.cli import main
from lossmon.config import Config
from lossmon.doctor import CheckResult, Level, bad, good, note
from lossmon.doctor import paths as path_checks
from lossmon.doctor.examination import examine, write
from lossmon.doctor.machine import check_terminal, examine_gpus, examine_terminal
from lossmon.doctor.paths import check_events, check_paths
from lossmon.doctor.setup import (
    check_directories,
    check_errors,
    check_extras,
    check_settings,
    extras,
)
from lossmon.errors import ConfigError
from lossmon.types import GpuReading, HardwareReading


def levels(results: Iterable[CheckResult]) -> list[str]:
    """`good terminal` and the like; what is not good says what to do."""
    found = list(results)
    assert all(one.remedy for one in found if one.level is not Level.GOOD)
    return [f"{one.level} {one.subject}" for one in found]


def test_it_examines_this_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    for subject in ("version", "terminal", "settings", "file events", "GPUs", "error log"):
        assert subject in printed
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_not_there_is_bad(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", str(tmp_path / "none")]) == 1
    assert "is not there" in capsys.readouterr().out


def test_a_wrong_setting_is_bad(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[alerts.webhook]\nurl = "nowhere"\n')
    assert main(["doctor", str(tmp_path), "--config", str(file)]) == 1
    assert "is not an http or https address" in capsys.readouterr().out


@pytest.mark.parametrize(
    "variables, size, expected",
    [
        (
            {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"},
            (120, 40),
            ["good terminal", "good characters", "good colours"],
        ),
        (
            {"TERM": "vt100", "LANG": "C"},
            (30, 5),
            ["note terminal", "note characters", "note colours"],
        ),
        (
            {"TERM": "tmux-256color", "TMUX": "x", "NO_COLOR": "1", "LANG": "C.UTF-8"},
            (80, 24),
            ["good terminal", "good characters", "note colours", "good tmux"],
        ),
        (
            {"TERM": "xterm-256color", "LANG": "C.UTF-8"},
            (80, 24),
            ["good terminal", "good characters", "note colours"],
        ),
    ],
)
def test_a_terminal_is_known_by_its_variables(
    variables: dict[str, str], size: tuple[int, int], expected: list[str]
) -> None:
    assert levels(examine_terminal(variables, size)) == expected


@pytest.mark.parametrize(
    "watches, instances, remedy",
    [
        ("65536", "128", ""),
        ("4096", "128", "max_user_watches"),
        ("65536", "16", "max_user_instances"),
    ],
)
def test_low_limits_of_file_events_are_named(
    tmp_path: Path, watches: str, instances: str, remedy: str
) -> None:
    (tmp_path / "max_user_watches").write_text(watches + "\n")
    (tmp_path / "max_user_instances").write_text(instances + "\n")
    (found,) = check_events([], tmp_path)
    assert (found.level is Level.GOOD) is not bool(remedy)
    assert remedy in found.remedy


def test_without_inotify_files_are_polled(tmp_path: Path) -> None:
    assert levels(check_events([], tmp_path)) == ["note file events"]


def test_a_network_file_system_is_polled_and_its_clock_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path_checks, "file_system", lambda path: "nfs4")
    (found,) = check_paths([tmp_path])
    assert found.level is Level.GOOD
    assert "nfs4, a network file system: files are polled" in found.text
    assert list(tmp_path.iterdir()) == []
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 90)
    _, clock = check_paths([tmp_path])
    assert clock.level is Level.NOTE
    assert "90 s behind this machine" in clock.text
    assert list(tmp_path.iterdir()) == []


def test_a_slow_file_system_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path_checks, "file_system", lambda path: "nfs4")
    monkeypatch.setattr(path_checks, "_cost", lambda path: 0.05)
    assert levels(check_paths([tmp_path])) == [f"note {tmp_path}"]


def test_files_from_the_future_tell_of_another_clock(tmp_path: Path) -> None:
    ahead = time.time() + 600
    (tmp_path / "log").touch()
    os.utime(tmp_path / "log", (ahead, ahead))
    _, clock = check_paths([tmp_path])
    assert "600 s ahead of this machine" in clock.text


def test_the_driver_is_read_from_its_readings() -> None:
    a100 = GpuReading(0, "A100")
    assert examine_gpus(HardwareReading((a100,))).level is Level.GOOD
    lost = examine_gpus(HardwareReading((a100, GpuReading(1, "A100", lost=True))))
    assert "GPU 1 does not answer" in lost.text
    assert examine_gpus(HardwareReading(note="no driver")).level is Level.NOTE
    assert "has not answered" in examine_gpus(HardwareReading()).text


def test_extras_are_read_from_the_metadata() -> None:
    found = extras(
        [
            "textual>=8.2,<9",
            'apprise<3,>=1.8; extra == "notify"',
            'fsspec>=2024; extra == "remote"',
            "paramiko; python_version >= \"3.11\" and extra == 'remote'",
        ]
    )
    assert found == {"notify": ["apprise"], "remote": ["fsspec", "paramiko"]}
    assert all("extra " in line for line in levels(check_extras()))


def test_an_extra_that_is_missing_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ['no-such-distribution; extra == "toy"']
    monkeypatch.setattr("importlib.metadata.requires", lambda name: needed)
    (found,) = check_extras()
    assert found.level is Level.NOTE
    assert "pip install 'lossmon[toy]'" in found.remedy


def test_alert_channels_are_named() -> None:
    config = Config(alerts={"exec": {"command": "true"}})
    settings, alerts = check_settings(lambda: config)
    assert (settings.text, alerts.level) == ("no settings file: the defaults are used", Level.GOOD)
    assert alerts.text.startswith("exec;")


def test_settings_that_cannot_be_read_are_bad() -> None:
    def broken() -> Config:
        raise ConfigError("config.toml: is not TOML")

    assert levels(check_settings(broken)) == ["bad settings"]


def test_a_directory_that_cannot_be_written_is_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "new" / "cache"))
    assert levels(check_directories())[1:] == ["note state directory", "good cache directory"]
    assert not (tmp_path / "new").exists()


def test_what_lies_in_a_closed_directory_is_no_error_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = os.stat

    def denied(path: str, **flags: Any) -> os.stat_result:
        if f"{tmp_path}/" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return look(path, **flags)

    monkeypatch.setattr(os, "stat", denied)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert "state directory" in " ".join(levels(check_directories()))
    [found] = check_paths([tmp_path / "run"])
    assert (found.level, found.finding) == (Level.BAD, "may not be read")


def test_files_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.log").write_text("step 1 | loss 2.5\nstep 2 | loss 2.0\n")
    events = tmp_path / "events.out.tfevents.1.host"
    events.write_bytes(b"\x18" + bytes(7) + b"corrupt." * 9)
    os.utime(events, (1.7e9, 1.7e9))
    os.mkfifo(pipe := tmp_path / "eval.log")
    said = [f"{pipe}: not a regular file, left alone", f"{events}: record header at byte 0"]
    found = [one for one in check_paths([tmp_path]) if one.subject == "files"]
    assert [one.values["fault"][: len(text)] for one, text in zip(found, said, strict=True)] == said
    monkeypatch.setattr(path_checks, "MOST_FAULTS", 1)
    assert list(check_paths([tmp_path]))[-1].values == {"count": "1"}
    assert main(["check", str(tmp_path)]) == 0
    assert said[0] in capsys.readouterr().err


def test_a_full_disk_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossmon.doctor.setup.NEEDED", 1 << 80)
    assert levels(check_directories())[1] == "note state directory"


def test_a_journal_on_a_network_file_system_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossmon.doctor.setup.file_system", lambda path: "nfs4")
    assert "note state directory" in levels(check_directories())


def test_errors_are_counted_and_the_last_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "errors.log"
    assert levels(check_errors(file)) == ["good error log"]
    file.write_text(
        "2026-01-01 12:00:00,000 17 internal error\nTraceback (most recent call last):\n"
        '  File "x.py", line 1, in f\nValueError: \x1b[31mfirst\n'
        "2026-01-02 12:00:00,000 17 internal error\nTraceback (most recent call last):\n"
        "KeyError: 'second'\n"
    )
    (found,) = check_errors(file)
    assert found.text.startswith("2 in ")
    assert found.text.endswith("the last: KeyError: 'second'")
    file.write_text("")
    assert levels(check_errors(file)) == ["good error log"]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "directory"])
def test_a_log_of_errors_that_is_none_is_not_waited_for(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    make(tmp_path / "errors.log")
    assert levels(check_errors(tmp_path / "errors.log")) == ["note error log"]


def test_a_check_that_fails_itself_costs_only_its_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def broken() -> Config:
        raise ZeroDivisionError

    found = list(examine([tmp_path], broken))
    assert [one.subject for one in found if "ZeroDivisionError" in one.text] == ["doctor"]
    assert found[-1].subject == "error log"


@pytest.mark.parametrize("encoding, mark", [("utf-8", "✖"), ("ascii", "x")])
def test_the_marks_fit_the_output(encoding: str, mark: str) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace")
    assert not write(iter([good("a", "b"), note("c", "d", "e"), bad("f", "g\x1b", "h")]), out, "en")
    out.seek(0)
    text = out.read()
    assert mark in text
    assert "\x1b" not in text


def test_the_doctor_speaks_chinese(tmp_path: Path) -> None:
    out = io.StringIO()
    found = [*check_terminal(), *check_paths([tmp_path / "missing"]), *check_settings(Config)]
    assert not write(iter(found), out, "zh")
    assert "* 终端  " in out.getvalue() and " 不存在" in out.getvalue()
    assert "没有配置文件，使用默认值" in out.getvalue()


def test_the_faults_of_files_are_said_in_the_language_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"SQLite format 3\0" + b"\1" * 9000)
    (found,) = (one for one in check_paths([tmp_path]) if one.subject == "files")
    assert found.say(found.finding, "zh").endswith(("损坏", "不是数据库文件"))
