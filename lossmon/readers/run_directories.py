"""Which directory of a tree a run lives in: the names that frameworks give to the parts of one."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from lossmon.fast_dataclass import dataclass


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


PARTS = _set(
    """tb tensorboard tensorboards tb_log tb_logs tblogs tensorboard_log tensorboard_logs tf_logs
    tfevents events event logs log logging vis_data catboost_info metrics csv csv_logs dvclive
    plots console stdout stderr checkpoints checkpoint ckpt ckpts weights files trainer_output
    text_logs train_logs training_logs swanlog wandb trackio mlruns history
    aggregator"""
)
"""Directories that hold a part of what their parent's run writes."""

SAMPLES = _set("samples completions generations predictions sampled_outputs")
"""Directories that hold what the model of their parent's run wrote."""

SPLITS = _set("train training validation valid val eval evaluation test learn dev")
"""Directories of event files that are one split of a run."""

CHECKPOINT = re.compile(r"^(?:checkpoint|ckpt|global_step|step|iter)[-_]?\d+$")
_HF_DATE = re.compile(r"^[A-Z][a-z]{2}\d\d_\d\d-\d\d-\d\d_")
_MMENGINE = re.compile(r"^\d{8}_\d{6}$")
_ATTEMPT = re.compile(r"^attempt_\d+$")
_RANK = re.compile(
    r"^(?:rank|local_rank|node|worker|host|proc)[-_]?(\d+)(?:[-_].*)?$", re.IGNORECASE
)
_RANK_IN_FILE = re.compile(
    r"(?:^|[._-])(?:rank|local_rank|proc)[-_]?(\d+)(?=[._-]|$)", re.IGNORECASE
)
TRACKED = re.compile(r"^(?:offline-)?run-\d{8}_\d{6}-|^offline-[0-9a-f]{8,}$")
"""Run directories of wandb, SwanLab and ClearML."""
VERSION = re.compile(r"^version_(\d+)$")
"""Run directories of Lightning."""
CLOCK = re.compile(r"^\d{9,11}(?:\.\d+)?$")
"""Directories that `add_hparams` names after the time."""
_EVENTS = re.compile(
    r"^events\.out\.tfevents(?:\.(?P<time>\d+))?(?:\.(?P<host>.+?)\.(?P<pid>\d+)\.\d+)?(?:\.v2)?$"
)
TRAINER_MARKS = re.compile(
    r"^(?:checkpoint-\d+|trainer_state\.json|trainer_log\.jsonl|training_args\.bin|"
    r"all_results\.json|train_results\.json|adapter_config\.json|results\.csv|meta\.yaml|vis_data|"
    r"\d{8}_\d{6}(?:\.log)?|attempt_\d+|[A-Z][a-z]{2}\d\d_\d\d-\d\d-\d\d_.*)$"
)
"""Names that tell what sort of directory they stand in."""


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """Where a file belongs.

    Attributes:
        path: Directory of its run.
        scope: Sub-run inside it (`validation`, `rank1`), or empty.
    """

    path: str
    scope: str = ""


def is_events(name: str) -> bool:
    """Whether a file name is one of TensorBoard's."""
    return _EVENTS.match(name) is not None


def event_time(name: str) -> int:
    """Seconds since the Unix epoch in the name of an event file, 0 where it has none."""
    match = _EVENTS.match(name)
    return int(match["time"]) if match and match["time"] else 0


def writer(name: str) -> str:
    """Host and process that wrote an event file, empty where the name does not say."""
    match = _EVENTS.match(name)
    return f"{match['host']}.{match['pid']}" if match and match["pid"] else ""


def home(path: str, root: str, marks: Callable[[str], tuple[str, ...]]) -> RunDirectory:
    """Find the directory of the run that a file belongs to.

    Args:
        path: The file.
        root: Directory that the user gave: never left upwards.
        marks: Telling names in a directory, see `TRAINER_MARKS`.
    """
    directory, name = os.path.split(path)
    scope = _rank(_RANK_IN_FILE.search(name))
    if tracked := _tracked(directory, root, marks):
        return RunDirectory(tracked, scope)
    while directory != root:
        above, _, own = directory.rpartition("/")
        step = _step_up(own, above, name, marks)
        if step is None:
            break
        scope = scope or step
        directory = above or "/"
    return RunDirectory(directory, scope)


