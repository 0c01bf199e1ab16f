"""The engine says of every demo training what made it so."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from lossmon.demo.cards import SECONDS
from lossmon.demo.cases import CASES
from lossmon.demo.train import STEPS_PER_SECOND
from lossmon.diagnosis.engine import Engine
from lossmon.readers.tags.meaning import meaning
from lossmon.types import Diagnosis, Severity
from tests.demo.curves import SEEDS, curves


@cache
def judge(name: str, seed: int) -> Diagnosis:
    """Feed a whole training to the engine, in the order it was logged."""
    run, case = curves(name, seed), CASES[name]
    engine = Engine()
    engine.plan(case.steps)
    steps = np.arange(1, case.steps + 1)
    evals = steps[case.eval_every - 1 :: case.eval_every]
    columns = [
        ("train/loss", steps, run.train),
        ("train/grad_norm", steps, run.grad_norm),
        ("train/learning_rate", steps, run.learning_rate),
        ("eval/loss", evals, run.eval),
        ("eval/accuracy", evals, run.accuracy),
    ]
    channels = [
        np.full(len(at), engine.channel(meaning(tag), headline=tag.endswith("/loss")))
        for tag, at, _ in columns
    ]
    at = np.concatenate([each for _, each, _ in columns])
    order = np.argsort(at, kind="stable")
    values = np.concatenate([each for _, _, each in columns])
    engine.feed(np.concatenate(channels)[order], at[order], values[order])
    return engine.diagnosis()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", CASES)
def test_a_finished_case_gets_the_verdict_that_its_cause_deserves(name: str, seed: int) -> None:
    assert judge(name, seed).verdict.code in CASES[name].expected


@pytest.mark.parametrize("name", CASES)
def test_the_badge_comes_to_it_while_people_still_look_and_stays(name: str) -> None:
    case, history = CASES[name], judge(name, 0).history
    early = {turn.severity for turn in history if turn.step < case.eval_every}
    assert Severity.OK not in early, "nothing is healthy before the first eval"
    first = next(at for at, turn in enumerate(history) if turn.code in case.expected)
    # Two seconds are for the program to start.
    assert history[first].step <= (SECONDS - 2) * STEPS_PER_SECOND
    assert {turn.code for turn in history[first:]} <= set(case.expected)
