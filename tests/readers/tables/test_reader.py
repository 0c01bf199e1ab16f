"""CSV and its relatives: headers, gaps, rewrites and torn rows."""

from __future__ import annotations

import csv
import math
import os
import random
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.readers.tables.detection import claims_table
from lossmon.readers.tables.frameworks import TableParser, table
from tests.readers.growing import DATA, Collected, read, read_growing, read_whole, titled

CSV, TEXT_TABLE = titled("CSV table")
(CURVE,) = titled("numbers below each other")
STEPS = [*range(0, 205, 5), *range(150, 400, 5)]
"""Of the sample whose run crashed at step 200 and went on from 150."""


def written(tmp_path: Path, text: str, name: str = "log.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def run_of(tmp_path: Path, text: str) -> Collected:
    return read_whole(table(written(tmp_path, text)))


def test_rows_that_name_their_phase_are_series_of_their_own(tmp_path: Path) -> None:
    rows = "".join(f"{i},train,{i}.5,0.1\n{i},val,{i}.25,0.2\n" for i in range(40))
    run = run_of(tmp_path, "epoch,phase,loss,acc\n" + rows)
    assert run.values("loss") == [(i, i + 0.5) for i in range(40)]
    assert run.values("val/loss") == [(i, i + 0.25) for i in range(40)]
    assert len(run.values("val/acc")) == 40


@pytest.mark.parametrize(
    ("names", "claimed"),
    [("epoch,train,val", True), ("a,train,val", False), ("epoch,train", False)],
)
def test_columns_named_after_splits_are_losses_beside_a_place(names: str, claimed: bool) -> None:
    row = ",".join("1" for _ in names.split(","))
    assert claims_table(Path("a.csv"), f"# run 1\n{names}\n{row}\n".encode()) is claimed


def test_a_table_whose_header_comes_again_after_a_crash_is_one_table() -> None:
    run = read_whole(table(DATA / "generic" / "log.csv"))
    assert [step for step, _ in run.values("loss")] == STEPS
    assert run.values("loss")[0] == (0, 1.992417439959136)
    assert run.values("val_loss")[0] == (50, 1.2333333333333334)
    assert run.notes == []


def test_tabs_and_names_with_units_and_epochs() -> None:
    run = read_whole(table(DATA / "generic" / "results.tsv"))
    assert run.series["Val Acc (%)"][0] == (1, "51.0", "epoch")
    assert run.values("Train Loss")[-1] == (20, 0.0366)


@pytest.mark.parametrize("name", ["overfit", "nan"])
def test_sparse_rows_of_lightning_give_each_value_once(name: str) -> None:
    path = DATA / "lightning" / name / "metrics.csv"
    run = read_whole(table(path))
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for tag in ("train_loss_step", "train_loss_epoch", "val_loss", "val_acc", "lr-AdamW", "epoch"):
        expected = [(int(row["step"]), float(row[tag])) for row in rows if row[tag]]
        assert repr(run.values(tag)) == repr(expected)


@pytest.mark.parametrize("name", ["generic/results.tsv", "lightning/nan/metrics.csv"])
def test_a_cut_anywhere_gives_the_same_points(tmp_path: Path, name: str) -> None:
    content = (DATA / name).read_bytes()
    expected = read_whole(table(DATA / name)).series
    for cut in random.Random(1).sample(range(len(content)), 40):
        grown = read_growing(tmp_path / "log.csv", content, [cut], table)
        assert grown.series == expected, cut


def test_a_column_that_appears_later_rewrites_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "epoch,step,train_loss\n0,1,2.0\n0,2,1.5\n")
    reader, run = table(path), Collected()
    run.add(read(reader))
    path.write_text("epoch,step,train_loss,val_loss\n0,1,2.0,\n0,2,1.5,\n0,2,,1.7\n")
    batch = read(reader)
    assert batch.replaced
    run.add(batch)
    assert run.values("train_loss") == [(1, 2.0), (2, 1.5)]
    assert run.values("val_loss") == [(2, 1.7)]


def test_a_rotated_table_begins_anew(tmp_path: Path) -> None:
    path = written(tmp_path, "step,loss\n1,2.0\n2,1.5\n")
    reader = table(path)
    read(reader)
    path.rename(tmp_path / "log.csv.1")
    written(tmp_path, "step,loss\n1,7.0\n")
    batch = read(reader)
    assert batch.replaced
    assert [points.values.tolist() for points in batch.points] == [[7.0]]


