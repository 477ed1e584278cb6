"""How far a folder of achievements is: levels, names, the precedence of papers, the rule of 24 hours."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from stretto.formats.load import load
from stretto.model.achievements import Achievement, Part
from stretto.model.papers import Keys, exact_key, paper_of, part_number, step_of
from stretto.recipes.subplans.levels import levels
from stretto.recipes.subplans.placeholder import is_placeholder, is_untouched
from unit.recipes.papers import DAY_S, NOW, entry, kept, one, plan, seen, written

# Levels.


def test_a_level_is_one_more_than_the_deepest_dependency() -> None:
    found = levels([one("1.1"), one("2.1", "1.1", "1.2"), one("1.2", "1.1"), one("3.1", "9.9")])
    assert (dict(found.of), found.circle) == ({"1.1": 0, "1.2": 1, "2.1": 2, "3.1": 0}, ())


def test_a_circle_is_named_and_so_is_nobody_behind_it() -> None:
    found = levels([one("4.1", "2.1"), one("1.1"), one("2.1", "2.3"), one("2.2", "2.1"), one("2.3", "2.2")])
    assert dict(found.of) == {"1.1": 0}
    assert found.circle[0] == found.circle[-1] and set(found.circle) == {"2.1", "2.2", "2.3"}


def test_what_waits_for_itself_is_a_circle() -> None:
    assert levels([one("1.1", "1.1")]).circle == ("1.1", "1.1")


def test_a_chain_of_thousands_is_no_deeper_than_the_stack() -> None:
    ids = [f"1.{n}" for n in range(20_000)]
    chain = [one(ids[0]), *(one(later, earlier) for earlier, later in pairwise(ids))]
    assert levels(list(reversed(chain))).of[ids[-1]] == 19_999


def test_in_level_2_a_priority_is_behind_the_one_before_it(tmp_path: Path) -> None:
    entries = (entry("1.1"), entry("1.2", "1.1"), entry("2.1"), entry("4.1", "1.1"), entry("x", priority="low"))
    found = written(tmp_path, *entries, parallelization_level="level_2")
    assert {each.id: each.behind for each in found.achievements} == {
        "1.1": (), "1.2": (), "2.1": ("1.1", "1.2"), "4.1": ("2.1",), "x": ("2.1",),
    }  # fmt: skip
    progress = seen(tmp_path, found)
    assert [each.level for each in progress.standings] == [0, 1, 2, 3, 3]
    assert [each.id for each in progress.available] == ["1.1"]


# Names.


def test_names_of_new_papers_are_nobody_elses() -> None:
    keys = Keys(["1.11", "11.1", "2.1", "setup"])
    assert (keys.new("2.1"), keys.new("1.11"), keys.new("11.1")) == ("21", "1-11", "11-1")
    assert keys.new("setup").startswith("setup-") and exact_key("Setup") != exact_key("setup")
    assert Keys(["2.1.1", "21.1"]).new("21.1") == "21-1", "parts count, too"


@pytest.mark.parametrize("name", ["SUBPLAN_A_B_12.md", "SUBPLAN_A_B_1-2.md"])
def test_a_plan_may_have_underscores_in_its_name(name: str) -> None:
    paper = paper_of("subplans", name)
    assert paper is not None and paper.name == "A_B" and paper.key in ("12", "1-2")


@pytest.mark.parametrize("name", ["SUBPLAN_12.md", "subplan_P_12.md", "SUBPLAN_P_12.txt", "SUBPLAN_P_.md", "NOTES.md"])
def test_other_files_are_no_papers(name: str) -> None:
    assert paper_of("subplans", name) is None


def test_a_paper_is_one_in_its_own_folder_only() -> None:
    assert paper_of("execution", "APPROVED_11.md") is None and paper_of("execution", "SKIPPED_11.md") is not None


def test_numbers_of_parts() -> None:
    assert [part_number(id, i) for i, id in enumerate(["2.1.1", "2.1.3", "2.1.x"])] == [1, 3, 3]


# Statuses.

PAPERS = {
    "complete": "execution/feedbacks/APPROVED_11.md",
    "skipped": "execution/SKIPPED_11.md",
    "failed": "execution/feedbacks/FIX_11.md",
    "execution_created": "execution/EXECUTION_TASK_P_11_01.md",
    "subplan_created": "subplans/SUBPLAN_P_11.md",
}


@pytest.mark.parametrize("first", range(5))
@pytest.mark.parametrize("second", range(5))
def test_the_precedence_of_papers(tmp_path: Path, first: int, second: int) -> None:
    kinds = list(PAPERS)
    kept(tmp_path, {PAPERS[kinds[i]]: "words" for i in (first, second)})
    progress = seen(tmp_path, plan(one("1.1"), one("1.2")), now=NOW * 2)
    assert [each.status for each in progress.standings] == [kinds[min(first, second)], "not_started"]


def test_no_paper_is_not_started() -> None:
    assert step_of([]) == "not_started"


@pytest.mark.parametrize(
    ("age_s", "status"),
    [
        (0.0, "in_progress"),
        (DAY_S - 1, "in_progress"),
        (DAY_S, "execution_created"),
        (9 * DAY_S, "execution_created"),
        (-60.0, "in_progress"),
    ],
)
def test_an_execution_that_was_touched_within_24_hours_is_in_progress(
    tmp_path: Path, age_s: float, status: str
) -> None:
    path = kept(tmp_path, {PAPERS["execution_created"]: "# x\n\nFirst step done.\n"}) / PAPERS["execution_created"]
    os.utime(path, (NOW - age_s, NOW - age_s))
    assert seen(tmp_path, plan(one("1.1"))).standings[0].status == status


def test_one_that_nobody_has_begun_is_not_in_progress_however_new(tmp_path: Path) -> None:
    path = kept(tmp_path, {PAPERS["execution_created"]: "# x\n\nA step.\n\n## Iteration log\n\nNo iteration yet.\n"})
    os.utime(path / PAPERS["execution_created"], (NOW, NOW))
    assert seen(tmp_path, plan(one("1.1"))).standings[0].status == "execution_created"
    kept(tmp_path, {PAPERS["execution_created"]: "# x\n\n## Iteration log\n\nNo iteration yet.\n\nBegun.\n"})
    os.utime(path / PAPERS["execution_created"], (NOW, NOW))
    assert seen(tmp_path, plan(one("1.1"))).standings[0].status == "in_progress"


def test_what_has_no_paper_is_as_far_as_the_plan_file_says(tmp_path: Path) -> None:
    found = written(tmp_path, entry("1.1", status="completed"), entry("1.2", status="odd"), entry("1.3"))
    assert [each.status for each in seen(tmp_path, found).standings] == ["complete", "not_started", "not_started"]
    kept(tmp_path, {"subplans/SUBPLAN_P_12.md": "words"})
    progress = seen(tmp_path, found)
    assert [each.status for each in progress.standings] == ["complete", "subplan_created", "not_started"]
    assert [each.id for each in progress.available] == ["1.2", "1.3"]
    kept(tmp_path, {PAPERS["failed"]: "words"})
    assert seen(tmp_path, found).standings[0].status == "failed", "papers outweigh the file"


def test_an_achievement_is_complete_when_all_its_parts_are_approved(tmp_path: Path) -> None:
    parts = (Part(id="1.1.1"), Part(id="1.1.2"))
    found = plan(Achievement(id="1.1", title="x", parts=parts))
    kept(tmp_path, {"execution/feedbacks/APPROVED_111.md": "x"})
    assert seen(tmp_path, found).standings[0].status == "not_started"
    kept(tmp_path, {"execution/feedbacks/APPROVED_112.md": "x"})
    assert seen(tmp_path, found).standings[0].status == "complete"


SPLIT = ("1.1.1", "1.1.2", "1.1.3")


@pytest.mark.parametrize(
    ("said", "files", "status", "open", "tasks"),
    [
        (("complete", "", ""), (), "not_started", SPLIT[1:], (1, 3)),
        (("done", "skipped", "completed"), (), "complete", (), (2, 2)),
        (("complete", "", ""), ("subplans/SUBPLAN_P_11.md",), "subplan_created", SPLIT[1:], (1, 3)),
        (("complete", "", ""), ("execution/feedbacks/FIX_11.md",), "failed", SPLIT, (0, 3)),
        (("complete", "", ""), ("execution/feedbacks/FIX_111.md",), "not_started", SPLIT, (0, 3)),
        (("", "", ""), ("execution/feedbacks/APPROVED_112.md",), "not_started", ("1.1.1", "1.1.3"), (1, 3)),
        (("", "", ""), ("execution/SKIPPED_112.md", "execution/feedbacks/FIX_11.md"), "failed", SPLIT[::2], (0, 2)),
        (
            ("", "", ""),
            ("execution/SKIPPED_111.md", "execution/SKIPPED_112.md", "execution/feedbacks/APPROVED_113.md"),
            "complete", (), (1, 1),
        ),
        (("", "", ""), tuple(f"execution/SKIPPED_11{n}.md" for n in (1, 2, 3)), "skipped", (), (0, 0)),
        (("", "", ""), ("execution/feedbacks/APPROVED_11.md", "execution/SKIPPED_111.md"), "complete", (), (3, 3)),
        (("", "", ""), ("execution/SKIPPED_11.md", "execution/feedbacks/APPROVED_111.md"), "skipped", (), (0, 0)),
    ],
)  # fmt: skip
def test_parts_are_counted_as_the_plan_counts_its_tasks(
    tmp_path: Path, said: tuple[str, ...], files: tuple[str, ...], status: str, open: tuple[str, ...],
    tasks: tuple[int, int],
) -> None:  # fmt: skip
    kept(tmp_path, dict.fromkeys(files, "x"))
    parts = [{"execution_id": id, "title": id, "status": word} for id, word in zip(SPLIT, said, strict=True)]
    found = written(tmp_path, entry("1.1", sub_executions=parts), entry("1.2"), parallelization_level="level_1")
    progress = seen(tmp_path, found)
    split = progress.standings[0]
    assert (split.status, tuple(part.id for part in split.open_parts), split.tasks) == (status, open, tasks)
    plan = load(tmp_path / "parallel.json").plan
    assert progress.tasks == (sum(task.status == "succeeded" for task in plan.tasks), len(plan.tasks))
    assert split.is_settled or split.missing_executions == tuple(int(id[-1]) for id in open)


@pytest.mark.parametrize(("number", "open"), [(1, SPLIT), (2, SPLIT[1:])])
def test_an_execution_outweighs_the_files_word_on_its_own_part(
    tmp_path: Path, number: int, open: tuple[str, ...]
) -> None:
    kept(tmp_path, {f"execution/EXECUTION_TASK_P_11_0{number}.md": "x"})
    parts = [{"execution_id": id, "title": id, "status": "done" if id == SPLIT[0] else "todo"} for id in SPLIT]
    found = written(tmp_path, entry("1.1", sub_executions=parts), entry("1.2"), parallelization_level="level_1")
    split = seen(tmp_path, found).standings[0]
    assert tuple(part.id for part in split.open_parts) == open and split.steps[number - 1] == "execution_created"


@pytest.mark.parametrize(
    ("files", "status", "open"),
    [
        (("subplans/SUBPLAN_P_12.md",), "complete", ()),
        (("execution/feedbacks/FIX_112.md",), "not_started", ("1.1.2",)),
        (("execution/feedbacks/APPROVED_112.md",), "complete", ()),
        (("subplans/SUBPLAN_P_11.md",), "subplan_created", SPLIT),
    ],
)
def test_the_plan_files_word_on_a_whole_is_one_on_the_parts_that_have_no_paper(
    tmp_path: Path, files: tuple[str, ...], status: str, open: tuple[str, ...]
) -> None:
    kept(tmp_path, dict.fromkeys(files, "x"))
    parts = [{"execution_id": id, "title": id} for id in SPLIT]
    whole = entry("1.1", status="complete", sub_executions=parts)
    progress = seen(tmp_path, written(tmp_path, whole, entry("1.2"), parallelization_level="level_1"))
    split = progress.standings[0]
    assert (split.status, tuple(part.id for part in split.open_parts)) == (status, open)
    plan = load(tmp_path / "parallel.json").plan
    assert tuple(task.id for task in plan.tasks if task.phase == "1.1" and task.status == "pending") == open


def test_papers_that_ids_share_count_for_the_one_that_they_name(tmp_path: Path) -> None:
    kept(
        tmp_path,
        {"execution/feedbacks/APPROVED_111.md": "# APPROVED: Achievement 11.1", "subplans/SUBPLAN_P_1-11.md": "x"},
    )
    progress = seen(tmp_path, plan(one("1.11"), one("11.1")))
    assert [each.status for each in progress.standings] == ["subplan_created", "complete"]


def test_papers_of_another_plan_count_for_nobody(tmp_path: Path) -> None:
    kept(tmp_path, {"subplans/SUBPLAN_OTHER_11.md": "x"})
    assert seen(tmp_path, plan(one("1.1"))).standings[0].status == "not_started"


def test_what_is_available_and_what_waits(tmp_path: Path) -> None:
    kept(tmp_path, {PAPERS["complete"]: "x", "execution/SKIPPED_12.md": "x", "execution/feedbacks/APPROVED_09.md": "x"})
    found = plan(one("1.1"), one("1.2"), one("2.1", "1.1", "1.2", "0.9"), one("2.2", "2.1"), one("2.3", "0.8"))
    progress = seen(tmp_path, found)
    assert [each.id for each in progress.available] == ["2.1"], "what is skipped holds nobody up, nor what is approved"
    assert {each.id: each.waits_for for each in progress.open} == {"2.1": (), "2.2": ("2.1",), "2.3": ("0.8",)}
    assert (progress.done, progress.total, progress.percent) == (1, 4, 25)


def test_on_a_circle_nothing_can_go_on(tmp_path: Path) -> None:
    progress = seen(tmp_path, plan(one("1.1"), one("2.1", "2.2"), one("2.2", "2.1")))
    assert progress.circle and progress.available == (), "a plan with a circle is refused as a whole"


# Placeholders.


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n \n",
        "# SUBPLAN: Achievement 1.1\n\n**PLAN**: P\n\n---\n\n## Objective\n\n## Deliverables\n\n- \n- [ ]\n",
        "# x\n\n## Objective\n\n[TO BE FILLED: the objective]\n",
        "# x\n\nSome words.\n\n- [to be defined]\n",
        "# x\n\nSome words, [TODO: more].\n",
        "# x\n\n[TBD]\n\nwords",
        "# x\n\n[Fill in the approach]\n",
        "# x\n\n```\nnever closed\n\n[TO BE FILLED]\n",
    ],
)
def test_placeholders(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        "# x\n\nThe words.\n",
        "# x\n\nIt writes `[TO BE FILLED: x]` nowhere.\n",
        "# x\n\nNo more of this:\n\n```\n[TO BE FILLED: x]\n```\n",
        "# x\n\n- [ ] Write the list\n",
        "# x\n\nSee [todo](todo.md).\n",
    ],
)
def test_papers_with_content(text: str) -> None:
    assert not is_placeholder(text)


def test_fences_that_never_end_take_no_long_time() -> None:
    assert not is_placeholder("```a\n" * 200_000)


def test_an_untouched_execution_ends_with_an_empty_log() -> None:
    assert is_untouched("# x\n\n## Iteration log\n\nNo iteration yet.\n")
    assert not is_untouched("# x\n\n## Iteration log\n\nNo iteration yet.\n\n### Iteration 1\n")
