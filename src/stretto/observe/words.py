"""What the run's own vocabulary is called where people read it: failures, reasons, counts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from shlex import quote

from stretto.core.state import State, TaskRecord
from stretto.model.excerpt import legible
from stretto.model.run import IN_PLACE, Failure, FailureKind, PastAttempt, Remark, TaskState
from stretto.observe.paint import cut, line, width_of

ORDER: tuple[TaskState, ...] = (
    "succeeded", "running", "gating", "landing", "waiting", "ready", "pending", "failed", "skipped", "cancelled",
)  # fmt: skip
"""In which states are counted out: what is done, what is at work, what is to come, what went wrong."""

WHERE = "in the folder itself"
"""Where the tasks of a run in place work, and where their work is (R10.3)."""


def commit_of(*those: str | None) -> str | None:
    """The first of these that is a commit: a run in place has none."""
    return next((one for one in those if one and one != IN_PLACE), None)


def landed_as(commit: str) -> str:
    """How a task has landed."""
    return f"landed as {commit[:10]}" if commit_of(commit) else "done in place"


def standing(branch: str, base: str) -> str:
    """What a run lands on, and where it began."""
    return f"branch {branch}, from {base[:10]}" if branch else f"its tasks work {WHERE}"


_KINDS: Mapping[FailureKind, str] = {
    "transient": "trouble that may pass",
    "overloaded": "too busy",
    "rate_limited": "too many requests",
    "quota": "the usage limit is reached",
    "lost": "lost",
    "timeout": "too slow",
    "idle": "silent for too long",
    "out_of_memory": "out of memory",
    "failed": "",
    "blocked_on_prompt": "it asked and nobody answered",
    "gate": "check red",
    "conflict": "conflict",
    "no_effect": "nothing changed",
    "tampered": "it changed what is not its own",
    "permanent": "trouble that will not pass",
    "auth": "not logged in",
    "no_room": "no room on the disk",
    "setup": "",
    "cancelled": "",
}
_WHO = r"""'[^'\n]*': |"[^"\n]*": """
_KIND = re.compile(rf"^(paused: |{_WHO}|.*\(its own attempt: )?({'|'.join(_KINDS)})(?::\s+|(?=\)?$))", re.DOTALL)
_CLAIM = re.compile(r"^its claim meets (?P<pattern>.+), held by (?P<holders>.+)$", re.DOTALL)
_MERGED = "on the combined tree: "
HINT = "hint: "
"""How a line begins that says what to do, not what went wrong."""
_WHERE = f"{HINT}its output: "
_SCRIPT = 60
"""Columns; a longer command is no name of a check."""
_SHOWN = 40
_EXIT = re.compile(r"^exit status \d+: (?=.)")
_WAY_OUT = re.compile(rf"\n{HINT}(?P<lines>.*)\Z", re.DOTALL)
_COMMAND = re.compile(r"(?:.*: )?(?:stretto|git|rm|df|ls) .+")
_STOP = re.compile(r"(?<!\.)\.$")
_NEXT = re.compile(r"; next try in \d+ s$")
_TELLS = re.compile(r"Error|error|FAIL|assert|^\S+:\d+:\d+:? |^[✕✗×] |^not ok ")
_SUMS_UP = re.compile(
    r"(?:✖ |Found )?[\d,]+ (?:\w+ )?(?:failed|failures?|errors?|problems?)\b|=+ .* =+$"
    r"|FAIL(?:ED)?(?:\s*\(.*\)|\s+\S+\s+[\d.]+m?s)?$|error: (?:could not compile|aborting due to) "
)
"""How many errors there were, and not what they are."""
_FRAME = re.compile(r"at |make(\[\d+\])?: |npm ")
"""Where it went wrong, or that something else did: lines that name errors and tell nothing of them."""


def on_task(verb: str, task: str, run: str, *more: str) -> str:
    """The command line of a verb on one task. An id that would be taken for an option stands last, behind `--`."""
    about, where = quote(task), " ".join((f"--run {run}", *more))
    return f"stretto {verb} {where} -- {about}" if task.startswith("-") else f"stretto {verb} {about} {where}"


def on_plan(verb: str, plan: str) -> str:
    """The command line of a verb on one plan file."""
    return f"stretto {verb} {quote(f'./{plan}' if plan.startswith('-') else plan)}"


