"""Signals end the program as an exception does, whatever becomes of that exception."""

from __future__ import annotations

import signal
from contextlib import suppress

import pytest

from lossmon import commands, ending
from lossmon.cli import main
from lossmon.ending import (
    ENDING,
    end_if_asked,
    ended_by_signals,
    held_signals,
    stopped_by_signals,
)
from lossmon.errors import internal_error


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_ends_a_command_with_its_status(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(number)
    monkeypatch.setattr(
        commands.module("config"), "run", lambda options: signal.raise_signal(number)
    )
    with pytest.raises(SystemExit, match=f"^{128 + number}$"):
        main(["config"])
    assert signal.getsignal(number) is before
    end_if_asked()


def test_it_ends_also_where_the_exception_is_lost() -> None:
    with pytest.raises(SystemExit, match="143"), ended_by_signals():
        with suppress(SystemExit):
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(SystemExit, match="143"):
            end_if_asked()
        raise RuntimeError("__set_name__")


def test_what_became_of_its_exception_is_no_internal_error() -> None:
    with pytest.raises(SystemExit, match="143"), ended_by_signals():
        with suppress(SystemExit):
            signal.raise_signal(signal.SIGTERM)
        internal_error(RuntimeError("__set_name__"))


def test_the_same_signal_soon_after_disturbs_no_cleaning(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="129"), ended_by_signals():
        with suppress(SystemExit):
            signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
        monkeypatch.setattr(ending, "AGAIN", 0.0)
        with pytest.raises(SystemExit, match="129"):
            signal.raise_signal(signal.SIGHUP)


def test_what_is_being_made_has_an_owner_before_the_program_ends() -> None:
    made = []
    with pytest.raises(SystemExit, match="143"), ended_by_signals():
        with held_signals():
            signal.raise_signal(signal.SIGTERM)
            made.append("directory")
        made.append("more")
    assert made == ["directory"]


def test_ignored_signals_stay_ignored() -> None:
    asked = []
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals(), stopped_by_signals(lambda: asked.append("stop")):
            signal.raise_signal(signal.SIGHUP)
            assert not asked
            signal.raise_signal(signal.SIGTERM)
        assert asked == ["stop"]
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
