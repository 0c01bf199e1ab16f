"""What stands beside the curves of a run."""

from __future__ import annotations

from lossmon.monitor import Monitor
from tests import paths


def test_the_best_eval_is_that_of_the_framework() -> None:
    # Its AUC stopped rising at the third round, its log loss kept falling.
    log = paths.DATA / "text" / "dialects" / "xgboost_stopped.log"
    (run,) = Monitor([log]).drain().runs
    assert run.best is not None
    assert (run.best.step, run.best.eval_loss) == (3, 0.55)
