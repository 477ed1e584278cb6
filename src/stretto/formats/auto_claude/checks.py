"""`verification` of an Auto-Claude subtask: what stretto runs, what it asks a person (R5.4). Never silently green."""

from __future__ import annotations

from collections.abc import Iterator

from stretto.formats.reading import Reading, duration_s, kind, shown
from stretto.formats.shell_status import judge
from stretto.formats.syntax.source import Steps
from stretto.model.plan import Check

_NOTHING = {"none", "n/a", ""}
_COMMAND_KEYS = ("command", "run", "commands")
_EXPECTED_KEYS = ("expected", "expect_contains", "expected_output")
_LABELS = {
    "instructions": "",
    "scenario": "Scenario",
    "method": "Request",
    "url": "Open",
    "body": "Body",
    "checks": "Check",
    "steps": "Steps",
    "expect_status": "Expected status",
    "expected_status": "Expected status",
    "expected": "Expected",
    "expect_contains": "Expected in the answer",
    "expected_output": "Expected",
}


def checks(reading: Reading, value: object, steps: Steps, task: str) -> list[tuple[Check, Steps]]:
    """What must hold before the task counts as done, and where it says so. Reports commands that prove nothing."""
    entries = [(each, (*steps, i)) for i, each in enumerate(value)] if isinstance(value, list) else [(value, steps)]
    return [(check, at) for entry, at in entries for check in _checks(reading, entry, at, task)]


def _checks(reading: Reading, value: object, steps: Steps, task: str) -> Iterator[Check]:
    if value is None or (isinstance(value, str) and value.strip().casefold() in _NOTHING):
        return
    if isinstance(value, str):
        yield Check(kind="approval", instructions=value.strip())
        return
    if not isinstance(value, dict):
        message = f"`verification` of task {shown(task)!r} should be a mapping, not {kind(value)}"
        reading.refuse("wrong-type", message, steps, "write a mapping with `type` and `command`, or leave it out")
        return
    type = _type(value)
    if type in _NOTHING and (type or not any(value.values())):
        return
    if type == "command":
        commands = list(_commands(value))
        if commands:
            yield from _command_checks(reading, value, commands, steps, task)
            return
        message = f"the verification of task {shown(task)!r} has no command to run; a person is asked instead"
        reading.report("no-command", message, steps, "give it a `command`, or the type `manual`", tasks=(task,))
    yield Check(kind="approval", instructions=_question(value, type, task))


def _type(value: dict[str, object]) -> str:
    """The type in lower case; a verification with a command and no type is one of commands."""
    type = value.get("type")
    if isinstance(type, str) and type.strip():
        return type.strip().casefold()
    return "command" if any(value.get(key) for key in _COMMAND_KEYS) else ""


def _commands(value: dict[str, object]) -> Iterator[str]:
    for key in _COMMAND_KEYS:
        found = value.get(key)
        commands = [x.strip() for x in (found if isinstance(found, list) else [found]) if isinstance(x, str)]
        if any(commands):
            yield from (x for x in commands if x and "\0" not in x)
            return


def _command_checks(
    reading: Reading, value: dict[str, object], commands: list[str], steps: Steps, task: str
) -> Iterator[Check]:
    expected = next((_text(value[key]) for key in _EXPECTED_KEYS if _text(value.get(key))), "")
    token = expected if len(expected.split()) == 1 else None
    timeout_s = duration_s(value.get("timeout"))
    for i, command in enumerate(commands):
        last = i == len(commands) - 1
        judgement = judge(command, token if last else None)
        why = judgement.leaves or judgement.masked
        if why:
            code = "check-leaves-workspace" if judgement.leaves else "masked-check"
            message = f"a check of task {shown(task)!r} proves nothing by itself: {why}; a person is asked instead"
            hint = "let it run in the workspace" if judgement.leaves else "let a failure end with a red exit status"
            reading.report(code, message, (*steps, "command"), hint, tasks=(task,))
            instructions = f"Look at what this command says, and judge ({why}):\n{command}"
            if expected:
                instructions += f"\nExpected: {expected}"
            yield Check(kind="approval", instructions=instructions)
            continue
        if judgement.cut:
            message = f"a check of task {shown(task)!r} ends in `head`: what that cuts off is not looked at"
            reading.report("cut-check", message, (*steps, "command"), "`tail` cuts nothing off", severity="info")
        yield Check(
            command=command,
            pipefail=True,
            expected=token if last else None,
            timeout_s=timeout_s if timeout_s and timeout_s > 0 else None,
        )


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def _question(value: dict[str, object], type: str, task: str) -> str:
    """What a person is asked to look at."""
    lines: list[str] = []
    for key, label in _LABELS.items():
        lines += _lines(label, value.get(key))
    for command in _commands(value):
        lines.append(f"Command to try: {command}")
    known = {"type", "timeout", *_COMMAND_KEYS, *_LABELS}
    for key, extra in value.items():
        if key not in known:
            lines += _lines(key.replace("_", " ").capitalize(), extra)
    if not lines:
        return f"Is the work of task {shown(task)} as it should be?"
    return "\n".join(([] if type in ("", "manual", "command") else [f"Check by {type}:"]) + lines)


def _lines(label: str, value: object) -> list[str]:
    match value:
        case None | "" | [] | {}:
            return []
        case list():
            return [f"{label}:" if label else "", *(f"- {_flat(each)}" for each in value)]
        case _:
            return [f"{label}: {_flat(value)}" if label else _flat(value)]


def _flat(value: object) -> str:
    match value:
        case str():
            return value.strip()
        case dict():
            return ", ".join(f"{key}: {shown(str(each), 500)}" for key, each in value.items())
        case _:
            return shown(str(value), 500)


def in_words(value: object) -> Iterator[str]:
    """The verification, for the prompt of whoever does the work."""
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, str) and entry.strip().casefold() not in _NOTHING:
            yield entry.strip()
        elif isinstance(entry, dict) and (type := _type(entry)) not in _NOTHING:
            expected = next((_text(entry[key]) for key in _EXPECTED_KEYS if _text(entry.get(key))), "")
            commands = list(_commands(entry))
            if type == "command" and commands:
                yield " and ".join(f"`{x}`" for x in commands) + (f" (expected: {expected})" if expected else "")
            else:
                yield _question(entry, type, "this").replace("\n", "\n  ")
