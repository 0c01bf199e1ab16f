"""Best checkpoint on disk: that of the best eval, or the nearest one before it."""

from __future__ import annotations

from lossmon.fast_dataclass import dataclass
from lossmon.types import Axis, RunSnapshot


@dataclass(frozen=True, slots=True)
class CheckpointChoice:
    """A checkpoint on disk.

    Attributes:
        name: Its name.
        before: Steps by which it is older than the best eval, 0 where it is that eval's own.
    """

    name: str
    before: int


def nearest_checkpoint(run: RunSnapshot) -> CheckpointChoice | None:
    """The checkpoint on disk at or nearest before the best eval; None where there is none."""
    best, evals = run.best, run.eval_loss
    if best is None:
        return None
    if best.checkpoint is not None:
        own = [step for step, name in run.checkpoints if name == best.checkpoint]
        return CheckpointChoice(best.checkpoint, max(0, best.step - own[-1]) if own else 0)
    if evals is None or evals.axis is not Axis.STEP:
        # Checkpoints are named by steps, which epochs cannot be compared with.
        return None
    earlier = [(step, name) for step, name in run.checkpoints if step <= best.step]
    if not earlier:
        return None
    step, name = max(earlier)
    return CheckpointChoice(name, best.step - step)
