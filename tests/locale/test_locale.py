"""A language is one file: complete, with the same placeholders, found by listing."""

from __future__ import annotations

import argparse
import ast
import errno
import inspect
import os
import re
import string
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

import lossmon
from lossmon import commands
from lossmon.errors import ConfigError
from lossmon.locale import (
    ENGLISH,
    FOLDER,
    languages,
    message,
    metric_name,
    section,
    translate,
)
from lossmon.readers.tags.spellings import SPELLINGS
from lossmon.types import Severity

PACKAGE = Path(lossmon.__file__).parent
SECTIONS = ("sentences", "cluster", "terms", "missing", "advice", "alerts")
TRANSLATIONS = [language for language in languages() if language != ENGLISH]

Texts = dict[tuple[str, ...], str]


def texts(table: object, *keys: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text of a table, with the keys that lead to it."""
    if isinstance(table, str):
        yield keys, table
        return
    assert isinstance(table, dict | list)
    parts = table.items() if isinstance(table, dict) else enumerate(table)
    for key, part in parts:
        yield from texts(part, *keys, str(key))


def file(language: str) -> Texts:
    """The texts of a language file without those of the screen."""
    table = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    for keyed_by_english in ("screen", "messages"):
        table.pop(keyed_by_english, None)
    assert set(SECTIONS) <= table.keys()
    return dict(texts(table))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_language_has_every_text_and_no_other(language: str) -> None:
    assert file(language).keys() == file(ENGLISH).keys()


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_translation_has_the_placeholders_of_the_english_text(language: str) -> None:
    translated = file(language)
    for keys, text in file(ENGLISH).items():
        assert placeholders(translated[keys]) == placeholders(text), keys


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_text_of_the_screen_has_the_placeholders_of_its_english(language: str) -> None:
    for english, text in section("screen", language).items():
        assert text.strip(), english
        assert placeholders(text) == placeholders(english), english


@pytest.fixture(scope="module")
def strings() -> set[str]:
    """Every string of the program, and the words that it makes of names."""
    constants = {
        node.value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return constants | {severity.word for severity in Severity}


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_no_translation_is_left_of_a_text_that_is_gone(language: str, strings: set[str]) -> None:
    assert section("screen", language).keys() - strings == set()


WORDS_TO_AVOID = {
    "en": (
        *(r"not a number", r"nothing speaks against", r"\bin all\b", r"goes? on\b", r"carry over"),
        *(r"\bvalley\b", r"does not bear", r"a reason to go on", r"\bof which\b", r"\bso that\b"),
        *(r"\b(?:is|are|was|were) no\b", r"\btold?\b", r"\bsteering wheel\b", r"times below"),
        *(r"\b(?:run|line|tag) and (?:run|line|tag)\b", r"runs over each other", r"\brawer\b"),
        *(r"unclear names", r"try the themes on", r"freeze the data", r"answers of the model"),
    ),
    "zh": (
        *(r"步 ?\{", r"始于 ?步", r"非数值", r"正常收敛", r"预热中", r"带不出去", r"高出 \{"),
        *(r"\{\w+\} ?分之一", r"停滞"),
    ),
}
"""Phrases that no native engineer would use, by language."""


@pytest.mark.parametrize("language", WORDS_TO_AVOID)
def test_the_texts_are_idiomatic(language: str) -> None:
    wrong = re.compile("|".join(WORDS_TO_AVOID[language]), re.IGNORECASE)
    written = [*file(language).values(), *section("screen", language).values()]
    assert [text for text in written if wrong.search(text)] == []


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_all_languages_translate_the_same_texts_of_the_screen(language: str) -> None:
    assert section("screen", language).keys() == section("screen", TRANSLATIONS[0]).keys()


TOY = """
[screen]
running = "qet"

[advice.healthy]
badge = "QAPLA"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of languages with one more in it."""
    for language in languages():
        (tmp_path / f"{language}.toml").write_bytes((FOLDER / f"{language}.toml").read_bytes())
    (tmp_path / "tlh.toml").write_text(TOY, encoding="utf-8")
    return tmp_path


def test_a_file_in_the_folder_is_a_language(folder: Path) -> None:
    assert set(languages(folder)) == {*languages(), "tlh"}
    assert translate("running", "tlh", folder) == "qet"


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_bytes((FOLDER / "en.toml").read_bytes())
    (tmp_path / "tlh.toml").write_text("[screen]\nrunning = qet\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"tlh.toml: \[screen\]: Invalid value"):
        translate("running", "tlh", tmp_path)


def test_what_a_language_lacks_is_english(folder: Path) -> None:
    english, klingon = (section("advice", language, folder) for language in ("en", "tlh"))
    assert klingon["healthy"] == {**english["healthy"], "badge": "QAPLA"}
    assert klingon["plateau"] == english["plateau"]
    assert translate("finished", "tlh", folder) == "finished"


def test_the_program_speaks_a_language_that_was_dropped_in(folder: Path, tmp_path: Path) -> None:
    package = tmp_path / "path" / "lossmon"
    package.mkdir(parents=True)
    for part in PACKAGE.iterdir():
        if part.name not in ("locale", "__pycache__"):
            (package / part.name).symlink_to(part)
    (package / "locale").mkdir()
    for part in (*folder.glob("*.toml"), FOLDER / "__init__.py"):
        (package / "locale" / part.name).symlink_to(part)
    log = tmp_path / "loss.csv"
    log.write_text("step,loss\n" + "".join(f"{i},{9 / i}\n" for i in range(1, 30)))
    done = subprocess.run(
        [sys.executable, "-m", "lossmon", "check", str(log)],
        cwd=package.parent,
        env={"LANG": "tlh_KX.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "QAPLA" in done.stdout


def test_an_unknown_language_is_english() -> None:
    assert translate("running", "xx") == "running"
    assert section("advice", "xx") == section("advice", ENGLISH)


@pytest.mark.parametrize("code", ["../zh", "/etc/passwd", ""])
def test_a_language_is_never_a_path(code: str) -> None:
    assert section("sentences", code) == section("sentences", ENGLISH)


def template(node: ast.AST) -> str:
    """A string of the program with `{}` in place of what is filled in; of others nothing."""
    if isinstance(node, ast.JoinedStr):
        return "".join(template(part) or "{}" for part in node.values)
    text = node.value if isinstance(node, ast.Constant) else ""
    return text if isinstance(text, str) else ""


def errors() -> set[str]:
    """What the errors that are explained to the user say."""
    sources = (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    nodes = [
        node
        for source in sources
        if "raise " in source or "Error(" in source
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef | ast.Raise)
    ]
    names, more = {"LossmonError", "argparse.ArgumentTypeError"}, {""}
    while more:
        classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
        more = {c.name for c in classes if names & {ast.unparse(one) for one in c.bases}} - names
        names |= more
    calls = [node.exc for node in nodes if isinstance(node, ast.Raise)]
    return {
        template(one)
        for call in calls
        if isinstance(call, ast.Call) and ast.unparse(call.func) in names
        for one in call.args
    }


def english(text: str) -> bool:
    """Whether an English phrase is left, beside commands, names and quoted words."""
    return bool(re.search(r"\b[a-z]+,? [a-z]+ [a-z]+\b", re.sub(r"`[^`]*`|'[^']*'", "", text)))


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_no_error_that_a_user_reads_stays_english(language: str) -> None:
    said = {text.replace("{}", "9") for text in errors()}
    assert len(said) > 100
    assert [text for text in said if english(message(text, language))] == []


@pytest.mark.parametrize("language", TRANSLATIONS)
@pytest.mark.parametrize("name", ["", *sorted(commands.NAMES)])
def test_no_help_stays_english(language: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossmon.locale._spoken", lambda: language)
    text = commands.module(name or commands.VIEW).parser().format_help()
    meanings = re.sub(r"(?m)^  (?:\S+ )*(?:lossmon|python|srun|ssh|tmux) .*?(?:  |$)", "", text)
    assert [line for line in meanings.splitlines() if english(line)] == []
    assert max(map(cell_len, text.splitlines())) <= 105


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_no_message_is_left_of_a_text_that_is_gone(language: str) -> None:
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
    sources += [inspect.getsource(argparse), *map(os.strerror, errno.errorcode)]
    # Strings that stand side by side are one.
    joined = re.sub(r"\"\s*f?\"|'\s*f?'", "", "\n".join(sources))
    known = " ".join(joined.replace('\\"', '"').split())
    for sentence in section("messages", language):
        for part in sentence.split("{}"):
            words = part.strip(" ,;:.?()[]'\"").removesuffix("s")
            assert words in known, sentence


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_the_names_of_known_quantities_are_translated(language: str) -> None:
    """Those in lower-case words; mAP50 and R² are names."""
    labels = {one.label for one in SPELLINGS.values()} - {"epoch", "step"}
    words = {label for label in labels if re.fullmatch(r"[a-z]+(?:[ -][a-z0-9]+)*", label)}
    assert len(words) > 20
    assert [label for label in words if metric_name(label, language) == label] == []


def test_a_message_is_put_together_of_its_parts() -> None:
    assert message("runs/a: permission denied", "zh") == "runs/a：没有权限"
    assert message("runs/a: permission denied", "en") == "runs/a: permission denied"
    misspelled = "lossmon: unrecognized arguments: --jsno; did you mean --json?"
    assert message(misspelled, "zh") == "lossmon：无法识别的参数：--jsno；是否想用 --json？"
    assert message("a name of the user", "zh") == "a name of the user"
