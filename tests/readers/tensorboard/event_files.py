"""Event files made on purpose, and what TensorBoard's own loader reads from one."""

from __future__ import annotations

import struct
from pathlib import Path

from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.util import tensor_util

Read = dict[str, list[tuple[int, float, str]]]
"""By tag: step, wall time and value; values as text, so that NaN equals NaN."""


def framed(payload: bytes) -> bytes:
    """A payload as a record, with TensorBoard's own checksum."""
    head = struct.pack("<Q", len(payload))
    checks = [struct.pack("<I", masked_crc32c(part)) for part in (head, payload)]
    return head + checks[0] + payload + checks[1]


def recorded(*events: Event) -> bytes:
    """Events as the bytes of a file."""
    return b"".join(framed(event.SerializeToString()) for event in events)


def scalar(tag: str, step: int, value: float, wall_time: float = 1.0) -> Event:
    """An event as PyTorch writes it."""
    event = Event(wall_time=wall_time, step=step)
    event.summary.value.add(tag=tag, simple_value=value)
    return event


def loaded(path: Path) -> Read:
    """The scalars that TensorBoard itself reads."""
    read: Read = {}
    plugins: dict[str, str] = {}
    for event in LegacyEventFileLoader(str(path)).Load():
        for value in event.summary.value:
            plugin = plugins.setdefault(value.tag, value.metadata.plugin_data.plugin_name)
            if value.HasField("simple_value"):
                number = float(value.simple_value)
            elif value.HasField("tensor") and plugin == "scalars":
                number = float(tensor_util.make_ndarray(value.tensor).item())
            else:
                continue
            point = (event.step, event.wall_time, repr(number))
            read.setdefault(value.tag, []).append(point)
    return read
