"""Faults of the system around lossmon, made for real: no inotify left, a clock that jumps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.monitor.logs import append, falling, record
from tests.services.program import Program, find_program, missing, wait_until

LIBRARIES = (Path("/usr/lib"), Path("/usr/local/lib"))
"""Where libfaketime may be."""

LOSSMON = (sys.executable, "-m", "lossmon")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    log = tmp_path / "runs" / "a" / "trainer_log.jsonl"
    log.parent.mkdir(parents=True)
    append(log, falling(1, 40))
    return log.parent


@pytest.mark.parametrize("limit", ["max_inotify_instances", "max_inotify_watches"])
def test_where_inotify_is_exhausted_the_screen_and_the_doctor_say_polling(
    limit: str, run: Path
) -> None:
    unshare = find_program("unshare", "util-linux")
    command = "doctor {0}" if limit == "max_inotify_watches" else "{0} --once --no-hardware"
    script = f"echo 0 > /proc/sys/user/{limit} && exec " + '"$@"'
    shell = ["sh", "-c", script, "sh", *LOSSMON, *command.format(run).split()]
    ended = subprocess.run(
        [unshare, "--user", "--map-root-user", *shell], capture_output=True, text=True, timeout=120
    )
    if "unshare" in ended.stderr or "/proc/sys/user" in ended.stderr:
        missing(f"no limit of our own can be set here: {ended.stderr}")
    assert f"polling: no inotify {limit.rpartition('_')[2]} left" in ended.stdout


class Jumping:
    """`lossmon watch` with a clock that the test sets."""

    def __init__(self, base: Path, library: Path) -> None:
        self.base = base
        self._clock = base / "clock"
        self.jump("+0")
        arguments = ("watch", "runs", "--json", "--state", "journal", "--exec", "tee -a sent")
        environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            **dict.fromkeys(("FAKETIME_NO_CACHE", "DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"), "1"),
        }
        self.program = Program([*LOSSMON, *arguments], base / "printed", environment)

    def jump(self, offset: str) -> None:
        """Set the clock, as an offset to the real one (`-1d`)."""
        fresh = self._clock.with_suffix(".new")
        fresh.write_text(f"{offset}\n")
        os.replace(fresh, self._clock)

    def ids(self, file: str, code: str) -> list[str]:
        """Ids of the alerts of a code that were printed, or taken by the command."""
        path = self.base / file
        lines = path.read_text().splitlines() if path.exists() else []
        events = (json.loads(one)["event"] for one in lines if one.startswith("{"))
        return [event["id"] for event in events if event["code"] == code]

    def wait_for(self, file: str, code: str) -> None:
        self.program.wait_for(lambda: self.ids(file, code), f"{code} in {file}")


@pytest.fixture
def jumping(run: Path) -> Iterator[Jumping]:
    found = (file for place in LIBRARIES for file in place.rglob("libfaketimeMT.so.1"))
    library = next(found, None)
    if library is None:
        missing("libfaketime is not installed here: apt-get install faketime")
    assert library is not None
    jumping = Jumping(run.parent.parent, library)
    yield jumping
    jumping.program.stop()


def test_alerts_come_once_although_the_clock_jumps(jumping: Jumping, run: Path) -> None:
    log = run / "trainer_log.jsonl"
    wait_until(lambda: "watching" in (jumping.base / "printed").read_text(), "the watch")
    append(log, [*falling(41, 60), *(record(step, loss=float("nan")) for step in range(61, 70))])
    jumping.wait_for("printed", "non_finite")
    jumping.jump("-1d")
    jumping.wait_for("sent", "non_finite")
    jumping.jump("+30d")
    jumping.wait_for("printed", "stalled")
    jumping.program.process.terminate()
    assert jumping.program.process.wait(60) == 0
    (printed,) = jumping.ids("printed", "non_finite")
    # The wait for the command may fail under libfaketime; then it is sent again with its id.
    assert {*jumping.ids("sent", "non_finite")} == {printed}
