from __future__ import annotations

import json
import math
import os
import re
import sys
import time
from pathlib import Path

import pytest

from lossmon.monitor import Monitor, MonitorConfig, NoHardware
from lossmon.monitor.runs.run_monitor import RunMonitor
from lossmon.monitor.scheduler import Scheduler
from lossmon.types import HardwareReading, RunSnapshot, RunState
from tests.monitor.logs import append, falling, record


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "output").mkdir()
    return tmp_path / "output" / "trainer_log.jsonl"


def look(monitor: Monitor) -> RunSnapshot:
    monitor.rescan()
    (run,) = monitor.drain().runs
    return run


def test_an_empty_directory_is_waited_for(tmp_path: Path) -> None:
    snapshot = Monitor([tmp_path]).drain()
    assert snapshot.runs == ()
    assert str(tmp_path) in snapshot.waiting_for


def test_a_run_that_begins_later_is_found(log: Path) -> None:
    monitor = Monitor([log.parent])
    assert monitor.drain().runs == ()
    append(log, falling(1, 5))
    assert look(monitor).step == 4


def test_a_run_is_told_whole(log: Path) -> None:
    append(log, falling(1, 61))
    for step in (20, 40):
        (log.parent / f"checkpoint-{step}").mkdir()
    run = look(Monitor([log.parent]))
    assert (run.name, run.path) == ("output", log.parent)
    assert (run.step, run.total_steps, run.state) == (60, 100, RunState.RUNNING)
    assert run.epoch == pytest.approx(1.2)
    assert run.train_loss is not None and run.train_loss.n == 60
    assert run.eval_loss is not None and run.eval_loss.n == 6
    assert run.best is not None and (run.best.step, run.best.checkpoint) == (60, None)
    assert [step for step, _ in run.checkpoints] == [20, 40]
    assert run.diagnosis.verdict.code == "healthy"
    assert run.loaded == 1.0


def test_the_best_checkpoint_is_one_that_holds_the_best_weights(log: Path) -> None:
    evals = {10: 3.0, 20: 2.0, 30: 1.0, 40: 2.0}
    append(log, [record(step, loss=1.0, eval_loss=loss) for step, loss in evals.items()])
    for step in (10, 25, 40):
        (log.parent / f"checkpoint-{step}").mkdir()
    run = look(Monitor([log.parent]))
    assert run.best is not None
    assert (run.best.step, run.best.checkpoint) == (30, "checkpoint-25")


def test_nothing_new_gives_the_very_same_snapshot(log: Path) -> None:
    append(log, falling(1, 20))
    monitor = Monitor([log.parent])
    assert monitor.drain() is monitor.drain()


def test_growing_bit_by_bit_tells_what_a_finished_log_tells(log: Path, tmp_path: Path) -> None:
    lines = falling(1, 101)
    live = Monitor([log.parent])
    for line in lines:
        append(log, [line[:7]])
        live.drain()
        append(log, [line[7:]])
        live.rescan()
        live.drain()
    after = look(Monitor([log.parent]))
    seen = look(live)
    assert seen.diagnosis.history == after.diagnosis.history
    assert seen.diagnosis.verdict == after.diagnosis.verdict
    assert seen.step == after.step == 100
    assert seen.state is after.state is RunState.FINISHED


def test_points_that_come_live_get_the_time_of_their_arrival(log: Path) -> None:
    clock = Clock()
    monitor = Monitor([log.parent], clock=clock)
    append(log, falling(1, 3))
    look(monitor)
    for step in range(3, 20):
        clock.now += 2.0
        append(log, falling(step, step + 1))
        look(monitor)
    run = look(monitor)
    assert run.steps_per_second == pytest.approx(0.5)
    assert run.remaining == pytest.approx(81 * 2)
    assert run.last_time == clock.now


def test_silence_that_was_watched_is_an_alarm(log: Path) -> None:
    clock = Clock()
    monitor = Monitor([log.parent], clock=clock)
    append(log, falling(1, 30))
    look(monitor)
    append(log, falling(30, 40))
    assert look(monitor).state is RunState.RUNNING
    clock.now += 3600
    run = look(monitor)
    assert run.state is RunState.STALLED
    assert run.diagnosis.verdict.code == "stalled"


