"""`lossmon watch` over replayed runs, killed twice on the way: memory, and each alert exactly once.

`python -m benchmarks.soak --seconds 120` replays an hour of 20 runs in two minutes. The clock of
the watch, and the times of the files, run as much faster.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from lossmon.alerts.channels.program import ExecCommand
from lossmon.alerts.journal import AlertJournal
from lossmon.alerts.sender import ChannelConfig
from lossmon.alerts.settings import AlertSettings, Selection
from lossmon.alerts.tracker import Change, RunTracker
from lossmon.alerts.watching import watch
from lossmon.monitor import Monitor, MonitorConfig
from lossmon.types import Severity

Sent = tuple[str, str, str, int]
"""Name of the run, kind and code of the alert, number of the onset."""

EVERY = 15.0
"""Seconds of log time between two points."""

AFTER = 1200.0
"""Seconds of log time after the last point: every run that has not ended falls silent, and the
pacing of the channel lets the last messages go."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """A clock that runs faster than the real one.

    Attributes:
        began: Real time at which it was set, in seconds since the Unix epoch.
        factor: Seconds of log time per real second.
    """

    began: float
    factor: float

    def __call__(self) -> float:
        return self.began + (time.time() - self.began) * self.factor


def points(kind: str, count: int) -> Iterator[tuple[int, str]]:
    """The lines of one run's log, each with the number of its time slot.

    Args:
        kind: What goes well or wrong: `healthy`, `finished`, `overfit`, `diverge`, `nan`, `stall`.
        count: Time slots in all.
    """
    chance = random.Random(kind)
    total = count if kind == "finished" else 10 * count
    for slot in range(1, count + 1):
        if kind == "stall" and 0.3 < slot / count < 0.6:
            continue
        share = slot / count
        loss = 0.4 + 2.0 * math.exp(-5 * share) + chance.gauss(0, 0.01)
        if kind == "diverge" and share > 0.5:
            loss = 2.5 + 40 * (share - 0.5)
        if kind == "nan" and share > 0.4:
            loss = math.nan
        common = {"current_steps": slot, "total_steps": total}
        lines = [json.dumps({**common, "loss": loss})]
        if slot % 5 == 0:
            rise = max(0.0, share - 0.3) * 3 if kind == "overfit" else 0.0
            lines.append(json.dumps({**common, "eval_loss": loss * 1.05 + rise}))
        yield slot, "".join(line + "\n" for line in lines)


class Soak:
    """One soak in a directory.

    Args:
        base: Where everything is written.
        runs: How many runs.
        minutes: Log time of the runs.
        seconds: Real time for it.
    """

    KINDS = ("healthy", "finished", "overfit", "diverge", "nan", "stall")

    def __init__(self, base: Path, runs: int, minutes: float, seconds: float) -> None:
        self.base, self.runs = base, base / "runs"
        self.clock = Scaled(time.time(), minutes * 60 / seconds)
        self.slots = round(minutes * 60 / EVERY)
        self.memory: list[int] = []
        names = [f"{self.KINDS[n % len(self.KINDS)]}-{n:02}" for n in range(runs)]
        self.logs = {self.runs / name / "trainer_log.jsonl": name for name in names}
        self.kinds = {path: name.partition("-")[0] for path, name in self.logs.items()}
        for path in self.logs:
            path.parent.mkdir(parents=True)

    def run(self, kills: int) -> None:
        """Write the logs as time passes, and kill the watch some times on the way."""
        waiting = {path: list(points(kind, self.slots)) for path, kind in self.kinds.items()}
        end = self.slots * EVERY + AFTER
        moments = [end * (number + 1) / (kills + 1) for number in range(kills)]
        child = self._start()
        try:
            while (passed := self.clock() - self.clock.began) < end:
                for path, lines in waiting.items():
                    self._write(path, lines, passed)
                if moments and passed > moments[0]:
                    moments.pop(0)
                    child.kill()
                    child.wait()
                    child = self._start()
                self._measure(child)
                time.sleep(0.02)
            child.terminate()
            child.wait(30)
        finally:
            child.kill()
            child.wait()

    def _write(self, path: Path, lines: list[tuple[int, str]], passed: float) -> None:
        due = []
        while lines and lines[0][0] * EVERY <= passed:
            due.append(lines.pop(0)[1])
        if due:
            with path.open("a", encoding="utf-8") as file:
                file.write("".join(due))
            os.utime(path, (self.clock(), self.clock()))

    def _start(self) -> subprocess.Popen[bytes]:
        code = json.dumps({**asdict(self.clock), "base": str(self.base)})
        return subprocess.Popen([sys.executable, "-m", "benchmarks.soak", "--child", code])

    def _measure(self, child: subprocess.Popen[bytes]) -> None:
        try:
            self.memory.append(psutil.Process(child.pid).memory_info().rss)
        except psutil.Error:
            self.memory.append(0)

    def sent(self) -> Counter[Sent]:
        """How often each alert was sent: name of the run, kind, code and number of the onset."""
        seen: Counter[Sent] = Counter()
        numbers: dict[str, int] = {}
        onsets: Counter[tuple[str, str]] = Counter()
        for line in (self.base / "alerts.jsonl").read_text(encoding="utf-8").splitlines():
            event = json.loads(line)["event"]
            for one in event["runs"]:
                key, kind = (Path(one["path"]).name, event["code"]), event["kind"]
                if one["id"] not in numbers:
                    # What began below a warning is first sent as it gets worse.
                    kind = "onset" if kind == "worse" else kind
                    onsets[key] += kind == "onset"
                    numbers[one["id"]] = onsets[key]
                seen[(key[0], kind, key[1], numbers[one["id"]])] += 1
        return seen

    def expected(self) -> tuple[set[Sent], set[Sent]]:
        """The alerts that the whole logs call for.

        Returns:
            Those of the history of the verdicts and of the silences, and those of findings beside
            the last verdict, which may have held too shortly.
        """
        found: set[Sent] = set()
        beside: set[Sent] = set()
        for run in Monitor([self.runs], MonitorConfig()).drain().runs:
            name = run.path.name
            began: set[tuple[str, int]] = set()
            for one in RunTracker().update(run, 0.0):
                # The run is read long after: whether it is silent now says nothing.
                if one.code == "stalled" or one.change is Change.END:
                    continue
                if one.severity >= Severity.WARNING:
                    # What began below a warning is first sent as it gets worse.
                    key = (one.code, one.number)
                    change = Change.ONSET if key not in began else one.change
                    began.add(key)
                    found.add((name, change.value, one.code, one.number))
            beside |= {(name, "onset", one.code, 1) for one in run.diagnosis.findings}
            silences = {"finished": 0, "stall": 2}.get(name.partition("-")[0], 1)
            beside |= {(name, "onset", "stalled", number + 1) for number in range(silences)}
        silent = {one for one in beside if one[2] == "stalled"}
        return found | silent, beside


def child(base: Path, clock: Scaled) -> None:
    """What is killed: the watch, with a channel that appends to a file."""
    channel = ExecCommand(["tee", "-a", str(base / "alerts.jsonl")])
    settings = AlertSettings(
        Selection(frozenset(), Severity.WARNING), (ChannelConfig("exec", channel),)
    )
    journal = AlertJournal(base / "watch.sqlite", clock())
    watch([base / "runs"], MonitorConfig(), settings, journal, clock=clock, heartbeat=0.1)


def main() -> None:
    """Run the soak and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--child")
    options = parser.parse_args()
    if options.child:
        given = json.loads(options.child)
        child(Path(given["base"]), Scaled(given["began"], given["factor"]))
        return
    with tempfile.TemporaryDirectory() as kept:
        soak = Soak(Path(kept), options.runs, options.minutes, options.seconds)
        soak.run(options.kills)
        sent, (expected, beside) = soak.sent(), soak.expected()
        third = len(soak.memory) // 3
        print(f"{'alerts expected':<36}{len(expected)}")
        print(f"{'sent once':<36}{sum(count == 1 for count in sent.values())}")
        print(f"{'sent twice or more':<36}{sum(count > 1 for count in sent.values())}")
        print(f"{'lost':<36}{len(expected - sent.keys())}  {sorted(expected - sent.keys())}")
        others = sorted(sent.keys() - expected - beside)
        print(f"{'not expected':<36}{len(others)}  {others}")
        for name, part in (
            ("first", soak.memory[third // 2 : third]),
            ("last", soak.memory[-third:]),
        ):
            print(f"{f'resident, {name} third':<36}{max(part) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
