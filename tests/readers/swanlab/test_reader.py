"""SwanLab's logs."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossmon.errors import ReadError
from lossmon.readers.swanlab.reader import SwanlabReader, SwanlabScalar, decode_protobuf
from lossmon.types import Batch, TextSample
from tests import paths
from tests.readers.databases.transaction_logs import logged, message, varint
from tests.readers.growing import read_growing, read_whole, titled

HEADER = b":SWL\xd6\xe1"
DATA = paths.DATA / "swanlab"
RUNS = [next((DATA / name).glob("*.swanlab")) for name in ("v0.6", "v0.10", "v0.10_crash")]
OLD, NEW, CRASHED = RUNS


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "run-1.swanlab"


def whole(path: Path) -> Batch:
    return SwanlabReader(path).read(math.inf)


def scalar(key: bytes, step: int, number: str) -> bytes:
    """A record of the old encoding."""
    metric = {"index": step, "data": number, "create_time": "2026-01-01T00:00:00+00:00"}
    data = {"metric": metric, "key": key.decode(), "step": step, "epoch": 1}
    return json.dumps({"model_type": "Scalar", "data": data}).encode()


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.parent.name)
def test_scalars_are_those_that_swanlab_itself_reads(path: Path) -> None:
    expected = json.loads((path.parent / "expected.json").read_text())
    batch = whole(path)
    found = {points.tag: points for points in batch.points}
    tags = {key.replace("__swanlab__.", "system/"): key for key in expected["values"]}
    assert set(found) == set(tags)
    for tag, points in found.items():
        column = expected["values"][tags[tag]]
        values = [repr(float(points.values[i])) for i in (0, -1)]
        assert len(points) == column["n"]
        assert values == [column["first"][1], column["last"][1]]
        if not tag.startswith("system/"):
            assert points.steps[[0, -1]].tolist() == [column["first"][0], column["last"][0]]
    assert len(batch.lines) == expected["lines"]
    assert batch.notes == ()


@pytest.mark.parametrize("path", [OLD, NEW], ids=["old", "new"])
def test_values_that_are_not_finite_are_kept(path: Path) -> None:
    (points,) = [points for points in whole(path).points if points.tag == "eval/acc"]
    assert points.steps[[math.isnan(value) for value in points.values]].tolist() == [50]


@pytest.mark.parametrize("path", [OLD, NEW], ids=["old", "new"])
def test_wall_times_are_those_of_the_values(path: Path) -> None:
    (points,) = [points for points in whole(path).points if points.tag == "train/loss"]
    started = next(facts.started for facts in whole(path).facts if facts.started)
    assert (points.wall_times >= started).all()
    assert (points.wall_times < started + 10).all()


@pytest.mark.parametrize("path", [OLD, NEW], ids=["old", "new"])
def test_a_run_says_its_name_and_its_end(path: Path) -> None:
    facts = whole(path).facts
    assert [fact.name for fact in facts if fact.name] == ["over fit"]
    assert facts[-1].finished


def test_a_crashed_run_says_why() -> None:
    assert whole(CRASHED).facts[-1].failure == "RuntimeError: CUDA out of memory"


@pytest.mark.parametrize("path", [OLD, NEW], ids=["old", "new"])
def test_texts_are_samples(path: Path) -> None:
    samples = whole(path).samples
    assert samples[1] == TextSample("samples", 10, "hello 10")
    assert len(samples) == 12


@pytest.mark.parametrize(
    "name", [b"../../secret.txt", b"/etc/passwd.txt", b"link.txt", b"pipe.txt"]
)
def test_a_media_file_outside_the_run_is_not_read(log: Path, name: bytes) -> None:
    media = log.parent / "media" / "text"
    media.mkdir(parents=True)
    (log.parent.parent / "secret.txt").write_text("secret")
    (media / "link.txt").symlink_to(log.parent.parent / "secret.txt")
    os.mkfifo(media / "pipe.txt")
    item = message(1, message(1, name))
    record = message(14, message(1, b"out") + b"\x18\x04" + message(5, item))
    log.write_bytes(logged(HEADER + b"\x02", record))
    assert whole(log).samples == ()


@given(
    st.text(min_size=1, max_size=140),
    st.integers(-5, 1 << 40),
    st.integers(0, 999_999_999),
    st.floats(),
    st.booleans(),
)
def test_every_scalar_is_read_whatever_its_key_and_numbers(
    key: str, step: int, nanoseconds: int, value: float, later_version: bool
) -> None:
    time = b"\x08" + varint(1_700_000_000) + b"\x10" + varint(nanoseconds)
    number = b"\x10" + varint(step % (1 << 64)) if step else b""
    content = message(1, key.encode()) + number + b"\x18\x01" + message(4, time)
    content += message(5, b"\x09" + pack("<d", value)) + (b"0\x01" if later_version else b"")
    record = b"\x08\x02" + message(2, time) + message(13, content)
    (read,) = decode_protobuf(record)
    assert isinstance(read, SwanlabScalar)
    assert (read.key, read.step, repr(read.value)) == (key, step, repr(value))
    assert read.wall_time == 1_700_000_000 + nanoseconds / 1e9


def test_hardware_readings_stand_at_the_step_that_was_logged_last(log: Path) -> None:
    records = [scalar(b"loss", 42, "1"), scalar(b"__swanlab__.gpu.0.pct", 3, "97")]
    log.write_bytes(logged(HEADER + b"\x01", *records))
    points = whole(log).points[-1]
    assert (points.tag, points.steps.tolist()) == ("system/gpu.0.pct", [42])


@settings(max_examples=20)
@given(st.sampled_from([OLD, NEW]), st.lists(st.integers(0, 30_000), max_size=6))
def test_any_split_of_the_bytes_gives_the_same_points(
    tmp_path_factory: pytest.TempPathFactory, path: Path, cuts: list[int]
) -> None:
    log = tmp_path_factory.getbasetemp() / "split.swanlab"
    content = path.read_bytes()
    cuts = sorted(cut for cut in cuts if cut <= len(content))
    grown = read_growing(log, content, cuts, SwanlabReader)
    assert grown.series == read_whole(SwanlabReader(path)).series


@given(st.sampled_from([10, 11, 12, 13, 14, 16]), st.binary(max_size=80))
def test_a_sound_record_of_garbage_is_skipped(
    tmp_path_factory: pytest.TempPathFactory, kind: int, garbage: bytes
) -> None:
    log = tmp_path_factory.getbasetemp() / "garbage.swanlab"
    last = message(13, message(1, b"loss") + b"\x10" + varint(7))
    log.write_bytes(logged(HEADER + b"\x02", message(kind, garbage), last))
    points = whole(log).points[-1]
    assert (points.tag, points.steps.tolist()[-1]) == ("loss", 7)


@pytest.mark.parametrize(
    "garbage",
    [
        *(b"", b"{", b"[]", b"[" * 100_000, b'{"model_type": "Scalar"}'),
        b'{"model_type": "Scalar", "data": {"key": 1, "metric": [], "step": 1}}',
        b'{"model_type": "Scalar", "data": {"key": "a", "metric": {"data": "x"}, "step": 1}}',
        b'{"model_type": "Scalar", "data": {"key": "a", "metric": {"data": 1}, "step": 1e999}}',
        b'{"model_type": "Media", "data": {"key": "a", "metric": {"data": 5}, "step": 1}}',
    ],
)
def test_an_old_record_of_garbage_is_skipped(log: Path, garbage: bytes) -> None:
    log.write_bytes(logged(HEADER + b"\x01", garbage, scalar(b"loss", 7, "0.5")))
    batch = whole(log)
    assert [points.tag for points in batch.points] == ["loss"]
    assert batch.notes == ("1 malformed record skipped",)


def test_an_unknown_version_is_refused(log: Path) -> None:
    log.write_bytes(logged(HEADER + b"\x09", b"record"))
    with pytest.raises(ReadError, match="unknown version 9"):
        whole(log)


def test_only_logs_are_claimed() -> None:
    (form,) = titled("SwanLab logs")
    assert form.claims(NEW, NEW.read_bytes()[:4096])
    assert not form.claims(Path("runs.swanlab"), b"SQLite format 3\0")
