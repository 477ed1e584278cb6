"""JSON with places. The standard library says what values there are, and where; a scanner says what is wrong."""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Callable
from functools import partial

from stretto.formats.syntax.source import MAX_DEPTH, MAX_FINDINGS, Children, Node, Source, Text, plan_error, too_deep
from stretto.model.plan import Finding

MAX_DIGITS = 300
_LARGE = 4_000_000
"""Characters from which on the library's own word must do: it comes at once."""

_SPACE = re.compile(r"[ \t\n\r]*")
_COMMENT = re.compile(r"//[^\n\r]*|/\*.*?(?:\*/|\Z)|#[^\n\r]*", re.DOTALL)
_STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"')
_PIECE = re.compile(
    r'[^"\\\x00-\x1f]+|"|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|(?P<escape>\\.?)|(?P<control>[\x00-\x1f])', re.DOTALL
)
_SINGLE = re.compile(r"'[^'\\\n]*(?:\\.[^'\\\n]*)*'")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.+-])", re.ASCII)
_WORD = re.compile(r"[+-]?[\w$.][\w$.+-]*|[+-]")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_Step = Callable[[str, int], tuple[object, int]]
"""From the start of a value to its end."""
_LITERALS = {"true", "false", "null"}
_OTHER_WORDS = {"True": "true", "False": "false", "None": "null", "undefined": "null"}


class _Refused(ValueError):
    """The quick way met something that the scanner can name."""


def parse(text: Text, data: bytes) -> Source:
    """Strict JSON. Raises PlanError with every mistake that can be told apart."""
    try:
        tree = json.loads(
            text.text,
            object_pairs_hook=_members,
            parse_float=_float,
            parse_int=_int,
            parse_constant=_constant,
        )
    except (ValueError, RecursionError) as error:
        own_word = isinstance(error, json.JSONDecodeError) and len(text.text) > _LARGE
        problems = [] if own_word else _Scanner(text).problems()
        if not problems:  # the file is large, or the two readers disagree
            offset = error.pos if isinstance(error, json.JSONDecodeError) else 0
            problems = [text.mistake("syntax", f"not JSON: {str(error).partition(': line ')[0]}", offset)]
        raise plan_error(text.file, problems) from None
    if too_deep(tree) or _SURROGATE.search(text.text):
        problems = _Scanner(text).problems()
        if problems:
            raise plan_error(text.file, problems)
    return Source(text, data, "json", tree, index)


def index(text: Text, at: int = 0) -> Node:
    """Where the value from this offset on stands; the text has been parsed before.

    What a value holds is looked up when it is first asked for, by the library's own parser, which steps over values far
    faster than a scanner in Python: to find one place in a large file takes a few times as long as to decode it."""
    step = json.JSONDecoder().raw_decode
    return _node(text.text, _past(text.text, at), step)


def _node(text: str, start: int, step: _Step) -> Node:
    end = step(text, start)[1]
    look = partial(_inside, text, step) if text[start] in "{[" else None
    return Node(start, end, look=look)


def _inside(text: str, step: _Step, start: int) -> Children:
    members: dict[str, Node] = {}
    items: list[Node] = []
    at = _past(text, start + 1)
    while text[at] not in "}]":
        if text[start] == "{":
            key, colon = step(text, at)
            members[str(key)] = node = _node(text, _past(text, _past(text, colon) + 1), step)
            node.key = at
        else:
            items.append(node := _node(text, at, step))
        at = _past(text, node.end)
        if text[at] == ",":
            at = _past(text, at + 1)
    return members if text[start] == "{" else items


def _past(text: str, at: int) -> int:
    """Behind the white space there."""
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _Refused
    return members


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _Refused
    return number


def _int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise _Refused
    return int(text)


def _constant(text: str) -> object:
    raise _Refused


class _Stop(Exception):
    """Nothing after this place can be read."""


