"""What people and programs see of a run: progress lines, status, explanations; and the text they are made of."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest

from stretto.core import events as ev
from stretto.core.coordinator import Coordinator
from stretto.core.explain import explain
from stretto.core.recovery import replay
from stretto.model.plan import Check, Phase, Plan, Task
from stretto.model.run import TARGET, Failure, LandEntry, Remark, RunSettings, Usage
from stretto.observe.console import Console
from stretto.observe.explanation import explanation_text
from stretto.observe.layout import wrap
from stretto.observe.paint import Paint, clock, cut, fit, line, span, width_of
from stretto.observe.snapshot import STATES, Beside, has_delivered, snapshot, status_text, total
from stretto.observe.words import failure, plain
from stretto.ports import Engine, Recorded

PLAIN = Paint(on=False)
ENGINE = Engine(pid=7, host="here")
PLAN = Plan(
    name="shop",
    format="stretto",
    phases=(Phase(id="one"), Phase(id="two", depends_on=("one",))),
    tasks=(
        Task(id="a", phase="one", writes=("x",), effect="changes", verify=(Check(command="make test"),)),
        Task(id="b", phase="one", writes=("x",)),
        Task(id="c", phase="two"),
    ),
)
ASKED = ev.AttemptGated(
    at=113.0,
    task="a",
    attempt=1,
    verdict="ask",
    remarks=(Remark(check="approval", message="Is the new design good enough to build on?"),),
)
GATE_RED = (Remark(check="make test", message="exit status 1\nmore"),)


def story(*, attempts: int = 1) -> list[ev.Event]:
    """`a` runs and its check is red."""
    settings = RunSettings(attempts=attempts, parallel=2, agent="scripted")
    return [
        ev.RunStarted(at=100.0, run="r-1", plan=PLAN, settings=settings, base="b" * 40, branch="stretto/r-1"),
        ev.RunResumed(at=100.0),
        ev.Granted(at=100.0, task="a", attempt=1),
        ev.AttemptStarted(at=101.0, task="a", attempt=1),
        ev.AttemptFinished(
            at=112.0, task="a", attempt=1, commit="a" * 40, paths=("x",), usage=Usage(input_tokens=3, cost_usd=0.5)
        ),
        ev.AttemptGated(at=113.0, task="a", attempt=1, verdict="red", remarks=GATE_RED),
    ]


LANDING: list[ev.Event] = [
    ev.Granted(at=120.0, task="b", attempt=1),
    ev.AttemptStarted(at=120.0, task="b", attempt=1),
    ev.AttemptFinished(at=121.0, task="b", attempt=1, commit="c" * 40, paths=("x",)),
    ev.BatchLanded(
        at=122.0, lane=TARGET, batch=1, landed=(LandEntry(task="b", attempt=1, commit="c" * 40),), commit="d" * 40
    ),
]


def lines(events: Iterable[ev.Event], *, after: int = 0, width: int | None = None) -> list[str]:
    said: list[str] = []
    console = Console(said.append, paint=PLAIN, quiet_until=after, width=width)
    console.notify([Recorded(seq=n, event=event) for n, event in enumerate(events, 1)])
    return said + list(console.summary())


def has(said: list[str], *words: str) -> bool:
    return any(all(word in text for word in words) for text in said)


# --- progress ------------------------------------------------------------------------------------------------------


def test_a_story_line_by_line() -> None:
    said = lines(story() + LANDING)
    assert "00:01  a  attempt 1 started" in said
    assert "00:12  a  attempt 1 done, 1 file changed; its checks run" in said
    assert "00:13  a  checks red: make test: exit status 1: more; it has failed" in said
    assert has(said, "b", "waits: may write the same as 'a' (ready): 'x'")
    assert "00:22  b  landed as dddddddddd" in said
    assert has(said, "00:13  c  skipped", "a")


def test_the_summary_says_what_to_do_now() -> None:
    said = lines(story() + LANDING)
    assert has(said, "r-1 failed")
    assert has(said, "1 succeeded, 1 failed, 1 skipped; took 00:22")
    assert has(said, "a: check red: make test: exit status 1: more")
    for command in ("stretto explain a --run r-1", "stretto retry --run r-1", "stretto land r-1"):
        assert has(said, command)
    assert has(said, "$0.50")


def test_a_second_try_is_announced() -> None:
    assert has(lines(story(attempts=2)), "checks red", "will be tried again")


def test_a_backoff_says_how_long() -> None:
    failed = ev.AttemptFailed(at=102.0, task="a", attempt=1, failure=Failure(kind="transient", message="busy"))
    assert has(lines([*story(attempts=2)[:4], failed]), "failed: trouble that may pass: busy", "next try in 2 s")


def test_done_without_an_effect_is_not_told_as_success() -> None:
    idle = ev.AttemptFinished(at=102.0, task="a", attempt=1, commit=None)
    assert has(lines([*story(attempts=2)[:4], idle]), "nothing changed, which is not enough; will be tried again")


def test_an_approval_says_the_command() -> None:
    said = lines([*story()[:5], ASKED], width=50)
    at = said.index("00:13  a  waits for your word: Is the new design")
    assert said[at + 1].strip() == "good enough to build on?"
    assert [text.split()[0] for text in said[at + 2 : at + 5]] == ["look:", "yes:", "no:"]
    assert has(said, "git show aaaaaaaaaa")
    assert has(said, "stretto approve a --run r-1")
    assert sum("waits for" in text for text in said) == 1, "the question is asked once"


def test_a_killed_run_says_so() -> None:
    assert has(lines(story()[:4]), "r-1 was killed")
    assert has(lines(story()[:4]), "stretto resume r-1")


def test_what_was_read_before_is_not_said_again() -> None:
    events = story() + LANDING
    assert not has(lines(events, after=len(events)), "started")
    resumed = lines(
        [*story()[:4], ev.AttemptLost(at=300.0, task="a", attempt=1, engine=True), ev.RunResumed(at=300.0)], after=4
    )
    assert has(resumed, "00:00  a", "lost: with its engine", "tried again")
    assert has(resumed, "resumed")


def test_a_refused_wish_is_not_told_as_granted() -> None:
    wish = ev.RequestReceived(at=115.0, request="q", wish=ev.TaskApproved(at=115.0, task="a"))
    said = lines([*story(), wish])
    assert has(said, "asked for, and refused")
    assert not has(said, "approved by")


def test_lines_hold_the_width_of_a_terminal() -> None:
    whole = [width_of(text) for text in lines(story(), width=200) if text[:2] == "00"]
    assert max(whole) > 60
    assert all(width_of(text) <= 60 for text in lines(story(), width=60) if text[:2] == "00")


# --- status --------------------------------------------------------------------------------------------------------


def test_status_json_has_the_shape_of_the_contract() -> None:
    state = replay(story() + LANDING).state
    told = msgspec.json.decode(msgspec.json.encode(snapshot(state, ENGINE)))
    assert list(told) == [
        "schema_version", "run", "plan", "state", "engine", "base", "branch", "phases", "tasks", "counts", "usage",
    ]  # fmt: skip
    assert told["schema_version"] == 1
    assert told["engine"] == {"pid": 7, "host": "here"}
    assert told["counts"] == dict.fromkeys(STATES, 0) | {"failed": 1, "skipped": 1, "succeeded": 1}
    assert [task["id"] for task in told["tasks"]] == ["a", "b", "c"]
    a, b, c = told["tasks"]
    assert list(a) == ["id", "phase", "state", "attempts", "reason", "commit", "ref", "usage"]
    assert (a["attempts"], a["commit"], a["usage"]["input_tokens"]) == (1, "a" * 40, 3)
    assert a["ref"].startswith("refs/stretto/r-1/task/a-")
    assert a["ref"].endswith("/1")
    assert b["commit"] == "d" * 40
    assert (c["ref"], c["commit"], c["attempts"]) == (None, None, 0)
    known = {"input_tokens": 3, "output_tokens": None, "cost_usd": 0.5}
    assert told["usage"] == known | {"cache_read_tokens": None, "cache_write_tokens": None}


def test_status_says_who_added_a_task_of_a_grown_run() -> None:
    own = {"a": "c", "b": "a task of a longer name"}
    tasks = tuple(msgspec.structs.replace(task, added_by=own.get(task.id, "")) for task in PLAN.tasks)
    grown = msgspec.structs.replace(PLAN, tasks=tasks)
    started = ev.RunStarted(at=100.0, run="r-1", plan=grown, settings=RunSettings(), base="b" * 40, branch="s/r-1")
    state = replay([started, *story()[1:]]).state
    told = msgspec.json.decode(msgspec.json.encode(snapshot(state, ENGINE)))
    assert [task.get("added_by", "-") for task in told["tasks"]] == ["c", "a task of a longer name", "-"]
    wide = status_text(state, None, now=200.0, paint=PLAIN, width=200).splitlines()
    a, b = (next(row for row in wide if row.startswith(f"  {id} ")) for id in "ab")
    assert "make test" in a and a.endswith("; added by 'c'")
    assert b.endswith("  added by 'a task of a longer name'")
    narrow = status_text(state, None, now=200.0, paint=PLAIN, width=60).splitlines()
    assert {"      added by 'c'", "      added by 'a task of a longer name'"} <= set(narrow)
    assert all(width_of(row) <= 60 for row in narrow if row.startswith("  "))


def test_usage_that_nobody_tells_is_unknown_and_not_nothing() -> None:
    assert total([Usage(), Usage()]) == Usage()
    assert total([Usage(output_tokens=1), Usage()]) == Usage(output_tokens=1)


@pytest.mark.parametrize("count", range(1, 11))
def test_status_fits_eighty_columns(count: int) -> None:
    text = status_text(replay((story() + LANDING)[:count]).state, ENGINE, now=200.0, paint=PLAIN, width=80)
    assert all(width_of(part) <= 80 for part in text.splitlines())


def test_a_dead_engine_is_said_plainly() -> None:
    state = replay(story()[:4]).state
    assert "no engine runs it" in status_text(state, None, now=200.0, paint=PLAIN)
    assert "stretto resume r-1" in status_text(state, None, now=200.0, paint=PLAIN)
    assert "no engine" not in status_text(state, ENGINE, now=200.0, paint=PLAIN)


def test_a_run_whose_engine_comes_up_is_not_called_killed() -> None:
    state = replay(story()[:1]).state
    assert "starting" in status_text(state, None, now=101.0, paint=PLAIN)
    assert "resume" not in status_text(state, None, now=101.0, paint=PLAIN)
    assert "killed" in status_text(state, None, now=200.0, paint=PLAIN)


def test_what_comes_from_outside_cannot_play_with_the_terminal() -> None:
    evil = Remark(check="x", message="\x1b[2J\x07red\r\nrest")
    events = [*story()[:5], ev.AttemptGated(at=113.0, task="a", attempt=1, verdict="red", remarks=(evil,))]
    coordinator = replay(events)
    answer = explanation_text(coordinator.state, None, explain(coordinator, "a"), now=1.0, paint=PLAIN)
    texts = [*lines(events), status_text(coordinator.state, None, now=200.0, paint=PLAIN), *answer]
    assert not [text for text in texts if "\x1b" in text or "\x07" in text]


def test_ids_and_branches_are_never_cut() -> None:
    long = "a-task-whose-id-is-much-longer-than-any-column-that-one-would-give-it"
    plan = msgspec.structs.replace(PLAN, tasks=(Task(id=long, phase="one"), *PLAN.tasks))
    branch = "stretto/" + "b" * 80
    start = ev.RunStarted(
        at=100.0, run="r-1", plan=plan, settings=RunSettings(agent="x"), base="b" * 40, branch=branch, done=()
    )
    events: list[ev.Event] = [start, ev.Granted(at=101.0, task=long, attempt=1)]
    events += [ev.AttemptStarted(at=101.0, task=long, attempt=1), ev.StopRequested(at=102.0, now=True)]
    events += [ev.AttemptCancelled(at=103.0, task=long, attempt=1, commit="e" * 40)]
    coordinator = replay(events)
    status = status_text(coordinator.state, None, now=200.0, paint=PLAIN, width=80)
    answer = explanation_text(coordinator.state, None, explain(coordinator, long), now=200.0, paint=PLAIN, width=80)
    said = list(answer)
    for texts in (lines(events, width=80), status.splitlines()):
        assert has(texts, long) and has(texts, branch)
    assert has(said, long)
    assert "    git show eeeeeeeeee" in said
    assert has(said, "stretto resume r-1")
    assert not has(said, "may start now")


def test_who_was_done_before_is_counted_apart() -> None:
    start = msgspec.structs.replace(story()[0], done=("a",))
    assert "3 tasks: 2 ready, 1 done before" not in status_text(replay([start]).state, ENGINE, now=1.0, paint=PLAIN)
    assert "1 ready, 1 pending, 1 done before" in status_text(replay([start]).state, ENGINE, now=1.0, paint=PLAIN)


def test_a_failure_is_told_with_the_last_word_of_its_program() -> None:
    broke = Failure(kind="permanent", message="exit status 64\nusage: agent\nno such model")
    events = [*story()[:4], ev.AttemptFailed(at=105.0, task="a", attempt=1, failure=broke)]
    state = replay(events).state
    assert has(lines(events), "a: trouble that will not pass: exit status 64: no such model")
    assert "no such model" in status_text(state, None, now=200.0, paint=PLAIN, width=120)
    plain = Failure(kind="failed", message="exit status 9")
    assert has(lines([*story()[:4], ev.AttemptFailed(at=105.0, task="a", attempt=1, failure=plain)]),
               "attempt 1 failed: exit status 9;")  # fmt: skip


def test_a_failure_in_a_line_has_no_full_stop_and_its_hint_apart() -> None:
    message = "usage: agent\nNot logged in · Please run /login.\nhint: run `claude` and log in"
    told = failure(Failure(kind="failed", message=message))
    assert told == "usage: agent: Not logged in · Please run /login (hint: run `claude` and log in)"
    again = Failure(kind="transient", message="Unable to connect (127.0.0.1:43617).")
    events = [*story(attempts=2)[:4], ev.AttemptFailed(at=105.0, task="a", attempt=1, failure=again)]
    said = lines(events)
    assert has(said, "(127.0.0.1:43617); ") and not has(said, ".;"), said


def test_what_has_been_delivered_is_not_to_be_landed_again() -> None:
    events = [*story(), *LANDING]
    note = ev.Noticed(at=9000.0, code=ev.DELIVERED, message="f" * 40)
    state = replay([*events, note]).state
    before = status_text(state, None, now=9001.0, paint=PLAIN)
    after = status_text(state, None, now=9001.0, paint=PLAIN, beside=Beside(delivered=True))
    assert "stretto land" in before and "stretto land" not in after
    assert "landed on your branch: ffffffffff" in after
    assert "took 00:22" in after, "landing it later makes the run no longer"
    assert "took" not in status_text(state, ENGINE, now=9001.0, paint=PLAIN), "a run that goes on took nothing yet"
    assert has_delivered(note, False) and not has_delivered(LANDING[-1], True) and has_delivered(events[0], True)
    assert not has(lines([*story(), *LANDING, note]), "stretto land")


def test_r8_3_wishes_that_wait_for_an_engine_are_shown() -> None:
    events = [*story()[:5], ASKED]
    wish = ev.TaskApproved(at=150.0, task="a")
    then = replay([*events, ev.RequestReceived(at=150.0, request="q", wish=wish)]).state
    coordinator, beside = replay(events), Beside(wishes=(wish,), then=then)
    status = status_text(coordinator.state, None, now=200.0, paint=PLAIN, beside=beside)
    assert "asked for: approve a; counts from the next `stretto resume r-1` on" in status
    assert "stretto approve" not in status
    answer = explain(coordinator, "a")
    said = list(explanation_text(coordinator.state, None, answer, now=200.0, paint=PLAIN, beside=beside))
    assert has(said, "asked for: approve a")
    assert not has(said, "stretto approve")


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("gate: make: exit status 2\nlots\nof output", "check red: make: exit status 2: of output"),
        ("conflict: with what has landed, in a.txt", "conflict with what has landed, in a.txt"),
        ("no_effect", "nothing changed"),
        ("failed: exit status 9", "exit status 9"),
        ("lost with its engine", "lost with its engine"),
        ("paused: quota: until noon", "paused: the usage limit is reached: until noon"),
        ("its claim meets 'src/**', held by 'a' (running)", "may write the same as 'a' (running): 'src/**'"),
    ],
)
def test_people_read_words_and_no_codes(reason: str, said: str) -> None:
    assert plain(reason) == said


@pytest.mark.parametrize("width", [10, 20, 37, 80])
def test_lines_break_between_words_and_lose_nothing(width: int) -> None:
    text = "say `stretto approve a --run r-1` when 名前 are well-known " + "x" * 90
    got = wrap(text, width, first="note: ", rest="    ")
    assert " ".join(part.strip() for part in got) == "note: " + text
    assert all(width_of(part) <= width or len(part.split("`")) in (1, 3) for part in got)
    assert any("`stretto approve a --run r-1`" in part for part in got)
    assert wrap(text, None, first="note: ") == ["note: " + text]


# --- explain -------------------------------------------------------------------------------------------------------


def explained(coordinator: Coordinator, task: str) -> str:
    answer = explain(coordinator, task)
    return "\n".join(explanation_text(coordinator.state, ENGINE, answer, now=200.0, paint=PLAIN))


@pytest.mark.parametrize("count", range(1, 11))
def test_every_task_is_explained_after_every_event(count: int) -> None:
    coordinator = replay((story() + LANDING)[:count])
    for record in coordinator.state.tasks:
        verb = "has" if record.state in ("succeeded", "failed") else "is"
        start = f"{record.id} (phase {record.task.phase}) {verb} {record.state}"
        assert explained(coordinator, record.id).startswith(start)


def test_a_chain_of_waits_is_followed_to_who_is_at_work() -> None:
    text = explained(replay(story()[:4]), "c")
    assert "waits for phase 'one' to land; left: 'a', 'b'" in text
    assert "a is running: attempt 1" in text


def test_earlier_attempts_are_told_with_what_their_checks_said() -> None:
    text = explained(replay(story()), "a")
    assert text.count("exit status 1\n") == 1, "told once"
    assert "attempt 1 did not succeed: check red" in text
    assert "git show aaaaaaaaaa" in text
    assert "exit status 1\n    more" in text
    assert "stretto logs a --run r-1" in text


# --- text ----------------------------------------------------------------------------------------------------------


def test_paint_only_where_it_is_wanted() -> None:
    assert PLAIN.state("failed", 9) == "failed   "
    assert Paint(on=True)("x", "red") == "\x1b[31mx\x1b[0m"


@pytest.mark.parametrize(("text", "width"), [("plain", 3), ("日本語テキスト", 7), ("", 4), ("exactly", 7)])
def test_fit_is_exact(text: str, width: int) -> None:
    assert width_of(fit(text, width)) == width
    assert width_of(cut(text, width)) <= width


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0.0s"), (0.42, "0.4s"), (9.97, "10s"), (59.6, "1m00s"), (7500, "2h05m"), (100000, "1d03h")],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_clock_and_first_line() -> None:
    assert (clock(12.9), clock(3723)) == ("00:12", "1:02:03")
    assert line("\n  \x1b[1mfirst\x1b[0m  \nsecond") == "first"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "exit status 1\nthrow err\nAssertionError: 1 is not 2\n    at assert.ok (x.js:1)\n{\n  code: 'ERR_X'\n}\n\n"
            "Node.js v20.20.2",
            "exit status 1: AssertionError: 1 is not 2",
        ),
        ("exit status 2\nerror: no such file\nmake: *** [test] Error 1", "exit status 2: error: no such file"),
        ("exit status 1\nstep 1\nstep 2", "exit status 1: step 2"),
        (
            "transient: set-up command 'npm ci' ended with status 1\nfetching\nno such package\n"
            "hint: its output: /tmp/a/2.setup.log; next try in 2 s",
            "trouble that may pass: set-up command 'npm ci' ended with status 1: no such package; next try in 2 s",
        ),
        ("hint: alone", "hint: alone"),
    ],
)
def test_one_line_holds_what_went_wrong_and_no_hint(said: str, told: str) -> None:
    assert plain(said) == told


def test_status_heads_a_phase_with_its_title_beside_its_id() -> None:
    titled = Plan(
        name="shop",
        format="spec-kit",
        phases=(Phase(id="1", title="Setup (Shared Infrastructure)"), Phase(id="main", title="main")),
        tasks=(Task(id="a", phase="1"), Task(id="b", phase="main")),
    )
    started = ev.RunStarted(at=1.0, run="r", plan=titled, settings=RunSettings(), base="b" * 40, branch="s/r")
    state = replay([started]).state
    told = status_text(state, ENGINE, now=2.0, paint=PLAIN, width=80).splitlines()
    assert "1  Setup (Shared Infrastructure)" in told and "main" in told
    assert "1  Setup (Shared I…" in status_text(state, ENGINE, now=2.0, paint=PLAIN, width=19).splitlines()
