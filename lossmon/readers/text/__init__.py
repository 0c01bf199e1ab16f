"""Free text logs: what a training prints."""

from __future__ import annotations

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.format import Dialect, DirectoryRules, Format, Location, Rank, lazy

_ATTEMPT = lazy_pattern(r"attempt_\d+$")


def _part_of(place: Location) -> str | None:
    """`torchrun` keeps a directory per attempt, and below it one per rank."""
    if _ATTEMPT.match(place.own):
        return ""
    if place.own.isdigit() and _ATTEMPT.match(place.above.rpartition("/")[2]):
        return "" if place.own == "0" else f"rank{place.own}"
    if place.file.startswith(("stdout", "stderr")) and any(map(_ATTEMPT.match, place.inside)):
        return ""
    return None


FORMATS = (
    Format(
        source="text",
        title="text logs (stdout)",
        # `*.o123` and `*.e123` are what SGE and PBS write, and a report in Markdown often is the
        # stdout that was pasted into it.
        names=(
            *("*.log", "*.out", "*.err", "*.txt", "nohup.out*", "slurm-*", "stdout*", "stderr*"),
            *("console*", "*.stdout", "*.stderr", "*.output", "*.log.[0-9]*", "*.[oe][0-9]*"),
            "*.md",
        ),
        claims=lazy("lossmon.readers.text.detection:claims"),
        open=lazy("lossmon.readers.text.reader:TextReader"),
        rank=Rank.TEXT,
        general=True,
        dialect=Dialect(
            aliases={
                "objective_minimize": "minimized_objective",
                "objective_maximize": "maximized_objective",
            },
            closing_record=False,
            bare_splits=True,
        ),
        directories=DirectoryRules(telling=_ATTEMPT.pattern, part_of=_part_of),
    ),
)
