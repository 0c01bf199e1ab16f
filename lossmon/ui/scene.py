"""A scene: all that the screen shows at one moment, and how the user wants to look at it."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path

from lossmon.fast_dataclass import dataclass
from lossmon.locale import translate
from lossmon.types import AmbiguousTag, MetricNames, RunSnapshot, RunState, Snapshot
from lossmon.ui.chart.view_options import ChartSettings
from lossmon.ui.terminal import Terminal


@dataclass(frozen=True, slots=True)
class ScreenConfig:
    """What the user set before the screen opens.

    Attributes:
        theme: Name of the theme, or None to choose by what the terminal can show.
        look: How the charts begin.
        language: `en` or `zh`.
        ascii: Draw in ASCII; None asks the terminal.
        themes: The user's own directory of themes, or None.
        home: The user's own directory of settings, where the screen may keep small files of its
            own (never in a run's directory); None keeps nothing.
        recognised: Titles of the formats that can be read, for the waiting screen.
        initial: What is known already, so that the first frame has curves; or None.
        keys: Other keys for actions, by binding id.
        names: What the settings say of names of series.
        settings: The file of settings that answers are written into; None takes `config.toml`
            in `home`, if there is one.
        fleet_first: Begin with the list of all runs where there are several.
    """

    theme: str | None = None
    look: ChartSettings = field(default_factory=ChartSettings)
    language: str = "en"
    ascii: bool | None = None
    themes: Path | None = None
    home: Path | None = None
    recognised: tuple[str, ...] = ()
    initial: Snapshot | None = None
    keys: dict[str, str] = field(default_factory=dict)
    names: MetricNames = field(default_factory=dict)
    settings: Path | None = None
    fleet_first: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """What every view is given.

    Attributes:
        snapshot: The data.
        index: The run in view; meaningless while there is none.
        look: How to see it.
        now: Seconds since the Unix epoch.
        language: `en` or `zh`.
        terminal: What may be drawn.
        frozen: The data stands still because the user said so.
        recognised: Titles of the formats that can be read.
        errors: What went wrong outside the data: broken themes, a reader thread that died.
        marked: Paths of the runs that the user marked to compare them.
        place: Which of how many the run in view is, as they are sorted and filtered; None where
            it is none of them.
        ambiguous_tags: Tags of the run in view that the user was not asked about yet.
        asks: The key that has them asked for, as it is written.
    """

    snapshot: Snapshot = field(default_factory=Snapshot)
    index: int = 0
    look: ChartSettings = field(default_factory=ChartSettings)
    now: float = 0.0
    language: str = "en"
    terminal: Terminal = field(default_factory=Terminal)
    frozen: bool = False
    recognised: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    marked: frozenset[Path] = frozenset()
    place: tuple[int, int] | None = None
    ambiguous_tags: tuple[AmbiguousTag, ...] = ()
    asks: str = "i"

    @property
    def run(self) -> RunSnapshot | None:
        """The run in view, None while there is none."""
        runs = self.snapshot.runs
        return runs[self.index] if self.index < len(runs) else None

    def say(self, text: str) -> str:
        """A word of the screen in the user's language."""
        return translate(text, self.language)


def liveliest(snapshot: Snapshot) -> int:
    """Index of the run to look at first: one with losses, at work, then the newest."""
    active = (RunState.RUNNING, RunState.STALLED)
    ranked = [
        (
            run.train is not None or run.eval is not None,
            run.state in active,
            run.last_time or 0.0,
            -index,
        )
        for index, run in enumerate(snapshot.runs)
    ]
    return -max(ranked)[-1] if ranked else 0
