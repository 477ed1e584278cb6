"""What a task says that it waits for, as far as its words are plain."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from stretto.model.plan import Value

_WAITS = re.compile(
    r"(?P<sure>\b(?:depends?\s+on|dependent\s+on|depending\s+on|dependenc(?:y|ies)|blocked\s+by|waits?\s+(?:for|on)"
    r"|prerequisites?)\b|⛔|\bdependsOn\b)|(?P<loose>\b(?:after|requires?|needs|follows)\b)",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(?:no|not|never|without|zero)\s+$", re.IGNORECASE)
_SPACE = re.compile(r"[\s:*_`\"“”'‘’(\[]*")
_KIND = re.compile(
    r"(?P<thing>tasks?|steps?|items?|stor(?:y|ies)|tickets?|issues?|phases?|sprints?|milestones?|stages?|waves?|weeks?"
    r"|days?|parts?|sections?|groups?)[\s:]+(?=[#`*\"]*[A-Z0-9])",
    re.IGNORECASE,
)
_NAME = re.compile(r"#?[\w](?:[\w.-]*\w)?")
_QUOTED = re.compile(r"[\s:*_(\[]*[\"“'‘]([^\"“”'‘’\n]{3,120})[\"”'’]")
_NEXT = re.compile(r"[\s*_`\"“”'‘’)\]]*(?:,\s*and\b|,|&|\+|/|\band\b)[\s*_`\"“”'‘’(\[]*", re.IGNORECASE)
_RANGE = re.compile(r"[*_`]*\s*(?:-|–|—|\bto\b|\bthrough\b|\.\.+)\s*[*_`]*", re.IGNORECASE)
_NUMBERS = re.compile(r"(#?\d+(?:\.\d+)*)-(#?\d+(?:\.\d+)*)|([A-Z]{1,4}\d+)-([A-Z]{1,4}\d+)")
_NONE = re.compile(r"(?:none|nothing|n/a|-|—|no\b)", re.IGNORECASE)
_LIKE_AN_ID = re.compile(r"#\d+|\d+(?:\.\d+)+|[A-Z][A-Z0-9]*-\d+\w*")
_DATE = re.compile(r"\d{4}-\d\d")
_OPENED = re.compile(r"[(\[][ \t*_`]*$")
"""Words in brackets of their own are a remark about the task, and no part of what it is."""
_ENDS = re.compile(
    r"[*_`\"“”'‘’]*[ \t]*(?:\Z|\r?\n[ \t]*(?:\r?\n|[-*+>|#]|\d+[.)][ \t]|\Z)|[)\].,;:!?](?![\w.])|[-–—]+[ \t]"
    r"|(?:is|are|has|have)(?:\s+been)?\s+(?:done|completed?|finished|merged|landed|implemented)\b)",
    re.IGNORECASE,
)
_BELOW = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]", re.MULTILINE)
_TOOLS = re.compile(r"requires?|needs", re.IGNORECASE)
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,}).*?(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)


class Need(Value, frozen=True, kw_only=True):
    """A name behind words such as "depends on", and where it stands."""

    name: str
    thing: str = ""
    """`phase`, `task` and the like, where that is said before it; of several, what each is."""
    until: str = ""
    """The other end of a range."""
    sure: bool
    """The words mean a dependency and nothing else, and the name looks like an id or is all that they say."""
    firm: bool = True
    """The words mean a dependency and nothing else, or are a remark of their own."""
    own: bool = True
    """It stands in the task's own words, not in a list below them, which may have numbers of its own."""
    ends: bool = False
    """The words end with it, or with others beside it: nothing is counted or measured (`after 3 retries`)."""
    tool: bool = False
    """It may as well be what the work is done with: `(requires Docker)`."""
    start: int
    end: int


class Said(Value, frozen=True, kw_only=True):
    """All that is said."""

    needs: tuple[Need, ...] = ()
    nothing: bool = False
    """It says that it waits for nothing."""


def without_code(text: str) -> str:
    """The text with code blocks blanked out, every character in its place."""
    return _FENCE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text) if "```" in text or "~~~" in text else text


def needs_of(text: str) -> Said:
    """`text`: the words of a task, without code. Offsets are places in it."""
    found: list[Need] = []
    nothing = False
    below = _BELOW.search(text)
    for waits in _WAITS.finditer(text):
        if _NOT.search(text, max(0, waits.start() - 12), waits.start()):
            continue
        sure = waits["sure"] is not None
        remark = _OPENED.search(text, max(0, waits.start() - 4), waits.start()) is not None or waits[0] == "⛔"
        if quoted := _QUOTED.match(text, waits.end()):
            found.append(Need(name=quoted[1], start=quoted.start(1), end=quoted.end(1), sure=remark))
            continue
        space = _SPACE.match(text, waits.end())
        at = space.end() if space else waits.end()
        if sure and _NONE.match(text, at):
            nothing = True
            continue
        named = [*_names(text, at, waits[0], sure, remark)]
        own = below is None or waits.start() < below.start()
        found += _ended(text, named, own=own, sure=sure, counted="(" in text[waits.end() : at])
    return Said(needs=tuple(found), nothing=nothing)


def _ended(text: str, needs: Sequence[Need], *, own: bool, sure: bool, counted: bool) -> Iterator[Need]:
    """The names behind one word of order, each with whether the words end there; `after 3 retries` names nothing.

    `counted`: as in `dependencies (3)`."""
    following: Need | None = None
    found: list[Need] = []
    for need in reversed(needs):
        beside = following is not None and any(c.isdigit() or c == "-" for c in following.name)
        ends = following.ends if beside and following else not counted and _ENDS.match(text, need.end) is not None
        following = replace(need, own=own, ends=ends)
        if sure or (ends and need.own) or not need.name.isdigit() or need.thing:
            found.append(following)
    return reversed(found)


def _names(text: str, at: int, word: str, sure: bool, remark: bool) -> Iterator[Need]:
    thing = ""
    while True:
        if said := _KIND.match(text, at):
            thing, at = said["thing"].casefold(), said.end()
            thing = "story" if thing == "stories" else thing.removesuffix("s")
            while text[at : at + 1] in tuple("*`\"'"):
                at += 1
        name = _NAME.match(text, at)
        if name is None:
            return
        end, first, until = name.end(), name[0], ""
        if both := _NUMBERS.fullmatch(first):
            first, until = (x for x in both.groups() if x is not None)
        elif (dash := _RANGE.match(text, end)) and (last := _NAME.match(text, dash.end())):
            kind = _KIND.match(text, dash.end())
            last = _NAME.match(text, kind.end()) if kind else last
            if last and any(map(str.isdigit, last[0])) and any(map(str.isdigit, first)):
                until, end = last[0], last.end()
        plain = thing != "" or first.startswith("#") or not first.isdigit()
        if sure or plain or (remark and word.casefold() == "after"):
            yield Need(
                name=first, thing=thing, until=until, start=name.start(), end=end,
                sure=(remark and (sure or plain) and _DATE.match(first) is None)
                or (sure and (thing != "" or _LIKE_AN_ID.fullmatch(first) is not None)),
                firm=sure or remark,
                tool=thing == "" and not first.startswith("#") and _TOOLS.fullmatch(word) is not None,
            )  # fmt: skip
        following = _NEXT.match(text, end)
        if following is None:
            return
        at = following.end()
