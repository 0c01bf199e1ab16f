from __future__ import annotations

import pytest

from lossmon.locale import section
from lossmon.ui.key_catalogue import catalogue
from lossmon.ui.keys.bindings import is_key, pressable
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.screens.help import HelpScreen
from lossmon.ui.text.lines import MUTED, plain, width
from tests.ui import stage


@pytest.mark.parametrize(
    "key", ["f", "?", "+", "G", "question_mark", "plus", "pageup", "f5", "ctrl+x", "shift+tab"]
)
def test_what_a_terminal_can_send_is_a_key(key: str) -> None:
    assert is_key(key)


@pytest.mark.parametrize("key", ["", " ", "\x1b", "ctrl+", "nosuchkey", "[/x]", "cmd+q"])
def test_what_no_terminal_sends_is_none(key: str) -> None:
    assert not is_key(key)


def test_every_text_of_a_key_has_its_chinese() -> None:
    texts = {
        text
        for title, bindings in catalogue().items()
        for text in (title, *(text for one in bindings for text in (one.description, one.tooltip)))
    }
    assert texts - section("screen", "zh").keys() == {"lossmon"}


def test_good_keys_stay_and_the_others_are_told() -> None:
    wanted = {"app.quit": "f,ctrl+x", "app.theme": "f,,", "no.action": "z"}
    good, troubles = pressable(wanted, ["app.quit", "app.theme"])
    assert good == {"app.quit": "f,ctrl+x"}
    assert [trouble.split(":")[0] for trouble in troubles] == [
        "[keys] app.theme",
        "[keys] no.action",
    ]


async def test_a_key_that_does_not_exist_leaves_the_usual_one() -> None:
    config = ScreenConfig(keys={"view.help": "nosuchkey", "view.log": "f", "page.row_up": "w"})
    app = stage.app(stage.snapshot(stage.healthy()), config=config)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.scene.errors == ("[keys] view.help: 'nosuchkey' is not a key",)
        await pilot.press("question_mark")
        assert type(app.screen).__name__ == "HelpScreen"
        await pilot.press("f")
        assert type(app.screen).__name__ == "LogScreen"


def test_an_id_that_was_renamed_still_works() -> None:
    assert pressable({"run.freeze": "f"}, ["run.pause"]) == ({"run.pause": "f"}, [])


async def test_help_dims_the_keys_that_do_nothing_here() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        page = app.screen
        assert isinstance(page, HelpScreen)
        roles = {line[0][0].strip(): line[0][1] for line in page.lines(74) if line}
        assert roles["d"] == roles["y"] == "key" and roles["u"] == MUTED
        assert all(width(line) <= 74 and "…" not in plain(line) for line in page.lines(74)[:60])
