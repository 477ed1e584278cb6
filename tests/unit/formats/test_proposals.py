"""What an agent's result file says of tasks that it wants added (R8.4)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from stretto.errors import PlanError
from stretto.formats.proposals import proposed
from stretto.model.plan import Check, Task
from stretto.testing.agents import FakeAgent

ADDER = Task(id="a", phase="p", writes=("src/",))
AGENTS = {"fake": FakeAgent()}
PAGE = Path(__file__).parents[3] / "docs" / "agents.md"


def read(tasks: object, default: str = "fake") -> tuple[Task, ...]:
    body = tasks if isinstance(tasks, str) else json.dumps({"summary": "x", "tasks": tasks})
    return proposed(body.encode(), ADDER, agents=AGENTS, default=default)


def test_r8_4_a_task_is_in_the_words_of_a_plan() -> None:
    (task, other) = read(
        [
            {"id": "x", "prompt": "do x", "writes": "src/x", "depends_on": "elsewhere", "verify": "m", "estimate": 300},
            {"id": "y", "prompt": "do y", "phase": "q", "after": "x", "conflicts_with": ["elsewhere"]},
        ]
    )  # fmt: skip
    assert task == Task(
        id="x", phase="p", prompt="do x", writes=("src/x",), depends_on=("elsewhere",), effect="changes",
        verify=(Check(command="m"),), estimate_s=300.0,
    )  # fmt: skip
    assert (other.phase, other.after, other.conflicts_with) == ("q", ("x",), ("elsewhere",))
    assert other.effect == "any"


def test_r8_4_no_tasks_are_none() -> None:
    assert read([]) == ()


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ("{", "result.json:1:2"),
        ('{"tasks": 3}', "should be a list of tasks"),
        ([{"prompt": "x"}], "has no `id`"),
        ([{"id": "x", "prompt": "x", "writs": "y"}], "task 'x' has no key `writs`"),
        ([{"id": "x", "prompt": 3}], "`prompt` of task 'x' should be text"),
        ([{"id": "x", "prompt": "x", "estimate": "soon"}], "`estimate` of task 'x' should be a duration"),
        ([{"id": "x"}], "x"),
        ([{"id": "x", "prompt": "x", "writes": "../y"}], "../y"),
        ([{"id": "x", "prompt": "x", "agent": "nobody"}], "task 'x' is for agent 'nobody', which this run does not"),
        ([{"id": "x", "prompt_file": "x.md"}], "`prompt_file` of task 1 names files, which are read when a run begins"),
        ([{"id": "x", "prompt": "x", "context": "x.md"}], "`context` of task 1 names files"),
        ([{"id": "x", "prompt": "x", "depends_on": ["x"]}], "waits for itself"),
        ([{"id": "x", "prompt": "x"}, {"id": "x", "prompt": "y"}], "more than one task"),
        ([{"id": "x", "prompt": "x", "provides": "api"}], "not supported yet"),
    ],
)
def test_r8_4_a_wrong_one_is_told_with_its_place_and_a_hint(tasks: object, said: str) -> None:
    with pytest.raises(PlanError) as caught:
        read(tasks)
    assert re.match(r"result\.json:\d+:\d+: ", str(caught.value))
    assert said in str(caught.value)
    assert caught.value.hint


def test_r8_4_a_run_without_a_usual_agent_wants_one_named() -> None:
    with pytest.raises(PlanError, match="task 'x' is for agent 'other', which this run does not have"):
        read([{"id": "x", "prompt": "x"}], default="other")
    assert read([{"id": "x", "prompt": "x", "agent": "fake"}], default="other")


def test_the_proposal_on_the_page_is_one() -> None:
    (body,) = (text for text in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL) if '"tasks"' in text)
    assert [task.id for task in read(body)] == ["move-models", "move-views"]
