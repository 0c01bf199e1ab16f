"""The SFTP client against servers that are slow, broken or hostile."""

from __future__ import annotations

import stat
import struct
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from lossmon.errors import ConfigError
from lossmon.remote import sftp, ssh_place
from lossmon.remote.files import RemoteError
from lossmon.remote.sftp import Attributes, Connection
from lossmon.remote.ssh_place import SshPlace

HELLO = struct.pack(">IBI", 5, 2, 3)


def server(tmp_path: Path, answers: bytes, *, stays: bool = False, says: str = "") -> list[str]:
    """A command in place of `ssh` that sends some bytes whatever it is asked."""
    script = tmp_path / "server.py"
    script.write_text(
        "import sys\n"
        f"sys.stderr.write({says!r})\n"
        f"sys.stdout.buffer.write({answers!r})\n"
        "sys.stdout.flush()\n" + ("sys.stdin.read()\n" if stays else "")
    )
    return [sys.executable, str(script)]


@pytest.mark.parametrize(
    "answers",
    [
        b"",
        b"Welcome to the cluster!\r\n" * 10,
        b"\0\0\0\0",
        struct.pack(">IBI", 5, 101, 3),
        HELLO + b"\0\0\0\x05\x68\0\0\0\x01",
        HELLO + struct.pack(">IBI", 0x7FFFFFFF, 104, 2),
        HELLO + struct.pack(">IBII", 9, 104, 2, 99),
        HELLO + struct.pack(">IBI", 5, 104, 777),
    ],
)
def test_a_server_that_does_not_speak_the_protocol_is_an_error(
    tmp_path: Path, answers: bytes
) -> None:
    command = server(tmp_path, answers)
    with (
        pytest.raises(RemoteError) as raised,
        closing(Connection(command, "host")) as connection,
    ):
        connection.real_path(b".")
    assert "\n" not in str(raised.value)


def test_what_ssh_says_is_told(tmp_path: Path) -> None:
    command = server(tmp_path, b"", says="banner\nPermission denied (publickey).\n")
    with pytest.raises(RemoteError, match=r"host: Permission denied \(publickey\)."):
        Connection(command, "host")


def test_a_server_that_falls_silent_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sftp, "TIMEOUT", 0.2)
    connection = Connection(server(tmp_path, HELLO, stays=True), "host")
    with pytest.raises(RemoteError, match=r"host: no answer for 0 s"):
        connection.real_path(b".")


def test_a_command_that_is_not_there_is_told() -> None:
    with pytest.raises(RemoteError, match="No such file"):
        Connection(["/no/such/ssh"], "host")


def test_an_answer_may_come_in_another_order(tmp_path: Path) -> None:
    def attributes(number: int, size: int) -> bytes:
        body = struct.pack(">BIIQ", 105, number, 1, size)
        return struct.pack(">I", len(body)) + body

    # The first request of a connection is number 1, which greets.
    command = server(tmp_path, HELLO + attributes(3, 30) + attributes(2, 20), stays=True)
    connection = Connection(command, "host")
    states = connection.states([b"a", b"b"])
    connection.close()
    assert [state.size for state in states if state] == [20, 30]


@pytest.mark.parametrize(
    "address",
    [
        "ssh://",
        "ssh:///path",
        "ssh://-oProxyCommand=touch%20x/path",
        "ssh://-oProxyCommand=x@host/path",
        "ssh://user:secret@host/path",
        "ssh://host:port/path",
    ],
)
def test_what_is_no_address_is_a_wrong_setting(address: str) -> None:
    with pytest.raises(ConfigError):
        SshPlace(address)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("ssh://TrainBox/data/run", "TrainBox:/data/run"),
        ("ssh://ada@trainbox:2222/data/my%20run", "trainbox:/data/my run"),
        ("ssh://trainbox/~/run", "trainbox:run"),
        ("sftp://trainbox", "trainbox:."),
    ],
)
def test_places_by_the_name_that_people_write(address: str, name: str) -> None:
    assert SshPlace(address).name == name


def test_a_directory_is_listed_until_the_second_of_its_time_stamp_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SFTP tells whole seconds: what comes later in one of them does not change the time stamp."""
    names: list[bytes] = []
    root, file = Attributes(0, stat.S_IFDIR, 1000), Attributes(1, stat.S_IFREG, 1000)

    class OneDirectory:
        def state(self, path: bytes) -> Attributes:
            return root

        def states(self, paths: Sequence[bytes]) -> list[Attributes]:
            return [root if path == b"" else file for path in paths]

        def directories(self, paths: Sequence[bytes]) -> list[list[tuple[bytes, Attributes]]]:
            return [[(name, file) for name in names]]

    place = SshPlace("ssh://host/runs")
    monkeypatch.setattr(place, "_connected", OneDirectory)
    found = []
    for now in (5.0, 5.4, 5.9, 6.1, 6.2):
        monkeypatch.setattr(ssh_place, "time", SimpleNamespace(monotonic=lambda now=now: now))
        found.append(len(place.look(lambda *_: True, lambda _: True).files))
        names.append(b"%.1f.log" % now)
    assert found == [0, 1, 2, 3, 3]
