"""Prompts with their answers, and what is odd about an answer."""

from __future__ import annotations

import pytest

from lossmon.analysis.outputs import OutputIssue, collect, issues, repeats_itself, titles
from lossmon.types import TextSample


def test_answers_are_put_together_by_prompt_steps_ascending() -> None:
    outputs = collect(
        [
            TextSample("eval", 20, "b", "p"),
            TextSample("eval", 10, "a", "p"),
            TextSample("eval", None, "z", "p"),
            TextSample("other", 10, "c", "p"),
        ]
    )
    assert [list(prompt.outputs) for prompt in outputs.prompts] == [[10, 20, None], [10]]
    assert outputs.steps == (10, 20, None)
    first, second = outputs.prompts
    assert first.key != second.key


def test_a_lone_text_stands_behind_the_prompts() -> None:
    outputs = collect([TextSample("config", 0, "{}"), TextSample("eval", 0, "a", "p")])
    assert [prompt.tag for prompt in outputs.prompts] == ["eval", "config"]


def test_what_all_prompts_begin_with_is_left_out_of_the_list() -> None:
    system = "<|system|> You are a helpful assistant.\n<|user|> "
    prompts = collect(
        [TextSample("e", 0, "", system + "Add 1."), TextSample("e", 0, "", system + "Sing.")]
    ).prompts
    assert titles(prompts) == ["…Add 1.", "…Sing."]
    assert titles(prompts[:1]) == [" ".join((system + "Add 1.").split())]


LOOP = "the model says that " * 6


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(LOOP, id="a phrase"),
        pytest.param("It began well enough. " + "end " * 30, id="a word at the end"),
        pytest.param("Hello" + "!" * 40, id="the token 0"),
        pytest.param("我们去公园散步" * 6, id="Chinese"),
        pytest.param("I like tea.\n" * 8, id="a line"),
        pytest.param(LOOP + "the model", id="cut in the middle"),
    ],
)
def test_a_loop_at_the_end_is_noticed(text: str) -> None:
    assert repeats_itself(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no no no no",
        "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |",
        "-" * 200,
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16",
        "Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily.",
        "def f(a):\n    return a\n\ndef g(a):\n    return a\n\ndef h(a):\n    return a\n",
        LOOP + "and then it stopped and said something else that was worth the wait.",
    ],
)
def test_what_only_looks_like_a_loop_is_none(text: str) -> None:
    assert not repeats_itself(text)


def odd(*samples: TextSample) -> list[tuple[OutputIssue, ...]]:
    outputs = collect(samples)
    return [issues(outputs, prompt, 1) for prompt in outputs.prompts]


def test_an_empty_answer_is_odd() -> None:
    assert odd(TextSample("e", 1, " \n", "p")) == [(OutputIssue.EMPTY,)]


def test_a_loop_that_was_expected_is_not_odd() -> None:
    assert odd(TextSample("e", 1, LOOP, "p")) == [(OutputIssue.LOOP,)]
    assert odd(TextSample("e", 1, LOOP, "p", LOOP)) == [()]


SORRY = "I am sorry, I cannot help with that."


def test_one_answer_to_most_prompts_is_odd() -> None:
    alike = [TextSample("e", 1, SORRY, f"p{n}") for n in range(3)]
    other = [TextSample("e", 1, f"answer number {n} is long enough", f"q{n}") for n in range(4)]
    assert odd(*alike, *other[:3])[:4] == [(OutputIssue.COMMON,)] * 3 + [()]
    assert odd(*alike, *other)[0] == ()
    assert odd(*alike[:2])[0] == ()


def test_labels_and_wanted_answers_may_be_alike() -> None:
    labels = [TextSample("e", 1, "positive", f"p{n}") for n in range(9)]
    assert odd(*labels)[0] == ()
    wanted = [TextSample("e", 1, SORRY, f"p{n}", SORRY) for n in range(9)]
    assert odd(*wanted)[0] == ()
