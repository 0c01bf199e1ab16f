"""Writes a finished run again, cut at random bytes, while a monitor looks."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lossmon.types import RunSnapshot, Series

WHOLE = {".png", ".yaml", ".yml", ".db", ".sqlite", ".sqlite3", ".parquet", ".md"}
APPENDED_JSON = {"scalars.json", "metrics.json", "progress.json", "result.json"}


def is_replaced_whole(path: Path, body: bytes) -> bool:
    """Whether frameworks write such a file anew instead of appending to it."""
    if path.suffix in WHOLE or path.name == "meta.yaml":
        return True
    if path.suffix != ".json":
        return False
    if path.name in APPENDED_JSON and body.count(b"\n{"):
        return False
    return body.lstrip()[:1] in (b"{", b"[") and body.count(b"\n{") == 0


class Replay:
    """Copies a directory as if its files grew together.

    Event files of one directory follow each other, as the sessions of a run do; all else grows
    at the same time. Single JSON documents, databases and the like appear whole.

    Args:
        source: The finished run.
        target: Directory to write; made.
        seed: Decides the cuts.
        rounds: About how many writes each file takes.
    """

    def __init__(self, source: Path, target: Path, seed: int, rounds: int = 24) -> None:
        self._random = random.Random(seed)
        self._rounds = rounds
        self._target = target
        files = sorted(path for path in source.rglob("*") if path.is_file())
        self._bodies = {path.relative_to(source): path.read_bytes() for path in files}
        self._done = dict.fromkeys(self._bodies, 0)
        for relative in [p.relative_to(source) for p in sorted(source.rglob("*")) if p.is_dir()]:
            (target / relative).mkdir(parents=True, exist_ok=True)
        target.mkdir(parents=True, exist_ok=True)

    def steps(self) -> Iterator[None]:
        """Write a little more at each turn, until everything is written."""
        waiting = self._queues()
        while waiting:
            for queue in list(waiting):
                if self._advance(queue[0]):
                    queue.pop(0)
                    if not queue:
                        waiting.remove(queue)
                if self._random.random() < 0.3:
                    yield
            yield

    def _queues(self) -> list[list[Path]]:
        queues: dict[object, list[Path]] = {}
        for path in self._bodies:
            following = path.parent if "tfevents" in path.name else path
            queues.setdefault(following, []).append(path)
        return list(queues.values())

    def _advance(self, relative: Path) -> bool:
        """Write the next piece of a file; tell whether it is complete."""
        body, path = self._bodies[relative], self._target / relative
        if is_replaced_whole(relative, body):
            if self._random.random() > 2 / self._rounds:
                return False
            fresh = path.with_name(path.name + ".part")
            fresh.write_bytes(body)
            os.replace(fresh, path)
            return True
        size = self._random.randrange(1, max(2, 2 * len(body) // self._rounds + 2))
        start = self._done[relative]
        with path.open("ab", buffering=0) as file:
            file.write(body[start : start + size])
        self._done[relative] = min(len(body), start + size)
        return self._done[relative] == len(body)


def essence(run: RunSnapshot, *, history: bool) -> dict[str, Any]:
    """What must be equal however a run was read; times of arrival are not part of it."""
    findings = run.diagnosis.findings
    return {
        "sources": run.sources,
        "step": run.step,
        "total_steps": run.total_steps,
        "epoch": repr(run.epoch),
        "total_epochs": run.total_epochs,
        "train": run.train,
        "eval": run.eval,
        "best": run.best,
        "restarts": run.restarts,
        "checkpoints": run.checkpoints,
        "errors": run.errors,
        "settings": dict(run.settings),
        "verdict": _finding(run.diagnosis.verdict),
        "findings": [_finding(finding) for finding in findings],
        "history": run.diagnosis.history if history else None,
        **{f"series {index}": _series(one) for index, one in enumerate(run.series)},
    }


def _finding(finding: Any) -> tuple[object, ...]:
    return finding.code, finding.severity, finding.since_step, finding.confidence


def _series(one: Series) -> dict[str, Any]:
    return {
        "tag": one.tag,
        "key": one.meaning.key,
        "source": one.source,
        "axis": one.axis,
        "n": (one.n, one.n_nonfinite),
        "ends": (one.first_step, one.last_step, repr(one.last)),
        "extremes": (repr(one.minimum), one.min_step, repr(one.maximum), one.max_step),
        "steps": one.steps.tolist(),
        "values": [repr(value) for value in one.values.tolist()],
        "ghosts": (one.ghost_steps.tolist(), [repr(v) for v in one.ghost_values.tolist()]),
    }
