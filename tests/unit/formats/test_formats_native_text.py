"""What is written in stretto's own format reads back as the same plan, whatever its texts are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stretto.formats.load import load
from stretto.formats.native_text import as_json, as_yaml
from stretto.model.plan import Check, Contract, Defaults, Effect, FailurePolicy, Phase, Plan, PlanGates, Setup, Task
from unit.formats.corpus import everything, is_plan

LINES = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029"), min_size=1).filter(
    lambda text: bool(text.strip())
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
SAID = TEXTS.filter(lambda text: bool(text.strip()))
WORDS = st.from_regex(r"[a-z][a-z0-9_.-]{0,8}", fullmatch=True)
PATHS = st.lists(SAID, max_size=3).map(tuple)
SECONDS = st.integers(1, 10**7).map(float) | st.sampled_from([0.5, 1.25, 90.0])
CHECKS = st.lists(
    st.builds(Check, command=SAID, expected=st.none() | WORDS, timeout_s=st.none() | SECONDS)
    | st.builds(Check, kind=st.just("approval"), instructions=SAID),
    max_size=2,
).map(tuple)
EFFECTS: st.SearchStrategy[Effect | None] = st.sampled_from([None, *get_args(Effect)])
POLICIES: st.SearchStrategy[FailurePolicy | None] = st.sampled_from([None, *get_args(FailurePolicy)])


@st.composite
def tasks(draw: st.DrawFn, id: str, phase: str) -> Task:
    writes = draw(st.none() | PATHS)
    artifacts = draw(PATHS)
    follows: Effect | None = "changes" if writes else "artifact" if artifacts else None if writes is None else "any"
    said: Effect | None = draw(EFFECTS)
    prompt = draw(TEXTS)
    return Task(
        id=id,
        phase=phase,
        title=draw(TEXTS),
        prompt=prompt,
        prompt_file=None if prompt else draw(st.none() | SAID),
        context=draw(PATHS),
        depends_on=draw(st.lists(LINES, max_size=2).map(tuple)),
        after=draw(st.lists(LINES, max_size=1).map(tuple)),
        provides=draw(st.lists(LINES, max_size=2).map(tuple)),
        uses=draw(st.lists(LINES, max_size=2).map(tuple)),
        writes=writes,
        verify=draw(CHECKS),
        artifacts=artifacts,
        effect=said or follows,
        agent=draw(PATHS),
        priority=draw(st.integers(1, 5)),
        critical=draw(st.booleans()),
        optional=draw(st.booleans()),
        timeout_s=draw(st.none() | SECONDS),
        attempts=draw(st.none() | st.integers(1, 9)),
        estimate_s=draw(st.none() | SECONDS),
        carry=draw(st.booleans()),
    )


@st.composite
def any_plan(draw: st.DrawFn) -> Plan:
    phases = [
        Phase(
            id=id,
            title=draw(TEXTS),
            depends_on=draw(st.lists(LINES, max_size=2).map(tuple)),
            parallel=draw(st.booleans()),
            max_parallel=draw(st.none() | st.integers(1, 9)),
            on_failure=draw(POLICIES),
        )
        for id in draw(st.lists(LINES, min_size=1, max_size=3, unique=True))
    ]
    return Plan(
        name=draw(LINES).strip(),
        format="stretto",
        phases=tuple(phases),
        tasks=tuple(
            draw(tasks(id, phase.id)) for phase in phases for id in draw(st.lists(LINES, max_size=2, unique=True))
        ),
        defaults=Defaults(
            agent=draw(PATHS), timeout_s=draw(st.none() | SECONDS), attempts=draw(st.none() | st.integers(1, 9)),
            on_failure=draw(POLICIES),
        ),
        gates=PlanGates(verify=draw(CHECKS)),
        contracts=tuple(
            Contract(id=id, schema=draw(st.none() | SAID))
            for id in draw(st.lists(LINES, max_size=2, unique=True))
        ),
        setup=Setup(copy=draw(PATHS), link=draw(PATHS), run=draw(PATHS)),
        keep=draw(PATHS),
        hot_files=draw(PATHS),
        prompt_template=draw(st.none() | SAID),
        isolation=draw(st.sampled_from((None, "worktree", "none"))),
    )  # fmt: skip


@pytest.mark.parametrize("write", [as_yaml, as_json])
@given(plan=any_plan())
@settings(max_examples=200)
def test_what_is_written_reads_back(write: Callable[[Plan], str], plan: Plan) -> None:
    assert load("plan", write(plan).encode()).plan == plan


def plain(plan: Plan) -> list[Task]:
    """In the order of the phases, without what the format has no word for."""
    order = {phase.id: n for n, phase in enumerate(plan.phases)}
    tasks = sorted(plan.tasks, key=lambda task: order[task.phase])
    return [replace(task, status="pending", verify=(), estimate_s=task.estimate_s or None) for task in tasks]


@pytest.mark.parametrize("path", [x for x in everything() if is_plan(x)], ids=lambda path: path.name)
def test_plans_of_other_tools_stay_what_they_are(path: Path) -> None:
    plan = load(path).plan
    again = load("plan", as_yaml(plan).encode()).plan
    assert plain(again) == plain(plan)
    assert again.phases == plan.phases
    assert [len(task.verify) for task in again.tasks] == [
        len(task.verify) for task in sorted(plan.tasks, key=lambda task: [x.id for x in plan.phases].index(task.phase))
    ]


def test_a_pipe_of_a_foreign_plan_stays_red_at_its_front() -> None:
    task = Task(id="a", phase="p", prompt="x", verify=(Check(command="false | cat", pipefail=True, expected="ok"),))
    plan = Plan(name="n", format="auto-claude", phases=(Phase(id="p"),), tasks=(task,))
    (check,) = load("plan", as_yaml(plan).encode()).plan.tasks[0].verify
    assert check == Check(command="bash -o pipefail -c 'false | cat'", expected="ok")


def test_it_is_written_as_a_person_would() -> None:
    tasks = (
        Task(
            id="1.10", phase="p", title="First: the #1", prompt="One\nTwo\n", writes=("a.py", "b.py"), effect="changes"
        ),
        Task(id="b", phase="p", prompt="x", depends_on=("1.10",), writes=(), estimate_s=5400.0),
    )
    plan = Plan(name="shop", format="kiro", phases=(Phase(id="p", parallel=False),), tasks=tasks)
    assert as_yaml(plan) == (
        "name: shop\n"
        "phases:\n"
        "  - id: p\n"
        "    parallel: false\n"
        "    tasks:\n"
        "      - id: '1.10'\n"
        "        title: 'First: the #1'\n"
        "        prompt: |\n"
        "          One\n"
        "          Two\n"
        "        writes: [a.py, b.py]\n"
        "      - id: b\n"
        "        prompt: x\n"
        "        depends_on: ['1.10']\n"
        "        writes: []\n"
        "        estimate: 1h30m\n"
    )


def test_paths_are_moved() -> None:
    task = Task(id="a", phase="p", prompt_file="p.md", context=("c.md",))
    plan = Plan(name="n", format="stretto", phases=(Phase(id="p"),), tasks=(task,), prompt_template="t.md")
    moved = load("plan", as_yaml(plan, lambda path: f"../{path}").encode()).plan
    assert (moved.tasks[0].prompt_file, moved.tasks[0].context, moved.prompt_template) == (
        "../p.md",
        ("../c.md",),
        "../t.md",
    )
