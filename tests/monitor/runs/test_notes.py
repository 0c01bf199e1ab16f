"""Words about names that cannot be told apart and ranks that fall behind."""

from __future__ import annotations

import json
from pathlib import Path

from lossmon.monitor import Monitor, MonitorConfig
from lossmon.types import RunSnapshot


def logged(tmp_path: Path, names: list[str], **known: str) -> RunSnapshot:
    log = tmp_path / "metrics.jsonl"
    with log.open("w", encoding="utf-8") as out:
        for step in range(1, 21):
            values = {name: (place + 1) / step for place, name in enumerate(names)}
            out.write(json.dumps({"step": step, **values}) + "\n")
    (run,) = Monitor([tmp_path], MonitorConfig(names=known)).drain().runs
    return run


def test_two_losses_of_one_name_are_asked_for(tmp_path: Path) -> None:
    run = logged(tmp_path, ["train_loss", "train/loss"])
    (note,) = run.notes
    assert '[metrics] train_loss = "' in note and "config.toml" in note


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    run = logged(tmp_path, ["objective", "fitness"], train_loss="objective")
    assert run.train_loss is not None and run.notes == ()


def test_names_of_which_none_is_a_loss_are_listed(tmp_path: Path) -> None:
    run = logged(tmp_path, ["zeta", "foo"])
    (note,) = run.notes
    assert '"zeta"' in note and '"foo"' in note and "[metrics] train_loss =" in note


def test_a_usual_run_is_not_talked_about(tmp_path: Path) -> None:
    assert logged(tmp_path, ["loss", "eval_loss", "lr", "grad_norm", "accuracy"]).notes == ()


def test_a_mean_that_is_logged_rarely_is_no_rival(tmp_path: Path) -> None:
    lines = [f'{{"step": {step}, "loss": {9 / step}}}\n' for step in range(1, 21)]
    lines[9:9] = ['{"step": 10, "train_loss": 5.0}\n']
    (tmp_path / "metrics.jsonl").write_text("".join(lines), encoding="utf-8")
    (run,) = Monitor([tmp_path]).drain().runs
    assert run.notes == ()


def rank_logs(tmp_path: Path, *ends: int) -> RunSnapshot:
    for rank, end in enumerate(ends):
        log = tmp_path / "attempt_0" / str(rank) / "stdout.log"
        log.parent.mkdir(parents=True)
        lines = (f"step {step}/500 | loss: {9 / (step + 1):.4f}\n" for step in range(0, end, 5))
        log.write_text("".join(lines), encoding="utf-8")
    (run,) = Monitor([tmp_path]).drain().runs
    return run


def test_one_rank_speaks_and_the_others_are_told_where_they_lag(tmp_path: Path) -> None:
    run = rank_logs(tmp_path, 200, 200, 50)
    assert run.train_loss is not None and run.train_loss.n == 40
    assert run.notes == ("behind step 195: rank 2 at step 45",)


def test_ranks_that_keep_up_are_no_news(tmp_path: Path) -> None:
    assert rank_logs(tmp_path, 200, 195, 190).notes == ()


def test_a_rank_that_falls_silent_in_a_shared_log_is_told_once(tmp_path: Path) -> None:
    lines = [
        f"[rank{rank}]: step {step} loss {9 / step:.4f}\n"
        for step in range(1, 101)
        for rank in range(4)
        if rank != 3 or step < 30
    ]
    (tmp_path / "slurm-7.out").write_text("".join(lines), encoding="utf-8")
    (run,) = Monitor([tmp_path]).drain().runs
    assert run.train_loss is not None and run.train_loss.n == 100
    assert run.notes == ("slurm-7.out: behind rank 0 at step 40: rank 3 at step 29",)
