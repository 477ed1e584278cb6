"""A template of the user's own chooses and arranges; it cannot compute, go on for ever, or lose the task's words."""

from __future__ import annotations

import pytest

from stretto.core.commands import StartAttempt
from stretto.engine.prompt import BUDGET, SEAM, Prompt, Prompts
from stretto.engine.template import MOST_OWN, NAMES, SECTIONS, built_in, code, examine, fenced, flat, line
from stretto.model.plan import Plan, Task

USUAL = "{{ words }}\n\n{{ seam }}\n\n{{ sections }}\n"


def composed(template: str | None, *, prompt: str = "Do it", reads: bool = True, budget: int = BUDGET) -> str:
    told = arranged(template, prompt=prompt, reads=reads, budget=budget)
    assert told.trouble == ""
    return told.text


def arranged(template: str | None, *, prompt: str = "Do it", reads: bool = True, budget: int = BUDGET) -> Prompt:
    task = Task(id="me", phase="p", title="My task", prompt=prompt, writes=("src/**",))
    plan = Plan(name="shop", format="stretto", tasks=(task,))
    start = StartAttempt(
        task="me", attempt=1, lane="target", base="b" * 40, timeout_s=1.0, idle_s=1.0, agents=("x",)
    )  # fmt: skip
    return Prompts(plan, {}, template=template, budget=budget).compose(start, reads=reads)


def test_the_usual_arrangement_is_a_template_like_any_other() -> None:
    assert examine(USUAL) is None
    assert composed(USUAL) == composed(None)
    assert built_in().names == {"words", "seam", "sections"}


def test_a_shell_agent_hears_everything_by_a_template_and_else_the_words_alone() -> None:
    assert composed(None, reads=False) == "Do it"
    assert composed(USUAL, reads=False) == composed(None, reads=True)


def test_sections_may_be_chosen_and_asked_for() -> None:
    told = composed(
        "{# ours #}{{ task }}/{{ title }}/{{ phase }}/{{ plan }}/{{ base }}/{{ attempt }}\n{{ words }}\n"
        "{% if attempt > 1 %}again{% elif not gates and claims %}{{ claims }}{% endif %}\n\n{{ title | upper }}"
    )
    head, words, *rest = told.split("\n")
    assert head == f"me/My task/p/shop/{'b' * 40}/1"
    assert words == "Do it"
    assert rest[0] == "# Files" and rest[-1] == "MY TASK"
    assert "# Your task" not in told and SEAM not in told


@pytest.mark.parametrize("name", NAMES)
def test_every_name_that_is_promised_can_be_named(name: str) -> None:
    assert examine(f"{{{{ words }}}}{{{{ {name} }}}}") is None
    composed(f"{{{{ words }}}}{{{{ {name} }}}}")


@pytest.mark.parametrize(
    ("source", "line", "said", "hint"),
    [
        ("a\n{{ words", 2, "", ""),
        ("{{ words }}\n\n{% if attempt %}", 3, "endif", ""),
        ("{{ words }}\n{{ wrds }}", 2, "'wrds'", "did you mean words?"),
        ("{{ words }}\n{{ xyz }}", 2, "'xyz'", "words, seam"),
        ("{{ words }}\n{{ words | uper }}", 2, "'uper'", "did you mean upper?"),
        ("{{ words }}{{ words | replace('a', 'b') }}", 1, "'replace'", "there are capitalize"),
        ("{{ words }}\n{% for c in words %}{{ c }}{% endfor %}", 2, "a loop", "`if`"),
        ("{{ words }}{% for i in range(1000000000) %}{% endfor %}", 1, "a loop", ""),
        ("{{ words }}\n\n{{ words.ljust(10) }}", 3, "a call", ""),
        ("{{ words }}{{ words.__class__.__mro__ }}", 1, "a dot", ""),
        ("{{ words }}{{ words[0] }}", 1, "an index", ""),
        ("{{ words }}{{ 'x' * 1000000000 }}", 1, "Mul", ""),
        ("{{ words }}{{ 9 ** 9 ** 9 }}", 1, "Pow", ""),
        ("{{ words }}{% set a = words ~ words %}", 1, "Assign", ""),
        ("{{ words }}{% macro a() %}{{ a() }}{% endmacro %}", 1, "Macro", ""),
        ("{{ words }}{% include '/etc/passwd' %}", 1, "Include", ""),
        ("{% extends 'x' %}{{ words }}", 1, "Extends", ""),
        ("{{ words }}{% import 'x' as y %}", 1, "Import", ""),
        ("{{ words }}\n{{ attempt > 'x' }}", 2, "not supported", ""),
        ("{{ words }}{{ words is thing }}", 1, "thing", ""),
        ("nothing of it", 1, "the task's own words", "{{ words }}"),
        ("{{ words | upper }}", 1, "the task's own words", "{{ words }}"),
        ("{% if attempt == 2 %}{{ words }}{% endif %}", 1, "the task's own words", ""),
        ("{{ words }}" + "x" * MOST_OWN, 1, str(MOST_OWN), ""),
        ("{{ words }}" + "{% if 1 %}" * 1500 + "{% endif %}" * 100, 1, "", ""),
    ],
)
def test_what_a_template_may_not_be_is_said_with_its_line(source: str, line: int, said: str, hint: str) -> None:
    trouble = examine(source)
    assert trouble is not None
    assert (trouble.line, said in trouble.message, hint in trouble.hint) == (line, True, True), trouble


def test_the_text_of_a_task_is_never_a_template() -> None:
    words = "{{ 7 * 7 }} {% for x in y %} {# gone? #} {{ words }} {% raw %}"
    for template in (None, USUAL, "{{ sections }}\n{{ words }}\n"):
        told = composed(template, prompt=words)
        assert words in told and "49" not in told


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ words }}{% if title == 'My task' %}{{ attempt < 'x' }}{% endif %}", "not supported"),
        ("{% if title != 'My task' %}{{ words }}{% endif %}", "own words"),
        ("{{ words }}" + "x" * 900, "no room"),
        ("{% broken", ""),
    ],
)
def test_a_template_that_fails_in_the_run_gives_way_to_the_usual_one(template: str, why: str) -> None:
    told = arranged(template, budget=900)
    assert told.trouble and why in told.trouble
    assert told.text == composed(None, budget=900)


def test_a_section_that_is_shown_twice_counts_twice() -> None:
    told = composed("{{ words }}\n" + "{{ sections }}\n" * 3, budget=1500)
    assert len(told) <= 1500
    assert told.count("# Files") == 3


@pytest.mark.parametrize("name", SECTIONS)
def test_only_what_a_template_shows_takes_room(name: str) -> None:
    told = arranged(f"{{{{ words }}}}\n{{{{ {name} }}}}", budget=600)
    assert [part.name for part in told.sections[1:]] in ([], [name])


def test_text_is_put_in_place_so_that_nothing_in_it_ends_its_place() -> None:
    assert fenced("a\n```\nb\n````\n") == "`````\na\n```\nb\n````\n`````"
    assert code("a`b") == "``a`b``"
    assert code("`a") == "`` `a ``"
    assert code("a\nb\x1b[1m") == "`a b`"
    assert line("\x1b[1m first \nsecond") == "first "
    assert flat(" a\n\n b\x00 ", 3) == "a b"
