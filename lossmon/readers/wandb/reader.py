"""W&B's transaction logs (`run-<id>.wandb`), read without W&B."""

from __future__ import annotations

import math
import re
from pathlib import Path

from lossmon.readers.files.attachments import Waiting
from lossmon.readers.files.leveldb_log import LogTail
from lossmon.readers.files.protobuf import BYTES, VARINT, Field, MalformedError, fields, signed
from lossmon.readers.hyperparameters import facts_of
from lossmon.readers.points_builder import SeriesLog
from lossmon.readers.wandb import MAGIC
from lossmon.readers.wandb.console import Console
from lossmon.readers.wandb.items import (
    TABLE,
    Told,
    history_items,
    items,
    key_text,
    number,
    settings,
)
from lossmon.sanitize import one_line
from lossmon.types import Batch, Facts, TextSample

_HISTORY, _OUTPUT, _CONFIG, _STATS, _METRIC, _OUTPUT_RAW, _RUN, _EXIT = 2, 4, 5, 7, 12, 13, 17, 18
"""Numbers of the records that are read, in W&B's `Record` message."""

_NUMBER_KEY, _SUMMARY_KEY = 1 << 3 | VARINT, 3 << 3 | BYTES
"""First bytes of the record's own number and of a summary."""

_READ = frozenset({_HISTORY, _OUTPUT, _CONFIG, _STATS, _METRIC, _OUTPUT_RAW, _RUN, _EXIT})

_STEP_NAMES = frozenset({"train/global_step", "trainer/global_step", "global_step"})
"""Where the Trainer and Lightning log the optimizer step. W&B's own `_step` counts calls of
`log`, of which there are several a step."""

_STEP_WORDS = frozenset({"step", "steps", "iter", "iteration", "iterations"})
"""Last words of a metric that counts steps. A run may name any metric as its axis, an epoch or a
number of tokens too; those are not steps."""

_IGNORED, _STEP, _TIME, _LOGGED, _DEFINED = "", "_step", "_timestamp", "_logged", "_defined"
"""What a key can be other than a tag. No tag begins with an underscore."""

_MOST_KEYS = 50_000


