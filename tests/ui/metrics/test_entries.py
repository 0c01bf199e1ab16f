"""Series of all layers are one group, whose band follows the run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lossmon.types import Kind, Meaning, Series, Split
from lossmon.ui.metrics.entries import Bands, MetricEntry, band_of, entries_of, entry_of
from lossmon.ui.metrics.ranking import MetricSort, SearchError, change, matcher, ordered, ranked
from tests.ui import stage


def scalar(
    tag: str, values: object = (1.0, 2.0, 3.0), kind: Kind = Kind.OTHER, **meaning: object
) -> Series:
    found = np.asarray(values, np.float64)
    whole = Meaning(tag, tag, kind=kind, **meaning)  # type: ignore[arg-type]
    return replace(stage.series(whole, np.arange(len(found)), found), tag=tag)


def names(entries: list[MetricEntry]) -> list[str]:
    return [one.name for one in entries]


def test_layers_become_one_group_in_natural_order() -> None:
    layers = [scalar(f"norm/h.{at}.attn") for at in (10, 2, 1, 0)]
    found = entries_of([scalar("kl"), *layers])
    assert names(found) == ["kl", "norm/h.*.attn"]
    assert [one.tag for one in found[1].members] == [f"norm/h.{at}.attn" for at in (0, 1, 2, 10)]


@pytest.mark.parametrize("tag", ["grad_l{}_norm", "top{}"])
def test_a_number_in_a_word_makes_no_group(tag: str) -> None:
    assert len(entries_of(scalar(tag.format(at)) for at in range(5))) == 5


def test_few_series_losses_and_eval_metrics_stay_apart() -> None:
    few = [scalar(f"h.{at}") for at in range(3)]
    losses = [scalar(f"loss/{at}", kind=Kind.LOSS) for at in range(5)]
    evals = [scalar(f"bench.{at}", split=Split.EVAL) for at in range(5)]
    assert len(entries_of([*few, *losses, *evals])) == 13


def test_a_band_holds_the_extremes_and_the_median_without_nan() -> None:
    members = [scalar(f"h.{at}", (at, np.nan if at == 4 else at)) for at in range(5)]
    band = band_of(members)
    assert band.low.tolist() == [0, 0]
    assert band.middle.tolist() == [2, 2]
    assert band.high.tolist() == [4, 3]


def test_a_band_that_grows_is_the_band_of_the_whole() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(5, 200))
    whole = [scalar(f"h.{at}", row) for at, row in enumerate(values)]
    grown = None
    for n in (50, 51, 120, 200):
        grown = band_of([scalar(f"h.{at}", row[:n]) for at, row in enumerate(values)], grown)
    assert grown is not None
    for column in ("low", "middle", "high"):
        assert np.array_equal(getattr(grown, column), getattr(band_of(whole), column))


def test_members_logged_at_other_steps_are_read_off_between_their_points() -> None:
    sparse = stage.series(Meaning("h.1", "h.1"), np.array([0, 4]), np.array([0.0, 8.0]))
    assert band_of([scalar("h.0", [0] * 5), sparse]).high.tolist() == [0, 2, 4, 6, 8]


def test_the_median_of_a_group_is_computed_once_while_nothing_is_new() -> None:
    entry = entries_of(scalar(f"h.{at}") for at in range(4))[0]
    bands = Bands()
    assert bands.of(entry) is bands.of(MetricEntry(entry.key, entry.name, entry.members))
    assert bands.median(entry).last == 3.0


def test_reward_and_kl_come_first_and_groups_last() -> None:
    series = [
        *(scalar(f"norm.{at}") for at in range(4)),
        scalar("tokens_per_second", kind=Kind.THROUGHPUT),
        scalar("grad_norm", kind=Kind.GRAD_NORM),
        scalar("grad_norm/emb", kind=Kind.GRAD_NORM, part="emb"),
        scalar("lr", kind=Kind.LEARNING_RATE),
        scalar("acc", kind=Kind.METRIC, split=Split.EVAL),
        scalar("objective/kl"),
        scalar("train/reward"),
    ]
    assert names(ranked(entries_of(series))) == [
        *("train/reward", "objective/kl", "lr", "acc", "grad_norm", "tokens_per_second"),
        *("grad_norm/emb", "norm.*"),
    ]


def test_pinned_metrics_come_first() -> None:
    entries = [entry_of(scalar(tag)) for tag in ("b", "a10", "a2")]
    assert names(ranked(entries, {entries[1].key})) == ["a10", "a2", "b"]


def test_metrics_are_sorted_by_name_and_by_change() -> None:
    flat, moving = scalar("a10", [1.0] * 50), scalar("a2", np.arange(50.0))
    entries = [entry_of(flat), entry_of(moving)]
    assert names(ordered(entries, MetricSort.NAME)) == ["a2", "a10"]
    assert names(ordered(entries, MetricSort.CHANGE)) == ["a2", "a10"]
    assert change(entries[0]) == 0.0 < change(entries[1])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["grad/h.0.norm", "Train/Loss", "kl"]),
        ("norm grad", ["grad/h.0.norm"]),
        ("LOSS", ["Train/Loss"]),
        ("grad/*", ["grad/h.0.norm"]),
        ("h.?.norm", ["grad/h.0.norm"]),
        ("norm*", []),
        ("grad/*0.*", ["grad/h.0.norm"]),
        ("gra.*rm", ["grad/h.0.norm"]),
        (r"h\.\d", ["grad/h.0.norm"]),
        ("/l./", ["Train/Loss"]),
        ("loss$|^kl", ["Train/Loss", "kl"]),
        ("-loss", ["grad/h.0.norm", "kl"]),
        ("!loss -k", ["grad/h.0.norm"]),
        ("o -*norm", ["Train/Loss"]),
        ("!/^k| l/", ["grad/h.0.norm", "Train/Loss"]),
        ("loss|kl -t.*n", ["kl"]),
        ("-", ["grad/h.0.norm", "Train/Loss", "kl"]),
    ],
)
def test_words_globs_and_regular_expressions_find_names(text: str, found: list[str]) -> None:
    test = matcher(text)
    assert [name for name in ("grad/h.0.norm", "Train/Loss", "kl") if test(name)] == found


def test_what_is_excluded_by_one_of_its_names_is_not_found_by_the_other() -> None:
    assert matcher("loss")("train/l", "train loss")
    assert not matcher("-loss")("train/l", "train loss")


def test_a_broken_regular_expression_is_named() -> None:
    with pytest.raises(SearchError, match="unterminated"):
        matcher("(loss")
