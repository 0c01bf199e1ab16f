"""What the user names: paths of this machine, and addresses of runs that are elsewhere."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

SCHEMES: Mapping[str, str] = {
    "prometheus+http": "lossmon.prometheus.source",
    "prometheus+https": "lossmon.prometheus.source",
    **dict.fromkeys(
        ("ssh", "sftp", "s3", "s3a", "gs", "gcs", "hf", "az", "abfs", "hdfs"),
        "lossmon.remote.source",
    ),
}
"""Module that opens the addresses of each scheme, by its `open_source`."""


class Address(str):
    """An address of runs that are not files of this machine (`ssh://trainbox/data/run`)."""

    __slots__ = ()

    @property
    def scheme(self) -> str:
        """What stands before `://`, a key of `SCHEMES`."""
        return self.partition("://")[0].lower()


Location = Path | Address


def location(text: str) -> Location:
    """A path or an address, as an argparse type."""
    scheme, separator, _ = text.partition("://")
    if separator and scheme.lower() in SCHEMES:
        return Address(text)
    if separator and scheme.isalpha() and not os.path.lexists(text):
        known = ", ".join(f"{one}://" for one in SCHEMES)
        raise argparse.ArgumentTypeError(f"{text!r} cannot be read: addresses begin with {known}")
    if not text:
        # Such as "$OUT" where OUT is not set: the current directory is not what was meant.
        raise argparse.ArgumentTypeError("the path is empty; the current directory is written .")
    return Path(text)