class WandbReader:
    """Reads one transaction log: history, system statistics, configuration, console and exit.

    System statistics are scalars under `system/`. Texts and tables of texts are samples; other
    media and histograms are left out.
    A log without an exit record belongs to a run that goes on, or was killed.

    Attributes:
        path: The file.
        source: `wandb`.
    """

    source = "wandb"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tail = LogTail(path, MAGIC)
        self._begin()

    def _begin(self) -> None:
        self._series = SeriesLog()
        self._console = Console()
        self._keys: dict[bytes, str] = {}
        """By encoded key: its tag, or what else it is."""
        self._defined: set[str] = set()
        """Metrics of steps that the run named as the axis of others."""
        self._step = 0
        self._explicit = False
        """The run logs its optimizer step."""
        self._facts: list[Facts] = []
        self._lines: list[str] = []
        self._texts = Waiting[Told]()
        self._bad = 0

    def read(self, deadline: float) -> Batch:
        """Return what was written since the last call; see `Reader.read`."""
        replaced = self._tail.feed(deadline, self._begin, self._take)
        return self._drain(replaced)

    def _drain(self, replaced: bool) -> Batch:
        notes = self._tail.drain_notes()
        if self._bad:
            notes += (f"{self._bad:,} records that are no W&B records skipped",)
        facts, lines, self._bad = tuple(self._facts), tuple(self._lines), 0
        self._facts, self._lines = [], []
        return Batch(
            points=self._series.drain(),
            facts=facts,
            lines=lines,
            samples=self._samples(),
            notes=notes,
            replaced=replaced,
            pending=self._tail.pending,
        )

    def _samples(self) -> tuple[TextSample, ...]:
        told = self._texts.drain()
        if not told:
            return ()
        # Only a log with texts waits for what knows their parts.
        from lossmon.readers.wandb.tables import samples

        return tuple(samples(self.path.parent, told))

    def _take(self, record: bytes) -> None:
        if _is_summary(record):
            return
        try:
            for field in fields(record, 0, len(record)):
                if field.number in _READ and field.wire == BYTES:
                    self._take_part(field.number, record, field.start, field.stop)
                    return
        except MalformedError:
            self._bad += 1

    def _take_part(self, kind: int, record: bytes, start: int, stop: int) -> None:
        if kind == _HISTORY:
            self._take_history(history_items(record, start, stop))
        elif kind == _STATS:
            self._take_stats(record, start, stop)
        elif kind == _CONFIG:
            self._facts.append(facts_of(settings(items(record, start, stop))))
        else:
            parts = {f.number: f for f in fields(record, start, stop)}
            if kind in (_OUTPUT, _OUTPUT_RAW):
                self._take_output(record, parts)
            elif kind == _METRIC:
                self._take_metric(record, parts)
            elif kind == _RUN:
                self._take_run(record, parts)
            else:
                self._take_exit(parts)

    def _take_history(self, pairs: list[tuple[bytes, bytes]]) -> None:
        known = self._keys
        try:
            tags = [known[key] for key, _ in pairs]
        except KeyError:
            self._learn([key for key, _ in pairs])
            tags = [known[key] for key, _ in pairs]
        wall_time, own, explicit = math.nan, math.nan, math.nan
        values: list[tuple[str, float]] = []
        texts: list[tuple[str, bytes]] = []
        for tag, (_, text) in zip(tags, pairs, strict=True):
            if tag == _IGNORED:
                continue
            if (value := number(text)) is None:
                if text[:1] == b'"':
                    texts.append((tag, text))
                continue
            if tag == _STEP:
                own = value
            elif tag == _TIME:
                wall_time = value
            elif tag == _LOGGED:
                explicit = value
            elif tag == _DEFINED:
                # An axis that the run never logs is written as 0.
                explicit = value if value > 0 and math.isnan(explicit) else explicit
            else:
                values.append((tag, value))
        self._advance(own, explicit)
        self._series.add_row(self._step, wall_time, values)
        for tag, text in texts:
            self._texts.add(tag, Told(tag, self._step, text))

    def _advance(self, own: float, explicit: float) -> None:
        """Set the step of a record; without an explicit one, the last explicit one holds."""
        self._explicit = self._explicit or not math.isnan(explicit)
        step = explicit if self._explicit else own
        if 0 <= step < 1 << 62:
            self._step = int(step)

    def _learn(self, encoded: list[bytes]) -> None:
        """Decide what each key of a record is."""
        if len(self._keys) > _MOST_KEYS:
            self._keys.clear()
        texts = {key: key_text(key) for key in encoded}
        media = tuple(text[:-5] for text in texts.values() if text.endswith("._type"))
        tables = {name.removesuffix(".") for name in media}
        for key, text in texts.items():
            if text in _STEP_NAMES:
                self._keys[key] = _LOGGED
            elif text in self._defined:
                self._keys[key] = _DEFINED
            elif text in (_STEP, _TIME):
                self._keys[key] = text
            elif text.removesuffix(".path") in tables:
                self._keys[key] = TABLE + text.removesuffix(".path")
            elif not text or text.startswith("_") or (media and text.startswith(media)):
                self._keys[key] = _IGNORED
            else:
                self._keys[key] = text

    def _take_stats(self, record: bytes, start: int, stop: int) -> None:
        wall_time = math.nan
        for field in fields(record, start, stop):
            if field.number == 2 and field.wire == BYTES:
                wall_time = _timestamp(record, field)
        for key, text in items(record, start, stop, number_of_items=3):
            if (value := number(text)) is not None:
                self._series.add(f"system/{key_text(key)}", self._step, wall_time, value)

    def _take_output(self, record: bytes, parts: dict[int, Field]) -> None:
        stream = parts[1].value if 1 in parts else 0
        if 3 in parts:
            piece = record[parts[3].start : parts[3].stop].decode(errors="replace")
            self._lines += self._console.write(stream & 1, piece)

    def _take_metric(self, record: bytes, parts: dict[int, Field]) -> None:
        if 4 not in parts:
            return
        name = record[parts[4].start : parts[4].stop].decode(errors="replace")
        if re.split(r"[^a-z]+", name.lower())[-1] in _STEP_WORDS:
            self._defined.add(name)
            self._keys.clear()

    def _take_run(self, record: bytes, parts: dict[int, Field]) -> None:
        named = parts.get(8) or parts.get(1)
        name = record[named.start : named.stop].decode(errors="replace") if named else ""
        started = _timestamp(record, parts[17]) if 17 in parts else math.nan
        self._facts.append(
            Facts(
                name=one_line(name, 200).strip() or None,
                started=None if math.isnan(started) else started,
            )
        )
        if 4 in parts:
            pairs = items(record, parts[4].start, parts[4].stop)
            self._facts.append(facts_of(settings(pairs)))

    def _take_exit(self, parts: dict[int, Field]) -> None:
        code = signed(parts[1].value) if 1 in parts else 0
        failure = f"exit code {code}" if code else None
        self._facts.append(Facts(finished=not code, failure=failure))


def _is_summary(record: bytes) -> bool:
    """Whether a record only repeats the newest values: two of three do."""
    at, end = 1, len(record) - 1
    while at < end and record[at] > 0x7F:
        at += 1
    return at < end and record[0] == _NUMBER_KEY and record[at + 1] == _SUMMARY_KEY


def _timestamp(record: bytes, span: Field) -> float:
    """A `google.protobuf.Timestamp` in seconds since the Unix epoch."""
    parts = {f.number: f.value for f in fields(record, span.start, span.stop) if f.wire == VARINT}
    return signed(parts.get(1, 0)) + signed(parts.get(2, 0)) / 1e9
