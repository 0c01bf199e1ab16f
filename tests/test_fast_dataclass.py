"""The lean dataclass behaves as the standard one."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest

from lossmon.fast_dataclass import FEW, dataclass


@dataclass(frozen=True, slots=True)
class Lean:
    """A value."""

    a: int
    b: str = "b"
    c: list[int] = field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class Standard:
    """The same."""

    a: int
    b: str = "b"
    c: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Key:
    """A value that can be a key."""

    a: int
    b: str = ""


@dataclass(slots=True)
class Mutable:
    """A thing that changes."""

    a: int
    b: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Itself:
    """Equal to itself alone."""

    a: int = 0


@pytest.mark.parametrize(
    "arguments, named", [((1,), {}), ((1, "x"), {}), ((1,), {"b": "x"}), ((), {"a": 1, "c": [2]})]
)
def test_objects_are_made_and_shown_alike(arguments: tuple[Any, ...], named: Any) -> None:
    lean, standard = Lean(*arguments, **named), Standard(*arguments, **named)
    assert dataclasses.asdict(lean) == dataclasses.asdict(standard)
    assert repr(lean).removeprefix("Lean") == repr(standard).removeprefix("Standard")
    assert lean == Lean(*arguments, **named)


@pytest.mark.parametrize("arguments, named", [((), {}), ((1, 2, 3, 4), {}), ((1,), {"z": 1})])
def test_wrong_arguments_are_refused(arguments: tuple[Any, ...], named: Any) -> None:
    for _ in range(2 * FEW):
        with pytest.raises(TypeError, match=r"Lean\.__init__\(\)"):
            Lean(*arguments, **named)


def test_each_object_has_its_own_default() -> None:
    assert Lean(1).c is not Lean(1).c


def test_a_frozen_object_does_not_change() -> None:
    value = Lean(1)
    with pytest.raises(FrozenInstanceError):
        value.a = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del value.a
    with pytest.raises(FrozenInstanceError):
        value.z = 2  # type: ignore[attr-defined]


def test_another_object_differs_in_what_is_replaced() -> None:
    assert dataclasses.replace(Lean(1), b="x") == Lean(1, "x")
    assert Lean(1) != Lean(2)
    assert Lean(1) != Standard(1)


def test_equal_values_are_one_key() -> None:
    assert {Key(1, "a"): "found"}[Key(1, "a")] == "found"
    assert Key(1) not in {Key(2)}


def test_a_thing_that_changes_is_no_key() -> None:
    thing = Mutable(1)
    thing.a = 2
    assert thing == Mutable(2)
    with pytest.raises(TypeError):
        hash(thing)


def test_without_eq_an_object_equals_itself_alone() -> None:
    one = Itself()
    assert one == one
    assert one != Itself()
    assert len({one, Itself()}) == 2


@pytest.mark.parametrize("value", [Lean(1, c=[2]), Mutable(1, [2]), Key(3)])
def test_a_copy_is_equal(value: object) -> None:
    assert copy.copy(value) == copy.deepcopy(value) == value
    assert pickle.loads(pickle.dumps(value)) == value


def test_a_value_takes_no_other_attributes() -> None:
    assert not hasattr(Lean(1), "__dict__")


def test_a_value_can_be_matched() -> None:
    match Key(1, "x"):
        case Key(a, b):
            assert (a, b) == (1, "x")


def test_later_objects_are_made_like_the_first() -> None:
    many = [Lean(1, c=[2]) for _ in range(2 * FEW)]
    assert all(one == many[0] for one in many)
    assert many[-1].c is not many[0].c


def test_a_class_that_inherits_the_fields_has_them_too() -> None:
    @dataclass(frozen=True, slots=True, eq=False)
    class Pair:
        first: int
        second: int

    class Named(Pair):
        __slots__ = ()

    assert [one.name for one in dataclasses.fields(Named)] == ["first", "second"]
