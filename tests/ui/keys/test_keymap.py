from __future__ import annotations

from pathlib import Path

import pytest

from lossmon import cli
from lossmon.locale import section
from lossmon.ui.key_catalogue import catalogue
from lossmon.ui.keys import is_key, pressable
from lossmon.ui.screens.help import HelpScreen
from lossmon.ui.text.lines import MUTED, plain, width
from lossmon.ui.widgets.keys import spelled
from tests.ui import stage


@pytest.mark.parametrize(
    "key", ["f", "?", "+", "G", "question_mark", "plus", "pageup", "f5", "ctrl+x", "shift+tab"]
)
def test_what_a_terminal_can_send_is_a_key(key: str) -> None:
    assert is_key(key)


@pytest.mark.parametrize("key", ["", " ", "\x1b", "ctrl+", "nosuchkey", "[/x]", "cmd+q"])
def test_what_no_terminal_sends_is_none(key: str) -> None:
    assert not is_key(key)


@pytest.mark.parametrize(
    ("key", "text"),
    [("question_mark", "?"), ("shift+left", "shift+←"), ("ctrl+up", "ctrl+↑"), ("pageup", "pgup")],
)
def test_keys_are_written_one_way_on_the_screen(key: str, text: str) -> None:
    assert spelled(key) == text


def test_every_text_of_a_key_has_its_chinese() -> None:
    texts = {
        text
        for title, bindings in catalogue().items()
        for text in (title, *(text for one in bindings for text in (one.description, one.tooltip)))
    }
    assert texts - section("screen", "zh").keys() == {"lossmon"}


def test_good_keys_are_taken() -> None:
    assert pressable({"app.quit": "f,ctrl+x"}, ["app.quit"]) == {"app.quit": "f,ctrl+x"}


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"app.quit": "f,,"}, "[keys] app.quit: '' is not a key"),
        ({"run.paus": "z"}, "did you mean run.pause?"),
    ],
)
def test_every_command_refuses_wrong_keys(
    wanted: dict[str, str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[keys]\n" + "".join(f'"{id}" = "{key}"\n' for id, key in wanted.items()))
    for command in (["config"], ["check", str(tmp_path)]):
        assert cli.main([*command, "--config", str(file)]) == 2
        error = capsys.readouterr().err
        assert str(file) in error and said in error


def test_an_id_that_was_renamed_still_works() -> None:
    assert pressable({"run.freeze": "f"}, ["run.pause"]) == {"run.pause": "f"}


async def test_help_dims_the_keys_that_do_nothing_here() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        page = app.screen
        assert isinstance(page, HelpScreen)
        roles = {line[0][0].strip(): line[0][1] for line in page.lines(74) if line}
        assert roles["d"] == roles["o"] == "key" and roles["u"] == MUTED
        assert all(width(line) <= 74 and "…" not in plain(line) for line in page.lines(74)[:60])
