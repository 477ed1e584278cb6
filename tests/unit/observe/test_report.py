"""The report of a run: its facts, and that no text from outside gets the better of any of its forms."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.core import events as ev
from stretto.model.plan import Check, Phase, Plan, Task
from stretto.model.run import TARGET, Culprit, Failure, LandEntry, Remark, RunSettings, Usage
from stretto.observe.report.facts import Report, report, verdict
from stretto.observe.report.html import page
from stretto.observe.report.junit import junit
from stretto.observe.report.markdown import block, code, markdown, text
from stretto.observe.story import Story
from stretto.ports import Engine, Recorded

ENGINE = Engine(pid=7, host="here")
DARK = Usage()


def plan(*tasks: Task) -> Plan:
    return Plan(name="shop", format="stretto", phases=(Phase(id="p"),), tasks=tasks)


def told(events: Iterable[ev.Event]) -> Story:
    return Story(Recorded(seq=seq, event=event) for seq, event in enumerate(events, 1))


def began(*tasks: Task, at: float = 100.0, attempts: int = 3) -> list[ev.Event]:
    settings = RunSettings(parallel=9, attempts=attempts, agent="scripted")
    start = ev.RunStarted(at=at, run="r-1", plan=plan(*tasks), settings=settings, base="b" * 40, branch="stretto/r-1")
    return [start, ev.RunResumed(at=at)]


def works(
    task: str, begin: float, end: float, *, attempt: int = 1, usage: Usage = DARK, confidence: float | None = None
) -> list[ev.Event]:
    return [
        ev.Granted(at=begin, task=task, attempt=attempt),
        ev.AttemptStarted(at=begin, task=task, attempt=attempt, agent="scripted"),
        ev.AttemptFinished(
            at=end, task=task, attempt=attempt, commit=f"{task}{attempt}" * 8, paths=("x",), usage=usage,
            confidence=confidence,
        ),
    ]  # fmt: skip


def lands(task: str, at: float, *, batch: int, attempt: int = 1) -> ev.Event:
    entry = LandEntry(task=task, attempt=attempt, commit=f"{task}{attempt}" * 8)
    return ev.BatchLanded(at=at, lane=TARGET, batch=batch, landed=(entry,), commit=f"l{batch}" * 20)


def of(events: Iterable[ev.Event], engine: Engine | None = None, *, now: float = 1000.0) -> Report:
    return report(told(events), engine, now=now, delivered=False)


A, B, C = Task(id="a", phase="p"), Task(id="b", phase="p"), Task(id="c", phase="p", depends_on=("a", "b"))


def finished(confidence: float | None = None) -> list[ev.Event]:
    """a: 100 to 110, landed at 112; b: 100 to 130, at 131; c: from 140 to 150, at 151."""
    return [
        *began(A, B, C),
        *works("a", 100.0, 110.0, usage=Usage(cost_usd=0.5, input_tokens=10, output_tokens=1), confidence=confidence),
        lands("a", 112.0, batch=1),
        *works("b", 100.0, 130.0),
        lands("b", 131.0, batch=2),
        *works("c", 140.0, 150.0, usage=Usage(cost_usd=0.25)),
        lands("c", 151.0, batch=3),
    ]


# --- facts -------------------------------------------------------------------------------------------------------


def test_the_critical_path_taken_leads_through_what_was_waited_for_last() -> None:
    facts = of(finished())
    assert [(step.task, step.waited_s, step.took_s) for step in facts.path] == [("b", 0.0, 31.0), ("c", 9.0, 11.0)]


def test_speed_compares_the_clock_with_agents_and_checks_one_after_the_other() -> None:
    speed = of(finished()).speed
    assert (speed.wall_s, speed.sequential_s) == (51.0, 50.0)


def test_time_without_an_engine_is_no_time_of_the_run() -> None:
    """Killed at 110, taken up at 500."""
    events = [
        *began(A),
        *works("a", 100.0, 110.0)[:2],
        ev.Noticed(at=110.0, code="look", message="x"),
        ev.AttemptLost(at=500.0, task="a", attempt=1, engine=True, commit="c" * 40),
        ev.RunResumed(at=500.0),
        *works("a", 500.0, 505.0, attempt=2),
        lands("a", 506.0, batch=1, attempt=2),
        ev.Noticed(at=900.0, code=ev.DELIVERED, message="d" * 40),
    ]
    facts = of(events)
    assert facts.sessions == ((100.0, 110.0), (500.0, 506.0))
    assert facts.speed.wall_s == 16.0
    assert facts.delivered == "d" * 40
    assert [attempt.kind for attempt in facts.tasks[0].attempts] == ["lost", ""]


def test_what_nobody_told_of_its_cost_is_unknown_and_not_nothing() -> None:
    facts = of(finished())
    assert (facts.usage.cost_usd, facts.unknown, facts.started) == (0.75, 1, 3)
    page = markdown(facts)
    assert r"\$0.75, and what 1 attempt did not tell" in page
    assert "| `b` |  | 1 | 31s | unknown |" in page
    nothing = of([*began(A), *works("a", 100.0, 101.0), lands("a", 102.0, batch=1)])
    assert "unknown: no attempt told" in markdown(nothing)


def test_attempts_that_did_not_land_say_why_whatever_the_reason() -> None:
    checked = msgspec.structs.replace(A, verify=(Check(command="make test"),))
    remarks = (Remark(check="make test", message="exit status 1\nboom"),)
    events = [
        *began(checked),
        *works("a", 100.0, 101.0),
        ev.AttemptGated(at=102.0, task="a", attempt=1, verdict="red", remarks=remarks),
        *works("a", 103.0, 104.0, attempt=2),
        ev.AttemptGated(at=105.0, task="a", attempt=2, verdict="green"),
        ev.BatchRejected(at=106.0, lane=TARGET, batch=1, culprits=(Culprit(task="a", kind="conflict", paths=("x",)),)),
        *works("a", 107.0, 108.0, attempt=3),
        ev.AttemptGated(at=109.0, task="a", attempt=3, verdict="green"),
        ev.BatchRejected(at=110.0, lane=TARGET, batch=2, culprits=(Culprit(task="a", kind="gate", remarks=remarks),)),
        ev.Granted(at=111.0, task="a", attempt=4),
        ev.AttemptFailed(at=112.0, task="a", attempt=4, failure=Failure(kind="permanent", message="no such model")),
    ]
    facts = of(events)
    (task,) = facts.tasks
    assert [(attempt.kind, attempt.said) for attempt in task.attempts] == [
        ("gate", "check red: make test: exit status 1: boom"),
        ("conflict", "conflict with what has landed, in x"),
        ("gate", "check red after the merge with what had landed: make test: exit status 1: boom"),
        ("permanent", "trouble that will not pass: no such model"),
    ]
    assert (facts.green, [(red.attempt, red.verdict) for red in facts.red]) == (
        2,
        [(1, "red"), (3, "red after the merge")],
    )
    assert task.state == "failed"


@pytest.mark.parametrize(("confidence", "word"), [(None, "PROCEED"), (0.85, "PROCEED"), (0.84, "ESCALATE")], ids=str)
def test_r5_5_a_run_that_has_landed_proceeds_unless_its_agents_are_unsure(confidence: float | None, word: str) -> None:
    assert of(finished(confidence)).verdict == word


def test_r5_5_the_verdict_of_a_run_that_has_not_landed_is_escalate_or_none() -> None:
    live = told([*began(A), *works("a", 100.0, 110.0)[:2]]).state
    assert verdict(live, ENGINE, None) == (None, "the run is not over")
    assert verdict(live, None, None)[0] == "ESCALATE"
    failed = Failure(kind="permanent", message="x")
    events = [*began(A), *works("a", 1.0, 2.0)[:2], ev.AttemptFailed(at=3.0, task="a", attempt=1, failure=failed)]
    assert verdict(told(events).state, None, None) == ("ESCALATE", "1 failed")
    assert verdict(told([*events, ev.RunAbandoned(at=4.0)]).state, None, None)[0] is None


def test_a_living_run_is_told_up_to_now() -> None:
    facts = of([*began(A), *works("a", 100.0, 110.0)[:2]], ENGINE, now=160.0)
    assert (facts.verdict, facts.speed.wall_s, facts.last_at) == (None, 60.0, 160.0)
    assert "| running |" in markdown(facts)


# --- forms -------------------------------------------------------------------------------------------------------

HOSTILE = [
    "a|b", "`x`", "``", "<script>alert(1)</script>", "![x](http://e/x.png)", "a\nb", "# head", "@everyone",
    "\x1b[31mred",    "]]>", "\x00\x0b", "\ud800",
    "{{ 7*7 }}", "{% for %}", "$x$", "~~no~~", "```\nout", "\\", "-->", "&amp;", "\u202e",
]  # fmt: skip


def hostile(word: str) -> Report:
    """A report in which every text that comes from outside is that word."""
    remarks = (Remark(check=word, message=word),)
    task = Task(id=word, phase=word, title=word, verify=(Check(command=word),))
    whole = Plan(name=word, format="stretto", phases=(Phase(id=word, title=word),), tasks=(task,))
    settings = RunSettings(parallel=1, attempts=1, agent=word)
    events: list[ev.Event] = [
        ev.RunStarted(at=1.0, run="r-1", plan=whole, settings=settings, base="b" * 40, branch="stretto/r-1"),
        ev.RunResumed(at=1.0),
        *works(word, 2.0, 3.0),
        ev.AttemptGated(at=4.0, task=word, attempt=1, verdict="red", remarks=remarks),
        ev.Noticed(at=5.0, code="look", message=word, tasks=(word,)),
    ]
    return of(events)


def cells(row: str) -> int:
    return len(re.findall(r"(?<!\\)\|", row)) - 1


def judge_markdown(found: str) -> None:
    outside = re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$", "", found)
    assert not re.search(r"(?<!\\)<(?!!-- -->)", re.sub(r"(?<!\\)(`+)(?!`).*?(?<!`)\1(?!`)", "", outside))
    width = 0
    for row in outside.splitlines():
        if row.startswith("| ---"):
            width = cells(row)
        elif row.startswith("|") and width:
            assert cells(row) == width, row
        elif not row:
            width = 0
    heads = ["Not landed", "Checks", "Attempts that did not land", "Notices", "Timeline", "Next"]
    assert re.findall(r"(?m)^## (.*)$", outside) == heads


class Tags(HTMLParser):
    """What a browser would make of it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)


