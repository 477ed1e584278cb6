"""What an agent is told that goes on in an earlier session (R4)."""

from __future__ import annotations

from pathlib import Path

from stretto.engine.resumption import ROOM, resumption
from stretto.model.run import Failure, FailureKind, PastAttempt, Remark

PLACE = Path("/state/worktrees/2")


def past(attempt: int, kind: FailureKind, message: str = "", *remarks: Remark) -> PastAttempt:
    return PastAttempt(attempt=attempt, failure=Failure(kind=kind, message=message), remarks=remarks)


def told(*attempts: PastAttempt, resumes: int, carry: str | None = "c" * 40, conflict: bool = False) -> str:
    return resumption(attempts, resumes=resumes, workspace=PLACE, base="b" * 40, carry=carry, conflict=conflict)


def test_r4_red_checks_are_told_with_what_they_said() -> None:
    text = told(past(1, "gate", "x", Remark(check="make test", message="2 failed\n# not a heading")), resumes=1)
    assert "Checks that stretto ran itself are red" in text
    assert "    make test" in text and "    2 failed\n    # not a heading" in text
    assert f"You are in {PLACE} now, a git worktree of your own at commit {'b' * 12};" in text
    assert "Your work so far lies in it, uncommitted." in text


def test_r4_an_interruption_says_that_it_is_no_fault_and_only_what_came_since_is_told() -> None:
    text = told(past(1, "failed", "old story"), past(2, "lost", "lost with its engine"), resumes=2)
    assert "You were interrupted, through no fault of yours (lost)" in text and "lost with its engine" in text
    assert "old story" not in text


def test_the_word_of_a_person_is_told_as_such() -> None:
    text = told(past(1, "gate", "use the other colour", Remark(check="approval", message="no")), resumes=1)
    assert "A person looked at your work and said no" in text and "use the other colour" in text


def test_it_says_where_the_work_is() -> None:
    assert "nothing lies in it" in told(past(1, "transient"), resumes=1, carry=None)
    assert "conflict markers" in told(past(1, "lost"), resumes=1, conflict=True)


def test_it_stays_short_whatever_was_said() -> None:
    remarks = [Remark(check="c" * 9999, message="x" * 99_999) for _ in range(50)]
    assert len(told(past(1, "gate", "y" * 99_999, *remarks), resumes=1)) < 2 * ROOM
