"""Dashboard view: verdict, losses, scalars, hardware, log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar, Protocol

from textual import events, getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.geometry import Offset
from textual.widget import Widget

from lossmon.types import RunState
from lossmon.ui.chart.axes.ranges import x_span
from lossmon.ui.chart.model import XAxis
from lossmon.ui.dashboard.header import hidden_panes
from lossmon.ui.dashboard.main_panes import pane_plans
from lossmon.ui.scene import Scene
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.scene_screen import DetailRequested, TypingScreen
from lossmon.ui.screens.dashboard_keys import BINDINGS, FOOTER_OF, VIEW_OF, useless_keys
from lossmon.ui.screens.pane_sizes import (
    CHARTS,
    SIDE,
    STEPS,
    Border,
    apply_sizes,
    border_at,
    clamped,
    size_of,
    title_at,
)
from lossmon.ui.widgets.charts.pane import Losses, LossPane
from lossmon.ui.widgets.configuration import Configuration
from lossmon.ui.widgets.hardware import Hardware
from lossmon.ui.widgets.header import Header, Notices, Progress, Pulse
from lossmon.ui.widgets.keys import Keys
from lossmon.ui.widgets.log import LogTail
from lossmon.ui.widgets.metrics import Metrics
from lossmon.ui.widgets.verdicts import Badge, Verdicts
from lossmon.ui.widgets.waiting import Waiting


class Part(Protocol):
    """A widget that shows its part of a scene."""

    def show(self, scene: Scene) -> None: ...


class Dashboard(TypingScreen):
    """Hands each widget its part of the scene.

    Args:
        keys: Bindings for the footer, the most wanted first.
        say: Puts a word of the screen into the user's language.
    """

    BINDINGS: ClassVar[list[BindingType]] = list(BINDINGS)

    app = getters.app(ViewHost)
    prompt = "/"

    def __init__(self, keys: list[Binding], say: Callable[[str], str] = str) -> None:
        super().__init__()
        self.several = False
        self._copied: tuple[Widget | None, str] = (None, "")
        self.header = Header(id="header")
        self.badge = Badge(id="badge")
        self.progress = Progress(id="progress")
        self.notices = Notices(id="notices")
        self.empty = Waiting(id="waiting")
        self.losses = Losses(id="losses")
        self.metrics = Metrics(id="metrics")
        self.hardware = Hardware(id="hardware")
        self.configuration = Configuration(id="configuration")
        self.verdicts = Verdicts(id="verdicts")
        self.tail = LogTail(id="log")
        self.pulse = Pulse(id="pulse")
        self.side = Vertical(id="side")
        self._border: Border | None = None
        """The border that is being dragged."""
        self._pressed = Offset(-1, -1)
        """Cell of the screen at which the button of the mouse was pressed."""
        self._arranged: tuple[object, ...] = ()
        self.keys = Keys(keys, say, id="keys")
        self.parts: tuple[Part, ...] = (
            self.header,
            self.badge,
            self.progress,
            self.notices,
            self.empty,
            self.losses,
            self.metrics,
            self.hardware,
            self.configuration,
            self.verdicts,
            self.tail,
            self.pulse,
        )

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.badge
        yield self.progress
        yield self.notices
        yield self.empty
        with Horizontal(id="body"):
            with Vertical(id="main"):
                yield self.losses
                yield self.metrics
            with self.side:
                yield self.hardware
                yield self.configuration
                yield self.verdicts
        yield self.tail
        yield self.pulse
        yield self.keys

    def present(self, scene: Scene) -> None:
        # Before the first layout nothing has a style that would have to follow.
        self.scene, styled = scene, self.is_mounted
        self.several = len(scene.snapshot.runs) > 1
        is_waiting = scene.run is None or scene.lacks_scalars
        self.set_class(is_waiting, "-waiting", update=styled)
        self.set_class(scene.chart_settings.overlaid, "-overlaid", update=styled)
        for pane in (
            self.metrics,
            self.hardware,
            self.configuration,
            self.verdicts,
            self.tail,
        ):
            pane.set_class(pane.id in scene.chart_settings.hidden, "-closed", update=styled)
        for part in self.parts:
            part.show(scene)
        has_settings = not self.configuration.classes & {"-empty", "-closed"}
        self.set_class(has_settings, "-configured", update=styled)
        self._arrange()
        self.keys.cue("pane.all", hidden_panes(scene))
        self._offer()

    def watch_focused(self) -> None:
        self._offer()

    def _offer(self) -> None:
        """Show in the footer what works here and now."""
        focused = self.focused
        self.keys.type(active=self.is_typing)
        first = FOOTER_OF.get(type(focused), ()) if focused is not None else ()
        known = (
            {one.binding.id: one.binding for one in self.active_bindings.values()} if first else {}
        )
        self.keys.offer([known[id] for id in first if id in known], useless_keys(self.scene))

    def tick(self, scene: Scene) -> None:
        if scene.run is None or scene.run.state not in (RunState.RUNNING, RunState.STALLED):
            return
        for part in (self.header, self.pulse):
            part.show(scene)

    def shown_steps(self, scene: Scene) -> tuple[float, float] | None:
        run, chart_settings = scene.run, scene.chart_settings
        if run is None or not chart_settings.recent or chart_settings.x is not XAxis.STEP:
            return None
        lead = run.train_loss or run.eval_loss
        if lead is None or not len(lead):
            return None
        ends = float(lead.first_step), float(lead.last_step)
        span = x_span(*ends, recent=True, total=None, live=False)
        return span.low, span.high

    # ------------------------------------------------------------------------------ panes

    @property
    def _panes(self) -> dict[str, Widget]:
        """Whatever has a size of its own, by name."""
        named = (self.side, self.losses, self.metrics, self.hardware, self.configuration)
        found: dict[str, Widget] = {one.id or "": one for one in (*named, self.verdicts, self.tail)}
        return found | self.losses.panes

    def _arrange(self) -> None:
        """Give panes the sizes that the user wants, where the style sheet leaves them a place."""
        panes, sizes = self._panes, self.scene.chart_settings.sizes
        sizes = {} if self.has_class("-zoom") else sizes
        shown = tuple(one.display for one in panes.values())
        wanted = (sizes, self.size, shown)
        if wanted != self._arranged:
            self._arranged = wanted
            apply_sizes(panes, sizes, self.size)

    def on_resize(self) -> None:
        self._arrange()

    def action_pane(self, name: str) -> None:
        """Focus a pane; with the focus, hide it; one that is hidden, show again.

        One that has no room of its own has the whole body until it is left.
        """
        pane, is_hidden = self._panes[name], name in self.scene.chart_settings.hidden
        if pane.has_focus and list(pane_plans(self.scene)) == [name]:
            # The only chart stays.
            return
        if is_hidden or pane.has_focus:
            self.zoom(None)
            self.set_focus(None)
            self.app.charts.pane(name)
            self.app.present()
        elif not pane.display and pane in self.losses.panes.values():
            # Its curve is drawn in the pane of another.
            self.app.charts.pane(name)
            self.app.present()
            return
        elif not pane.display and not pane.has_class("-empty"):
            self.zoom(pane)
        if name not in self.scene.chart_settings.hidden:
            self.call_after_refresh(pane.focus)

    def action_resize(self, by: int) -> None:
        """Change the height of the pane with the focus, or the share of the first main chart."""
        focused = self.focused.id if self.focused is not None else ""
        name = focused if focused in ("metrics", "log", *SIDE) else "train"
        # The second chart grows as the first one shrinks.
        self._resize(name, -by if focused in CHARTS[1:] else by)

    def action_widen(self, by: int) -> None:
        """Change the width of the side column, where it is one."""
        if self.side.region.x:
            self._resize("side", by)

    def _resize(self, name: str, by: int) -> None:
        panes = self._panes
        has_place = panes[name].display
        if name == "train":
            has_place = has_place and any(panes[one].display for one in CHARTS[1:])
        if has_place:
            size = size_of(name, panes) + by * STEPS.get(name, 1)
            self._give(name, size, keep=True)

    def _give(self, name: str, size: int, *, keep: bool) -> None:
        self.app.charts.resize(name, clamped(name, size, self.size), keep=keep)
        self.app.present()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._pressed = event.screen_offset
        if event.button == 1 and not self.has_class("-zoom"):
            self._border = border_at(self._panes, event.screen_x, event.screen_y)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        border = self._border if event.button else None
        self._border = border
        if border is None:
            return
        size = border.size_at(event.screen_x, event.screen_y)
        if size != size_of(border.name, self._panes):
            if self.app.mouse_captured is None:
                self.capture_mouse()
            self._give(border.name, size, keep=False)

    def on_mouse_up(self) -> None:
        if self._border is not None and self.app.mouse_captured is self:
            self.release_mouse()
            self.app.charts.keep_panes()
        self._border = None

    async def on_click(self, event: events.Click) -> None:
        """Open the view of a pane whose title is clicked."""
        # What was dragged was not clicked.
        if event.screen_offset == self._pressed and not self.entry.active:
            view = VIEW_OF.get(title_at(self._panes, *event.screen_offset))
            if view is not None:
                await self.run_action(f"app.view('{view}')")

    async def action_open(self) -> None:
        """Open what has the focus: a metric in detail, the diagnosis, the log; zoom the others."""
        focused = self.focused
        if isinstance(focused, LogTail):
            await self.run_action("app.view('view.log')")
        elif isinstance(focused, Hardware):
            await self.run_action("app.view('view.hardware')")
        elif isinstance(focused, Verdicts):
            self.zoom(None if self.has_class("-zoom") else focused)
        elif isinstance(focused, Configuration):
            await self.run_action("app.view('view.configuration')")
        elif isinstance(focused, Badge):
            await self.run_action("app.view('view.diagnosis')")
        elif isinstance(focused, Metrics):
            await self._open_metric(focused)
        else:
            self.post_message(DetailRequested(self.losses.subject_of(focused)))

    async def _open_metric(self, metrics: Metrics) -> None:
        """Open the chosen metric in detail; of a group, the charts of its members."""
        entry = next((one for one in metrics.entries if one.key == metrics.chosen_key), None)
        if entry is None or not entry.is_group:
            self.post_message(DetailRequested(metrics.chosen_key))
            return
        self.app.metric_choices.group = entry.key
        await self.run_action("app.view('view.metrics')")

    async def action_copy(self) -> None:
        """Copy the value of the chosen metric, the verdict or the checkpoint; the next at the next
        press."""
        from lossmon.ui.screens.dashboard_keys import copies_of, following

        scene, focused = self.scene, self.focused
        if scene.run is None:
            return
        metric = self.metrics.chosen_series if focused is self.metrics else None
        # A file system that does not answer must not stop the screen.
        copies = await asyncio.to_thread(copies_of, scene.run, scene.language, metric)
        copy = following(copies, self._copied[1] if self._copied[0] is focused else "")
        if copy is None:
            return
        self._copied = focused, copy.what
        self.app.copy_to_clipboard(copy.text)
        self.app.show_notice(f"{scene.say(copy.what)}: {copy.text}", scene.say("copied"))

    def action_filter(self) -> None:
        """Begin to type which metrics the panel shows."""
        self.entry.begin(self.metrics.filter)
        self.typed()

    def typed(self) -> None:
        self.metrics.sift(self.entry.text, typing=self.entry.active)
        self._offer()

    async def action_close(self) -> None:
        """Drop the cursor, leave the zoom, let go of the focus, or go back to all runs."""
        if isinstance(self.focused, LossPane) and self.focused.drop_cursor():
            return
        if self.has_class("-zoom"):
            self.zoom(None)
        elif self.focused is not None:
            self.set_focus(None)
        elif self.metrics.filter:
            self.metrics.sift("")
        elif self.several:
            await self.run_action("app.view('view.runs')")

    def zoom(self, pane: Widget | None) -> None:
        """Give one pane the whole body; None gives every pane its place again."""
        self.set_class(pane is not None, "-zoom")
        self._arrange()
        kept = set() if pane is None else {pane, *pane.ancestors}
        for widget in self.query("#body, #body > *, #main > *, #side > *, LossPane, #log"):
            widget.set_class(widget in kept, "-zoomed")
            widget.set_class(pane is not None and widget not in kept, "-behind")
