"""What the screen remembers between two starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossmon.ui.scene import ScreenConfig
from lossmon.ui.state.preferences import FILE, PaneLayout, Preferences
from tests.ui import stage
from tests.ui.screen import text


def test_what_is_kept_is_there_again(tmp_path: Path) -> None:
    kept = Preferences(tmp_path / "not yet there")
    kept.keep_theme("nord")
    kept.keep_panes("-wide -tall", PaneLayout(frozenset({"log"}), overlaid=True))
    again = Preferences(tmp_path / "not yet there")
    assert again.theme == "nord"
    assert again.pane_layouts == kept.pane_layouts
    assert [path.name for path in (tmp_path / "not yet there").iterdir()] == [FILE]


def test_two_screens_keep_what_each_of_them_changed(tmp_path: Path) -> None:
    one, other = Preferences(tmp_path), Preferences(tmp_path)
    one.pin("loss")
    other.pin("reward")
    one.keep_theme("nord")
    other.keep_panes("-wide", PaneLayout(frozenset({"log"})))
    other.pin("loss")
    again = Preferences(tmp_path)
    assert (again.theme, again.pins) == ("nord", {"reward"})
    assert again.pane_layouts == {"-wide": PaneLayout(frozenset({"log"}))}


def test_without_a_directory_nothing_is_kept_beyond_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = Preferences(None)
    kept.keep_theme("nord")
    assert (kept.theme, kept.error) == ("nord", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content, reason",
    [
        pytest.param(b"{", "Expecting", id="half a file"),
        pytest.param(b"\xff\xfe\x00", "decode", id="not text"),
        pytest.param(b"[]", "must be a JSON object", id="a list"),
        pytest.param(b'{"theme": 3}', "theme: must be a name", id="a number for a theme"),
        pytest.param(b'{"panes": []}', "panes: must be an object", id="panes is a list"),
        pytest.param(b'{"panes": {"-wide": 1}}', "panes.-wide: must be", id="a pane is 1"),
        pytest.param(
            b'{"panes": {"a": {"closed": ["rm"]}}}', "must be a list of", id="unknown pane"
        ),
        pytest.param(
            b'{"panes": {"a": {"overlaid": 1}}}', "must be true or false", id="overlaid is 1"
        ),
        pytest.param(
            b'{"panes": {"a": {"sizes": {"log": -1}}}}', "must be numbers", id="a size below 1"
        ),
        pytest.param(b" " * 70_000, "larger than", id="too large"),
        pytest.param(b"[" * 60_000, "not JSON", id="deeply nested"),
    ],
)
def test_a_broken_file_is_told_and_left_as_it_is(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / FILE
    path.write_bytes(content)
    kept = Preferences(tmp_path)
    assert reason in kept.error
    assert str(path) in kept.error
    kept.keep_theme("nord")
    assert path.read_bytes() == content


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file, no directory")
    kept = Preferences(tmp_path / "home")
    assert "nothing is remembered" in kept.error


async def test_each_size_has_its_own_panes(tmp_path: Path) -> None:
    config = ScreenConfig(state=tmp_path)
    app = stage.app(stage.snapshot(stage.healthy()), config=config)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("5", "5", "v")
        assert app.charts.settings.hidden == frozenset({"log"})
        assert app.charts.settings.overlaid
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert app.charts.settings.hidden == frozenset()
        assert not app.charts.settings.overlaid
        await pilot.press("3", "3")
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert app.charts.settings.hidden == frozenset({"log"})
    again = stage.app(stage.snapshot(stage.healthy()), config=config)
    async with again.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert again.charts.settings.hidden == frozenset({"metrics"})
        assert not again.query_one("#metrics").display
        assert "1 hidden pane" in text(again)
        await pilot.press("9")
        assert again.query_one("#metrics").display
        assert not again.charts.settings.hidden


async def test_a_broken_file_is_told_on_the_screen(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    app = stage.app(stage.snapshot(stage.healthy()), config=ScreenConfig(state=tmp_path))
    assert any(FILE in trouble for trouble in app.scene.errors)
