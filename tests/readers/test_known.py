"""The tables and JSON lines of frameworks: what is claimed, and what comes out of real files."""

from __future__ import annotations

import csv
import json
import math
import random
from pathlib import Path

import pytest

from lossmon.monitor import Monitor
from lossmon.readers.registry import detect, formats
from lossmon.types import Reader, TextSample
from tests.readers.growing import DATA, Collected, read, read_growing, read_whole

MLFLOW = DATA / "mlflow" / "mlruns" / "1" / "f0b72f64"

SAMPLES = [
    ("lightning/overfit/metrics.csv", "lightning"),
    ("keras/training.csv", "keras"),
    ("mmengine/epoch/scalars.json", "mmengine"),
    ("detectron2/metrics.json", "detectron2"),
    ("ultralytics/results.csv", "ultralytics"),
    ("sb3/progress.csv", "sb3_csv"),
    ("sb3/progress.json", "sb3"),
    ("ray/progress.csv", "ray_csv"),
    ("ray/result.json", "ray"),
    ("catboost/catboost_training.json", "catboost"),
    ("clearml/metrics.jsonl", "clearml"),
    ("optuna/journal.log", "optuna_journal"),
    ("dvclive/plots/metrics/train/loss.tsv", "dvclive"),
    ("mlflow/mlruns/1/f0b72f64/metrics/train/loss", "mlflow"),
    ("mlflow/mlruns/1/f0b72f64/meta.yaml", "mlflow"),
    ("llamafactory/sft/trainer_log.jsonl", "llamafactory"),
    ("llamafactory/predict/generated_predictions.jsonl", "llamafactory_predictions"),
    ("hf_trainer/v5/overfit/trainer_state.json", "hf_trainer"),
    ("hf_trainer/v4/overfit/all_results.json", "hf_results"),
    ("generic/log.csv", "csv"),
    ("generic/results.tsv", "csv"),
    ("generic/metrics.jsonl", "jsonl"),
    ("generic/history.json", "history"),
    ("generic/keras_history.json", "history"),
]


def opened(name: str) -> Reader:
    found = detect(DATA / name)
    assert found is not None
    return found.open(DATA / name)


def run_of(name: str) -> Collected:
    return read_whole(opened(name))