def test_a_last_row_without_its_end_waits(tmp_path: Path) -> None:
    assert run_of(tmp_path, "step,loss\n1,2.0\n2,1.5").values("loss") == [(1, 2.0)]


def test_it_is_taken_when_the_writer_has_gone(tmp_path: Path) -> None:
    path = written(tmp_path, "step,loss\n1,2.0\n2,1.5")
    reader, run = table(path), Collected()
    os.utime(path, (0, os.stat(path).st_mtime - 60))
    run.add(read(reader))
    assert run.values("loss") == [(1, 2.0), (2, 1.5)]
    with path.open("a") as file:
        file.write("\n3,1.0\n")
    run.add(read(reader))
    assert run.values("loss") == [(1, 2.0), (2, 1.5), (3, 1.0)]


def test_and_corrected_if_it_goes_on_after_all(tmp_path: Path) -> None:
    path = written(tmp_path, "step,loss\n1,2.0\n2,1.5")
    reader, run = table(path), Collected()
    os.utime(path, (0, os.stat(path).st_mtime - 60))
    run.add(read(reader))
    with path.open("a") as file:
        file.write("25\n")
    run.add(read(reader))
    assert run.values("loss") == [(1, 2.0), (2, 1.525)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("step,loss\n1,2.5\n2,1.5\n", id="commas"),
        pytest.param("step\tloss\n1\t2.5\n2\t1.5\n", id="tabs"),
        pytest.param("step\tloss\t\n1\t2.5\t\n2\t1.5\t\n", id="tabs at the ends"),
        pytest.param("step;loss\n1;2.5\n2;1.5\n", id="semicolons"),
        pytest.param("step;loss\n1;2,5\n2;1,5\n", id="decimal commas"),
        pytest.param("step|loss\n1|2.5\n2|1.5\n", id="bars"),
        pytest.param("step loss\n1   2.5\n2   1.5\n", id="blanks"),
        pytest.param("  step,     loss  \n   1,  2.5\n   2,  1.5\n", id="padded"),
        pytest.param('"step","loss"\n"1","2.5"\n"2","1.5"\n', id="quotes"),
        pytest.param("# made by hand\nstep,loss\n1,2.5\n2,1.5\n", id="comment"),
        pytest.param("# step loss\n1 2.5\n2 1.5\n", id="header in a comment"),
        pytest.param("step,loss\r\n1,2.5\r\n2,1.5\r\n", id="windows"),
        pytest.param("step,loss,\n1,2.5,\n2,1.5,\n", id="last column without a name"),
        pytest.param(",step,loss\n0,1,2.5\n1,2,1.5\n", id="index without a name"),
        pytest.param("\n\nstep,loss\n1,2.5\n\n2,1.5\n", id="blank lines"),
        pytest.param("step,loss,note\n1,2.5,a\n2,1.5,b\n", id="text column"),
        pytest.param("step,loss\n1,2.5\nstep,loss\n2,1.5\n", id="header again"),
        pytest.param("step,loss\n1,2.5\nstep,acc,loss\n2,0,1.5\n", id="another header"),
    ],
)
def test_tables_of_every_dialect(tmp_path: Path, text: str) -> None:
    run = run_of(tmp_path, text)
    assert run.values("loss") == [(1, 2.5), (2, 1.5)]
    assert run.notes == []


def test_nan_is_a_value_and_an_empty_cell_is_not(tmp_path: Path) -> None:
    text = "step,loss,acc\n1,nan,\n2,,0.5\n3,inf,NA\n4,-Infinity,-98765432\n"
    run = run_of(tmp_path, text)
    assert repr(run.values("loss")) == repr([(1, math.nan), (3, math.inf), (4, -math.inf)])
    assert run.values("acc") == [(2, 0.5), (4, -98765432.0)]


def test_rows_that_do_not_fit_are_skipped_with_a_note(tmp_path: Path) -> None:
    run = run_of(tmp_path, "step,loss\n1,2.5\n2,1.5,7\n3\n4,1.0\n")
    assert run.values("loss") == [(1, 2.5), (4, 1.0)]
    assert run.notes == ["line 3 skipped: 3 cells where the header has 2, and 1 more like it"]


