"""When a task may start, and when it never will (R1)."""

from __future__ import annotations

from stretto.testing.tables import Told, phase, task


def test_r1_1_a_dependency_is_met_when_it_has_landed_not_when_it_is_done() -> None:
    run = Told(task("a"), task("b", "a"))
    assert run.first == ["ask a#1"]
    assert run.granted("a") == ["start a#1 from base"]
    assert run.finished("a") == ["release a#1", "land 1: a#1"]
    assert run.state("b") == "pending"
    assert run.landed("a") == ["ask b#1"]
    assert run.granted("b") == ["start b#1 from L1"]


def test_r1_1_what_was_done_before_the_run_counts_as_landed() -> None:
    run = Told(task("a"), task("b", "a"), done=("a",))
    assert run.first == ["ask b#1"]


def test_r1_2_a_dependency_on_a_phase_is_one_on_all_its_tasks() -> None:
    run = Told(task("a", phase="one"), task("b", phase="one"), task("c", "one", phase="two"))
    run.through("a")
    assert run.state("c") == "pending"
    assert run.through("b") == ["ask c#1"]


def test_r1_2_a_task_is_meant_where_a_phase_has_the_same_name() -> None:
    run = Told(task("p", phase="p"), task("b", phase="p"), task("c", "p", phase="q"))
    assert run.through("p") == ["ask c#1"]


def test_r1_2_after_does_not_care_for_the_outcome() -> None:
    run = Told(task("a", attempts=1), task("b", after=("a",)))
    run.granted("a")
    assert run.failed("a") == ["release a#1", "ask b#1"]
    assert run.states() == {"a": "failed", "b": "ready"}


def test_r1_2_after_a_phase_waits_until_all_of_it_is_over() -> None:
    run = Told(task("a", phase="one", attempts=1), task("b", phase="one"), task("c", after=("one",), phase="two"))
    run.granted("a")
    run.failed("a")
    assert run.state("c") == "pending"
    assert run.through("b") == ["ask c#1"]


def test_r1_2_an_optional_failure_does_not_break_its_phase() -> None:
    run = Told(task("a", phase="one", optional=True, attempts=1), task("b", "one", phase="two"))
    run.granted("a")
    assert run.failed("a") == ["release a#1", "ask b#1"]


def test_r1_2_who_names_an_optional_task_is_skipped_all_the_same() -> None:
    run = Told(task("a", optional=True, attempts=1), task("b", "a"))
    run.granted("a")
    run.failed("a")
    assert run.state("b") == "skipped"


def test_r1_2_an_optional_failure_stops_no_phase() -> None:
    run = Told(task("a", optional=True, attempts=1), task("b"), task("c", "b"), phases=(phase("p", on_failure="stop"),))
    run.granted("a")
    run.granted("b")
    run.failed("a")
    assert run.states() == {"a": "failed", "b": "running", "c": "pending"}


def test_r1_4_a_phase_that_is_not_parallel_is_a_chain() -> None:
    run = Told(task("a"), task("b"), task("c"), phases=(phase("p", parallel=False),))
    assert run.first == ["ask a#1"]
    assert run.through("a") == ["ask b#1"]


def test_r1_4_a_failed_link_skips_the_rest_of_the_chain() -> None:
    run = Told(task("a", attempts=1), task("b"), task("c"), phases=(phase("p", parallel=False),))
    run.granted("a")
    run.failed("a")
    assert run.states() == {"a": "failed", "b": "skipped", "c": "skipped"}


def test_r1_4_tasks_that_name_each_other_make_no_chain() -> None:
    run = Told(task("a"), task("b"), task("c", "b"), phases=(phase("p", parallel=False),))
    assert run.first == ["ask b#1", "ask a#1"]  # b has more behind it


def test_r1_5_an_empty_phase_passes_on_what_it_waits_for() -> None:
    phases = (phase("one"), phase("none", "one"), phase("two", "none"))
    run = Told(task("a", phase="one"), task("b", phase="two"), phases=phases)
    assert run.first == ["ask a#1"]
    assert run.through("a") == ["ask b#1"]


def test_r1_5_an_empty_phase_passes_a_failure_on() -> None:
    phases = (phase("one"), phase("none", "one"), phase("two", "none"))
    run = Told(task("a", phase="one", attempts=1), task("b", phase="two"), phases=phases)
    run.granted("a")
    run.failed("a")
    assert run.state("b") == "skipped"
    assert "'a' failed" in run.reason("b")


def test_r1_5_an_empty_phase_that_waits_for_nothing_is_done() -> None:
    run = Told(task("b", phase="two"), phases=(phase("none"), phase("two", "none")))
    assert run.first == ["ask b#1"]


def test_r4_a_skip_names_the_root_of_the_chain() -> None:
    run = Told(task("a", attempts=1), task("b", "a"), task("c", "b"), task("d", "c"))
    run.granted("a")
    run.failed("a")
    assert "'a' failed" in run.reason("d")


def test_r4_a_chain_of_ten_thousand_skips_does_not_recurse() -> None:
    chain = [task("t0", attempts=1)] + [task(f"t{i}", f"t{i - 1}") for i in range(1, 10_000)]
    run = Told(*chain)
    run.granted("t0")
    assert run.failed("t0")[-1] == "end failed"
    assert run.state("t9999") == "skipped"
