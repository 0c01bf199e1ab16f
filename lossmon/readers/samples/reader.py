"""Reader for texts that a model wrote: predictions and sampled completions."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from lossmon.readers.files.lines import LONGEST, decode
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.frame import FrameBuilder, JsonRecord, RecordFrame
from lossmon.readers.records.json_records import parse_line, parse_whole
from lossmon.readers.records.reader import LineFault, RecordReader
from lossmon.readers.records.sample_parts import parts_of
from lossmon.readers.samples.detection import NUMBERED, step_of
from lossmon.types import Axis, TextSample


class SampleLines:
    """Parses lines that hold one JSON object each: prompts and what a model made of them."""

    def parse(self, text: bytes) -> tuple[RecordFrame, list[LineFault]]:
        """Return the answers of some lines, and the lines that are not JSON."""
        cells, faults, n = FrameBuilder(), [], 0
        for index, line in enumerate(text.splitlines()):
            parsed = parse_line(decode(line))
            records = parsed.records
            if parsed.fault:
                mended = _mended(decode(line)) if len(line) >= LONGEST - 4 else None
                if mended is None:
                    faults.append(LineFault(index, f"not JSON ({parsed.fault})"))
                else:
                    records = (mended,)
            for record in records:
                step = step_of(record)
                for parts in parts_of(record):
                    if step is not None:
                        cells.add(n, "step", step)
                    cells.add_texts("output", [(n, parts.output)])
                    cells.add_texts("prompt", [(n, parts.prompt)])
                    cells.add_texts("expected", [(n, parts.expected)])
                    n += 1
        return cells.frame(n), faults

    def is_whole(self, line: str, quiet: bool) -> bool:
        """Whether an unfinished line is an object already: no part of one is."""
        return parse_whole(line) is not None


class Conversations:
    """The layout of records with a prompt and an output.

    A record without a step belongs to the step before it, else to the one in the name of the file
    or of the checkpoint's directory.

    Args:
        axis: Unused: an output has a step or none.
    """

    def __init__(self, path: Path, axis: Axis | None = None) -> None:
        self._tag = _tag(path)
        self._step = _step_of_path(path)

    def add(self, frame: RecordFrame, batch: BatchBuilder) -> None:
        """Add the samples of a frame."""
        steps: dict[int, float] = {}
        if column := frame.columns.get("step"):
            steps = dict(zip(column.rows.tolist(), column.values.tolist(), strict=True))
        texts = {name: dict(rows) for name, rows in frame.texts.items()}
        for row in range(frame.n):
            if row in steps:
                self._step = int(steps[row])
            output, prompt, expected = (
                texts[name][row] for name in ("output", "prompt", "expected")
            )
            batch.samples.append(TextSample(self._tag, self._step, output, prompt, expected))


_TORN = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?$")
"""A character that was cut in the middle of how JSON spells it."""


def _mended(line: str) -> JsonRecord | None:
    """The beginning of a record whose last text was cut because it is too long.

    None where it ends elsewhere than in a text, or before it says its step.
    """
    for text in (line, _TORN.sub("", line)):
        record = parse_whole(text + '"}')
        if record is not None:
            return record if step_of(record) is not None else None
    return None


def _tag(path: Path) -> str:
    numbered = NUMBERED.match(path.stem)
    return (numbered["name"] if numbered else path.stem) or path.parent.name


def _step_of_path(path: Path) -> int | None:
    for name in (path.stem, path.parent.name):
        if (numbered := NUMBERED.match(name)) and len(numbered["step"]) < 16:
            return int(numbered["step"])
    return None


def _open(source: str, path: Path) -> RecordReader:
    return RecordReader(path, source, SampleLines, partial(Conversations, path))


open_predictions = partial(_open, "llamafactory_predictions")
open_samples = partial(_open, "samples")
