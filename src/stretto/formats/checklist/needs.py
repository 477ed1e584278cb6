"""What a task says that it waits for, as far as its words are plain."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from stretto.model.plan import Value

_WAITS = re.compile(
    r"(?P<sure>\b(?:depends?\s+on|dependent\s+on|depending\s+on|dependenc(?:y|ies)|blocked\s+by|waits?\s+(?:for|on)"
    r"|prerequisites?)\b|⛔|\bdependsOn\b)|(?P<loose>\b(?:after|requires?|needs|follows)\b)"
    r"|(?P<late>\b(?:(?<!at )once|(?:blocked|waits?)\s+(?:until|till)"
    r"|(?:(?:can)?not|never|(?:do|does|must|should|ca|is)n['’]t)\s+"
    r"(?:(?:be\s+)?(?:start(?:ed)?|begin|begun|run|done|merge|land)\s+)?(?:before|until|till))\b)",
    re.IGNORECASE,
)
"""`late`: words that are as often said of a day, or of something that happens elsewhere."""
_NOT = re.compile(
    r"(?:\b(?:no|not|cannot|never|without|zero|formerly|previously|originally|once|was|were|had\s+been|used\s+to)"
    r"|n['’]t)\s+(?:(?:longer|be|been|needed|required|necessary|start(?:ed)?|begin|begun|run)\s+){0,3}$",
    re.IGNORECASE,
)
"""Before words of order: there is no such order, or there is none any more."""
_BEFORE = 48
_ALL = re.compile(
    r"(?:(?:all|each)\s+of(?:\s+the(?=\s+(?:tasks|steps|items)\b))?|both(?:\s+of)?|all(?![\s:]+\d+(?![\w.])))[\s:]+",
    re.IGNORECASE,
)
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
_DOTTED = re.compile(r"\d+(?:\.\d+)+")
_MEASURED = re.compile(
    r"[*_`]*(?:\+(?![\w#*`])|[ \t]?%|[ \t]+(?:(?:or|and)[ \t]+(?:newer|later|above|higher|up|upwards?|more|greater"
    r"|better|over|older|earlier|below|lower|less|fewer)|more|less|percent|times|seconds?"
    r"|minutes?|hours?|days?|[kmgt]i?b)\b)",
    re.IGNORECASE,
)
"""Behind a number: it is a version, or says how much there is of something."""
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
    told: bool = True
    """It looks like a name, and not like the next word of a sentence."""
    bare: bool = False
    """A plain number behind `(after`: of a task, or how many of something there are."""
    quoted: bool = False
    """It stands in quotes, so that it may be a title."""
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
        if _NOT.search(text, max(0, waits.start() - _BEFORE), waits.start()):
            continue
        sure = waits["sure"] is not None
        remark = _OPENED.search(text, max(0, waits.start() - 4), waits.start()) is not None or waits[0] == "⛔"
        if quoted := _QUOTED.match(text, waits.end()):
            ends = _ENDS.match(text, quoted.end()) is not None
            start, end = quoted.span(1)
            found.append(Need(name=quoted[1], start=start, end=end, sure=remark, quoted=True, ends=ends))
            continue
        space = _SPACE.match(text, waits.end())
        at = space.end() if space else waits.end()
        if sure and _NONE.match(text, at):
            nothing = True
            continue
        named = [*_names(text, at, waits, sure, remark)]
        if waits["late"] and not remark:  # `once 2.2 is out`
            named = [x for x in named if x.thing or not _DOTTED.fullmatch(x.name) or _ENDS.match(text, x.end)]
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


def _names(text: str, at: int, waits: re.Match[str], sure: bool, remark: bool) -> Iterator[Need]:
    thing, word = "", waits[0].casefold()
    if (of := _ALL.match(text, at)) and (space := _SPACE.match(text, of.end())):
        at = space.end()
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
        measured = None if thing or until or first.startswith("#") else _MEASURED.match(text, end)
        if measured and _DOTTED.fullmatch(first):
            end = measured.end()
        elif sure or plain or (remark and word in ("after", "once")):
            yield Need(
                name=first, thing=thing, until=until, start=name.start(), end=end,
                sure=(remark and (sure or plain) and _DATE.match(first) is None)
                or (sure and (thing != "" or _LIKE_AN_ID.fullmatch(first) is not None)),
                firm=sure or remark,
                told=thing != "" or word in ("⛔", "dependson") or _is_told(text, name, late=waits["late"] is not None),
                bare=not (sure or plain),
                tool=thing == "" and not first.startswith("#") and _TOOLS.fullmatch(word) is not None,
            )  # fmt: skip
        following = _NEXT.match(text, end)
        if following is None:
            return
        at = following.end()


def _is_told(text: str, name: re.Match[str], *, late: bool) -> bool:
    """Whether a name is worth telling where no task has it: `(after the form is there)` names nothing."""
    if late:
        return _LIKE_AN_ID.fullmatch(name[0]) is not None
    marked = text[max(0, name.start() - 1) : name.start()] in tuple("`\"'“‘")
    return marked or not (name[0].isalpha() and name[0].islower())
