"""Control sequences that write styled text to the terminal, in few bytes.

All pieces of one style follow each other, each behind a cursor movement: on a screen of charts that
takes half of the bytes of setting every colour before each piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

Pieces = dict[Style, list[str]]
"""Texts of each style, each behind the movement to its place unless it follows the one before."""


class Codes(NamedTuple):
    """The parameters of a style in a control sequence.

    Attributes:
        background: The background alone.
        attributes: Bold, italic and the like.
        foreground: Attributes and foreground; empty where the style leaves the foreground alone.
        whole: All of them.
    """

    background: str
    attributes: str
    foreground: str
    whole: str

    @property
    def order(self) -> tuple[str, str]:
        """Place among the styles of a picture: those that can continue each other in a row."""
        return self.background, self.attributes

    def continues(self, before: Codes) -> bool:
        """Whether the foreground is all that has to be set behind another style."""
        return (
            self.foreground != ""
            and self.background == before.background
            and before.attributes in ("", self.attributes)
        )


@lru_cache(maxsize=1024)
def codes_of(style: Style, system: ColorSystem) -> Codes:
    """The control parameters of a style."""
    # A style's own `render` keeps the codes of the terminal that it was first rendered for; without
    # colours they are the same everywhere.
    rendered = style.without_color.render("m", legacy_windows=True)
    attributes = rendered.removeprefix("\x1b[").partition("m")[0]
    color = style.color.downgrade(system).get_ansi_codes() if style.color else ()
    ground = style.bgcolor.downgrade(system).get_ansi_codes(False) if style.bgcolor else ()
    own = [attributes] if attributes else []
    return Codes(
        ";".join(ground),
        attributes,
        ";".join([*own, *color]) if color else "",
        ";".join([*own, *color, *ground]),
    )


def collect(pieces: Pieces, segments: Iterable[Segment], x: int, y: int) -> None:
    """Add a line to the pieces.

    Args:
        x: Column of its first cell, from 0 on.
        y: Its row.
    """
    before: Style | None = None
    for segment in segments:
        style = segment.style or Style.null()
        texts = pieces.setdefault(style, [])
        if style != before:
            texts.append(f"\x1b[{y + 1};{x + 1}H")
        texts.append(segment.text)
        x += segment.cell_length
        before = style


def painted(pieces: Mapping[Style, Sequence[str]], system: ColorSystem) -> str:
    """Pieces behind their styles; a style says only how it differs from the one before it."""
    parts: list[str] = []
    before: Codes | None = None
    for codes, style in sorted(
        ((codes_of(style, system), style) for style in pieces), key=lambda pair: pair[0].order
    ):
        text = "".join(pieces[style])
        if before is not None and codes.continues(before):
            parts.append(f"\x1b[{codes.foreground}m{text}")
        else:
            parts.append(f"\x1b[{'0;' if before else ''}{codes.whole or '0'}m{text}")
        before = codes
    return "".join([*parts, "\x1b[0m"]) if parts else ""
