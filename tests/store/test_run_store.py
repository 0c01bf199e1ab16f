from __future__ import annotations

import numpy as np
import pytest

from lossmon.store import RunStore
from lossmon.types import Axis, Kind, Meaning, Restart, Split
from tests.store.points import EVAL, RATE, TRAIN, only, points


def test_points_come_back_as_they_were_logged() -> None:
    store = RunStore()
    store.add(0, "jsonl", 20, "", points("loss", [1, 2, 3], [3.0, 1.0, 2.0]), TRAIN)
    series = only(store)
    assert (series.tag, series.source, series.n) == ("loss", "jsonl", 3)
    assert series.values.tolist() == [3.0, 1.0, 2.0]
    assert (series.minimum, series.min_step, series.maximum, series.max_step) == (1.0, 2, 3.0, 1)
    assert (series.first_step, series.last_step, series.last) == (1, 3, 2.0)


def test_a_metric_stands_for_the_loss_until_one_is_logged() -> None:
    store = RunStore()
    perplexity = Meaning(
        "train/perplexity", "train perplexity", Split.TRAIN, Kind.METRIC, lower_is_better=True
    )
    store.add(0, "text", 50, "", points("ppl", [1, 2]), perplexity)
    assert only(store).meaning.kind is Kind.LOSS
    assert store.headlines().train == "train/perplexity"
    store.add(0, "text", 50, "", points("loss", [1, 2]), TRAIN)
    kinds = {one.tag: one.meaning.kind for one in store.series()}
    assert kinds == {"loss": Kind.LOSS, "ppl": Kind.METRIC}
    assert store.headlines().train == "train/loss"


def test_growing_bit_by_bit_gives_what_one_piece_gives() -> None:
    values = [np.nan, 5.0, 4.0, np.inf, 1.0, 7.0]
    whole, bits = RunStore(), RunStore()
    whole.add(0, "csv", 50, "", points("loss", range(6), values), TRAIN)
    for step, value in enumerate(values):
        bits.add(0, "csv", 50, "", points("loss", [step], [value], order=step), TRAIN)
        grown = only(bits)
    expected = only(whole)
    assert grown.values.tolist() == pytest.approx(expected.values.tolist(), nan_ok=True)
    for name in ("n", "n_nonfinite", "minimum", "min_step", "maximum", "max_step", "last"):
        assert getattr(grown, name) == getattr(expected, name), name


def test_a_view_that_was_handed_out_never_changes() -> None:
    store = RunStore()
    store.add(0, "csv", 50, "", points("loss", [1, 2]), TRAIN)
    before = only(store)
    store.add(0, "csv", 50, "", points("loss", range(3, 500), order=2), TRAIN)
    assert only(store).n == 499
    assert before.steps.tolist() == [1, 2]


def test_two_sources_show_each_point_once_and_the_better_one_wins() -> None:
    store = RunStore()
    store.add(0, "text", 90, "", points("loss", [10, 20, 30], [1.001, 2.0, 3.0]), TRAIN)
    store.add(1, "tensorboard", 10, "", points("train/loss", [10, 20], [1.0, 2.0]), TRAIN)
    series = only(store)
    assert (series.tag, series.source) == ("train/loss", "tensorboard")
    assert list(zip(series.steps.tolist(), series.values.tolist(), strict=True)) == [
        (10, 1.0),
        (20, 2.0),
        (30, 3.0),
    ]
    assert store.sources == ("tensorboard", "text")


def test_a_source_that_counts_steps_differently_is_not_mixed_in() -> None:
    store = RunStore()
    store.add(0, "tensorboard", 10, "", points("loss", [10, 20, 30]), TRAIN)
    store.add(1, "csv", 50, "", points("loss", [5, 15, 25, 35]), TRAIN)
    assert only(store).steps.tolist() == [10, 20, 30]


def test_a_source_that_counts_from_one_is_brought_in_line() -> None:
    store = RunStore()
    store.add(0, "csv", 50, "", points("loss", [0, 1, 2], [3.0, 2.0, 1.0], axis=Axis.EPOCH), TRAIN)
    told = points("loss", [1, 2, 3, 4], [3.0, 2.0, 1.0, 0.5], axis=Axis.EPOCH)
    store.add(1, "text", 90, "", told, TRAIN)
    series = only(store)
    assert series.steps.tolist() == [0, 1, 2, 3]
    assert series.values.tolist() == [3.0, 2.0, 1.0, 0.5]


