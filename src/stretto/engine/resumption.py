"""What an agent is told that goes on in the session of an earlier attempt: what has happened since, and where it is.

It knows its task already; the whole prompt again would cost what resuming saves (R4).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stretto.model.excerpt import clip, legible
from stretto.model.run import IN_PLACE, PastAttempt, Remark

ROOM = 12_000
"""Characters for everything that was said about the attempts since."""
_REMARKS = 20


def resumption(
    past: Sequence[PastAttempt], *, resumes: int, workspace: Path, base: str, carry: str | None, conflict: bool
) -> str:
    """`past` are all earlier attempts, `resumes` whose session it is; `carry` and `conflict` as for a prompt."""
    since = [one for one in past if one.attempt >= resumes]
    share = ROOM // max(1, sum(1 + min(len(one.remarks), _REMARKS) for one in since))
    shared = base == IN_PLACE
    if shared:
        work = "What you wrote lies in it as you left it; others may have been at work in it since."
    elif carry is None:
        work = "Of your work so far nothing lies in it."
    elif conflict:
        work = (
            "Your work so far lies in it, uncommitted, merged into what others have landed; resolve every place "
            "between conflict markers so that both intents are kept."
        )
    else:
        work = "Your work so far lies in it, uncommitted."
    place = "the user's own folder" if shared else f"a git worktree of your own at commit {base[:12]}"
    return "\n\n".join(
        [
            *(part for one in since for part in _told(one, share)),
            f"You are in {workspace} now, {place}; where this conversation "
            f"names another folder, it means this one. {work} Look at what is there and go on until your task is done.",
        ]
    )


def _told(one: PastAttempt, share: int) -> list[str]:
    rejected = any(remark.check == "approval" for remark in one.remarks)
    if rejected:
        return ["A person looked at your work and said no. Do what they ask for:", _text(one.failure.message, share)]
    if one.failure.kind == "gate":
        first = (
            "You said you were done. Checks that stretto ran itself are red; make them green without weakening them:"
        )
        return [first, *(_remark(remark, share) for remark in one.remarks[:_REMARKS])]
    said = f":\n\n{_text(one.failure.message, share)}" if one.failure.message else "."
    return [f"You were interrupted, through no fault of yours ({one.failure.kind}){said}"]


def _remark(remark: Remark, share: int) -> str:
    return f"{_text(remark.check, 200)}\n\n{_text(remark.message, share)}"


def _text(text: str, share: int) -> str:
    """Indented, so that nothing in it passes for our own words."""
    return "\n".join(f"    {line}".rstrip() for line in clip(legible(text).strip(), share).splitlines())
