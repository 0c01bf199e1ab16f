"""TensorBoard event files."""

from __future__ import annotations

import os
import re
from pathlib import Path

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.format import DirectoryRules, Format, Location, Origin, Rank, lazy, words
from lossmon.readers.run_directories import SPLITS

_EVENTS = lazy_pattern(
    r"^events\.out\.tfevents(?:\.(?P<time>\d+))?(?:\.(?P<host>.+?)(?:\.(?P<pid>\d+)\.\d+)?)?(?:\.v2)?$"
)
_CLOCK = lazy_pattern(r"^\d{9,11}(?:\.\d+)?$")
"""Directories that `add_hparams` names after the time."""


def _claims(path: Path, head: bytes) -> bool:
    """By name, so that a damaged file is reported rather than overlooked."""
    if path.name.startswith("events.out.tfevents"):
        return True
    from lossmon.readers.tensorboard.tfrecord import is_header

    return is_header(head)


def _origin(path: Path, head: bytes) -> Origin:
    """Time and process in the name, and what `add_scalars` and `add_hparams` make of it."""
    name, own = _EVENTS.match(path.name), path.parent.name
    if name is None:
        return Origin()
    return Origin(
        begun=int(name["time"] or 0),
        writer=f"{name['host']}.{name['pid']}" if name["pid"] else "",
        nests=own.lower() not in SPLITS,
        sub=_curve(own, head),
        copy=_CLOCK.match(own) is not None,
    )


def _curve(directory: str, head: bytes) -> str:
    """What follows the tag in `<tag>_<name>`, as `add_scalars` names its directories."""
    for cut in range(len(directory) - 1, 0, -1):
        if directory[cut] != "_":
            continue
        tag = re.escape(os.fsencode(directory[:cut])).replace(b"_", b"[_/ ]")
        # In a summary value, field 1 is the tag: its number and type, its length, its text.
        if re.search(b"\n" + re.escape(bytes([cut % 128])) + tag, head):
            return directory[cut + 1 :]
    return ""


def _part_of(place: Location) -> str | None:
    """Keras writes one split per directory, and `SummaryWriter` writes into `runs` by default."""
    if not _EVENTS.match(place.file):
        return None
    own = place.own.lower()
    if own in SPLITS and not place.is_own:
        return own
    return "" if own == "runs" else None


FORMATS = (
    Format(
        source="tensorboard",
        title="TensorBoard event files",
        names=("*tfevents*",),
        claims=_claims,
        open=lazy("lossmon.readers.tensorboard.reader:EventReader"),
        rank=Rank.EVENTS,
        origin=_origin,
        load_media=lazy("lossmon.readers.tensorboard.media:load_media"),
        directories=DirectoryRules(
            parts=words(
                "tb tensorboard tensorboards tb_log tb_logs tblogs tensorboard_log "
                "tensorboard_logs tf_logs tfevents events event"
            ),
            part_of=_part_of,
        ),
    ),
)
