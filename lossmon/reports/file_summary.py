"""Summary of one file: its series, notes and errors, read by its own reader."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from lossmon.errors import ReadError, internal_error
from lossmon.locale import metric_name, phrase, translate
from lossmon.readers.discovery.found import FoundFile
from lossmon.readers.tags.meaning import meaning
from lossmon.store.streams import FileColumns
from lossmon.types import Batch, Kind, Meaning, MetricNames, Points

MOST_CALLS = 10_000
"""Most calls of a reader per file; each call reads a whole chunk."""


@dataclass(slots=True)
class SeriesSummary:
    """One series of a file.

    Attributes:
        tag: Raw name.
        meaning: Meaning of the tag.
        axis: What its steps count.
        n: Points.
        first: First step.
        last: Newest step.
        value: Newest value.
    """

    tag: str
    meaning: Meaning
    axis: str
    n: int = 0
    first: int = 0
    last: int = 0
    value: float = math.nan

    def add(self, points: Points) -> None:
        """Add points."""
        if len(points):
            self.first = self.first if self.n else int(points.steps[0])
            self.n += len(points)
            self.last, self.value = int(points.steps[-1]), float(points.values[-1])

    def line(self, language: str) -> str:
        """The series in one line: `loss = train/loss (train loss): 9 points, step 1 to 9, …`."""
        text = "{tag} = {meaning}: {count} {count:point|points}, {axis} {steps}, last {value}"
        steps = "{first} to {last}" if self.last != self.first else "{first}"
        line = phrase(
            text,
            language,
            tag=self.tag,
            meaning=described(self.meaning, language),
            count=f"{self.n:,}",
            axis=translate(self.axis, language),
            steps=phrase(steps, language, first=f"{self.first:,}", last=f"{self.last:,}"),
            value=f"{self.value:.6g}",
        )
        if parts := ", ".join(self.meaning.sum_of):
            line += phrase("; sum of {parts}, no total is logged", language, parts=parts)
        return line


@dataclass(slots=True)
class FileSummary:
    """Contents of one file.

    Attributes:
        series: Its series, in the order of their first points.
        source: Format family of its contents, empty if that of its format.
        notes: Notes of the reader.
        error: Why it was not read to its end, or empty.
    """

    series: list[SeriesSummary] = field(default_factory=list)
    source: str = ""
    notes: list[str] = field(default_factory=list)
    error: str = ""


def described(what: Meaning, language: str) -> str:
    """A meaning as canonical name, split and kind: `train/loss (train loss)`."""
    if what.summary:
        kind = metric_name(what.kind.value, language)
        return f"{what.key} ({phrase('{kind} of the whole run', language, kind=kind)})"
    return f"{what.key} ({metric_name(f'{what.split.value} {what.kind.value}', language)})"


def summarise(file: FoundFile, names: MetricNames) -> FileSummary:
    """Read a whole file, or up to the first error."""
    found = FileSummary()
    series: dict[tuple[str, str], SeriesSummary] = {}
    columns = FileColumns(0)
    try:
        reader = file.format.open(file.path)
        found.source = reader.source if reader.source != file.format.source else ""
        for _ in range(MOST_CALLS):
            batch = reader.read(math.inf)
            if batch.replaced:
                series.clear()
                columns = FileColumns(0)
            _add(batch, file, reader.source, names, series, columns)
            found.notes += batch.notes
            if not batch.pending:
                break
    except (ReadError, OSError) as error:
        found.error = str(error)
    except BaseException as error:
        found.error = internal_error(error)
    found.series = [*series.values(), *_sums(columns)]
    return found


def _add(
    batch: Batch,
    file: FoundFile,
    source: str,
    names: MetricNames,
    series: dict[tuple[str, str], SeriesSummary],
    columns: FileColumns,
) -> None:
    for points in batch.points:
        key = (points.tag, points.axis.value)
        if key not in series:
            what = meaning(points.tag, scope=file.scope, source=source, overrides=names or None)
            series[key] = SeriesSummary(points.tag, what, points.axis.value)
        series[key].add(points)
        if series[key].meaning.kind is Kind.LOSS:
            columns.extend(points, series[key].meaning, points.tag)
            columns.add_to_sum(points, series[key].meaning, "")


def _sums(columns: FileColumns) -> list[SeriesSummary]:
    """Sums of loss components in a file without a total."""
    return [
        SeriesSummary(
            one.tag,
            one.meaning,
            one.axis.value,
            one.n,
            int(one.steps[0]),
            int(one.steps[-1]),
            float(one.values[-1]),
        )
        for one in columns.columns.values()
        if one.meaning.sum_of
    ]
