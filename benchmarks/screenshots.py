"""Pictures of the README, made of real trainings: `make screenshots`."""

from __future__ import annotations

import asyncio
import contextlib
import re
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.gpu_recording import reading_at
from lossmon.demo.cases import CASES
from lossmon.demo.train import train
from lossmon.hardware.sampler import HardwareSampler
from lossmon.monitor import Monitor
from lossmon.types import HardwareReading, Snapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.once import StillSource
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.screens.export import without_fonts
from lossmon.ui.terminal import Terminal

DOCS = Path(__file__).resolve().parent.parent / "docs"

FLEET = "runs"
"""Every case in one directory."""

PICTURES: tuple[tuple[str, str, tuple[int, int], tuple[str, ...], str], ...] = (
    ("diagnosis", "overfit", (90, 30), ("d",), "lossmon-dark"),
    ("pane", "diverge", (40, 15), (), "lossmon-dark"),
    ("fleet", FLEET, (120, 16), (), "lossmon-dark"),
    ("compare", FLEET, (120, 36), ("c",), "lossmon-light"),
)
"""Name, demo case, columns and rows, keys typed, theme."""

PACE = 1.0
"""Speed of a training for its picture, as in `lossmon demo --speed`."""

TOUR = "tour"
"""The moving picture: a training that begins to overfit, and its diagnosis."""

TOUR_SIZE = (120, 34)

TOUR_STEPS = (60, 100, 140, 180, 220, 260, 320)
"""Steps at which its frames are taken; the diagnosis of the last one follows."""

FRAME = 1.0
"""Seconds that a frame stands; the last two stand three times as long."""

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


def live(case: str, out: Path, steps: Sequence[int]) -> list[Snapshot]:
    """Train a case and return what is seen of it at some steps, or soon after."""
    stop = threading.Event()
    training = threading.Thread(
        target=train, args=([(CASES[case], out)],), kwargs={"speed": PACE, "stop": stop.is_set}
    )
    sampler = HardwareSampler([out], interval=0.5)
    sampler.start()
    training.start()
    monitor = Monitor([out])
    try:
        seen = []
        for step in steps:
            snapshot = monitor.drain()
            while not snapshot.runs or (snapshot.runs[0].step or 0) < step:
                if not training.is_alive():
                    raise RuntimeError(f"the training of {case!r} ended too soon")
                time.sleep(0.1)
                snapshot = monitor.drain()
            share = (snapshot.runs[0].step or 0) / CASES[case].steps
            seen.append(replace(snapshot, hardware=with_recorded_gpu(sampler.latest, share)))
    finally:
        stop.set()
        training.join()
        sampler.stop()
    return seen


def tour(snapshots: Sequence[Snapshot]) -> str:
    """The moving picture of some snapshots, as one SVG."""
    frames = [picture(one, TOUR_SIZE, (), "lossmon-dark") for one in snapshots]
    frames.append(picture(snapshots[-1], TOUR_SIZE, ("d",), "lossmon-dark"))
    times = [FRAME] * (len(frames) - 2) + [3 * FRAME] * 2
    return moving(frames, times)


def moving(frames: Sequence[str], times: Sequence[float]) -> str:
    """One SVG that shows others in turn, again and again.

    Args:
        frames: SVG documents of one size.
        times: Seconds that each of them stands.
    """
    whole = sum(times)
    head = re.match(r"<svg[^>]*>", frames[0])
    if head is None:
        raise ValueError("a frame is not an SVG document")
    rules, bodies, begin = [], [], 0.0
    for at, (frame, time_) in enumerate(zip(frames, times, strict=True)):
        start, end = 100 * begin / whole, 100 * (begin + time_) / whole
        shown = f"0%{{opacity:{int(at == 0)}}}{start:.2f}%{{opacity:1}}{end:.2f}%{{opacity:0}}"
        rules.append(f"@keyframes f{at}{{{shown}}}")
        rules.append(f".f{at}{{opacity:0;animation:f{at} {whole:g}s step-end infinite}}")
        body = frame[head.end() : frame.rindex("</svg>")]
        bodies.append(f'<g class="f{at}">{body}</g>')
        begin += time_
    return f"{head[0]}<style>{''.join(rules)}</style>{''.join(bodies)}</svg>\n"


def fleet(out: Path) -> Snapshot:
    """Train every case, all of them to their end."""
    for case, training in CASES.items():
        train([(training, out / case)], speed=0)
    return Monitor([out]).drain()


def with_recorded_gpu(reading: HardwareReading, share: float) -> HardwareReading:
    """The reading without the name of the machine, and with a GPU that was recorded elsewhere.

    Args:
        reading: What was read of this machine, which need not have a GPU.
        share: How far the training is, 0 to 1; the recording is as far.
    """
    host = reading.host
    named = None if host is None else replace(host, name="train-07")
    return HardwareReading((reading_at(share),), "GPU replayed from a recording", named)


def main() -> None:
    """Train each case once, and take its pictures."""
    DOCS.mkdir(exist_ok=True)
    seen: dict[str, Snapshot] = {}
    # Inside, so that no path in a log tells where the pictures were made.
    with tempfile.TemporaryDirectory() as kept, contextlib.chdir(kept):
        moments = live("overfit", Path("tour", "output"), TOUR_STEPS)
        (DOCS / f"{TOUR}.svg").write_text(tour(moments), encoding="utf-8")
        seen["overfit"] = moments[-1]
        for name, case, size, keys, theme in PICTURES:
            if case not in seen:
                out = Path(case)
                half = round(SHARE * CASES[case].steps) if case != FLEET else 0
                seen[case] = fleet(out) if case == FLEET else live(case, out / "output", [half])[0]
            svg = picture(seen[case], size, keys, theme)
            (DOCS / f"{name}.svg").write_text(svg, encoding="utf-8")
            print(f"docs/{name}.svg")


if __name__ == "__main__":
    main()
