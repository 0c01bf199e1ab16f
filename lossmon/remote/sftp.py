"""SFTP, version 3, over the `ssh` of this machine: listings, states and ranges of files.

The user's own `ssh` knows hosts, keys, agents, jump hosts and tickets from its own places. What is
sent here is a small part of the protocol of draft-ietf-secsh-filexfer-02; many requests are on
their way at once, so that a distant host costs as many round trips as a near one.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import stat
import struct
import subprocess
import time
from collections.abc import Sequence
from typing import NamedTuple

from lossmon.remote.files import RemoteError

TIMEOUT = 60.0
"""Seconds without an answer after which a connection is given up."""

LARGEST_PACKET = 1 << 20
"""Bytes of a packet that are accepted; servers send 256 KiB at most."""

BLOCK = 32 << 10
"""Bytes per read request: what every server answers whole."""

AT_ONCE = 32
"""Requests on their way at once."""

_INIT, _VERSION = 1, 2
_OPEN, _CLOSE, _READ, _LSTAT, _OPENDIR, _READDIR, _REALPATH, _STAT = 3, 4, 5, 7, 11, 12, 16, 17
_STATUS, _HANDLE, _DATA, _NAME, _ATTRS = 101, 102, 103, 104, 105
_EOF, _NO_SUCH_FILE = 1, 2

_OPTIONS = (
    *("-x", "-T", "-o", "ClearAllForwardings=yes", "-o", "PermitLocalCommand=no"),
    *("-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3"),
)


class Attributes(NamedTuple):
    """What a server says of a file.

    Attributes:
        size: Bytes.
        mode: Type and permissions.
        modified: Seconds since the Unix epoch.
    """

    size: int
    mode: int
    modified: int

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory, and not a link to one."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file, and not a link to one."""
        return stat.S_ISREG(self.mode)


class Status(NamedTuple):
    """What a server answers to a request that it cannot serve."""

    code: int
    message: str


