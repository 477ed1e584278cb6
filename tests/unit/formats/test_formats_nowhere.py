"""Words of order in the prose of a list that lead to no task of it: told where a task is meant, and nowhere else."""

from __future__ import annotations

import pytest

from stretto.analysis.lint import lint
from stretto.formats.load import Loaded, load
from stretto.model.plan import Finding


def told(loaded: Loaded) -> list[Finding]:
    """Dependencies that are lost."""
    findings = [*loaded.findings, *lint(loaded.plan, loaded.places)]
    assert not [x for x in findings if x.code in ("cycle", "self-dependency")]
    return [x for x in findings if x.code in ("outside-need", "unknown-id")]


def names(findings: list[Finding]) -> list[str]:
    return [x.message.split("'")[-2] for x in findings]


# --- checklists ----------------------------------------------------------------------------------------------------

DOTTED = "- [ ] 1.1 a\n- [ ] 1.2 b\n- [ ] 1.3 c\n- [ ] 2.1 d {}\n"
COUNTED = "1. [ ] a\n2. [ ] b\n3. [ ] c\n4. [ ] d {}\n"
NAMED = "- [ ] Task 1: a\n- [ ] Task 2: b\n- [ ] Task 3: c\n- [ ] Task 4: d {}\n"
HASHED = "- [ ] #1 a\n- [ ] #2 b\n- [ ] #3 c\n- [ ] #4 d {}\n"
CODED = "- [ ] A-1: a\n- [ ] A-2: b\n- [ ] B7: c\n- [ ] B8: d {}\n"
BULLETS = "- [ ] alpha\n- [ ] beta\n- [ ] gamma\n- [ ] delta {}\n"
STEPS = "## Task 1: a\n- [ ] **Step 1: x**\n## Task 2: b\n- [ ] **Step 1: y**\n- [ ] **Step 2: z** {}\n"
GROUPED = "- [ ] 1. Set up\n  - [ ] 1.1 a\n  - [ ] 1.2 b\n- [ ] 2. Build\n  - [ ] 2.1 c {}\n"


@pytest.mark.parametrize(
    ("text", "words", "lost"),
    [
        (DOTTED, "after 1.4", ["1.4"]),
        (DOTTED, "after 1.4 is done", ["1.4"]),
        (DOTTED, "follows 1.4, then ships", ["1.4"]),
        (DOTTED, "(after 1.4)", ["1.4"]),
        (DOTTED, "(requires 1.4)", ["1.4"]),
        (DOTTED, "requires 1.4 and 1.5.", ["1.4", "1.5"]),
        (DOTTED, "depends on 1.2 and 1.4", ["1.4"]),
        (DOTTED, "(after 1.2-1.9)", ["1.9"]),
        (COUNTED, "depends on 9", ["9"]),
        (COUNTED, "(after 9)", ["9"]),
        (COUNTED, "(after 2, 9)", ["9"]),
        (COUNTED, "after task 9", ["task 9"]),
        (COUNTED, "requires tasks 3 and 9", ["task 9"]),
        (COUNTED, "requires tasks 8 and 9", ["task 8", "task 9"]),
        (NAMED, "after task 9 has landed", ["task 9"]),
        (NAMED, "depends on 9.", ["9"]),
        (HASHED, "needs #7", ["#7"]),
        (HASHED, "(needs #7)", ["#7"]),
        (CODED, "after A-9", ["A-9"]),
        (CODED, "once B7 works, after B12", ["B12"]),
        (CODED, "after task B12.", ["task B12"]),
    ],
)
def test_r1_a_number_that_no_box_has_is_told(text: str, words: str, lost: list[str]) -> None:
    found = told(load("TODO.md", text.format(words).encode()))
    assert sorted(names(found)) == sorted(lost)
    line = text.format(words).split("\n")[3]
    for finding, name in zip(sorted(found, key=lambda x: names([x])), sorted(lost), strict=True):
        assert (finding.code, finding.severity) == ("outside-need", "warning")
        assert finding.hint and finding.location and finding.location.line == 4
        begins = finding.location.column - 1
        assert line[begins:].startswith(name.removeprefix("task ")) or f"-{name}" in line[begins : begins + 8]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # versions
        (DOTTED, "after 3.11"),
        (DOTTED, "requires 3.11+ to build"),
        (DOTTED, "needs 1.4.2 of the library"),
        (DOTTED, "requires Python 1.4"),
        (DOTTED, "after 1.4 is out"),
        (DOTTED, "(requires 3.11+)"),
        (DOTTED, "(requires Node 18)"),
        (COUNTED, "after 3.11"),
        (BULLETS, "after 1.4"),
        (BULLETS, "(requires 3.11)"),
        # issues
        (DOTTED, "fixed after #123"),
        (COUNTED, "needs #123 merged upstream"),
        (HASHED, "seen again after #123"),
        # other documents, and headings
        (DOTTED, "after section 4.2 of the manual"),
        (DOTTED, "follows 1.4 of the RFC"),
        (COUNTED, "after step 9 of the guide"),
        (COUNTED, "follows RFC 9"),
        (NAMED, "after step 9"),
        (NAMED, "after 1.4"),
        (CODED, "after SHA-256"),
        (CODED, "after M3"),
        # what is counted and measured
        (COUNTED, "requires 9 reviewers"),
        (COUNTED, "(requires 2)"),
        (COUNTED, "(needs 9)"),
        (COUNTED, "after 9 minutes"),
        (COUNTED, "(after 9 minutes)"),
        (COUNTED, "(after 30)"),
        (COUNTED, "wait 5, give up after 9"),
        (COUNTED, "needs 9 retries"),
        (COUNTED, "depends on 9 services"),
        (COUNTED, "and its dependencies (9)"),
        (COUNTED, "launch after 2027"),
        (COUNTED, "(after 2027)"),
        (DOTTED, "after 1.4 seconds"),
        (DOTTED, "(needs 1.4 GB)"),
        # tools and people
        (COUNTED, "(requires Docker)"),
        (COUNTED, "(needs review)"),
        # what is there, but is no task of its own
        (STEPS, "after step 1"),
        (STEPS, "run after step 2."),
        (GROUPED, "depends on 1"),
        (GROUPED, "after 2."),
        (COUNTED, "x\n   1. one\n   2. two\n   9. depends on 7"),
        (COUNTED, "x\n   - first\n   - second (after 9)"),
        (DOTTED, "no dependency on 1.4"),
        (DOTTED, "as in 1.4"),
        # and what is a task
        (DOTTED, "after 1.1-1.3"),
        (NAMED, "after tasks 1 through 3"),
        (COUNTED, "(after 2)"),
        ("## Phase 1\n- [ ] 1.1 a\n- [ ] 1.2 b\n## Phase 2\n- [ ] 2.1 c {}\n", "depends on phase 1"),
    ],
)
def test_r1_other_numbers_are_no_tasks(text: str, words: str) -> None:
    assert told(load("TODO.md", text.format(words).encode())) == []