def test_a_source_that_reports_other_values_is_not_mixed_in() -> None:
    store = RunStore()
    store.add(0, "tensorboard", 10, "", points("loss", [1, 2, 3], [4.0, 3.0, 2.0]), TRAIN)
    store.add(1, "csv", 50, "", points("loss", [1, 2, 3, 4], [9.0, 8.0, 7.0, 6.0]), TRAIN)
    assert only(store).values.tolist() == [4.0, 3.0, 2.0]


def test_numbered_lines_lead_only_where_nothing_has_steps() -> None:
    store = RunStore()
    lines = points("loss", [1, 2, 3, 4], axis=Axis.ORDER)
    store.add(0, "text", 90, "", lines, TRAIN)
    assert only(store).axis is Axis.ORDER
    store.add(1, "hf_trainer", 40, "", points("loss", [10, 20, 30]), TRAIN)
    assert only(store).steps.tolist() == [10, 20, 30]


def test_a_stray_point_of_a_better_source_does_not_hide_the_curve() -> None:
    store = RunStore()
    store.add(0, "tensorboard", 10, "", points("eval/loss", [30]), EVAL)
    store.add(1, "jsonl", 20, "", points("eval_loss", [10, 20, 30]), EVAL)
    assert only(store).steps.tolist() == [10, 20, 30]


def test_steps_that_go_back_make_the_old_points_ghosts() -> None:
    store = RunStore()
    store.add(0, "jsonl", 20, "", points("loss", [1, 2, 3, 4, 2, 3], [1, 2, 3, 4, 20, 30]), TRAIN)
    series = only(store)
    assert series.steps.tolist() == [1, 2, 3]
    assert series.values.tolist() == [1.0, 20.0, 30.0]
    assert series.ghost_steps.tolist() == [2, 3, 4]
    assert store.restarts() == (2,)


def test_a_restart_voids_evals_that_are_not_yet_repeated() -> None:
    store = RunStore()
    store.add(0, "jsonl", 20, "", points("loss", [1, 2, 3, 4]), TRAIN)
    store.add(0, "jsonl", 20, "", points("eval_loss", [2, 4], order=10), EVAL)
    store.add(0, "jsonl", 20, "", points("loss", [3], order=20), TRAIN)
    evals = next(s for s in store.series() if s.meaning is EVAL)
    assert evals.steps.tolist() == [2]
    assert evals.ghost_steps.tolist() == [4]


def test_two_losses_that_go_back_together_are_one_restart() -> None:
    store = RunStore()
    part = Meaning("train/box_loss", "train box loss", Split.TRAIN, Kind.LOSS, part="box")
    for start, stop, order in ((1, 5, 0), (3, 7, 20)):
        for place, step in enumerate(range(start, stop)):
            at = order + 2 * place
            store.add(0, "jsonl", 20, "", points("loss", [step], order=at), TRAIN)
            store.add(0, "jsonl", 20, "", points("box_loss", [step], order=at + 1), part)
    assert store.restarts() == (3,)
    for series in store.series():
        assert series.steps.tolist() == [1, 2, 3, 4, 5, 6], series.tag


def test_a_learning_rate_logged_out_of_turn_is_no_restart() -> None:
    store = RunStore()
    store.add(0, "jsonl", 20, "", points("loss", [1, 2, 3, 4]), TRAIN)
    store.add(0, "jsonl", 20, "", points("lr", [1, 2, 3, 2, 4], order=10), RATE)
    assert store.restarts() == ()
    assert store.series()[0].steps.tolist() == [1, 2, 3, 4]


def test_an_explicit_restart_voids_what_came_before_it() -> None:
    store = RunStore()
    store.add(0, "tensorboard", 10, "", points("loss", [1, 2, 3, 4]), TRAIN)
    store.restart(1, "tensorboard", 10, "", Restart(3, 0))
    store.add(1, "tensorboard", 10, "", points("loss", [5], order=1), TRAIN)
    series = only(store)
    assert (series.steps.tolist(), series.ghost_steps.tolist()) == ([1, 2, 5], [3, 4])


def test_a_second_file_goes_on_where_the_first_was_left() -> None:
    store = RunStore()
    store.add(0, "tensorboard", 10, "", points("loss", [1, 2, 3, 4], wall=100), TRAIN)
    store.add(1, "tensorboard", 10, "", points("loss", [3, 4, 5], [30, 40, 50], wall=900), TRAIN)
    series = only(store)
    assert series.values.tolist() == [1.0, 2.0, 30.0, 40.0, 50.0]
    assert series.ghost_steps.tolist() == [3, 4]


def test_a_file_that_begins_anew_is_forgotten() -> None:
    store = RunStore()
    store.add(0, "csv", 50, "", points("loss", [1, 2, 3]), TRAIN)
    assert only(store).n == 3
    store.clear(0)
    store.add(0, "csv", 50, "", points("loss", [1], [9.0]), TRAIN)
    assert only(store).values.tolist() == [9.0]


