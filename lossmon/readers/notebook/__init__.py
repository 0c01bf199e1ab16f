"""Jupyter notebooks: what their cells printed."""

from __future__ import annotations

from pathlib import Path

from lossmon.readers.format import Dialect, Format, Rank, lazy


def _claims(_: Path, head: bytes) -> bool:
    # Colab writes its metadata, which may be long, in front of the cells.
    return head.lstrip().startswith(b"{") and (b'"cells"' in head or b'"nbformat"' in head)


FORMATS = (
    Format(
        source="notebook",
        title="Jupyter notebooks",
        names=("*.ipynb",),
        claims=_claims,
        open=lazy("lossmon.readers.notebook.reader:NotebookReader"),
        rank=Rank.TEXT,
        dialect=Dialect(closing_record=False, bare_splits=True),
    ),
)
