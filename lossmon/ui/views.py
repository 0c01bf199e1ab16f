"""Views: one row per view. Keys, footer, help, palette and documents come from this table."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, cast

from textual.binding import Binding

from lossmon.fast_dataclass import dataclass
from lossmon.types import MediaKind

if TYPE_CHECKING:
    from lossmon.ui.screens.base.scene_screen import SceneScreen


@dataclass(frozen=True, slots=True)
class View:
    """A row of the table of views.

    Attributes:
        id: Id of the key binding, in `[keys]` of the settings.
        key: Keys that open and close the view, separated by commas; empty where another view
            opens it.
        title: What the footer calls it, in English.
        summary: What help and palette say about it, in English.
        factory: The screen class, as `module:class` below `lossmon.ui.screens`. It is imported
            when the view is first opened; its `create` makes the screen.
        footer: Rank in the footer of the dashboard, the first to stay when room shrinks being 0;
            None leaves it out.
    """

    id: str
    key: str
    title: str
    summary: str
    factory: str
    footer: int | None = None

    @property
    def binding(self) -> Binding:
        """The key that opens and closes the view."""
        return Binding(self.key, f"view({self.id!r})", self.title, id=self.id, tooltip=self.summary)

    def screen_class(self) -> type[SceneScreen]:
        """The class of its screen, imported now."""
        return cast("type[SceneScreen]", resolve_name(f"{_SCREENS}.{self.factory}"))


_SCREENS = "lossmon.ui.screens"

DETAIL = View("view.detail", "", "chart", "One chart full screen", "detail:DetailScreen")
"""Opened by a message, which says with which metric."""

MEDIA = {
    MediaKind.HISTOGRAM: View("view.histograms", "", "histograms", "Histograms over steps",
                              "media.histograms:HistogramsScreen"),
    MediaKind.PR_CURVE: View("view.pr_curves", "", "PR curves", "Precision over recall",
                             "media.curves:PrCurvesScreen"),
    MediaKind.ROC_CURVE: View("view.roc_curves", "", "ROC curves",
                              "True positive rate over false positive rate",
                              "media.curves:RocCurvesScreen"),
    MediaKind.IMAGE: View("view.images", "", "images", "Logged images",
                          "media.images:ImagesScreen"),
}  # fmt: skip
"""Opened by a message, which says with which tag."""

METRICS = View("view.metrics", "m", "metrics", "Charts of all metrics", "metrics:MetricsScreen",
               footer=15)  # fmt: skip
"""The first view of a run with images and without scalars."""

RUNS = View("view.runs", "r", "runs", "All runs", "runs:RunsScreen", footer=5)
"""The first view where there are several runs."""

VIEWS = (
    View("view.diagnosis", "d", "diagnosis", "Verdict, evidence, next steps",
         "diagnosis:DiagnosisScreen", footer=2),
    METRICS,
    View("view.hardware", "H", "hardware", "GPUs over time, under the loss",
         "hardware:HardwareScreen", footer=132),
    View("view.configuration", "h", "configuration", "Hyperparameters, and what changed",
         "configuration:ConfigurationScreen", footer=131),
    View("view.log", "l", "log", "Log full screen", "log:LogScreen", footer=4),
    View("view.outputs", "u", "outputs", "Model outputs", "outputs:OutputsScreen", footer=80),
    RUNS,
    View("view.export", "w", "export", "Export page, points, screenshot", "export:ExportScreen",
         footer=133),
    View("view.settings", "C", "lossmon settings", "Settings in config.toml",
         "settings:SettingsScreen"),
    View("view.labels", "i", "labels", "Label metrics", "labels:LabelsScreen"),
    View("view.compare", "c", "compare", "Compare runs", "compare:CompareScreen", footer=90),
    View("view.help", "question_mark", "help", "Help", "help:HelpScreen", footer=0),
    DETAIL,
    *MEDIA.values(),
    View("app.theme", "t", "themes", "Themes", "themes:ThemesScreen", footer=130),
    View("app.palette", "ctrl+p,colon", "commands", "All commands", "palette:PaletteScreen",
         footer=134),
)  # fmt: skip
"""Every view but the dashboard, in the order of the help."""

BY_ID = {view.id: view for view in VIEWS}
"""The rows by id."""