def test_two_tags_of_one_source_that_mean_the_same_both_stay() -> None:
    store = RunStore()
    store.add(0, "csv", 50, "", points("loss", [1, 2, 3]), TRAIN)
    store.add(0, "csv", 50, "", points("Loss", [1, 2]), TRAIN)
    assert {series.tag for series in store.series()} == {"loss", "Loss"}
    assert store.headlines().train == "train/loss"


def test_thinning_keeps_every_extreme_and_every_nan() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=20_000)
    values[[123, 15_000]] = np.nan
    values[7_777] = 1e6
    store = RunStore(budget=5_000 * 32)
    store.add(0, "csv", 50, "", points("loss", range(20_000), values), TRAIN)
    store.thin()
    assert store.has_dropped()
    series = only(store)
    assert len(series) < 6_000
    assert series.n == 20_000
    assert series.n_nonfinite == 2
    assert (series.maximum, series.max_step) == (1e6, 7_777)
    assert series.minimum == np.nanmin(values)
    assert series.first_step == 0
    assert series.last_step == 19_999


def test_thinned_columns_still_grow() -> None:
    store = RunStore(budget=2_000 * 32)
    for start in range(0, 50_000, 5_000):
        steps = range(start, start + 5_000)
        store.add(0, "csv", 50, "", points("loss", steps, order=start), TRAIN)
        store.thin()
        assert only(store).n == start + 5_000
        assert only(store).last_step == start + 4_999


def test_files_with_a_metric_each_have_their_own_restarts() -> None:
    store = RunStore()
    store.add(0, "dvclive", 30, "", points("eval/loss", [0, 20, 40, 60, 60, 80]), EVAL)
    store.add(1, "dvclive", 30, "", points("train/loss", [0, 50, 70, 60, 80]), TRAIN)
    train, evals = store.series()
    assert evals.steps.tolist() == [0, 20, 40, 60, 60, 80]
    assert (train.steps.tolist(), store.restarts()) == ([0, 50, 60, 80], (60,))


def test_a_copy_of_a_log_is_no_restart() -> None:
    store = RunStore()
    store.add(0, "text", 90, "", points("loss", [1, 2, 3, 4]), TRAIN)
    store.add(1, "text", 90, "", points("loss", [1, 2, 3, 4, 5]), TRAIN)
    assert (only(store).n, store.restarts()) == (4, ())


def test_a_log_that_starts_over_with_other_values_is_a_restart() -> None:
    store = RunStore()
    store.add(0, "text", 90, "", points("loss", [1, 2, 3, 4]), TRAIN)
    store.add(1, "text", 90, "", points("loss", [1, 2, 3], [9.0, 8.0, 7.0]), TRAIN)
    assert (only(store).n, store.restarts()) == (3, (1,))


def test_two_logs_mixed_in_one_file_are_no_restarts() -> None:
    store = RunStore()
    steps = [step + 10**6 * (step % 2) for step in range(3_000)]
    store.add(0, "text", 90, "", points("loss", steps), TRAIN)
    assert store.series() and store.restarts() == ()


def test_which_of_two_equal_sources_was_found_first_does_not_matter() -> None:
    one, other = RunStore(), RunStore()
    one.add(0, "csv", 50, "", points("loss", [1, 2, 3]), TRAIN)
    one.add(1, "lightning", 50, "", points("train_loss", [1, 2, 3]), TRAIN)
    other.add(0, "lightning", 50, "", points("train_loss", [1, 2, 3]), TRAIN)
    other.add(1, "csv", 50, "", points("loss", [1, 2, 3]), TRAIN)
    assert only(one).source == only(other).source == "csv"
    assert one.sources == other.sources


def test_an_evaluation_alone_neither_restarts_nor_hides() -> None:
    store = RunStore()
    store.add(0, "tensorboard", 10, "", points("train/loss", [10, 20, 30]), TRAIN)
    store.add(0, "tensorboard", 10, "", points("eval/loss", [20, 30], order=3), EVAL)
    store.add(1, "tensorboard", 10, "", points("eval/loss", [0]), EVAL)
    assert [series.n for series in store.series()] == [3, 2]
    store.add(2, "tensorboard", 10, "", points("eval/loss", [40]), EVAL)
    assert [series.n for series in store.series()] == [3, 3]


