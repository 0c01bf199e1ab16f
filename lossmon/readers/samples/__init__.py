"""Text that a model wrote, as JSON lines: predictions and sampled completions."""

from __future__ import annotations

from lossmon.readers.format import DirectoryRules, Format, Location, Rank, lazy, words

DIRECTORIES = words("samples completions generations predictions sampled_outputs")
"""Directories that hold what the model of their parent's run wrote."""


def _part_of(place: Location) -> str | None:
    return "" if place.own.lower() in DIRECTORIES and place.file.endswith(".jsonl") else None


FORMATS = (
    Format(
        source="llamafactory_predictions",
        title="LLaMA-Factory generated_predictions.jsonl",
        names=("generated_predictions.jsonl",),
        claims=lazy("lossmon.readers.samples.detection:claims_predictions"),
        open=lazy("lossmon.readers.samples.reader:open_predictions"),
        rank=Rank.LIVE,
    ),
    Format(
        source="samples",
        title="Sampled outputs as JSON lines",
        names=("*.jsonl",),
        claims=lazy("lossmon.readers.samples.detection:claims_samples"),
        open=lazy("lossmon.readers.samples.reader:open_samples"),
        rank=Rank.LIVE,
        directories=DirectoryRules(part_of=_part_of),
    ),
)
