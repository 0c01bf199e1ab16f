"""Processes that hold GPU memory: the largest in a few lines, and all of them as a table."""

from __future__ import annotations

from collections.abc import Sequence

from lossmon.types import GpuProcess, GpuReading
from lossmon.ui.scene import Scene
from lossmon.ui.state.hardware_timeline import GpuTrack
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, clean, clip, fit, pad, width
from lossmon.ui.widgets.gpu_loads import TrackPanel

COMMAND_LEAST = 16
"""Cells that the command line needs to say anything."""

Columns = list[tuple[int, str, list[str]]]
"""Importance (0 is kept longest), title and cells of each column; behind a title that begins with a
blank, cells are right-aligned."""


class ProcessTable(TrackPanel):
    """Every process on the GPUs that are known, those of this run marked."""

    title_word = "processes"

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        lines = table_lines(self.scene, self.tracks, width)
        if not lines:
            return [((f" {self.scene.say('no process holds GPU memory')}", MUTED),)]
        return [lines[0], *self.windowed(lines[1:], height - 1)]


def table_lines(scene: Scene, tracks: Sequence[GpuTrack], room: int) -> list[Line]:
    """A title and a line per process; empty without processes. What has no room is left out, the
    least important column first."""
    found = [(track, process) for track in tracks for process in track.reading.processes]
    if not found:
        return []
    columns = _columns(scene, found, several=len({track.node for track, _ in found}) > 1)
    sizes = [max(width(((cell, TEXT),)) for cell in (title, *cells)) for _, title, cells in columns]
    kept = [at for at, (_, _, cells) in enumerate(columns) if any(cells)]
    sizes[-1] = min(sizes[-1], COMMAND_LEAST)
    while sum(sizes[at] + 2 for at in kept) > room and len(kept) > 1:
        kept.remove(max(kept, key=lambda at: columns[at][0]))
    if len(columns) - 1 in kept:
        sizes[-1] += room - sum(sizes[at] + 2 for at in kept)
    titles = _row([columns[at][1] for at in kept], kept, columns, sizes, [MUTED] * len(kept))
    lines = [fit(titles, room)]
    for row, (_, process) in enumerate(found):
        cells = [columns[at][2][row] for at in kept]
        role = "ok" if process.own else TEXT
        roles = [MUTED if at == len(columns) - 1 and not process.own else role for at in kept]
        lines.append(fit(_row(cells, kept, columns, sizes, roles), room))
    return lines


def _row(
    cells: Sequence[str],
    kept: Sequence[int],
    columns: Columns,
    sizes: Sequence[int],
    roles: Sequence[str],
) -> Line:
    line: Line = EMPTY
    for at, cell, role in zip(kept, cells, roles, strict=True):
        text: Line = ((cell.strip(), role),)
        if columns[at][1].startswith(" "):
            text = ((" " * (sizes[at] - width(text)), TEXT), *text)
        line = (*line, (" " if not line else "  ", TEXT), *pad(text, sizes[at]))
    return line


def _columns(
    scene: Scene, found: Sequence[tuple[GpuTrack, GpuProcess]], *, several: bool
) -> Columns:
    say, now = scene.say, scene.now
    processes = [process for _, process in found]
    return [
        (6, say("node"), [clip(clean(track.node), 16) if several else "" for track, _ in found]),
        (0, "GPU", [str(track.reading.index) for track, _ in found]),
        (1, " PID", [str(one.pid) for one in processes]),
        (3, say("user"), [clip(clean(one.user), 12) for one in processes]),
        (2, " VRAM", [_size(one.memory_used) for one in processes]),
        (5, " CPU", ["" if one.cpu is None else numbers.percent(one.cpu) for one in processes]),
        (7, " RAM", [_size(one.memory) for one in processes]),
        (8, f" {say('time')}", [_age(one.started, now) for one in processes]),
        (0, "", [f"← {say('this run')}" if one.own else "" for one in processes]),
        (4, say("command"), [clean(one.command or one.name) for one in processes]),
    ]


def _size(count: int | None) -> str:
    return "" if count is None else numbers.size(count, 1)


def _age(started: float | None, now: float) -> str:
    return "" if started is None else numbers.duration(now - started)


def process_lines(scene: Scene, gpu: GpuReading, width: int) -> list[Line]:
    """The two largest processes; those of this run are marked in words."""
    lines = []
    for process in gpu.processes[:2]:
        name = clip(clean(process.name) or "?", 14)
        mark: Line = ((f"  ← {scene.say('this run')}", "ok"),) if process.own else EMPTY
        line: Line = ((f" {name} {process.pid}", MUTED), (f"  {_size(process.memory_used)}", TEXT))
        lines.append(fit((*line, *mark), width - 1))
    return lines