@pytest.mark.parametrize(("epochs", "leader"), [(3, "loss_step"), (5, "loss_epoch")])
def test_the_denser_of_two_twins_leads(epochs: int, leader: str) -> None:
    store = RunStore()
    repeat = Meaning("train/loss_epoch", "", Split.TRAIN, Kind.LOSS, secondary=True)
    store.add(0, "lightning", 20, "", points("loss_step", [49, 99, 149, 199]), TRAIN)
    store.add(0, "lightning", 20, "", points("loss_epoch", range(0, 36 * epochs, 36)), repeat)
    train, _ = store.headline_indices()
    assert train is not None and store.series()[train].tag == leader


def test_a_last_point_that_another_source_guessed_too_high_stays_one() -> None:
    store = RunStore()
    store.add(0, "hf_trainer", 40, "", points("eval_loss", [10, 20, 30], [3.0, 2.0, 1.5]), EVAL)
    guessed = points("eval_loss", [10, 20, 31, 40], [3.0, 2.0, 1.5, 1.2])
    store.add(1, "text", 90, "", guessed, EVAL)
    assert only(store).steps.tolist() == [10, 20, 30, 40]


@pytest.mark.parametrize(("last", "n"), [(2.0004, 3), (1.5, 4)], ids=["the same", "another"])
def test_the_end_alone_counted_from_one_is_no_further_point(last: float, n: int) -> None:
    store = RunStore()
    store.add(0, "tensorboard", 10, "", points("loss", [1, 2, 3], [4.0, 3.0, 2.0]), TRAIN)
    store.add(1, "text", 90, "", points("loss", [4], [last]), TRAIN)
    assert only(store).n == n


def test_what_the_diagnosis_has_yet_to_read_is_not_thinned() -> None:
    store = RunStore(budget=8_000 * 32)
    store.add(0, "csv", 50, "", points("loss", range(9_000)), TRAIN)
    store.add(0, "csv", 50, "", points("lr", range(9_000)), RATE)
    assert store.thin(must_stay=lambda meaning: meaning is TRAIN)
    assert not store.thin(must_stay=lambda meaning: meaning is TRAIN)
    loss, rate = store.series()
    assert len(loss) == loss.n == rate.n == 9_000 > 2 * len(rate)
    assert store.has_dropped() and not store.has_dropped(lambda meaning: meaning is TRAIN)
    assert store.thin()


def test_thinning_changes_neither_the_leading_source_nor_what_is_a_copy() -> None:
    store = RunStore(budget=24_000 * 32)
    for number, length in ((0, 12_000), (1, 8_000)):
        store.add(number, "text", 60, "", points("loss", range(length)), TRAIN)
    store.add(2, "csv", 50, "", points("loss", range(5_000)), TRAIN)
    before = only(store)
    assert store.thin()
    store.add(0, "text", 60, "", points("loss", [12_000], order=12_000), TRAIN)
    after = only(store)
    assert len(after) < len(before)
    assert (after.source, after.n) == (before.source, before.n + 1)
    assert store.restarts() == ()


def test_a_source_that_does_not_lead_keeps_a_sample_of_what_the_leading_one_has() -> None:
    store, values = RunStore(), np.random.default_rng(3).normal(size=20_000)
    store.add(0, "csv", 50, "", points("loss", range(1, 20_001), values), TRAIN)
    leading = points("train/loss", range(14_000), values[:14_000])
    store.add(1, "tensorboard", 10, "", leading, TRAIN)
    before = only(store)
    assert store.sample() and not store.sample()
    after = only(store)
    assert (len(after), after.n) == (len(before), before.n) == (20_000, 20_000)
    assert np.array_equal(after.steps, before.steps)
    assert np.array_equal(after.values, before.values)
    held = sum(column.n for column in store._columns())
    assert held < 20_000 + 14_000 // 40
    assert store.has_dropped() and not store.has_dropped(sampled=False)
    assert not store.leads_sampled
    store.clear(1)
    assert store.leads_sampled


def test_a_source_that_the_leading_one_continues_is_held_in_full() -> None:
    store = RunStore()
    store.add(0, "csv", 50, "", points("loss", range(10_000)), TRAIN)
    store.add(1, "tensorboard", 10, "", points("loss", range(9_000, 20_000)), TRAIN)
    assert not store.sample() and not store.has_dropped()


def test_series_let_go_of_the_room_that_a_column_returned() -> None:
    store = RunStore()
    for start in range(0, 90_000, 30_000):
        steps = range(start, start + 30_000)
        store.add(0, "csv", 50, "", points("loss", steps, order=start), TRAIN)
    before = only(store)
    store.settle()
    after = only(store)
    assert np.array_equal(after.values, before.values)
    for old, new in ((before.values, after.values), (before.steps, after.steps)):
        assert old.base is not None and new.base is not None
        assert old.base.nbytes > 1.2 * new.nbytes
        assert new.base.nbytes < 1.2 * new.nbytes
    assert store.series() == (after,)
