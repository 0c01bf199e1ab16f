"""Sources of runs by what the user names: paths of this machine, or addresses."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from lossmon.commands.arguments.inputs import existing
from lossmon.commands.arguments.locations import SCHEMES, Address, Location
from lossmon.config import Config
from lossmon.filesystems import PathLook, silent_mounts

if TYPE_CHECKING:
    from lossmon.monitor import RunSource


class _Opener(Protocol):
    def open_source(self, address: str, config: Config, changed: threading.Event) -> RunSource:
        """Make a source of what an address names."""
        ...


def open_source(
    locations: Sequence[Location],
    config: Config,
    *,
    hardware: bool,
    wait: bool = False,
    late: Collection[Path] | None = None,
) -> RunSource:
    """Make one source of everything that the user named.

    Args:
        locations: Paths and addresses.
        config: Settings.
        hardware: Sample this machine, where there are paths.
        wait: A path that is missing is waited for, if the directory that it will be in exists.
        late: Paths whose file system is known not to answer; see `existing`.

    Raises:
        ConfigError: A path is not there, or an address cannot be opened.
    """
    changed = threading.Event()
    sources = sources_of(locations, config, changed, hardware=hardware, wait=wait, late=late)
    if len(sources) == 1:
        return sources[0]
    from lossmon.monitor.merged_source import MergedSource

    return MergedSource(sources, changed)


def sources_of(
    locations: Sequence[Location],
    config: Config,
    changed: threading.Event,
    *,
    hardware: bool,
    wait: bool = False,
    late: Collection[Path] | None = None,
) -> list[RunSource]:
    """One source of all paths, and one per address; each sets the event. See `open_source`.

    Raises:
        ConfigError: A path is not there, or an address cannot be opened.
    """
    from lossmon.monitor import LocalSource, MonitorConfig

    paths = existing([one for one in locations if isinstance(one, Path)], wait=wait, late=late)
    sources: list[RunSource] = []
    if paths:
        settings = MonitorConfig.of(config)
        sources.append(LocalSource(paths, settings, hardware=hardware, changed=changed))
    for address in (one for one in locations if isinstance(one, Address)):
        opener = cast(_Opener, import_module(SCHEMES[address.scheme]))
        sources.append(opener.open_source(address, config, changed))
    return sources


def checked(locations: Sequence[Location], config: Config) -> list[Path | RunSource]:
    """What reports judge one after the other: paths as they are, addresses as sources.

    Raises:
        ConfigError: A path is not there, or an address cannot be opened.
    """
    existing([one for one in locations if isinstance(one, Path)])
    return [
        one if isinstance(one, Path) else open_source([one], config, hardware=False)
        for one in dict.fromkeys(locations)
    ]


def patient(source: RunSource, paths: Sequence[Path], looks: Sequence[PathLook] = ()) -> RunSource:
    """A source that does not hang with a network file system, where there is one.

    Args:
        source: Where the runs come from.
        paths: Their paths on this machine.
        looks: Looks that have not been answered: the source is not asked before.
    """
    mounts = silent_mounts(paths)
    if not mounts:
        return source
    from lossmon.monitor.patient_source import PatientSource

    names = ", ".join(f"{point} ({kind})" for point, kind in mounts)
    return PatientSource(source, names, looks=looks)