def judge_html(found: str) -> None:
    tags = Tags()
    tags.feed(found)
    assert not tags.names & {"script", "img", "a", "iframe"}


@pytest.mark.parametrize("word", HOSTILE, ids=ascii)
def test_text_from_outside_stays_text(word: str) -> None:
    facts = hostile(word)
    judge_markdown(markdown(facts).encode(errors="backslashreplace").decode())
    judge_html(page(facts))
    ET.fromstring(junit(facts))


@given(st.text())
def test_any_text_is_valid_in_every_form(word: str) -> None:
    facts = hostile(word)
    judge_markdown(markdown(facts))
    judge_html(page(facts))
    (case,) = ET.fromstring(junit(facts)).iter("testcase")
    assert case.find("failure") is not None


@given(st.text())
def test_code_and_blocks_cannot_be_left(word: str) -> None:
    if found := code(word):
        fence = re.match("`+", found)
        assert fence is not None
        assert fence[0] not in found[len(fence[0]) : -len(fence[0])]
        assert "\n" not in found
    first, *_, last = block([word], "text")
    assert first.removesuffix("text") == last
    assert last not in word
    assert "\n" not in text(word)


def test_junit_counts_what_it_holds() -> None:
    optional = Task(id="o", phase="p", optional=True)
    events = [
        *began(A, optional, C, B, attempts=1),
        *works("a", 100.0, 101.0)[:2],
        ev.AttemptFailed(at=102.0, task="a", attempt=1, failure=Failure(kind="timeout", message="15 min")),
        *works("o", 100.0, 101.0)[:2],
        ev.AttemptFailed(at=103.0, task="o", attempt=1, failure=Failure(kind="failed")),
        *works("b", 103.0, 104.0),
        lands("b", 105.0, batch=1),
    ]
    root = ET.fromstring(junit(of(events)))
    (suite,) = root
    assert [suite.get(key) for key in ("name", "tests", "failures", "skipped")] == ["p", "4", "1", "2"]
    (failure,) = root.iter("failure")
    assert (failure.get("type"), failure.get("message")) == ("timeout", "too slow: 15 min")
    assert [case.get("name") for case in root.iter("testcase")] == ["a", "o", "c", "b"]