def test_an_old_log_is_merely_old(log: Path) -> None:
    append(log, falling(1, 40))
    os.utime(log, (1e9, 1e9))
    run = look(Monitor([log.parent]))
    assert run.state is RunState.STALLED
    assert run.diagnosis.verdict.code != "stalled"


def test_a_log_that_is_written_anew_is_read_anew(log: Path) -> None:
    append(log, falling(1, 50))
    monitor = Monitor([log.parent])
    assert look(monitor).step == 49
    log.write_text("".join(falling(1, 6)), encoding="utf-8")
    run = look(monitor)
    assert run.step == 5
    assert run.train_loss is not None and run.train_loss.n == 5


def test_a_log_that_is_deleted_keeps_its_curve(log: Path) -> None:
    append(log, falling(1, 50))
    monitor = Monitor([log.parent])
    look(monitor)
    log.unlink()
    assert look(monitor).step == 49
    monitor.rescan()
    assert any("gone" in note for note in look(monitor).notes)
    append(log, falling(1, 50))
    monitor.rescan()
    assert look(monitor).notes == ()


def test_a_resumed_run_is_not_finished_any_more(log: Path) -> None:
    append(log, [*falling(1, 101), record(100, percentage=100.0)])
    monitor = Monitor([log.parent])
    assert look(monitor).state is RunState.FINISHED
    append(log, falling(61, 70, total=200))
    run = look(monitor)
    assert run.state is RunState.RUNNING
    assert (run.step, run.total_steps, run.restarts) == (69, 200, (61,))
    assert run.train_loss is not None and run.train_loss.ghost_steps.size == 40


def test_a_file_that_cannot_be_read_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    append(tmp_path / "trainer_log.jsonl", falling(1, 30))
    events = tmp_path / "events.out.tfevents.1.host"
    events.write_bytes(b"\xff" * 4096)
    run = look(Monitor([tmp_path]))
    assert run.step == 29
    said = " ".join((*run.errors, *run.notes))
    assert not run.errors or events.name in said


@pytest.mark.parametrize("deleted", [True, False])
def test_a_newer_checkpoint_state_takes_the_place_of_the_older_one(
    tmp_path: Path, deleted: bool
) -> None:
    def save(step: int) -> Path:
        history = [{"step": s, "epoch": s / 10, "loss": 3.0 / s} for s in range(1, step + 1)]
        state = {"global_step": step, "max_steps": 30, "log_history": history}
        file = tmp_path / f"checkpoint-{step}" / "trainer_state.json"
        file.parent.mkdir()
        file.write_text(json.dumps(state), encoding="utf-8")
        return file

    monitor = Monitor([tmp_path])
    older = save(10)
    assert look(monitor).step == 10
    if deleted:
        older.unlink()
        older.parent.rmdir()
    save(20)
    run = look(monitor)
    assert (run.step, run.restarts) == (20, ())
    assert run.train_loss is not None
    assert (run.train_loss.n, run.train_loss.ghost_steps.size) == (20, 0)


