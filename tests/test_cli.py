from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from lossmon import __version__
from lossmon.cli import main
from lossmon.commands import COMMANDS, VIEW, module
from lossmon.commands import check as check_command
from lossmon.commands.arguments.parsing import duration
from lossmon.commands.demo import CASES
from lossmon.config import SETTINGS
from lossmon.demo.cases import CASES as TRAININGS
from lossmon.errors import ConfigError
from lossmon.monitor import RunSource
from lossmon.reports.check import FORMATS
from tests.monitor.logs import append, falling
from tests.readers.tensorboard.event_files import histogram, recorded


@pytest.fixture
def log(tmp_path: Path) -> Path:
    append(tmp_path / "trainer_log.jsonl", falling(1, 101))
    return tmp_path


class Ended(NamedTuple):
    """What a command printed, and its exit status."""

    returncode: int
    stdout: str
    stderr: str


Call = Callable[..., Ended]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run the command line in this process, with some environment variables."""

    def run(*arguments: str, **variables: str) -> Ended:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        try:
            status = main(arguments)
        except SystemExit as end:
            status = int(str(end.code))
        return Ended(status, *capsys.readouterr())

    return run


def process(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "lossmon", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", **variables},
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


@pytest.mark.parametrize(
    "arguments", [["--help"], ["check", "--help"], ["explain", "--help"], ["demo", "--help"]]
)
def test_help_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0
    assert "usage: lossmon" in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"lossmon {__version__}\n"


def test_the_cases_that_are_offered_are_those_that_can_be_trained() -> None:
    assert set(CASES) <= set(TRAININGS)


def test_check_prints_one_json_object_a_run(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(log), str(log / "trainer_log.jsonl"), "--json"]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["path"], first["state"], first["step"]) == (str(log), "finished", 100)
    assert second["path"] == str(log / "trainer_log.jsonl")
    assert first["verdict"] == second["verdict"]


def test_the_formats_that_are_offered_are_those_that_can_be_written() -> None:
    assert set(check_command.FORMATS) == set(FORMATS)


@pytest.mark.parametrize(
    "format_, line",
    [
        ("github", r"::notice title=.*finished%2C step 100::HEALTHY "),
        ("openmetrics", r"lossmon_step\{run=.*\} 100$"),
        ("tmux", r"✓ healthy 0\.333 100% finished$"),
    ],
)
def test_check_prints_other_formats(
    log: Path,
    tmp_path: Path,
    format_: str,
    line: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main(["check", str(log), "--format", format_]) == 0
    assert re.search(line, capsys.readouterr().out, re.MULTILINE)


def test_check_waits_and_prints_the_verdict(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(log), "--wait", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "finished"


def test_check_says_that_what_it_waited_for_did_not_come(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(log), "--wait", "--until", "diverging"]) == 4
    assert "not reached: --until diverging" in capsys.readouterr().err


def test_check_streams_a_line_per_change(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(log), "--watch", "--json", "--timeout", "0.5s"]) == 0
    assert [json.loads(line)["step"] for line in capsys.readouterr().out.splitlines()] == [100]


def test_check_speaks_chinese(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", str(log), "--json", "--lang", "zh"])
    evidence = json.loads(capsys.readouterr().out)["verdict"]["evidence"]
    assert re.search("[\u4e00-\u9fff]", evidence)


def test_check_fails_where_something_is_that_bad(tmp_path: Path) -> None:
    lines = [
        f'{{"step": {step}, "loss": {"NaN" if step > 40 else 1 / step}}}\n' for step in range(1, 60)
    ]
    append(tmp_path / "metrics.jsonl", lines)
    assert main(["check", str(tmp_path)]) == 1


def test_check_names_what_it_knows_but_cannot_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".aim" / "seqs").mkdir(parents=True)
    assert main(["check", str(tmp_path)]) == 3
    assert ".aim: Aim's own database" in capsys.readouterr().err


def test_a_path_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["check", str(tmp_path / "none")], [str(tmp_path / "none")]):
        assert main(arguments) == 2
        assert f"{tmp_path / 'none'}: no such file" in capsys.readouterr().err


def test_a_pipe_is_not_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert main(["check", str(tmp_path / "pipe")]) == 2
    assert "not a file or directory" in capsys.readouterr().err


def test_a_link_that_points_nowhere_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    assert main(["check", str(tmp_path / "link")]) == 2
    assert "broken symbolic link" in capsys.readouterr().err


def test_without_a_terminal_the_screen_says_what_to_do_instead(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(log)]) == 2
    assert "lossmon check" in capsys.readouterr().err


def test_a_wrong_setting_is_told_in_one_line(log: Path, call: Call) -> None:
    ended = call("check", str(log), LOSSMON_SMOOTHING="much")
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "LOSSMON_SMOOTHING" in ended.stderr


def test_errors_speak_the_language_of_the_flag_the_variable_or_the_file(
    tmp_path: Path, call: Call
) -> None:
    wrong = ("config", "--smoothing", "2")
    assert "2.0 无效" in call(*wrong, "--lang", "zh").stderr
    file = tmp_path / "mine.toml"
    file.write_text('lang = "zh"\ncolour = 1\n', encoding="utf-8")
    assert "未知的配置项 'colour'" in call("config", "--config", str(file)).stderr
    assert "unknown setting" in call("config", f"--config={file}", "--lang=en").stderr
    assert "是否想用 --json？" in call("check", "--jsno", LOSSMON_LANG="zh").stderr


def test_a_settings_file_that_is_not_there_is_named(tmp_path: Path, call: Call) -> None:
    ended = call("config", "--config", str(tmp_path / "none.toml"))
    assert ended.returncode == 2
    assert "none.toml" in ended.stderr


def test_config_prints_each_value_with_its_origin(tmp_path: Path, call: Call) -> None:
    ended = call("config", "--smoothing", "0.3", XDG_CONFIG_HOME=str(tmp_path), LOSSMON_LANG="zh")
    assert ended.returncode == 0
    assert re.search(r"smoothing = 0\.3 +# --smoothing", ended.stdout)
    assert re.search(r'lang = "zh" +# LOSSMON_LANG', ended.stdout)
    assert re.search(r"hardware = true +# 默认；采样", ended.stdout)


def test_a_reader_that_goes_away_is_no_error(log: Path) -> None:
    command = f'"{sys.executable}" -m lossmon check "{log}" "{log}" --json | head -c 10'
    ended = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "arguments", [["--help"], ["check", "LOG"], ["check", "LOG", "--json", "--watch"]]
)
def test_an_output_that_takes_no_more_is_an_error(log: Path, arguments: list[str]) -> None:
    arguments = [str(log) if argument == "LOG" else argument for argument in arguments]
    with open("/dev/full", "w", encoding="utf-8") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "lossmon", *arguments], stdout=full, stderr=-1, timeout=60
        )
    assert ended.returncode == 2
    assert ended.stderr == b"lossmon: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize(("arguments", "status"), [("config", 0), ("--theme=none", 2)])
def test_messages_that_cannot_be_written_end_no_command(arguments: str, status: int) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "lossmon", arguments], stdout=-1, stderr=full, timeout=60
        )
    assert ended.returncode == status


def test_an_output_that_is_closed_is_none(log: Path) -> None:
    command = f'"{sys.executable}" -m lossmon check "{log}" >&- 2>&- <&-'
    assert subprocess.run(["bash", "-c", command], timeout=60).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["--help"], ["check", "LOG", "--json"], ["explain", "LOG"], ["config"]],
)
def test_the_screen_is_not_imported_without_need(arguments: list[str], log: Path) -> None:
    arguments = [str(log) if argument == "LOG" else argument for argument in arguments]
    code = (
        "import sys\n"
        "from lossmon.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "heavy = {'textual', 'rich', 'plotext', 'pynvml', 'watchdog', 'psutil', 'tensorboard'}\n"
        "heavy |= {'lossmon.hardware', 'lossmon.nodes.samples', 'lossmon.readers.plugins'}\n"
        "heavy |= {'lossmon.reports.openmetrics', 'lossmon.analysis.cluster_sentences'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60
    )
    assert ended.stderr.strip() == "[]"


def test_a_status_line_from_the_cache_imports_neither_reader_nor_numpy(
    log: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not below the run: a new directory there would be a change of the run.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    arguments = ["check", str(log), "--format", "tmux"]
    assert main(arguments) == 0
    code = "import sys; from lossmon.cli import main; main(sys.argv[1:]); print(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60
    )
    line, modules = ended.stdout.splitlines()
    assert line == "✓ healthy 0.333 100% finished"
    assert not {"numpy", "lossmon.monitor", "lossmon.readers"} & set(modules.split())


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments of each demo training, which writes a short log instead of learning."""
    calls: list[list[str]] = []

    def train(arguments: list[str]) -> int:
        calls.append(arguments)
        out = Path(arguments[arguments.index("--out") + 1])
        out.mkdir(exist_ok=True)
        append(out / "trainer_log.jsonl", falling(1, 101))
        return 0

    monkeypatch.setattr("lossmon.demo.__main__.main", train)
    return calls


