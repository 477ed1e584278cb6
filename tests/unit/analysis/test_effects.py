"""The effect of tasks whose plan does not say it (R5.1)."""

from __future__ import annotations

import pytest

from stretto.analysis.effects import settled
from stretto.model.plan import Effect, Plan, Task


@pytest.mark.parametrize(
    ("said", "agent", "effect"),
    [
        (None, (), "changes"),
        (None, ("claude",), "changes"),
        (None, ("shell", "claude"), "any"),
        ("any", ("claude",), "any"),
        ("artifact", ("claude",), "artifact"),
        ("changes", ("shell",), "changes"),
    ],
)
def test_r5_1_a_coding_agent_makes_changes_unless_the_task_says_otherwise(
    said: Effect | None, agent: tuple[str, ...], effect: Effect
) -> None:
    task = Task(id="a", phase="p", effect=said, agent=agent)
    plan = settled(Plan(name="x", format="stretto", tasks=(task,)), coding={"claude"}, default="claude")
    assert plan.tasks[0].effect == effect


def test_r5_1_another_default_agent_makes_any() -> None:
    plan = settled(
        Plan(name="x", format="stretto", tasks=(Task(id="a", phase="p", effect=None),)),
        coding={"claude"},
        default="scripted",
    )
    assert plan.tasks[0].effect == "any"
