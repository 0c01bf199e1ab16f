"""Replay of a recorded run, written in pieces as its framework did."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

WHOLE = {".yaml", ".yml", ".db", ".png"}
"""Suffixes of files that frameworks write at once."""


class Replay(threading.Thread):
    """Lets every file of a run grow, cut at bytes that mean nothing.

    Args:
        source: Directory of the recorded run.
        target: Where it is written again; made if it is absent.
        seconds: How long it takes.
        start: Share of each file that is there from the beginning, 0 to 1.
    """

    def __init__(self, source: Path, target: Path, seconds: float, start: float = 0.3) -> None:
        super().__init__(daemon=True)
        self._seconds, self._start_share = seconds, start
        self._bodies = {
            target / path.relative_to(source): path.read_bytes()
            for path in sorted(source.rglob("*"))
            if path.is_file()
        }
        self._ending = threading.Event()
        self._random = random.Random(0)
        for path in self._bodies:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._write(start)

    def run(self) -> None:
        """Write until everything is there, or until it is ended."""
        begun = time.monotonic()
        share = self._start_share
        while share < 1 and not self._ending.wait(0.1):
            passed = (time.monotonic() - begun) / self._seconds
            share = min(1.0, self._start_share + (1 - self._start_share) * passed)
            self._write(share)

    def end(self) -> None:
        """Write no more."""
        self._ending.set()
        self.join()

    def _write(self, share: float) -> None:
        for path, body in self._bodies.items():
            if is_whole(path, body):
                if not path.exists():
                    path.write_bytes(body)
                continue
            written = path.stat().st_size if path.exists() else 0
            upto = len(body) if share >= 1 else int(share * len(body)) - self._random.randrange(40)
            if upto > written:
                with path.open("ab") as file:
                    file.write(body[written:upto])


def is_whole(path: Path, body: bytes) -> bool:
    """Whether frameworks replace this file instead of appending to it."""
    return path.suffix in WHOLE or (path.suffix == ".json" and b"\n{" not in body)
