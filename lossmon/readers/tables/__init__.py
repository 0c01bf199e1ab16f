"""Tables of numbers as text: CSV and its relatives, and runs with one table per metric."""

from __future__ import annotations

import os
from pathlib import Path

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.format import PLAIN, Dialect, DirectoryRules, Format, Location, Rank, lazy

_HERE = "lossmon.readers.tables"

_CATBOOST = "catboost_training.json"
_CATBOOST_DIRECTORY = "catboost_info"


def _repeats_document(path: Path) -> bool:
    """The tables beside CatBoost's document repeat it."""
    return path.name != _CATBOOST and (path.parent / _CATBOOST).exists()


_EVAL_SET = lazy_pattern(r"test(\d+)$")


def _part_of_catboost(place: Location) -> str | None:
    """CatBoost keeps the events of each further eval set in a directory: `test1`."""
    if os.path.basename(place.above) != _CATBOOST_DIRECTORY:
        return None
    further = _EVAL_SET.match(place.own)
    return f"test_{further[1]}" if further else None


def _claims_catboost(path: Path, head: bytes) -> bool:
    return b'"iterations"' in head or b'"learn_metrics"' in head


_METRICS = f"{os.sep}metrics{os.sep}"


def _is_mlflow_metric(path: str) -> bool:
    """Whether a file lies below the `metrics` of a run of MLflow's file store.

    A metric may be called anything, and the parts of its name are directories.
    """
    run = os.path.abspath(path)
    while _METRICS in run:
        run, _, _ = run.rpartition(_METRICS)
        if os.path.isfile(os.path.join(run, "meta.yaml")):
            return True
    return False


def _claims_mlflow_run(path: Path, head: bytes) -> bool:
    return b"run_id:" in head and b"lifecycle_stage:" in head


def _claims_parameters(path: Path, head: bytes) -> bool:
    return (path.parent / "plots" / "metrics").is_dir()


