"""A plan as a graph in the DOT language, for Graphviz and what reads its files."""

from __future__ import annotations

from collections.abc import Iterator

from stretto.observe.paint import cut, span
from stretto.observe.views.picture import Box, Picture

MOST_NODES = 5_000
"""Graphviz takes minutes for more."""
_TITLE = 40
_APART = 'dir=none, style=dotted, penwidth=2, color=purple3, constraint=false, tooltip="never side by side"'


def dot(shown: Picture) -> Iterator[str]:
    """The lines of the file. Bold: the critical path. Dashed: waits for an end, whatever that is. Dotted,
    without a tip: the two are never active at the same time."""
    yield f"digraph {_text(shown.name or 'plan')} {{"
    yield "  rankdir=LR; compound=true; fontname=sans;"
    yield '  node [shape=box, style="rounded,filled", fillcolor=white, fontname=sans, fontsize=11];'
    yield "  edge [color=gray40, arrowsize=0.7];"
    for group, title in enumerate(shown.groups):
        own = [i for i, box in enumerate(shown.boxes) if box.group == group and box.kind == "task"]
        if own:
            yield f"  subgraph cluster_{group} {{"
            yield f"    label={_text(title)}; color=gray70; style=rounded; fontsize=12;"
            for i in own:
                yield f"    {_box(i, shown.boxes[i])}"
            yield "  }"
    for i, box in enumerate(shown.boxes):
        if box.group is None or box.kind == "end":
            yield f"  {_box(i, box)}"
    for arrow in shown.arrows:
        looks = ["style=dashed"] * arrow.soft + ["penwidth=2.5", "color=orangered3"] * arrow.critical
        style = f" [{', '.join(looks)}]" if looks else ""
        yield f"  n{arrow.first} -> n{arrow.then}{style};"
    for pair in shown.apart:
        yield f"  n{pair.first} -> n{pair.then} [{_APART}];"
    if shown.apart:
        yield '  label="dotted: never side by side"; labelloc=b; labeljust=l; fontsize=10; fontcolor=purple3;'
    yield "}"


def _box(i: int, box: Box) -> str:
    if box.kind == "end":
        return f"n{i} [shape=oval, fillcolor=gray95, label={_text(f'all of {cut(box.name, _TITLE)}')}];"
    lines = [cut(box.name, _TITLE)]
    if box.title and box.title != box.name:
        lines.append(cut(box.title, _TITLE))
    if box.took_s and not box.done:
        lines.append(span(box.took_s))
    if box.beyond:
        lines.append(cut(f"never beside {', '.join(box.beyond)}", _TITLE))
    more = ", fillcolor=honeydew2" if box.done else ", color=orangered3, penwidth=2.5" if box.critical else ""
    return f"n{i} [label={_text(*lines)}{more}];"


def _text(*lines: str) -> str:
    """A quoted string; a backslash is doubled, for before some letters it would mean something."""
    return '"' + "\\n".join(text.replace("\\", "\\\\").replace('"', '\\"') for text in lines) + '"'
