"""Hardware panel: each GPU, the processes that hold its memory, and the host."""

from __future__ import annotations

from collections.abc import Sequence

from textual.widget import Widget

from lossmon.locale import message
from lossmon.types import HostReading, RunState
from lossmon.ui.dashboard.places import is_narrow, pending_rows
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, choose, clean, fit, indented, pad, wrap
from lossmon.ui.widgets.gpus import block, gpu_lines, rest_line, short_block
from lossmon.ui.widgets.panel import ScenePanel

COLUMN = 30
"""Cells below which a GPU has no room for bars."""

TWO_COLUMNS = 76
"""Cells from which two GPUs can stand side by side."""

BLOCK_MOST = 46
"""Cells up to which the panel is a column, where a GPU is a block of lines instead of one."""


class Hardware(ScenePanel, can_focus=True):
    """All GPUs and the host, in as many lines as there are."""

    title_word = "hardware"

    def show(self, scene: Scene) -> None:
        reading = scene.snapshot.hardware
        has_any = bool(reading.gpus or reading.note or reading.host)
        self.set_class(not has_any, "-empty", update=self.is_mounted)
        super().show(scene)

    def wanted_height(self, width: int) -> int:
        wanted, most = len(self._whole(width)), self.styles.max_height
        if self._is_column(width) and most is not None and isinstance(self.parent, Widget):
            # In fewer rows other forms are drawn, which may not need them all.
            room = int(self.parent.size.height * most.value / 100) - self.styles.gutter.height
            if 0 < room < wanted:
                wanted = len(self.compose_lines(width, room))
        return max(1, wanted)

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        whole = self._whole(width)
        if len(whole) <= height:
            return whole
        if self._is_column(width):
            for spaced in (True, False):
                shorter = blocks(self.scene, width, whole=False, spaced=spaced)
                if len(shorter) <= height:
                    return shorter
            dense = dense_column(self.scene, width, height)
            if dense is not None:
                return dense
        if width >= TWO_COLUMNS and len(self.scene.snapshot.hardware.gpus) > height:
            return two_columns(self.scene, width, height)
        return squeeze(self.scene, width, height)

    def _is_column(self, width: int) -> bool:
        return COLUMN <= width <= BLOCK_MOST and self.styles.gutter.top > 0

    def _whole(self, width: int) -> list[Line]:
        reading = self.scene.snapshot.hardware
        if self._is_column(width):
            return blocks(self.scene, width)
        gpus = gpu_lines(self.scene, reading.gpus, width)
        return [*gpus, *foot_lines(self.scene, width)]


def dense_column(scene: Scene, width: int, height: int) -> list[Line] | None:
    """A column with two lines per GPU and as much of the host as there is room for; None where
    there is none for the GPUs."""
    gpus = scene.snapshot.hardware.gpus
    lines = [line for gpu in gpus for line in short_block(scene, gpu, width)]
    if len(lines) > height:
        return None
    lines += note_line(scene, width)
    return [*lines, *host_column(scene, scene.snapshot.hardware.host, width)][:height]


