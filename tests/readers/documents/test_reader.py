"""JSON documents that are replaced as a whole."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.errors import ReadError
from lossmon.readers.files.json_file import LARGEST, PATIENCE
from lossmon.readers.registry import detect_head
from lossmon.types import Axis
from tests.readers.growing import DATA, Collected, read, read_whole, titled

(HISTORY,) = titled("JSON training history")
GENERIC = DATA / "generic"


def history(tmp_path: Path, document: object) -> Collected:
    path = tmp_path / "history.json"
    path.write_text(json.dumps(document))
    return read_whole(HISTORY.open(path))


def test_a_list_of_records_is_read_with_its_steps() -> None:
    run = read_whole(HISTORY.open(GENERIC / "history.json"))
    assert [step for step, _ in run.values("loss")] == list(range(0, 400, 5))
    assert run.values("loss")[0] == (0, 2.0406420486338153)
    assert run.values("val_loss")[-1] == (350, 1.7666666666666666)


def test_a_record_of_lists_is_numbered_from_one() -> None:
    run = read_whole(HISTORY.open(GENERIC / "keras_history.json"))
    assert run.series["loss"][0] == (1, "2.0", "order")
    assert run.values("val_loss")[-1] == (20, 1.65)


@pytest.mark.parametrize(
    "document, expected",
    [
        ({"loss": [2, 1], "epoch": [1, 2]}, [(1, 2.0), (2, 1.0)]),
        ({"history": {"loss": [2, 1]}}, [(1, 2.0), (2, 1.0)]),
        ({"log_history": [{"step": 7, "loss": 2}]}, [(7, 2.0)]),
        ({"loss": [2, None, 1], "acc": [0, 0, 1]}, [(1, 2.0), (3, 1.0)]),
        ({"loss": [2, 1], "params": [1, 2, 3, 4]}, [(1, 2.0), (2, 1.0)]),
        ({"loss": [[2], [1]]}, [(1, 2.0), (2, 1.0)]),
        ([{"step": 3, "loss": 2}, "text", 5], [(3, 2.0)]),
        ({"lr": 0.1, "runs": [{"id": 1}], "epochs": [{"epoch": 3, "loss": 2}]}, [(3, 2.0)]),
        ({"fit": {"history": [{"step": 3, "loss": 2}]}}, [(3, 2.0)]),
        ({"0": {"loss": 2}, "1": {"loss": 1}}, [(0, 2.0), (1, 1.0)]),
        ({"step_10": {"loss": 2}, "step_20": {"loss": 1}}, [(10, 2.0), (20, 1.0)]),
    ],
)
def test_histories_of_many_shapes(
    tmp_path: Path, document: object, expected: list[tuple[int, float]]
) -> None:
    assert history(tmp_path, document).values("loss") == expected


@pytest.mark.parametrize(
    ("document", "claimed"),
    [
        ({"config": {"lr": 0.1}, "history": [{"epoch": 1, "loss": 2}]}, True),
        ({"epoch_1": {"loss": 2}}, True),
        ({"results": [{"model": "a", "accuracy": 0.9}]}, False),
        ({"1": {"label": 3}}, False),
        ({"1": {"loss": 2}, "best": 1}, True),
    ],
)
def test_which_documents_are_histories(document: object, claimed: bool) -> None:
    assert HISTORY.claims(Path("a.json"), json.dumps(document).encode()) is claimed


def test_lists_of_nested_records_keep_their_names(tmp_path: Path) -> None:
    run = history(tmp_path, {"train": {"loss": [2, 1]}, "val": {"loss": [3, 4]}})
    assert run.values("val/loss") == [(1, 3.0), (2, 4.0)]


def test_a_version_that_goes_on_gives_only_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    reader = HISTORY.open(path)
    path.write_text('[{"step": 1, "loss": NaN}, {"step": 2, "loss": 1}]')
    assert len(read(reader).points[0]) == 2
    path.write_text('[{"step": 1, "loss": NaN}, {"step": 2, "loss": 1}, {"step": 3, "loss": 0.5}]')
    batch = read(reader)
    assert not batch.replaced
    assert [points.steps.tolist() for points in batch.points] == [[3]]


def test_a_version_that_does_not_go_on_replaces_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    reader = HISTORY.open(path)
    path.write_text('[{"step": 1, "loss": 2}, {"step": 2, "loss": 1}]')
    first = read(reader)
    path.write_text('[{"step": 1, "loss": 7}]')
    batch = read(reader)
    assert batch.replaced
    assert [points.values.tolist() for points in batch.points] == [[7.0]]
    assert batch.points[0].order[0] > first.points[0].order[-1]


def test_a_half_written_document_is_tried_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    text = (GENERIC / "history.json").read_text()
    for cut in range(0, len(text) - 1, 501):
        reader = HISTORY.open(path)
        path.write_text(text[:cut])
        batch = read(reader)
        assert (batch.points, batch.notes) == ((), ()), cut
        path.write_text(text)
        assert len(read(reader).points[0]) == 80, cut


def test_one_that_stays_half_is_worth_one_word(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text('[{"step": 1,')
    os.utime(path, (0, os.stat(path).st_mtime - 2 * PATIENCE))
    reader = HISTORY.open(path)
    notes = [*read(reader).notes, *read(reader).notes, *read(reader).notes]
    assert len(notes) == 1
    assert "line 1 column 13" in notes[0]


def test_a_document_that_vanishes_keeps_its_points(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text('[{"step": 1, "loss": 2}]')
    reader = HISTORY.open(path)
    read(reader)
    path.unlink()
    batch = read(reader)
    assert (batch.points, batch.replaced) == ((), False)


def test_a_directory_or_a_giant_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="not a regular file"):
        read(HISTORY.open(tmp_path))
    path = tmp_path / "history.json"
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(ReadError, match="too many for one JSON document"):
        read(HISTORY.open(path))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[" + "9" * 5000 + "]"])
def test_hostile_documents_give_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "history.json"
    path.write_text(text)
    assert read(HISTORY.open(path)).points == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["loss", "step", "epoch", "log_history", "é"]), inner)
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_document_makes_it_fail(
    tmp_path_factory: pytest.TempPathFactory, document: object
) -> None:
    path = tmp_path_factory.mktemp("any") / "history.json"
    path.write_text(json.dumps(document))
    HISTORY.claims(path, path.read_bytes()[:4096])
    read(HISTORY.open(path))


@pytest.mark.parametrize(
    "name, text, claimed",
    [
        ("history.json", '{"loss": [2.0, 1.0]}', True),
        ("history.json", '{"train": {"accuracy": [0.1, 0.2]}}', True),
        ("log", '[\n {\n "iteration": 500, "main/loss": 7.1', True),
        ("state.json", '{"best": 1, "log_history": [', True),
        ("config.json", '{"betas": [0.9, 0.999], "loss": "mse"}', False),
        ("sweep.json", '{"lr": [0.1, 0.01], "batch_size": [8, 16]}', False),
        ("vocab.json", '{"loss": [1, 2]}', False),
        ("data.json", '[{"instruction": "a", "output": "b"}]', False),
        ("data.json", '[{"id": 1, "score": 0.5}]', False),
        ("data.json", '{"model": {"vocab": {"loss": 17}}}', False),
        ("metrics.json", '{"loss": 1.0, "step": 5}', False),
        ("history.json", "", False),
    ],
)
def test_only_histories_are_claimed(name: str, text: str, claimed: bool) -> None:
    assert (detect_head(Path(name), text.encode()) is HISTORY) is claimed


def test_an_experiment_of_ray_is_a_study_of_its_trials() -> None:
    (experiment,) = titled("Ray Tune experiment state")
    (path,) = (DATA / "ray_study").glob("*.json")
    batch = experiment.open(path).read(0.0)
    (points,) = batch.points
    assert points.tag == "objective/minimize"
    assert points.axis is Axis.TRIAL
    assert points.steps.tolist() == [0, 1, 3]
    assert points.values.tolist() == [0.75, 0.5, 0.625]
    (facts,) = batch.facts
    assert facts.trials == {"trials": 4, "pruned": 0, "failed": 1}
    assert facts.finished
