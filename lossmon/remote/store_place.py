"""A prefix of an object store, or any other place that fsspec knows: S3, GCS, Hugging Face."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.util import find_spec
from typing import Any

from lossmon.errors import ConfigError
from lossmon.remote.files import (
    MOST_FILES,
    Enters,
    Follows,
    Listing,
    RemoteError,
    RemoteFile,
    is_safe,
)

LIBRARIES: Mapping[str, str] = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "hf": "huggingface_hub",
    "az": "adlfs",
    "abfs": "adlfs",
    "hdfs": "pyarrow",
}
"""Library that fsspec needs for each scheme; each finds the credentials in its own places."""

_VERSIONS = ("ETag", "etag", "generation", "md5Hash", "oid", "blob_id", "version_id")
"""What stores call the version of an object."""


class StorePlace:
    """A place that fsspec reaches.

    Args:
        address: `s3://bucket/prefix` and the like.

    Raises:
        ConfigError: A library is missing, or the address is not one.
    """

    def __init__(self, address: str) -> None:
        scheme = address.partition("://")[0].lower()
        needed = ("fsspec", LIBRARIES[scheme])
        if missing := [name for name in needed if find_spec(name) is None]:
            names = " and ".join(missing)
            raise ConfigError(
                f"{scheme}:// needs {names}; pip install 'lossmon[remote]' installs what s3, gs "
                "and hf need"
            )
        from fsspec.core import url_to_fs

        try:
            # The cache of listings would show files as they were at first.
            self._files, path = url_to_fs(
                address, use_listings_cache=False, skip_instance_cache=True
            )
        except (ValueError, ImportError, OSError) as error:
            raise ConfigError(f"{address}: {error}") from error
        self._root = str(path).rstrip("/")
        self.name = f"{scheme}:/{self._root}"

    def look(self, enters: Enters, follows: Follows) -> Listing:
        """Look at what is there, see `RemotePlace`."""
        try:
            found = self._files.find(self._root, detail=True)
        except Exception as error:
            # Each library has errors of its own.
            raise RemoteError(f"{self.name}: {_said(error)}") from error
        files: dict[str, RemoteFile] = {}
        directories: dict[str, None] = {}
        for path, details in found.items():
            parts = str(path)[len(self._root) :].strip("/").split("/")
            if parts == [""]:
                files[""] = _file(details)
                continue
            if not all(map(is_safe, parts)) or not _is_entered(parts, enters):
                continue
            for depth in range(1, len(parts)):
                directories["/".join(parts[:depth])] = None
            files["/".join(parts)] = _file(details)
            if len(files) >= MOST_FILES:
                break
        return Listing(files, tuple(directories))

    def read(self, path: str, start: int, size: int) -> bytes:
        """Bytes of a file, see `RemotePlace`."""
        try:
            data = self._files.cat_file(
                f"{self._root}/{path}" if path else self._root, start=start, end=start + size
            )
        except Exception as error:
            raise RemoteError(f"{self.name}: {path}: {_said(error)}") from error
        return bytes(data)

    def disconnect(self) -> None:
        """Nothing: each request stands for itself."""

    def close(self) -> None:
        """Nothing to end."""


def _is_entered(parts: list[str], enters: Enters) -> bool:
    return all(enters("/".join(parts[:at]), part) for at, part in enumerate(parts[:-1]))


def _file(details: Mapping[str, Any]) -> RemoteFile:
    version = next((str(details[name]) for name in _VERSIONS if details.get(name)), "")
    return RemoteFile(int(details.get("size") or 0), _modified(details), version)


def _modified(details: Mapping[str, Any]) -> float:
    for name in ("LastModified", "mtime", "updated", "last_modified", "last_commit"):
        value = details.get(name)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, (int, float)):
            return float(value)
        if isinstance(value, str):
            try:
                return datetime.fromisoformat(value).timestamp()
            except ValueError:
                continue
    return 0.0


def _said(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
