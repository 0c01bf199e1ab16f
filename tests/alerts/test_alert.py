from __future__ import annotations

import json
from dataclasses import replace

from lossmon.alerts.alert import Alert, Message
from lossmon.types import Severity
from tests.alerts.messages import ONE, WORD, hostile
from tests.alerts.test_journal import alert
from tests.reports.test_record import KEYS


def group(count: int) -> Message:
    return Message(tuple(alert(name=f"run-{number}") for number in range(count)))


def test_the_json_is_that_of_check_with_an_event() -> None:
    described = json.loads(ONE.json())
    assert {*described} == {*KEYS, "event"}
    event = described["event"]
    assert event["kind"] == "onset"
    assert event["code"] == "diverging"
    assert event["severity"] == "critical"
    assert event["since_step"] == 50
    assert event["time"] == "2026-09-21T14:13:20Z"
    assert event["id"] == ONE.alerts[0].id
    assert [one["path"] for one in event["runs"]] == ["/runs/a"]


def test_many_runs_are_one_message_that_names_some_and_lists_all() -> None:
    message = group(50)
    assert message.title == f"50 runs: {WORD}"
    assert message.lines[0] == "run-0"
    assert message.lines[-1] == "and 40 more"
    event = json.loads(message.json())["event"]
    assert event["count"] == len(event["runs"]) == 50
    assert event["id"] != message.alerts[0].id


def test_one_run_several_times_says_how_often() -> None:
    message = Message((alert(number=1), alert(number=2)))
    assert message.title == f"a: {WORD}"
    assert message.lines[0] == "2 times since the last alert"


def test_an_alert_in_chinese() -> None:
    message = replace(group(2), language="zh")
    assert message.title.startswith("2 个训练: ")


def test_names_cannot_bring_control_characters() -> None:
    message = hostile("a\x1b]0;owned\a\nb\u202e")
    assert message.title.isprintable()
    assert all(line.isprintable() for line in message.lines)
    assert "\n" not in message.json()


def test_an_alert_about_lossmon_itself_has_no_run() -> None:
    own = Alert("id", "lossmon", "test", Severity.NOTICE, 0.0, word="TEST", text=("hello",))
    described = json.loads(Message((own,)).json())
    assert described["run"] is None
    assert described["event"]["runs"] == []
    assert Message((own,)).title == "TEST"
