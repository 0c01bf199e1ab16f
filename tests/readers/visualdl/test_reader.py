from __future__ import annotations

from pathlib import Path

import pytest

from lossmon.errors import ReadError
from lossmon.readers.registry import detect
from lossmon.readers.visualdl.reader import VisualdlReader
from tests.readers.growing import DATA, read, read_growing, read_whole

(SAMPLE,) = (DATA / "visualdl").glob("vdlrecords.*.log")


def test_scalars_have_their_steps_and_times() -> None:
    found = detect(SAMPLE)
    assert found is not None and found.source == "visualdl"
    batch = read(found.open(SAMPLE))
    points = {one.tag: one for one in batch.points}
    assert points["train/loss"].values[:2].tolist() == pytest.approx([2.5, 2.0])
    assert points["eval/acc"].steps.tolist() == [3, 7, 11]
    assert (points["train/loss"].wall_times > 1.7e9).all()
    assert batch.facts[0].settings == {"batch": "8", "optimizer": "sgd", "decay": "0.25"}


def test_it_grows_byte_by_byte(tmp_path: Path) -> None:
    content, path = SAMPLE.read_bytes(), tmp_path / SAMPLE.name
    grown = read_growing(path, content, range(0, len(content), 7), VisualdlReader)
    assert grown.series == read_whole(VisualdlReader(SAMPLE)).series


def test_what_stands_before_a_corrupt_length_is_read(tmp_path: Path) -> None:
    path = tmp_path / SAMPLE.name
    path.write_bytes(SAMPLE.read_bytes() + b"\xff" * 64)
    reader = VisualdlReader(path)
    assert len(read(reader).points) == 4
    with pytest.raises(ReadError, match="record length at byte"):
        read(reader)
