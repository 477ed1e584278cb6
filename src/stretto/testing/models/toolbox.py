"""Steps in the vocabulary of the client that asks: its tools, their arguments, paths below its working folder."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from typing import assert_never

from stretto.testing.models.conversation import Call, Conversation
from stretto.testing.models.directives import Bash, Edit, Json, Read, Step, Use, Write

# A conversation that goes on elsewhere says `Primary working directory: /new (was /old)`.
WORKING_FOLDER = re.compile(
    r"(?:working directory|cwd)\W*?: *`?(/(?:(?! \(was )[^\n`<])*)|<cwd>([^<]+)</cwd>", re.IGNORECASE
)

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

Way = tuple[tuple[Call, ...], ...]
"""Turns that do a step together."""


class Toolbox:
    """Steps in the vocabulary of one client."""

    def __init__(self, conversation: Conversation) -> None:
        self._tools = conversation.tools
        self._folder = _working_folder(conversation)

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


def _working_folder(conversation: Conversation) -> str:
    """What the client said last; a person's word only where it says nothing. Empty: nobody says."""
    said = {
        role: [text for message in conversation.messages if message.role == role for text in message.texts]
        for role in ("system", "user")
    }
    for texts in ([conversation.system, *said["system"]], said["user"]):
        for found in reversed([*WORKING_FOLDER.finditer("\n".join(texts))]):
            return str(found[1] or found[2]).strip().rstrip("/.")
    return ""


def _shell_write(path: str, text: str) -> str:
    folder = path.rpartition("/")[0]
    made = f"mkdir -p {shlex.quote(folder)} && " if folder else ""
    return f"{made}printf %s {shlex.quote(text)} > {shlex.quote(path)}"
