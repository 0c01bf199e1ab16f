"""Free text logs: what a training prints."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.files.head import as_utf8
from lossmon.readers.files.lines import decode, resolved
from lossmon.readers.format import Dialect, DirectoryRules, Format, Location, Rank, lazy
from lossmon.types import Reader

if TYPE_CHECKING:
    from lossmon.readers.text.user_patterns import Pattern

_NOT_LOGS = lazy_pattern(
    r"(?i)requirements.*\.txt|debug(?:-\w+)?\.log|.*vocab.*\.txt|merges\.txt|readme.*|licen[sc]e.*|"
    r"notice.*|(?:class|label)(?:es|s|_?names)?\.txt|.*journal.*\.log|cmakelists\.txt|robots\.txt|"
    r".*(?:prompt|corpus|dataset|input|tokens?|words?|captions?).*\.txt|git.*\.txt|conda.*\.txt|"
    r"environment.*\.txt|pip.*\.txt|changelog.*"
)
_NOT_HERE = frozenset({".aim", ".git", "__pycache__", "site-packages", "node_modules", ".dvc"})
_LOG_NAMES = lazy_pattern(
    r"(?i)(?:.*[_.-])?logs?(?:[_.-].*)?\.txt|(?:train_|training_)?(?:out|output|stdout|stderr|console|"
    r"nohup|run)\.txt|[0-9a-f]{8}-[0-9a-f-]{20,}\.txt|rank[_-]?\d+\.txt"
)
"""Names of `.txt` files that are logs before their first metric."""

_SPOKEN = {".txt": 1, ".md": 3}
"""Lines with metrics that must stand in the head of a file that may be anything."""

_CURVE = 3
"""Points of a loss that tables and blocks must have in the head of such a file."""

_SCRIPTS = frozenset({".sh", ".py", ".yaml", ".yml", ".json", ".toml", ".cfg", ".sbatch"})
_HEAD_LINES = 80
_HOLE = lazy_pattern(rb"\0{8,}|\0+$")
_WIDE = lazy_pattern(rb"(?:[^\0]\0){8,}")
_NUMBERS = lazy_pattern(r"\d+")
_CONTROLS = lazy_pattern(rb"[\x01-\x07\x0e-\x1a\x1c-\x1f]")


def claims(path: Path, head: bytes) -> bool:
    """Whether a file is a text log, by its name and its first bytes.

    A `.txt` or `.md` file may be anything, so it must have a log's name or metrics among its
    first lines.
    """
    name = path.name
    if _NOT_LOGS.fullmatch(name) or _NOT_HERE.intersection(path.parts):
        return False
    if _is_binary(head) or head.startswith(b'{"op_code"'):
        return False
    needed = _SPOKEN.get(path.suffix.lower(), 0)
    if path.suffix.lower() in _SCRIPTS:
        return False
    if not needed or _LOG_NAMES.fullmatch(name):
        return True
    lines = resolved(decode(head)).splitlines()[:_HEAD_LINES]
    return sum(map(_speaks, lines)) >= needed or (needed == 1 and _has_curve(lines))


def _is_binary(head: bytes) -> bool:
    head = as_utf8(head)
    # A run of NULs is a hole: not filled yet, or left by a writer that kept its place. Lines with
    # every second byte 0 were appended by another program, as UTF-16.
    head = _WIDE.sub(lambda letters: letters[0].replace(b"\0", b""), _HOLE.sub(b"", head)) or head
    return head.count(b"\0") * 20 > len(head) or len(_CONTROLS.findall(head)) * 20 > len(head)


def _speaks(line: str) -> bool:
    from lossmon.readers.text.grammar.parse import parse
    from lossmon.readers.text.grammar.parsed import Scale

    parsed = parse(line)
    return parsed is not None and bool(parsed.values) and parsed.position.scale is not Scale.NONE


def _has_curve(lines: list[str]) -> bool:
    """Whether lines that say nothing alone hold a loss: below a head of a table or an epoch."""
    from lossmon.readers.points_builder import BatchBuilder
    from lossmon.readers.text.grammar.words import is_loss
    from lossmon.readers.text.log import TextLog

    text = "".join(f"{line}\n" for line in lines)
    if len(_NUMBERS.findall(text)) < _CURVE:
        return False
    batch = BatchBuilder()
    log = TextLog(batch)
    log.push(text)
    log.read(math.inf)
    points = batch.drain().points
    return any(len(curve.steps) >= _CURVE and is_loss(curve.tag) for curve in points)


def own_format(pattern: Pattern) -> Format:
    """The format of text logs whose lines the user's own pattern reads where it fits.

    It also takes a file of which nothing else can make anything, if the pattern fits one of its
    first lines.
    """

    def claimed(path: Path, head: bytes) -> bool:
        if claims(path, head):
            return True
        if _is_binary(head) or _NOT_HERE.intersection(path.parts):
            return False
        return any(pattern.find(resolved(decode(head)).splitlines()[:_HEAD_LINES]))

    def opened(path: Path) -> Reader:
        from lossmon.readers.text.reader import TextReader

        return TextReader(path, pattern)

    return replace(FORMATS[0], claims=claimed, open=opened)


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
        claims=claims,
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
