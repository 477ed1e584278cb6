"""A plan as a Mermaid flowchart, which pages for Markdown draw where it stands in a fence."""

from __future__ import annotations

from collections.abc import Iterator

from stretto.observe.paint import cut, span
from stretto.observe.views.picture import Box, Picture

MOST_ARROWS = 450
"""GitHub draws no diagram with more than 500."""
_TITLE = 40
_ENTITIES = {ord(c): f"#{ord(c)};" for c in '"#&<>`$%;'} | {ord("\\"): "#8726;"}
"""In a label these mean something, even between quotes; written as numbers they do not. A backslash would not even
then be safe, since it is looked at once more: it becomes the sign that looks like it."""
_STYLES = (
    "  classDef done fill:#d9f2e3,stroke:#14804a,color:#0b3d22",
    "  classDef critical stroke:#d9480f,stroke-width:3px",
    "  classDef end_of_phase fill:#eef1f5,stroke:#8592a3,color:#3c4654",
)


def mermaid(shown: Picture) -> Iterator[str]:
    """The lines of the diagram. Thick: the critical path. Dotted: waits for an end, whatever that is; without a tip,
    and with words on it: the two are never active at the same time."""
    yield "flowchart LR"
    for group, title in enumerate(shown.groups):
        own = [i for i, box in enumerate(shown.boxes) if box.group == group and box.kind == "task"]
        if own:
            yield f'  subgraph g{group}["{_text(title)}"]'
            for i in own:
                yield f"    {_box(i, shown.boxes[i])}"
            yield "  end"
    for i, box in enumerate(shown.boxes):
        if box.group is None or box.kind == "end":
            yield f"  {_box(i, box)}"
    for arrow in shown.arrows:
        yield f"  n{arrow.first} {'==>' if arrow.critical else '-.->' if arrow.soft else '-->'} n{arrow.then}"
    for pair in shown.apart:
        yield f'  n{pair.first} -.-|"never side by side"| n{pair.then}'
    first = len(shown.arrows)
    if shown.apart:
        yield f"  linkStyle {','.join(str(first + n) for n in range(len(shown.apart)))} stroke:#7c3aed,color:#7c3aed"
    yield from _STYLES
    for name, chosen in (
        ("done", [i for i, box in enumerate(shown.boxes) if box.done]),
        ("critical", [i for i, box in enumerate(shown.boxes) if box.critical]),
        ("end_of_phase", [i for i, box in enumerate(shown.boxes) if box.kind == "end"]),
    ):
        if chosen:
            yield f"  class {','.join(f'n{i}' for i in chosen)} {name}"


def _box(i: int, box: Box) -> str:
    if box.kind == "end":
        return f'n{i}(["all of {_text(cut(box.name, _TITLE))}"])'
    lines = [f"<b>{_text(cut(box.name, _TITLE))}</b>"]
    if box.title and box.title != box.name:
        lines.append(_text(cut(box.title, _TITLE)))
    if box.took_s and not box.done:
        lines.append(_text(span(box.took_s)))
    if box.beyond:
        lines.append(_text(cut(f"never beside {', '.join(box.beyond)}", _TITLE)))
    return f'n{i}["{"<br/>".join(lines)}"]'


def _text(text: str) -> str:
    return text.translate(_ENTITIES)
