"""Text logs through the reader: points, facts and lines of what real libraries printed."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.text import FORMATS, claims
from lossmon.readers.text.log import TextLog
from lossmon.readers.text.reader import TextReader
from lossmon.types import Axis, Batch, Facts
from tests import paths

DATA = paths.DATA / "text"
LATER = 1e9


@dataclass
class Read:
    """All that came out of a log, tag by tag."""

    steps: dict[str, list[int]] = field(default_factory=dict)
    values: dict[str, list[float]] = field(default_factory=dict)
    walls: dict[str, list[float]] = field(default_factory=dict)
    orders: dict[str, list[int]] = field(default_factory=dict)
    axes: dict[str, set[Axis]] = field(default_factory=dict)
    facts: list[Facts] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        if batch.replaced:
            self.__init__()  # type: ignore[misc]
        for points in batch.points:
            self.steps.setdefault(points.tag, []).extend(points.steps.tolist())
            self.values.setdefault(points.tag, []).extend(points.values.tolist())
            self.walls.setdefault(points.tag, []).extend(points.wall_times.tolist())
            self.orders.setdefault(points.tag, []).extend(points.order.tolist())
            self.axes.setdefault(points.tag, set()).add(points.axis)
        self.facts += batch.facts
        self.lines += batch.lines

    def last(self, name: str) -> object:
        return next((v for f in reversed(self.facts) if (v := getattr(f, name)) is not None), None)


def drain(reader: TextReader, read: Read) -> Read:
    while True:
        batch = reader.read(time.monotonic() + LATER)
        read.add(batch)
        if not batch.pending:
            return read


def read_file(path: Path) -> Read:
    return drain(TextReader(path), Read())


def read_text(path: Path, text: str | bytes) -> Read:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_file(path)


def same(left: Read, right: Read) -> None:
    assert left.steps == right.steps
    assert left.orders == right.orders
    assert left.axes == right.axes
    assert repr(left.values) == repr(right.values)
    assert repr(left.walls) == repr(right.walls)
    assert left.facts == right.facts
    assert left.lines == right.lines


def grown(path: Path, data: bytes, cuts: Iterable[int]) -> Read:
    """Read a file that is cut at these bytes, once after each piece."""
    path.unlink(missing_ok=True)
    reader, read, before = TextReader(path), Read(), 0
    for cut in [*cuts, len(data)]:
        with path.open("ab") as file:
            file.write(data[before:cut])
        before = cut
        drain(reader, read)
    return read


COUNTS = [
    ("nanogpt.log", {"loss": 82, "train loss": 10, "val loss": 10}),
    ("hf_trainer5.log", {"loss": 49, "eval_loss": 12, "grad_norm": 49}),
    ("hf_trainer5_buffered.log", {"loss": 21, "eval_loss": 5}),
    ("hf_trainer5_resume.log", {"loss": 54, "eval_loss": 13}),
    ("hf_trainer4_print.log", {"loss": 13}),
    ("hf_trainer4_multi_eval.log", {"loss": 17, "eval_easy_loss": 4, "eval_hard_loss": 4}),
    ("llamafactory_console.log", {"loss": 12, "grad_norm": 12, "eval_loss": 3, "epoch": 15}),
    ("running_log.txt", {"loss": 12, "learning_rate": 12, "throughput": 12}),
    ("trl_dpo.log", {"loss": 30, "rewards/margins": 30, "eval_loss": 3}),
    ("keras.log", {"loss": 21, "val_loss": 21, "accuracy": 21, "learning_rate": 15}),
    ("mmengine.log", {"loss": 16, "loss_cls": 16, "grad_norm": 16, "eval/accuracy": 8}),
    ("xgboost.log", {"train-logloss": 23, "eval-logloss": 23, "eval-auc": 23}),
    ("lightgbm.log", {"training's binary_logloss": 5, "valid_1's auc": 5}),
    ("catboost.log", {"test score": 13}),
    ("torchtune.txt", {"loss": 120, "val_loss": 1, "lr": 120}),
    ("detectron2.txt", {"total_loss": 15, "loss_cls": 15, "lr": 15}),
    ("torchrun_rank1.log", {"loss": 8, "lr": 8}),
    ("crash.log", {"loss": 6}),
    ("tqdm_nested.log", {"loss": 19, "val_loss": 3, "train loss": 3, "val loss": 3}),
    ("tqdm_epochs.log", {"loss": 21, "acc": 21}),
    ("tqdm_endless.log", {"loss": 12}),
    ("sb3.log", {"train/loss": 23, "rollout/ep_rew_mean": 24, "train/approx_kl": 23}),
    ("lightning_rich.log", {"val_loss": 1, "val_acc": 1}),
    ("lightning_tqdm.log", {"train_loss_step": 40, "train_loss_epoch": 4, "val_loss": 4}),
    ("ultralytics.log", {"box_loss": 6, "cls_loss": 6, "dfl_loss": 6, "metrics/mAP50(B)": 6}),
]


@pytest.mark.parametrize(("name", "counts"), COUNTS)
def test_every_point_of_a_real_log_is_found(name: str, counts: dict[str, int]) -> None:
    read = read_file(DATA / name)
    assert {tag: len(read.values[tag]) for tag in counts} == counts


def test_a_bar_that_goes_on_showing_an_evaluation_gives_it_once() -> None:
    read = read_file(DATA / "lightning_tqdm.log")
    # What Lightning's own callback metrics said at the end of each epoch.
    expected = [0.493828, 0.410471, 0.360094, 0.326476]
    assert read.steps["val_loss"] == [10, 20, 30, 40]
    assert read.values["val_loss"] == pytest.approx(expected, abs=5e-4)
    assert read.steps["train_loss_step"] == list(range(1, 41))


def test_the_row_of_all_classes_belongs_to_the_epoch_above_it(tmp_path: Path) -> None:
    text = "".join(
        "      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size\n"
        f"        {epoch}/2      1.2G      0.5{epoch}      1.36      0.41        14        640\n"
        "                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95)"
        "     Mask(P          R      mAP50  mAP50-95): 100% ━━━━━━━━ 1/1 16.9it/s\n"
        f"                   all          8         16      0.{epoch}1       0.2        0.3"
        f"        0.4       0.5        0.6        0.7        0.{epoch}8\n"
        "                   cat          4          9      0.99      0.99       0.99       0.99"
        "       0.99       0.99       0.99       0.99\n"
        for epoch in (1, 2)
    )
    read = read_text(tmp_path / "a.log", text)
    assert read.steps["metrics/mAP50-95(M)"] == [1, 2]
    assert read.values["metrics/mAP50-95(M)"] == [0.18, 0.28]
    assert read.values["metrics/precision(B)"] == [0.11, 0.21]
    assert read.axes["metrics/recall(B)"] == {Axis.EPOCH}


SILENT = ["dvclive.log"]


@pytest.mark.parametrize("name", SILENT)
def test_a_log_without_readable_metrics_gives_none(name: str) -> None:
    assert read_file(DATA / name).steps == {}


@pytest.mark.parametrize("name", ["hf_trainer5.log", "hf_trainer5_buffered.log"])
def test_the_trainer_step_is_right_whether_or_not_stdout_was_buffered(name: str) -> None:
    read = read_file(DATA / name)
    count = len(read.steps["loss"])
    assert read.steps["loss"] == [1, *range(5, 5 * count, 5)]
    assert read.steps["eval_loss"] == list(range(20, 20 * len(read.steps["eval_loss"]) + 1, 20))
    assert read.axes["loss"] == {Axis.STEP}


def test_the_resumed_run_steps_back() -> None:
    steps = read_file(DATA / "hf_trainer5_resume.log").steps["loss"]
    assert [(a, b) for a, b in pairwise(steps) if b < a] == [(125, 105)]


def test_records_without_a_bar_are_numbered_until_the_last_one_tells_the_plan(
    tmp_path: Path,
) -> None:
    text = (DATA / "hf_trainer4_print.log").read_text()
    head = text[: text.rindex("{'train_runtime'")]
    read = read_text(tmp_path / "head.log", head)
    assert read.axes["loss"] == {Axis.ORDER}
    assert read.steps["loss"] == list(range(1, 14))
    read = read_file(DATA / "hf_trainer4_print.log")
    assert read.axes["loss"] == {Axis.STEP}
    assert read.steps["loss"] == [1, *range(5, 61, 5)]


def test_a_closing_record_tells_the_steps_between_the_last_record_and_the_end(
    tmp_path: Path,
) -> None:
    records = zip((0.0024, 0.001733, 0.001067, 0.0004), (0.6667, 1.333, 2.0, 2.667), strict=True)
    lines = [f"{{'loss': 2.5, 'learning_rate': {rate}, 'epoch': {at}}}\n" for rate, at in records]
    last = "{'train_runtime': 0.6867, 'train_samples_per_second': 524.2, "
    lines.append(last + "'train_steps_per_second': 65.53, 'train_loss': 2.5, 'epoch': 3.0}\n")
    read = read_text(tmp_path / "train.log", "".join(lines))
    assert read.steps["loss"] == [10, 20, 30, 40]
    assert read.last("total_steps") == read.last("step") == 45


def test_steps_of_a_log_are_exact_although_its_epochs_and_its_speed_are_rounded(
    tmp_path: Path,
) -> None:
    lines = [
        f"{{'loss': 2.5, 'learning_rate': {(900 - step) / 1e6}, 'epoch': {step / 300:.2f}}}\n"
        for step in range(10, 901, 10)
    ]
    last = "{'train_runtime': 11174.986, 'train_samples_per_second': 2.553, "
    lines.append(last + "'train_steps_per_second': 0.081, 'train_loss': 2.5, 'epoch': 3.0}\n")
    read = read_text(tmp_path / "train.log", "".join(lines))
    assert read.steps["loss"] == list(range(10, 901, 10))
    assert read.last("total_steps") == 900


def test_a_training_that_was_stopped_early_does_not_tell_its_steps(tmp_path: Path) -> None:
    lines = [
        f"{{'loss': 2.{9 - i}, 'learning_rate': {1e-3 * (1 - i / 20)}, 'epoch': {i / 2}}}\n"
        for i in range(1, 6)
    ]
    last = "{'train_runtime': 2.0, 'train_samples_per_second': 80.0, 'train_steps_per_second': "
    lines.append(last + "10.0, 'train_loss': 2.5, 'epoch': 2.5}\n")
    read = read_text(tmp_path / "stopped.log", "".join(lines))
    assert read.axes["loss"] == {Axis.ORDER}


def test_a_plan_of_fewer_steps_than_records_does_not_place_them(tmp_path: Path) -> None:
    lines = [
        f"{{'loss': 2.5, 'learning_rate': {(8 - i) / 1e3}, 'epoch': {i / 4}}}\n"
        for i in range(1, 9)
    ]
    last = "{'train_runtime': 0.25, 'train_samples_per_second': 160.0, 'train_steps_per_second': "
    lines.append(last + "28.0, 'train_loss': 2.5, 'epoch': 2.0}\n")
    read = read_text(tmp_path / "train.log", "".join(lines))
    assert read.axes["loss"] == {Axis.ORDER}
    assert read.steps["loss"] == list(range(1, 9))


def test_an_epoch_that_goes_back_rewinds_the_number(tmp_path: Path) -> None:
    epochs = (0.1, 0.2, 0.3, 0.4, 0.2, 0.3)
    text = "".join(f"{{'loss': 2.{i}, 'epoch': {e}}}\n" for i, e in enumerate(epochs))
    assert read_text(tmp_path / "a.log", text).steps["loss"] == [1, 2, 3, 4, 2, 3]


def test_an_evaluation_gets_the_number_of_the_train_record_before_it(tmp_path: Path) -> None:
    text = (
        "{'loss': 2.0, 'epoch': 0.5}\n"
        "{'loss': 1.9, 'epoch': 1.0}\n"
        "{'eval_loss': 2.1, 'epoch': 1.0}\n"
    )
    assert read_text(tmp_path / "a.log", text).steps["eval_loss"] == [2]


def test_the_announced_plan_gives_total_and_steps() -> None:
    read = read_file(DATA / "running_log.txt")
    assert read.last("total_steps") == 60
    assert read.last("total_epochs") == 5.0
    assert read.steps["loss"] == list(range(5, 61, 5))


def test_the_closing_summary_ends_the_run_and_is_no_point() -> None:
    read = read_file(DATA / "hf_trainer5.log")
    assert read.last("finished") is True
    assert "train_loss" not in read.steps


def test_the_source_is_the_trainer_once_it_has_printed(tmp_path: Path) -> None:
    reader = TextReader(DATA / "hf_trainer5.log")
    drain(reader, Read())
    assert reader.source == "hf_trainer"
    assert TextReader(tmp_path / "x.log").source == "text"


def test_keras_epochs_count_once_each() -> None:
    read = read_file(DATA / "keras.log")
    assert read.steps["val_loss"] == [*range(1, 16), *range(13, 19)]
    assert read.axes["val_loss"] == {Axis.EPOCH}


def test_epoch_counters_become_global_steps() -> None:
    read = read_file(DATA / "mmengine.log")
    assert read.steps["loss"][:4] == [5, 10, 17, 22]
    assert read.steps["eval/accuracy"] == list(range(12, 97, 12))


def test_boosting_rounds_are_their_own_axis() -> None:
    assert read_file(DATA / "xgboost.log").axes["train-auc"] == {Axis.ROUND}


def test_a_crash_is_reported_with_its_exception() -> None:
    assert read_file(DATA / "crash.log").last("failure") == "RuntimeError: boom"


@pytest.mark.parametrize("name", ["optuna.log", "dvclive.log"])
def test_a_traceback_that_a_logger_printed_is_no_failure(name: str) -> None:
    assert read_file(DATA / name).last("failure") is None


def test_training_that_goes_on_clears_a_failure(tmp_path: Path) -> None:
    text = "step 1 loss 0.5\nKilled\nResuming from checkpoint\nstep 1 loss 0.4\n"
    read = read_text(tmp_path / "a.log", text)
    assert [fact.failure for fact in read.facts] == ["Killed", ""]


def test_wall_times_come_from_the_logger_and_are_unknown_else(tmp_path: Path) -> None:
    text = "2026-11-21 00:00:05,500 - INFO - step 1 loss 0.5\nstep 2 loss 0.5\n"
    walls = read_text(tmp_path / "a.log", text).walls["loss"]
    assert walls[0] == time.mktime((2026, 11, 21, 0, 0, 5, 0, 0, -1)) + 0.5
    assert math.isnan(walls[1])


def test_one_rank_speaks_and_the_others_stay_in_the_lines(tmp_path: Path) -> None:
    text = "".join(
        f"[rank{rank}]: step {step} loss {rank}.5\n" for step in range(3) for rank in (2, 0, 1)
    )
    read = read_text(tmp_path / "a.log", text)
    assert read.values["loss"] == [0.5, 0.5, 0.5]
    assert len(read.lines) == 9


@pytest.mark.parametrize(
    "line",
    [
        "[rank{}]: step {} loss {}",
        "[default{}]:step {}/60 | loss {}",
        "{}: step {} loss {}",
        " {}: step {} loss {}",
        "[Rank {}] step {} loss {}",
        "rank={} | step {} | loss {}",
        "rank: {}, step: {}, loss: {}",
        "[1,{}]<stdout>:step {} loss {}",
        "2026-11-21 11:30:05 [INFO] [rank {}] step {} loss {}",
        "GPU{} step {} loss {}",
        "[GPU {}] step {} loss {}",
        "[worker-{}] step {} loss {}",
        "(rank {}) step {} loss {}",
    ],
)
def test_one_rank_speaks_and_a_note_names_the_one_that_fell_behind(
    tmp_path: Path, line: str
) -> None:
    text = "".join(
        line.format(rank, step, f"{rank}.{step:02}") + "\n"
        for step in range(60)
        for rank in (3, 1, 0, 2)
        if rank != 2 or step < 10
    )
    path = tmp_path / "slurm-12.out"
    path.write_text(text)
    batch = TextReader(path).read(time.monotonic() + LATER)
    (loss,) = (points for points in batch.points if points.tag == "loss")
    assert loss.values.tolist() == [float(f"0.{step:02}") for step in range(60)]
    assert batch.notes == ("behind rank 0 at step 20: rank 2 at step 9",)


def test_a_name_of_a_machine_is_no_metric(tmp_path: Path) -> None:
    text = "".join(f"node0: [1] step {step} loss 0.5\n" for step in range(3))
    assert set(read_text(tmp_path / "a.log", text).values) == {"loss"}


def test_the_last_rank_speaks_where_it_alone_prints(tmp_path: Path) -> None:
    text = "".join(f"[default7]: iteration {i}/100 | lm loss: {i}.5 |\n" for i in range(4))
    assert read_text(tmp_path / "a.log", text).steps["lm loss"] == [0, 1, 2, 3]


def test_copies_that_every_process_prints_count_once(tmp_path: Path) -> None:
    text = "".join(f"step {step} | loss {step}.{copy}\n" for step in range(3) for copy in range(4))
    assert read_text(tmp_path / "a.log", text).values["loss"] == [0.0, 1.0, 2.0]


TORCHRUN = """\
[default0]:[rank0] step 0/40 | loss: 6.3860 | lr: 5.00e-02 | 1000.0 samples/s
[default1]:[rank1] step 0/40 | loss: 10.8370 | lr: 5.00e-02 | 2000.0 samples/s
[default1]:[rank1]: Traceback (most recent call last):
[default0]:[rank0] step 5/40 | loss: 2.1000 | lr: 5.00e-02 | 1000.0 samples/s
[default1]:[rank1]:   File "/home/user/train.py", line 30, in <module>
[default1]:[rank1]:     main()
[default1]:[rank1]: RuntimeError: CUDA out of memory. Tried to allocate 20.00 GiB
[default0]:[rank0] step 10/40 | loss: 1.1000 | lr: 5.00e-02 | 1000.0 samples/s
E1121 00:10:00.000000 123 torch/distributed/elastic/api.py:869] failed (exitcode: 1) rank: 1
Traceback (most recent call last):
  File "/home/user/venv/bin/torchrun", line 8, in <module>
    sys.exit(main())
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
train.py FAILED
"""


def test_the_rank_that_died_first_is_the_reason(tmp_path: Path) -> None:
    read = read_text(tmp_path / "slurm-12.out", TORCHRUN)
    assert read.values["loss"] == [6.386, 2.1, 1.1]
    reason = read.facts[-1].failure
    assert reason == "RuntimeError: CUDA out of memory. Tried to allocate 20.00 GiB"


@pytest.mark.parametrize(
    "line",
    [
        "Killed",
        "Segmentation fault (core dumped)",
        "/var/spool/job/slurm_script: line 12: 4242 Killed                  python train.py",
        "slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 2026-11-21 DUE TO TIME LIMIT ***",
        "slurmstepd: error: Detected 1 oom_kill event in StepId=12.batch",
        "slurmstepd-node7: error: *** JOB 12 ON node7 CANCELLED AT 2026-11-21T10:00:00 ***",
        "[1]    12345 killed     python train.py",
        "Out of memory: Killed process 1234 (python) total-vm:12345kB",
        "Fatal Python error: Segmentation fault",
        "Floating point exception (core dumped)",
        "terminate called after throwing an instance of 'c10::DistBackendError'",
        "E1121 11:30:00.123 55 api.py:874] failed (exitcode: 1) local_rank: 0 (pid: 7) of x",
        "[2026-11-21 11:30:00,123] [ERROR] [launch.py:325] ['python'] exits with return code = -9",
        "=>> PBS: job killed: walltime 3605 exceeded limit 3600",
        "TERM_RUNLIMIT: job killed after reaching LSF run time limit.",
        'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space',
        "darknet: ./src/cuda.c:36: check_error: Assertion `0' failed.",
        "[rank3]:[E1121 Group.cpp:616] Watchdog caught collective operation timeout: x",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
    ],
)
def test_the_end_of_a_run_is_recognised(line: str, tmp_path: Path) -> None:
    read = read_text(tmp_path / "a.log", f"step 1 loss 0.5\n{line}\n")
    assert read.last("failure")


@pytest.mark.parametrize(
    "head",
    [
        "\r 39/100",
        "\r 45%|████      | 45/100 [00:10<00:12, 4.1it/s]",
        "{'loss': 2.5, 'epoch': 0.5}",
        "^C",
        "Epoch 1: 100%",
    ],
)
def test_a_traceback_on_the_line_of_a_bar_is_a_crash(tmp_path: Path, head: str) -> None:
    text = "step 1 loss 2.5\n" + head + "Traceback (most recent call last):\n"
    text += '  File "train.py", line 5, in <module>\n    run()\nRuntimeError: no space left\n'
    assert read_text(tmp_path / "train.log", text).last("failure") == "RuntimeError: no space left"


@pytest.mark.parametrize("twin", ["Kill 7 ed", "K1illed", "Kille d"])
@pytest.mark.parametrize("padding", [0, 300])
def test_a_crash_is_seen_behind_lines_that_look_like_it(
    tmp_path: Path, twin: str, padding: int
) -> None:
    between = "step 5 loss 0.5\n" * padding
    text = f"step 1 loss 0.5\n{twin}\n{between}Killed\n"
    assert read_text(tmp_path / "a.log", text).last("failure") == "Killed"


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (
            "╭──── Traceback (most recent call last) ────╮\n"
            "│ /home/me/train.py:42 in <module>          │\n"
            "╰───────────────────────────────────────────╯\nValueError: no batch\n",
            "ValueError: no batch",
        ),
        (
            "ERROR | __main__:<module>:50 - An error has been caught in function 'main'\n"
            'Traceback (most recent call last):\n\n> File "train.py", line 50, in <module>\n'
            "    └ <function main>\n\nValueError: no batch\n",
            "ValueError: no batch",
        ),
        (
            "Error executing job with overrides: ['lr=0.1']\nTraceback (most recent call last):\n"
            '  File "a.py", line 3\nray.exceptions.RayTaskError(OSError): ray::run() (pid=7)\n',
            "ray.exceptions.RayTaskError(OSError)",
        ),
        (
            '  + Exception Group Traceback (most recent call last):\n  |   File "a.py", line 3\n'
            "  | ExceptionGroup: two workers (2 sub-exceptions)\n",
            "ExceptionGroup: two workers (2 sub-exceptions)",
        ),
        (
            '  File "a.py", line 3\n    x = = 3\nSyntaxError: invalid syntax\n',
            "SyntaxError: invalid",
        ),
        ("Exited with exit code 137.\n", "Exited with exit code 137."),
        ("a non-zero exit code. The job has been aborted.\n", "a non-zero exit code. The job"),
        ("mpirun noticed that process rank 3 on node a exited on signal 9.\n", "mpirun noticed"),
        ("Root Cause (first observed failure):\n[0]:\n  exitcode : 1 (pid: 7)\n", "Root Cause"),
        ("F0304 10:11:12.123 7 a.cc:12] Check failed: n > 0 (0 vs. 0)\n", "F0304 10:11:12.123"),
        ("ERROR: LoadError: out of GPU memory\nStacktrace:\n", "ERROR: LoadError: out of"),
    ],
)
def test_a_log_ends_with_a_crash(tmp_path: Path, end: str, reason: str) -> None:
    failure = read_text(tmp_path / "a.log", "step 1 loss 0.5\n" + end).last("failure")
    assert isinstance(failure, str)
    assert failure.startswith(reason)


def test_a_job_that_its_scheduler_ended_goes_on_only_with_many_lines(tmp_path: Path) -> None:
    end = "step 1 loss 0.5\nslurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 2026-11-21 ***\n"
    lines = [f"step {step} loss 0.4\n" for step in range(2, 9)]
    assert read_text(tmp_path / "a.log", end + "".join(lines[:2])).last("failure")
    assert not read_text(tmp_path / "b.log", end + "".join(lines)).last("failure")


def test_a_chained_traceback_ends_with_its_last_exception(tmp_path: Path) -> None:
    text = (
        "step 1 loss 0.5\n"
        "Traceback (most recent call last):\n  File \"a\", line 1\nKeyError: 'x'\n\n"
        "During handling of the above exception, another exception occurred:\n\n"
        'Traceback (most recent call last):\n  File "a", line 2\nValueError: bad key\n'
    )
    assert read_text(tmp_path / "a.log", text).last("failure") == "ValueError: bad key"


def test_what_is_printed_when_an_inner_bar_has_gone_is_a_line(tmp_path: Path) -> None:
    text = "".join(
        f"\ntrain:   0%|          | 0/50 [00:00<?, ?it/s]\x1b[A\n\r"
        f"train: 100%|██████████| 50/50 [00:00<00:00, 9.9it/s, loss={3 - epoch}.5]\x1b[A\n\r"
        f"{' ' * 80}\x1b[AEpoch {epoch} val loss: 0.{epoch}5\n"
        for epoch in (1, 2)
    )
    assert read_text(tmp_path / "a.log", text).values["val loss"] == [0.15, 0.25]


def test_a_redrawn_bar_gives_one_point_a_position(tmp_path: Path) -> None:
    frames = [
        f"\rEpoch 0:  {n}%|██   | {n}/100 [00:01<00:09, 9.9it/s, loss={loss}]"
        for n, loss in ((1, 2.5), (1, 2.4), (1, 2.3), (2, 2.2), (2, 2.2), (3, 2.1))
    ]
    read = read_text(tmp_path / "a.log", "".join(frames) + "\nstopped\n")
    assert read.steps["loss"] == [1, 2, 3]
    assert read.values["loss"] == [2.3, 2.2, 2.1]


def test_bars_of_later_epochs_go_on_counting(tmp_path: Path) -> None:
    text = "".join(
        f"\rEpoch {e}: 100%|█| {n}/4 [00:01<00:00, 9it/s, loss={e}.{n}]\n"
        for e in range(3)
        for n in (2, 4)
    )
    assert read_text(tmp_path / "a.log", text).steps["loss"] == [2, 4, 6, 8, 10, 12]


def test_an_evaluation_bar_counts_once_and_stands_where_training_was() -> None:
    read = read_file(DATA / "tqdm_nested.log")
    assert read.steps["val_loss"] == [49, 93, 145]
    assert read.steps["val loss"] == [50, 100, 150]


def test_a_bar_that_begins_anew_after_it_was_full_counts_the_next_epoch() -> None:
    steps = read_file(DATA / "tqdm_epochs.log").steps["loss"]
    assert steps == sorted(steps)
    assert steps[-1] == 180


def test_a_bar_that_stands_is_the_state_and_no_line(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("hello\n\r 10%|█   | 1/10 [00:01<00:09, 1.0it/s]", encoding="utf-8")
    reader = TextReader(path)
    read = drain(reader, Read())
    assert read.lines == ["hello"]
    assert reader.state == "10%|█   | 1/10 [00:01<00:09, 1.0it/s]"


def test_a_count_beside_an_epoch_that_begins_anew_is_within_it(tmp_path: Path) -> None:
    text = "".join(f"epoch {e} - iter {i}/4 - loss 0.5\n" for e in (1, 2) for i in range(4))
    assert read_text(tmp_path / "a.log", text).steps["loss"] == [0, 1, 2, 3, 4, 5, 6, 7]


def test_a_count_beside_an_epoch_that_goes_on_is_global(tmp_path: Path) -> None:
    text = "".join(f"Epoch {e} Iter {i} Train Loss: 0.5\n" for e, i in ((1, 10), (2, 20), (3, 30)))
    assert read_text(tmp_path / "a.log", text).steps["Train Loss"] == [10, 20, 30]


def test_batches_of_an_evaluation_are_no_steps(tmp_path: Path) -> None:
    text = "step 50/100 loss 0.5\n" + "".join(f"Eval step {i}/4: loss 0.{i}\n" for i in range(1, 5))
    read = read_text(tmp_path / "a.log", text + "[eval] step 60/100 loss 0.7\n")
    assert read.steps["eval/loss"] == [50, 60]
    assert read.values["eval/loss"] == [0.4, 0.7]
    assert read.last("total_steps") == 100


def test_a_log_of_epochs_counts_epochs(tmp_path: Path) -> None:
    text = "Epoch 1/3: train_loss=0.9, val_loss=0.8\nEpoch 2/3: train_loss=0.7, val_loss=0.75\n"
    read = read_text(tmp_path / "a.log", text)
    assert read.axes["val_loss"] == {Axis.EPOCH}
    assert read.steps["val_loss"] == [1, 2]
    assert read.last("total_epochs") == 3.0


def test_a_log_without_positions_is_numbered(tmp_path: Path) -> None:
    text = "".join(f"train loss: {i}.5\nval loss: {i}.6\n" for i in range(3))
    read = read_text(tmp_path / "a.log", text)
    assert read.axes["train loss"] == {Axis.ORDER}
    assert read.steps["train loss"] == read.steps["val loss"] == [1, 2, 3]


def test_an_evaluation_before_the_first_step_stands_right_before_it(tmp_path: Path) -> None:
    text = "val loss 11.0\nstep 1/9 | loss 10.9\nstep 2/9 | loss 10.8\nval loss 10.5\n"
    read = read_text(tmp_path / "a.log", text)
    assert read.steps["val loss"] == [0, 2]
    assert read.axes["val loss"] == {Axis.STEP}


def test_a_block_takes_the_step_of_its_header(tmp_path: Path) -> None:
    text = "".join(f"[step={i}/1000,epoch=1]\n    train/CE loss=9.{i}\n" for i in (10, 20))
    assert read_text(tmp_path / "a.log", text).steps["train/CE loss"] == [10, 20]


def test_stale_eval_values_count_when_they_change(tmp_path: Path) -> None:
    text = "".join(
        f"Training epoch 0, iteration {i}/9 | global_step: {i} "
        f"| reduced_train_loss: 8.{i} | val_loss: {v}\n"
        for i, v in enumerate((4.1, 4.1, 3.9, 3.9))
    )
    read = read_text(tmp_path / "a.log", text)
    assert read.values["val_loss"] == [4.1, 3.9]
    assert len(read.values["reduced_train_loss"]) == 4


@pytest.mark.parametrize("name", [name for name, _ in COUNTS] + SILENT)
def test_random_cuts_change_nothing(name: str, tmp_path: Path) -> None:
    data = (DATA / name).read_bytes()
    whole = read_file(DATA / name)
    rng = random.Random(name)
    for pieces in (3, 40):
        cuts = sorted(rng.randrange(len(data)) for _ in range(pieces))
        same(grown(tmp_path / name, data, cuts), whole)


SHORT = (
    "Epoch 1/2\r\n\r 1/4 ━ 0s 5ms/step - loss: 0.9\b\b\b\r4/4 ━ 0s 5ms/step - loss: 0.8\n"
    "\r  0%|   | 0/9 [00:00<?, ?it/s]\r{'loss': '0.5', 'epoch': '0.5'}\n"
    "\r 11%|█  | 1/9 [00:00<?, 5it/s]é{'loss': '0.4', 'epoch': '1'}\n\r 22%|█  | 2/9 [0<?, 5it/s]\n"
    'Traceback (most recent call last):\n  File "a.py"\nValueError: x\n\nstep 5 loss 0.1\n'
).encode()


def test_a_cut_anywhere_changes_nothing(tmp_path: Path) -> None:
    whole = grown(tmp_path / "whole.log", SHORT, [])
    for cut in random.Random(1).sample(range(len(SHORT)), 60):
        same(grown(tmp_path / "cut.log", SHORT, [cut]), whole)


def test_a_truncated_log_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("step 1 loss 0.5\nstep 2 loss 0.4\n", encoding="utf-8")
    reader, read = TextReader(path), Read()
    drain(reader, read)
    path.write_text("step 1 loss 0.9\n", encoding="utf-8")
    drain(reader, read)
    assert read.values["loss"] == [0.9]


@pytest.mark.parametrize(
    ("name", "head", "claimed"),
    [
        ("train.log", b"", True),
        ("slurm-12.out", b"hello\n", True),
        ("nohup.out", b"", True),
        ("requirements.txt", b"torch==2.0\n", False),
        ("debug-internal.log", b"", False),
        ("notes.txt", b"I had a great day.\n", False),
        ("notes.txt", b"| Model | Loss |\n|---|---|\n| 1 | 0.5 |\n| 2 | 0.4 |\n", False),
        (
            "result.txt",
            b"| Epoch | Loss |\n|---|---|\n| 1 | 0.5 |\n| 2 | 0.4 |\n| 3 | 0.3 |\n",
            True,
        ),
        (
            "result.txt",
            b"".join(b"epoch %d:\nloss_D: 0.4, loss_G: 0.3,\n\n" % epoch for epoch in range(3)),
            True,
        ),
        ("out.txt", b"step 1: loss 0.5\n", True),
        ("train.txt", b"a photo of a cat\n", False),
        ("running_log.txt", b"", True),
        ("catalog.txt", b"a\n", False),
        ("slurm-train.sh", b"#!/bin/sh\n", False),
        ("README.md", b"step 1: loss 0.5\n" * 5, False),
        ("report.md", b"step 1: loss 0.5\n" * 5, True),
        ("notes.md", b"step 1: loss 0.5\n", False),
        ("weights.log", bytes(range(32)) * 8, False),
        ("journal.log", b'{"op_code": 0}\n', False),
    ],
)
def test_which_files_are_claimed(name: str, head: bytes, claimed: bool) -> None:
    path = Path("/runs/a") / name
    assert (FORMATS[0].fits(path) and claims(path, head)) is claimed


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x" * 10_000_000 + " loss 0.5\n", id="a line of 10 MB"),
        pytest.param("step 1 loss " + "9" * 100_000 + "\n", id="a number of 100,000 digits"),
        pytest.param("Epoch " + "9" * 400 + ": loss 0.5\n", id="an epoch of 400 digits"),
        pytest.param("epoch 1: loss 0.5\nepoch " + "9" * 400 + ": loss 0.5\n", id="and a second"),
        pytest.param("{'loss': 1.0, 'epoch': nan}\n" * 2, id="an epoch that is no number"),
        pytest.param("{'loss': 1.0, 'epoch': 1.5}\n{'loss': 1.0, 'epoch': 1e999}\n", id="endless"),
        pytest.param("[rank" + "1" * 99 + "]: step " + "1" * 99 + " loss 1\n", id="ranks"),
        pytest.param("epoch " + "[" * 50_000 + "\n", id="brackets"),
        pytest.param("step 1 " + "loss " * 10_000 + "0.5\n", id="names without end"),
        pytest.param("loss" + " " * 15_000 + "0.5\n", id="blanks"),
        pytest.param("loss /" + "./" * 8_000 + "0.5\n", id="a path without end"),
        pytest.param("{'loss': " * 3000 + "\n", id="deep JSON"),
        pytest.param("\x1b]" + "a" * 300_000 + "loss 0.5 step 1\n", id="an open escape"),
        pytest.param("\r" * 300_000 + "\n", id="carriage returns"),
        pytest.param("99%|" * 20_000 + "\n", id="bars"),
        pytest.param("[/b][@click=app.quit]loss[/]: 0.5\n" * 2, id="markup"),
    ],
)
def test_a_hostile_line_costs_little_and_breaks_nothing(text: str, tmp_path: Path) -> None:
    begin = time.process_time()
    read = read_text(tmp_path / "a.log", text + "step 7 loss 0.25\n")
    assert time.process_time() - begin < 5
    assert read.values["loss"][-1] == 0.25
    assert all(len(line) < 5000 and line.isprintable() for line in read.lines)


def test_rows_below_a_head_are_read(tmp_path: Path) -> None:
    text = (
        "epoch     train_loss  valid_loss  accuracy  time    \n"
        "0         0.703412    0.690001    0.531250  00:01     \n"
        "Better model found at epoch 0\n"
        "1         0.650000    nan         0.631250  00:01     \n"
    )
    read = read_text(tmp_path / "a.log", text)
    assert read.steps["train_loss"] == [0, 1]
    assert repr(read.values["valid_loss"]) == "[0.690001, nan]"
    assert set(read.values) == {"train_loss", "valid_loss", "accuracy", "epoch"}


def test_a_markdown_table_is_read(tmp_path: Path) -> None:
    text = "| Step | Training Loss | Validation Loss |\n|---|---|---|\n| 500 | 0.5 | 0.6 |\n"
    assert read_text(tmp_path / "a.log", text).steps["Validation Loss"] == [500]


def test_blocks_of_name_and_value_stand_at_their_time_step() -> None:
    read = read_file(DATA / "sb3.log")
    assert read.steps["train/loss"][:3] == [256, 384, 512]
    assert read.values["rollout/ep_rew_mean"][:2] == [30.0, 22.3]


def test_the_twin_on_disk_agrees(tmp_path: Path) -> None:
    """What stdout gives is what the Trainer's own history holds, to the digits it prints."""
    history = json.loads((DATA / "hf_trainer5.history.json").read_text(encoding="utf-8"))
    read = read_file(DATA / "hf_trainer5.log")
    for tag in ("loss", "eval_loss", "grad_norm", "learning_rate"):
        own = [(entry["step"], entry[tag]) for entry in history if tag in entry]
        assert read.steps[tag] == [step for step, _ in own]
        assert read.values[tag] == pytest.approx([value for _, value in own], rel=1e-3, abs=1e-9)


