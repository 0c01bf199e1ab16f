"""Scalars that are written as tensors."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.types_pb2 import DataType
from tensorboard.util import tensor_util

from lossmon.readers.tensorboard.event import decode_scalar
from lossmon.readers.tensorboard.reader import EventReader
from tests.readers.tensorboard.event_files import loaded, recorded

LISTS = {
    "DT_FLOAT": "float_val",
    "DT_DOUBLE": "double_val",
    "DT_INT32": "int_val",
    "DT_INT16": "int_val",
    "DT_INT8": "int_val",
    "DT_UINT8": "int_val",
    "DT_INT64": "int64_val",
    "DT_BOOL": "bool_val",
}


def number(tensor: TensorProto) -> float | None:
    record: bytes = tensor.SerializeToString()
    scalar = decode_scalar(record, 0, len(record))
    return None if scalar is None else scalar.value


@pytest.mark.parametrize("dtype", LISTS)
@pytest.mark.parametrize("value", [0, 1, 3])
def test_a_number_in_a_list_field_is_read(dtype: str, value: int) -> None:
    tensor = TensorProto(dtype=DataType.Value(dtype))
    getattr(tensor, LISTS[dtype]).append(bool(value) if dtype == "DT_BOOL" else value)
    assert number(tensor) == tensor_util.make_ndarray(tensor).item()


@pytest.mark.parametrize("dtype", ["DT_INT32", "DT_INT16", "DT_INT8", "DT_INT64"])
def test_a_negative_integer_is_read(dtype: str) -> None:
    tensor = TensorProto(dtype=DataType.Value(dtype))
    getattr(tensor, LISTS[dtype]).append(-5)
    assert number(tensor) == -5


@pytest.mark.parametrize(
    "dtype",
    [
        *(np.float32, np.float64, np.float16, np.int8, np.int16, np.int32, np.int64),
        *(np.uint8, np.uint16, np.uint32, np.uint64, np.bool_),
    ],
)
def test_raw_content_is_read_in_every_type(dtype: type[np.generic]) -> None:
    array = np.array(1, dtype)
    kind = tensor_util.make_tensor_proto(array).dtype
    tensor = TensorProto(dtype=kind, tensor_content=array.tobytes())
    assert number(tensor) == 1.0


@pytest.mark.parametrize("value", [0.5, -3.0, math.inf])
def test_half_precision_is_read(value: float) -> None:
    tensor = tensor_util.make_tensor_proto(np.array(value, np.float16))
    assert number(tensor) == value


@pytest.mark.parametrize("raw", [True, False])
def test_bfloat16_is_read(raw: bool) -> None:
    tensor = TensorProto(dtype=DataType.Value("DT_BFLOAT16"))
    bits = struct.unpack("<I", struct.pack("<f", 1.5))[0] >> 16
    if raw:
        tensor.tensor_content = struct.pack("<H", bits)
    else:
        tensor.half_val.append(bits)
    assert number(tensor) == 1.5


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_any_shape_of_one_element_is_a_scalar(shape: tuple[int, ...]) -> None:
    assert number(tensor_util.make_tensor_proto(np.full(shape, 2.5, np.float32))) == 2.5


@pytest.mark.parametrize("shape", [(0,), (2,), (1, 3)])
def test_more_or_fewer_elements_are_no_scalar(shape: tuple[int, ...]) -> None:
    assert number(tensor_util.make_tensor_proto(np.zeros(shape, np.float32))) is None


def test_a_text_is_no_scalar() -> None:
    assert number(tensor_util.make_tensor_proto(np.array(b"text", object))) is None


def tensor_event(tag: str, step: int, value: float, plugin: str = "", dtype: type = float) -> Event:
    event = Event(wall_time=1.0, step=step)
    entry = event.summary.value.add(tag=tag)
    entry.tensor.CopyFrom(tensor_util.make_tensor_proto(np.array(value, dtype)))
    entry.metadata.plugin_data.plugin_name = plugin
    return event


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, np.int64])
def test_a_plugin_named_once_holds_for_the_tag(tmp_path: Path, dtype: type) -> None:
    log = tmp_path / "events.out.tfevents.1.v2"
    events = [tensor_event("loss", i, i % 50, "" if i else "scalars", dtype) for i in range(300)]
    log.write_bytes(recorded(*events))
    points = EventReader(log).read(math.inf).points
    values = [
        (step, 1.0, repr(value))
        for column in points
        for step, value in zip(column.steps.tolist(), column.values.tolist(), strict=True)
    ]
    assert sorted(values) == sorted(loaded(log)["loss"])
    assert values == sorted(values)


def test_a_tensor_of_another_plugin_is_no_scalar(tmp_path: Path) -> None:
    log = tmp_path / "events.out.tfevents.1.v2"
    log.write_bytes(
        recorded(tensor_event("curve", 0, 1.0, "pr_curves"), tensor_event("curve", 1, 1.0))
    )
    assert EventReader(log).read(math.inf).points == ()
