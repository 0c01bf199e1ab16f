"""Alerts from the screen: the same service behind a source of snapshots."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lossmon.alerts.channels.terminal import Bell, TerminalNotification
from lossmon.alerts.journal import AlertJournal, journal_file
from lossmon.alerts.pacing import GATHER
from lossmon.alerts.sender import ChannelConfig
from lossmon.alerts.settings import AlertSettings
from lossmon.alerts.source import AlertingSource
from lossmon.cli import main
from lossmon.types import RunSnapshot, Snapshot
from tests.alerts.runs import FakeClock
from tests.alerts.test_service import WARNINGS, bad, until

PATHS = [Path("/runs")]


class FakeSource:
    """A source whose snapshot a test sets."""

    def __init__(self) -> None:
        self.changed = threading.Event()
        self.snapshot = Snapshot()
        self.calls: list[str] = []
        self.prioritise = self.set_metric_names = self.load_settings = lambda _: None

    def show(self, *runs: RunSnapshot, busy: bool = False) -> None:
        self.snapshot = Snapshot(runs=runs, busy=busy)

    def poll(self, budget: float, *, judge: bool = True) -> Snapshot:
        return self.snapshot

    def begin(self) -> None:
        self.calls.append("begin")

    def stop(self) -> None:
        self.calls.append("stop")


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return FakeClock()


@pytest.fixture
def inner() -> FakeSource:
    return FakeSource()


@pytest.fixture
def source(inner: FakeSource, clock: FakeClock) -> Iterator[AlertingSource]:
    channels = (ChannelConfig("bell", Bell()), ChannelConfig("osc", TerminalNotification("9")))
    one = AlertingSource(inner, PATHS, AlertSettings(WARNINGS, channels), "en", clock=clock)
    yield one
    one.stop()


def test_an_alert_is_written_by_the_owner_of_the_terminal(
    source: AlertingSource, inner: FakeSource, clock: FakeClock
) -> None:
    written: list[str] = []
    source.use_terminal(written.append)
    source.begin()
    inner.show(bad())
    assert source.poll(0.1) is inner.snapshot
    clock.advance(GATHER)
    assert until(lambda: len(written) == 2)
    bell, notification = sorted(written)
    assert bell == "\a"
    assert notification.startswith("\x1b]9;a: ")


def test_its_threads_end_with_it(source: AlertingSource) -> None:
    before = set(threading.enumerate())
    source.begin()
    assert set(threading.enumerate()) > before
    source.stop()
    assert until(lambda: set(threading.enumerate()) <= before)


@pytest.mark.parametrize("is_busy", [True, False])
def test_what_is_still_being_read_is_not_compared(
    source: AlertingSource, inner: FakeSource, clock: FakeClock, is_busy: bool
) -> None:
    source.begin()
    inner.show(bad(), busy=is_busy)
    source.poll(0.1, judge=is_busy)
    assert source._service is not None
    assert source._service._trackers == {}


def test_what_it_begins_and_stops_is_passed_on(source: AlertingSource, inner: FakeSource) -> None:
    source.begin()
    source.stop()
    assert inner.calls == ["begin", "stop"]
    assert source.changed is inner.changed


def test_where_a_watch_sends_them_the_screen_says_so(clock: FakeClock, inner: FakeSource) -> None:
    with AlertJournal(journal_file(PATHS), clock()):
        one = AlertingSource(inner, PATHS, AlertSettings(WARNINGS, ()), "en", clock=clock)
    inner.show(bad())
    first = one.poll(0.1)
    assert first.notes == ("alerts are sent by another lossmon that watches these paths",)
    assert one.poll(0.1) is first
    one.begin()
    one.stop()


def test_without_a_channel_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("lossmon.commands.view.need_terminal", lambda instead: None)
    assert main([str(tmp_path), "--alerts"]) == 2
    assert "--alerts needs a channel" in capsys.readouterr().err
