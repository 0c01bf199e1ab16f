"""Early stopping from outside: its rule, and the file or the signal by which it acts."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import field
from pathlib import Path

from lossmon.alerts.alert import Alert, own_alert
from lossmon.diagnosis.advice import advise
from lossmon.errors import ConfigError, LossmonError
from lossmon.fast_dataclass import dataclass
from lossmon.types import Diagnosis, Ints, RunSnapshot, RunState, Severity, Snapshot

CODES = ("diverging", "non_finite", "overfitting")
"""Verdicts that stop a run where the user names none."""

PATIENCE = 3
"""Evals that must confirm a verdict where the user gives no number."""


@dataclass(frozen=True, slots=True)
class StopRule:
    """When a run is to be stopped.

    Attributes:
        codes: Verdicts that call for it.
        patience: Evals after the verdict was shown through which it must have stood.
    """

    codes: Collection[str] = CODES
    patience: int = PATIENCE

    def confirms(self, diagnosis: Diagnosis, evals: Ints) -> bool:
        """Whether a run is to be stopped.

        Args:
            evals: int64, steps of the evals, not decreasing; of the train points where the run
                has no evals.
        """
        verdict = diagnosis.verdict
        if verdict.code not in self.codes or verdict.severity < Severity.WARNING:
            return False
        shown = verdict.since_step
        for change in reversed(diagnosis.curve_history):
            if change.code != verdict.code or change.severity < Severity.WARNING:
                break
            shown = change.step
        return int((evals > shown).sum()) >= self.patience


PLACE = "{path}"
"""What stands for the run's own directory in the name of a stop file."""


@dataclass(slots=True)
class EarlyStop:
    """Stops runs, each once.

    Attributes:
        rule: When.
        stop_file: File to make; `{path}` stands for the run's own directory. None for none.
        target: Process to signal, or None.
        signal: What it is sent.
        language: `en` or `zh`.
        clock: Seconds since the Unix epoch.
        stopped: What was done, by path of the run.
    """

    rule: StopRule
    stop_file: str | None = None
    target: TargetProcess | None = None
    signal: signal.Signals = signal.SIGTERM
    language: str = "en"
    clock: Callable[[], float] = time.time
    stopped: dict[str, str] = field(default_factory=dict)
    _refused: dict[str, str] = field(default_factory=dict)

    def observe(self, snapshot: Snapshot) -> Iterator[Alert]:
        """Stop the runs that are to be stopped; yield an alert for each, and for each failure."""
        alive = [run for run in snapshot.runs if run.state in (RunState.RUNNING, RunState.STALLED)]
        for run in alive:
            path = str(run.path)
            series = run.eval_loss or run.train_loss
            if path in self.stopped or series is None:
                continue
            if not self.rule.confirms(run.diagnosis, series.steps):
                continue
            try:
                reason = self._doubt(alive)
                if not reason:
                    self.stopped[path] = action = ", ".join(self._act(run))
                    yield self._alert("stopped", run, action=action)
            except (OSError, ProcessGone) as error:
                reason = str(error)
            if reason and self._refused.get(path) != reason:
                self._refused[path] = reason
                yield self._alert("not_stopped", run, reason=reason)

    def _alert(self, code: str, run: RunSnapshot, **values: str) -> Alert:
        word = advise(run.diagnosis.verdict, self.language).badge
        values = {"word": word, "count": str(self.rule.patience), **values}
        return own_alert(code, Severity.CRITICAL, self.clock(), self.language, values, run)

    def _doubt(self, alive: Sequence[RunSnapshot]) -> str:
        """Why it is not known what to stop, or empty."""
        shared = self.target is not None or (self.stop_file and PLACE not in self.stop_file)
        if shared and len(alive) > 1:
            return f"{len(alive)} runs are alive, and only one could be meant"
        return ""

    def _act(self, run: RunSnapshot) -> list[str]:
        done = []
        if self.stop_file is not None:
            place = run.path if run.path.is_dir() else run.path.parent
            file = Path(self.stop_file.replace(PLACE, str(place)))
            make_stop_file(file, run.diagnosis.verdict.code, run.diagnosis.verdict.since_step)
            done.append(str(file))
        if self.target is not None:
            self.target.send(self.signal)
            done.append(f"{self.signal.name} → {self.target.pid}")
        return done


def make_stop_file(file: Path, code: str, since_step: int) -> None:
    """Make the file that asks a training to stop; one that is there already stays as it is.

    Raises:
        OSError: It cannot be made.
    """
    text = json.dumps({"code": code, "since_step": since_step}) + "\n"
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return
    with open(handle, "w", encoding="utf-8") as out:
        out.write(text)


CLOCK_TICK = 1.0
"""Seconds by which two readings of one start time may differ: the kernel counts from the boot,
whose start time is computed again."""


class ProcessGone(LossmonError):
    """The process has ended."""


class TargetProcess:
    """A process that may be sent a signal.

    It is held by a handle of the kernel where there is one, so that the signal cannot reach another
    process; elsewhere its start time is compared right before.

    Args:
        pid: Its number.
        started: When it was started, in seconds since the Unix epoch, if that is known from
            before; None takes the process that has the number now.

    Raises:
        ConfigError: No process has this id.
        ProcessGone: Another process has the number now.
    """

    def __init__(self, pid: int, started: float | None = None) -> None:
        self.pid = pid
        self._handle: int | None = None
        if hasattr(os, "pidfd_open"):
            try:
                self._handle = os.pidfd_open(pid)
            except OSError as error:
                if started is not None:
                    raise ProcessGone(f"process {pid} has ended") from error
                raise ConfigError(f"--pid {pid}: {error.strerror}") from error
        self.started = self._start_time()
        if started is not None and abs(self.started - started) > CLOCK_TICK:
            raise ProcessGone(f"process {pid} has ended; another one has its number now")

    def send(self, number: signal.Signals) -> None:
        """Send a signal.

        Raises:
            ProcessGone: The process has ended.
            PermissionError: It belongs to another user.
        """
        try:
            if self._handle is not None:
                signal.pidfd_send_signal(self._handle, number)
            elif abs(self._start_time() - self.started) > CLOCK_TICK:
                raise ProcessLookupError
            else:
                os.kill(self.pid, number)
        except ProcessLookupError as error:
            raise ProcessGone(f"process {self.pid} has ended") from error

    def _start_time(self) -> float:
        import psutil

        try:
            return float(psutil.Process(self.pid).create_time())
        except psutil.Error as error:
            raise ConfigError(f"--pid {self.pid}: no process has this id") from error


def signal_of(name: str) -> signal.Signals:
    """A signal by its name, with or without `SIG`.

    Raises:
        ValueError: There is no such signal, or it is a number.
    """
    plain = name.upper().removeprefix("SIG")
    try:
        return signal.Signals[f"SIG{plain}"]
    except KeyError:
        raise ValueError(f"{name!r} is not a signal such as TERM, INT or USR1") from None
