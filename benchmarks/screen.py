"""Cost of the screen: start-up compared with a bare Textual app, memory, long logs.

Takes about a minute. What is waited for is read off an emulated terminal, so a figure holds
everything: the interpreter, the imports, the reading and the drawing.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import ingest_events
from benchmarks.pairs import Ratio, in_turns, row
from benchmarks.terminal import Cost, Probe, has_curve, has_text, run

REPEATS = 5
"""Starts per program; the two alternate, so both run under the same load."""

EVENTS = 1_000_000
"""Scalars in the TensorBoard file that is shown in full."""

COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""Modules are compiled once, as an installation compiles them, not at each start."""


def write_log(path: Path, steps: int, *, start: int = 0, total: int = 10_000_000) -> None:
    """Append a LLaMA-Factory log of a calm run: a train loss, and an eval loss every 50 points."""
    with path.open("a", encoding="utf-8") as file:
        for index in range(start, start + steps):
            file.write("".join(_records(index, total)))


def _records(index: int, total: int) -> Iterator[str]:
    step = index + 1
    loss = 0.4 + 2.0 / math.sqrt(1 + step / 50) + 0.03 * math.sin(index * 12.9898)
    common = {"current_steps": step, "total_steps": total, "epoch": step / 1000}
    yield json.dumps({**common, "loss": loss, "lr": 1e-4}) + "\n"
    if step % 50 == 0:
        yield json.dumps({**common, "eval_loss": loss * 1.05}) + "\n"


@contextmanager
def growing(path: Path, start: int, per_second: float) -> Iterator[None]:
    """Append points to a log in the background."""
    ended = threading.Event()

    def grow() -> None:
        index = start
        while not ended.wait(1 / per_second):
            write_log(path, 1, start=index)
            index += 1

    thread = threading.Thread(target=grow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def lossmon(path: Path | str) -> list[str]:
    """The command that watches a path or an address."""
    return [sys.executable, "-m", "lossmon", str(path)]


COLORS = 4
"""Colours of a frame at least: those of both curves, of the frame and of the verdict."""


def has_frame(display: Sequence[str]) -> bool:
    """Whether header, verdict and curve of the calm run are on the screen."""
    return all(has(display) for has in (has_curve, has_text("HEALTHY"), has_text("2,000 / ")))


def has_dashboard(display: Sequence[str]) -> bool:
    """Whether its other panes are there as well."""
    return has_frame(display) and has_text("─ metrics ─")(display)


def bare() -> float:
    """Seconds until a bare Textual app is on the screen."""
    command = [sys.executable, "-m", "benchmarks.bare"]
    return shown(run(command, shows=has_text("bare floor"), environment=COMPILED))


def start_up(path: Path, shows: Callable[[Sequence[str]], bool]) -> Ratio:
    """Seconds until a log is shown in colour, beside a bare app; the first of both do not count."""

    def ours() -> float:
        cost = run(lossmon(path), shows=shows, environment=COMPILED)
        if cost.colors < COLORS:
            raise SystemExit(f"{cost.colors} colours on the screen, not {COLORS}")
        return shown(cost)

    in_turns(ours, bare, 1)
    return in_turns(ours, bare, REPEATS)


def check_start(path: Path) -> float:
    """Seconds that `lossmon check` takes on a log."""
    command = [sys.executable, "-m", "lossmon", "check", str(path)]
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        subprocess.run(
            command, stdout=subprocess.DEVNULL, check=True, env={**os.environ, **COMPILED}
        )
        times.append(time.perf_counter() - begin)
    return min(times)


def load(path: Path) -> Cost:
    """Show a million scalars in full, with a key typed all the while."""
    # The header tells the step; the bar of what is read is gone when all is.
    last = f"{(EVENTS - 1) // len(ingest_events.TAGS):,}"

    def whole(display: Sequence[str]) -> bool:
        return has_text(last)(display) and not has_text("reading")(display)

    probe = Probe("r", "verdict↑ ", lambda display: any(line.strip() for line in display))
    return run(lossmon(path), shows=whole, probe=probe, environment=COMPILED)


def shown(cost: Cost) -> float:
    """Seconds until the screen showed what was waited for."""
    if cost.shown is None:
        raise SystemExit("nothing was painted:\n" + "\n".join(cost.display))
    return cost.shown


def main() -> None:
    """Print the table: each figure beside its floor or its target."""
    with tempfile.TemporaryDirectory() as kept:
        for measure in (_start, _long, _million):
            base = Path(kept) / measure.__name__.strip("_")
            base.mkdir()
            measure(base)


def _start(base: Path) -> None:
    write_log(base / "trainer_log.jsonl", 2_000)
    ratio = start_up(base, has_frame)
    row("a bare Textual app, first paint", f"{ratio.peer:.3f} s", "the floor")
    row("curve, header and verdict", f"{ratio.ours:.3f} s", f"{ratio} bare", "1.25x")
    ratio = start_up(base, has_dashboard)
    row("the whole dashboard", f"{ratio.ours:.3f} s", f"{ratio} bare")
    row("lossmon check, 2,000 steps", f"{check_start(base):.3f} s", "", "0.35 s")


def _long(base: Path) -> None:
    write_log(base / "trainer_log.jsonl", 100_000)
    cost = run(lossmon(base), shows=has_curve, settle=8, seconds=4, environment=COMPILED)
    row("100,000 steps, resident", f"{cost.memory / 1e6:.0f} MB", "", "90 MB")


def _million(base: Path) -> None:
    file = base / "events.out.tfevents.1760000000.host.1.0"
    ingest_events.write(file, ingest_events.TAGS, EVENTS)
    cost = load(base)
    answers = sorted(cost.answers) or [math.nan]
    row("1 million scalars, shown in full", f"{cost.shown or math.nan:.2f} s", "", "3 s")
    slowest = f"{statistics.median(answers) * 1e3:.0f} ms, slowest {answers[-1] * 1e3:.0f} ms"
    row(f"a key meanwhile ({len(cost.answers)} typed)", slowest, "", "100 ms")
    row("1 million scalars, resident", f"{cost.memory / 1e6:.0f} MB", "")


if __name__ == "__main__":
    main()
