"""Load of many GPUs over time, a line each, below the columns of the loss chart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

import numpy as np

from lossmon.types import Floats
from lossmon.ui.scene import Scene
from lossmon.ui.state.hardware_timeline import GpuTrack
from lossmon.ui.text.lines import EMPTY, MUTED, STRONG, Line, clean, pad
from lossmon.ui.widgets.panel import ScenePanel

HELD = 3.0
"""Sample intervals for which a load is drawn on where no newer sample is known."""

_LEVELS, _ASCII_LEVELS = " ▁▂▃▄▅▆▇█", " .:-=+*%#"


class TrackPanel(ScenePanel):
    """Lines about GPUs, more than there is room for."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.tracks: Sequence[GpuTrack] = ()
        self.offset_row = 0
        """First row that is shown."""
        self.display = False

    def show_tracks(self, scene: Scene, tracks: Sequence[GpuTrack]) -> None:
        """Show GPUs as they are now."""
        self.tracks = tracks
        self.show(scene)

    def scroll(self, rows: int) -> None:
        """Show other rows, `rows` further down."""
        self.offset_row += rows
        self.redraw()

    def windowed(self, lines: Sequence[Line], height: int) -> Sequence[Line]:
        """The lines that are shown."""
        self.offset_row = max(0, min(self.offset_row, len(lines) - height))
        return lines[self.offset_row : self.offset_row + height]


class GpuLoads(TrackPanel):
    """A line per GPU: its load over the time that the chart above shows.

    Args:
        position_at: Seconds since the run began in the middle of a column of the chart above, None
            beside its curves.
    """

    title_word = "load"

    def __init__(self, position_at: Callable[[int], float | None]) -> None:
        super().__init__("loads")
        self.position_at = position_at
        self.begin = 0.0
        """When the run began, in seconds since the Unix epoch."""

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        # The frame of the chart is one column wide.
        places = [self.position_at(column - 1) for column in range(width)]
        known = [(at, place) for at, place in enumerate(places) if place is not None]
        if len(known) < 2:
            return [((f" {self.scene.say('no clock to draw the loads on')}", MUTED),)]
        left, first = known[0]
        middles = np.array([place for _, place in known])
        half = (middles[-1] - first) / (len(known) - 1) / 2
        edges = self.begin + np.append(middles - half, middles[-1] + half)
        levels = _LEVELS if self.scene.terminal.unicode else _ASCII_LEVELS
        lines: list[Line] = []
        for node, tracks in groupby(self.tracks, key=lambda track: track.node):
            if node:
                lines.append(((f" {clean(node)}", MUTED),))
            for track in tracks:
                index = str(track.reading.index)
                name = f" GPU{index}" if left > len(index) + 4 else index
                cells = column_loads(*track.load, edges)
                lines.append((*pad(((name, STRONG),), left), (bars(cells, levels), "train")))
        return self.windowed(lines, height) or [EMPTY]


def column_loads(times: Floats, loads: Floats, edges: Floats) -> Floats:
    """Mean load in each column.

    Args:
        times: Of the samples, ascending.
        loads: 0 to 100, NaN where unknown.
        edges: Times at which the columns begin, and the end of the last one.

    Returns:
        One load per column; NaN where no sample is near.
    """
    known = np.isfinite(loads)
    times, loads = times[known], loads[known]
    if not len(times):
        return np.full(len(edges) - 1, np.nan)
    at = np.searchsorted(times, edges)
    at[-1] = np.searchsorted(times, edges[-1], "right")
    counts = np.diff(at)
    sums = np.diff(np.append(0.0, np.cumsum(loads))[at])
    found = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    last = at[1:] - 1
    held = HELD * (float(np.median(np.diff(times))) if len(times) > 1 else 0.0)
    near = (counts == 0) & (last >= 0) & (edges[:-1] - times[last] <= held)
    found[near] = loads[last[near]]
    return found


def bars(loads: Floats, levels: str) -> str:
    """Loads as bars of one character; an idle GPU is told from an unknown one."""
    heights = np.clip(np.round(np.nan_to_num(loads) / 12.5), 1, len(levels) - 1).astype(int)
    heights[np.isnan(loads)] = 0
    return "".join(levels[height] for height in heights.tolist())
