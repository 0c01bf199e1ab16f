"""W&B's transaction logs."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.errors import ReadError
from lossmon.readers.wandb.items import decode_history, decode_items
from lossmon.readers.wandb.reader import WandbReader
from lossmon.types import Batch, TextSample
from tests import paths
from tests.readers.databases.transaction_logs import history, logged, message, varint
from tests.readers.growing import read_growing, read_whole, titled

HEADER = b":W&B\xe1\xbe\x00"
DATA = paths.DATA / "wandb"
RUNS = [next((DATA / name).glob("*.wandb")) for name in ("v0.19", "v0.31_crash")]
HIDDEN = ("samples.", "hist.", "train/global_step", "train/step")
"""What W&B's own reader gives and ours leaves out: parts of tables, and the axis."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "run-1.wandb"


def whole(path: Path) -> Batch:
    return WandbReader(path).read(math.inf)


def written(log: Path, *records: bytes) -> Batch:
    log.write_bytes(logged(HEADER, *records))
    return whole(log)


def steps(batch: Batch, tag: str) -> list[int]:
    return [step for points in batch.points if points.tag == tag for step in points.steps.tolist()]


def summed_up(batch: Batch) -> dict[str, dict[str, Any]]:
    return {
        points.tag: {
            "n": len(points),
            "first": repr(float(points.values[0])),
            "last": repr(float(points.values[-1])),
        }
        for points in batch.points
    }


def test_tables_are_samples_at_the_optimizer_step() -> None:
    samples = whole(RUNS[0]).samples
    assert [one.step for one in samples] == list(range(20, 181, 20))
    assert samples[0] == TextSample("samples", 20, "3", "2+3=")


def test_a_text_in_the_history_is_a_sample(log: Path) -> None:
    batch = written(log, history(_step="4", out=json.dumps("Prompt: a\nOutput: b")))
    assert batch.samples == (TextSample("out", 4, "b", "a"),)


@pytest.mark.parametrize(
    "name",
    [
        "../../secret.table.json",
        "/etc/secret.table.json",
        "media/table/link.table.json",
        "media/table/pipe.table.json",
        "media/table/broken.table.json",
        "media/table/missing.table.json",
        "media/table/odd.table.json",
    ],
)
def test_a_table_outside_the_run_or_of_another_shape_is_not_read(log: Path, name: str) -> None:
    tables = log.parent / "files" / "media" / "table"
    tables.mkdir(parents=True)
    good = '{"columns": ["prompt", "output"], "data": [["a", "b"]]}'
    (log.parent / "secret.table.json").write_text(good)
    (tables / "link.table.json").symlink_to(log.parent / "secret.table.json")
    (tables / "broken.table.json").write_text(good[:-9])
    (tables / "odd.table.json").write_text('{"columns": {"a": 1}, "data": 3}')
    os.mkfifo(tables / "pipe.table.json")
    fields = {"t._type": '"table-file"', "t.path": json.dumps(name)}
    record = history(_step="1", loss="0.5", **fields)
    batch = written(log, record)
    assert batch.samples == ()
    assert steps(batch, "loss") == [1]