def way_out(text: str) -> tuple[str, tuple[str, ...]]:
    """(what went wrong, the lines of the hint behind it) where that hint holds a command, which is not to be broken;
    else (all of the text, nothing)."""
    found = _WAY_OUT.search(text)
    lines = tuple(legible(found["lines"]).splitlines()) if found else ()
    return (text[: found.start()], lines) if found and any(map(_COMMAND.fullmatch, lines)) else (text, ())


def gist(text: str) -> str:
    """The first line of what a program said, and the last that names an error rather than counts them, else the last.
    A hint stands apart, one that only says where the output is is left out; so is a full stop at the end."""
    said = legible(text).strip()
    until = _NEXT.search(said)
    found = [part.strip() for part in said[: until.start() if until else None].splitlines() if part.strip()]
    lines = [part for part in found if not part.startswith(HINT)] or found
    telling = [part for part in lines[1:] if _TELLS.search(part) and not _FRAME.match(part)]
    telling = [part for part in telling if not _SUMS_UP.match(part)] or telling or lines
    told = _STOP.sub("", ": ".join(dict.fromkeys((*lines[:1], *telling[-1:]))))
    hints = [part for part in found if part not in lines and not part.startswith(_WHERE)]
    return told + "".join(f" ({hint})" for hint in hints[-1:]) + (until[0] if until else "")


def failure(what: Failure) -> str:
    """A failure in a line."""
    return _of_kind(what.kind, gist(what.message)) or "no reason was given"


def _of_kind(kind: FailureKind, said: str) -> str:
    between = " " if said.startswith("with ") else ": "
    return between.join(part for part in (_KINDS[kind], said) if part)


def remark(what: Remark) -> str:
    """What a check found, in a line; one that is a whole script stands behind what it said."""
    said, check = gist(what.message), line(what.check)
    if said and width_of(check) > _SCRIPT:
        return f"{_EXIT.sub('', said)} (check: {cut(check, _SHOWN)})"
    return f"{check}: {said}" if said else check


def remarks(what: Sequence[Remark]) -> str:
    """What checks found, in a line."""
    return "; ".join(remark(one) for one in what[:3]) + (f"; and {len(what) - 3} more" if len(what) > 3 else "")


def came_of(past: PastAttempt) -> str:
    """Why an attempt did not succeed, in a line."""
    if not past.remarks:
        return failure(past.failure)
    merged = " after the merge with what had landed" if past.failure.message.startswith(_MERGED) else ""
    return f"{_KINDS[past.failure.kind]}{merged}: {remarks(past.remarks)}"


def reason(record: TaskRecord) -> str:
    """Why a task is where it is, in a line; empty where its state says all."""
    if record.wait == "person":
        return f"waits for your word: {question(record)}"
    latest = record.past[-1] if record.past else None
    if latest is not None and _is_of(record.reason, latest):
        return came_of(latest)
    return plain(record.reason)


def question(record: TaskRecord, *, whole: bool = False) -> str:
    """What a task that waits for approval asks its person, on one line unless `whole`."""
    text = legible(record.reason)
    for prefix in ("waits for approval", ":", "approval", ":"):
        text = text.strip().removeprefix(prefix)
    return (text.strip() if whole else " ".join(text.split())) or record.task.title or record.id


def plain(text: str) -> str:
    """A reason without the names that only programs use."""
    if claim := _CLAIM.match(text):
        return f"may write the same as {claim['holders']}: {claim['pattern']}"
    found = _KIND.match(text)
    if found is None:
        return gist(text)
    kind: FailureKind = found[2]  # type: ignore[assignment]
    return (found[1] or "") + _of_kind(kind, gist(text[found.end() :]))


def _is_of(reason: str, past: PastAttempt) -> bool:
    said = past.failure.message
    return reason == (f"{past.failure.kind}: {said}" if said else past.failure.kind)


def counted(state: State) -> str:
    """`3 succeeded, 1 failed, 30 done before`."""
    before = sum(record.state == "succeeded" and not record.starts for record in state.tasks)
    counts = dict(state.counts) | {"succeeded": state.counts.get("succeeded", 0) - before}
    told = [f"{counts[name]} {name}" for name in ORDER if counts.get(name)]
    return ", ".join([*told, *([f"{before} done before"] if before else [])])