class _Scanner:
    """Walks the text once. Mistakes whose meaning is plain are noted and stepped over; the first other one ends it."""

    def __init__(self, text: Text) -> None:
        self._source = text
        self._text = text.text
        self._at = 0
        self._found: list[Finding] = []

    def problems(self) -> list[Finding]:
        with contextlib.suppress(_Stop):
            self._document()
        return self._found

    def _document(self) -> None:
        self._space()
        self._value(0)
        self._space()
        if self._at < len(self._text):
            self._stop("there is more after the end of the document", "a plan is one JSON object")

    def _note(self, message: str, hint: str = "", *, at: int | None = None, code: str = "syntax") -> None:
        self._found.append(self._source.mistake(code, message, self._at if at is None else at, hint))
        if len(self._found) >= MAX_FINDINGS:
            raise _Stop

    def _stop(self, message: str, hint: str = "", *, at: int | None = None, code: str = "syntax") -> None:
        self._note(message, hint, at=at, code=code)
        raise _Stop

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _space(self) -> None:
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            comment = _COMMENT.match(self._text, self._at) if self._peek() in ("/", "#") else None
            if comment is None:
                return
            self._note("JSON has no comments", "remove it, or write the plan in YAML")
            self._at = comment.end()

    def _value(self, depth: int) -> None:
        start, char = self._at, self._peek()
        if char in ("{", "["):
            if depth >= MAX_DEPTH:
                self._stop(f"nested deeper than {MAX_DEPTH} levels", code="too-deep")
            if char == "{":
                self._object(depth)
            else:
                self._array(depth)
        elif char in ('"', "'", "“", "”"):
            self._string()
        elif not char:
            self._stop("the file ends where a value should stand", "is it complete?")
        elif number := _NUMBER.match(self._text, start):
            self._at = number.end()
            self._number(number[0], start)
        elif word := _WORD.match(self._text, start):
            self._at = word.end()
            self._word(word[0], start)
        else:
            self._stop(f"a value should stand here, not {char!r}")

    def _number(self, number: str, start: int) -> None:
        if len(number) > MAX_DIGITS or math.isinf(float(number)):
            self._note(f"the number {_short(number)} is too large", at=start)

    def _word(self, word: str, start: int) -> None:
        if word in _LITERALS:
            return
        if word in _OTHER_WORDS:
            self._note(f"`{word}` is not JSON", f"write `{_OTHER_WORDS[word]}`", at=start)
        elif word.lstrip("+-") in ("NaN", "Infinity"):
            self._note(f"`{word}` is not JSON", "JSON has no such number; write null, or leave it out", at=start)
        elif word[0] in "+-.0123456789":
            self._note(f"`{_short(word)}` is no JSON number", "write it like 12 or -0.5, or put it in quotes", at=start)
        else:
            self._note(f"text needs double quotes: {_short(word)}", f'write "{_short(word)}"', at=start)

    def _string(self) -> str:
        """Steps over a string; its value, as far as that is known."""
        start = self._at
        if found := _STRING.match(self._text, start):
            self._at = found.end()
            if _SURROGATE.search(found[0]):
                return self._paired(found[0], start)
            value = json.loads(found[0]) if "\\" in found[0] else found[0][1:-1]
            return str(value)
        if single := _SINGLE.match(self._text, start):
            self._note("JSON strings need double quotes", "write \"…\" instead of '…'")
            self._at = single.end()
            return single[0][1:-1]
        if self._peek() in ("“", "”"):
            self._stop("curly quotes are no quotes to JSON", 'write "…"')
        return self._broken_string()

    def _paired(self, literal: str, start: int) -> str:
        value = str(json.loads(literal))
        try:
            value.encode()
        except UnicodeEncodeError:
            self._note(
                "half of a surrogate pair is not a character", r"write both halves, as in \ud83d\ude00", at=start
            )
        return value

    def _broken_string(self) -> str:
        """Names what is wrong inside a string, and goes on behind it where its end is known."""
        start = self._at
        self._at += 1
        while piece := _PIECE.match(self._text, self._at):
            if piece[0] == '"':
                self._at = piece.end()
                return self._text[start + 1 : piece.start()]
            if piece[0] in "\n\r":
                break
            if piece["escape"]:
                shown = piece[0] if piece[0].isprintable() else "\\" + ascii(piece[0][1:])[1:-1]
                self._note(f"`{shown}` is no escape that JSON knows", r"write \\ for a backslash")
            elif piece["control"]:
                self._note(f"a control character ({piece[0]!r}) inside a string", "write it as an escape")
            self._at = piece.end()
        self._stop("this string does not end on its line", 'a closing " is missing', at=start)
        return ""

    def _object(self, depth: int) -> None:
        start = self._at
        keys: dict[str, int] = {}
        self._at += 1
        while self._more("}", start, first=not keys):
            key_at = self._at
            key = self._key()
            self._space()
            if self._peek() != ":":
                self._stop(f"a colon should follow the key {_short(key)!r}", at=self._at)
            self._at += 1
            self._space()
            self._value(depth + 1)
            if key in keys:
                first = self._source.place(keys[key])
                self._note(
                    f"the key {_short(key)!r} stands twice in one object",
                    f"the first is in line {first.line}, column {first.column}; keep one",
                    at=key_at,
                    code="duplicate-key",
                )
            keys[key] = key_at

    def _key(self) -> str:
        if self._peek() in ('"', "'", "“", "”"):
            return self._string()
        word = _WORD.match(self._text, self._at)
        if word is None:
            self._stop(f"a key in double quotes should stand here, not {self._peek()!r}")
            return ""
        self._note(f"keys need double quotes: {_short(word[0])}", f'write "{_short(word[0])}"')
        self._at = word.end()
        return word[0]

    def _array(self, depth: int) -> None:
        start, first = self._at, True
        self._at += 1
        while self._more("]", start, first=first):
            self._value(depth + 1)
            first = False

    def _more(self, close: str, opened: int, *, first: bool) -> bool:
        """Steps to the next member, or over the closing bracket."""
        self._space()
        comma = self._at
        if not first and self._peek() == ",":
            self._at += 1
            self._space()
            if self._peek() == close:
                self._note("a comma with nothing after it", "remove it", at=comma)
        elif not first and self._peek() not in (close, ""):
            if self._peek() not in "\"'{[" and not _WORD.match(self._text, self._at):
                self._stop(f"a comma or `{close}` should stand here, not {self._peek()!r}")
            self._note("a comma is missing before this")
        if self._peek() == close:
            self._at += 1
            return False
        if not self._peek():
            place = self._source.place(opened)
            self._stop(
                f"the file ends inside the {'object' if close == '}' else 'list'} "
                f"that begins in line {place.line}, column {place.column}",
                f"is it complete? a `{close}` is missing",
            )
        return True


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
