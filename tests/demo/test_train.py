"""What a demo training leaves in its directory, and how it is started and stopped."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from lossmon.demo import launch
from lossmon.demo.cases import CASES
from lossmon.demo.records import PROMPTS
from lossmon.demo.train import STEPS_PER_SECOND, train
from lossmon.errors import ConfigError
from lossmon.monitor import Monitor
from lossmon.types import RunState

SHORT = replace(CASES["healthy"], steps=100, batch=32)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "run"
    assert train([(SHORT, out)], speed=0)
    return out


def progress(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "trainer_log.jsonl").read_text().splitlines()]


def test_the_progress_file_counts_every_step_and_ends_with_its_end_marker(run: Path) -> None:
    records = progress(run)
    losses = [record for record in records if "loss" in record]
    assert [record["current_steps"] for record in losses] == list(range(1, 101))
    assert len([record for record in records if "eval_loss" in record]) == 5
    assert records[-1]["percentage"] == 100
    assert not {"loss", "eval_loss"} & records[-1].keys()


def test_the_events_hold_the_same_losses_and_more(run: Path) -> None:
    (path,) = (run / "runs").iterdir()
    scalars: dict[str, list[float]] = {}
    for event in EventFileLoader(str(path)).Load():
        for value in event.summary.value:
            if value.tensor.float_val:
                scalars.setdefault(value.tag, []).append(value.tensor.float_val[0])
    logged = [record["loss"] for record in progress(run) if "loss" in record]
    np.testing.assert_allclose(scalars["train/loss"], logged, rtol=1e-6)
    assert {"train/grad_norm", "train/learning_rate", "train/epoch"} < scalars.keys()
    assert len(scalars["eval/accuracy"]) == 5


def test_the_text_log_reads_like_a_trainers(run: Path) -> None:
    lines = (run / "train.log").read_text().splitlines()
    assert lines[0] == "***** Running training *****"
    assert sum(line.startswith("{'loss': ") for line in lines) == 10
    assert sum(line.startswith("{'eval_loss': ") for line in lines) == 5
    assert lines[-1] == "Training completed."


def test_a_checkpoint_holds_the_weights(run: Path) -> None:
    with np.load(run / "checkpoint-80" / "model.npz") as saved:
        assert saved["hidden_bias"].shape == (SHORT.shape.hidden,)


def test_every_checkpoint_continues_the_same_prompts(run: Path) -> None:
    records = [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()]
    by_step = [[one["prompt"] for one in records if one["step"] == step] for step in (40, 80)]
    assert by_step == [list(PROMPTS), list(PROMPTS)]
    assert all(one["output"] for one in records)


def test_trainings_run_side_by_side(tmp_path: Path) -> None:
    longer = replace(SHORT, steps=120)
    both = [(SHORT, tmp_path / "a"), (longer, tmp_path / "b")]
    assert train(both, speed=0)
    assert [progress(tmp_path / name)[-1]["current_steps"] for name in "ab"] == [100, 120]
    lines = (tmp_path / "a" / "train.log").read_text().splitlines()
    assert lines.count("Training completed.") == 1


def test_a_run_is_never_overwritten(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not empty"):
        train([(SHORT, run)], speed=0)
    with pytest.raises(ConfigError, match="not empty"):
        launch.start(["healthy"], run)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot write"):
        train([(SHORT, tmp_path / "file" / "run")], speed=0)


def test_a_training_that_is_told_to_stop_says_so_and_keeps_what_it_has(tmp_path: Path) -> None:
    asked = iter([False] * 7 + [True])
    echo = io.StringIO()
    assert not train([(SHORT, tmp_path)], speed=0, stop=lambda: next(asked), echo=echo)
    assert len(progress(tmp_path)) == 7
    assert echo.getvalue().endswith("Training interrupted after step 7.\n")


def test_speed_sets_the_pace(tmp_path: Path) -> None:
    started = time.monotonic()
    train([(replace(SHORT, steps=20), tmp_path)], speed=10)
    assert time.monotonic() - started >= 20 / (10 * STEPS_PER_SECOND)


def test_the_module_trains_headless(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lossmon.demo", "--case", "underfit", "--speed", "0"]
    ended = subprocess.run([*command, "--out", tmp_path / "run"], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == (tmp_path / "run" / "train.log").read_text()
    (judged,) = Monitor([tmp_path / "run"]).drain().runs
    assert judged.state is RunState.FINISHED
    assert judged.diagnosis.verdict.code in CASES["underfit"].expected
    again = subprocess.run([*command, "--out", tmp_path / "run"], capture_output=True, text=True)
    assert again.returncode == 2
    assert again.stderr.startswith("lossmon demo: ") and "not empty" in again.stderr


def wait_for(path: Path) -> None:
    """Return once something was written to a file."""
    limit = time.monotonic() + 30
    while not (path.exists() and path.stat().st_size):
        assert time.monotonic() < limit, f"{path} stayed empty"
        time.sleep(0.01)


def test_a_started_training_ends_at_once_when_stopped(tmp_path: Path) -> None:
    training = launch.start(["healthy"], tmp_path)
    wait_for(tmp_path / "trainer_log.jsonl")
    launch.stop(training)
    assert training.returncode == 1, "it was asked to stop, and did"
    assert "interrupted" in (tmp_path / "train.log").read_text()
    launch.stop(training)


def test_a_started_training_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from lossmon.demo import launch;"
        "print(launch.start(['healthy'], pathlib.Path(sys.argv[1])).pid, flush=True);"
        "sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, tmp_path / "run"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        wait_for(tmp_path / "run" / "trainer_log.jsonl")
        parent.send_signal(signal.SIGKILL)
    limit = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < limit:
        time.sleep(0.02)
    log = (tmp_path / "run" / "train.log").read_text()
    assert "interrupted" in log, os.listdir(tmp_path / "run")


def test_what_a_training_cannot_do_stands_in_its_log(tmp_path: Path) -> None:
    training = launch.start(["no such case"], tmp_path)
    assert training.wait(30) == 2
    assert "invalid choice" in (tmp_path / "train.log").read_text()
