"""Texts that a model wrote: predictions and sampled completions."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from lossmon.readers.files.lines import LONGEST, decode
from lossmon.readers.format import Format
from lossmon.readers.jsonl.reader import RANK
from lossmon.readers.jsonl.records import parse_line, parse_whole
from lossmon.readers.records.axis import STEP_NAMES, plain
from lossmon.readers.records.columns import Found
from lossmon.readers.records.frame import Cells, Frame, Record
from lossmon.readers.records.reader import Fault, RecordReader
from lossmon.readers.records.sniff import first_records, names_loss
from lossmon.readers.run_directories import SAMPLES
from lossmon.readers.samples.parts import OUTPUTS, PROMPTS, parts_of
from lossmon.readers.values import number
from lossmon.types import Axis, TextSample

_NUMBERED = re.compile(
    r"^(?P<name>.*?)[-_.]?(?:(?:global_?step|step|checkpoint|ckpt|iter|epoch)[-_]?)?(?P<step>\d+)$",
    re.IGNORECASE,
)
"""A name that ends with the step: `step_500`, `completions-00050`, `checkpoint-1200`."""

_FIELD = re.compile(rb'[{,]\s*"(\w{1,40})"\s*:\s*(-?\d|"|\[)')


class SampleLines:
    """Parses lines that hold one JSON object each: prompts and what a model made of them."""

    def parse(self, lines: list[bytes]) -> tuple[Frame, list[Fault]]:
        """Return the answers of some lines, and the lines that are not JSON."""
        cells, faults, n = Cells(), [], 0
        for index, line in enumerate(lines):
            parsed = parse_line(decode(line))
            records = parsed.records
            if parsed.fault:
                mended = _mended(decode(line)) if len(line) >= LONGEST - 4 else None
                if mended is None:
                    faults.append(Fault(index, f"not JSON ({parsed.fault})"))
                else:
                    records = (mended,)
            for record in records:
                step = _step_of(record)
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
    """The layout of records of a prompt and what a model made of it.

    A record without a step belongs to the step before it, else to the one in the file's name or
    in that of the checkpoint's directory.

    Args:
        path: The file.
        axis: Of no use here: an answer has a step, or none.
    """

    def __init__(self, path: Path, axis: Axis | None = None) -> None:
        self._tag = _tag(path)
        self._step = _step_of_path(path)

    def take(self, frame: Frame, first: int, found: Found) -> None:
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
            found.samples.append(TextSample(self._tag, self._step, output, prompt, expected))


_TORN = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?$")
"""A character that was cut in the middle of how JSON spells it."""


def _mended(line: str) -> Record | None:
    """The beginning of a record whose last text was cut because it is too long.

    None where it ends elsewhere than in a text, or before it says its step.
    """
    for text in (line, _TORN.sub("", line)):
        record = parse_whole(text + '"}')
        if record is not None:
            return record if _step_of(record) is not None else None
    return None


def _step_of(record: Record) -> float | None:
    """The step of a record, None where it names none."""
    named = {plain(name): value for name, value in record.items()}
    for name in STEP_NAMES:
        step = number(named[name]) if name in named else None
        if step is not None and 0 <= step < 1 << 62:
            return float(int(step))
    return None


def _tag(path: Path) -> str:
    numbered = _NUMBERED.match(path.stem)
    return (numbered["name"] if numbered else path.stem) or path.parent.name


def _step_of_path(path: Path) -> int | None:
    for name in (path.stem, path.parent.name):
        if (numbered := _NUMBERED.match(name)) and len(numbered["step"]) < 16:
            return int(numbered["step"])
    return None


def _claims_predictions(path: Path, head: bytes) -> bool:
    return any({"prompt", "predict"} <= record.keys() for record in first_records(head))


def _claims_samples(path: Path, head: bytes) -> bool:
    """Records of a run, with a step; a data set has none. A log of the loss is another format."""
    records = first_records(head)
    if not records:
        return b"\n" not in head and _begins_a_sample(head)
    if any(names_loss(name) for record in records for name in record):
        return False
    # One file a step may leave the step to its name, where no data set lies.
    stepped = path.parent.name.lower() in SAMPLES and _NUMBERED.match(path.stem) is not None
    return all(
        (stepped or _step_of(record) is not None) and any(True for _ in parts_of(record))
        for record in records
    )


def _begins_a_sample(head: bytes) -> bool:
    """Whether a record that is longer than what may be looked at begins like a sample."""
    if not head.startswith(b"{"):
        return False
    kinds = {name.decode().lower(): kind for name, kind in _FIELD.findall(head)}
    stepped = any(kinds.get(name, b'"')[:1] not in b'"[' for name in STEP_NAMES if name in kinds)
    told = any(kinds.get(name, b"0")[:1] in b'"[' for name in (*PROMPTS, *OUTPUTS))
    return stepped and told and not any(names_loss(name) for name in kinds)


def _open(source: str, path: Path) -> RecordReader:
    return RecordReader(path, source, SampleLines, partial(Conversations, path))


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
