"""Web configuration file of Prometheus exporters: TLS and basic authentication.

Its form is that of Prometheus' own exporters, so that one file serves them all. Of their settings
those that concern a server of HTTP/1.1 are understood; any other one is an error rather than
silently without effect.
"""

from __future__ import annotations

import ssl
import threading
from base64 import b64decode
from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Any

from lossmon.errors import ConfigError
from lossmon.fast_dataclass import dataclass

_TLS_KEYS = frozenset(
    {
        *("cert_file", "key_file", "client_ca_file", "client_auth_type"),
        *("min_version", "max_version"),
    }
)
_CLIENT_AUTH: Mapping[str, ssl.VerifyMode] = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}

REMEMBERED = 100
"""Good credentials that are remembered: checking one is slow on purpose."""


@dataclass(frozen=True, slots=True)
class WebConfig:
    """How a server lets clients in.

    Attributes:
        tls: Certificates, None for plain HTTP.
        users: Hashes of passwords by user name; empty for no authentication.
    """

    tls: ssl.SSLContext | None
    users: Mapping[str, bytes]


def read_web_config(path: Path) -> WebConfig:
    """Read a file.

    Raises:
        ConfigError: It cannot be read, or says something that is not understood.
    """
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not YAML: {error}") from error
    table = _table(path, "", document)
    _check_keys(path, "", table, {"tls_server_config", "basic_auth_users"})
    tls = table.get("tls_server_config")
    users = _table(path, "basic_auth_users", table.get("basic_auth_users"))
    for user, hashed in users.items():
        if not isinstance(hashed, str) or not hashed.startswith(("$2a$", "$2b$", "$2y$")):
            raise ConfigError(f"{path}: basic_auth_users {user}: is not a bcrypt hash")
    context = None if tls is None else _context(path, _table(path, "tls_server_config", tls))
    return WebConfig(context, {str(user): hashed.encode() for user, hashed in users.items()})


def _context(path: Path, table: Mapping[str, Any]) -> ssl.SSLContext:
    where = "tls_server_config"
    _check_keys(path, where, table, _TLS_KEYS)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _choice(path, where, table, "min_version", _VERSIONS, "TLS12")
    if "max_version" in table:
        context.maximum_version = _choice(path, where, table, "max_version", _VERSIONS, "TLS13")
    auth = _choice(path, where, table, "client_auth_type", _CLIENT_AUTH, "NoClientCert")
    try:
        # Relative names start at the file that holds them.
        files = {key: str(path.parent / str(table[key])) for key in table if key.endswith("_file")}
        context.load_cert_chain(files["cert_file"], files["key_file"])
        if "client_ca_file" in files:
            context.load_verify_locations(files["client_ca_file"])
        elif auth is not ssl.CERT_NONE:
            raise ConfigError(f"{path}: {where}: client_auth_type needs client_ca_file")
    except KeyError as error:
        raise ConfigError(f"{path}: {where}: {error.args[0]} is missing") from None
    except OSError as error:
        raise ConfigError(f"{path}: {where}: {error}") from error
    context.verify_mode = auth
    return context


def _table(path: Path, where: str, value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: {where or 'the file'} is not a mapping")
    return value


def _check_keys(
    path: Path, where: str, table: Mapping[str, Any], known: frozenset[str] | set[str]
) -> None:
    for key in table:
        if key not in known:
            place = f"{where}: " if where else ""
            names = ", ".join(sorted(known))
            raise ConfigError(f"{path}: {place}{key!r} is not understood; known are {names}")


def _choice(
    path: Path,
    where: str,
    table: Mapping[str, Any],
    key: str,
    choices: Mapping[str, Any],
    usual: str,
) -> Any:
    word = table.get(key, usual)
    if word not in choices:
        allowed = " or ".join(choices)
        raise ConfigError(f"{path}: {where}: {key} is {word!r}; use {allowed}")
    return choices[word]


class BasicAuth:
    """Checks the `Authorization` header of requests. Any thread may call it."""

    def __init__(self, users: Mapping[str, bytes]) -> None:
        self._users = users
        self._good: dict[bytes, None] = {}
        self._lock = threading.Lock()
        # A user that does not exist takes as long as one with a wrong password.
        self._dummy = next(iter(users.values()), b"")

    def allows(self, header: str | None) -> bool:
        """Whether a request with this header is let in."""
        if not self._users:
            return True
        kind, _, encoded = (header or "").partition(" ")
        if kind.lower() != "basic":
            return False
        key = sha256(encoded.encode()).digest()
        # One check at a time: many at once would take all processors.
        with self._lock:
            if key in self._good:
                return True
            if not self._is_good(encoded):
                return False
            if len(self._good) >= REMEMBERED:
                self._good.clear()
            self._good[key] = None
            return True

    def _is_good(self, encoded: str) -> bool:
        import bcrypt

        try:
            user, _, password = b64decode(encoded, validate=True).decode().partition(":")
            known = self._users.get(user)
            hashed = bcrypt.hashpw(password.encode(), known or self._dummy)
        except ValueError:
            return False
        return known is not None and compare_digest(hashed, known)
