"""TensorBoard event files, written with TensorBoard's own records and messages."""

from __future__ import annotations

import errno
import math
import os
import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from time import time as clock

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionStartInfo
from tensorboard.summary.writer.record_writer import RecordWriter

from lossmon.reports.series_names import series_names
from lossmon.types import Series

NO_TIME = 0.0
"""Time of a point whose time is unknown: what a message has where none is set."""


def write_event_file(
    directory: Path, series: Sequence[Series], settings: Mapping[str, str]
) -> None:
    """Write series and hyperparameters as one run of TensorBoard.

    Values have single precision, as in every event file.

    Args:
        directory: Directory of the event file; appears when all is written.

    Raises:
        FileExistsError: The directory exists.
        OSError: The file cannot be written.
    """
    if os.path.lexists(directory):
        raise FileExistsError(errno.EEXIST, "already exists", str(directory))
    temporary = directory.with_name(f".{directory.name}.{os.getpid()}")
    temporary.mkdir(parents=True)
    try:
        now = clock()
        name = f"events.out.tfevents.{now:010.0f}.{socket.gethostname()}.{os.getpid()}.0"
        with (temporary / name).open("wb") as file:
            writer = RecordWriter(file)
            for event in _file_events(series, settings, now):
                writer.write(event.SerializeToString())
        temporary.rename(directory)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _file_events(
    series: Sequence[Series], settings: Mapping[str, str], now: float
) -> Iterator[Event]:
    """All events of a file, in order; its version first."""
    yield Event(wall_time=now, file_version="brain.Event:2")
    if settings:
        yield Event(summary=_hyperparameters(settings))
    yield from _events(series)


def _events(series: Sequence[Series]) -> Iterator[Event]:
    """One event per step and time, ascending, with all values that were logged then."""
    points: list[tuple[int, float, str, float]] = []
    for one, name in zip(series, series_names(series), strict=True):
        times = [time if math.isfinite(time) else NO_TIME for time in one.wall_times.tolist()]
        steps, values = one.steps.tolist(), one.values.tolist()
        points += zip(steps, times, [name] * len(steps), values, strict=True)
    points.sort(key=lambda point: point[:2])
    for (step, time), group in groupby(points, key=lambda point: point[:2]):
        values = [Summary.Value(tag=name, simple_value=value) for *_, name, value in group]
        yield Event(step=step, wall_time=time, summary=Summary(value=values))


def _hyperparameters(settings: Mapping[str, str]) -> Summary:
    session = SessionStartInfo()
    for name, text in settings.items():
        value = session.hparams[name]
        number = _number(text)
        if text in ("true", "false"):
            value.bool_value = text == "true"
        elif number is not None:
            value.number_value = number
        else:
            value.string_value = text
    content = metadata.create_summary_metadata(HParamsPluginData(session_start_info=session))
    return Summary(
        value=[
            Summary.Value(
                tag=metadata.SESSION_START_INFO_TAG,
                metadata=content,
                tensor=metadata.NULL_TENSOR,
            )
        ]
    )


def _number(text: str) -> float | None:
    """A finite number whose text is read back as it is written."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and f"{number:.15g}" == text else None
