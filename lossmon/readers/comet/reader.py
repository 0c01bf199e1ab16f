"""Reader for Comet's offline experiments, without Comet."""

from __future__ import annotations

import json
import math
import os
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from zlib import error as ZlibError

from lossmon.readers.files.json_file import PATIENCE
from lossmon.readers.format import ContainedRun
from lossmon.readers.hyperparameters import LONGEST_SETTING, MOST_SETTINGS
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.values import is_step, number
from lossmon.sanitize import one_line
from lossmon.types import Axis, Batch, Facts

_MESSAGES, _EXPERIMENT = "messages.json", "experiment.json"

LARGEST = 1 << 29
"""Bytes of messages that are read at most: an archive may unpack to any size."""

_DAMAGED = (
    *(zipfile.BadZipFile, ZlibError, KeyError, EOFError, OSError),
    *(ValueError, RuntimeError, NotImplementedError),
)
"""What a damaged, an encrypted or an unfinished archive raises."""

_NAME_KEY = "Name"
"""Key under which an experiment is named."""

_HARDWARE = "sys."
"""Prefix of the metrics of the machine."""


class CometReader:
    """Reads the metrics and parameters of an offline experiment.

    Comet packs them when the experiment ends, so the archive is read once.

    Attributes:
        path: The archive.
        source: `comet`.
    """

    source = "comet"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int] = (-1, -1)
        self._batch = BatchBuilder()

    def read(self, deadline: float) -> Batch:
        """Return what the archive holds if it changed; see `Reader.read`."""
        try:
            status = os.stat(self.path)
        except OSError:
            return Batch()
        stamp = (status.st_size, status.st_mtime_ns)
        if stamp == self._seen:
            return Batch()
        batch = self._batch
        if self._seen != (-1, -1):
            batch.restart()
        self._seen = stamp
        try:
            with zipfile.ZipFile(self.path) as archive:
                batch.facts.append(_experiment(archive))
                self._add_messages(archive)
        except _DAMAGED as error:
            batch.drain()
            if time.time() - status.st_mtime < PATIENCE:
                # It is being packed: the next change shows more.
                return Batch()
            note = f"{self.path.name}: not a whole Comet archive ({error}): waiting for the next"
            return Batch(notes=(note,))
        return batch.drain()

    def _add_messages(self, archive: zipfile.ZipFile) -> None:
        settings: dict[str, str] = {}
        name, bad, left = "", 0, LARGEST
        with archive.open(_MESSAGES) as lines:
            for line in lines:
                left -= len(line)
                if left < 0:
                    self._batch.notes.append(f"messages beyond {LARGEST >> 20} MiB are skipped")
                    break
                kind, payload = _message(line)
                if kind == "metric_msg":
                    self._add_metric(payload)
                elif kind == "parameter_msg" and len(settings) < MOST_SETTINGS:
                    settings.update(_parameter(payload))
                elif kind == "log_other" and payload.get("key") == _NAME_KEY:
                    name = one_line(str(payload.get("value")), 200)
                bad += not kind
        if bad:
            self._batch.notes.append(f"{bad} malformed messages skipped")
        self._batch.facts.append(Facts(name=name or None, settings=settings))

    def _add_metric(self, payload: Mapping[str, object]) -> None:
        metric = payload.get("metric")
        if not isinstance(metric, dict):
            return
        value, step = number(metric.get("metricValue")), number(metric.get("step"))
        name, context = metric.get("metricName"), payload.get("context")
        if value is None or not isinstance(name, str):
            return
        tag = f"{context}/{name}" if isinstance(context, str) and context else name
        if name.startswith(_HARDWARE):
            tag = f"system/{name.removeprefix(_HARDWARE)}"
        when = number(payload.get("local_timestamp"))
        wall = math.nan if when is None else when / 1000
        if step is not None and is_step(step):
            self._batch.points.add(one_line(tag), int(step), wall, value)
        else:
            order = number(payload.get("message_id")) or 0.0
            self._batch.points.add(one_line(tag), max(0, int(order)), wall, value, Axis.ORDER)


def _message(line: bytes) -> tuple[str, Mapping[str, object]]:
    """Kind and content of a message; an empty kind where the line is not one."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return "", {}
    if not isinstance(message, dict):
        return "", {}
    kind, payload = message.get("type"), message.get("payload")
    return str(kind or ""), payload if isinstance(payload, dict) else {}


def _parameter(payload: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    parameter = payload.get("param")
    if isinstance(parameter, dict) and parameter.get("source") != "auto-logged":
        name = one_line(str(parameter.get("paramName")), LONGEST_SETTING)
        yield name, one_line(str(parameter.get("paramValue")), LONGEST_SETTING)


def _experiment(archive: zipfile.ZipFile) -> Facts:
    """When the experiment began, and whether it ended."""
    kind, described = "", {}
    if archive.getinfo(_EXPERIMENT).file_size < 1 << 20:
        kind, described = _EXPERIMENT, json.loads(archive.read(_EXPERIMENT))
    known = described if kind and isinstance(described, dict) else {}
    started = number(known.get("start_time"))
    return Facts(
        started=None if started is None else started / 1000,
        finished=known.get("stop_time") is not None or None,
    )


class CometArchive:
    """An archive as the container of its one experiment: each in a directory is a run."""

    notes: Sequence[str] = ()

    def __init__(self, path: Path) -> None:
        self._path = path

    def runs(self) -> Sequence[ContainedRun]:
        """Return the experiment."""
        return (ContainedRun(self._path.stem, started=_modified(self._path)),)

    def open(self, key: str) -> CometReader:
        """Return a reader of the experiment."""
        return CometReader(self._path)


def _modified(path: Path) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return math.nan
