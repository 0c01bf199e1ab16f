"""Pane sizes: the borders of the dashboard that can be dragged, and the sizes the user gave."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from textual.geometry import Region, Size
from textual.widget import Widget

from lossmon.fast_dataclass import dataclass

LEAST_ROWS = 3
"""Rows that a pane keeps."""

LEAST_SIDE = 24
"""Columns that the side column keeps, and the charts twice that."""

LEAST_SHARE = 20
"""Per cent of the main charts that the first of them keeps, and the others together."""

STEPS = {"side": 4, "train": 5}
"""By how much a key changes a size; rows by one."""

SIDE, CHARTS = ("hardware", "configuration", "verdicts"), ("train", "eval", "more")


@dataclass(frozen=True, slots=True)
class Border:
    """A border that can be dragged.

    Attributes:
        name: Whose size it changes: a pane, `side` for the side column, `train` for the share of
            the first main chart.
        start: The edge that stays where it is, in cells of the screen.
        length: Cells that 100 percent are; 0 where the size is in cells.
        vertical: The border is a column, and is dragged to the left or to the right.
        grows: The size grows with the coordinate.
    """

    name: str
    start: int
    length: int = 0
    vertical: bool = False
    grows: bool = False

    def size_at(self, x: int, y: int) -> int:
        """The size once the border is at a cell of the screen."""
        at = x if self.vertical else y
        cells = at - self.start if self.grows else self.start - at
        return round(100 * cells / self.length) if self.length else cells


def border_at(widgets: Mapping[str, Widget], x: int, y: int) -> Border | None:
    """The border at a cell of the screen, None where there is none.

    Args:
        widgets: The panes, the side column as `side` and the main charts as `losses`, by id.
        x: Column.
        y: Row.
    """
    shown = {name: one.region for name, one in widgets.items() if one.display and one.region}
    side, losses = shown.get("side"), shown.get("losses")
    if side is not None and side.x > 0 and x in (side.x - 1, side.x) and side.contains(side.x, y):
        return Border("side", side.right, vertical=True)
    for name in ("metrics", "log"):
        region = shown.get(name)
        if region is not None and _on_border(region, x, y):
            return Border(name, region.bottom)
    stack = [name for name in SIDE if name in shown]
    for above, name in pairwise(stack):
        if _on_border(shown[name], x, y):
            return Border(above, shown[above].y, grows=True)
    second = next((shown[name] for name in CHARTS[1:] if name in shown), None)
    if losses is None or second is None or "train" not in shown or not losses.contains(x, y):
        return None
    if second.y > losses.y and y in (second.y - 1, second.y):
        return Border("train", losses.y, losses.height, grows=True)
    if second.x > losses.x and x in (second.x - 1, second.x):
        return Border("train", losses.x, losses.width, vertical=True, grows=True)
    return None


def _on_border(region: Region, x: int, y: int) -> bool:
    """Whether a cell is on the upper edge of a pane, or on the lower one of the pane above."""
    return y in (region.y - 1, region.y) and region.contains(x, region.y)


def title_at(widgets: Mapping[str, Widget], x: int, y: int) -> str:
    """Name of the pane that has its title at a cell of the screen; empty where none has."""
    for name in ("metrics", "log", *SIDE):
        one = widgets[name]
        if (
            one.display
            and one.styles.gutter.top
            and y == one.region.y
            and one.region.contains(x, y)
        ):
            return name
    return ""


def clamped(name: str, size: int, screen: Size) -> int:
    """A size that leaves the charts their room."""
    if name == "side":
        return max(LEAST_SIDE, min(size, screen.width - 2 * LEAST_SIDE))
    if name == "train":
        return max(LEAST_SHARE, min(size, 100 - LEAST_SHARE))
    most = screen.height * 3 // 4 if name in SIDE else screen.height // 2
    return max(LEAST_ROWS, min(size, most))


def size_of(name: str, widgets: Mapping[str, Widget]) -> int:
    """The size of a pane as it is drawn."""
    if name == "side":
        return widgets["side"].outer_size.width
    if name != "train":
        return widgets[name].outer_size.height
    first, all_charts = widgets["train"].outer_size, widgets["losses"].outer_size
    cells = (
        (first.width, all_charts.width) if _beside(widgets) else (first.height, all_charts.height)
    )
    return round(100 * cells[0] / max(1, cells[1]))


def apply_sizes(widgets: Mapping[str, Widget], sizes: Mapping[str, int], screen: Size) -> None:
    """Give panes the sizes that the user gave them, and all others those of the style sheet."""
    sizes = {name: clamped(name, size, screen) for name, size in sizes.items()}
    for name in ("metrics", "log", *SIDE):
        _set(widgets[name], "height", sizes.get(name))
        _set(widgets[name], "max_height", sizes.get(name))
    for rule in ("width", "min_width", "max_width"):
        _set(widgets["side"], rule, sizes.get("side"))
    rest = sum(widgets[name].display for name in CHARTS[1:])
    shares = (
        {name: (100 - sizes["train"]) / max(1, rest) for name in CHARTS} if "train" in sizes else {}
    )
    for name in CHARTS:
        share = sizes["train"] if name == "train" and shares else shares.get(name)
        along = "width" if _beside(widgets) else "height"
        for rule in ("width", "height"):
            _set(widgets[name], rule, f"{share}fr" if share and rule == along else None)


def _beside(widgets: Mapping[str, Widget]) -> bool:
    """Whether the main charts stand side by side."""
    layout = widgets["losses"].styles.layout
    return layout is not None and layout.name == "horizontal"


def _set(widget: Widget, rule: str, value: int | str | None) -> None:
    """Set a rule of a widget's own styles, or leave it to the style sheet."""
    styles = widget.styles
    if value is not None:
        setattr(styles, rule, value)
    elif styles.inline.clear_rule(rule) and widget.is_mounted:
        widget.refresh(layout=True)
