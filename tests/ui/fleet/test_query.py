"""The filter language: what fits, and what is said of a term that means nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.types import RunSnapshot, RunState
from lossmon.ui.fleet.fields import fields, own_names
from lossmon.ui.fleet.query import OPERATORS, Fault, Filter, parse
from tests.ui import stage

NAN = replace(stage.non_finite(), name="grpo nan", path=Path("/runs/grpo"), state=RunState.FAILED)
SFT = replace(
    stage.overfitting(),
    settings={"optimizer.lr": "1e-3", "optim": "adamw_torch", "batch_size": "8"},
)
PLAIN = replace(stage.without_eval(), state=RunState.FINISHED, last_time=stage.NOW - 7200)
RUNS = (NAN, SFT, PLAIN)
"""`grpo nan` failed, `sft-qwen-7b` runs and overfits, `pretrain-1b` ended two hours ago."""


def fitting(text: str) -> list[str]:
    """Names of the runs that a filter shows."""
    read = parse(text, lambda: own_names(RUNS))
    assert isinstance(read, Filter), read
    return [run.name for run in RUNS if read.fits(run, stage.NOW)]


def told(text: str) -> str:
    """What is said of a filter that means nothing."""
    read = parse(text, lambda: own_names(RUNS))
    assert isinstance(read, Fault), text
    return read.message(str)


EVERY = ["grpo nan", "sft-qwen-7b", "pretrain-1b"]


@pytest.mark.parametrize(
    "text, names",
    [
        ("", EVERY),
        ("   ", EVERY),
        ("sft", ["sft-qwen-7b"]),
        ("SFT", ["sft-qwen-7b"]),
        ("sft,pre", ["sft-qwen-7b", "pretrain-1b"]),
        ("-sft", ["grpo nan", "pretrain-1b"]),
        ("!sft", ["grpo nan", "pretrain-1b"]),
        ("-", EVERY),
        ('"grpo nan"', ["grpo nan"]),
        ("'grpo n", ["grpo nan"]),
        ("grpo pre", []),
        ("name:qwen", ["sft-qwen-7b"]),
        ("-name:qwen", ["grpo nan", "pretrain-1b"]),
        ("name!=qwen", ["grpo nan", "pretrain-1b"]),
        ("path:/runs/g", ["grpo nan"]),
        ("state:running", ["sft-qwen-7b"]),
        ("state:run", ["sft-qwen-7b"]),
        ("state=running,failed", ["grpo nan", "sft-qwen-7b"]),
        ("STATE:Finished", ["pretrain-1b"]),
        ("badge:overfitting", ["sft-qwen-7b"]),
        ("badge:over", ["sft-qwen-7b"]),
        ("badge:non-finite,healthy", ["grpo nan", "pretrain-1b"]),
        ("badge:过拟合", ["sft-qwen-7b"]),
        ("severity>=warning", ["grpo nan", "sft-qwen-7b"]),
        ("severity:critical", ["grpo nan"]),
        ("severity<warning", ["pretrain-1b"]),
        ("step>1000", ["sft-qwen-7b", "pretrain-1b"]),
        ("step>1k", ["sft-qwen-7b", "pretrain-1b"]),
        ("step<=900", ["grpo nan"]),
        ("loss<100", ["sft-qwen-7b", "pretrain-1b"]),
        ("loss:nan", ["grpo nan"]),
        ("eval:none", ["pretrain-1b"]),
        ("-eval:none loss<9", ["sft-qwen-7b"]),
        ("age<1h", ["grpo nan", "sft-qwen-7b"]),
        ("age>1h30m", ["pretrain-1b"]),
        ("done>40%", ["sft-qwen-7b", "pretrain-1b"]),
        ("lr>=1e-3", ["sft-qwen-7b"]),
        ("lr:0.001", ["sft-qwen-7b"]),
        ("learning_rate<1e-3", ["grpo nan", "pretrain-1b"]),
        ("optimizer.lr:1e-3", ["sft-qwen-7b"]),
        ("optim:adamw", ["sft-qwen-7b"]),
        ("batch_size:8,16", ["sft-qwen-7b"]),
        ("optim>3", []),
        ("accuracy>0.7", ["sft-qwen-7b", "pretrain-1b", "grpo nan"]),
        ("state:running sft step>1k", ["sft-qwen-7b"]),
    ],
)  # fmt: skip
def test_a_filter_shows_the_runs_that_fit_every_term(text: str, names: list[str]) -> None:
    assert sorted(fitting(text)) == sorted(names)


@pytest.mark.parametrize(
    "text, word, remedy",
    [
        ("state:", "state", "running, stalled"),
        ("state:runing", "runing", "running"),
        ("state>running", "no order", "state:running"),
        ("name<b", "no order", "name:b"),
        ("lr>=high", "high", "1e-3"),
        ("age<2x", "2x", "2h"),
        ("severity>=bad", "bad", "warning"),
        ("stat:running", "stat", "state"),
        ("optm:adamw", "optm", "optim"),
        (">5", "what", "step>100"),
    ],
)
def test_a_term_that_means_nothing_is_told_of_with_what_would_be_right(
    text: str, word: str, remedy: str
) -> None:
    said = told(text)
    assert word in said
    assert remedy in said


def test_a_learning_rate_that_is_only_a_curve_may_be_asked_for() -> None:
    read = parse("lr<1", lambda: own_names([PLAIN]))
    assert isinstance(read, Filter)
    assert read.fits(PLAIN, stage.NOW)


def test_what_is_quoted_is_neither_an_operator_nor_a_comma() -> None:
    ray = replace(PLAIN, name="ray_lr=0.01,b=2")
    for text, fits in (('"lr=0.01,b"', True), ('"lr=0.02"', False), ('name:"r=0.01,"', True)):
        read = parse(text)
        assert isinstance(read, Filter)
        assert read.fits(ray, stage.NOW) is fits


PIECES = st.sampled_from(
    [*fields(), *OPERATORS, "-", ",", '"', "'", " ", "running", "nan", "1e-3", "2h", "{}", "%",
     "none", "warning", "lr", "\x00", "٣", "é"]
)  # fmt: skip
TYPED = st.one_of(st.text(), st.lists(PIECES, max_size=8).map("".join))


def empty() -> RunSnapshot:
    """A run of which nothing is known."""
    return RunSnapshot("", Path("/runs/empty"))


@given(TYPED)
def test_no_text_raises_and_every_filter_answers_for_every_run(text: str) -> None:
    read = parse(text, lambda: own_names(RUNS))
    if isinstance(read, Fault):
        assert read.message(str)
        return
    for run in (*RUNS, empty()):
        assert read.fits(run, stage.NOW) in (True, False)


@given(TYPED)
def test_a_hyphen_before_a_word_shows_exactly_the_other_runs(text: str) -> None:
    word = "".join(char for char in text if not char.isspace() and char not in "-!'\"")
    shows, hides = parse(word, tuple), parse(f"-{word}", tuple)
    if isinstance(shows, Filter) and isinstance(hides, Filter) and shows.tests:
        for run in RUNS:
            assert shows.fits(run, stage.NOW) is not hides.fits(run, stage.NOW)


def test_the_newest_value_counts_where_a_curve_is_asked_for() -> None:
    steps = np.arange(1, 4)
    rising = stage.series(stage.TRAIN_LOSS, steps, np.array([0.1, 0.2, 5.0]))
    run = replace(PLAIN, series=(rising,), train=0)
    read = parse("loss<1")
    assert isinstance(read, Filter)
    assert not read.fits(run, stage.NOW)
    assert math.isclose(rising.last, 5.0)
