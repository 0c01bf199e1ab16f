"""Early stopping from outside: a file is made or a signal sent once a verdict is confirmed."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from pathlib import Path

from lossmon.alerts.alert import Alert, own_alert
from lossmon.alerts.process import ProcessGone, TargetProcess
from lossmon.alerts.stop_rule import StopRule
from lossmon.diagnosis.advice import advise
from lossmon.fast_dataclass import dataclass
from lossmon.types import RunSnapshot, RunState, Severity, Snapshot

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
