"""Which series have a chart of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lossmon.types import Kind, Meaning, RunSnapshot, Split
from lossmon.ui.chart.model import ChartSettings
from lossmon.ui.chart.run_model import eval_sets, reward_charts
from lossmon.ui.dashboard.main_panes import PanePlan, content_of, pane_plans
from lossmon.ui.metrics.entries import key_of
from lossmon.ui.scene import Scene
from lossmon.ui.terminal import Terminal
from lossmon.ui.text.lines import plain
from lossmon.ui.widgets.charts.pane import Losses
from tests.ui import stage

STEPS = np.arange(1, 21)


def logged(*meanings: Meaning, train: int | None = None, eval: int | None = None) -> RunSnapshot:
    found = tuple(stage.series(one, STEPS, np.linspace(1, 2, 20)) for one in meanings)
    return replace(stage.healthy(), series=found, train=train, eval=eval)


def eval_loss(part: str) -> Meaning:
    key = f"eval/{part}_loss" if part else "eval/loss"
    return Meaning(key, f"eval {part}", Split.EVAL, Kind.LOSS, part=part)


def test_all_eval_sets_are_drawn_the_headline_one_first() -> None:
    run = logged(stage.TRAIN_LOSS, eval_loss("easy"), eval_loss("hard"), train=0, eval=2)
    assert eval_sets(run) == (2, 1)


def test_a_single_eval_stands_beside_the_train_loss_and_has_no_pane() -> None:
    run = logged(stage.TRAIN_LOSS, eval_loss(""), train=0, eval=1)
    assert set(pane_plans(Scene(stage.snapshot(run)))) == {"train", "eval"}
    once = stage.series(eval_loss(""), STEPS[-1:], np.ones(1))
    run = replace(run, series=(run.series[0], once))
    assert pane_plans(Scene(stage.snapshot(run))) == {"train": PanePlan((0, 1))}
    hidden = ChartSettings(hidden=frozenset({"eval"}))
    alone = Scene(stage.snapshot(run), chart_settings=hidden)
    assert pane_plans(alone) == {"train": PanePlan((0,))}


def test_components_of_a_total_are_no_eval_sets() -> None:
    assert eval_sets(logged(eval_loss(""), eval_loss("box"), eval_loss("cls"), eval=0)) == (0,)


def test_a_run_without_an_eval_loss_has_no_eval_sets() -> None:
    assert eval_sets(logged(stage.TRAIN_LOSS, train=0)) == ()


def test_a_title_names_all_eval_sets_by_letters_where_no_color_tells_them_apart() -> None:
    parts = [eval_loss(part) for part in ["chat", "code", "law", "math", "med", "web"]]
    run = logged(stage.TRAIN_LOSS, *parts, train=0, eval=1)
    said = {}
    for colors in (0, 256):
        scene = Scene(stage.snapshot(run), terminal=Terminal(colors=colors))
        plan = pane_plans(scene)["eval"]
        content = content_of(scene, plan)
        letters = "".join(curve.letter for curve in content.model.curves)
        assert letters == ("" if colors else "ABCDEF")
        said[colors] = [plain(line) for _, line in content.titles((), 82)][:2]
    assert said[256] == ["eval chat 2.00", "code 2.00  law 2.00  math 2.00  med 2.00  web 2.00"]
    assert said[0] == ["A eval chat 2.00", "B code C law D math E med F web"]
    together = content_of(scene, PanePlan((0, 1, 2, 3, 4, 5, 6)))
    said[52] = [plain(line) for _, line in together.titles((), 52)]
    assert any(one.startswith("code · law") and one.endswith("…") for one in said[52])


def judged(run: RunSnapshot, *missing: str) -> RunSnapshot:
    return replace(run, diagnosis=replace(run.diagnosis, missing=missing))


@pytest.mark.parametrize(
    "reward, kl, length",
    [
        ("train/reward", "train/kl", "train/completions_mean_length"),
        ("train/episode_reward", "train/approx_kl", "train/rollout_ep_len_mean"),
        ("rollout/ep_rew_mean", "objective/kl", "train/response_length"),
        ("train/reward_mean", "train/kl_div", "train/completion_length"),
    ],
)
def test_reward_kl_and_length_lead_where_the_loss_says_little(
    reward: str, kl: str, length: str
) -> None:
    metrics = [Meaning(key, key, kind=Kind.METRIC) for key in (length, kl, reward)]
    others = [
        Meaning(key, key)
        for key in (
            "train/reward_std",
            "train/frac_reward_zero_std",
            "train/completions_max_length",
            "train/clip_ratio",
        )
    ]
    run = judged(logged(stage.TRAIN_LOSS, *others, *metrics, train=0), "reward_loss")
    assert reward_charts(run) == ((7,), (6,), (5,), (0,))


def test_a_pane_opens_its_own_metric_and_any_pane_of_losses_both() -> None:
    reward, kl = Meaning("train/reward", "reward"), Meaning("train/kl", "KL")
    run = judged(logged(stage.TRAIN_LOSS, reward, kl, train=0), "reward_loss")
    losses = Losses()
    losses.scene = Scene(stage.snapshot(run))
    opened = [losses.subject_of(pane) for pane in (None, *losses.panes.values())]
    assert opened == [key_of(run.series[at]) for at in (1, 1, 2)] + [None]


def test_preference_runs_lead_with_margin_and_accuracy_beside_their_eval() -> None:
    keys = ("train/rewards_margins", "eval/rewards_margins", "train/reward_accuracies")
    metrics = [
        Meaning(key, key, Split.EVAL if "eval" in key else Split.TRAIN, Kind.METRIC) for key in keys
    ]
    run = judged(logged(stage.TRAIN_LOSS, *metrics, train=0), "preference_loss")
    assert reward_charts(run) == ((1, 2), (3,), (0,))


def test_other_runs_have_no_reward_charts() -> None:
    reward = Meaning("train/reward", "reward", kind=Kind.METRIC)
    assert reward_charts(logged(stage.TRAIN_LOSS, reward, train=0)) == ()
    assert reward_charts(judged(logged(stage.TRAIN_LOSS, train=0), "reward_loss")) == ()
