"""The machine: what each GPU does, who holds its memory, and the host."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from lossmon.types import GpuReading, HardwareReading, HostReading, State
from lossmon.ui import numbers
from lossmon.ui.lines import EMPTY, MUTED, STRONG, TEXT, Line, choose, clean, clip, fit
from lossmon.ui.scene import Scene
from lossmon.ui.widgets.panel import Panel

COLUMN = 30
"""Cells below which a GPU has no room for bars."""

BLOCK_MOST = 46
"""Cells up to which the panel is a column, where a GPU is a block of lines instead of one."""

GIB = 1 << 30


class Hardware(Panel, can_focus=True):
    """All GPUs and the host, in as many lines as there are."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.scene = Scene()

    def on_mount(self) -> None:
        self.border_title = Content(f" {self.scene.say('hardware')} ")

    def show(self, scene: Scene) -> None:
        """Show the machine of a scene."""
        self.scene = scene
        self.redraw()

    def wanted_height(self, width: int) -> int:
        return max(1, len(self._whole(width)))

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        whole = self._whole(width)
        if len(whole) <= height:
            return whole
        return squeeze(self.scene, width, height)

    def _whole(self, width: int) -> list[Line]:
        reading = self.scene.snapshot.hardware
        if COLUMN <= width <= BLOCK_MOST and self.styles.gutter.top > 0:
            return blocks(self.scene, width)
        gpus = [gpu_line(self.scene, gpu, width) for gpu in reading.gpus]
        return [*gpus, *note_line(reading, width), *host_lines(self.scene, width)]


def squeeze(scene: Scene, width: int, height: int) -> list[Line]:
    """One line a GPU; the last stands for those that have none, and for the host."""
    reading = scene.snapshot.hardware
    lines = [gpu_line(scene, gpu, width) for gpu in reading.gpus]
    host = host_lines(scene, width)
    if len(lines) + len(host) <= height:
        return [*lines, *host]
    if len(lines) <= height and lines:
        return lines
    if not lines:
        return [*note_line(reading, width), *host][:height]
    shown = max(0, height - 1)
    return [*lines[:shown], rest_line(reading.gpus[shown:], width)]


def rest_line(gpus: Sequence[GpuReading], width: int) -> Line:
    """Several GPUs in one line: their mean utilization, their memory, and any trouble."""
    busy = [gpu.utilization for gpu in gpus if gpu.utilization is not None]
    used = sum(gpu.memory_used or 0 for gpu in gpus)
    total = sum(gpu.memory_total or 0 for gpu in gpus)
    trouble = sum(1 for gpu in gpus if gpu.lost or gpu.throttle_reasons)
    parts: list[tuple[int, Line]] = [
        (0, ((f"GPU{gpus[0].index}-{gpus[-1].index}", STRONG),)),
        (1, ((f"{sum(busy) / len(busy):.0f}%", TEXT),) if busy else EMPTY),
        (2, ((numbers.used_of(used, total), TEXT),) if total else EMPTY),
        (0, ((f"⚠ {trouble}", "warning"),) if trouble else EMPTY),
    ]
    return _indented(choose(parts, width - 1, 2))


def gpu_line(scene: Scene, gpu: GpuReading, width: int) -> Line:
    """One GPU in one line, for any width."""
    name = f"GPU{gpu.index}"
    if gpu.lost:
        return fit(((f" {name} ", STRONG), ("⚠ " + scene.say("lost"), "critical")), width)
    wide = width >= 64
    bars = 10 if width >= 100 else 8 if wide else 0
    watts = _power(gpu, wide)
    own = sum(process.memory_used or 0 for process in gpu.processes if process.own)
    parts: list[tuple[int, Line]] = [
        (0, ((name, STRONG),)),
        (7, ((short_name(gpu.name), MUTED),) if wide else EMPTY),
        (1, _utilization(gpu, bars)),
        (2, _memory(gpu, bars, "VRAM ") if wide else _memory(gpu, 0, "")),
        (4, ((watts, TEXT),) if watts else EMPTY),
        (5, ((f"{gpu.temperature:.0f}°C", TEXT),) if gpu.temperature is not None else EMPTY),
        (3, throttle(gpu, short=True)),
        (6, (("ours ", MUTED), (numbers.size(own, 1), TEXT)) if own and wide else EMPTY),
    ]
    return _indented(choose(parts, width - 1, 2 if wide else 1))


def _utilization(gpu: GpuReading, cells: int) -> Line:
    if gpu.utilization is None:
        return EMPTY
    number = (f"{gpu.utilization:3.0f}%" if cells else f"{gpu.utilization:.0f}%", TEXT)
    return (*bar(gpu.utilization / 100, cells), number) if cells else (number,)


def _memory(gpu: GpuReading, cells: int, label: str, decimals: int = 0) -> Line:
    if gpu.memory_used is None or not gpu.memory_total:
        return EMPTY
    text = numbers.used_of(gpu.memory_used, gpu.memory_total, decimals)
    share = gpu.memory_used / gpu.memory_total
    if not cells:
        return ((text, TEXT),)
    return ((label, MUTED), *bar(share, cells), (" " + text, TEXT))


def _power(gpu: GpuReading, wide: bool) -> str:
    if gpu.power is None:
        return ""
    limit = f"/{gpu.power_limit:.0f}" if wide and gpu.power_limit else ""
    return f"{_steady(gpu.power):.0f}{limit}W"


def _steady(watts: float) -> float:
    """Power to five watts: the last ones tremble for ever and say nothing."""
    return 5 * round(watts / 5) if watts >= 50 else watts


