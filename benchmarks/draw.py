"""Cost of a chart: first and next picture, compared with plotext, and the cells per new point.

Run with `python -m benchmarks draw`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from lossmon.types import Floats, Ints
from lossmon.ui.chart.canvas import changes
from lossmon.ui.chart.model import ChartModel, ChartOptions, Curve
from lossmon.ui.chart.painter import Painter

WIDTH, HEIGHT = 120, 40
REPEATS = 9
"""Measurements per figure; the median counts."""


def run(points: int) -> tuple[Ints, Floats]:
    """A noisy loss that falls over a tenth of the run."""
    steps = np.arange(1, points + 1)
    noise = np.random.default_rng(0).normal(0, 0.1, points)
    return steps, 0.5 + 2 * np.exp(-steps / (points / 10)) + noise


def model(steps: Ints, values: Floats, points: int) -> ChartModel:
    """The run as far as it had come at that many points."""
    return ChartModel((Curve("train", steps[:points], values[:points]),))


def milliseconds(work: Callable[[int], object]) -> float:
    """Median processor time of `work`, called with 0, 1, 2, ..."""
    spent = []
    for index in range(REPEATS):
        started = time.process_time()
        work(index)
        spent.append((time.process_time() - started) * 1e3)
    return statistics.median(spent)


def whole(points: int) -> float:
    """A first picture, nothing remembered."""
    steps, values = run(points)
    chart = model(steps, values, points)
    return milliseconds(lambda _: Painter().paint(chart, ChartOptions(), WIDTH, HEIGHT))


def live(points: int) -> float:
    """The next picture after one new point."""
    steps, values = run(points + REPEATS)
    painter = Painter()
    painter.paint(model(steps, values, points), ChartOptions(), WIDTH, HEIGHT)
    return milliseconds(
        lambda index: painter.paint(
            model(steps, values, points + index + 1), ChartOptions(), WIDTH, HEIGHT
        )
    )


def plotext(points: int) -> float:
    """plotext's braille curve of the same size; it does not thin by itself."""
    import plotext as peer

    steps, values = run(points)
    x, y = steps.tolist(), values.tolist()

    def draw(_: int) -> str:
        peer.clear_figure()
        peer.plotsize(WIDTH, HEIGHT)
        peer.plot(x, y, marker="braille")
        return str(peer.build())

    return milliseconds(draw)


def import_cost(module: str) -> float:
    """Milliseconds that importing a module adds to a process that has numpy."""
    clock = "time.perf_counter()"
    code = f"import time, numpy; t = {clock}; import {module}; print({clock} - t)"
    spent = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        spent.append(float(done.stdout) * 1e3)
    return statistics.median(spent)


def changed_cells(start: int, stop: int, width: int, height: int) -> tuple[float, int, int]:
    """Cells written again per new point: mean, median, and how often more than a quarter."""
    steps, values = run(stop)
    painter, before, counts = Painter(), None, []
    for points in range(start, stop):
        picture = painter.paint(model(steps, values, points), ChartOptions(), width, height)
        runs = changes(before, picture)
        if runs is not None:
            counts.append(sum(run.end - run.start for run in runs))
        before = picture
    often = sum(count > width * height // 4 for count in counts)
    return statistics.mean(counts), int(statistics.median(counts)), often


def main() -> None:
    """Print the tables."""
    print(f"milliseconds of one core for a picture of {WIDTH} x {HEIGHT}")
    print(f"{'points':>10} {'first':>8} {'next':>8} {'plotext':>9} {'ratio':>7}")
    for points in (240, 1_000, 10_000, 100_000, 1_000_000):
        first, following = whole(points), live(points)
        peer = plotext(points) if points <= 10_000 else None
        beside = "        —       —" if peer is None else f"{peer:9.1f} {peer / first:6.0f}x"
        print(f"{points:>10,} {first:>8.2f} {following:>8.2f} {beside}")
    print(f"import: chart {import_cost('lossmon.ui.chart.painter'):.0f} ms, ", end="")
    print(f"plotext {import_cost('plotext'):.0f} ms")
    print("cells written again for one new point")
    print(f"{'size':>8} {'points':>14} {'mean':>6} {'median':>7} {'redrawn':>8}")
    for width, height in ((78, 12), (118, 30)):
        for start, stop in ((10, 300), (300, 3_000)):
            mean, median, often = changed_cells(start, stop, width, height)
            span = f"{start:,}-{stop:,}"
            print(f"{f'{width}x{height}':>8} {span:>14} {mean:>6.1f} {median:>7} {often:>8}")


if __name__ == "__main__":
    main()
