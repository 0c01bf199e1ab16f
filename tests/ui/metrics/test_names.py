"""Names keep what distinguishes them, and numbers count as numbers."""

from __future__ import annotations

import pytest

from lossmon.types import Kind, Meaning, Series
from lossmon.ui.metrics.names import (
    display_name,
    frequencies,
    natural_key,
    shared_prefix,
    short_names,
    shortened,
)

LAYERS = [
    f"optim/{what}/module.transformer.blocks.{layer}.{part}.weight.{value}"
    for what in ("param", "grad")
    for layer in range(12)
    for part in ("attn_out", "ff_proj")
    for value in ("norm", "min")
]


def test_numbers_count_as_numbers() -> None:
    names = ["layer.10.norm", "layer.2.norm", "Layer.1.norm", "layer"]
    assert sorted(names, key=natural_key) == [
        "layer",
        "Layer.1.norm",
        "layer.2.norm",
        "layer.10.norm",
    ]


def test_a_number_of_hostile_length_is_sorted_too() -> None:
    assert sorted(["a" + "9" * 9000, "a1"], key=natural_key)[0] == "a1"


def test_words_that_all_names_have_are_left_out_first() -> None:
    counts = frequencies(LAYERS)
    name = "optim/grad/module.transformer.blocks.7.ff_proj.weight.norm"
    assert shortened(name, 80, counts) == name
    assert shortened(name, 24, counts) == "…grad…7.ff_proj.wei…norm"


@pytest.mark.parametrize("room", [24, 30, 40])
def test_short_names_stay_different(room: int) -> None:
    counts = frequencies(LAYERS)
    assert len({shortened(name, room, counts) for name in LAYERS}) == len(LAYERS)


def test_a_name_that_others_contain_keeps_its_ends() -> None:
    names = ["train.log", "train_disable_tqdm.log"]
    for room in (6, 7, 8):
        short, long = short_names(names, room)
        assert short != long and "…" not in (short, long) and "……" not in short + long


def test_names_that_differ_in_a_common_word_stay_different() -> None:
    names = ["train rewards f mean", "train rewards f std", "train length mean", "kl mean", "a std"]
    assert len(set(short_names(names, 12, frequencies([*names, *names])))) == len(names)


def test_a_name_has_all_the_words_that_fit() -> None:
    names = ["train_tokens_per_second", "eval_samples_per_second", "eval_steps_per_second"]
    assert shortened(names[0], 18, frequencies(names)) == "train_tokens/s"


def test_a_word_that_does_not_fit_whole_is_cut() -> None:
    assert shortened("eval/humaneval_pass@1", 18, {}) == "eval/humane…pass@1"
    names = [f"eval/{part}_samples_per_second" for part in ("easy", "hard")]
    assert short_names(names, 20) == ["eval/easy_samples/s", "eval/hard_samples/s"]


@pytest.mark.parametrize("room", [1, 5, 9])
def test_a_name_fits_any_room(room: int) -> None:
    assert len(shortened(LAYERS[0], room, frequencies(LAYERS))) <= room


def test_a_shared_prefix_ends_at_a_separator() -> None:
    assert shared_prefix(["eval/math_loss", "eval/mmlu"]) == "eval/"
    assert shared_prefix(["eval/mmlu"]) == ""
    assert shared_prefix(["loss", "kl"]) == ""


@pytest.mark.parametrize(
    ("tag", "meaning", "name"),
    [
        ("optim/a.b_c", Meaning("train/optim_a_b_c", "train optim a b c"), "optim/a.b_c"),
        ("train_lr", Meaning("learning_rate", "learning rate", kind=Kind.LEARNING_RATE),
         "learning rate"),
        ("norm/emb", Meaning("grad_norm/emb", "gradient norm emb", kind=Kind.GRAD_NORM, part="emb"),
         "norm/emb"),
        ("eval_acc", Meaning("eval/accuracy", "eval accuracy", kind=Kind.METRIC), "eval accuracy"),
        ("tps", Meaning("train/tokens_per_second", "tokens/s", kind=Kind.THROUGHPUT), "tokens/s"),
        ("bbox/AP50", Meaning("eval/bbox_ap50", "eval bbox ap50", kind=Kind.METRIC),
         "eval bbox AP50"),
    ],
)  # fmt: skip
def test_a_tag_stands_for_itself_where_the_field_has_no_words(
    tag: str, meaning: Meaning, name: str
) -> None:
    assert display_name(Series(tag, meaning)) == name


def test_a_hostile_tag_is_cleaned() -> None:
    assert "\x1b" not in display_name(Series("a/\x1b[2J", Meaning("train/a2j", "train a2j")))


def test_the_split_of_a_name_goes_last() -> None:
    names = ["train reward margin", "eval reward margin", "eval reward accuracy"]
    assert shortened(names[0], 14, frequencies(names)) == "train…margin"
    assert shortened(names[1], 14, frequencies(names)) == "eval…margin"


def test_the_word_train_gives_way_where_no_other_split_has_the_name() -> None:
    names = ["train reward of chosen", "train policy_loss_clipped", "eval policy_loss_clipped"]
    assert short_names(names, 18)[0] == "reward of chosen"
    assert short_names(names, 18)[1].startswith("train")
