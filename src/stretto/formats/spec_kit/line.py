"""One task of a spec-kit list: `- [ ] T012 [P] [US1] Words (depends on T010)`, and what hangs on it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from stretto.formats.named_paths import named_paths
from stretto.formats.syntax.markdown_text import Box
from stretto.model.plan import Value

_ID = r"T-?(?:\d+(?:[.-]\d+)*[a-z]?|XXX)"
_HEAD = re.compile(rf"(?:\*\*|`)?({_ID})\b(?:\*\*|`)?:?(?:\*\*)?[ \t]*")
_TAG = re.compile(r"`?[\[(]([^\[\]()\r\n]{1,40})[\])]`?(?![\w(\[/.])[ \t]*")
_STORY = re.compile(r"(?:US|User Story|Story)[- ]?0*(\d{1,4})", re.IGNORECASE)
_NOTE = r"(?:\s*\((?:(?!T-?\d)[^()\n]){1,60}\))?"
"""What may be said of an id before the next: `T010 (model), T011`."""
_LIST = (
    rf"(?:tasks?\s+)?[`*]*{_ID}\b[`*]*"
    rf"(?:{_NOTE}\s*(?:,\s*and|,|&|\+|/|and|-|–|—|to|through|\.\.+)\s*[`*]*{_ID}\b[`*]*)*"
)
_ORDER = (
    r"\b(?:depends?(?:\s+on)?|depend[ei]n[tg]\s+on|dependenc(?:y|ies)(?:\s+on)?|requires?|needs|blocked\s+(?:by|on)|after|once"
    r"|waits?\s+(?:for|on)|prerequisites?)\b[\s:*_`]*+"  # possessive: what follows may begin with the same
)
_NEEDS = re.compile(rf"{_ORDER}({_LIST})", re.IGNORECASE)
_STRAY = re.compile(
    rf"{_ORDER}((?:(?:[^\W\d_]|['’/-]){{1,40}}[ \t]+){{1,4}})[`*]*(T-?\d{{3,}}[a-z]?)(?![\w-])", re.IGNORECASE
)
_DENIED = re.compile(
    r"(?:\b(?:not|never|no(?:\s+longer)?|without|cannot|nor|neither)|n['’]t)"
    r"(?:\s+(?:actually|directly|necessarily|really|strictly|yet|be|being|have|need|to|any|hard)){0,3}\s+$",
    re.IGNORECASE,
)
"""What turns words of order round: `not dependent on T003`, unlike `not before or after T003`."""
_COMPARES = re.compile(
    r"\b(?:as|like|see|same|similar|per|unlike|than|not|no|without|before|until|unless|via|of\s+spec|from\s+spec)\b",
    re.IGNORECASE,
)
_REFERENCE = re.compile(rf"\b({_ID})\b")
_RANGE = re.compile(r"-|–|—|to|through|\.\.+")
_REMARK = re.compile(
    r"(?<!\s)\s*[(\[](?:depends?|depending|requires?|needs|blocked|after)\b[^()\[\]]*[)\]]", re.IGNORECASE
)
_LOOKS = re.compile(
    r"run|verify|validate|check|review|confirm|ensure|test|execute|inspect|audit|manually|smoke|benchmark"
    r"|measure|read",
    re.IGNORECASE,
)
_PARAGRAPH_END = re.compile(r"\n(?=[ \t]*(?:\n|[-*+][ \t]|\d+[.)][ \t]|`{3}|~{3}|>|\||\Z))")


class Reference(Value, frozen=True, kw_only=True):
    """An id or a path that a task names, and where."""

    name: str
    until: str = ""
    """The other end of a range of ids."""
    start: int
    end: int


class TaskLine(Value, frozen=True, kw_only=True):
    """What a task's line and the lines below it say."""

    id: str
    id_at: int
    title: str
    body: str
    done: bool
    parallel: bool
    story: str
    """Number of its user story; empty: none."""
    needs: tuple[Reference, ...]
    strays: tuple[Reference, ...]
    """Ids a few words behind words of order, such as `needs the client of T004`: too far to be read as a dependency."""
    paths: tuple[Reference, ...]
    looks_only: bool
    """It asks to look at something, such as by running the tests: it may well change nothing."""
    box: Box


def is_task(text: str, box: Box) -> bool:
    return _HEAD.match(text, box.text_at, box.end) is not None


def read_line(text: str, box: Box, top: str = "") -> TaskLine:
    """The task of a box for which `is_task` holds. `top`: the name of the repository's folder, if that is known."""
    head = _HEAD.match(text, box.text_at, box.end)
    assert head is not None
    at, tags = head.end(), []
    while tag := _TAG.match(text, at, box.end):
        tags.append(tag[1].strip())
        at = tag.end()
    own, _, below = text[at : box.end].replace("\r\n", "\n").replace("\r", "\n").partition("\n")
    whole = text[at : box.end]
    story = next((found[1] for tag in tags if (found := _STORY.fullmatch(tag))), "")
    paragraph = _PARAGRAPH_END.split(f"{own}\n{below}", maxsplit=1)[0]
    first = re.match(r"\W*(\w+)", own)
    return TaskLine(
        id=head[1],
        id_at=head.start(1),
        title=" ".join(_REMARK.sub("", paragraph).split()),
        body="\n".join(part for part in (own.strip(), textwrap.dedent(below).rstrip()) if part),
        done=box.mark in ("x", "X"),
        parallel=any(tag.upper() in ("P", "PARALLEL") for tag in tags),
        story=story,
        needs=tuple(needs_in(whole, at)),
        strays=tuple(_strays(whole, at)),
        paths=tuple(
            Reference(name=path, start=at + start, end=at + end) for path, start, end in named_paths(whole, top)
        ),
        looks_only=first is not None and _LOOKS.fullmatch(first[1]) is not None,
        box=box,
    )


def needs_in(text: str, offset: int) -> Iterator[Reference]:
    """The ids right behind words of order, and the ranges. `offset`: where the text begins."""
    for found in _NEEDS.finditer(text):
        if _is_denied(text, found.start()):
            continue
        ids = list(_REFERENCE.finditer(text, found.start(1), found.end(1)))
        skip = False
        for this, following in zip(ids, [*ids[1:], None], strict=True):
            if skip:
                skip = False
                continue
            between = "" if following is None else text[this.end() : following.start()].strip().strip("`*").strip()
            skip = _RANGE.fullmatch(between) is not None
            last = following if skip and following is not None else this
            until = last[1] if skip else ""
            yield Reference(name=this[1], until=until, start=offset + this.start(), end=offset + last.end())


def _strays(text: str, offset: int) -> Iterator[Reference]:
    for found in _STRAY.finditer(text):
        if not (_COMPARES.search(found[1]) or _is_denied(text, found.start())):
            yield Reference(name=found[2], start=offset + found.start(2), end=offset + found.end(2))


def _is_denied(text: str, at: int) -> bool:
    return _DENIED.search(text, max(0, at - 50), at) is not None