def test_columns_that_appear_later_have_their_values_from_there_on(tmp_path: Path) -> None:
    run = run_of(tmp_path, "step,loss\n1,2.5\n2,1.5\nstep,loss,val_loss\n3,1.0,1.1\n4,0.5,0.6\n")
    assert run.values("loss") == [(1, 2.5), (2, 1.5), (3, 1.0), (4, 0.5)]
    assert run.values("val_loss") == [(3, 1.1), (4, 0.6)]
    assert run.notes == []


def test_a_header_that_shares_no_name_holds_from_there_on(tmp_path: Path) -> None:
    text = "step,loss,lr\n1,2.5,0.1\nepoch,train_loss,valid_loss\n2,1.0,1.1\nstep,nothing,here\n"
    run = run_of(tmp_path, text)
    assert [value for _, value in run.values("loss")] == [2.5]
    assert [value for _, value in run.values("lr")] == [0.1]
    assert [value for _, value in run.values("valid_loss")] == [1.1]
    assert run.notes == ["line 3: another header, from here on epoch, train_loss, valid_loss"]


@pytest.mark.parametrize(
    ("text", "claimed"),
    [
        ("step,alpha_q,beta\n0,1.5,2\n1,1.4,3\n2,1.3,4\n", True),
        ("Iteration\talpha_q\n10\t1.5\n20\t1.4\n30\t1.3\n", True),
        ("step,alpha_q\n0,1.5\n1,1.4\n", False),
        ("step,alpha_q\n0,1.5\n0,1.4\n0,1.3\n", False),
        ("step,name\n0,a\n1,b\n2,c\n", False),
        ("id,age,height\n0,20,150\n1,21,151\n2,22,152\n", False),
        ("time,sensor\n0,20\n1,21\n2,22\n", False),
    ],
)
def test_a_table_of_unknown_names_is_a_log_if_it_counts_its_steps(
    tmp_path: Path, text: str, claimed: bool
) -> None:
    assert claims_table(tmp_path / "log.csv", text.encode()) is claimed


def test_a_table_without_rows_or_header_gives_nothing(tmp_path: Path) -> None:
    for text in ("", "\n", "step,loss\n", "step,loss", "#\n"):
        assert run_of(tmp_path, text).series == {}


def test_an_appended_run_of_keras_goes_back(tmp_path: Path) -> None:
    run = run_of(tmp_path, "epoch,loss\n0,3\n1,2\n2,1\n1,1.5\n2,1\n")
    assert run.series["loss"][3] == (1, "1.5", "epoch")


CELLS = st.sampled_from(
    ["", "1", "2.5", "nan", "-inf", "NA", "x", "1e5", '"3"', " 4 ", "-98765432"]
)
TABLE = st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=40)


