"""`lossmon watch` as a process that is killed, on runs that grow and a clock that a test moves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lossmon.alerts import watching
from lossmon.alerts.pacing import GATHER, GATHER_STALLED
from lossmon.cli import main
from lossmon.monitor.follow import Follower
from tests.monitor.logs import append, falling, record

WATCH = """
import os, sys
from pathlib import Path
from lossmon.alerts.channels.program import ExecCommand
from lossmon.alerts.channels.terminal import Printed
from lossmon.alerts.journal import AlertJournal
from lossmon.alerts.sender import ChannelConfig
from lossmon.alerts.settings import AlertSettings, Selection
from lossmon.alerts.watching import watch
from lossmon.monitor import MonitorConfig
from lossmon.types import Severity

base = Path(sys.argv[1])


class Marking(AlertJournal):
    # Says in a file what was marked as sent: what a kill cuts off before that is sent again.

    def mark_sent(self, channel, ids, now):
        super().mark_sent(channel, ids, now)
        with (base / f"{channel}.marked").open("a") as marked:
            marked.write("".join(f"{one}\\n" for one in ids))


clock = lambda: os.stat(base / "clock").st_mtime
channels = (
    ChannelConfig("exec", ExecCommand(["tee", "-a", str(base / "exec")])),
    ChannelConfig("print", Printed(json=True), paced=False),
)
watch(
    [base / "runs"],
    MonitorConfig(),
    AlertSettings(Selection(frozenset(), Severity.WARNING), channels),
    Marking(base / "journal.sqlite", clock()),
    clock=clock,
    heartbeat=0.02,
)
"""
"""A watch whose clock is the time of a file."""


class Watch:
    """A watch in a process of its own, and the runs that it watches."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.process: subprocess.Popen[bytes] | None = None
        self.now = time.time()
        (base / "clock").touch()
        self.advance(0)

    def start(self) -> None:
        with (self.base / "print").open("ab") as printed:
            self.process = subprocess.Popen(
                [sys.executable, "-c", WATCH, str(self.base)], stdout=printed
            )

    def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(20)

    def advance(self, seconds: float) -> None:
        self.now += seconds
        os.utime(self.base / "clock", (self.now, self.now))

    def log(self, name: str, lines: list[str]) -> None:
        file = self.base / "runs" / name / "trainer_log.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        append(file, lines)
        os.utime(file, (self.now, self.now))

    def alerts(self, file: str) -> Counter[tuple[str, str]]:
        """How often each run and code was sent to a channel."""
        path = self.base / file
        lines = path.read_text().splitlines() if path.exists() else []
        events = [json.loads(line)["event"] for line in lines]
        return Counter(
            (Path(one["path"]).name, event["code"]) for event in events for one in event["runs"]
        )

    def wait(self, file: str, *expected: tuple[str, str]) -> None:
        """Wait until a channel has got some alerts, and check that it got each once."""
        assert until(lambda: self.alerts(file).keys() >= {*expected}), self.alerts(file)
        assert until(lambda: len(self.marked(file)) >= len(expected)), self.marked(file)
        assert self.alerts(file) == Counter(expected)

    def marked(self, file: str) -> list[str]:
        """The alerts that the journal knows as sent."""
        path = self.base / f"{file}.marked"
        return path.read_text().splitlines() if path.exists() else []


def until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        threading.Event().wait(0.02)
    return condition()


def not_a_number(start: int, stop: int) -> list[str]:
    return [record(step, 10_000, loss=float("nan")) for step in range(start, stop)]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    one = Watch(tmp_path)
    yield one
    if one.process is not None and one.process.poll() is None:
        one.end()


