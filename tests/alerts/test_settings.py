from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from lossmon.alerts.channels import CHANNELS
from lossmon.alerts.settings import load
from lossmon.alerts.tracker import Change, Transition
from lossmon.commands.arguments.parsing import add_channels, channel_flags, new_parser
from lossmon.config import describe
from lossmon.config import load as load_config
from lossmon.errors import ConfigError
from lossmon.types import Severity


def table(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def transition(code: str, severity: Severity, change: Change = Change.ONSET) -> Transition:
    return Transition(change, code, severity, 1, 1)


def test_without_any_setting_warnings_are_alerted_to() -> None:
    taken = load({}).selection.takes
    assert taken(transition("spike", Severity.WARNING))
    assert taken(transition("failed", Severity.CRITICAL))
    assert not taken(transition("oscillating", Severity.NOTICE))
    assert not taken(transition("spike", Severity.WARNING, Change.END))


def test_codes_and_severities_may_be_mixed() -> None:
    taken = load(table('on = ["critical", "finished"]\nresolved = true')).selection.takes
    assert taken(transition("finished", Severity.OK))
    assert taken(transition("diverging", Severity.CRITICAL, Change.END))
    assert not taken(transition("spike", Severity.WARNING))


def test_the_command_line_says_what_to_alert_to() -> None:
    selection = load(table('on = "critical"'), on=["plateau"], resolved=True).selection
    assert selection.takes(transition("plateau", Severity.NOTICE, Change.END))
    assert not selection.takes(transition("diverging", Severity.CRITICAL))


def test_channels_come_from_the_table_and_from_flags() -> None:
    text = """
    quiet_hours = "22:00-07:00"
    [exec]
    command = ["notify", "me"]
    severity = "critical"
    quiet_hours = ""
    [[webhook]]
    url = "https://example.org/a"
    [[webhook]]
    url = "https://example.org/b"
    timeout = 3
    """
    settings = load(table(text), flags=[("tmux", {}), ("exec", {"command": "x"}), ("print", {})])
    found = {one.name: (one.severity, one.quiet is not None) for one in settings.channels}
    assert found == {
        "exec": (Severity.CRITICAL, False),
        "webhook": (Severity.NEUTRAL, True),
        "webhook-2": (Severity.NEUTRAL, True),
        "tmux": (Severity.NEUTRAL, True),
        "exec-2": (Severity.NEUTRAL, True),
        "print": (Severity.NEUTRAL, False),
    }


@pytest.mark.parametrize(
    "text, message",
    [
        ('on = "doom"', "alerts on 'doom': use notice, warning, critical"),
        ("on = 3", r"\[alerts\]: on must be a word or a list of words"),
        ("resolved = 1", "resolved: 1 is not true or false"),
        ('quiet_hours = "late"', "quiet_hours: 'late' is not a span"),
        ("[pigeon]", "'pigeon' is not known; there are on, resolved, quiet_hours, screen, bell"),
        ("bell = true", r"\[alerts.bell\] must be a table"),
        ("[bell]\nloud = true", r"\[alerts.bell\]: 'loud' is not known; there are severity"),
        ("[exec]", r"\[alerts.exec\]: command is missing"),
        ('[exec]\ncommand = ""', r"\[alerts.exec\]: command is empty"),
        ('[exec]\ncommand = "a \'b"', "No closing quotation"),
        ('[exec]\ncommand = "a"\ntimeout = "soon"', "timeout: 'soon' is not a number"),
        ('[exec]\ncommand = "a"\ntimeout = true', "timeout: True is not a number"),
        ('[webhook]\nurl = "ftp://example.org"', "is not an http or https address"),
        ('[webhook]\nurl = "http://a"\nsecret = "whsec_?"', "is not Base64"),
        ("[webhook]\nurl = 3", "url: 3 is not a text"),
        ('[bell]\nseverity = "ok"', "severity 'ok': use notice, warning, critical"),
        ('[osc]\nsequence = "8"', "use auto, 9 or 777"),
    ],
)
def test_a_wrong_setting_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(table(text))


def test_each_channel_has_a_class_and_a_row() -> None:
    for row in CHANNELS:
        if row.name != "apprise":
            assert row.load().__doc__
    package = Path(__file__).parents[2] / "lossmon" / "alerts" / "channels"
    places = {row.place.partition(":")[0] for row in CHANNELS}
    shared = {"__init__", "program", "terminal"}
    assert places | shared == {file.stem for file in package.glob("*.py")}


def test_each_channel_has_a_flag() -> None:
    parser = new_parser("lossmon", "")
    add_channels(parser)
    options = parser.parse_args(
        ["--bell", "--osc", "--tmux", "--desktop", "--exec", "a", "--exec", "b"]
    )
    assert channel_flags(options) == [
        ("bell", {}),
        ("osc", {}),
        ("tmux", {}),
        ("desktop", {}),
        ("exec", {"command": "a"}),
        ("exec", {"command": "b"}),
    ]


def test_the_settings_are_printed_without_secrets(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        '[alerts]\non = ["critical"]\nresolved = true\n[alerts.exec]\ncommand = "page"\n'
        '[[alerts.webhook]]\nurl = "https://example.org/token"\nsecret = "s3cret"\n'
    )
    config = load_config(file, {}, {})
    assert config.alerts["on"] == ["critical"]
    printed = "\n".join(describe(config))
    assert "token" not in printed and "s3cret" not in printed
    shown = tomllib.loads(printed)["alerts"]
    assert shown["resolved"] is True
    assert shown["exec"] == {"command": "page"}
    assert shown["webhook"] == [{}]
    assert '# url = "(not shown)"' in printed


def test_alerts_that_are_no_table_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("alerts = 3\n")
    with pytest.raises(ConfigError, match=r"\[alerts\] must be a table"):
        load_config(file, {}, {})
