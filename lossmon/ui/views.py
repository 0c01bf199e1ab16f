"""The views: the actions that put each on top of the screen, or close it again."""

from __future__ import annotations

from functools import partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from lossmon.ui.chart.view_options import ChartSettings
from lossmon.ui.scene import Scene, ScreenConfig
from lossmon.ui.state.preferences import Preferences
from lossmon.ui.text.lines import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from textual.app import App

    from lossmon.types import AmbiguousTag, MetricNames, RunSnapshot, Snapshot
    from lossmon.ui.compare.runs import RunLetters
    from lossmon.ui.fleet.fleet import Fleet
    from lossmon.ui.screens.view import View
    from lossmon.ui.state.ratings import Ratings
    from lossmon.ui.state.tag_answers import TagAnswers

    Base = App[None]
else:
    Base = object


class Views(Base):
    """Part of the app: each view is imported when it is first asked for, not at the start."""

    clock: Callable[[], float]
    config: ScreenConfig
    kept: Preferences
    look: ChartSettings
    snapshot: Snapshot
    _letters: RunLetters | None = None
    _naming: TagAnswers | None = None
    _opinions: Ratings | None = None
    _user_chose: bool

    if TYPE_CHECKING:

        @property
        def scene(self) -> Scene:
            """What the view on top shows."""
            raise NotImplementedError

        @property
        def view(self) -> View | None:
            """The view on top."""

        @property
        def fleet(self) -> Fleet:
            """Order, filter and choice of all runs."""
            raise NotImplementedError

        def open(self, view: View) -> None:
            """Put a view on top, or close it if it is there."""

        def look_at(self, path: Path) -> None:
            """Have a run in view from now on."""

        def choose_run(self, index: int) -> None:
            """Look at a run of the snapshot."""

        def mark(self, path: Path) -> None:
            """Mark a run for comparison, or take its mark away."""

        def tell_names(self, names: MetricNames) -> None:
            """Have the runs read with what the user says of names."""

        def load_settings(self, paths: Collection[Path]) -> None:
            """Have the settings files of runs read."""

        def all_themes(self) -> list[str]:
            """The names of every theme."""
            raise NotImplementedError

        def wear(self, theme: str) -> None:
            """Show the screen in a theme."""

    def open_detail(self, key: str | None, step: int | None) -> None:
        """Open a metric full screen, or go back to the one below."""
        from lossmon.ui.screens.detail import DetailView
        from lossmon.ui.widgets.metric_list import LOSSES

        if self.scene.run is None:
            return
        below = self.screen_stack[-2] if len(self.screen_stack) > 1 else None
        if isinstance(below, DetailView) and key is None:
            below.ask(step)
            self.pop_screen()
        else:
            self.open(DetailView(key or LOSSES, step, self.config.keys))

    def action_diagnosis(self) -> None:
        """Open or close the diagnosis."""
        from lossmon.ui.screens.diagnosis import DiagnosisPage

        self.open(DiagnosisPage())

    def action_log(self) -> None:
        """Open or close the log."""
        from lossmon.ui.screens.log import LogPage

        step = self.view.step if self.view else None
        below = self.screen_stack[-2] if len(self.screen_stack) > 1 else None
        if isinstance(below, LogPage):
            below.ask(step)
            self.pop_screen()
        else:
            self.open(LogPage(step))

    def action_write(self) -> None:
        """Write what is shown into files."""
        from lossmon.ui.export.picture import without_fonts
        from lossmon.ui.screens.write import WritePage

        run, view = self.scene.run, self.view
        if isinstance(view, WritePage) or run is None or view is None:
            return
        if self.is_web:
            self._hand_over(run)
            return
        picture = without_fonts(self.export_screenshot(title=clean(run.name)))
        self.open(WritePage(run, picture, view.shown_steps(self.scene), Path.cwd()))

    def _hand_over(self, run: RunSnapshot) -> None:
        """Give the page to the browser: who looks through one has no business in our files."""
        from lossmon.reports.export.files import file_name
        from lossmon.ui.export.report import page

        now = self.clock()
        text = page(run, self.look, self.config.language, now)
        name = f"{file_name(run.name, now)}.html"
        self.deliver_text(StringIO(text), save_filename=name, mime_type="text/html")

    def action_outputs(self) -> None:
        """Open or close the outputs."""
        from lossmon.ui.screens.outputs import OutputsView
        from lossmon.ui.state.ratings import Ratings

        # Kept for as long as the app is, where nothing may be kept on disk.
        self._opinions = self._opinions or Ratings(None if self.is_web else self.config.home)
        self.open(OutputsView(self._opinions))

    def action_names(self) -> None:
        """Open or close the names that cannot be told apart."""
        from lossmon.ui.screens.names import NamesPage
        from lossmon.ui.state.tag_answers import TagAnswers

        if self._naming is None:
            home, file = self.config.home, self.config.settings
            file = file or (home / "config.toml" if home else None)
            # Who looks through a browser has no business in our files.
            self._naming = TagAnswers(
                self.config.names, None if self.is_web else file, self.tell_names
            )
        self.open(NamesPage(self._naming))

    @property
    def naming_troubles(self) -> tuple[str, ...]:
        """Why an answer could not be written, if one could not."""
        return (self._naming.trouble,) if self._naming and self._naming.trouble else ()

    def unclear_of(self, run: RunSnapshot | None) -> tuple[AmbiguousTag, ...]:
        """The names of a run that the user was not asked about yet."""
        if run is None:
            return ()
        return run.ambiguous_tags if self._naming is None else self._naming.open(run)

    def action_help(self) -> None:
        """Open or close the help."""
        from lossmon.ui.key_catalogue import catalogue
        from lossmon.ui.screens.help import HelpPage

        self.open(HelpPage(catalogue(), self.config.keys))

    def action_runs(self) -> None:
        """Open or close the list of runs."""
        from lossmon.ui.screens.fleet import FleetPage

        fleet, run = self.fleet, self.scene.run
        if run is not None and self._user_chose:
            fleet.choose_path(run.path)
        self.open(FleetPage(fleet, self.scene, self.look_at, self.mark))

    def action_compare(self) -> None:
        """Open or close the comparison of runs."""
        from lossmon.ui.compare.runs import RunLetters
        from lossmon.ui.screens.compare import CompareView

        if self._letters is None:
            self._letters = RunLetters()
        self.open(CompareView(self.choose_run, self._letters, self.load_settings))

    def action_theme(self) -> None:
        """Open the themes, each of which can be tried on."""
        from lossmon.ui.screens.themes import ThemesPage

        self.open(ThemesPage(self.all_themes(), self.theme, self.wear, self.kept.keep_theme))

    def action_palette(self) -> None:
        """Open the palette over what can be done in the view on top."""
        from lossmon.ui.screens.palette import Command, PalettePage, actions

        known = actions(
            self.screen.active_bindings,
            self.scene.say,
            lambda one: self.run_action(one.binding.action, one.node),
        )
        known += [
            Command(run.name, self.scene.say("runs"), "open run", partial(self.choose_run, at))
            for at, run in enumerate(self.snapshot.runs)
            if len(self.snapshot.runs) > 1
        ]
        known += [
            Command(name, self.scene.say("theme"), "theme", partial(self.wear, name))
            for name in self.all_themes()
        ]
        self.open(PalettePage(known))
