"""The end that is to be expected of a run, from estimates and from what has landed."""

from __future__ import annotations

from live_screens import Story
from stretto.core import events as ev
from stretto.model.plan import Phase, Plan, Task
from stretto.model.run import RunSettings
from stretto.observe.pace import Pace


def chain(*estimates_s: float | None) -> Plan:
    tasks = tuple(
        Task(id=f"t{n}", phase="p", depends_on=(f"t{n - 1}",) if n else (), estimate_s=s)
        for n, s in enumerate(estimates_s)
    )
    return Plan(name="chain", format="stretto", phases=(Phase(id="p"),), tasks=tasks)


def test_the_end_is_reckoned_by_the_longest_way() -> None:
    story = Story(chain(60.0, 60.0, 30.0), parallel=4)
    story.starts(0.0)
    assert story.pace.forecast(story.coordinator, 20.0).end_at == 150.0
    assert story.pace.forecast(story.coordinator, 90.0).end_at == 180.0, "it has taken longer than it should"
    assert story.pace.forecast(story.coordinator, 90.0).critical == {"t0", "t1", "t2"}


def test_the_end_is_reckoned_by_the_places_where_they_are_few() -> None:
    plan = Plan(
        name="wide",
        format="stretto",
        phases=(Phase(id="p"),),
        tasks=tuple(Task(id=f"t{n}", phase="p", estimate_s=60.0) for n in range(10)),
    )
    story = Story(plan, parallel=2)
    story.starts(0.0)
    assert story.pace.forecast(story.coordinator, 0.0).end_at == 300.0


def test_nothing_is_said_of_the_end_where_nothing_is_known() -> None:
    story = Story(chain(60.0, None), parallel=1)
    forecast = story.pace.forecast(story.coordinator, 0.0)
    assert forecast.end_at is None
    assert forecast.critical == {"t0", "t1"}


def test_tasks_that_have_landed_teach_how_long_the_others_take() -> None:
    story = Story(chain(None, None, None), parallel=1)
    for n in range(2):
        story.starts(n * 100.0)
        story.done(n * 100.0 + 40.0, f"t{n}")
        story.lands(n * 100.0 + 50.0)
    assert story.pace.forecast(story.coordinator, 200.0).end_at == 250.0
    assert story.pace.took_s == {"t0": 50.0, "t1": 50.0}


def test_what_earlier_runs_have_shown_counts() -> None:
    pace, story = Pace(), Story(chain(None), parallel=1)
    pace.notify(
        ev.RunStarted(
            at=0.0, run="r", plan=chain(None), settings=RunSettings(), base="b", branch="x", expected_s={"t0": 30.0}
        )
    )
    assert pace.forecast(story.coordinator, 5.0).end_at == 35.0
