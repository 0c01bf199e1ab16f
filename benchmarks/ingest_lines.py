"""Speed of reading JSON lines and CSV, compared with the standard library and pandas.

    python -m benchmarks.ingest_lines [--lines 100000]

Each figure is CPU time, measured in turns. The floors are the plain way to read such a
file with the standard library (`json.loads` on each line, `csv.reader` and `float` on each cell)
and, where it is installed, pandas' own readers; all of them only parse, while the reader also
finds steps, moments and names.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.pairs import cpu_of, in_turns
from lossmon.readers.jsonl.frameworks import open_log
from lossmon.readers.records.json_records import json_lines
from lossmon.readers.tables.frameworks import table
from lossmon.types import Reader

Case = tuple[str, Path, Callable[[Path], Reader], Callable[[Path], None], str]
"""Name, file, what opens our reader, what reads the file plainly, and the goal."""

ROUNDS = 5
"""Rounds in which ours and the plain way alternate."""

SLICE = 0.05
"""Seconds per call, as in the monitor."""


def drain(reader: Reader) -> int:
    """Read a whole file in slices; return the number of points."""
    points = 0
    while True:
        batch = reader.read(time.monotonic() + SLICE)
        points += sum(len(columns) for columns in batch.points)
        if not batch.pending:
            return points


def read_with(make: Callable[[Path], Reader], path: Path) -> int:
    return drain(make(path))


def records(lines: int) -> Iterator[dict[str, float]]:
    """Yield what a training loop logs, with numbers as long as they really are."""
    rng = random.Random(0)
    for step in range(lines):
        yield {
            "step": step,
            "epoch": step / 1000,
            "loss": 2 + rng.random(),
            "lr": 1e-3 * rng.random(),
            "grad_norm": rng.random(),
            "tokens_per_sec": 1200 + rng.random(),
        }


def trainer_log(lines: int) -> Iterator[dict[str, object]]:
    """Yield the records of a LLaMA-Factory run, an eval every hundred steps."""
    for record in records(lines):
        step = int(record["step"])
        loss = {"eval_loss": 2.0} if step % 100 == 99 else {"loss": record["loss"]}
        yield {
            "current_steps": step,
            "total_steps": lines,
            **loss,
            "lr": record["lr"],
            "epoch": record["epoch"],
            "percentage": round(100 * step / lines, 2),
            "elapsed_time": f"{step // 3600}:{step // 60 % 60:02}:{step % 60:02}",
            "remaining_time": "1 day, 2:03:04",
            "throughput": record["tokens_per_sec"],
        }


def nested(lines: int) -> Iterator[dict[str, object]]:
    """Yield records whose names are nested."""
    for record in records(lines):
        loss, norm = record["loss"], record["grad_norm"]
        yield {"step": record["step"], "train": {"loss": loss, "grad": {"norm": norm}}}


def write_jsonl(path: Path, rows: Iterator[dict[str, float]] | Iterator[dict[str, object]]) -> None:
    with path.open("w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def write_csv(path: Path, lines: int, *, sparse: bool) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*next(records(1)), "val_loss"])
        writer.writeheader()
        for row in records(lines):
            odd = {"lr", "grad_norm"} if sparse and row["step"] % 2 else set[str]()
            kept = {name: value for name, value in row.items() if name not in odd}
            writer.writerow(kept | {"val_loss": "" if row["step"] % 100 else row["loss"]})


def json_floor(path: Path) -> None:
    with path.open() as file:
        for line in file:
            json.loads(line)


def csv_floor(path: Path) -> None:
    with path.open(newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for row in rows:
            [float(cell) for cell in row if cell]


def pandas_floors() -> dict[str, Callable[[Path], object]]:
    """Pandas' readers, or nothing where it is not installed."""
    try:
        import pandas  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return {}
    return {
        ".jsonl": lambda path: pandas.read_json(path, lines=True),
        ".csv": lambda path: pandas.read_csv(path),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lines", type=int, default=100_000)
    lines = parser.parse_args().lines
    floors = pandas_floors()
    with tempfile.TemporaryDirectory() as folder:
        flat, log, deep = (Path(folder, f"{name}.jsonl") for name in ("flat", "log", "deep"))
        dense, sparse = Path(folder, "dense.csv"), Path(folder, "sparse.csv")
        write_jsonl(flat, records(lines))
        write_jsonl(log, trainer_log(lines))
        write_jsonl(deep, nested(lines))
        write_csv(dense, lines, sparse=False)
        write_csv(sparse, lines, sparse=True)
        cases: tuple[Case, ...] = (
            ("JSON lines", flat, json_lines, json_floor, "3x"),
            ("trainer_log.jsonl", log, open_log, json_floor, ""),
            ("nested JSON lines", deep, json_lines, json_floor, ""),
            ("CSV", dense, table, csv_floor, "4x"),
            ("sparse CSV", sparse, table, csv_floor, "3x"),
        )
        print(f"{'':20}{'lines/s':>12}{'standard library':>20}  times as fast        goal")
        for name, path, make, floor, goal in cases:
            ratio = in_turns(
                partial(cpu_of, partial(floor, path)),
                partial(cpu_of, partial(read_with, make, path)),
                ROUNDS,
            )
            rates = f"{lines / ratio.peer:12,.0f}{lines / ratio.ours:20,.0f}"
            print(f"{name:20}{rates}  {ratio!s:21}{goal}", flush=True)
            if path.suffix in floors:
                other = min(cpu_of(partial(floors[path.suffix], path)) for _ in range(ROUNDS))
                print(f"{'':20}{lines / other:12,.0f} by pandas", flush=True)


if __name__ == "__main__":
    main()
