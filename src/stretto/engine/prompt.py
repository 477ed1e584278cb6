"""The prompt of an attempt: the task's own words, its context files, and the story of the attempts before (R4)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from stretto.analysis.globs import covers
from stretto.model.excerpt import clip, legible
from stretto.model.plan import Plan, Task
from stretto.model.run import FailureKind, PastAttempt, Remark

SEAM = "--- added by stretto ---"
"""Ends the task's own words; the scripted agent reads no further."""

STORY_LIMIT = 24_000
"""Characters for all earlier attempts together; the newest has the first claim on them."""

_REMARKS_SHOWN = 20
_OTHERS_SHOWN = 10
_BRIEF = 200

_ADVICE: dict[FailureKind, str] = {
    "gate": "Checks that stretto ran itself were red. Make them green without weakening them.",
    "blocked_on_prompt": "Nobody can answer a question or grant a permission here: work with what is allowed.",
    "no_effect": "Nothing was changed although the task asks for changes. Write the changes to files in this folder.",
    "tampered": "Files outside the task were changed. Touch only what belongs to the task.",
    "timeout": "Time ran out. Start with the essential part and finish sooner.",
    "idle": "There was no sign of life for too long. Avoid commands that wait for input or run for ever.",
    "out_of_memory": "Memory ran out. Avoid commands that need so much of it.",
}

_REJECTED = "A person looked at the work and said no. Do what they ask for."


def compose(
    task: Task,
    *,
    plan: Plan,
    attempt: int,
    base: str,
    past: Sequence[PastAttempt],
    context: Mapping[str, str],
    carry: str | None = None,
    conflict: bool = False,
) -> str:
    """The text that the agent gets. With nothing to add it is exactly the task's prompt.

    `context` maps names of files to their text; the text of `task.prompt_file` stands in for an absent prompt.
    `carry` and `conflict` are StartAttempt's: earlier work that lies in the workspace, uncommitted.
    """
    own = task.prompt or context.get(task.prompt_file or "", "")
    files = {name: text for name, text in context.items() if task.prompt or name != task.prompt_file}
    sections = [_file(name, text) for name, text in files.items()]
    if past:
        sections.append(_story(past, attempt))
    if conflict:
        sections.append(_conflict(task, plan, base, past))
    elif carry is not None:
        sections.append(
            f"# Work in this folder\n\nThe work of an earlier attempt ({carry[:12]}) lies in this folder, uncommitted, "
            f"on top of {base[:12]}. Go on from there."
        )
    return "\n\n".join([own.rstrip("\n"), SEAM, *sections]) + "\n" if sections else own


def _file(name: str, text: str) -> str:
    return f"# Context: {name}\n\n{_fenced(text)}"


def _fenced(text: str) -> str:
    """`text` in a fence longer than any inside it."""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
    return f"{fence}\n{text.rstrip()}\n{fence}"


def _story(past: Sequence[PastAttempt], attempt: int) -> str:
    room = STORY_LIMIT
    told: list[str] = []
    for one in reversed(past):
        full, brief = _attempt(one, room), _brief(one)
        text = full if len(full) <= room else brief
        if len(text) > room:
            told.append(f"({len(past) - len(told)} attempts before these are left out.)")
            break
        room -= len(text) + 2
        told.append(text)
    heading = f"# Earlier attempts\n\nThis is attempt {attempt} at this task. What became of the earlier ones:"
    return "\n\n".join([heading, *reversed(told)])


def _attempt(one: PastAttempt, room: int) -> str:
    """One attempt with everything that was said about it, each part cut to its share of `room`."""
    rejected = any(remark.check == "approval" for remark in one.remarks)
    remarks = () if rejected else one.remarks[:_REMARKS_SHOWN]
    share = max(_BRIEF, (room - 1000) // (len(remarks) + 1) - 100)
    parts = [f"## Attempt {one.attempt}: {one.failure.kind}"]
    if one.failure.message:
        parts.append(_fenced(clip(legible(one.failure.message), share)))
    parts += [_remark(remark, share) for remark in remarks]
    if not rejected and len(remarks) < len(one.remarks):
        parts.append(f"({len(one.remarks) - len(remarks)} more findings are left out.)")
    if advice := _REJECTED if rejected else _ADVICE.get(one.failure.kind):
        parts.append(advice)
    if one.commit:
        parts.append(f"What it had written is kept in commit {one.commit}: `git show {one.commit[:12]}`.")
    return "\n\n".join(parts)


def _brief(one: PastAttempt) -> str:
    return f"## Attempt {one.attempt}: {one.failure.kind}\n\n{_line(one.failure.message)}".rstrip()


def _remark(remark: Remark, share: int) -> str:
    return f"{_line(remark.check)}:\n\n{_fenced(clip(legible(remark.message), share))}"


def _line(text: str) -> str:
    """The first line, short."""
    return legible(text).strip().partition("\n")[0][:_BRIEF]


def _conflict(task: Task, plan: Plan, base: str, past: Sequence[PastAttempt]) -> str:
    last = past[-1] if past else None
    said = "\n".join((last.failure.message, *(r.message for r in last.remarks))) if last else ""
    others = [
        f"- {other.id}: {_line(other.title or other.prompt)}"
        for other in plan.tasks
        if other.id != task.id and _concerns(other, said)
    ]
    parts = [
        "# Conflict",
        f"Others changed the same lines and landed first. This folder holds their work ({base[:12]}) with yours merged "
        "into it; places that do not fit together stand between conflict markers (<<<<<<<, =======, >>>>>>>). Resolve "
        "every one so that both intents are kept, and leave no marker behind. "
        "`git log` names the tasks that landed (`Stretto-Task`).",
    ]
    if others:
        parts.append("What the others wanted:\n\n" + "\n".join(others[:_OTHERS_SHOWN]))
    return "\n\n".join(parts)


def _concerns(other: Task, said: str) -> bool:
    """Whether the reason of a conflict names the task, or a path that it claims."""
    # The search in front is for speed: plans have thousands of tasks, and an expression for each takes a second.
    if other.id in said and re.search(rf"(?<![\w./-]){re.escape(other.id)}(?![\w/-])", said):
        return True
    paths = [word for word in re.split(r"[\s,;:]+", said) if "." in word or "/" in word]
    return any(covers(pattern, path) for pattern in other.writes or () for path in paths)
