"""One word more or less in a document: nothing else changes by a byte."""

from __future__ import annotations

import tomllib

import pytest

from lossmon.toml.edit import with_value, with_word, without_word

COMMENTED = """\
# mine
theme = "nord"   # dark

[metrics]  # names
  train_loss = 'my/loss'   # of the student

[keys]
"run.freeze" = "f"
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", '[metrics]\neval_loss = "v"\n', id="an empty file"),
        pytest.param(
            'theme = "a"', 'theme = "a"\n\n[metrics]\neval_loss = "v"\n', id="no last line end"
        ),
        pytest.param(
            'theme = "a"\r\n', 'theme = "a"\r\n\r\n[metrics]\r\neval_loss = "v"\r\n', id="CRLF"
        ),
        pytest.param(
            COMMENTED,
            COMMENTED.replace("student\n", 'student\n  eval_loss = "v"\n'),
            id="comments and an indent",
        ),
        pytest.param("[metrics]", '[metrics]\neval_loss = "v"\n', id="a head alone"),
        pytest.param(
            "[metrics]\n# none yet\n\n[keys]\n",
            '[metrics]\n# none yet\neval_loss = "v"\n\n[keys]\n',
            id="a table without entries",
        ),
        pytest.param(
            'metrics = { train_loss = "a" } # x\n',
            'metrics = { train_loss = "a", eval_loss = "v"} # x\n',
            id="an inline table",
        ),
        pytest.param("metrics = {}\n", 'metrics = {eval_loss = "v"}\n', id="an empty one"),
        pytest.param(
            'metrics.train_loss = "a"\ntheme = "b"\n',
            'metrics.train_loss = "a"\nmetrics.eval_loss = "v"\ntheme = "b"\n',
            id="dotted keys",
        ),
        pytest.param(
            '["metrics"]\n"eval_loss" = "a" # x\n',
            '["metrics"]\n"eval_loss" = ["a", "v"] # x\n',
            id="quoted keys",
        ),
        pytest.param(
            "metrics.'eval_loss' = '''a'''\n",
            "metrics.'eval_loss' = ['''a''', \"v\"]\n",
            id="a literal of three quotes",
        ),
        pytest.param(
            '[metrics]\neval_loss = """a # "b\\""""\nx = "y"\n',
            '[metrics]\neval_loss = ["""a # "b\\"""", "v"]\nx = "y"\n',
            id="quotes at the end of a text",
        ),
        pytest.param(
            '[metrics]\neval_loss = [\n  "a", # one\n  "b" # two ], [\n]\n',
            '[metrics]\neval_loss = [\n  "a", # one\n  "b", # two ], [\n  "v"\n]\n',
            id="an array over lines",
        ),
        pytest.param(
            '[metrics]\neval_loss = ["a",]\n', '[metrics]\neval_loss = ["a", "v"]\n', id="a comma"
        ),
        pytest.param(
            "[metrics]\neval_loss = []\n", '[metrics]\neval_loss = ["v"]\n', id="an empty array"
        ),
        pytest.param(
            "x = [1, {a = '[metrics]'}, 1979-05-27 07:32:00]\nb = '''\n[metrics]\n'''\n",
            "x = [1, {a = '[metrics]'}, 1979-05-27 07:32:00]\nb = '''\n[metrics]\n'''\n"
            '\n[metrics]\neval_loss = "v"\n',
            id="what only looks like the table",
        ),
    ],
)
def test_a_word_more_leaves_the_rest_alone(before: str, after: str) -> None:
    assert with_word(before, "metrics", "eval_loss", "v") == after


@pytest.mark.parametrize(
    "tag",
    [
        *("损失/训练", 'say "hi"', "it's", "back\\slash", "tab\there", "line\nend", "\x00\x7f"),
        *("a = 1 # no", "", "[metrics]", "é\u202e", "'''", '"""'),
    ],
)
def test_any_tag_is_read_back_as_it_was_written(tag: str) -> None:
    text = with_word(with_word(COMMENTED, "metrics", "train_loss", tag), "metrics", "lr", tag)
    assert tomllib.loads(text)["metrics"] == {"train_loss": ["my/loss", tag], "lr": tag}
    assert without_word(without_word(text, "metrics", "lr", tag), "metrics", "train_loss", tag) == (
        COMMENTED.replace("'my/loss'", "['my/loss']")
    )


def test_a_word_that_is_there_is_not_added_again() -> None:
    assert with_word(COMMENTED, "metrics", "train_loss", "my/loss") == COMMENTED


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param('[metrics]\na = "v"\nb = "c"\n', '[metrics]\nb = "c"\n', id="its line goes"),
        pytest.param(
            '[metrics]\na = "v" # why\n', "[metrics]\na = [] # why\n", id="its comment stays"
        ),
        pytest.param('metrics = { a = "v" }\n', "metrics = {  }\n", id="an inline table"),
        pytest.param(
            '[metrics]\na = ["v", "w"]\n', '[metrics]\na = ["w"]\n', id="the first of an array"
        ),
        pytest.param('[metrics]\na = ["u", "v"]\n', '[metrics]\na = ["u"]\n', id="the last of one"),
        pytest.param(
            '[metrics]\na = [\n "v" # one\n , # two\n "w"\n]\n',
            '[metrics]\na = [\n  # two\n "w"\n]\n',
            id="the comment of another element stays",
        ),
        pytest.param(
            '[metrics]\na = [\n "u", # one\n "v", # two\n]\n',
            '[metrics]\na = [\n "u", # one\n]\n',
            id="the comment before the last",
        ),
        pytest.param('[metrics]\nb = "v"\n', '[metrics]\nb = "v"\n', id="it is not there"),
        pytest.param("", "", id="an empty file"),
    ],
)
def test_a_word_less_leaves_the_rest_alone(before: str, after: str) -> None:
    assert without_word(before, "metrics", "a", "v") == after


def test_a_document_that_says_a_key_twice_is_refused() -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        with_word('[metrics]\na = "b"\na = "c"\n', "metrics", "a", "v")


@pytest.mark.parametrize("text", ["metrics = 3\n", "[[metrics]]\na = 1\n", "[metrics]\na = 3\n"])
def test_what_is_not_a_table_of_words_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="metrics"):
        with_word(text, "metrics", "a", "v")


def test_a_document_that_cannot_be_changed_safely_is_refused() -> None:
    split = "[metrics.sub]\nq = 1\n[x]\n[metrics]\n"
    with pytest.raises(ValueError, match="without changing something else"):
        with_word(split, "metrics", "a", "v")


@pytest.mark.parametrize(
    ("text", "value", "after"),
    [
        ("", True, "log_y = true\n"),
        ("log_y = false  # mine\n", True, "log_y = true  # mine\n"),
        ("[keys]\na = 'b'\n", True, "log_y = true\n\n[keys]\na = 'b'\n"),
        ("# top\nlog_y = false\nlang = 'zh'\n", None, "# top\nlang = 'zh'\n"),
        ("lang = 'zh'\n", None, "lang = 'zh'\n"),
    ],
)
def test_a_key_at_the_top_is_set_or_removed(text: str, value: bool | None, after: str) -> None:
    assert with_value(text, "log_y", value) == after
