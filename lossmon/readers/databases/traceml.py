"""TraceML: a database of step times and hardware for each session, and a document about it."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from lossmon.readers.databases.reader import Database, DatabaseReader
from lossmon.readers.databases.rows import Cursor, Logged, Marks, News, Rows, name_of, real, whole
from lossmon.readers.files.json_file import JsonFile
from lossmon.readers.format import ContainedRun
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
"""Parts of a step as TraceML names them, and what their series are called; in seconds."""

_GPU_COLUMNS = (
    ("util", "utilization", 1.0),
    ("mem_used_bytes", "allocated_memory", _GIB),
    ("mem_total_bytes", "total_memory", _GIB),
    ("temperature_c", "temp", 1.0),
    ("power_usage_w", "power", 1.0),
    ("power_limit_w", "power_limit", 1.0),
)
"""Column, what it is called among the readings of a machine, and its unit there."""

_HOST_COLUMNS = (
    ("cpu_percent", "cpu", 1.0),
    ("ram_used_bytes", "ram/usage (GB)", _GIB),
    ("ram_total_bytes", "ram/total (GB)", _GIB),
)

_FAILED = {"failed": "failed", "interrupted": "interrupted", "incomplete": "incomplete"}


class TracemlTables:
    """The tables of one session: rank 0 speaks for the training, node 0 for the machines."""

    def __init__(self) -> None:
        self._marks = [
            Marks("step_time_samples", _RANK),
            Marks("step_memory_samples", _RANK),
            Marks("system_samples", _NODE),
            Marks("system_gpu_samples", _NODE),
        ]

    def look(self, connection: sqlite3.Connection) -> Sequence[ContainedRun] | None:
        """Return the one run of the session; None if the database is another one now."""
        if not all([marks.look(connection) for marks in self._marks]):
            return None
        return [ContainedRun(_SESSION, mark=tuple(marks.of(0) for marks in self._marks))]

    def rows(self, key: str) -> Rows:
        """Return the session, nothing of which was read."""
        return Session()


class Session:
    """What one session measured."""

    def __init__(self) -> None:
        def names(columns: Sequence[tuple[str, str, float]]) -> str:
            return ", ".join(column for column, _, _ in columns)

        self._times = Cursor("step_time_samples", "step, sample_ts_s, events_json", _RANK, 0)
        self._memory = Cursor(
            "step_memory_samples", "step, sample_ts_s, peak_alloc_bytes", _RANK, 0
        )
        self._host = Cursor("system_samples", f"seq, sample_ts_s, {names(_HOST_COLUMNS)}", _NODE, 0)
        self._gpus = Cursor(
            "system_gpu_samples", f"seq, sample_ts_s, gpu_idx, {names(_GPU_COLUMNS)}", _NODE, 0
        )

    def news(self, connection: sqlite3.Connection) -> News:
        """Return what was measured since the last visit."""
        news = News()
        for step, time, events in self._next(self._times, connection, news):
            for tag, seconds in _step_times(events):
                news.values.append(Logged(tag, whole(step), real(time), seconds))
        for step, time, peak in self._next(self._memory, connection, news):
            if (taken := number(peak)) is not None:
                tag = "memory/peak_allocated (GiB)"
                news.values.append(Logged(tag, whole(step), real(time), taken / _GIB))
        for place, time, *said in self._next(self._host, connection, news):
            news.values += _readings(whole(place), real(time), "system", _HOST_COLUMNS, said)
        for place, time, gpu, *said in self._next(self._gpus, connection, news):
            where = f"system/gpu/{whole(gpu)}"
            news.values += _readings(whole(place), real(time), where, _GPU_COLUMNS, said)
        return news

    @staticmethod
    def _next(
        cursor: Cursor, connection: sqlite3.Connection, news: News
    ) -> list[tuple[object, ...]]:
        rows, more = cursor.next(connection)
        news.more = news.more or more
        return rows


def _step_times(events: object) -> Iterator[tuple[str, float]]:
    """The seconds that a step took, from the wait for its batch to its end, and their parts."""
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
    said = [number(one.get("duration_ms")) for one in devices.values() if isinstance(one, dict)]
    known = [one for one in said if one is not None]
    return math.fsum(known) * _MS if known else None


def _readings(
    place: int,
    time: float,
    where: str,
    columns: Sequence[tuple[str, str, float]],
    said: Sequence[object],
) -> Iterator[Logged]:
    for (_, name, unit), value in zip(columns, said, strict=True):
        if (taken := number(value)) is not None:
            yield Logged(f"{where}/{name}", place, time, taken / unit, Axis.ORDER)


class Manifest:
    """Reads `manifest.json`, which says how a session is doing.

    Args:
        path: The file.
    """

    source = "traceml"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = JsonFile(path)

    def read(self, deadline: float) -> Batch:
        """Return the name, the beginning and the end of the session, if any is new.

        Raises:
            ReadError: The file may not be read.
        """
        document = self._file.changed()
        if not isinstance(document, dict):
            return Batch()
        status = document.get("status")
        facts = Facts(
            name=name_of(document.get("session_id")) or None,
            started=written_moment(str(document.get("created_at"))),
            finished=status == "completed",
            failure=_FAILED.get(str(status), ""),
        )
        return Batch(facts=(facts,))


def open_session(path: Path) -> DatabaseReader:
    """Return a reader of the database of a session."""
    return DatabaseReader(Database(path, "traceml", TracemlTables))
