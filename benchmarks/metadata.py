"""Load on the metadata server of a network file system: stats, listings and opens per second.

python -m benchmarks.metadata [--runs N...] [--seconds S]

A child watches runs of which one is at work, as on NFS: it polls. What it asks for below their
directory is counted by strace.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from benchmarks.discovery import plant

RUNS = (1, 100, 1_000)
FILES_PER_RUN = 10
CALLS = "openat,stat,lstat,newfstatat,statx,access"
KINDS = {"openat": "opens", "access": "stats"}
CALL = re.compile(r"^(?:\d+ +)?(\w+)\(")


def watch(root: Path) -> None:
    """Watch a directory until the input ends; say when all is read."""
    import lossmon.watch as module
    from lossmon.monitor.follow import Follower

    vars(module)["is_silent"] = lambda kind: True
    follower = Follower([root])
    threading.Thread(target=lambda: (sys.stdin.read(), follower.stop()), daemon=True).start()
    for number, _ in enumerate(follower.snapshots(idle=True)):
        if number == 3:
            print("ready", flush=True)


def measure(runs: int, seconds: float) -> dict[str, float]:
    """Calls per second by kind: `stats`, `listings` and `opens`."""
    with tempfile.TemporaryDirectory() as kept:
        root, trace = Path(kept, "runs"), Path(kept, "trace")
        plant(root, runs, runs * FILES_PER_RUN)
        for path in (one for one in root.rglob("*") if "run0" not in one.parts):
            # One run is at work, the others ended yesterday.
            os.utime(path, (time.time() - 86400,) * 2)
        command = [sys.executable, "-m", "benchmarks.metadata", "--watch", str(root)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdin is not None and child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            flags = ["-f", "-qq", "-e", f"trace={CALLS}", "-o", str(trace), "-p", str(child.pid)]
            tracer = subprocess.Popen(["strace", *flags])
            threading.Event().wait(seconds)
            tracer.send_signal(signal.SIGINT)
            tracer.wait()
            child.stdin.close()
        counts = Counter(map(_kind, _calls(trace, str(root))))
    return {kind: counts[kind] / seconds for kind in ("stats", "listings", "opens")}


def _calls(trace: Path, root: str) -> list[str]:
    return [line for line in trace.read_text(errors="replace").splitlines() if root in line]


def _kind(line: str) -> str:
    found = CALL.match(line)
    name = found[1] if found else ""
    return "listings" if "O_DIRECTORY" in line else KINDS.get(name, "stats")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="*", default=RUNS)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--watch", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.watch is not None:
        watch(options.watch)
        return
    if shutil.which("strace") is None:
        print("needs strace: apt-get install strace")
        return
    print(
        f"{'runs':>8}{'stats/s':>12}{'listings/s':>12}{'opens/s':>12}{'per run, of 10 files':>24}"
    )
    for runs in options.runs:
        found = measure(runs, options.seconds)
        figures = "".join(f"{found[kind]:>12.1f}" for kind in ("stats", "listings", "opens"))
        each = sum(found.values()) / runs
        print(f"{runs:>8,}{figures}{each:>24.2f}", flush=True)


if __name__ == "__main__":
    main()
