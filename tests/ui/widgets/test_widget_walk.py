"""Every view of every scene at every size: all in place, whole, and beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from lossmon.types import Kind, Meaning, Snapshot
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.widgets.metrics import Metrics
from tests.ui import screen, stage
from tests.ui.screen import rows, wrong, wrong_at

SIZES = (*screen.SIZES, screen.TINY)
VIEWS = ("", "enter", "m", "r", "c", "u", "d", "l", "t", "ctrl+p", "w", "question_mark")
"""What opens each view; escape leads back from all."""

LONG = "meta-llama/Llama-3.3-70B-Instruct_sft_lora-r64-alpha128_lr1e-4_bs256_seq8192_seed"


def long_names() -> Snapshot:
    """Runs that differ only in the end of names longer than any screen of a pane."""
    runs = (stage.overfitting(), stage.healthy(), stage.non_finite())
    return stage.snapshot(
        *(
            replace(run, name=f"{LONG}{at}", path=Path(f"/runs/{LONG}{at}"), log_name=LONG)
            for at, run in enumerate(runs)
        )
    )


def sixty_metrics() -> Snapshot:
    """A run that logs whatever can be logged, under names that nobody shortened."""
    steps = np.arange(1, 101)
    many = tuple(
        stage.series(
            Meaning(f"{name}/{one}", f"{name} {one}", kind=Kind.METRIC), steps, steps * 10.0**-at
        )
        for at, name in enumerate(("rewards/accuracy_reward_func/mean", "指标", "kl") * 20)
        for one in [chr(65 + at)]
    )
    run = stage.overfitting()
    return stage.snapshot(replace(run, series=(*run.series, *many)))


def chinese() -> Snapshot:
    """Runs with names and logs in wide characters."""
    name = "通义千问二点五-七十亿参数-指令微调-低秩适配-学习率一万分之一"
    run = replace(stage.answered(), name=name, log=("步数 100，损失 0.5：" + "训练" * 80,) * 9)
    return stage.snapshot(run, replace(run, path=Path("/runs/二"), name=name + "二"))


SCENES: dict[str, Callable[[], Snapshot]] = {
    **stage.SCENES,
    "fleet": stage.fleet,
    "long names": long_names,
    "sixty metrics": sixty_metrics,
    "chinese": chinese,
}


IN_BOTH_LANGUAGES = {"overfitting", "fleet", "chinese"}

OF_ONE_VIEW = {"healthy", "no-gpu", "eight-gpus", "loading"}
"""Scenes that the other views do not tell apart."""


def walks() -> Iterator[tuple[str, str, int]]:
    """Scene, language, and the size that its walk begins with: every scene in one language, and
    the longest texts in both."""
    begun: Counter[str] = Counter()
    for at, name in enumerate(SCENES):
        both = ("en", "zh")
        for language in both if name in IN_BOTH_LANGUAGES else both[at % 2 : at % 2 + 1]:
            yield name, language, begun[language]
            begun[language] += name not in OF_ONE_VIEW


@pytest.mark.usefixtures("unpainted")
@pytest.mark.parametrize(
    "name, language, first", [pytest.param(*one, id=f"{one[0]}-{one[1]}") for one in walks()]
)
async def test_every_view_is_whole_at_every_size(name: str, language: str, first: int) -> None:
    """The dashboard of a scene at every second size, the other views at one: each next scene has
    the next size, so that all sizes of a view are walked through."""
    app = stage.app(SCENES[name](), config=ScreenConfig(language=language))
    found = []
    async with app.run_test(size=SIZES[first % len(SIZES)]) as pilot:
        await pilot.pause()
        found += wrong(app)
        for at, key in enumerate(VIEWS[: 1 if name in OF_ONE_VIEW else None]):
            for size in SIZES[first % 2 :: 2] if not key else [SIZES[(first + at) % len(SIZES)]]:
                await pilot.press(*filter(None, [key]))
                found += [f"{key}: {one}" for one in await wrong_at(pilot, app, size)]
            if key:
                await pilot.press("r" if key == "r" and len(app.snapshot.runs) > 1 else "escape")
    assert found == []


def test_the_walks_pair_every_view_and_language_with_every_size() -> None:
    walked = {
        (key, language, SIZES[(first + at) % len(SIZES)])
        for name, language, first in walks()
        for at, key in enumerate(VIEWS)
        if name not in OF_ONE_VIEW
    }
    assert walked == set(product(VIEWS, ("en", "zh"), SIZES))


async def test_the_box_of_metrics_says_which_are_in_view() -> None:
    app = stage.app(sixty_metrics())
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause()
        metrics = app.screen.query_one(Metrics)
        assert f" 1-24/{len(metrics.entries)} ─╯" in "\n".join(rows(app))
        metrics.focus()
        await pilot.press(*["down"] * 24)
        await pilot.pause()
        assert f" 2-25/{len(metrics.entries)} ─╯" in "\n".join(rows(app))


@pytest.mark.parametrize(
    "key, hint",
    [
        ("d", "─ esc back ─"),
        ("t", "─ enter apply  esc cancel ─"),
        ("w", "─ esc back ─"),
        ("ctrl+p", "enter select  esc back ─"),
        ("l", "enter chart  / search  e error  → scroll  esc back ─"),
    ],
)
async def test_a_page_says_what_can_be_done_and_how_it_is_left(key: str, hint: str) -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert any(hint in row for row in rows(app)), rows(app)


async def test_the_hints_name_the_keys_that_the_user_has_set() -> None:
    config = ScreenConfig(keys={"page.search": "ctrl+f", "page.back": "backspace"})
    app = stage.app(stage.snapshot(stage.healthy()), config=config)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("l")
        await pilot.pause()
        assert "ctrl+f search  e error  → scroll  backspace back ─" in rows(app)[-1]
        await pilot.press("backspace")
        assert app.screen.title_word == ""
