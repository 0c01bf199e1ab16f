"""Scenes: all that the screen shows at one moment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from lossmon.fast_dataclass import dataclass
from lossmon.locale import metric_name, phrase, translate
from lossmon.types import AmbiguousTag, Axis, MetricNames, RunSnapshot, Snapshot
from lossmon.ui.chart.model import ChartSettings
from lossmon.ui.terminal import Terminal
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, plain, sentence


@dataclass(frozen=True, slots=True)
class ScreenConfig:
    """Settings of the screen, as they are before it opens.

    Attributes:
        theme: Name of the theme, or None to choose by what the terminal can show.
        chart_settings: How the charts begin.
        language: Code of a language that `lossmon.locale` has (`en`, `zh`).
        ascii: Draw in ASCII; None asks the terminal.
        themes: The user's own directory of themes, or None.
        home: The user's own directory of settings, or None.
        state: The user's own directory where the screen keeps what it remembers (never in a run's
            directory); None keeps nothing.
        initial: What is known already, so that the first frame has curves; or None.
        keys: Other keys for actions, by binding id.
        names: The user's metric names.
        settings: The settings file that tag answers are written into; None takes `config.toml`
            in `home`, if there is one.
        fleet_first: Begin with the list of all runs where there are several.
    """

    theme: str | None = None
    chart_settings: ChartSettings = field(default_factory=ChartSettings)
    language: str = "en"
    ascii: bool | None = None
    themes: Path | None = None
    home: Path | None = None
    state: Path | None = None
    initial: Snapshot | None = None
    keys: dict[str, str] = field(default_factory=dict)
    names: MetricNames = field(default_factory=dict)
    settings: Path | None = None
    fleet_first: bool = False

    @property
    def file(self) -> Path | None:
        """The settings file that the screen may change; it need not exist."""
        return self.settings or (self.home and self.home / "config.toml")


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """The data and the state of the screen, as every view is given them.

    Attributes:
        snapshot: The data.
        index: Index of the run in view; meaningless while there is none.
        chart_settings: How to draw the charts.
        now: Seconds since the Unix epoch.
        language: Code of the language of the screen.
        terminal: What may be drawn.
        paused: The user paused reading.
        errors: What went wrong outside the data: broken themes, a reader thread that died.
        marked: Paths of the runs that the user marked to compare them.
        position: Rank of the run in view as runs are sorted and filtered, from 1, and their
            count; None where the filter hides it.
        ambiguous_tags: Tags of the run in view that the user was not asked about yet.
        keys: Keys that the user gave to actions, by binding id.
        pins: Keys of the metrics that the user pinned.
    """

    snapshot: Snapshot = field(default_factory=Snapshot)
    index: int = 0
    chart_settings: ChartSettings = field(default_factory=ChartSettings)
    now: float = 0.0
    language: str = "en"
    terminal: Terminal = field(default_factory=Terminal)
    paused: bool = False
    errors: tuple[str, ...] = ()
    marked: frozenset[Path] = frozenset()
    position: tuple[int, int] | None = None
    ambiguous_tags: tuple[AmbiguousTag, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    pins: frozenset[str] = frozenset()

    @property
    def run(self) -> RunSnapshot | None:
        """The run in view, None while there is none."""
        runs = self.snapshot.runs
        return runs[self.index] if self.index < len(runs) else None

    @property
    def counts_epochs(self) -> bool:
        """Whether what the run in view counts are epochs: it logs nothing oftener."""
        lead = None if self.run is None else self.run.train_loss or self.run.eval_loss
        return lead is not None and lead.axis is Axis.EPOCH

    def step(self, number: str) -> Line:
        """A step in the user's language: `step 910`, or an epoch where those are counted."""
        return self.epoch(number) if self.counts_epochs else self._step(number)

    def _step(self, number: str) -> Line:
        return _filled(self.say("step {step}"), "{step}", number)

    def sentence(self, text: str) -> str:
        """A sentence about the run in view, which calls epochs by that name."""
        if self.counts_epochs:
            pattern = re.escape(plain(self._step("0"))).replace("0", r"(\d[\d,.]*[kM]?)")
            text = re.sub(pattern, lambda found: plain(self.epoch(found[1])), text)
        return sentence(text)

    def epoch(self, number: str) -> Line:
        """An epoch in the user's language: `epoch 3/10`."""
        return _filled(self.say("epoch {epoch}"), "{epoch}", number)

    def since(self, number: str, *, short: bool = False) -> str:
        """Since when, in the user's language: `since step 910`, `since 910`."""
        words = self.say("since {step}" if short else "since step {step}")
        return self.sentence(words.replace("{step}", number))

    def ago(self, seconds: float) -> str:
        """How long ago something was, in the user's language: `43 m ago`."""
        count, _, unit = numbers.age(seconds).partition(" ")
        return phrase(_AGO[unit], self.language, count=count) if unit else count

    def key(self, id: str) -> str:
        """The key of a binding, as a notice names it."""
        return self.keys.get(id, _KEYS[id])

    @property
    def lacks_scalars(self) -> bool:
        """Whether the run logged histograms, images or texts, and no scalar so far."""
        run = self.run
        return run is not None and not run.series and bool(run.media or run.samples)

    def say(self, text: str) -> str:
        """A word of the screen in the user's language."""
        return translate(text, self.language)

    def sorted_by(self, word: str) -> str:
        """What a list or an axis goes by, in the user's language: `by importance`."""
        return phrase("by {what}", self.language, what=self.say(word))

    def runs(self, count: int) -> str:
        """A number of runs in the user's language: `8 runs`."""
        return f"{count} {phrase('{count:run|runs}', self.language, count=str(count))}"

    def metric(self, name: str) -> str:
        """The name of a metric in the user's language."""
        return metric_name(name, self.language)


_AGO = {
    "s": "{count} s ago",
    "m": "{count} m ago",
    "h": "{count} h ago",
    "d": "{count} d ago",
    "y": "{count} y ago",
}
"""The age of something by its unit."""

_KEYS = {"view.labels": "i", "view.metrics": "m", "pane.all": "9"}
"""Keys that notices name, unless the user chose others."""


def _muted(text: str) -> Line:
    return ((text, MUTED),) if text else EMPTY


def _filled(template: str, mark: str, number: str) -> Line:
    """A number in a muted sentence, where a mark stands for it."""
    before, _, after = template.partition(mark)
    return (*_muted(before), (number, TEXT), *_muted(after))
