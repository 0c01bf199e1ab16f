"""Channel that posts to a web address, with a signature that the receiver can check."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import IO
from urllib.parse import urlsplit

from lossmon.alerts.alert import Message
from lossmon.alerts.channels import ChannelError
from lossmon.errors import ConfigError
from lossmon.version import __version__

VARIABLE = "LOSSMON_WEBHOOK_SECRET"
"""Environment variable of the secret, so that it need not stand in a file or on a command line."""

LONGEST_WAIT = 3600.0
"""Seconds of a `Retry-After` that are respected."""


class Webhook:
    """Posts JSON as https://www.standardwebhooks.com describes.

    The headers are `webhook-id` (the same when an alert is sent again), `webhook-timestamp` and,
    where there is a secret, `webhook-signature`: `v1,` and the Base64 of the HMAC-SHA256 of
    `ID.TIMESTAMP.BODY`.

    Args:
        secret: Key of the signature; `whsec_` and Base64, or any text. Without one the variable
            LOSSMON_WEBHOOK_SECRET counts.
        timeout: Seconds that the other side may take.
    """

    def __init__(self, url: str, secret: str = "", timeout: float = 10.0) -> None:
        if not _is_address(url):
            raise ConfigError(f"url {url!r} is not an http or https address")
        self._url, self._timeout = url, timeout
        self._key = _key(secret or os.environ.get(VARIABLE, ""))
        self._open = urllib.request.build_opener(_NoRedirect).open

    def send(self, message: Message) -> None:
        body = message.json().encode()
        request = urllib.request.Request(
            self._url, data=body, headers=self._headers(message, body), method="POST"
        )
        try:
            with self._open(request, timeout=self._timeout) as answer:
                # One piece: the other side may send the next one never.
                answer.read1(1024)
        except urllib.error.HTTPError as error:
            error.close()
            raise ChannelError(f"HTTP {error.code} {error.reason}", _wait(error)) from error
        except (OSError, ValueError, HTTPException) as error:
            raise ChannelError(str(getattr(error, "reason", "") or error)) from error

    def _headers(self, message: Message, body: bytes) -> dict[str, str]:
        stamp = str(int(time.time()))
        headers = {
            "content-type": "application/json",
            "user-agent": f"lossmon/{__version__}",
            "webhook-id": message.id,
            "webhook-timestamp": stamp,
        }
        if self._key:
            headers["webhook-signature"] = signature(self._key, message.id, stamp, body)
        return headers


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def signature(key: bytes, identity: str, stamp: str, body: bytes) -> str:
    """The value of `webhook-signature`."""
    signed = hmac.new(key, f"{identity}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def _key(secret: str) -> bytes:
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ConfigError(f"secret: what follows whsec_ is not Base64: {error}") from error


def _wait(error: urllib.error.HTTPError) -> float | None:
    text = error.headers.get("retry-after", "")
    return min(float(text), LONGEST_WAIT) if text.isascii() and text.isdecimal() else None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A signed body goes to the address that the user wrote, and to no other."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: object,
        newurl: str,
    ) -> None:
        return None
