"""Texts that a model wrote: predictions and sampled completions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from lossmon.readers.axis import STEP_NAMES, StepAxis
from lossmon.readers.format import Format
from lossmon.readers.frames import Frame
from lossmon.readers.jsonl import RANK, JsonParser
from lossmon.readers.layout import Found
from lossmon.readers.record_reader import RecordReader
from lossmon.readers.sniff import first_records
from lossmon.readers.values import number
from lossmon.types import Axis, TextSample

LONGEST = 4000
"""Characters of a part of a sample that are kept: a screen shows fewer."""

NEWEST = 200
"""Samples of one call that are given; older ones would not be looked at."""

_PROMPTS = ("prompt", "question", "input", "instruction", "query")
_OUTPUTS = ("predict", "prediction", "output", "completion", "response", "generated", "answer")
_LABELS = ("label", "target", "reference", "expected", "ground_truth")


class Conversations:
    """The layout of records of a prompt and what a model made of it.

    Args:
        tag: Name of the samples.
        axis: Of no use here: samples stand at their step, or at their line.
    """

    def __init__(self, tag: str, axis: Axis | None = None) -> None:
        self._tag = tag
        self._steps = StepAxis(Axis.STEP)
        self._stepped = False

    def take(self, frame: Frame, first: int, found: Found) -> None:
        """Add the newest samples, each with its parts one below the other."""
        place = self._steps.place(frame)
        self._stepped = self._stepped or bool(place.used)
        texts = {name: dict(column) for name, column in frame.texts.items()}
        for row in range(max(0, frame.n - NEWEST), frame.n):
            text = _sample({name: rows[row] for name, rows in texts.items() if row in rows})
            if text:
                step = int(place.steps[row]) if self._stepped else first + row + 1
                found.samples.append(TextSample(self._tag, step, text))


def _sample(parts: Mapping[str, str]) -> str:
    lines = []
    for title, names in (("Prompt", _PROMPTS), ("Output", _OUTPUTS), ("Expected", _LABELS)):
        part = next((parts[name] for name in names if name in parts), "")
        if part.strip():
            lines.append(f"{title}: {part.strip()[:LONGEST]}")
    return "\n".join(lines)


def _claims_predictions(path: Path, head: bytes) -> bool:
    return any({"prompt", "predict"} <= record.keys() for record in first_records(head))


def _claims_samples(path: Path, head: bytes) -> bool:
    """Records of a run, with a step; a data set has none."""
    records = first_records(head)
    return bool(records) and all(
        any(name in record for name in _OUTPUTS)
        and any(number(record.get(name)) is not None for name in STEP_NAMES)
        for record in records
    )


def _open(source: str, path: Path) -> RecordReader:
    parser = partial(JsonParser, frozenset((*_PROMPTS, *_OUTPUTS, *_LABELS)))
    return RecordReader(path, source, parser, partial(Conversations, path.stem))


FORMATS = (
    Format(
        source="llamafactory_predictions",
        title="LLaMA-Factory generated_predictions.jsonl",
        names=("generated_predictions.jsonl",),
        claims=_claims_predictions,
        open=partial(_open, "llamafactory_predictions"),
        rank=RANK,
    ),
    Format(
        source="samples",
        title="Sampled outputs as JSON lines",
        names=("*.jsonl",),
        claims=_claims_samples,
        open=partial(_open, "samples"),
        rank=RANK,
    ),
)
