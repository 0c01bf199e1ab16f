"""Reader for TraceML: a database of step times and hardware per session, and its manifest."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from lossmon.readers.databases.reader import Database, DatabaseReader
from lossmon.readers.databases.rows import (
    RowCursor,
    RunMarks,
    RunProgress,
    RunRows,
    as_float,
    as_int,
    as_name,
    as_step,
)
from lossmon.readers.files.json_file import JsonFile
from lossmon.readers.format import ContainedRun
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.json_records import parse_whole
from lossmon.readers.values import number, written_moment
from lossmon.types import Axis, Batch, Facts

_SESSION = "session"
_RANK = "COALESCE(global_rank, rank, 0)"
_NODE = "COALESCE(node_rank, 0)"

_PREFIX = "_traceml_internal:"
_WAIT, _STEP = "dataloader_next", "step_time"
_MS = 1e-3
_GIB = float(1 << 30)

_PHASES = {
    _WAIT: "time/input_wait",
    "h2d_time": "time/host_to_device",
    "forward_time": "time/forward",
    "backward_time": "time/backward",
    "optimizer_step": "time/optimizer_step",
}
"""TraceML's names of the parts of a step → tags of their series, in seconds."""

_GPU_COLUMNS = (
    ("util", "utilization", 1.0),
    ("mem_used_bytes", "allocated_memory", _GIB),
    ("mem_total_bytes", "total_memory", _GIB),
    ("temperature_c", "temp", 1.0),
    ("power_usage_w", "power", 1.0),
    ("power_limit_w", "power_limit", 1.0),
)
"""Column, its name among the readings of a machine, and its unit there."""

_HOST_COLUMNS = (
    ("cpu_percent", "cpu", 1.0),
    ("ram_used_bytes", "ram/usage (GB)", _GIB),
    ("ram_total_bytes", "ram/total (GB)", _GIB),
)

_FAILED = {"failed": "failed", "interrupted": "interrupted", "incomplete": "incomplete"}


class TracemlTables:
    """The tables of one session: rank 0 stands for the training, node 0 for the machines."""

    def __init__(self) -> None:
        self._marks = [
            RunMarks("step_time_samples", _RANK),
            RunMarks("step_memory_samples", _RANK),
            RunMarks("system_samples", _NODE),
            RunMarks("system_gpu_samples", _NODE),
        ]

    def refresh(self, connection: sqlite3.Connection) -> Sequence[ContainedRun] | None:
        """Return the one run of the session; None if the database was replaced."""
        if not all([marks.refresh(connection) for marks in self._marks]):
            return None
        return [ContainedRun(_SESSION, mark=tuple(marks.of(0) for marks in self._marks))]

    def rows(self, key: str) -> RunRows:
        """Return the session, none of it read yet."""
        return SessionRows()


class SessionRows:
    """The measurements of one session."""

    def __init__(self) -> None:
        def names(columns: Sequence[tuple[str, str, float]]) -> str:
            return ", ".join(column for column, _, _ in columns)

        times = "step, sample_ts_s, events_json"
        memory = "step, sample_ts_s, peak_alloc_bytes"
        host = f"seq, sample_ts_s, {names(_HOST_COLUMNS)}"
        gpus = f"seq, sample_ts_s, gpu_idx, {names(_GPU_COLUMNS)}"
        self._times = RowCursor("step_time_samples", times, _RANK, 0)
        self._memory = RowCursor("step_memory_samples", memory, _RANK, 0)
        self._host = RowCursor("system_samples", host, _NODE, 0)
        self._gpus = RowCursor("system_gpu_samples", gpus, _NODE, 0)

    def read(self, connection: sqlite3.Connection, batch: BatchBuilder) -> RunProgress:
        """Add what was measured since the last visit."""
        add = batch.points.add_row
        rows, more_times = self._times.read(connection)
        for step, time, events in rows:
            add(as_step(step), as_float(time), _step_times(events))
        rows, more_memory = self._memory.read(connection)
        for step, time, peak in rows:
            if (used := number(peak)) is not None:
                tag = "memory/peak_allocated (GiB)"
                batch.points.add(tag, as_step(step), as_float(time), used / _GIB)
        rows, more_host = self._host.read(connection)
        for index, time, *values in rows:
            readings = _readings("system", _HOST_COLUMNS, values)
            add(as_step(index), as_float(time), readings, Axis.ORDER)
        rows, more_gpus = self._gpus.read(connection)
        for index, time, gpu, *values in rows:
            readings = _readings(f"system/gpu/{as_int(gpu)}", _GPU_COLUMNS, values)
            add(as_step(index), as_float(time), readings, Axis.ORDER)
        return RunProgress(more=more_times or more_memory or more_host or more_gpus)


def _step_times(events: object) -> Iterator[tuple[str, float]]:
    """Seconds of a step, from the wait for its batch to its end, and of its parts."""
    record = parse_whole(str(events)) or {}
    spent = {
        name.removeprefix(_PREFIX): seconds
        for name, devices in record.items()
        if (seconds := _seconds(devices)) is not None
    }
    if _STEP in spent:
        yield "step_time", spent[_STEP] + spent.get(_WAIT, 0.0)
    for name, tag in _PHASES.items():
        if name in spent:
            yield tag, spent[name]


def _seconds(devices: object) -> float | None:
    if not isinstance(devices, dict):
        return None
    spent = [number(one.get("duration_ms")) for one in devices.values() if isinstance(one, dict)]
    known = [one for one in spent if one is not None]
    return math.fsum(known) * _MS if known else None


def _readings(
    where: str, columns: Sequence[tuple[str, str, float]], values: Sequence[object]
) -> Iterator[tuple[str, float]]:
    for (_, name, unit), value in zip(columns, values, strict=True):
        if (reading := number(value)) is not None:
            yield f"{where}/{name}", reading / unit


class TracemlManifest:
    """Reads `manifest.json`, which holds the state of a session."""

    source = "traceml"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = JsonFile(path)

    def read(self, deadline: float) -> Batch:
        """Return the name, the start and the end of the session if any of them is new.

        Raises:
            ReadError: The file may not be read.
        """
        document = self._file.read()
        if not isinstance(document, dict):
            return Batch()
        status = document.get("status")
        facts = Facts(
            name=as_name(document.get("session_id")) or None,
            started=written_moment(str(document.get("created_at"))),
            finished=status == "completed",
            failure=_FAILED.get(str(status), ""),
        )
        return Batch(facts=(facts,))


def open_session(path: Path) -> DatabaseReader:
    """Return a reader of the database of a session."""
    return DatabaseReader(Database(path, "traceml", TracemlTables))
