"""`python -m benchmarks [--quick | --write] [NAME...]`: figures beside those of a peer or a bound.

Each benchmark runs in a process of its own and is stopped at its bound. Without names all of them
run, in less than 15 minutes on a quiet machine, and `benchmarks/README.md` gets each table as it is
printed; `--write` writes the tables named to it. One that fails costs itself alone: its old table
stays, and the exit status is 1. `--quick` takes two minutes with smaller inputs.
"""

from __future__ import annotations

import os
import platform
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

README = Path(__file__).with_name("README.md")

HEAD = """# Benchmarks

Written by `make bench` (`python -m benchmarks`): {machine}. On a busy machine only the ratios tell
anything.

Each figure stands beside that of a peer or a floor, measured in the same run and in turns with it.
A ratio is the median of the rounds, with the smallest and the largest in brackets; below 1 is less
than the peer. What stands last in a row is the goal. `make bench` takes less than 15
minutes, with `ARGS=--quick` two for a part of this; `python -m benchmarks NAME` runs one table, and
writes it here with `--write`.
"""

SECTION = re.compile(r"^## (\w+)\n.*?(?=^## |\Z)", re.M | re.S)


class Table(NamedTuple):
    """A benchmark: a module of this package with a `main` that prints a table.

    Attributes:
        name: Of the module.
        bound: Seconds after which it is stopped.
        arguments: Of a whole run.
        quick: Of a quick run; None where that leaves it out.
    """

    name: str
    bound: float
    arguments: tuple[str, ...] = ()
    quick: tuple[str, ...] | None = None


TABLES = (
    Table("ingest_events", 180, quick=("100000",)),
    Table("ingest_wandb", 90, quick=("20000",)),
    Table("ingest_lines", 90, quick=("--lines", "40000")),
    Table("ingest_text", 90),
    Table("series", 90, quick=("--names", "2000", "--runs", "40")),
    Table("discovery", 30, quick=()),
    Table("extremes", 200, quick=("--files", "5000", "--megabytes", "10")),
    Table("database", 90, quick=("--rounds", "1", "--seconds", "2")),
    Table("metadata", 90, ("--seconds", "3")),
    Table("draw", 60, quick=()),
    Table("headless", 60),
    Table("screen", 240),
    Table("live", 300),
    Table("memory", 240, ("--seconds", "30")),
    Table("training", 120),
    Table("fleet", 240),
    Table("prometheus_fleet", 200),
    Table("soak", 120, ("--seconds", "60")),
)
"""What `make bench` runs. `benchmarks.diagnosis` needs its data named and is run by itself:
`python -m benchmarks.diagnosis --corpus DIR --faults DIR`."""


class Result(NamedTuple):
    """What a benchmark printed, its seconds, and why it failed, or empty."""

    output: str
    seconds: float
    failure: str


def run(table: Table, arguments: Sequence[str]) -> Result:
    """Run one benchmark and print what it prints."""
    lines, failure, began = list[str](), "", time.monotonic()
    print(f"── {table.name} " + "─" * (76 - len(table.name)), flush=True)
    with subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{table.name}", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as program:
        stopped = threading.Event()
        bound = threading.Timer(table.bound, _stop, (program, stopped))
        bound.start()
        assert program.stdout is not None
        for line in program.stdout:
            lines.append(line)
            print(line, end="", flush=True)
        bound.cancel()
    if stopped.is_set():
        failure = f"stopped after {table.bound:.0f} s"
    elif program.returncode:
        failure = f"failed with status {program.returncode}"
    seconds = time.monotonic() - began
    print(f"── {failure or f'{seconds:.0f} s'}\n", flush=True)
    return Result("".join(lines), seconds, failure)


def _stop(program: subprocess.Popen[str], stopped: threading.Event) -> None:
    """End a benchmark and all that it started."""
    stopped.set()
    os.killpg(program.pid, signal.SIGKILL)


def main() -> None:
    """Run the benchmarks named, or all, and write the document about all."""
    quick, write = (flag in sys.argv[1:] for flag in ("--quick", "--write"))
    names = [one for one in sys.argv[1:] if one not in ("--quick", "--write")]
    chosen = [one for one in TABLES if one.name in names or not names]
    known = [one.name for one in TABLES]
    if unknown := sorted(set(names) - set(known)):
        sys.exit(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    results = dict[str, Result]()
    for table in chosen:
        if quick and table.quick is None and not names:
            continue
        arguments = table.quick if quick and table.quick is not None else table.arguments
        when = f"{time.strftime('%Y-%m-%d')}, load {os.getloadavg()[0]:.1f} at the start."
        results[table.name] = result = run(table, arguments)
        if not (result.failure or quick) and (write or not names):
            README.write_text(document(README.read_text(), table.name, when, result.output))
    for name, result in results.items():
        print(f"{name:<20}{result.seconds:>6.0f} s  {result.failure}".rstrip())
    print(f"{'in all':<20}{sum(result.seconds for result in results.values()):>6.0f} s")
    sys.exit(any(result.failure for result in results.values()))


def document(before: str, name: str, when: str, output: str) -> str:
    """The document with the newest output of a table.

    Args:
        before: The document so far.
        name: Name of the table.
        when: When it was printed.
        output: What it printed.
    """
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    tables = {one[1]: one[0].rstrip() for one in SECTION.finditer(before)}
    tables[name] = f"## {name}\n\n{when}\n\n```text\n{output.rstrip()}\n```"
    ordered = [tables[table.name] for table in TABLES if table.name in tables]
    return "\n\n".join([HEAD.format(machine=machine).rstrip(), *ordered]) + "\n"


if __name__ == "__main__":
    main()
