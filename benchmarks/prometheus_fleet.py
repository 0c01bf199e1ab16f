"""What a cluster of 10,000 runs on a Prometheus server costs: the first frame, a run's curves.

python -m benchmarks.prometheus_fleet [--runs N] [--hosts N]

Needs Debian's prometheus. The runs are simulated, the server and the queries are real. What is
waited for is read off an emulated terminal, beside a bare Textual app on the same machine; the
processor time of the server is that of its queries. Takes about two minutes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.pairs import in_turns, row
from benchmarks.screen import COMPILED, bare, lossmon, shown
from benchmarks.terminal import has_text, run
from lossmon.prometheus.client import PrometheusClient, PrometheusError
from lossmon.prometheus.fleet import FIRST, REST, FleetSnapshots, read_rows
from tests.services.prometheus import PrometheusServer
from tests.services.simulated_fleet import SimulatedExporters

SCRAPES = "30s"
"""Interval of the scrapes, over which the server spreads its first ones."""

PATIENCE = 90.0
"""Seconds after which the scrapes count as failed."""

REPEATS = 3
"""Measurements, of which the quickest counts: others use the machine too."""


def measure(runs: int, hosts: int) -> None:
    """Print the table."""

    with tempfile.TemporaryDirectory() as kept:
        exporters = SimulatedExporters(runs, hosts, time.time())
        server = PrometheusServer(Path(kept) / "server", exporters.scrape_config(SCRAPES))
        try:
            deadline = time.monotonic() + PATIENCE
            while not _is_complete(server, runs):
                if time.monotonic() > deadline:
                    raise SystemExit(f"the server has not scraped all runs in {PATIENCE:.0f} s")
                time.sleep(0.5)
            _queries(server)
            memory = []

            def first() -> float:
                command = lossmon(f"prometheus+{server.url}")
                shows = has_text(f"{runs} ")
                cost = run(command, shows=shows, settle=10.0, environment=COMPILED)
                memory.append(cost.memory)
                return shown(cost)

            ratio = in_turns(first, bare, REPEATS)
            row(f"first frame of {runs:,} runs", f"{ratio.ours:.2f} s", f"{ratio} bare", "2 s")
            row("resident", f"{min(memory) / 1e6:.0f} MB", "")
        finally:
            server.stop()
            exporters.stop()


def _queries(server: PrometheusServer) -> None:
    client = PrometheusClient(server.url)
    process = psutil.Process(server.program.process.pid)
    for name, queries in (("the first look", FIRST), ("every later one", (*FIRST, *REST))):
        figures = []
        for _ in range(REPEATS):
            there, here, begin = _cpu(process), time.process_time(), time.monotonic()
            try:
                FleetSnapshots().of(read_rows(client, queries))
            except PrometheusError as error:
                # A busy machine: the screen, too, would show this and ask again.
                row(name, "no answer", str(error))
                break
            wall = time.monotonic() - begin
            figures.append((wall, _cpu(process) - there, time.process_time() - here))
        if not figures:
            continue
        wall, there, here = (min(column) for column in zip(*figures, strict=True))
        row(name, f"{wall:.2f} s", f"CPU: server {there:.2f} s, lossmon {here:.2f} s")


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _is_complete(server: PrometheusServer, runs: int) -> bool:
    found = server.query("count(lossmon_step)")
    return bool(found) and int(found[0]["value"][1]) == runs


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--hosts", type=int, default=50)
    options = parser.parse_args()
    measure(options.runs, options.hosts)


if __name__ == "__main__":
    main()