def test_the_last_evaluation_counts_though_no_bar_follows(tmp_path: Path) -> None:
    text = (
        "100%|██████████| 90/90 [00:30<00:00,  3.0it/s]\n"
        "{'eval_loss': '0.7206', 'eval_runtime': '2.5', 'epoch': '3'}\n"
        "{'train_runtime': '30', 'train_samples_per_second': '9.1', "
        "'train_steps_per_second': '3', 'train_loss': '0.73', 'epoch': '3'}\n"
    )
    assert read_text(tmp_path / "train.log", text).steps["eval_loss"] == [90]


def test_a_bar_whose_line_has_not_ended_places_the_record_above_it(tmp_path: Path) -> None:
    text = (
        " 44%|████      | 40/90 [00:10<00:12, 4.1it/s]\r"
        "                    \r{'loss': '2.272', 'epoch': '3'}\n"
        "\r 50%|█████     | 45/90 [00:10<00:10, 4.1it/s]"
    )
    assert read_text(tmp_path / "killed.log", text).steps["loss"] == [45]


def test_batches_without_a_number_stand_in_the_order_of_their_lines(tmp_path: Path) -> None:
    """An epoch that was begun again after a crash takes the place of the lost one."""
    lines = []
    for epoch, losses in ((1, "987"), (2, "65"), (2, "654")):
        lines += [f"Epoch {epoch} - Batch loss: {loss}.5" for loss in losses]
        lines.append(f"Epoch {epoch} - Validation loss: {losses[-1]}.9")
    read = read_text(tmp_path / "train.log", "\n".join(lines) + "\n")
    assert read.axes["Batch loss"] == {Axis.ORDER}
    assert read.steps["Batch loss"] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert read.steps["Validation loss"] == [3, 5, 8]