def two_columns(scene: Scene, width: int, height: int) -> list[Line]:
    """Two GPUs side by side in each line; the last stands for those that have none."""
    gpus = scene.snapshot.hardware.gpus
    rows = min(height, -(-len(gpus) // 2))
    half = width // 2
    shown = gpu_lines(scene, gpus[: 2 * rows], half)
    if len(gpus) > 2 * rows:
        shown[-1] = rest_line(gpus[2 * rows - 1 :], half)
    left, right = shown[:rows], shown[rows:]
    right += [EMPTY] * (rows - len(right))
    lines: list[Line] = [(*pad(one, half), *two) for one, two in zip(left, right, strict=True)]
    return [*lines, *host_lines(scene, width)][:height]


def squeeze(scene: Scene, width: int, height: int) -> list[Line]:
    """One line a GPU; the last stands for those that have none, and for the host."""
    reading = scene.snapshot.hardware
    count = len(reading.gpus)
    if not count:
        return foot_lines(scene, width)[:height]
    if count <= height:
        lines = [*gpu_lines(scene, reading.gpus, width), *host_lines(scene, width)]
        return lines[:height]
    shown = max(0, height - 1)
    lines = gpu_lines(scene, reading.gpus[:shown], width)
    return [*lines, rest_line(reading.gpus[shown:], width)]


def blocks(scene: Scene, width: int, *, whole: bool = True, spaced: bool = True) -> list[Line]:
    """A column: every GPU in a few lines, then the host.

    Args:
        width: Cells.
        whole: Name links, partitions and who holds the memory.
        spaced: Leave a line free behind each GPU.
    """
    reading = scene.snapshot.hardware
    gap = [EMPTY] if spaced else []
    lines: list[Line] = []
    for gpu in reading.gpus:
        lines += [*block(scene, gpu, width, whole=whole), *gap]
    note = wrap(clean(message(reading.note, scene.language)), width - 2)
    lines += [((f" {line}", MUTED),) for line in note if line]
    if reading.note and reading.host:
        lines += gap
    lines += host_column(scene, reading.host, width)
    return lines[:-1] if lines and not lines[-1] else lines


def foot_lines(scene: Scene, width: int) -> list[Line]:
    """The note and the host; on a narrow screen one line, where the note gives way."""
    note, host = note_line(scene, width), host_lines(scene, width)
    if (reading := scene.snapshot.hardware).expected is not None:
        return [*note, *[EMPTY] * (pending_rows(reading, width) - 1)]
    return [*note, *host] if not is_narrow(width) else host or note


def note_line(scene: Scene, width: int) -> list[Line]:
    """The calm line where there is nothing to show."""
    note = message(scene.snapshot.hardware.note, scene.language)
    return [fit(((" " + clean(note), MUTED),), width)] if note else []


def host_lines(scene: Scene, width: int) -> list[Line]:
    """The host in one line; none where it is not sampled."""
    host = scene.snapshot.hardware.host
    if host is None:
        return []
    parts = host_parts(scene, host)
    wide = width >= 100
    if wide and host.name:
        parts.insert(0, (4, ((clean(host.name), MUTED),)))
    return [indented(choose(parts, width - 1, 2))]


def host_column(scene: Scene, host: HostReading | None, width: int) -> list[Line]:
    """The host in a few lines of a column."""
    if host is None:
        return []
    parts = host_parts(scene, host)
    name = ((f" {scene.say('node')}  ", MUTED), (clean(host.name), TEXT)) if host.name else EMPTY
    lines = [fit(name, width - 1)]
    lines.append(indented(choose([part for part in parts if part[0] < 2], width - 2, 3)))
    lines.append(indented(choose([part for part in parts if part[0] >= 2], width - 2, 3)))
    return [line for line in lines if line]


def host_parts(scene: Scene, host: HostReading) -> list[tuple[int, Line]]:
    """CPU, memory and disk, with importance. CPU is shown only while a run is active."""
    active = any(run.state in (RunState.RUNNING, RunState.STALLED) for run in scene.snapshot.runs)
    parts: list[tuple[int, Line]] = []
    if host.cpu is not None and (active or not scene.snapshot.runs):
        parts.append((1, (("CPU ", MUTED), (numbers.percent(host.cpu), TEXT))))
    if host.memory_used is not None and host.memory_total:
        memory = numbers.used_of(host.memory_used, host.memory_total)
        parts.append((0, (("RAM ", MUTED), (memory, TEXT))))
    if host.disk_free is not None:
        low = host.disk_total and host.disk_free < 0.02 * host.disk_total
        free = f"{numbers.size(host.disk_free)} {scene.say('free')}"
        parts.append((2, ((scene.say("disk") + " ", MUTED), (free, "warning" if low else TEXT))))
    return parts
