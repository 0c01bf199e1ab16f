"""Settings, in order of precedence: flags, environment, config.toml, defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossmon.errors import ConfigError, did_you_mean
from lossmon.fast_dataclass import dataclass
from lossmon.locale import ENGLISH, language_of, languages, message

if TYPE_CHECKING:
    from lossmon.types import MetricNames

Value = str | float | bool


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        name: Key in config.toml; the flag is `--name`, the variable `LOSSMON_NAME`.
        default: Value if not set.
        meaning: One line for the help and the README.
        choices: Allowed values, empty if any string is allowed.
        low: Smallest number allowed.
        high: Largest number allowed.
    """

    name: str
    default: Value
    meaning: str
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return "LOSSMON_" + self.name.upper()

    @property
    def allowed(self) -> str:
        """Allowed values, in words."""
        if self.choices:
            return ", ".join(self.choices)
        if isinstance(self.default, bool):
            return "true or false"
        if isinstance(self.default, float):
            return f"a number from {self.low:g} to {self.high:g}"
        return "a string"


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "theme", "auto", "name of the colour theme; auto chooses one that the terminal can show"
    ),
    Setting(
        "smoothing",
        0.6,
        "how much dense curves are smoothed; 0 draws only the points",
        low=0.0,
        high=0.999,
    ),
    Setting("x_axis", "step", "horizontal axis", ("step", "epoch", "time", "tokens")),
    Setting("log_y", False, "start with a logarithmic loss axis"),
    Setting("outliers", False, "extend the loss axis to include outliers"),
    Setting(
        "guides",
        "none",
        "faint lines behind the curves, at the labels of the axes",
        ("none", "horizontal", "grid"),
    ),
    Setting(
        "lang",
        "auto",
        "language of the screen and of diagnoses; auto takes that of the locale",
        ("auto", *languages()),
    ),
    Setting(
        "charset", "auto", "characters that are used for drawing", ("auto", "unicode", "ascii")
    ),
    Setting(
        "sensitivity",
        1.0,
        "above 1 warns earlier and more often, below 1 later and less",
        low=0.5,
        high=2.0,
    ),
    Setting("hardware", True, "sample GPUs and the host"),
)
"""Every setting, in the order of `lossmon config`."""

TABLES = ("metrics", "patterns", "keys", "alerts")
"""Tables of config.toml."""

OTHER_VARIABLES = (
    "LOSSMON_PROMETHEUS_TOKEN",
    "LOSSMON_SSH",
    "LOSSMON_WEBHOOK_SECRET",
    "LOSSMON_OPTIONS",
    "LOSSMON_PATHS",
)
"""Variables that are not settings; the last two are those of the systemd units."""

SECRETS = ("secret", "url")
"""Keys of channels whose values are not printed: webhook addresses contain a secret."""

HIDDEN = "(not shown)"

_BY_NAME = {setting.name: setting for setting in SETTINGS}
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Config:
    """The settings in force, see `SETTINGS`.

    Attributes:
        metrics: Raw tags by canonical name (`train_loss = "my/loss"`) or by kind
            (`just_shown = ["a", "b"]`).
        patterns: Regular expressions for lines of text logs (`mine = "#(?P<step>\\d+) …"`).
        keys: Keys for the actions of the screen (`run.pause = "f"`).
        alerts: Rules and channels of alerts as in TOML; checked where alerts are sent.
        chosen_lang: The language as it was set, `auto` where the locale decided.
        origins: Origin of each value: `default`, a file, a variable or a flag.
        file: The settings file, which need not exist; None if none was read.
    """

    theme: str = "auto"
    smoothing: float = 0.6
    x_axis: str = "step"
    log_y: bool = False
    outliers: bool = False
    guides: str = "none"
    lang: str = ENGLISH
    charset: str = "auto"
    sensitivity: float = 1.0
    hardware: bool = True
    metrics: MetricNames = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    alerts: Mapping[str, Any] = field(default_factory=dict)
    chosen_lang: str = "auto"
    origins: Mapping[str, str] = field(default_factory=dict)
    file: Path | None = None


