"""Callback for the Trainer of Hugging Face transformers, and of what builds on it (TRL, …)."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Mapping
from typing import Any

import torch.distributed
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from lossmon.alerts.stop_rule import CODES, PATIENCE, StopRule
from lossmon.integrations.judge import InProcessJudge, StopFile

CHECK_EVERY = 10
"""Steps between two looks for the stop file: with several processes each look is a small
collective operation."""

log = logging.getLogger(__name__)


class HuggingFaceStop(TrainerCallback):  # type: ignore[misc]
    """Ends the training at the next step, with all that the Trainer does at its end.

    Args:
        stop_file: File that `lossmon watch --stop-file` makes; None for none.
        judge: Judge in this process too, from what the Trainer logs.
        stop_on: Verdicts that stop the training.
        patience: Evals after the verdict was shown through which it must have stood; logged train
            points where there are no evals.
        sensitivity: Above 1 judges earlier and more sternly, below 1 later.
    """

    def __init__(
        self,
        stop_file: str | os.PathLike[str] | None = None,
        *,
        judge: bool = True,
        stop_on: Collection[str] = CODES,
        patience: int = PATIENCE,
        sensitivity: float = 1.0,
    ) -> None:
        self._path = stop_file
        self._file: StopFile | None = None
        rule = StopRule(tuple(stop_on), patience)
        self.judge = InProcessJudge(rule, "hf_trainer", sensitivity) if judge else None
        self.reason = ""
        """Why the training was ended, empty where it was not."""

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        if self._path is not None:
            self._file = StopFile(self._path)
        if self.judge is not None:
            self.judge.plan(state.max_steps if state.max_steps > 0 else None)

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        if self._file is None or state.global_step % CHECK_EVERY:
            return
        # Every process has to end at the same step: what one sees holds for all.
        if _any_process(self._file.is_there(), args.device):
            self._end(control, f"{self._file.path} is there")

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if self.judge is None or control.should_training_stop:
            return
        numbers = {
            name: float(value)
            for name, value in (logs or {}).items()
            if isinstance(value, (int, float))
        }
        # The Trainer logs the same means in every process, so all come to the same verdict.
        self.judge.add(state.global_step, numbers)
        if self.judge.should_stop():
            verdict = self.judge.diagnosis().verdict
            self._end(control, f"{verdict.code} since step {verdict.since_step}")

    def _end(self, control: TrainerControl, reason: str) -> None:
        self.reason = reason
        log.warning("lossmon ends the training: %s", reason)
        control.should_training_stop = True


def _any_process(mine: bool, device: torch.device) -> bool:
    """Whether something holds in any of the processes that train together."""
    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return mine
    flag = torch.tensor([int(mine)], device=device)
    torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
    return bool(flag.item())
