"""The script language: what a model does, written into the prompt that it is asked with.

A line of the prompt that begins with `MODEL` is a line of the script; everything else in the prompt is prose and means
nothing. So many agents share one server, each with the script of its own task. A prompt without such a line is answered
with the text `Done.`

    MODEL write src/login.py def login(): ...
    MODEL bash python -m pytest
    MODEL text The login works.

The conversation is the memory: the tool calls in it say which steps are done. A client that resumes goes on where its
conversation stands; one that starts again begins again. Where several texts of a conversation hold a script, the newest
counts. The text after a line `--- added by stretto ---` is never read.

**Steps**, one model turn each, in the vocabulary of the client that asks: its own tools, its names of their arguments,
and absolute paths below the working folder that its system text names.

    write PATH [TEXT]        write a file; read it first where the client insists
    edit PATH OLD => NEW     replace text in a file that exists, having read it
    read PATH                read a file
    bash COMMAND             run a command
    tool NAME[|NAME] [JSON]  call this tool, or the first of several that is offered, offered or not
    say TEXT                 words before the next step, in the same turn

`and STEP` is done in the same turn as the step before it. `or STEP` is done only where the step before it failed, or
has no tool. A client that offers no write, edit or read tool gets a shell command. A request without any tool is a
question on the side: it gets the final text, and steps are left out.

**The end**, when all steps are done:

    text WORDS               the final text
    answer JSON              a typed answer: by the tool StructuredOutput if it is offered, else as the text
    stop REASON              the stop reason of the final turn, such as max_tokens or refusal

**Numbers and headers** of every answer that is not an error:

    usage INPUT OUTPUT [READ WRITTEN]    tokens; READ from the cache and WRITTEN to it, else as the cache model says
    header NAME=VALUE ...                headers

**Trouble.** The first that applies to a request happens; delays come on top.

    delay SECONDS            wait before anything is sent
    slow SECONDS             stretch a streamed answer over this time
    hang [silent]            begin to answer, then only keep the connection alive; silent: send nothing at all
    cut [silent]             close the connection in the middle of the answer; silent: before its first byte
    fail STATUS              an error; type=..., message="..." and error.NAME=VALUE set its body, a name with a dash a
                             header: `fail 429 message="slow down" retry-after=2`
    stream-error TYPE        an error event in the middle of a streamed answer; message="..."
    limit SECONDS [CLAIM]    the account (its key or token) has reached its usage limit: every request of it gets a 429
                             with the reset time, whatever its script, until the time is over. Once, unless times=N

Each of these takes `turn=N` (only in turn N after the script, from 1) and `times=N` (only for the first N requests
it applies to; a client that retries asks again). Values `epoch+SECONDS` and `time+SECONDS` of a header or an error's
field are that long from now: Unix seconds, RFC 3339.

**Which attempt.** `@2` before a directive: only in the second attempt at this script; `@2+` from the second on; `@1-3`.
An attempt is a session that the client names, or a first turn where it names none.

    MODEL @1 fail 529
    MODEL @2 write a.txt wrong
    MODEL @3+ write a.txt right

**Whose script.** What is counted is counted per text that holds the script. `name NAME` counts under a name instead,
and shows it in the log.

In TEXT, OLD and NEW, `\\n` begins a new line; WORDS too. A line that is no directive is refused with status 400 and a
message that shows the line.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from stretto.agents.script import SEAM
from stretto.model.plan import Value
from stretto.testing.models.directives import (
    Answer,
    Bash,
    Cut,
    Delay,
    Does,
    Edit,
    Fail,
    Hang,
    Header,
    Join,
    Json,
    Limit,
    Line,
    Read,
    Say,
    Script,
    ScriptError,
    Slow,
    Span,
    Step,
    Stop,
    StreamError,
    Text,
    Trouble,
    Usage,
    Use,
    Write,
)

MARK = re.compile(r"^[ \t]*MODEL[ \t]+(\S.*?)[ \t]*$")
DEFAULT_TEXT = "Done."


# --- one directive's words -----------------------------------------------------------------------------------------


class Words:
    """The words after a directive, taken from the left. Every method raises ValueError."""

    def __init__(self, rest: str) -> None:
        self.rest = rest
        self.turn: int | None = None
        self.times: int | None = None

    def word(self, what: str) -> str:
        word, _, self.rest = self.rest.partition(" ")
        self.rest = self.rest.lstrip()
        if not word:
            raise ValueError(f"{what} is missing")
        return word

    def all(self, what: str) -> str:
        rest, self.rest = self.rest, ""
        if not rest:
            raise ValueError(f"{what} is missing")
        return rest

    def text(self) -> str:
        rest, self.rest = self.rest, ""
        return unescaped(rest)

    def json(self) -> dict[str, Json]:
        rest, self.rest = self.rest, ""
        try:
            return msgspec.json.decode(rest or "{}", type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise ValueError(f"{rest!r} is no JSON object: {error}") from None

    def number(self, what: str) -> float:
        word = self.word(what)
        try:
            value = float(word)
        except ValueError:
            raise ValueError(f"{what} {word!r} is no number") from None
        if not 0 <= value < 1e9:
            raise ValueError(f"{what} {word} is out of range")
        return value

    def whole(self, what: str) -> int:
        word = self.word(what)
        if not word.isdecimal():
            raise ValueError(f"{what} {word!r} is no whole number")
        return int(word)

    def silent(self) -> bool:
        if self.rest.split(" ")[0] != "silent":
            return False
        self.word("silent")
        return True

    def options(self) -> list[tuple[str, str]]:
        """The `NAME=VALUE` words that are left, but for `turn` and `times`, which are kept."""
        words = [word.partition("=") for word in shlex.split(self.rest)]
        self.rest = ""
        left = []
        for name, equals, value in words:
            if not equals:
                raise ValueError(f"{name!r} is not NAME=VALUE")
            if name not in ("turn", "times"):
                left.append((name, value))
            elif not value.isdecimal() or int(value) < 1:
                raise ValueError(f"{name}={value} is no number from 1 on")
            else:
                setattr(self, name, int(value))
        return left

    def end(self) -> None:
        if self.rest:
            raise ValueError(f"{self.rest!r} is too much")


def unescaped(text: str) -> str:
    return text.replace("\\n", "\n")


def _edit(words: Words) -> Edit:
    path = words.word("PATH")
    old, arrow, new = words.all("OLD => NEW").partition(" =>")
    if not arrow or not old or (new and not new.startswith(" ")):
        raise ValueError("it takes OLD => NEW")
    return Edit(path=path, old=unescaped(old), new=unescaped(new[1:]))


def _headers(options: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    for name, value in options:
        if not re.fullmatch(r"[\w-]*-[\w-]*", name, re.ASCII):
            raise ValueError(f"{name}={value}: there is no such option, and a header has a dash in its name")
        if not value.isprintable() or not value.isascii():
            raise ValueError(f"{name}={value}: a header is printable ASCII")
    return tuple(options)


def _header(words: Words) -> Header:
    if not words.rest:
        raise ValueError("it takes NAME=VALUE")
    headers = _headers(words.options())
    if words.turn or words.times:
        raise ValueError("turn and times are for trouble; headers go with every answer")
    return Header(headers=headers)


def _fail(words: Words) -> Fail:
    status = words.whole("STATUS")
    if not 400 <= status <= 599:
        raise ValueError(f"{status} is no status of an error")
    options = words.options()
    body = {name: value for name, value in options if name in ("type", "message")}
    return Fail(
        status=status,
        type=body.get("type"),
        message=body.get("message", f"scripted {status}"),
        fields=tuple((name[6:], value) for name, value in options if name.startswith("error.")),
        headers=_headers([pair for pair in options if pair[0] not in body and not pair[0].startswith("error.")]),
    )


def _stream_error(words: Words) -> StreamError:
    kind = words.word("TYPE")
    options = dict(words.options())
    message = options.pop("message", "scripted error")
    _headers(list(options.items()))
    if options:
        raise ValueError("an answer that has begun has no more headers")
    return StreamError(type=kind, message=message)


def _limit(words: Words) -> Limit:
    words.times = 1
    seconds = words.number("SECONDS")
    claim = "five_hour" if not words.rest or "=" in words.rest.split(" ")[0] else words.word("CLAIM")
    return Limit(seconds=seconds, claim=claim)


def _usage(words: Words) -> Usage:
    given, made = words.whole("INPUT"), words.whole("OUTPUT")
    if not words.rest:
        return Usage(input=given, output=made)
    return Usage(input=given, output=made, read=words.whole("READ"), written=words.whole("WRITTEN"))


STEPS: Mapping[str, Callable[[Words], Step]] = {
    "write": lambda words: Write(path=words.word("PATH"), text=words.text()),
    "edit": _edit,
    "read": lambda words: Read(path=words.word("PATH")),
    "bash": lambda words: Bash(command=words.all("COMMAND")),
    "tool": lambda words: Use(names=tuple(words.word("NAME").split("|")), arguments=words.json()),
}
TROUBLE: Mapping[str, Callable[[Words], Trouble]] = {
    "delay": lambda words: Delay(seconds=words.number("SECONDS")),
    "slow": lambda words: Slow(seconds=words.number("SECONDS")),
    "hang": lambda words: Hang(silent=words.silent()),
    "cut": lambda words: Cut(silent=words.silent()),
    "fail": _fail,
    "stream-error": _stream_error,
    "limit": _limit,
}
OTHERS: Mapping[str, Callable[[Words], Does]] = {
    "say": lambda words: Say(text=unescaped(words.all("TEXT"))),
    "text": lambda words: Text(text=unescaped(words.all("WORDS"))),
    "answer": lambda words: Answer(value=words.json()),
    "stop": lambda words: Stop(reason=words.word("REASON")),
    "usage": _usage,
    "header": _header,
}
DIRECTIVES: Mapping[str, Callable[[Words], Does]] = {**STEPS, **OTHERS, **TROUBLE}


# --- a text --------------------------------------------------------------------------------------------------------


class Rule(Value, frozen=True, kw_only=True):
    """Texts in which the pattern `when` is found are answered by `script`, whatever script they hold themselves."""

    when: str
    script: str


def rule(when: str, script: str) -> Rule:
    """A rule that is known to work. Raises ScriptError."""
    try:
        re.compile(when)
    except re.error as error:
        raise ScriptError(f"{when!r} is no pattern: {error}") from None
    parse(script)
    return Rule(when=when, script=script)


def script_of(text: str, rules: Sequence[Rule] = ()) -> str | None:
    """The script that a text is answered by; None: none."""
    for one in rules:
        if re.search(one.when, text):
            return one.script
    return text if any(MARK.match(line) for line in _own_lines(text)) else None


def parse(script: str, *, whose: str | None = None) -> Script:
    """The script that a text holds, the whole of it checked; counted per text `whose`. Raises ScriptError."""
    own = _own_lines(script)
    key = _digest(own if whose is None else _own_lines(whose))
    lines: list[Line] = []
    for number, source in enumerate(own, 1):
        if not (found := MARK.match(source)):
            continue
        try:
            name, rest = _split(found[1])
            if name == "name":
                words = Words(rest)
                key = words.word("NAME")
                words.end()
            else:
                lines.append(_line(number, found[1], lines))
        except ValueError as error:
            raise ScriptError(f"script line {number}, {source.strip()!r}: {error}") from None
    return Script(key=key, lines=tuple(lines))


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def _own_lines(text: str) -> list[str]:
    lines = text.splitlines()
    return lines[: next((at for at, line in enumerate(lines) if line.strip() == SEAM), len(lines))]


def _split(source: str) -> tuple[str, str]:
    name, _, rest = source.partition(" ")
    return name, rest.lstrip()


def _line(number: int, source: str, before: list[Line]) -> Line:
    name, rest = _split(source)
    attempts = Span()
    if name.startswith("@"):
        attempts = _span(name[1:])
        name, rest = _split(rest)
    join: Join = "then"
    if name in ("and", "or"):
        join = "and" if name == "and" else "or"
        name, rest = _split(rest)
        if name not in STEPS or not any(isinstance(line.does, Step) for line in before):
            raise ValueError(f"{join!r} joins a step to a step before it")
    if name not in DIRECTIVES:
        near = difflib.get_close_matches(name, [*DIRECTIVES, "name"], n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(DIRECTIVES)} and name"
        raise ValueError(f"unknown directive {name!r}; {hint}")
    words = Words(rest)
    try:
        does = DIRECTIVES[name](words)
        if name in TROUBLE:
            for option, _ in words.options():
                raise ValueError(f"there is no option {option!r}")
        words.end()
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    return Line(
        number=number,
        source=source,
        does=does,
        attempts=attempts,
        join=join,
        turn=words.turn,
        times=words.times,
    )


def _span(word: str) -> Span:
    found = re.fullmatch(r"([1-9]\d*)(?:(\+)|-([1-9]\d*))?", word)
    if not found:
        raise ValueError(f"'@{word}' is not @N, @N+ or @N-M")
    first = int(found[1])
    if found[3] and int(found[3]) < first:
        raise ValueError(f"'@{word}' is not @N, @N+ or @N-M: no attempt is in it")
    return Span(first=first, last=None if found[2] else int(found[3] or first))
