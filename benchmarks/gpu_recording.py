"""GPU recording: what a GPU did during a real pretraining, replayed for pictures.

`recorded_gpu.csv` holds the numbers that Weights & Biases sampled every 15 seconds from an NVIDIA
RTX PRO 6000 Blackwell Server Edition while it trained a language model.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from lossmon.types import GpuReading

FILE = Path(__file__).with_name("recorded_gpu.csv")

NAME = "NVIDIA RTX PRO 6000 Blackwell Server Edition"

MEMORY_TOTAL = 97_887 << 20
"""Bytes, of which the recorded ones are 34.6 per cent."""

POWER_LIMIT = 600.0
"""Watts, recorded with every sample."""


@cache
def readings() -> Sequence[GpuReading]:
    """Every sample of the recording, each with the utilizations up to it."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    loads = tuple(float(row["utilization_percent"]) for row in rows)
    return [
        GpuReading(
            0,
            NAME,
            utilization=loads[at],
            memory_used=int(row["memory_mib"]) << 20,
            memory_total=MEMORY_TOTAL,
            power=float(row["power_watts"]),
            power_limit=POWER_LIMIT,
            temperature=float(row["temperature_celsius"]),
            sm_clock=float(row["sm_clock_mhz"]) * 1e6,
            utilization_history=loads[: at + 1],
        )
        for at, row in enumerate(rows)
    ]


def reading_at(share: float) -> GpuReading:
    """The sample at a share of the recording, 0 to 1."""
    found = readings()
    return found[round(max(0.0, min(1.0, share)) * (len(found) - 1))]
