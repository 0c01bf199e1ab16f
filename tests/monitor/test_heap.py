"""Freed memory is returned once much was read."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import pytest

from lossmon.monitor.heap import LARGE, M_MMAP_THRESHOLD, MMAP_THRESHOLD, Heap


def test_it_is_returned_once_per_large_log(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    mapped: list[tuple[int, int]] = []
    library = SimpleNamespace(malloc_trim=calls.append, mallopt=lambda *one: mapped.append(one))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    heap = Heap()
    for loaded in (0, LARGE - 1, LARGE, LARGE + 1, 2 * LARGE - 1, 2 * LARGE):
        heap.trim(loaded)
    assert calls == [0, 0]
    assert set(mapped) == {(M_MMAP_THRESHOLD, MMAP_THRESHOLD)}


def test_other_c_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    Heap().trim(LARGE)