def test_a_headless_demo_trains(tmp_path: Path, training: list[list[str]], call: Call) -> None:
    out = tmp_path / "run"
    ended = call("demo", "--headless", "--case", "nan", "--speed", "0", "--out", str(out))
    assert ended.returncode == 0, ended.stderr
    assert training == [["--case", "nan", "--out", str(out), "--seed", "0", "--speed", "0.0"]]
    assert ended.stdout == ""


def test_a_demo_without_a_terminal_trains_and_prints_the_verdict(
    tmp_path: Path, training: list[list[str]], call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = call("demo", "--case", "nan", "--speed", "0")
    assert ended.returncode == 0, ended.stderr
    assert len(training) == 1
    assert "not a terminal" in ended.stderr
    assert "HEALTHY" in ended.stdout and "history" in ended.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_demo_never_writes_over_a_run(log: Path, call: Call) -> None:
    ended = call("demo", "--headless", "--out", str(log))
    assert ended.returncode == 2
    assert "not empty" in ended.stderr and "training" not in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--smoothing", "much"],
        ["--smoothing", "2"],
        ["--x-axis", "wall"],
        ["--nonsense"],
        ["check"],
        ["check", ""],
        ["check", "https://example.org/run"],
        ["check", ".", "--fail-on", "doom"],
        ["check", ".", "--until", "finished"],
        ["check", ".", "--wait", "--watch"],
        ["check", ".", "--wait", "--until", "sunrise"],
        ["check", ".", "--wait", "--timeout", "soon"],
        ["check", ".", "--watch", "--format", "tmux"],
        ["demo", "--seed", "-1"],
        ["demo", "--speed", "nan"],
        ["completions"],
        ["config", "--config", "/"],
        ["config", "--theme", "drak"],
        ["plot", "--theme", "drak", "."],
        ["exporter", ".", "--port", "70000"],
        ["hardware", "--interval", "0"],
        ["record", __file__],
        ["record", "-"],
        ["plot", ".", "--size", "20x5"],
        ["watch", ".", "--pid", "0"],
        *([command, "-"] for command in ("watch", "serve", "exporter", "hardware")),
        ["config", "more"],
    ],
    ids=" ".join,
)
def test_a_wrong_argument_is_told_in_one_line(arguments: list[str], call: Call) -> None:
    ended = call(*arguments)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert ended.stderr.startswith("lossmon")


