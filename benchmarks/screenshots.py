"""Pictures of the README, made of real trainings: `make screenshots`."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from lossmon.demo.cases import CASES
from lossmon.demo.train import train
from lossmon.hardware.sampler import HardwareSampler
from lossmon.monitor import Monitor
from lossmon.types import HardwareReading, Snapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.export.picture import without_fonts
from lossmon.ui.once import StillSource
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.terminal import Terminal

DOCS = Path(__file__).resolve().parent.parent / "docs"

FLEET = "runs"
"""Every case in one directory."""

PICTURES: tuple[tuple[str, str, tuple[int, int], tuple[str, ...], str], ...] = (
    ("overfitting", "overfit", (120, 40), (), "lossmon-dark"),
    ("diagnosis", "overfit", (90, 30), ("d",), "lossmon-dark"),
    ("pane", "diverge", (40, 15), (), "lossmon-dark"),
    ("fleet", FLEET, (120, 16), (), "lossmon-dark"),
    ("compare", FLEET, (120, 36), ("c",), "lossmon-light"),
)
"""Name, demo case, columns and rows, keys typed, theme."""

PACE = 2.0
"""How much faster than the demo a training runs for its picture: twenty steps a second."""

SHARE = 0.65
"""Of its planned steps that a training has done when its picture is taken."""


def picture(snapshot: Snapshot, size: tuple[int, int], keys: tuple[str, ...], theme: str) -> str:
    """Show a snapshot on a screen and return it as SVG."""
    config = ScreenConfig(theme=theme, initial=snapshot, fleet_first=True)
    app = LossmonApp(
        StillSource(snapshot),
        config,
        clock=lambda: snapshot.time,
        terminal=Terminal(),
    )

    async def take() -> str:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await pilot.press(*keys)
            await pilot.pause(0.2)
            return app.export_screenshot(title="lossmon ./output")

    return without_fonts(asyncio.run(take()))


def live(case: str, out: Path) -> Snapshot:
    """Train a case and return what is seen of it on the way."""
    stop = threading.Event()
    training = threading.Thread(
        target=train, args=(CASES[case], out), kwargs={"speed": PACE, "stop": stop.is_set}
    )
    sampler = HardwareSampler([out], interval=0.5)
    sampler.start()
    training.start()
    monitor = Monitor([out])
    try:
        snapshot = monitor.drain()
        while not snapshot.runs or (snapshot.runs[0].step or 0) < SHARE * CASES[case].steps:
            if not training.is_alive():
                raise RuntimeError(f"the training of {case!r} ended too soon")
            time.sleep(0.2)
            snapshot = monitor.drain()
    finally:
        stop.set()
        training.join()
        sampler.stop()
    return replace(snapshot, hardware=nameless(sampler.latest))


def fleet(out: Path) -> Snapshot:
    """Train every case, all of them to their end."""
    for case, training in CASES.items():
        train(training, out / case, speed=0)
    return Monitor([out]).drain()


def nameless(reading: HardwareReading) -> HardwareReading:
    """The reading without the name of the machine, which is nobody's business."""
    host = reading.host
    return replace(reading, host=None if host is None else replace(host, name="train-07"))


def main() -> None:
    """Train each case once, and take its pictures."""
    DOCS.mkdir(exist_ok=True)
    seen: dict[str, Snapshot] = {}
    # Inside, so that no path in a log tells where the pictures were made.
    with tempfile.TemporaryDirectory() as kept, contextlib.chdir(kept):
        for name, case, size, keys, theme in PICTURES:
            if case not in seen:
                out = Path(case)
                seen[case] = fleet(out) if case == FLEET else live(case, out / "output")
            svg = picture(seen[case], size, keys, theme)
            (DOCS / f"{name}.svg").write_text(svg, encoding="utf-8")
            print(f"docs/{name}.svg")


if __name__ == "__main__":
    main()
