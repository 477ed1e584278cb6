"""spec-kit lists: tasks, their order, their claims, and their boxes."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.formats.load import Loaded, load
from stretto.formats.named_paths import named_paths
from stretto.formats.spec_kit.status import write_statuses
from stretto.model.plan import Task
from unit.formats.corpus import sample


def read(text: str, path: str = "tasks.md") -> Loaded:
    return load(path, text.encode())


def tasks(loaded: Loaded) -> dict[str, Task]:
    return {task.id: task for task in loaded.plan.tasks}


def waits(loaded: Loaded) -> dict[str, tuple[str, ...]]:
    return {task.id: task.depends_on for task in loaded.plan.tasks}


# --- the template ------------------------------------------------------------------------------------------------


def test_a_list_of_user_stories() -> None:
    loaded = load(sample("spec-kit/stories.md"))
    plan = loaded.plan
    assert (plan.name, plan.format) == ("Orders of a bookshop", "spec-kit")
    assert [(x.id, x.title, x.depends_on) for x in plan.phases] == [
        ("1", "Setup (Shared Infrastructure)", ()),
        ("2", "Foundational (Blocking Prerequisites)", ("1",)),
        ("3", "User Story 1 - Place an order (Priority: P1) 🎯 MVP", ("2",)),
        ("4", "User Story 2 - Cancel an order (Priority: P2)", ("2",)),
        ("5", "User Story 3 - Refunds (Priority: P3)", ("2", "4")),
        ("6", "Polish & Cross-Cutting Concerns", ("3", "4", "5")),
    ]
    assert waits(loaded) == {
        "T001": (), "T002": ("T001",), "T003": (), "T004": ("T003",), "T005": ("T003",),
        "T006": (), "T007": (), "T008": ("T006", "T007"), "T009": ("T006", "T007"), "T010": ("T008", "T009"),
        "T011": ("T010",), "T012": (), "T013": ("T012",), "T014": (), "T015": (), "T016": ("T015",),
    }  # fmt: skip
    assert [task.id for task in plan.tasks if task.status == "succeeded"] == ["T001"]
    found = tasks(loaded)
    assert found["T001"].writes == ("shop/__init__.py", "pyproject.toml")
    assert found["T004"].writes == ("shop/errors.py",), "the contract is read"
    assert (found["T011"].writes, found["T011"].effect) == (None, "any"), "no path: unknown, not empty"
    assert found["T010"].effect == "changes"
    assert loaded.places["task:T010"].line == 63
    assert loaded.places["task:T010:depends_on:1"].column == 79
    assert loaded.places["phase:4"].line == 70
    assert not loaded.findings


def test_the_prompt_has_the_phase_the_story_and_the_conventions() -> None:
    prompt = tasks(load(sample("spec-kit/stories.md")))["T005"].prompt
    assert prompt.index("# Orders of a bookshop") < prompt.index("No user story work can begin")
    assert "## Your task: T005\n\nAdd settings in `shop/settings.py`, read from\nenvironment variables" in prompt
    assert "Sources in `shop/`" in prompt
    assert "Leave the list itself as it is" in prompt
    story = tasks(load(sample("spec-kit/stories.md")))["T008"].prompt
    assert "**Independent Test**: Post an order" in story
    assert "### Implementation for User Story 1" in story
    assert "T900" not in story


def test_bold_ids_dotted_phases_ranges_and_parts() -> None:
    loaded = load(sample("spec-kit/numbered.md"))
    assert [phase.id for phase in loaded.plan.phases] == ["3.1", "3.2", "3.3", "3.4"]
    assert waits(loaded)["T008"] == ("T005", "T006", "T007")
    assert waits(loaded)["T006"] == ("T007",), "a task that is named further down comes first"
    assert [task.id for task in loaded.plan.tasks][-3:] == ["T008", "T009", "T010"], "parts are no tasks of their own"
    whole = tasks(loaded)["T008"]
    assert whole.title == "Wire both in importer/main.py"
    assert "T008b" in whole.prompt
    assert "exit code 2" in whole.prompt
    assert whole.writes == ("importer/main.py", "pyproject.toml")
    (finding,) = loaded.findings
    assert (finding.code, finding.tasks, finding.location and finding.location.line) == (
        "unknown-status",
        ("T010",),
        24,
    )


def test_another_language_and_windows_lines() -> None:
    loaded = load(sample("spec-kit/crlf.md"))
    assert [(x.id, x.title) for x in loaded.plan.phases] == [("1", "Base"), ("2", "História (US1)")]
    assert tasks(loaded)["T-03"].title == "Serviço em `src/servico.ts`"
    assert tasks(loaded)["T-03"].writes == ("src/servico.ts",)


# --- boxes without an id -----------------------------------------------------------------------------------------


def boxes(*lines: str) -> str:
    return "".join(f"- [ ] {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("text", "format", "count"),
    [
        (f"# Sprint list\n{boxes('Write src/a.py', 'T7: Write src/b.py', 'Fix src/c.py')}", "checklist", 3),
        (boxes("a", "b", "T42 c", "d", "e"), "checklist", 5),
        (boxes("a", "b", "T042 c", "d", "e"), "checklist", 5),
        (boxes(*"abcdefghi", "T9 j"), "checklist", 10),
        (f"# Tasks: x\n{boxes('a', 'b', 'T001 c')}", "checklist", 3),
        (boxes("T001 a", "b"), "spec-kit", 1),
        (f"{boxes('T001 a')}## Notes\n- [P] tasks = different files\n- [S] one story\n", "spec-kit", 1),
        (boxes("T001 a", "T002 b", "c", "d", "e"), "checklist", 5),
        (boxes("T001 [P] [US1] a", "b", "c"), "spec-kit", 1),
        (f"# Tasks: x\n\n**Input**: Design documents from `/specs/1/`\n\n{boxes('T001 a', 'b', 'c')}", "spec-kit", 1),
        (f"## Format: `[ID] [P?] [Story] Description`\n\n{boxes('T001 a', 'b', 'c')}", "spec-kit", 1),
        (f"{boxes('T001 a')}\n## Validation Checklist\n*GATE*\n\n{boxes('b', 'c', 'd')}", "spec-kit", 1),
        ("- [ ] Setup\n  - [ ] T001 a\n- [ ] Core\n  - [ ] T002 b\n- [ ] Polish\n  - [ ] T003 c\n", "spec-kit", 3),
        ("- [ ] T001 a\n  - [ ] part\n  - [ ] part\n  - [ ] part\n", "spec-kit", 1),
    ],
)
def test_boxes_with_ids_have_to_be_the_rule(text: str, format: str, count: int) -> None:
    plan = read(text).plan
    assert (plan.format, len(plan.tasks)) == (format, count)


def test_each_open_box_that_lost_its_id_is_told() -> None:
    text = "# Tasks: x\n\n## Phase 1: Setup\n" + boxes("T001 a", "Make src/b.py", "T002 c", "T002b d", "Make src/e.py")
    loaded = read(f"{text}- [x] Made src/f.py\n- [ ]\n")
    assert [task.id for task in loaded.plan.tasks] == ["T001", "T002", "T002b"]
    found = [(x.code, x.severity, x.location and x.location.line, x.message, x.hint) for x in loaded.findings]
    message = "has no id such as T001: not done, and not ticked"
    hint = "give it an id of its own, such as T003, to have it done"
    assert found == [
        ("no-number", "warning", 5, f"'Make src/b.py' {message}", hint),
        ("no-number", "warning", 8, f"'Make src/e.py' {message}", hint),
    ]


@pytest.mark.parametrize(
    ("above", "severity"),
    [
        ("", "warning"),
        ("Some words.\n\n", "warning"),
        ("**Checkpoint**: the story works\n\n", "warning"),
        ("**Checkpoint**:\n", "info"),
        ("\n**✅ CHECKPOINT: the story works**\n\n", "info"),
        ("\n**Acceptance Criteria**:\n\n", "info"),
        ("\nValidation:\n", "info"),
        ("\n**Checkpoint**:\n- [ ] green\n\n**Backend**:\n", "warning"),
        ("\n**Checkpoint**:\n- [ ] green\n- [ ] T009 a\n", "warning"),
        ("### Checkpoint\n", "info"),
        ("## Validation Checklist\n*GATE: Checked by main() before returning*\n\n", "info"),
        ("## Success Criteria\n### Backend\n", "info"),
        ("## Later\n", "warning"),
        ("## Phase 4: Validation\n", "warning"),
        ("## Phase 4: Validation\n- [ ] T009 a\n", "warning"),
        ("## Phase 4: Checkpoint\n", "info"),
        ("## Quality\n- [ ] T009 a\n", "warning"),
    ],
)
def test_boxes_of_check_lists_say_what_is_to_hold(above: str, severity: str) -> None:
    loaded = read(f"# Tasks: x\n## Phase 3: Build\n{boxes('T001 a', 'T002 b', 'T003 c')}{above}- [ ] All is green\n")
    found = [(x.location.line, x.severity) for x in loaded.findings if x.code == "no-number" and x.location]
    assert max(found)[1] == severity
    assert "T001" in tasks(loaded)


# --- order -------------------------------------------------------------------------------------------------------


def listed(*lines: str, heading: str = "## Phase 1: All\n") -> Loaded:
    return read("# Tasks: x\n" + heading + "".join(f"- [ ] {line}\n" for line in lines))


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("T009 x (depends on T001, T002)", ("T001", "T002")),
        ("T009 x (depends on T001 and T002)", ("T001", "T002")),
        ("T009 x (depends on T002 models)", ("T002",)),
        ("T009 x (depends on T001: auth fix)", ("T001",)),
        ("T009 x — Depends: none", ()),
        ("T009 x — **Depends on**: `T001`, `T003`", ("T001", "T003")),
        ("T009 x. Blocked by T002", ("T002",)),
        ("T009 x (after T001–T003)", ("T001", "T002", "T003")),
        ("T009 x (requires T001 through T002)", ("T001", "T002")),
        ("T009 x, as in T001", ()),
        ("T009 x (T001)", ()),
        ("T009 x (depends on T777)", ("T777",)),
        ("T009 x (depends on T003-T777)", ("T003", "T777")),
        ("T009 x (not dependent on T003)", ()),
        ("T009 x (do not wait on T003)", ()),
        ("T009 x: it doesn't really depend on T777, no longer requires T003; needs T002", ("T002",)),
        ("T009 x, without having to wait for T003", ("T003",)),
        ("T009 x, not before or after T003", ("T003",)),
        ("T009 x takes longer after T003", ("T003",)),
    ],
)
def test_what_a_line_says_that_it_waits_for(line: str, needs: tuple[str, ...]) -> None:
    first = listed("T001 [P] a", "T002 [P] b", "T003 [P] c", line.replace("T009", "T009 [P]"))
    assert waits(first)["T009"] == needs


def test_without_headings_there_is_one_phase() -> None:
    loaded = read("- [ ] T001 a\n- [ ] T002 [P] b\n- [ ] T003 [P] c\n- [ ] T004 d\n")
    assert [phase.id for phase in loaded.plan.phases] == ["main"]
    assert waits(loaded) == {"T001": (), "T002": ("T001",), "T003": ("T001",), "T004": ("T002", "T003")}


def test_phases_without_that_word_are_the_outermost_headings() -> None:
    loaded = read("# Tasks\n## Set-up\n- [ ] T001 a\n### Part\n- [ ] T002 b\n## Work\n- [ ] T003 c\n")
    assert [(x.id, x.depends_on) for x in loaded.plan.phases] == [("set-up", ()), ("work", ("set-up",))]


def test_stories_are_known_by_their_tags_too() -> None:
    loaded = read(
        "## Phase 1\n- [ ] T001 a\n## Phase 2: Shelf\n- [ ] T002 [US1] b\n## Phase 3: Cart\n- [ ] T003 [US2] c\n"
        "## Phase 4: End\n- [ ] T004 d\n"
    )
    assert [x.depends_on for x in loaded.plan.phases] == [(), ("1",), ("1",), ("2", "3")]


@pytest.mark.parametrize(
    ("said", "needs"),
    [
        ("- **User Story 2 (P2)**: Depends on US1 completion (extends `a.py`)", ("1", "2")),
        ("- **US2**: Should start after US1 has landed", ("1", "2")),
        ("- **Phase 3 (US2)**: Depends on Foundational + US1 `a.py` existing", ("1", "2")),
        ("- **User Story 2**: Can start after Phase 1 - May integrate with US1", ("1",)),
        ("- **User Story 2**: Independent from US1; no dependency on US1", ("1",)),
        ("- **User Story 2**: Requires US1 for the full flow but can be done independently", ("1",)),
        ("- **User Story 1**: Depends on US2", ("1",)),
        ("- **User Stories (Phase 2+)**: All depend on Phase 1", ("1",)),
    ],
)
def test_what_the_prose_says_of_stories(said: str, needs: tuple[str, ...]) -> None:
    loaded = read(
        "## Phase 1: Setup\n- [ ] T001 a\n## Phase 2: User Story 1\n- [ ] T002 b\n"
        f"## Phase 3: User Story 2\n- [ ] T003 c\n## Dependencies\n### User Story Dependencies\n{said}\n"
    )
    assert loaded.plan.phases[2].depends_on == needs
    assert loaded.plan.phases[1].depends_on == ("1",), "never a later one"


def test_a_phase_says_itself_what_it_waits_for() -> None:
    loaded = read(
        "## Phase 1: US1\n- [ ] T001 a\n## Phase 2: US2\n**Dependencies**: Phase 1\n\n- [ ] T002 b\n"
        "## Phase 3: US3\n**Prerequisite:** Phase 2 (US2) complete.\n\n- [ ] T003 c\n"
    )
    assert [x.depends_on for x in loaded.plan.phases] == [(), ("1",), ("2",)]


def test_two_large_sets_are_ordered_through_one_task() -> None:
    lines = "## Phase 1: US1\n### Tests\n" + "".join(f"- [ ] T1{i:03} [P] t\n" for i in range(100))
    lines += "### Work\n" + "".join(f"- [ ] T2{i:03} [P] w\n" for i in range(100))
    loaded = read(lines)
    assert sum(map(len, waits(loaded).values())) == 199
    assert waits(loaded)["T2000"] == ("T1099",)
    assert len(waits(loaded)["T1099"]) == 99


# --- paths -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("Create User in src/models/user.py.", ["src/models/user.py"]),
        ("Edit `index.css`, then (index.html)", ["index.css", "index.html"]),
        ("Create `.github/workflows/` and src/lib/", [".github/workflows/", "src/lib/"]),
        ("Tests in tests/test_[name].py and src/{entity}.py", ["tests/test_[name].py", "src/*.py"]),
        ("Route `app/(shop)/[id]/page.tsx`", ["app/(shop)/[id]/page.tsx"]),
        ("Use Node.js, e.g. v1.2 and/or CI/CD with React 18.2", []),
        ("POST /api/users on `/api/users/{id}`", []),
        ("Install `@monaco-editor/react`, three/examples/jsm, https://x.org/a.js", []),
        ("Call `os.path.join` and console.log(x)", []),
        ("Copy it from src/old.py to src/new.py", ["src/new.py"]),
        ("Follow the layout as in `docs/style.md`", []),
        ("Write ../outside.py and /etc/hosts.txt", []),
        ("In `/home/me/shop/src/a.py` and /srv/other/b.py", ["src/a.py"]),
        ("Dockerfile and Makefile; `.gitignore`", ["Dockerfile", "Makefile", ".gitignore"]),
        ("**src/a.py**: _src/b.py_", ["src/a.py"]),
        ("`cargo test --all src/a.rs`", []),
        ("Write src/002.py, `404.html` and pages/404.tsx", ["src/002.py", "404.html", "pages/404.tsx"]),
        ("In `src/v2/1.py`, src/1.c, 2024.05.md", ["src/v2/1.py", "src/1.c", "2024.05.md"]),
        ("With `1.2`, 3.11, v1.2, `2.5.1`, 1.5.h and 2.m", []),
        ("1.Go there 2.Make 3.Proto 4.MD 5.Test", []),
        ("Run service 24/7.Go on with Vue 3.js and Node 18.js, version 2.go live, takes 2/3.h or 3/4.c", []),
    ],
)
def test_paths_that_words_name(text: str, paths: list[str]) -> None:
    found = list(named_paths(text, "shop"))
    assert [path for path, _, _ in found] == paths


# --- what stands beside it ---------------------------------------------------------------------------------------


def test_the_papers_of_the_feature_go_along(tmp_path: Path) -> None:
    feature = tmp_path / "specs" / "001-shop"
    (feature / "contracts").mkdir(parents=True)
    (tmp_path / ".specify" / "memory").mkdir(parents=True)
    names = ("tasks.md", "spec.md", "plan.md", "contracts/api.yaml", "contracts/picture.png", "quickstart.md")
    for name in names:
        (feature / name).write_text("- [ ] T001 x\n")
    (tmp_path / ".specify" / "memory" / "constitution.md").write_text("be kind")
    (task,) = load(feature / "tasks.md").plan.tasks
    assert task.context == (
        "spec.md", "plan.md", "contracts/api.yaml", "quickstart.md", "../../.specify/memory/constitution.md",
    )  # fmt: skip


# --- boxes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["stories", "numbered", "crlf"])
def test_r6_4_a_round_trip_changes_the_boxes_and_nothing_else(name: str) -> None:
    data = sample(f"spec-kit/{name}.md").read_bytes()
    before = load("tasks.md", data).plan.tasks
    assert write_statuses(data, {}) == data
    assert write_statuses(data, {task.id: task.status for task in before}) == data
    done = write_statuses(data, {task.id: "succeeded" for task in before})
    assert all(task.status == "succeeded" for task in load("tasks.md", done).plan.tasks)
    changed = [(a, b) for a, b in zip(data.decode(), done.decode(), strict=True) if a != b]
    assert {(a in " -", b in "xX") for a, b in changed} == {(True, True)}
    undone = write_statuses(done, {task.id: "failed" for task in before})
    assert all(task.status == "pending" for task in load("tasks.md", undone).plan.tasks)


def test_r6_4_parts_with_ids_go_with_their_task_and_other_boxes_stay() -> None:
    data = sample("spec-kit/numbered.md").read_bytes()
    done = write_statuses(data, {"T008": "succeeded"}).decode()
    assert "- [x] **T008**" in done
    assert "- [x] **T008a**" in done
    assert "- [ ] exit code 2" in done


def test_an_empty_pair_of_brackets_is_a_box_too() -> None:
    data = b"- [] T001 a\n- [ ] T002 b\n"
    assert write_statuses(data, {"T001": "succeeded"}) == b"- [X] T001 a\n- [ ] T002 b\n"


def test_the_same_id_twice_has_two_places() -> None:
    loaded = listed("T001 a", "T001 b")
    assert loaded.places["task:T001"].line != loaded.places["task:T001#2"].line
