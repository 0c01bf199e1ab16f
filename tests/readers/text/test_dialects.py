"""Lines of tools that name their numbers in prose, behind them or not at all."""

from __future__ import annotations

import math

import pytest

from lossmon.readers.text import claims
from lossmon.readers.text.explain import explain_line
from lossmon.types import Axis
from tests import paths
from tests.readers.text.test_reader import read_file

DATA = paths.DATA / "text" / "dialects"

Steps = dict[str, list[int]]

STEPS: dict[str, Steps] = {
    "audiocraft.log": {"ce": [50, 100, 150, 200], "ce_epoch": [100, 200], "eval/ce": [100, 200]},
    "bigdl.log": {"loss": [1, 2, 3, 4]},
    "build_nanogpt.txt": {"train_loss": [0, 1, 2, 3, 4], "val_loss": [0, 2, 4]},
    "caffe.log": {"loss": [0, 1000, 2000], "test/loss": [0, 1000, 2000]},
    "chainer.log": {"main/loss": [100, 200, 300, 400], "validation/main/loss": [200, 400]},
    "clu.log": {"loss": [10, 20, 30, 40]},
    "coqui.log": {"loss": [0, 25, 50, 75], "eval/avg_loss": [25, 75]},
    "counter_in_epoch.log": {"total_loss": [0, 1, 2, 3, 4, 5, 6, 7]},
    "darts.log": {
        "loss": [0, 50, 100, 150, 200, 250],
        "train_loss": [100, 250],
        "valid_loss": [100, 250],
    },
    "deepspeed_steps.log": {"Loss": [1, 2, 3, 4, 5, 6]},
    "darknet.log": {"avg_loss": [1, 2, 3, 4, 5], "mAP": [5]},
    "darknet_nan.log": {"loss": [1, 2], "avg_loss": [1, 2]},
    "demucs.log": {
        "Loss": [20, 40, 60, 81, 101, 121, 142, 162, 182],
        "Loss_epoch": [61, 122, 183],
        "eval/Loss": [61, 122, 183],
    },
    "dl4j.log": {"loss": [0, 100, 200, 300, 400]},
    "estimator.log": {"loss": [100, 200, 300, 400], "eval_accuracy": [400], "eval_loss": [400]},
    "espnet2.log": {"loss": [50, 100, 150, 200], "eval/loss": [100, 200]},
    "diffusers.log": {"step_loss": [1, 2, 3, 4, 5, 6, 7]},
    "gluoncv.log": {"ObjLoss": [49, 99, 148, 198, 247, 297], "ObjLoss_epoch": [99, 198, 297]},
    "iters_of_total.log": {"Task Loss": [10, 20, 30, 40]},
    "kaldi_chain.log": {"nll": [9, 19, 29]},
    "kaldi_nnet3.log": {"nll": [9, 19, 29, 39]},
    "lerobot.log": {"loss": list(range(200, 2401, 200))},
    "lightning_rich_end.log": {"train_loss": [60], "val_loss": [60, 60], "val_acc": [60, 60]},
    "lightning_test_table.log": {"test_loss": [24], "test/accuracy": [24]},
    "litgpt.txt": {"loss train": [1, 2, 3, 4, 5, 6, 7, 8], "val": [5], "val loss": [4]},
    "marian.log": {"loss": [500, 1000, 1500], "eval/cross-entropy": [1500], "eval/bleu": [1500]},
    "mlperf.log": {"train_loss": [512, 1024, 1536], "eval_accuracy": [512, 1024, 1536]},
    "mmdet2.log": {"loss": [50, 100, 150, 200], "eval/bbox_mAP": [100, 200]},
    "mxnet.log": {
        "cross-entropy": [20, 40, 60, 80, 100, 120],
        "Validation-cross-entropy": [40, 80, 120],
    },
    "n_of_m_in_epoch.log": {"Loss": [0, 1, 2, 3, 4, 5]},
    "nanogpt_pair.log": {
        "loss": [0, 50, 100, 150, 200, 250, 300],
        "train": [0, 100, 200, 300],
        "val": [0, 100, 200, 300],
    },
    "paddleclas.log": {"loss": [0, 20, 40, 60], "loss_epoch": [20, 80], "eval/loss": [20, 80]},
    "paddleclas_avg.log": {"loss": [0, 10, 20, 30, 40, 50], "eval/loss": [20, 60]},
    "paddledetection.log": {"loss": [0, 20, 40, 60, 80, 100]},
    "paddlevideo.log": {"loss": [0, 100, 200, 300, 400, 500], "val loss_avg": [100, 300, 500]},
    "rsl_rl.log": {"Value function loss": [0, 1, 2], "Mean reward": [0, 1, 2]},
    "rsl_rl5.log": {"Value function loss": [0, 1, 2], "Surrogate loss": [0, 1, 2]},
    "spinning_up.log": {"LossV": [4000, 8000, 12000], "AverageEpRet": [4000, 8000, 12000]},
    "structured.log": {"loss": [0, 10, 20, 30, 40, 50], "eval/loss": [30, 60]},
    "swift.log": {"loss": [5, 10, 15, 20], "eval_loss": [20]},
    "swin.log": {"loss": [0, 10, 20, 30], "test/Loss": [10, 30], "eval/Acc@1": [10, 30]},
    "timm_ema.log": {"Loss": [0, 19, 20, 39], "test/Loss": [19, 39], "test_ema/Loss": [19, 39]},
    "validate_rounds.log": {
        "Loss": [0, 10, 20, 30, 40, 50, 60, 70, 80],
        "eval/Loss": [20, 50, 80],
    },
    "theano_cost.log": {"Cost": [10, 20, 30, 40, 50, 60], "validation loss": [30, 60]},
    "summed_up.log": {"train_loss": [0, 10, 20, 30, 40, 50], "val_loss": [20, 50]},
    "opennmt.log": {"xent": [50, 100, 150, 200], "eval/xent": [100, 200]},
    "ruled_headings.log": {"loss": [50, 100, 150]},
    "slowfast.log": {
        "loss": [10, 20, 30, 40, 50, 60],
        "loss_epoch": [20, 40, 60],
        "eval/loss": [20, 40, 60],
        "eval/top1_err": [20, 40, 60],
    },
    "so_far.log": {"avg loss": [25, 50, 75, 100, 125, 150], "val loss": [50, 100, 150]},
    "transformer_xl.log": {"loss": [500, 1000, 99500, 100000], "eval/loss": [1000, 100000]},
    "wenet_levels.log": {"loss": [0, 100, 200, 300], "eval/loss": [100, 300]},
    "wenet.log": {"loss": [0, 100, 200, 300], "eval/loss": [100, 300]},
}
EPOCHS: dict[str, Steps] = {
    "allennlp.log": {"loss": [0, 1], "eval/loss": [0, 1]},
    "chinese.log": {"训练损失": [1, 2, 3, 4], "验证损失": [1, 2, 3, 4]},
    "dict_behind.log": {
        "Train Loss": [1, 2, 3],
        "Val Loss": [1, 2, 3],
        "test_map@20": [1, 2, 3],
    },
    "ignite.log": {"Loss": [1, 2], "test/Loss": [1, 2]},
    "keras_checkpoint.log": {"loss": [1, 2, 3], "val_loss": [1, 2, 3]},
    "nnunet.log": {"train_loss": [0, 1, 2], "val/dice_0": [0, 1, 2], "val/dice_1": [0, 1, 2]},
    "results.txt": {"train/loss": [0, 1, 2, 3, 4], "val/box_loss": [0, 1, 2, 3, 4]},
    "yolov5.log": {"box_loss": [0, 1, 2], "metrics/mAP50(B)": [0, 1, 2]},
    "yolov5_colab.log": {"box_loss": [0, 1], "metrics/mAP50(B)": [0, 1]},
    "yolov7_mixed.log": {"loss": [0, 1, 2], "metrics/mAP50(B)": [0, 1]},
    "spacy2.log": {"NER Loss": [1, 2, 3], "NER F": [1, 2, 3]},
    "torchlight.log": {"mean_loss": [0, 1, 2], "eval/mean_loss": [0, 1, 2]},
    "unknown_total.log": {"loss": [0, 1, 2]},
    "yolov8_classify.log": {"loss": [1, 2], "metrics/accuracy_top1": [1, 2]},
    "yolov8.log": {"box_loss": [1, 2, 3], "metrics/mAP50-95(B)": [1, 2, 3]},
}


