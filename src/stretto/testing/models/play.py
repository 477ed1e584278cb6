"""What the model does next: a script and a conversation in, one turn out; nothing is remembered here."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import assert_never

import msgspec

from stretto.model.plan import Value
from stretto.testing.models.conversation import Call, Conversation, Turn
from stretto.testing.models.script import (
    DEFAULT_TEXT,
    Answer,
    Bash,
    Edit,
    Header,
    Json,
    Line,
    Read,
    Say,
    ScriptError,
    Step,
    Stop,
    Text,
    Usage,
    Use,
    Write,
    is_scripted,
)

WORKING_FOLDER = re.compile(r"(?:working directory|cwd)\W*?: *`?(/[^\n`<]*)|<cwd>([^<]+)</cwd>", re.IGNORECASE)
TYPED_ANSWER = "StructuredOutput"

_WRITERS = ("write", "write_file", "create_file")
_EDITORS = ("edit", "replace", "str_replace")
_READERS = ("read", "read_file", "view")
_SHELLS = ("bash", "shell", "run_shell_command", "exec_command", "local_shell")

_PATHS = ("file_path", "filePath", "absolute_path", "path")
_OLDS = ("old_string", "oldString", "old_str")
_NEWS = ("new_string", "newString", "new_str")
_COMMANDS = ("command", "cmd")

_REPLACE = (
    "import pathlib, sys; p = pathlib.Path(sys.argv[1]); t = p.read_text(); "
    "sys.exit('no such text') if sys.argv[2] not in t else p.write_text(t.replace(sys.argv[2], sys.argv[3], 1))"
)

CallTurn = tuple[Call, ...]
Way = tuple[CallTurn, ...]
"""Turns that do a step together."""


class Scripted(Value, frozen=True, kw_only=True):
    """Where a conversation holds the script that counts."""

    text: str
    ordinal: int
    """How many scripted texts came before it."""
    at: int
    """Which message has it."""


def newest_script(conversation: Conversation) -> Scripted | None:
    """Clients merge a prompt that failed with the next one, so of several scripted texts the newest counts."""
    found = [
        (at, text)
        for at, message in enumerate(conversation.messages)
        if message.role == "user"
        for text in message.texts
        if is_scripted(text)
    ]
    return Scripted(text=found[-1][1], ordinal=len(found) - 1, at=found[-1][0]) if found else None


def next_turn(lines: Sequence[Line], conversation: Conversation, since: int) -> Turn:
    """The turn that is due after message `since`. Raises ScriptError where a step has no tool."""
    done = _Done(conversation, since)
    steps, said_last = _steps(lines, conversation)
    number = 1
    for step in steps:
        said = step.said
        for way in step.ways:
            failed = False
            for calls in way:
                if not done.has_more():
                    return _turn(lines, number, said, calls)
                failed = done.failed(len(calls))
                number += 1
                said = ()
            if not failed:
                break
    return _turn(lines, number, (*said_last, _final(lines)), ())


class _Done:
    """The calls that a conversation has made since its script, taken in order."""

    def __init__(self, conversation: Conversation, since: int) -> None:
        later = conversation.messages[since + 1 :]
        self._calls = [call for message in later for call in message.calls]
        self._failed = {call for message in later for call, failed in message.outcomes if failed}

    def has_more(self) -> bool:
        return bool(self._calls)

    def failed(self, count: int) -> bool:
        """Take the next `count` calls; whether one of them failed."""
        taken, self._calls = self._calls[:count], self._calls[count:]
        return not self._failed.isdisjoint(taken)


class _Planned(Value, frozen=True, kw_only=True):
    """A step in the client's vocabulary."""

    ways: tuple[Way, ...]
    """Best first; a later one is gone where the one before it failed."""
    said: tuple[str, ...] = ()


def _steps(lines: Sequence[Line], conversation: Conversation) -> tuple[list[_Planned], tuple[str, ...]]:
    """Every step, and what is said after the last."""
    steps: list[_Planned] = []
    said: tuple[str, ...] = ()
    missing: Line | None = None
    toolbox = _Toolbox(conversation)
    for line in lines if conversation.tools else ():
        match line.does:
            case Say(text=text):
                said += (text,)
            case Write() | Edit() | Read() | Bash() | Use():
                ways = toolbox.ways(line.does)
                last = steps.pop() if line.join != "then" and steps else _Planned(ways=())
                if line.join != "or":
                    _refuse(missing, conversation)
                if line.join == "and" and last.ways and ways:
                    ways = (_together(last.ways[0], ways[0]),)
                else:
                    ways = (*last.ways, *ways)
                steps.append(_Planned(ways=ways, said=last.said + said))
                said, missing = (), None if ways else line
            case _:
                pass
    _refuse(missing, conversation)
    for line in lines:
        if isinstance(line.does, Answer) and TYPED_ANSWER in conversation.tools:
            steps.append(_Planned(ways=(((Call(name=TYPED_ANSWER, arguments=line.does.value),),),)))
    return steps, said


