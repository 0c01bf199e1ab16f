"""A run that diverges, seen by a real Prometheus, told by a real Alertmanager."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lossmon.monitor import LocalSource
from lossmon.prometheus.exporter import Exporter, ExporterConfig
from lossmon.prometheus.web_config import WebConfig
from tests.services.pages import Pages, Reply
from tests.services.program import wait_until
from tests.services.prometheus import Alertmanager, PrometheusServer

RULES = Path(__file__).parents[2] / "contrib" / "prometheus"


class Receiver(Pages):
    """An address that keeps the alerts that are sent to it."""

    def __init__(self) -> None:
        super().__init__(lambda request: Reply())

    @property
    def alerts(self) -> list[dict[str, Any]]:
        return [one for request in self.requests for one in json.loads(request.body)["alerts"]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[Exporter]:
    """Serves a run that diverges and goes on, and one that is healthy."""
    for name, at in (("bad", 40), ("good", 10**9)):
        (tmp_path / "runs" / name).mkdir(parents=True)
        lines = (
            json.dumps(
                {
                    "current_steps": step,
                    "total_steps": 10_000,
                    "loss": 2.0 / step**0.3 if step < at else float("nan"),
                }
            )
            for step in range(1, 101)
        )
        (tmp_path / "runs" / name / "trainer_log.jsonl").write_text("\n".join(lines) + "\n")
    where = ExporterConfig("127.0.0.1", 0, WebConfig(None, {}), 100, 86400.0)
    exporter = Exporter(LocalSource([tmp_path / "runs"], hardware=False), where)
    thread = threading.Thread(target=exporter.run)
    thread.start()
    yield exporter
    exporter.stop()
    thread.join(30)
    assert not thread.is_alive()


def configuration(directory: Path, exporter: Exporter, manager: Alertmanager) -> str:
    """What contrib/ says, with other addresses and a faster pace."""
    directory.mkdir()
    recorded = (RULES / "rules.yml").read_text()
    (directory / "rules.yml").write_text(recorded.replace("interval: 30s", "interval: 200ms"))
    alerts = (RULES / "alerts.yml").read_text()
    (directory / "alerts.yml").write_text(re.sub(r"for: \w+", "for: 0s", alerts))
    text = (RULES / "scrape.yml").read_text()
    address = exporter.url.split("/")[2]
    text = text.replace("localhost:9712", address).replace("localhost:9093", manager.address)
    text = text.replace("scrape_interval: 15s", "scrape_interval: 200ms")
    return text + "\nglobal: {evaluation_interval: 200ms, scrape_timeout: 200ms}\n"


def test_the_alert_of_a_diverging_run_arrives(
    tmp_path: Path, exporter: Exporter, receiver: Receiver
) -> None:
    manager = Alertmanager(tmp_path / "alertmanager", f"http://{receiver.address}/")
    try:
        directory = tmp_path / "prometheus"
        server = PrometheusServer(directory, configuration(directory, exporter, manager))
        try:
            wait_until(lambda: receiver.alerts, "the alert")
            recorded = 'lossmon:runs_by_verdict{lossmon_verdict="non_finite"}'
            wait_until(lambda: server.query(recorded), "the recording rules")
            assert server.query(recorded)[0]["value"][1] == "1"
        finally:
            server.stop()
    finally:
        manager.stop()
    (alert, *others) = receiver.alerts
    assert not others
    assert alert["labels"]["alertname"] == "LossmonRunCritical"
    assert (alert["labels"]["run"], alert["labels"]["lossmon_verdict"]) == ("bad", "non_finite")
    assert alert["annotations"]["summary"] == "bad: non_finite"
