"""Channels that speak HTTP, with a web server on this machine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lossmon.alerts.channels import ChannelError
from lossmon.alerts.channels.webhook import Webhook
from lossmon.errors import ConfigError
from tests.alerts.messages import ONE, WORD


class Receiver:
    """A web server on this machine that keeps what it got.

    Attributes:
        status: What it answers.
        headers: Extra headers of the answer.
        requests: Headers and body of each request.
    """

    def __init__(self) -> None:
        self.status, self.headers = 204, {}
        self.requests: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.requests.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Tests print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    one = Receiver()
    yield one
    one.close()


def test_the_body_is_signed_as_the_standard_says(receiver: Receiver) -> None:
    key = b"0123456789abcdef"
    Webhook(receiver.url, secret=f"whsec_{base64.b64encode(key).decode()}").send(ONE)
    ((headers, body),) = receiver.requests
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-id"] == ONE.id
    assert headers["content-type"] == "application/json"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert json.loads(body)["event"]["code"] == "diverging"


def test_the_secret_may_stand_in_the_environment(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    Webhook(receiver.url).send(ONE)
    monkeypatch.setenv("LOSSMON_WEBHOOK_SECRET", "s3cret")
    Webhook(receiver.url).send(ONE)
    (plain, _), (signed, _) = receiver.requests
    assert "webhook-signature" not in plain
    assert signed["webhook-signature"].startswith("v1,")


@pytest.mark.parametrize("after, wait", [("17", 17.0), ("999999", 3600.0), ("soon", None)])
def test_a_server_that_asks_to_wait_is_heeded(
    receiver: Receiver, after: str, wait: float | None
) -> None:
    receiver.status, receiver.headers = 429, {"retry-after": after}
    with pytest.raises(ChannelError, match="HTTP 429") as failure:
        Webhook(receiver.url).send(ONE)
    assert failure.value.wait == wait


def test_the_body_goes_to_no_other_address(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 307, {"location": receiver.url}
    with pytest.raises(ChannelError, match="HTTP 307"):
        Webhook(receiver.url).send(ONE)
    assert len(receiver.requests) == 1


def test_a_server_that_is_not_there_is_a_failure(receiver: Receiver) -> None:
    receiver.close()
    with pytest.raises(ChannelError, match="refused"):
        Webhook(receiver.url).send(ONE)


def test_a_server_that_hangs_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(ChannelError, match="timed out"):
            Webhook(url, timeout=0.2).send(ONE)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_apprise_delivers(receiver: Receiver) -> None:
    pytest.importorskip("apprise", reason="needs lossmon[notify]")
    from lossmon.alerts.channels.apprise import AppriseService

    receiver.status = 200
    AppriseService(receiver.url.replace("http://", "json://")).send(ONE)
    ((_, body),) = receiver.requests
    got = json.loads(body)
    assert got["title"] == f"lossmon: a: {WORD}"
    assert got["type"] == "failure"
    receiver.status = 500
    with pytest.raises(ChannelError, match="500"):
        AppriseService(receiver.url.replace("http://", "json://")).send(ONE)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_apprise_refuses_what_it_does_not_know_without_printing_it() -> None:
    pytest.importorskip("apprise", reason="needs lossmon[notify]")
    from lossmon.alerts.channels.apprise import AppriseService

    with pytest.raises(ConfigError) as refused:
        AppriseService("pigeon://user:password@host")
    assert "pigeon" in str(refused.value)
    assert "password" not in str(refused.value)


@pytest.mark.parametrize("url", ["http://[::bad", "http://" + "a" * 70 + ".org/", "http://x:9x9/"])
def test_what_cannot_be_an_address_is_an_error_of_the_setting(url: str) -> None:
    with pytest.raises(ConfigError, match="is not an http or https address"):
        Webhook(url)


def test_an_answer_that_never_ends_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nx")
                ended.wait()

        threading.Thread(target=answer, daemon=True).start()
        try:
            Webhook(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout=60.0).send(ONE)
        finally:
            ended.set()
