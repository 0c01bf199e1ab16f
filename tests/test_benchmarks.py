"""The document that the benchmarks write."""

from __future__ import annotations

from importlib import import_module

import pytest

from benchmarks.__main__ import TABLES, Table, document


def test_a_table_run_by_itself_replaces_its_own_section_of_the_document() -> None:
    names = [table.name for table in TABLES]
    whole = document("", [(name, f"{name} 1.0x\n") for name in names[1:]], 0.5, is_whole=True)
    assert "load 0.5" in whole
    after = document(whole, [(names[0], "new 2.0x\n"), (names[-1], "later\n")], 7.0, is_whole=False)
    assert [line[3:] for line in after.splitlines() if line.startswith("## ")] == names
    assert f"{names[-1]} 1.0x" not in after and "load 7.0 at the start.\n\n```text\nlater" in after
    kept = whole.index(f"## {names[1]}"), whole.index(f"## {names[-1]}")
    assert whole[slice(*kept)] in after
    assert after.startswith(whole[: kept[0]].rstrip())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_can_be_printed(table: Table) -> None:
    assert callable(import_module(f"benchmarks.{table.name}").main)
