"""A shell command as a tree: as much of the language as commands in plans use. Nothing is run.

What goes beyond that (loops, conditions, here documents) raises Unreadable.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

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
_KEYWORDS = {"if", "for", "while", "until", "case", "select", "function", "then", "do", "coproc"}
_SHELLS = {"sh", "bash", "zsh", "dash", "ash", "ksh"}
_MAX_DEPTH = 50


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


class Unreadable(Exception):
    """The command uses more of the shell's language than is read here."""


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of operators, words and redirections, whose targets are dropped."""
    at, drop = 0, False
    while at < len(text):
        if found := _TOKEN.match(text, at):
            at = found.end()
            if found["here"]:
                raise Unreadable("a here document")
            if found["redirect"]:
                drop = True
            elif found["op"]:
                yield "op", found["op"]
            continue
        start = at
        while at < len(text) and not (text[at].isspace() or text[at] in ";|&()<>"):
            at = _piece(text, at)
        if at == start:
            raise Unreadable(f"at {text[at]!r}")
        if not drop:
            yield "word", text[start:at]
        drop = False


def _piece(text: str, at: int, depth: int = 0) -> int:
    """Where one piece of a word ends: plain characters, a quotation, an escape, a substitution."""
    if plain := _PLAIN.match(text, at):
        return plain.end()
    char = text[at]
    if char == "\\":
        return min(at + 2, len(text))
    if char in "'`":
        end = text.find(char, at + 1)
        if end < 0:
            raise Unreadable(f"a {char} without its end")
        return end + 1
    if char == '"':
        return _until(text, at + 1, '"', depth)
    if text.startswith("$(", at):
        return _until(text, at + 2, ")", depth)
    if text.startswith("${", at):
        return _until(text, at + 2, "}", depth)
    return at + 1


def _until(text: str, at: int, close: str, depth: int) -> int:
    if depth > _MAX_DEPTH:
        raise Unreadable("nested too deep")
    opened = 1
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 2
        elif char == close:
            at, opened = at + 1, opened - 1
            if not opened:
                return at
        elif (close == ")" and char in "'\"") or char == "`" or text.startswith(("$(", "${"), at):
            at = _piece(text, at, depth + 1)
        else:
            opened += close == ")" and char == "("
            at += 1
    raise Unreadable(f"a {close} is missing")


def parse(command: str) -> Script:
    """The tree of a command. Raises Unreadable."""
    return _Parser(command).script()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text), ("end", "")]
        self._at = 0
        self._depth = 0

    def script(self) -> Script:
        script = self._script({""})
        if not script.chains:
            raise Unreadable("nothing to run")
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
                raise Unreadable(f"at {self._tokens[self._at][1]!r}")
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
            if self._depth > _MAX_DEPTH:
                raise Unreadable("brackets nested too deep")
            self._take()
            script = self._script({close}, subshell=close == ")")
            self._take()
            self._depth -= 1
            if not script.chains:
                raise Unreadable("empty brackets")
            return script
        if self._is("word", "[["):
            return self._double_brackets()
        words = []
        while self._is("word"):
            words.append(self._take())
        if not words or words[0] in _KEYWORDS:
            raise Unreadable(f"`{words[0]}`" if words else "a command is missing")
        return Simple(words=tuple(words))

    def _double_brackets(self) -> Simple:
        words = [self._take()]
        while words[-1] != "]]":
            if self._is("end"):
                raise Unreadable("`[[` without `]]`")
            words.append(self._take())
        return Simple(words=tuple(words))


def bare(word: str) -> str:
    """A word without its quotation marks."""
    return re.sub(r"['\"]", "", word)


def argv(command: Simple) -> list[str]:
    """Words without leading assignments."""
    words = list(command.words)
    while words and _ASSIGNMENT.match(words[0]):
        words.pop(0)
    return words


def inner_script(command: Simple) -> str:
    """The text of `sh -c '…'`, wherever in the command it stands."""
    words = command.words
    for i, word in enumerate(words):
        if posixpath.basename(bare(word)) in _SHELLS:
            for option, text in zip(words[i + 1 :], words[i + 2 :], strict=False):
                if re.fullmatch(r"-\w*c", option):
                    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
                    return text[1:-1].replace('\\"', '"') if quoted else text
    return ""


def pipelines(script: Script) -> Iterator[Pipeline]:
    """Every pipeline, those in brackets too."""
    for chain, _ in script.chains:
        for pipeline in (chain.first, *(each for _, each in chain.rest)):
            yield pipeline
            for command in pipeline.commands:
                if isinstance(command, Script):
                    yield from pipelines(command)
