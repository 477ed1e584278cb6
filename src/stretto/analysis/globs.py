"""Paths and globs of claims: which paths one covers, and whether two may meet (R2.3a, R2.4).

`*` stops at `/`, `**` does not, a trailing `/` is everything beneath. Everything is compared case-folded, because a
claim must hold on file systems that do not tell `A` from `a`. A literal also covers what is beneath it, but only
against literals and globs rooted there; otherwise `src/y.py` would meet `**/x.py` through a folder `src/y.py/`.

Where a pattern says more than this module understands (ranges, negated classes, nested braces) it is read as wider
than it is: two tasks then take turns that need not. `[abc]` is one of three letters *or* the name `[abc]`, because
web frameworks call folders that.

A pattern becomes a small automaton. Two patterns meet when the product of their automata reaches an end, searched
with a stack of its own; a path is matched by a DFA that is made as it is used. Neither can blow up the way
backtracking does.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import msgspec

LONGEST = 1024
"""Longest pattern in characters."""
_PATIENCE = 50_000
"""Pairs of states that are looked at before two patterns count as meeting."""

_PLAIN = re.compile(r"[\w@+=-][\w.@+=-]*(?:/[\w@+=-][\w.@+=-]*)*", re.ASCII)
_SPECIAL = re.compile(r"[*?\[{]")
_SUFFIX = re.compile(r"/?([^*?\[\]{}]*)$")
_NESTED_BRACES = re.compile(r"\{[^}]*\{.*\}")
_TOKEN = re.compile(
    r"(?P<folders>(?:^|(?<=/))\*\*/) | (?P<deep>\*\*) | (?P<star>\*) | (?P<one>\?)"
    r" | (?P<cls>\[[!^]?\]?(?:\[:\w+:\]|[^\]/])*\]) | \{(?P<alt>[^{}]*(?:,|\.\.)[^{}]*)\} | (?P<char>.)",
    re.VERBOSE | re.DOTALL,
)


def normalize(pattern: str) -> str:
    """The pattern in its one spelling: no leading `./`, no `//`, `/` between folders; a trailing `/` stays.

    Raises ValueError, with a reason for people, when it cannot be a path inside the repository."""
    if _PLAIN.fullmatch(pattern) and len(pattern) <= LONGEST:
        return pattern
    if not pattern.strip():
        raise ValueError("is empty")
    if any(unicodedata.category(c) == "Cc" for c in pattern):
        raise ValueError("holds a control character")
    if len(pattern) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    text = pattern.replace("\\", "/")
    if text[0] in "/~" or re.match(r"[A-Za-z]:/", text):
        raise ValueError("is not relative to the repository")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    for name in re.split(r"[/{},]", text):
        if name == "..":
            raise ValueError("leaves its folder with `..`")
        if name.casefold() == ".git":
            raise ValueError("lies in git's own folder")
    if not parts:
        return "**"
    return "/".join(parts) + ("/" if text.endswith(("/", "/.")) else "")


class Glob(msgspec.Struct, frozen=True):
    """A pattern ready for comparing; everything in it is case-folded."""

    text: str
    prefix: str
    """What every path it covers begins with: the text in front of the first wildcard."""
    suffix: str
    """What every path it covers ends with."""
    literal: bool
    """It names one path, and whatever is beneath that. `docs/` does not: it is the glob `docs/**`."""
    name: str | None
    """The path it spells, for a literal and for names with brackets such as `app/[id]/page.tsx`."""


@lru_cache(maxsize=1 << 16)
def parse(pattern: str) -> Glob:
    """Never raises: a pattern that `normalize` refuses is compared as it is spelled."""
    try:
        text = fold(normalize(pattern))
    except ValueError:
        text = fold(pattern)
    if text.endswith("/"):
        text += "**"
    special = _SPECIAL.search(text)
    if not special:
        return Glob(text, text, text, True, text)
    text = _NESTED_BRACES.sub("**", text)
    spelled = "*" not in text and all(m.lastgroup in ("char", "cls") for m in _TOKEN.finditer(text))
    suffix = _SUFFIX.search(text)
    return Glob(text, text[: special.start()], suffix[1] if suffix else "", False, text if spelled else None)


def fold(text: str) -> str:
    """The form in which paths are compared. Letter by letter, so that `?` is still one letter afterwards."""
    if text.isascii():
        return text.casefold()
    folded = ((c, c.casefold(), c.lower()) for c in unicodedata.normalize("NFC", text))
    return "".join(full if len(full) == 1 else low if len(low) == 1 else c for c, full, low in folded)


def plain(pattern: str) -> str | None:
    """The folded text of a literal in its one spelling; None for anything that `parse` has to look at."""
    return pattern.lower() if _PLAIN.fullmatch(pattern) and len(pattern) <= LONGEST else None


def is_literal(pattern: str) -> bool:
    """Whether it names one path, without wildcard or trailing `/`."""
    return parse(pattern).literal


def covers(pattern: str, path: str) -> bool:
    """Whether a claim of `pattern` allows a change of exactly `path`, as a diff names it."""
    return holds(parse(pattern), fold(path))


def holds(glob: Glob, path: str) -> bool:
    """`covers`, for a path that has been folded already."""
    return (glob.name is not None and _beneath(glob.name, path)) or (not glob.literal and _matches(glob, path))


def within(inner: str, outer: str) -> bool:
    """Whether `outer` covers whatever `inner` does; for two globs it says no when that is not plain to see."""
    return contains(parse(outer), parse(inner))


def contains(outer: Glob, inner: Glob) -> bool:
    """`within`, for patterns that have been parsed already."""
    if outer.text == inner.text or (inner.literal and holds(outer, inner.text)):
        return True
    everything = outer.literal or outer.text == f"{outer.prefix}**"
    folder = f"{outer.prefix}/" if outer.literal else outer.prefix
    return everything and inner.prefix.startswith(folder)


def overlap(a: str, b: str) -> bool:
    """Whether some path may belong to both patterns. Symmetric; never misses one, may see one too many."""
    if a == b:
        return True
    one, other = parse(a), parse(b)
    if one.name is not None and other.name is not None:
        if _beneath(one.name, other.name) or _beneath(other.name, one.name):
            return True
        if one.literal and other.literal:
            return False
    if not (one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix)):
        return False
    if one.literal:
        return _meets_literal(other, one.text)
    if other.literal:
        return _meets_literal(one, other.text)
    if not (one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix)):
        return False
    return _intersect(min(one.text, other.text), max(one.text, other.text))


def _beneath(outer: str, inner: str) -> bool:
    return inner.startswith(outer) and (len(inner) == len(outer) or inner[len(outer)] == "/")


def _meets_literal(glob: Glob, path: str) -> bool:
    return glob.prefix.startswith(path + "/") or _matches(glob, path)


# --- automata ----------------------------------------------------------------------------------------------------


class _Label(msgspec.Struct, frozen=True):
    """The characters that an edge takes: those listed, or all but those listed."""

    chars: frozenset[str]
    but: bool = False

    def takes(self, char: str) -> bool:
        return (char in self.chars) != self.but

    def meets(self, other: _Label) -> bool:
        if self.but:
            return other.but or not other.chars <= self.chars
        return not self.chars <= other.chars if other.but else not self.chars.isdisjoint(other.chars)


_NAME = _Label(frozenset("/"), but=True)
_ANY = _Label(frozenset(), but=True)


class _Machine:
    """An automaton without empty moves. While a pattern is literal, its state is the number of characters read."""

    def __init__(self, text: str) -> None:
        self._edges: list[list[tuple[_Label, int]]] = [[]]
        self._free: list[list[int]] = [[]]
        self._end = self._add(0, text)
        self.moves: list[tuple[tuple[_Label, int], ...]] = []
        self.ends: list[bool] = []
        for state in range(len(self._edges)):
            reach = [state]
            for here in reach:  # grows while it is walked
                reach.extend(there for there in self._free[here] if there not in reach)
            self.moves.append(tuple(edge for here in reach for edge in self._edges[here]))
            self.ends.append(self._end in reach)
        self._table: dict[frozenset[int], dict[str, frozenset[int]]] = {}

    def matches(self, text: str, start: int) -> bool:
        """Whether it can go from state `start` to an end by reading `text`."""
        states = frozenset((start,))
        for char in text:
            row = self._table.setdefault(states, {})
            after = row.get(char)
            if after is None:
                after = row[char] = frozenset(
                    there for here in states for label, there in self.moves[here] if label.takes(char)
                )
            if not after:
                return False
            states = after
        return any(self.ends[state] for state in states)

    def _state(self) -> int:
        self._edges.append([])
        self._free.append([])
        return len(self._edges) - 1

    def _step(self, here: int, label: _Label) -> int:
        there = self._state()
        self._edges[here].append((label, there))
        return there

    def _spell(self, here: int, text: str) -> int:
        for char in text:
            here = self._step(here, _Label(frozenset(char)))
        return here

    def _loop(self, here: int, label: _Label) -> int:
        """Any number of characters; the state behind it is new, so that the loop is left for good."""
        inside, there = self._state(), self._state()
        self._free[here].append(inside)
        self._edges[inside].append((label, inside))
        self._free[inside].append(there)
        return there

    def _add(self, here: int, text: str) -> int:
        """Append what `text` matches behind state `here`; the new last state."""
        for token in _TOKEN.finditer(text):
            match token.lastgroup:
                case "folders":
                    there = self._step(self._loop(here, _ANY), _Label(frozenset("/")))
                    self._free[here].append(there)
                    here = there
                case "deep":
                    here = self._loop(here, _ANY)
                case "star":
                    here = self._loop(here, _NAME)
                case "one":
                    here = self._step(here, _NAME)
                case "cls":
                    here = self._class(here, token["cls"])
                case "alt":
                    here = self._alternatives(here, token["alt"])
                case _:
                    here = self._spell(here, token["char"])
        return here

    def _class(self, here: int, text: str) -> int:
        listed = text[1:-1]
        exact = listed[:1] not in ("!", "^") and "-" not in listed and "[" not in listed
        there = self._step(here, _Label(frozenset(listed)) if exact else _NAME)
        self._free[self._spell(here, text)].append(there)
        return there

    def _alternatives(self, here: int, text: str) -> int:
        if "," not in text:
            return self._loop(here, _ANY)  # {1..9}
        there = self._state()
        for choice in text.split(","):
            first = self._state()
            self._free[here].append(first)
            self._free[self._add(first, choice)].append(there)
        return there


_machine = lru_cache(maxsize=4096)(_Machine)


def _matches(glob: Glob, path: str) -> bool:
    if not (path.startswith(glob.prefix) and path.endswith(glob.suffix)):
        return False
    start = len(glob.prefix)
    return glob.text[start:] == "**" or _machine(glob.text).matches(path[start:], start)


@lru_cache(maxsize=1 << 16)
def _intersect(a: str, b: str) -> bool:
    """Whether some text takes both machines to an end. Both literal prefixes agree as far as the shorter goes."""
    one, other = _machine(a), _machine(b)
    same = 0
    while same < min(len(a), len(b)) and a[same] == b[same] and not _SPECIAL.match(a[same]):
        same += 1
    stack, seen = [(same, same)], {(same, same)}
    while stack:
        here, there = stack.pop()
        if (one.ends[here] and other.ends[there]) or len(seen) > _PATIENCE:
            return True
        for left, x in one.moves[here]:
            for right, y in other.moves[there]:
                if (x, y) not in seen and left.meets(right):
                    seen.add((x, y))
                    stack.append((x, y))
    return False
