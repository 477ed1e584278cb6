"""What earlier attempts teach: of whom, of which size, how many of them, and never against the plan's own word."""

from __future__ import annotations

import pytest

from stretto.analysis.estimate import durations, expected
from stretto.analysis.learned import ENOUGH, Shown, Size, identity, learned, size_of
from stretto.model.agent import AgentSpec
from unit.analysis.plans import plan, task

SLOW, FAST = AgentSpec(command="slow"), AgentSpec(command="fast")
AGENTS = {"slow": SLOW, "fast": FAST}
MEDIUM, LARGE = "x" * 401, "x" * 4_001


def took(*all_s: float, name: str = "slow", spec: AgentSpec = SLOW, size: Size = "small") -> list[Shown]:
    return [Shown(who=identity(name, spec), size=size, took_s=each) for each in all_s]


def of(shown: list[Shown], **task_of: object) -> float | None:
    """What is expected of a small task by `slow`, or of another one."""
    return learned([task("t", **task_of)], shown, agents=AGENTS, default="slow").get("t")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("characters", "paths", "size"),
    [
        (0, None, "small"), (400, ("a",), "small"), (400, (), "small"),
        (401, None, "medium"), (1, ("a", "b"), "medium"), (4_000, ("a",) * 5, "medium"),
        (4_001, (), "large"), (1, ("a",) * 6, "large"),
    ],
)  # fmt: skip
def test_r10_1_size_is_known_before_the_start(characters: int, paths: tuple[str, ...] | None, size: Size) -> None:
    assert size_of(task("t", prompt="x" * characters, writes=paths)) == size


def test_r10_1_the_median_counts_and_not_the_mean() -> None:
    assert of(took(1.0, 2.0, 900.0)) == 2.0
    assert of(took(4.0, 1.0, 2.0, 900.0)) == 3.0


def test_r10_1_too_few_teach_nothing() -> None:
    assert ENOUGH == 3
    assert of(took(5.0, 5.0)) is None
    assert of([]) is None


def test_r10_1_the_same_size_first_then_all_of_the_agent() -> None:
    shown = took(1.0, 1.0, 1.0) + took(90.0, 90.0, 90.0, 90.0, size="large") + took(20.0, size="medium")
    assert of(shown) == 1.0
    assert of(shown, prompt=LARGE) == 90.0
    assert of(shown, prompt=MEDIUM) == 55.0, "one of its size is too few: the median of all eight"
    assert of(took(1.0) + took(3.0, size="medium") + took(8.0, size="large")) == 3.0


def test_r10_1_agents_do_not_teach_each_other() -> None:
    shown = took(1.0, 1.0, 1.0, name="fast", spec=FAST)
    assert of(shown) is None
    assert of(shown, agent=("fast", "slow")) == 1.0, "of several names the first is asked"
    assert of(shown, agent=("nobody",)) is None


def test_r10_1_one_name_run_in_two_ways_is_two_agents() -> None:
    one, other = AgentSpec(command="sleep 1"), AgentSpec(command="sleep 2")
    shown = took(1.0, 1.0, 1.0, name="shell", spec=one)
    tasks = [task("t")]
    assert learned(tasks, shown, agents={"shell": one}, default="shell") == {"t": 1.0}
    assert learned(tasks, shown, agents={"shell": other}, default="shell") == {}
    assert learned(tasks, shown, agents={"renamed": one}, default="renamed") == {}
    swapped = AgentSpec(env={"A": "1", "B": "2"}), AgentSpec(env={"B": "2", "A": "1"})
    assert identity("a", swapped[0]) == identity("a", swapped[1]), "the order of variables says nothing"


def test_r10_1_the_estimate_of_the_plan_goes_first() -> None:
    shown = took(1.0, 1.0, 1.0)
    assert of(shown, estimate_s=50.0) is None
    assert of(shown, estimate_s=0.0) is None
    learned_s = {"said": 1.0, "shown": 2.0, "done": 3.0}
    tasks = (task("said", estimate_s=50.0), task("shown"), task("unknown"), task("done", status="succeeded"))
    assert [expected(one, 720.0, learned_s) for one in tasks] == [50.0, 2.0, 720.0, 3.0]
    assert durations(plan(*tasks), 720.0, learned_s) == [50.0, 2.0, 720.0, 0.0]
