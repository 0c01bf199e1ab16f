"""An SSH server on the loopback interface, with keys and a configuration of its own."""

from __future__ import annotations

import getpass
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil

from tests.services.program import Program, find_program, free_port, listens

_SERVER = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {directory}/host_key
PidFile {directory}/sshd.pid
AuthorizedKeysFile {directory}/authorized_keys
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
Subsystem sftp internal-sftp
"""

_CLIENT = """\
Host trainbox TrainBox
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {directory}/user_key
  IdentitiesOnly yes
  UserKnownHostsFile {directory}/known_hosts
  StrictHostKeyChecking yes
Host stranger
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {directory}/other_key
  IdentitiesOnly yes
  UserKnownHostsFile {directory}/known_hosts
Host unknown
  HostName 127.0.0.1
  Port {port}
  User {user}
  UserKnownHostsFile {directory}/nothing
  StrictHostKeyChecking yes
"""


class SshServer:
    """A server that lets one key in; `trainbox` is its name in the configuration of the client.

    Attributes:
        command: The client, as `LOSSMON_SSH` takes it.
    """

    def __init__(self, directory: Path) -> None:
        server = find_program("sshd", "openssh-server")
        keygen = find_program("ssh-keygen", "openssh-client")
        directory.mkdir(parents=True)
        for name in ("host_key", "user_key", "other_key"):
            command = [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)]
            subprocess.run(command, check=True)
        (directory / "authorized_keys").write_bytes((directory / "user_key.pub").read_bytes())
        self._port, self._directory = free_port(), directory
        public = (directory / "host_key.pub").read_text().split()[:2]
        known = f"[127.0.0.1]:{self._port} {' '.join(public)}\n"
        (directory / "known_hosts").write_text(known)
        names = {"port": self._port, "directory": directory, "user": getpass.getuser()}
        (directory / "sshd_config").write_text(_SERVER.format(**names))
        (directory / "ssh_config").write_text(_CLIENT.format(**names))
        self.command = f"ssh -F {directory / 'ssh_config'}"
        # Debian's server wants this directory, which the service makes at its start.
        Path("/run/sshd").mkdir(exist_ok=True)
        self._command = [server, "-D", "-e", "-f", str(directory / "sshd_config")]
        self.start()

    def start(self) -> None:
        """Begin to listen."""
        self.program = Program(self._command, self._directory / "sshd.log")
        self.program.wait_for(lambda: listens(self._port), "sshd")

    def drop(self) -> None:
        """End every connection."""
        for line in self.program.children():
            # A connection ends by itself when its client goes, which may be just now.
            with suppress(psutil.NoSuchProcess):
                line.kill()

    def stop(self) -> None:
        """End it."""
        self.drop()
        self.program.stop()
