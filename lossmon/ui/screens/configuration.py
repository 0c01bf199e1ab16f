"""Configuration view: the hyperparameters of a run, and what differs from the run before."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

from rich.cells import cell_len
from textual.binding import Binding, BindingType

from lossmon.analysis.run_settings import ComparedSetting, differing, headline_settings
from lossmon.types import RunSnapshot
from lossmon.ui.chart.model import start_of
from lossmon.ui.compare.runs import Comparison
from lossmon.ui.compare.table import LEAST_NAMED, SettingTable
from lossmon.ui.metrics.names import natural_key
from lossmon.ui.metrics.ranking import SearchError, matcher
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.page_screen import HeadedBody, PageScreen
from lossmon.ui.screens.base.scene_screen import TypingScreen
from lossmon.ui.state.session import LETTERS
from lossmon.ui.text.lines import EMPTY, MUTED, STRONG, TEXT, Line, clean, clip, clip_middle, join

NAME_SHARE = 2
"""A name has at most one in so many cells of a line."""


class ConfigurationScreen(TypingScreen, PageScreen):
    """Settings of the run in view; typing after `/` filters them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back", id="page.settings_back", show=False,
                tooltip="Clear the filter, go back"),
        Binding("slash", "search", "filter", id="page.settings_filter",
                tooltip="Filter the settings"),
        Binding("left", "columns(-1)", "runs", id="page.settings_left", show=False,
                tooltip="Compared runs to the left"),
        Binding("right", "columns(1)", "runs", id="page.settings_right",
                tooltip="Compared runs to the right"),
    ]  # fmt: skip

    prompt = "/"

    @classmethod
    def create(cls, app: ViewHost) -> Self | None:
        run, comparison = app.runs.run, app.comparison()
        if comparison is not None:
            return cls(comparison)
        if run is None:
            return None
        before = previous_run(app.scene.snapshot.runs, run)
        app.load_settings([run.path] if before is None else [run.path, before.path])
        return cls()

    def __init__(self, comparison: Comparison | None = None) -> None:
        super().__init__()
        self.comparison = comparison
        self.table = HeadedBody()
        self.body = self.table
        self._first = 0
        """The first of the runs beside the baseline that has a column."""
        self._shown: Sequence[int] = ()
        """Places of the runs that have one."""

    @property
    def HINTS(self) -> tuple[str, ...]:  # type: ignore[override]
        is_cut = self.comparison is not None and len(self._shown) < len(self.comparison.runs)
        return ("page.settings_filter", *(["page.settings_right"] * is_cut), "page.back")

    def seen(self) -> tuple[Path, ...]:
        return () if self.comparison is None else tuple(self.comparison.paths)

    def heading(self) -> Line:
        run = self.scene.run
        if self.entry.active or self.entry.text:
            return self.entry.line()
        if self.comparison is not None:
            return ((self.scene.runs(len(self.comparison.runs)), TEXT),)
        if run is None:
            return EMPTY
        return ((clean(run.name), TEXT), (f"  {len(run.settings)}", MUTED))

    def lines(self, room: int) -> Sequence[Line]:
        if self.comparison is not None:
            return self._compared(self.comparison, room)
        run, say = self.scene.run, self.scene.say
        settings = run.settings if run is not None else {}
        if run is None or not settings:
            return [((say("this run records no settings"), MUTED),)]
        if self.entry.text:
            found = self._found(settings)
            return table(found, room) or [((say("no setting matches the filter"), MUTED),)]
        lines: list[Line] = []
        if headline := headline_settings(settings):
            lines += [*table([(say(word), value) for word, value in headline], room), EMPTY]
        before = previous_run(self.scene.snapshot.runs, run)
        if before is not None:
            lines += [*self._differences(run, before, room), EMPTY]
        names = sorted(settings, key=natural_key)
        return [
            *lines,
            ((say("all settings"), STRONG),),
            *table([(name, settings[name]) for name in names], room),
        ]

    def _compared(self, comparison: Comparison, room: int) -> Sequence[Line]:
        """The settings of all compared runs: those that differ, then the others."""
        say = self.scene.say
        comparison.update(self.scene)
        try:
            fits = matcher(self.entry.text)
        except SearchError:
            fits = matcher("")
        pinned, first = [comparison.base], self._first
        table = SettingTable(self.scene, comparison, room, pinned, LEAST_NAMED, first, fits)
        self._shown = table.columns
        self.table.head = table.head() if table.differing else EMPTY
        if not table.differing and not table.same:
            words = "no setting matches the filter" if self.entry.text else "no settings to compare"
            return [((say(words), MUTED),)]
        lines = [table.row(one) for one in table.differing] or [
            ((say("settings are the same"), MUTED),)
        ]
        if table.same:
            lines += [EMPTY, ((say("the same in all runs"), STRONG),), *map(table.row, table.same)]
        return lines

    def place(self) -> Line:
        shown, place = self._shown, super().place()
        if self.comparison is None or len(shown) == len(self.comparison.runs):
            return place
        letters = "".join(LETTERS[self.comparison.place(self.comparison.runs[at])] for at in shown)
        return join([((letters, TEXT),), place])

    def _found(self, settings: Mapping[str, str]) -> list[tuple[str, str]]:
        try:
            fits = matcher(self.entry.text)
        except SearchError:
            return []
        names = sorted(settings, key=natural_key)
        return [(name, settings[name]) for name in names if fits(f"{name} {settings[name]}")]

    def _differences(self, run: RunSnapshot, before: RunSnapshot, room: int) -> list[Line]:
        say = self.scene.say
        head: Line = (
            (f"{say('changed since')} ", STRONG),
            (clip_middle(clean(before.name), max(8, room - 20)), STRONG),
        )
        if not before.settings:
            return [head, ((say("that run records no settings"), MUTED),)]
        found = [one for one in differing([before.settings, run.settings]) if not one.aside]
        if not found:
            return [head, ((say("nothing"), MUTED),)]
        return [head, *(difference_line(one, found, room) for one in found)]

    # ------------------------------------------------------------------------------- keys

    def action_search(self) -> None:
        """Begin to type a filter."""
        self.entry.begin(self.entry.text)
        self.typed()

    def action_columns(self, by: int) -> None:
        """Show other runs, where not all have a column."""
        if self.comparison is not None:
            hidden = len(self.comparison.runs) - len(self._shown)
            self._first = max(0, min(self._first + by, hidden))
            self.present(self.scene)

    def action_leave(self) -> None:
        """Drop the filter, or close the view."""
        if self.entry.text:
            self.entry.clear()
            self.typed()
        else:
            self.action_back()

    def typed(self) -> None:
        self.body.top = 0
        self.present(self.scene)


