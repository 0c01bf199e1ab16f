from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from lossmon.alerts.alert import Alert, alert_of
from lossmon.alerts.journal import (
    RETENTION,
    SCHEMA,
    UNSEEN,
    AlertJournal,
    JournalError,
    JournalLocked,
    journal_file,
)
from lossmon.alerts.tracker import Change, RunTracker, Transition
from lossmon.types import Severity
from tests.alerts.runs import run

NOW = 1_790_000_000.0


def alert(code: str = "diverging", name: str = "a", now: float = NOW, number: int = 1) -> Alert:
    transition = Transition(Change.ONSET, code, Severity.CRITICAL, 50, number)
    return alert_of(run(("diverging", 50), name=name), transition, now, "en")


def opened(tmp_path: Path, now: float = NOW) -> AlertJournal:
    return AlertJournal(tmp_path / "state" / "watch.sqlite", now)


def test_what_is_recorded_is_there_after_a_restart(tmp_path: Path) -> None:
    tracker = RunTracker()
    tracker.update(run(("warming_up", 1), ("diverging", 50)), NOW)
    one = alert()
    with opened(tmp_path) as journal:
        assert journal.record({"/runs/a": tracker}, [(one, ["exec", "tmux"])], NOW) == {one.id}
        journal.mark_sent("tmux", [one.id], NOW)
        journal.set_fact("began", 17.5)
    with opened(tmp_path) as journal:
        assert journal.trackers()["/runs/a"].dump() == tracker.dump()
        assert [pending.id for pending in journal.pending("exec")] == [one.id]
        assert journal.pending("tmux") == []
        assert [(sent.id, at) for sent, at in journal.sent_lately("tmux")] == [(one.id, NOW)]
        assert journal.alerts([one.id]) == [one]
        assert journal.fact("began") == 17.5
        assert journal.fact("nothing") is None


def test_the_same_alert_is_kept_once(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.record({}, [(alert(), ["exec"])], NOW)
        journal.mark_sent("exec", [alert().id], NOW)
        assert journal.record({}, [(alert(now=NOW + 5), ["exec"])], NOW) == set()
        assert journal.pending("exec") == []


def test_another_onset_is_another_alert() -> None:
    assert alert(number=1).id != alert(number=2).id
    assert alert(name="a").id != alert(name="b").id


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        code = (
            "import sys; from pathlib import Path\n"
            "from lossmon.alerts.journal import AlertJournal\n"
            "AlertJournal(Path(sys.argv[1]), 0.0)"
        )
        ended = subprocess.run(
            [sys.executable, "-c", code, str(journal.file)], capture_output=True, text=True
        )
    assert "JournalLocked" in ended.stderr
    assert "another lossmon watches these paths" in ended.stderr


def test_a_journal_of_this_process_is_refused_too(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(JournalLocked):
        opened(tmp_path)


def test_a_broken_journal_is_put_aside(tmp_path: Path) -> None:
    file, content = tmp_path / "watch.sqlite", b"no database at all, but long enough" * 40
    file.write_bytes(content)
    with AlertJournal(file, NOW) as journal:
        journal.set_fact("began", 1)
        assert journal.aside == tmp_path / f"watch.sqlite.broken-{int(NOW)}"
    assert journal.aside.read_bytes() == content
    with AlertJournal(file, NOW) as journal:
        assert (journal.aside, journal.fact("began")) == (None, 1)


def test_a_journal_of_another_version_is_put_aside(tmp_path: Path) -> None:
    file = tmp_path / "watch.sqlite"
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with AlertJournal(file, NOW) as journal:
        assert journal.trackers() == {}
    assert (tmp_path / f"watch.sqlite.broken-{int(NOW)}").exists()
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA,)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="file"):
        AlertJournal(tmp_path / "file" / "watch.sqlite", NOW)


def test_what_waits_for_a_channel_that_is_gone_is_dropped(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.record({}, [(alert(), ["exec", "webhook"])], NOW)
        journal.forget_channels(["exec"])
        assert journal.pending("webhook") == []
        assert len(journal.pending("exec")) == 1


def test_what_is_old_and_sent_goes_and_what_waits_stays(tmp_path: Path) -> None:
    old, waiting = alert("diverging"), alert("spike")
    with opened(tmp_path) as journal:
        journal.record({}, [(old, ["exec"]), (waiting, ["exec"])], NOW)
        journal.mark_sent("exec", [old.id], NOW)
        journal.clean(NOW + RETENTION + 1)
        assert journal.alerts([old.id]) == []
        assert journal.sent_lately("exec") == []
        assert [one.id for one in journal.pending("exec")] == [waiting.id]


def test_a_run_that_is_gone_for_long_is_forgotten_and_one_that_is_there_is_not(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as journal:
        journal.record({"/runs/a": RunTracker(), "/runs/b": RunTracker()}, [], NOW)
        journal.clean(NOW + UNSEEN + 1, ["/runs/a"])
        assert [*journal.trackers()] == ["/runs/a"]


def test_it_is_readable_by_its_user_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        assert os.stat(journal.file).st_mode & 0o077 == 0


def test_the_same_paths_have_the_same_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    a, b = Path("/runs/a"), Path("/runs/b")
    assert journal_file([a, b]) == journal_file([b, a])
    assert journal_file([a]) != journal_file([b])
    assert journal_file([a]).parent == tmp_path / "lossmon"


def test_a_hostile_name_survives_the_journal(tmp_path: Path) -> None:
    hostile = replace(alert(), run="\udcff'); DROP TABLE alerts; --", path="/runs/\udcff")
    with opened(tmp_path) as journal:
        journal.record({"/runs/\udcff": RunTracker()}, [(hostile, ["exec"])], NOW)
        assert journal.alerts([hostile.id]) == [hostile]
        assert [*journal.trackers()] == ["/runs/\udcff"]
