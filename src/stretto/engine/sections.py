"""What the sections of a prompt say: each is a draft that can be written to fit a room (R4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from stretto.analysis.globs import covers
from stretto.core.commands import StartAttempt
from stretto.engine.room import cut, fit, share
from stretto.engine.template import line, section
from stretto.model.excerpt import clip, head, legible
from stretto.model.plan import Check, Phase, Plan, Task, Value
from stretto.model.run import IN_PLACE, FailureKind, Handoff, PastAttempt

STORY_LIMIT: Final = 24_000
"""Characters for all earlier attempts together; the newest has the first claim on them."""
_HANDOFFS_LIMIT: Final = 16_000
_LIST_LIMIT: Final = 8_000

_REMARKS_SHOWN: Final = 20
_OTHERS_SHOWN: Final = 10
_NEIGHBOURS_SHOWN: Final = 8
_BRIEF: Final = 200
_CHECK: Final = 2_000

_ADVICE: Final[Mapping[FailureKind, str]] = {
    "gate": "Checks that stretto ran itself were red. Make them green without weakening them.",
    "blocked_on_prompt": "Nobody can answer a question or grant a permission here: work with what is allowed.",
    "no_effect": "Nothing was changed although the task asks for changes. Write the changes to files in this folder.",
    "tampered": "Files outside the task were changed. Touch only what belongs to the task.",
    "timeout": "Time ran out. Start with the essential part and finish sooner.",
    "idle": "There was no sign of life for too long. Avoid commands that wait for input or run for ever.",
    "out_of_memory": "Memory ran out. Avoid commands that need so much of it.",
}
_REJECTED: Final = "A person looked at the work and said no. Do what they ask for."

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class Draft(Value, frozen=True, kw_only=True):
    """A section that has something to say."""

    name: str
    write: Callable[[int], tuple[str, int]]
    """(text, characters of its sources that are not in it) for a room in characters; ("", …) when it is too small."""
    most: int


def _fixed(name: str, text: str) -> Draft:
    """A section that is there or not."""
    size = len(text)
    return Draft(name=name, write=lambda room: (text, 0) if size <= room else ("", size), most=size)


# --- the task ------------------------------------------------------------------------------------------------------


def about(task: Task, plan: Plan, base: str) -> Draft:
    phase = next((phase for phase in plan.phases if phase.id == task.phase), Phase(id=task.phase))
    return _fixed("about", section("about", task=task, phase=phase, plan=plan.name, base=base, shared=base == IN_PLACE))


def context(files: Mapping[str, str], place: Callable[[str], str], most: int) -> Draft:
    """Files that go with the prompt; `place` says where in the repository one of them is, or nothing."""
    sizes = [len(text) for text in files.values()]
    texts = [_CONTROL.sub("", text[: most + 1]) for text in files.values()]  # no more of it can ever be shown

    def write(given: Sequence[int]) -> str:
        shown = []
        for name, text, size, got in zip(files, texts, sizes, given, strict=False):
            part = text if got >= size else cut(text, got)
            missing = 0 if got >= size else size - len(part)
            shown.append({"name": name, "text": part, "cut": missing, "size": size, "place": place(name)})
        left_out = [f"{line(name)}, whole" for name in list(files)[len(given) :]]
        return section("context", files=shown, more=_some(left_out))

    return Draft(name="context", write=lambda room: fit(write, sizes, room), most=most)


def _some(names: Sequence[str]) -> list[str]:
    return [*names[:_OTHERS_SHOWN], *([f"and {len(names) - _OTHERS_SHOWN} more"] if len(names) > _OTHERS_SHOWN else [])]


def claims(task: Task, phase: Sequence[Task], at: int, handed: Iterable[Handoff]) -> Draft | None:
    """What the task may write, and its neighbours: the tasks of its phase, in plan order; it is the one `at`."""
    known = {one.task for one in handed}
    near = sorted(range(len(phase)), key=lambda i: abs(i - at)) if len(phase) < 1000 else _around(at, len(phase))
    open_ones = (i for i in near if i != at and phase[i].id not in known and phase[i].status != "succeeded")
    chosen = sorted(i for i, _ in zip(open_ones, range(_NEIGHBOURS_SHOWN), strict=False))
    if task.writes is None and not chosen:
        return None
    others = [_neighbour(phase[i]) for i in chosen]
    sizes = [*(len(path) + 6 for path in task.writes or ()), *(len(str(other)) for other in others)]
    own = len(task.writes or ())

    def write(given: Sequence[int]) -> str:
        paths = None if task.writes is None else task.writes[: min(own, len(given))]
        return section(
            "claims", writes=paths, more=own - len(paths or ()), others=others[: max(0, len(given) - own)]
        )  # fmt: skip

    return Draft(name="claims", write=lambda room: fit(write, sizes, room, whole=True), most=_LIST_LIMIT)


def _around(at: int, size: int) -> list[int]:
    """The nearest ones, without looking at thousands."""
    low, high = max(0, at - 50), min(size, at + 51)
    return sorted(range(low, high), key=lambda i: abs(i - at))


def _neighbour(task: Task) -> dict[str, object]:
    return {"task": task.id, "title": line(task.title or task.prompt), "writes": (task.writes or ())[:3]}


def gates(task: Task, landing: Sequence[Check], *, shared: bool = False) -> Draft | None:
    """The checks by which the work will be judged, its own before those of the merged tree; `shared`: in place."""
    if not (task.verify or task.artifacts or landing):
        return None
    own, merged = [_told(check) for check in task.verify], [_told(check) for check in landing]
    sizes = [len(str(one)) for one in (*own, *task.artifacts, *merged)]

    def write(given: Sequence[int]) -> str:
        n, artifacts = len(given), len(task.artifacts)
        return section(
            "gates",
            shared=shared,
            own=own[:n],
            artifacts=task.artifacts[: max(0, n - len(own))],
            landing=merged[: max(0, n - len(own) - artifacts)],
            more=len(sizes) - n,
        )

    return Draft(name="gates", write=lambda room: fit(write, sizes, room, whole=True), most=_LIST_LIMIT)


def _told(check: Check) -> dict[str, object]:
    text = check.instructions if check.kind == "approval" else check.command
    return {"kind": check.kind, "text": head(_CONTROL.sub("", text), _CHECK), "expected": check.expected}


def result(task: Task) -> Draft:
    return _fixed("result", section("result", changes=task.effect == "changes"))


# --- what came before ----------------------------------------------------------------------------------------------


def handoffs(told: Sequence[Handoff], more: int, tasks: Mapping[str, Task]) -> Draft | None:
    """What the tasks before this one have left; where there is too much, the last ones in plan order are told."""
    if not told:
        return None
    newest = told[::-1]
    sizes = [
        len(one.summary) + sum(len(text) + 3 for text in one.decisions) + sum(len(path) + 4 for path in one.paths)
        for one in newest
    ]

    def write(given: Sequence[int]) -> str:
        shown = [_handed(one, tasks.get(one.task), size) for one, size in zip(newest, given, strict=False)]
        shared = any(one.commit == IN_PLACE for one in told)
        return section("handoffs", tasks=shown[::-1], more=more + len(told) - len(given), shared=shared)

    return Draft(name="handoffs", write=lambda room: fit(write, sizes, room), most=_HANDOFFS_LIMIT)


def _handed(one: Handoff, task: Task | None, room: int) -> dict[str, object]:
    summary = cut(_CONTROL.sub("", one.summary), room)
    left = room - len(summary)
    decisions, left = _as_many(one.decisions, 3, left)
    paths, left = _as_many(one.paths, 4, left)
    return {
        "task": one.task,
        "title": task.title if task else "",
        "state": one.state,
        "reason": one.reason,
        "summary": summary,
        "decisions": decisions,
        "paths": paths,
        "unnamed": one.changed - len(paths),
        "artifacts": task.artifacts[:_OTHERS_SHOWN] if task and one.state == "succeeded" else (),
        "commit": None if one.commit == IN_PLACE else one.commit,
    }


def _as_many(texts: Sequence[str], each: int, room: int) -> tuple[list[str], int]:
    """As many of the first ones as fit, and what room is left."""
    chosen: list[str] = []
    for text in texts:
        if (room := room - len(text) - each) < 0:
            return chosen, 0
        chosen.append(text)
    return chosen, room


def attempts(past: Sequence[PastAttempt], attempt: int) -> Draft | None:
    """The story of the attempts before: every one is told, the newest in full, the oldest left out first."""
    if not past:
        return None

    def write(room: int) -> tuple[str, int]:
        text = _story(past, attempt, room)
        sources = sum(len(one.failure.message) + sum(len(r.message) for r in one.remarks) for one in past)
        return (text, max(0, sources - len(text))) if len(text) <= room else ("", sources)

    return Draft(name="attempts", write=write, most=STORY_LIMIT)


def _story(past: Sequence[PastAttempt], attempt: int, room: int) -> str:
    room -= len(section("attempts", number=attempt, told=(), left_out=len(past)))
    told: list[str] = []
    for one in reversed(past):
        full, brief = _attempt(one, room), section("brief", one=one)
        text = full if len(full) + 2 <= room else brief
        if len(text) + 2 > room:
            break
        room -= len(text) + 2
        told.append(text)
    return section("attempts", number=attempt, told=told[::-1], left_out=len(past) - len(told))


def _attempt(one: PastAttempt, room: int) -> str:
    """One attempt with everything that was said about it, each part cut to its share of `room`."""
    rejected = any(remark.check == "approval" for remark in one.remarks)
    most = 0 if rejected else min(_REMARKS_SHOWN, max(1, (room - 1000) // (_BRIEF + 100) - 1))
    remarks = one.remarks[:most]
    texts = [legible(one.failure.message), *(legible(remark.message) for remark in remarks)]
    rooms = share([len(text) for text in texts], max(_BRIEF * len(texts), room - 1000 - 100 * len(texts)))
    message, *said = (clip(text, size) for text, size in zip(texts, rooms, strict=True))
    return section(
        "attempt",
        one=one,
        shared=one.commit == IN_PLACE,
        message=message,
        remarks=[{"check": remark.check, "message": text} for remark, text in zip(remarks, said, strict=True)],
        left_out=0 if rejected else len(one.remarks) - len(remarks),
        advice=_REJECTED if rejected else _ADVICE.get(one.failure.kind),
    )


def work(start: StartAttempt, plan: Plan) -> Draft | None:
    """Earlier work that lies in the folder: half done, or merged with what was in its way."""
    if start.conflict:
        text = section("conflict", base=start.base, others=_others(start.task, plan, start.past))
    elif start.carry is not None:
        text = section("carried", base=start.base, commit=start.carry, shared=start.base == IN_PLACE)
    else:
        return None
    return _fixed("work", text)


def _others(task: str, plan: Plan, past: Sequence[PastAttempt]) -> list[dict[str, str]]:
    """Whom a conflict is with, and what they wanted."""
    last = past[-1] if past else None
    said = "\n".join((last.failure.message, *(r.message for r in last.remarks))) if last else ""
    others = (other for other in plan.tasks if other.id != task and _concerns(other, said))
    named = ({"task": other.id, "wanted": other.title or other.prompt} for other in others)
    return [other for other, _ in zip(named, range(_OTHERS_SHOWN), strict=False)]


def _concerns(other: Task, said: str) -> bool:
    """Whether the reason of a conflict names the task, or a path that it claims."""
    # The search in front is for speed: plans have thousands of tasks, and an expression for each takes a second.
    if other.id in said and re.search(rf"(?<![\w./-]){re.escape(other.id)}(?![\w/-])", said):
        return True
    paths = [word for word in re.split(r"[\s,;:]+", said) if "." in word or "/" in word]
    return any(covers(pattern, path) for pattern in other.writes or () for path in paths)
