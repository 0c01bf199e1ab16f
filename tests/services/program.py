"""Programs that a test starts: looked for, waited for and ended."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil
import pytest

PATIENCE = 60.0
"""Seconds that a program may take on a busy machine; none of them needs three on an idle one."""

_SYSTEM = ("/usr/sbin", "/sbin", "/usr/local/sbin")
"""Where daemons are, which the path of a user may not list."""


def find_program(name: str, package: str) -> str:
    """Path of a program; skips the test, and says what to install, where there is none.

    With CLUSTER_TESTS=1, as `make cluster-test` sets it, the test fails instead.
    """
    path = os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM))
    found = shutil.which(name, path=path)
    if found is None:
        missing(f"{name} is not installed here: apt-get install {package}")
    assert found is not None
    return found


def missing(why: str) -> None:
    """Skip a test that cannot run here; under `make cluster-test` fail it."""
    if os.environ.get("CLUSTER_TESTS"):
        pytest.fail(why)
    pytest.skip(why)


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: It did not come true; says what was waited for.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.02)


def free_port() -> int:
    """A port of the loopback interface that nothing listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Whether something accepts connections on a port of the loopback interface."""
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex(("127.0.0.1", port)) == 0


class Program:
    """A program that runs until `stop`; what it prints goes to a file."""

    def __init__(
        self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                cwd=log.parent,
            )

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition, and fail with what was printed where the program ends before."""

        def is_met() -> object:
            said = self.log.read_text(errors="replace")[-2000:]
            assert self.process.poll() is None, f"{self.process.args!r} ended:\n{said}"
            return condition()

        wait_until(is_met, what)

    def children(self) -> list[psutil.Process]:
        """The processes that it started."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def stop(self) -> None:
        """End it, by force where it does not end by itself."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