def test_one_line_per_epoch_keeps_its_epoch(tmp_path: Path) -> None:
    text = "".join(f"Epoch {epoch} loss: {9 - epoch}.5\n" for epoch in (1, 2, 2, 3))
    read = read_text(tmp_path / "train.log", text)
    assert (read.steps["loss"], read.axes["loss"]) == ([1, 2, 2, 3], {Axis.EPOCH})


def test_a_line_that_says_a_thing_twice_gives_one_point(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_text("step 1 loss 2.0 acc 0.1 loss 1.0\nstep 2 loss 0.5 acc 0.2 loss 0.25\n")
    (loss,) = [points for points in TextReader(path).read(math.inf).points if points.tag == "loss"]
    assert loss.values.tolist() == [1.0, 0.25]


def test_a_heading_of_an_evaluation_may_say_the_step(tmp_path: Path) -> None:
    lines = []
    for epoch in (1, 2):
        lines += [f"epoch {epoch}, phase train, step {epoch * 20 - 5}, loss_train, 0.{9 - epoch}3"]
        lines.append(f"epoch {epoch}, phase valid, total step {epoch * 20}")
        lines.append(f"epoch {epoch} | val_loss: 0.{epoch}5")
    read = read_text(tmp_path / "train.log", "\n".join(lines) + "\n")
    assert read.steps["val_loss"] == [20, 40]


def test_a_step_that_no_training_reaches_ends_nothing(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    rule = "-" * 34
    path.write_text(
        "".join(
            f"{rule}\n| time/            |             |\n|    total_timesteps | {step} |\n"
            f"| train/           |             |\n|    loss          | {loss} |\n{rule}\n"
            for step, loss in ((1000, "2.5"), (18446744073709551616, "5%"), (3000, "2.0"))
        )
    )
    (loss,) = [p for p in TextReader(path).read(math.inf).points if p.tag == "train/loss"]
    assert loss.values.tolist() == [2.5, 5.0, 2.0]
    assert loss.steps.tolist() == [1000, (1 << 62) - 1, 3000]


def test_lines_that_are_slow_to_read_leave_a_call_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    seconds = 0.0

    def read(log: TextLog, lines: list[str], open_end: bool) -> None:
        nonlocal seconds
        sizes.append(len(lines))
        seconds += 0.002 * len(lines)

    monkeypatch.setattr(TextLog, "_read_lines", read)
    monkeypatch.setattr("lossmon.readers.text.log.time", SimpleNamespace(monotonic=lambda: seconds))
    log = TextLog(BatchBuilder())
    log.push("slow\n" * 40)
    while not log.read(seconds + 0.01):
        sizes.append(0)
    assert sizes[:6] == [16, 0, 4, 0, 8, 0]
    assert sum(sizes) == 40