def test_r1_a_number_in_brackets_behind_after_is_a_task_before_it_in_a_list_with_numbers() -> None:
    loaded = load("TODO.md", b"1. [ ] a\n2. [ ] b\n3. [ ] c (after 1)\n4. [ ] d (after 1, 2)\n5. [ ] e\n")
    assert [x.depends_on for x in loaded.plan.tasks] == [(), ("a",), ("a", "b"), ("a", "b", "c"), ("d",)]


@pytest.mark.parametrize("words", ["after 3", "after 4", "after 1, 2, 4", "after 1, 2"])
def test_r1_other_numbers_behind_after_count_something_and_leave_the_order_of_the_list(words: str) -> None:
    loaded = load("TODO.md", f"1. [ ] a\n2. [ ] b ({words})\n3. [ ] c\n4. [ ] d\n".encode())
    assert [x.depends_on for x in loaded.plan.tasks] == [(), ("a",), ("b",), ("c",)]


# --- spec-kit ------------------------------------------------------------------------------------------------------

SPEC = """# Tasks: x

**Input**: Design documents

## Phase 1: Setup
- [ ] T001 a
- [ ] T002 b
  - [ ] T002a part
## Phase 2: Dashboard (User Story 1)
- [ ] T003 [US1] c
- [ ] T004 [US1] d {words}
## Phase 3: Later

Nothing yet.

## Dependencies & Execution Order

{prose}
"""


def spec(words: str = "", prose: str = "") -> Loaded:
    loaded = load("tasks.md", SPEC.format(words=words, prose=prose).encode())
    assert loaded.plan.format == "spec-kit"
    return loaded


@pytest.mark.parametrize(
    ("words", "lost"),
    [
        ("needs the client of T099", "T099"),
        ("after merging T099", "T099"),
        ("(requires the entity from T099)", "T099"),
        ("depends on completion of `T099`", "T099"),
    ],
)
def test_r1_an_id_behind_words_of_order_that_no_task_has_is_told(words: str, lost: str) -> None:
    (found,) = told(spec(words))
    assert (found.code, found.severity, found.tasks, names([found])) == ("outside-need", "warning", ("T004",), [lost])
    assert found.location and found.location.line == 11
    assert SPEC.format(words=words, prose="").split("\n")[10][found.location.column - 1 :].startswith(lost)


@pytest.mark.parametrize(
    ("words", "needs"),
    [
        ("(depends on T001 (model), T002 (service))", ("T001", "T002")),
        ("waits for T002", ("T002",)),
        ("blocked on T002", ("T002",)),
        ("dependent on T001 and T002", ("T001", "T002")),
        ("once T002 works", ("T002",)),
    ],
)
def test_r1_words_that_mean_a_dependency_are_one(words: str, needs: tuple[str, ...]) -> None:
    loaded = spec(words)
    assert told(loaded) == []
    assert {x.id: x.depends_on for x in loaded.plan.tasks}["T004"][: len(needs)] == needs
    (found,) = told(spec(words.replace("T002", "T099")))
    assert (found.code, found.location and found.location.line) == ("unknown-id", 11)


