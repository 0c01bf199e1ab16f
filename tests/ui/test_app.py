"""The app: data come in, keys change the view, failures are said."""

from __future__ import annotations

import gc
import math
from dataclasses import replace
from weakref import ref

import numpy as np
import pytest
from rich.console import RenderableType
from textual.screen import Screen

from lossmon.errors import ConfigError
from lossmon.types import Snapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.follower import SnapshotReady
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.screens.base.page_screen import PageScreen
from lossmon.ui.screens.base.scene_screen import SceneScreen
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.diagnosis import DiagnosisScreen
from lossmon.ui.screens.help import HelpScreen
from lossmon.ui.screens.log import LogScreen
from lossmon.ui.widgets.charts.pane import LossPane
from tests.ui import stage
from tests.ui.screen import rows, text, until


async def test_the_first_frame_shows_what_was_known_before() -> None:
    async with stage.app(stage.snapshot(stage.overfitting())).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        shown = text(pilot.app)  # type: ignore[arg-type]
    for part in ("sft-qwen-7b", "● running", "1,240 / 3,000", "OVERFITTING", "eval 1.6", "GPU0"):
        assert part in shown


async def test_new_data_replace_the_old() -> None:
    app = stage.app(stage.waiting())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "waiting for" in text(app)
        app.post_message(SnapshotReady(stage.snapshot(stage.healthy())))
        await pilot.pause()
        assert "waiting for" not in text(app)
        assert "HEALTHY" in text(app)


async def test_no_picture_of_a_view_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures: list[int] = []
    display = LossmonApp._display

    def noted(self: LossmonApp, screen: Screen[None], update: RenderableType | None) -> None:
        if update is not None and not self._batch_count:
            pictures.append(len("".join(text(self).split())))
        display(self, screen, update)

    monkeypatch.setattr(LossmonApp, "_display", noted)
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(80, 24)) as pilot:
        for key in ("d", "question_mark", "m", "enter", "w"):
            await pilot.pause()
            pictures.clear()
            await pilot.press(key)
            await pilot.pause()
            assert min(pictures) > 0.6 * pictures[-1], key
            await pilot.press("escape")


@pytest.mark.parametrize("key", ["d", "l", "question_mark", "w"])
async def test_the_first_picture_of_a_page_has_its_edges(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    edges: list[str] = []
    display = LossmonApp._display

    def noted(self: LossmonApp, screen: Screen[None], update: RenderableType | None) -> None:
        if update is not None and not self._batch_count and isinstance(screen, PageScreen):
            edges.append(text(self).splitlines()[-1])
        display(self, screen, update)

    monkeypatch.setattr(LossmonApp, "_display", noted)
    run = replace(stage.overfitting(), log=tuple(f"line {at}" for at in range(90)))
    app = stage.app(stage.snapshot(run))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        await until(pilot, lambda: bool(edges))
        await pilot.pause()
        assert edges[0] == edges[-1] and "esc" in edges[0]


async def test_columns_that_are_shown_no_more_are_freed() -> None:
    """A long log is first shown half read; what it holds then must not stay beside the rest."""
    steps = np.arange(1, 101)
    first = stage.series(stage.TRAIN_LOSS, steps, np.full(100, 0.5))
    known = ref(first.values)
    app = stage.app(stage.snapshot(replace(stage.healthy(), series=(first,), train=0, eval=None)))
    del first
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert known() is not None
        app.post_message(SnapshotReady(stage.snapshot(stage.healthy())))
        await pilot.pause()
        app.source.snapshot = app.snapshot
        await until(pilot, lambda: gc.collect() >= 0 and known() is None)


async def test_a_frozen_view_ignores_new_data_until_it_goes_on() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("space")
        app.post_message(SnapshotReady(stage.snapshot(stage.overfitting())))
        await pilot.pause()
        assert "paused" in text(app)
        assert "HEALTHY" in text(app)
        await pilot.press("space")
        app.post_message(SnapshotReady(stage.snapshot(stage.overfitting())))
        await pilot.pause()
        assert "paused" not in text(app)
        assert "OVERFITTING" in text(app)


@pytest.mark.parametrize(
    "key, view",
    [("d", DiagnosisScreen), ("l", LogScreen), ("question_mark", HelpScreen)],
)
async def test_a_key_opens_a_view_and_closes_it_again(key: str, view: type[SceneScreen]) -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        assert isinstance(app.screen, view)
        await pilot.press(key)
        assert isinstance(app.screen, Dashboard)
        await pilot.press(key)
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)


