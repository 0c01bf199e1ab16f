"""Launch of the screen: a run is read and drawn before Textual is imported."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from rich.segment import Segment

from lossmon.config import Config, config_directory, state_directory
from lossmon.ending import ENDING, end_if_asked
from lossmon.errors import LossmonError, internal_error
from lossmon.monitor import RunSource
from lossmon.monitor.heap import search_briefly
from lossmon.priority import give_way
from lossmon.types import Snapshot
from lossmon.ui.chart.model import chart_settings_of
from lossmon.ui.chart.painter import Painter, cell_style
from lossmon.ui.chart_actions import ChartActions
from lossmon.ui.dashboard.header import header_line, header_parts, progress_parts
from lossmon.ui.dashboard.main_panes import PanePlan, content_of, pane_plans, plans_in
from lossmon.ui.dashboard.notices import notice, notice_line
from lossmon.ui.dashboard.places import (
    Place,
    Wanted,
    classes_of,
    is_narrow,
    main_places,
    pending_rows,
)
from lossmon.ui.dashboard.verdicts import badge_line, verdict_rows
from lossmon.ui.hand_over import draw_on_output, first_screen, owned_terminal
from lossmon.ui.metrics.table import entries_in
from lossmon.ui.scene import Scene, ScreenConfig
from lossmon.ui.state.preferences import Preferences
from lossmon.ui.terminal import detect, is_hung_up
from lossmon.ui.text.lines import EMPTY, FRAME, Line, edge_line
from lossmon.ui.text.sequences import Pieces, collect, painted
from lossmon.ui.theme.palette import Palette, color_system
from lossmon.ui.theme.theme import directories_for, known_name, load_themes, usual_theme

if TYPE_CHECKING:
    from lossmon.ui.app import LossmonApp

LEAST_WIDTH, LEAST_HEIGHT = 20, 4
"""Cells of a main pane below which the frame is left to the dashboard."""

Row = tuple[int, int, Sequence[Segment]]
"""Column, row and text of a part of the frame."""


def first_frame(scene: Scene, palette: Palette, size: tuple[int, int]) -> str | None:
    """Draw a scene with one run.

    Args:
        size: Columns and rows of the screen.

    Returns:
        Text with control sequences that fills the screen, or None where the places of the
        dashboard depend on more than is known here.
    """
    columns, rows = size
    places = _places(scene, columns, rows)
    roomy = all(p.width >= LEAST_WIDTH and p.height >= LEAST_HEIGHT for p in places.values())
    if not places or not roomy:
        return None
    parts: list[Row] = [
        (0, y, palette.segments(one, columns)) for y, one in enumerate(_top(scene, columns))
    ]
    for x, y, end in list(_gaps(size, len(parts), places.values())):
        parts.append((x, y, palette.segments(EMPTY, end - x)))
    for place, plan in zip(places.values(), plans_in(scene, list(places)), strict=True):
        parts += _pane(scene, palette, place, plan)
    pieces: Pieces = {}
    for x, y, segments in parts:
        collect(pieces, segments, x, y)
    return painted(pieces, color_system(scene.terminal))


def _gaps(
    size: tuple[int, int], top: int, places: Iterable[Place]
) -> Iterator[tuple[int, int, int]]:
    """What neither the lines on top nor the panes fill: first column, row and end."""
    columns, rows = size
    for y in range(top, rows):
        x = 0
        for place in sorted(p for p in places if p.y <= y < p.y + p.height):
            if place.x > x:
                yield x, y, place.x
            x = place.x + place.width
        if x < columns:
            yield x, y, columns


def _top(scene: Scene, columns: int) -> list[Line]:
    """The lines above the charts."""
    badge, found = badge_line(scene, columns), notice(scene)
    if is_narrow(columns):
        lines = [badge, header_line(progress_parts(scene, columns), columns)]
    else:
        lines = [header_line(header_parts(scene, columns), columns), badge]
    return [*lines, notice_line(found, columns)] if found else lines


def _places(scene: Scene, columns: int, rows: int) -> dict[str, Place]:
    run, hidden = scene.run, scene.chart_settings.hidden
    reading = scene.snapshot.hardware
    if run is None or scene.lacks_scalars:
        return {}
    if scene.chart_settings.sizes or reading.gpus or reading.host:
        return {}
    is_pending = reading.expected is not None
    hardware = pending_rows(reading, columns) if is_pending else bool(reading.note)
    wanted = Wanted(
        notice=bool(notice(scene)),
        metrics=0 if "metrics" in hidden else len(entries_in(run, scene.pins, "")),
        log=0 if "log" in hidden else len(run.log),
        verdicts=0 if "verdicts" in hidden else verdict_rows(scene, columns - 2),
        hardware=0 if "hardware" in hidden else hardware,
        charts=pane_plans(scene),
        overlaid=scene.chart_settings.overlaid,
    )
    return main_places(columns, rows, wanted)


def _pane(scene: Scene, palette: Palette, place: Place, plan: PanePlan) -> Iterator[Row]:
    """A chart in its frame."""
    x, y, width, height = place
    content, painter = content_of(scene, plan), Painter()
    picture = painter.paint(content.model, content.options, width - 2, height - 2)
    title = content.titles(painter.traces, width)
    yield x, y, palette.segments(edge_line("╭╮", title, FRAME, width, left=True), width)
    side = Segment("│", palette.style(FRAME))
    for row in range(picture.height):
        cells = [Segment(text, cell_style(palette, name)) for text, name in picture.segments(row)]
        yield x, y + 1 + row, [side, *cells, side]
    footer = edge_line("╰╯", [(0, content.footer)], FRAME, width, left=False)
    yield x, y + height - 1, palette.segments(footer, width)


MEANT_FOR_TEXTUAL = ("TEXTUAL_COLOR_SYSTEM", "TEXTUAL_LOG")
"""Variables for other programs made with Textual: it ends where it does not like their values."""

FIRST_LOOK = 0.3
"""Seconds of reading before the first frame, and again while Textual is being imported, which
takes about as long: all but the longest logs are whole by then."""

FEW_RUNS = 0.05
"""Seconds of reading after which it is known whether there is one run."""


class _Reading(threading.Thread):
    """Reads what is there while the main thread imports Textual."""

    def __init__(self, source: RunSource, *, judge: bool) -> None:
        super().__init__(name="first look", daemon=True)
        self._source, self._judge = source, judge
        self._snapshot: Snapshot | None = None

    def run(self) -> None:
        try:
            self._snapshot = self._source.poll(FIRST_LOOK, judge=self._judge)
        except Exception as error:
            # The screen polls again, and says what is wrong.
            internal_error(error)

    def snapshot(self) -> Snapshot | None:
        """Wait for the end and return what was read, None where that failed."""
        self.join()
        return self._snapshot


def view(
    source: RunSource,
    config: Config,
    use_terminal: Callable[[Callable[[str], None]], None] = lambda write: None,
) -> int:
    """Watch runs until the user quits.

    Garbage is collected from the first frame on; the caller may switch that off until then.

    Args:
        source: Where the runs come from; stopped at the end.
        use_terminal: Called with what writes a control sequence to the terminal between two
            pictures; any thread may call that.

    Returns:
        Exit status.
    """
    try:
        draw_on_output()
        terminal = owned_terminal()
        frame = None if terminal is None else _usual_frame(source, config)
        if terminal is None or frame is None:
            # Judging a fleet comes later.
            return _watch(_app(source, config, judge=False), use_terminal)
        with first_screen(terminal, frame) as first:
            # A verdict that is shown already stays.
            app = _app(source, config, judge=True)
            first.hand_to(app)
            return _watch(app, use_terminal)
    finally:
        source.stop()


def _app(source: RunSource, config: Config, *, judge: bool) -> LossmonApp:
    """Import Textual while the runs are read on, and make the app.

    Only the app keeps what was read: columns that are outgrown stay as long as a snapshot of them.
    """
    _import_asyncio()
    reading = _Reading(source, judge=judge)
    reading.start()
    for name in MEANT_FOR_TEXTUAL:
        os.environ.pop(name, None)
    from lossmon.ui.app import LossmonApp

    screen = screen_config(config, reading.snapshot())
    return LossmonApp(source, screen, begin=partial(_begin, source))


def _import_asyncio() -> None:
    """Import asyncio, which Textual needs, without TLS: OpenSSL takes 4 MB.

    asyncio is then as in a Python that was built without OpenSSL. Only the clients of object stores
    use its TLS; whatever imports `ssl` by itself gets it. No other thread may import meanwhile.
    """
    if sys.modules.keys().isdisjoint(("asyncio", "ssl", "lossmon.remote")):
        sys.modules["ssl"] = None  # type: ignore[assignment]
        try:
            import asyncio  # noqa: F401
        finally:
            del sys.modules["ssl"]


def _watch(app: LossmonApp, use_terminal: Callable[[Callable[[str], None]], None]) -> int:
    """Run the app until its end; not at all where the terminal has closed already."""
    import asyncio

    if is_hung_up(0):
        return 128 + signal.SIGHUP
    use_terminal(app.write_sequence)
    return asyncio.run(run_until_asked(app))


def _usual_frame(source: RunSource, config: Config) -> str | None:
    """The first frame of a run, None where there is none or it cannot be drawn."""
    try:
        return frame_of(screen_config(config, _one_run(source)))
    except LossmonError:
        raise
    except Exception as error:
        # The panel at fault says so once there are panels.
        internal_error(error)
        return None


def _one_run(source: RunSource) -> Snapshot:
    """Read and judge what is there, as far as it is one run."""
    snapshot = source.poll(FEW_RUNS)
    if snapshot.busy and is_one_run(snapshot):
        snapshot = source.poll(FIRST_LOOK)
    return snapshot


def is_one_run(snapshot: Snapshot) -> bool:
    """Whether there is one run, and no more will be found or be shown once they are read."""
    known = 1 if not snapshot.busy else snapshot.read[1] if snapshot.read else 0
    return len(snapshot.runs) == known == 1


def frame_of(config: ScreenConfig, size: tuple[int, int] | None = None) -> str | None:
    """The first frame of a run; None where there is none to draw without Textual.

    Args:
        size: Columns and rows; of the terminal if None.
    """
    terminal, preferences = detect(), Preferences(config.state)
    snapshot = config.initial or Snapshot()
    plain = terminal.plain or not terminal.unicode or config.ascii
    if not is_one_run(snapshot) or plain or preferences.error or config.keys:
        return None
    name = config.theme or usual_theme(terminal, preferences.theme)
    themes = load_themes(directories_for(name, config.themes))
    theme = themes.loaded.get(known_name(name, themes.loaded) or "")
    if theme is None or theme.ansi or themes.failed:
        return None
    size = size or shutil.get_terminal_size()
    charts = ChartActions(config.chart_settings, preferences)
    charts.arrange(" ".join(classes_of(*size)))
    scene = Scene(
        snapshot=snapshot,
        chart_settings=charts.settings,
        now=time.time(),
        language=config.language,
        terminal=terminal,
        position=(1, 1),
        ambiguous_tags=snapshot.runs[0].ambiguous_tags,
        pins=preferences.pins,
    )
    return first_frame(scene, Palette(theme.colors), size)


def screen_config(config: Config, initial: Snapshot | None) -> ScreenConfig:
    """What the user set, as the screen takes it.

    Args:
        initial: What is known before the first frame, or None.
    """
    home = config_directory()
    return ScreenConfig(
        theme=None if config.theme == "auto" else config.theme,
        chart_settings=chart_settings_of(config),
        language=config.lang,
        ascii={"auto": None, "ascii": True, "unicode": False}[config.charset],
        themes=home / "themes",
        home=home,
        state=state_directory(),
        initial=initial,
        keys=dict(config.keys),
        names=config.metrics,
        settings=config.file,
        fleet_first=True,
    )


def _begin(source: RunSource) -> None:
    """Start what waits for the first frame: the garbage collector, file events, hardware.

    Runs in the thread that reads, which gives way to the training from here on.
    """
    gc.freeze()
    gc.enable()
    search_briefly()
    give_way()
    source.begin()


async def run_until_asked(app: LossmonApp) -> int:
    """Run an app until the user quits, or until a signal asks it to end.

    A process that simply died would leave the terminal without a cursor and without echo.

    Returns:
        Exit status, 128 and the signal's number where it was a signal.

    Raises:
        SystemExit: A signal came before.
    """
    import asyncio

    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in ENDING}
    for number in ENDING:
        loop.add_signal_handler(number, partial(app.exit, return_code=128 + number))
    try:
        end_if_asked()
        await app.run_async()
    finally:
        # An app that dies while it writes to a lost terminal unmounts nothing; its reading would
        # keep the process alive.
        app.follower.stop()
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
    return app.return_code or 0
