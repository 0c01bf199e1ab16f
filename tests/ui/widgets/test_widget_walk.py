"""Every view of every scene at every size: all in place, whole, and beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widget import Widget

from benchmarks.frames import broken_frames
from lossmon.types import Kind, Meaning, Snapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.text.lines import plain
from lossmon.ui.widgets.metrics import Metrics
from lossmon.ui.widgets.panel import Panel
from tests.ui import stage
from tests.ui.test_app_sizes import faults, rows

SIZES = ((40, 15), (80, 24), (120, 40), (200, 50), (20, 6))
VIEWS = ("", "enter", "r", "c", "u", "d", "l", "t", "ctrl+p", "w", "question_mark")
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
            Meaning(f"{name}/{at}", f"{name} {at}", kind=Kind.METRIC), steps, steps * 10.0**-at
        )
        for at, name in enumerate(("rewards/accuracy_reward_func/mean", "指标", "kl") * 20)
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


def cut(app: LossmonApp) -> Iterator[str]:
    """Lines of text that are wider than the widget that shows them."""
    for panel in app.screen.query(Panel):
        room = panel.content_size.width
        if not panel.display or not panel.region:
            continue
        for line in panel._lines:
            if cell_len(plain(line).rstrip()) > room:
                yield f"{panel}: {plain(line)!r} is wider than {room}"


def overlapping(app: LossmonApp) -> Iterator[str]:
    """Widgets with one parent that stand in the same cells."""
    for parent in app.screen.walk_children(Widget, with_self=True):
        shown = [one for one in parent.children if one.display and one.region]
        for one, other in combinations(shown, 2):
            if one.region.overlaps(other.region):
                yield f"{one} {one.region} stands on {other} {other.region}"


def wrong(app: LossmonApp, size: tuple[int, int]) -> list[str]:
    """All that is wrong with the screen as it stands."""
    screen = rows(app)
    found = [*faults(app), *cut(app), *overlapping(app)]
    found += [f"{row!r} is not {size[0]} wide" for row in screen if cell_len(row) != size[0]]
    # Below 40 columns corners may be all that is left of a frame.
    return found + (broken_frames(screen, size[0]) if size[0] >= 40 else [])


async def lasting(app: LossmonApp, pilot: Pilot[None], size: tuple[int, int]) -> list[str]:
    """What is wrong with the screen once it stands."""
    for _ in range(10):
        await pilot.pause()
        found = wrong(app, size)
        if not found:
            break
    return found


OF_ONE_VIEW = {"no-gpu", "eight-gpus", "loading"}
"""Scenes that the other views do not tell apart."""


@pytest.mark.parametrize(
    "name, language",
    [*((name, "en") for name in SCENES), ("overfitting", "zh"), ("fleet", "zh"), ("chinese", "zh")],
)
async def test_every_view_is_whole_at_every_size(name: str, language: str) -> None:
    app = stage.app(SCENES[name](), config=ScreenConfig(language=language))
    found = []
    async with app.run_test(size=SIZES[0]) as pilot:
        for key in VIEWS[: 1 if name in OF_ONE_VIEW else None]:
            await pilot.press(*filter(None, [key]))
            for size in SIZES:
                await pilot.resize_terminal(*size)
                found += [f"{key} {size}: {fault}" for fault in await lasting(app, pilot, size)]
            await pilot.press("r" if key == "r" and len(app.snapshot.runs) > 1 else "escape")
    assert found == []


async def test_the_box_of_metrics_says_which_are_in_view() -> None:
    app = stage.app(sixty_metrics())
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause()
        metrics = app.screen.query_one(Metrics)
        assert f" 1-24/{len(metrics.series)} ─╯" in "\n".join(rows(app))
        metrics.focus()
        await pilot.press(*["down"] * 24)
        await pilot.pause()
        assert f" 2-25/{len(metrics.series)} ─╯" in "\n".join(rows(app))


@pytest.mark.parametrize(
    "key, hint",
    [
        ("d", "─ esc back ─"),
        ("t", "─ enter take  esc back ─"),
        ("w", "─ esc back ─"),
        ("ctrl+p", "enter do  esc back ─"),
        ("l", "enter chart  / search  e error  esc back ─"),
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
        assert "ctrl+f search  e error  backspace back ─" in rows(app)[-1]
        await pilot.press("backspace")
        assert app.screen.title_word == ""
