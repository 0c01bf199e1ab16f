"""Opener of the addresses of Prometheus servers: `prometheus+http://host:9090`."""

from __future__ import annotations

import threading

from lossmon.config import Config
from lossmon.prometheus.source import PrometheusSource


def open_source(address: str, config: Config, changed: threading.Event) -> PrometheusSource:
    """Make a source of the runs that a server knows.

    Raises:
        ConfigError: The address is not one.
    """
    _, _, url = address.partition("+")
    return PrometheusSource(url, changed)
