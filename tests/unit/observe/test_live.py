"""What the live view tells: frames of runs that are only told."""

from __future__ import annotations

import re
import time

from msgspec.structs import replace

from live_screens import KEYS, SCREENS, SHOP, Story, at_work, in_trouble, stopping
from stretto.core import events as ev
from stretto.model.plan import Phase, Plan, Task
from stretto.model.run import Failure
from stretto.observe.cells import plain
from stretto.observe.live import Look, frame
from stretto.observe.taskrow import ago


def row(lines: list[str], task: str) -> str:
    return next(text for text in lines if re.match(rf"^ \S {re.escape(task)}\s", text))


def test_a_run_at_work_at_80_columns() -> None:
    lines = at_work().screen(424.0)
    assert lines[0] == "shop-260321-0915-5f0c2a7e  running  2 of 8 done, 3 at work"
    assert lines[1] == "━━━━━╍╍╍╍╍╍╍───────  07:04  about 20m left  3 of 4 places used  $0.73  shop"
    assert row(lines, "login") == " ● login   ◆ running    1m54s  #1         Edit app/login.py: hash the password…"
    assert row(lines, "search").startswith(" ○ search    ready      1m55s             waits for login to let go of app")
    assert row(lines, "schema").startswith(" ✓ schema    succeeded  5m07s  #1  $0.42  landed as ")
    assert row(lines, "docs") == " · docs    ◆ pending                      after features"
    assert lines[-2:] == ["landing   nothing now", "s stop   d detach   t all tasks   ? help"]


def test_columns_stand_below_each_other() -> None:
    lines = [text for text in at_work().screen(424.0) if re.match(r"^ [✓●○◌◒·✗]", text)]
    assert len(lines) == 8
    words = ("succeeded", "running", "ready", "pending")
    assert {next(text.index(word) for word in words if word in text) for text in lines} == {13}
    assert {text.index("#1") for text in lines if "#1" in text} == {31}


def test_a_wide_screen_says_more() -> None:
    lines = at_work().screen(424.0, width=199, height=50)
    assert row(lines, "login").endswith("Edit app/login.py: hash the password with argon2")
    assert "Is the new design good enough to build on?" in row(lines, "design")
    assert row(lines, "search").endswith("waits for login to let go of app/routes.py")


def test_what_waits_for_a_person_has_its_command_whole() -> None:
    lines = in_trouble().screen(571.0)
    assert "asks you  design: Is the new design good enough to build on?" in lines
    assert "          stretto approve design --run shop-260321-0915-5f0c2a7e" in lines


def test_an_attempt_that_failed_is_told_with_its_next_one() -> None:
    assert re.match(r" ● mail +running +17s  #2", row(in_trouble().screen(571.0), "mail"))


def test_landing_names_what_lands_and_what_is_next() -> None:
    assert "landing   login" in in_trouble().screen(571.0)
    assert any(text == "landing   page-228; then page-229, page-230" for text in SCREENS["many"]())


def test_a_failed_task_says_why() -> None:
    assert re.match(r" ✗ page-031 +failed +#3 .* exit status 2: syntax error", row(SCREENS["many"](), "page-031"))


def test_r8_6_a_stop_says_what_happens_and_what_the_key_does_now() -> None:
    lines = stopping().screen(580.0)
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
    (told,) = (text for text in story.screen(440.0, width=150) if text.startswith("paused"))
    assert "5-hour limit" in told
    assert "what runs may finish" in told
    drain = story.coordinator.state.drain
    assert drain is not None
    assert drain.until is not None
    assert (
        f"it may go on at {time.strftime('%H:%M', time.localtime(drain.until))}, in {ago(drain.until - 440.0)}" in told
    )


def test_a_denied_grant_says_when_it_is_asked_again() -> None:
    story = Story(SHOP, parallel=4)
    story.tell(ev.Denied(at=1.0, task="schema", attempt=1, until=61.0, reason="the account is busy"))
    lines = story.screen(11.0)
    assert row(lines, "schema").endswith("the account is busy; asks again in 50s")
    assert any(re.fullmatch(r"limit     until \d\d:\d\d, in 50s: 1 task, the account is busy", text) for text in lines)


def test_an_agent_that_keeps_failing_is_named() -> None:
    tasks = tuple(Task(id=f"t{n}", phase="p", estimate_s=60.0) for n in range(8))
    story = Story(Plan(name="sick", format="stretto", phases=(Phase(id="p"),), tasks=tasks), parallel=8)
    for record in story.coordinator.state.tasks:
        story.tell(ev.Granted(at=1.0, task=record.id, attempt=1))
        story.tell(ev.AttemptStarted(at=1.0, task=record.id, attempt=1, agent="claude"))
    for n in range(5):
        story.failed(2.0 + n, f"t{n}", "it hangs")
    (told,) = (text for text in story.screen(20.0, width=120) if text.startswith("agent"))
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
    lines = at_work().screen(424.0, Look())
    assert lines[-1] == "landing   nothing now"


def test_keys_are_explained() -> None:
    lines = at_work().screen(424.0, Look(keys=KEYS, help=True))
    assert [text[:3] for text in lines[-4:]] == ["s  ", "d  ", "t  ", "◆  "]


def test_a_note_stands_where_the_keys_are() -> None:
    assert at_work().screen(424.0, Look(keys=KEYS, note="no, because"))[-1] == "no, because"
