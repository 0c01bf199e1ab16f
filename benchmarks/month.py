"""A month of one training while its screen is open: memory, descriptors, threads and the answer to
a key must be the same at the end as they were on the way. Four figures per row, one per quarter.

python -m benchmarks.month [--seconds 240]

The run writes JSON lines and text, an eval per hour, a checkpoint per six hours of which three
stay, and begins a new text log each day.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

from benchmarks.pairs import row
from benchmarks.screen import COMPILED, lossmon
from benchmarks.terminal import Emulated, has_text, started

MONTH = 30 * 86400.0
"""Seconds of log time."""

EVERY = 10.0
"""Seconds of log time between two steps."""

EVAL, CHECKPOINT, DAY = 360, 2160, 8640
"""Steps between two evals, two checkpoints and two text logs."""

LAYERS = 16
"""Norms logged beside the loss: the memory budget of a run is reached within a week."""

KEPT = 3
"""Checkpoints that stay."""

ANSWER = 10.0
"""Seconds after which a key counts as unanswered."""


class MonthOfLogs(threading.Thread):
    """Writes a month of logs in some seconds."""

    def __init__(self, run: Path, seconds: float) -> None:
        super().__init__(daemon=True)
        self.run_, self._seconds = run, seconds
        self._chance = random.Random(17)
        self._total = int(MONTH / EVERY)
        self._ended = threading.Event()
        self.step = 0

    def stop(self) -> None:
        """End before the month is over."""
        self._ended.set()

    def run(self) -> None:
        begin = time.monotonic()
        while self.step < self._total and not self._ended.wait(0.1):
            due = int(self._total * (time.monotonic() - begin) / self._seconds)
            self._write(range(self.step + 1, min(due, self._total) + 1))

    def _write(self, steps: range) -> None:
        now, lines, text = time.time(), list[str](), list[str]()
        for step in steps:
            wall = now - (self._total - step) * EVERY
            loss = 1.5 + 2 * math.exp(-step / 40_000) + self._chance.gauss(0, 0.02)
            values = {"loss": loss, "grad_norm": 0.5 + self._chance.random(), "lr": 1e-4}
            values |= {f"norm/{layer}": self._chance.random() for layer in range(LAYERS)}
            if step % EVAL == 0:
                values["eval_loss"] = loss + 0.05
            head = {"step": step, "total_steps": self._total, "timestamp": wall}
            lines.append(json.dumps({**head, **values}) + "\n")
            text.append(f"step {step}/{self._total} loss {loss:.4f}\n")
            if step % CHECKPOINT == 0:
                self._checkpoint(step)
        self.step = steps[-1] if steps else self.step
        with (self.run_ / "metrics.jsonl").open("a") as file:
            file.writelines(lines)
        with (self.run_ / f"train-{self.step // DAY:02}.log").open("a") as file:
            file.writelines(text)

    def _checkpoint(self, step: int) -> None:
        (self.run_ / f"checkpoint-{step}").mkdir()
        (self.run_ / f"checkpoint-{step}" / "model.safetensors").write_bytes(bytes(1000))
        shutil.rmtree(self.run_ / f"checkpoint-{step - KEPT * CHECKPOINT}", ignore_errors=True)


@dataclass(slots=True)
class Part:
    """What was measured in one part of the month.

    Attributes:
        memory: Resident bytes.
        files: Open descriptors.
        threads: Threads.
        answers: Seconds until the help was open after its key.
    """

    memory: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)


def measure(terminal: Emulated, logs: MonthOfLogs, parts: list[Part], total: int) -> None:
    """Ask for the help and close it again until the month is over."""
    process = psutil.Process(terminal.pid)
    is_open = has_text("─ help ─")
    while logs.is_alive():
        part = parts[min(len(parts) - 1, logs.step * len(parts) // total)]
        for key in ("?", "\x1b"):
            os.write(terminal.fd, key.encode())
            asked = time.monotonic()
            while is_open(terminal.rows()) is not (key == "?"):
                if time.monotonic() - asked > ANSWER or not terminal.pump(0.002):
                    break
            if key == "?":
                part.answers.append(time.monotonic() - asked)
        part.memory.append(process.memory_info().rss)
        part.files.append(process.num_fds())
        part.threads.append(process.num_threads())
        terminal.settle(most=1.0, quiet=1.0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=240.0)
    options = parser.parse_args()
    parts = [Part() for _ in range(4)]
    with tempfile.TemporaryDirectory() as kept:
        run = Path(kept) / "run"
        run.mkdir()
        logs = MonthOfLogs(run, options.seconds)
        logs.start()
        terminal = started(lossmon(run), (120, 40), COMPILED)
        try:
            terminal.until(has_text("step"), most=60)
            measure(terminal, logs, parts, int(MONTH / EVERY))
        finally:
            logs.stop()
            logs.join()
            terminal.end()
    for name, of, unit in (
        ("resident", lambda part: max(part.memory) / 1e6, "MB"),
        ("descriptors", lambda part: max(part.files), ""),
        ("threads", lambda part: max(part.threads), ""),
        ("answer to a key, median", lambda part: median(part.answers) * 1e3, "ms"),
    ):
        figures = [of(part) for part in parts if part.memory]
        shown = " ".join(f"{figure:.0f}" for figure in figures)
        row(name, f"{shown} {unit}".strip(), f"{figures[-1] / figures[1]:.2f}x the second", "flat")


if __name__ == "__main__":
    main()
