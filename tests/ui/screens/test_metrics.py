"""The metrics view: every metric a chart, found, sorted, pinned and opened by key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from weakref import ref

import numpy as np
import pytest
from textual.events import MouseScrollUp
from textual.geometry import Size

from lossmon.types import Meaning, RunSnapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.follower import SnapshotReady
from lossmon.ui.metrics.charts import SCALES, grid_of
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.detail import DetailScreen
from lossmon.ui.screens.metrics import MetricsScreen
from lossmon.ui.state.preferences import Preferences
from lossmon.ui.text.lines import plain
from tests.ui import stage
from tests.ui.screen import text, until


def layered(layers: int = 12) -> RunSnapshot:
    """A run that logs two values per layer."""
    run, steps = stage.overfitting(), np.arange(1, 401)
    norms = tuple(
        stage.series(
            Meaning(tag := f"{what}/h.{layer}.attn", tag),
            steps,
            np.sin(steps / 50 + layer) + layer,
        )
        for what in ("act", "norm")
        for layer in range(layers)
    )
    return replace(run, series=(*run.series, *norms))


def app_of(config: ScreenConfig | None = None) -> LossmonApp:
    return stage.app(stage.snapshot(layered()), config=config)


def view(app: LossmonApp) -> MetricsScreen:
    assert isinstance(app.screen, MetricsScreen)
    return app.screen


def names(app: LossmonApp) -> list[str]:
    return [one.name for one in view(app).shown]


ALL = ["train loss", "eval loss", "learning rate", "eval accuracy", "grad norm", "gap", "tokens/s",
       "act/h.*.attn", "norm/h.*.attn"]  # fmt: skip


async def test_a_view_has_no_more_panes_than_places_for_its_charts() -> None:
    app = app_of()
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.press("m")
        await pilot.pause()
        grid = view(app).grid
        assert len(view(app).shown) == 9
        assert len(grid.panes) == grid.columns * grid.rows == 10


async def test_a_page_of_many_curves_is_drawn_in_parts_below_the_names_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lossmon.ui.widgets.metric_grid.MOST_CURVES", 3)
    app = app_of()

    def drawn(screen: MetricsScreen) -> int:
        return sum(bool(pane.chart.model.curves) for pane in screen.grid.panes)

    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause()
        first = MetricsScreen(app)
        first.present(app.scene)
        assert 0 < drawn(first) < 9
        titles = [plain(pane.upper.parts[0][1]) for pane in first.grid.panes[:9]]
        assert all(title.startswith(name[:7]) for title, name in zip(titles, ALL, strict=True))
        await pilot.press("m")
        await until(pilot, lambda: drawn(view(app)) == 9)


@pytest.mark.parametrize(
    ("size", "grid"),
    [((40, 15), (1, 2)), ((80, 24), (2, 2)), ((120, 40), (3, 4)), ((8, 3), (1, 1))],
)
def test_columns_and_rows_follow_the_terminal(size: tuple[int, int], grid: tuple[int, int]) -> None:
    assert grid_of(Size(*size)) == grid


def test_charts_can_be_fewer_and_larger_or_more_and_smaller() -> None:
    counts = [columns * rows for columns, rows in (grid_of(Size(200, 50), at) for at in SCALES)]
    assert counts == sorted(counts, reverse=True) and counts[0] > 25 > counts[-1]


async def test_the_view_shows_losses_first_and_layers_as_groups() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m")
        await pilot.pause()
        assert names(app) == ALL
        shown = text(app)
        assert "train loss 0.5" in shown
        assert "norm/h.*.attn" in shown
        assert "×12" in shown
        await pilot.press("m")
        assert isinstance(app.screen, Dashboard)


async def test_what_is_typed_filters_at_once_and_escape_drops_it() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "slash", *"nor")
        assert names(app) == ["grad norm", "norm/h.*.attn"]
        await pilot.press("m", "enter", "escape")
        assert names(app) == ALL
        await pilot.press("slash", *"act/*1.")
        assert names(app) == []
        await pilot.press("asterisk")
        assert names(app) == ["act/h.1.attn", "act/h.11.attn"]


async def test_a_broken_pattern_is_named_and_keeps_the_list() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "slash", *"norm(")
        await pilot.pause()
        assert names(app) == ["grad norm", "norm/h.*.attn"]
        assert "unterminated" in text(app)


async def test_enter_opens_a_group_and_then_a_chart() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "end", "enter")
        assert names(app) == [f"norm/h.{at}.attn" for at in range(12)]
        await pilot.press("right", "down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        assert "norm/h.4.attn" in text(app)
        await pilot.press("escape", "escape")
        assert names(app) == ALL
        assert view(app).chosen == len(ALL) - 1


async def test_pages_and_edges_move_the_choice() -> None:
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("m", "pagedown")
        await pilot.pause()
        assert view(app).top == 4
        assert "5-8/9" in text(app)
        await pilot.press("end")
        assert view(app).chosen == 8
        await pilot.press("home", "down", "left")
        assert view(app).chosen == 1


async def test_metrics_are_sorted_by_the_next_key() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "s")
        assert names(app) == sorted(ALL, key=str.casefold)
        await pilot.press("s", "s")
        assert names(app) == ALL


async def test_one_chart_gets_a_logarithmic_axis_where_it_has_values_above_zero() -> None:
    falling = stage.series(Meaning("low", "low"), np.arange(1, 401), np.linspace(-2, -1, 400))
    run = stage.overfitting()
    app = stage.app(stage.snapshot(replace(run, series=(*run.series, falling))))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "right", "right", "y")
        await pilot.pause()
        assert [one.chart.options.log_y for one in view(app).grid.panes[:4]] == [
            False,
            False,
            True,
            False,
        ]
        assert text(app).count("log y") == 2  # in its title and in the footer
        await pilot.press("y")
        assert not view(app).grid.panes[2].chart.options.log_y
        await pilot.press("end", "y")
        await pilot.pause()
        assert not view(app).grid.panes[7].chart.options.log_y
        said = [one.message for one in app._notifications]
        assert said == ["no value above zero for a logarithmic axis"]


async def test_the_log_axis_of_a_chart_is_one_choice_in_every_view() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        dashboard = app.screen
        assert isinstance(dashboard, Dashboard)
        await pilot.press("m", "y", "enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen) and app.screen.chart.options.log_y
        await pilot.press("n")
        assert not app.screen.chart.options.log_y
        await pilot.press("escape", "escape")
        await pilot.pause()
        panes = dashboard.losses.panes
        assert [panes[name].chart.options.log_y for name in ("train", "eval")] == [True, False]
        await pilot.press("y")
        assert [panes[name].chart.options.log_y for name in ("train", "eval")] == [False, False]
        await pilot.press("y", "m")
        assert [one.chart.options.log_y for one in view(app).grid.panes[:3]] == [True, True, False]


async def test_a_pinned_metric_stands_first_on_the_dashboard_and_is_kept(tmp_path: Path) -> None:
    app = app_of(ScreenConfig(state=tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "end", "space")
        await pilot.pause()
        assert "★ norm/h" in text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)
        assert app.screen.metrics.entries[0].name == "norm/h.*.attn"
    assert Preferences(tmp_path).pins == {"norm/h.*.attn"}


async def test_a_click_chooses_and_two_open() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m")
        await pilot.pause()
        await pilot.click(view(app).grid.panes[4], offset=(20, 5))
        assert view(app).chosen == 4
        # Every chart of the page says what its nearest point is.
        found = [plain(pane.lower.parts[0][1]).split()[0] for pane in view(app).grid.panes[:6]]
        assert set(found) == {"@684", "@700"}
        await pilot.press("escape")
        assert view(app).grid.cursor is None
        before = view(app).grid.columns
        await pilot.press("z")
        assert view(app).grid.columns < before
        await pilot.click(view(app).grid.panes[2], times=2)
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)


async def test_all_charts_zoom_at_the_mouse_and_by_keys() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m")
        await pilot.pause()
        panes = view(app).grid.panes[:6]
        pane = panes[0].chart
        around = pane.content_region
        at = pane.position_at(20)
        wheel = (None, 20, 4, 0, -1, 0, False, False, True, around.x + 20, around.y + 4)
        pane.post_message(MouseScrollUp(*wheel))
        await pilot.pause()
        spans = {one.chart.options.x_range for one in panes}
        assert len(spans) == 1 and at is not None
        span = spans.pop()
        assert span is not None and span[0] > 0 and span[0] < at < span[1] < 1240
        assert pane.position_at(20) == pytest.approx(at, abs=span[1] / 20)
        await pilot.press("greater_than_sign", "greater_than_sign")
        closer = pane.options.x_range
        assert closer is not None and closer[1] - closer[0] == pytest.approx(
            (span[1] - span[0]) / 4
        )
        await pilot.press("escape")
        assert {one.chart.options.x_range for one in panes} == {None}


async def test_a_chart_that_comes_back_shows_its_new_metric() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "slash", *"loss", "enter")
        await pilot.pause()
        await pilot.press("escape", "end", "enter")
        await pilot.pause()
        assert "train loss" not in text(app)


async def test_new_points_reach_the_charts() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m")
        await pilot.pause()
        longer = stage.series(stage.TRAIN_LOSS, np.arange(1, 1401), np.full(1400, 0.25))
        run = layered()
        run = replace(run, series=(longer, *run.series[1:]))
        app.post_message(SnapshotReady(stage.snapshot(run)))
        await pilot.pause()
        assert "train loss 0.25" in text(app)


async def test_the_dashboard_filters_its_panel_and_opens_a_group() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("slash", *"norm")
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)
        panel = app.screen.metrics
        assert [one.name for one in panel.entries] == ["grad norm", "norm/h.*.attn"]
        assert "/norm▏" in text(app)
        await pilot.press("enter")
        panel.focus()
        await pilot.press("down", "down", "enter")
        assert names(app) == [f"norm/h.{at}.attn" for at in range(12)]
        await pilot.press("escape", "escape", "escape", "escape")
        assert panel.filter == ""


async def test_a_closed_view_holds_no_columns_until_garbage_is_searched_for() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m")
        await pilot.pause()
        closed, held = app.screen, ref(app.scene.snapshot.runs[0].series[0].values)
        await pilot.press("escape")
        await pilot.pause()
        app.source.snapshot = stage.snapshot(stage.healthy())
        app.post_message(SnapshotReady(app.source.snapshot))
        await until(pilot, lambda: held() is None)
        assert not closed.is_attached
