"""Opener of addresses of other machines and of object stores."""

from __future__ import annotations

import threading

from lossmon.config import Config
from lossmon.errors import ConfigError
from lossmon.monitor import MonitorConfig
from lossmon.remote.files import RemoteError, RemotePlace
from lossmon.remote.source import RemoteSource

SSH = ("ssh", "sftp")
"""Schemes that the `ssh` of this machine serves."""


def open_source(address: str, config: Config, changed: threading.Event) -> RemoteSource:
    """Make a source of the runs at an address; `ssh` may ask for a password now, not later.

    Raises:
        ConfigError: The address is not one, a library is missing or the host is not reached.
    """
    return RemoteSource(_place(address), MonitorConfig.of(config), changed)


def _place(address: str) -> RemotePlace:
    if address.partition("://")[0].lower() in SSH:
        from lossmon.remote.ssh_place import SshPlace

        place = SshPlace(address)
        try:
            place.connect(prompt=True)
        except RemoteError as error:
            raise ConfigError(str(error)) from error
        return place
    from lossmon.remote.store_place import StorePlace

    return StorePlace(address)
