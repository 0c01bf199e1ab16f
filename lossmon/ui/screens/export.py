"""Export view: which files to write of a run, and where."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import ClassVar, Self

from rich.cells import cell_len
from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.message import Message

from lossmon.reports.export.files import Cancelled, Work, file_name, fresh
from lossmon.reports.export.points import write_points
from lossmon.types import RunSnapshot
from lossmon.ui.export.report import page
from lossmon.ui.media.kitty import without_images
from lossmon.ui.scene import Scene
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.page_screen import PageScreen
from lossmon.ui.screens.base.scene_screen import TypingScreen
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import (
    EMPTY,
    MUTED,
    STRONG,
    TEXT,
    Line,
    choose,
    clean,
    clip_middle,
    clip_start,
    plain,
    pointer,
    wrap,
)

KINDS = (
    ("html", "report of the run (HTML)"),
    ("csv", "points in view (CSV)"),
    ("svg", "screenshot (SVG)"),
)

BAR = 30
"""Cells of the bar that shows how far the writing is."""


LEAST = 0.02
"""The share of the work after which the bar moves."""


class Reached(Message):
    """How far the writing is."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Reached)


class Written(Message):
    """The writing has ended, well or not.

    Args:
        said: Lines with the roles of their colours.
    """

    def __init__(self, said: list[tuple[str, str]]) -> None:
        super().__init__()
        self.said = said


def _usual_directory() -> Path:
    """The current directory, or that of the user where it was deleted."""
    try:
        return Path.cwd()
    except OSError:
        return Path.home()


