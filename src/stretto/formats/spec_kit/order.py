"""What waits for what in a spec-kit list: phases and stories, `[P]`, and tests before what they test.

The rules are those of spec-kit's own template: the phases before the first story block every story, stories stand side
by side, what comes behind them waits for all; within a phase a task without `[P]` waits for all above it.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from stretto.formats.spec_kit.line import TaskLine
from stretto.formats.syntax.markdown_text import Outline, path_of
from stretto.model.plan import Value

_PHASE = re.compile(
    r"(?:phase|fase|etapa|étape|этап|фаза|フェーズ|阶段|단계)\s*([0-9]+(?:\.[0-9]+)*|[A-Z]\b)?", re.IGNORECASE
)
_SEPARATOR = re.compile(r"[\s:.\-–—]+")
_STORY = re.compile(r"\b(?:user\s+story|story|US)[\s-]*0*(\d{1,4})\b", re.IGNORECASE)
_TESTS = re.compile(r"\W*tests?\b", re.IGNORECASE)
_DEPENDENCIES = re.compile(r"depend|execution order|prerequisite", re.IGNORECASE)
REFERENCE = re.compile(
    r"\b(?:(?:user\s+story|US)[\s-]*0*(?P<story>\d{1,4})|phase\s+(?P<phase>\d+(?:\.\d+)*))\b", re.IGNORECASE
)
_WAITS = re.compile(r"\b(?:depends?\s+(?:only\s+)?on|after|requires?|follows?|blocked\s+by|needs)\b", re.IGNORECASE)
_DOES_NOT = re.compile(r"\b(?:no|not|without|independent\w*|may|optional\w*|but)\b", re.IGNORECASE)
_SAYS = re.compile(r"\*\*(?:depend\w*(?:\s+on)?|prerequisites?)\s*:?\s*\*\*\s*:?(.*)", re.IGNORECASE)
_MANY = 2_500
"""More edges than this between two sets of tasks are led through one task."""


class Group(Value, frozen=True, kw_only=True):
    """A phase of the list: tasks that stand one after another below one heading."""

    id: str
    title: str
    section: int
    first: int
    """Its first task, as a position among the tasks."""
    count: int
    story: str
    """Number of its user story; empty: it is for all of them."""

    @property
    def members(self) -> range:
        return range(self.first, self.first + self.count)


def groups_of(outline: Outline, lines: Sequence[TaskLine]) -> list[Group]:
    """The phases, in file order."""
    runs: list[list[int]] = []
    homes: list[int] = []
    for i, line in enumerate(lines):
        home = _home(outline, line.box.section)
        if not homes or homes[-1] != home:
            homes.append(home)
            runs.append([])
        runs[-1].append(i)
    groups: list[Group] = []
    taken: Counter[str] = Counter()
    for home, members in zip(homes, runs, strict=True):
        title = outline.sections[home].title
        found = _PHASE.match(title)
        number = found[1] if found else None
        rest = _SEPARATOR.sub("", title[found.end() :], count=1) if found else title
        id = number or _slug(title) or "main"
        taken[id] += 1
        groups.append(
            Group(
                id=id if taken[id] == 1 else f"{id}-{taken[id]}",
                title=rest or title,
                section=home,
                first=members[0],
                count=len(members),
                story=_story(title, [lines[i] for i in members]),
            )
        )
    return groups


def is_phase(title: str) -> bool:
    return _PHASE.match(title) is not None


def _home(outline: Outline, section: int) -> int:
    """The phase of what stands in a section: a heading that says so, else the outermost below the title."""
    around = list(path_of(outline.sections, section))
    for i in around:
        if is_phase(outline.sections[i].title):
            return i
    return next((i for i in reversed(around) if outline.sections[i].level > 1), around[-1])


def _slug(title: str) -> str:
    return re.sub(r"[^\w]+", "-", title.casefold()).strip("-_")[:60]


def _story(title: str, members: Sequence[TaskLine]) -> str:
    if found := _STORY.search(title):
        return found[1]
    (story, times), *_ = Counter(line.story for line in members).most_common(1)
    return story if times * 2 > len(members) else ""


def waits_for(outline: Outline, groups: Sequence[Group]) -> Mapping[str, tuple[str, ...]]:
    """Phases that each phase waits for. Only earlier ones: a list is in the order in which it can be done."""
    said = _said(outline, groups)
    found: dict[str, tuple[str, ...]] = {}
    common: list[str] = []
    stories: list[str] = []
    for i, group in enumerate(groups):
        needs = list(common)
        if group.story:
            stories.append(group.id)
        else:
            needs = stories or common
            common, stories = [group.id], []
        found[group.id] = tuple(dict.fromkeys((*needs, *(id for id in said.get(i, ()) if id in found))))
    return found


def _said(outline: Outline, groups: Sequence[Group]) -> dict[int, list[str]]:
    """What the prose says in so many words about stories and phases that wait for others."""
    found: dict[int, list[str]] = {}
    called: dict[tuple[str, str], list[int]] = {}
    for i, group in enumerate(groups):
        called.setdefault(("story", group.story), []).append(i)
        called.setdefault(("phase", group.id), []).append(i)

    def named(text: str) -> Iterator[int]:
        for reference in REFERENCE.finditer(text):
            stories = called.get(("story", reference["story"]), ()) if reference["story"] else ()
            yield from sorted({*stories, *called.get(("phase", reference["phase"]), ())})

    for i, group in enumerate(groups):
        for line in outline.sections[group.section].prose.splitlines():
            if says := _SAYS.match(line.strip()):
                found.setdefault(i, []).extend(groups[n].id for n in named(says[1]))
    for i in sections_of_order(outline):
        for label, text in labelled(outline.sections[i].prose):
            whose = list(dict.fromkeys(named(label)))
            if len(whose) == 1:
                found.setdefault(whose[0], []).extend(groups[n].id for said in awaited(text) for n in named(said))
    return found


def sections_of_order(outline: Outline) -> Iterator[int]:
    """Those that tell of dependencies."""
    for i in range(len(outline.sections)):
        if any(_DEPENDENCIES.search(outline.sections[n].title) for n in path_of(outline.sections, i)):
            yield i


def labelled(prose: str) -> Iterator[tuple[str, str]]:
    """Bullets such as `**Label**: words`, each on one line."""
    for bullet in re.split(r"^[ \t]*[-*+]\s+", prose, flags=re.MULTILINE):
        if found := re.match(r"\*\*(.+?)\*\*:?(.*)", " ".join(bullet.split())):
            yield found[1], found[2]


def awaited(text: str) -> Iterator[str]:
    """What stands behind the words of order of each sentence that says plainly that it waits."""
    for sentence in re.split(r"[.;]|\s[-–—]\s", text):
        if (waits := _WAITS.search(sentence)) and not _DOES_NOT.search(sentence):
            yield sentence[waits.end() :]


def order(
    outline: Outline, groups: Sequence[Group], lines: Sequence[TaskLine], needs: Sequence[Sequence[str]]
) -> list[list[int]]:
    """For each task those of its phase that it waits for by its place, as positions. `needs`: ids that it names."""
    found: list[list[int]] = [[] for _ in lines]
    for group in groups:
        before: list[int] = []
        side_by_side: list[int] = []
        was_tests = False
        for i in _sorted(group.members, lines, needs):
            tests = _TESTS.match(outline.sections[lines[i].box.section].title) is not None
            if was_tests and not tests and side_by_side:
                if len(side_by_side) * group.count > _MANY:
                    *others, last = side_by_side
                    found[last] = [*found[last], *others]
                    side_by_side = [last]
                before, side_by_side = side_by_side, []
            was_tests = tests
            found[i] = list(before)
            if lines[i].parallel:
                side_by_side.append(i)
            else:
                found[i] = side_by_side or before
                before, side_by_side = [i], []
    return found


def _sorted(members: range, lines: Sequence[TaskLine], needs: Sequence[Sequence[str]]) -> list[int]:
    """The tasks of a phase, each behind those that it names; in file order wherever that leaves a choice."""
    at = {lines[i].id: i for i in reversed(members)}
    left = {i: {at[need] for need in needs[i] if need in at and at[need] != i} for i in members}
    blocks: dict[int, list[int]] = {}
    for i, waits in left.items():
        for other in waits:
            blocks.setdefault(other, []).append(i)
    ready = [i for i in members if not left[i]]
    done: list[int] = []
    while ready:
        done.append(i := heapq.heappop(ready))
        for other in blocks.get(i, ()):
            left[other].discard(i)
            if not left[other]:
                heapq.heappush(ready, other)
    if len(done) < len(members):  # a cycle, which lint will tell
        placed = set(done)
        done += [i for i in members if i not in placed]
    return done
