"""What holds for every reader: how its file came to be does not matter.

The formats are those of the registry, so that a new one fails here until it has a sample.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossmon.readers.format import Format
from lossmon.readers.registry import detect, formats
from lossmon.types import Batch
from tests.readers.growing import DATA, Collected, read, read_whole

Kind = tuple[str, str]
"""Source and title of a format."""

REAL = {
    ("tensorboard", "TensorBoard event files"): (
        "tensorboard/hf_trainer5/events.out.tfevents.1795218979.vm.23873.1"
    ),
    ("wandb", "Weights & Biases transaction logs"): "wandb/v0.31_crash/run-hpgknblx.wandb",
    ("swanlab", "SwanLab logs"): "swanlab/v0.10/run-gcdk7v5j.swanlab",
    ("swanlab", "SwanLab local logs"): (
        "swanlab/v0.7_local/swanlog/run-20261121_034358-jnszea20hxr95a6l69kp6/logs/0/1000.log"
    ),
    ("visualdl", "VisualDL records"): "visualdl/vdlrecords.1795296091.log",
    ("comet", "Comet offline experiments"): (
        "comet/.cometml-runs/0a1b2c3d4e5f60718293a4b5c6d7e8f9.zip"
    ),
    ("notebook", "Jupyter notebooks"): "notebook/trainer.ipynb",
    ("hf_trainer", "Hugging Face trainer_state.json"): "hf_trainer/v5/nan/trainer_state.json",
    ("hf_results", "Hugging Face *_results.json"): "hf_trainer/v5/overfit/train_results.json",
    ("llamafactory", "LLaMA-Factory trainer_log.jsonl"): "llamafactory/dpo/trainer_log.jsonl",
    ("mmengine", "MMEngine scalars.json"): "mmengine/epoch/scalars.json",
    ("catboost", "CatBoost catboost_training.json"): "catboost/catboost_training.json",
    ("mlflow", "MLflow file store"): "mlflow/mlruns/1/f0b72f64/metrics/eval/loss",
    ("dvclive", "DVCLive metrics"): "dvclive/plots/metrics/eval/loss.tsv",
    ("detectron2", "Detectron2 metrics.json"): "detectron2/metrics.json",
    ("sb3", "Stable-Baselines3 progress.json"): "sb3/progress.json",
    ("ray", "Ray Tune result.json"): "ray/result.json",
    ("ray_study", "Ray Tune experiment state"): (
        "ray_study/experiment_state-2026-11-21_19-23-47.json"
    ),
    ("lightning", "Lightning CSVLogger"): "lightning/nan/metrics.csv",
    ("ultralytics", "Ultralytics results.csv"): "ultralytics/results.csv",
    ("sb3_csv", "Stable-Baselines3 progress.csv"): "sb3/progress.csv",
    ("ray_csv", "Ray Tune progress.csv"): "ray/progress.csv",
    ("keras", "Keras CSVLogger"): "keras/training.csv",
    ("clearml", "ClearML offline session"): "clearml/metrics.jsonl",
    ("llamafactory_predictions", "LLaMA-Factory generated_predictions.jsonl"): (
        "llamafactory/predict/generated_predictions.jsonl"
    ),
    ("optuna_journal", "Optuna journal"): "optuna/journal.log",
    ("csv", "CSV table"): "generic/log.csv",
    ("jsonl", "JSON lines"): "generic/nested.jsonl",
    ("history", "JSON training history"): "generic/keras_history.json",
    ("text", "text logs (stdout)"): "text/xgboost.log",
}
"""A file that the framework wrote, in tests/data."""

LIKE = {
    ("mmcv", "mmcv *.log.json"): (
        "20260101_010101.log.json",
        '{"env_info": "x", "seed": 0}\n'
        + "".join(
            f'{{"mode": "train", "epoch": 1, "iter": {i}, "lr": 0.1, "loss": {2 / i}}}\n'
            for i in range(10, 60, 10)
        ),
    ),
    ("allennlp", "AllenNLP metrics_epoch_*.json"): (
        "metrics_epoch_0.json",
        '{"epoch": 0, "training_loss": 0.5, "validation_loss": 0.75, "best_epoch": 0}',
    ),
    ("catboost", "CatBoost *_error.tsv"): (
        "learn_error.tsv",
        "iter\tLogloss\n" + "".join(f"{i}\t{1 / (i + 1)}\n" for i in range(9)),
    ),
    ("deepspeed", "DeepSpeed CSV monitor"): (
        "Train_Samples_train_loss.csv",
        "step,train_loss\n" + "".join(f"{i * 16},{1 / (i + 1)}\n" for i in range(9)),
    ),
    ("verl", "verl file logger"): (
        "exp.jsonl",
        "".join(f'{{"step": {i}, "data": {{"actor/pg_loss": {i / 8}}}}}\n' for i in range(9)),
    ),
    ("timm", "timm summary.csv"): (
        "summary.csv",
        "epoch,train_loss,eval_loss,eval_top1,lr\n"
        + "".join(f"{i},{1 / (i + 1)},{2 / (i + 1)},{i}.5,0.1\n" for i in range(9)),
    ),
    ("fastai", "fastai CSVLogger"): (
        "history.csv",
        "epoch,train_loss,valid_loss,accuracy,time\n"
        + "".join(f"{i},{1 / (i + 1)},{2 / (i + 1)},0.{i},00:01\n" for i in range(9)),
    ),
    ("tensorboard_csv", "TensorBoard CSV download"): (
        "run-a-tag-train_loss.csv",
        "Wall time,Step,Value\n" + "".join(f"{1.7e9 + i},{i},{1 / (i + 1)}\n" for i in range(9)),
    ),
    ("csv", "CSV table of named values"): (
        "long.csv",
        "step,name,value\n"
        + "".join(f"{i},loss,{1 / (i + 1)}\n{i},val_loss,{2 / (i + 1)}\n" for i in range(9)),
    ),
    ("csv", "numbers below each other"): (
        "train_loss.txt",
        "".join(f"{1 / (i + 1)}\n" for i in range(9)),
    ),
    ("jsonl", "JSON lines of named values"): (
        "scalars.jsonl",
        "".join(
            f'{{"step": {i}, "name": "train/loss", "value": {1 / (i + 1)}}}\n' for i in range(9)
        ),
    ),
    ("samples", "Sampled outputs as JSON lines"): (
        "samples.jsonl",
        "".join(f'{{"step": {i}, "prompt": "a", "completion": "b{i}"}}\n' for i in range(9)),
    ),
}
"""A file as the framework's documentation shows it."""

