"""Draws the task states into ARCHITECTURE.md, from the table that the core itself obeys."""

from __future__ import annotations

from pathlib import Path

from stretto.core.state import LEGAL
from stretto.model.run import FINAL_STATES

PAGE = Path(__file__).resolve().parent.parent / "ARCHITECTURE.md"
BEGIN, END = "<!-- generated:state-diagram -->", "<!-- /generated:state-diagram -->"


def render() -> str:
    """The diagram, as a Mermaid block."""
    first = next(iter(LEGAL))
    steps = [f"    {before} --> {after}" for before, afters in LEGAL.items() for after in afters]
    ends = [f"    {state} --> [*]" for state in LEGAL if state in FINAL_STATES]
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {first}", *steps, *ends, "```"])


def insert(page: str) -> str:
    """The page with what is between its markers drawn again. ValueError when it has no markers."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{render()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(insert(PAGE.read_text()))
