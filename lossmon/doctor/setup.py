"""Checks of the installation: Python, extras, settings, directories, error log."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from platformdirs import user_cache_path

from lossmon.config import Config, config_directory, state_directory
from lossmon.doctor import CheckResult, bad, good, note
from lossmon.errors import LOG_SIZE, LossmonError
from lossmon.filesystems import file_system, is_silent
from lossmon.regular_file import open_regular
from lossmon.sanitize import one_line
from lossmon.version import __version__

STATE = "state directory"
"""Subject of the directory of the error log and of the journals of alerts."""

NEEDED = 1 << 20
"""Bytes that a directory of ours needs: journals and caches are smaller."""

SUMMARY = 160
"""Characters shown of the last error."""

_EXTRA = re.compile(r"""extra\s*==\s*["']([\w-]+)["']""")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def check_version() -> Iterator[CheckResult]:
    """What is installed."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    version = f"lossmon {__version__}, {python}, {platform.platform(terse=True)}"
    yield good("version", "{version}", version=version)


def check_extras() -> Iterator[CheckResult]:
    """Optional parts: is what they need installed?"""
    for extra, needed in extras(metadata.requires("lossmon") or []).items():
        missing = [name for name in needed if not _is_installed(name)]
        if missing:
            found, remedy = (
                "not installed: {names}",
                "pip install 'lossmon[{extra}]' if you want it",
            )
            yield note(f"extra {extra}", found, remedy, names=", ".join(missing), extra=extra)
        else:
            yield good(f"extra {extra}", "{names}", names=", ".join(needed))


def extras(requirements: list[str]) -> dict[str, list[str]]:
    """Names of the distributions that each extra needs, by the requirements of a distribution."""
    found: dict[str, list[str]] = {}
    for requirement in requirements:
        name, extra = _NAME.match(requirement), _EXTRA.search(requirement)
        if name is not None and extra is not None:
            found.setdefault(extra[1], []).append(name[0])
    return found


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def check_settings(load: Callable[[], Config]) -> Iterator[CheckResult]:
    """The settings file and the alert channels that it names."""
    from lossmon.alerts.settings import load as load_alerts

    try:
        config = load()
        alerts = load_alerts(config.alerts, f"{config.file}: [alerts]")
    except LossmonError as error:
        remedy = "correct it; commands that need it do not start until then"
        yield bad("settings", "{fault}", remedy, fault=one_line(str(error)))
        return
    there = config.file is not None and config.file.is_file()
    found = "{file}" if there else "no settings file: the defaults are used"
    yield good("settings", found, file=str(config.file))
    if alerts.channels:
        names = ", ".join(channel.name for channel in alerts.channels)
        yield good("alerts", "{names}; `lossmon notify --test` tries them", names=names)


def check_directories() -> Iterator[CheckResult]:
    """Where lossmon keeps what it remembers."""
    places = {
        "settings directory": config_directory(),
        STATE: state_directory(),
        "cache directory": user_cache_path("lossmon"),
    }
    for subject, path in places.items():
        above = next(one for one in (path, *path.parents) if os.path.exists(one))
        if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
            yield _writable(subject, path, above)
        else:
            remedy = "make {above} writable; until then nothing is remembered there"
            found = "{path} cannot be written"
            yield note(subject, found, remedy, path=str(path), above=str(above))


def _writable(subject: str, path: Path, above: Path) -> CheckResult:
    kind, space = file_system(above), os.statvfs(above)
    if space.f_bavail * space.f_frsize < NEEDED:
        remedy = "make room there; until then alerts and choices are not remembered"
        return note(subject, "{path}: the disk is full", remedy, path=str(path))
    if subject == STATE and is_silent(kind):
        remedy = "if alerts fail there, give `lossmon watch` a local journal: --state /var/tmp/FILE"
        found = "{path} on {kind}: the journal of alerts needs working locks"
        return note(subject, found, remedy, path=str(path), kind=kind)
    return good(subject, "{path}", path=str(path))


def check_plugins() -> Iterator[CheckResult]:
    """Packages that add formats, if there are any."""
    from lossmon.readers.registry import plugins

    for plugin in plugins():
        if plugin.fault:
            yield note(
                "format plugin", "{fault}", "update or remove that package", fault=plugin.fault
            )
        else:
            titles = ", ".join(dict.fromkeys(one.title for one in plugin.formats))
            yield good("format plugin", "{name}: {titles}", name=plugin.name, titles=titles)


def check_errors(file: Path | None = None) -> Iterator[CheckResult]:
    """Errors of lossmon itself."""
    file = file or state_directory() / "errors.log"
    try:
        with open_regular(file) as content:
            text = content.read(LOG_SIZE).decode(errors="replace")
    except FileNotFoundError:
        yield good("error log", "none")
        return
    except OSError as error:
        fault = f"{file}: {error.strerror}"
        yield note("error log", "{fault}", "make it readable", fault=fault)
        return
    lines = [line for line in text.splitlines() if line.strip()]
    count = sum("internal error" in line and not line.startswith(" ") for line in lines)
    if not count:
        yield good("error log", "none")
        return
    last = one_line(lines[-1])[:SUMMARY]
    yield note(
        "error log",
        "{count} in {file}; the last: {last}",
        "report them with that file, or delete it if they are old",
        count=str(count),
        file=str(file),
        last=last,
    )
