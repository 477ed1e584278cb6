"""The live view as it is drawn: frames of runs that are only told, at every size, with whatever names may hold."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from live_screens import KEYS, SCREENS, SHOP, Story, at_work, in_trouble, many, stopping
from stretto.core import events as ev
from stretto.errors import StateError
from stretto.model.plan import Phase, Plan, Task
from stretto.model.run import Failure, RunSettings, Usage
from stretto.observe.cells import Piece, cell, clipped, flat, painted, plain, wide
from stretto.observe.live import Look, frame
from stretto.observe.pace import Pace
from stretto.observe.paint import Paint, width_of
from stretto.observe.tails import CHUNKS, LONGEST, Tails
from stretto.observe.taskrow import ago, spending, squeezed
from stretto.ports import Engine, Recorded

STORIES: dict[str, Callable[[], Story]] = {
    "work": at_work, "trouble": in_trouble, "stopping": stopping, "many": many,
}  # fmt: skip
SIZES = [(79, 24), (199, 50), (119, 35), (39, 12), (20, 6), (8, 3), (1, 1), (79, 5), (79, 8), (300, 200)]


def screen(story: Story, at: float, look: Look | None = None, width: int = 79, height: int = 24) -> list[str]:
    return list(story.screen(at, look, width, height))


def row(lines: list[str], task: str) -> str:
    return next(text for text in lines if re.match(rf"^ \S {re.escape(task)}\s", text))


# --- what is told --------------------------------------------------------------------------------------------------


def test_a_run_at_work_at_80_columns() -> None:
    lines = screen(at_work(), 424.0)
    assert lines[0] == "shop-260321-0915-5f0c2a7e  running  2 of 8 done, 3 at work"
    assert lines[1] == "━━━━━╍╍╍╍╍╍╍───────  07:04  about 20m left  3 of 4 places used  $0.73  shop"
    assert row(lines, "login") == " ● login   ◆ running    1m54s  #1         Edit app/login.py: hash the password…"
    assert row(lines, "search").startswith(" ○ search    ready      1m55s             waits for login to let go of app")
    assert row(lines, "schema").startswith(" ✓ schema    succeeded  5m07s  #1  $0.42  landed as ")
    assert row(lines, "docs") == " · docs    ◆ pending                      after features"
    assert lines[-2:] == ["landing   nothing now", "s stop   d detach   t all tasks   ? help"]


def test_columns_stand_below_each_other() -> None:
    lines = [text for text in screen(at_work(), 424.0) if re.match(r"^ [✓●○◌◒·✗]", text)]
    assert len(lines) == 8
    words = ("succeeded", "running", "ready", "pending")
    assert {next(text.index(word) for word in words if word in text) for text in lines} == {13}
    assert {text.index("#1") for text in lines if "#1" in text} == {31}


def test_a_wide_screen_says_more() -> None:
    lines = screen(at_work(), 424.0, width=199, height=50)
    assert row(lines, "login").endswith("Edit app/login.py: hash the password with argon2")
    assert "Is the new design good enough to build on?" in row(lines, "design")
    assert row(lines, "search").endswith("waits for login to let go of app/routes.py")


def test_what_waits_for_a_person_has_its_command_whole() -> None:
    lines = screen(in_trouble(), 571.0)
    assert "asks you  design: Is the new design good enough to build on?" in lines
    assert "          stretto approve design --run shop-260321-0915-5f0c2a7e" in lines


def test_an_attempt_that_failed_is_told_with_its_next_one() -> None:
    assert re.match(r" ● mail +running +17s  #2", row(screen(in_trouble(), 571.0), "mail"))


def test_landing_names_what_lands_and_what_is_next() -> None:
    assert "landing   login" in screen(in_trouble(), 571.0)
    assert any(text == "landing   page-228; then page-229, page-230" for text in SCREENS["many"]())


def test_a_failed_task_says_why() -> None:
    assert re.match(r" ✗ page-031 +failed +#3 .* exit status 2: syntax error", row(list(SCREENS["many"]()), "page-031"))


def test_r8_6_a_stop_says_what_happens_and_what_the_key_does_now() -> None:
    lines = screen(stopping(), 580.0)
    assert lines[0].startswith("shop-260321-0915-5f0c2a7e  stopping  ")
    assert "stopping  nothing more starts, what runs may finish within 9m55s" in lines
    assert lines[-1].startswith("s end what runs, too   d detach")
    assert not any("◆" in text for text in lines), "what will not start decides nothing"


def test_a_usage_limit_says_until_when() -> None:
    story = at_work()
    story.tell(
        ev.AttemptFailed(
            at=430.0,
            task="login",
            attempt=1,
            failure=Failure(kind="quota", message="5-hour limit", retry_after_s=3600.0),
        )
    )
    (told,) = (text for text in screen(story, 440.0, width=150) if text.startswith("paused"))
    assert "5-hour limit" in told
    assert "what runs may finish" in told
    until = story.coordinator.state.drain and story.coordinator.state.drain.until
    assert until is not None
    assert f"it may go on at {time.strftime('%H:%M', time.localtime(until))}, in {ago(until - 440.0)}" in told


def test_a_denied_grant_says_when_it_is_asked_again() -> None:
    story = Story(SHOP, parallel=4)
    story.tell(ev.Denied(at=1.0, task="schema", attempt=1, until=61.0, reason="the account is busy"))
    lines = screen(story, 11.0)
    assert row(lines, "schema").endswith("the account is busy; asks again in 50s")
    assert any(text.startswith("limit     the account is busy: 1 task until ") for text in lines)


def test_an_agent_that_keeps_failing_is_named() -> None:
    tasks = tuple(Task(id=f"t{n}", phase="p", estimate_s=60.0) for n in range(8))
    story = Story(Plan(name="sick", format="stretto", phases=(Phase(id="p"),), tasks=tasks), parallel=8)
    for record in story.coordinator.state.tasks:
        story.tell(ev.Granted(at=1.0, task=record.id, attempt=1))
        story.tell(ev.AttemptStarted(at=1.0, task=record.id, attempt=1, agent="claude"))
    for n in range(5):
        story.failed(2.0 + n, f"t{n}", "it hangs")
    (told,) = (text for text in screen(story, 20.0, width=120) if text.startswith("agent"))
    assert "'claude' failed on 5 tasks in a row" in told


def test_time_is_counted_from_the_last_start() -> None:
    story = at_work()
    story.tell(ev.RunResumed(at=90_000.0))
    scene = replace(story.scene(90_061.0), began_at=story.pace.began_at)
    assert "  01:01  " in plain(frame(scene, Look(), 79, 24)[0][1])


def test_a_run_that_nobody_runs_says_so() -> None:
    scene = replace(at_work().scene(424.0), alive=False)
    lines, _ = frame(scene, Look(), 79, 24)
    assert plain(lines[0]).startswith("shop-260321-0915-5f0c2a7e  killed  ")


def test_without_a_keyboard_no_keys_are_told() -> None:
    lines = screen(at_work(), 424.0, Look())
    assert lines[-1] == "landing   nothing now"


def test_keys_are_explained() -> None:
    lines = screen(at_work(), 424.0, Look(keys=KEYS, help=True))
    assert [text[:3] for text in lines[-4:]] == ["s  ", "d  ", "t  ", "◆  "]


def test_a_note_stands_where_the_keys_are() -> None:
    assert screen(at_work(), 424.0, Look(keys=KEYS, note="no, because"))[-1] == "no, because"


# --- what fits -----------------------------------------------------------------------------------------------------


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
    lines = screen(story, story.at + 20.0)
    assert len(lines) == 24
    state = story.coordinator.state
    for record in state.tasks:
        if record.state in ("running", "failed"):
            assert row(lines, record.id)
    assert not any("succeeded" in text for text in lines)


@pytest.mark.parametrize("height", [12, 24, 30, 50, 100, 300])
def test_no_task_is_forgotten_where_they_do_not_fit(height: int) -> None:
    """What is done in a phase, what has a line beside that, what its phase says it does not show, and what the last
    line sums up are all 500."""
    story = many()
    lines = screen(story, story.at + 20.0, width=199, height=height)
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
    assert not any("main" in text for text in screen(Story(plan, parallel=1), 1.0))


# --- what names may hold -------------------------------------------------------------------------------------------

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


def test_colours_change_no_width_and_columns_are_set_anew() -> None:
    line = (Piece("日本", "red"), Piece("  "), Piece("plain"))
    assert painted(line, Paint(on=False)) == "日本\x1b[5G  plain"
    assert painted(line, Paint(on=True)) == "\x1b[31m日本\x1b[0m\x1b[5G  plain"


@pytest.mark.parametrize(
    "text, width, told",
    [
        ("short", 10, "short"),
        ("a-task-with-a-very-long-name-part-1", 20, "a-task-with-a…part-1"),
        ("日本語のとても長い名前その一", 15, "日本語のと…の一"),
        ("abcdefghij", 5, "abcdefghij"),
    ],
)
def test_a_long_name_keeps_its_end(text: str, width: int, told: str) -> None:
    assert squeezed(text, width) == told


def test_clipping_says_that_something_is_missing() -> None:
    line = (Piece("abc"), Piece("def"), Piece("   "))
    assert plain(clipped(line, 6)) == "abcdef"
    assert plain(clipped(line, 5)) == "abcd…"
    assert plain(clipped(line, 3)) == "ab…"
    assert plain(clipped(line, 1)) == "…"
    assert clipped(line, 0) == ()
    assert cell("日本", 3).text == "日…"
    assert cell("7s", 5, right=True).text == "   7s"
    assert flat(" a\n b ") == "a b"


@pytest.mark.parametrize(
    "usage, told",
    [
        (Usage(), ""),
        (Usage(cost_usd=0.126), "$0.13"),
        (Usage(input_tokens=900), "900 tok"),
        (Usage(input_tokens=12_000, output_tokens=345), "12.3k tok"),
        (Usage(output_tokens=2_500_000), "2.5M tok"),
    ],
)
def test_spending_in_a_word(usage: Usage, told: str) -> None:
    assert spending([usage]) == told


# --- the end that is to be expected --------------------------------------------------------------------------------


def chain(*estimates_s: float | None) -> Plan:
    tasks = tuple(
        Task(id=f"t{n}", phase="p", depends_on=(f"t{n - 1}",) if n else (), estimate_s=s)
        for n, s in enumerate(estimates_s)
    )
    return Plan(name="chain", format="stretto", phases=(Phase(id="p"),), tasks=tasks)


def test_the_end_is_reckoned_by_the_longest_way() -> None:
    story = Story(chain(60.0, 60.0, 30.0), parallel=4)
    story.starts(0.0)
    assert story.pace.forecast(story.coordinator, 20.0).end_at == 150.0
    assert story.pace.forecast(story.coordinator, 90.0).end_at == 180.0, "it has taken longer than it should"
    assert story.pace.forecast(story.coordinator, 90.0).critical == {"t0", "t1", "t2"}


def test_the_end_is_reckoned_by_the_places_where_they_are_few() -> None:
    plan = Plan(
        name="wide",
        format="stretto",
        phases=(Phase(id="p"),),
        tasks=tuple(Task(id=f"t{n}", phase="p", estimate_s=60.0) for n in range(10)),
    )
    story = Story(plan, parallel=2)
    story.starts(0.0)
    assert story.pace.forecast(story.coordinator, 0.0).end_at == 300.0


def test_nothing_is_said_of_the_end_where_nothing_is_known() -> None:
    story = Story(chain(60.0, None), parallel=1)
    forecast = story.pace.forecast(story.coordinator, 0.0)
    assert forecast.end_at is None
    assert forecast.critical == {"t0", "t1"}


def test_tasks_that_have_landed_teach_how_long_the_others_take() -> None:
    story = Story(chain(None, None, None), parallel=1)
    for n in range(2):
        story.starts(n * 100.0)
        story.done(n * 100.0 + 40.0, f"t{n}")
        story.lands(n * 100.0 + 50.0)
    assert story.pace.forecast(story.coordinator, 200.0).end_at == 250.0
    assert story.pace.took_s == {"t0": 50.0, "t1": 50.0}


def test_what_earlier_runs_have_shown_counts() -> None:
    pace, story = Pace(), Story(chain(None), parallel=1)
    pace.notify(
        ev.RunStarted(
            at=0.0, run="r", plan=chain(None), settings=RunSettings(), base="b", branch="x", expected_s={"t0": 30.0}
        )
    )
    assert pace.forecast(story.coordinator, 5.0).end_at == 35.0


# --- last lines of logs --------------------------------------------------------------------------------------------


class Logs:
    """A RunReader of logs alone; how much was read of them."""

    def __init__(self, text: bytes = b"") -> None:
        self.text, self.read, self.calls = text, 0, 0

    def events(self, after: int = 0) -> list[Recorded]:
        return []

    def engine(self) -> Engine | None:
        return None

    def log(self, task: str, attempt: int, offset: int = 0) -> bytes:
        chunk = self.text[offset : offset + 65536]
        self.read, self.calls = self.read + len(chunk), self.calls + 1
        return chunk


A = ("a", 1)


def test_the_last_line_is_shown_also_before_it_has_an_end() -> None:
    logs = Logs()
    tails = Tails(logs)
    assert not tails.look([A])
    for text, line in [
        (b"one\n", "one"), (b"tw", "tw"), (b"o\n\n   \n", "two"), (b"10%\r20%\r", "20%"),
        (b"\x1b[31mred\x1b[0m", "red"),
    ]:  # fmt: skip
        logs.text += text
        assert tails.look([A])
        assert tails.lines == {A: line}
    assert not tails.look([A]), "nothing new"
    assert tails.lines == {A: "red"}
    assert tails.look([])
    assert tails.lines == {}


def test_a_long_log_is_not_read_from_its_start() -> None:
    logs = Logs(b"x" * 78 + b"\n")
    logs.text = logs.text * 1_000_000 + b"the end\n"
    tails = Tails(logs)
    tails.look([A])
    assert tails.lines == {A: "the end"}
    assert logs.calls < 60
    assert logs.read < 60 * 65536


def test_a_flood_of_output_holds_nobody_up() -> None:
    logs = Logs()
    tails = Tails(logs)
    tails.look([A])
    logs.text = b"no end to this line" * 1_000_000
    logs.calls = 0
    tails.look([A])
    assert logs.calls <= CHUNKS
    assert len(tails.lines[A]) <= LONGEST


def test_a_log_that_cannot_be_read_ends_no_view() -> None:
    class Forbidden(Logs):
        def log(self, task: str, attempt: int, offset: int = 0) -> bytes:
            raise StateError("cannot read the output")

    assert not Tails(Forbidden()).look([A])


def test_another_attempt_begins_with_nothing() -> None:
    tails = Tails(Logs(b"first\n"))
    tails.look([A])
    assert tails.lines == {A: "first"}
    tails.look([("a", 2)])
    assert set(tails.lines) == {("a", 2)}
