"""Short names of runs keep what tells them apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from lossmon.ui.fleet.names import RunNames, distinct_parts
from lossmon.ui.metrics.names import short_names
from tests.ui import stage

CLIP = [f"CLIP-ViT-{size}_cc12m_{part}XL_patches.log" for size in "BLH" for part in ("", "no")]


@pytest.mark.parametrize(
    "names, parts",
    [
        (["lightning_logs/version_9", "lightning_logs/version_10"], ["version_9", "version_10"]),
        (["a/x/train.log", "a/y/train.log"], ["x", "y"]),
        (["b32.log", "b64.log"], ["b32", "b64"]),
        (["lr0.1", "wd0.1"], ["lr0.1", "wd0.1"]),
        (["train.log", "x/train.log"], ["train", "x/train"]),
        (["only/one.log"], ["only/one.log"]),
        (["/train.log", "x/train.log"], ["/train.log", "x/train.log"]),
        (["", "x"], ["", "x"]),
        ([], []),
    ],
)
def test_shared_folders_and_endings_are_left_out(names: list[str], parts: list[str]) -> None:
    assert distinct_parts(names) == parts


@pytest.mark.parametrize("room", [8, 14, 23, 36])
@pytest.mark.parametrize(
    "names",
    [
        CLIP,
        [f"run-2025031{day}_14404{at}-a0k0ix2{at}" for day in range(5) for at in range(3)],
        [f"sweep-lr1e-4-bs{at}-warmup500-cosine-seed0" for at in range(20)],
        [f"{'x' * at}{'y' * (60 - at)}" for at in range(10)],
        [f"一个很长的实验名字-第{at}号-学习率预热余弦" for at in "一二三四五"],
    ],
)
def test_names_that_differ_stay_different(names: list[str], room: int) -> None:
    texts = short_names(names, room)
    assert len(set(texts)) == len(names)
    assert all(cell_len(text) <= room for text in texts)


def test_an_id_keeps_the_date_of_its_folder_where_dates_differ() -> None:
    names = ["run-20250317_144040-a0k0ix2o", "run-20250318_091500-b1l1jy3p"]
    assert short_names(names, 26) == ["…20250317_144040-a0k0ix2o", "…20250318_091500-b1l1jy3p"]


def test_names_are_made_again_when_one_of_them_changes() -> None:
    names = RunNames()
    runs = tuple(
        replace(stage.without_eval(), name=f"logs/{kind}/train.log") for kind in ("sft", "grpo")
    )
    names.update(runs)
    assert [names.of(run, 20) for run in runs] == ["sft", "grpo"]
    assert names.longest == 4
    longer = (*runs, replace(runs[0], name="old/sft/train.log"))
    names.update(longer)
    assert [names.of(run, 20) for run in longer] == ["logs/sft", "logs/grpo", "old/sft"]


def test_known_names_stay_as_they_are_while_a_few_runs_are_added() -> None:
    names = RunNames()
    runs = tuple(
        replace(stage.without_eval(), name=f"resnet50-augmix-lr1e-{at % 4}-seed{at:03}")
        for at in range(40)
    )
    known: dict[str, str] = {}
    for count in (30, 31, 40):
        names.update(runs[:count])
        shown = {run.name: names.of(run, 16) for run in runs[:count]}
        assert known.items() <= shown.items() and len(set(shown.values())) == count
        known = shown
