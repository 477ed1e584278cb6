"""`stretto scaffold menu`: the papers and the runs of a folder, by number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stretto.cli.scaffold_subplans import Author, FolderArgument, Writers

if TYPE_CHECKING:
    from stretto.cli.scaffold_batch import How
    from stretto.cli.scaffold_folder import Opened
    from stretto.recipes.subplans.advice import Advice
    from stretto.recipes.subplans.batch import Kind


def menu(folder: FolderArgument, agent: Author = None, jobs: Writers = None) -> int:
    """Choose by number: batches of papers, a run, the dependency graph; with what is advised next."""
    from stretto.cli import terminal
    from stretto.cli.scaffold_batch import How
    from stretto.cli.scaffold_folder import opened
    from stretto.cli.scaffold_progress import advised
    from stretto.errors import ConfigError, StrettoError

    if not terminal.is_interactive():
        raise ConfigError("the menu needs a terminal", hint="the same by flags: stretto scaffold --help")
    how = How(agent=agent, jobs=jobs)
    while True:
        found = opened(folder)
        told = advised(found)
        _show(found, told)
        choice = _answer("Choose: ")
        if choice is None or choice in ("5", "b", "q"):
            return 0
        try:
            _do(choice, found, told, how)
        except StrettoError as error:
            terminal.say(str(error), label="error")
            if error.hint:
                terminal.hint(error.hint)


def _show(opened: Opened, told: Advice) -> None:
    import sys

    from stretto.cli import terminal
    from stretto.cli.scaffold_telling import NAMES, headline, state_lines
    from stretto.observe.paint import count
    from stretto.recipes.subplans.batch import batch, hollow

    paint = terminal.paint(sys.stdout)
    print()
    print(paint(headline(opened.progress), "bold"))
    for text in state_lines(opened.progress, told):
        terminal.say(text)

    def lacking(kind: Kind) -> str:
        plan = batch(opened.progress, kind)
        able = plan.make and not opened.progress.circle
        return f"{len(plan.make)} at level {plan.level}" if able else f"no {NAMES[kind]} can be created now"

    marked = _MARKS.get(told.action, "")
    lines = {
        "1": f"Batch create SUBPLANs ({lacking('subplans')})",
        "2": f"Batch create EXECUTIONs ({lacking('executions')})",
        "3": f"Run parallel executions ({', '.join(_runnable(opened)) or 'none has an EXECUTION_TASK'})",
        "4": "View dependency graph",
        "5": "Back",
        "n": "Prompt for the next step",
    }
    if items := hollow(opened.progress):
        lines["f"] = f"Fill {count(len(items), 'placeholder')}"
    if told.action == "approve":
        lines["a"] = f"Approve what has been done ({', '.join(told.ids)})"
    for key, text in lines.items():
        print(f"  {key}. {text}" + (paint("  <- recommended", "green") if key == marked else ""))


_MARKS = {
    "batch_subplan": "1",
    "create_subplan": "1",
    "batch_execution": "2",
    "create_execution": "2",
    "execute_parallel": "3",
    "execute": "3",
    "fill": "f",
    "approve": "a",
    "blocked": "4",
}


def _do(choice: str, opened: Opened, told: Advice, how: How) -> None:
    from stretto.cli import terminal
    from stretto.cli.scaffold_approve import approved
    from stretto.cli.scaffold_batch import fill
    from stretto.cli.scaffold_folder import opened as open_again
    from stretto.cli.scaffold_progress import next_prompt

    match choice:
        case "1":
            _batch(open_again(opened.folder, sound=True), "subplans", how)
        case "2":
            _batch(open_again(opened.folder, sound=True), "executions", how)
        case "3":
            _run(opened, how)
        case "4":
            _graph(opened)
        case "n":
            text, about = next_prompt(opened)
            terminal.say(about)
            print(text)
        case "f":
            fill(open_again(opened.folder, sound=True), None, how)
        case "a":
            approved(open_again(opened.folder, sound=True), told.ids if told.action == "approve" else (), how)
        case _:
            terminal.say(f"{choice!r} is no choice")


def _batch(opened: Opened, kind: Kind, how: How) -> None:
    """Which level, then as by flags: preview, question, result."""
    from stretto.cli.scaffold_batch import create
    from stretto.cli.scaffold_folder import level_of
    from stretto.recipes.subplans.batch import batch

    usual = batch(opened.progress, kind).level
    if usual is not None:
        last = max(opened.progress.levels)
        answer = _answer(f"Level, 0 to {last} or all [{usual}]: ")
        if answer is None:
            return
        create(opened, kind, level_of(answer or str(usual)), how)
    else:
        create(opened, kind, None, how)


def _runnable(opened: Opened) -> tuple[str, ...]:
    """What can be done now, and has the papers for it."""
    return tuple(one.id for one in opened.progress.available if one.executions and not one.hollow)


def _run(opened: Opened, how: How) -> None:
    """The plan itself, by the usual engine: what can go on now, those that the person names, or all that have papers,
    each as soon as those before it have landed."""
    from stretto.cli import terminal
    from stretto.cli.options import Isolation
    from stretto.cli.run import run
    from stretto.cli.scaffold_telling import tasks_of
    from stretto.errors import ConfigError

    ids = _runnable(opened)
    if not ids:
        terminal.say("nothing that can go on has an EXECUTION_TASK")
        return
    ready = tuple(one.id for one in opened.progress.open if one.executions and not one.hollow)
    more = f", or all of {', '.join(ready)}" if len(ready) > len(ids) else ""
    answer = _answer(f"Which, with commas{more} [{','.join(ids)}]: ")
    if answer is None:
        return
    named = tuple(id.strip() for id in answer.split(",") if id.strip())
    chosen = ready if answer == "all" else named or ids
    if unknown := [id for id in chosen if id not in ready]:
        raise ConfigError(f"{', '.join(unknown)} cannot be run now", hint=f"there are {', '.join(ready)}")
    only = list(tasks_of(opened, chosen))
    where = None if opened.here_is_git else Isolation.NONE
    run(str(opened.file), only=only, agent=how.agent, jobs=how.jobs, isolation=where)


def _graph(opened: Opened) -> None:
    import sys

    from stretto.cli import terminal
    from stretto.cli.scaffold_telling import graph_lines

    for text in graph_lines(opened.progress, terminal.paint(sys.stdout)):
        print(text)


def _answer(question: str) -> str | None:
    """What the person types; None at the end of input."""
    import sys

    print(question, end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer:
        print(file=sys.stderr)
        return None
    return answer.strip().casefold()
