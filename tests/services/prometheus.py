"""Prometheus, its Alertmanager and its node exporter, on ports of their own."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.services.program import Program, find_program, free_port


def promtool(*arguments: str) -> list[str]:
    """The command line of promtool."""
    return [find_program("promtool", "prometheus"), *arguments]


def answer(url: str, **parameters: str) -> Any:
    """JSON document at an address; None where there is no good answer."""
    where = f"{url}?{urlencode(parameters)}" if parameters else url
    try:
        with urllib.request.urlopen(where, timeout=10) as response:
            body = response.read()
    except (OSError, urllib.error.HTTPError):
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode()


class PrometheusServer:
    """A Prometheus server with a configuration of its own.

    Args:
        directory: Where it keeps everything.
        configuration: Its `prometheus.yml`.
        history: What it has scraped before, as OpenMetrics with times, without `# EOF`.

    Attributes:
        url: Where it answers.
        program: The process.
    """

    def __init__(self, directory: Path, configuration: str, history: str = "") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        if history:
            _write_history(directory, history)
        (directory / "prometheus.yml").write_text(configuration)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.program = Program(
            [
                find_program("prometheus", "prometheus"),
                f"--config.file={directory / 'prometheus.yml'}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
            ],
            directory / "prometheus.log",
        )
        self.program.wait_for(lambda: answer(f"{self.url}/-/ready") is not None, "Prometheus")

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Elements of an instant query."""
        found = answer(f"{self.url}/api/v1/query", query=expression)
        return [] if found is None else list(found["data"]["result"])

    def stop(self) -> None:
        """End it."""
        self.program.stop()


def _write_history(directory: Path, text: str) -> None:
    file = directory / "history.txt"
    file.write_text(text + "# EOF\n")
    command = promtool("tsdb", "create-blocks-from", "openmetrics", str(file), "data")
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


class Alertmanager:
    """An Alertmanager that sends every alert to one address at once."""

    def __init__(self, directory: Path, receiver: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "alertmanager.yml").write_text(
            "route: {receiver: here, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}\n"
            f"receivers: [{{name: here, webhook_configs: [{{url: '{receiver}'}}]}}]\n"
        )
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        self.program = Program(
            [
                find_program("prometheus-alertmanager", "prometheus-alertmanager"),
                f"--config.file={directory / 'alertmanager.yml'}",
                f"--storage.path={directory / 'data'}",
                f"--web.listen-address={self.address}",
                "--cluster.listen-address=",
            ],
            directory / "alertmanager.log",
        )
        ready = f"http://{self.address}/-/ready"
        self.program.wait_for(lambda: answer(ready) is not None, "Alertmanager")

    def stop(self) -> None:
        """End it."""
        self.program.stop()


class NodeExporter:
    """The node exporter of this machine.

    Attributes:
        address: Host and port.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        self.program = Program(
            [
                find_program("prometheus-node-exporter", "prometheus-node-exporter"),
                f"--web.listen-address={self.address}",
                "--collector.disable-defaults",
                *(f"--collector.{name}" for name in ("cpu", "meminfo", "filesystem", "uname")),
            ],
            directory / "node_exporter.log",
        )
        page = f"http://{self.address}/metrics"
        self.program.wait_for(lambda: answer(page) is not None, "the node exporter")

    def stop(self) -> None:
        """End it."""
        self.program.stop()
