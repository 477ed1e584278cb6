"""Kiro lists and those of cc-sdd: tasks, their order, their prompts, and their boxes."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from stretto.analysis.graph import build, cycle
from stretto.formats.kiro.status import write_statuses
from stretto.formats.load import Loaded, load
from stretto.model.plan import Finding, Task
from unit.formats.corpus import sample

SAMPLES = sorted(sample("kiro").iterdir())
TITLE = "# Implementation Plan\n\n"


def read(text: str, path: str = "nowhere/tasks.md") -> Loaded:
    loaded = load(path, text.encode())
    assert loaded.plan.format == "kiro"
    return loaded


def listed(*lines: str, graph: str = "") -> Loaded:
    end = f"\n## Task Dependency Graph\n\n```\n{graph}\n```\n" if graph else ""
    return read(TITLE + "".join(f"{line}\n" for line in lines) + end)


def tasks(loaded: Loaded) -> dict[str, Task]:
    return {task.id: task for task in loaded.plan.tasks}


def waits(loaded: Loaded) -> dict[str, tuple[str, ...]]:
    assert cycle(build(loaded.plan)) is None
    return {task.id: task.depends_on for task in loaded.plan.tasks}


def codes(loaded: Loaded) -> list[str]:
    return [finding.code for finding in loaded.findings]


def said(loaded: Loaded, code: str) -> Finding:
    (found,) = (finding for finding in loaded.findings if finding.code == code)
    return found


# --- the dialects ------------------------------------------------------------------------------------------------


def test_a_list_with_waves() -> None:
    loaded = load(sample("kiro/waves.md"))
    plan = loaded.plan
    assert (plan.name, plan.format) == ("Lending desk", "kiro")
    assert [(x.id, x.title, x.depends_on) for x in plan.phases] == [
        ("tasks", "Tasks without parts", ()),
        ("2", "Loans", ()),
        ("4", "Wiring", ()),
    ]
    assert waits(loaded) == {
        "1": (), "2.1": (), "2.3": ("1", "2.1"), "3": ("2.3", "4.2"), "4.1": ("3",), "4.2": ("1", "2.1"),
    }  # fmt: skip
    assert {task.id: task.status for task in plan.tasks if task.status != "pending"} == {
        "1": "succeeded",
        "2.3": "running",
    }
    found = tasks(loaded)
    assert found["1"].writes == ("desk/__init__.py", "pyproject.toml")
    assert (found["3"].writes, found["3"].effect) == (None, "any"), "a checkpoint may well change nothing"
    assert (found["4.2"].writes, found["4.2"].effect) == (("README.md",), "changes")
    assert [(x.code, x.severity, x.location and x.location.line) for x in loaded.findings] == [
        ("claims-guessed", "info", 15),
        ("set-aside", "info", 19),
        ("left-out-of-graph", "info", 27),
    ]
    assert loaded.places["task:4.1"].line == 31
    assert loaded.places["task:4.1:writes:0"].column == 40
    assert loaded.places["phase:2"].line == 13


def test_a_list_of_cc_sdd() -> None:
    loaded = load(sample("kiro/cc-sdd.md"))
    assert waits(loaded) == {
        "1.1": (), "2.1": ("1.1",), "2.2": ("1.1",), "2.3": ("1.1",), "3.1": ("1.1", "2.1"), "3.2": ("1.1",),
        "4.1": ("2.1", "2.2", "2.3", "3.1", "3.2"),
    }  # fmt: skip
    found = tasks(loaded)
    assert found["2.3"].after == ("2.2",), "they share a boundary"
    assert found["3.2"].writes == ("pages/help.html", "pages/help.css")
    assert loaded.places["task:3.1:depends_on:1"].line == 22
    assert sorted(codes(loaded)) == [
        "claims-guessed", "outside-need", "same-boundary", "set-aside", "set-aside", "set-aside",
    ]  # fmt: skip
    assert "payments 1.2" in said(loaded, "outside-need").message
    assert {x.message.partition(":")[0] for x in loaded.findings if x.code == "set-aside"} == {"2.4", "4.2", "4.3"}


def test_arrows_say_the_order_where_there_are_no_waves() -> None:
    loaded = load(sample("kiro/arrows.md"))
    assert waits(loaded) == {"1": (), "2": (), "3.1": ("1", "2"), "3.2": ("3.1",), "4": ("3.2",)}


def test_bold_numbers_stars_in_odd_places_and_parts_without_a_whole() -> None:
    loaded = load(sample("kiro/chain.md"))
    assert waits(loaded) == {"1.1": (), "1.2": ("1.1",), "2.2": ("1.2",), "3": ("2.2",), "5": ("3",)}
    assert [(x.id, x.title) for x in loaded.plan.phases] == [
        ("1", ""), ("2", "2. 画面"), ("3.", "削除できるようにする"), ("tasks", "Tasks without parts"),
    ]  # fmt: skip
    assert "- [ ] 既定値" in tasks(loaded)["1.2"].prompt, "boxes without a number are parts of a task"
    assert said(loaded, "unknown-status").tasks == ("5",)
    assert "2.1, 3.1" in said(loaded, "set-aside").message
    assert "5 comes right behind 3" in said(loaded, "number-missing").message


def test_windows_lines_blank_lines_everywhere_and_tests_below_what_they_test() -> None:
    loaded = load(sample("kiro/crlf.md"))
    assert waits(loaded) == {"1": (), "1.1": ("1",), "2.1": ("1.1", "1"), "2.2": ("2.1",), "3": ("2.2",)}
    assert tasks(loaded)["1"].status == "succeeded"
    assert tasks(loaded)["2.1"].title == "Page in `app/page.tsx`"
    assert "\r" not in tasks(loaded)["2.1"].prompt


# --- which files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("- [ ] 1. a\n  - [ ] 1.1 b\n", "kiro"),
        ("- [ ] 1. a\n  - _Requirements: 1.1_\n", "kiro"),
        ("# Implementation Plan: shop\n- [ ] 1. a\n", "kiro"),
        ("- [ ] 1. a\n- [ ] 2. b\n```json\n{\"waves\": [[\"1\"], [\"2\"]]}\n```\n", "kiro"),
        ("- [ ]* 1.1 a\n- [ ] 1.2 b\n", "kiro"),
        ("## 1. A\n- [ ] 1.1 a\n- [ ] 1.2 b\n", "checklist"),
        ("- [ ] 1. a\n- [ ] 2. b\n", "checklist"),
        ("- [ ] T001 a\n- [ ] 1.1 b\n", "spec-kit"),
    ],
)  # fmt: skip
def test_what_is_a_kiro_list(text: str, format: str) -> None:
    assert load("x", text.encode()).plan.format == format


def test_plain_numbers_in_words_are_no_tasks() -> None:
    loaded = listed("- [ ] 1. a", "- [ ] 3 retries on failure", "- [ ] **2** b", "- [ ] Task 3: c", "- [ ] 4 - d")
    assert [task.id for task in loaded.plan.tasks] == ["1", "2", "3", "4"]
    assert [task.title for task in loaded.plan.tasks] == ["a", "b", "c", "d"]
    assert "1 check box without a number" in said(loaded, "no-number").message


# --- order -------------------------------------------------------------------------------------------------------

FOUR = ("- [ ] 1. a", "- [ ] 2. b", "- [ ] 3. c", "- [ ] 4. d")


def test_without_more_it_is_a_chain_and_that_is_said() -> None:
    loaded = listed(*FOUR)
    assert waits(loaded) == {"1": (), "2": ("1",), "3": ("2",), "4": ("3",)}
    assert "4 tasks run one after another" in said(loaded, "one-by-one").message


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ('{"waves": [{"id": 0, "tasks": ["1", "2"]}, {"id": 1, "tasks": ["3", "4"]}]}', "1: 2: 3:1,2 4:1,2"),
        ('{"waves": [{"wave": 1, "tasks": [1, 2]}, {"wave": 2, "tasks": [3, 4]}]}', "1: 2: 3:1,2 4:1,2"),
        ('{"waves": [["1"], ["2", "3", "4"]]}', "1: 2:1 3:1 4:1"),
        ('{"waves": [{"id": 0, "tasks": ["1"]}, {"id": 1, "tasks": ["2"], "depends_on": []},'
         ' {"id": 2, "tasks": ["3", "4"], "depends_on": [1]}]}', "1: 2: 3:2 4:2"),
        ('{"waves": [{"id": 0, "tasks": ["1"]}, {"id": 1, "tasks": []}, {"id": 2, "tasks": ["2", "3", "4"]}]}',
         "1: 2:1 3:1 4:1"),
        ('{"waves": [{"id": 0, "tasks": ["Task 1", "T2"]}, {"id": 1, "tasks": [{"id": "3"}, "4"]}]}',
         "1: 2: 3:1,2 4:1,2"),
        ("1 -> 2 -> 4", "1: 2:1 3:1,2 4:2"),
        ("T1 --> T2\nT1 --> T3\nT2 & T3 ==> T4", "1: 2:1 3:1 4:2,3"),
        ("1 (first) → 2, 3\n  → 4 (last)", "1: 2:1 3:1 4:2,3"),
        ('graph TD\n  a["1. First"] -->|so| b["Task 2"]\n  b --> c[3. Third]\n  a -.-> d[4 Last]\n  style a fill:#f00',
         "1: 2:1 3:2 4:1"),
    ],
)  # fmt: skip
def test_what_a_graph_says(graph: str, expected: str) -> None:
    found = waits(listed(*FOUR, graph=graph))
    assert " ".join(f"{id}:{','.join(needs)}" for id, needs in found.items()) == expected


def test_a_number_in_a_wave_stands_for_its_parts_one_after_another() -> None:
    loaded = listed(
        "- [ ] 1. a", "  - [ ] 1.1 x", "  - [ ] 1.2 y", "  - [ ] 1.3 z", "- [ ] 2. b",
        graph='{"waves": [["1", "2"], ["1.3"]]}',
    )  # fmt: skip
    assert waits(loaded) == {"1.1": (), "1.2": ("1.1",), "1.3": ("1.1", "1.2", "2"), "2": ()}


def test_tasks_that_the_waves_leave_out_stand_between_them() -> None:
    loaded = listed(*FOUR, "- [ ] 5. e", graph='{"waves": [["2"], ["4"]]}')
    assert waits(loaded) == {"1": (), "2": ("1",), "3": ("2",), "4": ("3",), "5": ("4",)}
    found = said(loaded, "left-out-of-graph")
    assert (found.severity, found.tasks) == ("warning", ("1", "3", "5"))


def test_numbers_that_are_unknown_or_stand_twice_in_the_waves() -> None:
    loaded = listed(*FOUR, graph='{"waves": [["1", "9.9"], ["2", "3", "4"], ["1"]]}')
    assert waits(loaded)["1"] == ()
    found = [x for x in loaded.findings if x.code == "graph-unknown"]
    assert [("9.9" in x.message, x.location and x.location.line) for x in found] == [(True, 11), (False, 11)]
    assert found[0].location
    assert found[0].location.column == 18


@pytest.mark.parametrize(
    "graph",
    ['{"waves": [["1"]', '{"waves": 3}', '{"waves": [{"tasks": "1"}]}', '{"waves": []}', '{"waves": [["1", null]]}',
     '{"waves": [["1", "?"]]}', '{"waves": [true]}'],
)  # fmt: skip
def test_a_graph_that_cannot_be_read_leaves_the_chain(graph: str) -> None:
    loaded = listed(*FOUR, graph=graph)
    assert waits(loaded)["3"] == ("2",)
    assert said(loaded, "graph-unread").location


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["1. a", "2. (P) b", "3. (P) c", "4. d"], "1: 2: 3: 4:1,2,3"),
        (["1. a", "2. b (P)", "3. c", "4. (P) d"], "1: 2: 3:1,2 4:1,2"),
        (["1. a", "1.1 (P) x", "1.2 (P) y", "2. b", "2.1 (P) z", "2.2 w"], "1.1: 1.2: 2.1:1.1,1.2 2.2:2.1"),
        (["1. a", "1.1 x", "1.2 y", "2. (P) b", "2.1 z", "3. c"], "1.1: 1.2:1.1 2.1: 3:1.2,2.1"),
    ],
)
def test_what_has_a_p_goes_beside_the_peers_above_it(lines: list[str], expected: str) -> None:
    found = waits(listed(*(f"- [ ] {line}" for line in lines)))
    assert " ".join(f"{id}:{','.join(needs)}" for id, needs in found.items()) == expected


@pytest.mark.parametrize(
    ("mark", "needs"),
    [
        ("_Depends: 1.1, 1.2_", ("1.1", "1.2")),
        ("_Depends: 1.1-1.3_", ("1.1", "1.2", "1.3")),
        ("_Depends: 1.1 – 1.2 (the store), 1.3_", ("1.1", "1.2", "1.3")),
        ("_Depends: 1_", ("1.1", "1.2", "1.3")),
        ("**Depends on:** Task 1.2 and `1.3`", ("1.2", "1.3")),
        ("Depends on 1.2", ("1.2",)),
        ("Depends on tasks 1.2, 1.3.", ("1.2", "1.3")),
        ("Dependencies: 1.1", ("1.1",)),
        ("Blocked by: 1.3", ("1.3",)),
        ("_Depends: none_", ()),
        ("_Depends: none (wave 0)_", ()),
        ("Dependencies: axios 1.6.0, zod", ()),
        ("_Depends: 2_", ()),
        ("_Depends: 9_", ("9",)),
        ("See 1.1 for the depends list", ()),
    ],
)
def test_what_a_task_says_that_it_waits_for(mark: str, needs: tuple[str, ...]) -> None:
    lines = ["- [ ] 1. a", "  - [ ] 1.1 (P) x", "  - [ ] 1.2 (P) y", "  - [ ] 1.3 (P) z", "- [ ] 2. (P) b"]
    loaded = listed(*lines, "  - [ ] 2.1 w", f"    - {mark}")
    assert waits(loaded)["2.1"] == needs


def test_a_line_may_say_it_in_brackets() -> None:
    lines = ["- [ ] 1. (P) a", "- [ ] 2. (P) b", "- [ ] 3. (P) c (depends on 1)", "- [ ] 4. (P) d (see 1)"]
    assert waits(listed(*lines)) == {"1": (), "2": (), "3": ("1",), "4": ()}


def test_where_every_task_says_what_it_waits_for_nothing_else_counts() -> None:
    lines = ["- [ ] 1. a", "- [ ] 2. b", "  - _Depends: none_", "- [ ] 3. c", "  - _Depends: 1_"]
    assert waits(listed(*lines)) == {"1": (), "2": (), "3": ("1",)}
    checked = listed(*lines, "- [ ] 4. Checkpoint", "- [ ] 5. e", "  - _Depends: 1_")
    assert waits(checked) == {"1": (), "2": (), "3": ("1",), "4": ("1", "2", "3"), "5": ("4", "1")}
    silent = listed(*lines, "- [ ] 4. d")
    assert waits(silent)["2"] == ("1",), "one that is silent waits for all above it, and so do all"


def test_what_a_whole_waits_for_holds_for_its_parts() -> None:
    lines = ["- [ ] 1. (P) a", "- [ ] 2. (P) b", "  - [ ] 2.1 x", "  - [ ] 2.2 (P) y", "  - _Depends: 1_"]
    assert waits(listed(*lines)) == {"1": (), "2.1": ("1",), "2.2": ("1",)}


def test_three_levels() -> None:
    loaded = listed("- [ ] 1. a", "  - [ ] 1.1 b", "    - [ ] 1.1.1 c", "    - [ ] 1.1.2 d", "  - [ ] 1.2 e")
    assert waits(loaded) == {"1.1.1": (), "1.1.2": ("1.1.1",), "1.2": ("1.1.2",)}
    assert {task.phase for task in loaded.plan.tasks} == {"1"}
    assert "## Part of 1: a\n\n## Part of 1.1: b\n\n## Your task: 1.1.1" in tasks(loaded)["1.1.1"].prompt


def test_boundaries_keep_apart_only_what_has_no_order() -> None:
    lines = [
        "- [ ] 1. (P) a", "  - _Boundary: Cart, `Store`_", "- [ ] 2. (P) b", "  - _Boundary: Store_",
        "- [ ] 3. c", "  - _Boundary: Cart_",
    ]  # fmt: skip
    loaded = listed(*lines)
    assert {task.id: task.after for task in loaded.plan.tasks} == {"1": (), "2": ("1",), "3": ()}
    assert said(loaded, "same-boundary").tasks == ("1", "2")


# --- what is a task ----------------------------------------------------------------------------------------------


def test_optional_tasks_are_set_aside_unless_they_are_done() -> None:
    loaded = listed(
        "- [ ] 1. a", "  - [ ] 1.1 x", "  - [x]* 1.2 y", "  - [ ]* 1.3 z", "- [ ]* 2. b", "  - [ ] 2.1 v", "- [ ] 3. c",
        "  - Depends on 2.1",
    )  # fmt: skip
    assert waits(loaded) == {"1.1": (), "1.2": ("1.1",), "3": ("1.2",)}
    assert "1.3, 2.1: optional" in said(loaded, "set-aside").message


@pytest.mark.parametrize(
    ("lines", "ids"),
    [
        (["- [ ] 1. Build it", "- [ ]* 1.1 Write tests"], ["1"]),
        (["- [ ] 1. Testing", "- [ ]* 1.1 Write tests", "- [ ] 2. b"], ["2"]),
        (["- [ ] 1. Build it", "  - Read the file", "- [ ] 1.1 Write tests"], ["1", "1.1"]),
        (["- [ ] 1. Build it", "  - _Requirements: 1.1_", "- [ ] 1.1 Write tests"], ["1.1"]),
        (["- [ ] 1. Build it", "  - Read the file", "- [ ] 1.1 Read", "- [ ] 1.2 Write tests"], ["1.1", "1.2"]),
    ],
)
def test_a_whole_is_a_task_where_its_parts_only_test(lines: list[str], ids: list[str]) -> None:
    loaded = listed(*lines)
    assert [task.id for task in loaded.plan.tasks] == ids
    assert ("own-work" in codes(loaded)) is (ids == ["1", "1.1"])


def test_words_of_a_whole_go_with_each_of_its_parts_also_those_below_them() -> None:
    loaded = listed(
        "- [ ] 1. Store", "  - Keep it small", "  - [ ] 1.1 Read", "  - [ ] 1.2 Write", "  - Done: it works"
    )
    for task in loaded.plan.tasks:
        assert "## Part of 1: Store\n\n- Keep it small\n\n- Done: it works\n\n## Your task: 1." in task.prompt
    assert "Read" not in tasks(loaded)["1.2"].prompt


def test_numbers_out_of_order_and_in_the_wrong_place() -> None:
    loaded = listed("- [ ] 1. a", "- [ ] 3. c", "  - [ ] 4.1 x", "- [ ] 2. b")
    assert "2 stands below 3" in said(loaded, "number-order").message
    assert "4.1 stands within 3" in said(loaded, "number-order").message
    assert waits(loaded) == {"1": (), "3": ("1",), "4.1": ("3",), "2": ("4.1",)}


def test_steps_within_a_task_are_no_tasks() -> None:
    loaded = listed("- [ ] 1. a", "  - [ ] 1. first", "  - [ ] 2. second", "- [ ] 2. b")
    assert [task.id for task in loaded.plan.tasks] == ["1", "2"]
    assert "second" in tasks(loaded)["1"].prompt


def test_a_number_that_stands_twice_has_two_places() -> None:
    loaded = listed("- [ ] 1. a", "- [ ] 2. b", "- [ ] 2. c")
    assert (loaded.places["task:2"].line, loaded.places["task:2#2"].line) == (4, 5)


def test_a_ticked_whole_with_open_parts_is_told() -> None:
    loaded = listed("- [x] 1. a", "  - [x] 1.1 x", "  - [ ] 1.2 y", "  - [ ]* 1.3 z")
    assert tasks(loaded)["1.2"].status == "pending"
    assert said(loaded, "half-done").message == "1 is ticked, but not its 1.2"


def test_a_prompt_says_what_a_checkpoint_cannot_do() -> None:
    prompt = tasks(listed("- [ ] 1. Checkpoint - ask the user"))["1"].prompt
    assert "Nobody can be asked" in prompt


# --- boxes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_r6_4_what_is_written_reads_back_and_nothing_else_changes(path: Path) -> None:
    data, chance = path.read_bytes(), random.Random(7)
    before = load("tasks.md", data).plan.tasks
    assert write_statuses(data, {}) == data
    assert write_statuses(data, {task.id: task.status for task in before}) == data
    assert write_statuses(data, {"nobody": "succeeded"}) == data
    for _ in range(20):
        states = {task.id: chance.choice(["succeeded", "failed", "pending", "running", "skipped"]) for task in before}
        written = write_statuses(data, states)
        meant = {id: state if state in ("succeeded", "running") else "pending" for id, state in states.items()}
        after = load("tasks.md", written).plan.tasks
        assert {task.id: task.status for task in after if task.id in meant} == meant
        assert write_statuses(written, states) == written
        assert len(written) == len(data)
        assert {a for a, b in zip(data, written, strict=True) if a != b} <= set(b" xX-~?")


def test_r6_4_a_whole_is_ticked_with_the_last_of_its_parts_and_cleared_with_any() -> None:
    text = "- [-] 1. a\n  - [x] 1.1 x\n  - [~] 1.2 y\n    - [ ] 1.2.1 z\n  - [ ]* 1.3 t\n- [X] 2. b\n- [X] 3. c\n"
    done = write_statuses(text.encode(), {"1.2.1": "succeeded"}).decode()
    assert done == text.replace("[-] 1.", "[X] 1.").replace("[~] 1.2", "[X] 1.2").replace("[ ] 1.2.1", "[X] 1.2.1")
    again = write_statuses(done.encode(), {"1.1": "failed"}).decode()
    assert again == done.replace("[X] 1. ", "[ ] 1. ").replace("[x] 1.1", "[ ] 1.1")


def test_r6_4_queued_stays_queued() -> None:
    assert write_statuses(b"- [~] 1.1 a\n", {"1.1": "pending"}) == b"- [~] 1.1 a\n"


# --- large -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["chain", "marks", "waves", "words"])
def test_large_lists_do_not_explode(how: str) -> None:
    count = 3_000
    lines = []
    for i in range(count):
        if i % 300 == 0:
            lines.append(f"- [ ] {i // 300 + 1}. Group")
        parallel = "(P) " if how == "marks" else ""
        lines.append(f"- [ ] {i // 300 + 1}.{i % 300 + 1} {parallel}Do it in `src/a{i}.py`")
        lines.append(
            "  - _Boundary: All_" if how == "marks" else f"  - _Depends: {i // 300}_" if how == "words" else ""
        )
    graph = str([[f"{g + 1}.{n + 1}" for n in range(300)] for g in range(10)]).replace("'", '"')
    started = time.process_time()
    loaded = listed(*lines, graph=f'{{"waves": {graph}}}' if how == "waves" else "")
    spent_s = time.process_time() - started
    assert cycle(build(loaded.plan)) is None
    assert len(loaded.plan.tasks) == count
    assert sum(len(task.depends_on) for task in loaded.plan.tasks) < 60 * count
    assert spent_s < 10, "many times what it takes"


def test_numbers_deeper_than_anybody_writes_are_no_tasks() -> None:
    loaded = listed("- [ ] 1. a", "- [ ] " + "1." * 10_000 + "1 b")
    assert [task.id for task in loaded.plan.tasks] == ["1"]
    assert "no-number" in codes(loaded)