def config_directory() -> Path:
    """Directory of config.toml and the user's themes."""
    from platformdirs import user_config_path

    return user_config_path("lossmon")


def state_directory() -> Path:
    """Directory of what lossmon remembers: journals of alerts, the screen, its own errors."""
    from platformdirs import user_state_path

    return user_state_path("lossmon")


def displayed(path: Path) -> str:
    """A path as people write it, with `~` for the home directory."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def spoken_language(flag: object, file: Path | None, environment: Mapping[str, str]) -> str:
    """The language of a message about settings that may be wrong.

    Args:
        flag: What `--lang` says, None if it was not given.
        file: The settings file of `--config`, None for the usual one.
        environment: Environment variables.
    """
    from lossmon.toml import TomlError, read_toml

    try:
        in_file = read_toml(file or config_directory() / "config.toml").get("lang")
    except (TomlError, OSError):
        in_file = None
    given = (flag, environment.get("LOSSMON_LANG"), in_file)
    wanted = next((str(one) for one in given if one in ("auto", *languages())), "auto")
    return language_of(environment)[0] if wanted == "auto" else wanted


def load(
    path: Path | None,
    environment: Mapping[str, str],
    flags: Mapping[str, Value | None],
) -> Config:
    """Merge the settings of all origins.

    Args:
        path: The settings file; None or a missing file sets nothing.
        environment: Environment variables, including `LOSSMON_*`.
        flags: Values by setting name; None if the flag was not given.

    Raises:
        ConfigError: A value, a key or the file is wrong; says where.
    """
    values: dict[str, Value] = {setting.name: setting.default for setting in SETTINGS}
    origins: dict[str, str] = dict.fromkeys(values, "default")
    tables = _read_file(path, values, origins) if path is not None else _ConfigTables()
    _refuse_unknown(environment)
    for setting in SETTINGS:
        if (text := environment.get(setting.variable)) is not None:
            values[setting.name] = _parsed(setting, text, setting.variable)
            origins[setting.name] = setting.variable
    for name, value in flags.items():
        if value is not None:
            flag = "--" + name.replace("_", "-")
            values[name] = _checked(_BY_NAME[name], value, flag)
            origins[name] = flag
    chosen_lang = str(values["lang"])
    if chosen_lang == "auto":
        values["lang"], variable = language_of(environment)
        origins["lang"] = variable or origins["lang"]
    known = Config.__annotations__
    return Config(
        **{name: value for name, value in values.items() if name in known},  # type: ignore[arg-type]
        metrics=tables.metrics,
        patterns=tables.words.get("patterns", {}),
        keys=tables.words.get("keys", {}),
        alerts=tables.alerts,
        chosen_lang=chosen_lang,
        origins=origins,
        file=path,
    )


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = [*(setting.variable for setting in SETTINGS), *OTHER_VARIABLES]
    for name in environment:
        if name.startswith("LOSSMON_") and name not in known:
            settings = ", ".join(known[: len(SETTINGS)])
            raise ConfigError(
                f"{name}: unknown variable; known settings: {settings}{did_you_mean(name, known)}"
            )


def _read_file(path: Path, values: dict[str, Value], origins: dict[str, str]) -> _ConfigTables:
    # Most users have no such file.
    from lossmon.toml import TomlError, read_toml

    tables = _ConfigTables()
    try:
        document = read_toml(path)
    except FileNotFoundError:
        return tables
    except TomlError as error:
        raise ConfigError(f"{path}: {error}") from error
    for name, value in document.items():
        if name == "metrics":
            tables.metrics = _names(path, value)
        elif name == "alerts":
            if not isinstance(value, dict):
                raise ConfigError(f"{path}: [alerts] must be a table")
            tables.alerts = value
        elif name in TABLES:
            tables.words[name] = _table(path, name, value)
        elif name in _BY_NAME:
            values[name] = _checked(_BY_NAME[name], value, f"{path}: {name}")
            origins[name] = str(path)
        else:
            known = ", ".join([*_BY_NAME, *(f"[{table}]" for table in TABLES)])
            meant = did_you_mean(name, [*_BY_NAME, *TABLES])
            raise ConfigError(f"{path}: unknown setting {name!r}; known settings: {known}{meant}")
    return tables


@dataclass(slots=True)
class _ConfigTables:
    """Tables of a settings file."""

    metrics: MetricNames = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    alerts: dict[str, Any] = field(default_factory=dict)


def _names(path: Path, table: object) -> MetricNames:
    names: dict[str, str | tuple[str, ...]] = {}
    for name, value in table.items() if isinstance(table, dict) else [("", None)]:
        if isinstance(value, list) and all(isinstance(tag, str) for tag in value):
            names[str(name)] = tuple(value)
        elif isinstance(value, str):
            names[str(name)] = value
        else:
            raise ConfigError(f"{path}: [metrics] must be a table of strings or lists of strings")
    return names


def _table(path: Path, name: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise ConfigError(f"{path}: [{name}] must be a table of strings")
    entries = {str(key): str(entry) for key, entry in value.items()}
    if name == "patterns":
        for key, expression in entries.items():
            _check_pattern(f"{path}: [patterns] {key}", expression)
    return entries


def _check_pattern(where: str, expression: str) -> None:
    try:
        groups = re.compile(expression).groupindex
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigError(
            f"{where}: {expression!r} is not a regular expression: {error}"
        ) from error
    if not set(groups) - {"step", "total", "epoch", "epochs", "rank", "time"}:
        raise ConfigError(
            f"{where}: {expression!r} has no named group for a metric; use (?P<loss>...), or "
            "(?P<name>...) and (?P<value>...)"
        )


def _parsed(setting: Setting, text: str, where: str) -> Value:
    """Value of an environment variable, which is always text."""
    if isinstance(setting.default, bool):
        lowered = text.strip().lower()
        if lowered in _TRUE or lowered in _FALSE:
            return lowered in _TRUE
        raise _wrong(setting, text, where)
    if isinstance(setting.default, float):
        try:
            return _checked(setting, float(text), where)
        except ValueError:
            raise _wrong(setting, text, where) from None
    return _checked(setting, text, where)


def _checked(setting: Setting, value: object, where: str) -> Value:
    """A value, if its setting allows it."""
    if isinstance(setting.default, bool):
        if isinstance(value, bool):
            return value
    elif isinstance(setting.default, float):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _wrong(setting, value, where)
        # A whole number may be too large for a float.
        if setting.low <= value <= setting.high:
            return float(value)
    elif isinstance(value, str) and value and (not setting.choices or value in setting.choices):
        return value
    raise _wrong(setting, value, where)


def _wrong(setting: Setting, value: object, where: str) -> ConfigError:
    try:
        said = repr(value)
    except ValueError:
        said = "a whole number of thousands of digits"
    return ConfigError(f"{where}: {said} is not valid; use {setting.allowed}")


def describe(config: Config) -> list[str]:
    """Return the settings in force as lines of a settings file, each followed by its origin.

    Secrets are left out, as comments.
    """
    from tomlkit import dumps, item

    lines = []
    for setting in SETTINGS:
        value = getattr(config, setting.name)
        origin = config.origins.get(setting.name, "default")
        if setting.name == "lang" and value != config.chosen_lang:
            value, origin = config.chosen_lang, f"{origin}: {value}"
        shown = f"{value:g}" if isinstance(value, float) else item(value).as_string()
        words = message(f"{origin}; {setting.meaning}")
        lines.append(f"{setting.name + ' = ' + shown:<28} # {words}")
    for name in TABLES:
        if table := getattr(config, name):
            written = dumps({name: _shown(table)}).strip().split("\n")
            lines += ["", *(f"# {line}" if HIDDEN in line else line for line in written)]
    return lines


def _shown(value: Any) -> Any:
    """A value of a table without its secrets."""
    if isinstance(value, Mapping):
        return {key: HIDDEN if key in SECRETS else _shown(one) for key, one in value.items()}
    return [_shown(one) for one in value] if isinstance(value, (tuple, list)) else value
