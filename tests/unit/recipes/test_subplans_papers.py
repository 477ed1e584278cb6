"""Papers that are filled from the plan, and how they come to be on the disk."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stretto.recipes.subplans import placeholder
from stretto.recipes.subplans.batch import ALL, Note, batch, execution_paths
from stretto.recipes.subplans.filling import filled, is_thin
from stretto.recipes.subplans.placeholder import is_placeholder, is_untouched
from stretto.recipes.subplans.template import approval_text, execution_text, subplan_text
from stretto.recipes.subplans.words import headed, items, labelled, of_topic
from stretto.recipes.subplans.writing import Writing
from unit.recipes.papers import PLAN_WORDS, entry, kept, one, plan, seen, written

# The words of a plan.

SECTION = """Introductory words.

- **Goal**: Know every seed
- **Deliverables**:
  1. `a.py` with
     - **one**: thing
  2. `b.py`
- **Implementation Approach** (from the gap analysis):
  - Step by step
- **Error Handling**:
  - None at all
```
- **Goal**: in code
```
- **Dependencies**: 1.1
"""


def test_a_section_by_its_labels() -> None:
    said = labelled(SECTION)
    assert [(piece.label, piece.topic) for piece in said] == [
        ("", "other"), ("Goal", "goal"), ("Deliverables", "deliverables"), ("Implementation Approach", "approach"),
        ("Error Handling", "other"), ("Dependencies", "bookkeeping"),
    ]  # fmt: skip
    assert of_topic(said, "goal") == "Know every seed" and of_topic(said, "approach") == "- Step by step"
    assert items(of_topic(said, "deliverables")) == ("`a.py` with", "`b.py`")
    assert "in code" in said[4].body


def test_a_paper_by_its_headings() -> None:
    said = headed(
        "# SUBPLAN: Testing 1.1\n\n**PLAN**: P\n\n## 🎯 Objective\n\nTo know.\n\n### More\n\nx\n\n---\n\n## Tests\n\nt"
    )
    assert [(piece.label, piece.topic, piece.body) for piece in said if piece.body] == [
        ("Title", "bookkeeping", "**PLAN**: P"), ("🎯 Objective", "goal", "To know.\n\n### More\n\nx"),
        ("Tests", "tests", "t"),
    ]  # fmt: skip


# Marks that ask for content.

ASKING = """# PLAN: P

### Achievement 1.1: Seeds

**Goal**: [TODO]

### Achievement 1.2: Tools

**Goal**: [TODO]


- Not `[TBD]`, but [TBD: which]

