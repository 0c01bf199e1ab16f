"""Histograms, PR curves and images in event files."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event

from lossmon.monitor import Monitor
from lossmon.readers.tensorboard import FORMATS
from lossmon.readers.tensorboard.reader import EventReader
from lossmon.types import (
    Histogram,
    LoggedImage,
    LoggedMedia,
    MediaContent,
    MediaKind,
    MediaSeries,
    PrCurve,
    UnreadableMedia,
)
from tests.readers.tensorboard.event_files import (
    framed,
    histogram,
    image,
    recorded,
    scalar,
    tensor,
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "events.out.tfevents.1.host"


def noted(log: Path) -> list[LoggedMedia]:
    return list(EventReader(log).read(math.inf).media)


def loaded(*media: LoggedMedia) -> list[MediaContent]:
    """The contents of what was logged under the tag of the first."""
    kind, tag, _ = media[0]
    records = tuple(one.record for one in media)
    load = FORMATS[0].load_media
    assert load is not None
    return list(load(MediaSeries(kind, tag, tag, "tensorboard", records), records))


def content(log: Path, event: Event) -> MediaContent:
    log.write_bytes(recorded(event))
    [one] = noted(log)
    [found] = loaded(one)
    return found


def test_a_histogram_is_read_where_it_lies(log: Path) -> None:
    log.write_bytes(
        recorded(scalar("loss", 0, 1.0), histogram("w\x1b[2J", 5), histogram("w\x1b[2J", 9))
    )
    media = noted(log)
    assert {one.kind for one in media} == {MediaKind.HISTOGRAM}
    assert [one.record.step for one in media] == [5, 9]
    assert "\x1b" not in media[0].tag
    for one in loaded(*media):
        assert isinstance(one, Histogram)
        # The outer bins end where the values do; empty bins are left out.
        assert one.left.tolist() == [-0.5, 0.0, 1.0]
        assert one.right.tolist() == [0.0, 1.0, 2.0]
        assert one.counts.tolist() == [2.0, 3.0, 1.0]


def test_a_histogram_of_tensorflow_2_is_read(log: Path) -> None:
    rows = np.array([[0.0, 1.0, 4.0], [1.0, 2.0, 0.0], [2.0, 3.0, 8.0]])
    found = content(log, tensor("dense/kernel", 1, "histograms", rows))
    assert isinstance(found, Histogram)
    assert found.left.tolist() == [0.0, 2.0]
    assert found.total == 12.0


def test_a_plugin_named_once_holds_for_the_histograms_of_a_tag(log: Path) -> None:
    rows = np.array([[0.0, 1.0, 4.0]])
    later = tensor("h", 2, "histograms", rows)
    later.summary.value[0].ClearField("metadata")
    log.write_bytes(recorded(tensor("h", 1, "histograms", rows), later))
    assert [one.record.step for one in noted(log)] == [1, 2]


def test_a_pr_curve_is_read_from_low_to_high_recall(log: Path) -> None:
    rows = np.zeros((6, 3), np.float32)
    rows[4], rows[5] = [0.25, 0.5, 1.0], [1.0, 0.75, 0.5]
    found = content(log, tensor("pr", 3, "pr_curves", rows))
    assert isinstance(found, PrCurve)
    assert found.recall.tolist() == [0.5, 0.75, 1.0]
    assert found.precision.tolist() == [1.0, 0.5, 0.25]
    assert found.area == pytest.approx(0.5 * 1 + 0.25 * 0.5 + 0.25 * 0.25)


def test_an_image_is_given_as_it_was_encoded(log: Path) -> None:
    assert content(log, image("img", 1, b"PNG")) == LoggedImage(log.name, 4, 3, (b"PNG",))


def test_an_image_of_tensorflow_2_is_a_tensor_of_strings(log: Path) -> None:
    event = tensor("img", 1, "images", np.zeros(1))
    proto = event.summary.value[0].tensor
    proto.Clear()
    proto.dtype = 7
    proto.string_val.extend([b"20", b"10", b"PNG", b"second"])
    assert content(log, event) == LoggedImage(log.name, 20, 10, (b"PNG", b"second"), count=2)


@pytest.mark.parametrize("cut", [300_000, 700_000])
def test_an_image_of_megabytes_is_noted_once_it_is_written_completely(log: Path, cut: int) -> None:
    whole = recorded(image("img", 7, bytes(3 << 20)), scalar("loss", 8, 1.0))
    log.write_bytes(whole[:cut])
    reader = EventReader(log)
    assert not reader.read(math.inf).media
    log.write_bytes(whole)
    [one] = reader.read(math.inf).media
    assert (one.tag, one.record.step) == ("img", 7)
    [found] = loaded(one)
    assert isinstance(found, LoggedImage)
    assert len(found.data[0]) == 3 << 20


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (tensor("h", 1, "histograms", np.zeros((2, 3)), (1 << 40, 3)), "nothing to show"),
        (tensor("h", 1, "histograms", np.zeros((2, 3)), (-2, -3)), "nothing to show"),
        (tensor("h", 1, "histograms", np.zeros((2, 3))), "a histogram without values"),
        (tensor("h", 1, "histograms", np.full((2, 3), np.nan)), "a histogram without values"),
        (tensor("p", 1, "pr_curves", np.zeros((2, 3), np.float32)), "nothing to show"),
        (tensor("i", 1, "images", np.zeros(4)), "nothing to show"),
    ],
)
def test_what_cannot_be_shown_says_why(log: Path, event: Event, reason: str) -> None:
    assert content(log, event) == UnreadableMedia(reason)


def test_a_record_that_changed_since_it_was_noted_is_not_shown(log: Path) -> None:
    whole = recorded(histogram("h", 1))
    log.write_bytes(whole)
    [one] = noted(log)
    log.write_bytes(whole[:40] + b"?" + whole[41:])
    [found] = loaded(one)
    assert found == UnreadableMedia("the record is damaged, or the file was replaced")
    log.unlink()
    [found] = loaded(one)
    assert isinstance(found, UnreadableMedia)


def test_a_run_lists_what_it_logged_and_grows(tmp_path: Path) -> None:
    """Sub-runs have names of their own, and the tuple changes with its contents alone."""
    parts = [tmp_path / name / "events.out.tfevents.1.host" for name in ("train", "validation")]
    for part in parts:
        part.parent.mkdir()
        part.write_bytes(recorded(scalar("loss", 0, 1.0), histogram("h", 0)))
    monitor = Monitor([tmp_path])
    [run] = monitor.drain().runs
    assert [(one.name, one.last_step) for one in run.media] == [("train/h", 0), ("validation/h", 0)]
    for event, last in ((scalar("loss", 1, 1.0), 0), (histogram("h", 1), 1)):
        with parts[0].open("ab") as file:
            file.write(recorded(event))
        [grown] = monitor.drain().runs
        assert (grown.media is run.media) is (last == 0)
        assert grown.media[0].last_step == last


def test_a_histogram_with_a_negative_step_is_left_out(log: Path) -> None:
    log.write_bytes(recorded(histogram("h", -1)) + framed(b"\x2a\x02\x0a\x00"))
    assert not noted(log)
