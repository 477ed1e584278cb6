"""What the agent of one task is told: the task file as it is, and where it belongs."""

from __future__ import annotations

from stretto.formats.ccpm.paper import Paper


def prompt(id: str, paper: Paper, epic: str) -> str:
    title = paper.title
    head = f"Task {id} of the epic {epic!r}" if epic else f"Task {id}"
    parts = [f"{head}: {title}" if title else head, paper.body]
    parts.append(
        "Do this task and nothing else. The files of the epic are kept by others: leave their keys and check boxes as "
        "they are, and open or close no issue."
    )
    return "\n\n".join(part for part in parts if part)
