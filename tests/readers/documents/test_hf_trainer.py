"""Hugging Face Trainer's documents, written by transformers 4 and 5 and by TRL."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from tests.readers.growing import DATA, Collected, read, read_whole, titled

(STATE,) = titled("Hugging Face trainer_state.json")
(RESULTS,) = titled("Hugging Face *_results.json")
SAMPLES = DATA / "hf_trainer"


def state(name: str) -> Collected:
    return read_whole(STATE.open(SAMPLES / name / "trainer_state.json"))


@pytest.mark.parametrize("version", ["v4", "v5"])
def test_the_curves_stand_at_their_steps(version: str) -> None:
    path = SAMPLES / version / "overfit" / "trainer_state.json"
    run = state(f"{version}/overfit")
    logged = json.loads(path.read_text())["log_history"]
    for tag in ("loss", "grad_norm", "learning_rate", "eval_loss", "epoch"):
        assert run.values(tag) == [(row["step"], row[tag]) for row in logged if tag in row]
    assert (run.total_steps, run.finished) == (240, True)


@pytest.mark.parametrize("version", ["v4", "v5"])
def test_the_mean_loss_of_the_training_keeps_its_own_name(version: str) -> None:
    run = state(f"{version}/overfit")
    assert len(run.values("train_loss")) == 1
    assert len(run.values("loss")) == 49


def test_a_bare_nan_is_a_value() -> None:
    values = [value for _, value in state("v5/nan").values("grad_norm")]
    assert any(math.isnan(value) for value in values)


def test_each_eval_set_has_its_series() -> None:
    run = state("v5/multi_eval")
    assert {"eval_easy_loss", "eval_hard_loss"} <= set(run.series)


def test_the_keys_of_preference_training_are_there() -> None:
    run = state("trl_dpo")
    assert len(run.values("rewards/margins")) == 30
    assert run.values("eval_rewards/accuracies")[0] == (20, 1.0)


def test_the_plan_and_the_best_checkpoint_are_told(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    document = {"max_steps": 100, "num_train_epochs": 3, "global_step": 50, "log_history": []}
    path.write_text(json.dumps(document | {"best_model_checkpoint": "/out/run/checkpoint-50"}))
    facts = read(STATE.open(path)).facts[0]
    assert (facts.total_steps, facts.total_epochs) == (100, 3)
    assert (facts.finished, facts.best_checkpoint) == (False, "checkpoint-50")


def test_the_next_checkpoint_adds_to_the_curves(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    document = json.loads((SAMPLES / "v5/overfit/trainer_state.json").read_text())
    history = document["log_history"]
    reader, run = STATE.open(path), Collected()
    for end in (10, 20, 20, len(history)):
        path.write_text(json.dumps(document | {"log_history": history[:end], "note": end}))
        batch = read(reader)
        assert not batch.replaced
        run.add(batch)
    assert run.series == state("v5/overfit").series


@pytest.mark.parametrize(
    "document",
    [
        [],
        5,
        {},
        {"log_history": 3},
        {"log_history": [1, "a", {"step": "x", "loss": None}]},
        {"max_steps": -1, "log_history": []},
        {"max_steps": "many", "global_step": {}},
    ],
)
def test_odd_documents_give_no_points(tmp_path: Path, document: object) -> None:
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps(document))
    assert read(STATE.open(path)).points == ()


def test_results_stand_at_the_step_of_their_epoch_and_the_mean_is_no_curve(tmp_path: Path) -> None:
    folder = SAMPLES / "v5" / "overfit"
    last = json.loads((folder / "trainer_state.json").read_text())["global_step"]
    run = read_whole(RESULTS.open(folder / "all_results.json"))
    assert run.series["eval_loss"] == [(last, "2.7343006134033203", "step")]
    assert run.values("train/train_loss") == [(last, 1.637799342473348)]
    assert "train_loss" not in run.series
    alone = Path(shutil.copy(folder / "all_results.json", tmp_path))
    assert read_whole(RESULTS.open(alone)).series["eval_loss"][0][0] == 40
    (tmp_path / "trainer_state.json").write_text('{"epoch": 3.0, "global_step": 30}')
    assert read_whole(RESULTS.open(alone)).series["eval_loss"][0][0] == 40


def test_they_are_claimed_by_name_and_content() -> None:
    folder = SAMPLES / "v5" / "overfit"
    for name, one in [("trainer_state.json", STATE), ("eval_results.json", RESULTS)]:
        path = folder / name
        assert one.fits(path)
        assert one.claims(path, path.read_bytes()[:4096])
    assert not RESULTS.claims(folder / "all_results.json", b'{"answer": 42}')
