"""Files become runs as users think of runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lossmon.readers.discovery.found import FoundFile
from lossmon.readers.discovery.grouping import grouped
from lossmon.readers.format import Origin
from lossmon.readers.registry import directories, formats

ROOT = "/data/output"
FORMATS = {one.source: one for one in formats()}


def source_of(name: str) -> str:
    if "tfevents" in name:
        return "tensorboard"
    known = {"trainer_state.json": "hf_trainer", "trainer_log.jsonl": "llamafactory"}
    endings = {".csv": "csv", ".tsv": "dvclive", ".jsonl": "jsonl", ".json": "jsonl"}
    if name.endswith(".db"):
        return "mlflow"
    if name.endswith(".wandb"):
        return "wandb"
    return known.get(name) or endings.get(os.path.splitext(name)[1], "text")


def found(path: str) -> FoundFile:
    source = source_of(os.path.basename(path))
    form = FORMATS[source]
    origin = Origin() if form.origin is None else form.origin(Path(path), b"")
    return FoundFile(
        Path(path),
        form,
        inode=(1, abs(hash(path))),
        has_loss=source in ("csv", "jsonl"),
        origin=origin,
    )


def runs(*names: str, also: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Path of each run below the root → its files, each with its scope where it has one."""
    paths = [os.path.normpath(os.path.join(ROOT, name)) for name in names]

    def marks(directory: str) -> tuple[str, ...]:
        inside = directory.rstrip("/") + "/"
        everything = [*paths, *(os.path.join(ROOT, name) for name in also)]
        below = {
            path[len(inside) :].split("/")[0] for path in everything if path.startswith(inside)
        }
        return tuple(name for name in below if directories().telling.match(name))

    groups = grouped([found(path) for path in paths], ROOT, marks)
    return {
        os.path.relpath(path, ROOT): sorted(
            os.path.relpath(file.path, ROOT) + (f" @{file.scope}" if file.scope else "")
            for file in files
        )
        for path, files in groups.items()
    }


def events(directory: str, number: int = 0, pid: int = 100) -> str:
    return os.path.join(directory, f"events.out.tfevents.17952200{number:02}.vm.{pid}.{number}")


def test_the_output_of_a_trainer_is_one_run() -> None:
    names = (
        events("runs/Nov21_00-00-31_vm"), events("runs/Nov21_00-00-31_vm", 1), "train.log",
        "trainer_state.json", "trainer_log.jsonl",
    )  # fmt: skip
    assert runs(*names) == {".": sorted(names)}


def test_a_trainer_started_again_into_its_output_stays_one_run() -> None:
    names = (events("runs/Nov21_00-00-31_vm"), events("runs/Nov22_00-00-31_vm", 2))
    assert len(runs(*names, also=("checkpoint-100/trainer_state.json",))) == 1


def test_dated_directories_without_a_trainer_are_runs_of_their_own() -> None:
    names = (events("runs/Nov21_00-00-31_vm"), events("runs/Nov22_00-00-31_vm", 2))
    assert sorted(runs(*names)) == ["runs/Nov21_00-00-31_vm", "runs/Nov22_00-00-31_vm"]


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (("checkpoint-100/trainer_state.json", "checkpoint-200/trainer_state.json"), 1),
        (("checkpoint-90/trainer_state.json", "checkpoint-100/trainer_state.json"), 1),
        (("checkpoint-200/trainer_state.json", "trainer_state.json"), 1),
    ],
)
def test_one_state_speaks_for_a_trainer(names: tuple[str, ...], kept: int) -> None:
    assert runs(*names) == {".": [names[-1]]}


def test_keras_writes_two_sub_runs_of_one_run() -> None:
    names = (events("tb/train"), events("tb/validation", 1), "training.csv", "train.log")
    assert runs(*names) == {
        ".": [f"{names[0]} @train", f"{names[1]} @validation", "train.log", "training.csv"]
    }


def test_unrelated_directories_of_event_files_are_several_runs() -> None:
    assert sorted(runs(events("a"), events("b", 1), events("c/d", 2))) == ["a", "b", "c/d"]


def test_add_scalars_is_folded_into_the_run_that_called_it() -> None:
    found = runs(events("."), events("loss_cmp_train", 1), events("loss_cmp_eval", 2))
    assert list(found) == ["."]
    assert [name.partition(" ")[2] for name in found["."]] == ["", "@eval", "@train"]


def test_hyperparameters_in_a_directory_named_by_the_clock_are_no_run() -> None:
    assert runs(events("a"), events("a/1795218802.2429557", 1)) == {"a": [events("a")]}


def test_another_process_below_an_event_directory_is_a_run_of_its_own() -> None:
    assert sorted(runs(events("."), events("x_1", 1, pid=7), events("x_2", 2, pid=8))) == [
        ".", "x_1", "x_2",
    ]  # fmt: skip


def test_each_version_of_lightning_is_a_run_with_all_its_loggers() -> None:
    found = runs(
        events("lightning_logs/version_0"), events("lightning_logs/version_1", 1),
        "csv_logs/version_0/metrics.csv", "csv_logs/version_1/metrics.csv",
    )  # fmt: skip
    assert sorted(found) == ["csv_logs/version_0", "csv_logs/version_1"]
    assert all(len(files) == 2 for files in found.values())


def test_a_single_version_takes_the_log_beside_it() -> None:
    assert list(runs("train.log", "csv_logs/version_0/metrics.csv")) == ["."]


def test_logs_of_several_jobs_do_not_belong_to_the_single_version_below() -> None:
    version = "lightning_logs/version_0"
    found = runs(f"{version}/metrics.csv", "gru.log", "cnn.log")
    assert found == {
        version: [f"{version}/metrics.csv"],
        "cnn.log": ["cnn.log"],
        "gru.log": ["gru.log"],
    }


