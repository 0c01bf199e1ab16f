"""Each write of lossmon's own, done again and again, and killed one call later each time.

`python -m tests.services.killed_writes DIRECTORY` prints one JSON list per write: what was written,
how often, and what was found afterwards. It is a program of its own because it forks.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from lossmon.alerts.alert import Alert
from lossmon.alerts.journal import AlertJournal
from lossmon.alerts.tracker import RunTracker
from lossmon.nodes.journal import Journal
from lossmon.reports import status_cache
from lossmon.reports.export.files import fresh
from lossmon.toml.edit import rewrite
from lossmon.types import Severity
from lossmon.ui.state import json_file

OLD, NEW = "a = 1\n", "b" * 5000

SYSTEM = ("posix", "_io", "sqlite3", "_sqlite3")
"""Modules whose functions call the operating system."""


def _export(file: Path) -> None:
    with fresh(file) as out:
        out.write(NEW)


def _alert(file: Path) -> None:
    with AlertJournal(file, 1.0) as journal:
        alert = Alert("id", "onset", "spike", Severity.WARNING, 1.0)
        journal.record({"run": RunTracker(onsets={"spike": 1})}, [(alert, ["exec"])], 1.0)


WRITES: dict[str, Callable[[Path], None]] = {
    "state.json": lambda file: json_file.write(file, NEW),
    "config.toml": lambda file: rewrite(file, lambda text: f'a = "{NEW}"'),
    "cache.json": lambda file: status_cache._store(file, {"line": NEW}),
    "node.jsonl": lambda file: Journal(file).append(NEW.encode() + b"\n"),
    "export.csv": _export,
    "alerts.sqlite": _alert,
}

MADE = ("export.csv", "alerts.sqlite")
"""Files that are not there before."""


def killed_at(moment: int, write: Callable[[], None]) -> bool:
    """Do a write in a child that kills itself before the n-th call; whether it got that far."""
    seen = 0

    def count(frame: FrameType, event: str, function: Any) -> None:
        nonlocal seen
        owner = type(getattr(function, "__self__", None)).__module__
        if event == "c_call" and {owner, getattr(function, "__module__", "")} & {*SYSTEM}:
            seen += 1
            if seen == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if not child:
        sys.setprofile(count)
        write()
        sys.setprofile(None)
        os._exit(0)
    return os.waitpid(child, 0)[1] != 0


def found_in(file: Path) -> str:
    """What a reader finds."""
    if file.name == "alerts.sqlite":
        with AlertJournal(file, 1.0) as journal:
            return f"{len(journal.trackers())} {len(journal.pending('exec'))}"
    return file.read_text() if file.exists() else ""


def main() -> None:
    for name, write in WRITES.items():
        file = Path(sys.argv[1]) / name
        moment, found, killed = 0, set(), True
        while killed:
            moment += 1
            file.unlink(missing_ok=True)
            if name not in MADE:
                file.write_text(OLD)
            killed = killed_at(moment, partial(write, file))
            found.add(found_in(file))
        print(json.dumps([name, moment, sorted(found)]))


if __name__ == "__main__":
    main()
