"""What the terminal can show: colours and characters."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Mapping

from lossmon.fast_dataclass import dataclass

TRUE_COLOR = 1 << 24

COERCED = {"C.UTF-8", "C.utf8", "UTF-8"}
"""What Python may make of LC_CTYPE where the user asked for the C locale."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """What may be sent to the terminal.

    Attributes:
        colors: How many colours it knows; 0 where the user wants none.
        unicode: It takes UTF-8; otherwise everything is drawn in ASCII.
        light: Its background is known to be light.
    """

    colors: int = TRUE_COLOR
    unicode: bool = True
    light: bool = False

    @property
    def plain(self) -> bool:
        """It has no colours of our choice: the theme is the terminal's own."""
        return self.colors <= 16


def detect(environ: Mapping[str, str] | None = None, encoding: str | None = None) -> Terminal:
    """Read the environment as terminals and users spell it.

    Args:
        environ: Variables; of this process if None.
        encoding: Of the standard output; asked of the locale if None.
    """
    environ = os.environ if environ is None else environ
    if encoding is None:
        encoding = getattr(sys.__stdout__, "encoding", None) or "utf-8"
    return Terminal(_colors(environ), _is_unicode(environ, encoding), _is_light(environ))


def _is_light(environ: Mapping[str, str]) -> bool:
    """What `COLORFGBG` says (`0;15`: black on white): rxvt, Konsole, iTerm and others set it.

    The terminal itself is not asked: over a slow line the answer would come after the first frame.
    """
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return background in ("7", "15")


def _colors(environ: Mapping[str, str]) -> int:
    if environ.get("NO_COLOR"):
        return 0
    if environ.get("COLORTERM", "").strip().lower() in {"truecolor", "24bit"}:
        return TRUE_COLOR
    term = environ.get("TERM", "").lower()
    if term in {"", "dumb", "unknown", "vt100", "vt220"}:
        return 0
    if term.endswith("-direct"):
        return TRUE_COLOR
    if "256color" in term or term.startswith(("xterm-kitty", "alacritty", "wezterm", "foot")):
        return 256
    return 16


def _is_unicode(environ: Mapping[str, str], encoding: str) -> bool:
    # The console of Linux has a font of 256 or 512 glyphs: no braille and few blocks.
    if environ.get("TERM", "").lower() in {"linux", "dumb", "vt100", "vt220"}:
        return False
    # Python answers UTF-8 in the C locale (PEP 538, PEP 540), where the terminal promised nothing;
    # it even sets LC_CTYPE then.
    said = [environ[key] for key in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(key)]
    if not environ.get("LC_ALL") and said[-1:] in (["C"], ["POSIX"]) and said[0] in COERCED:
        said.pop(0)
    locale = said[0] if said else ""
    if locale and "." in locale and "utf" not in locale.lower():
        return False
    if locale in {"C", "POSIX"}:
        return False
    try:
        return codecs.lookup(encoding).name.startswith("utf")
    except LookupError:
        return False
