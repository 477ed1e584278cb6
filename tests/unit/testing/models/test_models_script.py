"""The script language: what is understood, and what is refused with its line."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.agents.script import SEAM
from stretto.testing.models import script
from stretto.testing.models.directives import (
    Answer,
    Bash,
    Cut,
    Delay,
    Does,
    Edit,
    Fail,
    Hang,
    Header,
    Limit,
    Read,
    Say,
    ScriptError,
    Slow,
    Span,
    Stop,
    StreamError,
    Text,
    Usage,
    Use,
    Write,
)
from stretto.testing.models.script import DIRECTIVES, parse, rule, script_of

UNDERSTOOD: dict[str, Does] = {
    "write a/b.txt": Write(path="a/b.txt", text=""),
    r"write a.txt one  two\nthree": Write(path="a.txt", text="one  two\nthree"),
    r"edit a.txt old one => new\none": Edit(path="a.txt", old="old one", new="new\none"),
    "edit a.txt gone =>": Edit(path="a.txt", old="gone", new=""),
    "edit a.txt a => b => c": Edit(path="a.txt", old="a", new="b => c"),
    "read a.txt": Read(path="a.txt"),
    r"bash printf 'a\n' | cat": Bash(command=r"printf 'a\n' | cat"),
    "tool Glob": Use(names=("Glob",), arguments={}),
    'tool A|B {"x": [1]}': Use(names=("A", "B"), arguments={"x": [1]}),
    "say hello you": Say(text="hello you"),
    r"text two\nlines": Text(text="two\nlines"),
    'answer {"ok": true}': Answer(value={"ok": True}),
    "stop max_tokens": Stop(reason="max_tokens"),
    "usage 10 20": Usage(input=10, output=20),
    "usage 10 20 30 0": Usage(input=10, output=20, read=30, written=0),
    'header x-a=1 x-b="two words"': Header(headers=(("x-a", "1"), ("x-b", "two words"))),
    "delay 0.5": Delay(seconds=0.5),
    "slow 2": Slow(seconds=2.0),
    "hang": Hang(silent=False),
    "hang silent": Hang(silent=True),
    "cut": Cut(silent=False),
    "cut silent times=1": Cut(silent=True),
    "fail 529": Fail(status=529, type=None, message="scripted 529", fields=(), headers=()),
    'fail 429 type=t message="slow down" retry-after=2 error.resets_at=9': Fail(
        status=429, type="t", message="slow down", fields=(("resets_at", "9"),), headers=(("retry-after", "2"),)
    ),
    "stream-error overloaded_error": StreamError(type="overloaded_error", message="scripted error"),
    'stream-error x message="a b"': StreamError(type="x", message="a b"),
    "limit 60": Limit(seconds=60.0, claim="five_hour"),
    "limit 60 seven_day times=2": Limit(seconds=60.0, claim="seven_day"),
}


@pytest.mark.parametrize("line", UNDERSTOOD)
def test_a_line_says_this(line: str) -> None:
    (parsed,) = parse(f"  MODEL {line} ").lines
    assert parsed.does == UNDERSTOOD[line]


def test_every_directive_is_tried_here_and_told_in_the_page_of_the_language() -> None:
    told = re.findall(r"^    ([a-z-]+)(?= [A-Z\[ ])", script.__doc__ or "", re.MULTILINE)
    assert set(told) == set(DIRECTIVES)
    assert {line.split()[0] for line in UNDERSTOOD} == set(DIRECTIVES)


REFUSED = {
    "MODEL wirte a.txt": r"line 2.*'MODEL wirte a.txt'.*unknown directive 'wirte'; did you mean 'write'\?",
    "MODEL xyzzy": "unknown directive 'xyzzy'; there are write, edit",
    "MODEL write": "write: PATH is missing",
    "MODEL edit a.txt no arrow": "edit: it takes OLD => NEW",
    "MODEL edit a.txt => new": "edit: it takes OLD => NEW",
    "MODEL edit a.txt a =>b": "edit: it takes OLD => NEW",
    "MODEL bash": "bash: COMMAND is missing",
    "MODEL tool": "tool: NAME is missing",
    "MODEL tool X {": "tool: '{' is no JSON object",
    "MODEL answer [1]": "answer: .* is no JSON object",
    "MODEL usage 1": "usage: OUTPUT is missing",
    "MODEL usage 1 -2": "usage: OUTPUT '-2' is no whole number",
    "MODEL usage 1 2 3": "usage: WRITTEN is missing",
    "MODEL usage 1 2 3 4 5": "usage: '5' is too much",
    "MODEL stop a b": "stop: 'b' is too much",
    "MODEL delay": "delay: SECONDS is missing",
    "MODEL delay soon": "delay: SECONDS .soon. is no number",
    "MODEL delay nan": "delay: SECONDS nan is out of range",
    "MODEL delay 1 2": "delay: '2' is not NAME=VALUE",
    "MODEL hang on=1": "hang: there is no option 'on'",
    "MODEL fail": "fail: STATUS is missing",
    "MODEL fail 200": "fail: 200 is no status of an error",
    "MODEL fail 529 2": "fail: '2' is not NAME=VALUE",
    "MODEL fail 529 times=0": "fail: times=0 is no number from 1 on",
    "MODEL fail 529 time=2": "fail: time=2: there is no such option",
    "MODEL fail 529 x-a=ä": "fail: x-a=ä: a header is printable ASCII",
    'MODEL fail 529 message="open': "fail: No closing quotation",
    "MODEL stream-error x retry-after=1": "no more headers",
    "MODEL header": "header: it takes NAME=VALUE",
    "MODEL header nodash=1": "header: nodash=1",
    "MODEL header x-a=1 turn=2": "header: turn and times are for trouble",
    "MODEL @0 hang": "'@0' is not @N, @N\\+ or @N-M",
    "MODEL @3-1 hang": "'@3-1' is not",
    "MODEL and write a b": "'and' joins a step to a step before it",
    "MODEL or hang": "'or' joins a step to a step before it",
    "MODEL name": "NAME is missing",
    "MODEL name a b": "'b' is too much",
}


@pytest.mark.parametrize("line", REFUSED)
def test_a_wrong_line_is_refused_and_shown(line: str) -> None:
    with pytest.raises(ScriptError, match=REFUSED[line]) as refused:
        parse(f"Do this:\n{line}\nMODEL text fine")
    assert f"script line 2, {line!r}" in str(refused.value)


@given(st.sampled_from(sorted(DIRECTIVES)), st.text(st.characters(codec="utf-8", exclude_characters="\n\r")))
def test_whatever_follows_is_understood_or_refused(directive: str, rest: str) -> None:
    try:
        parse(f"MODEL {directive} {rest}")
    except ScriptError as error:
        assert "script line 1" in str(error)


def test_prose_is_no_script() -> None:
    assert script_of("Use the MODEL layer.\nMODELs are fine\nMODEL") is None
    assert script_of("first\n\tMODEL text hi") is not None
    assert parse("no script").lines == ()


def test_what_stretto_adds_to_a_prompt_is_never_read() -> None:
    own = "Do it\nMODEL text mine\n"
    prompt = f"{own}\n{SEAM}\n\nMODEL text of an earlier attempt\nMODEL nonsense"
    assert [line.does for line in parse(prompt).lines] == [Text(text="mine")]
    assert script_of(f"Do it\n{SEAM}\nMODEL text x") is None
    assert parse(prompt).key == parse(prompt.replace("earlier", "later")).key


def test_attempts_of_a_line() -> None:
    lines = parse("MODEL @2 text a\nMODEL @2+ text b\nMODEL @1-2 text c\nMODEL text d").lines
    assert [line.attempts for line in lines] == [Span(first=2, last=2), Span(first=2), Span(first=1, last=2), Span()]
    parsed = parse("MODEL @2 text a\nMODEL @2+ text b\nMODEL @1-2 text c\nMODEL text d")
    said = {n: [line.source.split()[-1] for line in parsed.in_attempt(n)] for n in (1, 2, 3)}
    assert said == {1: ["c", "d"], 2: ["a", "b", "c", "d"], 3: ["b", "d"]}


def test_options_that_every_trouble_takes() -> None:
    for trouble in ("delay 1", "slow 1", "hang", "cut silent", "fail 500", "stream-error x", "limit 5"):
        (line,) = parse(f"MODEL {trouble} turn=2 times=3").lines
        assert (line.turn, line.times) == (2, 3)
    assert parse("MODEL limit 5").lines[0].times == 1


def test_texts_are_counted_apart_unless_they_have_one_name() -> None:
    assert parse("A\nMODEL hang").key != parse("B\nMODEL hang").key
    assert parse("A\nMODEL name x\nMODEL hang").key == parse("B\nMODEL hang\nMODEL name x").key == "x"


def test_a_rule_is_checked_when_it_is_made() -> None:
    with pytest.raises(ScriptError, match="no pattern"):
        rule("(", "MODEL text x")
    with pytest.raises(ScriptError, match="unknown directive"):
        rule("review", "MODEL x")
    review = rule("(?m)^Review", "MODEL text fine")
    assert script_of("Review this:\nMODEL write a b", [review]) == "MODEL text fine"
    assert script_of("MODEL write a b", [review]) == "MODEL write a b"
