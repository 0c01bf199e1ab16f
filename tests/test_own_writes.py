"""Every file that lossmon writes: on a full disk, killed at any moment, written by two at once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lossmon.cli import main
from lossmon.errors import ConfigError
from lossmon.nodes.journal import Journal
from lossmon.toml.edit import rewrite
from lossmon.ui.state import json_file
from tests.monitor.logs import falling
from tests.services.full_disk import full_disk
from tests.services.killed_writes import NEW, OLD


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run, in whose parent everything else is written."""
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    log = tmp_path / "run" / "trainer_log.jsonl"
    log.parent.mkdir()
    log.write_text("".join(falling(1, 40)))
    return log.parent


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("export RUN --format csv --out OUT", "File too large"),
        ("export RUN --format tensorboard --out OUT", "File too large"),
        ("report RUN --out OUT", "File too large"),
        ("watch RUN", "--state FILE puts it elsewhere"),
    ],
)
def test_a_full_disk_is_named_and_nothing_half_written_stays(
    run: Path, command: str, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = run.parent / "out"
    arguments = command.replace("RUN", str(run)).replace("OUT", str(out)).split()
    with full_disk():
        assert main(arguments) == 2
    assert wrong in capsys.readouterr().err
    assert not out.exists() or not [one for one in out.rglob("*") if one.is_file()]


def test_the_status_line_needs_no_room_on_the_disk(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with full_disk():
        assert main(["check", "--format", "tmux", str(run)]) == 0
    assert "healthy" in capsys.readouterr().out
    assert not [one for one in (run.parent / "XDG_CACHE_HOME").rglob("*") if one.is_file()]


@pytest.mark.parametrize(
    ("write", "error"),
    [
        (lambda file: json_file.write(file, "{}" * 999), json_file.JsonFileError),
        (lambda file: rewrite(file, lambda text: "a = 2\n"), ConfigError),
        (lambda file: Journal(file).append(b"{}\n"), OSError),
    ],
)
def test_what_was_there_stays_where_the_disk_is_full(
    write: Callable[[Path], None], error: type[Exception], tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("a = 1\n")
    with full_disk(), pytest.raises(error, match="File too large"):
        write(file)
    assert file.read_text() == "a = 1\n"
    assert [*tmp_path.iterdir()] == [file]


def test_a_kill_at_any_moment_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.services.killed_writes", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    expected = {
        "state.json": {OLD, NEW},
        "config.toml": {OLD, f'a = "{NEW}"'},
        "cache.json": {OLD, json.dumps({"line": NEW})},
        "node.jsonl": {OLD, f"{OLD}{NEW}\n"},
        "export.csv": {"", NEW},
        "alerts.sqlite": {"0 0", "1 1"},
    }
    for line in ended.stdout.splitlines():
        name, moments, found = json.loads(line)
        assert moments > 3, f"{name}: killed only so often"
        assert {*found} == expected.pop(name), name
    assert not expected
