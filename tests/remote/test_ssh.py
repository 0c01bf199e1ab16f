"""Runs on a host behind a real SSH server."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lossmon.cli import main
from lossmon.config import Config
from lossmon.errors import ConfigError
from lossmon.remote import source as module
from lossmon.remote.source import RemoteSource, open_source
from tests.monitor.logs import append, falling
from tests.services.program import PATIENCE, Program, wait_until
from tests.services.sshd import SshServer


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshServer]:
    server = SshServer(tmp_path / "ssh")
    monkeypatch.setenv("LOSSMON_SSH", server.command)
    monkeypatch.setattr(module, "INTERVAL", 0.1)
    monkeypatch.setattr(module, "SHARE", 0.5)
    yield server
    server.stop()


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        append(tmp_path / "runs" / name / "trainer_log.jsonl", falling(1, 51))
    return tmp_path / "runs"


def opened(runs: Path) -> RemoteSource:
    return open_source(f"ssh://trainbox{runs}", Config(), threading.Event())


def steps(source: RemoteSource) -> dict[str, int | None]:
    return {run.name: run.step for run in source.drain().runs}


def test_runs_grow_and_come_and_survive_a_lost_connection(server: SshServer, runs: Path) -> None:
    source = opened(runs)
    try:
        assert steps(source) == {"a": 50, "b": 50}
        assert [str(run.path) for run in source.poll(1.0).runs] == [
            f"trainbox:{runs}/a",
            f"trainbox:{runs}/b",
        ]
        append(runs / "a" / "trainer_log.jsonl", falling(51, 61))
        (runs / "c").mkdir()
        append(runs / "c" / "trainer_log.jsonl", falling(1, 11))
        wait_until(lambda: steps(source) == {"a": 60, "b": 50, "c": 10}, "the new points")
        server.stop()
        wait_until(lambda: source.poll(1.0).notes, "the loss of the connection")
        assert steps(source) == {"a": 60, "b": 50, "c": 10}
        append(runs / "a" / "trainer_log.jsonl", falling(61, 71))
        server.start()
        wait_until(lambda: steps(source)["a"] == 70, "the points after it")
        wait_until(lambda: not source.poll(1.0).notes, "the end of the note")
    finally:
        source.stop()


def test_check_reads_a_run_on_another_host(
    server: SshServer, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", f"ssh://trainbox{runs}/a", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    run = json.loads(line)
    assert (run["run"], run["path"], run["step"]) == ("a", f"trainbox:{runs}/a", 50)
    log = runs / "b" / "trainer_log.jsonl"
    assert main(["check", f"ssh://trainbox{log}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == f"trainbox:{log}"


def test_a_signal_leaves_no_mirror_behind(server: SshServer, runs: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    command = [sys.executable, "-m", "lossmon", "check", "--wait", f"ssh://trainbox{runs}"]
    program = Program(command, tmp_path / "check.log", {"TMPDIR": str(kept)})
    program.wait_for(lambda: [*kept.rglob("*.jsonl")], "the mirror")
    program.process.terminate()
    assert program.process.wait(PATIENCE) == 128 + signal.SIGTERM
    assert [*kept.iterdir()] == []


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("stranger", "Permission denied"),
        ("unknown", "Host key verification failed"),
        ("trainbox", "No such file"),
    ],
)
def test_why_a_host_lets_nobody_in_is_told(
    server: SshServer, tmp_path: Path, host: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        open_source(f"ssh://{host}{tmp_path}/missing", Config(), threading.Event())


def test_links_and_odd_names_stay_on_their_side(server: SshServer, runs: Path) -> None:
    (runs / "a" / "link.log").symlink_to("/etc/hostname")
    (runs / "loop").symlink_to(runs)
    append(runs / "b" / "läuft \udcff.jsonl", falling(1, 4))
    source = opened(runs)
    try:
        assert set(steps(source)) >= {"a", "b"}
        mirrored = [path for path in source._root.rglob("*") if path.name in ("link.log", "loop")]
        assert mirrored == []
    finally:
        source.stop()
    assert not source._root.exists()
