"""Settings view: what config.toml may hold, changed value by value."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Self

from textual import events, getters
from textual.binding import Binding, BindingType

from lossmon.config import SETTINGS, Config, Setting, Value, displayed, load
from lossmon.errors import ConfigError
from lossmon.locale import message, phrase
from lossmon.ui.chart.model import SMOOTHINGS, chart_settings_of
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.page_screen import PageScreen
from lossmon.ui.text.lines import EMPTY, MUTED, STRONG, TEXT, Line, clean, clip, pad, pointer, wrap

LADDERS = {"smoothing": SMOOTHINGS, "sensitivity": (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)}
"""Numbers to choose from; the file may hold any in between."""

OF_CHARTS = {
    "smoothing": "smoothing",
    "x_axis": "x",
    "log_y": "log",
    "outliers": "robust",
    "guides": "guides",
}
"""Settings of the charts, which hold at once, with their names among the chart settings."""


class SettingsScreen(PageScreen):
    """The settings one by one; a change is written at once.

    Args:
        app: The app, whose charts and theme follow.
        file: The settings file; it need not exist.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "up", id="page.setting_up", show=False,
                tooltip="Setting above"),
        Binding("down,j", "choose(1)", "down", id="page.setting_down", show=False,
                tooltip="Setting below"),
        Binding("enter,space,right", "change(1)", "next value", id="page.setting_next",
                tooltip="Next value of the setting"),
        Binding("left", "change(-1)", "previous value", id="page.setting_previous",
                tooltip="Previous value of the setting"),
        Binding("backspace,delete", "reset", "default", id="page.setting_default",
                tooltip="Default: remove the setting from the file"),
    ]  # fmt: skip

    HINTS = ("page.setting_next", "page.setting_previous", "page.setting_default", "page.back")

    app = getters.app(ViewHost)

    @classmethod
    def create(cls, app: ViewHost) -> Self | None:
        file = app.config.file
        if file is None or app.is_web:
            app.show_notice(app.scene.say("the settings cannot be changed here"))
            return None
        return cls(app, file)

    def __init__(self, app: ViewHost, file: Path) -> None:
        super().__init__()
        self.file, self.chosen, self.error = file, 0, ""
        self._themes = ("auto", *app.themes.names)
        self.config = Config()
        """The settings as the file has them."""
        self._read()

    @property
    def setting(self) -> Setting:
        """The chosen setting."""
        return SETTINGS[self.chosen]

    def _read(self) -> None:
        try:
            self.config, self.error = load(self.file, {}, {}), ""
        except (ConfigError, OSError) as error:
            self.error = str(error)

    def value_of(self, setting: Setting) -> Value:
        """What the file says, or the default."""
        name = "chosen_lang" if setting.name == "lang" else setting.name
        value: Value = getattr(self.config, name)
        return value

    def _values(self) -> Sequence[Value]:
        """Values of the chosen setting to go through."""
        setting = self.setting
        if setting.name == "theme":
            return self._themes
        if isinstance(setting.default, bool):
            return (False, True)
        return LADDERS.get(setting.name, setting.choices)

    # --------------------------------------------------------------------------- data out

    def heading(self) -> Line:
        return ((clean(displayed(self.file)), MUTED),)

    def lines(self, room: int) -> Sequence[Line]:
        names = max(len(one.name) for one in SETTINGS) + 2
        values = max(len(written(self.value_of(one))) for one in SETTINGS) + 2
        rows = [self._row(one, names, values, room) for one in SETTINGS]
        return [*rows, EMPTY, *self._about(room)]

    def _row(self, setting: Setting, names: int, values: int, room: int) -> Line:
        is_chosen = setting is self.setting
        is_default = self.config.origins.get(setting.name, "default") == "default"
        value = (clean(written(self.value_of(setting))), MUTED if is_default else "key")
        meaning = message(setting.meaning, self.scene.language)
        return (
            pointer(chosen=is_chosen),
            *pad(((setting.name, STRONG if is_chosen else TEXT),), names),
            *pad((value,), values),
            (clip(meaning, max(1, room - names - values - 2)), MUTED),
        )

    def _about(self, room: int) -> list[Line]:
        """More about the chosen setting, and what is wrong."""
        setting, language = self.setting, self.scene.language
        holds = setting.name in (*OF_CHARTS, "theme")
        allowed = () if setting.name == "theme" else (message(setting.allowed, language),)
        texts = [
            message(setting.meaning, language),
            *allowed,
            phrase("default: {value}", language, value=written(setting.default)),
            self.scene.say(
                "takes effect immediately" if holds else "takes effect at the next start"
            ),
        ]
        if setting.variable in os.environ:
            texts.append(phrase("{name} overrides the file", language, name=setting.variable))
        lines: list[tuple[str, str]] = [(text, MUTED) for text in texts]
        if self.error:
            lines.insert(0, (clean(message(self.error, language)), "critical"))
        return [(("  " + line, role),) for text, role in lines for line in wrap(text, room - 2)]

    # ------------------------------------------------------------------------------- keys

    def action_choose(self, rows: int) -> None:
        """Choose another setting."""
        self.chosen = max(0, min(self.chosen + rows, len(SETTINGS) - 1))
        self.body.reveal(self.chosen)
        self.present(self.scene)

    def action_change(self, by: int) -> None:
        """Write the next value of the chosen setting, round the ends."""
        values, now = self._values(), self.value_of(self.setting)
        at = values.index(now) + by if now in values else 0
        self._write(values[at % len(values)])

    def action_reset(self) -> None:
        """Remove the chosen setting from the file."""
        self._write(None)

    def _write(self, value: Value | None) -> None:
        # Imports a parser of TOML that keeps comments.
        from lossmon.toml.edit import rewrite, with_value

        self._read()
        if not self.error:
            try:
                rewrite(self.file, partial(with_value, key=self.setting.name, value=value))
                self._read()
                self._apply()
            except ConfigError as error:
                self.error = str(error)
        self.present(self.app.scene)

    def _apply(self) -> None:
        """Have the charts and the theme follow the file."""
        name = self.setting.name
        if name in OF_CHARTS:
            field = OF_CHARTS[name]
            self.app.charts.set(field, getattr(chart_settings_of(self.config), field))
            if name == "log_y":
                self.app.charts.set("log_charts", {})
        elif name == "theme" and self.config.theme in self.app.themes.names:
            self.app.themes.switch(self.config.theme)

    # ------------------------------------------------------------------------------ mouse

    def on_click(self, event: events.Click) -> None:
        """A click chooses a setting, two change it."""
        at = self.row_at(event)
        if at is not None and at < len(SETTINGS):
            self.action_choose(at - self.chosen)
            if event.chain > 1:
                self.action_change(1)

    def wheel(self, event: events.MouseEvent, way: int) -> None:
        self.action_choose(way)


def written(value: Value) -> str:
    """A value as the file spells it, without quotes."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else value
