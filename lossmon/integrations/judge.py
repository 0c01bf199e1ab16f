"""Diagnosis inside a training process, and the file that asks the training to stop."""

from __future__ import annotations

import os
from array import array
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from lossmon.alerts.early_stop import CODES, PATIENCE, StopRule
from lossmon.diagnosis.engine import Engine
from lossmon.readers.tags.meaning import meaning
from lossmon.types import Diagnosis, Kind, Meaning, Split


class InProcessJudge:
    """Judges one run as it logs, in constant memory but for eight bytes per point.

    Args:
        rule: When it is to be stopped.
        source: Format family whose spellings the names have (`hf_trainer`, `lightning`).
        sensitivity: Above 1 warns earlier and more often, below 1 later and less.
    """

    def __init__(self, rule: StopRule, source: str, sensitivity: float = 1.0) -> None:
        self._rule, self._source = rule, source
        self._engine = Engine(sensitivity)
        self._headlines: dict[Split, str] = {}
        self._steps = {split: array("q") for split in Split}

    def plan(self, total_steps: int | None) -> None:
        """Set the planned length of the run; None where it is unknown."""
        self._engine.plan(total_steps)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Add what was logged at a step, 0 or more, under the names of the framework."""
        channels, points = [], []
        for name, value in values.items():
            what = meaning(name, source=self._source)
            if self._engine.wants(what):
                channels.append(self._engine.channel(what, self._is_headline(what, step)))
                points.append(value)
        count = len(channels)
        self._engine.feed(
            np.array(channels, np.int64),
            np.full(count, step, np.int64),
            np.array(points, np.float64),
        )

    def _is_headline(self, what: Meaning, step: int) -> bool:
        """Whether this is the loss to judge by: the first one of its split that is logged."""
        if what.kind is not Kind.LOSS or what.summary or what.secondary:
            return False
        if self._headlines.setdefault(what.split, what.key) != what.key:
            return False
        self._steps[what.split].append(step)
        return True

    def diagnosis(self) -> Diagnosis:
        """What the curves say."""
        return self._engine.diagnosis()

    def should_stop(self) -> bool:
        """Whether the verdict calls for an end and has been confirmed."""
        steps = self._steps[Split.EVAL] or self._steps[Split.TRAIN]
        return self._rule.confirms(self.diagnosis(), np.frombuffer(steps, np.int64))


class StopFile:
    """Looks for a stop file; one that was there before the training is left from an older one.

    Args:
        path: The file that `lossmon watch --stop-file` makes.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._old = self._state()

    def is_there(self) -> bool:
        """Whether the training is asked to stop."""
        state = self._state()
        return state is not None and state != self._old

    def _state(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns


class StopCallback:
    """What the callbacks of all frameworks share.

    Args:
        stop_file: File that `lossmon watch --stop-file` makes; None for none.
        judge: Judge in this process too, from what the framework logs.
        stop_on: Verdicts that stop the training.
        patience: Evals after the verdict was shown through which it must have stood; logged train
            points where there are no evals.
        sensitivity: Above 1 judges earlier and more sternly, below 1 later.

    Attributes:
        source: Format family whose spellings the logged names have.
        reason: Why the training was ended, empty where it was not.
    """

    source: ClassVar[str]

    def __init__(
        self,
        stop_file: str | os.PathLike[str] | None = None,
        *,
        judge: bool = True,
        stop_on: Collection[str] = CODES,
        patience: int = PATIENCE,
        sensitivity: float = 1.0,
    ) -> None:
        self._path = stop_file
        self._file: StopFile | None = None
        rule = StopRule(tuple(stop_on), patience)
        self.judge = InProcessJudge(rule, self.source, sensitivity) if judge else None
        self.reason = ""

    def _begin(self, total_steps: int | None) -> None:
        """Look for the stop file from now on, and set the planned length of the run."""
        if self._path is not None:
            self._file = StopFile(self._path)
        if self.judge is not None:
            self.judge.plan(total_steps)

    def _verdict(self) -> str:
        """The verdict that calls for an end, empty where there is none."""
        if self.judge is None or not self.judge.should_stop():
            return ""
        verdict = self.judge.diagnosis().verdict
        return f"{verdict.code} since step {verdict.since_step}"