def previous_run(runs: Sequence[RunSnapshot], run: RunSnapshot) -> RunSnapshot | None:
    """The run of the same directory that began last before a run; None where there is none."""
    begun = _begin(run)
    earlier = [
        one
        for one in runs
        if one.path != run.path and one.path.parent == run.path.parent and _begin(one) < begun
    ]
    return max(earlier, key=_begin, default=None)


def _begin(run: RunSnapshot) -> float:
    """When it began, in seconds since the Unix epoch; without a clock when it last wrote."""
    start = start_of(run.series)
    return start if start and math.isfinite(start) else run.last_time or 0.0


def table(rows: Sequence[tuple[str, str]], room: int) -> list[Line]:
    """A name and a value per line, in columns."""
    widest = max((cell_len(name) for name, _ in rows), default=0)
    names = min(widest, room // NAME_SHARE)
    return [
        (*_name(name, names), ("  ", TEXT), (clip(clean(value), room - names - 3), TEXT))
        for name, value in rows
    ]


def difference_line(one: ComparedSetting, among: Sequence[ComparedSetting], room: int) -> Line:
    """A setting with its value before and now."""
    names = min(max(cell_len(other.name) for other in among), room // NAME_SHARE)
    before, now = (clean(value) if value is not None else "—" for value in one.values)
    values = max(4, (room - names - 6) // 2)
    return (
        *_name(one.name, names),
        ("  ", TEXT),
        (clip(before, values), MUTED),
        (" → ", MUTED),
        (clip(now, values), "notice"),
    )


def _name(name: str, room: int) -> Line:
    text = clip_middle(clean(name), room)
    return ((f" {text}{' ' * (room - cell_len(text))}", MUTED),)
