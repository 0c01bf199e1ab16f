"""What several loggers wrote of one training in directories beside each other is one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossmon.readers.discovery.discovery import Discovery
from tests.readers.databases.transaction_logs import history, logged

LOSSES = [2.91834, 2.82756, 2.68412, 2.60098]


def write_events(directory: Path, losses: list[float]) -> None:
    directory.mkdir(exist_ok=True)
    rows = [f'{{"step": {10 * n}, "loss": {loss}}}\n' for n, loss in enumerate(losses, 1)]
    (directory / "metrics.jsonl").write_text("".join(rows))


def write_log(path: Path, losses: list[float]) -> None:
    path.write_text("".join(f"step {10 * n} loss {x:.4g}\n" for n, x in enumerate(losses, 1)))


def found(root: Path) -> dict[str, list[str]]:
    runs = Discovery([root]).scan().runs
    return {run.path.name: sorted(file.path.name for file in run.files) for run in runs}


def test_a_log_belongs_to_the_run_beside_it_whose_losses_it_repeats(tmp_path: Path) -> None:
    write_events(tmp_path / "first", LOSSES)
    write_events(tmp_path / "second", [loss + 1 for loss in LOSSES])
    write_log(tmp_path / "train.log", LOSSES)
    assert found(tmp_path) == {
        "first": ["metrics.jsonl", "train.log"],
        "second": ["metrics.jsonl"],
    }


@pytest.mark.parametrize("second", [LOSSES, [loss + 1 for loss in LOSSES]])
def test_a_log_that_fits_two_runs_or_none_is_a_run(tmp_path: Path, second: list[float]) -> None:
    write_events(tmp_path / "first", second)
    write_events(tmp_path / "second", second)
    write_log(tmp_path / "train.log", LOSSES)
    assert len(found(tmp_path)) == 3


def test_several_runs_of_a_tracker_may_repeat_one_training(tmp_path: Path) -> None:
    write_events(tmp_path / "output", LOSSES)
    rows = [history(_step=str(n), loss=str(loss)) for n, loss in enumerate(LOSSES)]
    for number in (0, 1):
        log = tmp_path / "wandb" / f"run-20260101_00000{number}-r{number}" / f"run-r{number}.wandb"
        log.parent.mkdir(parents=True)
        log.write_bytes(logged(b":W&B\xe1\xbe\x00", *rows))
    assert found(tmp_path) == {"output": ["metrics.jsonl", "run-r0.wandb", "run-r1.wandb"]}


def test_runs_are_joined_once_their_losses_show_it(tmp_path: Path) -> None:
    write_events(tmp_path / "first", LOSSES[:1])
    write_events(tmp_path / "second", [loss + 1 for loss in LOSSES])
    log = tmp_path / "train.log"
    write_log(log, LOSSES[:1])
    discovery = Discovery([tmp_path])
    assert len(discovery.scan().runs) == 3
    write_log(log, LOSSES)
    write_events(tmp_path / "first", LOSSES)
    assert [run.name for run in discovery.scan().runs] == ["first", "second"]
