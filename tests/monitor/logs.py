"""Logs that a test writes bit by bit."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path


def record(step: int, total: int = 100, **values: float) -> str:
    """One line of a LLaMA-Factory log."""
    return json.dumps({"current_steps": step, "total_steps": total, **values}) + "\n"


def append(path: Path, lines: Iterable[str]) -> None:
    """Append to a file."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(lines)


def falling(start: int, stop: int, total: int = 100) -> list[str]:
    """A train loss that falls, an eval loss every tenth step."""
    lines = []
    for step in range(start, stop):
        loss = 2.0 / (1 + step / 20)
        lines.append(record(step, total, loss=loss, lr=1e-4, epoch=step / 50))
        if step % 10 == 0:
            lines.append(record(step, total, eval_loss=loss * 1.1, epoch=step / 50))
    return lines
