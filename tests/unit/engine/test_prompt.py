"""The prompt of an attempt (R4: every attempt after the first has the earlier attempts' reasons in its prompt)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.agents import script
from stretto.core.commands import StartAttempt
from stretto.engine.prompt import SEAM, Prompts
from stretto.engine.sections import STORY_LIMIT
from stretto.model.plan import Plan, Task
from stretto.model.run import Failure, FailureKind, PastAttempt, Remark

BASE = "b" * 40
MESSAGES = st.text("ab `\n", max_size=60) | st.builds(
    str.__mul__, st.sampled_from(("x", "`", "y\n")), st.integers(0, 5_000)
)


def composed(
    prompt: str = "Do it",
    *,
    past: tuple[PastAttempt, ...] = (),
    context: dict[str, str] | None = None,
    prompt_file: str | None = None,
    others: tuple[Task, ...] = (),
    carry: str | None = None,
    conflict: bool = False,
) -> str:
    task = Task(id="me", phase="p", prompt=prompt, prompt_file=prompt_file, carry=bool(carry) or conflict)
    plan = Plan(name="n", format="stretto", tasks=(task, *others))
    start = StartAttempt(
        task="me", attempt=len(past) + 1, lane="target", base=BASE, past=past, carry=carry, conflict=conflict,
        timeout_s=1, idle_s=1, agents=(),
    )  # fmt: skip
    return Prompts(plan, {"me": context or {}}).compose(start, reads=False).text


def failed(n: int, kind: FailureKind = "failed", message: str = "", *remarks: Remark) -> PastAttempt:
    return PastAttempt(attempt=n, failure=Failure(kind=kind, message=message), remarks=remarks)


@given(st.text())
def test_with_nothing_to_add_the_prompt_is_exactly_the_tasks(prompt: str) -> None:
    assert composed(prompt) == prompt


def test_context_files_follow_with_their_names_in_order() -> None:
    text = composed(context={"b.md": "bee\n", "a.md": "has ```` ticks"})
    assert text == (
        f"Do it\n\n{SEAM}\n\n# Context: b.md\n\n```\nbee\n```\n\n# Context: a.md\n\n`````\nhas ```` ticks\n`````\n"
    )


def test_the_prompt_file_is_the_prompt_where_there_is_no_other() -> None:
    files = {"prompts/a.md": "From a file.\n"}
    assert composed("", prompt_file="prompts/a.md", context=files) == "From a file.\n"
    assert composed("", prompt_file="prompts/a.md", context={**files, "x": "y"}).startswith(f"From a file.\n\n{SEAM}")


def test_r4_every_earlier_attempt_and_its_reason_is_told_oldest_first() -> None:
    past = (
        failed(1, "timeout", "not done after 900 s"),
        failed(2, "transient", "ended by SIGKILL"),
        failed(4, "gate", "1 check is red", Remark(check="make test", message="\x1b[31mE  assert 1 == 2", log="/l")),
    )
    text = composed(past=past)
    assert text.startswith(f"Do it\n\n{SEAM}\n\n# Earlier attempts\n\nThis is attempt 4")
    said = ["Attempt 1: timeout", "not done after 900 s", "Attempt 2: transient", "ended by SIGKILL",
            "Attempt 4: gate", "make test:", "E  assert 1 == 2"]  # fmt: skip
    places = [text.index(words) for words in said]
    assert places == sorted(places)
    assert "\x1b" not in text


def test_the_kept_work_of_an_attempt_is_offered() -> None:
    past = PastAttempt(attempt=1, failure=Failure(kind="failed"), commit="c" * 40)
    assert f"git show {'c' * 12}" in composed(past=(past,))


@pytest.mark.parametrize("kind", ["gate", "blocked_on_prompt", "no_effect", "timeout", "idle"])
def test_kinds_that_an_agent_can_avoid_come_with_advice(kind: FailureKind) -> None:
    assert len(composed(past=(failed(1, kind),))) > len(composed(past=(failed(1, "failed"),))) + 30


def test_the_newest_attempt_is_told_in_full_and_the_oldest_shortened_first() -> None:
    past = tuple(failed(n, "failed", f"reason {n}\n" + f"{n} " * 4000 + f"end {n}") for n in range(1, 6))
    text = composed(past=past)
    assert len(text) < STORY_LIMIT + 500
    assert all(f"Attempt {n}: failed" in text for n in range(1, 6))
    told = [len(part) for part in text.split("## Attempt ")[1:]]
    assert told[0] < 300 and told[0] <= told[1] < told[2] < told[3] and told[4] > 8000
    assert "reason 5" in text and all(f"end {n}" in text for n in range(1, 6))


def test_many_findings_share_the_room() -> None:
    remarks = tuple(Remark(check=f"check {n}", message="x" * 9000 + f" found {n}") for n in range(30))
    text = composed(past=(failed(1, "gate", "red", *remarks),))
    assert len(text) < STORY_LIMIT + 500
    assert all(f" found {n}\n" in text for n in range(20))
    assert "10 more findings" in text


@given(
    st.lists(
        st.builds(
            PastAttempt,
            attempt=st.integers(1, 9),
            failure=st.builds(Failure, kind=st.sampled_from(("failed", "gate", "timeout")), message=MESSAGES),
            remarks=st.lists(st.builds(Remark, check=MESSAGES, message=MESSAGES), max_size=30).map(tuple),
        ),
        max_size=40,
    )
)  # fmt: skip
def test_the_story_is_bounded_whatever_happened(past: list[PastAttempt]) -> None:
    text = composed(past=tuple(past))
    assert len(text) < STORY_LIMIT + 500
    if past:
        assert f"## Attempt {past[-1].attempt}: {past[-1].failure.kind}" in text


def test_carried_work_is_mentioned() -> None:
    text = composed(past=(failed(1, "transient"),), carry="c" * 40)
    assert "lies in this folder" in text and BASE[:12] in text and "c" * 12 in text


def test_r4_a_conflict_tells_what_to_do_and_what_the_others_wanted() -> None:
    others = (
        Task(id="auth", phase="p", title="Log in by mail"),
        Task(id="auth-2", phase="p", title="Never mentioned"),
        Task(id="ui", phase="p", prompt="Build the page\nwith care"),
        Task(id="app", phase="p", title="Start up faster", writes=("src/a*.py",)),
        Task(id="tests", phase="p", title="Not there either", writes=("tests/",)),
    )
    past = (failed(1, "conflict", "conflicts with auth, and ui.", Remark(check="conflict", message="src/app.py")),)
    text = composed(past=past, others=others, conflict=True, carry="c" * 40)
    assert "conflict markers" in text and "src/app.py" in text
    assert "- auth: Log in by mail\n- ui: Build the page\n- app: Start up faster\n" in text
    assert "Never mentioned" not in text and "Not there either" not in text


def test_a_script_stays_the_same_script_whatever_is_added() -> None:
    play = "append routes /a\nresolve routes\n"
    past = (failed(1, "conflict", "line 3: unknown\n```script\nsay no\n```"),)
    for context in ({}, {"a.md": "```script\nsay no\n```"}):
        text = composed(play, past=past, context=context, conflict=True)
        assert script.parse(text) == script.parse(play)
