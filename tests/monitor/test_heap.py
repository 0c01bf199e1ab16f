"""Freed memory is returned once much was read."""

from __future__ import annotations

import ctypes
import gc
from types import SimpleNamespace
from typing import Any

import pytest

from lossmon.monitor import Monitor
from lossmon.monitor.heap import (
    KEPT,
    LARGE,
    LARGE_BLOCK,
    SMALL_BLOCK,
    SOON,
    Heap,
    search_briefly,
)


def test_it_is_returned_once_per_large_log(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    mapped: list[tuple[int, int]] = []
    library = SimpleNamespace(malloc_trim=calls.append, mallopt=lambda *one: mapped.append(one))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    heap = Heap()
    mapped.clear()
    for loaded in (0, LARGE - 1, LARGE, LARGE + 1, 2 * LARGE - 1, 2 * LARGE):
        heap.trim(loaded)
    assert calls == [0, 0]
    assert {size for _, size in mapped} == {SMALL_BLOCK}


def test_it_is_kept_for_a_command_that_ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    mapped: list[int] = []
    library = SimpleNamespace(malloc_trim=id, mallopt=lambda _, size: mapped.append(size))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    monitor = Monitor([])
    monitor.poll()
    assert LARGE_BLOCK not in mapped
    monitor.drain()
    assert mapped[-2:] == [LARGE_BLOCK, KEPT]


def test_it_is_returned_again_once_the_screen_let_go_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    library = SimpleNamespace(malloc_trim=calls.append, mallopt=lambda *_: None)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    heap, returned = Heap(), []
    for now in (0.0, SOON / 2, SOON, 2 * SOON):
        monkeypatch.setattr("lossmon.monitor.heap.time.monotonic", lambda now=now: now)
        heap.trim(LARGE)
        returned.append(len(calls))
    assert returned == [1, 1, 2, 2]


def test_other_c_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    Heap().trim(LARGE)


@pytest.mark.parametrize(
    ("long", "many", "left_out"), [(-1.0, -1, True), (1e9, -1, False), (-1.0, 1 << 40, False)]
)
def test_what_a_long_search_for_garbage_leaves_is_not_searched_again(
    monkeypatch: pytest.MonkeyPatch, long: float, many: int, left_out: bool
) -> None:
    monkeypatch.setattr("lossmon.monitor.heap.LONG_SEARCH", long)
    monkeypatch.setattr("lossmon.monitor.heap.MANY", many)
    monkeypatch.setattr(gc, "callbacks", callbacks := list[Any]())
    search_briefly()
    (look,) = callbacks
    frozen = list[int]()
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(1))
    for generation in range(3):
        look("start", {"generation": generation})
        look("stop", {"generation": generation})
    assert frozen == [1] * left_out
