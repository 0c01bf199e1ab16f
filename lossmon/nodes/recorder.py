"""Recorder of the hardware and the processes of a run on this node."""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
import time
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from lossmon.errors import LossmonError
from lossmon.nodes.journal import DIRECTORY, Journal, path_of
from lossmon.nodes.processes import RunProcesses
from lossmon.nodes.samples import NodeSample, encode
from lossmon.types import HardwareReading, Job, NodeReading, NodeVerdict

INTERVAL = 10.0
"""Seconds between samples."""

READY = 1.0
"""Seconds between looks for a run directory that is not there yet."""


FIRST_READING = 5.0
"""Seconds to wait for a first reading: drivers of eight GPUs take that long to load."""


class AlreadyRecorded(LossmonError):
    """Another process records the same run on this node."""


class RecorderLock:
    """Keeps a second recorder of one run off this node.

    The lock lies on a disk of the node, since locks on a network file system can hang; the kernel
    releases it however its holder ends.
    """

    def __init__(self, run: Path) -> None:
        """Take the lock.

        Raises:
            AlreadyRecorded: Another process has it.
        """
        key = blake2b(os.fsencode(os.path.realpath(run)), digest_size=8).hexdigest()
        path = os.path.join(tempfile.gettempdir(), f"lossmon-record-{os.getuid()}-{key}.lock")
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(path, flags, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise AlreadyRecorded(f"{run} is already recorded on this node") from None

    def release(self) -> None:
        """Let another recorder begin."""
        os.close(self._descriptor)


class Recorder:
    """Writes a sample of this node into a run again and again.

    Args:
        hardware: The newest reading of the hardware.
        job: The scheduler's job that this process runs in, if any.
        interval: Seconds between samples.
        judge: What is thought of logs that only this node can read.
        report: Takes a line for the user, such as why a sample was not written.
    """

    def __init__(
        self,
        run: Path,
        hardware: Callable[[], HardwareReading],
        *,
        host: str,
        job: Job | None = None,
        interval: float = INTERVAL,
        judge: Callable[[], tuple[NodeVerdict, ...]] = tuple,
        report: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._run, self._hardware, self._judge, self._report = run, hardware, judge, report
        self._host, self._job, self._interval = host, job, interval
        self._journal = Journal(path_of(run, host))
        self._processes = RunProcesses((os.path.realpath(run), os.path.abspath(run)))
        self._fault = ""

    def wait_for_run(self, ended: threading.Event) -> bool:
        """Wait until the training has made its directory; False if `ended` was set before.

        Many trainers refuse to write into a directory that is not empty, so nothing may be put
        there before they have begun.
        """
        noted = False
        while not self._has_begun():
            if not noted:
                self._report(f"waiting until the training writes into {self._run}")
                noted = True
            if ended.wait(min(READY, self._interval)):
                return False
        return True

    def _has_begun(self) -> bool:
        try:
            return any(name != DIRECTORY for name in os.listdir(self._run))
        except OSError:
            return False

    def record(self, ended: threading.Event) -> None:
        """Write samples until `ended` is set."""
        self._wait_for_hardware(ended)
        due = time.monotonic()
        while True:
            self.write_sample()
            # What takes long, as a slow disk does, costs samples and does not pile up.
            due = max(due + self._interval, time.monotonic())
            if ended.wait(due - time.monotonic()):
                return

    def _wait_for_hardware(self, ended: threading.Event) -> None:
        """Wait for the first reading, or for as long as a driver takes that does not answer."""
        until = time.monotonic() + FIRST_READING
        while self._hardware().host is None and time.monotonic() < until:
            if ended.wait(0.05):
                return

    def write_sample(self) -> None:
        """Write one sample; says once why that is not possible, and when it is again."""
        try:
            self._journal.append(encode(NodeSample(self._reading(), self._interval)))
        except OSError as error:
            fault = f"{self._journal.path}: {error.strerror or error}"
        else:
            fault = ""
        if fault != self._fault:
            self._report(fault or f"{self._journal.path} is written again")
            self._fault = fault

    def _reading(self) -> NodeReading:
        hardware = self._hardware()
        own = (p.pid for gpu in hardware.gpus for p in gpu.processes if p.own)
        return NodeReading(
            name=self._host,
            time=time.time(),
            gpus=hardware.gpus,
            host=hardware.host,
            processes=self._processes.sample(time.monotonic(), own),
            verdicts=self._judge(),
            job=self._job,
        )
