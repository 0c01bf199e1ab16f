"""Keys of the dashboard, which of them its footer shows, and what can be copied from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from textual.binding import Binding

from lossmon.analysis.sentences import nearest_checkpoint
from lossmon.diagnosis.advice import advise
from lossmon.fast_dataclass import dataclass
from lossmon.types import UNJUDGED, RunSnapshot, RunState, Series
from lossmon.ui.keys import BINDINGS as APP_BINDINGS
from lossmon.ui.scene import Scene
from lossmon.ui.screens.base.scene_screen import axes_of
from lossmon.ui.text.lines import clean
from lossmon.ui.widgets.charts.pane import LossPane
from lossmon.ui.widgets.configuration import Configuration
from lossmon.ui.widgets.hardware import Hardware
from lossmon.ui.widgets.log import LogTail
from lossmon.ui.widgets.metrics import Metrics
from lossmon.ui.widgets.verdicts import Badge, Verdicts

BINDINGS: tuple[Binding, ...] = (
    Binding("tab", "app.focus_next", "focus", id="pane.focus", tooltip="Focus the next pane"),
    Binding("enter", "open", "open", id="pane.open", tooltip="Open the focused pane"),
    Binding("escape", "close", "back", id="pane.close", tooltip="Reset the zoom or leave"),
    Binding(
        "Y",
        "copy",
        "copy",
        id="pane.copy",
        tooltip="Copy verdict, checkpoint or metric",
    ),
    Binding("slash", "filter", "filter", id="pane.filter", tooltip="Filter the metrics"),
    Binding("1", "pane('train')", "train", id="pane.train", tooltip="Train loss"),
    Binding("2", "pane('eval')", "eval", id="pane.eval", tooltip="Eval loss"),
    Binding("3", "pane('metrics')", "metrics", id="pane.metrics", tooltip="Metrics"),
    Binding("4", "pane('hardware')", "hardware", id="pane.hardware", tooltip="Hardware"),
    Binding("5", "pane('log')", "log", id="pane.log", tooltip="Log"),
    Binding("6", "pane('verdicts')", "verdicts", id="pane.verdicts",
            tooltip="Verdict history"),
    Binding("7", "pane('configuration')", "configuration", id="pane.configuration",
            tooltip="Configuration"),
    Binding("ctrl+up", "resize(1)", "taller", id="pane.taller",
            tooltip="Focused pane taller"),
    Binding("ctrl+down", "resize(-1)", "shorter", id="pane.lower",
            tooltip="Focused pane shorter"),
    Binding("ctrl+left", "widen(1)", "wider", id="pane.wider",
            tooltip="Side column wider"),
    Binding("ctrl+right", "widen(-1)", "narrower", id="pane.narrower",
            tooltip="Side column narrower"),
)  # fmt: skip
"""In the order of the help."""

FOOTER_OF: Mapping[type, tuple[str, ...]] = {
    LossPane: ("pane.open", "chart.left", "chart.right", "pane.close"),
    Metrics: (
        "pane.open",
        "pane.row_down",
        "pane.row_up",
        "pane.copy",
        "pane.filter",
        "pane.close",
    ),
    Hardware: ("pane.open", "pane.taller", "pane.lower", "pane.close"),
    Configuration: ("pane.open", "pane.taller", "pane.lower", "pane.close"),
    Verdicts: ("pane.open", "pane.taller", "pane.lower", "pane.close"),
    LogTail: ("pane.open", "pane.taller", "pane.lower", "pane.close"),
    Badge: ("pane.open", "pane.copy", "pane.close"),
}
"""Ids of the keys that the footer shows first while a pane has the focus."""


VIEW_OF: Mapping[str, str] = {
    "metrics": "view.metrics",
    "hardware": "view.hardware",
    "configuration": "view.configuration",
    "verdicts": "view.diagnosis",
    "log": "view.log",
}
"""The view that a click on the title of a pane opens."""


NEED_A_RUN = {
    *(one.id or "" for one in BINDINGS),
    *(one.id for one in APP_BINDINGS if one.id and one.id.startswith("chart.")),
    *("view.diagnosis", "view.metrics", "view.hardware", "view.configuration", "view.log"),
    *("view.export", "view.labels"),
}
"""Ids of keys that do nothing while there is no run to show."""


def useless_keys(scene: Scene) -> set[str]:
    """Ids of keys of the dashboard that would change nothing now."""
    run, runs, settings = scene.run, scene.snapshot.runs, scene.chart_settings
    active = (RunState.WAITING, RunState.RUNNING, RunState.STALLED)
    works = {
        "view.runs": len(runs) > 1,
        "view.compare": len(runs) > 1,
        "run.previous": len(runs) > 1,
        "run.next": len(runs) > 1,
        "view.outputs": run is not None and bool(run.samples),
        "chart.x": len(axes_of(scene)) > 1,
        "run.pause": any(one.state in active for one in runs),
        "pane.all": bool(settings.hidden or settings.sizes),
    }
    useless = {id for id, does in works.items() if not does}
    return useless | NEED_A_RUN if run is None else useless


@dataclass(frozen=True, slots=True)
class Copy:
    """A text for the clipboard.

    Attributes:
        what: What it is, a word of the screen.
        text: One line without control characters.
    """

    what: str
    text: str


def copies_of(run: RunSnapshot, language: str, metric: Series | None = None) -> list[Copy]:
    """What can be copied: the newest value of the chosen metric, the verdict, and the best
    checkpoint, as far as there are any. Asks the file system where the checkpoint is.

    Args:
        language: Code of the language of the verdict.
        metric: The metric that the user chose, or None.
    """
    found = []
    if metric is not None and len(metric):
        found.append(Copy("value", f"{metric.last:.10g}"))
    if run.diagnosis is not UNJUDGED:
        advice = advise(run.diagnosis.verdict, language)
        found.append(Copy("verdict", f"{run.name}: {advice.badge}, {advice.evidence}"))
    if (best := nearest_checkpoint(run)) is not None:
        found.append(Copy("checkpoint", path_of(run.path, best.name)))
    return [Copy(copy.what, clean(copy.text)) for copy in found]


def path_of(run: Path, name: str) -> str:
    """The path of a checkpoint in or beside a run, or its name where it is in neither."""
    places = (run / name, run.parent / name)
    return next((str(place) for place in places if place.exists()), name)


def following(copies: list[Copy], last: str) -> Copy | None:
    """The copy after the one of a kind, in turn; the first where there is none of it."""
    kinds = [copy.what for copy in copies]
    at = kinds.index(last) + 1 if last in kinds else 0
    return copies[at % len(copies)] if copies else None