@pytest.mark.parametrize(("name", "steps"), (STEPS | EPOCHS).items(), ids=lambda value: str(value))
def test_a_dialect_is_read(name: str, steps: Steps) -> None:
    read = read_file(DATA / name)
    assert {tag: read.steps.get(tag) for tag in steps} == steps
    axis = Axis.EPOCH if name in EPOCHS else Axis.STEP
    assert all(read.axes[tag] == {axis} for tag in steps)


def test_a_heading_states_the_steps_of_the_run() -> None:
    assert read_file(DATA / "rsl_rl5.log").last("total_steps") == 10


def test_a_bar_that_is_drawn_once_more_after_the_end_resumes_nothing() -> None:
    assert read_file(DATA / "lightning_rich_end.log").last("finished") is True


def test_a_repeat_of_the_best_round_is_no_round() -> None:
    read = read_file(DATA / "xgboost_stopped.log")
    assert read.steps["test-auc"] == [1, 2, 3, 4, 5]
    assert (read.last("finished"), read.last("best_step")) == (True, 3)


def test_results_without_a_head_are_a_text_log() -> None:
    path = DATA / "results.txt"
    assert claims(path, path.read_bytes())


def test_what_optuna_prints_is_a_study() -> None:
    read = read_file(DATA / "optuna.log")
    assert read.steps == {"objective/maximize": [0, 1, 4]}
    assert read.axes["objective/maximize"] == {Axis.TRIAL}
    assert read.last("trials") == {"trials": 5, "pruned": 1, "failed": 1}
    assert not read.last("failure")


