"""The roadmap: what each phase is called and waits for, and which plans it has ticked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stretto.formats.gsd.folder import phase_number
from stretto.formats.syntax.markdown_text import Box, Outline, path_of
from stretto.model.plan import Value

_HEADING = re.compile(r"[*_]*+Phase\s++(?P<number>\d+(?:\.\d+)*[A-Za-z]?)\s*+[:.–—-]\s*(?P<title>.*)", re.IGNORECASE)
_DEPENDS = re.compile(r"[*_]{0,2}Depends\s+on[*_]{0,2}\s*:[*_]{0,2}\s*(?P<value>[^\n]*)", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])(?:Phases?\s++)?(\d++(?:\.\d++)*+[A-Za-z]?+)(?!\.*+\w)")
_NOTE = re.compile(r"\([^()]*\)")
_PLAN = re.compile(
    r"[*_`\[]*+(?:Plan[ \t]++)?"
    r"(?:(?P<file>[\w.][\w.-]*?)-PLAN\.md|(?P<id>(?P<phase>\d{2,}(?:\.\d+)*[A-Za-z]?)-\d{2,})(?=[*_`\]]*[ \t]*[:—–-]))"
    r"[*_`\]]*(?:\([^)\n]*\))?[ \t]*(?:[—–:-]+[*_]*[ \t]*)?(?P<title>[^\r\n]*)",
    re.IGNORECASE,
)
"""A plan by its file (`01-01-PLAN.md — title`), or by its number alone (`01-01: title`)."""
_TITLE = re.compile(r"roadmap\s*[:–—-]?\s*", re.IGNORECASE)


class PhaseWords(Value, frozen=True, kw_only=True):
    """What the roadmap says of one phase."""

    title: str
    depends_on: tuple[str, ...] | None
    """Numbers of phases; None where it says nothing about that."""
    at: int


class Roadmap(Value, frozen=True, kw_only=True):
    """`phases` by number; plans by id in lower case."""

    title: str = ""
    phases: Mapping[str, PhaseWords] = {}
    titles: Mapping[str, str] = {}
    open: Mapping[str, int] = {}
    """Where the box of each plan stands that is not ticked."""
    ticked: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()
    """Numbers of the phases that are ticked."""


def is_roadmap(text: str, outline: Outline) -> bool:
    """Headings of phases, and plans listed by their files, or by numbers that begin with that of such a phase."""
    headings = (_HEADING.match(section.title) for section in outline.sections)
    phases = {phase_number(found["number"]) for found in headings if found}
    plans = _plans(text, outline) if phases else ()
    return any(found["file"] or phase_number(found["phase"]) in phases for found, _ in plans)


def roadmap_of(text: str, outline: Outline) -> Roadmap:
    phases: dict[str, PhaseWords] = {}
    for section in outline.sections:
        if found := _HEADING.match(section.title):
            said = _DEPENDS.search(section.prose)
            needs = None if said is None else tuple(map(phase_number, _NUMBER.findall(_NOTE.sub("", said["value"]))))
            title = " ".join(found["title"].strip("*_ ").split())
            phases.setdefault(
                phase_number(found["number"]), PhaseWords(title=title, depends_on=needs, at=section.start)
            )
    plans = list(_plans(text, outline))
    top = next((section.title for section in outline.sections if section.level == 1), "")
    return Roadmap(
        title=" ".join(_TITLE.sub("", top, count=1).split()),
        phases=phases,
        titles={_id(found): " ".join(found["title"].split()) for found, _ in plans},
        open={_id(found): box.start for found, box in plans if not is_ticked(box)},
        ticked=frozenset(_id(found) for found, box in plans if is_ticked(box)),
        done=frozenset(number for number, box in phase_boxes(text, outline) if is_ticked(box)),
    )


def is_ticked(box: Box) -> bool:
    return box.mark in ("x", "X")


def plan_boxes(text: str, outline: Outline) -> Iterator[tuple[str, Box]]:
    """The check boxes of plans, each with the plan's id in lower case; those in code and comments are samples."""
    return ((_id(found), box) for found, box in _plans(text, outline))


def phase_boxes(text: str, outline: Outline) -> Iterator[tuple[str, Box]]:
    """The check boxes of phases, each with the phase's number."""
    for box in outline.boxes:
        if found := _HEADING.match(text, box.text_at, box.end):
            yield phase_number(found["number"]), box


def phase_around(outline: Outline, box: Box) -> str | None:
    """The number of the phase whose heading a check box stands below."""
    titles = (outline.sections[at].title for at in path_of(outline.sections, box.section))
    return next((phase_number(found["number"]) for title in titles if (found := _HEADING.match(title))), None)


def _plans(text: str, outline: Outline) -> Iterator[tuple[re.Match[str], Box]]:
    for box in outline.boxes:
        if found := _PLAN.match(text, box.text_at, box.end):
            yield found, box


def _id(plan: re.Match[str]) -> str:
    return str(plan["file"] or plan["id"]).casefold()
