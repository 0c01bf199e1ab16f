"""Which process is named, and which one is the training we watch."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from lossmon.hardware.processes import NAME_LENGTH, KnownProcess, Processes, printable
from lossmon.types import GpuProcess

RUN = "/data/runs/sft"


class FakeProc:
    """A `/proc` in which processes are written down."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(
        self,
        pid: int,
        *arguments: str,
        parent: int = 1,
        cwd: str = "/home/me",
        files: tuple[str, ...] = ("/dev/nvidia0",),
        comm: str = "worker",
    ) -> None:
        folder = self.root / str(pid)
        (folder / "fd").mkdir(parents=True)
        (folder / "stat").write_text(f"{pid} ({comm}) S {parent} 1 1 0")
        (folder / "comm").write_text(comm + "\n")
        (folder / "cmdline").write_text("".join(each + "\0" for each in arguments))
        (folder / "cwd").symlink_to(cwd)
        for number, name in enumerate(files):
            (folder / "fd" / str(number)).symlink_to(name)
        children = self.root / str(parent) / "task" / str(parent) / "children"
        children.parent.mkdir(parents=True, exist_ok=True)
        with children.open("a") as file:
            file.write(f"{pid} ")

    def look(self, *pids: int, directory: str = RUN) -> dict[int, KnownProcess]:
        return dict(Processes([directory], self.root).look(pids))


@pytest.fixture
def proc(tmp_path: Path) -> FakeProc:
    return FakeProc(tmp_path)


def test_a_list_says_who_runs_what_since_when_and_hides_what_is_secret(
    proc: FakeProc, monkeypatch: pytest.MonkeyPatch
) -> None:
    proc.add(
        7, "/usr/bin/python3", "train.py", "--hub_token", "hf_1", "--api-key=2", "--max_tokens=3"
    )
    ticks = os.sysconf("SC_CLK_TCK")
    fields = ["S", "1", *"0" * 9, str(2 * ticks), str(ticks), *"0" * 6, str(50 * ticks), "0", "256"]
    (proc.root / "stat").write_text("cpu 1 2\nbtime 1700000000\n")
    (proc.root / "7" / "stat").write_text(f"7 (odd) name) {' '.join(fields)} 0")
    lookup = Processes([RUN], proc.root)
    monkeypatch.setattr("lossmon.hardware.processes.time.monotonic", lambda: 100.0)
    first, unknown = lookup.on_gpu({9: None, 7: 1 << 30})
    assert unknown == GpuProcess(9, "", None)
    assert first.command == "python3 train.py --hub_token *** --api-key=*** --max_tokens=3"
    assert (first.user, first.cpu) == (pwd.getpwuid(os.getuid()).pw_name, None)
    assert (first.memory, first.started) == (256 * os.sysconf("SC_PAGE_SIZE"), 1_700_000_050.0)
    fields[11] = str(7 * ticks)
    (proc.root / "7" / "stat").write_text(f"7 (odd) name) {' '.join(fields)} 0")
    for moment, share in ((100.5, None), (110.0, 50.0), (110.5, 50.0)):
        monkeypatch.setattr("lossmon.hardware.processes.time.monotonic", lambda at=moment: at)
        assert lookup.on_gpu({7: None})[0].cpu == share


def test_a_process_is_known_by_the_name_of_its_program(proc: FakeProc) -> None:
    proc.add(7, "/usr/bin/python3", "train.py")
    assert proc.look(7) == {7: KnownProcess("python3", own=False)}


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"cwd": RUN}, id="works in the run"),
        pytest.param({"cwd": RUN + "/checkpoint-5"}, id="works below it"),
        pytest.param({"files": ("/dev/nvidia0", RUN + "/runs/events.out")}, id="has a log open"),
    ],
)
def test_a_process_is_ours_by_where_it_is(proc: FakeProc, how: dict[str, object]) -> None:
    proc.add(7, "python", **how)  # type: ignore[arg-type]
    assert proc.look(7)[7].own


