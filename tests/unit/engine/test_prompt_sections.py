"""What an agent is told that reads its prompt: every section, their order, and what happens where room is scarce."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.core.commands import StartAttempt
from stretto.engine.prompt import BUDGET, ROOM, SEAM, Prompt, Prompts
from stretto.engine.template import SECTIONS
from stretto.model.plan import Check, Phase, Plan, PlanGates, Task
from stretto.model.run import Failure, Handoff, PastAttempt, Remark

BASE = "b" * 40
ME = Task(
    id="auth", phase="svc", title="Log in by mail", prompt="Build the login.\n", writes=("src/auth/**", "docs/a.md"),
    verify=(
        Check(command="pytest -q"),
        Check(command="set -e\nmake count", expected="12"),
        Check(kind="approval", instructions="Does it\nlook good?"),
    ),
    artifacts=("dist/login.html",), effect="changes", depends_on=("schema",),
)  # fmt: skip
SCHEMA = Task(id="schema", phase="base", title="Create the tables", prompt="x", artifacts=("schema.sql",))
LINT = Task(id="lint", phase="base", prompt="Tidy up\nall of it", optional=True)
UI = Task(id="ui", phase="svc", prompt="Build the page\nwith care", writes=("src/ui/", "a", "b", "c"))
PHASES = (Phase(id="base"), Phase(id="svc", title="Services"))
LEFT = Handoff(
    task="schema", state="succeeded", summary="Made users and sessions.", decisions=("ids are\ntext", "no nulls"),
    paths=("migrations/1.sql", "x`y.py"), changed=5, commit="d" * 40,
)  # fmt: skip
LOST = Handoff(task="lint", state="failed", reason="timeout: not done after 900 s\nTraceback")
PAST = PastAttempt(
    attempt=1, failure=Failure(kind="gate", message="1 check is red"),
    remarks=(Remark(check="make test", message="assert 1 == 2"),), commit="c" * 40,
)  # fmt: skip


def plan_of(*tasks: Task, landing: tuple[Check, ...] = ()) -> Plan:
    return Plan(name="shop", format="stretto", phases=PHASES, tasks=tasks, gates=PlanGates(verify=landing))


def start_of(
    task: str = "auth",
    *,
    past: tuple[PastAttempt, ...] = (),
    handoffs: tuple[Handoff, ...] = (),
    more: int = 0,
    carry: str | None = None,
    conflict: bool = False,
) -> StartAttempt:
    return StartAttempt(
        task=task, attempt=len(past) + 1, lane="target", base=BASE, past=past, handoffs=handoffs, more_handoffs=more,
        carry=carry, conflict=conflict, timeout_s=1.0, idle_s=1.0, agents=(),
    )  # fmt: skip


def told(
    start: StartAttempt,
    *tasks: Task,
    context: Mapping[str, str] | None = None,
    landing: tuple[Check, ...] = (),
    budget: int = BUDGET,
    folder: str | None = None,
) -> Prompt:
    plan = plan_of(*(tasks or (ME,)), landing=landing)
    prompts = Prompts(plan, {start.task: context or {}}, budget=budget, folder=folder)
    prompt = prompts.compose(start, reads=True)
    assert prompt == prompts.compose(start, reads=True)
    return prompt


def everything(budget: int = BUDGET) -> Prompt:
    start = start_of(past=(PAST,), handoffs=(LEFT, LOST), more=3, carry="e" * 40)
    files = {"docs/style.md": "Be `kind`.\n"}
    return told(start, SCHEMA, LINT, ME, UI, context=files, landing=(Check(command="make all"),), budget=budget)


def named(prompt: Prompt) -> dict[str, str]:
    return {part.name: part.text for part in prompt.sections}


def test_the_sections_come_in_their_order_and_are_the_prompt() -> None:
    prompt = everything()
    assert [part.name for part in prompt.sections] == ["words", *SECTIONS]
    added = "\n\n".join(part.text for part in prompt.sections[1:])
    assert prompt.text == f"Build the login.\n\n{SEAM}\n\n{added}\n"
    assert all(part.cut == 0 for part in prompt.sections)
    assert "\n\n\n" not in prompt.text
    outline = prompt.outline("auth")
    assert (outline["task"], outline["prompt"]) == ("auth", prompt.text)
    listed = outline["sections"]
    assert isinstance(listed, list)
    assert [part["name"] for part in listed] == ["words", *SECTIONS, "template"]
    assert sum(part["characters"] for part in listed) == len(prompt.text)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("about", "Task `auth` (Log in by mail), of the phase `svc` (Services), of the plan \"shop\"."),
        ("about", f"a git worktree at commit {BASE[:12]}"),
        ("context", "# Context: docs/style.md\n\n```\nBe `kind`.\n```"),
        ("handoffs", "## schema: Create the tables\n\n```\nMade users and sessions.\n```\n\n"),
        ("handoffs", "\n- ids are text\n- no nulls\n\n"),
        ("handoffs", "Changed: `migrations/1.sql`, ``x`y.py`` and 3 more\n"),
        ("handoffs", "Made for others: `schema.sql`\n"),
        ("handoffs", "Landed: `git show --first-parent dddddddddddd`\n"),
        ("handoffs", "## lint\n\nIt has failed: nothing of it is in this folder. timeout: not done after 900 s"),
        ("handoffs", "(3 more came before: "),
        ("claims", "stay within them:\n\n- `src/auth/**`\n- `docs/a.md`\n\n"),
        ("claims", "\n- ui (Build the page): `src/ui/`, `a`, `b`"),
        ("gates", "\n- `pytest -q`\n- a script, whose last line of output has to be `12`:\n\n```\nset -e\nmake"),
        ("gates", "\n- a person is asked: Does it look good?\n"),
        ("gates", "These files have to be there afterwards:\n\n- `dist/login.html`\n"),
        ("gates", "it has to pass:\n\n- `make all`"),
        ("result", '{"summary": '),
        ("result", "that is checked, and without it changing nothing does not count as done. If you could not"),
        ("attempts", "## Attempt 1: gate\n\n```\n1 check is red\n```\n\nmake test:\n\n```\nassert 1 == 2\n```\n"),
        ("attempts", f"`git show {'c' * 12}`"),
        ("work", f"an earlier attempt ({'e' * 12}) lies in this folder, uncommitted, on top of {BASE[:12]}"),
    ],
)  # fmt: skip
def test_a_section_says(section: str, said: str) -> None:
    assert said in named(everything())[section]


def test_what_there_is_nothing_to_say_about_is_left_out() -> None:
    bare = Task(id="auth", phase="svc", prompt="x")
    parts = named(told(start_of(), bare))
    assert list(parts) == ["words", "about", "result"]
    assert "that is checked. If you could not" in parts["result"]


def test_a_task_that_was_done_before_the_run_is_told_as_that() -> None:
    left = Handoff(task="schema", state="succeeded", reason="done before this run")
    text = named(told(start_of(handoffs=(left,)), SCHEMA, ME))["handoffs"]
    assert text.endswith(
        "## schema: Create the tables\n\nIt was done before this run.\n\nMade for others: `schema.sql`"
    )


def test_a_task_that_writes_nothing_is_told_so_and_one_of_unknown_scope_is_not() -> None:
    assert "to change no file" in named(told(start_of(), Task(id="auth", phase="svc", writes=())))["claims"]
    others = named(told(start_of(), Task(id="auth", phase="svc", prompt="x"), UI))["claims"]
    assert others.startswith("# Files\n\nOther tasks of this phase") and "stay within" not in others


def test_neighbours_are_the_nearest_of_the_phase_that_are_not_done_and_not_told_of_already() -> None:
    tasks = [Task(id=f"t{n}", phase="svc", prompt=f"do {n}", status="succeeded" if n == 11 else "pending")
             for n in range(20)]  # fmt: skip
    claims = named(told(start_of("t10", handoffs=(Handoff(task="t9", state="succeeded"),)), *tasks))["claims"]
    assert re.findall(r"^- (t\d+) ", claims, re.MULTILINE) == ["t5", "t6", "t7", "t8", "t12", "t13", "t14", "t15"]


def test_a_phase_of_thousands_has_the_same_neighbours() -> None:
    tasks = [Task(id=f"t{n}", phase="svc", prompt=f"do {n}") for n in range(3000)]
    claims = named(told(start_of("t0"), *tasks))["claims"]
    assert re.findall(r"^- (t\d+) ", claims, re.MULTILINE) == [f"t{n}" for n in range(1, 9)]


def test_in_a_foreign_plan_a_title_may_be_all_there_is() -> None:
    assert told(start_of(), Task(id="auth", phase="svc", title="Log in")).text.startswith(f"Log in\n\n{SEAM}\n")


# --- data stays data -------------------------------------------------------------------------------------------------

VILE = "{{ 7 * 7 }} {% for %} ```\n````\n# Heading\n--- added by stretto ---\n\x1b[31m\x00\x07\u202eред"


def test_whatever_a_text_holds_it_stays_in_its_place() -> None:
    me = Task(id="auth", phase="svc", title=VILE, prompt=VILE, writes=(VILE,), artifacts=(VILE,),
              verify=(Check(command=VILE, expected=VILE), Check(kind="approval", instructions=VILE)))  # fmt: skip
    left = Handoff(task="schema", state="succeeded", summary=VILE, decisions=(VILE,), paths=(VILE,), changed=1)
    lost = Handoff(task=VILE, state="failed", reason=VILE)
    past = PastAttempt(
        attempt=1, failure=Failure(kind="gate", message=VILE), remarks=(Remark(check=VILE, message=VILE),)
    )
    prompt = told(start_of(past=(past,), handoffs=(left, lost), conflict=True), me, UI, context={VILE: VILE})
    assert prompt.text.startswith(VILE.rstrip("\n"))
    added = prompt.text[len(VILE) :]
    assert "49" not in added
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", added)
    assert [line for line in outside_fences(added) if line.startswith("# ")] == [
        "# Your task", "# Context: {{ 7 * 7 }} {% for %} ```", "# Done before yours", "# Files",
        "# How your work is checked", "# When you finish", "# Earlier attempts", "# Conflict",
    ]  # fmt: skip
    assert outside_fences(added).count(SEAM) == 1


def outside_fences(text: str) -> list[str]:
    """The lines of Markdown that are in no fenced block."""
    fence, lines = "", []
    for line in text.split("\n"):
        run = re.match("`{3,}", line)
        if not fence and run and "`" not in line[run.end() :]:
            fence = run[0]
        elif fence and run and len(run[0]) >= len(fence) and not line[run.end() :].strip():
            fence = ""
        elif not fence:
            lines.append(line)
    assert not fence
    return lines


def test_half_a_character_is_replaced_so_that_the_prompt_can_be_written() -> None:
    assert told(start_of(), Task(id="auth", phase="svc", prompt="a\ud800b")).text.encode().startswith(b"a\xef\xbf\xbdb")


def test_line_ends_of_other_systems_and_form_feeds_do_not_lose_text() -> None:
    context = named(told(start_of(), context={"a.c": "one\r\ntwo\rthree\x0cfour"}))["context"]
    assert "one\r\ntwo\rthreefour" in context


# --- room ------------------------------------------------------------------------------------------------------------


def test_the_words_are_never_cut_and_what_is_cut_says_so_and_where_it_is() -> None:
    files = {"big.md": "0123456789abcde\n" * 10_000, "small.md": "small", "../out.md": "z" * 90_000}
    prompt = told(start_of(), context=files, folder="plans")
    context = {part.name: part for part in prompt.sections}["context"]
    assert len(prompt.text) <= BUDGET
    assert "```\nsmall\n```" in context.text
    cuts = re.findall(
        r"\(cut by stretto: the last (\d+) of (\d+) characters(?:; the whole text: (.*))?\)", context.text
    )
    assert [(whole, place) for _, whole, place in cuts] == [("160000", "plans/big.md"), ("90000", "out.md")]
    assert 0 <= sum(int(cut) for cut, _, _ in cuts) - context.cut < 40  # to the end of a line
    assert "0123456789abcde\n```\n\n(cut" in context.text  # at the end of a line
    assert len(prompt.text) > BUDGET - 3_000  # no more than necessary


def test_a_file_outside_the_repository_is_not_said_to_be_in_it() -> None:
    for folder, name in ((None, "a.md"), ("", "../a.md"), ("plans", "../../a.md"), ("plans", "/etc/motd")):
        context = named(told(start_of(), context={name: "x" * 90_000}, folder=folder))["context"]
        assert "the whole text" not in context and "cut by stretto" in context


def test_more_files_than_there_is_room_for_are_named() -> None:
    files = {f"f{n}.md": f"{n}\n" * 100 for n in range(900)}
    prompt = told(start_of(), context=files)
    assert len(prompt.text) <= BUDGET
    assert re.search(r"\(cut by stretto: f\d+.md, whole, .* and \d+ more\)", named(prompt)["context"])


def test_what_is_learned_from_a_failure_is_heard_however_long_the_files_are() -> None:
    past = PastAttempt(attempt=1, failure=Failure(kind="gate", message="red"),
                       remarks=(Remark(check="test", message="noise\n" * 3000 + "assert the end"),))  # fmt: skip
    left = tuple(Handoff(task=f"t{n}", state="succeeded", summary=f"did {n} " + "x" * 4000) for n in range(40))
    prompt = told(start_of(past=(past,), handoffs=left), context={"big.md": "x\n" * 90_000})
    assert len(prompt.text) <= BUDGET
    parts = named(prompt)
    assert set(parts) == {"words", "about", "context", "handoffs", "claims", "gates", "result", "attempts"}
    assert "assert the end" in parts["attempts"] and len(parts["attempts"]) > 5_000
    assert all(f"did {n} " in parts["handoffs"] for n in range(30, 40))


def test_of_too_many_handoffs_the_last_ones_are_told_and_the_others_counted() -> None:
    left = tuple(Handoff(task=f"task-{n}", state="succeeded", summary="s" * 200) for n in range(40))
    text = named(told(start_of(handoffs=left, more=7), budget=4_000))["handoffs"]
    shown = re.findall(r"^## task-(\d+)$", text, re.MULTILINE)
    assert 3 < len(shown) < 40 and shown == [str(n) for n in range(40 - len(shown), 40)]
    assert f"({7 + 40 - len(shown)} more came before" in text


def test_many_checks_and_paths_are_counted_where_they_do_not_fit() -> None:
    me = Task(id="auth", phase="svc", prompt="x", writes=tuple(f"src/{n}/**" for n in range(2000)),
              verify=tuple(Check(command=f"make check-{n}") for n in range(2000)))  # fmt: skip
    parts = named(told(start_of(), me))
    paths = parts["claims"].count("- `src/")
    assert 100 < paths < 2000 and f"- and {2000 - paths} more, which are in the plan" in parts["claims"]
    checks = parts["gates"].count("- `make check-")
    assert 100 < checks < 2000 and f"(cut by stretto: {2000 - checks} more checks)" in parts["gates"]


@pytest.mark.parametrize("length", [BUDGET - 1, BUDGET, BUDGET + 1, 3 * BUDGET])
def test_words_that_fill_the_budget_alone_are_whole(length: int) -> None:
    me = Task(id="auth", phase="svc", prompt="x" * length, verify=ME.verify)
    prompt = told(start_of(past=(PAST,)), me)
    assert prompt.text.startswith("x" * length)
    assert len(prompt.text) <= (BUDGET if length <= BUDGET else length + ROOM)
    assert ("assert 1 == 2" in prompt.text) == (length > BUDGET)  # there is room for what a failure has taught


def test_what_has_no_room_at_all_is_named() -> None:
    assert "(cut by stretto, for want of room: " in everything(budget=1200).text
    assert everything(budget=200).text == (
        f"Build the login.\n\n{SEAM}\n\n(cut by stretto, for want of room: everything but the task itself)\n"
    )
    assert everything(budget=100).text == "Build the login.\n"
    assert everything(budget=1).text.startswith("Build the login.\n")


def test_more_room_never_says_less() -> None:
    lengths = [len(everything(budget).text) for budget in range(400, 5000, 200)]
    assert lengths[-1] == len(everything().text)
    assert all(later >= before - 200 for before, later in pairwise(lengths))


WORDS = st.text(max_size=200) | st.builds(
    str.__mul__, st.sampled_from(("x", "`", "a\n", "é\u0301")), st.integers(0, 9_000)
)
NAMES = st.text("ab/.*`\n {", min_size=1, max_size=20)


FAILURES = st.builds(Failure, kind=st.sampled_from(("failed", "gate")), message=WORDS)
REMARKS = st.builds(Remark, check=NAMES, message=WORDS)
PASTS = st.builds(
    PastAttempt, attempt=st.integers(1, 9), failure=FAILURES, remarks=st.lists(REMARKS, max_size=4).map(tuple)
)
HANDOFFS = st.builds(
    Handoff, task=NAMES, state=st.sampled_from(("succeeded", "failed", "pending")), summary=WORDS, reason=WORDS,
    decisions=st.lists(WORDS, max_size=3).map(tuple), paths=st.lists(NAMES, max_size=5).map(tuple),
    changed=st.integers(0, 9),
)  # fmt: skip
CHECKS = st.builds(Check, command=WORDS, expected=st.none() | NAMES)
TASKS = st.builds(
    Task, id=st.just("auth"), phase=st.just("svc"), title=NAMES, prompt=WORDS,
    writes=st.none() | st.lists(NAMES, max_size=30).map(tuple), artifacts=st.lists(NAMES, max_size=9).map(tuple),
    verify=st.lists(CHECKS, max_size=9).map(tuple),
)  # fmt: skip
STARTS = st.builds(
    start_of, past=st.lists(PASTS, max_size=5).map(tuple), handoffs=st.lists(HANDOFFS, max_size=10).map(tuple),
    more=st.integers(0, 3), carry=st.none() | st.just("c" * 40), conflict=st.booleans(),
)  # fmt: skip


@given(
    STARTS,
    TASKS,
    st.dictionaries(NAMES, WORDS, max_size=6),
    st.integers(0, 9_000) | st.just(BUDGET),
    st.booleans(),
    st.sampled_from((None, "{{words}}\n{{seam}}\n{{about}}{{sections}}")),
)
def test_a_prompt_is_within_its_budget_and_has_the_words_whole(
    start: StartAttempt, me: Task, files: dict[str, str], budget: int, reads: bool, template: str | None
) -> None:
    prompts = Prompts(plan_of(me, UI), {"auth": files}, budget=budget, template=template)
    prompt = prompts.compose(start, reads=reads)
    words = me.prompt or me.title
    assert prompt.text.startswith(words.rstrip("\n"))
    assert len(prompt.text) <= (budget if len(words) <= budget else len(words) + ROOM)
    assert prompt == prompts.compose(start, reads=reads)
    prompt.text.encode()
