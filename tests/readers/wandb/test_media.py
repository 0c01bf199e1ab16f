"""Histograms and images in W&B's history."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from lossmon.readers.wandb import FORMATS
from lossmon.readers.wandb.reader import WandbReader
from lossmon.readers.wandb.tables import classifier_curves
from lossmon.types import (
    Histogram,
    LoggedImage,
    LoggedMedia,
    MediaContent,
    MediaKind,
    MediaSeries,
    PrCurve,
    RocCurve,
    UnreadableMedia,
)
from tests.readers.databases.transaction_logs import history, logged

HEADER = b":W&B\xe1\xbe\x00"

EDGES = {"_type": "histogram", "values": [1, 0, 3], "bins": [0.0, 0.5, 1.0, 1.5]}
PACKED = {"_type": "histogram", "values": [1, 0, 3],
          "packedBins": {"min": 0.0, "size": 0.5, "count": 3}}  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "run-1.wandb"


def flat(key: str, logged: dict[str, object]) -> dict[str, str]:
    """Items of a record as newer versions write them."""
    found: dict[str, str] = {}
    for name, value in logged.items():
        if isinstance(value, dict):
            found |= flat(f"{key}.{name}", value)
        else:
            found[f"{key}.{name}"] = json.dumps(value)
    return found


def noted(log: Path, *records: bytes) -> list[LoggedMedia]:
    log.write_bytes(logged(HEADER, *records))
    return list(WandbReader(log).read(math.inf).media)


def load(one: LoggedMedia) -> MediaContent:
    loader = FORMATS[0].load_media
    assert loader is not None
    [found] = loader(MediaSeries(one.kind, one.tag, one.tag, "wandb", (one.record,)), [one.record])
    return found


@pytest.mark.parametrize("value", [EDGES, PACKED], ids=["edges", "packed"])
@pytest.mark.parametrize("nested", [True, False], ids=["one item", "an item per key"])
def test_a_histogram_is_read_in_all_of_its_forms(
    log: Path, value: dict[str, object], nested: bool
) -> None:
    items = {"gradients/w": json.dumps(value)} if nested else flat("gradients/w", value)
    filler = history(_step="1", **{f"m{i}": "0.25" for i in range(4000)})
    media = noted(log, filler, history(_step="7", **items, loss="1.0"))
    [one] = media
    assert (one.kind, one.tag, one.record.step) == (MediaKind.HISTOGRAM, "gradients/w", 7)
    found = load(one)
    assert isinstance(found, Histogram)
    assert found.left.tolist() == [0.0, 1.0]
    assert found.counts.tolist() == [1.0, 3.0]


def test_a_histogram_is_found_across_blocks(log: Path) -> None:
    """Of two large records each lies in several blocks of 32 KiB."""
    many = {f"g/{i}": json.dumps(EDGES) for i in range(900)}
    media = noted(log, history(_step="1", **many), history(_step="2", **many))
    for one in (media[0], media[899], media[-1]):
        assert isinstance(load(one), Histogram)
    content = bytearray(log.read_bytes())
    content[60_000] ^= 1
    log.write_bytes(content)
    assert load(media[0]) == UnreadableMedia("the record is damaged, or the file was replaced")


def test_images_are_files_of_the_run(log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files" / "media" / "images"
    folder.mkdir(parents=True)
    (folder / "a_1.png").write_bytes(b"PNG")
    one = {"_type": "image-file", "path": "media/images/a_1.png", "width": 4, "height": 3}
    several = {"_type": "images/separated", "filenames": ["media/images/a_1.png"] * 3}
    outside = one | {"path": "../../secret.png"}
    records = [
        history(_step=str(at), **flat("img", value))
        for at, value in enumerate((one, several, outside))
    ]
    first, second, third = map(load, noted(log, *records))
    assert first == LoggedImage("media/images/a_1.png", 4, 3, (b"PNG",))
    assert second == LoggedImage("media/images/a_1.png", 0, 0, (b"PNG",) * 3, count=3)
    assert isinstance(third, LoggedImage)
    assert (third.data, third.problem) == ((), "its file is not there")


@pytest.mark.parametrize(
    "change",
    [
        {"bins": [0.0]},
        {"bins": [math.nan] * 4},
        {"values": "1"},
        {"values": [-1, 0, 0]},
        {"bins": None, "packedBins": {"min": 0, "size": 1e308, "count": 1 << 60}},
        {"bins": None, "packedBins": {"min": -1e308, "size": -1e308, "count": 3}},
    ],
)
def test_a_histogram_that_is_not_one_says_so(log: Path, change: dict[str, object]) -> None:
    [one] = noted(log, history(_step="1", h=json.dumps(EDGES | change)))
    assert load(one) == UnreadableMedia("a histogram without values")


def test_other_objects_are_not_media(log: Path) -> None:
    assert not noted(log, history(_step="1", t=json.dumps({"_type": "table-file"}), d="{}"))


TABLE = {"_type": "table-file", "path": "media/table/pr_table_3_ab.table.json", "ncols": 3}
ROWS = [["cat", 1.0, 0.4], ["dog", 1.0, 0.2], ["cat", 0.0, 1.0], ["dog", 0.5, 0.7], ["cat"]]


@pytest.mark.parametrize("nested", [True, False], ids=["one item", "an item per key"])
@pytest.mark.parametrize("key", ["pr_table", "Custom Chart Tables/pr_table"])
def test_a_table_of_precision_and_recall_is_a_pr_curve_per_class(
    log: Path, tmp_path: Path, nested: bool, key: str
) -> None:
    file = tmp_path / "files" / TABLE["path"]
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"columns": ["class", "recall", "precision"], "data": ROWS}))
    items = {key: json.dumps(TABLE)} if nested else flat(key, TABLE)
    found = noted(log, history(_step="3", **items))
    assert [(one.kind, one.tag) for one in found] == [
        (MediaKind.PR_CURVE, f"{key}/cat"),
        (MediaKind.PR_CURVE, f"{key}/dog"),
    ]
    cat, dog = map(load, found)
    assert isinstance(cat, PrCurve) and isinstance(dog, PrCurve)
    assert (cat.recall.tolist(), cat.precision.tolist()) == ([0.0, 1.0], [1.0, 0.4])
    assert dog.area == pytest.approx(0.5 * 0.7 + 0.5 * 0.2)
    file.unlink()
    assert load(found[0]) == UnreadableMedia("the file of its table is not there")
    assert noted(log, history(_step="3", **items)) == []


def test_a_table_of_false_and_true_positive_rates_is_a_roc_curve_per_class(
    log: Path, tmp_path: Path
) -> None:
    file = tmp_path / "files" / TABLE["path"]
    file.parent.mkdir(parents=True)
    rows = [["cat", 0.0, 0.0], ["cat", 0.5, 1.0], ["dog", 0.0, 0.0], ["cat", 1.0, 1.0]]
    file.write_text(json.dumps({"columns": ["class", "fpr", "tpr"], "data": rows}))
    found = noted(log, history(_step="3", roc_table=json.dumps(TABLE)))
    assert [(one.kind, one.tag) for one in found] == [
        (MediaKind.ROC_CURVE, "roc_table/cat"),
        (MediaKind.ROC_CURVE, "roc_table/dog"),
    ]
    cat, dog = map(load, found)
    assert isinstance(cat, RocCurve) and isinstance(dog, RocCurve)
    assert (cat.fpr.tolist(), cat.tpr.tolist()) == ([0.0, 0.5, 1.0], [0.0, 1.0, 1.0])
    assert cat.area == pytest.approx(0.75)
    assert math.isnan(dog.area)


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"columns": ["recall", "precision"]', '{"columns": "precision recall", "data": []}',
     '{"columns": ["recall", "precision"], "data": [[2, 0.5], ["x", "y"], 7]}',
     '{"columns": [["recall"], "precision", "fpr"], "data": [[0.5, 0.5, 0.5]]}'],
)  # fmt: skip
def test_other_tables_are_no_classifier_curves(tmp_path: Path, content: str) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.table.json").write_text(content)
    assert classifier_curves(tmp_path, "a.table.json") == {}
    assert classifier_curves(tmp_path, "../a.table.json") == {}
