"""Reader for Ray Tune's experiment state: a study whose trials also keep their own files."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lossmon.fast_dataclass import dataclass
from lossmon.readers.documents.reader import DocumentReader
from lossmon.readers.records.columns import ColumnRoles, MetricColumns
from lossmon.readers.records.frame import FrameBuilder, RecordFrame
from lossmon.readers.values import number
from lossmon.types import Axis, Facts

_OVER = {"TERMINATED": "", "ERROR": "the trial failed"}
"""Statuses of trials that have ended, each with why it failed."""

_LOWER = re.compile(
    r"(?i)(?:^|[\W_])(?:\w*loss|error|err|rmse|mse|mae|nll|ppl|perplexity|wer|cer)$"
)
_HIGHER = re.compile(
    r"(?i)(?:^|[\W_])(?:acc|accuracy|auc|auroc|f1|map|iou|bleu|r2|score|reward|return|reward_mean)$"
)
_EVAL_LOSS = re.compile(r"(?i)(?:eval|val|valid|validation)(?:[\W_]|(?=loss))\w*loss$")

_TRIALS = ColumnRoles(steps=("trial",), axis=Axis.TRIAL)


@dataclass(frozen=True, slots=True)
class _Trial:
    """A trial: its identifier, its status, and the last value of each of its metrics."""

    id: str
    status: str
    last: Mapping[str, object]


def open_experiment(path: Path) -> DocumentReader:
    """Return a reader of the state of an experiment."""
    return DocumentReader(path, "ray_study", _extract, _layout)


def _layout(axis: Axis | None) -> MetricColumns:
    return MetricColumns(axis or Axis.STEP, _TRIALS)


def _extract(document: object) -> tuple[RecordFrame, tuple[Facts, ...]]:
    if not isinstance(document, dict):
        return RecordFrame(), ()
    trials = list(_trials(document.get("trial_data")))
    cells, rows = FrameBuilder(), 0
    metric, direction = _objective(document.get("runner_data"), trials)
    for place, trial in enumerate(trials):
        value = number(trial.last.get(metric)) if trial.status == "TERMINATED" else None
        if value is not None and direction:
            cells.add(rows, "trial", place)
            cells.add(rows, f"objective/{direction}", value)
            rows += 1
    statuses = Counter(trial.status for trial in trials)
    counts = {"trials": len(trials), "pruned": 0, "failed": statuses["ERROR"]}
    facts = Facts(
        trials=counts,
        trial_ends={trial.id: _OVER[trial.status] for trial in trials if trial.status in _OVER},
        finished=bool(trials) and statuses.keys() <= _OVER.keys(),
    )
    return cells.frame(rows), (facts,)


def _trials(data: object) -> Iterator[_Trial]:
    """The trials; the document holds each as two JSON texts."""
    for pair in data if isinstance(data, list) else ():
        try:
            trial, metrics = (json.loads(text) for text in pair)
            analysis = metrics["metric_analysis"]
            last = {name: known["last"] for name, known in analysis.items() if "last" in known}
            yield _Trial(str(trial["trial_id"]), str(trial["status"]), last)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue


def _objective(runner: object, trials: Sequence[_Trial]) -> tuple[str, str]:
    """The metric of the search and its direction, both empty where the document leaves them open.

    Only the metric is stored. Its name has to tell the direction; without a metric, the one eval
    loss of the trials is what a search is about.
    """
    stored = runner.get("_metric") if isinstance(runner, dict) else None
    losses = sorted({name for trial in trials for name in trial.last if _EVAL_LOSS.search(name)})
    metric = stored if isinstance(stored, str) else losses[0] if len(losses) == 1 else ""
    if _LOWER.search(metric):
        return metric, "minimize"
    return (metric, "maximize") if _HIGHER.search(metric) else ("", "")
