"""Real trainings with Lightning; skipped where it is not installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch")
pl = pytest.importorskip("lightning.pytorch", reason="needs lightning")

from lossmon.integrations.lightning import LightningStop  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

STEPS = 400


class Regression(pl.LightningModule):  # type: ignore[misc]
    """A linear model that logs its losses under the usual names."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.linear, self.rate = torch.nn.Linear(4, 1), rate

    def _loss(self, batch: Any) -> Any:
        x, y = batch
        return torch.nn.functional.mse_loss(self.linear(x).squeeze(-1), y)

    def training_step(self, batch: Any, _: int) -> Any:
        loss = self._loss(batch)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: Any, _: int) -> None:
        self.log("val_loss", self._loss(batch))

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=self.rate)


def loader(count: int, seed: int) -> Any:
    chance = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 4, generator=chance)
    y = x @ torch.tensor([1.0, -2.0, 3.0, 0.5]) + 0.1 * torch.randn(count, generator=chance)
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=8)


def train(directory: Path, rate: float, *callbacks: Any) -> int:
    """Train, and return the step at which it ended."""
    torch.manual_seed(0)
    trainer = pl.Trainer(
        default_root_dir=directory,
        max_steps=STEPS,
        accelerator="cpu",
        devices=1,
        val_check_interval=10,
        log_every_n_steps=2,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[*callbacks],
    )
    trainer.fit(Regression(rate), loader(256, 1), loader(64, 2))
    return int(trainer.global_step)


def test_a_training_that_blows_up_is_ended(tmp_path: Path) -> None:
    stop = LightningStop(patience=2)
    assert train(tmp_path, 0.9, stop) < STEPS / 2
    assert stop.reason.startswith(("diverging", "non_finite"))


def test_a_healthy_training_goes_on_to_its_end(tmp_path: Path) -> None:
    stop = LightningStop(tmp_path / "STOP")
    assert train(tmp_path, 0.01, stop) == STEPS
    assert stop.reason == ""
    assert stop.judge is not None
    assert stop.judge.diagnosis().verdict.code not in ("warming_up", "too_few_evals")


class MakeFile(pl.Callback):  # type: ignore[misc]
    """Makes the stop file at a step, as `lossmon watch` would."""

    def __init__(self, file: Path, step: int) -> None:
        self.file, self.step = file, step

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        if trainer.global_step == self.step:
            self.file.touch()


def test_a_stop_file_ends_the_training(tmp_path: Path) -> None:
    file = tmp_path / "STOP"
    stop = LightningStop(file, judge=False)
    ended = train(tmp_path, 0.01, MakeFile(file, 25), stop)
    assert 25 <= ended <= 25 + 10
    assert str(file) in stop.reason


def test_a_stop_file_of_an_older_training_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / "STOP"
    file.touch()
    assert train(tmp_path, 0.01, LightningStop(file, judge=False)) == STEPS