def test_each_alert_is_sent_exactly_once_though_the_watch_is_killed_twice(watch: Watch) -> None:
    for name in ("a", "b", "c"):
        watch.log(name, falling(1, 101, 10_000))
    watch.start()
    watch.log("a", not_a_number(101, 120))
    watch.wait("print", ("a", "non_finite"))
    # It is known and not yet sent by the channel that waits for others.
    assert watch.alerts("exec") == Counter()
    watch.end()

    watch.log("b", not_a_number(101, 120))
    watch.start()
    watch.wait("print", ("a", "non_finite"), ("b", "non_finite"))
    watch.advance(GATHER)
    watch.wait("exec", ("a", "non_finite"), ("b", "non_finite"))

    watch.advance(1000)
    silent = [(name, "stalled") for name in "abc"]
    watch.wait("print", ("a", "non_finite"), ("b", "non_finite"), *silent)
    watch.end()
    watch.start()
    watch.advance(GATHER_STALLED)
    everything = (("a", "non_finite"), ("b", "non_finite"), *silent)
    watch.wait("exec", *everything)
    (group,) = [
        json.loads(line)["event"]
        for line in (watch.base / "exec").read_text().splitlines()
        if "stalled" in json.loads(line)["event"]["code"]
    ]
    assert group["count"] == 3
    assert watch.end(signal.SIGTERM) == 0
    watch.wait("print", *everything)


def test_the_command_watches_until_it_is_asked_to_end(tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = ["watch", str(run), "--json", "--state", str(tmp_path / "journal")]
    stop = ["--stop-file", "{path}/STOP", "--patience", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "lossmon", *command, *stop],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        assert f"watching {run}; alerts are printed" in process.stderr.readline()
        assert f"{run} does not exist yet, and is waited for" in process.stderr.readline()
        run.mkdir()
        append(run / "trainer_log.jsonl", [*falling(1, 51, 10_000), *not_a_number(51, 70)])
        codes = {json.loads(process.stdout.readline())["event"]["code"] for _ in range(2)}
        assert codes == {"non_finite", "stopped"}
        assert (run / "STOP").exists()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def test_a_second_watch_of_the_same_paths_is_refused(
    watch: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    watch.log("a", [*falling(1, 51, 10_000), *not_a_number(51, 70)])
    watch.start()
    watch.wait("print", ("a", "non_finite"))
    journal = str(watch.base / "journal.sqlite")
    assert main(["watch", str(watch.base / "runs"), "--state", journal]) == 2
    assert "another lossmon watches these paths" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--on", "doom"], "alerts on 'doom'"),
        (["--signal", "TERM"], "--signal needs --pid"),
        (["--stop-on", "diverging"], "--stop-on needs --stop-file or --pid"),
        (["--stop-file", "x", "--stop-on", "doom"], "--stop-on 'doom'"),
        (["--pid", "1", "--signal", "DOOM"], "--signal: 'DOOM' is not a signal"),
        (["--pid", "999999999"], "--pid 999999999"),
        (["--exec", ""], "--exec: command is empty"),
        (["--webhook", "nowhere"], "is not an http or https address"),
    ],
)
def test_a_wrong_argument_is_said(
    tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    state = ["--state", str(tmp_path / "journal")]
    assert main(["watch", str(tmp_path), *state, *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_test_alert_goes_to_every_channel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["notify", "--test", "--exec", f"tee {out}", "--exec", "false"]) == 1
    assert json.loads(out.read_text())["event"]["code"] == "test"
    printed = capsys.readouterr().out
    assert "exec: sent" in printed
    assert "exec-2: failed: false ended with status 1" in printed


def test_without_a_channel_there_is_nothing_to_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["notify", "--test"]) == 2
    assert "no alert channel" in capsys.readouterr().err


def test_a_watch_ends_though_its_file_system_hangs_and_an_error_ends_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs, follower = threading.Event(), Follower([tmp_path])
    with pytest.raises(OSError, match="gone"):
        watching._follow_until_ended(lambda: (_ for _ in ()).throw(OSError("gone")), follower)
    monkeypatch.setattr(watching, "PATIENCE", 0.05)

    def follow() -> None:
        follower.stop()
        hangs.wait()

    watching._follow_until_ended(follow, follower)
    hangs.set()
