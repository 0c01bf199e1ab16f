"""Key bindings of the detail view, and which of them its footer shows."""

from __future__ import annotations

from textual.binding import Binding

BINDINGS: tuple[Binding, ...] = (
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
            tooltip="Train and eval together, or one"),)  # fmt: skip
"""In the order of the help."""

FOOTER = (
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
