"""Unclear names are asked for once, and the answers hold at once and for good."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual.pilot import Pilot

from lossmon.config import load
from lossmon.monitor import Monitor, MonitorConfig
from lossmon.types import AmbiguityReason, AmbiguousTag, MetricNames, RunSnapshot, Series, Snapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.follower import SnapshotReady
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.labels import MEANINGS, LabelsScreen
from lossmon.ui.state.tag_answers import TagAnswers
from lossmon.ui.terminal import Terminal
from tests.ui import stage
from tests.ui.screen import SIZES, rows, wrong_at


def scalar(tag: str) -> Series:
    steps = np.arange(1, 401)
    return stage.series(replace(stage.TRAIN_LOSS, key=tag), steps, stage.falling(400))


def unclear_run() -> RunSnapshot:
    """Three names: one rivals the headline, one is vague, one is hostile."""
    tags = ("train_loss", "score", "损失/[red]x[/]\x1b[2J" + "a" * 90)
    return replace(
        stage.healthy(),
        series=(*stage.healthy().series, *(scalar(tag) for tag in tags)),
        ambiguous_tags=(
            AmbiguousTag(tags[0], ("train_loss",), AmbiguityReason.CALLED_ALIKE, "loss"),
            AmbiguousTag(
                tags[1], ("eval_score", "train_score", "eval_loss"), AmbiguityReason.VAGUE
            ),
            AmbiguousTag(tags[2], ("learning_rate",), AmbiguityReason.NO_TOTAL),
        ),
    )


def unclear_app(config: ScreenConfig | None = None, terminal: Terminal | None = None) -> LossmonApp:
    return stage.app(stage.snapshot(unclear_run()), config=config, terminal=terminal)


def page(app: LossmonApp) -> LabelsScreen:
    assert isinstance(app.screen, LabelsScreen)
    return app.screen


def asked(app: LossmonApp) -> str | None:
    now = page(app).asked
    return now.tag if now else None


def said(app: LossmonApp) -> dict[str, str]:
    return {tag: one.meaning for tag, one in page(app).naming.said.items()}


def screen(app: LossmonApp) -> str:
    return "\n".join(rows(app))


async def test_a_calm_notice_tells_how_many_names_are_unclear_and_the_key() -> None:
    app = unclear_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)
        assert "3 unlabelled metrics – press i" in screen(app)


async def test_the_notice_names_the_key_that_the_user_chose() -> None:
    app = unclear_app(ScreenConfig(keys={"view.names": "z"}))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "unlabelled metrics – press z" in screen(app)
        await pilot.press("z")
        assert asked(app) == "train_loss"


@pytest.mark.parametrize("close", ["escape", "i"])
async def test_a_key_opens_the_page_and_closes_it(close: str) -> None:
    app = unclear_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("i")
        assert asked(app) == "train_loss"
        await pilot.press(close)
        assert isinstance(app.screen, Dashboard)


async def test_the_page_shows_the_name_its_values_and_why_it_is_asked() -> None:
    app = unclear_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("i")
        await pilot.pause()
        one = scalar("train_loss")
        for part in (
            "labels  1/3",
            "train_loss",
            'its name means the same as "loss"',
            f"first {one.values[0]:.3f}",
            f"last {one.last:.4f}",
            "points 400",
            "▇",
            "▸ 1 Train loss",
            "9 None of these, only show it",
        ):
            assert part in screen(app)


@pytest.mark.parametrize("at", range(len(MEANINGS)))
async def test_a_number_gives_its_answer_and_asks_for_the_next_name(at: int) -> None:
    app = unclear_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("i", str(at + 1))
        assert said(app) == {"train_loss": MEANINGS[at][0]}
        assert asked(app) == "score"


@pytest.mark.parametrize(
    ("keys", "meaning"),
    [
        (["enter"], "train_loss"),
        (["down", "enter"], "eval_loss"),
        (["j", "j", "k", "enter"], "eval_loss"),
        (["up", "enter"], "just_shown"),
    ],
)
async def test_an_answer_is_chosen_with_the_arrows(keys: list[str], meaning: str) -> None:
    app = unclear_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("i", *keys)
        assert said(app) == {"train_loss": meaning}


async def test_the_likeliest_answer_is_chosen_first() -> None:
    app = unclear_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("i", "s")
        await pilot.pause()
        assert "▸ 3 Eval metric, higher is better" in screen(app)


async def test_a_click_on_an_answer_gives_it() -> None:
    app = unclear_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("i")
        await pilot.pause()
        row = next(y for y, text in enumerate(rows(app)) if "4 Eval metric, lower" in text)
        await pilot.click(offset=(8, row))
        assert said(app) == {"train_loss": "eval_lower_is_better"}
        await pilot.click(offset=(8, 1))
        assert asked(app) == "score"


@pytest.mark.parametrize("key", ["s", "right"])
async def test_a_skipped_name_is_not_asked_for_again(key: str) -> None:
    app = unclear_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("i", key)
        assert asked(app) == "score"
        await pilot.press("escape")
        await pilot.pause()
        assert "2 unlabelled metrics" in screen(app)
        await pilot.press("i")
        assert asked(app) == "score"
        assert said(app) == {}


@pytest.mark.parametrize("key", ["left", "backspace"])
async def test_the_name_before_is_asked_once_more_with_what_was_said(key: str) -> None:
    app = unclear_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("i", key)
        assert asked(app) == "train_loss"
        await pilot.press("7", "s", key, key)
        await pilot.pause()
        assert asked(app) == "train_loss"
        assert "▸ 7 Learning rate ✓" in screen(app)
        await pilot.press("8")
        assert said(app) == {"train_loss": "grad_norm"}
        assert asked(app) not in ("train_loss", "score")


@pytest.mark.parametrize("keys", [["r", "slash"], ["colon"], ["enter", "e"], ["l", "slash"]])
async def test_where_something_is_typed_the_key_is_a_letter(keys: list[str]) -> None:
    app = unclear_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(*keys)
        before = type(app.screen)
        await pilot.press("i")
        assert type(app.screen) is before is not Dashboard


async def test_what_the_palette_finds_opens_the_page() -> None:
    app = unclear_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"label", "enter")
        await pilot.pause()
        assert asked(app) == "train_loss"


async def test_another_run_in_view_is_asked_about_its_own_names() -> None:
    other = replace(
        unclear_run(), path=Path("/runs/other"), ambiguous_tags=unclear_run().ambiguous_tags[1:2]
    )
    app = stage.app(stage.snapshot(unclear_run(), other))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("i", "1")
        await pilot.press("right_square_bracket")
        await pilot.pause()
        assert (asked(app), page(app).past) == ("score", [])


async def test_at_the_end_the_answers_and_their_place_are_told(tmp_path: Path) -> None:
    app = unclear_app(ScreenConfig(home=tmp_path))
    async with app.run_test(size=(200, 24)) as pilot:
        await pilot.press("i", "1", "9", "s")
        await pilot.pause()
        assert asked(app) is None
        for part in ("score", "None of these, only show it", "kept in", "config.toml"):
            assert part in screen(app)
        await pilot.press("down", "up", "1", "enter")
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)
        assert "unlabelled" not in screen(app)
        await pilot.press("i", "left")
        assert asked(app) is None


async def test_a_run_whose_names_are_clear_has_nothing_to_ask() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(40, 15)) as pilot:
        await pilot.press("i")
        await pilot.pause()
        assert "all metrics are labelled" in screen(app)
        await pilot.press("enter")
        assert isinstance(app.screen, Dashboard)


async def test_without_any_run_there_is_nothing_to_ask() -> None:
    app = stage.app(stage.waiting())
    async with app.run_test(size=(40, 15)) as pilot:
        await pilot.press("i", "1", "s", "left", "down", "enter")
        assert isinstance(app.screen, Dashboard)


@pytest.mark.usefixtures("unpainted")
@pytest.mark.parametrize("language, plain", [("en", True), ("zh", False)])
async def test_every_size_shows_the_name_the_curve_and_all_answers(
    language: str, plain: bool
) -> None:
    """Each name is shown at every size, in turns by one app or the other."""
    terminal = Terminal(colors=0, unicode=False) if plain else Terminal()
    app = unclear_app(ScreenConfig(language=language), terminal)
    async with app.run_test(size=SIZES[0]) as pilot:
        await pilot.press("i")
        for at, tag in enumerate(("train_loss", "score", "")):
            for size in SIZES[(at + plain) % 2 :: 2]:
                assert await wrong_at(pilot, app, size) == []
                assert tag in screen(app)
                assert all(f" {at} " in screen(app) for at in range(1, 10))
                assert "\x1b" not in screen(app)
                if language == "en":
                    assert "9 None of these, only show it" in screen(app)
                if plain:
                    assert screen(app).isascii() or not tag
            await pilot.press("s")


async def test_on_a_tiny_screen_the_chosen_answer_stays_in_view() -> None:
    app = unclear_app()
    async with app.run_test(size=(30, 8)) as pilot:
        await pilot.press("i", "up")
        await pilot.pause()
        assert "▸ 9 None" in screen(app)
        await pilot.press("down")
        await pilot.pause()
        assert "▸ 1 Train loss" in screen(app)


# --------------------------------------------------------------------------------- on the disk


async def test_answers_are_written_into_the_settings_and_nothing_else_changes(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(b'# mine\r\ntheme = "nord"  # dark\r\n[metrics]\r\nlr = "x"\r\n')
    app = unclear_app(ScreenConfig(home=tmp_path / "home", settings=file))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("i", "1", "9", "9")
        tags = list(said(app))
    assert file.read_bytes().startswith(
        b'# mine\r\ntheme = "nord"  # dark\r\n[metrics]\r\nlr = "x"'
    )
    config = load(file, {}, {})
    assert config.metrics == {"lr": "x", "train_loss": tags[0], "just_shown": tuple(tags[1:])}
    assert not (tmp_path / "home").exists()


async def test_an_answer_that_was_changed_is_not_left_in_the_settings(tmp_path: Path) -> None:
    app = unclear_app(ScreenConfig(home=tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("i", "1", "left", "2")
    assert (tmp_path / "config.toml").read_text() == '[metrics]\neval_loss = "train_loss"\n'


async def test_settings_that_cannot_be_written_are_told_and_the_answer_holds(
    tmp_path: Path,
) -> None:
    file = tmp_path / "config.toml"
    file.write_text("theme = \n")
    app = unclear_app(ScreenConfig(home=tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("i", "1")
        await pilot.pause()
        assert "not valid TOML" in screen(app)
        assert said(app) == {"train_loss": "train_loss"}
        await pilot.press("escape")
        await pilot.pause()
        # The path is as long as the machine makes it; what it means for the user stays.
        assert "the labels are kept until you quit" in screen(app)
    assert file.read_text() == "theme = \n"


async def test_a_small_screen_tells_too_that_an_answer_was_not_written(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("# mine\n")
    file.chmod(0o444)
    app = unclear_app(ScreenConfig(home=tmp_path))
    async with app.run_test(size=(40, 15)) as pilot:
        await pilot.press("i", "1")
        await pilot.pause()
        assert "2/3  ⚠ not written" in screen(app)
        file.chmod(0o644)
        await pilot.press("9")
        await pilot.pause()
        assert "not written" not in screen(app)
    assert file.read_text() == (
        '# mine\n\n[metrics]\ntrain_loss = "train_loss"\njust_shown = "score"\n'
    )


async def test_in_a_browser_the_answers_hold_and_are_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LossmonApp, "is_web", True)
    app = unclear_app(ScreenConfig(home=tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("i", "1", "s", "s")
        await pilot.pause()
        assert "kept until you quit" in screen(app)
    assert list(tmp_path.iterdir()) == []


def test_the_tag_of_another_run_keeps_its_place() -> None:
    heard: list[MetricNames] = []
    naming = TagAnswers({"train_loss": ("elsewhere", "loss")}, None, heard.append)
    run = replace(stage.healthy(), series=(replace(scalar("loss"), tag="loss"), scalar("b")))
    naming.answer(run, "b", "train_loss")
    assert heard == [{"train_loss": ("elsewhere", "b")}]
    naming.answer(run, "b", "just_shown")
    assert heard[-1] == {"train_loss": ("elsewhere",), "just_shown": ("b",)}


def test_who_gave_way_to_another_answer_is_not_asked_for_again() -> None:
    naming = TagAnswers({}, None, lambda names: None)
    run = unclear_run()
    first, second, third = (one.tag for one in run.ambiguous_tags)
    naming.answer(run, first, "grad_norm")
    naming.answer(run, second, "grad_norm")
    assert [one.tag for one in naming.open(run)] == [third]
    assert list(naming.said) == [second]


# ----------------------------------------------------------------------------- a watched run


def write(path: Path) -> None:
    x = np.linspace(0, 1, 600)
    falling, turning = 2 * np.exp(-4 * x), np.where(x < 0.4, 1.8 - 2 * x, 1.0 + 2.5 * (x - 0.4))
    lines = [f"{n},{a:.5f},{b:.5f}" for n, (a, b) in enumerate(zip(falling, turning, strict=True))]
    path.write_text("\n".join(["step,alpha,beta", *lines]) + "\n")


async def settled(app: LossmonApp, pilot: Pilot[None], monitor: Monitor) -> Snapshot:
    """What the reader of the app would have found."""
    snapshot = monitor.drain()
    app.post_message(SnapshotReady(snapshot))
    await pilot.pause()
    return snapshot


async def test_an_answer_changes_the_verdict_of_the_run_that_is_watched(tmp_path: Path) -> None:
    run, home = tmp_path / "run", tmp_path / "home"
    run.mkdir()
    write(run / "metrics.csv")
    monitor = Monitor([run])
    config = ScreenConfig(home=home, initial=monitor.drain())
    source = stage.Still(config.initial or Snapshot())
    source.set_metric_names = monitor.set_metric_names  # type: ignore[method-assign]
    app = LossmonApp(source, config, terminal=Terminal())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("i")
        assert asked(app) == "alpha"
        await pilot.press("1")
        await settled(app, pilot, monitor)
        assert asked(app) == "beta"
        assert "▸ 2 Eval loss" in screen(app)
        await pilot.press("enter")
        live = await settled(app, pilot, monitor)
        await pilot.press("escape")
        await pilot.pause()
        assert "OVERFITTING" in screen(app)
    metrics = load(home / "config.toml", {}, {}).metrics
    assert metrics == {"train_loss": "alpha", "eval_loss": "beta"}
    (fresh,) = Monitor([run], MonitorConfig(metrics)).drain().runs
    assert fresh.diagnosis == live.runs[0].diagnosis
    assert fresh.ambiguous_tags == ()
    assert tomllib.loads((home / "config.toml").read_text())


@pytest.mark.parametrize(
    ("size", "keys"),
    [
        pytest.param((40, 15), ["i"], id="side pane"),
        pytest.param((80, 24), ["i", "s", "down"], id="terminal"),
        pytest.param((120, 40), ["i", "1", "9", "s"], id="told"),
        pytest.param((200, 50), [], id="notice"),
    ],
)
def test_the_screen(snap_compare: Any, size: tuple[int, int], keys: list[str]) -> None:
    assert snap_compare(unclear_app(), terminal_size=size, press=keys)
