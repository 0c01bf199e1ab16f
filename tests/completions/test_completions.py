"""Completion scripts in the shells themselves, where they are installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lossmon import commands
from lossmon.cli import main

needs = {
    shell: pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")
    for shell in ("bash", "zsh", "fish", "groff")
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "check list").mkdir()
    (tmp_path / "runs").mkdir()
    return tmp_path


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completions", shell]) == 0
    return capsys.readouterr().out


def run(place: Path, *command: str) -> list[str]:
    ended = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60)
    assert ended.stderr == ""
    return ended.stdout.splitlines()


def in_bash(place: Path, text: str, *words: str) -> list[str]:
    """What bash offers for the last word."""
    (place / "script").write_text(text)
    code = (
        'source ./script; shift; COMP_WORDS=(lossmon "$@"); COMP_CWORD=$(( $# )); _lossmon; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return sorted(run(place, "bash", "--norc", "-c", code, "bash", "", *words))


def in_fish(place: Path, text: str, line: str) -> list[str]:
    """What fish offers at the end of a line, without the descriptions."""
    (place / "script").write_text(text)
    code = f"source ./script; complete -C '{line}'"
    return sorted(one.split("\t")[0] for one in run(place, "fish", "--no-config", "-c", code))


@needs["bash"]
@pytest.mark.parametrize(
    "words, expected",
    [
        (["wat"], ["watch"]),
        (["chec"], ["check", "check list"]),
        (["check", "--format", ""], ["github", "json", "openmetrics", "text", "tmux"]),
        (["check", "--time"], ["--timeout"]),
        (["check", "--timeout", ""], [""]),
        (["check", "ru"], ["runs"]),
        (["--the"], ["--theme"]),
        (["runs", "--charset", "a"], ["ascii", "auto"]),
        (["runs", "che"], ["check list"]),
        (["watch", "--state", "ru"], ["runs"]),
        (["completions", ""], ["bash", "fish", "man", "zsh"]),
        (["config", "ru"], [""]),
    ],
    ids=" ".join,
)
def test_bash_completes(
    place: Path, words: list[str], expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert in_bash(place, script("bash", capsys), *words) == expected


@needs["fish"]
@pytest.mark.parametrize(
    "line, expected",
    [
        ("lossmon wat", ["watch"]),
        ("lossmon check --format ", ["github", "json", "openmetrics", "text", "tmux"]),
        ("lossmon check --timeo", ["--timeout"]),
        ("lossmon check ru", ["runs/"]),
        ("lossmon runs --chars", ["--charset"]),
        ("lossmon check --chars", []),
        ("lossmon completions ", ["bash", "fish", "man", "zsh"]),
    ],
)
def test_fish_completes(
    place: Path, line: str, expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert in_fish(place, script("fish", capsys), line) == expected


@needs["zsh"]
def test_zsh_completes(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The functions of zsh's own completion are replaced by ones that print what they get."""
    (place / "script").write_text(script("zsh", capsys))
    code = (
        "_describe() { print -l -- $commands }; _files() { print files }\n"
        "_arguments() { print -l -- $CURRENT $words[1] $@ }\n"
        "words=(lossmon '') CURRENT=2; source ./script\n"
        "words=(lossmon check --f) CURRENT=3; _lossmon\n"
        "words=(lossmon runs --) CURRENT=3; _lossmon\n"
    )
    lines = run(place, "zsh", "-f", "-c", code)
    for command in commands.COMMANDS:
        assert any(line.startswith(f"{command.name}:") for line in lines)
    assert "files" in lines
    at = lines.index("check")
    assert lines[at - 1] == "2"
    formats = ":FORMAT:(text json github openmetrics tmux)"
    assert any(line.startswith("*--format[") and line.endswith(formats) for line in lines[at:])
    assert any(line.startswith("*--theme[") for line in lines[lines.index("lossmon", at) :])


@needs["groff"]
def test_the_man_page_is_good_troff(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "lossmon.1").write_text(script("man", capsys))
    lines = run(place, "groff", "-man", "-Tutf8", "-P-c", "-ww", "-rLL=120n", "lossmon.1")
    text = re.sub(".\b", "", "\n".join(lines))
    for command in commands.COMMANDS:
        assert f"lossmon {command.name}" in text
    assert "exit status" in text


def test_the_man_page_has_every_flag(capsys: pytest.CaptureFixture[str]) -> None:
    text = script("man", capsys).replace(r"\-", "-")
    for command in commands.COMMANDS:
        for action in commands.module(command.name).parser()._actions:
            assert all(flag in text for flag in action.option_strings)


def test_a_backslash_and_a_dot_stay_what_they_are() -> None:
    from lossmon.completions.man import _text

    assert _text(".\\x-é") == r"\&.\ex\-\[u00E9]"
