"""Event files made on purpose, and what TensorBoard's own loader reads from one."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
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


def histogram(tag: str, step: int) -> Event:
    """A histogram of six values as PyTorch writes it."""
    limits, counts = [-1.0, 0.0, 1.0, 1.8e308], [0.0, 2.0, 3.0, 1.0]
    proto = HistogramProto(min=-0.5, max=2.0, num=6, bucket_limit=limits, bucket=counts)
    return Event(step=step, wall_time=1.0, summary=Summary(value=[{"tag": tag, "histo": proto}]))


def image(tag: str, step: int, data: bytes) -> Event:
    """An encoded image as PyTorch writes it."""
    proto = Summary.Image(width=4, height=3, encoded_image_string=data)
    return Event(step=step, summary=Summary(value=[Summary.Value(tag=tag, image=proto)]))


def tensor(
    tag: str, step: int, plugin: str, rows: np.ndarray, shape: tuple[int, ...] = ()
) -> Event:
    """A tensor as TensorFlow 2 writes histograms and PR curves."""
    single = rows.dtype == np.float32
    dims = [TensorShapeProto.Dim(size=size) for size in shape or rows.shape]
    proto = TensorProto(
        dtype=1 if single else 2,
        tensor_shape=TensorShapeProto(dim=dims),
        tensor_content=rows.tobytes(),
    )
    named = SummaryMetadata.PluginData(plugin_name=plugin)
    value = Summary.Value(tag=tag, tensor=proto, metadata=SummaryMetadata(plugin_data=named))
    return Event(step=step, summary=Summary(value=[value]))


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
