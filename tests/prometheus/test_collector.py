from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as plain_families

from lossmon.prometheus.exporter import AGING, LONGEST_LABEL, RunCollector
from lossmon.types import (
    GpuReading,
    HardwareReading,
    HostReading,
    Job,
    JobState,
    NodeReading,
    RunSnapshot,
    RunState,
    Snapshot,
)
from tests.reports.test_record import snapshot

NOW = 1_700_000_000.0
Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Exported:
    """A registry whose snapshot and clock a test sets."""

    def __init__(self, *runs: RunSnapshot, most_runs: int = 100) -> None:
        self.snapshot, self.now = Snapshot(runs=runs), NOW
        self.registry = CollectorRegistry()
        self.registry.register(
            RunCollector(
                lambda: self.snapshot, most_runs=most_runs, oldest=86400.0, clock=lambda: self.now
            )
        )

    def values(self) -> Values:
        """Value by name and labels, of what Prometheus is given."""
        text = generate_latest(self.registry).decode()
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in plain_families(text)
            for sample in family.samples
        }

    def one(self, metric: str, **labels: str) -> float | None:
        """The value of the only sample that has these labels."""
        found = [
            value
            for (known, has), value in self.values().items()
            if known == metric and frozenset(labels.items()) <= has
        ]
        assert len(found) < 2
        return found[0] if found else None


def run(name: str, **changes: object) -> RunSnapshot:
    made = snapshot(state=RunState.RUNNING, last_time=NOW)
    return replace(made, name=name, path=Path("/runs") / name, **changes)  # type: ignore[arg-type]


def test_runs_come_and_go() -> None:
    exported = Exported(run("a"))
    assert exported.one("lossmon_step", run="a") == 30
    exported.snapshot = Snapshot(runs=(run("b"),))
    assert exported.one("lossmon_step", run="a") is None
    assert exported.one("lossmon_step", run="b") == 30
    assert exported.one("lossmon_exporter_runs") == 1


def test_of_too_many_runs_those_that_are_alive_and_those_written_last_stay() -> None:
    dead = [run(f"d{n}", state=RunState.FINISHED, last_time=NOW - n) for n in range(5)]
    exported = Exported(*dead, run("alive", last_time=NOW - 100), most_runs=3)
    kept = {name for name in ("alive", "d0", "d1", "d4") if exported.one("lossmon_step", run=name)}
    assert kept == {"alive", "d0", "d1"}
    assert exported.one("lossmon_exporter_runs_left_out") == 3


def test_a_run_that_falls_silent_is_left_out_in_time() -> None:
    exported = Exported(run("a"), run("never", last_time=None))
    assert exported.one("lossmon_exporter_runs") == 2
    exported.now += 86400 + AGING + 1
    assert exported.one("lossmon_exporter_runs") == 1


def test_both_formats_of_the_exposition_hold_whatever_a_run_is_called() -> None:
    hostile = 'a"\n\\\x1b[2J\udcff{} ' + "x" * 9999
    exported = Exported(run(hostile), run("b"))
    for text in (generate_latest(exported.registry), openmetrics(exported.registry)):
        assert b"\x1b" not in text and len(max(text.splitlines(), key=len)) < 4 * LONGEST_LABEL
    families = list(text_string_to_metric_families(openmetrics(exported.registry).decode()))
    assert {family.name for family in families} >= {"lossmon_step", "lossmon_verdict"}


def test_hardware_of_this_machine_and_of_the_nodes_of_a_run() -> None:
    here = platform.node()
    gpu = GpuReading(3, "NVIDIA H100", 50.0, 1 << 30, 2 << 30, 300.0, lost=True)
    node = NodeReading("gpu9", NOW, (gpu,), HostReading("gpu9", 25.0))
    stale = replace(node, name="gpu8", stale=True)
    exported = Exported(run("a", nodes=(node, stale)))
    exported.snapshot = replace(
        exported.snapshot,
        hardware=HardwareReading((replace(gpu, index=0),), "", HostReading(here, 10.0)),
    )
    ratio = "lossmon_gpu_utilization_ratio"
    assert exported.one(ratio, node="gpu9", gpu="3") == 0.5
    assert exported.one(ratio, node=here, gpu="0") == 0.5
    assert exported.one(ratio, node="gpu8") is None
    assert exported.one("lossmon_gpu_lost", node="gpu9") == 1
    assert exported.one("lossmon_gpu_info", node="gpu9", name="NVIDIA H100") == 1
    assert exported.one("lossmon_node_cpu_ratio", node="gpu9") == 0.25
    assert exported.one("lossmon_run_node", run="a", node="gpu9") == 1
    assert exported.one("lossmon_run_node", run="a", node="gpu8") == 0


def test_what_a_tracker_recorded_elsewhere_is_not_this_machine() -> None:
    exported = Exported()
    exported.snapshot = Snapshot(
        hardware=HardwareReading((GpuReading(0, "GPU", 1.0),), "", HostReading("training host"))
    )
    assert exported.one("lossmon_gpu_utilization_ratio") is None


def test_the_job_of_a_run_and_its_limit() -> None:
    job = Job("Slurm", "7_1", "tune", JobState.RUNNING, partition="gpu", limit=NOW + 60)
    exported = Exported(run("a", job=job))
    assert exported.one("lossmon_job_info", run="a", id="7_1", scheduler="Slurm") == 1
    assert exported.one("lossmon_job_limit_timestamp_seconds", run="a") == NOW + 60


def test_a_run_has_as_many_series_as_any_other() -> None:
    one, two = len(Exported(run("a")).values()), len(Exported(run("a"), run("b")).values())
    three = len(Exported(run("a"), run("b"), run("c")).values())
    assert two - one == three - two < 60