class Connection:
    """A connection to one host.

    Args:
        command: `ssh` and the options of the user.
        host: As `ssh` takes it.
        user: Name on that host, or empty.
        port: Or None.
        prompt: Let `ssh` ask for a password on the terminal.

    Raises:
        RemoteError: The host cannot be reached; says what `ssh` says.
    """

    def __init__(
        self,
        command: Sequence[str],
        host: str,
        user: str = "",
        port: int | None = None,
        *,
        prompt: bool = False,
    ) -> None:
        self.host = host
        arguments = [*command, *_OPTIONS, "-o", f"BatchMode={'no' if prompt else 'yes'}"]
        arguments += ["-l", user] if user else []
        arguments += ["-p", str(port)] if port is not None else []
        try:
            self._process = subprocess.Popen(
                [*arguments, "-s", "--", host, "sftp"],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=not prompt,
            )
        except OSError as error:
            raise RemoteError(f"{command[0]}: {error.strerror or error}") from error
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._buffer = bytearray()
        self._next = 0
        self._send(_INIT, struct.pack(">I", 3), numbered=False)
        kind, _ = self._receive()
        if kind != _VERSION:
            raise self._failure("does not speak SFTP")

    # ------------------------------------------------------------------------------ requests

    def real_path(self, path: bytes) -> bytes:
        """The absolute path of a path."""
        (answer,) = self._ask([(_REALPATH, _text(path))])
        if isinstance(answer, Status):
            raise RemoteError(f"{self.host}: {os.fsdecode(path)}: {answer.message}")
        return _names(answer)[0][0]

    def states(self, paths: Sequence[bytes]) -> list[Attributes | None]:
        """The state of each path, links not followed; None where there is nothing."""
        answers = self._ask([(_LSTAT, _text(path)) for path in paths])
        return [None if isinstance(one, Status) else _attributes(one, 4)[0] for one in answers]

    def state(self, path: bytes) -> Attributes | Status:
        """The state of a path, links followed."""
        (answer,) = self._ask([(_STAT, _text(path))])
        return answer if isinstance(answer, Status) else _attributes(answer, 4)[0]

    def directories(self, paths: Sequence[bytes]) -> list[list[tuple[bytes, Attributes]] | Status]:
        """The entries of each directory, or why it cannot be listed."""
        opened = self._ask([(_OPENDIR, _text(path)) for path in paths])
        found: list[list[tuple[bytes, Attributes]] | Status] = [
            one if isinstance(one, Status) else [] for one in opened
        ]
        handles = {at: one[4:] for at, one in enumerate(opened) if not isinstance(one, Status)}
        reading = dict(handles)
        while reading:
            answers = self._ask([(_READDIR, handle) for handle in reading.values()])
            for at, answer in zip(list(reading), answers, strict=True):
                entries = found[at]
                if isinstance(answer, Status) or isinstance(entries, Status):
                    del reading[at]
                else:
                    entries += _names(answer)
        self._ask([(_CLOSE, handle) for handle in handles.values()])
        return found

    def read(self, path: bytes, start: int, size: int) -> bytes:
        """Bytes of a file; fewer where it ends before."""
        (opened,) = self._ask([(_OPEN, _text(path) + struct.pack(">II", 1, 0))])
        if isinstance(opened, Status):
            raise RemoteError(f"{self.host}: {os.fsdecode(path)}: {opened.message}")
        handle = opened[4:]
        end = start + size
        blocks = [(at, min(BLOCK, end - at)) for at in range(start, end, BLOCK)]
        answers = self._ask(
            [(_READ, handle + struct.pack(">QI", at, length)) for at, length in blocks]
        )
        self._ask([(_CLOSE, handle)])
        parts = []
        for (_, length), answer in zip(blocks, answers, strict=True):
            data = b"" if isinstance(answer, Status) else answer[8:]
            parts.append(data)
            if len(data) < length:
                break
        return b"".join(parts)

    def kill(self) -> None:
        """Have what waits for an answer in another thread fail."""
        self._process.kill()

    def close(self) -> None:
        """End it. No other thread may use it: the numbers of its pipes are given away again."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    # ------------------------------------------------------------------------------- packets

    def _ask(self, requests: Sequence[tuple[int, bytes]]) -> list[bytes | Status]:
        """Send requests, many at once, and return the answers in their order.

        An answer is its packet behind the type: four bytes of number and the rest.
        """
        answers: list[bytes | Status] = [b""] * len(requests)
        waiting: dict[int, int] = {}
        queue = iter(enumerate(requests))
        left = len(requests)
        while left:
            while len(waiting) < AT_ONCE and (following := next(queue, None)) is not None:
                at, (kind, body) = following
                waiting[self._send(kind, body)] = at
            kind, packet = self._receive()
            (number,) = struct.unpack_from(">I", packet)
            at = waiting.pop(number, -1)
            if at < 0:
                raise self._failure("answered what was not asked")
            answers[at] = _status(packet) if kind == _STATUS else packet
            left -= 1
        return answers

    def _send(self, kind: int, body: bytes, *, numbered: bool = True) -> int:
        self._next = (self._next + 1) & 0xFFFFFFFF
        head = struct.pack(">I", self._next) if numbered else b""
        data = memoryview(struct.pack(">IB", 1 + len(head) + len(body), kind) + head + body)
        try:
            while data:
                data = data[os.write(self._in, data) :]
        except OSError as error:
            raise self._failure(error.strerror or str(error)) from error
        return self._next

    def _receive(self) -> tuple[int, bytes]:
        (length,) = struct.unpack(">I", self._take(4))
        if not 1 <= length <= LARGEST_PACKET:
            raise self._failure("does not speak SFTP")
        packet = self._take(length)
        if packet[0] != _VERSION and length < 5:
            raise self._failure("does not speak SFTP")
        return packet[0], packet[1:]

    def _take(self, count: int) -> bytes:
        deadline = time.monotonic() + TIMEOUT
        while len(self._buffer) < count:
            with selectors.DefaultSelector() as selector:
                selector.register(self._out, selectors.EVENT_READ)
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise self._failure(f"no answer for {TIMEOUT:.0f} s")
            try:
                data = os.read(self._out, 1 << 18)
            except OSError as error:
                raise self._failure(error.strerror or str(error)) from error
            if not data:
                raise self._failure("the connection was closed")
            self._buffer += data
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _failure(self, why: str) -> RemoteError:
        """The connection is of no use any more; what `ssh` itself says comes first."""
        self._process.kill()
        said, stderr = b"", self._process.stderr
        if stderr is not None and not stderr.closed:
            said = stderr.read(1 << 16)
        self.close()
        lines = [line.strip() for line in said.decode(errors="replace").splitlines()]
        last = next((line for line in reversed(lines) if line), "")
        return RemoteError(f"{self.host}: {last[:300] or why}")


def _text(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def _status(packet: bytes) -> Status:
    (code,) = struct.unpack_from(">I", packet, 4)
    message = ""
    if len(packet) >= 12:
        (length,) = struct.unpack_from(">I", packet, 8)
        message = packet[12 : 12 + min(length, 300)].decode(errors="replace")
    return Status(code, message or f"error {code}")


def _names(packet: bytes) -> list[tuple[bytes, Attributes]]:
    """Names and attributes of a packet.

    Raises:
        RemoteError: It is cut.
    """
    found = []
    try:
        (count,) = struct.unpack_from(">I", packet, 4)
        at = 8
        for _ in range(count):
            name, at = _read_text(packet, at)
            _, at = _read_text(packet, at)
            attributes, at = _attributes(packet, at)
            found.append((name, attributes))
    except struct.error:
        raise RemoteError("the server sent a listing that is cut") from None
    return found


def _read_text(packet: bytes, at: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from(">I", packet, at)
    return packet[at + 4 : at + 4 + length], at + 4 + length


def _attributes(packet: bytes, at: int) -> tuple[Attributes, int]:
    (flags,) = struct.unpack_from(">I", packet, at)
    at += 4
    size = mode = modified = 0
    if flags & 0x1:
        (size,) = struct.unpack_from(">Q", packet, at)
        at += 8
    if flags & 0x2:
        at += 8
    if flags & 0x4:
        (mode,) = struct.unpack_from(">I", packet, at)
        at += 4
    if flags & 0x8:
        (modified,) = struct.unpack_from(">4xI", packet, at)
        at += 8
    if flags & 0x80000000:
        (count,) = struct.unpack_from(">I", packet, at)
        at += 4
        for _ in range(2 * count):
            _, at = _read_text(packet, at)
    return Attributes(size, mode, modified), at
