"""Detection of JSON lines: by the keys of their first records."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from lossmon.readers.records.names import (
    ADVANCING,
    STEP_NAMES,
    are_metrics,
    fields,
    first_records,
    has_prose,
    long_columns,
    names_place,
    number_names,
    plain,
    text_of,
)
from lossmon.readers.values import number


def claims_json_lines(path: Path, head: bytes) -> bool:
    """Whether a file is JSON lines of a training log."""
    lines = path.suffix.lower() in (".jsonl", ".ndjson", ".jsonlines")
    records = first_records(head, alone=not lines)
    if not records:
        return lines and _begins_like_metrics(text_of(head))
    if not lines and len(records) == 1 and b"\n" not in head.strip():
        # A JSON document on one line is not a log, unless its record stands in the run.
        return are_metrics(number_names(records[0])) and any(map(names_place, records[0]))
    if any(are_metrics(number_names(record)) and not has_prose(record) for record in records):
        return True
    return lines and _advances(records)


def claims_long_form(path: Path, head: bytes) -> bool:
    """Whether each record holds a place, the name of one value, and the value."""
    records = first_records(head, alone=True)
    return bool(records) and all(
        (columns := long_columns(list(record))) is not None
        and isinstance(record[columns.tag], str)
        and number(record[columns.value]) is not None
        for record in records
    )


def _advances(records: list[dict[str, object]]) -> bool:
    """Whether records of unknown names count their steps: those are a log whatever they measure."""
    if len(records) < ADVANCING or any(map(has_prose, records)):
        return False
    for name in records[0]:
        if plain(name) in STEP_NAMES and any(other != name for other in number_names(records[0])):
            steps = [number(record.get(name)) for record in records]
            known = [step for step in steps if step is not None]
            if len(known) == len(steps) and all(a < b for a, b in pairwise(known)):
                return True
    return False


def _begins_like_metrics(text: str) -> bool:
    """The same for a first line that is longer than the head, or not yet complete."""
    line = text.lstrip().split("\n", 1)[0]
    if not line.startswith("{"):
        return False
    return are_metrics(name for name, _, _ in fields(line))


def claims_llamafactory(path: Path, head: bytes) -> bool:
    """LLaMA-Factory says its step and how many there will be, in an empty file nothing yet."""
    if not head.strip():
        return True
    names = set()
    for name, _, _ in fields(text_of(head)):
        names.add(name)
        if "current_steps" in names or {"step", "total_steps"} <= names:
            # The first record tells, of a fleet of thousands as well.
            return True
    return False


def claims_mmcv(path: Path, head: bytes) -> bool:
    """mmcv counts iterations within an epoch."""
    return any({"mode", "epoch", "iter"} <= record.keys() for record in first_records(head))


def claims_mmengine(path: Path, head: bytes) -> bool:
    """MMEngine says the iteration twice."""
    return any({"iter", "step"} <= record.keys() for record in first_records(head))


def claims_detectron2(path: Path, head: bytes) -> bool:
    """Detectron2 counts iterations."""
    return _has(head, "iteration")


def claims_sb3(path: Path, head: bytes) -> bool:
    """Stable-Baselines3 counts timesteps."""
    return _has(head, "time/total_timesteps")


def claims_ray(path: Path, head: bytes) -> bool:
    """Ray Tune counts iterations."""
    return _has(head, "training_iteration")


def _has(head: bytes, name: str) -> bool:
    """Whether a record has a key."""
    records = first_records(head)
    if records:
        return any(name in record for record in records)
    # A first line that is longer than the head.
    text = text_of(head).lstrip()
    return text.startswith("{") and any(known == name for known, _, _ in fields(text))


def claims_verl(path: Path, head: bytes) -> bool:
    """verl's file logger writes a step and what was measured there."""
    records = first_records(head)
    return bool(records) and all(
        record.keys() == {"step", "data"} and isinstance(record["data"], dict) for record in records
    )


def claims_clearml(path: Path, head: bytes) -> bool:
    """ClearML writes an array per line, of one named value per record."""
    return head.lstrip().startswith(b"[") and b'"training_stats_scalar"' in head


def claims_clearml_task(path: Path, head: bytes) -> bool:
    """ClearML describes a session beside its metrics."""
    from lossmon.readers.jsonl.frameworks import SESSION

    return SESSION.match(path.parent.name) is not None and head.lstrip().startswith(b"{")