def _together(first: Way, then: Way) -> Way:
    """The last turn of one and the first turn of the other are one turn."""
    return (*first[:-1], first[-1] + then[0], *then[1:])


def _refuse(line: Line | None, conversation: Conversation) -> None:
    if line is not None:
        offered = ", ".join(sorted(conversation.tools))
        raise ScriptError(f"script line {line.number}, {line.source!r}: no tool for it; offered are {offered}")


def _turn(lines: Sequence[Line], number: int, texts: tuple[str, ...], calls: CallTurn) -> Turn:
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


# --- tools ---------------------------------------------------------------------------------------------------------


class _Toolbox:
    """Steps in the vocabulary of one client."""

    def __init__(self, conversation: Conversation) -> None:
        self._tools = conversation.tools
        named = WORKING_FOLDER.search(conversation.everything())
        self._folder = (named[1] or named[2]).strip().rstrip("/.") if named else ""

    def ways(self, step: Step) -> tuple[Way, ...]:
        """Ways to do it, best first; none where no tool fits."""
        match step:
            case Use(names=names, arguments=arguments):
                name = next((name for name in names if name in self._tools), names[0])
                return (((Call(name=name, arguments=arguments),),),)
            case Bash(command=command):
                return self._shell(command)
            case Read(path=path):
                return self._one(self._read(path)) or self._shell(f"cat {shlex.quote(path)}")
            case Write(path=path, text=text):
                text = text + "\n" if text and not text.endswith("\n") else text
                if not (write := self._file(_WRITERS, path, {("content",): text})):
                    return self._shell(_shell_write(path, text))
                # A client may insist that a file which exists is read before it is written.
                read = self._read(path)
                return (((write,),), ((read,), (write,))) if read else (((write,),),)
            case Edit(path=path, old=old, new=new):
                if not (edit := self._file(_EDITORS, path, {_OLDS: old, _NEWS: new})):
                    return self._shell(shlex.join([sys.executable, "-c", _REPLACE, path, old, new]))
                read = self._read(path)
                return (((read,), (edit,)),) if read else (((edit,),),)
            case _:
                assert_never(step)

    def _one(self, call: Call | None) -> tuple[Way, ...]:
        return (((call,),),) if call else ()

    def _read(self, path: str) -> Call | None:
        return self._file(_READERS, path, {})

    def _file(self, tools: tuple[str, ...], path: str, rest: Mapping[tuple[str, ...], str]) -> Call | None:
        """A call of one of these tools on a file; `rest` has the possible names of each further argument."""
        if (name := self._offered(tools)) is None:
            return None
        full = path if path.startswith("/") or not self._folder else f"{self._folder}/{path}"
        arguments: dict[str, Json] = {self._argument(name, _PATHS): full}
        return Call(name=name, arguments=arguments | {self._argument(name, names): rest[names] for names in rest})

    def _shell(self, command: str) -> tuple[Way, ...]:
        if (name := self._offered(_SHELLS)) is None:
            return ()
        argument = self._argument(name, _COMMANDS)
        schema = self._tools[name].get(argument)
        wants_words = isinstance(schema, dict) and schema.get("type") == "array"
        arguments: dict[str, Json] = {argument: ["bash", "-c", command] if wants_words else command}
        if "description" in self._tools[name]:
            arguments["description"] = "Play a step of the script"
        return self._one(Call(name=name, arguments=arguments))

    def _offered(self, names: tuple[str, ...]) -> str | None:
        return next((tool for name in names for tool in self._tools if tool.lower() == name), None)

    def _argument(self, tool: str, names: tuple[str, ...]) -> str:
        return next((name for name in names if name in self._tools[tool]), names[0])


def _shell_write(path: str, text: str) -> str:
    folder = path.rpartition("/")[0]
    made = f"mkdir -p {shlex.quote(folder)} && " if folder else ""
    return f"{made}printf %s {shlex.quote(text)} > {shlex.quote(path)}"
