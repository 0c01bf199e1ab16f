"""A handful of whole screens, as pictures: look at each before accepting a change."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lossmon.ui.scene import ScreenConfig
from lossmon.ui.terminal import Terminal
from tests.ui import stage


@pytest.mark.parametrize(
    "name, size, keys",
    [
        pytest.param("overfitting", (40, 15), [], id="side pane"),
        pytest.param("overfitting", (80, 24), [], id="terminal"),
        pytest.param("overfitting", (120, 40), [], id="window"),
        pytest.param("eight-gpus", (200, 50), [], id="wide"),
        pytest.param("non-finite", (80, 24), [], id="not a number"),
        pytest.param("no-gpu", (120, 40), [], id="no gpu"),
        pytest.param("waiting", (80, 24), [], id="waiting"),
        pytest.param("overfitting", (80, 24), ["d"], id="diagnosis"),
        pytest.param("several", (120, 24), ["r"], id="runs"),
        pytest.param("outputs", (40, 15), ["u"], id="outputs side pane"),
        pytest.param("outputs", (80, 24), ["u", *"jjj", "plus"], id="outputs terminal"),
        pytest.param("outputs", (120, 40), ["u", *"jj", "minus"], id="outputs window"),
        pytest.param("outputs", (200, 50), ["u", *"jjjj"], id="outputs wide"),
        pytest.param("no-eval", (80, 24), ["u"], id="no outputs"),
    ],
)
def test_the_screen(snap_compare: Any, name: str, size: tuple[int, int], keys: list[str]) -> None:
    app = stage.app(stage.SCENES[name]())
    assert snap_compare(app, terminal_size=size, press=keys)


@pytest.mark.parametrize(
    "size, keys",
    [
        pytest.param((120, 40), ["enter", "left", "shift+left"], id="window"),
        pytest.param((80, 24), ["enter", "M", *["right_square_bracket"] * 4], id="zoomed"),
        pytest.param((200, 50), ["enter", "e", "x"], id="limits"),
    ],
)
def test_the_detail(
    snap_compare: Any, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], keys: list[str]
) -> None:
    # The readout tells the local time.
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    app = stage.app(stage.SCENES["overfitting"]())
    assert snap_compare(app, terminal_size=size, press=keys)


def test_the_detail_in_ascii(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    app = stage.app(stage.SCENES["overfitting"](), terminal=Terminal(colors=16, unicode=False))
    assert snap_compare(app, terminal_size=(40, 15), press=["enter"])


def test_the_light_screen(snap_compare: Any) -> None:
    config = ScreenConfig(theme="lossmon-light")
    app = stage.app(stage.SCENES["overfitting"](), config=config)
    assert snap_compare(app, terminal_size=(80, 24))


def test_the_screen_in_ascii(snap_compare: Any) -> None:
    app = stage.app(stage.SCENES["overfitting"](), terminal=Terminal(colors=16, unicode=False))
    assert snap_compare(app, terminal_size=(80, 24))


def test_the_screen_in_chinese(snap_compare: Any) -> None:
    app = stage.app(stage.several(), config=ScreenConfig(language="zh"))
    assert snap_compare(app, terminal_size=(120, 40))


@pytest.mark.parametrize(
    "size", [(40, 15), (80, 24), (120, 40), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}"
)
def test_two_hundred_runs(snap_compare: Any, size: tuple[int, int]) -> None:
    assert snap_compare(stage.app(stage.fleet()), terminal_size=size, press=["r", "j", "space"])


def test_a_filter_of_runs_in_chinese(snap_compare: Any) -> None:
    app = stage.app(stage.fleet(), config=ScreenConfig(language="zh"))
    keys = ["r", "s", "slash", *"state", "colon", *"running", "space", *"lr<x"]
    assert snap_compare(app, terminal_size=(120, 24), press=keys)