def rows_of(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(newline="") as file:
        return list(csv.DictReader(file))


def lines_of(name: str) -> list[dict[str, float]]:
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


@pytest.mark.parametrize("name, source", SAMPLES)
def test_each_file_is_claimed_by_the_format_of_its_framework(name: str, source: str) -> None:
    found = detect(DATA / name)
    assert found is not None
    assert found.source == source
    assert found.open(DATA / name).source == source


@pytest.mark.parametrize(
    "name",
    [
        "hf_trainer/v5/overfit/config.json",
        "llamafactory/sft/tokenizer.json",
        "catboost/learn_error.tsv",
        "catboost/time_left.tsv",
        "dvclive/metrics.json",
        "mlflow/mlruns/1/f0b72f64/params/lr",
        "ultralytics/args.yaml",
        "generic/README.md",
    ],
)
def test_what_is_no_log_or_repeats_one_is_left_alone(name: str) -> None:
    assert detect(DATA / name) is None


def test_every_title_and_source_is_there() -> None:
    assert all(one.title and one.source and one.names for one in formats())


GROWING = [
    name for name, source in SAMPLES if source not in ("hf_trainer", "hf_results", "history")
]


@pytest.mark.parametrize("name", [name for name in GROWING if not name.endswith("meta.yaml")])
def test_a_cut_anywhere_gives_the_same_points(tmp_path: Path, name: str) -> None:
    content = (DATA / name).read_bytes()[:100_000]
    content = content[: content.rindex(b"\n") + 1]
    found = detect(DATA / name)
    assert found is not None
    folder = tmp_path / Path(name).parent
    folder.mkdir(parents=True)
    path = folder / Path(name).name
    path.write_bytes(content)
    expected = read_whole(found.open(path))
    for cut in range(1, len(content), max(1, len(content) // 12)):
        grown = read_growing(path, content, [cut, cut + 1], found.open)
        assert (grown.series, grown.samples) == (expected.series, expected.samples), cut


def test_keras_counts_epochs_and_goes_back_when_it_is_resumed() -> None:
    run, rows = run_of("keras/training.csv"), rows_of("keras/training.csv")
    assert run.values("val_loss") == [(int(row["epoch"]), float(row["val_loss"])) for row in rows]
    assert {axis for _, _, axis in run.series["loss"]} == {"epoch"}


def test_keras_writes_its_log_under_any_name(tmp_path: Path) -> None:
    path = tmp_path / "training.log"
    path.write_bytes((DATA / "keras" / "training.csv").read_bytes())
    found = detect(path)
    assert found is not None
    assert found.source == "keras"


def test_ultralytics_logs_parts_of_a_loss_by_epoch() -> None:
    run, rows = run_of("ultralytics/results.csv"), rows_of("ultralytics/results.csv")
    for tag in ("train/box_loss", "val/dfl_loss"):
        assert run.values(tag) == [(int(row["epoch"]), float(row[tag])) for row in rows]
    assert run.values("metrics/mAP50-95(B)")[0] == (1, 0.0)


def test_its_plan_is_in_the_settings_beside_it() -> None:
    facts = read(opened("ultralytics/results.csv")).facts
    assert [fact.total_epochs for fact in facts] == [6]


def test_its_old_tables_are_padded(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text(
        "               epoch,      train/box_loss,      train/obj_loss\n"
        "                   0,             0.11294,            0.066661\n"
        "                   1,             0.10294,            0.056661\n"
    )
    found = detect(path)
    assert found is not None
    run = read_whole(found.open(path))
    assert run.values("train/box_loss") == [(0, 0.11294), (1, 0.10294)]


def test_an_eval_of_mmengine_stands_at_the_end_of_its_epoch() -> None:
    run, rows = run_of("mmengine/epoch/scalars.json"), lines_of("mmengine/epoch/scalars.json")
    ends = {row["epoch"]: int(row["iter"]) for row in rows if "iter" in row}
    evals = [row for row in rows if "iter" not in row]
    assert run.values("val/accuracy") == [(ends[row["step"]], row["accuracy"]) for row in evals]
    train = [(int(row["iter"]), row["loss"]) for row in rows if "iter" in row]
    assert run.values("loss") == train


def test_so_does_one_of_a_resumed_run() -> None:
    run = run_of("mmengine/resume/scalars.json")
    assert run.values("val/accuracy")[0] == (58, 82.8125)


def test_an_eval_of_a_run_that_counts_iterations_stands_at_its_own(tmp_path: Path) -> None:
    path = tmp_path / "scalars.json"
    path.write_text(
        '{"loss": 2.0, "epoch": 1, "iter": 20, "step": 20}\n{"acc": 0.5, "step": 20}\n'
        '{"loss": 1.0, "epoch": 1, "iter": 40, "step": 40}\n{"acc": 0.6, "step": 40}\n'
    )
    found = detect(path)
    assert found is not None
    assert read_whole(found.open(path)).values("val/acc") == [(20, 0.5), (40, 0.6)]


def test_the_copy_that_mmengine_writes_is_not_read_twice(tmp_path: Path) -> None:
    folder = tmp_path / "vis_data"
    folder.mkdir()
    for name in ("scalars.json", "20261121_002217.json"):
        (folder / name).write_bytes((DATA / "mmengine" / "epoch" / "scalars.json").read_bytes())
    assert detect(folder / "scalars.json") is not None
    assert detect(folder / "20261121_002217.json") is None


def test_the_iterations_of_mmcv_count_within_the_epoch(tmp_path: Path) -> None:
    path = tmp_path / "20200508_184423.log.json"
    path.write_text(
        '{"env_info": "sys.platform: linux", "seed": 0}\n'
        '{"mode": "train", "epoch": 1, "iter": 50, "lr": 1e-05, "loss": 2.0, "time": 2.6}\n'
        '{"mode": "train", "epoch": 1, "iter": 100, "lr": 1e-05, "loss": 1.5, "time": 2.6}\n'
        '{"mode": "val", "epoch": 1, "iter": 625, "lr": 1e-05, "bbox_mAP": 0.3}\n'
        '{"mode": "train", "epoch": 2, "iter": 50, "lr": 1e-05, "loss": 1.2, "time": 2.6}\n'
    )
    found = detect(path)
    assert found is not None
    assert found.source == "mmcv"
    run = read_whole(found.open(path))
    assert run.values("loss") == [(50, 2.0), (100, 1.5), (150, 1.2)]
    assert run.values("val/bbox_mAP") == [(100, 0.3)]
    assert "val/lr" not in run.series


def test_detectron2_logs_nan_bare() -> None:
    run, rows = run_of("detectron2/metrics.json"), lines_of("detectron2/metrics.json")
    expected = [(int(row["iteration"]), row["total_loss"]) for row in rows]
    assert repr(run.values("total_loss")) == repr(expected)
    assert math.isnan(expected[-1][1])
    assert run.values("bbox/AP") == [(99, 19.9), (199, 29.9), (299, 39.9)]


@pytest.mark.parametrize("name", ["sb3/progress.csv", "sb3/progress.json"])
def test_stable_baselines_counts_timesteps(name: str) -> None:
    run = run_of(name)
    assert run.values("rollout/ep_rew_mean")[0] == (128, 30.0)
    assert len(run.values("train/loss")) == 23
    assert run.values("time/fps")[-1] == (3072, 101)


@pytest.mark.parametrize("name", ["ray/progress.csv", "ray/result.json"])
def test_ray_counts_its_iterations_and_knows_the_time(name: str) -> None:
    batch = read(opened(name))
    tags = {points.tag: points for points in batch.points}
    assert set(tags) == {"loss", "val_loss", "epoch"}
    assert tags["loss"].steps.tolist() == list(range(1, 31))
    assert tags["loss"].wall_times[0] == 1795221318.0


def test_catboost_counts_rounds_of_each_set() -> None:
    run, rows = run_of("catboost/catboost_training.json"), rows_of("catboost/test_error.tsv")
    table = [row["iter\tAUC\tLogloss"].split("\t") for row in rows]
    assert run.values("test/AUC") == [(int(step), float(auc)) for step, auc, _ in table]
    assert run.values("test/Logloss") == [(int(step), float(loss)) for step, _, loss in table]
    assert run.series["learn/Logloss"][-1] == (59, "0.3846229172", "round")
    assert run.total_steps == 60


def test_without_its_document_catboosts_tables_are_read(tmp_path: Path) -> None:
    path = tmp_path / "test_error.tsv"
    path.write_bytes((DATA / "catboost" / "test_error.tsv").read_bytes())
    found = detect(path)
    assert found is not None
    assert found.source == "catboost"
    assert read_whole(found.open(path)).series["test/Logloss"][0] == (0, "0.6831893703", "round")


def test_clearml_names_each_value_by_plot_and_series() -> None:
    run = run_of("clearml/metrics.jsonl")
    assert run.values("train/loss")[0] == (0, 2.52264740120107)
    assert len(run.values("train/loss")) == 100
    assert run.values("eval/acc")[-1][0] == 80


def test_a_table_of_named_values_is_pivoted(tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    path.write_text("split,step,value,tag\ntrain,1,2.0,loss\neval,1,2.5,loss\ntrain,2,nan,loss\n")
    found = detect(path)
    assert found is not None
    run = read_whole(found.open(path))
    assert repr(run.values("train/loss")) == "[(1, 2.0), (2, nan)]"
    assert run.values("eval/loss") == [(1, 2.5)]


def test_mlflow_metrics_are_named_by_their_folders() -> None:
    run = run_of("mlflow/mlruns/1/f0b72f64/metrics/train/loss")
    assert list(run.series) == ["train/loss"]
    lines = (MLFLOW / "metrics" / "train" / "loss").read_text().splitlines()
    expected = [(int(line.split()[2]), float(line.split()[1])) for line in lines]
    assert repr(run.values("train/loss")) == repr(expected)
    points = read(opened("mlflow/mlruns/1/f0b72f64/metrics/train/loss")).points[0]
    assert points.wall_times[0] == int(lines[0].split()[0]) / 1000


def test_mlflow_says_how_its_run_is_doing(tmp_path: Path) -> None:
    facts = read(opened("mlflow/mlruns/1/f0b72f64/meta.yaml")).facts[0]
    assert (facts.name, facts.finished, facts.failure) == ("demo", True, "")
    assert facts.started == 1795220233.3
    assert facts.settings == {"bsz": "8", "lr": "0.001"}
    path = tmp_path / "meta.yaml"
    path.write_text((MLFLOW / "meta.yaml").read_text().replace("status: 3", "status: 4"))
    found = detect(path)
    assert found is not None
    assert read(found.open(path)).facts[0].failure == "failed"


def test_a_metric_of_mlflow_may_be_called_anything(tmp_path: Path) -> None:
    run = tmp_path / "mlruns" / "1" / "run"
    for name in ("system/cpu_utilization_percentage", "my thing", "a.b"):
        path = run / "metrics" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1795220233305 2.5 0\n")
        assert detect(path) is None
    (run / "meta.yaml").write_text((MLFLOW / "meta.yaml").read_text())
    (displayed,) = Monitor([tmp_path]).drain().runs
    assert {one.tag for one in displayed.series} == {
        "system/cpu_utilization_percentage",
        "my thing",
        "a.b",
    }


def test_parameters_that_come_later_and_those_in_folders_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "meta.yaml"
    path.write_text((MLFLOW / "meta.yaml").read_text())
    found = detect(path)
    assert found is not None
    reader = found.open(path)
    assert read(reader).facts[0].settings == {}
    (tmp_path / "params" / "net").mkdir(parents=True)
    (tmp_path / "params" / "net" / "dim").write_text("64")
    assert read(reader).facts[0].settings == {"net/dim": "64"}
    assert read(reader).facts == ()


def test_dvclive_metrics_are_named_by_their_folders() -> None:
    run = run_of("dvclive/plots/metrics/eval/loss.tsv")
    assert run.values("eval/loss")[0] == (20, 1.4)
    assert len(run_of("dvclive/plots/metrics/train/loss.tsv").values("train/loss")) == 200


def test_dvclive_metrics_need_no_step(tmp_path: Path) -> None:
    path = tmp_path / "dvclive" / "plots" / "metrics" / "eval" / "loss.tsv"
    path.parent.mkdir(parents=True)
    path.write_text("timestamp\tloss\n1700000000000\t1.5\n1700000001000\t1.25\n")
    found = detect(path)
    assert found is not None
    assert read_whole(found.open(path)).values("eval/loss") == [(1, 1.5), (2, 1.25)]


def test_deepspeed_counts_samples_and_repeats_its_header(tmp_path: Path) -> None:
    path = tmp_path / "Train_Samples_train_loss.csv"
    path.write_text("step,train_loss\n8,2.0\n16,1.5\nstep,train_loss\n8,1.9\n")
    found = detect(path)
    assert found is not None
    run = read_whole(found.open(path))
    assert run.series["train_loss"] == [
        (8, "2.0", "samples"),
        (16, "1.5", "samples"),
        (8, "1.9", "samples"),
    ]


def test_verl_nests_its_values_and_writes_null_for_nan(tmp_path: Path) -> None:
    path = tmp_path / "exp.jsonl"
    path.write_text('{"step": 1, "data": {"actor/pg_loss": 0.5, "critic/score/mean": null}}\n')
    found = detect(path)
    assert found is not None
    assert found.source == "verl"
    assert read_whole(found.open(path)).series == {"actor/pg_loss": [(1, "0.5", "step")]}


@pytest.mark.parametrize(
    "name, header, source",
    [
        (
            "history.csv",
            "epoch,train_loss,valid_loss,accuracy,time\n0,1.0,2.0,0.5,00:03\n",
            "fastai",
        ),
        ("summary.csv", "epoch,train_loss,eval_loss,eval_top1,lr\n0,1.0,2.0,50.0,0.1\n", "timm"),
        ("log.csv", "epoch,acc,loss,val_acc,val_loss\n0,1.0,0.5,1.0,0.5\n", "keras"),
        ("log.csv", "epoch,loss,val_loss\n0,1.0,0.5\n", "csv"),
        ("training.log", "epoch,loss,val_loss\n0,1.0,0.5\n", "keras"),
    ],
)
def test_tables_are_known_by_their_headers(
    tmp_path: Path, name: str, header: str, source: str
) -> None:
    path = tmp_path / name
    path.write_text(header)
    found = detect(path)
    assert found is not None
    assert found.source == source
    assert read_whole(found.open(path)).series


def test_what_tensorboard_downloads_is_named_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "run-train-tag-epoch_loss.csv"
    path.write_text("Wall time,Step,Value\n1600000000.5,0,2.0\n1600000001.5,1,1.0\n")
    found = detect(path)
    assert found is not None
    points = read(found.open(path)).points
    assert [(one.tag, one.steps.tolist()) for one in points] == [("epoch_loss", [0, 1])]
    assert points[0].wall_times.tolist() == [1600000000.5, 1600000001.5]


def test_allennlp_writes_one_document_an_epoch(tmp_path: Path) -> None:
    path = tmp_path / "metrics_epoch_3.json"
    path.write_text(
        '{"best_epoch": 2, "epoch": 3, "training_duration": "0:01:02", "training_loss": 0.5,'
        ' "validation_loss": 0.7, "validation_accuracy": 0.8, "best_validation_loss": 0.6}'
    )
    found = detect(path)
    assert found is not None
    assert found.source == "allennlp"
    run = read_whole(found.open(path))
    assert run.series["training_loss"] == [(3, "0.5", "epoch")]
    assert run.series["validation_loss"] == [(3, "0.7", "epoch")]


def test_predictions_are_samples_and_no_points() -> None:
    run = run_of("llamafactory/predict/generated_predictions.jsonl")
    assert run.series == {}
    assert run.samples[0] == TextSample(
        "generated_predictions",
        None,
        output="The car is red and it has number 6.",
        prompt="Human: Describe the car.</s>\nAssistant:",
        expected="The car is red and it has number 6.",
    )


def test_sampled_outputs_stand_at_their_step(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text('{"step": 100, "prompt": "a?", "output": "b"}\n')
    found = detect(path)
    assert found is not None
    assert read_whole(found.open(path)).samples == [TextSample("samples", 100, "b", "a?")]
    path.write_text('{"prompt": "a?", "output": "b"}\n')
    assert detect(path) is None


def _damaged(content: bytes, seed: int) -> bytes:
    """A file after some accidents: bytes changed, dropped and doubled."""
    rng = random.Random(seed)
    damaged = bytearray(content)
    for _ in range(rng.randrange(1, 12)):
        at = rng.randrange(len(damaged))
        match rng.randrange(4):
            case 0:
                damaged[at] = rng.randrange(256)
            case 1:
                del damaged[at : at + rng.randrange(1, 300)]
            case 2:
                damaged[at:at] = rng.choice(
                    [b"\n", b"{", b"}", b",", b'"', b"NaN", b"\0", b"1e999"]
                )
            case 3:
                damaged[at:at] = damaged[at : at + rng.randrange(1, 300)]
        if not damaged:
            break
    return bytes(damaged)


@pytest.mark.parametrize("name", [name for name, _ in SAMPLES])
def test_no_damage_makes_a_reader_fail(tmp_path: Path, name: str) -> None:
    found = detect(DATA / name)
    assert found is not None
    content = (DATA / name).read_bytes()[:20_000]
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    for seed in range(25):
        path.write_bytes(_damaged(content, seed))
        found.claims(path, path.read_bytes()[:4096])
        read_whole(found.open(path))
