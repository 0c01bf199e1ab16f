"""What the user could be asked about the series of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossmon.monitor import Monitor, MonitorConfig
from lossmon.readers.tags.meaning import meaning
from lossmon.types import AmbiguityReason, AmbiguousTag, Kind, RunSnapshot


def watched(tmp_path: Path, names: list[str], answers: dict[str, str] | None = None) -> RunSnapshot:
    rows = [
        ",".join([str(step), *(f"{1 / (step + 2 + place):.4f}" for place in range(len(names)))])
        for step in range(12)
    ]
    path = tmp_path / "metrics.csv"
    path.write_text("\n".join([",".join(["step", *names]), *rows]) + "\n")
    monitor = Monitor([tmp_path], MonitorConfig(names=answers or {}))
    (run,) = monitor.drain().runs
    return run


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        (
            ["loss", "train_loss"],
            [AmbiguousTag("train_loss", ("train_loss",), AmbiguityReason.CALLED_ALIKE, "loss")],
        ),
        (
            ["loss_D", "loss_G"],
            [
                AmbiguousTag("loss_D", ("train_loss",), AmbiguityReason.NO_TOTAL, "loss_D"),
                AmbiguousTag("loss_G", ("train_loss",), AmbiguityReason.NO_TOTAL, "loss_D"),
            ],
        ),
        (
            ["alpha_q", "eval_q"],
            [
                AmbiguousTag("alpha_q", ("train_loss", "eval_loss"), AmbiguityReason.NO_LOSS),
                AmbiguousTag("eval_q", ("eval_loss", "train_loss"), AmbiguityReason.NO_LOSS),
            ],
        ),
        (
            ["loss", "loss_2", "score"],
            [
                AmbiguousTag("loss_2", ("train_loss", "eval_loss"), AmbiguityReason.VAGUE, "loss"),
                AmbiguousTag(
                    "score", ("eval_score", "train_score", "eval_loss"), AmbiguityReason.VAGUE
                ),
            ],
        ),
        (["loss", "val_loss", "lr", "accuracy", "train/box_loss"], []),
        (["train/box_loss", "train/cls_loss", "val/box_loss", "val/cls_loss"], []),
    ],
    ids=["called alike", "no total", "no loss", "vague", "all clear", "a sum"],
)
def test_what_is_unclear_comes_with_what_it_may_be(
    tmp_path: Path, names: list[str], asked: list[AmbiguousTag]
) -> None:
    assert sorted(watched(tmp_path, names).ambiguous_tags, key=lambda one: one.tag) == asked


def test_the_same_numbers_with_fewer_digits_are_no_rival(tmp_path: Path) -> None:
    full = [2 / (step + 3) + 1e-9 * step for step in range(12)]
    rows = "".join(f"{step},{value!r}\n" for step, value in enumerate(full))
    (tmp_path / "training.csv").write_text("epoch,loss\n" + rows)
    short = "".join(f"train,{40 * n},{n},{value:.5f},loss\n" for n, value in enumerate(full))
    (tmp_path / "curve.csv").write_text("split,step,epoch,value,tag\n" + short)
    (run,) = Monitor([tmp_path]).drain().runs
    assert len([one for one in run.series if one.meaning.key.startswith("train/loss")]) == 2
    assert run.ambiguous_tags == ()
    other = "".join(f"train,{40 * n},{n},{1.1 * value:.5f},loss\n" for n, value in enumerate(full))
    (tmp_path / "curve.csv").write_text("split,step,epoch,value,tag\n" + other)
    (run,) = Monitor([tmp_path]).drain().runs
    assert [one.reason for one in run.ambiguous_tags] == [AmbiguityReason.CALLED_ALIKE]


@pytest.mark.parametrize(
    ("names", "answer"),
    [
        (["loss_D", "loss_G"], {"train_loss": "loss_G"}),
        (["alpha_q", "other_q"], {"train_loss": "other_q"}),
        (["loss", "train_loss"], {"train_loss": "train_loss"}),
        (["loss", "score"], {"eval_score": "score"}),
    ],
)
def test_an_answer_is_believed_and_not_asked_for_again(
    tmp_path: Path, names: list[str], answer: dict[str, str]
) -> None:
    run = watched(tmp_path, names, answer)
    ((name, tag),) = answer.items()
    assert tag not in [one.tag for one in run.ambiguous_tags]
    if name == "train_loss":
        assert run.train_loss is not None
        assert run.train_loss.tag == tag
        assert not [one for one in run.ambiguous_tags if one.candidates[0] == "train_loss"]


@pytest.mark.parametrize("name", ["train_loss", "eval_loss", "eval_score", "train_score"])
def test_every_name_that_is_offered_is_one_that_the_settings_know(name: str) -> None:
    kind = Kind.LOSS if name.endswith("loss") else Kind.METRIC
    assert meaning("x", overrides={name: "x"}).kind is kind


def test_which_of_two_eval_sets_is_the_train_set_is_asked(tmp_path: Path) -> None:
    rows = [
        f"[{n}]\tvalidation_0-logloss:{0.8 - n / 50:.3f}\tvalidation_1-logloss:{0.7 - n / 60:.3f}\n"
        for n in range(12)
    ]
    (tmp_path / "train.log").write_text("".join(rows))
    (run,) = Monitor([tmp_path]).drain().runs
    first, second = "validation_0-logloss", "validation_1-logloss"
    assert [one.tag for one in run.ambiguous_tags] == [first, second]
    assert {one.candidates[0] for one in run.ambiguous_tags} == {"train_loss"}
    assert run.train is None
    (run,) = Monitor([tmp_path], MonitorConfig(names={"train_loss": second})).drain().runs
    assert run.train_loss is not None
    assert run.train_loss.tag == second
    assert run.ambiguous_tags == ()
