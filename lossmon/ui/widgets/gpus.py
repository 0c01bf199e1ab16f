"""GPUs as text: one line each in aligned columns, or a block of lines each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lossmon.types import GpuDetails, GpuReading
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import (
    EMPTY,
    MUTED,
    STRONG,
    TEXT,
    Line,
    bar,
    choose,
    clean,
    clip,
    fit,
    indented,
    join,
    pad,
)
from lossmon.ui.text.lines import width as cells_of
from lossmon.ui.widgets.processes import process_lines

WIDE = 64
"""Cells from which a GPU's line has bars."""

_NAMELESS = re.compile(r"GPU ?\d+")

_MAKERS = frozenset({"nvidia", "geforce", "tesla", "graphics", "device"})
_FAMILIES = frozenset({"rtx", "gtx", "quadro", "titan", "mx"})
"""Words that say nothing without the number behind them."""


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
    return indented(choose(parts, width - 1, 2))


def gpu_lines(scene: Scene, gpus: Sequence[GpuReading], width: int) -> list[Line]:
    """One line a GPU, for any width; what is given up is given up for all, so columns align."""
    rows = [_cells_of(scene, gpu, width) for gpu in gpus]
    if not rows:
        return []
    wide = width >= WIDE
    kept = list(range(len(rows[0])))
    while len(kept) > 1:
        sizes = {at: max(cells_of(row[at][1]) for row in rows) for at in kept}
        filled = [at for at in kept if sizes[at]]
        for gap in (3, 2, 1) if wide else (1,):
            if sum(sizes[at] for at in filled) + gap * (len(filled) - 1) <= width - 2:
                return [_row(row, filled, sizes, gap) for row in rows]
        kept.remove(max(kept, key=lambda at: rows[0][at][0]))
    return [indented(fit(row[0][1], width - 1)) for row in rows]


def _row(
    row: Sequence[tuple[int, Line]], kept: Sequence[int], sizes: dict[int, int], gap: int
) -> Line:
    line: Line = ((" ", TEXT),)
    for at in kept:
        line = (*line, *pad(row[at][1], sizes[at]), (" " * gap, TEXT))
    return line


def _cells_of(scene: Scene, gpu: GpuReading, width: int) -> list[tuple[int, Line]]:
    """The columns of a GPU with their importance, in the order they stand."""
    wide = width >= WIDE
    bars = 10 if width >= 100 else 8 if wide else 0
    watts = _power(gpu, wide)
    own = sum(process.memory_used or 0 for process in gpu.processes if process.own)
    lost: Line = (("⚠ " + scene.say("lost"), "critical"),)
    return [
        (0, ((f"GPU{gpu.index}", STRONG),)),
        (7, ((short_name(gpu.name), MUTED),) if wide else EMPTY),
        (1, lost if gpu.lost else _utilization(gpu, bars)),
        (
            2,
            EMPTY
            if gpu.lost
            else _memory(gpu, bars, f"{scene.say('VRAM')} ")
            if wide
            else _memory(gpu, 0, ""),
        ),
        (4, ((watts, TEXT),) if watts and not gpu.lost else EMPTY),
        (5, _warmth(gpu)),
        (3, throttle(gpu, short=True)),
        (
            6,
            ((f"{scene.say('ours')} ", MUTED), (numbers.size(own, 1), TEXT))
            if own and wide
            else EMPTY,
        ),
    ]


def _warmth(gpu: GpuReading) -> Line:
    if gpu.temperature is None or gpu.lost:
        return EMPTY
    return ((f"{gpu.temperature:.0f}°C", TEXT),)


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


def block(scene: Scene, gpu: GpuReading, width: int, *, whole: bool = True) -> list[Line]:
    """One GPU in a few lines; what is wrong with it is always shown.

    Args:
        scene: In which language, on which terminal.
        width: Cells.
        whole: Show its links, its partitions and who holds its memory, too.
    """
    name = clip(clean(gpu.name.removeprefix("NVIDIA ")), width - 8)
    head: Line = ((f" GPU{gpu.index}  ", STRONG), (name if short_name(gpu.name) else "", MUTED))
    if gpu.lost:
        return [head, ((" ⚠ " + scene.say("lost"), "critical"),)]
    cells = max(6, min(14, width - 22))
    lines = [head]
    if gpu.utilization is not None:
        history = recent_bars(gpu, width - cells - 15, not scene.terminal.unicode)
        number = (f"  {gpu.utilization:3.0f}%  ", TEXT)
        lines.append(
            (
                (f" {scene.say('util')} ", MUTED),
                *bar(gpu.utilization / 100, cells),
                number,
                (history, "bar"),
            )
        )
    if memory := _memory(gpu, cells, f" {scene.say('VRAM')} ", decimals=1):
        lines.append((*memory[:-1], (" " + memory[-1][0], TEXT)))
    lines.append(_electric(gpu, width))
    if reasons := throttle(gpu, short=False):
        lines.append(fit(((" ", TEXT), *reasons), width - 1))
    if faults := gpu_faults(scene, gpu):
        lines.append(fit(((" ", TEXT), *join(faults, ("  ", TEXT))), width - 1))
    if whole:
        if links := _links(scene, gpu.details):
            lines.append(indented(choose(links, width - 2, 3)))
        lines += partition_lines(gpu, width)
        lines += process_lines(scene, gpu, width)
    return [line for line in lines if line]


def gpu_faults(scene: Scene, gpu: GpuReading) -> list[Line]:
    """Errors that the driver reported of a GPU, and what became of its memory."""
    details = gpu.details
    if details is None:
        return []
    faults: list[Line] = []
    if details.xids:
        faults.append(((f"⚠ Xid {details.xids[-1]}", "critical"),))
    if details.ecc_uncorrected:
        faults.append(((f"⚠ ECC {details.ecc_uncorrected}", "critical"),))
    if details.remap_failed or details.remap_pending:
        word = scene.say("row remap failed" if details.remap_failed else "row remap pending")
        faults.append(((f"⚠ {word}", "warning"),))
    return faults