@pytest.mark.parametrize(
    ("prose", "lost"),
    [
        ("- T004 requires T001, T098", "T098"),
        ("- **Dashboard (Phase 2)**: Depends on T099 (model), T001", "T099"),
        ("- T004 waits for T001-T098", "T098"),
        ("- **User Story 1 (P1)**: Depends on US9", "US9"),
        ("- **User Story 1**: Depends on\n  User Story 9", "User Story 9"),
        ("- **User Story 1**: Depends on Phase 7", "Phase 7"),
        ("We thought of Phase 8 and User Story 1 here.\n\n- **User Story 1**: Depends on Phase 8", "Phase 8"),
    ],
)
def test_r1_a_section_on_dependencies_that_names_nothing_is_told(prose: str, lost: str) -> None:
    (found,) = told(spec(prose=prose))
    assert (found.code, found.severity, names([found])) == ("outside-need", "warning", [lost])
    lines = SPEC.format(words="", prose=prose).split("\n")
    bullets = [n for n, line in enumerate(lines, 1) if line.startswith("- ") and not line.startswith("- [")]
    assert found.location and found.location.line >= bullets[0], "not where it is only spoken of"
    rest = "\n".join(lines[found.location.line - 1 :])[found.location.column - 1 :]
    assert " ".join(rest.split()).startswith(lost)


def test_r1_the_same_name_is_told_once() -> None:
    assert len(told(spec(prose="- T004 requires T098\n- T003 requires T098\n- T003 needs T098\n"))) == 1


@pytest.mark.parametrize(
    ("words", "prose"),
    [
        ("as T099 does", ""),
        ("needs the same handling as T099", ""),
        ("requires tests before T099", ""),
        ("needs a rule for T1059", ""),
        ("requires EPIC-004 T099 of the portal", ""),
        ("needs the client of T002a", ""),
        ("needs the client of T001", ""),
        ("after the T-shirt", ""),
        ("requires Python 3.11 and 2 reviewers", ""),
        ("", "- T016 blocks T030"),
        ("", "- Old note: T002 no longer waits for T777"),
        ("no longer needs the client of T099", ""),
        ("", "- Tests (T004-T007) before implementation (T008-T014)"),
        ("", "- T004 requires T002a"),
        ("", "- T001, T002 can run in parallel after T003"),
        ("", "- T004: requires EPIC-004 T098"),
        ("", "- **User Story 1**: No dependencies on US9"),
        ("", "- **User Story 1 (P1)**: Can start after Foundational (Phase 2) - No dependencies on other stories"),
        ("", "- **User Story 1 (P1)**: Depends on Phase 3"),
        ("", "- **User Story 1 (P1)**: Depends on US1 and Phase 1"),
        ("", "- **User Story 1**: Depends on 001-employee-auth only"),
        ("", "- **Polish (Final Phase)**: Depends on all desired user stories being complete"),
        ("", "- **Note**: US9 would depend on US8"),
    ],
)
def test_r1_other_ids_and_what_is_there_are_not_told(words: str, prose: str) -> None:
    assert told(spec(words, prose)) == []


def test_r1_phases_and_stories_that_headings_do_not_number_are_not_missed() -> None:
    head = "# Tasks: x\n\n**Input**: Design documents\n\n"
    tasks = "## 1. Setup\n- [ ] T001 a\n## 2. User Story 1\n- [ ] T002 b\n"
    assert (
        told(load("tasks.md", f"{head}{tasks}## Dependencies\n- **User Story 1**: Depends on Phase 1\n".encode())) == []
    )
    tasks = "## Phase 01: Setup\n- [ ] T001 a\n## Phase 02: Orders\n- [ ] T002 b\n"
    for prose in ("Depends on US3", "Depends on Phase 1"):
        assert told(load("tasks.md", f"{head}{tasks}## Dependencies\n- **Phase 2**: {prose}\n".encode())) == []


def test_r1_a_phase_that_is_called_after_dependencies_is_no_such_section() -> None:
    text = SPEC.replace("Phase 1: Setup", "Phase 1: Dependencies").format(words="", prose="")
    assert told(load("tasks.md", text.encode())) == []


# --- of any size ---------------------------------------------------------------------------------------------------


def test_words_that_lead_nowhere_cost_no_time_of_their_own() -> None:
    count = 3_000
    dotted = "".join(
        f"- [ ] 1.{n} x (after 2.{n}), requires tasks 8 and 9, after 1.{count + n}\n" for n in range(count)
    )
    assert len(told(load("TODO.md", dotted.encode()))) >= count
    ids = "".join(f"- [ ] T{n:04} needs the client of T{n + count:04}\n" for n in range(count))
    prose = "".join(f"- **User Story 1**: Depends on US{n + 9} and T{n + count:04}\n" for n in range(count))
    text = f"# Tasks: x\n## Phase 1: User Story 1\n{ids}\n## Dependencies\n{prose}"
    assert len(told(load("tasks.md", text.encode()))) >= count