@pytest.mark.parametrize("encoding", ["ascii", "utf-8:strict", "latin-1"])
def test_a_name_that_the_output_cannot_spell_is_told_all_the_same(
    tmp_path: Path, encoding: str
) -> None:
    out = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff-\xe5\xae\x9e\xe9\xaa\x8c"))
    out.mkdir()
    append(out / "trainer_log.jsonl", falling(1, 101))
    judged = process("check", str(out), "--json", "--lang", "zh", PYTHONIOENCODING=encoding)
    assert judged.returncode == 0, judged.stderr
    assert json.loads(judged.stdout)["run"] == out.name
    assert process("check", str(out), PYTHONIOENCODING=encoding).returncode == 0


def test_a_name_that_no_file_can_have_is_told_in_one_line(tmp_path: Path, call: Call) -> None:
    for name in ("x" * 5000, "trainer_log.jsonl/below"):
        ended = call("check", str(tmp_path / name))
        assert ended.returncode == 2
        assert ended.stderr.count("\n") == 1, ended.stderr


def test_settings_that_may_not_be_read_are_those_of_somebody_else(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: "config.toml" not in str(path))
    assert main(["config"]) == 0
    assert "the defaults apply" in capsys.readouterr().out
    assert main(["check", str(log)]) == 0