def partition_lines(gpu: GpuReading, width: int) -> list[Line]:
    """A line per partition (MIG device): its profile and its memory."""
    lines = []
    for one in gpu.details.partitions if gpu.details is not None else ():
        memory: Line = EMPTY
        if one.memory_used is not None and one.memory_total:
            memory = ((f"  {numbers.used_of(one.memory_used, one.memory_total, 1)}", TEXT),)
        lines.append(fit(((f" {clean(one.name)}", MUTED), *memory), width - 1))
    return lines


def short_block(scene: Scene, gpu: GpuReading, width: int) -> list[Line]:
    """One GPU in two lines: load with its history, then memory, power and temperature."""
    head: Line = ((f" GPU{gpu.index} ", STRONG),)
    if gpu.lost:
        return [(*head, ("⚠ " + scene.say("lost"), "critical")), EMPTY]
    if gpu.utilization is not None:
        cells = max(6, min(10, width - 24))
        head = (*head, *_utilization(gpu, cells), (" ", TEXT))
    room = width - cells_of(head) - 1
    if reasons := throttle(gpu, short=True):
        head = (*head, *fit(reasons, room))
    else:
        head = (*head, (recent_bars(gpu, room, not scene.terminal.unicode), "bar"))
    parts: list[tuple[int, Line]] = [
        (0, _memory(gpu, 0, "", decimals=1)),
        (1, ((_power(gpu, True), TEXT),) if gpu.power is not None else EMPTY),
        (2, _warmth(gpu)),
    ]
    return [head, ((" " * 6, TEXT), *choose(parts, width - 7, 2))]


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
        parts.append((2, ((_clock(gpu), TEXT),)))
    return indented(choose(parts, width - 2, 3))


def _clock(gpu: GpuReading) -> str:
    """The clock of its multiprocessors, and the highest that they have."""
    most = gpu.details.sm_clock_max if gpu.details is not None else None
    limit = f"/{most / 1e6:,.0f}" if most else ""
    return f"{(gpu.sm_clock or 0.0) / 1e6:,.0f}{limit} MHz"


def gpu_facts(scene: Scene, gpu: GpuReading) -> list[tuple[int, Line]]:
    """What there is to say of a GPU beside its load, with importance."""
    parts: list[tuple[int, Line]] = []
    if gpu.lost:
        parts.append((0, (("⚠ " + scene.say("lost"), "critical"),)))
    parts.append((0, throttle(gpu, short=True)))
    parts += [(0, fault) for fault in gpu_faults(scene, gpu)]
    if gpu.memory_used is not None and gpu.memory_total:
        memory = numbers.used_of(gpu.memory_used, gpu.memory_total)
        parts.append((1, ((memory, TEXT),)))
    if gpu.power is not None:
        parts.append((2, ((_power(gpu, wide=True), TEXT),)))
    parts.append((3, _warmth(gpu)))
    if gpu.sm_clock is not None:
        parts.append((4, ((_clock(gpu), TEXT),)))
    parts += _links(scene, gpu.details)
    own = sum(process.memory_used or 0 for process in gpu.processes if process.own)
    if own:
        parts.append((5, (("ours ", MUTED), (numbers.size(own, 1), TEXT))))
    return parts


def _links(scene: Scene, details: GpuDetails | None) -> list[tuple[int, Line]]:
    """PCI Express, NVLink, partitions, corrected memory errors, fan and video engines of a GPU."""
    parts: list[tuple[int, Line]] = []
    if details is None:
        return parts
    if (pcie := details.pcie) is not None:
        parts.append((6, ((f"PCIe {pcie.generation}x{pcie.width}", MUTED),)))
        parts += _rates(12, details.pcie_sent, details.pcie_received)
    if details.nvlinks is not None and details.nvlinks_total:
        role = MUTED if details.nvlinks == details.nvlinks_total else "warning"
        parts.append((7, ((f"NVLink {details.nvlinks}/{details.nvlinks_total}", role),)))
    parts += _rates(8, details.nvlink_sent, details.nvlink_received)
    if details.fan is not None:
        parts.append((10, ((f"{scene.say('fan')} {details.fan:.0f}%", MUTED),)))
    if details.encoder or details.decoder:
        video = f"enc {details.encoder or 0:.0f}% dec {details.decoder or 0:.0f}%"
        parts.append((11, ((video, MUTED),)))
    if details.ecc_corrected:
        parts.append((9, ((f"ECC {details.ecc_corrected}", MUTED),)))
    if details.partitions:
        parts.append((9, ((f"MIG {len(details.partitions)}", MUTED),)))
    return parts


def _rates(rank: int, sent: float | None, received: float | None) -> list[tuple[int, Line]]:
    """Bytes per second over a link, to stand behind its name."""
    if sent is None or received is None:
        return []
    return [(rank, ((f"↑{numbers.si(sent, 2)}B/s ↓{numbers.si(received, 2)}B/s", MUTED),))]


def short_name(name: str) -> str:
    """`NVIDIA H100 80GB HBM3` as `H100`, `NVIDIA GeForce RTX 4090` as `RTX 4090`; empty where the
    name says no more than the number."""
    if _NAMELESS.fullmatch(name):
        return ""
    words = [word for word in clean(name).split() if word.lower() not in _MAKERS]
    if not words:
        return ""
    model = words[0].partition("-")[0]
    family = model.lower() in _FAMILIES and len(words) > 1
    return clip(f"{model} {words[1]}" if family else model, 10)
