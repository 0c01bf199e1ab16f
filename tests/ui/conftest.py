"""What holds for every test of the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
from textual import app as textual_app
from textual import pilot as textual_pilot
from textual._context import active_app
from textual._styles_cache import StylesCache
from textual.app import ScreenStackError
from textual.css.model import RuleSet
from textual.css.stylesheet import CSSLocation, Stylesheet
from textual.screen import Screen

from lossmon.ui.widgets import guarded

QUIET_TURNS = 3
"""Turns of the event loop with nothing to do after which nothing more is expected."""

MOST_TURNS = 20_000
"""Turns after which an app that never comes to rest is let go: some monitors never end."""


async def settle(*_: float) -> None:
    """Wait until every message was handled and the next frame has nothing to paint.

    Textual's own wait sleeps until the processor is idle: 20 ms twice per key on a quiet machine,
    a second on a busy one, where it then goes on whether or not the app is done.
    """
    loop = asyncio.get_running_loop()
    quiet = 0
    for _turn in range(MOST_TURNS):
        await asyncio.sleep(0)
        quiet = 0 if loop._ready else quiet + 1  # type: ignore[attr-defined]
        if quiet < QUIET_TURNS:
            continue
        if not paint():
            return
        quiet = 0


def paint() -> bool:
    """Do what the next frame of the screen would do; False if there is nothing to do."""
    app = active_app.get(None)
    try:
        screen = None if app is None else app.screen
    except ScreenStackError:
        return False
    if screen is None or app is None or app._batch_count or not screen.is_current:
        return False
    if app._resize_event is not None:
        app._check_resize()
        return True
    if not (
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._dirty_widgets
        or screen._callbacks
    ):
        return False
    screen._on_timer_update()
    return True


_parse_rules = Stylesheet._parse_rules


@lru_cache(4096)
def _parsed(variables: tuple[tuple[str, str], ...], *source: Any) -> list[RuleSet]:
    return _parse_rules(Stylesheet(variables=dict(variables)), *source)


def parse_once(
    stylesheet: Stylesheet,
    css: str,
    read_from: CSSLocation,
    is_default_rules: bool = False,
    tie_breaker: int = 0,
    scope: str = "",
) -> list[RuleSet]:
    """Parse the rules of a widget once for all apps: each app has a stylesheet of its own."""
    variables = tuple(stylesheet._variables.items())
    return _parsed(variables, css, read_from, is_default_rules, tie_breaker, scope)


@pytest.fixture(autouse=True)
def _quick_apps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(textual_app, "wait_for_idle", settle)
    monkeypatch.setattr(textual_pilot, "wait_for_idle", settle)
    monkeypatch.setattr(Stylesheet, "_parse_rules", parse_once)

    # To look for garbage among what many apps and tests have made takes 50 ms per closed view.
    def forget() -> None:
        # A function of Python: Textual asks callbacks for their parameters, which C ones hide.
        StylesCache.get_inner_outer.cache_clear()

    monkeypatch.setattr("lossmon.ui.app.forget_closed_widgets", forget)
    yield
    # Textual remembers the painted lines of a thousand widgets, which cost each collection time.
    forget()


@pytest.fixture(autouse=True)
def _no_faults(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail the test where the screen has contained an exception."""
    known: dict[object, str] = {}
    monkeypatch.setattr(guarded, "_logged", known)
    yield
    assert not known or request.node.get_closest_marker("faulty"), list(known.values())


@pytest.fixture
def unpainted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send no frame to the terminal. A test that walks through many sizes reads the screen when
    it stands; the frames on the way there would take half of its time."""

    def skip(screen: Screen[object]) -> None:
        screen._dirty_widgets.clear()
        screen._compositor._dirty_regions.clear()

    monkeypatch.setattr(Screen, "_compositor_refresh", skip)
