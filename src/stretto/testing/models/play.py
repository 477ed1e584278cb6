"""What the model does next: a script and a conversation in, one turn out; nothing is remembered here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set

import msgspec

from stretto.model.plan import Value
from stretto.testing.models.conversation import Call, Conversation, Turn, step_of
from stretto.testing.models.directives import (
    Answer,
    Bash,
    Edit,
    Header,
    Line,
    Read,
    Say,
    ScriptError,
    Stop,
    Text,
    Usage,
    Use,
    Write,
)
from stretto.testing.models.script import DEFAULT_TEXT, Rule, script_of
from stretto.testing.models.toolbox import Toolbox, Way

TYPED_ANSWER = "StructuredOutput"


class Scripted(Value, frozen=True, kw_only=True):
    """Where a conversation holds the script that counts."""

    script: str
    text: str
    """What was said, of which the script is a part unless a rule gave it."""
    ordinal: int
    """How many scripted texts came before it."""
    at: int
    """Which message has it."""


def newest_script(conversation: Conversation, rules: Sequence[Rule] = ()) -> Scripted | None:
    """Clients merge a prompt that failed with the next one, so of several scripted texts the newest counts."""
    found = [
        (at, text, script)
        for at, message in enumerate(conversation.messages)
        if message.role == "user"
        for text in message.texts
        if (script := script_of(text, rules)) is not None
    ]
    if not found:
        return None
    at, text, script = found[-1]
    return Scripted(script=script, text=text, ordinal=len(found) - 1, at=at)


def next_turn(lines: Sequence[Line], conversation: Conversation, since: int) -> Turn:
    """The turn that is due after message `since`. Raises ScriptError where a step has no tool."""
    later = conversation.messages[since + 1 :]
    number = 1 + sum(bool(message.calls) for message in later)
    failed = {call for message in later for call, failed in message.outcomes if failed}
    made = defaultdict[int | None, list[str]](list)
    for call in (call for message in later for call in message.calls):
        made[step_of(call)].append(call)
    steps, said_last = _steps(lines, conversation)
    for step in steps:
        if (calls := _due(step, made[step.line], failed)) is not None:
            said = () if made[step.line] else step.said
            return _turn(lines, number, said, tuple(msgspec.structs.replace(call, step=step.line) for call in calls))
    return _turn(lines, number, (*said_last, _final(lines)), ())


def _due(step: _Planned, made: Sequence[str], failed: Set[str]) -> tuple[Call, ...] | None:
    """The calls with which the step goes on after those that were `made` for it; None: it is done."""
    for way in step.ways:
        broken = False
        for calls in way:
            if not made:
                return calls
            taken, made = made[: len(calls)], made[len(calls) :]
            broken = not failed.isdisjoint(taken)
        if not broken:
            break
    return None


class _Planned(Value, frozen=True, kw_only=True):
    """A step in the client's vocabulary. `line` is where it begins in the script."""

    line: int
    ways: tuple[Way, ...]
    """Best first; a later one is gone where the one before it failed."""
    said: tuple[str, ...] = ()


def _steps(lines: Sequence[Line], conversation: Conversation) -> tuple[list[_Planned], tuple[str, ...]]:
    """Every step, and what is said after the last."""
    steps: list[_Planned] = []
    said: tuple[str, ...] = ()
    missing: Line | None = None
    toolbox = Toolbox(conversation)
    for line in lines if conversation.tools else ():
        match line.does:
            case Say(text=text):
                said += (text,)
            case Write() | Edit() | Read() | Bash() | Use():
                ways = toolbox.ways(line.does)
                last = steps.pop() if line.join != "then" and steps else _Planned(line=line.number, ways=())
                if line.join != "or":
                    _refuse(missing, conversation)
                if line.join == "and" and last.ways and ways:
                    ways = (_together(last.ways[0], ways[0]),)
                else:
                    ways = (*last.ways, *ways)
                steps.append(_Planned(line=last.line, ways=ways, said=last.said + said))
                said, missing = (), None if ways else line
            case _:
                pass
    _refuse(missing, conversation)
    for line in lines:
        if isinstance(line.does, Answer) and TYPED_ANSWER in conversation.tools:
            answer = Call(name=TYPED_ANSWER, arguments=line.does.value)
            steps.append(_Planned(line=line.number, ways=(((answer,),),)))
    return steps, said


def _together(first: Way, then: Way) -> Way:
    """The last turn of one and the first turn of the other are one turn."""
    return (*first[:-1], first[-1] + then[0], *then[1:])


def _refuse(line: Line | None, conversation: Conversation) -> None:
    if line is not None:
        offered = ", ".join(sorted(conversation.tools))
        raise ScriptError(f"script line {line.number}, {line.source!r}: no tool for it; offered are {offered}")


def _turn(lines: Sequence[Line], number: int, texts: tuple[str, ...], calls: tuple[Call, ...]) -> Turn:
    usage, stop = None, None
    headers: list[tuple[str, str]] = []
    for line in lines:
        match line.does:
            case Usage():
                usage = line.does
            case Stop(reason=reason) if not calls:
                stop = reason
            case Header():
                headers += line.does.headers
            case _:
                pass
    return Turn(number=number, texts=texts, calls=calls, stop=stop, usage=usage, headers=tuple(headers))


def _final(lines: Sequence[Line]) -> str:
    text = DEFAULT_TEXT
    for line in lines:
        match line.does:
            case Text(text=words):
                text = words
            case Answer(value=value):
                text = msgspec.json.encode(value).decode()
            case _:
                pass
    return text
