"""Channels on what they really talk to: a process, a terminal, a tmux server."""

from __future__ import annotations

import json
import os
import pty
import shutil
import stat
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lossmon.alerts.alert import Message
from lossmon.alerts.channels import ChannelError, program
from lossmon.alerts.channels.program import DesktopNotification, ExecCommand, TmuxMessage, literal
from lossmon.alerts.channels.terminal import Printed, sequence, write_to_terminal
from tests.alerts.messages import ONE, WORD, hostile
from tests.alerts.test_journal import alert


def script(directory: Path, text: str) -> Path:
    """An executable shell script."""
    file = directory / "program"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def test_a_command_gets_one_line_of_json_and_no_shell(tmp_path: Path) -> None:
    out = tmp_path / "out $(id)"
    ExecCommand(["tee", str(out)]).send(ONE)
    (line,) = out.read_text().splitlines()
    assert json.loads(line)["event"]["code"] == "diverging"


def test_a_text_is_split_as_a_shell_would(tmp_path: Path) -> None:
    ExecCommand(f"tee '{tmp_path}/two words'").send(ONE)
    assert (tmp_path / "two words").exists()


@pytest.mark.parametrize(
    "command, reason",
    [
        (["/none/such"], "/none/such cannot be run: No such file"),
        (["sh", "-c", "echo it broke >&2; exit 3"], "sh ended with status 3: it broke"),
        (["sh", "-c", "kill -9 $$"], "sh ended with status -9"),
        (["sh", "-c", "printf '\\033[31m'; exit 1"], "status 1:  [31m"),
    ],
    ids=["missing", "status", "killed", "hostile"],
)
def test_why_a_command_failed_is_said(command: list[str], reason: str) -> None:
    with pytest.raises(ChannelError) as failure:
        ExecCommand(command).send(ONE)
    assert reason in str(failure.value)


def test_a_command_that_takes_too_long_is_killed_with_all_it_started(tmp_path: Path) -> None:
    file = script(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child; wait")
    with pytest.raises(ChannelError, match=r"did not end within 0\.5 s"):
        ExecCommand([str(file)], timeout=0.5).send(ONE)
    child = int((tmp_path / "child").read_text())
    assert gone(child)


def gone(pid: int) -> bool:
    """Whether a process is gone, or dead and not yet taken by init."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
    return False


def test_what_a_command_leaves_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    file = script(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child")
    ExecCommand([str(file)], timeout=30.0).send(ONE)
    os.kill(int((tmp_path / "child").read_text()), 9)


def test_a_command_that_does_not_read_holds_up_nothing() -> None:
    large = replace(alert(), record={"series": "x" * (1 << 20)})
    ExecCommand(["true"]).send(Message((large,)))


def test_the_end_of_a_long_output_is_kept() -> None:
    output = program.run_program(["sh", "-c", "yes | head -c 100000; echo end"], "", 30.0)
    assert len(output) == program.OUTPUT
    assert output.endswith("end\n")


def test_the_desktop_is_notified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = script(tmp_path, f'printf "%s\\n" "$@" > {tmp_path}/arguments')
    file.rename(tmp_path / "notify-send")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    DesktopNotification().send(hostile("--help <b>"))
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert arguments[:4] == [
        "--app-name=lossmon",
        "--urgency=critical",
        "--",
        f"--help <b>: {WORD}",
    ]


def test_without_notify_send_the_reason_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ChannelError, match="notify-send cannot be run"):
        DesktopNotification().send(ONE)


def test_the_bell_reaches_the_terminal() -> None:
    ours, theirs = pty.openpty()
    try:
        write_to_terminal("\a", os.ttyname(theirs))
        assert os.read(ours, 10) == b"\a"
    finally:
        os.close(ours)
        os.close(theirs)


def test_without_a_terminal_the_reason_is_said(tmp_path: Path) -> None:
    with pytest.raises(ChannelError, match="no terminal"):
        write_to_terminal("\a", str(tmp_path / "none"))


@pytest.mark.parametrize(
    "variables, begin, end",
    [
        ({"TERM": "xterm-kitty"}, f"\x1b]9;a: {WORD}: ", "\a"),
        ({"TERM": "foot"}, f"\x1b]777;notify;a: {WORD};", "\a"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7200"}, "\x1b]777;notify;", "\a"),
        ({"TERM_PROGRAM": "ghostty"}, "\x1b]777;notify;", "\a"),
        ({"TERM": "tmux", "TMUX": "x"}, "\x1bPtmux;\x1b\x1b]9;a: ", "\a\x1b\\"),
    ],
)
def test_the_sequence_is_one_that_the_terminal_knows(
    variables: dict[str, str], begin: str, end: str
) -> None:
    text = sequence(ONE, "auto", variables)
    assert text.startswith(begin)
    assert text.endswith(end)


def test_a_name_cannot_end_the_sequence() -> None:
    for which in ("9", "777"):
        text = sequence(hostile("a\a\x1b\\;b"), which, {})
        assert text.count("\a") == 1
        assert text.count("\x1b") == 1
    assert sequence(hostile("a;b"), "777", {}).count(";") == 3


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_a_client_of_tmux_shows_the_message_as_it_is(tmp_path: Path) -> None:
    """What tmux would expand, or run, is shown."""
    socket = f"lossmon-test-{os.getpid()}"
    tmux = ["tmux", "-L", socket, "-f", "/dev/null"]
    channel = TmuxMessage(seconds=0, socket=socket)
    subprocess.run([*tmux, "new-session", "-d", "-n", "watched", "sleep 600"], check=True)
    try:
        with pytest.raises(ChannelError, match="no client is attached"):
            channel.send(ONE)
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (10, 120))
        client = subprocess.Popen(
            [*tmux, "attach"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm"},
            start_new_session=True,
        )
        shown = reader(ours)
        assert until(lambda: b"watched" in shown()), shown()
        channel.send(hostile(f"#(touch {tmp_path}/owned) #S 41% %H"))
        expected = f"lossmon: #(touch {tmp_path}/owned) #S 41% %H: {WORD}".encode()
        assert until(lambda: expected[:60] in shown()), shown()
        assert not (tmp_path / "owned").exists()
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
        client.wait()
        os.close(theirs)


def reader(handle: int) -> Callable[[], bytes]:
    """Everything that a terminal has shown so far, read by a thread until it is closed."""
    shown = bytearray()

    def read() -> None:
        try:
            while data := os.read(handle, 4096):
                shown.extend(data)
        except OSError:
            os.close(handle)

    threading.Thread(target=read, daemon=True).start()
    return lambda: bytes(shown)


def until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        threading.Event().wait(0.02)
    return condition()


def test_what_tmux_would_expand_is_doubled() -> None:
    assert literal("#S %H") == "##S %%H"


@pytest.mark.parametrize("as_json", [False, True])
def test_alerts_are_printed_one_per_line(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    Printed(json=as_json).send(ONE)
    (line,) = capsys.readouterr().out.splitlines()
    if as_json:
        assert json.loads(line)["run"] == "a"
    else:
        assert f"critical  a: {WORD}" in line


def test_an_output_that_is_gone_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with open(theirs, "w") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        with pytest.raises(ChannelError, match="standard output"):
            Printed().send(ONE)
        monkeypatch.undo()
        with pytest.raises(OSError):
            gone.close()
