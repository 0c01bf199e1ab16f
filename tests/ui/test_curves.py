"""A run as charts: what stands at the edge, and which places are marked."""

from __future__ import annotations

from dataclasses import replace

from lossmon.types import Best, RunSnapshot
from lossmon.ui.curves import footer_of
from lossmon.ui.lines import plain
from lossmon.ui.scene import Scene
from tests.ui import stage


def footer(run: RunSnapshot) -> str:
    scene = Scene(snapshot=stage.snapshot(run), now=stage.NOW)
    return plain(footer_of(scene, run, (1,)))


def test_the_edge_of_the_eval_pane_names_the_best_checkpoint() -> None:
    run = stage.overfitting()
    assert footer(run) == "▼ best: checkpoint-700 on disk"


def test_the_edge_names_the_nearest_earlier_checkpoint_where_the_best_is_gone() -> None:
    kept = ((640, "checkpoint-640"), (1200, "checkpoint-1200"))
    run = replace(stage.overfitting(), best=Best(700, 1.4), checkpoints=kept)
    assert footer(run) == "▼ best: checkpoint-640, 60 steps before the best"
    assert footer(replace(run, checkpoints=())) == ""
