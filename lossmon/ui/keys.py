"""Key bindings of the app and of the detail view; groups and order of all keys."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from textual.binding import Binding, BindingType
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character

from lossmon.errors import ConfigError, did_you_mean

GROUPS = {
    "view": "Views",
    "run": "Run",
    "chart": "Charts",
    "pane": "Panes",
    "page": "Pages",
    "media": "Histograms, curves, images",
    "app": "lossmon",
}
"""Title of each group of keys that work in several views, by the first part of their ids."""

BINDINGS: tuple[Binding, ...] = (
    Binding("left_square_bracket", "next_run(-1)", "previous", id="run.previous",
            tooltip="Previous run"),
    Binding("right_square_bracket", "next_run(1)", "next", id="run.next", tooltip="Next run"),
    Binding("space", "pause", "pause", id="run.pause", tooltip="Pause / resume"),
    Binding("y", "log_axis", "log axis", id="chart.log", tooltip="Logarithmic loss axis"),
    Binding("plus,equals_sign", "chart('smooth', 1)", "smooth", id="chart.smoother",
            key_display="+/-", tooltip="More smoothing"),
    Binding("minus", "chart('smooth', -1)", "less smoothing", id="chart.less_smooth",
            tooltip="Less smoothing"),
    Binding("0", "chart('smooth', 0)", "raw", id="chart.raw", tooltip="Smoothing off / on"),
    Binding("x", "x_axis", "axis", id="chart.x", tooltip="X axis: step, epoch, time or tokens"),
    Binding("X", "chart('log_positions')", "log x", id="chart.log_x",
            tooltip="Logarithmic / linear x axis"),
    Binding("o", "chart('outliers')", "outliers", id="chart.outliers",
            tooltip="Include / exclude outliers"),
    Binding("a", "chart('own_range')", "ranges", id="chart.ranges",
            tooltip="Separate / shared loss range"),
    Binding("number_sign", "chart('guides')", "guides", id="chart.guides",
            tooltip="Guide lines: none, horizontal, grid"),
    Binding("g", "chart('recent')", "recent", id="chart.recent",
            tooltip="Recent part / whole run"),
    Binding("v", "chart('overlay')", "overlay", id="chart.overlay",
            tooltip="Train and eval in one pane"),
    Binding("9", "chart('all_panes')", "all panes", id="pane.all",
            tooltip="Show all panes in their usual sizes"),
    Binding("ctrl+z", "suspend_process", "suspend", id="app.suspend",
            tooltip="Suspend; `fg` resumes"),
    Binding("q", "quit", "quit", id="app.quit", tooltip="Quit"),
)  # fmt: skip

FOOTER: Mapping[str, int] = {
    "app.quit": 1,
    "pane.open": 3,
    "chart.log": 20,
    "chart.smoother": 30,
    "chart.x": 40,
    "chart.outliers": 50,
    "chart.recent": 100,
    "run.pause": 120,
    "pane.all": 150,
}
"""Ranks in the footer of the dashboard, among those of the views: the lowest stay longest."""


def in_groups(bindings: Iterable[Binding]) -> list[Binding]:
    """Sort bindings by their groups, which keep the order of their keys."""
    order = list(GROUPS)
    return sorted(bindings, key=lambda one: order.index((one.id or "").partition(".")[0]))


def footer(
    bindings: Iterable[BindingType], shown: Sequence[str], remapped: Mapping[str, str]
) -> list[Binding]:
    """The bindings of a footer, with the keys that the user gave them.

    Args:
        shown: Ids of those to show, the most important first.
    """
    by_id = {one.id: one for one in bindings if isinstance(one, Binding)}
    return [
        replace(by_id[id], key=remapped[id], key_display=None) if id in remapped else by_id[id]
        for id in shown
        if id in by_id
    ]


FORMER_IDS = {
    "view.write": "view.export",
    "view.names": "view.labels",
    "run.freeze": "run.pause",
    "chart.rawer": "chart.less_smooth",
    "page.theme_take": "page.theme_apply",
    "page.theme_drop": "page.theme_cancel",
    "page.write_end": "page.export_cancel",
}
"""Ids that settings may still have for actions with another name today."""

MODIFIERS = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
"""What may stand before a key, each with a plus behind it."""

_NAMED = frozenset([*(key.value for key in Keys), *KEY_NAME_REPLACEMENTS.values()])


def pressable(wanted: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    """The user's keys by the ids of today.

    Args:
        wanted: Keys by binding id; several keys of one action stand between commas.

    Raises:
        ConfigError: There is no such action, or no such key.
    """
    found: dict[str, str] = {}
    for written, keys in wanted.items():
        name = FORMER_IDS.get(written, written)
        if name not in known:
            meant = did_you_mean(name, known)
            raise ConfigError(f"[keys] {name}: unknown action; docs/KEYS.md lists them{meant}")
        for key in keys.split(","):
            if not is_key(key):
                raise ConfigError(f"[keys] {name}: {key!r} is not a key")
        found[name] = keys
    return found


def is_key(text: str) -> bool:
    """Whether a terminal can send it: a character, a name (`pageup`), or one with modifiers."""
    *modifiers, key = text.split("+") if len(text) > 1 else [text]
    if not all(modifier in MODIFIERS for modifier in modifiers):
        return False
    if len(key) == 1:
        return key.isprintable() and not key.isspace()
    return text in _NAMED or key in _NAMED or key_to_character(key) is not None


DETAIL_BINDINGS: tuple[Binding, ...] = (
    Binding("escape,enter", "back", "back", id="detail.back", tooltip="Back to all panes"),
    Binding("left", "move(-1)", "left", id="detail.left", tooltip="Cursor one point left"),
    Binding("right", "move(1)", "right", id="detail.right", tooltip="Cursor one point right"),
    Binding("shift+left", "far(-1)", "far left", id="detail.far_left",
            tooltip="Cursor far left"),
    Binding("shift+right", "far(1)", "far right", id="detail.far_right",
            tooltip="Cursor far right"),
    Binding("right_square_bracket", "zoom(0.5)", "zoom", id="detail.zoom_in",
            key_display="[ ]", tooltip="Zoom in at the cursor or the newest"),
    Binding("left_square_bracket", "zoom(2.0)", "zoom out", id="detail.zoom_out",
            tooltip="Zoom out"),
    Binding("left_curly_bracket", "pan(-0.5)", "pan", id="detail.pan_left",
            key_display="{ }", tooltip="Pan half a window to the left"),
    Binding("right_curly_bracket", "pan(0.5)", "pan right", id="detail.pan_right",
            tooltip="Pan half a window to the right"),
    Binding("home", "edge(-1)", "start", id="detail.start", tooltip="To the start of the run"),
    Binding("end,G", "edge(1)", "newest", id="detail.end", tooltip="To the newest, and follow"),
    Binding("f", "fit", "all", id="detail.fit", tooltip="Whole run, automatic limits"),
    Binding("e", "limits", "limits", id="detail.limits", tooltip="Set the limits of the axes"),
    Binding("m", "mark(1)", "mark", id="detail.mark", tooltip="Move the cursor to the next mark"),
    Binding("M", "mark(-1)", "previous mark", id="detail.mark_before",
            tooltip="Move the cursor to the previous mark"),
    Binding("n,down,j", "subject(1)", "next", id="detail.next", tooltip="Next metric"),
    Binding("p,up,k", "subject(-1)", "previous", id="detail.previous",
            tooltip="Previous metric"),
    Binding("v", "overlay", "overlay", id="detail.overlay",
            tooltip="Train and eval together, or one"),
    Binding("y", "log_y", "log y", id="detail.log_y",
            tooltip="Logarithmic / linear y axis of this chart"),
)  # fmt: skip
"""In the order of the help."""

DETAIL_FOOTER = (
    "detail.mark",
    "detail.zoom_in",
    "detail.pan_left",
    "detail.next",
    "detail.limits",
    "detail.fit",
    "detail.end",
    "detail.back",
)
"""Ids of what the footer shows, the most important first."""