### Achievement 1.3: Basket
"""


@pytest.mark.parametrize(
    ("id", "more", "place", "mark"),
    [
        ("1.1", {}, "PLAN_P.md:5", "[TODO]"),
        ("1.2", {}, "PLAN_P.md:9", "[TODO]"),
        ("1.3", {"description": "As said: [TO BE FILLED: by whom]"}, "parallel.json:1", "[TO BE FILLED: by whom]"),
        ("1.3", {"description": "[To be filled", "notes": "x"}, "parallel.json:1", "[To be filled"),
    ],
)
def test_a_mark_that_stops_a_paper_is_named_with_its_place(
    tmp_path: Path, id: str, more: dict[str, object], place: str, mark: str
) -> None:
    kept(tmp_path, {"PLAN_P.md": ASKING})
    found = written(tmp_path, entry("1.1"), entry("1.2"), entry("1.3", **more))
    progress = seen(tmp_path, found)
    item = next(item for item in batch(progress, "subplans", ALL).make if item.id == id)
    told = filled(tmp_path, progress, item, today="2030-01-01")
    assert isinstance(told, Note) and told.message == f"{tmp_path}/{place} asks for content: {mark}"


def test_a_form_feed_is_no_end_of_a_line(tmp_path: Path) -> None:
    kept(tmp_path, {"PLAN_P.md": "\x0c\x85 \u2028\n" + ASKING})
    progress = seen(tmp_path, written(tmp_path, entry("1.1"), entry("1.2"), entry("1.3")))
    item = next(item for item in batch(progress, "subplans", ALL).make if item.id == "1.1")
    told = filled(tmp_path, progress, item, today="2030-01-01")
    assert isinstance(told, Note) and "PLAN_P.md:6 asks" in told.message


# Filled papers.


def test_a_subplan_says_what_the_plan_says(tmp_path: Path) -> None:
    kept(tmp_path, {"PLAN_P.md": PLAN_WORDS})
    found = written(
        tmp_path,
        entry("1.1", estimated_hours="2-3", validation_script="make seeds"),
        entry("1.2", "1.1"),
    )
    progress = seen(tmp_path, found)
    first, second = progress.standings
    text = subplan_text(progress, first, executions=execution_paths(progress, first), today="2030-01-02")
    for words in (
        "# SUBPLAN: Achievement 1.1: Do 1.1", "**PLAN**: P", "2-3 hours", "2030-01-02",
        "## Objective\n\nKnow every seed",
        "`seeds.csv`, a list of seeds", "No seed is there twice", "Checked by: make seeds",
        "## Needed by\n\n- Achievement 1.2: Do 1.2", "`execution/EXECUTION_TASK_P_11_01.md`",
        "1. `seeds.csv`, a list of seeds\n2. A test of it\n3. Hold the result",
    ):  # fmt: skip
        assert words in text, text
    assert not is_placeholder(text) and "Sell seeds." not in text
    loose = subplan_text(progress, second, executions=(), today="2030-01-02")
    assert "## Objective\n\nSay which tools there are." in loose and "## Builds on\n\n- Achievement 1.1" in loose


def test_an_execution_says_what_its_subplan_says(tmp_path: Path) -> None:
    progress = seen(tmp_path, written(tmp_path, entry("1.1", estimated_hours=2)))
    words = "# SUBPLAN\n\n## 🎯 Objective\n\nBy hand.\n\n## 🔧 Approach\n\n1. Dig\n\n## ✅ Done when\n\n- [ ] dug\n"
    text = execution_text(progress, progress.standings[0], 1, subplan=words, path="subplans/s.md", today="2030-01-02")
    for piece in (
        "By hand.",
        "## Steps\n\n1. Dig",
        "## Done when\n\n- [ ] dug",
        "**SUBPLAN**: subplans/s.md",
        "2 hours",
    ):
        assert piece in text
    assert is_untouched(text) and not is_placeholder(text)


def test_each_part_has_only_its_own_steps_hours_and_deliverables(tmp_path: Path) -> None:
    parts = [
        {
            "execution_id": "1.1.1",
            "title": "Left",
            "estimated_hours": 1,
            "steps": ["dig left"],
            "deliverables": ["l.py"],
        },
        {
            "execution_id": "1.1.2",
            "title": "Right",
            "estimated_hours": 3,
            "description": "Steps:\n\ndig right",
            "colour": "red",
        },
        {"execution_id": "1.1.3", "title": "Rest"},
    ]
    progress = seen(tmp_path, written(tmp_path, entry("1.1", estimated_hours=9, sub_executions=parts)))
    whole = "## Deliverables\n\n- l.py\n- r.py\n\n## Approach\n\n1. dig left\n2. dig right\n"
    left, right, rest = (
        execution_text(progress, progress.standings[0], n, subplan=whole, path="s", today="d") for n in (1, 2, 3)
    )
    assert "dig left" in left and "l.py" in left and "right" not in left and "r.py" not in left
    assert "**Estimated Time**: 1 hours" in left and "## Steps\n" in left and "## Deliverables\n" in left
    assert "## Steps\n\ndig right" in right and "dig left" not in right and "Colour:\n\nred" in right
    assert "## Deliverables (of the whole achievement)" in right and "only what belongs to part 1.1.2" in right
    assert "## Steps (of the whole achievement)" in rest and "**Estimated Time of the whole achievement**: 9" in rest


def test_an_execution_of_a_part_says_which(tmp_path: Path) -> None:
    parts = [{"execution_id": "1.1.2", "title": "Integration", "estimated_hours": 3, "scope": "the shop"}]
    progress = seen(tmp_path, written(tmp_path, entry("1.1", sub_executions=parts)))
    text = execution_text(progress, progress.standings[0], 2, subplan="## Objective\n\nx", path="s", today="d")
    assert "## Objective (of the whole achievement)\n\nOf this, only" in text
    assert "part 1.1.2: Integration" in text and "the shop" in text and "3 hours" in text


def test_a_title_alone_is_told_and_is_no_placeholder(tmp_path: Path) -> None:
    progress = seen(tmp_path, written(tmp_path, entry("1.1"), analysis_notes="Everything is independent."))
    (item,) = batch(progress, "subplans").make
    text = filled(tmp_path, progress, item, today="d")
    assert isinstance(text, str) and "Everything is independent." in text and not is_placeholder(text)
    assert is_thin(progress, item)


def test_what_the_plan_leaves_open_is_not_copied_into_a_paper(tmp_path: Path) -> None:
    kept(tmp_path, {"PLAN_P.md": "### Achievement 1.1: x\n\n- **Goal**: [TO BE FILLED: the goal]\n"})
    progress = seen(tmp_path, written(tmp_path, entry("1.1")))
    note = filled(tmp_path, progress, batch(progress, "subplans").make[0], today="d")
    assert isinstance(note, Note) and note.id == "1.1"


def test_an_execution_is_not_filled_from_a_subplan_that_has_gone(tmp_path: Path) -> None:
    kept(tmp_path, {"subplans/SUBPLAN_P_11.md": "words"})
    progress = seen(tmp_path, plan(one("1.1")))
    (item,) = batch(progress, "executions").make
    (tmp_path / "subplans/SUBPLAN_P_11.md").write_text("")
    assert isinstance(filled(tmp_path, progress, item, today="d"), Note)


def test_every_paper_of_ids_that_are_alike_has_its_own_words(tmp_path: Path) -> None:
    progress = seen(tmp_path, written(tmp_path, entry("1.11"), entry("11.1")))
    writing = Writing(tmp_path)
    for item in batch(progress, "subplans", ALL).make:
        text = filled(tmp_path, progress, item, today="d")
        assert isinstance(text, str) and writing.create(item.path, text)
    after = seen(tmp_path, progress.plan)
    assert [each.subplan and each.subplan.path for each in after.standings] == [
        "subplans/SUBPLAN_P_1-11.md", "subplans/SUBPLAN_P_11-1.md",
    ]  # fmt: skip


def test_an_approval_names_its_achievement(tmp_path: Path) -> None:
    progress = seen(tmp_path, plan(one("1.1")))
    text = approval_text(progress, progress.standings[0], evidence="- 1.1: landed", who="me", today="d")
    assert text.startswith("# APPROVED: Achievement 1.1: Do 1.1\n") and "- 1.1: landed" in text and "me" in text


def test_the_check_of_a_paper_is_a_command(tmp_path: Path) -> None:
    kept(tmp_path, {"good.md": "# x\n\nwords\n", "bad.md": "[TO BE FILLED]"})
    codes = {
        name: subprocess.run([sys.executable, "-m", placeholder.__name__, name], cwd=tmp_path, capture_output=True)
        for name in ("good.md", "bad.md", "none.md")
    }
    assert {name: done.returncode for name, done in codes.items()} == {"good.md": 0, "bad.md": 1, "none.md": 1}
    assert b"placeholder" in codes["bad.md"].stderr


# On the disk.


def test_nothing_is_ever_written_over(tmp_path: Path) -> None:
    kept(tmp_path, {"a/there.md": "mine"})
    (tmp_path / "a/link.md").symlink_to("nowhere")
    writing = Writing(tmp_path)
    assert not writing.create("a/there.md", "new") and not writing.create("a/link.md", "new")
    assert writing.create("a/new.md", "new") and writing.created == ("a/new.md",)
    assert (tmp_path / "a/there.md").read_text() == "mine" and not (tmp_path / "a/nowhere").exists()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["link.md", "new.md", "there.md"]


def test_drafts_of_a_batch_that_was_killed_are_cleared_by_the_next(tmp_path: Path) -> None:
    names = {
        ".stretto-ab12_x9z.tmp": False, ".stretto-ffffffff.tmp": True, ".stretto-theirs-ab12_x9z.tmp": True,
        ".stretto-ab12_x9z.tmp.md": True, "stretto-ab12_x9z.tmp": True,
    }  # fmt: skip
    kept(tmp_path, {f"{folder}/{name}": "x" for folder in ("a", "b") for name in names})
    long_ago = time.time() - 3600
    for path in tmp_path.glob("*/*"):
        if "ffff" not in path.name:  # somebody is at it just now
            os.utime(path, (long_ago, long_ago))
    kept(tmp_path, {"b/hollow.md": ""})
    writing = Writing(tmp_path)
    assert writing.create("a/new.md", "x") and writing.replace("b/hollow.md", b"", "full")
    for folder in ("a", "b"):
        assert {name: (tmp_path / folder / name).exists() for name in names} == names


def test_a_batch_that_is_taken_back_leaves_what_was_there(tmp_path: Path) -> None:
    kept(tmp_path, {"old/mine.md": "mine", "old/hollow.md": ""})
    writing = Writing(tmp_path)
    assert writing.create("old/new.md", "x") and writing.create("new/sub/paper.md", "y")
    assert writing.create("old/edited.md", "z") and writing.replace("old/hollow.md", b"", "full")
    (tmp_path / "old/edited.md").write_text("edited by hand")
    gone = writing.roll_back()
    assert set(gone) == {"old/new.md", "new/sub/paper.md", "old/hollow.md"}
    assert {path.name: path.read_text() for path in (tmp_path / "old").iterdir()} == {
        "mine.md": "mine", "hollow.md": "", "edited.md": "edited by hand",
    }  # fmt: skip
    assert not (tmp_path / "new").exists() and writing.created == ()


def test_what_somebody_else_may_have_written_is_moved_and_never_removed(tmp_path: Path) -> None:
    home, aside = tmp_path / "home", tmp_path / "aside"
    kept(home, {"a/hollow.md": "edited", "a/later.md": "edited"})
    writing = Writing(home)
    writing.aside = aside
    (home / "a/hollow.md").chmod(0o640)
    writing.make_folder("b/new.md")
    (home / "b/new.md").write_text("an hour of work")
    for path, before in (("b/new.md", None), ("a/hollow.md", b"hollow"), ("a/later.md", b"hollow")):
        writing.note(path, before)
    (home / "a/later.md").write_text("edited once more")
    assert set(writing.roll_back()) == {"b/new.md", "a/hollow.md"}
    assert (aside / "b/new.md").read_text() == "an hour of work" and (aside / "a/hollow.md").read_text() == "edited"
    assert {path.name: path.read_text() for path in (home / "a").iterdir()} == {
        "hollow.md": "hollow", "later.md": "edited once more",
    }  # fmt: skip
    assert (home / "a/hollow.md").stat().st_mode & 0o777 == 0o640 and not (home / "b").exists()


def test_what_cannot_be_moved_stays_where_it_is(tmp_path: Path) -> None:
    kept(tmp_path, {"a.md": "an hour of work", "aside/a.md/there": "", "hollow.md": "edited", "aside/hollow.md/x": ""})
    writing = Writing(tmp_path)
    writing.aside = tmp_path / "aside" / "a.md" / "there"
    writing.note("a.md")
    writing.note("hollow.md", b"hollow")
    assert writing.roll_back() == ()
    assert (tmp_path / "a.md").read_text() == "an hour of work" and (tmp_path / "hollow.md").read_text() == "edited"


def test_what_is_brought_back_is_over_no_other_file(tmp_path: Path) -> None:
    kept(tmp_path, {"a.md": "mine"})
    for path in ("a.md", "b.md"):
        Writing(tmp_path).bring_back(path, b"before")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.md": "mine", "b.md": "before"}


def test_a_part_of_a_batch_is_taken_back(tmp_path: Path) -> None:
    writing = Writing(tmp_path)
    assert writing.create("a/one.md", "1") and writing.create("a/two.md", "2")
    assert writing.roll_back(["a/two.md", "a/three.md"]) == ("a/two.md",)
    assert writing.created == ("a/one.md",) and (tmp_path / "a/one.md").exists()


def test_what_has_changed_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    kept(tmp_path, {"a.md": "changed"})
    assert not Writing(tmp_path).replace("a.md", b"before", "new")
    assert (tmp_path / "a.md").read_text() == "changed" and len(list(tmp_path.iterdir())) == 1


def test_permissions_of_a_replaced_paper_stay(tmp_path: Path) -> None:
    kept(tmp_path, {"a.md": "x"})
    (tmp_path / "a.md").chmod(0o640)
    assert Writing(tmp_path).replace("a.md", b"x", "y")
    assert (tmp_path / "a.md").stat().st_mode & 0o777 == 0o640


def test_where_there_can_be_no_folder_nothing_is_left_behind(tmp_path: Path) -> None:
    kept(tmp_path, {"subplans": "a file"})
    writing = Writing(tmp_path)
    with pytest.raises(OSError, match="directory"):
        writing.create("subplans/a.md", "x")
    assert writing.roll_back() == () and [path.name for path in tmp_path.iterdir()] == ["subplans"]
