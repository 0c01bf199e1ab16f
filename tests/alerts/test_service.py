"""The alert service with channels that a test controls, on a clock that a test moves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lossmon.alerts.alert import Message
from lossmon.alerts.channels import ChannelError
from lossmon.alerts.journal import AlertJournal, JournalError
from lossmon.alerts.pacing import GATHER, GATHER_STALLED, LONGEST_RETRY, REPEAT
from lossmon.alerts.sender import ChannelConfig, parse_hours
from lossmon.alerts.service import AlertService
from lossmon.alerts.settings import AlertSettings, Selection
from lossmon.types import RunSnapshot, RunState, Severity, Snapshot
from tests.alerts.runs import FakeClock, run

WARNINGS = Selection(frozenset(), Severity.WARNING)


class FakeChannel:
    """A channel that keeps what it got, and fails while a test says so."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.failure: Exception | None = None
        self.attempts = 0
        self.blocked = threading.Event()
        self.blocked.set()

    def send(self, message: Message) -> None:
        self.attempts += 1
        self.blocked.wait()
        if self.failure is not None:
            raise self.failure
        self.messages.append(message)

    @property
    def titles(self) -> list[str]:
        """The runs and the code of each message: `a diverging`, `50 runs stalled`."""
        return [
            f"{one.runs[0] if len(one.runs) == 1 else f'{len(one.runs)} runs'} "
            f"{'end of ' * (one.alerts[0].kind == 'end')}{one.alerts[0].code}"
            for one in self.messages
        ]


class Bench:
    """A service with its journal, which a test may end and start again."""

    def __init__(self, file: Path) -> None:
        self.clock, self.file = FakeClock(), file
        self.warnings: list[str] = []
        self.channels: dict[str, FakeChannel] = {"one": FakeChannel()}
        self.options: dict[str, object] = {}
        self.selection = WARNINGS
        self.service: AlertService | None = None

    def start(self) -> AlertService:
        configs = [
            ChannelConfig(name, channel, **self.options)  # type: ignore[arg-type]
            for name, channel in self.channels.items()
        ]
        self.service = AlertService(
            AlertSettings(self.selection, tuple(configs)),
            AlertJournal(self.file, self.clock()),
            clock=self.clock,
            warn=self.warnings.append,
            tick=0.002,
        )
        self.service.start()
        return self.service

    def stop(self) -> None:
        if self.service is not None:
            self.service.stop()
            self.service = None

    def observe(self, *runs: RunSnapshot) -> None:
        """Show some runs that were alive when the watch began."""
        assert self.service is not None
        self.service.observe(Snapshot(runs=runs))

    def settle(self, seconds: float = GATHER) -> None:
        """Let time pass, then wait until the channels have nothing due."""
        self.clock.advance(seconds)
        threading.Event().wait(0.05)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "watch.sqlite")
    yield bench
    for channel in bench.channels.values():
        channel.blocked.set()
    bench.stop()


def until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        threading.Event().wait(0.005)
    return condition()


def sent(channel: FakeChannel, count: int) -> Sequence[str]:
    assert until(lambda: len(channel.messages) >= count), channel.titles
    return channel.titles


def bad(name: str = "a", code: str = "diverging") -> RunSnapshot:
    return run(("healthy", 10), (code, 50), name=name)


def test_a_run_without_a_curve_is_told_only_if_it_failed(bench: Bench) -> None:
    bench.start()
    failed = run(name="failed", state=RunState.FAILED)
    bench.observe(*(replace(one, series=(), train=None, eval=None) for one in (bad(), failed)))
    bench.settle()
    assert sent(bench.channels["one"], 1) == ["failed failed"]


def test_a_transition_is_sent_once(bench: Bench) -> None:
    bench.start()
    for step in (50, 51, 52):
        bench.observe(replace(bad(), step=step))
    bench.settle()
    assert sent(bench.channels["one"], 1) == ["a diverging"]
    bench.settle(3600)
    assert bench.channels["one"].titles == ["a diverging"]


def test_what_is_not_selected_is_not_sent(bench: Bench) -> None:
    bench.start()
    bench.observe(run(("healthy", 10), ("oscillating", 50), name="a"), bad("b"))
    bench.settle()
    assert sent(bench.channels["one"], 1) == ["b diverging"]


