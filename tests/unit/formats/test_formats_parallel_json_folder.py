"""The folder beside a `parallel.json`: how far everything is, and what the papers tell."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stretto.formats.load import load
from stretto.formats.parallel_json.plan_paper import PlanPaper
from unit.formats.corpus import CORPUS, real, sample
from unit.formats.parallel_json import codes, kept, needs, one, read, tasks

GARDEN = sample("parallel-json/GARDEN-SHOP")


def test_the_folder_says_how_far_everything_is() -> None:
    loaded = load(GARDEN / "parallel.json")
    assert {task.id: task.status for task in loaded.plan.tasks} == {
        "1.1": "succeeded", "1.2": "pending", "2.1": "pending", "2.2": "pending",
    }  # fmt: skip
    assert needs(loaded) == {"1.1": (), "1.2": (), "2.1": ("1.1", "1.2"), "2.2": ("2.1",)}, "0.9 is approved"
    assert codes(loaded)["status-differs"] == ("1.1",)
    assert tasks(loaded)["1.2"].context == (
        "subplans/SUBPLAN_GARDEN-SHOP_12.md",
        "execution/EXECUTION_TASK_GARDEN-SHOP_12_01.md",
        "execution/feedbacks/FIX_12.md",
    )
    assert tasks(loaded)["2.1"].context == (), "papers of another plan are not ours"
    assert loaded.write_statuses is None


PAPERS = {
    "complete": "execution/feedbacks/APPROVED_11.md",
    "skipped": "execution/SKIPPED_11.md",
    "failed": "execution/feedbacks/FIX_11.md",
    "execution": "execution/EXECUTION_TASK_P_11_01.md",
    "subplan": "subplans/SUBPLAN_P_11.md",
}


@pytest.mark.parametrize("first", range(5))
@pytest.mark.parametrize("second", range(5))
def test_the_first_kind_of_paper_decides(tmp_path: Path, first: int, second: int) -> None:
    kinds = list(PAPERS)
    kept(tmp_path, {PAPERS[kinds[i]]: "words" for i in (first, second)})
    loaded = read(one("1.1"), one("1.2"), folder=tmp_path)
    decides = kinds[min(first, second)]
    expected = {"complete": "succeeded", "skipped": None}.get(decides, "pending")
    assert (tasks(loaded)["1.1"].status if "1.1" in tasks(loaded) else None) == expected


def test_papers_outweigh_the_file_for_what_has_some(tmp_path: Path) -> None:
    kept(tmp_path, {PAPERS["subplan"]: "words"})
    loaded = read(one("1.1", status="complete"), one("1.2", status="complete"), one("1.3"), folder=tmp_path)
    assert [task.status for task in loaded.plan.tasks] == ["pending", "succeeded", "pending"]
    assert codes(loaded)["status-differs"] == ("1.1",), "what the file alone knows of differs from nothing"


def test_what_is_skipped_says_where_that_is_said(tmp_path: Path) -> None:
    kept(tmp_path, {PAPERS["skipped"]: "no"})
    for status, hint in (
        ("not_started", "remove its SKIPPED file to do it"),
        ("skipped", "change its status to do it"),
    ):
        loaded = read(one("1.1" if status == "not_started" else "1.2", status=status), one("1.3"), folder=tmp_path)
        assert [found.hint for found in loaded.findings if found.code == "set-aside"] == [hint]


def test_without_the_folder_the_file_says_it(tmp_path: Path) -> None:
    loaded = read(one("1.1", status="complete"), folder=tmp_path)
    assert (loaded.plan.tasks[0].status, "status-differs" in codes(loaded)) == ("succeeded", False)


def test_ids_that_share_file_names_are_told_by_the_words_of_the_papers(tmp_path: Path) -> None:
    paper = "execution/feedbacks/APPROVED_112.md"
    for words, done in (("# APPROVED: Achievement 11.2 - x", {"11.2"}), ("fine", set())):
        loaded = read(one("1.12"), one("11.2"), folder=kept(tmp_path, {paper: words}))
        assert {task.id for task in loaded.plan.tasks if task.status == "succeeded"} == done
        assert codes(loaded)["shared-file-name"] == ("1.12", "11.2")
    assert "shared-file-name" not in codes(read(one("1.12"), one("1.13"), folder=tmp_path))


def test_a_paper_with_dashes_is_that_of_one_id(tmp_path: Path) -> None:
    kept(tmp_path, {"execution/feedbacks/APPROVED_1-12.md": "fine", "execution/SKIPPED_2-1.md": "no"})
    loaded = read(one("1.12"), one("11.2"), one("2.1"), folder=tmp_path)
    assert {task.id: task.status for task in loaded.plan.tasks} == {"1.12": "succeeded", "11.2": "pending"}
    assert "shared-file-name" not in codes(loaded)


def test_an_approval_of_another_is_none_of_what_is_not_in_the_file(tmp_path: Path) -> None:
    kept(tmp_path, {"execution/feedbacks/APPROVED_112.md": "# APPROVED: Achievement 11.2"})
    assert needs(read(one("11.2"), one("12.1", dependencies=["1.12"]), folder=tmp_path))["12.1"] == ("1.12",)
    assert needs(read(one("12.1", dependencies=["11.2"]), folder=tmp_path))["12.1"] == ()


def test_a_part_gets_its_own_execution(tmp_path: Path) -> None:
    kept(tmp_path, {f"execution/EXECUTION_TASK_P_11_0{n}.md": "x" for n in (1, 2)} | {"subplans/SUBPLAN_P_11.md": "y"})
    parts = [{"execution_id": f"1.1.{n}", "title": "t"} for n in (1, 2, 3)]
    loaded = read(one("1.1", sub_executions=parts), folder=tmp_path)
    assert [task.context[1:] for task in loaded.plan.tasks] == [
        ("execution/EXECUTION_TASK_P_11_01.md",), ("execution/EXECUTION_TASK_P_11_02.md",), (),
    ]  # fmt: skip
    assert {task.context[0] for task in loaded.plan.tasks} == {"subplans/SUBPLAN_P_11.md"}


def test_an_approval_is_one_of_all_parts(tmp_path: Path) -> None:
    kept(tmp_path, {PAPERS["complete"]: "x", "execution/feedbacks/APPROVED_122.md": "y"})
    parts = {n: [{"execution_id": f"{n}.{k}", "title": "t"} for k in (1, 2)] for n in ("1.1", "1.2")}
    loaded = read(*(one(n, sub_executions=own) for n, own in parts.items()), folder=tmp_path)
    assert {id for id, task in tasks(loaded).items() if task.status == "succeeded"} == {"1.1.1", "1.1.2", "1.2.2"}


def test_papers_that_are_no_texts_stay_away(tmp_path: Path) -> None:
    kept(tmp_path, {"subplans/SUBPLAN_P_11.md": "x" * 300_000, "subplans/SUBPLAN_P_12.md": ""})
    (tmp_path / "subplans/SUBPLAN_P_13.md").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "subplans/SUBPLAN_P_14.md").mkdir()
    loaded = read(one("1.1"), one("1.2"), one("1.3"), one("1.4"), folder=tmp_path)
    assert all(task.context == () for task in loaded.plan.tasks)


@pytest.mark.parametrize("name", ["../../etc", "a/b", "x" * 5_000, "é 𝔘"])
def test_names_that_are_no_file_names_harm_nobody(tmp_path: Path, name: str) -> None:
    assert read(one(), folder=tmp_path, plan_name=name).plan.name == name


# The plan in words.


def test_prompts_have_what_the_plan_says() -> None:
    found = tasks(load(GARDEN / "parallel.json"))
    assert "Sell seeds and tools" in found["2.1"].prompt and "No delivery." in found["2.1"].prompt
    assert "a list of tools" in found["1.2"].prompt and "a list of seeds" not in found["1.2"].prompt
    assert "a list of seeds" in found["1.1"].prompt and "not started" not in found["1.1"].prompt
    assert "only a sample" in found["2.1"].prompt and "An empty basket is none." in found["2.1"].prompt
    assert (found["2.2"].title, "Cash only." in found["2.2"].prompt) == ("Payment", True)


@pytest.mark.parametrize(
    "line",
    [
        *(
            "**Achievement 1.1: Seeds** ⏱️ 2 hours",
            "### Achievement 1.1: Seeds",
            "#### ✅ Achievement 1.1 — Seeds (2-3h)",
        ),
        *("- **Achievement 1.1**: Seeds", "## 1.1 Seeds", "### 1.1: Seeds", "### **Achievement 1.1**: Seeds"),
    ],
)
def test_headings_of_achievements(line: str) -> None:
    paper = PlanPaper(f"# Plan\n\n{line}\n\nSay *this*.\n\n## Other\n\nNot this.\n")
    assert (paper.title("1.1"), paper.section("1.1")) == ("Seeds", "Say *this*.")


@pytest.mark.parametrize(
    "line",
    ["Achievement 1.1: Seeds", "- Achievement 1.1: failed", "### Achievement 11.1: x", "## 1.1.1 x", "| 1.1 | x |"],
)
def test_lines_that_are_about_something_else(line: str) -> None:
    assert PlanPaper(f"{line}\n\nwords\n").section("1.1") == ""


def test_another_plan_paper_is_read_only_where_it_is_the_only_one(tmp_path: Path) -> None:
    text = "### Achievement 1.1: x\n\nThe words.\n"
    assert "The words." in read(one(), folder=kept(tmp_path, {"PLAN_OLD-NAME.md": text})).plan.tasks[0].prompt
    kept(tmp_path, {"PLAN_NEW.md": "none"})
    assert "The words." not in read(one(), folder=tmp_path).plan.tasks[0].prompt


@pytest.mark.skipif(not real("003-parallel-json"), reason="the corpus of real plans is not here (PLAN_CORPUS)")
def test_a_real_folder(tmp_path: Path) -> None:
    shutil.copytree(CORPUS / "003-parallel-json/parallel-execution-automation", tmp_path / "x")
    loaded = load(tmp_path / "x/parallel.json")
    assert len(loaded.plan.tasks) == 9
    assert {task.id for task in loaded.plan.tasks if task.status == "succeeded"} == {"1.2"}
    assert loaded.findings == ()
    assert all(len(task.prompt) > 2_000 for task in loaded.plan.tasks)
