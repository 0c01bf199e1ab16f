"""Client of a Prometheus server's HTTP API: bounded in time and size, without redirects."""

from __future__ import annotations

import json
import math
import os
import ssl
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

from lossmon.errors import ConfigError, LossmonError

TIMEOUT = 10.0
"""Seconds that a query may take, on the server and on the way."""

LARGEST = 96 << 20
"""Bytes of an answer: forty thousand runs."""

MOST_POINTS = 10_000
"""Points per series of a range; the server itself refuses 11,000."""

TOKEN = "LOSSMON_PROMETHEUS_TOKEN"
"""Variable that holds a bearer token for servers behind a gateway."""


class PrometheusError(LossmonError):
    """The server did not answer a query; says why."""


class Element(NamedTuple):
    """A series of an instant query.

    Attributes:
        labels: Its labels, `__name__` among them.
        time: Seconds since the Unix epoch.
        value: May be NaN or infinite.
    """

    labels: Mapping[str, str]
    time: float
    value: float


class Range(NamedTuple):
    """A series of a range query.

    Attributes:
        labels: Its labels, `__name__` among them.
        times: Seconds since the Unix epoch, ascending.
        values: As many.
    """

    labels: Mapping[str, str]
    times: list[float]
    values: list[float]


Entry = TypeVar("Entry", Element, Range)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        """A redirect would carry the password elsewhere."""
        return None


class PrometheusClient:
    """Asks one server. Any thread may call it.

    Args:
        url: `http://[user:password@]host[:port][/prefix]`, or with https.
        environment: Environment variables; only `LOSSMON_PROMETHEUS_TOKEN` is read.

    Attributes:
        name: Host and port, for people.

    Raises:
        ConfigError: The address is not one.
    """

    def __init__(self, url: str, environment: Mapping[str, str] | None = None) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConfigError(f"{url}: {error}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"{url}: is not the address of a Prometheus server")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self.name = host if port is None else f"{host}:{port}"
        prefix = parts.path.rstrip("/")
        self._base = urlunsplit((parts.scheme, self.name, f"{prefix}/api/v1/", "", ""))
        self._headers = {"Accept": "application/json"}
        token = (os.environ if environment is None else environment).get(TOKEN)
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        elif token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._opener = urllib.request.build_opener(_NoRedirect)

    def query(self, expression: str) -> list[Element]:
        """Evaluate an expression now.

        Raises:
            PrometheusError: The server does not answer, or not with a vector.
        """
        return self._ask("query", _element, query=expression)

    def query_range(self, expression: str, start: float, end: float, step: float) -> list[Range]:
        """Evaluate an expression over time.

        Args:
            expression: PromQL.
            start: Seconds since the Unix epoch.
            step: Seconds between points; raised where that would be too many.

        Raises:
            PrometheusError: The server does not answer, or not with a matrix.
        """
        step = max(step, (end - start) / MOST_POINTS, 1.0)
        return self._ask(
            "query_range",
            _range,
            query=expression,
            start=f"{start:.3f}",
            end=f"{end:.3f}",
            step=f"{math.ceil(step)}",
        )

    def _ask(
        self, endpoint: str, convert: Callable[[Any], Entry], **parameters: str
    ) -> list[Entry]:
        try:
            document = json.loads(self._post(endpoint, parameters))
            if document["status"] != "success":
                raise PrometheusError(f"{self.name}: {str(document.get('error'))[:300]}")
            return [convert(entry) for entry in document["data"]["result"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise PrometheusError(f"{self.name}: the answer is not that of Prometheus") from None

    def _post(self, endpoint: str, parameters: Mapping[str, str]) -> bytes:
        form = urlencode({**parameters, "timeout": f"{TIMEOUT:.0f}s"}).encode()
        request = urllib.request.Request(self._base + endpoint, form, self._headers)
        try:
            with self._opener.open(request, timeout=TIMEOUT) as response:
                body: bytes = response.read(LARGEST + 1)
        except urllib.error.HTTPError as error:
            raise PrometheusError(f"{self.name}: {_said(error)}") from None
        except (OSError, HTTPException, ssl.SSLError) as error:
            reason = getattr(error, "reason", error)
            raise PrometheusError(f"{self.name}: {reason}") from None
        if len(body) > LARGEST:
            raise PrometheusError(f"{self.name}: the answer is larger than {LARGEST >> 20} MiB")
        return body


def _element(entry: Any) -> Element:
    time, value = entry["value"]
    return Element(entry["metric"], float(time), float(value))


def _range(entry: Any) -> Range:
    times, values = zip(*entry["values"], strict=True)
    return Range(entry["metric"], [float(one) for one in times], [float(one) for one in values])


def _said(error: urllib.error.HTTPError) -> str:
    """What a server says of a query that it refuses."""
    with error:
        body = error.read(1 << 16)
    try:
        reason = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        reason = error.reason
    return f"{error.code} {str(reason)[:300]}"
