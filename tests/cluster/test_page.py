"""Every command of docs/cluster.md, run: on real files, a real Slurm, Prometheus and sshd."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lossmon.cli import main
from lossmon.monitor import LocalSource
from lossmon.prometheus.exporter import Exporter, ExporterConfig
from lossmon.prometheus.web_config import WebConfig
from tests.monitor.logs import append, falling
from tests.paths import ROOT
from tests.services.program import Program, find_program, wait_until
from tests.services.prometheus import PrometheusServer
from tests.services.slurm import ask, running_slurm
from tests.services.sshd import SshServer

PAGE = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
LINES = [line for language, block in BLOCKS if not language for line in block.splitlines()]

SLURM = [line for line in LINES if "--job" in line]
PROMETHEUS = [line for line in LINES if "prometheus+http" in line]
PROMTOOL = [line for line in LINES if line.startswith("promtool ")]
SSH = [line for line in LINES if "ssh://" in line]
LONG = ("lossmon record", "lossmon watch", "lossmon exporter")
SERVICES = [line for line in LINES if line.startswith(LONG)]
PLAIN = [line for line in LINES if line not in (*SLURM, *PROMETHEUS, *PROMTOOL, *SSH, *SERVICES)]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What stands for /data/runs, with a program `lossmon` on the path."""
    program = tmp_path / "bin" / "lossmon"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lossmon "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    path = tmp_path / "runs"
    (path / "tune").mkdir(parents=True)
    append(path / "tune" / "trainer_log.jsonl", falling(1, 101))
    monkeypatch.chdir(tmp_path)
    yield path


def call(line: str, runs: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a line of lossmon in this process, and return what it prints."""
    words = shlex.split(line.replace("/data/runs", str(runs)))
    assert words[0] == "lossmon"
    assert main(words[1:]) in (0, 1), line
    return capsys.readouterr().out


def test_every_line_is_run_below() -> None:
    assert len(PLAIN) >= 4 and len(SLURM) == 4 and len(SERVICES) == 3
    assert PROMETHEUS and len(PROMTOOL) == 2 and SSH
    assert all(line.startswith(("lossmon ", "promtool ")) for line in LINES)


def test_the_lines_for_a_directory(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    for line in PLAIN:
        assert call(line, runs, capsys), line


@pytest.mark.parametrize("line", SERVICES)
def test_the_lines_that_run_until_a_signal(line: str, runs: Path) -> None:
    if "exporter" in line:
        line = line.replace("9712", "0")
    program = Program(["bash", "-c", "exec " + line.replace("/data/runs", str(runs))], runs / "log")
    try:
        if "record" in line:
            wait_until(lambda: list(runs.glob("tune/.lossmon/hardware-*.jsonl")), "a sample")
        else:
            wait_until(lambda: program.log.read_text(), "a first line")
    finally:
        program.process.send_signal(signal.SIGTERM)
        # The signal may come before the program listens to it.
        assert program.process.wait(30) in (0, -signal.SIGTERM), program.log.read_text()


def test_the_lines_for_slurm(
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = re.search(r"^```bash\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None
    (tmp_path / "job.sh").write_text(found[1])
    training = (
        "import json, os, time\n"
        "os.makedirs('output', exist_ok=True)\n"
        "with open('output/log.jsonl', 'w') as file:\n"
        "    for step in range(1, 61):\n"
        "        line = {'step': step, 'loss': 3 - step / 50}\n"
        "        print(json.dumps(line), file=file, flush=True)\n"
        "        print('step', step, 'loss', line['loss'], flush=True)\n"
        "time.sleep(600)\n"
    )
    (tmp_path / "train.py").write_text(training)
    with running_slurm(tmp_path / "slurm") as slurm:
        for name, value in slurm.items():
            monkeypatch.setenv(name, value)
        job = ask(slurm, "sbatch", "--parsable", str(tmp_path / "job.sh")).strip()
        wait_until(lambda: list(tmp_path.glob("output/.lossmon/hardware-*.jsonl")), "a sample")
        output = tmp_path / f"slurm-{job}.out"
        wait_until(lambda: "step 60" in output.read_text(), "the last step")
        printed = [call(line.replace("12345", job), runs, capsys) for line in SLURM]
    assert all(f"Slurm job {job}" in text or f'"id": "{job}"' in text for text in printed[:2])
    assert all("tune" in text for text in printed)
    # The recorder in the job names it too.
    assert main(["check", "output", "--json"]) in (0, 1)
    run = json.loads(capsys.readouterr().out)
    assert run["job"]["id"] == job and len(run["nodes"]) == 1


def test_the_lines_for_promtool() -> None:
    program = find_program("promtool", "prometheus")
    for line in PROMTOOL:
        command = [program, *shlex.split(line)[1:]]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_lines_for_prometheus(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ExporterConfig("127.0.0.1", 0, WebConfig(None, {}), 100, 86400.0)
    exporter = Exporter(LocalSource([runs], hardware=False), where)
    thread = threading.Thread(target=exporter.run)
    thread.start()
    try:
        address = exporter.url.split("/")[2]
        text = (ROOT / "contrib" / "prometheus" / "scrape.yml").read_text()
        jobs = text[: text.index("rule_files")].replace("localhost:9712", address)
        server = PrometheusServer(
            tmp_path / "prometheus",
            jobs.replace("15s", "200ms") + "\nglobal: {scrape_timeout: 200ms}\n",
        )
        try:
            wait_until(lambda: server.query("lossmon_step"), "the first scrape")
            for line in PROMETHEUS:
                assert "tune" in call(
                    line.replace("http://localhost:9090", server.url), runs, capsys
                )
        finally:
            server.stop()
    finally:
        exporter.stop()
        thread.join(30)


def test_the_lines_for_ssh(
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = SshServer(tmp_path / "ssh")
    monkeypatch.setenv("LOSSMON_SSH", server.command)
    try:
        for line in SSH:
            assert "tune" in call(line, runs, capsys)
    finally:
        server.stop()
