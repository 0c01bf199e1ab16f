"""TensorBoard event files."""

from __future__ import annotations

import math
import random
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event, SessionLog

from lossmon.errors import ReadError
from lossmon.readers.tensorboard import rows
from lossmon.readers.tensorboard.reader import EventReader
from lossmon.types import Axis, Batch, Facts, Restart, TextSample
from tests import paths
from tests.readers.growing import titled
from tests.readers.tensorboard.event_files import Read, framed, loaded, recorded, scalar

DATA = paths.DATA / "tensorboard"
SAMPLES = sorted(path for path in DATA.rglob("*tfevents*") if "damaged" not in path.parts)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "events.out.tfevents.1"


def whole(path: Path) -> Batch:
    return EventReader(path).read(math.inf)


def read(*batches: Batch) -> Read:
    found: Read = {}
    for points in (points for batch in batches for points in batch.points):
        values = map(repr, points.values.tolist())
        rows = zip(points.steps.tolist(), points.wall_times.tolist(), values, strict=True)
        found.setdefault(points.tag, []).extend(rows)
    return found


def written(log: Path, *events: Event) -> Batch:
    log.write_bytes(recorded(*events))
    return whole(log)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: str(path.relative_to(DATA))[:40])
def test_scalars_are_those_that_tensorboard_reads(path: Path) -> None:
    batch = whole(path)
    assert read(batch) == loaded(path)
    assert batch.notes == ()


@pytest.mark.parametrize("tags", [1, 6])
def test_a_long_log_gives_what_tensorboard_reads(log: Path, tags: int) -> None:
    """Long enough for columns, with steps that grow from no byte to three."""
    names = [f"train/{'x' * i}" for i in range(tags)]
    events = [
        scalar(names[i % tags], i // tags * 37, math.sin(i) / (i % 11), 1.7e9 + i / 7)
        if i % 11
        else scalar("eval/loss", i, math.nan, 1.7e9)
        for i in range(6000)
    ]
    batch = written(log, *events)
    assert read(batch) == loaded(log)


def test_a_value_is_the_exact_32_bit_float(log: Path) -> None:
    assert read(written(log, scalar("loss", 1, 0.1))) == {"loss": [(1, 1.0, "0.10000000149011612")]}


def test_a_signalling_nan_is_a_nan(log: Path) -> None:
    content = b""
    for i in range(100):
        record = scalar("loss", i, 1.0).SerializeToString()
        content += framed(record[:-4] + b"\x01\x00\x80\x7f")
    log.write_bytes(content)
    assert {value for _, _, value in read(whole(log))["loss"]} == {"nan"}


def test_positions_put_points_of_all_tags_back_in_the_order_they_were_logged() -> None:
    for path in SAMPLES:
        orders = [order for points in whole(path).points for order in points.order.tolist()]
        assert len(orders) == len(set(orders))
    logged = sorted(
        (order, step)
        for points in whole(_nan()).points
        for order, step in zip(points.order.tolist(), points.steps.tolist(), strict=True)
    )
    assert [step for _, step in logged] == sorted(step for _, step in logged)


def _nan() -> Path:
    return next((DATA / "torch_nan").iterdir())


@pytest.mark.parametrize("path", [_nan(), next((DATA / "tf2").iterdir())], ids=["torch", "tf2"])
def test_a_file_cut_anywhere_gives_the_same_points(path: Path, log: Path) -> None:
    content = path.read_bytes()[:700]
    expected = None
    for cut in [0, len(content), *random.Random(1).sample(range(len(content)), 60)]:
        log.write_bytes(content[:cut])
        reader = EventReader(log)
        first = reader.read(math.inf)
        with log.open("ab") as file:
            file.write(content[cut:])
        found = read(first, reader.read(math.inf))
        expected = expected or found
        assert found == expected, cut


@given(st.lists(st.integers(0, 23_370), max_size=8))
def test_any_split_of_the_bytes_gives_the_same_points(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    content, log = _nan().read_bytes(), tmp_path_factory.getbasetemp() / "split.tfevents"
    log.write_bytes(b"")
    reader, batches = EventReader(log), list[Batch]()
    edges = [0, *sorted(cuts), len(content)]
    for start, stop in pairwise(edges):
        with log.open("ab") as file:
            file.write(content[start:stop])
        batches.append(reader.read(math.inf))
    assert read(*batches) == loaded(_nan())


@given(st.lists(st.tuples(st.integers(0, 18_772), st.integers(1, 255)), min_size=1, max_size=20))
def test_damage_raises_nothing_but_read_errors(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]]
) -> None:
    content = bytearray(next((DATA / "tf2").iterdir()).read_bytes())
    for place, flip in flips:
        content[place % len(content)] ^= flip
    log = tmp_path_factory.getbasetemp() / "damage.tfevents"
    log.write_bytes(content)
    reader = EventReader(log)
    for _ in range(3):
        try:
            reader.read(math.inf)
        except ReadError:
            break


