"""What is to be done next, what is won by doing it side by side, and what a batch makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.model.achievements import Achievement, Part
from stretto.recipes.subplans.advice import advice, opportunities, whole
from stretto.recipes.subplans.batch import ALL, batch, by_level, execution_paths, hollow
from stretto.recipes.subplans.plan import plan_of, task_id
from stretto.recipes.subplans.prompt import writing_prompt
from unit.recipes.papers import entry, kept, one, plan, seen, written

THREE = plan(one("1.1", hours=2), one("1.2", hours=4), one("2.1", "1.1", "1.2"))


def sub(key: str, text: str = "words") -> dict[str, str]:
    return {f"subplans/SUBPLAN_P_{key}.md": text}


def exe(key: str, text: str = "words", number: int = 1) -> dict[str, str]:
    return {f"execution/EXECUTION_TASK_P_{key}_{number:02d}.md": text}


def ok(key: str) -> dict[str, str]:
    return {f"execution/feedbacks/APPROVED_{key}.md": "fine"}


HOLLOW = "# x\n\n[TO BE FILLED]\n"


@pytest.mark.parametrize(
    ("files", "action", "ids", "level"),
    [
        ({}, "batch_subplan", ("1.1", "1.2"), 0),
        (sub("11"), "create_subplan", ("1.2",), 0),
        (sub("11") | sub("12"), "batch_execution", ("1.1", "1.2"), 0),
        (sub("11") | sub("12") | exe("11"), "create_execution", ("1.2",), 0),
        (sub("11", HOLLOW) | sub("12"), "fill", ("1.1",), 0),
        (sub("11") | sub("12") | exe("11") | exe("12"), "execute_parallel", ("1.1", "1.2"), 0),
        (ok("11") | sub("12") | exe("12"), "execute", ("1.2",), 0),
        (ok("11") | sub("12") | exe("12") | {"execution/feedbacks/FIX_12.md": "x"}, "execute", ("1.2",), 0),
        (ok("11") | ok("12"), "create_subplan", ("2.1",), 1),
        (ok("11") | ok("12") | ok("21"), "complete", (), None),
        (ok("11") | ok("12") | {"execution/SKIPPED_21.md": "x"}, "complete", (), None),
    ],
)
def test_the_recommended_action(
    tmp_path: Path, files: dict[str, str], action: str, ids: tuple[str, ...], level: int | None
) -> None:
    told = advice(seen(kept(tmp_path, files), THREE))
    assert (told.action, told.ids, told.level) == (action, ids, level)


def test_what_a_run_has_done_is_to_be_approved(tmp_path: Path) -> None:
    assert advice(seen(tmp_path, THREE), {"1.2"}).ids == ("1.2",)
    assert advice(seen(kept(tmp_path, ok("12")), THREE), {"1.2"}).ids == ("1.1",), "once"


def test_a_blocked_plan_is_not_called_complete(tmp_path: Path) -> None:
    told = advice(seen(tmp_path, plan(one("1.1", "1.2"), one("1.2", "1.1"))))
    assert told.action == "blocked" and "1.1 → 1.2 → 1.1" in told.why
    told = advice(seen(tmp_path, plan(one("1.1", "9.9"))))
    assert told.action == "blocked" and "9.9" in told.why


def test_opportunities_compare_hours(tmp_path: Path) -> None:
    progress = seen(tmp_path, THREE)
    (chance,) = opportunities(progress)
    assert (chance.level, chance.ids, chance.sequential_s, chance.parallel_s) == (0, ("1.1", "1.2"), 6 * 3600, 4 * 3600)
    assert (chance.saving, chance.guessed) == (33, ())
    assert whole(progress) == (7 * 3600, 5 * 3600), "2.1 without an estimate counts as an hour"
    assert opportunities(seen(kept(tmp_path, ok("11")), THREE)) == (), "one alone is none"


def test_parts_are_an_opportunity(tmp_path: Path) -> None:
    parts = tuple(Part(id=f"1.1.{n}", estimate_s=float(n * 3600)) for n in (1, 2, 3))
    (chance,) = opportunities(seen(tmp_path, plan(Achievement(id="1.1", parts=parts, estimate_s=3600.0))))
    assert (chance.sequential_s, chance.parallel_s) == (6 * 3600, 3 * 3600)
    split = plan(Achievement(id="1.1", parts=parts))
    (chance,) = opportunities(seen(kept(tmp_path, ok("113")), split))
    assert (chance.sequential_s, chance.parallel_s) == (3 * 3600, 2 * 3600), "what is done takes no time"
    assert opportunities(seen(kept(tmp_path, ok("112")), split)) == () and whole(seen(tmp_path, split)) == (3600, 3600)


# Batches.


def paths(found: object) -> list[str]:
    return [item.path for item in found.make]  # type: ignore[attr-defined]


def test_a_batch_is_of_the_first_level_that_lacks_any(tmp_path: Path) -> None:
    found = batch(seen(kept(tmp_path, sub("11")), THREE), "subplans")
    assert (found.level, paths(found)) == (0, ["subplans/SUBPLAN_P_12.md"])
    assert [(note.id, note.path) for note in found.skipped] == [("1.1", "subplans/SUBPLAN_P_11.md")]
    found = batch(seen(kept(tmp_path, sub("12")), THREE), "subplans")
    assert (found.level, paths(found)) == (1, ["subplans/SUBPLAN_P_21.md"])
    found = batch(seen(kept(tmp_path, sub("21")), THREE), "subplans")
    assert (found.level, found.make) == (None, ())


@pytest.mark.parametrize(("level", "ids"), [(0, ["1.1", "1.2"]), (1, ["2.1"]), (ALL, ["1.1", "1.2", "2.1"])])
def test_a_batch_of_any_level(tmp_path: Path, level: object, ids: list[str]) -> None:
    found = batch(seen(tmp_path, THREE), "subplans", level)  # type: ignore[arg-type]
    assert [item.id for item in found.make] == ids
    shown = by_level(seen(tmp_path, THREE), found.make)
    assert [item for members in shown.values() for item in members] == list(found.make)


def test_no_execution_without_its_subplan(tmp_path: Path) -> None:
    progress = seen(kept(tmp_path, sub("11") | sub("12", HOLLOW)), THREE)
    found = batch(progress, "executions", ALL)
    assert paths(found) == ["execution/EXECUTION_TASK_P_11_01.md"]
    assert {note.id: "placeholder" in note.message for note in found.missing} == {"1.2": True, "2.1": False}


def test_the_first_level_whose_executions_are_possible_comes_first(tmp_path: Path) -> None:
    assert batch(seen(kept(tmp_path, sub("21")), THREE), "executions").level == 1


def test_what_is_settled_gets_no_papers(tmp_path: Path) -> None:
    found = batch(seen(kept(tmp_path, ok("11") | {"execution/SKIPPED_12.md": "x"}), THREE), "subplans", 0)
    assert found.make == () and {note.id: note.message for note in found.skipped} == {
        "1.1": "it is complete", "1.2": "it is skipped",
    }  # fmt: skip


def test_each_part_has_an_execution_of_its_own(tmp_path: Path) -> None:
    found = written(
        tmp_path, entry("2.1", sub_executions=[{"execution_id": f"2.1.{n}"} | {"title": "t"} for n in (1, 2)])
    )
    progress = seen(kept(tmp_path, sub("21") | exe("21", number=2)), found)
    made = batch(progress, "executions")
    assert paths(made) == ["execution/EXECUTION_TASK_P_21_01.md"]
    assert [note.path for note in made.skipped] == ["execution/EXECUTION_TASK_P_21_02.md"]
    assert execution_paths(progress, progress.standings[0]) == (
        "execution/EXECUTION_TASK_P_21_01.md", "execution/EXECUTION_TASK_P_21_02.md",
    )  # fmt: skip


def test_placeholders_to_fill_are_subplans_first(tmp_path: Path) -> None:
    progress = seen(kept(tmp_path, exe("11", HOLLOW) | sub("12", HOLLOW) | ok("21") | sub("21", HOLLOW)), THREE)
    assert [item.path for item in hollow(progress)] == [
        "subplans/SUBPLAN_P_12.md", "execution/EXECUTION_TASK_P_11_01.md",
    ]  # fmt: skip
    assert hollow(progress, 1) == ()


# Papers by an agent.


def test_a_batch_as_a_plan_has_a_task_for_each_paper(tmp_path: Path) -> None:
    progress = seen(kept(tmp_path, sub("11") | sub("12")), THREE)
    items = batch(progress, "executions").make
    made = plan_of(progress, items)
    assert (made.isolation, made.format, [phase.id for phase in made.phases]) == ("none", "subplans", ["executions"])
    for task, item in zip(made.tasks, items, strict=True):
        assert (task.id, task.writes, task.artifacts) == (task_id(item), (item.path,), (item.path,))
        assert task.effect == "artifact" and item.path in task.verify[0].command
        assert task.context == (item.path.replace("execution/EXECUTION_TASK", "subplans/SUBPLAN").replace("_01", ""),)
    assert made.tasks[0].depends_on == (), "no paper waits for another"


def test_filled_executions_wait_for_subplans(tmp_path: Path) -> None:
    progress = seen(kept(tmp_path, sub("11", HOLLOW) | exe("12", HOLLOW)), THREE)
    made = plan_of(progress, hollow(progress), fill=True)
    assert [(phase.id, phase.depends_on) for phase in made.phases] == [("subplans", ()), ("executions", ("subplans",))]


def test_a_prompt_tells_everything_that_is_known(tmp_path: Path) -> None:
    kept(tmp_path, {"PLAN_P.md": "## Goal\n\nSell seeds.\n\n### Achievement 2.1: Basket\n\nA basket holds seeds.\n"})
    kept(tmp_path, sub("11"))
    found = written(tmp_path, entry("1.1"), entry("2.1", "1.1", "0.9", files=["basket.py"]))
    progress = seen(tmp_path, found)
    (item,) = batch(progress, "subplans", 1).make
    told = writing_prompt(progress, item)
    for words in (
        "Sell seeds.", "A basket holds seeds.", "basket.py", "subplans/SUBPLAN_P_21.md", "SUBPLAN: Achievement 2.1",
        "1.1: Do 1.1, subplan created (subplans/SUBPLAN_P_11.md)", "0.9 (in another plan)", "PLAN_P.md",
    ):  # fmt: skip
        assert words in told
    assert "placeholder now" in writing_prompt(progress, item, fill=True)
