"""`stretto explain`: why a task is where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stretto.cli.options import Json, RunOption, TaskArgument

if TYPE_CHECKING:
    from stretto.cli.place import View


def explain(task: TaskArgument, run: RunOption = None, json: Json = False) -> None:
    """Say why a task is not running, why it failed, what it waits for and since when."""
    import sys
    import time

    import msgspec
    from msgspec.structs import replace

    from stretto.cli import terminal
    from stretto.cli.place import find
    from stretto.core.explain import explain as ask
    from stretto.observe.explanation import explanation_text

    view = find(run).shown()
    view.must_have([task])
    answer = ask(view.coordinator, task)
    if not answer.note and (refused := _not_added(view, task)):
        answer = replace(answer, note=refused)
    if json:
        print(msgspec.json.format(msgspec.json.encode(answer)).decode())
        return
    paint, width = terminal.paint(sys.stdout), terminal.width(sys.stdout)
    for text in explanation_text(
        view.state, view.engine, answer, now=time.time(), paint=paint, width=width, beside=view.beside()
    ):
        print(text)


def _not_added(view: View, task: str) -> str:
    """Why the tasks that its latest attempt wanted are not there, where the core never saw them; else empty."""
    from stretto.core.events import AttemptStarted, Noticed

    why = ""
    for one in view.recorded:
        match one.event:
            case AttemptStarted(task=other) if other == task:
                why = ""
            case Noticed(code="not-added", message=message, tasks=tasks) if task in tasks:
                why = message
    return why
