"""`stretto explain`: why a task is where it is."""

from __future__ import annotations

from stretto.cli.options import Json, RunOption, TaskArgument


def explain(task: TaskArgument, run: RunOption = None, json: Json = False) -> None:
    """Say why a task is not running, why it failed, what it waits for and since when."""
    import sys
    import time

    import msgspec

    from stretto.cli import terminal
    from stretto.cli.place import find
    from stretto.core.explain import explain as ask
    from stretto.observe.explanation import explanation_text

    view = find(run).shown()
    view.must_have([task])
    answer = ask(view.coordinator, task)
    if json:
        print(msgspec.json.format(msgspec.json.encode(answer)).decode())
        return
    paint, width = terminal.paint(sys.stdout), terminal.width(sys.stdout)
    for text in explanation_text(
        view.state, view.engine, answer, now=time.time(), paint=paint, width=width, beside=view.beside()
    ):
        print(text)
