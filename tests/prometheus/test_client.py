from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from lossmon.errors import ConfigError
from lossmon.prometheus import client as module
from lossmon.prometheus.client import TOKEN, PrometheusClient, PrometheusError
from tests.services.pages import Pages, Reply, Request

Answer = Callable[[Request], Reply]


def good(result: object) -> Reply:
    return Reply(body=json.dumps({"status": "success", "data": {"result": result}}).encode())


@pytest.fixture
def pages() -> Iterator[Pages]:
    pages = Pages(lambda request: good([]))
    yield pages
    pages.stop()


def test_an_instant_query(pages: Pages) -> None:
    pages.answer = lambda request: good([{"metric": {"a": "b"}, "value": [5.5, "NaN"]}])
    (element,) = PrometheusClient(f"http://{pages.address}/prefix/").query("up == 1")
    assert element.labels == {"a": "b"} and element.time == 5.5
    assert element.value != element.value
    (request,) = pages.requests
    assert request.path == "/prefix/api/v1/query"
    assert parse_qs(request.body)["query"] == ["up == 1"]


def test_a_range_has_a_bounded_number_of_points(pages: Pages) -> None:
    pages.answer = lambda request: good([{"metric": {}, "values": [[1, "2"], [3, "+Inf"]]}])
    (found,) = PrometheusClient(f"http://{pages.address}").query_range("x", 0.0, 1e7, 1.0)
    assert found.times == [1.0, 3.0] and found.values == [2.0, float("inf")]
    step = int(parse_qs(pages.requests[0].body)["step"][0])
    assert 1e7 / step <= module.MOST_POINTS


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(body=b"<html>"), "not that of Prometheus"),
        (Reply(body=b"[1]"), "not that of Prometheus"),
        (Reply(body=b"[" * 100_000), "not that of Prometheus"),
        (good({"a": 1}), "not that of Prometheus"),
        (Reply(body=b'{"status": "error", "error": "query timed out"}'), "query timed out"),
        (Reply(422, b'{"status": "error", "error": "too many samples"}'), "422 too many samples"),
        (Reply(503, b"busy"), "503"),
        (Reply(401, b""), "401"),
    ],
)
def test_a_bad_answer_is_told_in_one_line(pages: Pages, reply: Reply, said: str) -> None:
    pages.answer = lambda request: reply
    with pytest.raises(PrometheusError) as raised:
        PrometheusClient(f"http://{pages.address}").query("up")
    assert said in str(raised.value) and pages.address in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(PrometheusError, match="refused"):
        PrometheusClient("http://127.0.0.1:1").query("up")


def test_a_server_that_does_not_answer_is_given_up(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    monkeypatch.setattr(module, "TIMEOUT", 0.1)
    released = threading.Event()

    def slow(request: Request) -> Reply:
        released.wait(30)
        return good([])

    pages.answer = slow
    with pytest.raises(PrometheusError, match="timed out"):
        PrometheusClient(f"http://{pages.address}").query("up")
    released.set()


def test_an_answer_without_end_is_not_read(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 1000)
    pages.answer = lambda request: good(["x" * 2000])
    with pytest.raises(PrometheusError, match="larger than"):
        PrometheusClient(f"http://{pages.address}").query("up")


def test_passwords_go_to_the_server_and_nowhere_else(pages: Pages) -> None:
    elsewhere = Pages(lambda request: good([]))
    try:
        target = ("Location", f"http://{elsewhere.address}/api/v1/query")
        pages.answer = lambda request: Reply(302, headers=(target,))
        asked = PrometheusClient(f"http://ada:s%3Acret@{pages.address}", {TOKEN: "unused"})
        with pytest.raises(PrometheusError, match="302"):
            asked.query("up")
    finally:
        elsewhere.stop()
    assert elsewhere.requests == []
    expected = b64encode(b"ada:s:cret").decode()
    assert pages.requests[0].headers["authorization"] == f"Basic {expected}"
    assert "cret" not in asked.name


def test_a_token_comes_from_the_environment(pages: Pages) -> None:
    PrometheusClient(f"http://{pages.address}", {TOKEN: "abc"}).query("up")
    assert pages.requests[0].headers["authorization"] == "Bearer abc"


@pytest.mark.parametrize("url", ["ftp://a", "http://", "http://a:x", "http://[::1", "nothing"])
def test_what_is_no_address_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(ConfigError):
        PrometheusClient(url, {})


def test_values_of_any_shape_are_refused_and_not_raised(pages: Pages) -> None:
    shapes: list[Any] = [[{"metric": {}}], [1], [{"metric": {}, "value": [1, "x"]}], [None]]
    for shape in shapes:
        pages.answer = lambda request, shape=shape: good(shape)  # type: ignore[misc]
        with pytest.raises(PrometheusError):
            PrometheusClient(f"http://{pages.address}").query("up")