def test_a_table_in_the_run_is_read(log: Path) -> None:
    tables = log.parent / "files" / "media" / "table" / "eval"
    tables.mkdir(parents=True)
    table = {"columns": ["step", "prompt", "completion"], "data": [[5, "a", "b"], [6, "a", "c"]]}
    (tables / "t_1_ab.table.json").write_text(json.dumps(table))
    path = json.dumps("media/table/eval/t_1_ab.table.json")
    fields = {"eval__t._type": '"table-file"', "eval__t.path": path}
    assert written(log, history(_step="1", **fields)).samples == (
        TextSample("eval/t", 5, "b", "a"),
        TextSample("eval/t", 6, "c", "a"),
    )


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.parent.name)
def test_scalars_are_those_that_wandb_itself_reads(path: Path) -> None:
    expected = json.loads((path.parent / "expected.json").read_text())
    found = summed_up(whole(path))
    stats = {f"system/{key}": value for key, value in expected["stats"].items()}
    values = {
        key: value for key, value in expected["history"].items() if not key.startswith(HIDDEN)
    }
    assert found == values | stats


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=140),
        st.floats().map(json.dumps) | st.text(max_size=140).map(json.dumps),
        max_size=8,
    ),
    st.sampled_from([b"", b"\x12\x00", b"\x12\x02\x08\x05"]),
)
def test_the_short_way_through_a_history_record_leads_where_the_long_one_does(
    values: dict[str, str], step: bytes
) -> None:
    pairs = [(message(2, key.encode()), value.encode()) for key, value in values.items()]
    record = b"".join(message(1, key + message(16, value)) for key, value in pairs) + step
    assert decode_history(record, 0, len(record)) == pairs
    assert list(decode_items(record, 0, len(record))) == pairs


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.parent.name)
def test_the_console_is_given_in_lines(path: Path) -> None:
    lines = whole(path).lines
    expected = json.loads((path.parent / "expected.json").read_text())
    assert len(lines) == expected["output_lines"]
    assert lines[1] == "step 0 loss 2.5783"


def test_a_run_that_exited_well_has_finished() -> None:
    assert [facts.finished for facts in whole(RUNS[0]).facts if facts.finished is not None] == [
        True
    ]


def test_a_run_that_exited_badly_has_failed() -> None:
    assert whole(RUNS[1]).facts[-1].failure == "exit code 1"


def test_a_run_says_its_name_its_start_and_its_settings() -> None:
    first, second = whole(RUNS[0]).facts[:2]
    assert (first.name, first.started) == ("demo", 1795219604.941011)
    assert second.settings == {"lr": "0.001", "bsz": "8", "model.layers": "2", "model.act": "relu"}


def test_the_plan_is_taken_from_the_configuration(log: Path) -> None:
    update = message(1, message(1, b"max_steps") + message(16, b"500"))
    assert written(log, message(5, update)).facts[0].total_steps == 500


@given(st.lists(st.integers(0, 48_825), max_size=6))
def test_any_split_of_the_bytes_gives_the_same_points(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    path = tmp_path_factory.getbasetemp() / "split.wandb"
    grown = read_growing(path, RUNS[1].read_bytes(), sorted(cuts), WandbReader)
    assert grown.series == read_whole(WandbReader(RUNS[1])).series


@given(st.lists(st.tuples(st.integers(0, 48_824), st.integers(1, 255)), min_size=1, max_size=20))
def test_damage_raises_nothing_but_read_errors(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]]
) -> None:
    content = bytearray(RUNS[1].read_bytes())
    for place, flip in flips:
        content[place] ^= flip
    log = tmp_path_factory.getbasetemp() / "damage.wandb"
    log.write_bytes(content)
    try:
        whole(log)
    except ReadError:
        assert content[:6] != HEADER[:6]


@given(st.sampled_from([2, 4, 5, 7, 12, 13, 17, 18]), st.binary(max_size=80))
def test_a_sound_record_of_garbage_is_skipped(
    tmp_path_factory: pytest.TempPathFactory, kind: int, garbage: bytes
) -> None:
    log = tmp_path_factory.getbasetemp() / "garbage.wandb"
    last = history(_step="7", loss="0.5")
    batch = written(log, message(kind, garbage), last)
    assert steps(batch, "loss")[-1:] == [7]


def test_the_step_that_the_trainer_logs_is_preferred_to_the_count_of_calls(log: Path) -> None:
    batch = written(
        log,
        history(_step="0", loss="1", train__global_step="10"),
        history(_step="1", eval__loss="2", train__global_step="10"),
        history(_step="2", gpu_hours="3"),
        history(_step="3", loss="1", train__global_step="20"),
    )
    assert steps(batch, "loss") == [10, 20]
    assert steps(batch, "eval/loss") == [10]
    assert steps(batch, "gpu_hours") == [10]


