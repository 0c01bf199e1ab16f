"""Reader for the outputs of a Jupyter notebook, as the text that its cells printed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path

from lossmon.readers.files.json_file import JsonFile
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.text.log import TextLog
from lossmon.readers.text.placement.hindsight import Hindsight
from lossmon.sanitize import one_line
from lossmon.types import Batch

LONGEST_CELL = 200
"""Characters of a cell of a table; a longer one is not a number."""


class NotebookReader:
    """Reads what the cells printed whenever the notebook is saved.

    Streams are text logs. Of a table in HTML, as the Hugging Face Trainer draws it, each row is a
    line.

    Attributes:
        path: The notebook.
        source: `notebook`.
    """

    source = "notebook"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = JsonFile(path)
        self._batch = BatchBuilder()
        self._hindsight = Hindsight()
        self._log = TextLog(self._batch, hindsight=self._hindsight)
        self._text = ""

    def read(self, deadline: float) -> Batch:
        """Return what the newest version adds; see `Reader.read`.

        Raises:
            ReadError: The file may not be read, is not a regular file, or is too large.
        """
        document = self._file.read()
        if document is not None:
            self._add("".join(_outputs(document)))
        elif fault := self._file.lasting_fault():
            self._batch.notes.append(f"not a whole notebook ({fault})")
        self._batch.lines += self._log.drain_lines()
        return self._batch.drain()

    def _add(self, text: str) -> None:
        if not text.startswith(self._text):
            self._hindsight = Hindsight()
            self._restart()
        # A line that is not whole yet is part of the next version.
        end = text.rfind("\n") + 1
        while end > len(self._text):
            self._log.push(text[len(self._text) : end])
            self._log.read(math.inf)
            self._text = text[:end]
            if self._hindsight.begin_again():
                self._restart()

    def _restart(self) -> None:
        self._batch.restart()
        self._log, self._text = TextLog(self._batch, hindsight=self._hindsight), ""


def _outputs(document: object) -> Iterator[str]:
    """The text of every output, in the order of the cells."""
    cells = document.get("cells") if isinstance(document, dict) else None
    for cell in cells if isinstance(cells, list) else ():
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        for output in outputs if isinstance(outputs, list) else ():
            if isinstance(output, dict):
                yield from _texts(output)


def _texts(output: dict[object, object]) -> Iterator[str]:
    if output.get("output_type") == "stream":
        yield _joined(output.get("text"))
        return
    if output.get("output_type") == "error":
        yield from (f"{_joined([line])}\n" for line in _lines(output.get("traceback")))
        return
    data = output.get("data")
    if isinstance(data, dict) and "text/html" in data:
        rows = _rows(_joined(data["text/html"]))
        yield "".join(f"{line}\n" for line in _records(rows))


def _joined(text: object) -> str:
    """A text of a notebook, which may be a list of lines."""
    return "".join(_lines(text))


def _lines(text: object) -> Sequence[str]:
    if isinstance(text, str):
        return (text,)
    return [line for line in text if isinstance(line, str)] if isinstance(text, list) else ()


def _rows(html: str) -> list[list[str]]:
    table = _Table()
    table.feed(html)
    table.close()
    return table.rows


def _records(rows: list[list[str]]) -> Iterator[str]:
    """Each row of a table whose head names a step or an epoch, as a line of a log."""
    head = rows[0] if rows else []
    if len(head) < 2 or head[0].lower() not in ("step", "epoch"):
        return
    names = _with_split(head)
    for row in rows[1:]:
        if len(row) == len(names):
            yield " | ".join(f"{name}: {value}" for name, value in zip(names, row, strict=True))


def _with_split(head: Sequence[str]) -> list[str]:
    """Name the metrics behind the validation loss after the data that they were measured on."""
    held_out = next((at for at, name in enumerate(head) if name.startswith("Validation")), None)
    if held_out is None:
        return list(head)
    return [*head[: held_out + 1], *(f"Validation {name}" for name in head[held_out + 1 :])]


class _Table(HTMLParser):
    """The cells of the tables in a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None and self.rows:
            self.rows[-1].append(one_line("".join(self._cell), LONGEST_CELL).strip())
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)
