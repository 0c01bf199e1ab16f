from __future__ import annotations

import os
from pathlib import Path

import pytest

from lossmon.cli import main
from lossmon.config import load
from lossmon.errors import ConfigError, ThemeError
from lossmon.toml import LARGEST, TomlError, read_toml
from lossmon.ui.theme.theme import load_theme


def fifo(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def directory(path: Path) -> None:
    path.mkdir()


FAULTS = {
    "a pipe": (fifo, "not a regular file"),
    "a device": (device, "not a regular file"),
    "a directory": (directory, "Is a directory"),
    "too large": (lambda path: path.write_bytes(b"#" * (LARGEST + 1)), "larger than 256 KiB"),
    "no text": (lambda path: path.write_bytes(b"a = '\xff'"), "is not UTF-8"),
    "no TOML": (lambda path: path.write_text("a = "), "not valid TOML: Invalid value"),
    "many digits": (lambda path: path.write_text("a = " + "9" * 5000), "not valid TOML"),
    "many dots": (lambda path: path.write_text("a." * 20_000 + "a = 1"), "more than 100 dots"),
    "broken link": (lambda path: path.symlink_to(path.with_name("gone")), "broken symbolic link"),
    "a loop": (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
    "deep": (lambda path: path.write_text("a = " + "[" * 20_000 + "]" * 20_000), "too deeply"),
}
"""How a file may be wrong, and what is said of it."""


@pytest.fixture(params=FAULTS.values(), ids=FAULTS)
def fault(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    make, word = request.param
    path = tmp_path / "wrong.toml"
    make(path)
    return path, word


def test_what_is_not_a_toml_file_is_refused_with_a_reason(fault: tuple[Path, str]) -> None:
    path, word = fault
    with pytest.raises(TomlError, match=word):
        read_toml(path)


def test_settings_and_themes_say_which_file_it_is(fault: tuple[Path, str]) -> None:
    path, word = fault
    with pytest.raises(ConfigError, match=rf"wrong\.toml: .*{word}"):
        load(path, {}, {})
    with pytest.raises(ThemeError, match=rf"wrong\.toml: .*{word}"):
        load_theme(path)


def test_wrong_settings_end_the_program_with_status_2(
    fault: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = fault
    assert main(["check", "--config", str(path), str(path.parent)]) == 2
    assert str(path) in capsys.readouterr().err


def test_settings_in_their_usual_place_are_never_passed_over(
    fault: tuple[Path, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, _ = fault
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "lossmon").mkdir()
    path.rename(tmp_path / "lossmon" / "config.toml")
    assert main(["config"]) == 2
    assert "config.toml: " in capsys.readouterr().err


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "windows.toml"
    path.write_text("a = 1", encoding="utf-8-sig")
    assert read_toml(path) == {"a": 1}


def test_a_missing_file_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_toml(tmp_path / "none.toml")


def test_a_link_to_a_file_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text("a = 1")
    (tmp_path / "link.toml").symlink_to("real.toml")
    assert read_toml(tmp_path / "link.toml") == {"a": 1}
