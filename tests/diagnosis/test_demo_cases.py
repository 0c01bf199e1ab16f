"""Every demo training gets its verdict while it runs, and keeps it."""

from __future__ import annotations

import numpy as np
import pytest

from lossmon.demo.cases import CASES
from lossmon.diagnosis.engine import Engine
from lossmon.types import Severity
from tests.demo.curves import Curves, curves
from tests.diagnosis.feeding import columns


def engine_after(run: Curves, share: float = 1.0) -> Engine:
    steps = 1 + np.arange(round(share * len(run.train)))
    evals = run.eval_every * (1 + np.arange(len(run.eval)))
    evals = evals[evals <= len(steps)]
    engine = Engine()
    engine.plan(len(run.train))
    engine.feed(
        *columns(
            engine,
            {
                "learning_rate": (steps, run.learning_rate[: len(steps)]),
                "grad_norm": (steps, run.grad_norm[: len(steps)]),
                "train/loss": (steps, run.train[: len(steps)]),
                "eval/loss": (evals, run.eval[: len(evals)]),
                "eval/accuracy": (evals, run.accuracy[: len(evals)]),
            },
        )
    )
    return engine


@pytest.mark.parametrize("name", CASES)
def test_a_case_keeps_its_verdict_once_it_has_it(name: str) -> None:
    case = CASES[name]
    history = engine_after(curves(name, 0)).diagnosis().history
    codes = [turn.code for turn in history]
    first = next(at for at, code in enumerate(codes) if code in case.expected)
    assert set(codes[first:]) <= set(case.expected), history


@pytest.mark.parametrize("name", CASES)
def test_no_case_is_called_healthy_before_its_first_eval(name: str) -> None:
    history = engine_after(curves(name, 0)).diagnosis().history
    first_eval = CASES[name].eval_every
    early = [turn for turn in history if turn.step < first_eval]
    assert Severity.OK not in {turn.severity for turn in early}, history