@pytest.mark.parametrize(
    ("arguments", "own"),
    [
        pytest.param(("--output_dir", "/data/runs/sft"), True, id="absolute"),
        pytest.param(("--output_dir", "runs/sft/"), True, id="relative to where it works"),
        pytest.param(("--output_dir=./runs/sft",), True, id="behind an equals sign"),
        pytest.param(("trainer.log=/data/runs/sft/train.log",), True, id="a file of it"),
        pytest.param(("--output_dir", "runs/sft-2"), False, id="another run's name goes on"),
        pytest.param(("--output_dir", "runs"), False, id="the folder of all runs"),
        pytest.param(("--name", "sft"), False, id="only a word"),
    ],
)
def test_a_process_is_ours_by_what_it_was_told(
    proc: FakeProc, arguments: tuple[str, ...], own: bool
) -> None:
    proc.add(7, "python", "train.py", *arguments, cwd="/data")
    assert proc.look(7)[7].own is own


def test_a_single_log_file_can_be_the_run(proc: FakeProc) -> None:
    log = "/home/me/train.log"
    proc.add(7, "python", files=("/dev/nvidia0", log))
    proc.add(8, "python", cwd="/home/me")
    looked = proc.look(7, 8, directory=log)
    assert looked[7].own and not looked[8].own


def test_a_worker_of_our_launcher_is_ours(proc: FakeProc) -> None:
    proc.add(5, "bash", files=())
    proc.add(6, "accelerate", "launch", "--output_dir", RUN, parent=5, files=())
    proc.add(7, "python", parent=6)
    assert proc.look(7)[7].own


def test_a_process_whose_child_writes_the_logs_is_ours(proc: FakeProc) -> None:
    proc.add(7, "python")
    proc.add(8, "wandb-core", parent=7, files=(RUN + "/wandb/run.wandb",))
    assert proc.look(7)[7].own


def test_all_ranks_of_a_launcher_are_ours_when_one_is(proc: FakeProc) -> None:
    proc.add(6, "/opt/bin/python", "-m", "torch.distributed.run", files=())
    proc.add(7, "/opt/bin/python", parent=6, files=("/dev/nvidia0", RUN + "/events"))
    proc.add(8, "/opt/bin/python", parent=6, files=("/dev/nvidia1",))
    assert [known.own for known in proc.look(7, 8).values()] == [True, True]


def test_another_job_of_the_same_shell_is_not_ours(proc: FakeProc) -> None:
    proc.add(5, "bash", files=())
    proc.add(7, "python", parent=5, files=("/dev/nvidia0", RUN + "/events"))
    proc.add(8, "python", parent=5)
    assert [known.own for known in proc.look(7, 8).values()] == [True, False]


def test_a_number_that_is_somebody_else_here_has_no_name(proc: FakeProc) -> None:
    proc.add(7, "nginx", cwd=RUN, files=("/dev/null",))
    assert proc.look(7) == {7: KnownProcess()}


def test_a_process_that_is_not_here_has_no_name(proc: FakeProc) -> None:
    assert proc.look(4242) == {4242: KnownProcess()}


def test_a_process_whose_files_are_not_for_us_keeps_its_name(proc: FakeProc) -> None:
    proc.add(7, "python", files=())
    (proc.root / "7" / "fd").rmdir()
    assert proc.look(7)[7].name == "python"


def test_a_kernel_thread_is_known_by_its_short_name(proc: FakeProc) -> None:
    proc.add(7, comm="nvidia-modeset")
    assert proc.look(7)[7].name == "nvidia-modeset"


def test_a_name_full_of_brackets_does_not_hide_the_parent(proc: FakeProc) -> None:
    proc.add(6, "launcher", cwd=RUN, files=())
    proc.add(7, "python", parent=6, comm="a) S 1 (b")
    assert proc.look(7)[7].own


def test_a_hostile_name_is_harmless() -> None:
    assert printable("py\x1b[2Jthon\n\x07") == "py[2Jthon"
    assert printable(b"\xff\xfe" * 100).isprintable()
    assert len(printable("x" * 10_000)) == NAME_LENGTH
    assert printable(None) == ""


def test_a_real_process_is_found_by_the_file_it_writes(tmp_path: Path) -> None:
    log = tmp_path / "run" / "train.log"
    log.parent.mkdir()
    program = f"import sys; file = open({str(log)!r}, 'w'); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline()
        looked = Processes([str(log.parent)], devices=(str(log),)).look([child.pid])
        child.stdin.close()  # type: ignore[union-attr]
    assert looked[child.pid].own
    assert looked[child.pid].name == os.path.basename(sys.executable)