class ExportScreen(TypingScreen, PageScreen):
    """Files to write; Enter writes them, escape ends it.

    Args:
        run: What is written; it stays the same while newer data comes.
        picture: The screen as SVG, as it was before this page covered it.
        steps: The steps that are in view, ends included; None if it is the whole run.
        directory: Where the files go unless the user says otherwise.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "up", id="page.kind_up", show=False, tooltip="Previous file"),
        Binding(
            "down,j", "choose(1)", "down", id="page.kind_down", show=False, tooltip="Next file"
        ),
        Binding("space", "mark", "choose", id="page.kind", tooltip="Select or deselect this file"),
        Binding("e", "where", "path", id="page.where", tooltip="Change the directory"),
        Binding("enter", "write", "write", id="page.write", tooltip="Write the selected files"),
        Binding("escape", "end", "back", id="page.export_cancel", tooltip="Cancel / go back"),
    ]

    HINTS = ("page.export_cancel",)

    @classmethod
    def create(cls, app: ViewHost) -> Self | None:
        """Take a screenshot of the view on top; in a browser hand it the page instead."""
        run, view = app.runs.run, app.view
        if run is None or view is None:
            return None
        if app.is_web:
            hand_over(app, run)
            return None
        picture = without_fonts(without_images(app.export_screenshot(title=clean(run.name))))
        return cls(run, picture, view.shown_steps(app.scene), _usual_directory())

    def __init__(
        self,
        run: RunSnapshot,
        picture: str,
        steps: tuple[float, float] | None,
        directory: Path,
    ) -> None:
        super().__init__()
        self.run, self.picture, self.steps = run, picture, steps
        self.directory = str(directory)
        self.chosen, self.wanted = 0, {name for name, _ in KINDS}
        self.said: list[tuple[str, str]] = []
        """What was written or went wrong, with the role of its colour."""
        self.share: float | None = None
        """How much is done while files are written."""
        self._begun, self._told = 0.0, 0.0
        self._work: Work | None = None

    def toggle(self) -> None:
        if self._work is None:
            super().toggle()

    def lines(self, room: int) -> Sequence[Line]:
        say = self.scene.say
        rows: list[Line] = []
        for at, (name, text) in enumerate(KINDS):
            mark = "■" if name in self.wanted else "□"
            here = at == self.chosen
            rows.append(
                (
                    pointer(chosen=here),
                    (f"{mark} ", TEXT),
                    (say(text), STRONG if here else TEXT),
                )
            )
        left = room - 3 - cell_len(say("into"))
        where = clip_middle(clean(self.directory), left)
        if self.entry.active:
            # What is typed stays in view, with its cursor.
            where = clip_start(plain(self.entry.line()), left)
        rows += [EMPTY, (("  ", TEXT), (say("into") + " ", MUTED), (where, TEXT)), EMPTY]
        if self.share is not None:
            return [*rows, self._bar(self.share)]
        for text, role in self.said:
            rows += [(("  " + line, role),) for line in wrap(clean(text), max(8, room - 2))]
        if not self.said:
            keys = (("enter", "write"), ("space", "choose"), ("e", "path"))
            hints = [(0, ((key, "key"), (f" {say(word)}", MUTED))) for key, word in keys]
            rows.append((("  ", TEXT), *choose(hints, room - 2)))
        return rows

    def _bar(self, share: float) -> Line:
        full = int(share * BAR)
        passed = time.monotonic() - self._begun
        left = f"  {numbers.duration(passed * (1 - share) / share)}" if share > 0.02 else ""
        return (
            ("  " + "█" * full, "bar"),
            ("░" * (BAR - full), MUTED),
            (f" {numbers.percent(100 * share)}{left}", TEXT),
        )

    def on_key(self, event: events.Key) -> None:
        before = self.entry.text
        if not self.entry.handle(event):
            return
        if event.key == "enter":
            self.directory = before or self.directory
        self.present(self.scene)

    def typed(self) -> None:
        self.present(self.scene)

    def action_choose(self, rows: int) -> None:
        """Move the choice, round the ends."""
        self.chosen = (self.chosen + rows) % len(KINDS)
        self.present(self.scene)

    def action_mark(self) -> None:
        """Write the chosen file, or not."""
        self.wanted ^= {KINDS[self.chosen][0]}
        self.present(self.scene)

    def action_where(self) -> None:
        """Type another directory."""
        if self.share is None:
            self.entry.begin(self.directory)
            self.present(self.scene)

    def action_end(self) -> None:
        """End the writing; with nothing to end, go back."""
        if self._work is None:
            self.action_back()
        else:
            self._work.cancel()

    def action_write(self) -> None:
        """Write the chosen files."""
        if self._work is None and self.wanted:
            self.said, self.share, self._told = [], 0.0, 0.0
            self._begun = time.monotonic()
            self._work = Work(self._report)
            self.present(self.scene)
            self.write_files(self._work, self.scene, sorted(self.wanted))

    def on_click(self, event: events.Click) -> None:
        at = self.row_at(event)
        if at is not None and at < len(KINDS):
            self.chosen = at
            self.action_mark()
        elif at == len(KINDS) + 1:
            self.action_where()

    def on_unmount(self) -> None:
        if self._work is not None:
            self._work.cancel()

    @work(thread=True, exclusive=True, group="write")
    def write_files(self, job: Work, scene: Scene, kinds: Sequence[str]) -> None:
        """Write one file after the other, in a thread of its own."""
        said = []
        try:
            directory = Path(self.directory).expanduser()
            directory.mkdir(parents=True, exist_ok=True)
            name = file_name(self.run.name, scene.now)
            for kind in kinds:
                path = directory / f"{name}.{kind}"
                self._write(kind, path, job, scene)
                said.append((f"✓ {path}", "ok"))
        except Cancelled:
            said.append((scene.say("cancelled; the partial file was deleted"), "warning"))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            place = getattr(error, "filename", None) or self.directory
            said.append((f"✖ {place}: {reason or error}", "critical"))
        self.post_message(Written(said))

    def _write(self, kind: str, path: Path, job: Work, scene: Scene) -> None:
        with fresh(path) as out:
            if kind == "csv":
                write_points(out, self.run.series, job, self.steps)
            elif kind == "svg":
                out.write(self.picture)
            else:
                out.write(page(self.run, scene.chart_settings, scene.language, scene.now))

    def _report(self, share: float) -> None:
        """Called in the writing thread."""
        if share - self._told >= LEAST:
            self._told = share
            self.post_message(Reached(share))

    @on(Reached)
    def show_share(self, message: Reached) -> None:
        """Move the bar."""
        if self._work is not None:
            self.share = message.share
            self.present(self.scene)

    @on(Written)
    def show_end(self, message: Written) -> None:
        """Say what was written, or why not."""
        self.said, self.share, self._work = message.said, None, None
        self.present(self.scene)


def hand_over(app: ViewHost, run: RunSnapshot) -> None:
    """Give the page to the browser: who looks through one may not write our files."""
    now = app.clock()
    text = page(run, app.charts.settings, app.config.language, now)
    name = f"{file_name(run.name, now)}.html"
    app.deliver_text(StringIO(text), save_filename=name, mime_type="text/html")


FONTS = (
    "ui-monospace, 'DejaVu Sans Mono', 'Cascadia Mono', Menlo, Consolas, 'Liberation Mono', "
    "'Apple Braille', 'Segoe UI Symbol', 'DejaVu Sans'"
)
"""Whatever the reader's machine has: the last three have braille where the first have none."""


def without_fonts(svg: str) -> str:
    """Drop the fonts that the picture would fetch: any monospaced one will do."""
    return re.sub(r"@font-face\s*{[^}]*}", "", svg).replace("Fira Code", FONTS)
