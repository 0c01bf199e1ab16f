"""What a database's writer in a tight loop loses while lossmon watches, and what is left beside it.

python -m benchmarks.database [--rounds 3] [--seconds 3]

Each round writes alone and then with a watcher; both journals of SQLite are tried.
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

SETTLED = 2.5
"""Seconds after which the watcher has read what was there."""


def create(path: Path, journal: str) -> None:
    """Make a database of MLflow's shape with one run."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.executescript(SCHEMA)


def rows_per_second(path: Path, seconds: float) -> float:
    """Insert metrics one by one, each in a transaction of its own."""
    with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        first = connection.execute("SELECT COALESCE(MAX(step), 0) + 1 FROM metrics").fetchone()[0]
        step, end = first, time.perf_counter() + seconds
        while time.perf_counter() < end:
            connection.execute(
                "INSERT INTO metrics VALUES ('train/loss', ?, 1795220237623, 'r1', ?, 0)",
                (2 / step, step),
            )
            step += 1
    return float(step - first) / seconds


@contextmanager
def watched(directory: Path) -> Iterator[None]:
    """Follow a directory in another process."""
    with subprocess.Popen(
        [sys.executable, "-m", "lossmon", "watch", str(directory)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "XDG_STATE_HOME": str(directory.parent / "state")},
    ) as watcher:
        try:
            time.sleep(SETTLED)
            yield
        finally:
            watcher.terminate()


def measure(base: Path, journal: str, rounds: int, seconds: float) -> None:
    """Print the row of one journal."""
    directory = base / journal
    directory.mkdir()
    path, left = directory / "mlflow.db", []
    create(path, journal)

    def beside_us() -> float:
        with watched(directory):
            rate = rows_per_second(path, seconds)
            left.append(any(path.with_name(f"{path.name}-{kind}").exists() for kind in LEFT))
        return rate

    ratio = in_turns(beside_us, lambda: rows_per_second(path, seconds), rounds)
    figure = f"{100 * (ratio.middle - 1):+.1f} % rows/s, {sum(left)} of {rounds} left files"
    row(f"database writer, {journal} journal", figure, f"{ratio} alone", "-2 %, none")


LEFT = ("wal", "shm", "journal")
"""Endings of files that a writer takes away when it closes the database as its only user."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as kept:
        for journal in ("delete", "wal"):
            measure(Path(kept), journal, options.rounds, options.seconds)


if __name__ == "__main__":
    main()
