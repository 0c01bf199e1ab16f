"""What a database's writer in a tight loop loses while lossmon watches, and what is left beside it.

python -m benchmarks.database [--rounds 3] [--seconds 3]

Each round writes beside a watcher and then beside a control: a process that computes checksums for
as much CPU time as the watcher takes. Both journals of SQLite are tried. Time spent waiting for
locks, and rows per second fewer than beside the control, are what watching a database costs more
than any other process would. The database lies in memory where the system has a directory for that:
a disk makes and removes journals now fast, now slowly.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.pairs import in_turns, row

SCHEMA = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT, artifact_location TEXT,
    lifecycle_stage TEXT, creation_time BIGINT, last_update_time BIGINT);
CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT, source_type TEXT, source_name TEXT,
    entry_point_name TEXT, user_id TEXT, status TEXT, start_time BIGINT, end_time BIGINT,
    source_version TEXT, lifecycle_stage TEXT, artifact_uri TEXT, experiment_id INTEGER,
    deleted_time BIGINT);
CREATE TABLE metrics (key TEXT, value FLOAT, timestamp BIGINT, run_uuid TEXT, step BIGINT,
    is_nan BOOLEAN, PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan));
CREATE TABLE latest_metrics (key TEXT, value FLOAT, timestamp BIGINT, step BIGINT, is_nan BOOLEAN,
    run_uuid TEXT, PRIMARY KEY (key, run_uuid));
CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT, PRIMARY KEY (key, run_uuid));
CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT, PRIMARY KEY (key, run_uuid));
INSERT INTO experiments VALUES (0, 'Default', '', 'active', 0, 0);
INSERT INTO runs VALUES ('r1', 'calm', '', '', '', '', 'RUNNING', 1795220237623, NULL, '',
    'active', '', 0, NULL);
"""
"""The tables of MLflow's tracking database that a run is read from."""

CONTROL = """
import hashlib, sys, time
share, block = float(sys.argv[1]), bytes(4096)
while True:
    begin = time.process_time()
    while time.process_time() - begin < 0.02 * share:
        hashlib.sha256(block).digest()
    time.sleep(0.02 * (1 - share))
"""
"""A process that takes a share of a core and no file."""

SETTLED = 2.5
"""Seconds after which the watcher has read what was there."""


def create(path: Path, journal: str) -> None:
    """Make a database of MLflow's shape with one run."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.executescript(SCHEMA)


class Written(NamedTuple):
    """Rows per second that a writer computed or waited for a lock, and the share that it waited."""

    rate: float
    waited: float


def write_rows(path: Path, seconds: float) -> Written:
    """Insert metrics one by one, each in a transaction of its own."""
    waited = 0.0
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        first = connection.execute("SELECT COALESCE(MAX(step), 0) + 1 FROM metrics").fetchone()[0]
        step, begin, cpu = first, time.perf_counter(), time.process_time()
        while time.perf_counter() - begin < seconds:
            waited += _inserted(connection, step)
            step += 1
        # What other processes of the machine take is no loss by the watcher.
        took = time.process_time() - cpu + waited
    return Written((step - first) / took, waited / took)


def _inserted(connection: sqlite3.Connection, step: int) -> float:
    """Insert one row; return the seconds for which another one's lock was waited for."""
    insert = "INSERT INTO metrics VALUES ('train/loss', ?, 1795220237623, 'r1', ?, 0)"
    began: float | None = None
    while True:
        try:
            connection.execute(insert, (2 / step, step))
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            began = time.perf_counter() if began is None else began
            time.sleep(0.001)
        else:
            return 0.0 if began is None else time.perf_counter() - began


@contextmanager
def beside(*command: str, state: Path, settle: float = SETTLED) -> Iterator[psutil.Process]:
    """Run another program of Python."""
    with subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "XDG_STATE_HOME": str(state)},
    ) as program:
        try:
            time.sleep(settle)
            yield psutil.Process(program.pid)
        finally:
            program.terminate()


def measure(base: Path, journal: str, rounds: int, seconds: float) -> None:
    """Print the row of one journal."""
    directory, state = base / journal, base / "state"
    directory.mkdir()
    path, left = directory / "mlflow.db", []
    create(path, journal)

    waited, shares = list[float](), list[float]()

    def beside_us() -> float:
        with beside("-m", "lossmon", "watch", str(directory), state=state) as watcher:
            before = sum(watcher.cpu_times()[:2])
            written = write_rows(path, seconds)
            shares.append((sum(watcher.cpu_times()[:2]) - before) / seconds)
            left.append(leaves_journal(path))
        waited.append(written.waited)
        return written.rate

    def beside_control() -> float:
        with beside("-c", CONTROL, str(min(1.0, shares[-1])), state=state, settle=0.2):
            return write_rows(path, seconds).rate

    ratio = in_turns(beside_us, beside_control, rounds)
    figure = f"waits {100 * max(waited):.1f} %, we take {100 * max(shares):.0f} % CPU"
    row(f"database writer, {journal} journal", figure, f"{ratio} rows/s of a control", "0.98x")
    row("  closes that left a journal behind", f"{sum(left)} of {rounds}", "", "none")


LEFT = ("wal", "shm", "journal")
"""Endings of files that a writer takes away when it closes the database as its only user, and that
the watcher takes away when it was just reading."""

VISIT = 5.0
"""Seconds after which a visit of the watcher is surely over."""


def leaves_journal(path: Path) -> bool:
    """Whether any of these files stays."""
    end = time.monotonic() + VISIT
    while left := any(path.with_name(f"{path.name}-{kind}").exists() for kind in LEFT):
        if time.monotonic() > end:
            break
        time.sleep(0.01)
    return left


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as kept:
        for journal in ("delete", "wal"):
            measure(Path(kept), journal, options.rounds, options.seconds)


if __name__ == "__main__":
    main()
