"""The vocabulary that flows from the files to the screen: every room knows it, it knows none."""

from lossmon.types.diagnosis import (
    UNJUDGED,
    WARMING_UP,
    Advice,
    Confidence,
    Diagnosis,
    Finding,
    Forecast,
    Severity,
    VerdictChange,
)
from lossmon.types.hardware import GpuProcess, GpuReading, HardwareReading, HostReading
from lossmon.types.points import (
    Batch,
    Facts,
    Floats,
    Ints,
    Points,
    Reader,
    Restart,
    Series,
    TextSample,
)
from lossmon.types.run import AmbiguityReason, AmbiguousTag, Best, RunSnapshot, Snapshot, State
from lossmon.types.tags import Axis, Kind, Meaning, Names, Split

__all__ = [
    "UNJUDGED",
    "WARMING_UP",
    "Advice",
    "AmbiguityReason",
    "AmbiguousTag",
    "Axis",
    "Batch",
    "Best",
    "Confidence",
    "Diagnosis",
    "Facts",
    "Finding",
    "Floats",
    "Forecast",
    "GpuProcess",
    "GpuReading",
    "HardwareReading",
    "HostReading",
    "Ints",
    "Kind",
    "Meaning",
    "Names",
    "Points",
    "Reader",
    "Restart",
    "RunSnapshot",
    "Series",
    "Severity",
    "Snapshot",
    "Split",
    "State",
    "TextSample",
    "VerdictChange",
]
