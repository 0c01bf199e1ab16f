"""Reader for W&B's transaction logs, without W&B."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import chain, islice, takewhile
from operator import attrgetter
from pathlib import Path

from lossmon.readers.files.attachments import AttachmentQueue
from lossmon.readers.files.leveldb_log import LevelDbTail, LogRecord
from lossmon.readers.files.protobuf import (
    BYTES,
    MalformedError,
    ProtoField,
    decode_fields,
    decode_timestamp,
    signed,
)
from lossmon.readers.files.tail import read_until
from lossmon.readers.hyperparameters import facts_of
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.values import counted, is_step
from lossmon.readers.wandb import MAGIC
from lossmon.readers.wandb.items import (
    DEFINED,
    IGNORED,
    LOGGED,
    LONGEST_NUMBER,
    MEDIA,
    STEP,
    TABLE,
    TIME,
    Console,
    HistoryPlan,
    HistoryRows,
    LoggedText,
    decode_history,
    decode_items,
    decode_key,
    decode_number,
    decode_settings,
    number_pattern,
    plan_of,
    short_head,
)
from lossmon.sanitize import one_line
from lossmon.types import Batch, Facts, LoggedMedia, MediaKind, MediaRecord, TextSample

_HISTORY, _OUTPUT, _CONFIG, _STATS, _METRIC, _OUTPUT_RAW, _RUN, _EXIT = 2, 4, 5, 7, 12, 13, 17, 18
"""Numbers of the records that are read, in W&B's `Record` message."""

_HISTORY_KEY = 2 << 3 | BYTES
"""First byte of a history."""

_is_summary = re.compile(rb"\x08[\x80-\xff]{0,9}[\x00-\x7f]\x1a").match
"""Whether a record, behind its own number, is a summary, which only repeats the newest values: two
of three records are."""

_content = attrgetter("content")

_READ = frozenset({_HISTORY, _OUTPUT, _CONFIG, _STATS, _METRIC, _OUTPUT_RAW, _RUN, _EXIT})

_STEP_NAMES = frozenset({"train/global_step", "trainer/global_step", "global_step"})
"""Names under which the Trainer and Lightning log the optimizer step. W&B's own `_step` counts
calls of `log`, and there are several per step."""

_STEP_WORDS = frozenset({"step", "steps", "iter", "iteration", "iterations"})
"""Last words of a metric that counts steps. A run may declare any metric as its axis, also an epoch
or a number of tokens; those are not steps."""

_MOST_KEYS = 50_000

_MANY = 16
"""Records in a row of one plan from which on a pattern is made for the next ones."""

_TYPE = re.compile(rb'"_type": ?("[\w/-]+")')
"""Type of an object in a record that is not flattened."""

_TABLE_TYPE = b'"table-file"'
_PATH = re.compile(rb'"path": ?("[^"\\\\]+")')

_MEDIA_KINDS = {
    b'"histogram"': MediaKind.HISTOGRAM,
    b'"image-file"': MediaKind.IMAGE,
    b'"images/separated"': MediaKind.IMAGE,
}
"""By W&B's name of the type, as JSON."""


