"""HTTP server of the exporter."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app

from lossmon.prometheus.web_config import BasicAuth, WebConfig

TIMEOUT = 10.0
"""Seconds that a client may be silent before its connection is closed."""

_INDEX = b"""<!doctype html><title>lossmon exporter</title>
<h1>lossmon exporter</h1><p><a href="/metrics">Metrics</a></p>
"""

Environ = dict[str, Any]
Start = Callable[[str, list[tuple[str, str]]], object]
App = Callable[[Environ, Start], Iterable[bytes]]


def metrics_app(registry: CollectorRegistry, auth: BasicAuth) -> App:
    """The WSGI application: `/metrics` for who is allowed, a link to it at `/`."""
    metrics: App = make_wsgi_app(registry)

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        if not auth.allows(environ.get("HTTP_AUTHORIZATION")):
            start(
                "401 Unauthorized",
                [("WWW-Authenticate", "Basic"), ("Content-Type", "text/plain; charset=utf-8")],
            )
            return [b"Unauthorized\n"]
        if environ["PATH_INFO"] == "/metrics":
            return metrics(environ, start)
        if environ["PATH_INFO"] == "/":
            start("200 OK", [("Content-Type", "text/html; charset=utf-8")])
            return [_INDEX]
        start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"Not Found\n"]

    return app


class _Handler(WSGIRequestHandler):
    timeout = TIMEOUT

    def log_message(self, format: str, *arguments: object) -> None:
        """A request every few seconds is not worth a line."""

    def handle(self) -> None:
        # A client that goes away, or does not speak TLS, is its own affair.
        try:
            super().handle()
        except (OSError, ssl.SSLError):
            self.close_connection = True


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A request that fails costs itself only; its client has been answered or is gone."""


class MetricsServer:
    """Serves metrics from a thread.

    Args:
        host: Address to listen on.
        port: Port, 0 for any that is free.
        registry: What is served.
        config: TLS and users.

    Attributes:
        url: Where the metrics are.

    Raises:
        OSError: The address cannot be listened on.
    """

    def __init__(
        self, host: str, port: int, registry: CollectorRegistry, config: WebConfig
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        server = type("_FamilyServer", (_Server,), {"address_family": family})
        self._server: WSGIServer = server((host, port), _Handler)
        self._server.set_app(metrics_app(registry, BasicAuth(config.users)))
        if config.tls is not None:
            # The handshake is left to the thread of the connection: a slow client blocks no other.
            self._server.socket = config.tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if config.tls is None else "https"
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{scheme}://{shown}:{self._server.server_port}/metrics"
        self._thread = Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
