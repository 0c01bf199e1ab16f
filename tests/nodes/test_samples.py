from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lossmon.nodes.samples import MOST_GPUS, SOURCE, NodeSample, decode, encode
from lossmon.types import (
    GpuDetails,
    GpuPartition,
    GpuReading,
    HostReading,
    Job,
    JobState,
    NodeProcess,
    NodeReading,
    NodeVerdict,
    PcieLink,
    ProcessState,
)

DETAILS = GpuDetails(
    *(1.98e9, 2.6e9, PcieLink(5, 16, 5, 16), 3, 1, True, False, 17, 18, (63, 79)),
    (GpuPartition(0, "MIG 1g.10gb", 1 << 30, 10 << 30),),
)
NODE = NodeReading(
    "gpu01",
    1_700_000_000.5,
    (
        GpuReading(0, "NVIDIA H100", 97.0, 1 << 30, 80 << 30, 640.25, 700.0, 61.0, 1.98e9),
        GpuReading(1, "NVIDIA H100", throttle_reasons=("too hot",), lost=True, details=DETAILS),
    ),
    HostReading("gpu01", 34.5, 64, 1 << 34, 1 << 40, 1 << 41, 1 << 43),
    (NodeProcess(71, "python", ProcessState.BUSY, 99.5, 3),),
    (NodeVerdict("run", 120, "overfitting", "warning"),),
    job=Job("PBS", "12.head", "tune", JobState.RUNNING, partition="gpu", limit=1.7e9),
    source=SOURCE,
)


def test_a_sample_comes_back_as_it_was_written() -> None:
    line = encode(NodeSample(NODE, 10.0))
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert decode(line) == NodeSample(NODE, 10.0)


def test_what_is_not_known_takes_no_room() -> None:
    bare = replace(NODE, gpus=(), host=None, processes=(), verdicts=(), job=None)
    assert set(json.loads(encode(NodeSample(bare, 1.0)))) == {"v", "time", "interval", "host"}


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[1]",
        b"\xff\xfe",
        b'{"v":2,"time":1,"interval":1,"host":"a"}',
        b'{"v":1,"time":1,"interval":0,"host":"a"}',
        b'{"v":1,"time":"1","interval":1,"host":"a"}',
        b'{"v":1,"time":1,"interval":1}',
        b"[" * 100_000,
    ],
)
def test_what_is_not_a_sample_is_none(line: bytes) -> None:
    assert decode(line) is None


def test_a_hostile_line_gives_what_can_be_shown() -> None:
    gpus = [{"index": n, "name": "\x1b[2J", "utilization": True} for n in range(MOST_GPUS + 9)]
    processes = [{"pid": 1, "state": "dancing"}, {"pid": -1, "state": "busy"}, 7]
    document = {
        "v": 1,
        "time": 1.0,
        "interval": 1.0,
        "host": "a\x1b]0;b\x07" + "x" * 999,
        "cpu": 1e308 * 10,
        "memory_used": -4,
        "gpus": gpus,
        "processes": processes,
        "verdicts": {"run": 1},
    }
    sample = decode(json.dumps(document).encode())
    assert sample is not None
    node = sample.reading
    assert node.name.isprintable() and len(node.name) < 200
    assert len(node.gpus) == MOST_GPUS and node.gpus[0].name.isprintable()
    assert node.gpus[0].utilization is None and node.host is None
    assert node.processes == () and node.verdicts == ()
