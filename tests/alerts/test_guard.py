from __future__ import annotations

import threading
import time
from pathlib import Path

from lossmon.alerts.watching import ReadingGuard
from lossmon.monitor import MonitorConfig
from lossmon.monitor.follow import Follower
from tests.alerts.test_service import until


def test_a_look_that_does_not_return_is_reported_once_each_time() -> None:
    reports: list[float] = []
    polled = [time.monotonic() - 150]
    guard = ReadingGuard(lambda: polled[0], reports.append, limit=100.0, every=0.005)
    guard.start()
    try:
        assert until(lambda: len(reports) == 1)
        assert 149 < reports[0] < 200
        threading.Event().wait(0.05)
        assert len(reports) == 1
        polled[0] = time.monotonic()
        threading.Event().wait(0.05)
        polled[0] = time.monotonic() - 150
        assert until(lambda: len(reports) == 2)
    finally:
        guard.stop()
        guard.join()


def test_a_poll_counts_from_its_beginning(tmp_path: Path) -> None:
    follower = Follower([tmp_path], MonitorConfig())
    follower.polled = 0.0
    before = time.monotonic()
    next(follower.snapshots(0.0))
    assert follower.polled >= before
