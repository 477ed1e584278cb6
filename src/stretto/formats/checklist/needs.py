"""What a task says that it waits for, as far as its words are plain."""

from __future__ import annotations

import re
from collections.abc import Iterator

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
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,}).*?(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)


class Need(Value, frozen=True, kw_only=True):
    """A name behind words such as "depends on", and where it stands."""

    name: str
    thing: str = ""
    """`phase`, `task` and the like, where that is said before it."""
    until: str = ""
    """The other end of a range."""
    sure: bool
    """The words mean a dependency and nothing else, and the name looks like an id or is all that they say."""
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
        found += _names(text, at, sure, remark)
    return Said(needs=tuple(found), nothing=nothing)


def _names(text: str, at: int, sure: bool, remark: bool) -> Iterator[Need]:
    thing = ""
    while True:
        if said := _KIND.match(text, at):
            thing, at = said["thing"].casefold(), said.end()
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
        if sure or plain:
            yield Need(
                name=first, thing=thing, until=until, start=name.start(), end=end,
                sure=(remark and _DATE.match(first) is None)
                or (sure and (thing != "" or _LIKE_AN_ID.fullmatch(first) is not None)),
            )  # fmt: skip
        following = _NEXT.match(text, end)
        if following is None:
            return
        at = following.end()
