"""Callback for the Trainer of Hugging Face transformers, and of what builds on it (TRL, …)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import torch.distributed
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from lossmon.integrations.judge import StopCallback

CHECK_EVERY = 10
"""Steps between two looks for the stop file: with several processes each look is a small
collective operation."""

log = logging.getLogger(__name__)


class HuggingFaceStop(StopCallback, TrainerCallback):  # type: ignore[misc]
    """Ends the training at the next step, with all that the Trainer does at its end."""

    source = "hf_trainer"

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        self._begin(state.max_steps if state.max_steps > 0 else None)

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
        if reason := self._verdict():
            self._end(control, reason)

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
