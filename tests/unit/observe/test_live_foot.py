"""The foot of the live view: what a person has to do, and until when, is there whole in any terminal."""

from __future__ import annotations

import shlex

import pytest

from live_screens import Story, in_trouble, stopping
from stretto.core import events as ev
from stretto.model.plan import Check, Phase, Plan, Task
from stretto.model.run import Failure
from stretto.observe.cells import folded, plain
from stretto.observe.live import Look, frame
from stretto.observe.paint import width_of

QUESTION = (
    "Is the wording of the new terms of service, of the cookie banner and of the letter to those customers "
    "who have been with us for more than ten years what the lawyers said?"
)


def asking(*ids: str, title: str = QUESTION, name: str = "shop") -> Story:
    """A run in which all of these wait for a person."""
    tasks = tuple(Task(id=id, phase="p", title=title, estimate_s=1.0, verify=(Check(kind="approval"),)) for id in ids)
    story = Story(Plan(name=name, format="stretto", phases=(Phase(id="p"),), tasks=tasks), parallel=len(ids))
    story.starts(1.0)
    for id in ids:
        story.done(2.0, id)
        story.asks(3.0, id)
    return story


def foot(story: Story, width: int, height: int = 24) -> list[str]:
    lines, _ = frame(story.scene(4.0), Look(), width, height)
    return [plain(line) for line in lines]


def commands(lines: list[str]) -> list[list[str]]:
    """The commands on the screen, as a shell would read them."""
    text = "\n".join(lines[next(n for n, text in enumerate(lines) if text.startswith("asks you")) + 1 :])
    text = text[text.index("stretto ") :].partition("\nlanding")[0].replace("\\\n", " ")
    return [shlex.split(line) for line in text.splitlines() if "stretto " in line]


LONG = "write-the-release-notes-for-everybody-who-has-asked"


@pytest.mark.parametrize("width", [79, 60, 54])
@pytest.mark.parametrize("task", ["a", LONG, "it's a task with blanks in its name", "--odd"])
def test_the_command_that_answers_is_whole(task: str, width: int) -> None:
    story = asking(task)
    (words,) = commands(foot(story, width))
    assert words[:2] == ["stretto", "approve"]
    assert task in words and words[words.index("--run") + 1] == story.coordinator.state.run


def test_where_no_line_holds_it_the_command_that_tells_it_is_there() -> None:
    story = asking("x" * 100)
    assert commands(foot(story, 79)) == [["stretto", "status", story.coordinator.state.run]]


def test_that_there_is_more_to_answer_is_told_with_its_command_whole() -> None:
    story = asking("a", "b", "c", name="a-plan-with-rather-a-long-name-of-its-own")
    assert commands(foot(story, 72))[-1] == ["stretto", "status", story.coordinator.state.run]


def test_a_question_goes_on_in_the_next_line() -> None:
    lines = foot(asking("a"), 79, 40)
    start = next(n for n, text in enumerate(lines) if text.startswith("asks you"))
    told = [text[10:] for text in lines[start : start + 3]]
    assert " ".join(told) == f"a: {QUESTION}"
    short = foot(asking("a"), 79, 12)
    assert sum(text.startswith(("asks you", " " * 10 + "who")) for text in short) == 1


def test_until_when_it_is_paused_is_told_before_the_reason() -> None:
    story = in_trouble()
    message = "the limit of five hours is used up, in more words than a line of this screen has"
    failure = Failure(kind="quota", message=message, retry_after_s=3600.0)
    story.tell(ev.AttemptFailed(at=580.0, task="mail", attempt=2, failure=failure))
    lines = story.screen(590.0, height=40)
    start = next(n for n, text in enumerate(lines) if text.startswith("paused"))
    told = " ".join(text.strip() for text in lines[start : start + 3])
    assert "it may go on at" in told and "more words than a line of this screen has" in told
    lines = story.screen(590.0, height=12)
    assert any("it may go on at" in text for text in lines if text.startswith("paused"))


def test_it_is_not_about_to_end_while_somebody_is_asked() -> None:
    assert "waits for you" in foot(asking("a"), 79)[1]
    tasks = (
        Task(id="asks", phase="p", estimate_s=1.0, verify=(Check(kind="approval"),)),
        Task(id="works", phase="p", estimate_s=1.0),
    )
    story = Story(Plan(name="two", format="stretto", phases=(Phase(id="p"),), tasks=tasks), parallel=2)
    story.starts(1.0)
    story.done(2.0, "asks")
    assert "about to end" in foot(story, 79)[1]
    story.asks(3.0, "asks")
    assert "about to end" not in foot(story, 79)[1]
    assert "then waits for you" in foot(story, 79)[1]


def test_r8_6_a_stop_does_not_wait_for_who_is_asked() -> None:
    story = stopping()
    assert "waits for you" not in story.screen(2000.0)[1]
    assert "about to end" in story.screen(2000.0)[1]


@pytest.mark.parametrize(
    ("text", "width", "most", "lines"),
    [
        ("one two three", 20, 2, ["one two three"]),
        ("one two three", 8, 2, ["one two", "three"]),
        ("one two three four", 8, 2, ["one two", "three f…"]),
        ("onetwothree", 4, 3, ["onet", "woth", "ree"]),
        ("日本語のタスク", 6, 3, ["日本語", "のタス", "ク"]),
        ("one", 2, 1, ["o…"]),
        ("", 2, 2, [""]),
        ("日本", 1, 5, ["日", "本"]),
    ],
)
def test_text_is_folded_by_columns(text: str, width: int, most: int, lines: list[str]) -> None:
    assert folded(text, width, most) == lines
    assert width == 1 or all(width_of(line) <= width for line in lines)