def test_each_tracker_directory_is_a_run() -> None:
    found = runs(
        "wandb/run-20261121_000557-abc/files/output.log",
        "wandb/offline-run-20261121_000657-def/files/output.log",
        "swanlog/run-20261121_000557-xyz/logs/7/1000.log",
    )
    assert len(found) == 3


def test_mmengine_timestamps_are_restarts_of_one_work_directory() -> None:
    names = [
        f"{stamp}/{name}"
        for stamp in ("20261121_002259", "20261121_002307")
        for name in (f"{stamp}.log", "vis_data/scalars.json", f"vis_data/{stamp}.json")
    ]
    found = runs(*names)
    assert list(found) == ["."]
    assert len(found["."]) == 4, "the twin of scalars.json is left out"


def test_ranks_of_torchrun_are_one_run_and_the_first_speaks() -> None:
    base = "logs/none_ry2sooga/attempt_0"
    assert runs(f"{base}/0/stdout.log", f"{base}/1/stdout.log", "launcher.log") == {
        ".": ["launcher.log", f"{base}/0/stdout.log", f"{base}/1/stdout.log @rank1"]
    }


def test_rank_files_side_by_side_are_one_run() -> None:
    assert runs("rank_0.log", "rank_1.log") == {".": ["rank_0.log", "rank_1.log @rank1"]}


def test_a_lone_log_is_a_run() -> None:
    assert runs("train.log") == {".": ["train.log"]}


def test_logs_of_many_jobs_are_many_runs() -> None:
    assert sorted(runs("exp_a.log", "exp_b.log", "exp_b.err")) == ["exp_a.log", "exp_b.log"]


def test_logs_beside_a_database_of_many_runs_are_many_runs() -> None:
    found = runs("mlflow.db", "small.log", "large.log")
    assert found == {".": ["mlflow.db"], "small.log": ["small.log"], "large.log": ["large.log"]}


def test_tables_that_each_hold_a_run_are_several_runs() -> None:
    assert sorted(runs("lr3.csv", "lr4.csv", "lr5.csv")) == ["lr3.csv", "lr4.csv", "lr5.csv"]


def test_train_and_eval_tables_are_one_run() -> None:
    assert runs("train.csv", "val.csv") == {".": ["train.csv", "val.csv @val"]}
    assert list(runs("metrics_train.jsonl", "metrics_eval.jsonl", "console.log")) == ["."]


def test_a_log_of_evaluations_beside_another_is_of_the_same_run() -> None:
    assert runs("run.log", "eval.log") == {".": ["eval.log @eval", "run.log"]}
    assert runs("train.log", "val_log.txt") == {".": ["train.log", "val_log.txt @val"]}
    assert runs("eval.log") == {".": ["eval.log"]}
    assert list(runs("cv_exp_a.log", "cv_exp_b.log")) == ["cv_exp_a.log", "cv_exp_b.log"]


def test_tables_in_directories_called_after_splits_are_one_run() -> None:
    assert runs("a/train/log.csv", "a/valid/log.csv", "b/train/log.csv") == {
        "a": ["a/train/log.csv", "a/valid/log.csv @valid"],
        "b/train": ["b/train/log.csv"],
    }
    assert list(runs("a/train/log.csv", "a/valid/other.csv")) == ["a/train", "a/valid"]


def test_a_lone_table_called_test_may_be_a_training() -> None:
    assert runs("test.csv") == {".": ["test.csv"]}
    assert runs("learn_error.csv", "test_error.csv") == {
        ".": ["learn_error.csv", "test_error.csv @test"]
    }


def test_directories_below_metrics_are_parts_of_the_names_of_metrics() -> None:
    names = ("dvclive/plots/metrics/eval/loss.tsv", "dvclive/plots/metrics/train/loss.tsv")
    assert runs(*names) == {".": list(names)}


def test_a_folder_of_runs_holds_one_run_a_directory() -> None:
    found = runs("a/train.log", "b/metrics.jsonl", "c/d/log.csv", events("e"))
    assert sorted(found) == ["a", "b", "c/d", "e"]


def test_a_launcher_log_beside_several_runs_is_its_own() -> None:
    assert sorted(runs("a/log.csv", "b/log.csv", "train.log")) == ["a", "b", "train.log"]


def test_the_better_source_comes_first() -> None:
    paths = [f"{ROOT}/{name}" for name in ("train.log", "log.csv", "trainer_log.jsonl")]
    (files,) = grouped([found(path) for path in paths], ROOT, lambda path: ()).values()
    assert {str(file.path) for file in files} == set(paths)


def test_the_root_of_the_file_system_is_a_directory_like_any_other() -> None:
    paths = ["/train.log", "/logs/tb/train.csv", "/runs/a/metrics.jsonl"]
    assert list(grouped([found(path) for path in paths], "/", lambda path: ())) == ["/"]


def test_one_run_id_is_one_run() -> None:
    assert runs(
        "wandb/run-20260101_100000-a1b2/run-a1b2.wandb",
        "wandb/latest-run/run-a1b2.wandb",
        "wandb/run-20260102_100000-c3d4/run-c3d4.wandb",
        "copy/wandb/run-20260102_100000-c3d4/run-c3d4.wandb",
    ) == {
        "wandb/run-20260101_100000-a1b2": [
            "wandb/latest-run/run-a1b2.wandb",
            "wandb/run-20260101_100000-a1b2/run-a1b2.wandb",
        ],
        "wandb/run-20260102_100000-c3d4": ["wandb/run-20260102_100000-c3d4/run-c3d4.wandb"],
        "copy/wandb/run-20260102_100000-c3d4": [
            "copy/wandb/run-20260102_100000-c3d4/run-c3d4.wandb"
        ],
    }
