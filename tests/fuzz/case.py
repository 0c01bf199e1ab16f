"""One case: a directory with a damaged file beside a healthy one, read and judged as a whole."""

from __future__ import annotations

import json
import logging
import math
import os
import random
import resource
import shutil
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lossmon.errors import ReadError
from lossmon.monitor import Monitor
from lossmon.readers.registry import detect
from lossmon.reports.check import json_line
from lossmon.reports.record import record
from lossmon.types import Snapshot
from tests.fuzz.mutations import mutated
from tests.paths import DATA
from tests.readers.growing import Collected

SECONDS_PER_MEGABYTE = 20.0
"""CPU time that a case may take beyond the first seconds: far more than any needs, so that only
what grows with the square of its input exceeds it."""

HEALTHY = "".join(f"step {i} | loss {2 / (1 + i):.4f}\n" for i in range(1, 40))

LARGEST = 300_000
"""Bytes of a file that is taken as a seed: damage to larger ones shows nothing new."""


class Fault(AssertionError):
    """What a case did that it must not do."""


def seeds() -> list[Path]:
    """The files that are damaged: every one that the tests know."""
    found = (path for path in DATA.rglob("*") if path.is_file() and path.name != "README.md")
    return sorted(path for path in found if 0 < path.stat().st_size <= LARGEST)


@contextmanager
def no_internal_errors() -> Iterator[None]:
    """Raise the first unexpected exception that the program caught."""
    caught: list[logging.LogRecord] = []

    class Catch(logging.Handler):
        def emit(self, entry: logging.LogRecord) -> None:
            caught.append(entry)

    log, handler = logging.getLogger("lossmon"), Catch()
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
    if caught and caught[0].exc_info:
        raise Fault("internal error") from caught[0].exc_info[1]


def run(seed: int, place: Path, files: list[Path] | None = None) -> None:
    """Make the case of a seed in an empty directory, and look at it.

    Raises:
        Fault: A promise was broken; the message says which.
    """
    dice = random.Random(seed)
    origin = dice.choice(files or seeds())
    path = place / "run" / origin.parent.relative_to(DATA) / origin.name
    path.parent.mkdir(parents=True)
    (place / "healthy").mkdir()
    (place / "healthy" / "train.log").write_text(HEALTHY)
    content = mutated(dice, origin.read_bytes())
    path.write_bytes(content)
    os.utime(path, (1.7e9, 1.7e9))
    allowed = 5.0 + SECONDS_PER_MEGABYTE * len(content) / 1e6
    before = time.process_time()
    try:
        with no_internal_errors():
            _read_alone(path)
            _watch(place, path, dice, content)
    except Exception as error:
        error.add_note(f"in {origin.relative_to(DATA)}")
        raise
    if time.process_time() - before > allowed:
        spent = time.process_time() - before
        raise Fault(f"{origin.name}: {spent:.1f} s of CPU time for {len(content)} bytes")


def _read_alone(path: Path) -> None:
    """Read the file by its own reader: positions go up, columns are of one length."""
    found = detect(path)
    if found is None:
        return
    reader, collected = found.open(path), Collected()
    for _ in range(1000):
        try:
            batch = reader.read(time.monotonic() + 60.0)
        except ReadError:
            return
        for points in batch.points:
            columns = (points.steps, points.values, points.wall_times, points.order)
            if len({len(column) for column in columns}) != 1:
                raise Fault(f"columns of {points.tag!r} differ in length")
            if len(points) and points.steps.min() < 0:
                raise Fault(f"a step of {points.tag!r} is negative")
        try:
            collected.add(batch)
        except AssertionError as error:
            raise Fault(str(error)) from error
        if not batch.pending:
            return
    raise Fault("a reader that never ends")


def _watch(place: Path, path: Path, dice: random.Random, content: bytes) -> None:
    """Watch the whole directory, while the file grows."""
    monitor = Monitor([place])
    half = dice.randrange(len(content) + 1)
    path.write_bytes(content[:half])
    _look(monitor.drain())
    with path.open("ab") as file:
        file.write(content[half:])
    monitor.rescan()
    _look(monitor.drain())


def _look(snapshot: Snapshot) -> None:
    if not any(run.name.startswith("healthy") and run.step == 39 for run in snapshot.runs):
        raise Fault("the healthy run beside it is lost")
    for run in snapshot.runs:
        for finding in (run.diagnosis.verdict, *run.diagnosis.findings):
            for name, value in finding.facts.items():
                if isinstance(value, float) and not math.isfinite(value):
                    raise Fault(f"{finding.code}: fact {name} is {value}")
        line = json_line(record(run, "en"))
        if not line.isprintable() or json.loads(line)["run"] is None:
            raise Fault("a line of JSON is not printable")


def tried(run: Callable[[int], None], seed: int) -> str | None:
    """Run the case of a seed: a report of the fault that it found, or None."""
    try:
        run(seed)
    except Exception:
        return f"--- seed {seed}\n{traceback.format_exc(limit=-6)}"
    return None


def clear(place: Path) -> None:
    """Remove what a case left."""
    shutil.rmtree(place, ignore_errors=True)


def limit_memory(megabytes: int = 4096) -> None:
    """Let a case that asks for too much memory fail instead of the machine."""
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