@given(st.binary(max_size=200) | st.builds(bytes.__add__, st.just(b"*\x14\n\x12"), st.binary()))
def test_a_sound_record_of_garbage_is_skipped(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes
) -> None:
    log = tmp_path_factory.getbasetemp() / "garbage.tfevents"
    log.write_bytes(framed(garbage) + recorded(scalar("loss", 1, 0.5)))
    assert read(whole(log))["loss"][-1] == (1, 1.0, "0.5")


def test_a_record_with_a_bad_checksum_is_skipped_with_a_note() -> None:
    damaged = next((DATA / "damaged" / "bitflip_data").iterdir())
    batch = whole(damaged)
    assert batch.notes == ("1 bad record skipped at byte 8,973",)
    assert sum(map(len, read(batch).values())) == 489


def test_bad_records_among_many_alike_are_skipped(log: Path) -> None:
    content = bytearray(recorded(*(scalar("loss", i + 200, i) for i in range(1000))))
    size = len(content) // 1000
    for i in (17, 400, 999):
        content[i * size + 20] ^= 0x40
    log.write_bytes(content)
    batch = whole(log)
    assert [step for step, _, _ in read(batch)["loss"]] == [
        i + 200 for i in range(1000) if i not in (17, 400, 999)
    ]
    assert batch.notes == (f"3 bad records skipped at byte {17 * size:,}",)


def test_zeros_at_the_end_are_waited_at() -> None:
    path = next((DATA / "damaged" / "zero_tail").iterdir())
    batch = whole(path)
    assert read(batch) == read(whole(_nan()))
    assert batch.pending == 0


def test_points_before_a_corrupt_header_are_given_before_the_error(log: Path) -> None:
    log.write_bytes(recorded(scalar("loss", 1, 0.5)) + b"\xff" * 30)
    reader = EventReader(log)
    assert read(reader.read(math.inf)) == {"loss": [(1, 1.0, "0.5")]}
    with pytest.raises(ReadError, match="corrupt"):
        reader.read(math.inf)


def test_a_purging_resume_is_a_restart() -> None:
    paths = sorted((DATA / "torch_purge").iterdir())
    assert [restart.step for path in paths for restart in whole(path).restarts] == [100]


def test_positions_count_every_scalar_of_a_record(log: Path) -> None:
    both = scalar("loss", 9, 1.0)
    both.summary.value.add(tag="lr", simple_value=0.1)
    start = Event(step=5, session_log=SessionLog(status=SessionLog.START))
    log.write_bytes(recorded(both, start, scalar("loss", 5, 2.0)))
    reader = EventReader(log)
    batches = [reader.read(math.inf)]
    with log.open("ab") as file:
        file.write(framed(both.SerializeToString()))
    batches.append(reader.read(math.inf))
    orders: dict[str, list[int]] = {"restart": [batches[0].restarts[0].order]}
    for points in (points for batch in batches for points in batch.points):
        orders.setdefault(points.tag, []).extend(points.order.tolist())
    first = orders["loss"][0]
    assert orders == {
        "loss": [first, first + 3, first + 4],
        "lr": [first + 1, first + 5],
        "restart": [first + 2],
    }


