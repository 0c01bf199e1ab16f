"""Steps of sampled outputs: in their records, or in the names of their files."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lossmon.readers.records.names import STEP_NAMES, plain
from lossmon.readers.values import is_step, number

NUMBERED = re.compile(
    r"^(?P<name>.*?)[-_.]?(?:(?:global_?step|step|checkpoint|ckpt|iter|epoch)[-_]?)?(?P<step>\d+)$",
    re.IGNORECASE,
)
"""A name that ends with the step: `step_500`, `completions-00050`, `checkpoint-1200`."""


def step_of(record: Mapping[str, object]) -> float | None:
    """The step of a record, None where it names none."""
    named = {plain(name): value for name, value in record.items()}
    for name in STEP_NAMES:
        step = number(named[name]) if name in named else None
        if step is not None and is_step(step):
            return float(int(step))
    return None