def throttle(gpu: GpuReading, *, short: bool) -> Line:
    """Why the GPU is slowed down, or nothing."""
    if not gpu.throttle_reasons:
        return EMPTY
    reasons = clean(", ".join(gpu.throttle_reasons))
    return (("⚠ ", "warning"), (clip(reasons, 22) if short else reasons, "warning"))


def blocks(scene: Scene, width: int) -> list[Line]:
    """A column: every GPU in a few lines, then the host."""
    reading = scene.snapshot.hardware
    lines: list[Line] = []
    for gpu in reading.gpus:
        lines += [*block(scene, gpu, width), EMPTY]
    lines += note_line(reading, width)
    if reading.note and reading.host:
        lines.append(EMPTY)
    return lines + host_column(scene, reading.host, width)


def block(scene: Scene, gpu: GpuReading, width: int) -> list[Line]:
    """One GPU in up to six lines."""
    name = clip(clean(gpu.name.removeprefix("NVIDIA ")), width - 8)
    head: Line = ((f" GPU{gpu.index}  ", STRONG), (name, MUTED))
    if gpu.lost:
        return [head, ((" ⚠ " + scene.say("lost"), "critical"),)]
    cells = max(6, min(14, width - 22))
    lines = [head]
    if gpu.utilization is not None:
        history = recent_bars(gpu, width - cells - 15, not scene.terminal.unicode)
        number = (f"  {gpu.utilization:3.0f}%  ", TEXT)
        lines.append(
            ((" util ", MUTED), *bar(gpu.utilization / 100, cells), number, (history, "bar"))
        )
    if memory := _memory(gpu, cells, " VRAM ", decimals=1):
        lines.append((*memory[:-1], (" " + memory[-1][0], TEXT)))
    lines.append(_electric(gpu, width))
    if reasons := throttle(gpu, short=False):
        lines.append(fit(((" ", TEXT), *reasons), width - 1))
    lines += process_lines(scene, gpu, width)
    return [line for line in lines if line]


def recent_bars(gpu: GpuReading, room: int, ascii: bool) -> str:
    """The newest utilizations as a sparkline, scaled 0 to 100."""
    newest = gpu.utilization_history[-room:] if room >= 3 else ()
    levels = " ▁▂▃▄▅▆▇█" if not ascii else " .:-=+*%#"
    return "".join(levels[max(0, min(8, round(value / 12.5)))] for value in newest)


def _electric(gpu: GpuReading, width: int) -> Line:
    parts: list[tuple[int, Line]] = []
    if gpu.power is not None:
        limit = f"/{gpu.power_limit:.0f}" if gpu.power_limit else ""
        parts.append((0, ((f"{_steady(gpu.power):.0f}{limit} W", TEXT),)))
    if gpu.temperature is not None:
        parts.append((1, ((f"{gpu.temperature:.0f} °C", TEXT),)))
    if gpu.sm_clock is not None:
        parts.append((2, ((f"{gpu.sm_clock / 1e6:,.0f} MHz", TEXT),)))
    return _indented(choose(parts, width - 2, 3))


def process_lines(scene: Scene, gpu: GpuReading, width: int, most: int = 2) -> list[Line]:
    """The largest processes; those of this run are marked in words."""
    lines = []
    for process in gpu.processes[:most]:
        memory = numbers.size(process.memory_used, 1) if process.memory_used is not None else ""
        name = clip(clean(process.name) or "?", 14)
        mark: Line = ((f"  ← {scene.say('this run')}", "ok"),) if process.own else EMPTY
        line: Line = ((f" {name} {process.pid}", MUTED), (f"  {memory}", TEXT), *mark)
        lines.append(fit(line, width - 1))
    return lines


def note_line(reading: HardwareReading, width: int) -> list[Line]:
    """The calm line where there is nothing to show."""
    return [fit(((" " + clean(reading.note), MUTED),), width)] if reading.note else []


def host_lines(scene: Scene, width: int) -> list[Line]:
    """The host in one line, or none before its first sample."""
    host = scene.snapshot.hardware.host
    if host is None:
        return []
    parts = host_parts(scene, host)
    wide = width >= 100
    if wide:
        parts.insert(0, (4, ((clean(host.name), MUTED),)))
    return [_indented(choose(parts, width - 1, 2))]


def host_column(scene: Scene, host: HostReading | None, width: int) -> list[Line]:
    """The host in a few lines of a column."""
    if host is None:
        return []
    parts = host_parts(scene, host)
    lines = [fit(((" node  ", MUTED), (clean(host.name), TEXT)), width - 1)]
    lines.append(_indented(choose([part for part in parts if part[0] < 2], width - 2, 3)))
    lines.append(_indented(choose([part for part in parts if part[0] >= 2], width - 2, 3)))
    return [line for line in lines if line]


def host_parts(scene: Scene, host: HostReading) -> list[tuple[int, Line]]:
    """CPU, memory and disk, with importance. CPU is told only while a run is at work."""
    active = any(run.state in (State.RUNNING, State.STALLED) for run in scene.snapshot.runs)
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


def bar(share: float, cells: int) -> Line:
    """A bar of `cells` cells, filled to eighths of a cell."""
    eighths = round(max(0.0, min(1.0, share)) * cells * 8)
    full, rest = divmod(eighths, 8)
    filled = "█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")
    return ((filled, "bar"), ("░" * (cells - len(filled)), "frame"))


def short_name(name: str) -> str:
    """`NVIDIA H100 80GB HBM3` as `H100`."""
    words = [w for w in clean(name).split() if w.lower() not in {"nvidia", "geforce", "tesla"}]
    return clip(words[0] if words else "", 10)


def _indented(line: Line) -> Line:
    return ((" ", TEXT), *line) if line else EMPTY