def test_fifty_runs_that_stall_at_once_are_one_message(bench: Bench) -> None:
    bench.start()
    bench.observe(*(run(name=str(number)) for number in range(50)))
    for upto in (10, 30, 50):
        states = [RunState.STALLED if number < upto else RunState.RUNNING for number in range(50)]
        bench.observe(*(run(name=str(n), state=state) for n, state in enumerate(states)))
        bench.clock.advance(GATHER_STALLED / 4)
    bench.settle(GATHER_STALLED)
    assert sent(bench.channels["one"], 1) == ["50 runs stalled"]


def test_after_a_restart_nothing_is_sent_twice_and_nothing_is_lost(bench: Bench) -> None:
    bench.start()
    bench.observe(bad("a"))
    bench.settle()
    sent(bench.channels["one"], 1)
    bench.observe(bad("a"), bad("b"))
    bench.stop()
    bench.start()
    bench.observe(bad("a"), bad("b"), bad("c"))
    bench.settle()
    assert sent(bench.channels["one"], 2) == ["a diverging", "2 runs diverging"]
    bench.settle(3600)
    assert len(bench.channels["one"].messages) == 2


def test_what_happened_while_nobody_watched_is_sent(bench: Bench) -> None:
    bench.start()
    bench.observe(run(name="a"))
    bench.stop()
    bench.start()
    history = (("healthy", 10), ("spike", 50), ("healthy", 70))
    bench.observe(run(*history, name="a"), run(*history, name="new"))
    bench.settle()
    assert sent(bench.channels["one"], 1) == ["2 runs spike"]


def test_runs_that_are_older_than_the_watch_are_left_alone(bench: Bench) -> None:
    bench.start()
    past = bench.clock() - 3600
    over = replace(bad("over"), state=RunState.FINISHED, last_time=past)
    history = (("healthy", 10), ("spike", 50), ("diverging", 70))
    alive = replace(run(*history, name="alive"), last_time=past)
    bench.observe(over, alive)
    bench.settle()
    assert sent(bench.channels["one"], 1) == ["alive diverging"]


def test_a_channel_that_fails_is_tried_again_and_the_others_are_told(bench: Bench) -> None:
    broken = bench.channels["broken"] = FakeChannel()
    broken.failure = ChannelError("HTTP 500")
    bench.start()
    bench.observe(bad())
    for _ in range(8):
        bench.settle(LONGEST_RETRY * 1.2)
    told = sent(bench.channels["one"], 2)
    assert sorted(told) == ["0 runs channel_failed", "a diverging"]
    message = next(one for one in bench.channels["one"].messages if not one.runs)
    assert "broken: HTTP 500" in message.body
    assert any("broken: HTTP 500" in warning for warning in bench.warnings)
    assert broken.attempts >= 4
    broken.failure = None
    bench.settle(LONGEST_RETRY * 1.2)
    assert "a diverging" in sent(broken, 1)
    bench.settle(REPEAT)
    assert "0 runs channel_recovered" in sent(bench.channels["one"], 3)
    bench.observe(bad(), bad("b"))
    bench.settle(REPEAT)
    assert sent(bench.channels["one"], 4).count("0 runs channel_recovered") == 1
    assert "0 runs channel_failed" not in broken.titles, "it is not told of itself"


def test_a_channel_that_asks_to_wait_is_left_alone_for_so_long(bench: Bench) -> None:
    channel = bench.channels["one"]
    channel.failure = ChannelError("HTTP 429", wait=1000.0)
    bench.start()
    bench.observe(bad())
    bench.settle()
    assert until(lambda: channel.attempts == 1)
    channel.failure = None
    bench.settle(990.0)
    assert channel.attempts == 1
    bench.settle(20.0)
    assert sent(channel, 1) == ["a diverging"]