@pytest.mark.parametrize(
    "key, field, values",
    [
        ("y", "log", [True, False]),
        ("plus", "smoothing", [0.8, 0.9]),
        ("minus", "smoothing", [0.3, 0.0, 0.0]),
        ("0", "smoothing", [0.0, 0.6]),
        ("x", "x", ["epoch", "time", "step"]),
        ("o", "robust", [False, True]),
        ("a", "own", [False, True]),
        ("g", "recent", [True, False]),
        ("number_sign", "guides", ["horizontal", "grid", "none"]),
        ("v", "overlaid", [True, False]),
        ("1", "hidden", [set(), {"train"}, set()]),
        ("2", "hidden", [set(), {"eval"}, set()]),
        ("3", "hidden", [set(), {"metrics"}, set()]),
        ("4", "hidden", [set(), {"hardware"}, set()]),
        ("5", "hidden", [set(), {"log"}, set()]),
        ("6", "hidden", [set(), {"verdicts"}, set()]),
    ],
)
async def test_a_key_changes_how_the_charts_look(
    key: str, field: str, values: list[object]
) -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        for value in values:
            await pilot.press(key)
            assert getattr(app.charts.settings, field) == value


async def test_the_chosen_run_stays_in_view_when_others_appear_before_it() -> None:
    several = stage.several()
    app = stage.app(several)
    async with app.run_test(size=(80, 24)) as pilot:
        app.runs.choose(1)
        chosen = app.scene.run
        turned = stage.snapshot(*reversed(several.runs))
        app.post_message(SnapshotReady(turned))
        await pilot.pause()
        assert app.scene.run is chosen


async def test_enter_opens_the_badge_s_diagnosis_and_zooms_the_verdicts() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        dashboard = app.screen
        assert isinstance(dashboard, Dashboard)
        dashboard.badge.focus()
        await pilot.press("enter")
        assert isinstance(app.screen, DiagnosisScreen)
        await pilot.press("escape")
        dashboard.verdicts.focus()
        await pilot.press("enter")
        await pilot.pause()
        assert not dashboard.losses.display
        assert dashboard.verdicts.size.width > 100
        await pilot.press("escape")
        await pilot.pause()
        assert dashboard.losses.display


async def test_a_click_on_the_badge_opens_the_diagnosis() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.click("#badge")
        assert isinstance(app.screen, DiagnosisScreen)


async def test_a_key_copies_the_verdict_then_the_checkpoint_and_the_chosen_metric() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("Y")
        await until(pilot, lambda: app.clipboard.startswith("sft-qwen-7b: OVERFITTING, "))
        await until(pilot, lambda: "verdict: sft-qwen-7b" in text(app))
        await pilot.press("Y")
        await until(pilot, lambda: app.clipboard == "checkpoint-700")
        assert isinstance(app.screen, Dashboard)
        app.screen.metrics.focus()
        await pilot.press("Y")
        run = app.scene.run
        assert run is not None
        await until(pilot, lambda: app.clipboard in {f"{one.last:.10g}" for one in run.series})


async def test_enter_on_the_log_opens_it_full_screen() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        assert isinstance(app.screen, Dashboard)
        app.screen.tail.focus()
        await pilot.press("enter")
        assert isinstance(app.screen, LogScreen)


async def test_a_click_on_a_key_of_the_footer_does_what_the_key_does() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        row = text(app).splitlines()[-1]
        await pilot.click("#keys", offset=(row.index("log axis"), 0))
        assert app.charts.settings.log
        await pilot.click("#keys", offset=(row.index("diagnosis"), 0))
        await pilot.pause()
        assert isinstance(app.screen, DiagnosisScreen)


async def test_q_quits() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


