"""What stands on the screen of an app, and what is wrong with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import combinations

from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widget import Widget

from benchmarks.frames import broken_frames
from lossmon.ui.app import LossmonApp
from lossmon.ui.text.lines import plain
from lossmon.ui.widgets.panel import Panel

SIZES = ((40, 15), (80, 24), (120, 40), (200, 50))
"""A side pane, a terminal, a window and a wide window."""

TINY = (20, 6)
"""Smaller than anybody's terminal: nothing may overflow all the same."""

PATIENCE = 30.0
"""Seconds after which something that should have happened is taken for broken."""


def rows(app: LossmonApp) -> list[str]:
    """What stands on the terminal, line by line."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


def text(app: LossmonApp) -> str:
    """What stands on the terminal, without the blanks at the ends of its lines."""
    return "\n".join(row.rstrip() for row in rows(app))


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Let the app run until a condition holds, for what a thread has to do first."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await pilot.pause(0.01)


def faults(app: LossmonApp) -> list[str]:
    """Widgets that stick out of the one around them, or that have no room at all."""
    found = []
    for widget in app.screen.query("*").results(Widget):
        if not _is_visible(widget):
            continue
        region, around = widget.region, _parent(widget).region
        if not around.contains_region(region):
            found.append(f"{widget} {region} sticks out of {around}")
        if not region.width or not region.height:
            found.append(f"{widget} has no room: {region}")
    return found


def _parent(widget: Widget) -> Widget:
    parent = widget.parent
    assert isinstance(parent, Widget)
    return parent


def _is_visible(widget: Widget) -> bool:
    return all(node.display for node in (widget, *widget.ancestors) if isinstance(node, Widget))


def cut(app: LossmonApp) -> Iterator[str]:
    """Lines of text that are wider than the widget that shows them."""
    for panel in app.screen.query(Panel):
        room = panel.content_size.width
        if not panel.display or not panel.region:
            continue
        for line in panel._lines:
            if cell_len(plain(line).rstrip()) > room:
                yield f"{panel}: {plain(line)!r} is wider than {room}"


def overlapping(app: LossmonApp) -> Iterator[str]:
    """Widgets with one parent that stand in the same cells."""
    for parent in app.screen.walk_children(Widget, with_self=True):
        shown = [one for one in parent.children if one.display and one.region]
        for one, other in combinations(shown, 2):
            if one.region.overlaps(other.region):
                yield f"{one} {one.region} stands on {other} {other.region}"


def wrong(app: LossmonApp) -> list[str]:
    """All that is wrong with the screen as it stands."""
    screen, columns = rows(app), app.size.width
    found = [*faults(app), *cut(app), *overlapping(app)]
    found += [f"{row!r} is not {columns} wide" for row in screen if cell_len(row) != columns]
    # Below 40 columns corners may be all that is left of a frame.
    return found + (broken_frames(screen, columns) if columns >= 40 else [])


async def wrong_at(pilot: Pilot[None], app: LossmonApp, size: tuple[int, int]) -> list[str]:
    """What is wrong with the screen in a terminal of another size."""
    await pilot.resize_terminal(*size)
    await pilot.pause()
    return [f"{type(app.screen).__name__} at {size[0]}x{size[1]}: {one}" for one in wrong(app)]
