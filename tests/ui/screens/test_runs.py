"""The fleet on the screen: every key of it, the mouse, and what it shows while data come in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.geometry import Size
from textual.pilot import Pilot

from lossmon.types import Snapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.fleet.order import Key
from lossmon.ui.follower import SnapshotReady
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.diagnosis import DiagnosisScreen
from lossmon.ui.screens.runs import RunsScreen
from lossmon.ui.text.lines import plain
from lossmon.ui.widgets.header import Header
from lossmon.ui.widgets.run_preview import preview_size
from tests.ui import stage
from tests.ui.screen import faults, rows
from tests.ui.test_app import text

FLEET_FIRST = ScreenConfig(fleet_first=True)


def page(app: LossmonApp) -> RunsScreen:
    """The fleet on top."""
    assert isinstance(app.screen, RunsScreen)
    return app.screen


def chosen(app: LossmonApp) -> str:
    """Name of the run in view."""
    assert app.scene.run is not None
    return app.scene.run.name


def shown(app: LossmonApp) -> list[str]:
    """Rows that stand on the terminal, without the frame."""
    lines = [line.strip("│ ") for line in text(app).splitlines()[2:-1]]
    return [line for line in lines if line]


async def test_who_needs_attention_stands_on_top_and_is_counted() -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("r")
        rows = shown(app)
        assert "4 runs  2 need attention  by attention" in text(app)
    assert [row.split()[0] for row in rows] == ["▸", "▲", "✓", "✓"]
    assert "grpo-7b-lr1e-5" in rows[0]
    assert "sft-qwen-7b" in rows[1]


async def test_several_runs_open_with_all_of_them_and_one_with_itself() -> None:
    for snapshot, view in ((stage.several(), RunsScreen), (stage.SCENES["healthy"](), Dashboard)):
        app = stage.app(snapshot, config=FLEET_FIRST)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            assert isinstance(app.screen, view)


async def test_several_runs_that_are_found_late_open_with_all_of_them_too() -> None:
    several = stage.several()
    app = stage.app(replace(several, runs=several.runs[:1], busy=True), config=FLEET_FIRST)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)
        app.post_message(SnapshotReady(several))
        await pilot.pause()
        assert isinstance(app.screen, RunsScreen)


async def test_a_user_who_is_at_work_is_left_where_he_is() -> None:
    several = stage.several()
    app = stage.app(replace(several, runs=several.runs[:1], busy=True), config=FLEET_FIRST)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("y")
        app.post_message(SnapshotReady(several))
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)


@pytest.mark.parametrize("back", ["escape", "r"])
async def test_enter_opens_the_run_and_the_way_back_leads_to_its_row(back: str) -> None:
    app = stage.app(stage.several(), config=FLEET_FIRST)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("j", "j", "enter")
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)
        assert chosen(app) == "中文实验-一号"
        assert "中文实验-一号 3/4" in text(app)
        await pilot.press(back)
        await pilot.pause()
        assert page(app).fleet.row == 2
        assert "中文实验-一号" in shown(app)[2]


async def test_the_first_picture_of_an_opened_run_is_of_that_run() -> None:
    app = stage.app(stage.several(), config=FLEET_FIRST)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("j", "j")
        page(app).action_open()
        header = app.screen.query_one(Header)
        assert "中文实验-一号 3/4" in plain(header.compose_lines(120, 1)[0])


async def test_the_key_of_the_fleet_opens_it_and_closes_it_again() -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        assert isinstance(app.screen, RunsScreen)
        await pilot.press("r")
        assert isinstance(app.screen, Dashboard)


async def test_escape_leaves_the_list_of_a_single_run() -> None:
    app = stage.app(stage.SCENES["healthy"]())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r", "escape")
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)


@pytest.mark.parametrize(
    "keys, row",
    [
        (["down"], 1),
        (["j", "j", "k"], 1),
        (["down", "up", "up"], 0),
        (["end"], 199),
        (["G", "k"], 198),
        (["G", "g"], 0),
        (["end", "home"], 0),
        (["pagedown"], 20),
        (["pagedown", "pageup", "j"], 1),
    ],
)
async def test_keys_move_the_choice_and_keep_it_in_view(keys: list[str], row: int) -> None:
    app = stage.app(stage.fleet())
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("r", "g", *keys)
        assert page(app).fleet.row == row
        marked = [line for line in shown(app) if line.startswith("▸")]
        assert len(marked) == 1
        assert chosen(app)[-5:] in marked[0]
        assert len(shown(app)) == 21


async def test_other_views_show_the_run_that_is_chosen() -> None:
    app = stage.app(stage.several(), config=FLEET_FIRST)
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("d")
        await pilot.pause()
        assert isinstance(app.screen, DiagnosisScreen)
        assert "grpo-7b-lr1e-5" in text(app)


async def test_brackets_go_through_the_runs_as_they_are_sorted_and_filtered() -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("r", "s", "slash", *"-vit", "enter", "g", "enter")
        names = [chosen(app)]
        for _ in range(3):
            await pilot.press("right_square_bracket")
            names.append(chosen(app))
        assert names == ["grpo-7b-lr1e-5", "sft-qwen-7b", "中文实验-一号", "grpo-7b-lr1e-5"]
        await pilot.press("left_square_bracket")
        assert chosen(app) == "中文实验-一号"
        assert "中文实验-一号 3/3" in text(app)


async def test_space_marks_a_run_for_comparison_and_takes_the_mark_away() -> None:
    several = stage.several()
    app = stage.app(several)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("r", "g", "down", "space")
        assert app.scene.marked == app.runs.marked == {several.runs[0].path}
        assert "▸●" in text(app)
        assert "● 1" in text(app)
        await pilot.press("space")
        assert app.scene.marked == frozenset()
        assert "▸●" not in text(app)


async def test_sorting_goes_from_key_to_key_and_can_be_turned_round() -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(140, 24)) as pilot:
        await pilot.press("r")
        keys = []
        for _ in Key:
            await pilot.press("s")
            keys.append(page(app).fleet.key)
        assert keys == [*list(Key)[1:], Key.ATTENTION]
        await pilot.press("s")
        assert "by name" in text(app)
        assert "name↑" in text(app)
        names = [path.name for path in page(app).fleet.rows]
        await pilot.press("S")
        assert "name↓" in text(app)
        assert [path.name for path in page(app).fleet.rows] == names[::-1]


async def typed(pilot: Pilot[None], filter: str) -> str:
    """What stands on the screen once a filter was typed."""
    await pilot.press("slash")
    for char in filter:
        await pilot.press({" ": "space", ":": "colon", "?": "question_mark"}.get(char, char))
    return text(pilot.app)  # type: ignore[arg-type]


async def test_settings_that_differ_are_columns_a_page_at_a_time() -> None:
    many = {f"option_number_{at}": str(at) for at in range(4)}
    runs = (
        replace(stage.healthy(), path=Path("/runs/a"), settings=many),
        replace(stage.healthy(), path=Path("/runs/b"), settings=dict.fromkeys(many, "9")),
    )
    app = stage.app(stage.snapshot(*runs))
    async with app.run_test(size=(80, 24)) as pilot:
        seen = []
        await pilot.press("r")
        for _ in range(4):
            await pilot.pause()
            seen.append([one for one in many if one in text(app)])
            await pilot.press("D")
        assert seen == [[], list(many)[:2], list(many)[2:], []]


async def test_runs_without_settings_that_differ_say_so() -> None:
    app = stage.app(stage.snapshot(stage.healthy(), stage.overfitting()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r", "D")
        await pilot.pause()
        assert "no settings that differ" in text(app)
        await pilot.press("D")
        await pilot.pause()
        assert "no settings that differ" not in text(app)


async def test_a_filter_shows_its_runs_while_it_is_typed() -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("r")
        assert "filter: state:running qwen▏" in await typed(pilot, "state:running qwen")
        assert len(shown(app)) == 1
        await pilot.press("enter")
        assert "1/4 runs" in text(app)
        assert "filter: state:running qwen " in text(app)
        await pilot.press("j", "escape")
        assert len(shown(app)) == 4
        assert "filter:" not in text(app)


async def test_a_term_that_means_nothing_is_told_of_while_the_last_filter_holds() -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("r")
        screen = await typed(pilot, "qwen stat:x")
        assert "no run has stat; available:" in screen
        assert len(shown(app)) == 1
        await pilot.press("enter")
        assert "no run has" not in text(app)
        assert "filter: qwen" in text(app)
        await pilot.press("slash", "escape")
        assert len(shown(app)) == 4


async def test_tab_completes_a_word_of_the_filter() -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("r", "slash", "s", "t", "a", "tab", "f", "i", "tab")
        assert page(app).entry.text == "state:finished"
        assert len(shown(app)) == 1


async def test_the_choice_moves_while_a_filter_is_typed() -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("r", "slash", "minus", "q", "down", "down", "up")
        assert page(app).fleet.row == 1
        assert page(app).entry.text == "-q"


async def test_a_filter_that_no_run_fits_says_so() -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r", "slash", "z", "z", "enter")
        assert "no run matches the filter" in text(app)
        await pilot.press("enter", "space", "j", "G", "s", "d")
        await pilot.press("escape", "escape")
        assert len(shown(app)) == 4


async def test_a_name_from_outside_is_never_markup_nor_moves_the_cursor() -> None:
    run = replace(stage.healthy(), name="[red]x[/]\x1b[2J\u202e", path=Path("/runs/evil"))
    app = stage.app(stage.snapshot(run, stage.overfitting()))
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("r")
        assert "[red]x[/]�[2J�" in text(app)


# ----------------------------------------------------------------------------------- mouse


async def test_a_click_chooses_and_a_double_click_opens() -> None:
    app = stage.app(stage.several(), config=FLEET_FIRST)
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.pause()
        body = page(app).body
        await pilot.click(body, offset=(20, 2))
        assert chosen(app) == "sft-qwen-7b"
        assert isinstance(app.screen, RunsScreen)
        await pilot.double_click(body, offset=(20, 3))
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)
        assert chosen(app) == "中文实验-一号"


async def test_a_click_on_a_title_sorts_by_it_and_turns_it_round() -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("r")
        head = text(app).splitlines()[1]
        for title, key in (("name", Key.NAME), ("train", Key.TRAIN), ("updated", Key.AGE)):
            spot = (head.index(title) + 1, 1)
            await pilot.click(offset=spot)
            assert (page(app).fleet.key, page(app).fleet.turned) == (key, False)
            await pilot.click(offset=spot)
            assert (page(app).fleet.key, page(app).fleet.turned) == (key, True)
        await pilot.click(offset=(head.index("loss") + 1, 1))
        assert page(app).fleet.key is Key.AGE


async def test_the_wheel_scrolls_and_the_choice_stays_in_view() -> None:
    app = stage.app(stage.fleet())
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("r", "g")
        for _ in range(4):
            await pilot._post_mouse_events([MouseScrollDown], page(app).body, (3, 3), button=0)
        assert page(app).body.top == 12
        assert page(app).fleet.row == 12
        for _ in range(9):
            await pilot._post_mouse_events([MouseScrollUp], page(app).body, (3, 3), button=0)
        assert page(app).body.top == 0
        assert 0 <= page(app).fleet.row < 21


# -------------------------------------------------------------------------------- new data


def reordered(snapshot: Snapshot) -> Snapshot:
    """The runs found in another order, the last of them broken."""
    broken = stage.non_finite()
    runs = [
        replace(run, diagnosis=broken.diagnosis) if "vit" in run.name else run
        for run in reversed(snapshot.runs)
    ]
    return replace(snapshot, runs=tuple(runs))


async def test_rows_stay_in_place_under_the_hands_of_the_user() -> None:
    several = stage.several()
    app = stage.app(several)
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("r", "g", "j")
        names = [path.name for path in page(app).fleet.rows]
        app.post_message(SnapshotReady(reordered(several)))
        await pilot.pause()
        assert [path.name for path in page(app).fleet.rows] == names
        assert chosen(app) == "sft-qwen-7b"


async def test_ages_grow_while_nothing_else_changes() -> None:
    now = [stage.NOW]
    app = stage.app(stage.several())
    app.clock = lambda: now[0]
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("r")
        assert "1s" in text(app)
        now[0] += 600
        app.tick()
        await pilot.pause()
        assert "10m" in text(app)


@pytest.mark.parametrize("size", [(40, 15), (80, 24)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_list_says_how_it_is_left(size: tuple[int, int]) -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=size) as pilot:
        await pilot.press("r")
        await pilot.pause()
        assert "r back" in rows(app)[-1]
        await pilot.press("r")
        assert not isinstance(app.screen, RunsScreen)


async def test_a_list_of_one_run_is_left_with_escape() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(40, 15)) as pilot:
        await pilot.press("r")
        await pilot.pause()
        assert "─ 1 run " in rows(app)[0]
        assert "esc back" in rows(app)[-1]
        await pilot.press("escape")
        assert not isinstance(app.screen, RunsScreen)


@pytest.mark.parametrize(
    "busy, read, said",
    [
        (True, None, "reading"),
        (True, (43, 102), "reading 43/102"),
        (True, (102, 102), None),
        (False, (102, 102), None),
    ],
)
async def test_the_count_of_read_runs_is_of_all_runs_once_they_are_found(
    busy: bool, read: tuple[int, int] | None, said: str | None
) -> None:
    app = stage.app(replace(stage.several(), busy=busy, read=read))
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("r")
        edge = rows(app)[0]
    assert f"  {said}  by" in edge if said else "reading" not in edge


async def test_the_preview_shows_the_chosen_run_and_follows_the_choice() -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(140, 30)) as pilot:
        await pilot.press("r")
        await pilot.pause()
        assert "NaN LOSS" in text(app)
        assert "next: No checkpoint" in text(app)
        drawn = page(app).preview.pane.chart.model.curves
        await pilot.press("j")
        await pilot.pause()
        assert "next: Stop" in text(app) or "next: Take" in text(app)
        assert page(app).preview.pane.chart.model.curves != drawn
        await pilot.press("slash", *"nothing")
        await pilot.pause()
        assert page(app).preview.pane.chart.model.curves == ()
        assert "next:" not in text(app)
        assert not faults(app)


@pytest.mark.parametrize(
    "size, place",
    [
        ((139, 33), (0, 0)),
        ((140, 20), (46, 0)),
        ((140, 19), (0, 0)),
        ((240, 50), (76, 0)),
        ((80, 34), (0, 13)),
    ],
)
def test_the_preview_has_a_place_where_there_is_room(
    size: tuple[int, int], place: tuple[int, int]
) -> None:
    assert preview_size(Size(*size), 100) == place


def test_a_short_list_leaves_the_preview_what_it_does_not_need() -> None:
    heights = [preview_size(Size(120, 40), runs).height for runs in (2, 12, 30)]
    assert heights == [28, 25, 16]


async def test_the_preview_moves_when_the_screen_is_resized() -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        preview, table = page(app).preview, page(app).table
        assert not preview.display
        for size in ((80, 40), (160, 40), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert not faults(app)
            wanted = preview_size(Size(*size), len(table.whole))
            assert preview.display is bool(wanted.width or wanted.height)
            assert table.outer_size.width == size[0] - wanted.width