def test_a_restart_stands_where_it_was_logged(log: Path) -> None:
    start = Event(step=5, session_log=SessionLog(status=SessionLog.START))
    batch = written(log, scalar("loss", 9, 1.0), start, scalar("loss", 5, 2.0))
    (points,) = batch.points
    assert batch.restarts == (Restart(5, batch.restarts[0].order),)
    assert points.order[0] < batch.restarts[0].order < points.order[1]


def test_the_end_of_a_session_says_nothing_of_the_run(log: Path) -> None:
    stop = Event(step=5, session_log=SessionLog(status=SessionLog.STOP))
    assert written(log, stop) == Batch()


def test_texts_are_samples_under_the_tag_that_the_user_gave() -> None:
    (path,) = [path for path in SAMPLES if path.parent.name == "torch_overfit"]
    samples = whole(path).samples
    assert samples[0].tag == "config"
    assert samples[0].output == '{"lr": 0.01, "batch_size": 16}'
    assert len(samples) == 20


def test_control_characters_of_a_text_are_replaced(log: Path) -> None:
    event = Event()
    value = event.summary.value.add(tag="out/text_summary")
    value.metadata.plugin_data.plugin_name = "text"
    value.tensor.dtype = 7
    value.tensor.string_val.append(b"a\x1b[2Jb\nc\xff")
    (sample,) = written(log, event).samples
    assert sample.output == "a\N{REPLACEMENT CHARACTER}[2Jb\nc\N{REPLACEMENT CHARACTER}"


def test_a_text_with_headings_has_a_prompt_and_an_answer(log: Path) -> None:
    event = _text("out/text_summary", b"**Prompt:** a\n\n**Output:** b")
    event.step = 5
    assert written(log, event).samples == (TextSample("out", 5, "b", "a"),)
    assert written(log, _text("out/text_summary", b"")).samples == (TextSample("out", 0, ""),)


def test_hyperparameters_are_settings() -> None:
    path = next((DATA / "torch_overfit" / "1795218802.2429557").iterdir())
    settings = [facts.settings for facts in whole(path).facts if facts.settings]
    assert settings == [{"bsz": "16", "act": "relu", "lr": "0.01", "dropout": "0"}]


def test_the_arguments_of_a_trainer_say_how_long_it_will_run() -> None:
    path = min((DATA / "hf_trainer5").iterdir())
    (facts,) = [facts for facts in whole(path).facts if facts.settings]
    assert (facts.total_steps, facts.total_epochs) == (240, None)
    assert facts.settings["learning_rate"] == "0.005"
    assert whole(path).samples == ()


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param(b'{"max_steps": -1, "num_train_epochs": 3}', (None, 3.0), id="epochs"),
        pytest.param(b'{"max_steps": 50, "num_train_epochs": 3}', (50, None), id="steps"),
        pytest.param(b'{"max_steps": "x", "num_train_epochs": null}', (None, None), id="neither"),
        pytest.param(b'{"max_steps": true}', (None, None), id="not a number"),
        pytest.param(b'{"num_train_epochs": 1e999}', (None, None), id="infinite"),
    ],
)
def test_a_plan_is_taken_from_arguments_that_state_one(
    log: Path, text: bytes, expected: tuple[int | None, float | None]
) -> None:
    (facts,) = written(log, _text("args/text_summary", text)).facts
    assert (facts.total_steps, facts.total_epochs) == expected


@pytest.mark.parametrize("text", [b"[1]", b"{", b"[" * 100_000, b"plain"])
def test_arguments_that_are_no_object_are_a_text(log: Path, text: bytes) -> None:
    batch = written(log, _text("args/text_summary", text))
    assert (batch.facts, [sample.tag for sample in batch.samples]) == ((), ["args"])


def _text(tag: str, text: bytes) -> Event:
    event = Event()
    value = event.summary.value.add(tag=tag)
    value.metadata.plugin_data.plugin_name = "text"
    value.tensor.dtype = 7
    value.tensor.string_val.append(text)
    return event


