"""Another package adds a format through an entry point, and a broken one costs only itself."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lossmon.cli import main
from lossmon.doctor import Level
from lossmon.doctor.setup import check_plugins
from lossmon.ending import ended_by_signals
from lossmon.monitor import Monitor
from lossmon.readers import plugins, registry
from lossmon.readers.plugins import Plugin
from lossmon.types import Snapshot

TOY = '''
"""Files of `step=value` pairs, one per line."""
import numpy as np
from lossmon.readers.format import DirectoryRules, Format, Rank
from lossmon.types import Batch, Points

class ToyReader:
    source = "toy"

    def __init__(self, path):
        self.path = path
        self._read = 0

    def read(self, deadline):
        rows = self.path.read_text().split("\\n")[:-1]
        new, first, self._read = rows[self._read:], self._read, len(rows)
        if not new:
            return Batch()
        steps, values = zip(*(row.split("=") for row in new))
        order = np.arange(first, first + len(new))
        points = Points("loss", np.array(steps, np.int64), np.full(len(new), np.nan),
                        np.array(values, np.float64), order)
        return Batch((points,))

FORMATS = (
    Format(
        source="toy",
        title="Toy pairs",
        names=("*.toy",),
        claims=lambda path, head: b"=" in head,
        open=ToyReader,
        rank=Rank.LIVE,
        directories=DirectoryRules(parts=frozenset({"toybox"})),
    ),
)
'''

BROKEN = {
    "cannot be imported": "raise RuntimeError('surprise')",
    "has no such name": "OTHER = 1",
    "is no format": "FORMATS = 7",
    "lists what is no format": "FORMATS = ('toy',)",
    "has no tuple of names": TOY.replace('names=("*.toy",)', 'names="*.toy"'),
    "has a bad pattern": TOY.replace("DirectoryRules(", 'DirectoryRules(run="(", '),
    "fails when it is asked": TOY.replace('b"=" in head', 'head["surprise"]'),
    "fails at a directory": TOY.replace(
        "DirectoryRules(", "DirectoryRules(part_of=lambda place: place.surprise, "
    ),
    "names a directory by a number": TOY.replace(
        "DirectoryRules(", "DirectoryRules(part_of=lambda place: 5, "
    ),
    "has no origin": TOY.replace("rank=", "origin=lambda path, head: None, rank="),
    "supersedes nothing": TOY.replace("rank=", "superseded=lambda paths: None, rank="),
    "exits when it is imported": "raise SystemExit(0)",
    "exits when it is asked": TOY.replace('b"=" in head', "exit(0)"),
    "raises what cannot be printed": "class Silent(Exception):\n"
    "    def __str__(self):\n        raise ValueError\nraise Silent",
}


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Let the plugins be looked for again, before and after."""
    forget()
    yield
    forget()


def forget() -> None:
    for one in vars(registry).values():
        if hasattr(one, "cache_clear"):
            one.cache_clear()


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Put a package with an entry point where installed packages are found."""
    info = folder / "toy_format-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "toy_format.py").write_text(code)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-format\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[lossmon.formats]\ntoy = toy_format:FORMATS\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "toy_format", raising=False)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    output = tmp_path / "output"
    for name, content in (
        ("a/toybox/x.toy", "1=2.0\n2=1.5\n"),
        ("b/train.csv", "step,loss\n1,2\n"),
    ):
        (output / name).parent.mkdir(parents=True)
        (output / name).write_text(content)
    return output


def losses(snapshot: Snapshot) -> dict[str, list[float]]:
    return {
        run.name: [float(value) for one in run.series for value in one.values]
        for run in snapshot.runs
    }


def test_a_format_of_another_package_is_read_live(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "site", monkeypatch, TOY)
    assert "Toy pairs" in registry.recognised()
    monitor = Monitor([runs])
    assert losses(monitor.drain()) == {"a": [2.0, 1.5], "b": [2.0]}
    with (runs / "a" / "toybox" / "x.toy").open("a") as file:
        file.write("3=1.25\n")
    monitor.rescan()
    snapshot = monitor.drain()
    assert losses(snapshot)["a"] == [2.0, 1.5, 1.25]
    assert snapshot.runs[0].sources == ("toy",)
    assert snapshot.notes == ()


@pytest.mark.parametrize("code", BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_a_note(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    install(tmp_path / "site", monkeypatch, code)
    with ended_by_signals():
        snapshot = Monitor([runs]).drain()
    assert losses(snapshot)["b"] == [2.0]
    (note,) = (note for note in snapshot.notes if "plugin" in note)
    assert note.startswith("format plugin toy: ") and "internal error: " in note
    assert note.endswith("it is not used")


PANIC = 'class Panic(BaseException): "As libraries in Rust raise."\nraise Panic("surprise")'


@pytest.mark.parametrize("ending", ["exit(0)", "raise KeyboardInterrupt", PANIC])
@pytest.mark.parametrize("place", ["self.path = path", "rows = self.path.read_text()"])
def test_a_reader_of_a_plugin_that_ends_the_program_costs_its_file(
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ending: str,
    place: str,
) -> None:
    ends = "".join(f"        {line}\n" for line in ["print('here')", *ending.split("\n")])
    install(
        tmp_path / "site", monkeypatch, TOY.replace(f"        {place}", ends + f"        {place}")
    )
    assert main(["check", "--json", str(runs)]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["run"] == "b"
    assert "x.toy: internal error: " in printed.err and "read no further" in printed.err
    assert "here" in printed.err


def test_the_caller_of_the_api_may_end_while_a_file_is_read(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "site", monkeypatch, TOY.replace("rows =", "exit(7); rows ="))
    with pytest.raises(SystemExit, match="7"):
        Monitor([runs]).drain()


def test_the_doctor_names_the_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Plugin("broken", lambda: 3)
    whole = Plugin("whole", lambda: registry.formats()[0])
    monkeypatch.setattr(registry, "plugins", lambda: (broken, whole))
    first, second = check_plugins()
    assert (first.level, second.level) == (Level.NOTE, Level.GOOD)
    assert "broken: " in first.text and second.text.startswith("whole: ")


def test_without_plugins_nothing_is_imported_to_find_them(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: pytest.fail("asked"))
    assert registry.plugin_notes() == ()


@pytest.mark.parametrize(
    "place, file", [("import numpy", ""), ('b"=" in head', "x.toy: "), ("rows =", "x.toy: ")]
)
def test_a_plugin_that_hangs_is_left(
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: str,
    file: str,
) -> None:
    waits = 'getattr(__import__("builtins"), "toy_end").wait()'
    separator = " or " if "head" in place else "; "
    ended = threading.Event()
    monkeypatch.setattr("builtins.toy_end", ended, raising=False)
    monkeypatch.setattr(plugins, "PATIENCE", 0.05)
    install(tmp_path / "site", monkeypatch, TOY.replace(place, f"{waits}{separator}{place}"))
    try:
        snapshot = Monitor([runs]).drain()
        print("still here")
    finally:
        ended.set()
    assert losses(snapshot)["b"] == [2.0]
    (note,) = registry.plugin_notes()
    assert note.startswith("format plugin toy: ")
    assert note.endswith(f"{file}no answer within 0 s; it is not used")
    assert capsys.readouterr().out == "still here\n"
    if place == "rows =":
        assert "toy: no answer within 0 s; the file is read no further" in str(snapshot.runs)