def test_the_values_of_dialects_are_those_of_the_log() -> None:
    assert read_file(DATA / "kaldi_nnet3.log").values["nll"][0] == 3.0
    assert read_file(DATA / "opennmt.log").values["eval/xent"] == [math.log(6), math.log(4)]
    assert read_file(DATA / "validate_rounds.log").values["eval/Loss"][0] == 2.1
    assert read_file(DATA / "wenet.log").values["eval/loss"] == [88.5, 87.5]
    assert read_file(DATA / "yolov8.log").values["box_loss"] == [3.189, 2.189, 1.189]


@pytest.mark.parametrize(
    ("line", "metrics", "position"),
    [
        (
            "o.d.o.l.ScoreIterationListener - Score at iteration 10 is 0.51",
            {"loss": 0.51},
            {"step": "10"},
        ),
        (
            "[2026-11-21 20:11:20] Ep. 1 : Up. 1,500 : Sen. 125,000 : Cost 8.51 : Time 1.12s",
            {"loss": 8.51},
            {"epoch": "1", "step": "1,500", "time": "2026-11-21 20:11:20"},
        ),
        (
            "TRAIN | steps/sec 2.5| Batch 3/100 loss 4.5 lr 0.001 grad_norm 3.5 rank 0",
            {"loss": 4.5, "lr": 0.001},
            {"epoch": "3", "step": "100"},
        ),
        (
            "[valid] iter 100: train loss 2.5 val loss 2.6",
            {"train loss": 2.5, "val loss": 2.6},
            {"step": "100"},
        ),
        ("Validating: 10/31 loss=0.5", {"eval/loss": 0.5}, {}),
    ],
)
def test_a_sibling_of_a_dialect_is_read(
    line: str, metrics: dict[str, float], position: dict[str, str]
) -> None:
    found = explain_line(line)
    assert (dict(found.metrics), dict(found.position)) == (metrics, position)