FORMATS = (
    Format(
        source="catboost",
        title="CatBoost catboost_training.json",
        names=(_CATBOOST,),
        claims=_claims_catboost,
        open=lazy(f"{_HERE}.catboost:open_document"),
        rank=Rank.ROUNDED,
        no_metrics=("time_left.tsv",),
        dialect=Dialect(boosting=True),
        directories=DirectoryRules(
            parts=frozenset({_CATBOOST_DIRECTORY}), part_of=_part_of_catboost
        ),
    ),
    Format(
        source="catboost",
        title="CatBoost *_error.tsv",
        names=("learn_error.tsv", "test_error.tsv"),
        claims=lazy(f"{_HERE}.detection:claims_catboost"),
        open=lazy(f"{_HERE}.catboost:open_table"),
        rank=Rank.ROUNDED,
        repeats=_repeats_document,
        dialect=Dialect(boosting=True),
    ),
    Format(
        source="mlflow",
        title="MLflow file store",
        names=("meta.yaml",),
        claims=_claims_mlflow_run,
        open=lazy(f"{_HERE}.mlflow:MlflowRun"),
        rank=Rank.LIVE,
        directories=DirectoryRules(
            parts=frozenset({"mlruns"}), run_file="meta.yaml", metric_tree=("metrics",)
        ),
    ),
    Format(
        source="mlflow",
        title="MLflow file store",
        names=("*",),
        claims=lambda path, head: True,
        open=lazy(f"{_HERE}.mlflow:open_metric"),
        rank=Rank.LIVE,
        lies=_is_mlflow_metric,
    ),
    Format(
        source="dvclive",
        title="DVCLive metrics",
        names=("*.tsv",),
        claims=lazy(f"{_HERE}.detection:claims_dvclive"),
        open=lazy(f"{_HERE}.frameworks:open_dvclive"),
        rank=Rank.LIVE,
        directories=DirectoryRules(parts=frozenset({"dvclive"}), metric_tree=("plots", "metrics")),
    ),
    Format(
        source="dvclive",
        title="DVCLive params.yaml",
        names=("params.yaml",),
        claims=_claims_parameters,
        open=lazy(f"{_HERE}.frameworks:open_dvclive_settings"),
        rank=Rank.SETTINGS,
    ),
    Format(
        source="deepspeed",
        title="DeepSpeed CSV monitor",
        names=("train_*.csv",),
        claims=lazy(f"{_HERE}.detection:claims_deepspeed"),
        open=lazy(f"{_HERE}.frameworks:open_deepspeed"),
        rank=Rank.ROUNDED,
    ),
    Format(
        source="lightning",
        title="Lightning CSVLogger",
        names=("metrics.csv",),
        claims=lazy(f"{_HERE}.detection:claims_lightning"),
        open=lazy(f"{_HERE}.frameworks:open_lightning"),
        rank=Rank.ROUNDED,
        dialect=PLAIN,
        directories=DirectoryRules(numbered=r"version_\d+$"),
    ),
    Format(
        source="ultralytics",
        title="Ultralytics results.csv",
        names=("results.csv",),
        claims=lazy(f"{_HERE}.detection:claims_ultralytics"),
        open=lazy(f"{_HERE}.frameworks:open_ultralytics"),
        rank=Rank.ROUNDED,
        directories=DirectoryRules(own_files=frozenset({"results.csv"})),
    ),
    Format(
        source="timm",
        title="timm summary.csv",
        names=("summary.csv",),
        claims=lazy(f"{_HERE}.detection:claims_timm"),
        open=lazy(f"{_HERE}.frameworks:open_timm"),
        rank=Rank.ROUNDED,
    ),
    Format(
        source="fastai",
        title="fastai CSVLogger",
        names=("*.csv",),
        claims=lazy(f"{_HERE}.detection:claims_fastai"),
        open=lazy(f"{_HERE}.frameworks:open_fastai"),
        rank=Rank.ROUNDED,
        user_named=True,
        dialect=PLAIN,
    ),
    Format(
        source="sb3_csv",
        title="Stable-Baselines3 progress.csv",
        names=("progress.csv",),
        claims=lazy(f"{_HERE}.detection:claims_sb3"),
        open=lazy(f"{_HERE}.frameworks:open_sb3"),
        rank=Rank.ROUNDED,
    ),
    Format(
        source="ray_csv",
        title="Ray Tune progress.csv",
        names=("progress.csv",),
        claims=lazy(f"{_HERE}.detection:claims_ray"),
        open=lazy(f"{_HERE}.frameworks:open_ray"),
        rank=Rank.ROUNDED,
    ),
    Format(
        source="tensorboard_csv",
        title="TensorBoard CSV download",
        names=("*.csv",),
        claims=lazy(f"{_HERE}.detection:claims_tensorboard"),
        open=lazy(f"{_HERE}.frameworks:open_tensorboard"),
        rank=Rank.ROUNDED,
    ),
    Format(
        source="keras",
        title="Keras CSVLogger",
        names=("*.csv", "*.log", "*.txt"),
        claims=lazy(f"{_HERE}.detection:claims_keras"),
        open=lazy(f"{_HERE}.frameworks:open_keras"),
        rank=Rank.ROUNDED,
        user_named=True,
        dialect=PLAIN,
    ),
    Format(
        source="csv",
        title="CSV table of named values",
        names=("*.csv", "*.tsv"),
        claims=lazy(f"{_HERE}.detection:claims_long_form"),
        open=lazy(f"{_HERE}.frameworks:open_long_form"),
        rank=Rank.ROUNDED,
        user_named=True,
        dialect=PLAIN,
    ),
    Format(
        source="csv",
        title="numbers below each other",
        names=("*.txt", "*.csv", "*.tsv", "*.dat", "*.log"),
        claims=lazy(f"{_HERE}.detection:claims_numbers"),
        open=lazy(f"{_HERE}.frameworks:open_numbers"),
        rank=Rank.ROUNDED,
        general=True,
        user_named=True,
        dialect=PLAIN,
    ),
    Format(
        source="csv",
        title="CSV table",
        names=("*.csv", "*.tsv"),
        claims=lazy(f"{_HERE}.detection:claims_table"),
        open=lazy(f"{_HERE}.frameworks:open_general"),
        rank=Rank.ROUNDED,
        general=True,
        user_named=True,
        dialect=PLAIN,
    ),
    Format(
        source="csv",
        title="CSV table",
        names=("*.txt", "*.log", "*.dat", "*.out"),
        claims=lazy(f"{_HERE}.detection:claims_text_table"),
        open=lazy(f"{_HERE}.frameworks:open_general"),
        rank=Rank.ROUNDED,
        general=True,
        user_named=True,
        dialect=PLAIN,
    ),
)
