"""A directory or a file on a host that `ssh` reaches."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator, Mapping
from dataclasses import field
from urllib.parse import unquote, urlsplit

from lossmon.errors import ConfigError
from lossmon.fast_dataclass import dataclass
from lossmon.remote.files import (
    MAX_DEPTH,
    MOST_FILES,
    Enters,
    Follows,
    Listing,
    RemoteError,
    RemoteFile,
    is_safe,
)
from lossmon.remote.sftp import Attributes, Connection, Status

COMMAND = "LOSSMON_SSH"
"""Variable with another command than `ssh`, with options: `ssh -F my_config`."""

STAMP = 1.0
"""Seconds that a time stamp of SFTP stands for."""


class SshPlace:
    """A place on a host; reconnects when the connection was lost.

    Listings are incremental: a directory is listed again only when its time stamp changed, and of
    the files that are known only the state is asked.

    Args:
        address: `ssh://[user@]host[:port]/path`; `/~/path` starts at the home directory.
        environment: Environment variables; only `LOSSMON_SSH` is read.

    Raises:
        ConfigError: The address is not one.
    """

    def __init__(self, address: str, environment: Mapping[str, str] = os.environ) -> None:
        try:
            parts = urlsplit(address)
            self._port = parts.port
        except ValueError as error:
            raise ConfigError(f"{address}: {error}") from None
        host = parts.hostname or ""
        # `hostname` is in lower case, but the names in a configuration of ssh need not be.
        at = parts.netloc.lower().rfind(host)
        self._host = parts.netloc[at : at + len(host)]
        self._user = unquote(parts.username or "")
        if not host or self._host.startswith("-") or self._user.startswith("-"):
            raise ConfigError(f"{address}: write ssh://[user@]host[:port]/path")
        if parts.password is not None:
            raise ConfigError("ssh takes no password in an address; use a key or an agent")
        path = unquote(parts.path) or "/~/"
        self._given = path.removeprefix("/~/") or "." if path.startswith("/~") else path
        self.name = f"{self._host}:{self._given}"
        self._command = shlex.split(environment.get(COMMAND, "ssh")) or ["ssh"]
        self._connection: Connection | None = None
        self._is_closed = False
        self._root = b""
        self._directories: dict[bytes, _Directory] = {}

    def connect(self, *, prompt: bool) -> None:
        """Connect, and find the place.

        Args:
            prompt: Let `ssh` ask for a password on the terminal.

        Raises:
            RemoteError: The host cannot be reached, or the place is not there.
        """
        connection = Connection(self._command, self._host, self._user, self._port, prompt=prompt)
        self._connection = connection
        try:
            if self._is_closed:
                raise RemoteError(f"{self.name}: closed")
            self._root = connection.real_path(os.fsencode(self._given))
            state = connection.state(self._root)
            if isinstance(state, Status):
                raise RemoteError(f"{self.name}: {state.message}")
        except RemoteError:
            self.disconnect()
            raise

    def look(self, enters: Enters, follows: Follows) -> Listing:
        """Look at what is there, see `RemotePlace`."""
        connection = self._connected()
        root = connection.state(self._root)
        if isinstance(root, Status):
            raise RemoteError(f"{self.name}: {root.message}")
        if root.is_file:
            return Listing({"": _file(root)})
        self._refresh(connection, root, enters)
        found = {
            self._relative(path): attributes
            for one in self._directories.values()
            for path, attributes in one.files.items()
        }
        followed = [path for path in found if follows(path)][:MOST_FILES]
        states = connection.states([self._absolute(path) for path in followed])
        for path, state in zip(followed, states, strict=True):
            if state is not None and state.is_file:
                found[path] = state
            else:
                del found[path]
        inner = (self._relative(path) for path in self._directories if path != self._root)
        files = {path: _file(attributes) for path, attributes in found.items()}
        return Listing(files, tuple(inner))

    def _refresh(self, connection: Connection, root: Attributes, enters: Enters) -> None:
        """List the directories that changed, and those that are new, level by level."""
        known = list(self._directories)
        states = connection.states(known)
        stale = [] if known else [(self._root, root, 0)]
        for path, state in zip(known, states, strict=True):
            if path in self._directories and (state is None or not state.is_directory):
                self._forget(path)
            elif state is not None and self._directories[path].is_stale(state):
                stale.append((path, state, self._directories[path].depth))
        while stale:
            now = time.monotonic()
            listed = connection.directories([path for path, _, _ in stale])
            below: list[tuple[bytes, Attributes, int]] = []
            for (path, state, depth), entries in zip(stale, listed, strict=True):
                if not isinstance(entries, Status):
                    before = self._directories.get(path)
                    is_same = before is not None and before.modified == state.modified
                    since = before.since if before is not None and is_same else now
                    made = _Directory(state.modified, depth, since, now - since > STAMP)
                    self._directories[path] = made
                    below += self._sort(path, made, entries, enters)
            stale = below[: max(0, MOST_FILES - len(self._directories))]

    def _sort(
        self,
        path: bytes,
        directory: _Directory,
        entries: list[tuple[bytes, Attributes]],
        enters: Enters,
    ) -> Iterator[tuple[bytes, Attributes, int]]:
        """Keep the files of a directory, and give the directories in it that are new."""
        above = self._relative(path)
        for name, attributes in sorted(entries):
            spelled, inner = os.fsdecode(name), path.rstrip(b"/") + b"/" + name
            if not is_safe(spelled):
                continue
            if attributes.is_file:
                directory.files[inner] = attributes
            elif (
                attributes.is_directory
                and inner not in self._directories
                and directory.depth < MAX_DEPTH
                and enters(above, spelled)
            ):
                yield inner, attributes, directory.depth + 1

    def _forget(self, path: bytes) -> None:
        for known in list(self._directories):
            if known == path or known.startswith(path + b"/"):
                del self._directories[known]

    def _relative(self, path: bytes) -> str:
        return os.fsdecode(path[len(self._root.rstrip(b"/")) :].lstrip(b"/"))

    def _absolute(self, path: str) -> bytes:
        return self._root.rstrip(b"/") + b"/" + os.fsencode(path) if path else self._root

    def read(self, path: str, start: int, size: int) -> bytes:
        """Bytes of a file, see `RemotePlace`."""
        return self._connected().read(self._absolute(path), start, size)

    def _connected(self) -> Connection:
        if self._is_closed:
            raise RemoteError(f"{self.name}: closed")
        if self._connection is None:
            self.connect(prompt=False)
        assert self._connection is not None
        return self._connection

    def disconnect(self) -> None:
        """Forget a connection that failed; the next call connects again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Have what reads or connects in another thread fail; `disconnect` frees the rest."""
        self._is_closed = True
        if self._connection is not None:
            self._connection.kill()


@dataclass(slots=True)
class _Directory:
    """A directory as it was listed.

    Attributes:
        modified: Its time stamp then.
        depth: Directories between it and the place.
        since: When that time stamp was first seen, in seconds that never go back.
        is_settled: It was listed after the second of its time stamp had ended: a file that came
            later in that second would not be in the list, and would leave the time stamp as it is.
        files: Its files, and what was said of them then.
    """

    modified: int
    depth: int
    since: float
    is_settled: bool
    files: dict[bytes, Attributes] = field(default_factory=dict)

    def is_stale(self, state: Attributes) -> bool:
        """Whether it has to be listed again."""
        return state.modified != self.modified or not self.is_settled


def _file(state: Attributes) -> RemoteFile:
    return RemoteFile(state.size, float(state.modified))
