"""Large documents: parsed with little memory, to the same result."""

from __future__ import annotations

import json

import pytest

from lossmon.readers.files import json_file
from lossmon.readers.files.json_file import parse_document, parse_records

ODD = (
    b'{"loss": 1e999}',
    b'{"loss": ' + b"9" * 5000 + b"}",
    b'{"note": "\xff", "loss": 2}',
    b"3",
    b'{"loss": [{"a": 1}]}',
)
"""Values that msgspec finds, and does not decode; and some that are no records."""


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "LARGE", 1)


def document(*others: bytes) -> bytes:
    records = [json.dumps({"step": step, "loss": 1 / (step + 1)}).encode() for step in range(600)]
    history = b" [\n" + b",\n".join([*records, *others]) + b"]"
    return b'{"step": 600, "log_history":' + history + b', "lists": [1, 2], "empty": []}'


def test_records_of_a_large_document_are_decoded_as_they_are_reached() -> None:
    found = parse_records(document())
    assert isinstance(found, dict)
    assert isinstance(found["log_history"], json_file.LazyRecords)
    assert {**found, "log_history": [*found["log_history"]]} == json.loads(document())


@pytest.mark.parametrize("other", ODD)
def test_odd_values_cost_no_record(other: bytes) -> None:
    found = parse_records(document(other))
    assert isinstance(found, dict)
    records = [*found["log_history"]]
    assert len(records) == 601
    plain = parse_document(document(other))
    assert isinstance(plain, dict)
    assert records == plain["log_history"]


def test_documents_that_are_no_object_and_unfinished_ones_are_as_before() -> None:
    assert parse_records(b'[{"step": 1}]') == [{"step": 1}]
    assert str(parse_records(b'{"a": [{"loss": NaN}]}')) == "{'a': [{'loss': nan}]}"
    with pytest.raises(ValueError, match="delimiter"):
        parse_records(document()[:-1])
