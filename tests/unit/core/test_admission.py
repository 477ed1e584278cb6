"""Which ready task starts next, and who excludes whom (R2, R9.2, R10.1)."""

from __future__ import annotations

import json

import pytest

from stretto.core.events import SettingsChanged, TasksCancelled, decode, encode
from stretto.model.run import ConflictPolicy, Culprit, RunSettings
from stretto.testing.tables import Told, phase, task

ONE = RunSettings(parallel=1, agent="fake")
TWO = RunSettings(parallel=2, agent="fake")
SHARED = RunSettings(parallel=5, isolation="none", agent="fake")
A, B = ("a.txt",), ("b.txt",)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a", "a"), ("a", "A"), ("./a", "a"), ("d/", "d/x"), ("d", "d/x"), ("d/*", "d/x"), ("**", "x"), ("é", "e\u0301")],
)
def test_r2_1_claims_that_meet_are_never_active_together(one: str, other: str) -> None:
    for first, second in ((one, other), (other, one)):
        run = Told(task("a", writes=(first,)), task("b", writes=(second,)))
        assert run.first == ["ask a#1"], f"{first} against {second}"
        assert run.through("a") == ["ask b#1"]


def test_r2_1_claims_that_do_not_meet_run_together() -> None:
    assert Told(task("a", writes=("d/*",)), task("b", writes=("d/x/y",))).first == ["ask a#1", "ask b#1"]


def test_r2_2_claims_are_held_until_landed() -> None:
    run = Told(task("a", writes=A), task("b", writes=A))
    run.granted("a")
    run.finished("a")
    assert run.states() == {"a": "landing", "b": "ready"}
    assert run.landed("a") == ["ask b#1"]


def test_r2_2_a_denied_grant_gives_claims_and_place_back() -> None:
    run = Told(task("a", writes=A), task("b", writes=A), settings=ONE)
    assert run.denied("a", for_s=10.0) == ["timer grant:a at 11", "ask b#1"]
    assert run.state("a") == "ready"


def test_r2_2_who_waits_for_a_timer_holds_nothing() -> None:
    run = Told(task("a", writes=A), task("b", writes=A), settings=ONE)
    run.granted("a")
    assert run.failed("a", "transient", retry_after_s=60.0) == ["release a#1", "timer backoff:a at 62", "ask b#1"]


def test_r2_2_who_failed_gives_its_claims_to_the_more_urgent() -> None:
    run = Told(task("a", writes=A, priority=5), task("b", "x", writes=A, priority=1), task("x", priority=5))
    run.granted("a")
    run.through("x")
    assert run.failed("a", "timeout") == ["release a#1", "ask b#1"]


@pytest.mark.parametrize("kind", ["conflict", "gate"])
def test_r2_2_a_red_landing_or_a_conflict_keeps_the_claims(kind: str) -> None:
    run = Told(task("a", writes=A, priority=5), task("b", "x", writes=A, priority=1), task("x", priority=5))
    run.granted("a")
    run.finished("a")
    run.granted("x")
    assert run.rejected(Culprit(task="a", kind="gate" if kind == "gate" else "conflict")) == ["ask a#2"]


def test_r2_3_a_wide_claim_reserves_after_enough_have_overtaken_it() -> None:
    """Two places, and always a narrow task at work: without a reservation the wide one would start last."""
    narrow = [task(f"n{i:02}", writes=(f"src/{i}",)) for i in range(20)]
    run = Told(*narrow[:2], task("wide", writes=("**",)), *narrow[2:], settings=TWO)
    running: list[str] = []
    overtaken = 0
    while "wide" not in run.asking:
        running += [name for name in run.asking if run.granted(name)]
        run.finished(running[0])
        overtaken += len(run.asking)
        run.landed(running.pop(0))
    assert overtaken == 4 * 2


@pytest.mark.parametrize("policy", ["serialize", "allow"])
def test_r1_2_tasks_that_conflict_are_never_active_together_whoever_says_so(policy: ConflictPolicy) -> None:
    for one, other in (((), ("a",)), (("b",), ())):
        tasks = (task("a", conflicts_with=one), task("b", conflicts_with=other, writes=None), task("c"))
        run = Told(*tasks, settings=RunSettings(conflicts=policy, agent="fake"))
        assert run.first == ["ask a#1", "ask c#1"]
        run.granted("a")
        run.finished("a")
        assert run.states()["b"] == "ready", "active until it has landed"
        assert run.landed("a") == ["ask b#1"]


def test_r1_2_a_task_that_conflicts_with_its_phase_runs_alone_in_it() -> None:
    tasks = [task("a"), task("b"), task("alone", conflicts_with=("p",)), task("other", phase="q")]
    run = Told(*tasks, phases=(phase("p"), phase("q")))
    assert run.first == ["ask a#1", "ask b#1", "ask other#1"]
    assert run.through("a") == []
    assert run.through("b") == ["ask alone#1"]
    late = Told(task("alone", priority=1, conflicts_with=("p",)), task("a"), task("b"))
    assert late.first == ["ask alone#1"]
    assert late.through("alone") == ["ask a#1", "ask b#1"]


def test_r1_2_a_task_is_meant_where_a_phase_has_the_same_id() -> None:
    tasks = [task("a", conflicts_with=("q",)), task("q"), task("x", phase="q")]
    assert Told(*tasks, phases=(phase("p"), phase("q"))).first == ["ask a#1", "ask x#1"]


def test_r2_3_who_conflicts_with_all_others_reserves_after_enough_have_overtaken_it() -> None:
    others = [task(f"n{i:02}") for i in range(20)]
    run = Told(*others[:2], task("alone", conflicts_with=("p",)), *others[2:], settings=TWO)
    running: list[str] = []
    overtaken = 0
    while "alone" not in run.asking:
        running += [name for name in run.asking if run.granted(name)]
        run.finished(running[0])
        overtaken += len(run.asking)
        run.landed(running.pop(0))
    assert overtaken == 4 * 2


@pytest.mark.parametrize(
    ("policy", "together"),
    [("serialize", True), ("serialize-unknown", False), ("allow", True)],
)
def test_r2_4_unknown_scope_excludes_nobody_unless_told(policy: ConflictPolicy, together: bool) -> None:
    settings = RunSettings(parallel=5, conflicts=policy, agent="fake")
    run = Told(task("a", writes=None), task("b", writes=A), settings=settings)
    assert (len(run.first) == 2) == together


def test_r2_4_in_one_folder_unknown_scope_runs_alone() -> None:
    """Nothing else is at work while it is, also nothing that writes nothing; and it waits until nothing is."""
    for other in (A, ()):
        late = Told(task("a", writes=other), task("any", writes=None), settings=SHARED)
        assert late.first == ["ask a#1"]
        late.granted("a")
        late.finished("a")
        assert late.states() == {"a": "landing", "any": "ready"}
        assert late.landed("a") == ["ask any#1"]
        first = Told(task("any", writes=None), task("a", writes=other), settings=SHARED)
        assert first.first == ["ask any#1"]
        assert first.through("any") == ["ask a#1"]


def test_r2_4_in_one_folder_known_scopes_run_together() -> None:
    tasks = (task("a", writes=A), task("b", writes=B), task("reads", writes=()), task("looks", writes=()))
    assert Told(*tasks, settings=SHARED).first == ["ask a#1", "ask b#1", "ask reads#1", "ask looks#1"]


def test_r2_4_in_one_folder_nobody_starves() -> None:
    """One of unknown scope is overtaken no longer than a wide claim is (R2.3)."""
    narrow = [task(f"n{i:02}", writes=(f"src/{i}",) if i % 2 else ()) for i in range(40)]
    run = Told(*narrow[:5], task("any", writes=None), *narrow[5:], settings=SHARED)
    running: list[str] = []
    overtaken = 0
    while "any" not in run.asking:
        running += [name for name in run.asking if run.granted(name)]
        run.finished(running[0])
        overtaken += len(run.asking)
        run.landed(running.pop(0))
    assert overtaken == 4 * 5


def test_r2_5_in_one_folder_nothing_merges_hot_files() -> None:
    tasks = (task("a", writes=("lock", "a")), task("b", writes=("lock", "b")))
    assert Told(*tasks, hot_files=("lock",), settings=SHARED).first == ["ask a#1"]


def test_r2_5_allow_is_allowed_in_one_folder_too() -> None:
    allowed = RunSettings(conflicts="allow", isolation="none", agent="fake")
    assert Told(task("a", writes=None), task("b", writes=A), settings=allowed).first == ["ask a#1", "ask b#1"]


def test_r2_5_allow_leaves_overlaps_to_landing() -> None:
    run = Told(task("a", writes=A), task("b", writes=A), settings=RunSettings(conflicts="allow", agent="fake"))
    assert run.first == ["ask a#1", "ask b#1"]


def test_r2_5_hot_files_exclude_nobody() -> None:
    run = Told(task("a", writes=("lock", "a")), task("b", writes=("lock", "b")), hot_files=("lock",))
    assert run.first == ["ask a#1", "ask b#1"]


def test_r2_6_drift_is_told_and_held() -> None:
    run = Told(task("a", writes=A), task("b", "x", writes=B), task("x"))
    run.granted("a")
    assert run.finished("a", paths=("a.txt", "b.txt")) == ["tell drift", "release a#1", "land 1: a#1"]
    run.granted("x")
    run.finished("x")
    assert run.landed("a") == ["land 2: x#1"]
    assert run.landed("x") == ["ask b#1"]


def test_r2_6_nobody_starts_on_paths_that_another_has_drifted_into() -> None:
    run = Told(task("x"), task("a", writes=A), task("b", "x", writes=B))
    run.granted("x")
    run.finished("x")
    run.granted("a")
    run.finished("a", paths=("b.txt",))
    assert run.landed("x") == ["land 2: a#1"]
    assert run.state("b") == "ready"
    assert run.landed("a") == ["ask b#1"]


def test_r9_2_running_and_gating_take_a_place_and_landing_does_not() -> None:
    run = Told(task("a"), task("b"), settings=ONE)
    assert run.first == ["ask a#1"]
    run.granted("a")
    assert run.finished("a") == ["release a#1", "land 1: a#1", "ask b#1"]


def test_r9_2_fewer_places_end_nobody_and_start_nobody() -> None:
    run = Told(task("a"), task("b"), task("c"), settings=TWO)
    run.granted("a")
    run.granted("b")
    assert run.when(SettingsChanged(at=9.0, parallel=1)) == []
    run.through("a")
    assert run.asking == []
    run.finished("b")
    assert run.asking == ["c"]


def test_r9_6_a_phase_may_have_a_limit_of_its_own() -> None:
    run = Told(task("a"), task("b"), task("c", phase="q"), phases=(phase("p", max_parallel=1), phase("q")))
    assert run.first == ["ask a#1", "ask c#1"]
    run.granted("a")
    assert "ask b#1" in run.finished("a")


def test_r10_1_priority_then_the_longest_way_then_plan_order() -> None:
    tasks = (
        task("plain"),
        task("long", estimate_s=1000.0),
        task("first", priority=1, estimate_s=1.0),
        task("head", estimate_s=500.0),
        task("tail", "head", estimate_s=600.0),
        task("plain too"),
    )
    run = Told(*tasks, settings=ONE)
    assert order_of(run) == ["first", "head", "long", "plain", "plain too", "tail"]


def order_of(run: Told) -> list[str]:
    order = []
    while run.asking:
        order += run.asking
        run.through(order[-1])
    return order


def test_r10_1_what_was_learned_ranks_what_nobody_estimated() -> None:
    """Said 800 s, learned 900 s, 720 s by default, said 5 s whatever was learned, and a way of 600 + 200 + 1 s."""
    tasks = (
        task("said", estimate_s=800.0), task("learned"), task("unknown"), task("said, too", estimate_s=5.0),
        task("head"), task("middle", "head"), task("tail", "middle", estimate_s=1.0),
    )  # fmt: skip
    learned_s = {"learned": 900.0, "said, too": 5000.0, "head": 600.0, "middle": 200.0}
    run = Told(*tasks, settings=ONE, expected_s=learned_s)
    assert order_of(run) == ["learned", "head", "said", "unknown", "middle", "said, too", "tail"]
    assert order_of(Told(*tasks, settings=ONE))[:3] == ["head", "said", "middle"]


def test_r10_1_durations_of_the_run_itself_change_no_rank() -> None:
    run = Told(task("a"), task("b"), task("c", estimate_s=721.0), settings=ONE)
    ranks = {record.id: record.rank for record in run.coordinator.state.tasks}
    order_of(run)
    assert {record.id: record.rank for record in run.coordinator.state.tasks} == ranks


def test_r8_1_a_start_without_learned_durations_is_understood() -> None:
    """As journals of an older stretto have it."""
    (start,) = Told(task("a")).events
    old = json.loads(encode(start))
    del old["expected_s"]
    assert decode(json.dumps(old).encode()) == start
    (told,) = Told(task("a"), expected_s={"a": 1.5}).events
    assert decode(encode(told)) == told != start


def test_r10_1_nobody_sleeps_on_when_the_first_in_line_is_blocked_elsewhere() -> None:
    """`first` and `second` wait for x; when it is free `first` still waits for z, and must pass the word on."""
    tasks = (
        task("holds x", writes=("x",)),
        task("holds z", writes=("z",)),
        task("first", writes=("x", "z"), priority=4),
        task("second", writes=("x",), priority=5),
    )
    run = Told(*tasks)
    assert run.asking == ["holds x", "holds z"]
    run.through("holds x")
    assert run.asking == ["holds z", "second"]


def test_r10_1_nobody_sleeps_on_when_the_first_in_line_is_cancelled() -> None:
    tasks = (task("holds", writes=A), task("first", writes=A, priority=4), task("second", writes=A, priority=5))
    run = Told(*tasks)
    run.when(TasksCancelled(at=5.0, tasks=("first",)))
    run.through("holds")
    assert run.asking == ["second"]


def test_r10_1_nobody_sleeps_on_when_the_woken_is_cancelled_before_there_is_a_place() -> None:
    tasks = (
        task("holds", writes=A, priority=1),
        task("first", writes=A, priority=4),
        task("second", writes=A, priority=5),
        task("other", writes=B, priority=2),
        task("more", priority=2),
    )
    run = Told(*tasks, settings=TWO)
    run.granted("holds")
    run.finished("holds")
    assert run.asking == ["other", "more"]
    run.landed("holds")  # wakes `first`, for which there is no place
    run.when(TasksCancelled(at=5.0, tasks=("first",)))
    run.granted("other")
    run.finished("other")
    assert run.asking == ["second", "more"]
