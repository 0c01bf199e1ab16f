"""Real trainings with the Trainer of transformers; skipped where it is not installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch")
transformers = pytest.importorskip("transformers", reason="needs transformers")

from lossmon.integrations.huggingface import HuggingFaceStop  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

STEPS = 400


class Regression(torch.nn.Module):
    """A linear model that returns its loss, as the Trainer wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(4, 1)

    def forward(self, x: Any, labels: Any) -> dict[str, Any]:
        guess = self.linear(x).squeeze(-1)
        return {"loss": torch.nn.functional.mse_loss(guess, labels), "logits": guess}


class Examples(torch.utils.data.Dataset):  # type: ignore[misc]
    """Points on a plane, with noise."""

    def __init__(self, count: int, seed: int) -> None:
        chance = torch.Generator().manual_seed(seed)
        self.x = torch.randn(count, 4, generator=chance)
        noise = 0.1 * torch.randn(count, generator=chance)
        self.y = self.x @ torch.tensor([1.0, -2.0, 3.0, 0.5]) + noise

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"x": self.x[index], "labels": self.y[index]}


def train(directory: Path, rate: float, *callbacks: Any) -> int:
    """Train, and return the step at which it ended."""
    torch.manual_seed(0)
    arguments = transformers.TrainingArguments(
        output_dir=str(directory),
        max_steps=STEPS,
        learning_rate=rate,
        lr_scheduler_type="constant",
        optim="sgd",
        max_grad_norm=0.0,
        per_device_train_batch_size=8,
        logging_steps=2,
        logging_nan_inf_filter=False,
        eval_strategy="steps",
        eval_steps=10,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    trainer = transformers.Trainer(
        model=Regression(),
        args=arguments,
        train_dataset=Examples(256, 1),
        eval_dataset=Examples(64, 2),
        callbacks=[*callbacks],
    )
    trainer.train()
    return int(trainer.state.global_step)


def test_a_training_that_blows_up_is_ended(tmp_path: Path) -> None:
    stop = HuggingFaceStop(patience=2)
    assert train(tmp_path, 0.9, stop) < STEPS / 2
    assert stop.reason.startswith(("diverging", "non_finite"))


def test_a_healthy_training_goes_on_to_its_end(tmp_path: Path) -> None:
    stop = HuggingFaceStop(tmp_path / "STOP")
    assert train(tmp_path, 0.01, stop) == STEPS
    assert stop.reason == ""


class MakeFile(transformers.TrainerCallback):  # type: ignore[misc]
    """Makes the stop file at a step, as `lossmon watch` would."""

    def __init__(self, file: Path, step: int) -> None:
        self.file, self.step = file, step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == self.step:
            self.file.touch()


def test_a_stop_file_ends_the_training(tmp_path: Path) -> None:
    file = tmp_path / "STOP"
    stop = HuggingFaceStop(file, judge=False)
    assert train(tmp_path, 0.01, MakeFile(file, 25), stop) == 30
    assert str(file) in stop.reason


def test_a_stop_file_of_an_older_training_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / "STOP"
    file.touch()
    assert train(tmp_path, 0.01, HuggingFaceStop(file, judge=False)) == STEPS