def test_the_first_record_says_when_the_run_began() -> None:
    assert whole(_nan()).facts == (Facts(started=1795218802.2452104),)


def test_an_event_with_several_values_gives_all_of_them(log: Path) -> None:
    event = Event(wall_time=2.0, step=3)
    for tag, value in (("a", 1.0), ("b", 2.0), ("a", 3.0)):
        event.summary.value.add(tag=tag, simple_value=value)
    batch = written(log, scalar("a", 2, 0.0), event, scalar("b", 4, 4.0))
    assert read(batch) == {
        "a": [(2, 1.0, "0.0"), (3, 2.0, "1.0"), (3, 2.0, "3.0")],
        "b": [(3, 2.0, "2.0"), (4, 1.0, "4.0")],
    }
    for points in batch.points:
        assert points.order.tolist() == sorted(set(points.order.tolist()))


def test_only_the_epochs_of_keras_count_epochs() -> None:
    keras = [whole(path) for path in SAMPLES if "keras" in path.parts]
    axes = {points.tag: points.axis for batch in keras for points in batch.points}
    assert axes["epoch_loss"] is Axis.EPOCH
    assert axes["evaluation_loss_vs_iterations"] is Axis.STEP
    axes = {points.tag: points.axis for points in whole(_nan()).points}
    assert set(axes.values()) == {Axis.STEP}


def test_points_with_a_negative_step_are_left_out_with_a_note(log: Path) -> None:
    batch = written(log, scalar("loss", -1, 1.0), scalar("loss", 1, 2.0))
    assert read(batch) == {"loss": [(1, 1.0, "2.0")]}
    assert batch.notes == ("1 point with a negative step skipped",)


def test_a_very_long_tag_is_left_out_with_one_note(log: Path) -> None:
    batch = written(log, scalar("x" * 100_000, 1, 1.0), scalar("loss", 1, 2.0))
    assert list(read(batch)) == ["loss"]
    assert batch.notes == ("some tags are skipped: too long, or too many",)


def test_endless_new_tags_cost_bounded_memory(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_TAGS", 50)
    batch = written(log, *(scalar(f"loss {i}", i, 1.0) for i in range(60)))
    assert len(read(batch)) == 50
    assert len(batch.notes) == 1


def test_a_tag_has_no_control_characters(log: Path) -> None:
    assert list(read(written(log, scalar("a\x1b]0;b\n", 1, 1.0)))) == ["a ]0;b "]


def test_a_truncated_file_is_given_again_from_its_start(log: Path) -> None:
    log.write_bytes(recorded(scalar("loss", 1, 1.0), scalar("loss", 2, 2.0)))
    reader = EventReader(log)
    assert not reader.read(math.inf).replaced
    log.write_bytes(recorded(scalar("other", 1, 3.0)))
    batch = reader.read(math.inf)
    assert (batch.replaced, read(batch)) == (True, {"other": [(1, 1.0, "3.0")]})


def test_a_deadline_that_has_passed_still_gives_one_chunk(log: Path) -> None:
    log.write_bytes(recorded(scalar("loss", 1, 1.0)) * 60_000)
    reader = EventReader(log)
    batch = reader.read(time.monotonic() - 1)
    assert batch.pending > 0
    assert sum(map(len, batch.points)) > 20_000


def test_an_absent_file_is_empty(log: Path) -> None:
    assert whole(log) == Batch()


def test_only_event_files_are_claimed() -> None:
    (form,) = titled("TensorBoard event files")
    assert form.fits(_nan())
    assert form.claims(_nan(), _nan().read_bytes()[:4096])
    assert form.claims(Path("events.out.tfevents.1"), b"damaged from its first byte")
    assert not form.claims(Path("notes-on-tfevents.txt"), b"a text about event files")


def test_importing_the_reader_does_not_import_tensorboard() -> None:
    code = (
        "import sys, lossmon.monitor.media, lossmon.readers.tensorboard.reader;"
        "sys.exit('tensorboard' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
