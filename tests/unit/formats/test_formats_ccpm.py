"""ccpm's epics: which files are tasks, what their keys mean, and statuses in all of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from stretto.analysis.lint import lint
from stretto.errors import PlanError
from stretto.formats.ccpm.status import write_files
from stretto.formats.load import Loaded, keeper_of, load, plan_files
from stretto.model.plan import Finding
from unit.formats.corpus import sample

GIFTS = "ccpm/gift-cards"


def task_file(status: str = "open", body: str = "Do it.\n", **keys: str) -> str:
    said = {"name": "A task", "status": status, "depends_on": "[]", "parallel": "true", "conflicts_with": "[]", **keys}
    return "---\n" + "".join(f"{key}: {value}\n" for key, value in said.items()) + f"---\n\n# Task: A task\n\n{body}"


def epic(folder: Path, **files: str) -> Loaded:
    """The epic of these task files, `t001` for `001.md`."""
    text = "---\nname: shop\nstatus: backlog\nprogress: 0%\n---\n\n# Epic: shop\n\nWhat a shop needs.\n"
    (folder / "epic.md").write_text(text)
    for name, content in files.items():
        (folder / f"{name[1:]}.md").write_text(content)
    return load(folder / "epic.md")


def codes(loaded: Loaded) -> list[str]:
    return [x.code for x in (*loaded.findings, *lint(loaded.plan, loaded.places)) if x.severity != "info"]


def refused(folder: Path, **files: str) -> tuple[Finding, ...]:
    with pytest.raises(PlanError) as caught:
        epic(folder, **files)
    return caught.value.findings


@pytest.mark.parametrize("name", ["epic.md", "001.md", "003.md", "005.md"])
def test_the_whole_epic_is_the_plan_whichever_of_its_files_is_named(name: str) -> None:
    plan = load(sample(f"{GIFTS}/{name}")).plan
    assert (plan.name, plan.format, [phase.id for phase in plan.phases]) == ("gift-cards", "ccpm", ["gift-cards"])
    assert [task.id for task in plan.tasks] == ["001", "002", "003", "004", "005"]
    assert plan.status_files == ("epic.md", "001.md", "002.md", "003.md", "004.md", "005.md")


def test_what_the_keys_and_the_template_say() -> None:
    tasks = {task.id: task for task in load(sample(f"{GIFTS}/epic.md")).plan.tasks}
    assert tasks["003"].title == "Pay with a card: the other half", "no YAML, and meant all the same"
    assert {id: task.depends_on for id, task in tasks.items()} == {
        "001": (), "002": ("001",), "003": ("001",), "004": ("001",), "005": ("002", "003", "004")
    }  # fmt: skip
    assert tasks["002"].conflicts_with == ("003",)
    assert tasks["005"].conflicts_with == ("002", "003", "004", "gift-cards"), "not parallel: alone in the epic"
    assert tasks["001"].writes == ("shop/migrations/007_cards.sql", "shop/models/card.py")
    assert tasks["002"].writes == ("shop/checkout.py", "shop/templates/card.html"), "what is only read is no claim"
    assert tasks["003"].writes == ("shop/checkout.py", "tests/test_checkout.py")
    assert tasks["004"].writes == ("shop/mail/*.py", "shop/templates/mail_card.txt"), "as its analysis says"
    assert tasks["005"].writes is None
    assert (tasks["001"].estimate_s, tasks["002"].estimate_s, tasks["005"].estimate_s) == (18000.0, 28800.0, None)
    assert tasks["004"].status == "running"
    assert tasks["004"].context == ("epic.md", "004-analysis.md")
    assert "its code, its balance, its buyer" in tasks["001"].prompt
    assert "- [ ] A code is unique" in tasks["001"].prompt
    assert "depends_on:" not in tasks["001"].prompt


def test_findings_stand_in_the_file_that_they_are_about() -> None:
    loaded = load(sample(f"{GIFTS}/epic.md"))
    overlap = next(x for x in lint(loaded.plan, loaded.places) if x.code == "overlap")
    assert overlap.location is not None
    assert (Path(overlap.location.file).name, overlap.location.line) == ("002.md", 19)


def test_an_epic_with_windows_line_ends_and_numbers_of_issues() -> None:
    loaded = load(sample("ccpm/synced/epic.md"))
    tasks = {task.id: task for task in loaded.plan.tasks}
    assert list(tasks) == ["41", "42"], "what is deferred is put off, and so is who waits for it"
    assert (tasks["41"].status, tasks["42"].depends_on) == ("succeeded", ("41",))
    assert tasks["41"].writes == ("search/index.py", "search/tests/**")
    assert [x.code for x in loaded.findings] == ["set-aside", "set-aside"]


def test_an_epic_that_was_written_by_hand() -> None:
    loaded = load(sample("ccpm/by-hand/epic.md"))
    assert (loaded.plan.name, loaded.findings) == ("Lost property", ())
    assert [(task.id, task.title, task.depends_on, task.writes) for task in loaded.plan.tasks] == [
        ("001", "The list", (), ("lost/list.py",)),
        ("002", "The letter", ("001",), ("lost/letter.py",)),
        ("003", "The shelf", ("001",), ("lost/shelf.py",)),
    ]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        *(("001", "001"), ("'001'", "001"), ('"001"', "001"), ("1", "001"), ("#001", "001"), ("001.md", "001")),
        *(("Task 001", "001"), ("task-001", "001"), ("001 (the table)", "001"), ("A first task", "001")),
        *(("77", "001"), ("#77", "001"), ("shop-x.1", "001"), ("none", None), ("null", None), ("002", None)),
        ("009", "009"),
    ],
)
def test_whom_a_word_means(word: str, meant: str | None, tmp_path: Path) -> None:
    first = task_file(name="A first task", github="https://github.com/a/b/issues/77", beads_id="shop-x.1")
    for text in (f"[{word}]", f"\n  - {word}", f"[{word}]  # as said"):
        loaded = epic(tmp_path, t001=first, t002=task_file(depends_on=text))
        assert loaded.plan.tasks[1].depends_on == (() if meant is None else (meant,)), text
        assert ("unknown-id" in codes(loaded)) == (meant == "009")


def test_a_file_number_is_never_taken_for_that_of_an_issue(tmp_path: Path) -> None:
    """After the files got the numbers of their issues, some still name each other by the old ones."""
    loaded = epic(tmp_path, t2=task_file(), t3=task_file(depends_on="[002]"), t11=task_file(depends_on="[2, 3]"))
    assert [task.id for task in loaded.plan.tasks] == ["2", "3", "11"], "in the order of numbers"
    assert loaded.plan.tasks[1].depends_on == ("002",)
    found = next(x for x in lint(loaded.plan, loaded.places) if x.code == "unknown-id")
    assert found.location is not None
    assert (Path(found.location.file).name, found.location.line, found.location.column) == ("3.md", 4, 14)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        *(("open", "pending"), ("", "pending"), ("backlog", "pending"), ("not_started", "pending")),
        *(
            ("blocked", "pending"),
            ("Open  # not yet", "pending"),
            ("in-progress", "running"),
            ("in_progress", "running"),
        ),
        *(("In Progress", "running"), ("closed", "succeeded"), ("completed", "succeeded"), ('"done"', "succeeded")),
    ],
)
def test_words_of_status(word: str, status: str, tmp_path: Path) -> None:
    loaded = epic(tmp_path, t001=task_file(status=word))
    assert loaded.plan.tasks[0].status == status
    assert not loaded.findings


def test_a_status_that_nobody_knows_counts_as_open(tmp_path: Path) -> None:
    loaded = epic(tmp_path, t001=task_file(status="frozen"))
    assert (loaded.plan.tasks[0].status, [x.code for x in loaded.findings]) == ("pending", ["unknown-status"])
    assert loaded.findings[0].location is not None
    assert (loaded.findings[0].location.line, loaded.findings[0].location.column) == (3, 9)
    assert loaded.findings[0].message.startswith("`status` of task '001' is 'frozen', which is no word that is known")
    assert loaded.findings[0].hint == "write open, in-progress, closed, cancelled or deferred"


def test_what_is_cancelled_is_nobody_s_to_do_or_to_wait_for(tmp_path: Path) -> None:
    loaded = epic(
        tmp_path, t001=task_file("cancelled"), t002=task_file(depends_on="[001]", conflicts_with="[001, 003]"),
        t003=task_file("deferred"), t004=task_file(depends_on="[003]"),
    )  # fmt: skip
    assert [(task.id, task.depends_on, task.conflicts_with) for task in loaded.plan.tasks] == [("002", (), ())]
    assert codes(loaded) == []


@pytest.mark.parametrize("key", ["depends_on", "conflicts_with"])
def test_names_keep_their_places_when_one_before_them_is_left_out(key: str, tmp_path: Path) -> None:
    said = {key: "[001, 002, nobody]"}
    loaded = epic(tmp_path, t001=task_file("cancelled"), t002=task_file(), t003=task_file(**said))
    columns = [loaded.places[f"task:003:{key}:{k}"].column for k in range(2)]
    assert columns == [len(key) + 9, len(key) + 14]
    assert f"task:003:{key}:2" not in loaded.places
    (unknown,) = [x for x in lint(loaded.plan, loaded.places) if x.code == "unknown-id"]
    assert unknown.location == loaded.places[f"task:003:{key}:1"]


def test_a_task_that_conflicts_with_itself_is_told_where_it_says_so(tmp_path: Path) -> None:
    loaded = epic(tmp_path, t001=task_file(conflicts_with="[002, 001]"), t002=task_file())
    (found,) = [x for x in lint(loaded.plan, loaded.places) if x.code == "self-conflict"]
    assert found.tasks == ("001",)
    assert found.location is not None
    assert (Path(found.location.file).name, found.location.line, found.location.column) == ("001.md", 6, 23)


@pytest.mark.parametrize(
    ("word", "alone"),
    [("true", False), ("", False), ("yes", False), ("false", True), ("False  # no", True), ("no", True)],
)
def test_who_is_not_parallel_runs_alone(word: str, alone: bool, tmp_path: Path) -> None:
    loaded = epic(tmp_path, t001=task_file(), t002=task_file(parallel=word))
    assert loaded.plan.tasks[1].conflicts_with == ((tmp_path.name,) if alone else ())


def test_parallel_is_true_or_false(tmp_path: Path) -> None:
    found = refused(tmp_path, t001=task_file(), t002=task_file(parallel="perhaps"))
    assert [(x.code, x.location.line if x.location else 0) for x in found] == [("wrong-value", 5)]


def test_files_that_are_no_tasks(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# Notes\n")
    (tmp_path / "001-analysis.md").write_text(task_file())
    (tmp_path / "github-mapping.md").write_text("# GitHub Issue Mapping\n")
    (tmp_path / "execution-status.md").write_text("---\nstarted: today\nbranch: epic/shop\n---\n\n# Status\n")
    (tmp_path / "README.md").write_text("# What this is\n")
    loaded = epic(tmp_path, t001=task_file())
    assert ([task.id for task in loaded.plan.tasks], loaded.findings) == (["001"], ())


def test_a_task_without_an_epic_and_without_a_name(tmp_path: Path) -> None:
    path = tmp_path / "001.md"
    path.write_text("---\nstatus: pending\ndepends_on: []\nparallel: false\n---\n# Task 1: Look at it all\n")
    plan = load(path).plan
    assert [(task.id, task.title, task.context, task.conflicts_with) for task in plan.tasks] == [
        ("001", "Look at it all", (), ())
    ]
    assert plan.status_files == ("001.md",)


def test_an_epic_without_tasks_is_told_how_to_get_some(tmp_path: Path) -> None:
    assert [x.code for x in refused(tmp_path)] == ["no-task-files"]


def test_keys_before_words_without_a_blank_line_and_without_boxes_are_no_second_document(tmp_path: Path) -> None:
    (tmp_path / "001.md").write_text(task_file().replace("---\n\n# Task: A task\n\n", "---\n# Task: A task\n"))
    assert load(tmp_path / "001.md").plan.format == "ccpm"
    with pytest.raises(PlanError) as caught:
        load("p", b"---\nname: a\n---\n# the next one\nname: b\n")
    assert "a second document" in str(caught.value)


def test_the_paper_that_an_epic_was_made_from_goes_with_its_tasks(tmp_path: Path) -> None:
    folder = tmp_path / ".claude" / "epics" / "shop"
    folder.mkdir(parents=True)
    (tmp_path / ".claude" / "prds").mkdir()
    (tmp_path / ".claude" / "prds" / "shop.md").write_text("# A shop\n")
    epic(folder, t001=task_file())
    text = (folder / "epic.md").read_text()
    (folder / "epic.md").write_text(text.replace("progress: 0%", "progress: 0%\nprd: .claude/prds/shop.md"))
    assert load(folder / "epic.md").plan.tasks[0].context == ("epic.md", "../../prds/shop.md")


@pytest.mark.parametrize(
    "prd", ["../secret/key.md", ".claude/../secret/key.md", "secret/key.md", ".claude/link/key.md"]
)
def test_no_paper_of_an_epic_is_outside_of_its_home(tmp_path: Path, prd: str) -> None:
    folder = tmp_path / "a" / ".claude" / "epics" / "shop"
    folder.mkdir(parents=True)
    for secret in (tmp_path / "secret", tmp_path / "a" / "secret"):
        secret.mkdir()
        (secret / "key.md").write_text("secret\n")
    (tmp_path / "a" / ".claude" / "link").symlink_to(tmp_path / "secret")
    epic(folder, t001=task_file())
    text = (folder / "epic.md").read_text()
    (folder / "epic.md").write_text(text.replace("progress: 0%", f"progress: 0%\nprd: {prd}"))
    assert load(folder / "epic.md").plan.tasks[0].context == ("epic.md",)


def test_a_folder_is_told_by_which_file_it_goes() -> None:
    with pytest.raises(PlanError) as caught:
        load(sample(GIFTS))
    assert caught.value.hint.endswith("gift-cards/epic.md")


CLAIMS = [
    ("## Files\n- `a/b.py`\n- c/d.ts - new\n\n## Notes\n- e.py\n", ("a/b.py", "c/d.ts")),
    (
        "- **Files affected**:\n  - /src/app/page.tsx\n  - `/src/lib/`\n- **Other**: x.py\n",
        ("src/app/page.tsx", "src/lib/"),
    ),
    ("**Files:** `a.py`, `b.py`\n\nSee c.py.\n", ("a.py", "b.py")),
    ("- Code locations/files affected: src/a.go\n", ("src/a.go",)),
    (
        "### Files to create/modify\n\n- **Create**: `docs/x.mdx`\n- **Modify**: `docs/y.mdx`\n",
        ("docs/x.mdx", "docs/y.mdx"),
    ),
    ("The files of the shop are in a/b.py.\n", None),
    ("## Files\n- `/home/kim/shop/a.py`\n- ../b.py\n", None),
    ("## Files\n```\na.py\n```\n", None),
]


@pytest.mark.parametrize(("body", "claims"), CLAIMS)
def test_where_files_are_listed(body: str, claims: tuple[str, ...] | None, tmp_path: Path) -> None:
    assert epic(tmp_path, t001=task_file(body=body)).plan.tasks[0].writes == claims


# --- statuses ----------------------------------------------------------------------------------------------------


def contents(folder: str) -> dict[str, bytes]:
    """The files that hold the statuses of a sample, by their paths."""
    path = sample(f"{folder}/epic.md")
    return {name: Path(name).read_bytes() for name in plan_files(str(path), load(path).plan)}


def test_r6_4_statuses_go_into_the_task_files_and_the_epic_says_how_far_it_is() -> None:
    files = {Path(path).name: data for path, data in contents(GIFTS).items()}
    written = write_files(files, {"001": "succeeded", "004": "failed", "nobody": "succeeded"})
    assert set(written) == {"epic.md", "001.md", "004.md"}
    assert written["001.md"] == files["001.md"].replace(b"status: open", b"status: closed")
    assert written["004.md"] == files["004.md"].replace(b"status: in-progress", b"status: open")
    after = files["epic.md"].replace(b"progress: 0%", b"progress: 20%").replace(b"- [ ] 001.md", b"- [x] 001.md")
    assert written["epic.md"] == after


def test_r6_4_words_of_the_epic_are_kept_and_line_ends_too() -> None:
    files = contents("ccpm/synced")
    written = {Path(path).name: data for path, data in write_files(files, {"42": "succeeded"}).items()}
    by_name = {Path(path).name: data for path, data in files.items()}
    assert written["42.md"] == by_name["42.md"].replace(b"status: open", b"status: completed")
    after = by_name["epic.md"].replace(b"progress: 25%", b"progress: 50%").replace(b"- [ ] #42", b"- [x] #42")
    assert written["epic.md"] == after


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("folder", [GIFTS, "ccpm/synced", "ccpm/by-hand"])
def test_r6_4_what_was_written_is_read_again(folder: str, seed: int, tmp_path: Path) -> None:
    random_ = random.Random(seed)
    files = contents(folder)
    for path, data in files.items():
        (tmp_path / Path(path).name).write_bytes(data)
    plan = load(tmp_path / "epic.md").plan
    keeper = keeper_of("ccpm")
    assert keeper is not None
    assert keeper(files, {}) == {}
    for _ in range(3):
        wanted = {task.id: random_.choice(("succeeded", "failed", "running", "pending")) for task in plan.tasks}
        now = {name: Path(name).read_bytes() for name in plan_files(str(tmp_path / "epic.md"), plan)}
        for name, data in keeper(now, wanted).items():
            Path(name).write_bytes(data)
        again = load(tmp_path / "epic.md").plan
        said = {"failed": "pending"}
        assert {task.id: task.status for task in again.tasks} == {id: said.get(x, x) for id, x in wanted.items()}
        now = {name: Path(name).read_bytes() for name in now}
        assert keeper(now, wanted) == {}, "said once is enough"


def test_r6_4_an_empty_status_is_filled_and_what_is_no_text_is_left_alone() -> None:
    file = task_file("").encode()
    assert write_files({"001.md": file, "002.md": b"\xff\xff"}, {"001": "succeeded", "002": "succeeded"}) == {
        "001.md": file.replace(b"status: \n", b"status: closed\n")
    }
    bare = file.replace(b"status: \n", b"status:\n")
    assert write_files({"001.md": bare}, {"001": "succeeded"}) == {
        "001.md": file.replace(b"status: \n", b"status: closed\n")
    }
