"""The menu of a folder of achievements, in a real terminal: every option works, down to all approved."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

import pytest

from conftest import needed
from e2e.folders import HOME, SHOP, WORKER, WRITER, papers, real, statuses
from e2e.terminals import Terminal
from e2e.toy import Toy, until


class Menu:
    """The menu, and what stands at the end of the screen."""

    def __init__(self, terminal: Terminal, toy: Toy, home: str) -> None:
        toy.commit("who works", {"stretto.toml": f"agent = {WORKER!r}\n"})
        self._terminal, self._toy, self._home = terminal, toy, home
        terminal.type(f"clear; stretto scaffold menu {home}; echo code $?")
        self.asks("Choose:")

    def asks(self, words: str, more_than: int = 0) -> list[str]:
        """Wait until this question stands at the end, unanswered, below so many lines; what was ever printed."""

        def seen() -> list[str] | None:
            lines = self._terminal.history()
            last = lines[-1]
            return lines if len(lines) > more_than and last.startswith(words) and last[-1] in ":]" else None

        try:
            found: list[str] = until(seen, f"{words} at the end of the screen")
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n".join(self._terminal.history())) from None
        return found

    def does(self, *answers: tuple[str, str]) -> str:
        """Type each answer when its question stands there; what has been printed when the menu is back."""
        before = lines = len(self._terminal.history())
        for question, answer in answers:
            lines = len(self.asks(question, lines if lines > before else 0))
            self._terminal.type(answer)
        return "\n".join(self.asks("Choose:", lines)[before - 1 :])

    def leave(self) -> None:
        self._terminal.type("5")
        self._terminal.until("code 0")


@pytest.fixture
def tmux() -> Path:
    return needed("tmux", shutil.which("tmux"), "apt-get install tmux")


@pytest.fixture
def shop(tmux: Path, tmp_path: Path) -> Iterator[tuple[Toy, Menu]]:
    toy = Toy(tmp_path, SHOP)
    with Terminal(tmux, toy, 110, 60) as terminal:
        yield toy, Menu(terminal, toy, HOME)


def test_from_nothing_to_all_created_and_approved(shop: tuple[Toy, Menu]) -> None:
    toy, menu = shop
    told = menu.does(("Choose:", "1"), ("Level, 0 to 1 or all [0]:", "all"), ("Create 3 SUBPLANs? [y/N]", "y"))
    assert "created 3 of 3" in told and "2. Batch create EXECUTIONs (2 at level 0)  <- recommended" in told
    told = menu.does(("Choose:", "2"), ("Level, 0 to 1 or all [0]:", "all"), ("Create 3 EXECUTION_TASKs?", "y"))
    assert "created 3 of 3" in told and "3. Run parallel executions (1.1, 1.2)  <- recommended" in told
    told = menu.does(("Choose:", "3"), ("Which, with commas, or all of", ""), ("Run it? [Y/n]", "y"))
    assert "a. Approve what has been done (1.1, 1.2)  <- recommended" in told
    told = menu.does(("Choose:", "a"), ("Approve 2 achievements? [y/N]", "y"))
    assert "SHOP: 2/3 complete (66 %)" in told and "recommended: execute: run it: 2.1" in told
    menu.does(("Choose:", "3"), ("Which, with commas", "2.1"), ("Build on them? [Y/n]", "y"), ("Run it? [Y/n]", "y"))
    told = menu.does(("Choose:", "a"), ("Approve 1 achievement? [y/N]", "y"))
    assert "SHOP: 3/3 complete (100 %)" in told and "recommended: complete" in told
    assert set(statuses(toy, HOME).values()) == {"complete"}
    menu.leave()


def test_the_graph_the_prompt_the_placeholders_and_answers_that_are_none(shop: tuple[Toy, Menu]) -> None:
    toy, menu = shop
    told = menu.does(("Choose:", "4"))
    assert "2.1 -> depends on: 1.1, 1.2  [not_started]" in told and "1.1 -> depends on: nothing" in told
    assert "## Your task: Write subplans/SUBPLAN_SHOP_11.md" in menu.does(("Choose:", "n"))
    assert "'9' is no choice" in menu.does(("Choose:", "9"))
    assert "nothing that can go on has an EXECUTION_TASK" in menu.does(("Choose:", "3"))
    before = papers(toy, HOME)
    told = menu.does(("Choose:", "1"), ("Level, 0 to 1 or all [0]:", ""), ("Create 2 SUBPLANs? [y/N]", ""))
    assert "nothing was written" in told and papers(toy, HOME) == before
    assert "there is no level 8" in menu.does(("Choose:", "1"), ("Level, 0 to 1 or all [0]:", "8"))
    assert "its SUBPLAN is missing" in menu.does(("Choose:", "2"), ("Level, 0 to 1 or all [0]:", "1"))
    toy.write({f"{HOME}/subplans/SUBPLAN_SHOP_11.md": "[TO BE FILLED]\n"})
    assert "f. Fill 1 placeholder  <- recommended" in menu.does(("Choose:", "9"))
    assert "filled 1 of 1" in menu.does(("Choose:", "f"), ("Fill 1 placeholder? [y/N]", "y"))
    menu.leave()


def test_a_real_folder_from_nothing_to_all_created_and_approved(tmux: Path, tmp_path: Path) -> None:
    toy, home = real(tmp_path)
    with Terminal(tmux, toy, 110, 60) as terminal:
        menu = Menu(terminal, toy, home)
        menu.does(("Choose:", "1"), ("Level, 0 to 6 or all [0]:", "all"), ("Create 9 SUBPLANs? [y/N]", "y"))
        menu.does(("Choose:", "2"), ("Level, 0 to 6 or all [0]:", "all"), ("Create 9 EXECUTION_TASKs?", "y"))
        menu.does(("Choose:", "3"), ("Which, with commas, or all of", "all"), ("Run it? [Y/n]", "y"))
        told = menu.does(("Choose:", "a"), ("Approve 9 achievements? [y/N]", "y"))
        assert "9/9 complete (100 %)" in told and "recommended: complete" in told
        menu.leave()
    assert set(statuses(toy, home).values()) == {"complete"} and len(statuses(toy, home)) == 9


@pytest.mark.parametrize(("answer", "left"), [("y", {"subplans/SUBPLAN_SHOP_11.md"}), ("n", set[str]())])
def test_who_is_at_the_terminal_says_what_becomes_of_the_papers_that_are_whole(
    tmux: Path, tmp_path: Path, answer: str, left: set[str]
) -> None:
    bad = WRITER.replace("shell: ", "shell: case $STRETTO_TASK in *_12) exit 65;; esac; ")
    command = f"stretto scaffold subplans {HOME} --agent {quote(bad)}"
    toy = Toy(tmp_path, {**SHOP, "run.sh": command})
    before = papers(toy, HOME).keys()
    with Terminal(tmux, toy, 110, 60) as terminal:
        terminal.type("sh run.sh; echo code $?")
        terminal.until("Create 2 SUBPLANs? [y/N]")
        terminal.type("y")
        terminal.until("Keep what is whole (1 paper)? [Y/n]")
        terminal.type(answer)
        terminal.until("code 1")
    assert papers(toy, HOME).keys() - before == left
