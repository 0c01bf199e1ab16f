"""What tells a broken screen must tell it, and must be silent on a whole one."""

from __future__ import annotations

import pytest

from benchmarks.frames import faults

WHOLE = [
    "╭─ +1.5 ───╮ ok",
    "│▸ 训练-一 │",
    "│ 2┤⠒⠲⣀    │",
    "├─ more ───┤",
    "│  0   20  │",
    "╰─ esc back╯",
]


def changed(at: int, row: str) -> list[str]:
    return [*WHOLE[:at], row, *WHOLE[at + 1 :]]


def test_a_whole_screen_has_no_faults() -> None:
    assert faults(WHOLE, (16, 6)) == []


def test_a_screen_in_ascii_has_frames_too() -> None:
    text = ["+- +1 --++-----+", "|  2+-  ||     |", "+- b ---+|     |", "| x     || +-+ |",
            "+-------++-----+", "|^ BADGE |", "+- c ---+", "|       |", "+-------+"]  # fmt: skip
    assert faults(text, (16, 9)) == []


@pytest.mark.parametrize(
    "rows, told",
    [
        pytest.param(changed(0, "╭─ runs ────"), "no end", id="no right corner"),
        pytest.param(changed(1, "│▸ 训练-一一│"), "line 1", id="a side pushed along"),
        pytest.param(changed(2, "│ 2┤"), "line 2", id="a line cut short"),
        pytest.param(WHOLE[:5], "no lower edge", id="no lower edge"),
        pytest.param(changed(5, "╰─ esc back"), "no corner", id="no lower corner"),
        pytest.param(changed(4, "│  [38;5;2m│"), "holds", id="half an escape sequence"),
        pytest.param(
            changed(4, "│  \N{REPLACEMENT CHARACTER}       │"), "holds", id="no character"
        ),
        pytest.param(["Traceback (most recent call last):"], "Traceback", id="a crash"),
        pytest.param(["训练" * 5], "20 cells", id="a line too wide"),
        pytest.param([""] * 7, "7 lines", id="a line too many"),
    ],
)
def test_a_fault_is_told_with_its_place(rows: list[str], told: str) -> None:
    assert any(told in fault for fault in faults(rows, (16, 6)))
