"""Several trainings whose files share a directory are several runs."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event

from lossmon.monitor import Monitor
from lossmon.readers.discovery.discovery import Discovery
from lossmon.types import RunSnapshot
from tests import paths
from tests.readers.tensorboard.event_files import recorded, scalar

BEGUN = 1_700_000_000
"""Seconds since the Unix epoch at which the first file was begun."""


def losses(steps: range, start: float = 3.0) -> list[Event]:
    return [scalar("train/loss", step, start / (1 + step / 100)) for step in steps]


def events(directory: Path, number: int, *logged: Event) -> Path:
    """Write the event file begun as the one of a number; files of one number are the same."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"events.out.tfevents.{BEGUN + 1000 * number}.host.{number}.0"
    path.write_bytes(recorded(Event(wall_time=BEGUN, file_version="brain.Event:2"), *logged))
    return path


def state(path: Path, steps: range, start: float) -> None:
    """Write the Trainer's state of a checkpoint."""
    history = [{"loss": start / (1 + step / 100), "step": step} for step in steps]
    path.mkdir(parents=True)
    document = {"log_history": history, "global_step": steps[-1], "max_steps": steps[-1]}
    (path / "trainer_state.json").write_text(json.dumps(document))


def ends(runs: tuple[RunSnapshot, ...]) -> dict[str, list[int]]:
    """Last segment of the path of each run → first and last step, and points of its train loss."""
    return {
        run.path.name: [train.first_step, train.last_step, train.n]
        for run in runs
        if (train := run.train_loss) is not None
    }


def test_trainings_from_scratch_in_one_directory_are_several_runs(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    for number, end in enumerate((200, 80, 100)):
        events(logs, number, *losses(range(10, end + 1, 10), 3.0 - number))
    runs = Monitor([logs]).drain().runs
    newest, middle, oldest = (one.path for one in runs)
    assert newest == logs
    assert ends(runs) == {
        "logs": [10, 100, 10],
        middle.name: [10, 80, 8],
        oldest.name: [10, 200, 20],
    }
    assert all(one.name.startswith("logs 2023-11-1") for one in runs[1:])
    assert not any(one.restarts for one in runs)


def test_a_resumed_training_and_an_evaluation_alone_are_one_run(tmp_path: Path) -> None:
    events(tmp_path, 0, *losses(range(10, 101, 10)), scalar("eval/loss", 50, 1.0))
    events(tmp_path, 1, *losses(range(60, 201, 10)))
    events(tmp_path, 2, scalar("eval/loss", 0, 1.5), scalar("eval/loss", 0, 1.4))
    (run,) = Monitor([tmp_path]).drain().runs
    assert ends((run,)) == {tmp_path.name: [10, 200, 20]}
    assert run.restarts == (60,)
    assert run.eval_loss is not None and run.eval_loss.n == 1


def test_a_training_that_begins_while_another_is_shown_is_a_run_of_its_own(tmp_path: Path) -> None:
    events(tmp_path, 0, *losses(range(10, 101, 10)))
    monitor = Monitor([tmp_path])
    assert ends(monitor.drain().runs) == {tmp_path.name: [10, 100, 10]}
    new = events(tmp_path, 1)
    for end, expected in ((0, 1), (10, 2), (30, 2)):
        events(tmp_path, 1, *losses(range(10, end + 1, 10), 2.0))
        monitor.rescan()
        runs = monitor.drain().runs
        assert len(runs) == expected
    assert ends(runs) == {new.name: [10, 30, 3], tmp_path.name: [10, 100, 10]}


def test_each_training_has_its_own_states_and_checkpoints(tmp_path: Path) -> None:
    runs_of = tmp_path / "runs"
    events(runs_of / "Jan01_10-00-00_host", 0, *losses(range(10, 201, 10), 4.0))
    events(runs_of / "Jan02_10-00-00_host", 1, *losses(range(10, 101, 10), 2.0))
    state(tmp_path / "checkpoint-100", range(10, 101, 10), 4.0)
    state(tmp_path / "checkpoint-200", range(10, 201, 10), 4.0)
    state(tmp_path / "checkpoint-50", range(10, 51, 10), 2.0)
    runs = Monitor([tmp_path]).drain().runs
    assert [(run.path.name, run.checkpoints) for run in runs] == [
        (tmp_path.name, ((50, "checkpoint-50"),)),
        ("Jan01_10-00-00_host", ((100, "checkpoint-100"), (200, "checkpoint-200"))),
    ]
    assert [run.step for run in runs] == [100, 200]


def test_states_of_an_older_plan_are_an_older_run(tmp_path: Path) -> None:
    state(tmp_path / "checkpoint-90", range(10, 91, 10), 4.0)
    os.utime(tmp_path / "checkpoint-90" / "trainer_state.json", (BEGUN, BEGUN))
    state(tmp_path / "checkpoint-20", range(10, 21, 10), 2.0)
    state(tmp_path / "checkpoint-40", range(10, 41, 10), 2.0)
    runs = Monitor([tmp_path]).drain().runs
    assert [(run.path.name, run.step, run.total_steps) for run in runs] == [
        (tmp_path.name, 40, 40),
        ("checkpoint-90", 90, 90),
    ]


def test_a_state_belongs_to_a_training_whose_first_events_are_gone(tmp_path: Path) -> None:
    runs_of = tmp_path / "runs"
    for number, steps in enumerate((range(210, 301, 10), range(310, 401, 10))):
        events(runs_of / f"Jan0{number + 1}_10-00-00_host", number, *losses(steps, 4.0))
    state(tmp_path / "checkpoint-400", range(10, 401, 10), 4.0)
    (run,) = Monitor([tmp_path]).drain().runs
    assert ends((run,)) == {tmp_path.name: [10, 400, 40]}


def test_trainings_whose_losses_begin_an_update_late_are_several_runs(tmp_path: Path) -> None:
    for number, end in enumerate((300, 200)):
        rewards = [scalar("rollout/ep_rew_mean", at, at / 10) for at in range(10, end + 1, 10)]
        events(tmp_path, number, *rewards, *losses(range(20, end + 1, 10), 3.0 - number))
    newest, older = Discovery([tmp_path]).scan().runs
    assert (newest.path, newest.superseded) == (tmp_path, False)
    assert (len(older.files), older.superseded) == (1, True)


def test_a_training_beside_the_database_of_a_study_is_a_run_of_its_own(tmp_path: Path) -> None:
    shutil.copy(paths.DATA / "optuna" / "study.db", tmp_path)
    (tmp_path / "tune.log").write_text("[I] Trial 0 finished with value: 0.5 and parameters: {}.\n")
    assert len(Discovery([tmp_path]).scan().runs[0].files) == 2
    (tmp_path / "tune.log").unlink()
    (tmp_path / "train.log").write_text("step 1 loss 2.5\nstep 2 loss 2.25\n")
    training, study, *_ = Discovery([tmp_path]).scan().runs
    assert [file.path.name for file in training.files] == ["train.log"]
    assert [file.path.name for file in study.files] == ["study.db"]
