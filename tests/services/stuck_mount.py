"""A FUSE file system that stops answering, for one command: what a dead network mount does.

`python -m tests.services.stuck_mount DIRECTORY OPERATION COMMAND...` mounts it on a directory, in
name spaces of its own (so nobody else sees it, and nothing is left), runs the command, and ends
with its status. It shows one directory `run` with one file `train.jsonl`; a request for OPERATION,
and each one after it, is never answered.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from tests.services.program import find_program, missing

LOOKUP, GETATTR, OPEN, READ, INIT, OPENDIR, READDIR = 1, 3, 14, 15, 26, 27, 28
FORGET, FLUSH, RELEASE, RELEASEDIR, DESTROY, BATCH_FORGET = 2, 25, 18, 29, 38, 42
"""Requests by their numbers in linux/fuse.h."""

OPERATIONS = {"stat": GETATTR, "list": READDIR, "open": OPEN, "read": READ}
"""What the file system can stop answering at."""

TEXT = b"".join(b'{"step": %d, "loss": %.3f}\n' % (n, 3 / n) for n in range(1, 41))
"""Contents of the file."""

ROOT, RUN, FILE = 1, 2, 3
"""Numbers of its three nodes."""

CHILDREN = {(ROOT, b"run"): RUN, (RUN, b"train.jsonl"): FILE}

_HEADER = struct.Struct("<IIQQIIII")


def stuck(directory: Path, operation: str, *command: str) -> list[str]:
    """The command line that runs a command beside such a mount; skips where there cannot be one."""
    unshare = find_program("unshare", "util-linux")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        missing("/dev/fuse is not there, or may not be used")
    isolated = [unshare, "--user", "--map-root-user", "--mount"]
    if subprocess.run([*isolated, "true"], capture_output=True).returncode:
        missing("this system lets nobody make a name space of their own")
    module = [sys.executable, "-m", "tests.services.stuck_mount"]
    return [*isolated, *module, str(directory), operation, *command]


class StuckFileSystem(threading.Thread):
    """Answers until it is asked for one operation, and then never again."""

    def __init__(self, device: int, operation: int) -> None:
        super().__init__(daemon=True)
        self._device, self._operation = device, operation
        self._answers: dict[int, Callable[[int, bytes], bytes | int]] = {
            INIT: lambda node, body: struct.pack("<IIIIHHI", 7, 19, 0, 0, 0, 0, 4096),
            GETATTR: lambda node, body: struct.pack("<QII", 0, 0, 0) + _attributes(node),
            LOOKUP: self._lookup,
            OPEN: lambda node, body: struct.pack("<QII", 0, 0, 0),
            OPENDIR: lambda node, body: struct.pack("<QII", 0, 0, 0),
            READDIR: self._list,
            READ: self._read,
            **dict.fromkeys((FLUSH, RELEASE, RELEASEDIR), lambda node, body: b""),
        }

    def run(self) -> None:
        while True:
            request = os.read(self._device, 1 << 17)
            _, operation, unique, node, *_ = _HEADER.unpack_from(request)
            if operation == self._operation:
                threading.Event().wait()
            if operation in (FORGET, BATCH_FORGET, DESTROY):
                continue
            answer = self._answers.get(operation, lambda node, body: 38)
            found = answer(node, request[_HEADER.size :])
            body, error = (b"", -found) if isinstance(found, int) else (found, 0)
            os.write(self._device, struct.pack("<IiQ", 16 + len(body), error, unique) + body)

    def _lookup(self, node: int, body: bytes) -> bytes | int:
        child = CHILDREN.get((node, body.rstrip(b"\0")))
        if child is None:
            return 2
        return struct.pack("<QQQQII", child, 0, 0, 0, 0, 0) + _attributes(child)

    def _list(self, node: int, body: bytes) -> bytes:
        (offset,) = struct.unpack_from("<Q", body, 8)
        if offset:
            return b""
        entries = b""
        for (parent, name), child in CHILDREN.items():
            if parent == node:
                kind = stat.S_IFREG >> 12 if child == FILE else stat.S_IFDIR >> 12
                entry = struct.pack("<QQII", child, 1, len(name), kind) + name
                entries += entry + bytes(-len(entry) % 8)
        return entries

    def _read(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        return TEXT[offset : offset + size]


def _attributes(node: int) -> bytes:
    size, mode = (len(TEXT), stat.S_IFREG | 0o644) if node == FILE else (0, stat.S_IFDIR | 0o755)
    return struct.pack("<QQQQQQIIIIIIIIII", node, size, 1, *(0,) * 6, mode, 1, 0, 0, 0, 4096, 0)


def _mounted(directory: str, operation: str) -> None:
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    if libc.mount(b"stuck", os.fsencode(directory), b"fuse", 0, options):
        sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
    StuckFileSystem(device, OPERATIONS[operation]).start()


def main() -> int:
    directory, operation, *command = sys.argv[1:]
    _mounted(directory, operation)
    return subprocess.call(command)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # What waits for the file system is not waited for.
    os._exit(status)
