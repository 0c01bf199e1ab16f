"""Checks of this machine: its terminal and its GPUs."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lossmon.doctor import CheckResult, good, note
from lossmon.types import HardwareReading
from lossmon.ui.terminal import TRUE_COLOR, detect

PATIENCE = 5.0
"""Seconds that the driver may take to answer; a sick one takes for ever."""


def check_hardware(paths: Sequence[Path]) -> Iterator[CheckResult]:
    """GPUs through NVML."""
    import threading

    from lossmon.hardware.sampler import HardwareSampler

    changed = threading.Event()
    sampler = HardwareSampler(paths, on_change=changed)
    sampler.start()
    try:
        end = time.monotonic() + PATIENCE
        while not _has_answered(sampler.latest) and time.monotonic() < end:
            changed.wait(0.1)
            changed.clear()
        yield examine_gpus(sampler.latest)
    finally:
        sampler.stop()


def _has_answered(reading: HardwareReading) -> bool:
    return bool(reading.gpus or reading.note)


def examine_gpus(reading: HardwareReading) -> CheckResult:
    """What a reading says of the driver."""
    if reading.gpus:
        lost = [str(gpu.index) for gpu in reading.gpus if gpu.lost]
        names = ", ".join(dict.fromkeys(gpu.name for gpu in reading.gpus))
        text = f"{len(reading.gpus)} x {names}"
        if lost:
            found = "{gpus}; GPU {lost} does not answer"
            remedy = "see `nvidia-smi` and `dmesg | grep -i xid`; the machine may need a restart"
            return note("GPUs", found, remedy, gpus=text, lost=", ".join(lost))
        return good("GPUs", "{gpus}", gpus=text)
    if reading.note:
        remedy = "ignore this if the machine has no NVIDIA GPU; otherwise run `nvidia-smi`"
        return note("GPUs", reading.note, remedy)
    found = "the driver has not answered within {seconds} s"
    remedy = "the driver hangs; `nvidia-smi` will too, and the machine may need a restart"
    return note("GPUs", found, remedy, seconds=f"{PATIENCE:g}")


NARROWEST, LOWEST = 40, 9
"""Columns and rows from which the screen shows a chart."""


def check_terminal() -> Iterator[CheckResult]:
    """The terminal of this process."""
    if sys.stdout.isatty():
        size = shutil.get_terminal_size()
        yield from examine_terminal(os.environ, (size.columns, size.lines))
    else:
        yield note(
            "terminal",
            "the output is not a terminal",
            "the screen needs one; `lossmon check PATH` and `lossmon PATH --once` do not",
        )


def examine_terminal(environ: Mapping[str, str], size: tuple[int, int]) -> Iterator[CheckResult]:
    """A terminal by its variables and its size in columns and rows."""
    width, height = size
    found = f"{environ.get('TERM') or 'unknown'}, {width}x{height}"
    if width < NARROWEST or height < LOWEST:
        remedy = "make it at least {least} to see a chart"
        yield note("terminal", "{found}", remedy, found=found, least=f"{NARROWEST}x{LOWEST}")
    else:
        yield good("terminal", "{found}", found=found)
    able = detect(environ)
    yield _characters(able.unicode)
    yield _colours(able.colors, environ)
    if able.has_images:
        yield good("images", "drawn by the terminal (Kitty graphics)")
    if environ.get("TMUX"):
        yield good("tmux", "alerts can be shown by it: lossmon watch PATH --tmux")


def _characters(unicode: bool) -> CheckResult:
    if unicode:
        return good("characters", "Unicode")
    return note(
        "characters",
        "ASCII: the locale or the terminal does not take UTF-8, so curves are coarse",
        "set LANG=C.UTF-8 (or another UTF-8 locale); --charset unicode forces it",
    )


def _colours(colors: int, environ: Mapping[str, str]) -> CheckResult:
    if colors >= TRUE_COLOR:
        return good("colours", "16 million")
    if environ.get("NO_COLOR"):
        return note("colours", "none: NO_COLOR is set", "unset NO_COLOR to enable them")
    if colors > 16:
        remedy = "set COLORTERM=truecolor if the terminal has more"
        return note("colours", "{colors}", remedy, colors=str(colors))
    return note(
        "colours",
        "{colors}: themes are replaced by the terminal's own colours",
        "set TERM to what the terminal is, such as xterm-256color, and COLORTERM=truecolor",
        colors=str(colors),
    )