def test_report_writes_a_page_and_the_points_of_every_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        append(tmp_path / "runs" / name / "trainer_log.jsonl", falling(1, 101))
    out = tmp_path / "pages"
    assert main(["report", str(tmp_path / "runs"), "--out", str(out), "--csv"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert sorted(printed) == sorted(str(path) for path in out.iterdir())
    assert [Path(path).suffix for path in printed] == [".html", ".csv"] * 2
    assert "train loss" in Path(printed[0]).read_text(encoding="utf-8")


def test_reports_of_runs_of_one_name_do_not_meet(call: Call, tmp_path: Path) -> None:
    runs = [tmp_path / place / "run" for place in ("a", "b", "c")]
    for run in runs:
        run.mkdir(parents=True)
        append(run / "trainer_log.jsonl", falling(1, 11))
    ended = call("report", *map(str, runs), "--out", str(tmp_path / "pages"))
    assert len(set(ended.stdout.splitlines())) == 3


def test_a_report_that_cannot_be_written_is_told(call: Call, log: Path, tmp_path: Path) -> None:
    (tmp_path / "pages").write_text("kept")
    ended = call("report", str(log), "--out", str(tmp_path / "pages"))
    assert ended.returncode == 2
    assert "pages is not a directory" in ended.stderr
    assert (tmp_path / "pages").read_text() == "kept"


def test_a_report_on_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 3
    assert "no metrics found" in capsys.readouterr().err


def test_a_report_does_without_textual(log: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from lossmon.cli import main; "
        f"main(['report', {str(log)!r}, '--out', {str(tmp_path / 'pages')!r}]); "
        "print('textual' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize(
    "arguments, meant",
    [
        (["chekc", "x"], "did you mean `lossmon check`?"),
        (["check", "--jsno", "x"], "did you mean --json?"),
        (["demo", "--case", "helthy"], "did you mean healthy?"),
        (["demo", "nan"], "did you mean --case nan?"),
        (["help", "exprot"], "did you mean export?"),
        (["check", "logz"], "did you mean logs?"),
        (["check", "logs/stat.josn"], "did you mean logs/stat.json?"),
        (["check", "logs", "--wait", "--until", "overfiting"], "did you mean overfitting?"),
        (["watch", "logs", "--on", "wraning"], "did you mean warning?"),
        (["config", "--theme", "ligth"], "did you mean light?"),
    ],
)
def test_what_was_misspelled_is_guessed(
    call: Call,
    tmp_path: Path,
    arguments: list[str],
    meant: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "stat.json").touch()
    ended = call(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert meant in ended.stderr


def test_help_is_printed_for_a_command(call: Call) -> None:
    assert call("help", "check").stdout == call("check", "--help").stdout
    assert call("help").stdout == call("--help").stdout


@pytest.fixture
def pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Make a text the standard input."""
    with ExitStack() as stack:

        def put(text: str) -> None:
            (tmp_path / "piped").write_text(text)
            source = stack.enter_context((tmp_path / "piped").open())
            monkeypatch.setattr("sys.stdin", source)

        yield put


def test_a_log_is_read_from_standard_input(call: Call, pipe: Callable[[str], None]) -> None:
    pipe("".join(falling(1, 101)))
    found = json.loads(call("check", "-", "--json").stdout)
    assert (found["step"], found["verdict"]["code"]) == (100, "healthy")


@pytest.mark.parametrize(
    "arguments, printed",
    [
        (["explain"], "100 points"),
        (["plot", "--size", "60x10"], "HEALTHY"),
        (["report", "--out", "pages"], "stdin.log"),
        (["export", "--format", "csv", "--out", "points"], "stdin.log.csv"),
    ],
)
def test_every_command_that_reads_a_log_reads_standard_input(
    call: Call,
    pipe: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    printed: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    pipe("".join(falling(1, 101)))
    ended = call(*arguments, "-")
    assert ended.returncode == 0, ended.stderr
    assert printed in ended.stdout


@pytest.mark.parametrize(
    "text, reason", [("", "standard input is empty"), ("milk\n", "`lossmon explain -` says why")]
)
def test_standard_input_without_metrics_is_named(
    call: Call, pipe: Callable[[str], None], text: str, reason: str
) -> None:
    pipe(text)
    ended = call("check", "-")
    assert ended.returncode == 3
    assert "no metrics found in standard input" in ended.stderr
    assert reason in ended.stderr


def test_a_quiet_check_only_sets_the_exit_status(call: Call, log: Path) -> None:
    assert call("check", str(log), "--quiet") == (0, "", "")


def test_quiet_commands_print_no_paths(call: Call, log: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert call("export", str(log), "-q", "--format", "csv", "-o", str(out)) == (0, "", "")
    assert len(list(out.iterdir())) == 1


def test_colours_can_be_switched_off(
    call: Call, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    call("check", str(log), "--no-color")
    assert os.environ["NO_COLOR"] == "1"


def test_the_language_of_a_command_ends_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "nowhere", "--lang", "zh"]) == 2
    said = capsys.readouterr().err.removeprefix("lossmon: ")
    assert "no such file" not in said
    assert "examples:" in module("check").parser().format_help()


@pytest.mark.parametrize("name", ["", *(command.name for command in COMMANDS)])
def test_every_help_has_examples_and_exit_statuses(name: str) -> None:
    text = module(name or VIEW).parser().format_help()
    before_flags = text.split("\noptions:")[0]
    examples = re.search(r"^examples:\n((?:  .*\n)+)", before_flags, re.MULTILINE)
    assert examples is not None
    assert f"lossmon {name}" in examples[1]
    assert re.search(r"^exit status:\n  0  ", before_flags, re.MULTILINE)


def test_every_setting_has_a_flag() -> None:
    flags = set(module(VIEW).parser()._option_string_actions)
    assert {"--" + setting.name.replace("_", "-") for setting in SETTINGS} <= flags


@pytest.mark.parametrize(
    "text, seconds", [("90", 90), ("90s", 90), ("30m", 1800), ("12h", 43_200), ("2d", 172_800)]
)
def test_a_duration_has_a_unit(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("has_scheduler", [False, True])
def test_the_screen_waits_for_a_path_that_is_missing(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_scheduler: bool
) -> None:
    opened: list[RunSource] = []
    monkeypatch.setattr("lossmon.commands.view.has_terminal", lambda: True)
    monkeypatch.setattr("lossmon.commands.view.need_terminal", lambda instead: None)
    monkeypatch.setattr("lossmon.commands.view.has_jobs", lambda: has_scheduler)
    monkeypatch.setattr("lossmon.ui.launch.view", lambda source, config: opened.append(source) or 0)
    assert call(str(tmp_path / "run")).returncode == 0
    assert call(str(tmp_path / "no" / "run")).returncode == 2
    assert len(opened) == 1
    opened[0].stop()


def test_a_path_that_is_named_twice_is_judged_once(call: Call, log: Path) -> None:
    assert call("check", str(log), "--json", f"{log}/").stdout.count("\n") == 1


def test_a_plot_without_a_series_names_the_pattern(call: Call, log: Path) -> None:
    ended = call("plot", str(log), "--metric", "nothing")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "no series matches --metric nothing" in ended.stderr


def test_a_path_that_is_missing_is_waited_for_if_asked(call: Call, tmp_path: Path) -> None:
    waits = ("--wait", "--timeout", "0.1s")
    assert call("check", str(tmp_path / "run"), *waits).returncode == 4
    assert call("check", str(tmp_path / "run")).returncode == 2
    assert call("check", str(tmp_path / "no" / "run"), *waits).returncode == 2


def test_check_says_which_files_it_does_not_read(call: Call, tmp_path: Path) -> None:
    ended = call("check", str(tmp_path))
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "no metrics found" in ended.stderr and "no files here yet" in ended.stderr
    (tmp_path / "train.py").write_text("pass\n")
    ended = call("check", str(tmp_path))
    assert "1 file here, none with metrics: train.py" in ended.stderr
    assert f"lossmon explain {tmp_path}" in ended.stderr


def test_serve_says_what_to_install(call: Call, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossmon.commands.arguments.inputs.find_spec", lambda name: None)
    ended = call("serve", str(log))
    assert ended.returncode == 2
    assert "pip install 'lossmon[web]'" in ended.stderr


def test_a_run_that_logged_media_alone_is_no_silent_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = [histogram("weights", step) for step in (0, 100)]
    (tmp_path / "events.out.tfevents.1.host").write_bytes(recorded(*events))
    assert main(["check", str(tmp_path)]) == 3
    assert "1 histogram; `lossmon " in capsys.readouterr().err


def test_a_log_without_metrics_is_said_to_be_read(call: Call, tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text("loading the data\n")
    ended = call("check", str(tmp_path / "train.log"))
    assert ended.returncode == 3
    assert "train.log is read (text), but no line or record in it holds a metric" in ended.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            PermissionError(13, "Permission denied", "/data/r\x1bn"),
            "/data/r\ufffdn: Permission denied",
        ),
        (OSError(5, "Input/output error", "/data/run"), "/data/run: Input/output error"),
        (KeyError("loss"), "internal error: KeyError: 'loss'"),
        (ConfigError("theme \x1b[31m\u202e: not found"), "theme \ufffd[31m\ufffd: not found"),
        (ConfigError(f"theme {'x' * 9999}"), f"theme {'x' * 994}\n"),
    ],
    ids=str,
)
def test_an_unexpected_error_is_no_verdict(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_options: object) -> int:
        raise error

    monkeypatch.setattr(check_command, "run", fail)
    assert main(["check", "run"]) == 2
    assert capsys.readouterr().err.startswith(f"lossmon: {said}")


def test_a_current_directory_that_was_deleted_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert main(["check", "."]) == 2
    assert capsys.readouterr().err == "lossmon: the current directory does not exist any more\n"
