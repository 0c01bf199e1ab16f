from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from lossmon.commands import COMMANDS
from lossmon.commands.demo import ALL, CASES
from lossmon.config import load
from tests.pages import PAGES, is_taken, shown_commands
from tests.readme import BLOCKS, COMMANDS_PAGE, HEADLESS, README, SETTINGS_PAGE, written
from tests.reports.test_record import KEYS

ROOT = README.parent
TEXT = README.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path, name", [(path, name) for path, blocks in BLOCKS.items() for name in blocks]
)
def test_what_is_made_from_the_program_is_up_to_date(path: Path, name: str) -> None:
    """`python -m tests.readme` writes it."""
    text = path.read_text(encoding="utf-8")
    assert written(text)[name] == BLOCKS[path][name]()


@pytest.mark.parametrize("command", [command for page in PAGES for command in shown_commands(page)])
def test_every_command_is_one_that_the_program_takes(command: str) -> None:
    assert is_taken(command)


def test_the_commands_are_found() -> None:
    assert len(shown_commands(README)) >= 9


def test_every_command_that_needs_no_terminal_is_listed() -> None:
    listed = {how.split()[1] for _, how in HEADLESS}
    others = {"demo", "config", "completions", "help"}
    assert {command.name for command in COMMANDS} == listed - {"PATH"} | others


def test_the_readme_is_short() -> None:
    assert len(TEXT.split()) <= 1200


def test_the_example_record_has_the_keys_of_the_contract() -> None:
    text = COMMANDS_PAGE.read_text(encoding="utf-8")
    block = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert block is not None
    for key in KEYS:
        assert f'"{key}":' in block[1], key


def test_the_example_settings_are_good(tmp_path: Path) -> None:
    text = SETTINGS_PAGE.read_text(encoding="utf-8")
    block = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert block is not None
    file = tmp_path / "config.toml"
    file.write_text(block[1], encoding="utf-8")
    assert tomllib.loads(block[1])
    config = load(file, {}, {})
    assert (ROOT / "themes" / f"{config.theme}.toml").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_picture_and_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([\w./-]+)\)|src=\"([\w./-]+)\"", text):
        assert (page.parent / "".join(target)).exists(), target


def test_the_demo_case_it_names_can_be_trained() -> None:
    for case in re.findall(r"demo --case (\S+)", TEXT):
        assert case in (*CASES, ALL)
