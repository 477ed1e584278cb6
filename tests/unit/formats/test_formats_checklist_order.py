"""What the boxes of a checklist say of each other by first words, numbers and versions, and what is told of that."""

from __future__ import annotations

import pytest

from stretto.formats.load import Loaded, load


def read(text: str) -> Loaded:
    return load("TODO.md", text.encode())


def told(loaded: Loaded, code: str) -> list[str]:
    return [finding.message for finding in loaded.findings if finding.code == code]


@pytest.mark.parametrize(
    ("first", "remark"),
    [
        ("a-1 write", "(depends on a-1)"),
        ("a-1 write", "(depends on A-1)"),
        ("a-1 write", "- depends on a-1"),
        ("a-1 write", "after a-1"),
        ("a-1 write", "(requires a-1's table)"),
        ("**a-1** write", "(after a-1)"),
        ("__a-1__ write", "(after a-1)"),
        ("db-schema write", "(depends on db-schema)"),
        ("db-schema write", "(depends on db-schema and ui-kit)"),
        ("db-schema write", "(needs ui-kit, db-schema)"),
        ("db-schema write", "depends on db-schema"),
        ("step2b write", "(blocked by step2b)"),
        ("a-1.py write", "(depends on a-1.py)"),
    ],
)
def test_r1_a_first_word_like_an_id_names_its_box(first: str, remark: str) -> None:
    loaded = read(f"- [ ] {first} a\n- [ ] write b {remark}\n- [ ] ui-kit c\n")
    task, other, kit = loaded.plan.tasks
    assert other.depends_on in ((task.id,), (task.id, kit.id), (kit.id, task.id))
    assert not told(loaded, "outside-need")
    assert not told(loaded, "order-unsaid")


@pytest.mark.parametrize(
    ("first", "remark"),
    [
        ("well-known endpoint", "depends on well-known services"),
        ("well-known endpoint", "after well-known"),
        ("well-known endpoint", "(requires well-known services)"),
        ("python3 wheels", "requires python3"),
        ("write a", "(depends on write)"),
        ("src-1/a write", "depends on src-1"),
        ("src-1_b/a write", "depends on src-1"),
        ("2 buttons", "depends on 2 people"),
        ("3.11-rc wheels", "as in 3.11-rc"),
    ],
)
def test_r1_ordinary_first_words_name_no_box(first: str, remark: str) -> None:
    assert read(f"- [ ] {first}\n- [ ] make b {remark}\n").plan.tasks[1].depends_on == ()


def test_r1_a_first_word_of_several_boxes_is_none_of_them() -> None:
    loaded = read("- [ ] a-1 write\n- [ ] a-1 read\n- [ ] b (depends on a-1)\n")
    assert loaded.plan.tasks[2].depends_on == ()
    assert len(told(loaded, "ambiguous-id")) == 1


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("requires 7.0", ""),
        ("after 5.0", ""),
        ("after 3.1", ""),
        ("after 1.7", "1.7"),
        ("depends on 7.0", "7.0"),
        ("(after 5.0)", "5.0"),
    ],
)
def test_a_version_is_no_task_of_a_group_that_is_not_there(words: str, name: str) -> None:
    lines = "".join(f"- [ ] 1.{n} write item {n}\n" for n in range(1, 6))
    found = told(read(f"{lines}- [ ] 1.6 write it {words}\n"), "outside-need")
    assert found == ([f"task '1.6' waits for {name!r}, which is no task of this list"] if name else [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- [ ] db-schema: write a\n- [ ] login: b (depends on db-schema)\n- [ ] ui c (after login)\n- [ ] d\n", None),
        ("- [ ] a\n- [ ] b (depends on nothing)\n", None),
        ("- [ ] a\n- [ ] b\n", 1),
        ("## A\n- [ ] T-1: a\n- [ ] b (after T-1)\n## B\n- [ ] c\n- [ ] d\n", 5),
    ],
)
def test_a_list_that_says_what_waits_for_what_does_say_its_order(text: str, line: int | None) -> None:
    found = [x.location and x.location.line for x in read(text).findings if x.code == "order-unsaid"]
    assert found == ([] if line is None else [line])


@pytest.mark.parametrize(
    ("line", "itself"),
    [
        ("1.16 write it, depends on 1.16", True),
        ("1.16 write it (after 1.16)", True),
        ("1.16 write it\n  - Depends on: 1.16", True),
        ("1.16 write it\n  - a\n  - b (depends on 1)", False),
        ("1.16 write it as in 1.16", False),
        ("login: write it (depends on login)", True),
        ("login: write it (requires login)", False),
        ("1.16 write it (depends on 1.15)", False),
    ],
)
def test_a_task_that_waits_for_itself_is_told(line: str, itself: bool) -> None:
    loaded = read(f"- [ ] 1.15 write a\n- [ ] {line}\n- [ ] 1.17 write b\n")
    id = loaded.plan.tasks[1].id
    found = [x for x in told(loaded, "outside-need") if "itself" in x]
    assert found == ([f"task {id!r} says that it waits for itself"] if itself else [])
    assert not any(task.id in task.depends_on for task in loaded.plan.tasks)