@given(TABLE, st.lists(st.integers(0, 1000), max_size=4))
def test_any_cells_come_out_the_same_for_any_cuts(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    content = "".join(",".join(row) + "\n" for row in [["step", "loss", "acc"], *rows]).encode()
    (folder / "whole.csv").write_bytes(content)
    expected = read_whole(table(folder / "whole.csv"))
    cuts = sorted(min(cut, len(content)) for cut in cuts)
    assert read_growing(folder / "log.csv", content, cuts, table).series == expected.series


def test_a_finished_table_is_read_once_wherever_its_blocks_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lossmon.readers.files.lines.BLOCK", 5_000)
    path = tmp_path / "metrics.csv"
    rows = [f"{step},{step / 7}" for step in range(3_000)]
    path.write_text("\n".join(["step,loss", *rows, ""]))
    os.utime(path, (1.7e9, 1.7e9))
    reader, found = table(path), list[float]()
    for _ in range(path.stat().st_size // 1_000):
        batch = reader.read(0.0)
        assert not batch.replaced
        found += [value for points in batch.points for value in points.values.tolist()]
        if not batch.pending:
            break
    assert found == [step / 7 for step in range(3_000)]


NUMBERS = st.sampled_from(["", "", "1", "2.5", "-0", "-0.0", "1e-300", "12345678901234567890"])


@given(
    TABLE | st.lists(st.lists(NUMBERS, min_size=3, max_size=3), max_size=40),
    st.sampled_from([b"\n", b"\r\n"]),
)
def test_rows_in_bulk_are_read_like_single_rows(rows: list[list[str]], end: bytes) -> None:
    assert msgspec.__version__, "once it is imported, few rows are enough"
    lines = [",".join(row).encode() + end for row in rows]
    bulk_parser, single_parser = TableParser(), TableParser()
    bulk, _ = bulk_parser.parse(b"".join([b"step,loss,acc\n", *lines]))
    single_parser.parse(b"step,loss,acc\n")
    single = [single_parser.parse(line)[0] for line in lines]
    for name in ("step", "loss", "acc"):
        rows_of = [row for row, frame in enumerate(single) if name in frame.columns]
        values = [single[row].columns[name].values[0] for row in rows_of]
        assert (name in bulk.columns) is bool(rows_of)
        if rows_of:
            assert bulk.columns[name].rows.tolist() == rows_of
            np.testing.assert_array_equal(bulk.columns[name].values, values)
            assert np.signbit(bulk.columns[name].values).tolist() == np.signbit(values).tolist()


@given(st.binary(max_size=300) | st.text(alphabet='step,loss\n\t"#;| 1.5', max_size=200))
def test_no_bytes_make_it_fail(
    tmp_path_factory: pytest.TempPathFactory, content: bytes | str
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "a.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    CSV.claims(path, path.read_bytes())
    read(table(path))


@pytest.mark.parametrize(
    "text, claimed",
    [
        ("step,loss\n1,2.0\n", True),
        ("epoch,train_loss,val_loss,time\n0,1.0,2.0,00:03\n", True),
        ("step,loss\n", True),
        ("epoch,accuracy\n1,0.5\n2,0.6\n", True),
        ("text,label\nhello,1\n", False),
        ("prompt,response\na,b\n", False),
        ("id,score\n1,0.5\n2,0.3\n", False),
        ("sepal length,sepal width\n5.1,3.5\n4.9,3.0\n", False),
        ("model,loss function\nresnet,ce\nvgg,mse\n", False),
        ("loss\n1.0\n", False),
        ("", False),
        ("1.0,2.0\n3.0,4.0\n", False),
    ],
)
def test_only_logs_are_claimed(text: str, claimed: bool) -> None:
    assert CSV.claims(Path("a.csv"), text.encode()) is claimed


@pytest.mark.parametrize(
    ("name", "text", "claimed"),
    [
        ("train_loss.txt", "2.5\n2.4\nnan\n", True),
        ("losses.csv", "2.500e+00\n2.400e+00\n2.300e+00\n2.2", True),
        ("val_acc.dat", "10 0.5\n20 0.6\n30 0.7\n", True),
        ("val_acc.dat", "10 0.5\n20 0.6\n20 0.7\n", False),
        ("train_loss.txt", "2.5\n2.4\n", False),
        ("train_loss.txt", "2.5\nresumed\n2.4\n2.3\n", False),
        ("precision.txt", "0.5\n0.6\n0.7\n", False),
        ("val_map.txt", "3\n1\n2\n", False),
        ("loss_weights.txt", "0.5\n0.25\n0.1\n", False),
        ("embedding.txt", "0.5\n0.6\n0.7\n", False),
    ],
)
def test_a_file_of_numbers_is_a_curve_if_its_name_says_so(
    name: str, text: str, claimed: bool
) -> None:
    assert CURVE.claims(Path(name), text.encode()) is claimed


def test_numbers_below_each_other_may_have_their_steps_beside_them(tmp_path: Path) -> None:
    alone = read_whole(CURVE.open(written(tmp_path, "2.5\n2.4\n2.3\n", "train_loss.txt")))
    assert alone.values("train_loss") == [(1, 2.5), (2, 2.4), (3, 2.3)]
    placed = read_whole(CURVE.open(written(tmp_path, "10,2.5\n20,2.4\n30,2.3\n", "loss.csv")))
    assert placed.values("loss") == [(10, 2.5), (20, 2.4), (30, 2.3)]


def test_half_a_header_is_not_judged() -> None:
    assert not CSV.claims(Path("a.csv"), b"st")


@pytest.mark.parametrize(
    "text, claimed",
    [
        ("epoch,train_loss\n0,1.0\n1,0.9\n", True),
        ("epoch;train_loss;time\n0;1.0;00:01\n", True),
        ("epoch,train_loss\n0,1.0\n1,0", True),
        ("epoch,train_loss\nstarting, now\n", False),
        ("epoch,train_loss\n0,1.0\nWARNING: slow\n", False),
        ("epoch train_loss\n0 1.0\n", False),
        ("loss: 1.0, step: 2\n3.0, 4\n", False),
        ("epoch,train_loss\n", False),
    ],
)
def test_a_table_in_a_text_file_holds_nothing_else(text: str, claimed: bool) -> None:
    assert TEXT_TABLE.claims(Path("log.txt"), text.encode()) is claimed
