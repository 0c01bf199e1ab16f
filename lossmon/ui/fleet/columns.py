"""Columns of the fleet, and those that a width has room for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from rich.cells import cell_len

from lossmon.analysis.run_settings import differing
from lossmon.fast_dataclass import dataclass
from lossmon.locale import ENGLISH
from lossmon.types import RunSnapshot, Series
from lossmon.ui.chart.run_model import reward_charts
from lossmon.ui.dashboard.header import state_of
from lossmon.ui.fleet import fields
from lossmon.ui.fleet.order import Key
from lossmon.ui.metrics.names import display_name
from lossmon.ui.metrics.table import others
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MISSING, MUTED, TEXT, Line, clean, clip_middle

LOSS = 7
"""Cells of a loss, with the blank before it."""

PLANNED = "planned"
"""Stands for the planned steps among the columns in which no run has a value."""

COMPACT = 60
"""Cells of a row below which the planned steps are left out."""

MARKS = 2
"""Cells for the choice and the mark before each row."""

NARROW_BADGE, LEAST_BADGE, MOST_BADGE = 13, 14, 20
"""Cells of a verdict: `▲ OVERFITTING`, `▲ DATA MISMATCH` cut by one, and `… TOO SHORT TO JUDGE`."""

WHOLE_BADGE = 20
"""Cells of the longest verdict: `✖ NO REWARD VARIANCE`."""

LEAST_NAME, WHOLE_NAME, MOST_NAME = 8, 28, 48
"""Cells of a name: at least, before other columns get any, and at most."""

MOST_GROUP, COUNT = 18, 7
"""Cells of the value that runs are grouped by at most, and of how many there are."""

MOST_SETTING = 20
"""Cells of the column of a setting at most."""

MOST_COMPARED = 500
"""Runs whose settings are compared: more would hold up the screen for each key."""

MOST_TREND = 64
"""Cells from which a longer sparkline says no more."""

Cell = Callable[[Scene, RunSnapshot], Line]


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        title: What stands above it, in English.
        size: Cells, with the blank before it.
        key: What a click on its title sorts by, or None.
        cell: What it tells; None where the table itself draws it.
        left: Its text stands at the left; numbers stand at the right.
    """

    title: str
    size: int
    key: Key | None
    cell: Cell | None
    left: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that fit, left to right: marks, badge, name, and these.

    Attributes:
        badge: Cells of the badge.
        name: Cells of the name.
        rest: The columns behind the name.
        settings: How many of them are settings.
    """

    badge: int
    name: int
    rest: tuple[Column, ...]
    settings: int = 0

    def key_at(self, x: int) -> Key | None:
        """What a click on the title in cell `x` of a row sorts by, None where it sorts nothing."""
        edge = MARKS + self.badge
        if x < edge:
            return Key.ATTENTION
        edge += 1 + self.name
        if x < edge:
            return Key.NAME
        for column in self.rest:
            edge += column.size
            if x < edge:
                return column.key
        return None


def laid_out(
    room: int,
    longest: int,
    empty: Collection[str] = (),
    objective: Column | None = None,
    group: Column | None = None,
    settings: Sequence[Column] = (),
) -> Columns:
    """Choose the columns for rows of `room` cells.

    Args:
        room: Cells of a row.
        longest: Cells of the longest name.
        empty: Titles of columns in which no run has a value: they are left out.
        objective: A column that stands for the losses where no run has one.
        group: The column of what runs are grouped by, first behind the name.
        settings: Columns of settings, which stand last; others than one loss give way to them.
    """
    badge = max(LEAST_BADGE, min(MOST_BADGE, room // 6)) if room >= COMPACT else NARROW_BADGE
    if room < 34:
        badge = max(2, room - 20)
    # Names tell runs apart: they give way to no more columns than leave them a share.
    share = room // 6 if room < COMPACT else min(WHOLE_NAME, room // 3)
    least = max(LEAST_NAME, min(longest, share))
    left = room - MARKS - badge - 1 - least
    first = [one for one in (group, objective) if one is not None]
    # However narrow the screen is, there is one.
    settings = [replace(one, size=min(one.size, left)) for one in settings]
    chosen = _chosen(room, left, empty, first, settings)
    left -= sum(column.size for column in chosen)
    name = max(1, min(MOST_NAME, max(least, longest), least + left))
    left -= name - least
    # What is left makes the verdict whole before the trend longer.
    more = max(0, min(WHOLE_BADGE - badge, left)) if room >= COMPACT else 0
    trend = replace(TREND, size=min(MOST_TREND, TREND.size + max(0, left - more)))
    order = sorted(chosen, key=lambda one: _place(one, group, settings))
    rest = tuple(trend if column is TREND else column for column in order)
    return Columns(badge + more, name, rest, sum(one in settings for one in chosen))


def _chosen(
    room: int,
    left: int,
    empty: Collection[str],
    first: Sequence[Column],
    settings: Sequence[Column],
) -> list[Column]:
    """The columns that fit into `left` of `room` cells, the most wanted first."""
    usual = [one for one in _BY_WEIGHT if one.title not in empty]
    losses = [one for title in ("eval", "train") for one in usual if one.title == title]
    chosen: list[Column] = []
    for column in settings and (settings[0], *first, *losses[:1], *settings[1:]):
        if column.size > left:
            break
        chosen.append(column)
        left -= column.size
    step = SHORT_STEP if room < COMPACT or PLANNED in empty else STEP
    for wanted in (*first, *usual):
        column = step if wanted is STEP else wanted
        if wanted not in chosen and column.size <= left:
            chosen.append(column)
            left -= column.size
    return chosen


def _place(column: Column, group: Column | None, settings: Sequence[Column]) -> int:
    if column in settings:
        return len(_ORDER)
    return -1 if column is group else _PLACES.get(column, _PLACES[STEP])


def group_column(name: str, groups: Collection[str]) -> Column:
    """The column of a setting that runs are grouped by; the table draws it."""
    longest = max(map(cell_len, (name, *groups)), default=0)
    return Column(name, min(longest, MOST_GROUP) + COUNT, None, None, left=True)


class SettingColumns:
    """Columns of the settings in which runs differ, made again when settings change.

    Attributes:
        first: Place of the first that is shown; None while none is.
        shown: How many have a place in the rows.
    """

    def __init__(self) -> None:
        self.first: int | None = None
        self.shown = 0
        self._settings: list[Mapping[str, str]] = []
        self._columns: Sequence[Column] = ()

    def page(self, runs: Sequence[RunSnapshot]) -> Sequence[Column]:
        """The columns from the first that is shown on."""
        found = self.of(runs)
        if self.first is not None and self.first >= len(found):
            # A filter may leave fewer of them.
            self.first = 0
        return found[self.first or 0 :]

    def turn(self) -> None:
        """Show them, then the next ones, then none again."""
        later = 0 if self.first is None else self.first + self.shown
        is_over = self.first is not None and not self.first < later < len(self._columns)
        self.first = None if is_over else later

    def place(self, scene: Scene) -> Line:
        """Which of them are shown, for the heading."""
        if self.first is None:
            return EMPTY
        if not self._columns:
            return ((scene.say("no settings that differ"), MUTED),)
        place = f"{self.first + 1}-{self.first + self.shown}/{len(self._columns)}"
        return ((f"{scene.say('settings that differ')} ", MUTED), (place, TEXT))

    def of(self, runs: Sequence[RunSnapshot]) -> Sequence[Column]:
        """A column per setting, the most important first, without those that only name a run."""
        settings = [run.settings for run in runs]
        if settings != self._settings:
            self._settings = settings
            found = [one for one in differing(settings) if not one.aside]
            leaves = Counter(one.name.rpartition(".")[2] for one in found)
            self._columns = [
                _setting_column(one.name, leaf if leaves[leaf] == 1 else one.name, one.values)
                for one in found
                if (leaf := one.name.rpartition(".")[2])
            ]
        return self._columns


def _setting_column(name: str, title: str, values: Sequence[str | None]) -> Column:
    title = clip_middle(clean(title), MOST_SETTING - 1)
    longest = max(cell_len(clean(value or "—")) for value in values)
    room = min(MOST_SETTING - 1, max(longest, cell_len(title)))

    def cell(scene: Scene, run: RunSnapshot) -> Line:
        value = run.settings.get(name)
        return MISSING if value is None else ((clip_middle(clean(value), room), TEXT),)

    return Column(title, room + 1, None, cell)


def empty_columns(runs: Sequence[RunSnapshot]) -> frozenset[str]:
    """Titles of the columns in which no run has a value, or none that says much."""
    empty = {title for title, has in _OPTIONAL.items() if runs and not any(map(has, runs))}
    return frozenset(empty if _reward(runs) is None else empty | {"train", "eval", "best", "loss"})


def objective_column(runs: Sequence[RunSnapshot]) -> Column | None:
    """A column with the reward, or with the first metric of runs that have no loss.

    Returns:
        None where there is none.
    """
    found = (others(run) for run in runs[:_ASKED])
    first = _reward(runs) or next((metrics[0] for metrics in found if metrics), None)
    if first is None:
        return None
    key, title = first.meaning.key, clip_middle(display_name(first), _MOST_TITLE)

    def cell(scene: Scene, run: RunSnapshot) -> Line:
        return _loss(next((one for one in run.series if one.meaning.key == key), None), TEXT)

    return Column(title, max(8, cell_len(title) + 1), None, cell)


def _reward(runs: Sequence[RunSnapshot]) -> Series | None:
    """The reward where all runs are reinforcement learning, whose losses say little."""
    if not all("reward_loss" in run.diagnosis.missing for run in runs):
        return None
    asked = ((run, reward_charts(run)) for run in runs[:_ASKED])
    return next((run.series[charts[0][0]] for run, charts in asked if charts), None)


_ASKED = 64
"""Runs that are asked for a metric that stands for the loss."""

_MOST_TITLE = 20
"""Cells of the title of such a column."""

_OPTIONAL: Mapping[str, Callable[[RunSnapshot], bool]] = {
    PLANNED: lambda run: run.total_steps is not None,
    "ETA": lambda run: fields.remaining(run) is not None,
    "train": lambda run: run.train is not None,
    "eval": lambda run: run.eval is not None,
    "best": lambda run: run.eval is not None,
    "loss": lambda run: run.train is not None or run.eval is not None,
    "speed": lambda run: bool(fields.speed(run)),
}
"""Whether a run has a value, by the title of columns that go where none has."""


# ------------------------------------------------------------------------------- the cells


def _step(scene: Scene, run: RunSnapshot) -> Line:
    step = run.steps_done
    return MISSING if step is None else ((numbers.progress(step, run.total_steps), TEXT),)


def _short_step(scene: Scene, run: RunSnapshot) -> Line:
    return MISSING if run.step is None else ((numbers.progress(run.step, None), TEXT),)


def _eta(scene: Scene, run: RunSnapshot) -> Line:
    seconds = fields.remaining(run)
    return MISSING if seconds is None else ((numbers.duration(seconds), TEXT),)


def _loss(series: Series | None, role: str) -> Line:
    last = fields.newest(series)
    if last is None:
        return MISSING
    # Six cells do for any loss: where a sign stands before it the number has a digit less.
    text = numbers.value(last, 3)
    if cell_len(text) > LOSS - 1:
        is_small = f"{abs(last):.3f}" == "0.000"
        text = numbers.minus(numbers.scientific(last, 0) if is_small else f"{last:.3f}")
    return ((text, role if math.isfinite(last) else "critical"),)


def _best(scene: Scene, run: RunSnapshot) -> Line:
    series = run.eval_loss
    if series is None or not math.isfinite(series.minimum):
        return MISSING
    return ((numbers.value(series.minimum, 3), TEXT), (f"@{numbers.si(series.min_step)}", MUTED))


def _speed(scene: Scene, run: RunSnapshot) -> Line:
    rate = fields.speed(run)
    return ((numbers.rate(rate), TEXT),) if rate else MISSING


def _age(scene: Scene, run: RunSnapshot) -> Line:
    seconds = fields.age(run, scene.now)
    if seconds is None:
        return MISSING
    # Tens of seconds: a column of numbers that all change each second is noise.
    coarse = seconds // 10 * 10 if seconds >= 10 else seconds
    text = numbers.age(coarse) if scene.language == ENGLISH else scene.ago(coarse)
    return ((text.replace(" ", ""), MUTED),)


STEP = Column("step", 12, Key.STEP, _step)
SHORT_STEP = Column("step", 7, Key.STEP, _short_step)
TREND = Column("loss", 8, None, None, left=True)

_BY_WEIGHT = (
    STEP,
    Column("train", LOSS, Key.TRAIN, lambda scene, run: _loss(run.train_loss, "train")),
    Column("eval", LOSS, Key.EVAL, lambda scene, run: _loss(run.eval_loss, "eval")),
    TREND,
    Column("updated", 8, Key.AGE, _age),
    Column("ETA", 8, None, _eta),
    Column("best", 12, Key.BEST, _best),
    Column("state", 11, None, state_of, left=True),
    Column("speed", 11, Key.SPEED, _speed),
)
"""The most wanted first."""

_ORDER = ("state", "step", "ETA", "train", "eval", "best", "loss", "speed", "updated")
_PLACES = {column: _ORDER.index(column.title) for column in (*_BY_WEIGHT, SHORT_STEP)}