REWRITTEN = {
    ("swanlab", "SwanLab config.yaml"): "settings, rewritten whole",
    ("dvclive", "DVCLive params.yaml"): "settings, rewritten whole",
    ("clearml", "ClearML task.json"): "settings, rewritten whole",
    ("traceml", "TraceML session"): "a manifest that names other files",
    ("mlflow", "MLflow database"): "SQLite, written in place",
    ("trackio", "Trackio database"): "SQLite, written in place",
    ("optuna", "Optuna database"): "SQLite, written in place",
}
"""Formats whose files do not grow byte by byte, and why."""


BESIDE = {("mlflow", "MLflow file store"): "mlflow/mlruns/1/f0b72f64/meta.yaml"}
"""What must lie beside a file for it to be known."""


class Kept(Collected):
    """What a store keeps, which counts the positions of a file that began anew by themselves."""

    def add(self, batch: Batch) -> None:
        if batch.replaced:
            self.orders = {}
        super().add(batch)


def kind(one: Format) -> Kind:
    return one.source, one.title


def test_every_format_of_the_registry_is_tried_here() -> None:
    assert {kind(one) for one in formats()} == {*REAL, *LIKE, *REWRITTEN}


GROWING: list[Kind] = [*REAL, *LIKE]


def sample(one: Kind, folder: str) -> tuple[Path, bytes]:
    """Where a file of a format lies in a folder of its own, and what it holds."""
    if one in REAL:
        path, content = Path(folder, REAL[one]), (DATA / REAL[one]).read_bytes()
        if one in BESIDE:
            beside = Path(folder, BESIDE[one])
            beside.parent.mkdir(parents=True)
            shutil.copy(DATA / BESIDE[one], beside)
    else:
        name, text = LIKE[one]
        path, content = Path(folder, name), text.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path, content


def reader_of(one: Kind, path: Path) -> Format:
    """The format that claims the file: the one it is a sample of."""
    found = detect(path)
    assert found is not None
    assert kind(found) == one
    return found


def lines(collected: Collected) -> tuple[object, ...]:
    return collected.series, collected.samples


def at(content: bytes, shares: Iterable[float]) -> list[int]:
    """Places in the content, ascending, each once."""
    return sorted({round(share * len(content)) for share in shares} - {0, len(content)})


shares = st.floats(0, 1, allow_nan=False)


@pytest.mark.parametrize("one", GROWING, ids=[title for _, title in GROWING])
@settings(max_examples=8)
@given(cuts=st.lists(shares, max_size=6))
def test_any_cuts_of_the_bytes_give_the_same(one: Kind, cuts: list[float]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, content = sample(one, folder)
        found = reader_of(one, path)
        whole = read_whole(found.open(path))
        assert whole.series or whole.samples or whole.finished is not None
        path.write_bytes(b"")
        reader, collected = found.open(path), Kept()
        start = 0
        for cut in [*at(content, cuts), len(content)]:
            with path.open("ab") as file:
                file.write(content[start:cut])
            start = cut
            collected.add(read(reader))
        assert lines(collected) == lines(whole)


@pytest.mark.parametrize("one", GROWING, ids=[title for _, title in GROWING])
@settings(max_examples=8)
@given(
    how=st.sampled_from(["truncated", "rotated", "replaced"]),
    before=shares,
    left=shares,
    looks=st.booleans(),
)
def test_a_file_that_begins_anew_gives_what_it_holds_now(
    one: Kind, how: str, before: float, left: float, looks: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, content = sample(one, folder)
        found = reader_of(one, path)
        whole = read_whole(found.open(path))
        seen = round(before * len(content))
        path.write_bytes(content[:seen])
        reader, collected = found.open(path), Kept()
        collected.add(read(reader))
        if how == "truncated":
            os.truncate(path, round(left * seen))
        elif how == "rotated":
            path.rename(path.with_name(path.name + ".1"))
        if looks:
            collected.add(read(reader))
        if how == "truncated":
            with path.open("ab") as file:
                file.write(content[round(left * seen) :])
        else:
            new = path.with_name(path.name + ".new")
            new.write_bytes(content)
            new.replace(path)
        for _ in range(3):
            collected.add(read(reader))
        assert lines(collected) == lines(whole)
