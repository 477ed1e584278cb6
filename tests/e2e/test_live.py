"""The live view in a real terminal: what stands there, at every size, and that nothing of it is left at the end."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import needed
from e2e.held import Held
from e2e.terminals import Terminal
from e2e.toy import until

PLAN = """
name: shop
phases:
  - id: groundwork
    tasks:
      - {id: schema, prompt: x, writes: [schema.txt]}
      - {id: style, prompt: x, writes: [style.txt], title: 日本語のスタイル 👩‍👩‍👧}
  - id: features
    depends_on: [groundwork]
    tasks:
      - {id: login, prompt: x, writes: [login.txt, routes.txt]}
      - {id: search, prompt: x, writes: [search.txt, routes.txt]}
      - {id: broken, prompt: x, writes: [broken.txt]}
"""
AGENT = r"""
printf 'Reading %s \033[31min red\033[0m with 日本 and very many words that no line ' "$STRETTO_TASK"
printf 'of a narrow terminal holds at all\r\n'
while [ ! -e "$MARK/$STRETTO_TASK" ] && [ ! -e "$MARK/go" ]; do sleep 0.05; done
[ "$STRETTO_TASK" != broken ] || { echo 'it is broken'; exit 65; }
echo done > "$STRETTO_TASK.txt"
"""
SETTINGS = f"parallel = 3\nagent = \"slow\"\n[env]\npass = [\"MARK\"]\n[agents.slow]\ncommand = '''{AGENT}'''\n"
RUN = "stretto run plan.yaml --yes; echo code $?"


@pytest.fixture
def tmux() -> Path:
    return needed("tmux", shutil.which("tmux"), "apt-get install tmux")


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[Held]:
    """Agents that say something, and wait for a word of the test."""
    toy = Held(tmp_path, {"plan.yaml": PLAN, "stretto.toml": SETTINGS})
    yield toy
    toy.go()
    until(lambda: not toy.processes(), f"nothing is left: {toy.processes()}")


def begin(terminal: Terminal) -> None:
    """Type the run, and wait until an agent of it has said something."""
    terminal.type(RUN)
    terminal.until("schema", "running", "Reading")


def row(lines: list[str], task: str) -> str:
    return next((text for text in lines if f" {task} " in text[:12]), "")


def is_neat(terminal: Terminal, columns: int, height: int) -> bool:
    """One frame, whole: its first line on top, its last below, nothing beside it or twice, and no line broken."""
    lines = terminal.screen()
    heads = [text for text in lines if text.startswith("shop-")]
    return (
        lines[:1] == heads
        and len(lines) <= height
        and lines[-1].startswith(("s stop", "s end"))
        and all(len(text) < columns for text in lines)
        and not terminal.is_broken
    )


def is_given_back(terminal: Terminal) -> None:
    """The terminal is as before: the first page, with a cursor, and what is typed can be seen."""
    terminal.type("echo once mo''re")
    terminal.until("once more")
    terminal.until("$ echo once mo''re")
    assert not terminal.second_page
    assert terminal.cursor
    assert terminal.wraps
    assert not any("◆" in text or "t all tasks" in text for text in terminal.history())


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (200, 50)], ids=["80x24", "200x50"])
def test_a_run_from_start_to_end(tmux: Path, toy: Held, columns: int, lines: int) -> None:
    with Terminal(tmux, toy, columns, lines) as terminal:
        before = terminal.modes()
        terminal.type(RUN)

        seen = terminal.until("schema", "running", "Reading schema in red")
        until(lambda: is_neat(terminal, columns, lines), "one frame, whole")
        assert "0 of 5 done" in seen[0]
        assert "2 of 3 places used" in seen[1]
        assert row(seen, "login").startswith(" · login  ◆ pending")
        assert row(seen, "login").endswith("after groundwork")
        assert ("that no line" in row(seen, "schema")) == (columns == 200)
        assert ("日本語のスタイル" in row(seen, "style")) == (columns == 200)
        assert {"-echo", "-icanon", "isig"} <= terminal.modes()
        assert not terminal.cursor

        toy.go("schema", "style")
        seen = terminal.until("login", "running")
        terminal.until("broken", "running", "Reading broken")
        assert "waits for login to let go of routes.txt" in row(terminal.screen(), "search")
        assert row(terminal.screen(), "schema").startswith(" ✓ schema   succeeded")

        toy.go("broken")
        seen = terminal.until("✗ broken", "failed")
        until(lambda: is_neat(terminal, columns, lines), "one frame, whole")
        assert "1 failed" in seen[0]
        assert "exit status 65" in row(seen, "broken")

        for size in ((60, 18), (columns, lines), (132, 30)):
            terminal.resize(*size)
            until(lambda size=size: is_neat(terminal, *size), f"a frame of {size}")  # type: ignore[misc]
            assert row(terminal.screen(), "search").split()[2] == "ready"

        toy.go()
        terminal.until("code 1")
        is_given_back(terminal)
        assert terminal.modes() == before
        told = " ".join(" ".join(terminal.history()).split())
        assert told.count("broken attempt 1 failed: trouble that will not pass: exit status 65") == 1
        assert "4 succeeded, 1 failed; took" in told
        assert "next: stretto explain broken" in told
        assert "attempt 1 started" not in told, "no line but of failures"


FULL = """
import sys
from stretto.cli.screen import Screen
with Screen(sys.stdout, sys.stdin) as screen:
    while "q" not in screen.wait(0.05):
        columns, lines = screen.size()
        screen.draw(["x" * columns] * lines)
