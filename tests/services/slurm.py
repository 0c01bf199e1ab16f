"""A Slurm of one node on this machine, without systemd and without accounting."""

from __future__ import annotations

import os
import platform
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.program import Program, find_program, free_port, missing, wait_until

_CONFIGURATION = """\
ClusterName=here
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=root
SlurmdUser=root
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/slurmd.pid
SlurmctldParameters=idle_on_node_suspend
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=1
AuthType=auth/munge
AuthInfo=socket={directory}/munge.socket
CredType=cred/munge
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
KillWait=1
MinJobAge=300
RequeueExitHold=9
NodeName={host} NodeAddr=127.0.0.1 Port={node} CPUs={cores} State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:8
"""


@contextmanager
def running_slurm(directory: Path) -> Iterator[dict[str, str]]:
    """Bring Slurm up in an empty directory, and take it down at the end.

    Yields:
        Variables with which its commands find it.
    """
    controller = find_program("slurmctld", "slurm-wlm munge")
    node = find_program("slurmd", "slurm-wlm munge")
    munge = find_program("munged", "slurm-wlm munge")
    if os.geteuid() != 0:
        missing("slurmd starts jobs only as root")
    for name in ("state", "spool"):
        (directory / name).mkdir(parents=True)
    configuration = directory / "slurm.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            directory=directory,
            host=platform.node().split(".")[0],
            controller=free_port(),
            node=free_port(),
            cores=os.cpu_count(),
        )
    )
    environment = {"SLURM_CONF": str(configuration)}
    programs = [_munge(munge, directory)]
    try:
        programs.append(Program([controller, "-D", "-c"], directory / "slurmctld.log", environment))
        programs.append(Program([node, "-D"], directory / "slurmd.log", environment))
        programs[-1].wait_for(lambda: _is_idle(environment), "an idle node")
        yield environment
    finally:
        _cancel_all(environment)
        for program in reversed(programs):
            program.stop()


def _munge(program: str, directory: Path) -> Program:
    """The daemon that signs Slurm's messages, with a key of its own."""
    owner = pwd.getpwuid(os.geteuid())
    key = directory / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    socket = directory / "munge.socket"
    options = {
        "socket": socket,
        "key-file": key,
        "pid-file": directory / "munge.pid",
        "seed-file": directory / "munge.seed",
        "log-file": directory / "munge.own.log",
    }
    flags = [f"--{name}={path}" for name, path in options.items()]
    started = Program(
        [program, "--foreground", "--force", *flags],
        directory / "munge.log",
        {"HOME": owner.pw_dir},
    )
    started.wait_for(socket.exists, "munge")
    return started


def _is_idle(environment: dict[str, str]) -> bool:
    return ask(environment, "sinfo", "--noheader", "--format=%T").strip() == "idle"


def _cancel_all(environment: dict[str, str]) -> None:
    ask(environment, "scancel", "--full", "--user=root")
    wait_until(lambda: not ask(environment, "squeue", "--noheader").strip(), "jobs to end", 20)


def ask(environment: dict[str, str], *command: str) -> str:
    """Run a command of Slurm and return what it prints, empty where it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=60
    )
    return done.stdout
