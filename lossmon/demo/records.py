"""Log files of a demo training, as common trainers write them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TextIO

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from lossmon.demo.cases import Case
from lossmon.demo.launch import LOG
from lossmon.demo.training import DemoTraining, EvalResult, StepResult

LINE_EVERY = 10
"""Steps between two lines of the text log: two per second at speed 1."""

PROMPTS = (
    "the old sailor ",
    "the quiet fox carried ",
    "the young teacher lost the ",
    "the clever robin watched the letter ",
    "the heavy kettle ",
)
"""What every checkpoint continues; the last one is like no sentence of the training text."""


class TrainingRecorder:
    """Writes TensorBoard events, `trainer_log.jsonl`, `samples.jsonl`, `train.log`, checkpoints.

    Each record is in the files when the call returns.
    """

    def __init__(self, out: Path, training: DemoTraining, echo: TextIO | None = None) -> None:
        self.out = out
        self._training = training
        self._case = training.case
        self._echo = echo
        self._started = time.monotonic()
        self._events = EventFileWriter(str(out / "runs"))
        self._progress = (out / "trainer_log.jsonl").open("a", encoding="utf-8")
        self._lines = (out / LOG).open("a", encoding="utf-8")
        self._samples = (out / "samples.jsonl").open("a", encoding="utf-8")
        self._losses: list[float] = []
        self._unprinted: list[StepResult] = []
        self._add_text("args", json.dumps(settings(self._case)))
        self.line("***** Running training *****")
        self.line(f"  Num examples = {training.examples:,}")
        self.line(f"  Batch size = {self._case.batch}")
        self.line(f"  Total optimization steps = {self._case.steps}")

    def step(self, result: StepResult) -> None:
        """Record one optimizer step."""
        self._losses.append(result.loss)
        self._add_scalars(
            {
                "train/loss": result.loss,
                "train/grad_norm": result.grad_norm,
                "train/learning_rate": result.learning_rate,
                "train/epoch": self._training.epoch,
            }
        )
        self._add_progress({"loss": result.loss, "lr": result.learning_rate})
        self._unprinted.append(result)
        if len(self._unprinted) == LINE_EVERY:
            self._print_steps()

    def eval(self, result: EvalResult) -> None:
        """Record one eval."""
        self._add_scalars({"eval/loss": result.loss, "eval/accuracy": result.accuracy})
        self._add_progress({"eval_loss": result.loss})
        self._print(eval_loss=_rounded(result.loss), eval_accuracy=_rounded(result.accuracy))

    def checkpoint(self) -> None:
        """Save the weights, and log a text that the model generates."""
        folder = self.out / f"checkpoint-{self._training.steps_done}"
        folder.mkdir()
        self.line(f"Saving model checkpoint to {folder}")
        np.savez(folder / "model.npz", allow_pickle=False, **self._training.model.parameters)
        for prompt in PROMPTS:
            answer = self._training.write(start=prompt).removeprefix(prompt)
            record = {"step": self._training.steps_done, "prompt": prompt, "output": answer}
            self._samples.write(json.dumps(record) + "\n")
        self._samples.flush()
        self.line(f"sample: {prompt}{answer}")

    def finish(self) -> None:
        """Record the end of the training."""
        self._add_progress({})
        self._print(
            train_runtime=round(self._elapsed(), 2), train_loss=_rounded(np.mean(self._losses))
        )
        self.line("Training completed.")

    def line(self, text: str) -> None:
        """Add one line to the text log."""
        self._lines.write(text + "\n")
        self._lines.flush()
        if self._echo is not None:
            print(text, file=self._echo, flush=True)

    def close(self) -> None:
        """Close every file."""
        self._events.close()
        self._progress.close()
        self._samples.close()
        self._lines.close()

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _tokens(self) -> int:
        return self._training.steps_done * self._case.batch

    def _add_scalars(self, scalars: Mapping[str, float]) -> None:
        self._add([Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()])

    def _add_text(self, tag: str, text: str) -> None:
        tensor = TensorProto(
            dtype=DT_STRING,
            tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
            string_val=[text.encode()],
        )
        plugin = SummaryMetadata.PluginData(plugin_name="text")
        metadata = SummaryMetadata(plugin_data=plugin)
        self._add([Summary.Value(tag=f"{tag}/text_summary", tensor=tensor, metadata=metadata)])

    def _add(self, values: list[Summary.Value]) -> None:
        step = self._training.steps_done
        self._events.add_event(
            Event(wall_time=time.time(), step=step, summary=Summary(value=values))
        )
        self._events.flush()

    def _add_progress(self, values: Mapping[str, float]) -> None:
        done, total = self._training.steps_done, self._case.steps
        elapsed = self._elapsed()
        record = {
            "current_steps": done,
            "total_steps": total,
            **values,
            "epoch": self._training.epoch,
            "percentage": round(100 * done / total, 2),
            "elapsed_time": _clock(elapsed),
            "remaining_time": _clock(elapsed / done * (total - done)),
            "throughput": round(self._tokens() / max(1e-9, elapsed), 2),
            "total_tokens": self._tokens(),
        }
        self._progress.write(json.dumps(record) + "\n")
        self._progress.flush()

    def _print_steps(self) -> None:
        last = self._unprinted[-1]
        self._print(
            loss=_rounded(np.mean([result.loss for result in self._unprinted])),
            grad_norm=_rounded(last.grad_norm),
            learning_rate=float(f"{last.learning_rate:.4g}"),
        )
        self._unprinted.clear()

    def _print(self, **values: float) -> None:
        self.line(str({**values, "epoch": round(self._training.epoch, 2)}))


def settings(case: Case) -> dict[str, str | int | float | None]:
    """Return the hyperparameters of a case under the names that trainers use."""
    return {
        "learning_rate": case.rate.peak,
        "warmup_steps": case.rate.warmup,
        "optim": case.optimizer,
        "weight_decay": case.weight_decay,
        "max_grad_norm": case.clip,
        "per_device_train_batch_size": case.batch,
        "max_steps": case.steps,
        "eval_steps": case.eval_every,
        "logging_steps": 1,
        **{f"data_{name}": value for name, value in asdict(case.text).items()},
        **{f"model_{name}": value for name, value in asdict(case.shape).items()},
    }


def _rounded(value: float | np.floating) -> float:
    return round(float(value), 4)


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds)))
