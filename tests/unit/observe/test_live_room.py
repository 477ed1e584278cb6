"""The live view keeps to its room: at every size, with many tasks, with whatever names may hold."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from live_screens import KEYS, Story, at_work, in_trouble, many, stopping
from stretto.model.plan import Phase, Plan, Task
from stretto.observe.cells import plain, wide
from stretto.observe.live import Look, frame
from stretto.observe.paint import width_of

STORIES: dict[str, Callable[[], Story]] = {
    "work": at_work, "trouble": in_trouble, "stopping": stopping, "many": many,
}  # fmt: skip
SIZES = [(79, 24), (199, 50), (119, 35), (39, 12), (20, 6), (8, 3), (1, 1), (79, 5), (79, 8), (300, 200)]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize(
    "look",
    [Look(keys=KEYS), Look(keys=KEYS, everything=True, offset=3), Look(keys=KEYS, help=True), Look()],
    ids=["plain", "everything", "help", "no keys"],
)
def test_no_line_is_too_wide_and_none_too_many(name: str, look: Look, size: tuple[int, int]) -> None:
    story = STORIES[name]()
    width, height = size
    lines, _ = frame(story.scene(story.at + 20.0), look, width, height)
    assert 0 < len(lines) <= height
    assert all(wide(line) <= width for line in lines)


def test_of_500_tasks_those_that_matter_are_shown() -> None:
    story = many()
    lines = story.screen(story.at + 20.0)
    assert len(lines) == 24
    shown = {text.split()[1] for text in lines if re.match(r"^ \S page-", text)}
    assert {record.id for record in story.coordinator.state.tasks if record.state in ("running", "failed")} <= shown
    assert not any("succeeded" in text for text in lines)


@pytest.mark.parametrize("height", [12, 24, 30, 50, 100, 300])
def test_no_task_is_forgotten_where_they_do_not_fit(height: int) -> None:
    """What is done in a phase, what has a line beside that, what its phase says it does not show, and what the last
    line sums up are all 500."""
    story = many()
    lines = story.screen(story.at + 20.0, width=199, height=height)
    rows = [text for text in lines if re.match(r"^ \S page-", text)]
    heads = [text for text in lines if text.startswith("part-")]
    rest = "".join(text.partition("phases: ")[2] for text in lines if text.startswith("… "))
    done = sum(int(text.split()[1]) for text in heads)
    hidden = sum(_numbers(text.partition("not shown: ")[2]) for text in heads)
    assert done + sum("succeeded" not in text for text in rows) + hidden + _numbers(rest) == 500


def _numbers(text: str) -> int:
    return sum(map(int, re.findall(r"\d+", text)))


def test_the_whole_list_can_be_walked_through() -> None:
    story = many()
    look, seen = Look(keys=KEYS, everything=True), []
    for _ in range(40):
        lines, look = frame(story.scene(story.at), look, 79, 24)
        seen += [found[1] for line in lines if (found := re.match(r"^ \S (page-\d+)", plain(line)))]
        look = replace(look, offset=look.offset + 16)
    assert sorted(set(seen)) == [f"page-{n:03}" for n in range(500)]
    assert look.offset < 600, "there is an end to it"


def test_a_plan_of_one_phase_has_no_head() -> None:
    plan = Plan(name="one", format="stretto", phases=(Phase(id="main"),), tasks=(Task(id="a", phase="main"),))
    assert not any("main" in text for text in Story(plan, parallel=1).screen(1.0))


NASTY = [
    "日本語のタスク", "👩‍👩‍👧 family", "❤️ heart", "שלום עולם", "e\u0301\u0301\u0301", "\x1b[31mred\x1b[0m", "a\tb\r\nc",
    "\u202eevil\u202c", "🇩🇪🇫🇷", "\u200b\u200d\ufeff", "ﷺ", "한국어", "x" * 500, "日" * 200, "\ud800", "👍🏽 ok", "ก็็็็็",
    "\x9b2J",
]  # fmt: skip


def nasty() -> Story:
    phases = tuple(Phase(id=f"{n}{text}", title=text) for n, text in enumerate(NASTY))
    tasks = tuple(Task(id=f"{n}{text}", title=text, phase=f"{n}{text}") for n, text in enumerate(NASTY))
    story = Story(Plan(name="nasty", format="stretto", phases=phases, tasks=tasks), parallel=len(NASTY))
    story.starts(1.0)
    for record, text in zip(story.coordinator.state.tasks, NASTY, strict=True):
        story.tails[record.id, 1] = text
    for n in range(0, len(NASTY), 2):
        story.failed(2.0, f"{n}{NASTY[n]}", NASTY[n])
    return story


@pytest.mark.parametrize("width", [79, 199, 40, 3])
def test_names_of_any_kind_keep_to_their_columns(width: int) -> None:
    story = nasty()
    lines, _ = frame(story.scene(3.0), Look(keys=KEYS), width, 60)
    for line in lines:
        assert wide(line) <= width
        text = plain(line)
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufe0f\ud800-\udfff]", text)
    if width > 40:
        rows = [plain(line) for line in lines if plain(line)[:3] in (" ● ", " ✗ ", " ◌ ")]
        starts = {
            width_of(text[: text.index(word)]) for text in rows for word in ("running", "waiting") if word in text
        }
        assert len(starts) == 1, "states stand below each other"


def test_all_tasks_are_shown_where_all_fit_and_counted_only_where_they_do_not() -> None:
    plan = Plan(
        name="few",
        format="stretto",
        phases=(Phase(id="main"),),
        tasks=tuple(Task(id=f"t{n:02}", phase="main") for n in range(18)),
    )
    story = Story(plan, parallel=1)
    look = Look(keys=KEYS, everything=True)

    def at(height: int) -> list[str]:
        return [plain(line) for line in frame(story.scene(1.0), look, 79, height)[0]]

    def rows(lines: list[str]) -> int:
        return sum(re.match(r"^ \S t\d\d ", text) is not None for text in lines)

    def counts(lines: list[str]) -> list[str]:
        return [text for text in lines if text.startswith("lines ")]

    assert (rows(at(24)), counts(at(24))) == (18, [])
    assert (rows(at(30)), counts(at(30))) == (18, [])
    assert (rows(at(23)), counts(at(23))) == (16, ["lines 1 to 16 of 18"])
