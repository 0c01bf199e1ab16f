"""Several runs over each other: which, by what, and every key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lossmon.types import Meaning, RunSnapshot, Snapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.chart.model import ChartSettings, XAxis
from lossmon.ui.compare.runs import LETTERS, baseline_of, chosen_runs, metrics_in, metrics_of
from lossmon.ui.follower import SnapshotReady
from lossmon.ui.scene import Scene, ScreenConfig
from lossmon.ui.screens.compare import CompareScreen
from lossmon.ui.screens.configuration import ConfigurationScreen
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.metrics import MetricsScreen
from lossmon.ui.state.session import RunLetters
from lossmon.ui.terminal import Terminal
from lossmon.ui.text.lines import plain
from tests.ui import stage
from tests.ui.screen import SIZES, TINY, faults, rows, text, wrong_at


def one(name: str, *, seed: int = 0, lead: float = 0.0, **settings: str) -> RunSnapshot:
    """A run whose losses lie higher by `lead`."""
    rng = np.random.default_rng(seed)
    train = stage.falling(1200, noise=0.0) + rng.normal(0, 0.05, 1200) + lead
    evaluated = 1.2 + 0.5 * np.exp(-np.arange(24) / 6) + rng.normal(0, 0.004, 24) + lead
    made = stage.run(stage.HEALTHY, name=name, n=1200, train=train, evaluated=evaluated)
    return replace(made, settings=settings)


def three() -> Snapshot:
    """A baseline, a run of the same kind, and one that is worse."""
    return stage.snapshot(
        one("baseline", learning_rate="1e-4", seed_="1"),
        one("same", seed=1, learning_rate="1e-4", seed_="2"),
        one("worse", seed=2, lead=0.2, learning_rate="3e-4", seed_="3"),
    )


def view_of(app: LossmonApp) -> CompareScreen:
    assert isinstance(app.screen, CompareScreen)
    return app.screen


def line_of(app: LossmonApp, name: str) -> str:
    return next(row for row in rows(app) if f" {name} " in row)


async def test_c_opens_the_comparison_and_closes_it_again() -> None:
    app = stage.app(three())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c")
        view_of(app)
        await pilot.press("c")
        assert isinstance(app.screen, Dashboard)


async def test_a_real_difference_is_told_from_noise() -> None:
    app = stage.app(three())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c")
        await pilot.pause()
        assert "baseline" in line_of(app, "baseline")[30:]
        assert "within noise" in line_of(app, "same")
        assert "+0.20" in line_of(app, "worse")
        assert "±" in line_of(app, "worse")


async def test_the_settings_that_differ_are_told() -> None:
    app = stage.app(three())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c")
        await pilot.pause()
        assert "learning_rate" in text(app) and "3e-4" in text(app)
    paths = [f"/scratch/a-long-path-to/experiments/of/this/week/{end}" for end in ("one", "two")]
    app = stage.app(stage.snapshot(*(one(path[-3:], out=path) for path in paths)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        await pilot.pause()
        assert "week/one" in line_of(app, "out ") and "week/two" in line_of(app, "out ")
    same = stage.snapshot(one("one", lr="1"), one("two", lr="1.0"))
    app = stage.app(same)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c")
        await pilot.pause()
        assert "settings are the same" in "\n".join(rows(app))


@pytest.mark.parametrize("key, by", [("tab", 1), ("n", 1), ("shift+tab", -1), ("p", -1)])
async def test_a_key_steps_through_the_metrics(key: str, by: int) -> None:
    app = stage.app(three())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        view = view_of(app)
        keys = [metric.key for metric in view.comparison.metrics]
        for turn in range(len(keys) + 1):
            assert view.comparison.metric is not None
            assert view.comparison.metric.key == keys[by * turn % len(keys)]
            await pilot.press(key)
        await pilot.pause()
        assert keys[:2] == ["eval", "train"]


@pytest.mark.parametrize("down, up", [("down", "up"), ("j", "k"), ("end", "home"), ("G", "home")])
async def test_the_choice_moves_and_stops_at_the_ends(down: str, up: str) -> None:
    app = stage.app(three())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c", *[down] * 4)
        view = view_of(app)
        assert view.comparison.chosen == Path("/runs/worse")
        assert view.chart.model.curves[0].letter == "c"
        assert [curve.style for curve in view.chart.model.curves] == [
            "series-3",
            "series-1-calm",
            "series-2-calm",
        ]
        await pilot.press(*[up] * 4)
        assert view.comparison.chosen == Path("/runs/baseline")


async def test_enter_opens_the_chosen_run() -> None:
    app = stage.app(three())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c", "down", "enter")
        assert isinstance(app.screen, Dashboard)
        assert app.scene.run is not None
        assert app.scene.run.name == "same"


async def test_b_makes_the_chosen_run_the_baseline() -> None:
    app = stage.app(three())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c", "end", "b")
        await pilot.pause()
        assert "baseline" in line_of(app, "worse")
        assert "−0.19" in line_of(app, "same")


def test_a_run_whose_loss_is_nan_is_not_the_baseline() -> None:
    broken, sound = stage.non_finite(), one("sound")
    assert baseline_of([broken, sound], broken.path) == sound.path
    assert baseline_of([broken, sound], sound.path) == sound.path
    assert baseline_of([broken, sound], None) == sound.path
    assert baseline_of([broken], broken.path) is None
    # A log may print 0.0 for a loss that is not a number: the verdict knows.
    masked = replace(one("masked"), diagnosis=broken.diagnosis)
    assert baseline_of([masked, sound], masked.path) == sound.path


async def test_the_baseline_moves_away_from_a_run_that_becomes_nan_unless_it_was_picked() -> None:
    snapshot = three()
    first, *rest = snapshot.runs
    broken = replace(first, diagnosis=stage.non_finite().diagnosis)
    app = stage.app(snapshot)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        view = view_of(app)
        assert view.comparison.base == first.path
        app.post_message(SnapshotReady(replace(snapshot, runs=(broken, *rest))))
        await pilot.pause()
        assert view.comparison.base == rest[0].path
        await pilot.press("home", "b")
        assert view.comparison.base == first.path


async def test_a_run_is_hidden_and_shown_again() -> None:
    app = stage.app(three())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c", "down", "space")
        await pilot.pause()
        view = view_of(app)
        assert [curve.letter for curve in view.chart.model.curves] == ["a", "c"]
        assert "hidden" in line_of(app, "same")
        await pilot.press("space")
        assert len(view.chart.model.curves) == 3
        assert not app.follower.paused


async def test_a_hidden_baseline_is_still_compared_with() -> None:
    app = stage.app(three())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c", "space")
        await pilot.pause()
        assert "+0.20" in line_of(app, "worse")


async def test_arrows_move_the_cursor_and_the_runs_are_compared_there() -> None:
    app = stage.app(three())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c", "left", "left")
        await pilot.pause()
        assert view_of(app).at == 1150 and "@1.15k" in text(app)
        await pilot.press("X")
        assert view_of(app).at == pytest.approx(1150)
        assert view_of(app).chart.model.log_x


async def test_the_marked_runs_are_compared() -> None:
    app = stage.app(three())
    async with app.run_test(size=(80, 24)) as pilot:
        app.runs.mark(Path("/runs/same"))
        app.runs.mark(Path("/runs/worse"))
        await pilot.press("c")
        assert [row.run.name for row in view_of(app).rows] == ["same", "worse"]


def test_one_mark_is_compared_with_the_run_in_view() -> None:
    scene = Scene(three(), index=0, marked=frozenset({Path("/runs/worse")}))
    assert sorted(chosen_runs(scene)[0]) == [0, 2]


def test_of_many_runs_the_newest_are_shown_and_the_others_are_counted() -> None:
    runs = [one(f"run-{at}") for at in range(12)]
    chosen, left_out = chosen_runs(Scene(stage.snapshot(*runs), index=11))
    assert chosen[0] == 11
    assert (len(chosen), left_out) == (8, 4)


async def test_how_many_runs_are_not_shown_is_told() -> None:
    app = stage.app(stage.snapshot(*[one(f"run-{at}") for at in range(12)]))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        await pilot.pause()
        assert "4 more not shown" in "\n".join(rows(app))


def test_a_run_keeps_its_letter_while_others_come_and_go() -> None:
    letters, paths = RunLetters(), [Path(name) for name in LETTERS]
    assert letters.of(paths[:3]) == {paths[0]: 0, paths[1]: 1, paths[2]: 2}
    assert letters.of([paths[2], paths[5]]) == {paths[2]: 2, paths[5]: 3}
    everyone = letters.of(paths)
    assert sorted(everyone.values()) == list(range(8))
    fresh = Path("new")
    assert letters.of([*paths[1:], fresh])[fresh] == everyone[paths[0]]


async def test_one_run_alone_says_so() -> None:
    app = stage.app(stage.snapshot(one("alone")))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        await pilot.pause()
        assert "one run alone" in "\n".join(rows(app))


async def test_no_run_at_all_is_no_trouble() -> None:
    app = stage.app(Snapshot())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c", "down", "b", "h", "n", "enter", "pagedown", "x")
        await pilot.pause()
        assert faults(app) == []


async def test_a_run_that_goes_away_takes_its_place_with_it() -> None:
    snapshot = three()
    app = stage.app(snapshot)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c", "end", "b")
        view = view_of(app)
        view.present(replace_snapshot(app.scene, snapshot.runs[:2]))
        assert [row.run.name for row in view.rows] == ["baseline", "same"]
        assert view.comparison.base == view.comparison.chosen == Path("/runs/baseline")


def replace_snapshot(scene: Scene, runs: tuple[RunSnapshot, ...]) -> Scene:
    return Scene(stage.snapshot(*runs), 0, scene.chart_settings, scene.now)


def counting(run: RunSnapshot, per_step: int) -> RunSnapshot:
    """The run, counting its tokens."""
    steps = np.arange(10, 1201, 10)
    tokens = stage.series(
        Meaning("tokens", "tokens seen", unit="tok"), steps, steps * per_step * 1.0
    )
    return replace(run, series=(*run.series, tokens))


async def test_runs_can_be_compared_by_tokens() -> None:
    snapshot = stage.snapshot(counting(one("small"), 1000), counting(one("large", seed=1), 4000))
    app = stage.app(snapshot, config=ScreenConfig(chart_settings=ChartSettings(x=XAxis.TOKENS)))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c")
        await pilot.pause()
        view = view_of(app)
        ends = {curve.letter: float(curve.x[-1]) for curve in view.chart.model.curves}
        assert ends == {"a": 1.2e6, "b": 4.8e6}
        assert "by tokens" in rows(app)[0]
        assert "@1.2M" in "\n".join(rows(app))


async def test_x_skips_an_axis_that_no_run_has() -> None:
    app = stage.app(three())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        seen = []
        for _ in range(4):
            await pilot.press("x")
            seen.append(view_of(app).x)
        assert seen == [XAxis.EPOCH, XAxis.TIME, XAxis.STEP, XAxis.EPOCH]


async def test_a_run_without_the_metric_is_told() -> None:
    app = stage.app(stage.snapshot(one("with"), one("also"), stage.without_eval()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        await pilot.pause()
        assert "1 without it" in rows(app)[0]


def test_metrics_are_those_of_at_least_one_run() -> None:
    labels = [
        metric.label
        for metric in metrics_of([metrics_in(run) for run in (stage.without_eval(), one("with"))])
    ]
    assert labels[:2] == ["eval loss", "train loss"]
    assert len(labels) == len(set(labels)) == 6


async def test_settings_files_of_the_runs_are_asked_for() -> None:
    app = stage.app(stage.snapshot(one("first"), one("second")))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c")
        await pilot.pause()
    assert isinstance(app.source, stage.Still)
    assert app.source.loaded == [{one("first").path, one("second").path}]


async def test_the_chosen_curve_lies_over_those_that_coincide_with_it() -> None:
    app = stage.app(stage.snapshot(one("first"), one("second")))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c", "n", "0", "down")
        await pilot.pause()
        picture = view_of(app).chart.picture
        assert picture is not None
        styles = {style for y in range(picture.height) for _, style in picture.segments(y)}
        assert "series-2" in styles
        drawn = [
            text
            for y in range(picture.height)
            for text, style in picture.segments(y)
            if style == "series-1-calm"
        ]
        assert "".join(drawn).strip() == "a"


async def test_a_click_chooses_a_run() -> None:
    app = stage.app(three())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        await pilot.pause()
        await pilot.click(view_of(app).body, offset=(10, 3))
        assert view_of(app).comparison.chosen == Path("/runs/worse")


async def test_a_click_on_the_chart_compares_there_and_escape_goes_back() -> None:
    app = stage.app(three())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c")
        await pilot.pause()
        view = view_of(app)
        common = view.at
        await pilot.click(view.chart, offset=(40, 5))
        assert view.at is not None and view.at == view.viewport.cursor != common
        await pilot.press("escape")
        assert view.at == common
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)


def grid_of(app: LossmonApp) -> MetricsScreen:
    assert isinstance(app.screen, MetricsScreen)
    return app.screen


def drawn(view: MetricsScreen) -> dict[str, str]:
    """Letters of the curves of each chart of the page."""
    return {
        entry.name: "".join(curve.letter for curve in pane.chart.model.curves)
        for entry, pane in zip(view.shown, view.grid.panes, strict=False)
    }


async def test_m_draws_all_metrics_of_all_runs_and_enter_compares_by_one() -> None:
    bare = replace(stage.without_eval(), name="bare", path=Path("/runs/bare"))
    app = stage.app(stage.snapshot(*three().runs, bare))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c", "m")
        await pilot.pause()
        view = grid_of(app)
        curves = drawn(view)
        assert (curves["eval loss"], curves["train loss"]) == ("abc", "abcd")
        assert list(curves)[:2] == ["eval loss", "train loss"]
        assert all(f" {name} " in rows(app)[1] for name in ("baseline", "same", "worse", "bare"))
        await pilot.press("slash", *"rate", "enter")
        assert [one.name for one in view.shown] == ["learning rate"]
        await pilot.press("enter")
        metric = view_of(app).comparison.metric
        assert metric is not None and metric.label == "learning rate"
        await pilot.press("m", "c", "c")
        assert isinstance(app.screen, Dashboard)


async def test_a_group_shows_the_band_of_the_selected_run() -> None:
    def layered(name: str) -> RunSnapshot:
        base = one(name)
        layers = tuple(
            stage.series(
                Meaning(f"norm/h.{layer}", f"norm/h.{layer}"), np.arange(50), np.full(50, layer)
            )
            for layer in range(9)
        )
        return replace(base, series=(*base.series, *layers))

    app = stage.app(stage.snapshot(layered("one"), layered("two")))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c", "m")
        await pilot.pause()
        view = grid_of(app)
        at = next(at for at, entry in enumerate(view.shown) if entry.is_group)
        model = view.grid.panes[at].chart.model
        assert [curve.letter for curve in model.curves] == ["a", "b"]
        assert [float(curve.y[-1]) for curve in model.behind] == [0.0, 8.0]


async def test_the_cursor_of_the_grid_follows_keys_and_the_mouse_in_every_chart() -> None:
    app = stage.app(three())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c", "m", "shift+left", "shift+left")
        await pilot.pause()
        view, places = grid_of(app), set()
        panes = view.grid.panes[: len(view.shown)]
        cursors = {pane.chart.options.cursor for pane in panes}
        assert len(cursors) == 1 and cursors < {float(step) for step in range(1000, 1200)}
        assert {plain(pane.lower.parts[1][1])[0] for pane in panes} == {"a"}
        for column in (20, 15):
            pane = panes[1].chart
            await pilot.hover(pane, offset=(column, 4))
            await pilot.mouse_down(pane, offset=(column, 4))
            await pilot.hover(pane, offset=(column - 3, 4))
            await pilot.mouse_up(pane, offset=(column - 3, 4))
            places.add(view.grid.cursor)
        assert len(places) == 2
        await pilot.press("escape")
        assert view.grid.cursor is None


async def test_a_click_on_the_legend_hides_a_run_everywhere() -> None:
    app = stage.app(three())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c", "m")
        await pilot.pause()
        view = grid_of(app)
        assert view.legend is not None
        await pilot.click(view.legend, offset=(50, 0))
        assert set(drawn(view).values()) == {"ac"}
        await pilot.press("escape")
        assert "hidden" in line_of(app, "same")


async def test_h_shows_all_settings_of_all_runs() -> None:
    runs = [
        one(f"run-{at}", model="llama", batch=str(8 << at % 2), seed_=str(at)) for at in range(8)
    ]
    app = stage.app(stage.snapshot(*runs))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c", "down", "b", "h")
        await pilot.pause()
        assert isinstance(app.screen, ConfigurationScreen)
        assert "a run-0" in rows(app)[1] and "h run-7" not in rows(app)[1]
        assert "llama" in text(app).partition("the same in all runs")[2]
        await pilot.press(*["right"] * 9)
        await pilot.pause()
        # The baseline stays.
        assert "b run-1" in rows(app)[1] and "h run-7" in rows(app)[1]
        assert rows(app)[3].split()[2:-1] == ["1", "5", "6", "7"]
        await pilot.press("slash", *"bat", "enter")
        await pilot.pause()
        assert "seed_" not in text(app) and "batch" in text(app)
        await pilot.press("m")
        grid_of(app)
        await pilot.press("c")
        view_of(app)


async def test_the_settings_scroll() -> None:
    many = [{f"setting_{at:02}": str(value) for at in range(40)} for value in (1, 2)]
    app = stage.app(stage.snapshot(one("a", **many[0]), one("b", **many[1])))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        await pilot.pause()
        assert "setting_39" not in "\n".join(rows(app))
        await pilot.press(*["pagedown"] * 6)
        await pilot.pause()
        assert "setting_39" in "\n".join(rows(app))
        await pilot.press(*["pageup"] * 6)
        await pilot.pause()
        assert view_of(app).body.top == 0


def hostile() -> Snapshot:
    """Names and settings that would break a careless screen."""
    bad = "[/red]\x1b[2J\u202eevil 很长的名字很长的名字" * 3
    runs = [one(f"{bad}{at}", **{f"key{bad}": f"{bad}{at}"}) for at in range(8)]
    return stage.snapshot(*runs)


@pytest.mark.usefixtures("unpainted")
@pytest.mark.parametrize(("made", "language"), [(three, "zh"), (hostile, "en")])
async def test_all_metrics_fit_every_size(made: Callable[[], Snapshot], language: str) -> None:
    app = stage.app(made(), config=ScreenConfig(language=language))
    async with app.run_test(size=SIZES[2]) as pilot:
        await pilot.press("c", "m")
        for size, key in zip((*SIZES, TINY), ("x", "X", "shift+left", "z", "end"), strict=True):
            await pilot.press(key)
            assert await wrong_at(pilot, app, size) == []


@pytest.mark.usefixtures("unpainted")
@pytest.mark.parametrize(
    "first, made, language",
    [(0, three, "zh"), (1, stage.several, "en"), (2, hostile, "en"), (3, hostile, "zh")],
)
async def test_it_fits_every_size(first: int, made: Callable[[], Snapshot], language: str) -> None:
    """Each key at another size, and each scene with another first size."""
    app = stage.app(made(), config=ScreenConfig(language=language))
    async with app.run_test(size=TINY) as pilot:
        for at, key in enumerate(("c", "end", "space", "n", "pagedown", "x", "home"), first):
            await pilot.press(key)
            assert faults(app) == []
            assert await wrong_at(pilot, app, (*SIZES, TINY)[at % 5]) == []
            assert view_of(app).chart.size.height >= 1


@pytest.mark.usefixtures("unpainted")
async def test_it_is_ascii_where_only_ascii_is_shown() -> None:
    app = stage.app(three(), terminal=Terminal(colors=16, unicode=False))
    async with app.run_test(size=SIZES[0]) as pilot:
        await pilot.press("c")
        for size in SIZES:
            await pilot.resize_terminal(*size)
            assert all(row.isascii() for row in rows(app))


@pytest.mark.parametrize(
    "size, keys",
    [
        pytest.param((40, 15), ["c"], id="side pane"),
        pytest.param((80, 24), ["c"], id="terminal"),
        pytest.param((120, 40), ["c", "n", "end"], id="window"),
        pytest.param((200, 50), ["c", "n"], id="wide"),
    ],
)
def test_the_comparison(snap_compare: Any, size: tuple[int, int], keys: list[str]) -> None:
    assert snap_compare(stage.app(three()), terminal_size=size, press=keys)
