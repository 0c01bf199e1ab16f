"""The outputs view: every key, the marks, and texts that mean no good."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.events import MouseScrollDown, MouseScrollUp, Paste
from textual.pilot import Pilot

from lossmon.types import TextSample
from lossmon.ui.app import LossmonApp
from lossmon.ui.follower import SnapshotReady
from lossmon.ui.outputs import EXAMPLE
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.screens.outputs import OutputsScreen
from lossmon.ui.terminal import Terminal
from lossmon.ui.text.lines import plain, width
from lossmon.ui.widgets.answers import Answer, Answers, Pair, PromptRow
from tests.ui import stage
from tests.ui.screen import rows


def app_of(
    *samples: TextSample, home: Path | None = None, terminal: Terminal | None = None
) -> LossmonApp:
    run = replace(stage.overfitting(), samples=samples) if samples else stage.answered()
    config = ScreenConfig(state=home)
    return stage.app(stage.snapshot(run), config=config, terminal=terminal)


def view(app: LossmonApp) -> OutputsScreen:
    assert isinstance(app.screen, OutputsScreen)
    return app.screen


def text(app: LossmonApp) -> str:
    return "\n".join(rows(app))


async def press(pilot: Pilot[None], *keys: str) -> str:
    await pilot.press(*keys)
    await pilot.pause()
    assert isinstance(pilot.app, LossmonApp)
    return text(pilot.app)


async def test_the_newest_step_stands_beside_the_one_before() -> None:
    app = app_of()
    async with app.run_test(size=(120, 30)) as pilot:
        shown = await press(pilot, "u")
        assert "A step 800" in shown
        assert "B step 1,200 · newest" in shown
        assert "The car is red and it has number 7." in shown
        assert "expected The car is red and it has number 6." in shown
        assert "OVERFITTING" in await press(pilot, "u")


async def test_one_step_alone_is_shown_once() -> None:
    app = app_of(TextSample("eval", 7, "the answer", "p"))
    async with app.run_test(size=(120, 30)) as pilot:
        shown = await press(pilot, "u")
        assert shown.count("the answer") == 1
        assert "▸  p" in shown
        assert "a rating needs two answers" in await press(pilot, "plus")


async def test_up_and_down_choose_a_prompt() -> None:
    app = app_of()
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "u")
        assert "▸  Add 6 and 4." in await press(pilot, "down")
        assert "▸  Describe the car." in await press(pilot, "k", "up")
        assert "▸  Name a fruit." in await press(pilot, "end", "j")
        assert "▸  Describe the car." in await press(pilot, "home")
        assert "▸  Name a fruit." in await press(pilot, "G")
        assert "▸  Describe the car." in await press(pilot, "g")


async def test_the_arrows_choose_the_steps() -> None:
    app = app_of()
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "u")
        shown = await press(pilot, "left", "left")
        assert "B step 400" in shown
        assert "B step 800" in await press(pilot, "right")
        assert "A step 400" in await press(pilot, "shift+left", "shift+left")
        assert "A step 800" in await press(pilot, "greater_than_sign")
        assert "A step 400" in await press(pilot, "less_than_sign")
        assert "A step 800" in await press(pilot, "shift+right")


@pytest.mark.parametrize(
    "key, glyph, word",
    [("plus", "+", "better"), ("equals_sign", "=", "same"), ("minus", "-", "worse")],
)
async def test_a_mark_is_shown_counted_kept_and_taken_back(
    key: str, glyph: str, word: str, tmp_path: Path
) -> None:
    app = app_of(home=tmp_path)
    before = app.charts.settings.smoothing
    async with app.run_test(size=(120, 30)) as pilot:
        shown = await press(pilot, "u", key)
        assert f"▸{glyph} Describe the car." in shown
        assert f"{glyph} {word}" in shown
        assert "5 not rated" in shown
        (kept,) = json.loads((tmp_path / "outputs.json").read_text())["marks"]
        assert (kept["before"], kept["after"], kept["mark"]) == (800, 1200, word)
        shown = await press(pilot, "x")
        assert "6 prompts, none rated" in shown
        assert json.loads((tmp_path / "outputs.json").read_text())["marks"] == []
    assert app.charts.settings.smoothing == before


async def test_the_tally_says_how_many_were_judged() -> None:
    app = app_of()
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "u", "plus", "j", "plus", "j", "minus")
        assert "better on 2 of 3 rated (1 worse, 0 same)  3 not rated" in text(app)
        shown = await press(pilot, "j", "equals_sign", "j", "plus", "j", "plus")
        assert "step 1,200 against 800  better on 4 of 6 prompts" in shown
        assert "(1 worse, 1 same)" in shown


async def test_a_mark_holds_from_both_sides() -> None:
    app = app_of()
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "u", "plus")
        shown = await press(pilot, "shift+right", "left")
        assert "A step 1,200" in shown
        assert "B step 800 · - worse" in shown


async def test_a_mark_needs_two_answers() -> None:
    app = app_of(TextSample("eval", 1, "a", "p"), TextSample("eval", 2, "b", "q"))
    async with app.run_test(size=(120, 30)) as pilot:
        shown = await press(pilot, "u", "plus")
        assert "no answer at this step" in shown
        assert "a rating needs two answers" in shown
        assert "0 prompts, none rated" in shown


async def test_n_goes_to_the_next_prompt_without_a_mark() -> None:
    app = app_of()
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "u", "plus", "j", "plus", "g")
        assert "▸  把这句话" in await press(pilot, "n")
        await press(pilot, "plus", "n", "plus", "n", "plus", "n", "plus")
        assert "every prompt is rated" in await press(pilot, "n")


async def test_marks_are_kept_for_the_next_time(tmp_path: Path) -> None:
    for expected in ("none rated", "1 of 1 rated"):
        app = app_of(home=tmp_path)
        async with app.run_test(size=(120, 30)) as pilot:
            assert expected in await press(pilot, "u")
            await press(pilot, "plus")


async def test_a_broken_file_of_marks_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "outputs.json").write_text('{"marks": 3}')
    app = app_of(home=tmp_path)
    async with app.run_test(size=(200, 30)) as pilot:
        shown = await press(pilot, "u", "plus")
        assert "not a file of ratings" in shown
        assert "1 of 1 rated" in shown
    assert (tmp_path / "outputs.json").read_text() == '{"marks": 3}'


async def test_long_answers_scroll() -> None:
    answer = "\n".join(f"line {number}" for number in range(100))
    app = app_of(TextSample("e", 1, answer, "p"), TextSample("e", 2, answer + "!", "p"))
    async with app.run_test(size=(120, 30)) as pilot:
        assert "line 0 " in await press(pilot, "u")
        shown = await press(pilot, "pagedown")
        assert "line 0 " not in shown
        assert "line 30" in shown
        assert "line 99!" in await press(pilot, *["pagedown"] * 6)
        assert "/100" in text(app)
        assert "line 0 " not in await press(pilot, *["pageup"] * 3, "pagedown")
        assert "line 0 " in await press(pilot, *["b"] * 6)
        view(app).body.post_message(
            MouseScrollDown(view(app).body, 80, 10, 0, 0, 0, False, False, False)
        )
        await pilot.pause()
        assert "line 0 " not in text(app)


async def test_enter_gives_one_answer_all_the_room() -> None:
    app = app_of()
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "u")
        shown = await press(pilot, "enter")
        assert "B step 1,200" in shown
        assert "A step" not in shown
        shown = await press(pilot, "enter")
        assert "A step 800" in shown
        assert "B step" not in shown
        assert "B step" in await press(pilot, "enter")
        await press(pilot, "enter", "escape")
        assert "A step" in text(app)


async def test_a_slash_filters_the_prompts() -> None:
    app = app_of()
    async with app.run_test(size=(120, 30)) as pilot:
        shown = await press(pilot, "u", "slash", *"FUNCT")
        assert "▸  Write a function" in shown
        assert "Describe the car" not in shown
        await press(pilot, "x", "enter")
        assert "no prompt contains FUNCTx" in text(app)
        assert "Describe the car" in await press(pilot, "escape")
        assert not isinstance((await press(pilot, "escape"), app.screen)[1], OutputsScreen)


async def test_pasted_text_filters_too() -> None:
    app = app_of()
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "u", "slash")
        view(app).post_message(Paste("fruit\nmore"))
        await pilot.pause()
        assert "▸  Name a fruit." in text(app)


async def test_the_mouse_chooses_and_scrolls() -> None:
    app = app_of()
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "u")
        await pilot.click(Answers, offset=(8, 3))
        assert "▸  Write a function" in text(app)
        await pilot._post_mouse_events([MouseScrollDown], Answers, (8, 3), button=0)
        await pilot.pause()
        assert "▸  Tell a story." in text(app)
        await pilot._post_mouse_events([MouseScrollUp], Answers, (8, 3), button=0)
        await pilot.pause()
        assert "▸  Write a function" in text(app)


async def test_new_answers_appear_and_b_goes_with_them() -> None:
    app = app_of()
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "u", "down")
        run = app.snapshot.runs[0]
        more = TextSample("eval", 1600, "ten", "Add 6 and 4.")
        grown = replace(run, samples=(*run.samples, more))
        app.post_message(SnapshotReady(replace(app.snapshot, runs=(grown,))))
        await pilot.pause()
        shown = text(app)
        assert "A step 1,200" in shown
        assert "B step 1,600 · newest" in shown
        assert "▸  Add 6 and 4." in shown


async def test_a_chosen_step_stays_when_new_answers_come() -> None:
    app = app_of()
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "u", "shift+left", "left")
        run = app.snapshot.runs[0]
        more = TextSample("eval", 1600, "ten", "Add 6 and 4.")
        grown = replace(run, samples=(*run.samples, more))
        app.post_message(SnapshotReady(replace(app.snapshot, runs=(grown,))))
        await pilot.pause()
        assert "A step 400" in text(app)
        assert "B step 800" in text(app)


async def test_what_is_odd_is_said_calmly_beside_the_answer() -> None:
    app = app_of()
    async with app.run_test(size=(120, 30)) as pilot:
        assert "B step 1,200 · newest · repeats itself" in await press(pilot, "u", *"jjjj")
        assert "B step 1,200 · newest · empty" in await press(pilot, "j")


async def test_of_a_head_that_is_too_long_the_oddity_stays() -> None:
    app = app_of()
    async with app.run_test(size=(66, 24)) as pilot:
        shown = await press(pilot, "u", *"jjjj", "plus")
        assert "B step 1,200 · repeats itself" in shown
        assert "newest" not in shown


async def test_the_changed_words_have_a_shape_without_colours() -> None:
    app = app_of(terminal=Terminal(colors=0))
    async with app.run_test(size=(140, 30)) as pilot:
        shown = await press(pilot, "u")
        assert "it has number [-7-]." in shown
        assert "it has number {+6+}." in shown


async def test_with_colours_the_changed_words_are_struck_out_and_underlined() -> None:
    app = app_of()
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "u")
        found = {
            (segment.text, bool(segment.style.strike), bool(segment.style.underline))
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style and segment.text in ("6", "7")
        }
        # The expected answer below them has a 6 as well, in no shape.
        assert found == {("7", True, False), ("6", False, True), ("6", False, False)}


@pytest.mark.parametrize("height", [15, 24])
async def test_without_outputs_the_view_says_how_to_log_them(height: int) -> None:
    app = stage.app(stage.SCENES["no-eval"]())
    async with app.run_test(size=(40, height)) as pilot:
        shown = await press(pilot, "u")
        assert "enter copies it" in shown
        for line in EXAMPLE.splitlines():
            assert f"  {line}" in shown
        assert "copied" in await press(pilot, "enter")
        assert app.clipboard == EXAMPLE + "\n"


def test_the_example_writes_what_the_reader_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lossmon.readers.registry import detect

    (tmp_path / "output").mkdir()
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(EXAMPLE, names)
    keep = names["keep"]
    assert callable(keep)
    keep(100, "2+3=", "5")
    keep(200, "2+3=", "6")
    path = tmp_path / "output" / "samples.jsonl"
    found = detect(path)
    assert found is not None
    assert found.open(path).read(0.0).samples == (
        TextSample("samples", 100, "5", "2+3="),
        TextSample("samples", 200, "6", "2+3="),
    )


async def test_another_run_has_other_outputs() -> None:
    other = replace(stage.without_eval(), path=Path("/runs/other"))
    app = stage.app(stage.snapshot(stage.answered(), other))
    async with app.run_test(size=(120, 30)) as pilot:
        assert "Describe the car" in await press(pilot, "u")
        assert "this run logs no outputs yet" in await press(pilot, "right_square_bracket")
        assert "Describe the car" in await press(pilot, "right_square_bracket")


async def test_the_view_speaks_chinese() -> None:
    config = ScreenConfig(language="zh")
    app = stage.app(stage.snapshot(stage.answered()), config=config)
    async with app.run_test(size=(120, 30)) as pilot:
        shown = await press(pilot, "u", "plus")
        assert "已评 1 个，1 个更合意" in shown
        assert "期望" in shown


HOSTILE = st.text(
    st.sampled_from("a b\n\t\r\x1b\x00\u202e\u2066\u200b\u0301中文字👩\u200d🚀[red]\\{}%"),
    max_size=200,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(8, 130),
    st.integers(2, 40),
    HOSTILE,
    HOSTILE,
    HOSTILE,
    st.booleans(),
)
def test_no_text_breaks_the_lines(
    room: int, height: int, old: str, new: str, prompt: str, mono: bool
) -> None:
    from lossmon.analysis.text_diff import diff

    told = diff(old, new)
    panel = Answers()
    panel.pair = Pair(
        rows=(PromptRow(prompt), PromptRow(new)),
        prompt=("prompt", prompt),
        expected=("expected", old),
        answers=(
            Answer(((0, (("A", "key"),)),), told.before),
            Answer(((0, (("B", "key"),)),), told.after),
        ),
        plain=mono,
    )
    for line in panel.compose_lines(room, height):
        shown = plain(line)
        assert width(line) <= room
        assert cell_len(shown) <= room
        assert not any(char in shown for char in "\n\t\r\x1b\x00\u202e\u2066")


async def test_of_an_overlong_answer_the_beginning_is_shown() -> None:
    huge = "word and 中文 " * 20_000
    app = app_of(TextSample("e", 1, huge, huge), TextSample("e", 2, huge[5:], huge))
    async with app.run_test(size=(120, 30)) as pilot:
        assert "word and" in await press(pilot, "u", "pagedown")
        shown = await press(pilot, "enter")
        assert "first 200k of 240k characters" in shown
