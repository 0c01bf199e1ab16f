"""`lossmon exporter` as a process of its own."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import bcrypt
import pytest
import trustme

from lossmon.cli import main
from tests.monitor.logs import append, falling
from tests.prometheus.test_web_config import header
from tests.services.program import wait_until
from tests.services.prometheus import promtool

Start = Callable[..., str]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts an exporter and returns where its metrics are."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> str:
        child = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "lossmon",
                "exporter",
                "--port",
                "0",
                "--no-hardware",
                *arguments,
            ],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
        )
        started.append(child)
        assert child.stderr is not None
        line = child.stderr.readline()
        assert line.startswith("lossmon: metrics at "), line
        return line.split()[-1]

    yield start
    for child in started:
        child.terminate()
        child.communicate(timeout=30)
        assert child.returncode == 0


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    (tmp_path / "runs" / "a").mkdir(parents=True)
    append(tmp_path / "runs" / "a" / "trainer_log.jsonl", falling(1, 101))
    return tmp_path / "runs"


def fetch(url: str, context: ssl.SSLContext | None = None, **headers: str) -> str:
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=20, context=context) as response:
        text: str = response.read().decode()
        return text


def test_runs_are_served_as_they_come(runs: Path, start: Start) -> None:
    url = start(str(runs))
    assert url.startswith("http://127.0.0.1:")
    wait_until(lambda: f'lossmon_step{{path="{runs}/a",run="a"}} 100.0' in fetch(url), "the run")
    (runs / "b").mkdir()
    append(runs / "b" / "trainer_log.jsonl", falling(1, 51))
    wait_until(lambda: f'lossmon_step{{path="{runs}/b",run="b"}} 50.0' in fetch(url), "another run")
    page = fetch(url, Accept="application/openmetrics-text; version=1.0.0")
    assert "# TYPE lossmon_verdict stateset" in page and page.endswith("# EOF\n")
    assert '<a href="/metrics">' in fetch(url.removesuffix("metrics"))
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetch(url + "/x")


def test_promtool_finds_nothing_wrong(runs: Path, start: Start) -> None:
    tool = promtool("check", "metrics")
    url = start(str(runs))
    wait_until(lambda: "lossmon_step{" in fetch(url), "the run")
    done = subprocess.run(tool, input=fetch(url), capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_tls_and_passwords_by_a_web_configuration(runs: Path, start: Start, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        tmp_path / "both.pem"
    )
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    config = tmp_path / "web.yml"
    config.write_text(
        "tls_server_config: {cert_file: both.pem, key_file: both.pem}\n"
        f"basic_auth_users: {{ada: '{hashed}'}}\n"
    )
    url = start(str(runs), "--web-config", str(config))
    assert url.startswith("https://")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    # A client that says nothing does not keep others waiting.
    port = int(url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)):
        with pytest.raises(urllib.error.HTTPError, match="401"):
            fetch(url, context)
        assert "lossmon_exporter" in fetch(url, context, Authorization=header("ada", "secret"))


def test_what_is_wrong_is_told_before_anything_is_served(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["exporter", str(runs), "--port", str(port)]) == 2
    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
    assert main(["exporter", str(runs / "missing" / "run")]) == 2
    capsys.readouterr()
    monkeypatch.setattr("lossmon.commands.arguments.inputs.find_spec", lambda name: None)
    assert main(["exporter", str(runs)]) == 2
    assert "pip install 'lossmon[prometheus]'" in capsys.readouterr().err
