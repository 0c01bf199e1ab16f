"""Panels: lines from values, and only the changed cells repainted."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.binding import Binding

from lossmon.types import (
    Axis,
    Confidence,
    Finding,
    GpuDetails,
    GpuPartition,
    GpuReading,
    HardwareReading,
    Kind,
    Meaning,
    PcieLink,
    RunSnapshot,
    RunState,
    Series,
    Severity,
    Snapshot,
    VerdictChange,
)
from lossmon.ui.chart.model import ChartSettings
from lossmon.ui.dashboard.header import (
    header_line,
    header_parts,
    hidden_panes,
    progress_parts,
)
from lossmon.ui.dashboard.main_panes import pane_plans
from lossmon.ui.dashboard.notices import Pace, notice, shortened
from lossmon.ui.dashboard.verdicts import turn_line
from lossmon.ui.metrics.entries import entry_of
from lossmon.ui.metrics.table import entries_in, others, rows, spans_of, table
from lossmon.ui.run_selection import liveliest
from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import Line, bar, plain, width
from lossmon.ui.widgets.configuration import Configuration
from lossmon.ui.widgets.gpus import block, gpu_lines, rest_line, short_name
from lossmon.ui.widgets.hardware import Hardware, blocks, host_column
from lossmon.ui.widgets.header import Header, Progress, Pulse
from lossmon.ui.widgets.keys import Keys
from lossmon.ui.widgets.log import log_line
from lossmon.ui.widgets.metrics import Metrics
from lossmon.ui.widgets.panel import changed_spans
from lossmon.ui.widgets.verdicts import Badge, Verdicts
from lossmon.ui.widgets.waiting import Waiting
from tests.ui import stage

HOSTILE = "a\x1b[31m\tb\r\n[/x][red]‮\u200bc"


def scene(snapshot: Snapshot, **changes: object) -> Scene:
    return replace(Scene(snapshot=snapshot, now=stage.NOW), **changes)  # type: ignore[arg-type]


def one(run: RunSnapshot, **changes: object) -> Scene:
    return scene(stage.snapshot(run), **changes)


def header(run: RunSnapshot, room: int = 120) -> str:
    panel = Header()
    panel.scene = one(run)
    return plain(panel.compose_lines(room, 1)[0])


# ---------------------------------------------------------------------------- repainting


def test_equal_lines_have_no_changes() -> None:
    line: Line = (("train 0.612", "train"),)
    assert changed_spans(line, line) == []


def test_only_the_cells_that_differ_change() -> None:
    old: Line = (("step 1,240", "muted"), (" " * 30, "muted"), ("1 s ago", "muted"))
    new: Line = (("step 1,241", "muted"), (" " * 30, "muted"), ("2 s ago", "muted"))
    assert changed_spans(old, new) == [(9, 10), (40, 41)]


def test_near_changes_are_joined_where_one_colour_stands_between() -> None:
    old, new = (("a----b", "muted"),), (("c----d", "muted"),)
    assert changed_spans(old, new) == [(0, 6)]
    between = ("----", "train")
    old, new = (("a", "muted"), between, ("b", "muted")), (("c", "muted"), between, ("d", "muted"))
    assert changed_spans(old, new) == [(0, 1), (5, 6)]


def test_a_changed_colour_is_a_change() -> None:
    assert changed_spans((("nan", "train"),), (("nan", "critical"),)) == [(0, 3)]


def test_half_a_wide_character_is_never_repainted() -> None:
    assert changed_spans((("ab", "muted"),), (("中", "muted"),)) == [(0, 2)]
    assert changed_spans((("a中b", "muted"),), (("abcb", "muted"),)) == [(1, 3)]


@given(st.text("ab中 ", max_size=20), st.text("ab中 ", max_size=20))
def test_painting_the_changes_over_the_old_gives_the_new(old: str, new: str) -> None:
    def cells(text: str) -> list[str]:
        out: list[str] = []
        for char in text:
            out += [char] + [""] * (cell_len(char) - 1)
        return out + [" "] * (60 - len(out))

    shown, wanted = cells(old), cells(new)
    for start, end in changed_spans(((old, "muted"),), ((new, "muted"),)):
        shown[start:end] = wanted[start:end]
    if shown != wanted:
        # Trailing blanks of another colour are the only difference there may be.
        assert "".join(shown).rstrip() == "".join(wanted).rstrip()


# ------------------------------------------------------------------------------- header


def test_the_header_says_how_the_run_goes() -> None:
    shown = header(stage.healthy())
    for part in ("sft-qwen-7b", "● running", "1,240 / 3,000", "41%", "epoch 1.24/3", "2.1 it/s"):
        assert part in shown
    assert "ETA 14m" in shown
    assert "1 s ago" in shown
    assert "tensorboard + hf_trainer" in shown


def test_the_header_counts_time_in_chinese_words() -> None:
    scene = Scene(now=stage.NOW, language="zh")
    assert scene.ago(2580) == "43 分钟前"


def test_a_finished_run_has_neither_age_nor_remaining_time() -> None:
    shown = header(replace(stage.healthy(), state=RunState.FINISHED))
    assert "✓ finished" in shown
    assert "ago" not in shown
    assert "ETA" not in shown


@pytest.mark.parametrize(
    "age, words",
    [(0.4, "0 s ago"), (9.9, "9 s ago"), (14, "10 s ago"), (119, "1 m ago"), (7300, "2 h ago")],
)
def test_the_age_gets_coarser_the_longer_ago(age: float, words: str) -> None:
    assert words in header(replace(stage.healthy(), last_time=stage.NOW - age))


def test_a_hostile_name_is_plain_text_in_the_header() -> None:
    assert "a�[31m b��[/x][red]" in header(replace(stage.healthy(), name=HOSTILE))


def test_no_field_of_the_header_moves_when_a_number_changes() -> None:
    run = stage.healthy()
    later = replace(
        run, step=980, epoch=1.3, steps_per_second=12.0, remaining=7800.0, last_time=stage.NOW - 40
    )
    places = []
    for state in (run, later):
        header = Header()
        header.scene = one(state)
        line = plain(header.compose_lines(140, 1)[0])
        places.append([line.index(word) for word in ("/ 3,000", "epoch", "ETA", "tensorboard")])
    assert places[0] == places[1]


def test_the_narrow_screen_has_name_progress_and_state() -> None:
    progress, pulse = Progress(), Pulse()
    progress.scene = pulse.scene = one(stage.healthy())
    assert plain(progress.compose_lines(40, 1)[0]) == " sft-qwen-7b  1,240/3,000 41%  ETA 14m"
    assert plain(pulse.compose_lines(40, 1)[0]) == " ● running   last step 1 s ago   ? q d"


# -------------------------------------------------------------------------------- badge


def badge(run: RunSnapshot, room: int = 120) -> Line:
    panel = Badge()
    panel.scene = one(run)
    return panel.compose_lines(room, 1)[0]


def test_a_verdict_that_is_not_sure_says_so_where_there_is_room() -> None:
    run = stage.overfitting()
    assert "confidence" not in plain(badge(run))
    verdict = replace(run.diagnosis.verdict, confidence=Confidence.LOW)
    run = replace(run, diagnosis=replace(run.diagnosis, verdict=verdict))
    assert "low confidence" in plain(badge(run))
    assert "confidence" not in plain(badge(run, 80))


def test_a_warning_is_a_filled_block_with_its_step_and_evidence() -> None:
    line = badge(stage.overfitting())
    assert ("▲ OVERFITTING ", "badge-warning") in line
    assert "since step 910" in plain(line)
    assert "18%" in plain(line)


def test_ok_is_a_quiet_word() -> None:
    line = badge(stage.healthy())
    assert ("HEALTHY", "ok!") in line
    assert not any(role.startswith("badge-") for _, role in line)


def test_the_badge_fits_twenty_columns() -> None:
    assert width(badge(stage.overfitting(), 20)) <= 20


# ------------------------------------------------------------------------------ metrics


def metrics(run: RunSnapshot, room: int, height: int = 9) -> list[str]:
    panel = Metrics()
    panel.scene, panel.entries = one(run), [entry_of(series) for series in others(run)]
    panel._spans = spans_of(run)
    return [plain(line) for line in panel.compose_lines(room, height)]


def test_every_scalar_but_the_headline_losses_has_a_row() -> None:
    rows = metrics(stage.healthy(), 60)
    assert [row.split()[0] for row in rows] == ["learning", "eval", "grad", "tokens/s"]
    assert all(cell_len(row) == 60 for row in rows)
    assert rows[0].rstrip().endswith("4.0e-5")


def test_wide_rows_hold_two_metrics() -> None:
    rows = metrics(stage.healthy(), 130, 2)
    assert len(rows) == 2
    assert "learning rate" in rows[0]
    assert "grad norm" in rows[0]


def test_a_metric_that_is_no_number_is_marked() -> None:
    broken = stage.series(
        Meaning("grad_norm", "grad norm", kind=Kind.GRAD_NORM),
        np.arange(1, 5),
        np.array([1.0, math.inf, 2.0, math.nan]),
    )
    run = replace(stage.without_eval(), series=(stage.healthy().series[0], broken))
    row = metrics(run, 60)[0]
    assert "×" in row
    assert row.rstrip().endswith("nan")


def test_the_rows_of_a_live_run_share_their_steps_and_change_at_their_ends_alone() -> None:
    run = stage.run(stage.HEALTHY, evaluated=np.ones(20))
    before = metrics(run, 80)
    grown = replace(run, series=tuple(longer(series) for series in run.series))
    assert [row[:60] for row in metrics(grown, 80)] == [row[:60] for row in before]
    span, until = spans_of(run)[Axis.STEP]
    assert span.low <= 1 and span.high >= until == run.step


def longer(series: Series) -> Series:
    steps = np.append(series.steps, series.steps[-1] + 1)
    return stage.series(series.meaning, steps, np.append(series.values, series.values[-1]))


def test_the_gap_between_the_losses_has_a_row_among_the_metrics() -> None:
    labels = [series.meaning.label for series in rows(stage.overfitting())]
    assert labels == ["learning rate", "eval accuracy", "grad norm", "gap", "tokens/s"]
    assert "gap" not in [series.meaning.label for series in rows(stage.without_eval())]


# ----------------------------------------------------------------------------- hardware


def hardware(snapshot: Snapshot, room: int, height: int) -> list[str]:
    panel = Hardware()
    panel.scene = scene(snapshot)
    return [plain(line).rstrip() for line in panel.compose_lines(room, height)]


def test_a_gpu_line_has_everything_where_there_is_room() -> None:
    [line] = gpu_lines(Scene(), [stage.gpu(0)], 90)
    for part in ("GPU0", "H100", "87%", "VRAM", "61/80G", "410/700W", "66°C", "ours 60.0G"):
        assert part in plain(line)


def test_gpu_columns_align_although_one_is_throttled() -> None:
    lines = gpu_lines(Scene(), stage.TWO_GPUS.gpus, 80)
    places = [plain(line).index("%") for line in lines]
    assert places[0] == places[1]
    assert "⚠ SW thermal" in plain(lines[1])


def test_a_field_that_the_driver_does_not_know_is_simply_not_there() -> None:
    [line] = gpu_lines(Scene(), [GpuReading(0, "Tesla K80")], 90)
    assert plain(line).split() == ["GPU0", "K80"]


def test_a_lost_gpu_says_so() -> None:
    [line] = gpu_lines(Scene(), [stage.gpu(3, lost=True)], 40)
    assert plain(line).split() == ["GPU3", "⚠", "lost"]


def test_gpus_without_a_line_share_the_last() -> None:
    rows = hardware(scene_of("eight-gpus"), 80, 3)
    assert len(rows) == 3
    assert rows[2].startswith(" GPU2")
    assert "GPU5-7" in rows[2]
    assert "⚠ 2" in rows[2]


def test_no_gpu_is_one_calm_line() -> None:
    rows = hardware(scene_of("no-gpu"), 80, 3)
    assert rows[0] == " no NVIDIA driver on this machine"
    assert rows[1].startswith(" CPU 34%")
    [row, *_] = hardware(scene_of("no-gpu"), 40, 2)
    assert row.split()[:2] == ["CPU", "34%"]


def test_the_processor_is_not_told_while_no_run_is_at_work() -> None:
    run = replace(stage.healthy(), state=RunState.FINISHED)
    rows = hardware(stage.snapshot(run, hardware=stage.NO_GPU), 80, 3)
    assert "CPU" not in rows[1]
    assert "RAM" in rows[1]


def test_the_rest_of_the_gpus_of_unknown_load_has_a_line_too() -> None:
    line = rest_line([GpuReading(1, "?"), GpuReading(2, "?")], 40)
    assert plain(line).strip() == "GPU1-2"


@pytest.mark.parametrize(
    "share, text", [(0, "░░░░"), (0.5, "██░░"), (0.53, "██▏░"), (1, "████"), (7, "████")]
)
def test_a_bar_is_filled_to_eighths(share: float, text: str) -> None:
    assert plain(bar(share, 4)) == text


@pytest.mark.parametrize(
    "name, short",
    [
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("Tesla V100-SXM2-16GB", "V100"),
        ("NVIDIA A100-SXM4-80GB", "A100"),
        ("", ""),
    ],
)
def test_a_gpu_has_a_short_name(name: str, short: str) -> None:
    assert short_name(name) == short


def scene_of(name: str) -> Snapshot:
    return stage.SCENES[name]()


# --------------------------------------------------------------- log, verdicts, notices


@pytest.mark.parametrize(
    "text, role",
    [
        ("Traceback (most recent call last):", "critical"),
        ("RuntimeError: boom", "critical"),
        ("torch.OutOfMemoryError: CUDA out of memory", "critical"),
        ("{'error_rate': 0.1}", "muted"),
        ("UserWarning: slow", "warning"),
        ("step 3 loss 0.5", "muted"),
    ],
)
def test_trouble_in_a_log_stands_out(text: str, role: str) -> None:
    assert log_line(text, 80)[1][1] == role


def test_a_log_line_is_never_markup() -> None:
    assert plain(log_line("step [100/1000] [red] [/x] [@click=app.quit]", 80)) == (
        " step [100/1000] [red] [/x] [@click=app.quit]"
    )


def test_the_history_ends_with_the_verdict_and_the_next_step() -> None:
    panel = Verdicts()
    panel.scene = one(stage.overfitting())
    rows = [plain(line) for line in panel.compose_lines(40, 12)]
    assert rows[2].split() == ["step", "910", "▲", "OVERFITTING"]
    assert any(row.startswith(" next: ") for row in rows)


def test_the_next_step_begins_with_what_a_stop_saves() -> None:
    panel = Verdicts()
    run = stage.overfitting()
    panel.scene = one(replace(run, series=run.series[:2]))
    text = " ".join(plain(line).strip() for line in panel.compose_lines(40, 12))
    assert "next: Stop now: this saves 1,760 steps (13 m). No checkpoint up to" in text


def test_a_high_panel_of_verdicts_goes_on_with_whole_paragraphs() -> None:
    panel = Verdicts()
    panel.scene = one(stage.overfitting())
    texts = [
        "\n".join(plain(line).rstrip() for line in panel.compose_lines(40, height))
        for height in range(8, 50)
    ]
    # Each is cut nowhere: what stands in one panel stands in the higher ones, whole.
    assert all(len(text.splitlines()) <= height for height, text in enumerate(texts, 8))
    assert " • " in texts[-1] and "meaning: The model" in texts[-1]
    assert texts[-1].endswith("or below.")


def test_where_room_is_short_the_newest_verdicts_stay() -> None:
    panel = Verdicts()
    panel.scene = one(stage.overfitting())
    rows = [plain(line) for line in panel.compose_lines(40, 1)]
    assert rows == [" step   910  ▲ OVERFITTING"]


def test_a_long_verdict_is_whole_where_the_word_before_its_step_is_not() -> None:
    turn = VerdictChange(450, "lr_too_high", Severity.NOTICE)
    whole, narrow = (plain(turn_line(turn, Scene(), room)) for room in (40, 24))
    assert whole == " step   450  ◆ LR TOO HIGH"
    assert narrow == "   450  ◆ LR TOO HIGH"


@pytest.mark.parametrize(
    ("language", "step", "sentence"),
    [
        ("en", "epoch 12", "eval 0.5 rose since epoch 1,200 (3 steps)"),
        ("zh", "第 12 轮", "eval 0.5 rose since step 1,200 (3 steps)"),
    ],
)
def test_a_run_that_counts_epochs_speaks_of_epochs(language: str, step: str, sentence: str) -> None:
    run = stage.healthy()
    lead = replace(run.series[0], axis=Axis.EPOCH)
    counted = one(replace(run, series=(lead, *run.series[1:]), epoch=12.0, step=12))
    counted = replace(counted, language=language)
    assert plain(counted.step("12")) == step
    assert counted.sentence("eval 0.5 rose since step 1,200 (3 steps)") == sentence
    head = plain(header_line(header_parts(counted, 120), 120))
    assert head.count(step.strip("第 12")) == (2 if language == "en" else 1) and "it/s" not in head


def test_the_most_urgent_notice_is_shown() -> None:
    broken = replace(stage.healthy(), errors=("a.csv: line 3: no number", "b.csv: gone"))
    assert plain(notice(one(broken))) == "⚠ a.csv: line 3: no number  (+1)"
    assert "reading" in plain(notice(one(replace(broken, loaded=0.42))))
    assert "42%" in plain(notice(one(replace(broken, loaded=0.42))))
    assert "paused" in plain(notice(one(broken, paused=True)))
    assert notice(one(stage.healthy())) == ()


def test_a_log_whose_lines_hold_no_metric_points_to_explain() -> None:
    silent = replace(stage.healthy(), series=(), log=("loading",) * 20)
    assert plain(notice(one(silent))).startswith("no metrics yet; `lossmon explain /")
    assert notice(one(replace(silent, log=("loading",) * 19))) == ()


def test_a_notice_that_is_too_long_keeps_its_reason() -> None:
    error = "/scratch/me/runs/a.jsonl: cannot be read"
    line = notice(one(replace(stage.healthy(), errors=(error,))))
    assert plain(shortened(line, 36)) == "⚠ /scratch/me….jsonl: cannot be read"
    assert width(shortened(line, 36)) <= 36
    assert shortened(line, 80) == line
    sentence: Line = (("demo: OVERFITTING shows within 15 s: a large model", "muted"),)
    assert plain(shortened(sentence, 36)) == "demo: OVERFITTING shows within 15 s…"


def test_the_rate_of_reading_and_what_is_left_of_it_are_told() -> None:
    pace, run = Pace(), replace(stage.healthy(), size=2 << 30)
    for seconds, loaded in ((0.0, 0.1), (1.0, 0.2), (2.0, 0.3)):
        pace.update(replace(one(replace(run, loaded=loaded)), now=seconds))
    text = plain(notice(one(replace(run, loaded=0.3)), pace))
    # A tenth of 2 GiB a second, and seven tenths to go.
    assert "30%  205MB/s  7s  space pauses" in text


def test_a_reading_that_was_interrupted_is_measured_anew() -> None:
    pace, run = Pace(), replace(stage.healthy(), size=100)
    half = one(replace(run, loaded=0.5))
    pace.update(replace(half, now=0.0))
    pace.update(replace(half, now=10.0, paused=True))
    pace.update(replace(half, now=20.0))
    pace.update(replace(one(replace(run, loaded=0.6)), now=21.0))
    assert pace.remaining == pytest.approx(4.0)
    assert "paused 50%" in plain(notice(replace(half, paused=True)))


# ----------------------------------------------------------------- losses, runs, terminal


def charted(scene: Scene) -> dict[str, tuple[int, ...]]:
    return {name: plan.shown for name, plan in pane_plans(scene).items()}


def test_a_loss_that_the_user_closed_is_not_drawn_but_never_all() -> None:
    run = stage.healthy()
    assert charted(one(run)) == {"train": (0,), "eval": (1,)}
    closed = ChartSettings(hidden=frozenset({"train"}))
    assert charted(one(run, chart_settings=closed)) == {"eval": (1,)}
    both = ChartSettings(hidden=frozenset({"train", "eval"}))
    assert charted(one(run, chart_settings=both)) == {"train": (0,), "eval": (1,)}


def test_a_run_without_losses_shows_its_first_scalar() -> None:
    run = stage.healthy()
    bare = replace(run, series=run.series[2:], train=None, eval=None)
    assert charted(one(bare)) == {"train": (0,)}
    assert bare.series[0].meaning.key == "learning_rate"


def test_the_first_run_in_view_has_losses_and_is_at_work() -> None:
    finished = replace(stage.healthy(), state=RunState.FINISHED, last_time=stage.NOW + 9)
    bare = replace(stage.healthy(), train=None, eval=None)
    assert liveliest(stage.snapshot(finished, bare, stage.overfitting())) == 2
    assert liveliest(stage.snapshot(stage.healthy(), stage.healthy())) == 0
    assert liveliest(Snapshot()) == 0


def test_a_finding_has_a_glyph_and_a_role_for_every_severity() -> None:
    from lossmon.ui.dashboard.verdicts import GLYPHS as BADGES
    from lossmon.ui.dashboard.verdicts import ROLES

    assert set(BADGES) == set(ROLES) == set(Severity)
    assert isinstance(stage.WARMING, Finding)


# ---------------------------------------------------------------------------- waiting


def test_files_without_a_run_are_named_while_waiting() -> None:
    panel = Waiting()
    panel.scene = scene(Snapshot(waiting_for="src", seen_files=2, unread_files=("a.py",)))
    text = "\n".join(map(plain, panel.compose_lines(60, 20)))
    assert "2 files here, none with metrics: a.py, …" in text
    assert "lossmon explain src" in text


def test_a_path_that_is_waited_for_is_named_once() -> None:
    notes = ("/runs/a: does not exist yet", "waiting for /runs/a")
    waiting = scene(Snapshot(waiting_for="/runs/a", notes=notes))
    panel = Waiting()
    panel.scene = waiting
    text = "\n".join([plain(notice(waiting)), *map(plain, panel.compose_lines(60, 20))])
    assert text.count("/runs/a") == 1 and "does not exist yet" in text


# ---------------------------------------------------------------------------- footer


def test_a_cue_stands_before_all_keys_and_goes_again() -> None:
    keys = Keys([Binding("q", "quit", "quit", id="a"), Binding("9", "all", "all", id="b")])
    keys.cue("b", "2 hidden panes")
    assert plain(keys.compose_lines(40, 1)[0]).strip() == "9 2 hidden panes  q quit"
    keys.cue("b", "")
    assert plain(keys.compose_lines(40, 1)[0]).strip() == "q quit  9 all"


def test_a_long_setting_begins_further_left_before_it_is_cut() -> None:
    panel = Configuration()
    settings = {"learning_rate": "0.1", "lr_scheduler_type": "constant_with_warmup"}
    panel.show(one(replace(stage.healthy(), settings=settings)))
    rows = [[plain(line) for line in panel.compose_lines(room, 2)] for room in (34, 24)]
    assert rows[0] == [" learning rate  0.1", " schedule     constant_with_warmup"]
    assert rows[1][1] == " schedule constant_with…"


def test_the_only_chart_of_a_run_is_not_counted_as_hidden() -> None:
    hidden = ChartSettings(hidden=frozenset({"train", "log"}))
    both = one(stage.healthy(), chart_settings=hidden)
    alone = one(stage.without_eval(), chart_settings=hidden)
    assert [hidden_panes(shown) for shown in (both, alone)] == ["2 hidden panes", "1 hidden pane"]


def test_hardware_that_nobody_read_has_no_box() -> None:
    panel = Hardware()
    panel.show(Scene())
    assert panel.has_class("-empty")
    panel.show(Scene(stage.snapshot(stage.healthy(), hardware=stage.TWO_GPUS)))
    assert not panel.has_class("-empty")


def test_a_note_about_the_hardware_is_whole_in_a_column() -> None:
    note = "NVIDIA driver and library versions differ: GPUs return after a reload"
    scene = Scene(stage.snapshot(stage.healthy(), hardware=HardwareReading((), note)))
    shown = [plain(line) for line in blocks(scene, 34)]
    assert " ".join(line.strip() for line in shown) == note
    assert all(width(line) <= 34 for line in blocks(scene, 34))


def test_a_gpu_without_a_name_is_called_by_its_number_once() -> None:
    gpu = replace(stage.TWO_GPUS.gpus[0], name="GPU 0")
    assert plain(block(Scene(), gpu, 34)[0]).strip() == "GPU0"
    assert "GPU0   GPU" not in plain(gpu_lines(Scene(), [gpu], 100)[0])
    assert short_name("GPU 12") == ""


def test_a_gpu_has_its_links_partitions_and_faults_in_a_column() -> None:
    details = GpuDetails(
        sm_clock_max=1.98e9,
        pcie=PcieLink(4, 16, 5, 16),
        ecc_uncorrected=2,
        remap_pending=True,
        nvlinks=17,
        nvlinks_total=18,
        nvlink_sent=12.34e9,
        nvlink_received=9.8e9,
        pcie_sent=1.2e9,
        pcie_received=4.5e9,
        fan=45.0,
        encoder=3.0,
        xids=(13, 79),
        partitions=(GpuPartition(0, "MIG 1g.10gb", 3 << 30, 10 << 30),),
    )
    gpu = replace(stage.gpu(0), details=details)
    shown = [plain(line) for line in block(Scene(), gpu, 46)]
    whole = "\n".join(shown)
    for part in ("/1,980 MHz", "PCIe 4x16", "NVLink 17/18", "MIG 1g.10gb  3.0/10.0G", "this run"):
        assert part in whole
    assert any("Xid 79" in line and "ECC 2" in line and "remap pending" in line for line in shown)
    wide = "\n".join(plain(line) for line in block(Scene(), gpu, 110))
    for part in (
        "PCIe 4x16   ↑1.2GB/s ↓4.5GB/s",
        "NVLink 17/18   ↑12GB/s ↓9.8GB/s",
        "fan 45%",
        "enc 3% dec 0%",
    ):
        assert part in wide
    short = "\n".join(plain(line) for line in block(Scene(), gpu, 46, whole=False))
    # Faults are told however little room there is.
    assert "Xid 79" in short and "PCIe" not in short and "this run" not in short
    assert all(width(line) <= 34 for line in block(Scene(), gpu, 34))


def test_the_narrow_screen_names_its_keys_and_hidden_panes_before_the_reason() -> None:
    run = replace(stage.healthy(), state_reason="according to what the log says at its very end")
    settings = ChartSettings(hidden=frozenset({"log", "hardware"}))
    pulse = Pulse()
    pulse.scene = Scene(stage.snapshot(run), chart_settings=settings, now=stage.NOW)
    shown = plain(pulse.compose_lines(40, 1)[0])
    assert "9 2 hidden panes" in shown and "? q d" in shown and "log says" not in shown


def test_the_badge_of_a_narrow_screen_is_whole() -> None:
    assert "eval +18% since 800" in plain(badge(stage.overfitting(), 40))
    assert "…" not in plain(badge(stage.overfitting(), 40))


def test_a_gpu_is_described_in_the_language_of_the_user() -> None:
    scene = replace(one(stage.healthy()), language="zh")
    shown = "".join(plain(line) for line in block(scene, stage.gpu(0), 34))
    assert "负载" in shown and "显存" in shown and "VRAM" not in shown and "util" not in shown


def test_the_narrow_screen_spells_its_keys_where_there_is_room() -> None:
    over = replace(stage.healthy(), state=RunState.FINISHED, state_reason="according to the log")
    pulse = Pulse()
    pulse.scene = one(over)
    assert plain(pulse.compose_lines(40, 1)[0]) == " ✓ finished   ? help   q quit"


def test_a_host_without_a_name_has_no_line_for_it() -> None:
    scene = one(stage.healthy())
    for name, words in (("train-07", ["train-07"]), ("", [])):
        lines = host_column(scene, replace(stage.HOST, name=name), 34)
        assert [plain(line).split()[1] for line in lines if "node" in plain(line)] == words


def test_the_name_of_a_run_has_the_room_that_is_left_on_a_narrow_screen() -> None:
    run = replace(stage.healthy(), name="pretraining-with-long-name", state=RunState.FINISHED)
    line = progress_parts(Scene(stage.snapshot(replace(run, total_steps=None))), 44)[0][1]
    assert plain(line) == "pretraining-with-long-name"
    several = Scene(stage.snapshot(replace(stage.healthy(), name="n" * 40), run), position=(1, 2))
    shown = plain(header_line(progress_parts(several, 44), 44))
    assert "1/2" in shown and "ETA" in shown


@pytest.mark.parametrize("total", [None, 3_000, 120_000])
@pytest.mark.parametrize("room", [80, 120])
def test_no_digit_moves_the_fields_of_a_live_header(total: int | None, room: int) -> None:
    def fields(step: int, epoch: float) -> tuple[int, ...]:
        run = replace(stage.healthy(), step=step, epoch=epoch, total_steps=total, total_epochs=None)
        line = header(replace(run, name="a", sources=("jsonl",)), room)
        return tuple(line.find(word) for word in ("running", "epoch", "it/s", "ETA", "ago"))

    assert len({fields(*at) for at in ((9, 0.01), (980, 1.2), (1_240, 9.98), (2_990, 10.0))}) == 1
    if total is None or total > 3_000:
        assert fields(12_000, 12.5) == fields(98_700, 99.01) == fields(9, 0.01)


def test_the_name_of_a_run_has_what_the_fields_of_the_header_leave() -> None:
    run = replace(stage.healthy(), name="n" * 60)
    over = replace(run, state=RunState.FINISHED, total_steps=None, epoch=None)
    assert "n" * 60 in header(over, 140)
    assert "n" * 60 not in header(run, 120) and "ETA" in header(run, 120)


def test_a_finished_run_that_counts_from_0_has_done_all_its_steps() -> None:
    run = replace(stage.healthy(), step=2999, total_steps=3000)
    assert "2,999 / 3,000 99%" in header(run, 120)
    assert "3,000 / 3,000 100%" in header(replace(run, state=RunState.FINISHED), 120)


def test_names_are_short_where_they_would_take_the_room_of_the_curves() -> None:
    steps, values = np.arange(9), np.arange(9.0)
    rate = stage.series(Meaning("lr", "learning rate"), steps, values)
    long = stage.series(Meaning("train/m", "train reward of the chosen answers"), steps, values)
    assert "learning rate" in plain(table([rate], 39, False)[0])
    assert " lr " in plain(table([rate], 28, False)[0])
    assert "learning rate" in plain(table([rate, long], 49, False)[0])


def test_names_in_two_columns_differ() -> None:
    steps, values = np.arange(9), np.arange(9.0)
    made = [
        stage.series(Meaning(f"{split}/m", f"{split} reward of the chosen answers"), steps, values)
        for split in ("train", "eval")
    ]
    left, right = (table(made[at : at + 1], 34, False, beside=made[1 - at :][:1]) for at in (0, 1))
    shown = [plain(line[1:2]).strip() for line in (left[0], right[0])]
    assert shown[0] != shown[1]


def test_where_the_reward_leads_the_loss_is_listed_in_its_place() -> None:
    steps, values = np.arange(9), np.arange(9.0)
    reward = stage.series(Meaning("train/reward", "train reward"), steps, values)
    run = stage.healthy()
    led = replace(
        run,
        series=(*run.series, reward),
        diagnosis=replace(run.diagnosis, missing=("reward_loss",)),
    )
    plain_run = replace(led, diagnosis=run.diagnosis)
    usual, leading = (
        [one.lead.meaning.key for one in entries_in(one, (), "")] for one in (plain_run, led)
    )
    assert "train/reward" in usual and not {"train/loss", "eval/loss"} & set(usual)
    assert set(leading[:2]) == {"train/loss", "eval/loss"}
    assert "train/reward" not in leading
