"""Detection of tables: by the names in their headers, and by rows of numbers."""

from __future__ import annotations

import csv
import math
from collections import Counter
from itertools import pairwise
from pathlib import Path

from lossmon.fast_dataclass import dataclass
from lossmon.readers.files.lines import decode
from lossmon.readers.records.names import (
    ADVANCING,
    SPLITS,
    STEP_NAMES,
    are_metrics,
    clean_name,
    long_columns,
    names_loss,
    names_metric,
    names_place,
    plain,
    text_of,
    words,
)
from lossmon.readers.values import number

_DELIMITERS = ",\t;|"

_FEWEST = 2
"""Names of a header, and of those that two headers of one table share."""

_ROWS = 3
"""Rows without names that make a curve."""

_SETTING_WORDS = frozenset({"weight", "weights", "coef", "coefs", "scale", "scales"})
"""Words of names like `loss_weights`, whose numbers were not measured."""

_NAMED = 6
"""Names of a new header that a note quotes."""

_LONGEST_NAME = 60
"""Characters of each that it quotes."""


@dataclass(frozen=True, slots=True)
class TableHeader:
    """The first line of a table.

    Attributes:
        names: Of the columns; empty for one without a name.
        delimiter: One character, or empty where any blanks separate the cells.
        is_own_line: It is a line of its own and not a comment.
        line: It as it stands, without outer blanks.
    """

    names: tuple[str, ...]
    delimiter: str
    is_own_line: bool
    line: bytes

    def __str__(self) -> str:
        names = ", ".join(name[:_LONGEST_NAME] for name in self.names[:_NAMED])
        more = len(self.names) - _NAMED
        return f"{names} and {more} more" if more > 0 else names

    def split(self, line: str) -> list[str]:
        """Return the cells of a line, without outer blanks and quotes."""
        if not self.delimiter:
            return line.split()
        if '"' not in line:
            return [cell.strip() for cell in line.split(self.delimiter)]
        try:
            cells = next(csv.reader([line], delimiter=self.delimiter, skipinitialspace=True), [])
        except csv.Error:
            return []
        return [cell.strip() for cell in cells]

    def fits(self, line: str) -> bool:
        """Whether a line has a cell for every name, and the last one is not empty."""
        cells = self.split(line)
        return len(cells) == len(self.names) and bool(cells[-1])


def find_header(line: str, comment: str = "") -> TableHeader:
    """Return the header that a table's first line makes.

    Args:
        line: The first line that is not a comment.
        comment: The comment before it, which is the header if the line holds numbers alone.
    """
    delimiter = max(_DELIMITERS, key=line.count)
    if not line.count(delimiter):
        delimiter = ""
    header = TableHeader((), delimiter, True, line.strip().encode())
    cells = header.split(line)
    if comment and all(number(cell) is not None for cell in cells):
        named = header.split(comment.lstrip("# "))
        if len(named) == len(cells):
            return TableHeader(_unique(named), delimiter, False, comment.strip().encode())
    return TableHeader(_unique(cells), delimiter, True, header.line)


def _unique(cells: list[str]) -> tuple[str, ...]:
    """Names of columns; one that comes again gets a number."""
    seen = Counter[str]()
    names = []
    for cell in cells:
        name = clean_name(cell)
        names.append(f"{name}.{seen[name]}" if name and seen[name] else name)
        seen[name] += 1
    return tuple(names)


def is_header_of(names: list[str], line: str, row: str) -> bool:
    """Whether a line can be the header of a table in which the row is the first one."""
    header = find_header(line)
    cells = header.split(row)
    if len(cells) != len(names) or any(number(name) is not None for name in names):
        return False
    return any(number(cell) is not None for cell in cells)


def next_header(lines: list[bytes], start: int, header: TableHeader) -> tuple[int, TableHeader]:
    """Where the next line with names stands, and the header from there on."""
    first, delimiter = header.line[:1], header.delimiter.encode()
    for index in range(start, len(lines)):
        line = lines[index]
        if line[:1] == first and line.strip() == header.line:
            return index, header
        if delimiter and delimiter not in line:
            continue
        if line[:1].isalpha() or (line[:1] == b'"' and line[1:2].isalpha()):
            new = _other_header(line, header)
            if new is not None:
                return index, new
    return len(lines), header


def _other_header(line: bytes, header: TableHeader) -> TableHeader | None:
    """The header that a line between the rows is, or None if it is a row."""
    text = decode(line).strip()
    if header.delimiter and header.delimiter not in text:
        return None
    if any(number(cell) is not None for cell in header.split(text)):
        return None
    other = find_header(text)
    if other.delimiter != header.delimiter or len(other.names) < _FEWEST:
        return None
    shared = len(set(other.names) & set(header.names))
    if shared < _FEWEST or shared * 2 < len(other.names):
        # None of the old names is left: these must be names of metrics, not any words.
        return other if are_metrics(other.names) and any(map(names_place, other.names)) else None
    return other


def header_names(head: bytes) -> list[str]:
    """Return the names in the header of a table that begins with these bytes; empty if none."""
    lines = text_of(head).splitlines()
    if not lines or not text_of(head).endswith(("\n", "\r")):
        lines = lines[:-1] or lines
    comment = ""
    for line in lines:
        if line.startswith("#"):
            comment = line
        elif line.strip():
            return list(find_header(line, comment).names)
    return []


def claims_table(path: Path, head: bytes) -> bool:
    """Whether a table holds metrics: by its header, and by its first row being numbers."""
    lines = [line for line in text_of(head).splitlines() if line.strip() and line[0] != "#"]
    names = header_names(head)
    if len(names) < 2:
        return False
    if not are_metrics(names):
        return _advances(names, lines if text_of(head).endswith(("\n", "\r")) else lines[:-1])
    if len(lines) < 3:
        return any(map(names_place, names)) or sum(map(names_metric, names)) > 1
    return is_header_of(names, lines[0], lines[1])


