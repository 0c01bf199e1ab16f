"""The reader thread: it asks, it waits, it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from textual.message import Message
from textual.pilot import Pilot

from lossmon.types import Snapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.follower import (
    FRAME,
    SHARE,
    SLOWEST,
    PictureInterval,
    SnapshotPoller,
    SnapshotReady,
)
from lossmon.ui.scene import ScreenConfig
from tests.ui import stage
from tests.ui.screen import PATIENCE, until


class Scripted(stage.Still):
    """Gives one prepared snapshot per poll, then the last one for ever."""

    def __init__(self, *snapshots: Snapshot) -> None:
        super().__init__(snapshots[0])
        self.rest: Iterator[Snapshot] = iter(snapshots)
        self.enough = threading.Event()

    def poll(self, budget: float, *, judge: bool = True) -> Snapshot:
        self.polls += 1
        try:
            self.snapshot = next(self.rest)
        except StopIteration:
            self.enough.set()
        return self.snapshot


async def until_enough(pilot: Pilot[None], source: Scripted) -> None:
    """Let the app run until the script is over and all of it was shown."""
    await until(pilot, source.enough.is_set)
    await pilot.pause()


def app_on(source: stage.Still, initial: Snapshot | None = None) -> LossmonApp:
    return LossmonApp(source, ScreenConfig(initial=initial), clock=lambda: stage.NOW)


async def test_a_busy_monitor_is_asked_again_at_once_until_all_is_read() -> None:
    half = replace(stage.snapshot(stage.loading()), busy=True)
    whole = stage.snapshot(stage.overfitting())
    monitor = Scripted(*[replace(half, time=float(i)) for i in range(50)], whole)
    app = app_on(monitor)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_enough(pilot, monitor)
        assert app.snapshot is whole


async def test_loading_is_shown_now_and_then_not_at_every_poll() -> None:
    half = replace(stage.snapshot(stage.loading()), busy=True)
    monitor = Scripted(
        *[replace(half, time=float(i)) for i in range(200)], replace(half, busy=False)
    )
    seen: list[Message] = []
    app = app_on(monitor)
    async with app.run_test(size=(80, 24), message_hook=seen.append) as pilot:
        await until_enough(pilot, monitor)
    shown = {id(one.snapshot) for one in seen if isinstance(one, SnapshotReady)}
    assert 1 <= len(shown) < 60


async def test_an_unchanged_snapshot_is_not_posted_again() -> None:
    same = stage.snapshot(stage.healthy())
    monitor = Scripted(same, same, same)
    seen: list[Message] = []
    app = app_on(monitor, initial=same)
    async with app.run_test(size=(80, 24), message_hook=seen.append) as pilot:
        for _ in range(4):
            app.source.changed.set()
            await pilot.pause(0.02)
        await until_enough(pilot, monitor)
    assert not any(isinstance(one, SnapshotReady) for one in seen)


def test_the_first_verdict_is_posted_before_events_and_hardware_begin() -> None:
    order: list[str] = []

    def begin() -> None:
        order.append("begun")
        poller.stop()

    source = Scripted(stage.snapshot(stage.healthy()))
    poller = SnapshotPoller(source, lambda message: order.append("shown"), begin, None)
    poller.run()
    assert order == ["shown", "begun"]


def test_events_and_hardware_wait_for_the_end_of_a_log() -> None:
    polls: list[int] = []

    def begin() -> None:
        polls.append(source.polls)
        poller.stop()

    read = stage.snapshot(stage.healthy())
    source = Scripted(replace(read, busy=True), read)
    poller = SnapshotPoller(source, lambda message: None, begin, None)
    poller.run()
    assert polls == [2]


def test_pictures_that_cost_more_come_less_often() -> None:
    interval, spent = PictureInterval(), 0.0

    def after(cost: float, pictures: int) -> float:
        nonlocal spent
        for _ in range(pictures):
            spent += cost
            interval.adapt(spent)
        return interval.seconds

    assert after(0.005, 3) == FRAME
    assert FRAME < after(5.0, 1) < 1.5 * FRAME  # one expensive key is no habit
    assert after(0.005, 1) == FRAME
    assert after(0.02, 9) == pytest.approx(0.02 / SHARE)
    assert after(5.0, 9) == SLOWEST


class Stumbling(Scripted):
    """Fails at the first poll, as a reader with a fault nobody knows of may make it."""

    def poll(self, budget: float, *, judge: bool = True) -> Snapshot:
        if not self.polls:
            self.polls += 1
            raise LookupError("surprise")
        return super().poll(budget)


async def test_a_poll_that_fails_is_shown_and_the_next_one_comes_all_the_same() -> None:
    monitor = Stumbling(stage.snapshot(stage.healthy()))
    app = app_on(monitor)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_enough(pilot, monitor)
        assert app.snapshot is monitor.snapshot
        assert any("LookupError: surprise" in one for one in app.scene.errors)


async def test_quitting_does_not_wait_for_the_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossmon.ui.follower.HEARTBEAT", 2 * PATIENCE)
    monitor = Scripted(stage.snapshot(stage.healthy()))
    app = app_on(monitor)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_enough(pilot, monitor)
        await pilot.press("q")
    assert app.follower.join(PATIENCE)


def test_a_newer_snapshot_replaces_one_that_waits() -> None:
    old, new = (SnapshotReady(Snapshot(time=float(at))) for at in (1, 2))
    assert new.can_replace(old)


async def test_a_frozen_view_reads_nothing_and_shows_what_it_missed_afterwards() -> None:
    half = replace(stage.snapshot(stage.loading()), busy=True)
    whole = stage.snapshot(stage.overfitting())
    monitor = Endless(half)
    app = app_on(monitor)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: monitor.polls >= 3)
        await pilot.press("space")
        await pilot.pause(0.3)
        stopped = monitor.polls
        for _ in range(5):
            app.source.changed.set()
            await pilot.pause(0.02)
        assert monitor.polls == stopped
        monitor.snapshot = whole
        await pilot.press("space")
        await until(pilot, lambda: app.snapshot is whole)


class Endless(stage.Still):
    """Has always more to read."""

    def poll(self, budget: float, *, judge: bool = True) -> Snapshot:
        snapshot = super().poll(budget)
        return replace(snapshot) if snapshot.busy else snapshot


class LateBell(threading.Event):
    """A bell that is cleared, once it is armed, right after the app rang it for its end."""

    def __init__(self) -> None:
        super().__init__()
        self.armed = self.lost = False
        self.reached, self.rung = threading.Event(), threading.Event()

    def set(self) -> None:
        super().set()
        if self.reached.is_set():
            self.rung.set()

    def clear(self) -> None:
        if self.armed:
            self.reached.set()
            assert self.rung.wait(30)
        super().clear()

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is None and self.rung.is_set() and not self.is_set():
            self.lost = True
            return False
        return super().wait(timeout)


async def test_a_frozen_view_ends_though_the_bell_of_the_end_is_not_heard() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    app.source.changed = bell = LateBell()  # type: ignore[misc]
    async with app.run_test() as pilot:
        await pilot.press("space")
        bell.armed = True
        bell.set()
        async with asyncio.timeout(30):
            while not bell.reached.is_set():
                await pilot.pause()
    # Joins the thread, as the end of the program does.
    await asyncio.get_running_loop().shutdown_default_executor()
    assert not bell.lost
