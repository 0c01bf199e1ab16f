"""Answers hold for the runs that log what they speak of."""

from __future__ import annotations

from lossmon.monitor.runs.ambiguous_tags import TagOverrides

NAMES = {"train_loss": ("mine", "theirs"), "just_shown": ("a", "b"), "eval_loss": "held/out"}


def test_what_a_run_does_not_log_does_not_hold_for_it() -> None:
    named = TagOverrides(NAMES)
    assert named.known == {}
    assert named.add(["theirs", "other"])
    assert named.known == {"train_loss": ("theirs",)}


def test_of_several_tags_of_one_quantity_the_first_counts_and_of_a_sort_all() -> None:
    named = TagOverrides(NAMES)
    named.add(["theirs", "a"])
    assert named.add(["mine", "b"])
    assert named.known == {"train_loss": ("mine",), "just_shown": ("a", "b")}
    assert named.tags == {"mine", "theirs", "a", "b", "held/out"}


def test_what_changes_nothing_is_told_so() -> None:
    named = TagOverrides(NAMES)
    named.add(["mine"])
    assert not named.add(["mine", "theirs", "unheard of"])
    assert not named.set({"train_loss": "mine", "learning_rate": "lr"})
    assert named.set({})