def _advances(names: list[str], lines: list[str]) -> bool:
    """Whether a table of unknown names counts its steps: that is a log whatever it measures."""
    header = find_header(lines[0]) if lines else None
    if header is None or not header.delimiter or len(lines) <= ADVANCING:
        return False
    rows = [header.split(line) for line in lines[1:]]
    rows = [row for row in rows if len(row) == len(names)]
    if len(rows) < ADVANCING or not all(map(_is_numeric, rows)):
        return False
    for place, name in enumerate(names):
        if plain(name) in STEP_NAMES:
            steps = [number(row[place]) for row in rows]
            known = [step for step in steps if step is not None]
            if len(known) == len(steps) and all(a < b for a, b in pairwise(known)):
                return True
    return False


def claims_text_table(path: Path, head: bytes) -> bool:
    """The same for a file that may hold any text: every whole line must be a row of numbers."""
    text = text_of(head)
    lines = [line for line in text.splitlines() if line.strip() and line[0] != "#"]
    if not text.endswith(("\n", "\r")):
        lines = lines[:-1]
    if len(lines) < 2 or not claims_table(path, head):
        return False
    header = find_header(lines[0])
    if not header.delimiter or any(sign in lines[0] for sign in ":={}[]"):
        return False
    rows = [header.split(line) for line in lines[1:]]
    return all(len(row) == len(header.names) and _is_numeric(row) for row in rows)


def claims_numbers(path: Path, head: bytes) -> bool:
    """Whether a file that is named after a metric holds rows of a number, or of a step and it."""
    name = clean_name(path.stem)
    measures = names_loss(name) or (names_metric(name) and words(name) & SPLITS)
    if not measures or words(name) & _SETTING_WORDS:
        return False
    text = text_of(head)
    lines = [line for line in text.splitlines() if line.strip()]
    if not text.endswith(("\n", "\r")):
        lines = lines[:-1]
    if len(lines) < _ROWS:
        return False
    header = find_header(lines[0])
    rows = [[number(cell) for cell in header.split(line)] for line in lines]
    if any(len(row) != len(rows[0]) or None in row for row in rows):
        return False
    *steps, values = zip(*rows, strict=True)
    if all(value == int(value) for value in values if math.isfinite(value)):
        # Labels or settings; what was measured has decimals.
        return False
    return not steps or (
        len(steps) == 1
        and all(left < right and right == int(right) for left, right in pairwise(steps[0]))
    )


def _is_numeric(row: list[str]) -> bool:
    """Whether most cells of a row are numbers, or empty."""
    numbers = sum(not cell or number(cell) is not None for cell in row)
    return 2 * numbers > len(row)


def claims_long_form(path: Path, head: bytes) -> bool:
    """Whether a table holds one named value per row."""
    return long_columns(header_names(head)) is not None


def claims_catboost(path: Path, head: bytes) -> bool:
    """CatBoost counts iterations in the first column."""
    return header_names(head)[:1] == ["iter"]


def claims_dvclive(path: Path, head: bytes) -> bool:
    """DVCLive keeps a table per metric, in directories named after the parts of its name."""
    return ("plots", "metrics") in pairwise(path.parts[:-1]) and len(header_names(head)) > 1


def claims_deepspeed(path: Path, head: bytes) -> bool:
    """DeepSpeed names a table after its metric."""
    names = header_names(head)
    return len(names) == 2 and names[0] == "step" and path.stem.endswith(names[1])


def claims_lightning(path: Path, head: bytes) -> bool:
    """Lightning writes steps and epochs, or at least says so by the files beside the table."""
    names = header_names(head)
    beside = path.parent.name.startswith("version_") or (path.parent / "hparams.yaml").exists()
    return "step" in names and ("epoch" in names or beside)


def claims_keras(path: Path, head: bytes) -> bool:
    """Keras puts the epoch first and sorts the other names.

    A table of losses alone can be anybody's, and is read alike; only in a file that is not called
    a table it is taken for Keras' own.
    """
    names = header_names(head)
    rest = names[1:]
    if names[:1] != ["epoch"] or rest != sorted(rest):
        return False
    if "loss" not in rest or any("/" in name for name in names):
        return False
    measured = any(f"val_{name}" in rest for name in rest if name != "loss")
    return measured or ("val_loss" in rest and path.suffix.lower() != ".csv")


def claims_ultralytics(path: Path, head: bytes) -> bool:
    """Ultralytics writes the losses of its heads, by epoch."""
    names = header_names(head)
    return names[:1] == ["epoch"] and not {"train/box_loss", "train/cls_loss"}.isdisjoint(names)


def claims_timm(path: Path, head: bytes) -> bool:
    """timm calls held-out data eval."""
    names = header_names(head)
    return names[:2] == ["epoch", "train_loss"] and "eval_loss" in names


def claims_fastai(path: Path, head: bytes) -> bool:
    """fastai puts the time of an epoch last."""
    names = header_names(head)
    return names[:2] == ["epoch", "train_loss"] and names[-1:] == ["time"]


def claims_sb3(path: Path, head: bytes) -> bool:
    """Stable-Baselines3 counts timesteps."""
    return "time/total_timesteps" in header_names(head)


def claims_ray(path: Path, head: bytes) -> bool:
    """Ray Tune counts iterations."""
    return "training_iteration" in header_names(head)


def claims_tensorboard(path: Path, head: bytes) -> bool:
    """What TensorBoard lets its users download has three columns."""
    return [name.lower() for name in header_names(head)] == ["wall time", "step", "value"]
