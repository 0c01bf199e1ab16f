"""A page of metrics of many simulated runs, as exporters on many hosts would serve it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lossmon.prometheus.fleet import one_point
from lossmon.readers.tags.meaning import meaning
from lossmon.reports.openmetrics import render
from lossmon.types import (
    Best,
    Confidence,
    Diagnosis,
    Finding,
    RunSnapshot,
    RunState,
    Severity,
    VerdictChange,
)
from tests.services.pages import Pages, Reply

VERDICTS = (
    ("healthy", Severity.OK),
    ("healthy", Severity.OK),
    ("healthy", Severity.OK),
    ("overfitting", Severity.WARNING),
    ("diverging", Severity.CRITICAL),
    ("plateau", Severity.NOTICE),
)


def simulated(count: int, now: float) -> list[RunSnapshot]:
    """Runs with invented numbers, the same ones at each call."""
    random = np.random.default_rng(1)
    runs = []
    for number in range(count):
        code, severity = VERDICTS[number % len(VERDICTS)]
        step = int(random.integers(100, 9000))
        verdict = Finding(code, severity, step // 2, Confidence.HIGH)
        loss = float(random.uniform(0.5, 3.0))
        series = tuple(
            one_point(tag, meaning(tag), step, loss + at / 10)
            for at, tag in enumerate(("train/loss", "eval/loss"))
        )
        runs.append(
            RunSnapshot(
                f"project-{number % 40}/run-{number:05d}",
                Path(f"/data/runs/project-{number % 40}/run-{number:05d}"),
                ("hf_trainer",),
                RunState.RUNNING if number % 5 else RunState.FINISHED,
                step=step,
                total_steps=10_000,
                epoch=step / 1000,
                steps_per_second=2.5,
                remaining=(10_000 - step) / 2.5,
                last_time=now,
                series=series,
                train=0,
                eval=1,
                diagnosis=Diagnosis(
                    verdict, (verdict,), (VerdictChange(step // 2, code, severity),)
                ),
                best=Best(step // 2, loss),
            )
        )
    return runs


class SimulatedExporters(Pages):
    """Serves the runs of many hosts, each at a path of its own: `/7/metrics`.

    Args:
        count: Runs.
        hosts: Exporters that share them.
        now: Seconds since the Unix epoch.

    Attributes:
        hosts: How many exporters there are.
    """

    def __init__(self, count: int, hosts: int, now: float) -> None:
        runs, self.hosts = simulated(count, now), hosts
        pages = [render(runs[host::hosts]).encode() + b"\n" for host in range(hosts)]
        kind = ("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
        super().__init__(
            lambda request: Reply(200, pages[int(request.path.split("/")[1])], (kind,))
        )

    def scrape_config(self, interval: str) -> str:
        """A configuration that scrapes every exporter under the name of its host."""
        jobs = "".join(
            f"  - job_name: lossmon-{host}\n"
            f"    metrics_path: /{host}/metrics\n"
            f"    static_configs: [{{targets: ['{self.address}'], labels: "
            f"{{instance: 'gpu{host:03d}:9712'}}}}]\n"
            for host in range(self.hosts)
        )
        return (
            f"global: {{scrape_interval: {interval}, scrape_timeout: {interval}}}\n"
            f"scrape_configs:\n{jobs}"
        )
