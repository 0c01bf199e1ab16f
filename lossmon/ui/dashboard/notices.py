"""One line for what the data cannot say by itself: loading, freezing, files that failed."""

from __future__ import annotations

from pathlib import Path

from rich.cells import cell_len

from lossmon.analysis.file_sentences import about_media
from lossmon.locale import message, phrase
from lossmon.types import RunSnapshot
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, bar, clean, clip, clip_middle, fit
from lossmon.ui.text.lines import width as width_of

SETTLED = 0.5
"""Seconds of reading before its rate is shown: the first files may be smaller than the rest."""

BANNER = 20
"""Lines that a training may print before its first metric."""


def notice_line(line: Line, width: int) -> Line:
    """A notice in a row of so many cells."""
    return fit(((" ", TEXT), *shortened(line, width - 1)), width)


def shortened(line: Line, room: int) -> Line:
    """Shorten the longest text: a path in its middle, so that the reason behind it stays, and a
    sentence at its end."""
    over = width_of(line) - room
    if over <= 0:
        return line
    at = max(range(len(line)), key=lambda at: cell_len(line[at][0]))
    text, role = line[at]
    cut = clip_middle if "/" in text else clip
    return (*line[:at], (cut(text, max(0, cell_len(text) - over)), role), *line[at + 1 :])


class Pace:
    """How fast the run in view is being read, from what two scenes tell."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._begun, self._from = 0.0, 0.0
        self.bytes_per_second = 0.0
        self.remaining: float | None = None
        """Seconds until all is read, None while that is unknown."""

    def update(self, scene: Scene) -> None:
        """Learn from a scene. Reading that was interrupted is measured again."""
        run = scene.run
        if run is None or run.loaded >= 1 or scene.paused:
            self._path = None
            return
        if run.path != self._path or run.loaded < self._from:
            self._path, self._begun, self._from = run.path, scene.now, run.loaded
            self.bytes_per_second, self.remaining = 0.0, None
        passed, read = scene.now - self._begun, run.loaded - self._from
        if passed >= SETTLED and read > 0:
            self.bytes_per_second = read * run.size / passed
            self.remaining = (1 - run.loaded) * passed / read


def notice(scene: Scene, pace: Pace | None = None) -> Line:
    """What is most urgent: paused, loading, errors, unlabelled, notes, no metrics, media."""
    run = scene.run
    unread = run is not None and run.loaded < 1
    if scene.paused:
        share = f" {100 * run.loaded:.0f}%" if run is not None and unread else ""
        return (
            ("‖ " + scene.say("paused") + share, "notice!"),
            ("  " + scene.say("space resumes"), MUTED),
        )
    if run is not None and unread:
        return _reading(scene, run, pace)
    errors = [*scene.errors, *(run.errors if run else ())]
    if errors:
        more = f"  (+{len(errors) - 1})" if len(errors) > 1 else ""
        return (("⚠ ", "warning"), (clean(message(errors[0], scene.language)), TEXT), (more, MUTED))
    if scene.ambiguous_tags:
        return _unlabelled(scene)
    # Without a run the panel that says what is waited for has them.
    notes = [*run.notes, *scene.snapshot.notes] if run else []
    if notes:
        return ((clean(message(notes[0], scene.language)), MUTED),)
    if run is not None and not run.series and not run.media and len(run.log) >= BANNER:
        text = "no metrics yet; `lossmon explain {path}` shows what each line gives"
        return ((clean(phrase(text, scene.language, path=str(run.path))), MUTED),)
    if run is None or not run.media or scene.lacks_scalars:
        return EMPTY
    press = f" – {scene.say('press')} "
    return (
        (about_media(run, scene.language), MUTED),
        (press, MUTED),
        (scene.key("view.metrics"), "key"),
    )


def _unlabelled(scene: Scene) -> Line:
    """How many metrics are unlabelled, and the key to label them with."""
    count = len(scene.ambiguous_tags)
    text = scene.say("{} unlabelled metrics") if count > 1 else scene.say("1 unlabelled metric")
    press = f" – {scene.say('press')} "
    return ((text.format(count), MUTED), (press, MUTED), (scene.key("view.labels"), "key"))


def _reading(scene: Scene, run: RunSnapshot, pace: Pace | None) -> Line:
    """How much is read, how fast, and how long that takes."""
    line: Line = (
        (scene.say("reading") + " ", MUTED),
        *bar(run.loaded, 12),
        (f" {100 * run.loaded:.0f}%", TEXT),
    )
    if pace is None or pace.remaining is None:
        return line
    rate, left = numbers.size(pace.bytes_per_second), numbers.duration(pace.remaining)
    rest = f"  {rate}B/s  {left}"
    return (*line, (rest, MUTED), ("  " + scene.say("space pauses"), MUTED))
