"""Callback for the Trainer of Lightning (`lightning`, or `pytorch_lightning`)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from lossmon.integrations.judge import StopCallback
from lossmon.readers.tags.meaning import meaning
from lossmon.types import Split

if TYPE_CHECKING:
    from lightning.pytorch import Callback, LightningModule, Trainer
else:
    try:
        from lightning.pytorch import Callback
    except ImportError:
        from pytorch_lightning import Callback

CHECK_EVERY = 10
"""Batches between two looks for the stop file: with several processes each look is a small
collective operation."""

log = logging.getLogger(__name__)


class LightningStop(StopCallback, Callback):  # type: ignore[misc]
    """Ends the training after the present batch, with all that the Trainer does at its end.

    It judges by the loss of the batches and by what validation logs.
    """

    source = "lightning"
    _last = -1

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        total = trainer.estimated_stepping_batches
        self._begin(None if total == float("inf") else int(total))

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if self.judge is not None and loss is not None and self._is_logged(trainer):
            self.judge.add(trainer.global_step, {"train_loss": float(loss)})
            self._end_if(trainer, self._verdict())
        if self._file is not None and batch_idx % CHECK_EVERY == 0:
            found = self._file.is_there()
            self._end_if(trainer, f"{self._file.path} is there" if found else "")

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.judge is None or trainer.sanity_checking:
            return
        values = {
            name: float(value)
            for name, value in trainer.callback_metrics.items()
            if meaning(name, source=self.source).split is Split.EVAL
        }
        self.judge.add(trainer.global_step, values)
        self._end_if(trainer, self._verdict())

    def _is_logged(self, trainer: Trainer) -> bool:
        """Whether this is the first batch of a step that the Trainer logs."""
        before, self._last = self._last, trainer.global_step
        return self._last != before and self._last % max(1, trainer.log_every_n_steps) == 0

    def _end_if(self, trainer: Trainer, reason: str) -> None:
        """End in every process if any of them has a reason."""
        if not trainer.strategy.reduce_boolean_decision(bool(reason), all=False):
            return
        self.reason = self.reason or reason or "another process asked for it"
        log.warning("lossmon ends the training: %s", self.reason)
        trainer.should_stop = True
