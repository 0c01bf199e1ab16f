"""The first frame is the dashboard's own: each cell that it paints stays as it is."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pyte
import pytest
from rich.color import ColorSystem
from textual.widget import Widget

from lossmon.types import PENDING_HARDWARE, HardwareReading, RunSnapshot, Snapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.dashboard.places import ROWS
from lossmon.ui.launch import first_frame, frame_of
from lossmon.ui.once import StillSource
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.text.sequences import codes_of
from lossmon.ui.widgets.painting import palette_of
from tests.ui import stage

TRUECOLOR = ColorSystem.TRUECOLOR

SIZES = [(40, 15), (80, 24), (120, 40), (200, 50)]

BREAKPOINTS = [
    *SIZES,
    (30, 15),
    *list(product((45, 85, 130, 160), [height or 8 for height, _ in ROWS]))[::2],
]
"""Screens of every class of columns and of rows, and every second pair of them."""


def painted(size: tuple[int, int], text: str) -> pyte.Screen:
    screen = pyte.Screen(*size)
    pyte.Stream(screen).feed(text)
    return screen


def shown(app: LossmonApp) -> pyte.Screen:
    """What the dashboard painted."""
    # A style's own `render` keeps the codes of the terminal that it was first rendered for.
    rows = [
        "".join(
            f"\x1b[{codes_of(one.style, TRUECOLOR).whole}m{one.text}\x1b[0m"
            for one in strip
            if one.style
        )
        for strip in app.screen._compositor.render_strips()
    ]
    return painted(app.size, "".join(f"\x1b[{y};1H{row}" for y, row in enumerate(rows, start=1)))


def drawn(app: LossmonApp) -> pyte.Screen | None:
    """The first frame of the scene that an app shows, None where there is none."""
    frame = first_frame(app.scene, palette_of(app), app.size)
    return None if frame is None else painted(app.size, frame)


def differences(frame: pyte.Screen, app: LossmonApp) -> list[str]:
    """Cells of a first frame that the dashboard shows otherwise, one line each."""
    dashboard, screen = app.screen, shown(app)
    assert isinstance(dashboard, Dashboard)
    parts = (*dashboard.losses.panes.values(), *dashboard.parts[:4])
    regions = [one.region for one in parts if isinstance(one, Widget) and one.display]
    return [
        f"{app.size} {x},{y}: {frame.buffer[y][x].data!r} {screen.buffer[y][x].data!r}"
        for y in range(app.size.height)
        for x in range(app.size.width)
        if frame.buffer[y][x] != screen.buffer[y][x]
        and (frame.buffer[y][x].data != " " or any(one.contains(x, y) for one in regions))
    ]


UNSAMPLED = HardwareReading(note="hardware is not sampled")
"""What is known of the machine with `--no-hardware`."""


def bare(run: RunSnapshot, machine: HardwareReading = PENDING_HARDWARE) -> Snapshot:
    return stage.snapshot(run, hardware=machine)


@pytest.mark.parametrize(
    "name, machine, sizes",
    [
        ("overfitting", replace(PENDING_HARDWARE, expected=8), BREAKPOINTS),
        ("no-eval", UNSAMPLED, SIZES),
        ("loading", PENDING_HARDWARE, SIZES),
        ("loading", replace(PENDING_HARDWARE, expected=1), SIZES),
    ],
)
async def test_the_frame_is_that_of_the_dashboard_at_every_size(
    name: str, machine: HardwareReading, sizes: list[tuple[int, int]]
) -> None:
    app = stage.app(bare(stage.SCENES[name]().runs[0], machine))
    async with app.run_test(size=(80, 24)) as pilot:
        for size in sizes:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            frame = drawn(app)
            assert frame is not None, size
            assert differences(frame, app)[:5] == []


@pytest.mark.parametrize("theme, language", [("light", "en"), ("high-contrast", "zh")])
async def test_the_frame_has_the_theme_and_the_language_of_the_user(
    theme: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    colours(monkeypatch)
    monkeypatch.setattr("time.time", lambda: stage.NOW)
    known = bare(stage.overfitting())
    config = ScreenConfig(theme=theme, language=language, initial=known)
    app = LossmonApp(StillSource(known), config, clock=lambda: stage.NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        frame = frame_of(config, (120, 40))
        assert frame is not None
        assert differences(painted((120, 40), frame), app)[:5] == []


def colours(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    """Set what a terminal says of itself."""
    for name, value in {"TERM": "xterm", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}.items():
        monkeypatch.setenv(name, variables.pop(name, value))
    for name in ("NO_COLOR", "COLORFGBG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    "variables, initial",
    [
        ({"NO_COLOR": "1"}, bare(stage.overfitting())),
        ({"COLORTERM": "", "TERM": "xterm"}, bare(stage.overfitting())),
        ({"LC_ALL": "C"}, bare(stage.overfitting())),
        ({}, stage.SCENES["several"]()),
        ({}, replace(bare(stage.overfitting()), busy=True)),
        ({}, replace(bare(stage.overfitting()), busy=True, read=(1, 4))),
        ({}, stage.SCENES["waiting"]()),
        ({}, None),
    ],
    ids=[
        "no colours",
        "16 colours",
        "ASCII",
        "runs",
        "while searching",
        "while reading",
        "waiting",
        "nothing",
    ],
)
def test_the_frame_is_left_to_the_dashboard(
    variables: dict[str, str], initial: Snapshot | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    colours(monkeypatch, **variables)
    assert frame_of(ScreenConfig(initial=initial), (120, 40)) is None
