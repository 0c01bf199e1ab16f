"""Detection of sampled outputs: records with a prompt or an answer, and a step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from lossmon.readers.records.names import STEP_NAMES, first_records, names_loss, plain
from lossmon.readers.records.sample_parts import OUTPUTS, PROMPTS, parts_of
from lossmon.readers.samples import DIRECTORIES
from lossmon.readers.values import is_step, number

_FIELD = re.compile(rb'[{,]\s*"(\w{1,40})"\s*:\s*(-?\d|"|\[)')


def claims_predictions(path: Path, head: bytes) -> bool:
    return any({"prompt", "predict"} <= record.keys() for record in first_records(head))


def claims_samples(path: Path, head: bytes) -> bool:
    """Records of a run, with a step; a data set has none. A log of the loss is another format."""
    records = first_records(head)
    if not records:
        return b"\n" not in head and _begins_a_sample(head)
    if any(names_loss(name) for record in records for name in record):
        return False
    # One file a step may leave the step to its name, where no data set lies.
    stepped = path.parent.name.lower() in DIRECTORIES and NUMBERED.match(path.stem) is not None
    return all(
        (stepped or step_of(record) is not None) and any(True for _ in parts_of(record))
        for record in records
    )


def _begins_a_sample(head: bytes) -> bool:
    """Whether a record that is longer than what may be looked at begins like a sample."""
    if not head.startswith(b"{"):
        return False
    kinds = {name.decode().lower(): kind for name, kind in _FIELD.findall(head)}
    stepped = any(kinds.get(name, b'"')[:1] not in b'"[' for name in STEP_NAMES if name in kinds)
    has_text = any(kinds.get(name, b"0")[:1] in b'"[' for name in (*PROMPTS, *OUTPUTS))
    return stepped and has_text and not any(names_loss(name) for name in kinds)


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
