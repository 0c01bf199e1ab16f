"""Route of the walk: terminals, sizes and views."""

from __future__ import annotations

from dataclasses import dataclass

from lossmon.ui.views import RUNS, VIEWS

SIZES = ((40, 15), (80, 24), (120, 40), (200, 50))
ANY_SIZE = (*SIZES, (10, 3), (300, 80), (20, 6), (59, 19), (110, 14), (120, 40))
"""What the window is dragged through; below 20 columns the screen only has to live."""

TERMINALS: dict[str, dict[str, str]] = {
    "xterm-256color": {"TERM": "xterm-256color", "LANG": "C.UTF-8"},
    "true colour": {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"},
    "screen-256color": {"TERM": "screen-256color", "LANG": "C.UTF-8"},
    "tmux-256color": {"TERM": "tmux-256color", "LANG": "C.UTF-8"},
    "linux": {"TERM": "linux", "LANG": "C.UTF-8"},
    "vt100": {"TERM": "vt100", "LANG": "C.UTF-8"},
    "dumb": {"TERM": "dumb", "LANG": "C.UTF-8"},
    "NO_COLOR": {"TERM": "xterm-256color", "LANG": "C.UTF-8", "NO_COLOR": "1"},
    "Chinese": {"TERM": "xterm-256color", "LANG": "zh_CN.UTF-8"},
    "LANG=C": {"TERM": "xterm-256color", "LANG": "C"},
}
DRAWN_IN_ASCII = ("linux", "vt100", "dumb")
CLEARED = ("COLORTERM", "NO_COLOR", "LC_ALL", "LC_CTYPE", "LANGUAGE", "LOSSMON_CONFIG")


@dataclass(frozen=True, slots=True)
class Stop:
    """A view on the way.

    Attributes:
        name: What it is called here.
        keys: Open it from the run view.
        title: Word of its upper edge, in English.
        back: Leads back to the run view.
    """

    name: str
    keys: tuple[str, ...]
    title: str
    back: str = "Escape"


SENDS = {"ctrl+p": "C-p", "question_mark": "?"}
"""How tmux calls keys with a name."""

DRAGGED = ("view.runs", "view.compare", "view.outputs")
"""Views that draw curves or rows."""

WAY = (
    Stop("detail", ("Enter",), "train"),
    *(
        Stop(
            view.id.partition(".")[2],
            (SENDS.get(key := view.key.split(",")[0], key),),
            view.title,
            "Enter" if view is RUNS else "Escape",
        )
        for view in sorted(VIEWS, key=lambda view: view.id not in DRAGGED)
        if view.key
    ),
)
"""Every view that a key opens; first the detail and the others that draw curves or rows."""
