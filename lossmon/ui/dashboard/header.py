"""Header: the name of the run, its progress and its state."""

from __future__ import annotations

from collections.abc import Sequence

from lossmon.locale import phrase
from lossmon.types import RunSnapshot, RunState
from lossmon.ui.dashboard.main_panes import pane_plans
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import (
    EMPTY,
    MUTED,
    STRONG,
    TEXT,
    Line,
    choose,
    clean,
    clip_middle,
    indented,
)
from lossmon.ui.text.lines import width as cells_of

STATES = {
    RunState.WAITING: ("○", MUTED),
    RunState.RUNNING: ("●", "ok"),
    RunState.STALLED: ("▲", "warning"),
    RunState.FINISHED: ("✓", MUTED),
    RunState.FAILED: ("✖", "critical"),
}
"""Glyph and colour of each state; the word stands beside them."""

NAME_ROOM = 28
"""Cells for the name of a run before its middle is given up for the numbers behind it."""

NAME_STEP = 8
"""Cells by which a long name gets more room: it must not change with every digit behind it."""

SPEED_ROOM = 8
"""Cells of the speed: `1.2 it/s`, `150 it/s`, `3.2 s/it`."""

ETA_ROOM = 7
"""Cells of the remaining time behind its word: ` 45m`, ` 2h 10m`."""

AGE_ROOM = 8
"""Cells of the age: `9 s ago`, `50 s ago`."""


LONGEST_SHORT = len("18.2k")
"""Cells of a shortened step."""

STEP_ROOM, EPOCH_ROOM = "999,999", "99.99"
"""The longest step without a plan, and the longest epoch, that move nothing behind them."""


def _steady(run: RunSnapshot, line: Line, longest: Line) -> Line:
    """A field of a live run, which keeps its width while digits are added to it."""
    return fixed(line, cells_of(longest)) if run.state is RunState.RUNNING else line


def header_line(parts: Sequence[tuple[int, Line]], width: int) -> Line:
    """As much of the header as fits a row of so many cells."""
    return indented(choose(parts, width - 2))