def test_the_marks_of_a_list_itself_are_offered_first() -> None:
    loaded = read("- [c] cancelled\n- [d] done\n\n- [?] a\n- [ ] b\n")
    (finding,) = (x for x in loaded.findings if x.code == "unknown-status")
    assert "[c] (dropped)" in finding.hint
    assert "[d] (done)" in finding.hint
    assert "[-]" not in finding.hint
    assert "[x]" not in finding.hint
    assert "[ ]" in finding.hint


CODED = "- [ ] A-1 write a\n- [ ] A-2 write b\n- [ ] **db-schema**: write c\n"
DOTTED = "## A\n- [ ] 1.1 write a\n- [ ] 1.2 write b\n- [ ] 2.1 write c\n- [ ] 2.2 write d\n## B\n"
HEADED = "## Groundwork\n- [ ] a b\n### Walls\n- [ ] c d\n## Late\n- [ ] e f\n## Last\n"


@pytest.mark.parametrize(
    ("text", "words", "needs"),
    [
        (CODED, "(once A-1 is done)", ["A-1"]),
        (CODED, "once A-1 lands", ["A-1"]),
        (CODED, "(blocked until A-1)", ["A-1"]),
        (CODED, "blocked until A-1 is merged", ["A-1"]),
        (CODED, "(wait until A-1)", ["A-1"]),
        (CODED, "(not before A-1)", ["A-1"]),
        (CODED, "cannot start before A-1", ["A-1"]),
        (CODED, "don't start until A-1", ["A-1"]),
        (CODED, "after all of A-1, A-2", ["A-1", "A-2"]),
        (CODED, "(after both A-1 and A-2)", ["A-1", "A-2"]),
        (CODED, "(depends on all of: `A-1`, `A-2`)", ["A-1", "A-2"]),
        (DOTTED, "(once 1.1 is done)", ["1.1"]),
        (DOTTED, "(blocked until 1.1)", ["1.1"]),
        (DOTTED, "(not before 1.1)", ["1.1"]),
        (DOTTED, "after all of the tasks 1.1, 1.2", ["1.1", "1.2"]),
        (DOTTED, "(requires 2.2)", ["2.2"]),
        (DOTTED, "requires 2.2 and 1.1+1.2", ["2.2", "1.1", "1.2"]),
        (DOTTED, "requires 2.1 or newer and 1.1", ["1.1"]),
        (HEADED, 'after "Groundwork"', ["groundwork", "walls"]),
        (HEADED, '(after "Groundwork")', ["groundwork", "walls"]),
        (HEADED, '(once "walls" is done)', ["walls"]),
        (HEADED, "depends on “Late”", ["late"]),
    ],
)
def test_r1_what_comes_first_may_be_said_in_several_ways(text: str, words: str, needs: list[str]) -> None:
    loaded = read(f"{text}- [ ] write it {words}\n")
    assert list(loaded.plan.tasks[-1].depends_on) == needs
    assert not told(loaded, "outside-need")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        *(
            (CODED, words)
            for words in (
                "no longer blocked by A-2", "was blocked by A-2", "not needed after db-schema", "(no longer needs A-1)",
                "(doesn't depend on A-1)", "formerly depends on A-1", "must not start after A-1", "all at once A-1",
                "(once a month)", "(not before Monday)", "(not before 3pm)", "(after the login form is reviewed)",
                "(depends on style guide)", "(blocked until the vendor answers)", "(after all of them)",
            )
        ),
        *(
            (DOTTED, words)
            for words in (
                "requires 2.2 or newer", "requires 2.2% more", "(requires 2.2 or later)", "requires 2.2+ to build",
                "needs 2.2 seconds", "once 2.2 is out", "(after 2.2 % of it)",
            )
        ),
        (HEADED, 'as shown after "Late" is clicked'),
        (HEADED, 'after "Last"'),
    ],
)  # fmt: skip
def test_what_is_denied_past_or_a_measure_is_no_order(text: str, words: str) -> None:
    loaded = read(f"{text}- [ ] write it {words}\n")
    assert loaded.plan.tasks[-1].depends_on == ()
    assert not told(loaded, "outside-need")


@pytest.mark.parametrize(
    ("text", "words", "name"),
    [
        (DOTTED, "after steps 1.1 and 1.9", "step 1.9"),
        (CODED, "(once B-7 is done)", "B-7"),
        (CODED, "(depends on ui-kit)", "ui-kit"),
        (CODED, "(depends on T012)", "T012"),
        (CODED, "(depends on `login`)", "login"),
        (CODED, "(after A-1 and A-77, see A-2)", "A-77"),
        (HEADED, '(after "Last")', "Last"),
    ],
)
def test_a_name_of_none_is_told_and_other_words_are_not(text: str, words: str, name: str) -> None:
    found = told(read(f"{text}- [ ] write it {words}\n"), "outside-need")
    assert [x.partition(" waits for ")[2] for x in found] == [f"{name!r}, which is no task of this list"]


def test_words_are_among_what_is_taken_for_an_order() -> None:
    (message,) = told(read("- [ ] a\n- [ ] b\n"), "order-unsaid")
    assert message.endswith("headings such as `Phase 2`, and words such as `(after ID)` are taken for an order")
