"""Regular expressions that are compiled at their first use."""

from __future__ import annotations

import re

import pytest

from lossmon.lazy_pattern import METHODS, lazy_pattern


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Expressions in the order in which they were compiled."""
    seen: list[object] = []
    original = re.compile

    def compile(pattern: str, flags: int = 0) -> re.Pattern[str]:
        seen.append(pattern)
        return original(pattern, flags)

    monkeypatch.setattr("lossmon.lazy_pattern.re.compile", compile)
    return seen


def test_an_expression_is_compiled_once_and_only_when_it_is_used(compiled: list[object]) -> None:
    word = lazy_pattern(r"(?P<word>[a-z]+)")
    assert word.pattern == r"(?P<word>[a-z]+)"
    assert compiled == []
    found = word.search("1 two")
    assert found is not None and found["word"] == "two"
    assert word.match("1") is None
    assert compiled == [word.pattern]


def test_flags_groups_and_bytes_are_those_of_the_expression() -> None:
    assert lazy_pattern("A(b)", re.IGNORECASE).fullmatch("aB") is not None
    assert lazy_pattern("(?P<a>x)").groupindex == {"a": 1}
    assert lazy_pattern(rb"\d+").findall(b"1 22") == [b"1", b"22"]


def test_every_method_of_an_expression_works_at_the_first_call() -> None:
    for name in METHODS:
        arguments = ("-", "a b") if name in ("sub", "subn") else ("a b",)
        lazy, plain = lazy_pattern(r"\s"), re.compile(r"\s")
        ours, theirs = (getattr(one, name)(*arguments) for one in (lazy, plain))
        assert type(ours) is type(theirs)
        if name not in ("search", "match", "fullmatch", "finditer"):
            assert ours == theirs


def test_a_wrong_expression_is_an_error_when_it_is_used() -> None:
    wrong = lazy_pattern("(")
    with pytest.raises(re.error):
        wrong.search("")
