"""What boosted trees print: which set is trained on, which way a metric goes, when it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossmon.readers.tags.meaning import meaning
from lossmon.readers.text.reader import TextReader
from lossmon.types import Kind, Split
from tests.readers.growing import Collected, read_whole


def read(path: Path, text: str) -> Collected:
    path.write_text(text)
    return read_whole(TextReader(path))


def xgboost(first: list[float], second: list[float], metric: str) -> str:
    return "".join(
        f"[{step}]\tvalidation_0-{metric}:{a:.5f}\tvalidation_1-{metric}:{b:.5f}\n"
        for step, (a, b) in enumerate(zip(first, second, strict=True))
    )


@pytest.mark.parametrize(
    ("first", "second", "metric", "split"),
    [
        pytest.param([0.6, 0.4], [0.7, 0.6], "logloss", Split.TRAIN, id="a lower loss"),
        pytest.param([0.8, 0.9], [0.7, 0.7], "auc", Split.TRAIN, id="a higher AUC"),
        pytest.param([0.7, 0.6], [0.6, 0.5], "rmse", Split.EVAL, id="a higher loss"),
        pytest.param([0.7, 0.8], [0.8, 0.9], "ndcg@5", Split.EVAL, id="a lower score"),
        pytest.param([0.7, *[0.5] * 9], [0.6] * 10, "logloss", Split.TRAIN, id="lower later"),
        pytest.param([0.6, *[0.8] * 9], [0.7] * 10, "logloss", Split.EVAL, id="higher later"),
    ],
)
def test_the_first_of_two_eval_sets_is_the_train_set_where_it_is_better(
    tmp_path: Path, first: list[float], second: list[float], metric: str, split: Split
) -> None:
    found = read(tmp_path / "train.log", xgboost(first, second, metric))
    (tag,) = [tag for tag in found.series if "validation_0" in tag]
    assert meaning(tag, source="text").split is split
    assert [value for _, value in found.values(tag)] == first


@pytest.mark.parametrize(
    ("values", "kind"),
    [([0.7, 0.8, 0.75], Kind.METRIC), ([0.7, 0.6, 0.65], Kind.LOSS)],
    ids=["maximised", "minimised"],
)
def test_the_best_value_tells_the_direction(
    tmp_path: Path, values: list[float], kind: Kind
) -> None:
    rows = ["0:\ttest: 0.7\tbest: 0.7 (0)\ttotal: 5ms\tremaining: 9ms\n"]
    rows += [
        f"{step}:\ttest: {value}\tbest: {values[1]} (1)\ttotal: 5ms\tremaining: 9ms\n"
        for step, value in enumerate(values[1:], 1)
    ]
    found = read(tmp_path / "train.log", "".join(rows))
    (tag,) = found.series
    assert meaning(tag, source="text").kind is kind
    assert [value for _, value in found.values(tag)] == values


@pytest.mark.parametrize(
    "ending",
    [
        "Early stopping, best iteration is:\n[2]\tvalid_0's l2: 0.5\n",
        "Did not meet early stopping. Best iteration is:\n[2]\tvalid_0's l2: 0.5\n",
        "\nbestTest = 0.5\nbestIteration = 2\n",
        "Monitored metric loss did not improve in the last 3 records. Best score: 0.761. "
        "Signaling Trainer to stop.\n",
        "Epoch 00003: early stopping\n",
    ],
    ids=["LightGBM", "LightGBM at its end", "CatBoost", "Lightning", "Keras"],
)
def test_an_early_stop_ends_a_training(tmp_path: Path, ending: str) -> None:
    rows = "".join(f"[{step}]\ttraining's l2: 0.{9 - step}\n" for step in range(1, 4))
    found = read(tmp_path / "train.log", rows + ending)
    assert found.finished
    again = read(tmp_path / "train.log", rows + ending + rows)
    assert not again.finished
