"""Plain checklists: what is a task, its id, its order, its claims, its prompt, and its box."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from stretto.analysis.lint import lint
from stretto.errors import PlanError
from stretto.formats.checklist.status import write_statuses
from stretto.formats.load import Loaded, load
from stretto.model.plan import Task
from unit.formats.corpus import sample

SAMPLES = ("todo", "phases", "steps", "labels", "crlf")


def read(text: str, path: str = "TODO.md") -> Loaded:
    return load(path, text.encode())


def tasks(loaded: Loaded) -> dict[str, Task]:
    return {task.id: task for task in loaded.plan.tasks}


def waits(text: str) -> dict[str, tuple[str, ...]]:
    return {task.id: task.depends_on for task in read(text).plan.tasks}


def codes(loaded: Loaded) -> list[str]:
    return [finding.code for finding in loaded.findings]


# --- what is a task ----------------------------------------------------------------------------------------------


def test_a_list_kept_by_hand() -> None:
    loaded = load(sample("checklist/todo.md"))
    assert (loaded.plan.name, loaded.plan.format) == ("TODO: bird counter", "checklist")
    assert [(phase.id, phase.title) for phase in loaded.plan.phases] == [
        ("importer", "Importer"), ("high-priority", "High priority"),
    ]  # fmt: skip
    found = tasks(loaded)
    assert list(found) == [
        "read-the-folder", "skip-photos-that-were-seen-before-in-birds", "rotate-photos-by-their-exif-data",
        "#12", "#14", "write-birds-report-py",
    ]  # fmt: skip
    assert [task.id for task in found.values() if task.status == "succeeded"] == ["read-the-folder"]
    assert found["skip-photos-that-were-seen-before-in-birds"].writes == ("birds/importer.py", "birds/seen.py")
    assert found["#12"].depends_on == ("#14",)
    assert found["#12"].priority == 2
    assert found["write-birds-report-py"].optional
    assert (found["#14"].writes, found["#14"].effect) == (None, "any"), "no path: unknown, not empty"
    assert codes(loaded) == ["set-aside", "set-aside", "criteria-boxes"]
    assert loaded.places["task:#12"].line == 37
    assert loaded.places["task:#12:depends_on:0"].column == 49
    assert loaded.places["phase:importer"].line == 15


def test_a_plan_with_phases_groups_and_criteria() -> None:
    loaded = load(sample("checklist/phases.md"))
    assert [(phase.id, phase.depends_on) for phase in loaded.plan.phases] == [
        ("phase-1", ()), ("2a-limits", ("phase-1",)), ("2b-log", ()), ("release", ("phase-1",)),
        ("phase-3", ("2a-limits", "release")),
    ]  # fmt: skip
    found = tasks(loaded)
    assert {id: found[id].depends_on for id in ("1.2", "1.3", "1.4", "1.5")} == {
        "1.2": ("1.1",), "1.3": ("1.2",), "1.4": ("1.2",), "1.5": ("1.3", "1.4"),
    }  # fmt: skip
    assert found["1.2"].writes == ("kiln/curve.py", "tests/test_curve.py")
    assert found["write-a-line-each-minute-to-kiln-log-py"].depends_on == ("phase-1",)
    assert found["REL-2"].depends_on == ("REL-1",)
    assert found["let-the-page-change-it"].depends_on == ("phase-1", "a-page-with-the-curve-web-index-html")


def test_headings_with_steps_are_tasks() -> None:
    loaded = load(sample("checklist/steps.md"))
    assert [(task.id, task.title, task.status) for task in loaded.plan.tasks] == [
        ("task-1", "Harmonics", "succeeded"), ("task-2", "Tables", "pending"), ("task-3", "Command line", "pending"),
    ]  # fmt: skip
    assert tasks(loaded)["task-1"].writes == ("src/harmonics.rs", "src/lib.rs", "tests/harmonics.rs")
    assert [task.depends_on for task in loaded.plan.tasks] == [(), ("task-1",), ("task-2",)]


def test_labels_and_ids_of_editors() -> None:
    loaded = load(sample("checklist/labels.md"))
    assert [(phase.id, phase.depends_on) for phase in loaded.plan.phases] == [
        ("day-1", ()), ("day-2", ("day-1",)), ("kitchen", ("day-2",)), ("garden", ("kitchen",)),
    ]  # fmt: skip
    assert list(tasks(loaded)) == [
        "0",
        "1",
        "2",
        "care",
        "descale-the-kettle",
        "wash-the-windows",
        "wash-the-windows-2",
    ]
    assert tasks(loaded)["care"].depends_on == ("2",)


def test_another_language_and_windows_lines() -> None:
    loaded = load(sample("checklist/crlf.md"))
    assert [(x.id, x.depends_on) for x in loaded.plan.phases] == [("schritt-1", ()), ("schritt-2", ("schritt-1",))]
    found = tasks(loaded)
    assert found["rechte-prüfen"].depends_on == ("schema-in-db-schema-sql",)
    assert found["druck"].optional, "a star behind the box"
    assert "Fuß" in found["bericht-in-bericht-seite-py"].prompt


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("- [ ] one", ["one"]),
        ("* [ ] a\n+ [x] b\n1. [X] c\n", ["a", "b", "c"]),
        ("- [ ] whole\n  - [ ] part\n  - [x] part\n- [ ] next\n", ["whole", "next"]),
        ("- [ ] group\n  - [ ] task\n    - [ ] part\n  - [ ] other\n", ["task", "other"]),
        ("- [ ] group\n  - [ ] A-1: x\n  - [ ] A-2: y\n", ["A-1", "A-2"]),
        ("- [ ] whole\n  1. [ ] first\n  2. [ ] then\n", ["whole"]),
        ("- [ ] whole\n  - [ ] Step 1: a\n  - [ ] Step 2: b\n", ["whole"]),
        ("# T\n## Task 1: a\n- [ ] x\n## Task 2: b\n### More\n- [ ] y\n", ["task-1", "task-2"]),
        ("# T\n## Story 1: a\n### Task 1.1: b\n- [ ] x\n### Task 1.2: c\n- [ ] y\n", ["task-1.1", "task-1.2"]),
        ("# T\n## Build\n- [ ] Step 1: x\n- [ ] Step 2: y\n", ["build"]),
        ("# T\n### SHOP-12: a\n- [ ] x\n- [ ] y\n", ["SHOP-12"]),
        ("- [ ] \n- [ ]\n- [ ] real\n", ["real"]),
        ("```\n- [ ] code\n```\n<!--\n- [ ] comment\n-->\n- [ ] real\n", ["real"]),
        ("- [ ] a\n## Definition of done\n- [ ] b\n", ["a"]),
        ("- [ ] a\n\n**Acceptance criteria:**\n\n- [ ] b\n", ["a"]),
        ("## Definition of done\n- [ ] a\n- [ ] b\n", ["a", "b"]),
        ("[![badge](x.svg)](y)\n\n- [ ] a\n", ["a"]),
        ("[TOC]\n\n- [ ] a\n", ["a"]),
        ("---\ntitle: x\n---\n- [ ] a\n", ["a"]),
        ("Tasks: see below\n- [ ] a: b\n", ["a-b"]),
        ("- [x] done\n- [ ] not started\n- [ ] a\n", ["a"]),
        ("- [ ] done\n- [ ] done\n", ["done", "done-2"]),
    ],
)
def test_what_is_a_task(text: str, ids: list[str]) -> None:
    assert list(tasks(read(text))) == ids


def test_a_broken_plan_of_another_kind_is_no_checklist() -> None:
    with pytest.raises(PlanError, match="not YAML"):
        read("name: x\ntasks:\n- {id: a, prompt: [b}\n- [ ] c\n", "plan.yaml")
    with pytest.raises(PlanError, match="not a plan"):
        read("# A\n\n```\n- [ ] a\n```\n")


# --- ids ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "id", "title"),
    [
        ("Add the login page", "add-the-login-page", "Add the login page"),
        ("**Add** the [login](x.md) page", "add-the-login-page", "Add the login page"),
        ("Add the login page @mira 2026-01-02", "add-the-login-page", "Add the login page @mira 2026-01-02"),
        ("Add the login page (depends on x)", "add-the-login-page", "Add the login page"),
        ("Add the login page ✅ 2026-01-02", "add-the-login-page", "Add the login page"),
        ("1.2 Login", "1.2", "Login"),
        ("**1.2** Login", "1.2", "Login"),
        ("**1.2**: Login", "1.2", "Login"),
        ("**1.2** — Login", "1.2", "Login"),
        ("1.2. Login", "1.2", "Login"),
        ("A-3 Login", "A-3", "Login"),
        ("**A-3**: Login", "A-3", "Login"),
        ("[A-3] Login", "A-3", "Login"),
        ("B14b: Login", "B14b", "Login"),
        ("**M2** `crates`", "M2", "`crates`"),
        ("#12 Login", "#12", "Login"),
        ("#12: Login", "#12", "Login"),
        ("Task 3: Login", "task-3", "Login"),
        ("**Task 3** Login", "task-3", "Login"),
        ("**auth-api**: Login", "auth-api", "Login"),
        ("Login (ID: auth-api)", "auth-api", "Login"),
        ("Login <!-- id: 7 -->", "7", "Login"),
        ("Login 🆔 abc", "abc", "Login"),
        ("Login ^abc", "abc", "Login"),
        ("3. Login", "login", "Login"),
        ("1\\. Login", "login", "Login"),
        ("UTF-8 without BOM", "utf-8-without-bom", "UTF-8 without BOM"),
        ("S3 bucket", "s3-bucket", "S3 bucket"),
        ("P0: Login", "p0-login", "P0: Login"),
        ("**Tests**: write them", "tests-write-them", "Tests: write them"),
        ("🎉", "task", "🎉"),
        ("a" * 200, "a" * 48, "a" * 99 + "…"),
    ],
)
def test_ids(line: str, id: str, title: str) -> None:
    (task,) = read(f"- [ ] {line}\n").plan.tasks
    assert (task.id, task.title) == (id, title)


def test_ids_stay_when_lines_are_ticked_and_added_below() -> None:
    before = "# T\n- [ ] fix it\n- [ ] 1. first\n- [ ] fix it\n"
    after = before.replace("- [ ] fix it", "- [x] fix it", 1) + "- [ ] fix it\n- [ ] 1. more\n## New\n- [ ] last\n"
    ids = list(tasks(read(before)))
    assert ids == ["fix-it", "first", "fix-it-2"]
    assert list(tasks(read(after)))[:3] == ids


def test_an_id_that_stands_twice_is_told() -> None:
    loaded = read("- [ ] **A-1**: x\n- [ ] **A-1**: y\n")
    findings = [x for x in lint(loaded.plan, loaded.places) if x.code == "duplicate-id"]
    assert [(x.severity, x.location and x.location.line) for x in findings] == [("error", 2)]
    text = "- [ ] 1.1 x\n- [ ] 1.1 y\n- [ ] z\n- [ ] q\n- [ ] r\n"
    assert list(tasks(read(text))) == ["x", "y", "z", "q", "r"], "a number may count something else"


# --- order -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- [ ] a\n- [ ] b\n", {"a": (), "b": ()}),
        ("1. [ ] a\n2. [ ] b\n3. [ ] c\n", {"a": (), "b": ("a",), "c": ("b",)}),
        ("- [ ] 1.1 a\n- [ ] 1.2 b\n", {"1.1": (), "1.2": ("1.1",)}),
        ("- [ ] 1. a\n- [ ] 2. b\n", {"a": (), "b": ("a",)}),
        ("- [ ] a\n- [ ] b [P]\n- [ ] c (parallel)\n- [ ] d\n", {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}),
        ("1. [ ] a\n2. [-] b\n3. [ ] c\n", {"a": (), "c": ("a",)}),
        ("1. [ ] a (after b)\n2. [ ] b\n", {"a": ("b",), "b": ()}),
        ("1. [ ] a (depends on 2)\n2. [ ] b\n3. [ ] c\n4. [ ] d\n", {"a": ("b",), "b": (), "c": ("a",), "d": ("c",)}),
        ("1. [ ] a\n2. [ ] b (depends on 1)\n3. [ ] c (depends on 1)\n", {"a": (), "b": ("a",), "c": ("a",)}),
        ("1. [ ] a\n2. [ ] b\n\nText between.\n\n3. [ ] c\n", {"a": (), "b": ("a",), "c": ("b",)}),
        ("1. [ ] a\n\n**Other**\n\n1. [ ] b\n", {"a": (), "b": ()}),
        ("1. [ ] a\n2. [ ] g\n   - [ ] A-1: x\n   - [ ] A-2: y\n3. [ ] c\n",
         {"a": (), "A-1": ("a",), "A-2": ("a",), "c": ("g",)}),
    ],
)  # fmt: skip
def test_r1_what_waits_for_what_in_a_list(text: str, expected: dict[str, tuple[str, ...]]) -> None:
    assert waits(text) == expected


@pytest.mark.parametrize(
    ("headings", "expected"),
    [
        (["Backend", "Frontend"], [(), ()]),
        (["Phase 1", "Phase 2: b"], [(), ("phase-1",)]),
        (["Sprint 1", "Sprint 2", "Polish"], [(), ("sprint-1",), ("sprint-2",)]),
        (["1. Set up", "2. Build"], [(), ("1-set-up",)]),
        (["🚀 Phase 1: a", "✅ Phase 2: b"], [(), ("phase-1",)]),
        (["v0.1.0 — a", "v0.2.0 — b"], [(), ("v0-1-0-a",)]),
        (["Achievement 1.1: a", "Achievement 1.2: b"], [(), ("achievement-1-1-a",)]),
    ],
)
def test_r1_what_headings_say(headings: list[str], expected: list[tuple[str, ...]]) -> None:
    loaded = read("# T\n" + "".join(f"## {x}\n- [ ] one\n- [ ] two\n" for x in headings))
    assert [phase.depends_on for phase in loaded.plan.phases] == expected


@pytest.mark.parametrize(
    ("words", "needs"),
    [
        ("depends on A-1", ("A-1",)),
        ("(depends on: A-1, A-2)", ("A-1", "A-2")),
        ("blocked by **A-1** and `A-2`", ("A-1", "A-2")),
        ("after A-1", ("A-1",)),
        ("requires A-1 through A-3", ("A-1", "A-2", "A-3")),
        ("⛔ A-2", ("A-2",)),
        ('after "the second"', ("A-2",)),
        ("Depends on Phase 9", ()),
        ("depends on phase 1", ("phase-1",)),
        ("no dependency on A-1", ()),
        ("does not depend on A-1", ()),
        ("Dependencies: none", ()),
        ("unblocked by A-1", ()),
        ("requires Node 18 and 2 reviewers", ()),
        ("after 3 retries", ()),
        ("as in A-1", ()),
        ("depends on B-1 itself", ()),
    ],
)
def test_r1_what_a_task_says_that_it_waits_for(words: str, needs: tuple[str, ...]) -> None:
    first = "## Phase 1\n- [ ] A-1: the first\n- [ ] A-2: the second\n- [ ] A-3: x\n"
    assert tasks(read(f"# T\n{first}## Other\n- [ ] B-1: y {words}\n"))["B-1"].depends_on == needs


def test_what_it_waits_for_may_stand_below_it_but_not_in_code() -> None:
    text = "- [ ] A-1: x\n- [ ] B-1: y\n  - **Blocked by**: A-1\n- [ ] C-1: z\n  ```\n  depends on A-1\n  ```\n"
    assert waits(text) == {"A-1": (), "B-1": ("A-1",), "C-1": ()}


def test_a_name_that_is_not_in_the_list_is_told() -> None:
    loaded = read("- [ ] a (depends on #74)\n- [ ] b (after #75)\n")
    found = [x for x in loaded.findings if x.code == "outside-need"]
    assert [(x.severity, x.tasks) for x in found] == [("warning", ("a",)), ("warning", ("b",))]
    assert [(x.location.line, x.location.column) for x in found if x.location] == [(1, 21), (2, 16)]


def test_large_stages_are_not_crossed_task_by_task() -> None:
    many = "".join(f"### T{i}\n- [ ] a\n" for i in range(300))
    loaded = read(f"# T\n## Phase 1\n{many}## Phase 2\n{many}")
    assert sum(len(phase.depends_on) for phase in loaded.plan.phases) < 1_000
    flat = "".join(f"- [ ] [P] a{i}\n" for i in range(300))
    loaded = read(f"- [ ] first\n{flat}- [ ] mid\n{flat}")
    assert sum(len(task.depends_on) for task in loaded.plan.tasks) < 1_000


# --- marks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "left", "told"),
    [
        ("- [-] a\n- [ ] b\n", ["b"], ["set-aside"]),
        ("- [>] a\n- [ ] b (after a)\n- [ ] c\n", ["c"], ["set-aside", "set-aside"]),
        ("- [ ] ~~a~~\n- [ ] ~~old~~ b\n", ["old-b"], ["set-aside"]),
        ("- [ ] ~~a~~ — no\n- [x] ~~c~~\n", ["c"], ["set-aside"]),
        ("- [~] a\n- [/] b\n", ["a", "b"], ["order-unsaid"]),
        ("- [?] a\n", ["a"], ["unknown-status"]),
        ("- [✓] a\n", ["a"], []),
        ("- [!] blocked\n- [>] in progress\n\n- [>] a\n- [!] b\n", ["a"], ["set-aside"]),
        ("# T\n## Out of scope\n- [ ] a\n## In scope\n- [ ] b\n", ["b"], ["set-aside"]),
        ("# T\n## Icebox\n- [ ] a\n- [x] b\n", ["b"], ["set-aside"]),
        ("# T\n## Backlog\n- [ ] a\n", ["a"], []),
        ("- [-] g\n  - [ ] A-1: x\n  - [ ] A-2: y\n- [ ] b\n", ["b"], ["set-aside"]),
    ],
)
def test_marks_and_what_is_set_aside(text: str, left: list[str], told: list[str]) -> None:
    loaded = read(text)
    assert list(tasks(loaded)) == left
    assert codes(loaded) == told


@pytest.mark.parametrize(
    ("line", "priority"),
    [("a (P0)", 1), ("a [P2]", 3), ("P1: a", 2), ("a (high)", 2), ("a (low priority)", 4), ("a ⏫", 2), ("a", 3)],
)
def test_priorities(line: str, priority: int) -> None:
    (task,) = read(f"- [ ] {line}\n").plan.tasks
    assert task.priority == priority


@pytest.mark.parametrize(
    ("heading", "priority"), [("High priority", 2), ("🔥 Critical", 1), ("Low", 4), ("P1", 2), ("Low-level parts", 3)]
)
def test_priorities_of_headings(heading: str, priority: int) -> None:
    (task,) = read(f"# T\n## {heading}\n### Inner\n- [ ] a\n").plan.tasks
    assert task.priority == priority


# --- claims and prompts ------------------------------------------------------------------------------------------


def test_r2_claims_are_the_paths_that_are_named() -> None:
    loaded = read(
        "- [ ] a in `src/a.py:12-20`\n  - and `src/b.py`\n  ```\n  open('src/no.py')\n  ```\n"
        "- [ ] b\n  - **Files**: src/c.py, src/d.py\n  - **Why**: src/e.py is wrong\n"
        "- [ ] Verify src/f.py\n- [ ] TODO.md\n"
    )
    found = tasks(loaded)
    assert found["a-in-src-a-py-12-20"].writes == ("src/a.py", "src/b.py")
    assert loaded.places["task:a-in-src-a-py-12-20:writes:1"].line == 2
    assert found["b"].writes == ("src/c.py", "src/d.py")
    assert (found["verify-src-f-py"].writes, found["verify-src-f-py"].effect) == (("src/f.py",), "any")
    assert found["todo-md"].writes is None, "the list itself is nobody's"


def test_the_prompt_has_all_that_is_said() -> None:
    prompt = tasks(load(sample("checklist/todo.md")))["skip-photos-that-were-seen-before-in-birds"].prompt
    for words in (
        *("# TODO: bird counter", "Counts birds on photos", "## Importer", "Photos come from a folder"),
        *("The feeder hangs in the west.", "`pytest` is green", "A photo is the same when its bytes are."),
        *("digest = sha256", "- [x] keep the digests", "- [ ] forget those", "leave the boxes of the list as they are"),
    ):
        assert words in prompt
    assert "Rotate photos" not in prompt
    assert "kept by hand" not in prompt
    group = tasks(load(sample("checklist/phases.md")))["REL-2"].prompt
    assert "### 2B Log\n\n**Release**\n\nWhat is to hold in the end:\n\n- [ ] A dry run" in group


def test_links_to_papers_are_context_within_the_repository(tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    (repository / ".git").mkdir(parents=True)
    (repository / "plans").mkdir()
    for name in ("plans/a.md", "docs.md", "../secret.md", "plans/b c.md", "plans/picture.png", ".git/x.md"):
        (repository / name).write_text("x")
    file = repository / "plans" / "TODO.md"
    links = ("a.md#part", "../docs.md", "../../secret.md", "b%20c.md", "picture.png", "none.md", "https://x.org/a.md")
    file.write_text("- [ ] read " + " ".join(f"[x]({link})" for link in (*links, "/etc/hosts.md", "../.git/x.md")))
    (task,) = load(file).plan.tasks
    assert task.context == ("a.md", "../docs.md", "b c.md")


def test_prompts_are_bounded() -> None:
    prose = "word " * 50_000
    (task,) = read(f"# T\n{prose}\n## S\n{prose}\n- [ ] a\n").plan.tasks
    assert len(task.prompt) < 20_000


# --- boxes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_r6_4_a_round_trip_changes_the_boxes_and_nothing_else(name: str) -> None:
    data = sample(f"checklist/{name}.md").read_bytes()
    before = load("TODO.md", data).plan.tasks
    assert write_statuses(data, {}) == data
    assert write_statuses(data, {task.id: task.status for task in before}) == data
    chance = random.Random(name)
    for _ in range(30):
        wanted = {task.id: chance.choice(("succeeded", "failed", "pending", "skipped")) for task in before}
        after = write_statuses(data, wanted)
        assert {x.id: x.status == "succeeded" for x in load("TODO.md", after).plan.tasks} == {
            id: state == "succeeded" for id, state in wanted.items()
        }
        assert write_statuses(after, wanted) == after
        changed = [(a, b) for a, b in zip(data.decode(), after.decode(), strict=True) if a != b]
        assert all({a, b} <= set(" ~xX") for a, b in changed)
        some = dict(list(wanted.items())[::2])
        others = {task.id: task.status for task in before if task.id not in some}
        found = {x.id: x.status for x in load("TODO.md", write_statuses(data, some)).plan.tasks}
        assert {id: found[id] for id in others} == others


def test_r6_4_parts_go_with_their_task_and_groups_with_the_last() -> None:
    text = b"- [ ] a\n  - [-] p\n  - [ ] q\n- [ ] g\n  - [ ] A-1: x\n  - [-] A-2: y\n  - [ ] A-3: z\n- [ ] b\n"
    one = write_statuses(text, {"a": "succeeded", "A-1": "succeeded"})
    assert one == text.replace(b"[ ] a", b"[x] a").replace(b"[ ] q", b"[x] q").replace(b"[ ] A-1", b"[x] A-1")
    both = write_statuses(one, {"A-3": "succeeded"})
    assert both == one.replace(b"[ ] A-3", b"[x] A-3").replace(b"[ ] g", b"[x] g")
    whole = b"- [x] g\n  - [ ] A-1: x\n  - [ ] A-2: y\n"
    assert write_statuses(whole, {"A-1": "failed"}) == b"- [ ] g\n  - [ ] A-1: x\n  - [x] A-2: y\n"


def test_r6_4_the_case_of_the_list_is_kept() -> None:
    assert write_statuses(b"- [X] a\n- [ ] b\n", {"b": "succeeded"}) == b"- [X] a\n- [X] b\n"
    assert write_statuses(b"\xef\xbb\xbf- [] b\n", {"b": "succeeded"}) == b"\xef\xbb\xbf- [x] b\n"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("(after Nonsense)", "Nonsense"),
        ("(depends on nonsense-id)", "nonsense-id"),
        ("[blocked by the vendor]", None),
        ('(after "Something else")', "Something else"),
        ("⛔ nope", "nope"),
        ("(after 2026-11-02)", None),
        ("after lunch", None),
    ],
)
def test_a_remark_that_names_no_task_is_told(words: str, named: str | None) -> None:
    loaded = load("TODO.md", f"- [ ] First\n- [ ] Second {words}\n".encode())
    found = [x.message for x in loaded.findings if x.code == "outside-need"]
    assert found == ([] if named is None else [f"task 'second' waits for {named!r}, which is no task of this list"])
    assert [task.depends_on for task in loaded.plan.tasks] == [(), ()]


def test_a_title_is_known_by_how_it_begins() -> None:
    text = '- [ ] Add dark mode to a\n- [ ] Add light\n- [ ] Then (after "Add dark mode")\n- [ ] Or (after "Add ")\n'
    tasks = load("TODO.md", text.encode()).plan.tasks
    assert [task.depends_on for task in tasks[2:]] == [("add-dark-mode-to-a",), ()], "two begin with Add"