class WandbReader:
    """Reads a transaction log: history, system statistics, configuration, console and exit.

    System statistics are scalars under `system/`. Texts and tables of texts are samples. Of
    histograms, images and tables of curves only the place is noted; `load_media` decodes those
    that are looked at. Other media are skipped. A log without an exit record belongs to a run that
    goes on or was killed.

    Attributes:
        path: The file.
        source: `wandb`.
    """

    source = "wandb"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tail = LevelDbTail(path, MAGIC)
        self._batch = BatchBuilder()
        self._rows = HistoryRows(self._batch.points)
        self._reset()

    def _reset(self) -> None:
        self._console = Console()
        self._keys: dict[bytes, str] = {}
        """Encoded key → its tag, or what else it is."""
        self._plans: dict[tuple[bytes, ...], HistoryPlan | None] = {}
        """Plan of the records with these keys."""
        self._uses = 0
        """Records in a row that had the plan of the last one."""
        self._fast: tuple[re.Pattern[bytes], HistoryPlan] | None = None
        """The pattern of the records of a plan that many had."""
        self._last: HistoryPlan | None = None
        self._defined: set[str] = set()
        """Metrics of steps that the run declared as the axis of others."""
        self._step = 0
        self._record = LogRecord(b"", 0)
        self._explicit = False
        """The run logs its optimizer step."""
        self._texts = AttachmentQueue[LoggedText]()
        self._malformed = 0

    def read(self, deadline: float) -> Batch:
        """Return what was written since the last call; see `Reader.read`."""
        for records in read_until(self._tail, deadline):
            if self._tail.replaced:
                self._batch.restart()
                self._reset()
            self._add_all([record for record in records if not _is_summary(record[0])])
            self._rows.flush()
        self._batch.notes += self._tail.drain_notes()
        if self._malformed:
            self._batch.notes.append(f"{counted(self._malformed, 'malformed record')} skipped")
            self._malformed = 0
        self._batch.samples += self._samples()
        return self._batch.drain(self._tail.pending)

    def _samples(self) -> list[TextSample]:
        texts = self._texts.drain()
        if not texts:
            return []
        # Only logs with texts need the import.
        from lossmon.readers.wandb.tables import samples

        return list(samples(self.path.parent, texts))

    def _add_all(self, records: Sequence[LogRecord]) -> None:
        at = 0
        while at < len(records):
            if self._fast is not None:
                at += self._add_fast(*self._fast, islice(records, at, None))
            if at < len(records):
                self._record = records[at]
                self._add(records[at].content)
                at += 1

    def _add(self, record: bytes) -> None:
        kind, start, stop = short_head(record)
        try:
            if kind == _HISTORY_KEY:
                self._add_history(decode_history(record, start, stop))
                return
            for field in decode_fields(record, 0, len(record)):
                if field.number in _READ and field.wire == BYTES:
                    self._add_content(field.number, record, field.start, field.stop)
                    return
        except MalformedError:
            self._malformed += 1

    def _add_content(self, kind: int, record: bytes, start: int, stop: int) -> None:
        if kind == _HISTORY:
            self._add_history(decode_history(record, start, stop))
        elif kind == _STATS:
            self._add_stats(record, start, stop)
        elif kind == _CONFIG:
            settings = decode_settings(decode_items(record, start, stop))
            self._batch.facts.append(facts_of(settings))
        else:
            parts = {field.number: field for field in decode_fields(record, start, stop)}
            if kind in (_OUTPUT, _OUTPUT_RAW):
                self._add_output(record, parts)
            elif kind == _METRIC:
                self._define_metric(record, parts)
            elif kind == _RUN:
                self._add_run(record, parts)
            else:
                self._add_exit(parts)

    def _add_fast(
        self, pattern: re.Pattern[bytes], plan: HistoryPlan, records: Iterable[LogRecord]
    ) -> int:
        """Add the first records, as far as they are like many before them; return how many."""
        # Imported for logs of more than a few records alone.
        from msgspec import DecodeError
        from msgspec.json import decode

        matches = map(pattern.fullmatch, map(_content, records))
        found = [one.groups() for one in takewhile(bool, matches) if one]
        numbers = b",".join(chain.from_iterable(found))
        try:
            self._add_values(plan, decode(b"[%b]" % numbers, type=list[float]))
        except DecodeError:
            self._fast = None
            return 0
        return len(found)

    def _add_values(self, plan: HistoryPlan, values: list[float]) -> None:
        """Add rows of one plan, given the values of all their keys in turn."""
        steps = []
        own_steps, logged_steps = (plan.column(at, values) for at in (plan.step, plan.logged))
        for own, logged in zip(own_steps, logged_steps, strict=True):
            self._advance(own, logged)
            steps.append(self._step)
        self._rows.add(plan, steps, values)

    def _add_history(self, pairs: list[tuple[bytes, bytes]]) -> None:
        if not self._add_planned(pairs):
            self._rows.flush()
            self._add_row(pairs)

    def _add_planned(self, pairs: list[tuple[bytes, bytes]]) -> bool:
        """Add a record of numbers alone; False where it is not one."""
        if not pairs:
            return False
        keys, texts = zip(*pairs, strict=True)
        plan = self._plans.get(keys)
        if plan is None:
            if keys not in self._plans and all(key in self._keys for key in keys):
                self._plans[keys] = plan_of([self._keys[key] for key in keys])
            return False
        try:
            values = list(map(float, texts))
        except ValueError:
            return False
        total = sum(values)
        if total != total or max(map(len, texts)) > LONGEST_NUMBER:
            # NaN has several spellings, not all of which are JSON.
            return False
        self._add_values(plan, values)
        self._uses = self._uses + 1 if plan is self._last else 0
        self._last = plan
        if self._uses == _MANY:
            self._fast = (number_pattern(keys), plan)
        return True

    def _add_row(self, pairs: list[tuple[bytes, bytes]]) -> None:
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
            if tag == IGNORED:
                continue
            if (value := decode_number(text)) is None:
                if text[:1] == b'"':
                    texts.append((tag, text))
                elif text[:1] == b"{" and (found := _TYPE.search(text)):
                    texts.append((MEDIA + tag, found[1]))
                    if found[1] == _TABLE_TYPE and (path := _PATH.search(text)):
                        texts.append((TABLE + tag, path[1]))
                continue
            if tag == STEP:
                own = value
            elif tag == TIME:
                wall_time = value
            elif tag == LOGGED:
                explicit = value
            elif tag == DEFINED:
                # An axis that the run never logs is written as 0.
                explicit = value if value > 0 and math.isnan(explicit) else explicit
            else:
                values.append((tag, value))
        self._advance(own, explicit)
        self._batch.points.add_row(self._step, wall_time, values)
        for tag, text in texts:
            if tag.startswith(MEDIA):
                if kind := _MEDIA_KINDS.get(text):
                    self._add_media(kind, tag.removeprefix(MEDIA), wall_time)
                continue
            if tag.startswith(TABLE) and self._add_curves(tag, text, wall_time):
                continue
            self._texts.add(tag, LoggedText(tag, self._step, text))

    def _add_media(self, kind: MediaKind, tag: str, wall_time: float) -> None:
        content, end = self._record
        record = MediaRecord(self._step, wall_time, self.path, end, len(content))
        self._batch.media.append(LoggedMedia(kind, tag, record))

    def _add_curves(self, tag: str, path: bytes, wall_time: float) -> bool:
        """Note the PR or ROC curves in a table, one per class; False where it has none."""
        from lossmon.readers.wandb.tables import classifier_curves
        from lossmon.types import PrCurve

        curves = classifier_curves(self.path.parent, path.strip(b'"').decode(errors="replace"))
        for name, curve in curves.items():
            whole = tag.removeprefix(TABLE) + (f"/{name}" if name else "")
            kind = MediaKind.PR_CURVE if isinstance(curve, PrCurve) else MediaKind.ROC_CURVE
            self._add_media(kind, whole, wall_time)
        return bool(curves)

    def _advance(self, own: float, explicit: float) -> None:
        """Set the step of a record; without an explicit one, the last explicit one holds."""
        self._explicit = self._explicit or not math.isnan(explicit)
        step = explicit if self._explicit else own
        if is_step(step):
            self._step = int(step)

    def _forget_plans(self) -> None:
        self._plans.clear()
        self._fast = self._last = None

    def _learn(self, encoded: list[bytes]) -> None:
        """Decide what each key of a record is."""
        self._forget_plans()
        if len(self._keys) > _MOST_KEYS:
            self._keys.clear()
        texts = {key: decode_key(key) for key in encoded}
        media = tuple(text[:-5] for text in texts.values() if text.endswith("._type"))
        tables = {name.removesuffix(".") for name in media}
        for key, text in texts.items():
            if text in _STEP_NAMES:
                self._keys[key] = LOGGED
            elif text in self._defined:
                self._keys[key] = DEFINED
            elif text in (STEP, TIME):
                self._keys[key] = text
            elif text.endswith("._type"):
                self._keys[key] = MEDIA + text.removesuffix("._type")
            elif text.removesuffix(".path") in tables:
                self._keys[key] = TABLE + text.removesuffix(".path")
            elif not text or text.startswith("_") or (media and text.startswith(media)):
                self._keys[key] = IGNORED
            else:
                self._keys[key] = text

    def _add_stats(self, record: bytes, start: int, stop: int) -> None:
        wall_time = math.nan
        for field in decode_fields(record, start, stop):
            if field.number == 2 and field.wire == BYTES:
                wall_time = decode_timestamp(record, field)
        for key, text in decode_items(record, start, stop, number_of_items=3):
            if (value := decode_number(text)) is not None:
                tag = f"system/{decode_key(key)}"
                self._batch.points.add(tag, self._step, wall_time, value)

    def _add_output(self, record: bytes, parts: dict[int, ProtoField]) -> None:
        stream = parts[1].value if 1 in parts else 0
        if 3 in parts:
            piece = record[parts[3].start : parts[3].stop].decode(errors="replace")
            self._batch.lines += self._console.write(stream & 1, piece)

    def _define_metric(self, record: bytes, parts: dict[int, ProtoField]) -> None:
        if 4 not in parts:
            return
        name = record[parts[4].start : parts[4].stop].decode(errors="replace")
        if re.split(r"[^a-z]+", name.lower())[-1] in _STEP_WORDS:
            self._defined.add(name)
            self._keys.clear()
            self._forget_plans()

    def _add_run(self, record: bytes, parts: dict[int, ProtoField]) -> None:
        named = parts.get(8) or parts.get(1)
        name = record[named.start : named.stop].decode(errors="replace") if named else ""
        started = decode_timestamp(record, parts[17]) if 17 in parts else math.nan
        sweep = parts.get(12)
        sweep_id = record[sweep.start : sweep.stop].decode(errors="replace") if sweep else ""
        self._batch.facts.append(
            Facts(
                name=one_line(name, 200).strip() or None,
                sweep=one_line(sweep_id, 40).strip() or None,
                started=None if math.isnan(started) else started,
            )
        )
        if 4 in parts:
            pairs = decode_items(record, parts[4].start, parts[4].stop)
            self._batch.facts.append(facts_of(decode_settings(pairs)))

    def _add_exit(self, parts: dict[int, ProtoField]) -> None:
        code = signed(parts[1].value) if 1 in parts else 0
        failure = f"exit code {code}" if code else None
        self._batch.facts.append(Facts(finished=not code, failure=failure))
