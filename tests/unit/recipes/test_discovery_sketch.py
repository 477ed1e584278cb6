"""How large a document is, by its own words; and where its words do not tell."""

from __future__ import annotations

import pytest

from stretto.recipes.discovery.sketch import Piece, priorities, sketch

PLAN = """\
# PLAN: Automation

**Priority 1: Foundation** (9-13 hours)

**Achievement 1.1**: Prompt Created (4-6h)
**Achievement 1.2**: Schema Implemented (2-3 hours)

**Priority 2**

**Achievement 2.1: Menu** ⏱️ 5–7 hours

**Total Estimated Time**: 31-45 hours

1. Create SUBPLAN for Achievement 1.1
- Achievement 1.2: failed
### Achievement 2.1: Menu
"""


def test_pieces_are_told_once_with_the_most_hours_and_the_priority() -> None:
    found = sketch(PLAN)
    assert found.pieces == (
        Piece(kind="achievement", id="1.1", hours=6.0, priority="1"),
        Piece(kind="achievement", id="1.2", hours=3.0, priority="1"),
        Piece(kind="achievement", id="2.1", hours=7.0, priority="2"),
    )
    assert found.hours == 16.0


@pytest.mark.parametrize(
    ("line", "hours"),
    [
        ("### Task 1: Login (90 minutes)", 1.5),
        ("- [ ] Task 1 - Login, 2 days", 16.0),
        ("## Step 1. Login ~ 1 week", 40.0),
        ("* **Story 1** — Login 1.5h", 1.5),
        ("Task 1: Login\n\nEstimated effort: 3 to 4 hrs", 4.0),
        ("Task 1: Login in version 3.2h4", None),
        ("Task 1: Login\n\nin 24 hours", None),
        ("Task 1: Login\n# More\nEstimate: 3h", None),
    ],
)
def test_hours_stand_behind_a_piece_of_work_or_below_it(line: str, hours: float | None) -> None:
    (piece,) = sketch(line).pieces
    assert (piece.id, piece.hours, piece.priority) == ("1", hours, "")


def test_the_kind_that_is_named_most_is_what_counts() -> None:
    found = sketch("## Phase 1\n- Task 1.1 (1h)\n- Task 1.2 (2h)\n## Phase 2\n- Task 2.1 (1h)\n")
    assert [(one.kind, one.id) for one in found.pieces] == [("task", "1.1"), ("task", "1.2"), ("task", "2.1")]


def test_the_total_counts_where_not_every_piece_has_hours() -> None:
    assert sketch("Task 1: a (1h)\nTask 2: b\nTotal: 9-12 hours\n").hours == 12.0
    assert sketch("Task 1: a (1h)\nTask 2: b\n").hours is None


@pytest.mark.parametrize("text", ["", "Some prose. It takes task forces.\n", "x" * 100_000, "Task\n" * 9, "# " * 9_000])
def test_of_other_documents_nothing_is_known(text: str) -> None:
    assert sketch(text).pieces == ()


@pytest.mark.parametrize(
    "text, found",
    [
        ("**Priority**: High\n### Priority 2\nPriority: high\n", ("high", "2")),
        ("priorities 1, 2 and 3; `P1` first", ("1", "2", "3")),
        ("A low-priority change of medium priority.", ("low", "medium")),
        ("| Task | Priority |\n|---|:---:|\n| a | Must |\n| b | Later |\n\nNo row: a | b\n", ("must", "later")),
        ("The priority of this is clear. Priority-based work, priority inversion, a priority queue.", ()),
        ("Task 9 takes 9 hours.", ()),
    ],
)
def test_priorities_are_told_as_the_text_names_them(text: str, found: tuple[str, ...]) -> None:
    assert priorities(text) == found