def _tracked(directory: str, root: str, marks: Callable[[str], tuple[str, ...]]) -> str:
    """The directory around a file that a tracker gives to each run, or empty."""
    inner = os.path.relpath(directory, root).split(os.sep)[0]
    while directory != root:
        own = os.path.basename(directory)
        if TRACKED.match(own) or VERSION.match(own) or "meta.yaml" in marks(directory):
            return directory
        if own == "metrics" and os.path.basename(os.path.dirname(directory)) == "plots":
            # DVCLive nests the parts of a metric's name as directories below this one.
            directory = os.path.dirname(directory)
            return root if directory == root else _above(directory, root)
        directory = os.path.dirname(directory)
    return root if "meta.yaml" in marks(root) and inner == "metrics" else ""


def _above(directory: str, root: str) -> str:
    """The nearest directory above whose name is not that of a part."""
    while directory != root and os.path.basename(directory) in PARTS:
        directory = os.path.dirname(directory)
    return directory


def _step_up(
    own: str, above: str, name: str, marks: Callable[[str], tuple[str, ...]]
) -> str | None:
    """Scope that a directory gives to what is in it, None where it is a run's own directory."""
    directory = os.path.join(above, own)
    parent = os.path.basename(above)
    lower = own.lower()
    if lower in PARTS or CHECKPOINT.match(own) or _ATTEMPT.match(own):
        return ""
    if lower in SAMPLES and name.endswith(".jsonl"):
        return ""
    if lower in SPLITS and is_events(name) and "results.csv" not in marks(directory):
        return lower
    if lower == "runs" and (is_events(name) or _is_trainer(marks(above))):
        return ""
    if parent == "runs" and _HF_DATE.match(own) and _is_one_trainer(above, marks):
        return ""
    if _MMENGINE.match(own) and (
        "vis_data" in marks(directory) or f"{own}.log" in marks(directory)
    ):
        return ""
    if own.isdigit() and _ATTEMPT.match(parent):
        return "" if own == "0" else f"rank{own}"
    if name.startswith(("stdout", "stderr")) and _holds_attempts(directory, marks):
        return ""
    if rank := _RANK.match(own):
        return _rank(rank)
    return None


def _is_one_trainer(runs: str, marks: Callable[[str], tuple[str, ...]]) -> bool:
    """Whether the dated directories are restarts of one Trainer.

    A bare `SummaryWriter()` names its directories alike, but those are runs of their own.
    """
    dated = [mark for mark in marks(runs) if _HF_DATE.match(mark)]
    return len(dated) == 1 or _is_trainer(marks(os.path.dirname(runs)))


def _is_trainer(marks: tuple[str, ...]) -> bool:
    return any(
        mark.startswith(("checkpoint-", "train", "adapter", "all_results")) for mark in marks
    )


def _holds_attempts(directory: str, marks: Callable[[str], tuple[str, ...]]) -> bool:
    return any(_ATTEMPT.match(mark) for mark in marks(directory))


def _rank(match: re.Match[str] | None) -> str:
    """`rank1` for a rank of its own, empty for the one that speaks for the run."""
    return f"rank{int(match[1])}" if match and int(match[1]) else ""


META = "meta.yaml"
"""File that tells of a run what it is."""

_METRICS = f"{os.sep}metrics{os.sep}"


def is_metric(path: str) -> bool:
    """Whether a file lies below the `metrics` of a run of MLflow's file store.

    A metric may be called anything, and the parts of its name are directories.
    """
    run = os.path.abspath(path)
    while _METRICS in run:
        run, _, _ = run.rpartition(_METRICS)
        if os.path.isfile(os.path.join(run, META)):
            return True
    return False
