"""JSON lines: every cut, every restart, every spelling."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.readers.records.frame import RecordFrame
from lossmon.readers.records.json_records import JsonParser, json_lines
from lossmon.readers.records.reader import LineFault, RecordReader
from lossmon.readers.registry import detect_head
from lossmon.types import Axis
from tests.readers.growing import DATA, read, read_growing, read_whole, titled

(JSONL,) = titled("JSON lines")

STEPS = [*range(0, 205, 5), *range(150, 400, 5)]
"""Of the samples whose run crashed at step 200 and went on from 150."""


def written(tmp_path: Path, text: str, name: str = "metrics.jsonl") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def loss_of(tmp_path: Path, text: str) -> list[tuple[int, float]]:
    return read_whole(json_lines(written(tmp_path, text))).values("loss")


def test_a_run_that_crashed_in_mid_line_and_went_on_gives_all_whole_records() -> None:
    run = read_whole(json_lines(DATA / "generic" / "metrics.jsonl"))
    assert [step for step, _ in run.values("loss")] == STEPS
    assert run.values("loss")[0] == (0, 2.0188343080936133)
    assert run.values("loss")[-1] == (395, 0.010771346337110728)
    assert run.values("val_loss")[-1] == (350, 1.7666666666666666)
    assert run.notes == []


def test_nested_records_are_flattened_with_slashes() -> None:
    run = read_whole(json_lines(DATA / "generic" / "nested.jsonl"))
    assert run.values("train/loss")[0] == (0, 1.9821806267359174)
    assert run.values("train/grad/norm")[1] == (5, 0.5484842965725134)
    assert len(run.values("opt/lr")) == 40


@pytest.mark.parametrize("count", [3, 60])
def test_records_that_name_their_split_are_series_of_their_own(tmp_path: Path, count: int) -> None:
    lines = (
        json.dumps({"mode": mode, "epoch": epoch, "loss": epoch + at, "val_f1": 0.5})
        for epoch in range(count)
        for at, mode in enumerate(("train", "Val"))
    )
    run = read_whole(json_lines(written(tmp_path, "".join(f"{line}\n" for line in lines))))
    assert run.values("loss") == [(epoch, epoch) for epoch in range(count)]
    assert run.values("val/loss") == [(epoch, epoch + 1) for epoch in range(count)]
    assert len(run.values("val_f1")) == 2 * count


def test_a_mode_that_is_not_a_split_changes_nothing(tmp_path: Path) -> None:
    text = "".join(
        f'{{"mode": "min", "type": "log", "step": {i}, "loss": {i}}}\n' for i in range(9)
    )
    assert len(loss_of(tmp_path, text)) == 9


def test_nan_and_infinity_are_values_and_null_and_booleans_are_not() -> None:
    run = read_whole(json_lines(DATA / "generic" / "nan.jsonl"))
    assert run.series["loss"] == [
        (0, "1.0", "step"),
        (1, "0.9", "step"),
        (2, "nan", "step"),
        (3, "inf", "step"),
        (5, "0.8", "step"),
    ]


@pytest.mark.parametrize("name", ["metrics.jsonl", "nested.jsonl", "nan.jsonl"])
def test_a_cut_anywhere_gives_the_same_points(tmp_path: Path, name: str) -> None:
    content = (DATA / "generic" / name).read_bytes()[:6000]
    (tmp_path / "whole").write_bytes(content)
    expected = read_whole(json_lines(tmp_path / "whole")).series
    for cut in random.Random(1).sample(range(len(content)), 40):
        grown = read_growing(tmp_path / "log.jsonl", content, [cut], json_lines)
        assert grown.series == expected, cut


def test_a_byte_at_a_time_gives_the_same_points(tmp_path: Path) -> None:
    content = (DATA / "generic" / "metrics.jsonl").read_bytes()[:1500]
    (tmp_path / "whole").write_bytes(content)
    expected = read_whole(json_lines(tmp_path / "whole"))
    grown = read_growing(tmp_path / "log.jsonl", content, range(len(content)), json_lines)
    assert grown.series == expected.series


def test_a_last_record_without_its_newline_is_read(tmp_path: Path) -> None:
    assert loss_of(tmp_path, '{"step": 1, "loss": 2}\n{"step": 2, "loss": 1}') == [(1, 2), (2, 1)]


def test_it_is_not_read_twice_when_the_newline_comes(tmp_path: Path) -> None:
    text = b'{"step": 1, "loss": 2}\n{"step": 2, "loss": 1}\n{"step": 3, "loss": 0}\n'
    grown = read_growing(tmp_path / "a.jsonl", text, [45, 46], json_lines)
    assert grown.values("loss") == [(1, 2), (2, 1), (3, 0)]


def test_two_records_glued_on_one_line_are_two(tmp_path: Path) -> None:
    text = '{"step": 1, "loss": 2}{"step": 2, "loss": 1}\n'
    assert loss_of(tmp_path, text) == [(1, 2), (2, 1)]
    for cut in range(len(text)):
        grown = read_growing(tmp_path / "a.jsonl", text.encode(), [cut], json_lines)
        assert grown.values("loss") == [(1, 2), (2, 1)], cut


def test_a_line_that_is_not_json_is_skipped_with_a_note_that_says_where(tmp_path: Path) -> None:
    path = written(tmp_path, '{"step": 1, "loss": 2}\noops {\n{"step": 2, "loss": 1}\n')
    run = read_whole(json_lines(path))
    assert run.values("loss") == [(1, 2), (2, 1)]
    assert run.notes == ["line 2 skipped: not JSON (expecting value at character 1)"]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("[" * 100_000, id="100,000 brackets"),
        pytest.param('{"a":' * 100_000, id="100,000 nested objects"),
        pytest.param('{"' * 50_000, id="endless beginnings"),
        pytest.param("\x00\x01\x02", id="control characters"),
        pytest.param('"', id="a lone quote"),
        pytest.param("NaN NaN", id="two values"),
    ],
)
def test_hostile_lines_are_stepped_over(tmp_path: Path, line: str) -> None:
    text = f'{{"step": 1, "loss": 2}}\n{line}\n{{"step": 2, "loss": 1}}\n'
    assert loss_of(tmp_path, text) == [(1, 2), (2, 1)]


def test_numbers_of_any_size_are_read(tmp_path: Path) -> None:
    digits = "9" * 5000
    text = f'{{"step": 1, "loss": 1e999}}\n{{"step": 2, "loss": {digits}}}\n'
    assert loss_of(tmp_path, text) == [(1, math.inf), (2, math.inf)]


def test_of_a_name_that_comes_twice_the_last_value_counts(tmp_path: Path) -> None:
    assert loss_of(tmp_path, '{"step": 1, "loss": 2, "loss": 3}\n') == [(1, 3)]


@pytest.mark.parametrize(
    "spelling, value",
    [
        ('"4.029"', 4.029),
        ('"1_000"', 1000),
        ('"61.5%"', 61.5),
        ('"12k"', 12000),
        ("[0.5]", 0.5),
        ('"np.float64(0.5)"', 0.5),
        ("\"tensor(0.5, device='cuda:0')\"", 0.5),
        ('"-inf"', -math.inf),
    ],
)
def test_numbers_are_read_in_every_spelling(tmp_path: Path, spelling: str, value: float) -> None:
    assert loss_of(tmp_path, f'{{"step": 1, "loss": {spelling}}}\n') == [(1, value)]
    many = "".join(f'{{"step": {step}, "loss": {spelling}}}\n' for step in range(50))
    assert loss_of(tmp_path, many) == [(step, value) for step in range(50)]


def test_truncation_begins_the_run_anew(tmp_path: Path) -> None:
    path = written(tmp_path, '{"step": 1, "loss": 2}\n{"step": 2, "loss": 1}\n')
    reader = json_lines(path)
    read(reader)
    path.write_text('{"step": 1, "loss": 9}\n')
    batch = read(reader)
    assert batch.replaced
    assert [points.values.tolist() for points in batch.points] == [[9.0]]


def test_a_file_that_is_absent_or_empty_gives_nothing(tmp_path: Path) -> None:
    reader = json_lines(tmp_path / "none.jsonl")
    assert read(reader).points == ()
    written(tmp_path, "", "none.jsonl")
    assert read(reader).points == ()


def test_the_encoding_does_not_matter(tmp_path: Path) -> None:
    text = '{"step": 1, "lösung": 2.0, "loss": 1}\r\n{"step": 2, "lösung": 3.0, "loss": 2}\r\n'
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path = tmp_path / f"{encoding}.jsonl"
        path.write_bytes(text.encode(encoding))
        assert read_whole(json_lines(path)).values("lösung") == [(1, 2), (2, 3)]


def test_steps_come_from_the_surest_name(tmp_path: Path) -> None:
    text = '{"epoch": 1, "iter": 5, "step": 7, "loss": 1}\n'
    run = read_whole(json_lines(written(tmp_path, text)))
    assert run.values("loss") == [(7, 1)]
    assert run.values("epoch") == [(7, 1)]


def test_a_record_without_a_step_belongs_to_the_step_before(tmp_path: Path) -> None:
    text = '{"step": 10, "loss": 1}\n{"eval_loss": 2}\n{"step": 20, "loss": 1}\n'
    assert read_whole(json_lines(written(tmp_path, text))).values("eval_loss") == [(10, 2)]


def test_whole_epochs_are_an_axis(tmp_path: Path) -> None:
    run = read_whole(
        json_lines(written(tmp_path, '{"epoch": 0, "loss": 2}\n{"epoch": 1, "loss": 1}\n'))
    )
    assert run.series["loss"] == [(0, "2.0", "epoch"), (1, "1.0", "epoch")]


@pytest.mark.parametrize(
    "text, axis",
    [
        pytest.param('{"loss": 3}\n{"loss": 2}\n', Axis.ORDER, id="nothing to go by"),
        pytest.param(
            '{"epoch": 0, "loss": 3}\n{"epoch": 0.5, "loss": 2}\n', Axis.ORDER, id="parts"
        ),
        pytest.param('{"epoch": 1, "loss": 3}\n' * 3, Axis.ORDER, id="many records an epoch"),
        pytest.param(
            '{"epoch": 0, "loss": 3}\n{"step": 5, "loss": 2}\n', Axis.STEP, id="late step"
        ),
        pytest.param('{"loss": 3}\n{"epoch": 5, "loss": 2}\n', Axis.EPOCH, id="late epoch"),
    ],
)
def test_the_axis_is_the_same_for_every_cut(tmp_path: Path, text: str, axis: Axis) -> None:
    expected = read_whole(json_lines(written(tmp_path, text))).series
    assert {row[2] for row in expected["loss"]} == {axis.value}
    for cut in range(len(text)):
        grown = read_growing(tmp_path / "b.jsonl", text.encode(), [cut], json_lines)
        assert grown.series == expected, cut


def test_a_step_that_counts_within_its_epoch_is_continued(tmp_path: Path) -> None:
    text = "".join(
        f'{{"epoch": {epoch}, "iter": {step}, "loss": 1}}\n'
        for epoch in (1, 2, 3)
        for step in (10, 20, 30)
    )
    assert [step for step, _ in loss_of(tmp_path, text)] == [10, 20, 30, 40, 50, 60, 70, 80, 90]


def test_one_that_counts_from_zero_too(tmp_path: Path) -> None:
    text = "".join(
        f'{{"epoch": {epoch}, "iter": {step}, "loss": 1}}\n' for epoch in (0, 1) for step in (0, 5)
    )
    assert [step for step, _ in loss_of(tmp_path, text)] == [0, 5, 10, 15]


def test_a_resumed_run_goes_back_to_where_it_was(tmp_path: Path) -> None:
    places = [(1, 10), (1, 20), (2, 10), (2, 20), (3, 10), (2, 10), (2, 20), (3, 10)]
    text = "".join(f'{{"epoch": {e}, "iter": {i}, "loss": 1}}\n' for e, i in places)
    assert [step for step, _ in loss_of(tmp_path, text)] == [10, 20, 30, 40, 50, 30, 40, 50]


def test_moments_become_wall_times_and_durations_stay_quantities(tmp_path: Path) -> None:
    text = '{"step": 1, "loss": 1, "time": 0.5, "timestamp": 1700000000500}\n'
    batch = read(json_lines(written(tmp_path, text)))
    assert {points.tag for points in batch.points} == {"loss", "time"}
    assert batch.points[0].wall_times.tolist() == [1700000000.5]


def test_a_written_date_becomes_a_wall_time(tmp_path: Path) -> None:
    text = '{"step": 1, "loss": 1, "timestamp": "2026-11-21T00:00:00+00:00"}\n'
    for lines in (text, text * 50):
        batch = read(json_lines(written(tmp_path, lines)))
        assert set(batch.points[0].wall_times.tolist()) == {1795219200.0}


def test_names_that_differ_in_a_digit_are_kept_apart(tmp_path: Path) -> None:
    text = '{"step": 1, "loss": 2}\n{"step": 2, "loss2": 3}\n' * 50
    run = read_whole(json_lines(written(tmp_path, text)))
    assert run.values("loss") == [(1, 2)] * 50
    assert run.values("loss2") == [(2, 3)] * 50


def test_so_are_names_whose_order_changes(tmp_path: Path) -> None:
    text = '{"step": 1, "gpu0": 2, "gpu1": 3}\n{"step": 2, "gpu1": 4, "gpu0": 5}\n' * 50
    run = read_whole(json_lines(written(tmp_path, text)))
    assert run.values("gpu0") == [(1, 2), (2, 5)] * 50
    assert run.values("gpu1") == [(1, 3), (2, 4)] * 50


NUMBERS = st.floats(width=64) | st.integers(-(2**70), 2**70)
RECORDS = st.dictionaries(
    st.sampled_from(["step", "loss", "eval_loss", "lr", "epoch", 'a"b', "loss2", "loss3", "ü"]),
    NUMBERS | st.sampled_from([None, True, "x", "0.5", "NaN", "5%", "1:02:03", [], {"a": 1.0}]),
    max_size=5,
)


@given(st.lists(RECORDS, max_size=60), st.lists(st.integers(0, 4000), max_size=4))
def test_any_records_come_out_the_same_for_any_cuts(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, object]], cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    content = "".join(json.dumps(record) + "\n" for record in records).encode()
    (folder / "whole.jsonl").write_bytes(content)
    expected = read_whole(json_lines(folder / "whole.jsonl"))
    cuts = sorted(min(cut, len(content)) for cut in cuts)
    assert read_growing(folder / "log.jsonl", content, cuts, json_lines).series == expected.series


@given(st.lists(RECORDS, min_size=1, max_size=5), st.integers(24, 60))
def test_lines_in_bulk_are_read_like_single_lines(
    records: list[dict[str, object]], repeats: int
) -> None:
    assert msgspec.__version__, "once it is imported, few lines are enough"
    lines = [json.dumps(record).encode() + b"\n" for record in records * repeats]
    bulk, _ = JsonParser().parse(b"".join(lines))
    single = [JsonParser().parse(line)[0] for line in lines]
    assert bulk.n == len(lines)
    for name in {name for frame in single for name in frame.columns}:
        expected = [
            (row, frame.columns[name].values[0])
            for row, frame in enumerate(single)
            if name in frame.columns
        ]
        assert bulk.columns[name].rows.tolist() == [row for row, _ in expected]
        np.testing.assert_array_equal(bulk.columns[name].values, [value for _, value in expected])


ODD = (
    '{"step": 1, "loss": NaN, "acc": -Infinity, "lr": Infinity}',
    '{"step": 1, "loss": 1e400, "acc": 2}',
    '{"step": 123456789012345678901234567890, "loss": 2}',
    '{"step": 1, "loss": 2, "loss": 3}',
    '{"step": 1, "loss": 2, "a": {"b": {"c": 4, "d": "x"}}}',
    '{"step": 1, "loss": "2.5", "note": "a: NaN, b"}',
    '{"step": 1, "loss": 2, "\\ud800": 3, "a\\"b": 4}',
    '{"step": 1, "loss": 2, "list": [3]}',
    '{"step": 1, "loss": 2, "flag": true, "none": null, "text": "word"}',
    '{"step": 1, "loss": 2}{"step": 2, "loss": 3}',
    '{"step": 1, "loss": -0.0}',
    '{"step": 1, "loss": 2, "deep": ' + '{"x": ' * 12 + "1" + "}" * 12 + "}",
)
"""Lines that a strict parser refuses or reads otherwise."""


@pytest.mark.parametrize("line", ODD)
def test_odd_lines_in_bulk_are_read_like_single_lines(line: str) -> None:
    text = line.encode() + b"\n"
    bulk, faults = JsonParser().parse(text * 40)
    single, fault = JsonParser().parse(text)
    assert (bulk.n, len(faults)) == (40 * single.n, 40 * len(fault))
    assert set(bulk.columns) == set(single.columns)
    for name, column in single.columns.items():
        values = bulk.columns[name].values
        np.testing.assert_array_equal(values, np.tile(column.values, 40))
        assert np.signbit(values[0]) == np.signbit(column.values[0]) or np.isnan(values[0])


@given(st.binary(max_size=400))
def test_no_bytes_make_it_fail(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "a.jsonl"
    path.write_bytes(content)
    JSONL.claims(path, content)
    read(json_lines(path))


@pytest.mark.parametrize(
    "name, text, claimed",
    [
        ("metrics.jsonl", '{"step": 1, "loss": 2.0}\n', True),
        ("metrics.jsonl", '{"step": 1, "lo', False),
        ("metrics.jsonl", '{"step": 1, "loss": 2.0, "x', True),
        ("log.txt", '{"train_lr": 0.1, "train_loss": 2.0, "epoch": 0}\n', True),
        ("log.txt", "step 1 loss 2\n", False),
        ("data.jsonl", '{"prompt": "a", "response": "b"}\n', False),
        ("data.jsonl", '{"messages": [{"role": "user", "content": "a"}], "loss": 1}\n', False),
        ("data.jsonl", '{"id": 1, "label": 3, "text": "a"}\n', False),
        ("data.jsonl", '{"id": 1, "score": 0.5, "text": "a"}\n', False),
        ("vocab.json", '{"loss": 1, "step": 2}\n', False),
        ("data.json", '{"version": "1.0", "loss": 3}', False),
        ("metrics.jsonl", "", False),
        ("metrics.jsonl", "[1, 2]\n", False),
    ],
)
def test_only_logs_are_claimed(tmp_path: Path, name: str, text: str, claimed: bool) -> None:
    assert (detect_head(tmp_path / name, text.encode()) is JSONL) is claimed


def parsed_together(log: Path, names: Callable[[int], Iterable[int]], lines: int) -> list[int]:
    """How many lines are parsed at a time, where line by line these names are logged."""
    parsed: list[int] = []

    class Counted(JsonParser):
        def parse(self, text: bytes) -> tuple[RecordFrame, list[LineFault]]:
            parsed.append(text.count(b"\n"))
            return super().parse(text)

    records = ({"step": n, **{f"layer{m}/norm": 0.5 for m in names(n)}} for n in range(lines))
    log.write_text("".join(json.dumps(record) + "\n" for record in records))
    batch = RecordReader(log, "jsonl", Counted).read(math.inf)
    assert sum(map(len, batch.points)) == sum(len([*names(n)]) for n in range(lines))
    return parsed


def test_few_long_lines_are_parsed_together(tmp_path: Path) -> None:
    assert parsed_together(tmp_path / "log.jsonl", lambda line: range(1000), 40) == [40]


def test_lines_of_ever_other_names_are_parsed_together(tmp_path: Path) -> None:
    def names(line: int) -> Iterable[int]:
        return ((40 * line + number) % 2400 for number in range(160))

    first, *others, _ = parsed_together(tmp_path / "log.jsonl", names, 800)
    assert first < 100 and min(others) > 200
