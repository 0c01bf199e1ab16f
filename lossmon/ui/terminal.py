"""Terminal capabilities: colours and characters."""

from __future__ import annotations

import codecs
import os
import select
import struct
import sys
from collections.abc import Mapping

from lossmon.fast_dataclass import dataclass

TRUE_COLOR = 1 << 24

KITTY_TERMS = {"xterm-kitty", "xterm-ghostty"}
"""What kitty and Ghostty call themselves; both have all colours."""

COERCED = {"C.UTF-8", "C.utf8", "UTF-8"}
"""What Python may make of LC_CTYPE where the user asked for the C locale."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """What may be sent to the terminal.

    Attributes:
        colors: How many colours it knows; 0 where the user wants none.
        unicode: It takes UTF-8; otherwise everything is drawn in ASCII.
        light: Its background is known to be light.
        kitty: It is kitty or Ghostty, and nothing stands between it and this process.
    """

    colors: int = TRUE_COLOR
    unicode: bool = True
    light: bool = False
    kitty: bool = False

    @property
    def plain(self) -> bool:
        """It has no colours of our choice: the theme is the terminal's own."""
        return self.colors <= 16

    @property
    def has_images(self) -> bool:
        """It draws images where cells of text ask for them; their colour is the image's id."""
        return self.kitty and self.unicode and self.colors == TRUE_COLOR


def detect(environ: Mapping[str, str] | None = None, encoding: str | None = None) -> Terminal:
    """Read the environment as terminals and users spell it.

    Args:
        environ: Variables; of this process if None.
        encoding: Of the standard output; asked of the locale if None.
    """
    environ = os.environ if environ is None else environ
    if encoding is None:
        encoding = getattr(sys.__stdout__, "encoding", None) or "utf-8"
    return Terminal(
        _colors(environ), _is_unicode(environ, encoding), _is_light(environ), _is_kitty(environ)
    )


def cell_size() -> tuple[int, int]:
    """Width and height of a cell in pixels; 10 by 20 where the terminal does not say."""
    try:
        import fcntl
        import termios

        output = sys.__stdout__
        number = -1 if output is None else output.fileno()
        said = fcntl.ioctl(number, termios.TIOCGWINSZ, bytes(8))
    except (ImportError, OSError, ValueError):
        return 10, 20
    rows, columns, width, height = struct.unpack("4H", said)
    if not (rows and width >= columns > 0 and height >= rows):
        return 10, 20
    return width // columns, height // rows


def is_hung_up(number: int) -> bool:
    """Whether the terminal of a file descriptor has been closed."""
    poll = select.poll()
    poll.register(number, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


def _is_kitty(environ: Mapping[str, str]) -> bool:
    """What the terminal says of itself; it is not asked, as its answer would look like keys.

    tmux and screen keep images from the terminal, and a browser has none. The variables of kitty
    and Ghostty reach terminals that are opened from them, which then have a name of their own.
    """
    if any(name in environ for name in ("TMUX", "STY", "TEXTUAL_DRIVER")):
        return False
    term, program = environ.get("TERM", "").lower(), environ.get("TERM_PROGRAM", "").lower()
    if term in KITTY_TERMS:
        return True
    inherited = "kitty" if environ.get("KITTY_WINDOW_ID") else ""
    return term == "xterm-256color" and (program or inherited) in {"kitty", "ghostty"}


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
    # ssh hands TERM on, but not COLORTERM.
    if term.endswith("-direct") or term in KITTY_TERMS:
        return TRUE_COLOR
    if "256color" in term or term.startswith(("alacritty", "wezterm", "foot")):
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