def test_a_tag_can_be_given_its_meaning(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    append(file, [f'{{"step": {step}, "my/objective": {1 / step}}}\n' for step in range(1, 9)])
    config = MonitorConfig(names={"train_loss": "my/objective"})
    (run,) = Monitor([file], config).drain().runs
    assert run.train_loss is not None and run.train_loss.tag == "my/objective"


def test_a_last_row_without_its_line_end_is_taken_after_a_while(tmp_path: Path) -> None:
    clock = Clock()
    file = tmp_path / "metrics.csv"
    file.write_text("step,loss\n1,3.0\n2,2.0\n3,1.5", encoding="utf-8")
    monitor = Monitor([file], clock=clock)
    look(monitor)
    os.utime(file, (1e9, 1e9))
    look(monitor)
    clock.now += 10
    assert look(monitor).step == 3


def test_samples_are_rare_while_no_run_is_alive(log: Path) -> None:
    hardware = NoHardware(HardwareReading(note="none"), idle=True)
    monitor = Monitor([log.parent], hardware=hardware)
    append(log, falling(1, 30))
    look(monitor)
    assert hardware.idle is False
    append(log, falling(30, 101))
    look(monitor)
    assert hardware.idle is True


def test_a_long_log_is_read_a_little_at_a_time(log: Path) -> None:
    append(log, falling(1, 40_000, total=100_000))
    monitor = Monitor([log.parent])
    begin = monitor.poll(0.0)
    assert begin.busy
    assert begin.runs[0].loaded < 1.0
    assert look(monitor).step == 39_999


def test_an_idle_run_costs_little(tmp_path: Path) -> None:
    count = 100
    for number in range(count):
        (tmp_path / f"run_{number}").mkdir()
        append(tmp_path / f"run_{number}" / "trainer_log.jsonl", falling(1, 4))
    monitor = Monitor([tmp_path])
    before = monitor.drain()
    assert len(before.runs) == count
    calls = 0

    def called(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(called)
    try:
        assert monitor.poll() is before
    finally:
        sys.setprofile(None)
    # Calls instead of seconds: a busy machine takes longer, but does no more.
    assert calls < 300 * count


def test_a_finished_run_that_is_resumed_runs_again(log: Path) -> None:
    state = log.parent / "trainer_state.json"
    points = [{"step": step, "loss": 2.0 / step} for step in range(1, 51)]
    state.write_text(json.dumps({"global_step": 50, "max_steps": 50, "log_history": points}))
    hour_ago = time.time() - 3600
    os.utime(state, (hour_ago, hour_ago))
    assert look(Monitor([log.parent])).state is RunState.FINISHED
    append(log, falling(1, 61))
    run = look(Monitor([log.parent]))
    assert (run.state, run.step) == (RunState.RUNNING, 60)


def test_answers_are_told_as_they_come_and_void_ones_are_forgotten(log: Path) -> None:
    append(log, falling(1, 5))
    answers = log.parent / "samples" / "eval.jsonl"
    answers.parent.mkdir()
    append(answers, ['{"step": 1, "prompt": "p", "output": "a"}\n'])
    monitor = Monitor([log.parent])
    run = look(monitor)
    assert [(one.step, one.output) for one in run.samples] == [(1, "a")]
    append(log, falling(5, 6))
    assert look(monitor).samples is run.samples
    append(answers, ['{"step": 2, "prompt": "p", "output": "b"}\n'])
    assert [one.step for one in look(monitor).samples] == [1, 2]
    answers.write_text('{"step": 9, "prompt": "p", "output": "c"}\n')
    assert [one.step for one in look(monitor).samples] == [9]


def test_settings_files_are_read_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "loss": 2.0}\n', encoding="utf-8")
    (tmp_path / "args.yaml").write_text("peak_rate: 0.1\n", encoding="utf-8")
    monitor = Monitor([tmp_path])
    (run,) = monitor.drain().runs
    assert "peak_rate" not in run.settings
    monitor.load_settings([run.path, tmp_path / "unknown"])
    (run,) = monitor.poll().runs
    assert run.settings["peak_rate"] == "0.1"


def test_the_files_that_are_read_are_known(tmp_path: Path) -> None:
    log = tmp_path / "metrics.jsonl"
    log.write_text('{"step": 1, "loss": 2.0}\n', encoding="utf-8")
    monitor = Monitor([tmp_path])
    monitor.drain()
    before = monitor.files
    monitor.rescan()
    monitor.poll()
    assert before == (log,)
    assert monitor.files is before


def _state(path: Path, step: int, total: int, logged: int) -> None:
    """Write the Trainer's state of a checkpoint whose newest of two points is at `logged`."""
    history = [{"epoch": 0.5, "loss": 1 - at / 1e4, "step": at} for at in (logged - 500, logged)]
    state = {"global_step": step, "log_history": history, "max_steps": total, "save_steps": 500}
    path.mkdir(parents=True)
    (path / "trainer_state.json").write_text(json.dumps(state))


@pytest.mark.parametrize(
    ("step", "total", "logged", "expected"),
    [
        pytest.param(4416, 4416, 4000, RunState.FINISHED, id="after the last logged step"),
        pytest.param(4000, 4416, 4000, RunState.FINISHED, id="no further checkpoint was due"),
        pytest.param(3000, 4416, 3000, RunState.STALLED, id="checkpoints are missing"),
    ],
)
def test_the_state_of_a_checkpoint_says_how_far_a_run_came(
    tmp_path: Path, step: int, total: int, logged: int, expected: RunState
) -> None:
    _state(tmp_path / f"checkpoint-{step}", step, total, logged)
    clock = Clock()
    clock.now += 86_400
    run = look(Monitor([tmp_path], clock=clock))
    assert (run.step, run.total_steps, run.state) == (step, total, expected)


def test_a_search_that_takes_several_polls_is_busy(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"run{number}").mkdir()
        append(tmp_path / f"run{number}" / "trainer_log.jsonl", falling(1, 3))
    monitor = Monitor([tmp_path])
    first = monitor.poll(budget=0.0)
    assert (first.busy, first.runs, first.read) == (True, (), None)
    last = monitor.drain()
    assert (len(last.runs), last.read) == (30, (30, 30))


def test_many_runs_are_described_rarely_while_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DESCRIBE_SHARE", "LONGEST_WAIT"):
        monkeypatch.setattr(f"lossmon.monitor.monitor.{name}", math.inf)
    for number in range(5):
        (tmp_path / f"run{number}").mkdir()
        append(tmp_path / f"run{number}" / "trainer_log.jsonl", falling(1, 3))
    monitor = Monitor([tmp_path])
    polls = [monitor.poll(0.0)]
    while polls[-1].busy:
        polls.append(monitor.poll(0.0))
    assert len(polls) > 3
    assert all(one is polls[0] for one in polls[:-1])
    assert polls[-1].read == (5, 5)


@pytest.mark.parametrize("name", ["train.log", "train.csv", "train.jsonl"])
def test_a_log_whose_room_was_reserved_is_followed_from_its_first_line(
    tmp_path: Path, name: str
) -> None:
    lines = {
        "train.log": [f"step {step} loss {9 - step}" for step in range(1, 6)],
        "train.csv": ["step,loss", *(f"{step},{9 - step}" for step in range(1, 6))],
        "train.jsonl": [f'{{"step": {step}, "loss": {9 - step}}}' for step in range(1, 6)],
    }[name]
    log = tmp_path / name
    log.write_bytes(bytes(16384))
    monitor = Monitor([tmp_path])
    assert monitor.drain().runs == ()
    for end in (3, len(lines)):
        text = "".join(f"{line}\n" for line in lines[:end]).encode()
        log.write_bytes(text.ljust(16384, b"\0"))
        monitor.rescan()
        (run,) = monitor.drain().runs
        (loss,) = (series for series in run.series if series.tag == "loss")
        assert loss.steps[-1] == int(re.findall(r"\d+", lines[end - 1])[0])


def test_files_without_news_are_seldom_looked_at_while_runs_wait_to_be_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abcd":
        (tmp_path / name).mkdir()
        append(tmp_path / name / "trainer_log.jsonl", falling(1, 5))
    monkeypatch.setattr(Scheduler, "judge", lambda *_: None)
    read, looked = RunMonitor.read, list[str]()

    def noted(run: RunMonitor, deadline: float) -> None:
        looked.append(run.path.name)
        read(run, deadline)

    monkeypatch.setattr(RunMonitor, "read", noted)
    monkeypatch.setattr("lossmon.monitor.monitor.LOOK_SHARE", math.inf)
    monitor = Monitor([tmp_path])
    for _ in range(12):
        # The budget is over after one run.
        monitor.poll(0.0)
    assert sorted(looked) == list("abcd")
