"""Whatever a file holds: no crash, no hang, and the same result for every way of cutting it."""

from __future__ import annotations

import tempfile
import time
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lossmon.readers.files.lines import displayed, resolved
from lossmon.readers.text import claims
from lossmon.readers.text.explain import explain_line
from lossmon.readers.text.grammar.parse import parse
from lossmon.readers.text.reader import TextReader
from lossmon.readers.text.templates import Template

PLAIN = (
    "step epoch loss val lr iter train [ ] / : = | , { } ' %| it/s nan inf 1e-5 0.5 12 100 -3 . e "
    "( ) ━ █ Traceback Killed [rank1]: INFO 损失 ： 1,000 99999999999999999999"
)
SPACED = [
    "0: ",
    "2026-11-21 00:00:00",
    "{'loss': 0.5, 'epoch': 1.0}",
    "***** Running training *****",
]
CONTROLS = ["\r", "\n", "\b", "\x1b[1m", "\x1b[A", "\t", " ", "  ", "\x00", "\ufeff", "Epoch 1/2\n"]
WORDS = st.sampled_from([*PLAIN.split(), *SPACED, *CONTROLS])
TEXTS = st.lists(WORDS, max_size=60).map("".join)
CALM = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read(pieces: list[bytes]) -> str:
    """Everything a growing log gives, as text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.log"
        reader, columns, facts, lines = TextReader(path), {}, [], []
        for piece in pieces:
            with path.open("ab") as file:
                file.write(piece)
            while True:
                batch = reader.read(time.monotonic() + 60)
                for points in batch.points:
                    column = columns.setdefault((points.tag, points.axis), [])
                    column += zip(
                        points.order.tolist(),
                        points.steps.tolist(),
                        map(repr, points.values.tolist()),
                        strict=True,
                    )
                facts += batch.facts
                lines += batch.lines
                if not batch.pending:
                    break
        return repr((sorted(columns.items()), facts, lines))


@CALM
@given(TEXTS, st.lists(st.integers(0, 400), max_size=4))
def test_any_cut_gives_the_same(text: str, cuts: list[int]) -> None:
    data = text.encode()
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[a:b] for a, b in pairwise(places)]
    assert read(pieces) == read([data])


@CALM
@given(st.binary(max_size=2000))
def test_any_bytes_are_survived(data: bytes) -> None:
    read([data])
    claims(Path("/runs/a.txt"), data)


@CALM
@given(TEXTS)
def test_any_line_is_parsed_explained_and_read_back(text: str) -> None:
    for line in resolved(text).splitlines():
        explain_line(line)
        parsed = parse(line)
        if parsed is None:
            continue
        for value in parsed.values:
            float(line[slice(*value.span)].replace(",", ""))
        found = Template(line, parsed).match(line)
        assert found is None or len(found.groups()) == Template(line, parsed).groups


@CALM
@given(st.text(max_size=300))
def test_a_shown_line_holds_no_control_character(text: str) -> None:
    assert displayed(text).isprintable()
