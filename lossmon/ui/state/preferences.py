"""Preferences: the theme, open panes and pinned metrics, kept from one start to the next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from lossmon.fast_dataclass import dataclass
from lossmon.ui.state import json_file

FILE = "screen.json"
SIZE_LIMIT = 64 * 1024
"""Bytes; the file holds a few words, and a larger one is not ours."""

PANES = frozenset({"train", "eval", "metrics", "hardware", "configuration", "log", "verdicts"})

MOST_CELLS = 10_000
"""No screen has more columns or rows."""


@dataclass(frozen=True, slots=True)
class PaneLayout:
    """Which panes are open on a screen of one size.

    Attributes:
        hidden: Panes that the user closed.
        overlaid: Train and eval in one pane.
        sizes: Rows of panes, columns of the `side` column, and percent of the main charts that
            `train` has, where the user changed them.
    """

    hidden: frozenset[str] = frozenset()
    overlaid: bool = False
    sizes: Mapping[str, int] = field(default_factory=dict)


class Preferences:
    """A small file in the user's own directory, written whenever something in it changes.

    Another lossmon may write it too: a change is made in what is there then. A file that cannot be
    understood is left as it is, and nothing is kept then: it may hold more than we know of.

    Args:
        directory: The user's directory of what is remembered; None keeps nothing.
    """

    def __init__(self, directory: Path | None) -> None:
        self._path = None if directory is None else directory / FILE
        self.theme: str | None = None
        self.pane_layouts: dict[str, PaneLayout] = {}
        self.pins: frozenset[str] = frozenset()
        """Keys of the metrics that stand first on the dashboard."""
        self.error = ""
        """What is wrong with the file, in words; empty if nothing is."""
        self._take_in()

    def keep_theme(self, name: str) -> None:
        """Begin with this theme the next time."""
        if name != self.theme:
            self._take_in()
            self.theme = name
            self._write()

    def keep_panes(self, size: str, panes: PaneLayout) -> None:
        """Open these panes on a screen of this size from now on."""
        if self.pane_layouts.get(size) != panes:
            self._take_in()
            self.pane_layouts[size] = panes
            self._write()

    def pin(self, key: str) -> None:
        """Pin a metric, or unpin it."""
        pins = self.pins ^ {key}
        self._take_in()
        self.pins = self.pins | {key} if key in pins else self.pins - {key}
        self._write()

    def _take_in(self) -> None:
        """Take over what the file holds now."""
        if self._path is None:
            return
        try:
            self._take(json_file.read(self._path, SIZE_LIMIT))
        except FileNotFoundError:
            return
        except json_file.JsonFileError as error:
            self._give_up(f"{error}; it is left as it is, and nothing is remembered")
        except ValueError as error:
            self._give_up(f"{self._path}: {error}; it is left as it is, and nothing is remembered")

    def _take(self, table: object) -> None:
        if not isinstance(table, Mapping):
            raise ValueError("must be a JSON object")
        theme, panes, pins = table.get("theme"), table.get("panes", {}), table.get("pins", [])
        if not isinstance(theme, str | None):
            raise ValueError("theme: must be a name")
        if not isinstance(panes, Mapping):
            raise ValueError("panes: must be an object")
        if not isinstance(pins, list) or not all(isinstance(key, str) for key in pins):
            raise ValueError("pins: must be a list of names")
        self.pane_layouts = {str(size): _pane_layout(size, one) for size, one in panes.items()}
        self.theme, self.pins = theme, frozenset(pins)

    def _give_up(self, error: str) -> None:
        self._path, self.error = None, error

    def _write(self) -> None:
        if self._path is None:
            return
        table = {
            "theme": self.theme,
            "panes": {
                size: {
                    "closed": sorted(one.hidden),
                    "overlaid": one.overlaid,
                    "sizes": dict(one.sizes),
                }
                for size, one in sorted(self.pane_layouts.items())
            },
            "pins": sorted(self.pins),
        }
        try:
            json_file.write(self._path, json.dumps(table, indent=1) + "\n")
        except json_file.JsonFileError as error:
            self._give_up(f"{error}; nothing is remembered")


def _pane_layout(size: object, table: object) -> PaneLayout:
    if not isinstance(table, Mapping):
        raise ValueError(f"panes.{size}: must be an object")
    closed, overlaid = table.get("closed", []), table.get("overlaid", False)
    if not isinstance(closed, list) or not all(name in PANES for name in closed):
        raise ValueError(f"panes.{size}.closed: must be a list of {', '.join(sorted(PANES))}")
    if not isinstance(overlaid, bool):
        raise ValueError(f"panes.{size}.overlaid: must be true or false")
    sizes = table.get("sizes", {})
    if not isinstance(sizes, Mapping) or not all(map(_is_size, sizes.items())):
        raise ValueError(f"panes.{size}.sizes: must be numbers of cells by the name of a pane")
    return PaneLayout(frozenset(closed), overlaid, dict(sizes))


def _is_size(item: tuple[object, object]) -> bool:
    name, cells = item
    known = name in PANES or name == "side"
    return known and type(cells) is int and 0 < cells <= MOST_CELLS
