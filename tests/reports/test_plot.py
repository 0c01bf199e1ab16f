"""Plots of curves as text."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len

from lossmon import cli
from lossmon.commands.plot import LEAST
from lossmon.reports.plot import PlotStyle, plot, plots
from lossmon.types import Series
from tests.ui import stage

STYLE = PlotStyle(60, 12)


def line(values: list[float], **changes: object) -> Series:
    made = stage.series(stage.TRAIN_LOSS, np.arange(len(values)) * 10, np.array(values))
    return replace(made, **changes)  # type: ignore[arg-type]


def falling(n: int = 50) -> list[float]:
    return [3 * math.exp(-i / 10) + 1 for i in range(n)]


def test_a_plot_has_its_size_its_labels_and_no_escape_sequence() -> None:
    text = plot("my run", [line(falling())], STYLE)
    rows = text.splitlines()
    assert len(rows) == 12
    assert max(map(len, rows)) <= 60
    assert "my run" in rows[0]
    assert "train loss" in text and "step" in rows[-1]
    assert "\x1b" not in text
    assert re.search(r"^\s*4┤", text, re.MULTILINE) and " 400" in rows[-2]


def test_a_plot_may_be_larger_than_a_terminal() -> None:
    rows = plot("my run", [line(falling())], PlotStyle(300, 60)).splitlines()
    assert len(rows) == 60 and max(map(len, rows)) > 290


def test_the_smallest_plot_has_its_legend_above_the_curves() -> None:
    rows = plot("run", [line(falling())] * 8, PlotStyle(*LEAST)).splitlines()
    assert len(rows) == LEAST[1] and max(map(len, rows)) <= LEAST[0]
    assert rows[1] == "  ⠤⠤ train loss  x train loss" and "loss" not in "".join(rows[3:])
    assert sum(row.endswith("│") for row in rows) == 3


def test_colours_are_those_of_the_style() -> None:
    text = plot(
        "run", [line(falling()), line(falling())], STYLE._replace(colors=((1, 2, 3), "red"))
    )
    assert "\x1b[38;2;1;2;3m" in text and "\x1b[38;5;1m" in text


def test_an_output_without_unicode_gets_ascii() -> None:
    plain = plot("run", [line(falling()), line(falling())], STYLE._replace(unicode=False))
    assert plain.isascii()
    coloured = plot("run", [line(falling())], STYLE._replace(unicode=False, colors=("red",)))
    assert coloured.isascii()


def test_values_that_cannot_be_drawn_are_counted() -> None:
    values = [*falling(10), math.nan, math.inf]
    assert "train loss (2 NaN/Inf)" in plot("r", [line(values, n_nonfinite=2)], STYLE)


@pytest.mark.parametrize("values", [[math.nan] * 3, [-1.0, 0.0]])
def test_a_series_without_a_value_to_draw_says_so(values: list[float]) -> None:
    assert plot("r", [line(values)], STYLE._replace(log_y=True)) == "r: no finite value to plot"


@pytest.mark.parametrize("values", [[1.0], [2.0] * 5, [1e-300, 1e300], [0.0, 1e-12], [-5.0, 5.0]])
@pytest.mark.parametrize("log_y", [False, True])
def test_any_values_can_be_drawn(values: list[float], log_y: bool) -> None:
    assert plot("r", [line(values)], STYLE._replace(log_y=log_y))


def test_a_long_series_keeps_its_peaks() -> None:
    values = np.ones(100_000)
    values[54_321] = 9.0
    text = plot("r", [line(values.tolist())], STYLE)
    assert re.search(r"8┤|9┤", text)


def test_text_from_outside_obeys_nobody() -> None:
    named = replace(stage.TRAIN_LOSS, label="lo\x1b[2Jss\n")
    text = plot("a\x1b[31m\nb", [replace(line(falling()), meaning=named)], STYLE)
    assert "\x1b" not in text and len(text.splitlines()) == 12


def test_a_run_is_drawn_by_its_losses_or_by_patterns() -> None:
    run = stage.overfitting()
    (text,) = plots(run, (), STYLE, "en")
    assert "OVERFITTING" in text and "train loss" in text and "eval loss" in text
    drawn = list(plots(run, ("*lr*", "learning_rate", "nothing"), STYLE, "en"))
    assert len(drawn) in (1, 2) and all("learning rate" in one for one in drawn)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    rows = (f'{{"step": {i}, "loss": {v}, "my/acc": {i / 50}}}' for i, v in enumerate(falling()))
    path = tmp_path / "metrics.jsonl"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_the_command_draws_without_colours_where_there_is_no_terminal(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["plot", str(log), "--size", "60x10", "--metric", "*ACC*"]) == 0
    out = capsys.readouterr().out
    assert "my acc" in out and "\x1b" not in out
    assert len(out.splitlines()) == 10


@pytest.mark.parametrize("without", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_the_colours_of_a_theme_are_used_on_a_terminal_that_has_them(
    log: Path,
    without: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLORTERM", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert cli.main(["plot", str(log), "--theme", "nord"]) == 0
    assert "\x1b[38;2;136;192;208m" in capsys.readouterr().out
    monkeypatch.setenv(*without)
    assert cli.main(["plot", str(log), "--theme", "nord"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_a_theme_of_terminal_colours_is_spelled_for_the_terminal(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    for theme in ("auto", "terminal", "monochrome"):
        assert cli.main(["plot", str(log), "--theme", theme]) == 0
    assert "\x1b[38;5;12m" in capsys.readouterr().out


def test_an_unknown_theme_is_named(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert cli.main(["plot", str(log), "--theme", "none"]) == 2
    assert "theme none: not found" in capsys.readouterr().err


@pytest.mark.parametrize("size", ["60", "60x", "5x5", "axb"])
def test_a_wrong_size_is_refused(log: Path, size: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["plot", str(log), "--size", size])
    assert "size" in capsys.readouterr().err


def test_check_draws_the_losses_below_the_verdict(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check", str(log), "--plot"]) == 0
    text = capsys.readouterr().out
    assert "┤" in text and "train loss" in text and text.startswith("metrics")


@pytest.mark.parametrize("option", ["--plot", "--points"])
def test_an_option_that_the_format_cannot_take_is_refused(
    log: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check", str(log), option, "--format", "github"]) == 2
    assert f"{option} needs --format" in capsys.readouterr().err


def test_legend_and_axis_speak_the_language_and_keep_the_frame_straight() -> None:
    text = plot("运行", [line(falling())], STYLE, "zh")
    english = plot("run", [line(falling())], STYLE)
    assert "训练损失" in text and "步" in text.splitlines()[-1]
    assert "train" not in text and "\0" not in text
    edges = [cell_len(row) for row in text.splitlines()[2:-2]]
    assert edges == [len(row) for row in english.splitlines()[2:-2]]
    assert "没有可绘制的有限值" in plot("运行", [], STYLE, "zh")
