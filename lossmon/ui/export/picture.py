"""The screen as a picture that needs nothing from elsewhere."""

from __future__ import annotations

import re

FONTS = (
    "ui-monospace, 'DejaVu Sans Mono', 'Cascadia Mono', Menlo, Consolas, 'Liberation Mono', "
    "'Apple Braille', 'Segoe UI Symbol', 'DejaVu Sans'"
)
"""Whatever the reader's machine has: the last three have braille where the first have none."""


def without_fonts(svg: str) -> str:
    """Drop the fonts that the picture would fetch: any monospaced one will do."""
    return re.sub(r"@font-face\s*{[^}]*}", "", svg).replace("Fira Code", FONTS)
