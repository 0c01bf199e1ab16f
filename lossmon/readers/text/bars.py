"""The progress bars of a log: their newest state, and the points that their metrics give."""

from __future__ import annotations

from collections.abc import Iterator

from lossmon.readers.text.ledger import Ledger
from lossmon.readers.text.progress_bars import Redraws, condensed, keras, tqdm
from lossmon.readers.text.steps import Row
from lossmon.readers.text.templates import DROPPED, Match, Shapes, Template

PLAIN_BARS = 256
"""Forms of bars without metrics that are remembered; a log has a handful."""


_RATES = ("it/s]", "s/it]")
"""How a bar without metrics ends."""


class Bars:
    """Reads the states of progress bars.

    Attributes:
        state: Newest state that was painted, empty if the line it stood on has ended.
    """

    def __init__(self, shapes: Shapes, ledger: Ledger) -> None:
        self.state = ""
        self._shapes = shapes
        self._ledger = ledger
        self._redraws = Redraws()
        self._epoch_end: tuple[Template, Row] | None = None
        """Last state of a Keras bar whose line has not ended."""
        self._plain: set[str] = set()
        """Ends of bars that show no metrics."""
        self._match: tuple[Template, Match] | None = None
        """Shape of the last bar that showed metrics."""
        self._full = ""
        """The last full bar that was shown."""

    @property
    def holding(self) -> bool:
        """A state waits for the next one, or for a line of text."""
        return self._redraws.holding

    def newest(self, frames: list[str]) -> Iterator[str]:
        """Give the states worth reading: of bars without metrics only the last one matters."""
        known, newest = self._plain, ""
        waits = self._ledger.waits_for_bar
        for frame in frames:
            if (
                not waits
                and "oss" not in frame
                and known
                and (
                    # Two looks at the text tell what the translation tells at five times the cost.
                    (frame.endswith(_RATES) and "=" not in frame and "|" in frame)
                    or frame[frame.rfind("|") :].translate(DROPPED) in known
                )
            ):
                newest = frame
                continue
            if newest:
                self._ledger.last_bar = self.state = newest
                newest = ""
            yield frame
            waits = self._ledger.waits_for_bar
        if newest:
            self._ledger.last_bar = self.state = newest

    def read(self, frame: str, ended: bool) -> str | None:
        """Read a state of a bar.

        Args:
            frame: What was painted.
            ended: It stays, as its line has ended.

        Returns:
            What another stream wrote behind the bar, None if the text is no bar.
        """
        if ("%|" in frame or "it [" in frame) and (rest := self._tqdm(frame, ended)) is not None:
            return rest
        painted = keras(frame)
        if painted is None:
            return None
        over, line = painted
        self.state = "" if ended else frame
        # Its values are running means, which count when the epoch is over.
        found = self._shapes.read(line) if over else None
        if found is not None and found[0].values:
            self._epoch_end = found
        return ""

    def redrawn(self, template: Template, row: Row) -> None:
        """Take a line of text that is painted over again and again, as a bar is."""
        self._give(self._redraws.offer(template, row))

    def settle(self) -> None:
        """Give what the bars show: a line of text has come between."""
        self._give(self._redraws.end())

    def end_line(self) -> None:
        """Give what a Keras bar shows, now that its line has ended."""
        if self._epoch_end is not None:
            found, self._epoch_end = self._epoch_end, None
            self._give([found])

    def is_shown(self, frame: str) -> bool:
        """Whether a bar that ended its line belongs to the log pane: once, when it is full."""
        if "%|" not in frame:
            return True
        if "100%|" not in frame or frame == self._full:
            return False
        self._full = frame
        return True

    def _give(self, rows: list[tuple[Template, Row]]) -> None:
        for template, row in rows:
            self._ledger.take_rows(template, [row])

    def _tqdm(self, frame: str, ended: bool) -> str | None:
        if self._again(frame, ended):
            return ""
        bar = tqdm(frame)
        if bar is None:
            return None
        painted = frame[: len(frame) - len(bar.rest)] if bar.rest else frame
        self._ledger.last_bar = self.state = painted
        if bar.bare:
            self._ledger.take_bar(bar.step, bar.total)
        if not bar.line:
            if not bar.rest and "|" in frame and len(self._plain) < PLAIN_BARS:
                self._plain.add(frame[frame.rfind("|") :].translate(DROPPED))
            return bar.rest
        found = self._shapes.read(bar.line)
        if found is not None and found[0].values:
            self._match = found[0], found[0].match
            self._take(*found, ended)
        return bar.rest

    def _again(self, frame: str, ended: bool) -> bool:
        """Read a bar with metrics by the pattern of the one before it."""
        if self._match is None or self._ledger.waits_for_bar:
            return False
        template, match = self._match
        found = match(condensed(frame))
        if found is None:
            return False
        self._ledger.last_bar = self.state = frame
        self._take(template, template.numbers(found), ended)
        return True

    def _take(self, template: Template, row: Row, ended: bool) -> None:
        self._give(self._redraws.offer(template, row))
        if ended and template.total >= 0 and row[template.step] == row[template.total]:
            self.settle()
