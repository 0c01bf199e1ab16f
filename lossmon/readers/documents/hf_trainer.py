"""Readers for the documents of the Hugging Face Trainer and of AllenNLP."""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from lossmon.readers.documents.reader import DocumentReader, history_frame
from lossmon.readers.files.head import read_head
from lossmon.readers.records.columns import ColumnRoles, MetricColumns
from lossmon.readers.records.frame import FrameBuilder, RecordFrame, frame_of
from lossmon.readers.values import number
from lossmon.types import Axis, Facts

_ENDINGS = ("train_samples_per_second", "train_steps_per_second")
"""What only the record at the end of a training holds, beside `train_loss`."""

_STEPS = ColumnRoles(steps=("step",))

_SETTINGS = ("train_batch_size", "num_train_epochs", "logging_steps", "eval_steps", "save_steps")
"""What of the settings the document repeats."""


def _state_layout(axis: Axis | None) -> MetricColumns:
    return MetricColumns(axis or Axis.STEP, _STEPS)


def _extract_state(document: object) -> tuple[RecordFrame, tuple[Facts, ...]]:
    if not isinstance(document, dict):
        return RecordFrame(), ()
    history = document.get("log_history")
    frame = history_frame(history) if isinstance(history, list) else RecordFrame()
    return frame, (_state_facts(document, frame),)


def _state_facts(state: Mapping[str, object], frame: RecordFrame) -> Facts:
    total = number(state.get("max_steps"))
    epochs = number(state.get("num_train_epochs"))
    step = number(state.get("global_step"))
    best = state.get("best_model_checkpoint")
    ended = any(name in frame.columns for name in _ENDINGS)
    done = total is not None and step is not None and step >= total > 0
    every = number(state.get("save_steps"))
    return Facts(
        step=int(step) if step is not None and 0 < step < 1e15 else None,
        save_interval=int(every) if every is not None and 1 <= every < 1e15 else None,
        total_steps=int(total) if total is not None and 0 < total < 1e15 else None,
        total_epochs=epochs if epochs is not None and 0 < epochs < 1e9 else None,
        finished=ended or done,
        best_checkpoint=_last_part(best) if isinstance(best, str) else None,
        settings={name: f"{state[name]:g}" for name in _SETTINGS if _is_number(state.get(name))},
    )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and abs(value) < 1e15


def _last_part(path: str) -> str | None:
    return posixpath.basename(path.replace("\\", "/").rstrip("/")) or None


_STATE_STEP = re.compile(rb'"epoch": ([\d.e+-]+),.*?"global_step": (\d{1,15})\b', re.DOTALL)
"""Where a state stands, before its history."""


def _extract_results(path: Path, document: object) -> tuple[RecordFrame, tuple[Facts, ...]]:
    """The final numbers, at the step of the state beside them if it has the same epoch.

    Without such a state they stand at the epoch after which they were measured, if there was any.

    The mean loss of the whole training is called `train_loss` here; it is given as TensorBoard
    spells it, `train/train_loss`, so that it is not taken for a loss at the end.
    """
    cells = FrameBuilder()
    if isinstance(document, dict):
        for name, value in document.items():
            if isinstance(name, str) and number(value) is not None:
                summary = name.startswith("train_") or name == "total_flos"
                cells.add(0, f"train/{name}" if summary else name, value)
        epoch = number(document.get("epoch"))
        if epoch is not None and 0 <= epoch < 1e9:
            step = _step_of_state(path.with_name("trainer_state.json"), epoch)
            cells.add(0, "epoch", round(epoch) if step is None else epoch)
            if step is not None:
                cells.add(0, "step", step)
    return cells.frame(1), ()


def _step_of_state(path: Path, epoch: float) -> int | None:
    """Step of a state of this epoch, None of any other."""
    found = _STATE_STEP.search(read_head(path) or b"")
    at = None if found is None else number(found[1].decode())
    if found is None or at is None or not math.isclose(at, epoch, rel_tol=1e-6):
        return None
    return int(found[2])


def open_state(path: Path) -> DocumentReader:
    """Return a reader of `trainer_state.json`."""
    return DocumentReader(path, "hf_trainer", _extract_state, _state_layout)


def open_results(path: Path) -> DocumentReader:
    """Return a reader of `*_results.json`."""
    return DocumentReader(path, "hf_results", partial(_extract_results, path))


_REPEATED = frozenset(
    {"best_epoch", "peak_worker_0_memory_mb", "training_epochs", "training_start_epoch"}
)
"""What each document says of the run, and no epoch measured."""


def _extract(document: object) -> tuple[RecordFrame, tuple[Facts, ...]]:
    return frame_of([document] if isinstance(document, dict) else []), ()


def _layout(axis: Axis | None) -> MetricColumns:
    return MetricColumns(Axis.EPOCH, ColumnRoles(steps=(), ignored=_REPEATED))


def open_metrics(path: Path) -> DocumentReader:
    """Return a reader of the document of one epoch."""
    return DocumentReader(path, "allennlp", _extract, _layout)