async def test_a_reader_that_fails_is_shown_and_the_data_stay() -> None:
    class Dying(stage.Still):
        def poll(self, budget: float, *, judge: bool = True) -> Snapshot:
            raise RuntimeError("[/x] disk on fire")

    known = stage.snapshot(stage.healthy())
    config = ScreenConfig(initial=known)
    app = LossmonApp(Dying(known), config, clock=lambda: stage.NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "disk on fire" in text(app))
        assert "HEALTHY" in text(app)


def test_an_unknown_theme_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"theme nord2: not found; .*did you mean nord\?"):
        stage.app(stage.snapshot(stage.healthy()), config=ScreenConfig(theme="nord2"))


async def test_a_key_can_be_given_to_another_action() -> None:
    config = ScreenConfig(keys={"run.pause": "f"})
    app = stage.app(stage.snapshot(stage.healthy()), config=config)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f")
        assert app.follower.paused
        await pilot.press("question_mark")
        await pilot.pause()
        assert "Pause / resume" in text(app)


async def test_every_binding_has_an_id_and_stands_in_the_help() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(120, 240)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        shown = text(app)
        for binding in (key for group in app.key_groups.values() for key in group):
            assert binding.id
            assert binding.tooltip in shown


async def test_a_chart_with_the_focus_has_a_cursor_with_its_numbers() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        dashboard = app.screen
        assert isinstance(dashboard, Dashboard)
        pane = dashboard.losses.panes["train"]
        pane.focus()
        await pilot.press("right")
        await pilot.pause()
        assert "step 1,240  train loss 0.5" in text(app)
        await pilot.press("left", "shift+left")
        await pilot.pause()
        far = pane.viewport.cursor
        assert far is not None and far <= 1219
        assert f"step {far:,.0f}" in text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert f"step {far:,.0f}" not in text(app)
        assert pane.has_focus


async def test_a_chart_without_points_has_no_cursor() -> None:
    app = stage.app(stage.waiting())
    async with app.run_test(size=(120, 40)) as pilot:
        assert isinstance(app.screen, Dashboard)
        pane = app.screen.losses.panes["train"]
        pane.action_move(1)
        await pilot.pause()
        assert pane.viewport.cursor is None


def test_a_clock_that_ticks_while_the_app_ends_does_no_harm() -> None:
    """The last tick may come when the screens are already gone."""
    app = stage.app(stage.snapshot(stage.healthy()))
    assert app.view is None
    app.tick()
    app.present()


async def test_the_rise_of_an_overfitted_eval_loss_is_seen() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        pane = app.screen.query_one("#eval", LossPane)
        picture = pane.chart.picture
        assert picture is not None
        marked = [y for y, row in enumerate(picture.text.splitlines()) if "▼" in row]
        assert marked[0] >= 6  # The curve ends in the first row, the minimum lies below it.


async def test_a_run_without_evals_has_no_empty_pane() -> None:
    app = stage.app(stage.snapshot(stage.without_eval()))
    async with app.run_test(size=(120, 40)):
        assert [pane.id for pane in app.screen.query(LossPane) if pane.display] == ["train"]


async def test_a_click_on_the_hint_of_a_key_presses_it() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        for key in ("d", "enter", "w"):
            await pilot.press(key)
            assert not isinstance(app.screen, Dashboard)
            await pilot.pause()
            y, x = next(
                (y, row.index("esc back")) for y, row in enumerate(rows(app)) if "esc back" in row
            )
            await pilot.click(offset=(x - 2, y))
            assert not isinstance(app.screen, Dashboard)
            await pilot.click(offset=(x + 5, y))
            await pilot.pause()
            assert isinstance(app.screen, Dashboard)


async def test_closed_views_are_freed_once_no_key_has_come_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    freed: list[bool] = []
    monkeypatch.setattr("lossmon.ui.app.forget_closed_widgets", lambda: freed.append(True))
    monkeypatch.setattr("lossmon.ui.app.TICK", 0.02)
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        app.follower.last_key = math.inf
        await pilot.press("d")
        app.pop_screen()
        app.follower.last_key = math.inf
        app._forget()
        assert not freed
        app.follower.last_key = -math.inf
        await until(pilot, lambda: freed == [True])
