from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from lossmon.config import OTHER_VARIABLES, SETTINGS, TABLES, Config, describe, load
from lossmon.errors import ConfigError
from tests.readme import ROOT


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_every_setting_has_a_field_with_the_same_default() -> None:
    config, loaded = Config(), load(None, {}, {})
    for setting in SETTINGS:
        assert getattr(config, setting.name) == getattr(loaded, setting.name), setting.name
        assert setting.default in ("auto", getattr(config, setting.name)), setting.name
    others = {*TABLES, "chosen_lang", "origins", "file"}
    assert {field.name for field in fields(Config)} == {s.name for s in SETTINGS} | others


def test_a_later_source_wins_and_says_where_it_came_from(tmp_path: Path) -> None:
    file = write(tmp_path, 'theme = "a"\nsmoothing = 0.1\nlang = "zh"\n')
    config = load(file, {"LOSSMON_SMOOTHING": "0.2", "LOSSMON_LANG": "en"}, {"lang": "zh"})
    assert (config.theme, config.smoothing, config.lang) == ("a", 0.2, "zh")
    assert config.origins["theme"] == str(file)
    assert config.origins["smoothing"] == "LOSSMON_SMOOTHING"
    assert config.origins["lang"] == "--lang"
    assert config.origins["x_axis"] == "default"


def test_a_missing_file_sets_nothing(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml", {}, {}).theme == Config().theme


def test_tables_name_metrics_and_keys(tmp_path: Path) -> None:
    file = write(tmp_path, '[metrics]\ntrain_loss = "my/loss"\n[keys]\n"run.freeze" = "f"\n')
    config = load(file, {}, {})
    assert config.metrics == {"train_loss": "my/loss"}
    assert config.keys == {"run.freeze": "f"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        pytest.param("smoothing = 2", "smoothing", id="number out of range"),
        pytest.param("smoothing = true", "smoothing", id="a flag for a number"),
        pytest.param('x_axis = "wall"', "step, epoch, time, tokens", id="unknown word"),
        pytest.param("log_y = 1", "true or false", id="a number for a flag"),
        pytest.param("smooth = 1", "known settings: theme", id="unknown key"),
        pytest.param("[metrics]\na = 1", "[metrics]", id="a number in a table"),
        pytest.param("[patterns]\nx = '('", "[patterns] x", id="a broken pattern"),
        pytest.param("[patterns]\nx = 'a'", "(?P<loss>...)", id="a pattern without a metric"),
        pytest.param("theme = ", "not valid TOML", id="broken file"),
        pytest.param('theme = ""', "theme", id="empty word"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(tmp_path: Path, text: str, word: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load(file, {}, {})
    assert str(file) in str(error.value)
    assert word in str(error.value)


def test_an_unknown_variable_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"LOSSMON_SMOTHING.*did you mean LOSSMON_SMOOTHING\?"):
        load(None, {"LOSSMON_SMOTHING": "0.5"}, {})


def test_every_variable_of_the_program_is_known() -> None:
    sources = [*(ROOT / "lossmon").rglob("*.py"), *(ROOT / "contrib").rglob("*.service")]
    text = "".join(source.read_text(encoding="utf-8") for source in sources)
    named = set(re.findall(r"\bLOSSMON_[A-Z_]+\b", text)) - {"LOSSMON_NAME"}
    assert named <= {*OTHER_VARIABLES, *(one.variable for one in SETTINGS)}


@pytest.mark.parametrize("lang", ["auto", "zh"])
def test_what_is_printed_can_be_pasted_back(tmp_path: Path, lang: str) -> None:
    file = write(
        tmp_path,
        f'lang = "{lang}"\nsmoothing = 0.25\n[metrics]\njust_shown = ["a"]\n'
        '[[alerts.channels]]\nkind = "webhook"\nurl = "https://secret"\n',
    )
    config = load(file, {"LANG": "zh_CN.UTF-8"}, {})
    printed = "\n".join(describe(config))
    assert "https://secret" not in printed
    again = load(write(tmp_path, printed), {"LANG": "en_US.UTF-8"}, {})
    assert (again.chosen_lang, again.smoothing) == (lang, 0.25)
    assert again.metrics == config.metrics


@pytest.mark.parametrize("text", ["", "much", "nan", "1e9"])
def test_a_wrong_variable_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match="LOSSMON_SMOOTHING"):
        load(None, {"LOSSMON_SMOOTHING": text}, {})


@pytest.mark.parametrize(("text", "value"), [("1", True), ("off", False), ("Yes", True)])
def test_flags_are_words_in_the_environment(text: str, value: bool) -> None:
    assert load(None, {"LOSSMON_LOG_Y": text}, {}).log_y is value


def test_what_is_printed_can_be_read_again(tmp_path: Path) -> None:
    file = write(tmp_path, 'theme = "a\\"b"\nsmoothing = 0.25\n[metrics]\ntrain_loss = "x"\n')
    with file.open("a", encoding="utf-8") as out:
        out.write("[patterns]\nmine = '#(?P<loss>\\S+) \"'\n")
    config = load(file, {}, {})
    printed = "\n".join(describe(config))
    assert tomllib.loads(printed)["theme"] == 'a"b'
    again = load(write(tmp_path, printed), {}, {})
    assert [getattr(again, s.name) for s in SETTINGS] == [getattr(config, s.name) for s in SETTINGS]
    assert (again.metrics, again.patterns) == (config.metrics, config.patterns)


@pytest.mark.parametrize(
    "environment, language, origin",
    [
        pytest.param({}, "en", "default", id="no locale"),
        pytest.param({"LANG": "zh_CN.UTF-8"}, "zh", "LANG", id="Chinese"),
        pytest.param({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en", "default", id="C wins"),
        pytest.param({"LANG": "xx_XX.UTF-8"}, "en", "LANG", id="a language that we do not speak"),
        pytest.param(
            {"LANG": "xx_XX.UTF-8", "LANGUAGE": "xx:zh_TW:en"}, "zh", "LANGUAGE", id="a list"
        ),
        pytest.param({"LANGUAGE": "zh"}, "en", "default", id="a list without a locale"),
        pytest.param(
            {"LANG": "zh_CN.UTF-8", "LOSSMON_LANG": "en"}, "en", "LOSSMON_LANG", id="said so"
        ),
    ],
)
def test_the_language_is_that_of_the_locale(
    environment: dict[str, str], language: str, origin: str
) -> None:
    config = load(None, environment, {})
    assert (config.lang, config.origins["lang"]) == (language, origin)


def test_a_metric_may_be_given_to_several_tags(tmp_path: Path) -> None:
    file = write(tmp_path, '[metrics]\ntrain_loss = "a"\njust_shown = ["b", "c\\td"]\n')
    config = load(file, {}, {})
    assert config.metrics == {"train_loss": "a", "just_shown": ("b", "c\td")}
    again = write(tmp_path, "\n".join(describe(config)))
    assert load(again, {}, {}).metrics == config.metrics


@pytest.mark.parametrize("table", ["metrics = 3", "[metrics]\na = [1]", "[[metrics]]\na = 'b'"])
def test_metrics_that_are_no_words_are_refused(tmp_path: Path, table: str) -> None:
    with pytest.raises(ConfigError, match="must be a table of strings or lists of strings"):
        load(write(tmp_path, table), {}, {})


@pytest.mark.parametrize("number", ["0x" + "f" * 5000, "0x" + "f" * 300])
def test_a_whole_number_of_any_length_is_refused(tmp_path: Path, number: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"smoothing = {number}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"smoothing: .* is not valid"):
        load(file, {}, {})