@pytest.mark.parametrize(
    "axis, value, expected",
    [
        pytest.param("my_step", "500", 500, id="a step"),
        pytest.param("my_step", "0", 3, id="a step that is never logged"),
        pytest.param("epoch", "5", 3, id="an epoch"),
    ],
)
def test_an_axis_that_the_run_named_is_used_if_it_counts_steps(
    log: Path, axis: str, value: str, expected: int
) -> None:
    named = message(12, message(1, b"loss") + message(4, axis.encode()))
    batch = written(log, named, history(_step="3", loss="1", **{axis: value}))
    assert steps(batch, "loss") == [expected]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_values_that_are_not_finite_are_kept(log: Path, value: str) -> None:
    (points,) = written(log, history(_step="1", loss=value)).points
    assert repr(float(points.values[0])) == repr(float(value))


KEYS = ("_step", "_timestamp", "train__global_step", "loss", "lr", "eval__loss")
ROWS = st.lists(
    st.tuples(
        st.sampled_from([KEYS[:5], (KEYS[0], *KEYS[3:]), KEYS]),
        st.sampled_from(["1", "2.5", "1", "NaN", "1e999", "null", "1" * 70]),
    ),
    max_size=30,
)


@given(ROWS)
def test_rows_with_the_same_keys_are_stored_like_single_rows(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[tuple[str, ...], str]]
) -> None:
    log = tmp_path_factory.mktemp("rows") / "run-1.wandb"
    records = [
        history(**{key: str(number) for key in keys[:-1]}, **{keys[-1]: value})
        for number, (keys, value) in enumerate(rows)
    ]
    log.write_bytes(logged(HEADER, *records))
    single = WandbReader(log)
    single._add_planned = lambda pairs: False  # type: ignore[method-assign]
    expected = {points.tag: points for points in single.read(math.inf).points}
    with pytest.MonkeyPatch.context() as patch:
        # The second record of a plan in a row has a pattern made for those that follow.
        patch.setattr("lossmon.readers.wandb.reader._MANY", 1)
        planned = whole(log).points
    assert {points.tag for points in planned} == set(expected)
    for points in planned:
        for name in ("order", "steps", "values", "wall_times"):
            np.testing.assert_array_equal(
                getattr(points, name), getattr(expected[points.tag], name)
            )


@pytest.mark.parametrize("value", ['"text"', "true", "null", "[1]", "{}", "1" * 100, ""])
def test_values_that_are_not_numbers_are_left_out(log: Path, value: str) -> None:
    assert written(log, history(_step="1", note=value)).points == ()


def test_a_long_key_and_a_long_value_are_read(log: Path) -> None:
    key = "k" * 300
    (points,) = written(log, history(_step="1", **{key: "2.5"})).points
    assert (points.tag, points.values.tolist()) == (key, [2.5])


def test_a_progress_bar_on_the_console_gives_its_newest_state(log: Path) -> None:
    pieces = [b"\r 1%", b"\r 2%", b"\n", b"done\n"]
    records = [message(13, b"\x08\x01" + message(3, piece)) for piece in pieces]
    assert written(log, *records).lines == (" 2%", "done")


def test_system_statistics_have_their_own_times(log: Path) -> None:
    stamp = message(2, b"\x08" + varint(1_700_000_000) + b"\x10" + varint(500_000_000))
    item = message(3, message(1, b"gpu.0.gpu") + message(16, b"97.5"))
    batch = written(log, history(_step="42", loss="1"), message(7, stamp + item))
    points = batch.points[-1]
    assert (points.tag, points.values.tolist()) == ("system/gpu.0.gpu", [97.5])
    assert (points.steps.tolist(), points.wall_times.tolist()) == ([42], [1_700_000_000.5])


def test_only_transaction_logs_are_claimed() -> None:
    (form,) = titled("Weights & Biases transaction logs")
    assert form.fits(RUNS[0])
    assert form.claims(RUNS[0], RUNS[0].read_bytes()[:4096])
    assert form.claims(RUNS[0], b"")
    assert not form.claims(RUNS[0], b"SQLite format 3\0")
