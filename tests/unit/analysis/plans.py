"""Small plans for the tests of this folder, written down in few words and drawn at random."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from stretto.model.plan import Phase, Plan, Task

PROMPT = "write the chapter that bears this name"
P, Q = Phase(id="p"), Phase(id="q")


def task(id: str, *depends_on: str, phase: str = "p", prompt: str = PROMPT, **rest: Any) -> Task:
    return Task(id=id, phase=phase, prompt=prompt, depends_on=depends_on, **rest)


def plan(*tasks: Task, phases: tuple[Phase, ...] | None = None, **rest: Any) -> Plan:
    if phases is None:
        phases = tuple(Phase(id=id) for id in dict.fromkeys(t.phase for t in tasks))
    return Plan(**({"name": "test", "format": "stretto"} | rest), phases=phases, tasks=tasks)


PATTERNS = ["src", "src/a.py", "src/b.py", "src/", "src/*", "**/*.py", "docs/x.md", "docs/**", "lib", "**"]


@st.composite
def plans(draw: st.DrawFn, most: int = 9) -> Plan:
    """Acyclic plans with phases, chains, joins, both kinds of waiting, overlapping claims and finished tasks."""
    count = draw(st.integers(0, most))
    groups = draw(st.integers(1, 3))
    tasks = []
    for i in range(count):
        phase = min(groups - 1, i * groups // count)
        earlier = st.lists(st.sampled_from([f"t{k}" for k in range(i)]), max_size=2) if i else st.just([])
        tasks.append(
            Task(
                id=f"t{i}",
                phase=f"p{phase}",
                prompt=PROMPT,
                depends_on=tuple(draw(earlier)),
                after=tuple(draw(earlier)) if draw(st.booleans()) else (),
                conflicts_with=tuple(draw(earlier)) if draw(st.booleans()) else (),
                writes=draw(st.none() | st.lists(st.sampled_from(PATTERNS), max_size=2).map(tuple)),
                estimate_s=draw(st.none() | st.integers(0, 5).map(float)),
                priority=draw(st.integers(1, 5)),
                status=draw(st.sampled_from(["pending", "pending", "pending", "failed", "succeeded"])),
            )
        )
    phases = tuple(
        Phase(
            id=f"p{n}",
            depends_on=(f"p{n - 1}",) if n and draw(st.booleans()) else (),
            parallel=draw(st.booleans()),
            max_parallel=draw(st.none() | st.integers(1, 2)),
        )
        for n in range(groups)
    )
    return Plan(name="random", format="stretto", phases=phases, tasks=tuple(tasks))
