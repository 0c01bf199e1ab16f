"""Roles of the theme as styles that a terminal cell can have."""

from __future__ import annotations

from collections.abc import Mapping

from rich.color import ANSI_COLOR_NAMES, Color, ColorSystem
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style

from lossmon.ui.terminal import Terminal
from lossmon.ui.text.lines import TINT, Line, width

BADGE = "badge-"
"""A role that starts so is a filled block: text on the colour of the role behind it."""

_SHARE = 0.42
"""How much of the frame's colour is in a tinted ground: seen beside the plain one, and text on
it keeps its contrast."""

CHANGED = {"removed": "critical", "added": "ok"}
"""Words that one of two texts lacks: struck out or underlined, so that colour is not needed."""

_FAINT = 0.45
"""Share of the ground in a faint colour: still distinct from its neighbours, no longer in front."""

_BOLD = frozenset({"strong", "key"})

_DIM = frozenset({"muted", "axis", "frame", "train-raw", "eval-raw"})
"""Roles that recede, also where the terminal has no colours for it."""


class Palette:
    """Styles of one theme, by role.

    Args:
        variables: Variables of the theme, as Textual resolved them.
        reverse: The terminal has only colours of its own: badges swap them, what recedes is dim.
    """

    def __init__(self, variables: Mapping[str, str], *, reverse: bool = False) -> None:
        self._variables = variables
        self._reverse = reverse
        self._styles: dict[str, Style] = {}
        self.ground = self._color("background")

    def style(self, role: str) -> Style:
        """The style of a role; one that the theme does not know looks like plain text."""
        known = self._styles.get(role)
        if known is None:
            known = self._styles[role] = self._make(role)
        return known

    def tinted(self, role: str) -> Style:
        """The style of a role on a ground that is a little lighter or darker, as far as the theme
        has a colour of its own to make it of."""
        known = self._styles.get(role + TINT)
        if known is None:
            frame, ground = self._color("frame"), self.ground
            known = self.style(role)
            if mixed := blend(ground, frame, _SHARE):
                known += Style(bgcolor=mixed)
            self._styles[role + TINT] = known
        return known

    def segments(self, line: Line, room: int) -> list[Segment]:
        """Paint a line, filled with the ground to at least `room` cells."""
        segments = [Segment(text, self.style(role)) for text, role in line if text]
        missing = room - width(line)
        if missing > 0:
            segments.append(Segment(" " * missing, self.style("foreground")))
        return segments

    def _make(self, role: str) -> Style:
        if role.endswith(TINT):
            return self.tinted(role.removesuffix(TINT))
        if role.startswith(BADGE):
            return self._fill(role.removeprefix(BADGE))
        name = "foreground" if role == "strong" else role
        bold = role in _BOLD
        if role.endswith("!"):
            name, bold = role[:-1], True
        if role.endswith("~"):
            return self._faint(role[:-1])
        name = CHANGED.get(role, name)
        color = self._color(name) or self._color("foreground")
        ground = self.ground
        return Style(
            strike=role == "removed" or None,
            underline=role == "added" or None,
            color=color,
            bgcolor=ground,
            bold=bold,
            dim=(self._reverse and role in _DIM) or None,
        )

    def _faint(self, name: str) -> Style:
        """A role closer to the ground; the terminal's own colours have a faint form."""
        color, ground = self._color(name) or self._color("foreground"), self.ground
        mixed = blend(color, ground, _FAINT)
        return Style(color=mixed or color, bgcolor=ground, dim=None if mixed else True)

    def _fill(self, name: str) -> Style:
        if self._reverse:
            return Style(reverse=True, bold=True)
        return Style(color=self._color("on-badge"), bgcolor=self._color(name), bold=True)

    def _color(self, name: str) -> Color | None:
        value = self._variables.get(name, "")
        if value.startswith("#"):
            return Color.parse(value)
        if value == "ansi_default":
            return Color.default()
        number = ANSI_COLOR_NAMES.get(value.removeprefix("ansi_"))
        return None if number is None else Color.from_ansi(number)


def color_system(terminal: Terminal) -> ColorSystem:
    """How colours are written to a terminal that has colours of our choice."""
    return ColorSystem.TRUECOLOR if terminal.colors > 256 else ColorSystem.EIGHT_BIT


def blend(color: Color | None, other: Color | None, share: float) -> Color | None:
    """A colour with a share of another one, None where the terminal alone knows one of them."""
    if color is None or other is None or color.triplet is None or other.triplet is None:
        return None
    pairs = zip(color.triplet, other.triplet, strict=True)
    return Color.from_triplet(ColorTriplet(*(int(a + (b - a) * share) for a, b in pairs)))
