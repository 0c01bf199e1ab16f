"""The document that the benchmarks write."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

import benchmarks.__main__
from benchmarks.__main__ import TABLES, Result, Table, document


def test_a_table_replaces_its_own_section_of_the_document() -> None:
    names, before = [table.name for table in TABLES], ""
    for name in names[1:]:
        before = document(before, name, "yesterday", f"{name} 1.0x\n")
    after = document(before, names[0], "today", "new 2.0x\n")
    after = document(after, names[-1], "today", "later\n")
    assert [line[3:] for line in after.splitlines() if line.startswith("## ")] == names
    assert f"{names[-1]} 1.0x" not in after and "today\n\n```text\nlater" in after
    kept = before.index(f"## {names[1]}"), before.index(f"## {names[-1]}")
    assert before[slice(*kept)] in after
    assert after.startswith(before[: kept[0]].rstrip())


def test_a_table_that_fails_costs_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(table: Table, arguments: object) -> Result:
        failure = "failed with status 1" if table is TABLES[0] else ""
        return Result(f"{table.name} anew\n", 3.0, failure)

    readme = tmp_path / "README.md"
    readme.write_text(document("", TABLES[0].name, "yesterday", "as it was\n"))
    monkeypatch.setattr(benchmarks.__main__, "README", readme)
    monkeypatch.setattr(benchmarks.__main__, "run", run)
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    with pytest.raises(SystemExit) as end:
        benchmarks.__main__.main()
    assert end.value.code
    text, printed = readme.read_text(), capsys.readouterr().out.splitlines()
    assert "as it was" in text and f"{TABLES[0].name} anew" not in text
    assert all(f"{table.name} anew" in text for table in TABLES[1:])
    assert printed[0].split() == [TABLES[0].name, "3", "s", "failed", "with", "status", "1"]
    assert printed[-1].split() == ["in", "all", str(3 * len(TABLES)), "s"]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_can_be_printed(table: Table) -> None:
    assert callable(import_module(f"benchmarks.{table.name}").main)
