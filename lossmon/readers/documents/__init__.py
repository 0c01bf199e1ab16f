"""JSON documents that are rewritten as a whole: training histories."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.format import Dialect, DirectoryRules, Format, Location, Origin, Rank, lazy
from lossmon.readers.run_directories import CHECKPOINT

_HERE = "lossmon.readers.documents"

_STATE = "trainer_state.json"
_EXPERIMENT = "experiment_state-"

_DATED = r"[A-Z][a-z]{2}\d\d_\d\d-\d\d-\d\d_"
"""Directories that `SummaryWriter` names after the time and the host."""


def _is_output(marks: tuple[str, ...]) -> bool:
    return any(
        mark.startswith(("checkpoint-", "train", "adapter", "all_results")) for mark in marks
    )


def _part_of(place: Location) -> str | None:
    """The Trainer writes its events into `runs/<date>`, a new one each time it is started.

    A bare `SummaryWriter()` names its directories alike, but those are runs of their own.
    """
    if place.own.lower() == "runs" and _is_output(place.beside):
        return ""
    outer, parent = os.path.split(place.above)
    if parent == "runs" and re.match(_DATED, place.own):
        dated = [mark for mark in place.beside if re.match(_DATED, mark)]
        if len(dated) == 1 or _is_output(place.marks(outer)):
            return ""
    return None


def _older_states(paths: Collection[str]) -> set[str]:
    """States of one Trainer that a newer one holds too."""
    steps = {path: _state_step(path) for path in paths if os.path.basename(path) == _STATE}
    newest = max(steps.values(), default=-1)
    at_root = any(step < 0 for step in steps.values())
    return {path for path, step in steps.items() if step >= 0 and (at_root or step < newest)}


def _state_step(path: str) -> int:
    """Step of the checkpoint that a state lies in, -1 if it lies in none."""
    above = os.path.basename(os.path.dirname(path))
    return int(re.sub(r"\D", "", above)) if CHECKPOINT.match(above) else -1


_FIRST_RECORD = lazy_pattern(rb'"log_history":\s*\[\s*\{([^{}]*)\}')


def _origin(_: Path, head: bytes) -> Origin:
    """The first record of its history, which no other training has to the last digit."""
    first = _FIRST_RECORD.search(head)
    return Origin(history=b"".join(first[1].split()).decode(errors="replace") if first else "")


def _claims_state(path: Path, head: bytes) -> bool:
    return not head.strip() or head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def _claims_results(path: Path, head: bytes) -> bool:
    return b'"epoch"' in head or b'_runtime"' in head or b'_samples_per_second"' in head


def _claims_experiment(_: Path, head: bytes) -> bool:
    return b'"trial_data"' in head


def _older_experiments(paths: Collection[str]) -> set[str]:
    """States of an experiment that was restored; their names hold the time."""
    states = sorted(path for path in paths if os.path.basename(path).startswith(_EXPERIMENT))
    return set(states[:-1])


FORMATS = (
    Format(
        source="hf_trainer",
        title="Hugging Face trainer_state.json",
        names=(_STATE,),
        claims=_claims_state,
        open=lazy(f"{_HERE}.hf_trainer:open_state"),
        rank=Rank.CHECKPOINTS,
        superseded=_older_states,
        origin=_origin,
        dialect=Dialect(closing_loss=True),
        directories=DirectoryRules(
            parts=frozenset({"trainer_output"}),
            telling=(
                r"(?:checkpoint-\d+|trainer_state\.json|trainer_log\.jsonl|training_args\.bin|"
                rf"all_results\.json|train_results\.json|adapter_config\.json)$|{_DATED}"
            ),
            part_of=_part_of,
        ),
    ),
    Format(
        source="hf_results",
        title="Hugging Face *_results.json",
        names=("all_results.json", "train_results.json", "eval_results.json"),
        claims=_claims_results,
        open=lazy(f"{_HERE}.hf_trainer:open_results"),
        rank=Rank.RESULTS,
    ),
    Format(
        source="ray_study",
        title="Ray Tune experiment state",
        names=("experiment_state-*.json",),
        claims=_claims_experiment,
        open=lazy(f"{_HERE}.ray_study:open_experiment"),
        rank=Rank.ROUNDED,
        superseded=_older_experiments,
        dialect=Dialect(
            aliases={
                "objective_minimize": "minimized_objective",
                "objective_maximize": "maximized_objective",
            }
        ),
    ),
    Format(
        source="allennlp",
        title="AllenNLP metrics_epoch_*.json",
        names=("metrics_epoch_*.json",),
        claims=lazy(f"{_HERE}.detection:claims_allennlp"),
        open=lazy(f"{_HERE}.hf_trainer:open_metrics"),
        rank=Rank.ROUNDED,
    ),
    Format(
        source="history",
        title="JSON training history",
        names=("*.json", "log"),
        claims=lazy(f"{_HERE}.detection:claims_history"),
        open=lazy(f"{_HERE}.reader:open_history"),
        rank=Rank.ROUNDED,
        general=True,
        user_named=True,
    ),
)
