"""Head of a table of metrics in a text log."""

from __future__ import annotations

import re

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.text.grammar.words import LOSS_END, is_loss

FEWEST = 3
"""Columns of a table without bars or tabs: its position and two more."""

FIRST = {
    "epoch": "epoch",
    "e": "epoch",
    "step": "step",
    "iter": "step",
    "iteration": "step",
    "itn": "epoch",
    "round": "step",
}
"""What the first column may be called, and what it counts."""

BLOCKS = ("|",)
"""Stands for the columns of blocks of name and value, as reinforcement learning prints them."""

NUMBERED = "#"
"""What spaCy calls its steps, in the column behind the epoch `E`."""

COUNTERS = frozenset({NUMBERED, "iteration"})
"""Names of a column of steps behind the one of epochs."""

CLASSES = "Class"
"""First column of what Ultralytics prints after each validation, a row for each class."""

_DETECTED = lazy_pattern(
    r"\s*Class\s+Images\s+(?:Instances|Labels|Targets)\s+(?:Box\()?P\s+R"
    r"\s+mAP(?:50|@0?\.50?)\s+mAP(?:50-95|@0?\.50?:0?\.95)\)?"
    r"(?P<more>\s+(?P<what>[MP])(?:ask|ose)\(P\s+R\s+mAP50\s+mAP50-95\))?(?:\s*:.*)?\s*"
)
_CLASSIFIED = lazy_pattern(r"\s*classes\s+top1_acc\s+top5_acc(?:\s*:.*)?\s*")
_MEASURED = ("precision", "recall", "mAP50", "mAP50-95")

_YOLO = {"box": "box_loss", "obj": "obj_loss", "cls": "cls_loss", "total": "loss"}
"""Columns of YOLOv5 and YOLOv7 that are losses, behind the epoch and the memory."""

METRICS = "metric"
"""First column of Lightning's tables of a validation or a test, a row per metric."""

_TESTED = lazy_pattern(
    r"[\s┃│|]*(?:(?P<test>Test)|Validate|Runningstage\.\w+) metric[\s┃│|]+"
    r"(?:DataLoader \d+[\s┃│|]*)+"
)
_LABEL = lazy_pattern(r"^\s*\[[A-Za-z]{1,16}\]\s+")
_WORD = lazy_pattern(r"#|[A-Za-z][\w()@/.% -]{0,40}")
_SECTION = lazy_pattern(
    r"\|\s+(?:rollout|time|train|eval)/\s+\|\s+\|\s*|"
    r"\|(?= {2}|.{0,80} {2}\|) +[A-Za-z][\w./-]{0,80} +\| +-?\d[\d.e+-]{0,30} +\|\s*"
)
"""The heading of a section, or a padded line of a name and a number."""


def cells(line: str) -> list[str]:
    """The cells of a row: parted by bars, by tabs, by wide gaps or by blanks."""
    line = line.strip()
    if "|" in line:
        return [cell.strip() for cell in line.strip("|").split("|")]
    if "\t" in line:
        return [cell.strip() for cell in line.split("\t")]
    wide = re.split(r"\s{2,}", line)
    return wide if len(wide) >= FEWEST else line.split()


def unlabelled(line: str, start: int) -> str:
    """The line from `start` on, without a word in brackets: `[TRAIN] epoch | loss`."""
    return _LABEL.sub("", line[start:], count=1)


def columns(line: str) -> tuple[str, ...]:
    """The names in a line that heads a table of metrics; empty if it is none."""
    if _SECTION.fullmatch(line):
        return BLOCKS
    if detected := _DETECTED.fullmatch(line):
        kinds = ("B", detected["what"]) if detected["more"] else ("B",)
        return (CLASSES, *(f"metrics/{name}({kind})" for kind in kinds for name in _MEASURED))
    if _CLASSIFIED.fullmatch(line):
        return CLASSES, "metrics/accuracy_top1", "metrics/accuracy_top5"
    if tested := _TESTED.fullmatch(line):
        return METRICS, "test" if tested["test"] else "eval"
    names = cells(line.lstrip().removeprefix("#") if line.lstrip().startswith("# ") else line)
    fewest = 2 if "|" in line or "\t" in line else FEWEST
    if not fewest <= len(names) <= 40 or names[0].lower() not in FIRST:
        return ()
    if names[0] == "E" and names[1] != NUMBERED:
        return ()
    if not all(_WORD.fullmatch(name) for name in names):
        return ()
    if names[1] == NUMBERED:
        measured = [name if name.startswith("LOSS ") else f"eval/{name}" for name in names[2:]]
        return (*names[:2], *measured) if measured != names[2:] else ()
    if names[1].lower() == "gpu_mem":
        return tuple(_YOLO.get(name, "labels" if name == "targets" else name) for name in names)
    if "mini-batch" in map(str.lower, names):
        return tuple(names)
    return tuple(names) if any(_names_loss(name) for name in names[1:]) else ()


def _names_loss(name: str) -> bool:
    return LOSS_END.search(name) is not None or is_loss(name) or name.startswith("LOSS ")
