"""First frame: the dashboard of one run, drawn without Textual.

It holds the header, the badge and the main charts where the dashboard will have them; the other
panes appear with the dashboard itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.color import ColorSystem
from rich.segment import Segment

from lossmon.types import PENDING_HARDWARE
from lossmon.ui.chart.painter import Painter
from lossmon.ui.chart.styles import cell_style
from lossmon.ui.dashboard.header import header_line, header_parts, progress_parts
from lossmon.ui.dashboard.main_panes import PanePlan, content_of, pane_plans, plans_in
from lossmon.ui.dashboard.notices import notice, notice_line
from lossmon.ui.dashboard.places import Place, Wanted, is_narrow, main_places
from lossmon.ui.dashboard.verdicts import badge_line, verdict_rows
from lossmon.ui.metrics.table import entries_in
from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import EMPTY, FRAME, Line, edge_line
from lossmon.ui.theme.palette import Palette, color_system

LEAST_WIDTH, LEAST_HEIGHT = 20, 4
"""Cells of a main pane below which the frame is left to the dashboard."""

Row = tuple[int, int, Sequence[Segment]]
"""Column, row and text of a part of the frame."""


def first_frame(scene: Scene, palette: Palette, size: tuple[int, int]) -> str | None:
    """Draw a scene with one run.

    Args:
        scene: What to show.
        palette: Its colours.
        size: Columns and rows of the screen.

    Returns:
        Text with control sequences that fills the screen, or None where the places of the
        dashboard depend on more than is known here.
    """
    columns, rows = size
    places = _places(scene, columns, rows)
    roomy = all(p.width >= LEAST_WIDTH and p.height >= LEAST_HEIGHT for p in places.values())
    if not places or not roomy:
        return None
    system = color_system(scene.terminal)
    parts: list[Row] = [(0, y, palette.segments(EMPTY, columns)) for y in range(rows)]
    for place, plan in zip(places.values(), plans_in(scene, list(places)), strict=True):
        parts += _pane(scene, palette, place, plan)
    parts += [(0, y, palette.segments(one, columns)) for y, one in enumerate(_top(scene, columns))]
    return "".join(
        f"\x1b[{y + 1};{x + 1}H" + "".join(_sequence(one, system) for one in segments)
        for x, y, segments in parts
    )


def _sequence(segment: Segment, system: ColorSystem) -> str:
    assert segment.style is not None
    return segment.style.render(segment.text, color_system=system)


def _top(scene: Scene, columns: int) -> list[Line]:
    """The lines above the charts."""
    badge, found = badge_line(scene, columns), notice(scene)
    if is_narrow(columns):
        lines = [badge, header_line(progress_parts(scene, columns), columns)]
    else:
        lines = [header_line(header_parts(scene, columns), columns), badge]
    return [*lines, notice_line(found, columns)] if found else lines


def _places(scene: Scene, columns: int, rows: int) -> dict[str, Place]:
    run, hidden = scene.run, scene.chart_settings.hidden
    reading = scene.snapshot.hardware
    if run is None or scene.lacks_scalars:
        return {}
    if scene.chart_settings.sizes or reading.gpus or reading.host:
        return {}
    # Before the first sample, the host has an empty line below the note.
    hardware = bool(reading.note) + (reading == PENDING_HARDWARE)
    wanted = Wanted(
        notice=bool(notice(scene)),
        metrics=0 if "metrics" in hidden else len(entries_in(run, scene.pins, "")),
        log=0 if "log" in hidden else len(run.log),
        verdicts=0 if "verdicts" in hidden else verdict_rows(scene, columns - 2),
        hardware=0 if "hardware" in hidden else hardware,
        charts=pane_plans(scene),
        overlaid=scene.chart_settings.overlaid,
    )
    return main_places(columns, rows, wanted)


def _pane(scene: Scene, palette: Palette, place: Place, plan: PanePlan) -> Iterator[Row]:
    """A chart in its frame."""
    x, y, width, height = place
    content, painter = content_of(scene, plan), Painter()
    picture = painter.paint(content.model, content.options, width - 2, height - 2)
    title = content.titles(painter.traces, width)
    yield x, y, palette.segments(edge_line("╭╮", title, FRAME, width, left=True), width)
    side = Segment("│", palette.style(FRAME))
    for row in range(picture.height):
        cells = [Segment(text, cell_style(palette, name)) for text, name in picture.segments(row)]
        yield x, y + 1 + row, [side, *cells, side]
    footer = edge_line("╰╯", [(0, content.footer)], FRAME, width, left=False)
    yield x, y + height - 1, palette.segments(footer, width)
