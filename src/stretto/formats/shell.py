"""What the exit status of somebody else's shell command proves (R5.4). Reads the command; never runs it.

Cautious by design: what it cannot read, and what could be green without proof, is named; the rest may be believed.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator, Sequence

from stretto.model.plan import Value

_TOKEN = re.compile(
    r"""(?P<blank>[ \t]+|\\\n|(?:(?<=\s)|^)\#[^\n]*)
    |(?P<here><<-?(?!<))
    |(?P<redirect>[0-9]*(?:<<<|>>|>&|<&|>\||<>|<|>)|&>>?)
    |(?P<op>\|\||&&|;;|\|&|[;|&()\n])""",
    re.VERBOSE | re.MULTILINE,
)
_PLAIN = re.compile(r"""[^\s\\'"`$;|&()<>]+""")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_HOME = re.compile(
    r"(?:^|(?<=[\s'\"=:(,]))(?:(?:~|\$HOME|\$\{HOME\})/|/(?:Users|home|Volumes|mnt)/[^\s'\"/]+/|/root/|[A-Za-z]:\\)"
    r"[^\s'\";|&)]*"
)

_KEYWORDS = {"if", "for", "while", "until", "case", "select", "function", "then", "do", "coproc"}
_SHELLS = {"sh", "bash", "zsh", "dash", "ash", "ksh"}
_ALWAYS = {"echo", "printf", "true", ":", "export", "set", "unset", "pwd", "date", "sleep", "shopt", "alias", "trap"}
"""Commands that succeed whatever happened before."""
_PREPARES = _ALWAYS | {"cd", "pushd", "popd", "source", ".", "mkdir", "rm", "touch", "kill", "pkill", "wait", "nvm"}
"""Commands whose own failure says nothing about the work."""
_FILTERS = {
    "head",
    "tail",
    "cat",
    "tee",
    "sort",
    "uniq",
    "wc",
    "tr",
    "sed",
    "awk",
    "cut",
    "column",
    "nl",
    "less",
    "more",
}
"""Commands that succeed on whatever comes through a pipe."""
_FOLDER_OPTIONS = {"-C", "--prefix", "--cwd", "--directory"}

BOTH = frozenset({True, False})
GREEN = frozenset({True})
RED = frozenset({False})


class Judgement(Value, frozen=True, kw_only=True):
    """Why a command's answer cannot be believed: at most one of these, both empty when it can."""

    masked: str = ""
    leaves: str = ""
    cut: bool = False
    """`head` may stop what writes to it; what it had not done by then is not proved."""


def judge(command: str, expected: str | None) -> Judgement:
    """Judges a command that runs under `pipefail`, with its last output line compared to `expected` if there is one."""
    try:
        script = _Parser(command).script()
    except _Unreadable as reason:
        return Judgement(
            masked="" if expected else f"its exit status cannot be followed ({reason})", leaves=_home(command)
        )
    leaves = _home(command) or next(_wanderings(script), "")
    masks = list(_masks(script, pipefail=True))
    unsettled = [mask for mask in masks if not (expected and mask.settled_by(expected))]
    return Judgement(
        masked=unsettled[0].why if unsettled else "", leaves=leaves, cut=any(map(_cuts, _pipelines(script)))
    )


# --- the command as a tree ---------------------------------------------------------------------------------------


class Simple(Value, frozen=True, kw_only=True):
    words: tuple[str, ...]


class Script(Value, frozen=True, kw_only=True):
    """Chains with what ends each: `;`, `&`, or nothing. In brackets it may be a command itself."""

    chains: tuple[tuple[Chain, str], ...]
    subshell: bool = False


class Pipeline(Value, frozen=True, kw_only=True):
    commands: tuple[Simple | Script, ...]
    negated: bool = False


class Chain(Value, frozen=True, kw_only=True):
    first: Pipeline
    rest: tuple[tuple[str, Pipeline], ...] = ()
    """With `&&` or `||` in front of each."""


class _Unreadable(Exception):
    """The command uses more of the shell's language than is read here."""


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of operators, words and redirections, whose targets are dropped."""
    at, drop = 0, False
    while at < len(text):
        if found := _TOKEN.match(text, at):
            at = found.end()
            if found["here"]:
                raise _Unreadable("a here document")
            if found["redirect"]:
                drop = True
            elif found["op"]:
                yield "op", found["op"]
            continue
        start = at
        while at < len(text) and not (text[at].isspace() or text[at] in ";|&()<>"):
            at = _piece(text, at)
        if at == start:
            raise _Unreadable(f"at {text[at]!r}")
        if not drop:
            yield "word", text[start:at]
        drop = False


def _piece(text: str, at: int) -> int:
    """Where one piece of a word ends: plain characters, a quotation, an escape, a substitution."""
    if plain := _PLAIN.match(text, at):
        return plain.end()
    char = text[at]
    if char == "\\":
        return min(at + 2, len(text))
    if char in "'`":
        end = text.find(char, at + 1)
        if end < 0:
            raise _Unreadable(f"a {char} without its end")
        return end + 1
    if char == '"':
        return _until(text, at + 1, '"')
    if text.startswith("$(", at):
        return _until(text, at + 2, ")")
    if text.startswith("${", at):
        return _until(text, at + 2, "}")
    return at + 1


def _until(text: str, at: int, close: str) -> int:
    depth = 1
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 2
        elif char == close:
            at, depth = at + 1, depth - 1
            if not depth:
                return at
        elif (close == ")" and char in "'\"") or char == "`" or text.startswith(("$(", "${"), at):
            at = _piece(text, at)
        else:
            depth += close == ")" and char == "("
            at += 1
    raise _Unreadable(f"a {close} is missing")


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text), ("end", "")]
        self._at = 0
        self._depth = 0

    def script(self) -> Script:
        script = self._script({""})
        if not script.chains:
            raise _Unreadable("nothing to run")
        return script

    def _is(self, kind: str, *texts: str) -> bool:
        found, text = self._tokens[self._at]
        return found == kind and (not texts or text in texts)

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _script(self, closes: set[str], subshell: bool = False) -> Script:
        chains: list[tuple[Chain, str]] = []
        while True:
            while self._is("op", ";", "\n"):
                self._take()
            if self._tokens[self._at][1] in closes:
                return Script(chains=tuple(chains), subshell=subshell)
            chain = self._chain()
            end = ""
            if self._is("op", ";", "\n", "&"):
                end = "&" if self._take() == "&" else ";"
            elif self._tokens[self._at][1] not in closes:
                raise _Unreadable(f"at {self._tokens[self._at][1]!r}")
            chains.append((chain, end))

    def _chain(self) -> Chain:
        first = self._pipeline()
        rest = []
        while self._is("op", "&&", "||"):
            op = self._take()
            while self._is("op", "\n"):
                self._take()
            rest.append((op, self._pipeline()))
        return Chain(first=first, rest=tuple(rest))

    def _pipeline(self) -> Pipeline:
        negated = False
        while self._is("word", "!", "time"):
            negated ^= self._take() == "!"
        commands = [self._command()]
        while self._is("op", "|", "|&"):
            self._take()
            while self._is("op", "\n"):
                self._take()
            commands.append(self._command())
        return Pipeline(commands=tuple(commands), negated=negated)

    def _command(self) -> Simple | Script:
        close = ")" if self._is("op", "(") else "}" if self._is("word", "{") else ""
        if close:
            self._depth += 1
            if self._depth > 50:
                raise _Unreadable("brackets nested too deep")
            self._take()
            script = self._script({close}, subshell=close == ")")
            self._take()
            self._depth -= 1
            if not script.chains:
                raise _Unreadable("empty brackets")
            return script
        if self._is("word", "[["):
            return self._double_brackets()
        words = []
        while self._is("word"):
            words.append(self._take())
        if not words or words[0] in _KEYWORDS:
            raise _Unreadable(f"`{words[0]}`" if words else "a command is missing")
        return Simple(words=tuple(words))

    def _double_brackets(self) -> Simple:
        words = [self._take()]
        while words[-1] != "]]":
            if self._is("end"):
                raise _Unreadable("`[[` without `]]`")
            words.append(self._take())
        return Simple(words=tuple(words))


# --- which statuses are possible, and which are lost ---------------------------------------------------------------


class _Mask(Value, frozen=True, kw_only=True):
    why: str
    says: str | None = None
    """What is printed where a failure was swallowed, if that is known."""
    final: bool = True
    """The expected last line can tell; False when later output says nothing about what was lost."""

    def settled_by(self, expected: str) -> bool:
        return self.final and (self.says is None or (self.says.split() or [""])[-1] != expected)


def _bare(word: str) -> str:
    return re.sub(r"['\"]", "", word)


def _argv(command: Simple) -> list[str]:
    """Words without leading assignments."""
    words = list(command.words)
    while words and _ASSIGNMENT.match(words[0]):
        words.pop(0)
    return words


def _outcomes(command: Simple | Script, *, piped: bool, pipefail: bool) -> frozenset[bool]:
    if isinstance(command, Script):
        chain, end = command.chains[-1]
        return GREEN if end == "&" else _chain_outcomes(chain, pipefail)
    words = _argv(command)
    if not words:
        return BOTH if any("$(" in word or "`" in word for word in command.words) else GREEN
    name = posixpath.basename(_bare(words[0]))
    if name == "exit" or name == "return":
        code = words[1] if len(words) > 1 else "$?"
        return BOTH if not code.isdecimal() else GREEN if int(code) == 0 else RED
    if name == "false":
        return RED
    return GREEN if name in _ALWAYS or (piped and name in _FILTERS) else BOTH


def _pipeline_outcomes(pipeline: Pipeline, pipefail: bool) -> frozenset[bool]:
    found = [_outcomes(x, piped=i > 0, pipefail=pipefail) for i, x in enumerate(pipeline.commands)]
    if not pipefail:
        found = found[-1:]
    result = frozenset(
        color
        for color in (True, False)
        if (all(color in x for x in found) if color else any(color in x for x in found))
    )
    return frozenset(not color for color in result) if pipeline.negated else result


def _chain_outcomes(chain: Chain, pipefail: bool) -> frozenset[bool]:
    outcomes = _pipeline_outcomes(chain.first, pipefail)
    for op, pipeline in chain.rest:
        goes_on = op == "&&"
        if goes_on in outcomes:
            outcomes = (outcomes - {goes_on}) | _pipeline_outcomes(pipeline, pipefail)
    return outcomes


def _masks(script: Script, *, pipefail: bool) -> Iterator[_Mask]:
    """Every place where a failure is lost."""
    stops = any(
        _argv(command)[:1] == ["set"] and any(re.match(r"-\w*e", word) for word in _argv(command)[1:])
        for chain, _ in script.chains
        for command in chain.first.commands
        if isinstance(command, Simple)
    )
    last, end = script.chains[-1]
    for i, (chain, end_of_chain) in enumerate(script.chains[:-1]):
        if end_of_chain == "&" or stops or _prepares(chain):
            yield from (mask for mask in _chain_masks(chain, pipefail) if stops and not _prepares(chain))
            continue
        told = i == len(script.chains) - 2 and "$?" in " ".join(_words_of(last))
        yield _Mask(why=f"the exit status of `{_start(chain)}` is lost behind `;`", says=None, final=told)
    if end == "&":
        yield _Mask(why="it ends in the background", final=False)
    yield from _chain_masks(last, pipefail)
    if False not in _chain_outcomes(last, pipefail) and not any(op == "||" for op, _ in last.rest):
        says = _said(last.rest[-1][1] if last.rest else last.first)
        told = says is None or "$?" in " ".join(_words_of(last))
        yield _Mask(why=f"it ends in `{_start(last)}`, which always succeeds", says=None if told else says)


def _chain_masks(chain: Chain, pipefail: bool) -> Iterator[_Mask]:
    yield from _pipeline_masks(chain.first, pipefail)
    so_far = _pipeline_outcomes(chain.first, pipefail)
    for op, pipeline in chain.rest:
        yield from _pipeline_masks(pipeline, pipefail)
        outcomes = _pipeline_outcomes(pipeline, pipefail)
        if op == "&&":
            so_far = so_far - {True} | (outcomes if True in so_far else set())
            continue
        after = so_far - {False} | (outcomes if False in so_far else set())
        if False in so_far and False not in after:
            name = (_words_of(Chain(first=pipeline)) or [""])[0]
            yield _Mask(why=f"`|| {name}` turns a failure into success", says=_said(pipeline))
        so_far = after


def _pipeline_masks(pipeline: Pipeline, pipefail: bool) -> Iterator[_Mask]:
    *before, last = pipeline.commands
    if before and not pipefail and False not in _outcomes(last, piped=True, pipefail=False):
        yield _Mask(why="a pipe hides the exit status of what writes to it")
    for command in pipeline.commands:
        if isinstance(command, Script):
            yield from _masks(command, pipefail=pipefail)
        elif inner := _inner_script(command):
            try:
                yield from _masks(_Parser(inner).script(), pipefail=any("pipefail" in word for word in command.words))
            except _Unreadable as reason:
                yield _Mask(why=f"the exit status of its inner shell cannot be followed ({reason})")


def _inner_script(command: Simple) -> str:
    """The text of `sh -c '…'`, wherever in the command it stands."""
    words = command.words
    for i, word in enumerate(words):
        if posixpath.basename(_bare(word)) in _SHELLS:
            for option, text in zip(words[i + 1 :], words[i + 2 :], strict=False):
                if re.fullmatch(r"-\w*c", option):
                    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
                    return text[1:-1].replace('\\"', '"') if quoted else text
    return ""


def _prepares(chain: Chain) -> bool:
    return all(
        isinstance(command, Simple) and (not (words := _argv(command)) or _bare(words[0]) in _PREPARES)
        for pipeline in (chain.first, *(each for _, each in chain.rest))
        for command in pipeline.commands
    )


def _said(pipeline: Pipeline) -> str | None:
    """What an `echo` prints, if that is what the pipeline is and its text is plain."""
    command = pipeline.commands[-1]
    if isinstance(command, Script):
        chain, _ = command.chains[-1]
        return _said(chain.rest[-1][1] if chain.rest else chain.first)
    words = _argv(command)
    if not words or words[0] not in ("echo", "printf") or any("$" in word or "`" in word for word in words):
        return None
    return _bare(" ".join(words[1:]).replace("\\n", " ")).strip()


def _pipelines(script: Script) -> Iterator[Pipeline]:
    for chain, _ in script.chains:
        for pipeline in (chain.first, *(each for _, each in chain.rest)):
            yield pipeline
            for command in pipeline.commands:
                if isinstance(command, Script):
                    yield from _pipelines(command)


def _cuts(pipeline: Pipeline) -> bool:
    return (
        any(isinstance(command, Simple) and _argv(command)[:1] == ["head"] for command in pipeline.commands[1:])
        and _outcomes(pipeline.commands[0], piped=False, pipefail=True) == BOTH
    )


def _words_of(chain: Chain) -> list[str]:
    return [
        word
        for pipeline in (chain.first, *(each for _, each in chain.rest))
        for command in pipeline.commands
        if isinstance(command, Simple)
        for word in command.words
    ]


def _start(chain: Chain) -> str:
    return " ".join(_words_of(chain)[:3]) or "(…)"


# --- where it looks ----------------------------------------------------------------------------------------------


def _home(command: str) -> str:
    """A path in somebody's home or on a mounted disk; hidden folders there hold tools, not work."""
    for found in _HOME.finditer(command):
        if "/." not in found[0]:
            return f"it looks at `{found[0]}`, outside the workspace"
    return ""


def _wanderings(script: Script, at: str = "") -> Iterator[str]:
    """Every step out of the workspace, from the folder `at` in it."""
    for pipeline in _in_order(script):
        for command in pipeline.commands:
            if isinstance(command, Script):
                yield from _wanderings(command, at)
                continue
            words = [_bare(word) for word in _argv(command)]
            if words and words[0] in ("cd", "pushd"):
                target = _goes(at, words[1:])
                if target is None:
                    yield f"`{' '.join(command.words[:2])}` leaves the workspace, or may"
                else:
                    at = target
            for option, value in itertools.pairwise(words):
                if option in _FOLDER_OPTIONS and _goes(at, [value]) is None:
                    yield f"`{option} {value}` leaves the workspace, or may"
            if inner := _inner_script(command):
                try:
                    yield from _wanderings(_Parser(inner).script(), at)
                except _Unreadable:
                    continue


def _in_order(script: Script) -> Iterator[Pipeline]:
    for chain, _ in script.chains:
        yield chain.first
        for _, pipeline in chain.rest:
            yield pipeline


def _goes(at: str, arguments: Sequence[str]) -> str | None:
    """The folder in the workspace that `cd` leads to; None when it is outside, or nobody can tell."""
    targets = [x for x in arguments if x in ("-", "") or not x.startswith("-")]
    if not targets or targets[0] in ("-", ""):
        return None
    target = " ".join(targets)
    if re.fullmatch(r"[$`]\(?git rev-parse --show-toplevel\)?`?", target):
        return ""
    if target.startswith(("/", "~")) or re.match(r"[A-Za-z]:", target) or "$" in target or "`" in target:
        return None
    path = posixpath.normpath(posixpath.join(at, targets[0]))
    return None if path == ".." or path.startswith("../") else "" if path == "." else path