"""


def test_a_screen_that_was_full_and_another_size_leaves_nothing_behind(tmux: Path, toy: Held) -> None:
    (toy.root / "full.py").write_text(FULL)
    with Terminal(tmux, toy) as terminal:
        terminal.type(f"{sys.executable} {toy.root}/full.py; echo code $?")
        for columns, lines in ((80, 24), (200, 50), (60, 15), (120, 40)):
            terminal.resize(columns, lines)
            until(lambda want=["x" * (columns - 1)] * lines: terminal.screen() == want, "it is full")  # type: ignore[misc]
        terminal.press("q")
        terminal.until("code 0")
        assert not any("xx" in text for text in terminal.history())


def test_keys_stop_a_run_and_then_what_runs(tmux: Path, toy: Held) -> None:
    with Terminal(tmux, toy) as terminal:
        begin(terminal)
        terminal.press("?")
        terminal.until("s  stop: what runs may finish")
        terminal.press("?", "t")
        terminal.until("t what matters")
        terminal.press("s")
        terminal.until("stopping  nothing more starts")
        terminal.until("s end what runs, too")
        until(lambda: toy.status()["state"] == "draining", "the run drains")
        assert "running" in toy.states().values()
        terminal.press("s")
        terminal.until("code 130")
        is_given_back(terminal)
        assert toy.states() == dict.fromkeys(("schema", "style"), "ready") | dict.fromkeys(
            ("login", "search", "broken"), "pending"
        )


def test_r8_2_a_run_that_was_detached_goes_on_and_can_be_come_back_to(tmux: Path, toy: Held) -> None:
    with Terminal(tmux, toy) as terminal:
        begin(terminal)
        terminal.press("d")
        terminal.until("code 0")
        terminal.until("goes on in the background")
        is_given_back(terminal)
        run = toy.status()["run"]
        assert any(f"stretto status {run} --watch" in text for text in terminal.screen())
        assert toy.status()["state"] == "running"
        assert toy.status()["engine"]

        toy.go("schema", "style")
        terminal.type("clear; stretto status --watch; echo watched $?")
        seen = terminal.until("login", "running", "Reading")
        assert "q quit" in seen[-1]
        assert "d detach" not in seen[-1]
        terminal.press("q")
        terminal.until("watched 0")
        terminal.until(f"{run} goes on: 2 succeeded")
        is_given_back(terminal)

        terminal.type("clear; stretto status --watch; echo watched $?")
        terminal.until("login", "running", "Reading")
        terminal.press("C-c")
        terminal.until("watched 130")
        is_given_back(terminal)
        assert toy.status()["state"] == "running"

        terminal.type("clear; stretto status --watch; echo watched $?")
        terminal.until("login", "running", "Reading")
        terminal.press("s")
        terminal.until("stopping  nothing more starts")
        toy.go()
        terminal.until("watched 0")
        terminal.until(f"next: stretto resume {run}")
        is_given_back(terminal)
        assert toy.status()["state"] == "stopped"
        assert toy.states()["search"] == "ready"


def test_r8_2_the_end_of_a_front_that_was_told_to_let_go_means_nothing(tmux: Path, toy: Held) -> None:
    """Neither its death nor the end of its terminal."""
    with Terminal(tmux, toy) as terminal:
        begin(terminal)
        terminal.press("d")
        terminal.until("code 0")
    assert toy.status()["state"] == "running"
    toy.go()
    until(lambda: toy.status()["engine"] is None, "the run ends")
    assert toy.status()["state"] == "failed"
    assert sorted(toy.states().values()) == ["failed", *["succeeded"] * 4]


def test_r8_2_the_end_of_the_terminal_drains(tmux: Path, toy: Held) -> None:
    with Terminal(tmux, toy) as terminal:
        begin(terminal)
    until(lambda: toy.status()["state"] == "draining", "the run drains")
    toy.go()
    until(lambda: toy.status()["engine"] is None, "the run ends")
    assert toy.states() == dict.fromkeys(("schema", "style"), "succeeded") | dict.fromkeys(
        ("login", "search", "broken"), "ready"
    )


def test_r8_6_control_c_drains_and_ends(tmux: Path, toy: Held) -> None:
    with Terminal(tmux, toy) as terminal:
        begin(terminal)
        terminal.press("C-c")
        terminal.until("stopping  nothing more starts")
        toy.go()
        terminal.until("code 130")
        is_given_back(terminal)
        assert toy.states()["schema"] == "succeeded"


def test_control_z_gives_the_terminal_to_the_shell_and_the_run_goes_on(tmux: Path, toy: Held) -> None:
    with Terminal(tmux, toy) as terminal:
        terminal.type("stretto run plan.yaml --yes")
        terminal.until("schema", "running", "Reading")
        terminal.press("C-z")
        terminal.until("Stopped")
        is_given_back(terminal)
        toy.go("schema", "style")
        until(lambda: toy.states()["login"] == "running", "the run goes on")
        terminal.type("fg; echo code $?")
        terminal.until("login", "running", "Reading")
        until(lambda: is_neat(terminal, 80, 24), "one frame, whole")
        assert not terminal.cursor
        toy.go()
        terminal.until("code 1")
        is_given_back(terminal)


def test_r8_2_a_killed_engine_leaves_a_terminal_and_the_way_on(tmux: Path, toy: Held) -> None:
    with Terminal(tmux, toy) as terminal:
        begin(terminal)
        os.kill(toy.status()["engine"]["pid"], signal.SIGKILL)
        terminal.until("code 3")
        terminal.until("hint: stretto resume")
        is_given_back(terminal)


def test_what_breaks_in_the_front_leaves_a_terminal(tmux: Path, toy: Held) -> None:
    with Terminal(tmux, toy) as terminal:
        begin(terminal)
        (journal,) = toy.state.glob("*/runs/*/journal.sqlite3")
        journal.rename(journal.with_name("hidden"))
        terminal.until("code 3")
        terminal.until("error: there is no journal")
        is_given_back(terminal)
        journal.with_name("hidden").rename(journal)


def test_a_watched_run_ends_with_its_summary_whoever_runs_it(tmux: Path, toy: Held) -> None:
    front = toy.front("run", "plan.yaml", "--yes")
    until(lambda: toy.states().get("schema") == "running", "it runs")
    with Terminal(tmux, toy) as terminal:
        terminal.type("stretto status --watch; echo watched $?")
        terminal.until("schema", "running", "Reading")
        toy.go()
        terminal.until("watched 0")
        terminal.until("4 succeeded, 1 failed; took")
        is_given_back(terminal)
        terminal.type("clear; stretto status --watch; echo watched $?")
        terminal.until("watched 0")
        terminal.until("trouble that will not pass: exit status 65")
        assert not terminal.second_page, "what has ended needs no watching"
    assert front.wait(timeout=60) == 1


@pytest.mark.parametrize("term", ["dumb", "vt100"])
def test_a_terminal_that_cannot_draw_gets_lines(tmux: Path, toy: Held, term: str) -> None:
    toy.go()
    with Terminal(tmux, toy) as terminal:
        terminal.type(f"TERM={term} {RUN}")
        terminal.until("code 1")
        told = "\n".join(terminal.history())
        assert "schema  attempt 1 started" in told
        assert "4 succeeded, 1 failed; took" in told


def test_no_color_is_a_live_view_without_colours(tmux: Path, toy: Held) -> None:
    with Terminal(tmux, toy) as terminal:
        terminal.type(f"NO_COLOR=1 {RUN}")
        terminal.until("schema", "running", "Reading")
        assert "\x1b[" not in terminal.colours().replace("\x1b[39m", "").replace("\x1b[49m", "")
        toy.go()
        terminal.until("code 1")


def test_in_the_background_nothing_is_drawn_over_what_the_user_does(tmux: Path, toy: Held) -> None:
    with Terminal(tmux, toy) as terminal:
        terminal.type("stretto run plan.yaml --yes > /dev/tty 2>&1 &")
        until(lambda: toy.states().get("schema") == "running", "it runs")
        assert not terminal.second_page
        toy.go()
        terminal.until("4 succeeded, 1 failed; took")


def test_the_demo_is_drawn_and_told_to_its_end(tmux: Path, toy: Held) -> None:
    with Terminal(tmux, toy) as terminal:
        terminal.type("clear; stretto demo; echo code $?")
        seen = terminal.until("login", "running")
        assert seen[0].startswith("shop-")
        terminal.until("code 0")
        told = "\n".join(terminal.history())
        assert told.count("  yes  ") == 10
        assert "profile  checks red" in told
        assert "8 succeeded; took" in told
        is_given_back(terminal)
