"""`lossmon PATH --once`: one picture of the screen as text."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console
from textual.strip import Strip

from lossmon.config import Config
from lossmon.monitor import RunSource
from lossmon.types import MetricNames, Snapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.launch import screen_config

READING = 0.25
"""Seconds of one poll."""

HARDWARE = 2.0
"""Seconds that the first samples of GPUs and host may take; a sick driver costs no more."""


def once(source: RunSource, config: Config, size: tuple[int, int], out: TextIO) -> int:
    """Draw the screen as it would be now, without a terminal, and print it.

    Args:
        source: Where the runs come from; stopped at the end.
        size: Columns and rows.
        out: Where to print; colours are used where it is a terminal.

    Returns:
        Exit status.
    """
    try:
        snapshot = _whole(source, hardware=config.hardware)
    finally:
        source.stop()
    app = LossmonApp(StillSource(snapshot), screen_config(config, snapshot))
    # A terminal of few colours gets the nearest ones.
    colours = Console(file=out) if out.isatty() and app.terminal.colors else None
    for line in asyncio.run(_drawn(app, size)):
        print(line.text.rstrip() if colours is None else line.render(colours), file=out)
    return 0


class StillSource:
    """A source in which nothing changes any more."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.changed = threading.Event()

    def poll(self, budget: float, *, judge: bool = True) -> Snapshot:
        return self.snapshot

    def drain(self) -> Snapshot:
        return self.snapshot

    def begin(self) -> None: ...

    def prioritise(self, paths: Collection[Path]) -> None: ...

    def set_metric_names(self, names: MetricNames) -> None: ...

    def load_settings(self, paths: Collection[Path]) -> None: ...

    def stop(self) -> None: ...


def _whole(source: RunSource, *, hardware: bool) -> Snapshot:
    """Everything that is there, the hardware included where it is wanted."""
    source.begin()
    source.drain()
    end = time.monotonic() + HARDWARE
    while True:
        source.changed.clear()
        snapshot = source.poll(READING)
        machine = snapshot.hardware
        if snapshot.busy:
            continue
        if not hardware or (machine.host is not None and (machine.gpus or machine.note)):
            return snapshot
        if not source.changed.wait(max(0.0, end - time.monotonic())) and time.monotonic() >= end:
            return snapshot


async def _drawn(app: LossmonApp, size: tuple[int, int]) -> Sequence[Strip]:
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        return app.screen._compositor.render_strips()