def header_parts(scene: Scene, width: int) -> list[tuple[int, Line]]:
    """What the header holds, with importance, in the order it stands."""
    run = scene.run
    if run is None:
        return [(0, (("lossmon", STRONG),)), (1, ((scene.say("waiting"), MUTED),))]
    others = [
        (1, state_of(scene, run)),
        (2, _steady(run, progress_of(scene, run, spelled=width >= 110), scene.step(STEP_ROOM))),
        (5, _steady(run, epoch_of(scene, run), scene.epoch(EPOCH_ROOM))),
        (6, fixed(speed_of(scene, run), SPEED_ROOM)),
        (3, fixed(remaining_of(scene, run), cells_of(((scene.say("ETA"), TEXT),)) + ETA_ROOM)),
        (4, fixed(age_of(scene, run), AGE_ROOM)),
        (8, sources_of(run)),
    ]
    left = _left_for_name(scene, run, width, others) // NAME_STEP * NAME_STEP
    return [(0, name_of(scene, run, max(left, min(NAME_ROOM, max(10, width // 3))))), *others]


def _left_for_name(
    scene: Scene, run: RunSnapshot, width: int, others: Sequence[tuple[int, Line]]
) -> int:
    """Cells that the other parts leave for the name."""
    place = cells_of(name_of(scene, run, 1)) - 1
    return width - 2 - place - sum(cells_of(line) + 3 for _, line in others if line)


def progress_parts(scene: Scene, width: int) -> list[tuple[int, Line]]:
    """The narrow screen's header: name and how far, without the state."""
    run = scene.run
    if run is None:
        return header_parts(scene, width)
    # Without a plan the bare number would say nothing.
    far = progress_of(scene, run, spelled=False, word=not run.total_steps)
    others = [(0, far), (2, remaining_of(scene, run)), (3, speed_of(scene, run))]
    left = _left_for_name(scene, run, width, others)
    return [(1, name_of(scene, run, max(6, width // 3, left))), *others]


def hidden_panes(scene: Scene) -> str:
    """How many panes the user has hidden, in words; empty for none.

    The only chart of a run is shown also where its pane was hidden beside others.
    """
    count = len(scene.chart_settings.hidden.difference(pane_plans(scene)))
    words = "{count} hidden {count:pane|panes}"
    return phrase(words, scene.language, count=str(count)) if count else ""


def fixed(line: Line, room: int) -> Line:
    """A field that keeps its width, so that nothing behind it moves; an empty one stays empty."""
    return (*line, (" " * max(0, room - cells_of(line)), TEXT)) if line else line


def name_of(scene: Scene, run: RunSnapshot, room: int) -> Line:
    """The run's name, and which of how many it is."""
    name = clip_middle(clean(run.name), room)
    if len(scene.snapshot.runs) < 2 or scene.position is None:
        return ((name, STRONG),)
    at, count = scene.position
    return ((name, STRONG), (f" {at}/{count}", MUTED))


def state_of(scene: Scene, run: RunSnapshot) -> Line:
    """Glyph and word of the state."""
    glyph, role = STATES[run.state]
    return ((f"{glyph} {scene.say(run.state.value)}", role),)


def progress_of(scene: Scene, run: RunSnapshot, *, spelled: bool, word: bool = True) -> Line:
    """Step, planned steps, percentage."""
    step = run.steps_done
    if step is None:
        return EMPTY
    total = run.total_steps
    if not total:
        far = numbers.step(step) if spelled else numbers.progress(step, None)
        return scene.step(far) if word else ((far, TEXT),)
    if spelled:
        end = numbers.step(total)
        far = f"{numbers.step(step):>{len(end)}} / {end}"
    else:
        done, end = numbers.progress(step, total).split("/")
        far = f"{done:>{max(len(end), LONGEST_SHORT if len(end) < len(f'{total:,}') else 0)}}/{end}"
    # Rounded down: the hundred, which takes a cell more, stands only at the end.
    share = f"{numbers.percent(100 * step // total):>3}"
    return (*(scene.step(far) if word else ((far, TEXT),)), (f" {share}", TEXT))


def epoch_of(scene: Scene, run: RunSnapshot) -> Line:
    """Epoch, and how many are planned; nothing where the progress counts them."""
    if run.epoch is None or scene.counts_epochs:
        return EMPTY
    total = f"/{run.total_epochs:g}" if run.total_epochs else ""
    epoch = f"{run.epoch:.2f}"
    if run.state is not RunState.RUNNING:
        epoch = epoch.rstrip("0").rstrip(".")
    elif run.total_epochs:
        epoch = epoch.rjust(len(f"{run.total_epochs:.2f}"))
    return scene.epoch(epoch + total)


def speed_of(scene: Scene, run: RunSnapshot) -> Line:
    """Recent steps or epochs per second; nothing for a run that is over."""
    if run.state is not RunState.RUNNING or not run.steps_per_second:
        return EMPTY
    unit = "epoch" if scene.counts_epochs else "it"
    return ((numbers.rate(run.steps_per_second, unit), TEXT),)


def remaining_of(scene: Scene, run: RunSnapshot) -> Line:
    """Time to the end; nothing for a run that is over."""
    if run.state is not RunState.RUNNING or run.remaining is None:
        return EMPTY
    return ((f"{scene.say('ETA')} ", MUTED), (numbers.duration(run.remaining), TEXT))


def age_of(scene: Scene, run: RunSnapshot) -> Line:
    """How long ago the last step was; coarser the longer ago, so that it seldom changes."""
    if run.last_time is None or run.state not in (RunState.RUNNING, RunState.STALLED):
        return EMPTY
    age = max(0.0, scene.now - run.last_time)
    if age >= 10:
        age = age // 10 * 10
    role = "warning" if run.state is RunState.STALLED else MUTED
    return ((scene.ago(age), role),)


def sources_of(run: RunSnapshot) -> Line:
    """The formats that the run was read from."""
    return ((clean(" + ".join(run.sources)), MUTED),) if run.sources else EMPTY
