"""Advice on a plan: what it proposes, what it leaves alone, and that what it says it saves is what is saved."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given

from stretto.analysis.advice import Advice, advise, together
from stretto.analysis.changes import changed
from stretto.analysis.conflicts import meetings
from stretto.analysis.estimate import durations, schedule
from stretto.analysis.graph import build, topological
from stretto.formats.named_paths import named_paths
from stretto.model.change import AddHotFile, AddNeeds, AddWrites, Change, DropNeed, MakeParallel, SplitTask, UseContract
from stretto.model.plan import Phase, Plan, Task
from unit.analysis.plans import P, Q, plan, plans, task


def named(text: str) -> list[str]:
    return [path for path, _, _ in named_paths(text)]


def advice(the_plan: Plan, places: int = 5) -> Advice:
    return advise(the_plan, named=named, places=places)


def takes(the_plan: Plan, places: int = 5) -> float:
    graph = build(the_plan)
    return schedule(the_plan, graph, durations(the_plan), places, meetings(the_plan)).end_s


def changes(the_plan: Plan) -> list[Sequence[Change]]:
    return [each.changes for each in advice(the_plan).faster]


def work(
    id: str, file: str, phase: str = "p", *needs: str, words: str = "", more: tuple[str, ...] = (), **rest: object
) -> Task:
    """A task that says which one file it writes, or which `more`."""
    return task(id, *needs, phase=phase, prompt=words or f"Write {file}", writes=(file, *more), **rest)


BEHIND = (P, Phase(id="q", depends_on=("p",)))


def test_a_phase_that_shows_no_reason_to_wait_may_be_let_go() -> None:
    loose = plan(work("menu", "menu.css"), work("prices", "prices.sql", "q"), phases=BEHIND)
    (found,) = advice(loose).faster
    assert found.reason == "phase `q` waits for `p`, and its tasks visibly need nothing of what that makes"
    assert (found.kind, found.changes, found.tasks) == ("dependency", (DropNeed(phase="q", on="p"),), ("prices",))
    assert (found.saves_s, found.together_s) == (720.0, 720.0)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (work("menu", "menu.css"), work("other", "menu.css", "q")),
        (work("menu", "site/**"), work("other", "site/x.css", "q")),
        (work("menu", "menu.css"), work("other", "other.sql", "q", words="Read menu.css, then write other.sql")),
        (work("menu-bar", "x.css"), work("other", "other.sql", "q", words="Use what menu-bar made")),
        (work("first", "src/toast.tsx"), work("other", "other.sql", "q", words="Show a toast when it is saved")),
        (work("first", "x.py", words="Add `exit_code` to Meta"), work("other", "y.py", "q", words="Say the exit_code")),
        (work("first", "a/b/c/x.py"), work("other", "a/b/c/y.py", "q")),
        (work("first", "x.py"), task("other", phase="q", prompt="Do what is left")),
        (task("first", prompt="Do what comes first"), work("other", "y.py", "q")),
        (work("first", "x.py"), work("verify", "y.py", "q", title="Verify that all of it works")),
    ],
)
def test_a_reason_that_can_be_seen_keeps_the_dependency(before: Task, after: Task) -> None:
    assert changes(plan(before, after, phases=BEHIND)) == []


def test_only_who_visibly_needs_it_goes_on_waiting() -> None:
    both = plan(
        work("menu", "menu.css", estimate_s=3600.0), work("prices", "prices.sql", "q", estimate_s=3600.0),
        work("late", "late.css", "q", words="Like menu.css, write late.css"), phases=BEHIND,
    )  # fmt: skip
    assert changes(both) == [(DropNeed(phase="q", on="p"), AddNeeds(task="late", needs=("menu",)))]
    (found,) = advice(both).faster
    told = "`prices` visibly needs nothing of what that makes; `late` then waits for what it needs"
    assert found.reason == f"phase `q` waits for `p`, and {told}"


def test_what_was_waited_for_through_others_is_still_waited_for() -> None:
    """Letting q go frees it of p; s, which waits for q only, still gets what it needs of p."""
    phases = (P, Phase(id="q", depends_on=("p",)), Phase(id="s", depends_on=("q",)))
    three = plan(
        work("menu", "menu.css"), work("prices", "prices.sql", "q"),
        work("late", "late.css", "s", words="prices.sql and menu.css go into late.css"), phases=phases,
    )  # fmt: skip
    assert changes(three) == [(DropNeed(phase="q", on="p"), AddNeeds(task="late", needs=("menu",)))]


def test_r1_4_a_chain_that_needs_none() -> None:
    chain = (Phase(id="p", parallel=False),)
    assert changes(plan(work("a", "menu.css"), work("b", "prices.sql"), phases=chain)) == [(MakeParallel(phase="p"),)]
    partly = plan(
        work("one", "menu.css"), work("two", "prices.sql"), work("three", "x.py", words="menu.css goes into x.py"),
        phases=chain,
    )  # fmt: skip
    assert changes(partly) == [(MakeParallel(phase="p"), AddNeeds(task="three", needs=("one",)))]
    assert changes(plan(work("a", "menu.css"), work("b", "menu.css"), phases=chain)) == []


def test_r2_5_a_path_that_many_take_turns_at() -> None:
    crowd = plan(*(task(f"t{i}", writes=(f"f{i}.py", "CHANGELOG.md")) for i in range(5)))
    (found,) = advice(crowd).faster
    assert (found.kind, found.changes, found.saves_s) == ("claim", (AddHotFile(path="CHANGELOG.md"),), 4 * 720.0)


def test_a_long_task_that_two_could_share() -> None:
    long = task("long", writes=("a.py", "b.py", "c.py"), estimate_s=7200.0)
    split = SplitTask(
        task="long", id="long-2", keeps=("a.py", "b.py"), gives=("c.py",), estimate_s=3600.0, waiting=("end",)
    )
    short = [task(f"s{i}", writes=(f"s{i}",), estimate_s=60.0) for i in range(3)]
    the_plan = plan(long, *short, task("end", "long", writes=("e",), estimate_s=60.0))
    assert changes(the_plan) == [(split,)]
    assert build(changed(the_plan, (split,))).dangling == ()
    whole = task("long", writes=("src/**", "src/a.py"), estimate_s=7200.0)
    assert changes(plan(whole, *short)) == []


def test_r2_4_words_that_name_paths_become_claims() -> None:
    silent = plan(task("a", prompt="Give src/menu.py a head"), work("b", "src/menu.py"))
    got = advice(silent)
    assert [(x.kind, x.changes) for x in got.safer] == [("claim", (AddWrites(task="a", writes=("src/menu.py",)),))]
    assert (got.safer[0].saves_s, got.faster) == (-720.0, ())


def test_r3_1_a_task_that_needs_an_interface_only() -> None:
    api = task("auth", prompt="Write the login", writes=("api/auth.proto", "src/auth.py"))
    client = task("client", "auth", prompt="Call what api/auth.proto says", writes=("src/client.py",))
    (found,) = advice(plan(api, client)).later
    assert found.changes == (UseContract(task="client", provider="auth", contract="auth-auth"),)
    assert found.saves_s == takes(plan(api, client)) - takes(changed(plan(api, client), found.changes)) == 720.0
    both = task(
        "client", "auth", prompt="Call what api/auth.proto says, as src/auth.py does", writes=("src/client.py",)
    )
    assert advice(plan(api, both)).later == ()


def test_plans_that_cannot_run_or_are_too_large_get_no_advice() -> None:
    assert advice(plan(task("a", "b"), task("b", "a"))).faster == ()
    assert advice(plan(task("a", "nobody"))).safer == ()
    assert advice(plan(*(task(f"t{i}", prompt=f"Write f{i}.py") for i in range(1_001)))).safer == ()


def test_what_is_done_is_left_alone() -> None:
    done = plan(work("menu", "menu.css", status="succeeded"), work("prices", "prices.sql", "q"), phases=BEHIND)
    assert advice(done) == Advice(now_s=720.0)


@given(plans())
def test_what_it_says_it_saves_is_saved(the_plan: Plan) -> None:
    got = advice(the_plan, 3)
    assert got.now_s == takes(the_plan, 3)
    for each in (*got.faster, *got.safer):
        then = changed(the_plan, each.changes)
        assert each.saves_s == pytest.approx(got.now_s - takes(then, 3), abs=0.01)
        assert len(topological(build(then))) == len(build(then).names)
    if told := (*got.faster, *got.safer):
        made = together(the_plan, told)
        assert made is not None
        assert told[-1].together_s == pytest.approx(got.now_s - takes(changed(the_plan, made), 3), abs=0.01)
    assert all(each.together_s > 0 for each in got.faster)
    for group in (got.safer, got.later):
        assert [each.saves_s for each in group] == sorted((each.saves_s for each in group), reverse=True)


def test_what_saves_the_most_comes_first_whatever_it_is() -> None:
    """The split saves more than the dependency, and is made after it all the same."""
    row = plan(
        work("menu", "menu.css", more=("site.sql",), estimate_s=14400.0),
        work("prices", "prices.txt", "q", estimate_s=3600.0), work("a", "a.py", estimate_s=600.0),
        work("b", "b.py", estimate_s=600.0), phases=BEHIND,
    )  # fmt: skip
    got = advice(row)
    assert [(each.kind, each.saves_s) for each in got.faster] == [("split", 7200.0), ("dependency", 3600.0)]
    both = together(row, got.faster)
    assert both is not None and isinstance(both[0], DropNeed) and isinstance(both[-1], SplitTask)
    assert [each.together_s for each in got.faster] == [7200.0, got.now_s - takes(changed(row, both))]


def test_changes_together_are_not_those_of_each_alone() -> None:
    """Each alone gives `late` back what it visibly needs; both together give it back once."""
    row = (P, Phase(id="q", depends_on=("p",)), Phase(id="z", depends_on=("q",)))
    three = plan(
        work("menu", "menu.css", estimate_s=3600.0), work("prices", "prices.sql", "q", estimate_s=9000.0),
        work("late", "late.txt", "z", words="Like menu.css, write late.txt", estimate_s=7200.0), phases=row,
    )  # fmt: skip
    first, second = advice(three).faster
    tie = AddNeeds(task="late", needs=("menu",))
    assert {first.changes, second.changes} == {
        (DropNeed(phase="z", on="q"), tie),
        (DropNeed(phase="q", on="p"), tie),
    }
    for pair in ((first, second), (second, first)):  # each is made in its turn, however they are named
        assert together(three, pair) == (first.changes[0], tie, second.changes[0])


def test_half_of_a_task_offers_no_contract_that_was_seen_of_the_whole() -> None:
    both = plan(
        work("auth", "api/auth.proto", estimate_s=7200.0, more=("src/auth.py",)),
        work("client", "src/client.py", "p", "auth", words="Call what api/auth.proto says", estimate_s=600.0),
        work("notes", "NOTES.md", estimate_s=600.0),
    )
    got = advice(both)
    (split,), (contract,) = got.faster, got.later
    assert (split.kind, contract.kind) == ("split", "contract")
    assert together(both, (contract,)) == contract.changes
    assert together(both, (split, contract)) is None


def test_phases_are_told_apart_from_tasks_of_that_name() -> None:
    two = plan(
        work("q", "a.css"), work("b", "b.css"), work("c", "c.sql", "z"),
        task("all", phase="z", prompt="Do what is left"), phases=(P, Q, Phase(id="z", depends_on=("p",))),
    )  # fmt: skip
    assert changes(two) == []  # nothing is saved while `all` waits for them
    long = plan(
        work("q", "a.css"), work("b", "b.css"), work("c", "c.sql", "z", estimate_s=3600.0),
        task("all", phase="z", prompt="Do what is left"), phases=(P, Phase(id="z", depends_on=("p",))),
    )  # fmt: skip
    assert changes(long) == [(DropNeed(phase="z", on="p"), AddNeeds(task="all", needs=("p",)))]
