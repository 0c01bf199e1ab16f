"""The priority of threads that read."""

from __future__ import annotations

import os
import sys
import threading

import psutil
import pytest

from lossmon.priority import NICE, give_way

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads share a priority here")


def test_a_thread_and_those_it_starts_give_way_and_no_other() -> None:
    here = threading.get_native_id()
    before = os.getpriority(os.PRIO_PROCESS, here)
    found: list[tuple[int, int]] = []

    def note() -> None:
        thread = threading.get_native_id()
        ioclass = psutil.Process(thread).ionice().ioclass
        found.append((os.getpriority(os.PRIO_PROCESS, thread), ioclass))

    def read() -> None:
        give_way()
        note()
        child = threading.Thread(target=note)
        child.start()
        child.join()

    reader = threading.Thread(target=read)
    reader.start()
    reader.join()
    assert found == [(max(before, NICE), psutil.IOPRIO_CLASS_IDLE)] * 2
    assert os.getpriority(os.PRIO_PROCESS, here) == before


def test_where_it_is_not_allowed_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuse)
    monkeypatch.setattr(psutil.Process, "ionice", refuse)
    give_way()