def test_an_error_of_a_channel_costs_that_channel_alone(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    bench.channels["faulty"] = FakeChannel()
    bench.channels["faulty"].failure = ZeroDivisionError("of ours")
    bench.start()
    bench.observe(bad())
    bench.settle()
    assert sent(bench.channels["one"], 1) == ["a diverging"]
    assert until(lambda: bench.channels["faulty"].attempts >= 1)


def test_a_channel_that_hangs_is_said_and_holds_up_nobody(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lossmon.alerts.sender.HUNG", 0.05)
    hung = bench.channels["hung"] = FakeChannel()
    hung.blocked.clear()
    bench.start()
    bench.observe(bad("a"))
    bench.settle()
    assert until(lambda: hung.attempts == 1)
    threading.Event().wait(0.06)
    bench.observe(bad("a"), bad("b"))
    bench.settle(REPEAT)
    assert "hung: no answer" in " ".join(bench.warnings)
    told = " ".join(sent(bench.channels["one"], 3))
    assert "a diverging" in told and "b diverging" in told and "channel_failed" in told
    hung.blocked.set()


def test_quiet_hours_let_only_what_is_critical_through(bench: Bench) -> None:
    now = time.localtime(bench.clock())
    begin = f"{now.tm_hour:02}:{now.tm_min:02}"
    end = time.strftime("%H:%M", time.localtime(bench.clock() + 2 * 3600))
    bench.options["quiet"] = parse_hours(f"{begin}-{end}", "")
    bench.start()
    bench.observe(bad("a"), bad("b", "overfitting"))
    bench.settle(60)
    assert sent(bench.channels["one"], 1) == ["a diverging"]
    bench.settle(2 * 3600)
    assert sent(bench.channels["one"], 2) == ["a diverging", "b overfitting"]


def test_a_channel_gets_only_what_is_severe_enough(bench: Bench) -> None:
    bench.options["severity"] = Severity.CRITICAL
    bench.start()
    bench.observe(bad("a"), bad("b", "overfitting"))
    bench.settle()
    assert sent(bench.channels["one"], 1) == ["a diverging"]
    bench.settle(3600)
    assert len(bench.channels["one"].messages) == 1


def test_the_end_is_sent_where_it_is_wanted(bench: Bench) -> None:
    bench.selection = replace(WARNINGS, resolved=True)
    bench.start()
    bench.observe(bad())
    bench.observe(run(("healthy", 10), ("diverging", 50), ("healthy", 90), name="a"))
    bench.settle()
    assert sorted(sent(bench.channels["one"], 2)) == ["a diverging", "a end of diverging"]


def test_a_journal_that_fails_costs_no_alert(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    service = bench.start()

    def full(*_: object) -> None:
        raise JournalError("watch.sqlite: database or disk is full")

    monkeypatch.setattr(service._journal, "record", full)
    monkeypatch.setattr(service._journal, "mark_sent", full)
    bench.observe(bad())
    bench.settle()
    assert "a diverging" in sent(bench.channels["one"], 2)
    assert len([one for one in bench.warnings if "disk is full" in one]) == 1


def test_a_run_that_cannot_be_described_costs_that_run_alone(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    bench.start()
    broken = replace(bad("broken"), step="no step")  # type: ignore[arg-type]
    broken = replace(broken, diagnosis=None)  # type: ignore[arg-type]
    bench.observe(broken, bad("b"))
    bench.observe(replace(broken, step=3), bad("b"))
    bench.settle()
    assert sent(bench.channels["one"], 1) == ["b diverging"]
    assert len([one for one in bench.warnings if "/runs/broken" in one]) == 1


def test_it_ends_though_a_channel_hangs(bench: Bench) -> None:
    bench.channels["one"].blocked.clear()
    service = bench.start()
    bench.observe(bad())
    bench.settle()
    assert until(lambda: bench.channels["one"].attempts == 1)
    service.stop(patience=0.1)
    assert not bench.channels["one"].messages


def test_a_renamed_run_is_not_alerted_to_again(bench: Bench, tmp_path: Path) -> None:
    def renamed(name: str, *verdicts: tuple[str, int]) -> RunSnapshot:
        return replace(run(("healthy", 10), *verdicts, name=name), path=tmp_path / name)

    (tmp_path / "a").mkdir()
    bench.start()
    bench.observe(renamed("a", ("diverging", 50)))
    bench.settle()
    (tmp_path / "a").rename(tmp_path / "b")
    bench.observe(renamed("b", ("diverging", 50)))
    bench.stop()
    (tmp_path / "b").rename(tmp_path / "c")
    bench.start()
    bench.observe(renamed("c", ("diverging", 50), ("non_finite", 90)))
    bench.settle()
    assert until(lambda: len(bench.channels["one"].messages) == 2)
    assert bench.channels["one"].titles == ["a diverging", "c non_finite"]
    bench.stop()
    with AlertJournal(bench.file, bench.clock()) as journal:
        assert {*journal.trackers()} == {str(tmp_path / "c")}


def test_a_copy_of_a_run_has_alerts_of_its_own(bench: Bench, tmp_path: Path) -> None:
    bench.start()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        bench.observe(replace(run(("diverging", 50), name=name), path=tmp_path / name))
        bench.settle()
    assert until(lambda: len(bench.channels["one"].messages) == 2)
