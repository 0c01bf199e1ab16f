from __future__ import annotations

import json
from pathlib import Path

from lossmon.readers.notebook.reader import NotebookReader
from lossmon.readers.registry import detect
from tests.readers.growing import DATA, read, read_whole

SAMPLE = DATA / "notebook" / "trainer.ipynb"


def test_the_table_of_the_trainer_is_read_row_by_row() -> None:
    found = detect(SAMPLE)
    assert found is not None and found.source == "notebook"
    whole = read_whole(found.open(SAMPLE))
    assert whole.values("Training Loss") == [(100, 2.4), (200, 1.9), (300, 1.6), (400, 1.4)]
    assert [step for step, _ in whole.values("Validation Accuracy")] == [100, 200, 300, 400]
    assert len(whole.series) == 3


def notebook(path: Path, *streams: str) -> None:
    """Write a notebook whose cells printed some texts."""
    cells = [
        {"outputs": [{"output_type": "stream", "text": text.splitlines(keepends=True)}]}
        for text in streams
    ]
    path.write_text(json.dumps({"cells": [{"source": "loss: 7"}, *cells]}))


def test_what_a_cell_prints_is_followed_from_save_to_save(tmp_path: Path) -> None:
    path = tmp_path / "train.ipynb"
    reader = NotebookReader(path)
    steps = [f"step {step} loss {3 / step}\n" for step in range(1, 6)]
    for end in (2, 4):
        notebook(path, "".join(steps[:end]) + "step 5 lo")
        batch = read(reader)
        assert [points.steps.tolist() for points in batch.points] == [[end - 1, end]]
        assert not batch.replaced
    notebook(path, "".join(steps[:1]))
    batch = read(reader)
    assert batch.replaced and [len(points) for points in batch.points] == [1]


def test_a_notebook_of_something_else_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "train.ipynb"
    path.write_text(json.dumps({"cells": [7, {"outputs": [None, {"data": {"text/html": 3}}]}]}))
    batch = read(NotebookReader(path))
    assert not batch.points and not batch.notes


def test_a_notebook_whose_metadata_comes_first_is_known(tmp_path: Path) -> None:
    path = tmp_path / "colab.ipynb"
    metadata = {"widgets": {f"{n:032x}": {"state": {}} for n in range(200)}}
    path.write_text(json.dumps({"nbformat": 4, "metadata": metadata, "cells": []}))
    found = detect(path)
    assert found is not None and found.source == "notebook"


def test_what_later_lines_show_of_earlier_ones_counts_in_a_notebook(tmp_path: Path) -> None:
    path = tmp_path / "train.ipynb"
    reader = NotebookReader(path)
    epochs = [f"{{'eval_loss': {3 / n}, 'eval_runtime': 0.1, 'epoch': {n}.0}}\n" for n in (1, 2, 3)]
    notebook(path, "".join(epochs))
    batch = read(reader)
    assert batch.replaced
    assert {points.tag: points.steps.tolist() for points in batch.points}["eval_loss"] == [1, 2, 3]
