"""LLaMA-Factory's trainer_log.jsonl: progress, the end, and a run that was resumed."""

from __future__ import annotations

import json
import random
from pathlib import Path

from tests.readers.growing import DATA, Collected, read, read_growing, read_whole, titled

(LOG,) = titled("LLaMA-Factory trainer_log.jsonl")
SAMPLES = DATA / "llamafactory"

RECORD = {"total_steps": 20, "lr": 0.1, "epoch": 1.0, "percentage": 50.0, "elapsed_time": "0:00:01"}


def whole(name: str) -> Collected:
    return read_whole(LOG.open(SAMPLES / name / "trainer_log.jsonl"))


def test_losses_stand_at_their_current_step() -> None:
    run = whole("sft")
    assert len(run.values("loss")) == 40
    assert run.values("loss")[0] == (5, 5.657125091552734)
    assert run.values("eval_loss")[0] == (20, 2.336965560913086)
    assert run.values("eval_loss")[-1] == (200, 0.36962226033210754)
    assert run.values("lr")[1] == (10, 0.0045000000000000005)
    assert run.total_steps == 200


def test_progress_and_durations_are_no_curves() -> None:
    tags = set(whole("sft").series)
    assert tags == {"loss", "eval_loss", "lr", "epoch", "throughput", "total_tokens"}


def test_the_record_without_a_loss_ends_the_training() -> None:
    assert whole("sft").finished is True
    assert whole("predict").finished is True


def log(*records: dict[str, object]) -> bytes:
    return "".join(json.dumps(RECORD | record) + "\n" for record in records).encode()


def test_a_last_step_with_a_loss_does_not(tmp_path: Path) -> None:
    path = tmp_path / "trainer_log.jsonl"
    path.write_bytes(log({"current_steps": 20, "loss": 1.0}, {"current_steps": 20, "eval_loss": 2}))
    assert read_whole(LOG.open(path)).finished is None


def test_a_training_that_was_resumed_after_its_end_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "trainer_log.jsonl"
    end = {"total_steps": 20, "current_steps": 20, "epoch": 1.0, "percentage": 100.0}
    path.write_bytes(json.dumps(end).encode() + b"\n")
    reader, run = LOG.open(path), Collected()
    run.add(read(reader))
    assert run.finished is True
    with path.open("ab") as file:
        file.write(log({"current_steps": 15, "loss": 1.0}))
    run.add(read(reader))
    assert run.finished is False


def test_a_killed_run_that_resumed_repeats_steps_in_the_order_they_were_logged() -> None:
    steps = [step for step, _ in whole("resume").values("loss")]
    back = [index for index in range(1, len(steps)) if steps[index] < steps[index - 1]]
    assert len(back) == 1
    assert steps[back[0]] == 105
    assert steps[-1] == 200


def test_the_time_left_is_told_in_seconds(tmp_path: Path) -> None:
    path = tmp_path / "trainer_log.jsonl"
    path.write_bytes(log({"current_steps": 5, "loss": 1.0, "remaining_time": "9 days, 21:39:23"}))
    facts = read(LOG.open(path)).facts
    assert [fact.remaining for fact in facts] == [9 * 86400 + 21 * 3600 + 39 * 60 + 23]


def test_the_newer_engine_names_its_step_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "trainer_log.jsonl"
    text = '{"loss": 1.5, "learning_rate": 0.1, "grad_norm": 2.0, "step": 20, "total_steps": 200}\n'
    path.write_text(text)
    assert LOG.claims(path, text.encode())
    run = read_whole(LOG.open(path))
    assert run.values("grad_norm") == [(20, 2.0)]
    assert run.total_steps == 200


def test_a_cut_anywhere_gives_the_same_points(tmp_path: Path) -> None:
    content = (SAMPLES / "resume" / "trainer_log.jsonl").read_bytes()
    expected = whole("resume")
    for cut in random.Random(1).sample(range(len(content)), 20):
        grown = read_growing(tmp_path / "trainer_log.jsonl", content, [cut], LOG.open)
        assert (grown.series, grown.finished) == (expected.series, True), cut


def test_a_log_that_is_deleted_and_comes_back_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "trainer_log.jsonl"
    path.write_bytes(log({"current_steps": 5, "loss": 1.0}, {"current_steps": 10, "loss": 2.0}))
    reader = LOG.open(path)
    assert len(read(reader).points[0]) == 2
    path.unlink()
    assert read(reader).points == ()
    path.write_bytes(log({"current_steps": 5, "loss": 9.0}))
    batch = read(reader)
    assert batch.replaced
    assert [points.values.tolist() for points in batch.points if points.tag == "loss"] == [[9.0]]


def test_it_is_claimed_by_its_records(tmp_path: Path) -> None:
    head = (SAMPLES / "predict" / "trainer_log.jsonl").read_bytes()
    assert LOG.claims(tmp_path / "trainer_log.jsonl", head)
    assert LOG.claims(tmp_path / "trainer_log.jsonl", b"")
    assert not LOG.claims(tmp_path / "trainer_log.jsonl", b'{"text": "a"}\n')
