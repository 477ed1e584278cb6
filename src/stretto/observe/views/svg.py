"""A plan as an SVG drawing that needs nothing else, in light and in dark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from stretto.observe.paint import cut, line, span, width_of
from stretto.observe.views.picture import Arrow, Box, Pair, Picture
from stretto.observe.views.placing import Placed, Sizes, place

_SIZES = Sizes(
    wide=216.0, narrow=14.0, gap=46.0, above=12.0, heights={"task": 46.0, "phase": 46.0, "end": 14.0, "bend": 4.0}
)
_MARGIN, _TOP, _ROW = 20.0, 64.0, 22.0
_HUES = (212, 28, 150, 280, 48, 340, 178, 100)
"""Of the phases, round and round; far apart where they are neighbours."""
_BULGE = 24.0
"""How far a line between two of one column reaches out; it comes three quarters of that way, into the gap or margin."""
BEYOND = "≠"
"""On a task that is kept apart from more than lines lead to."""
_CHAR = 6.7
"""Pixels of a character of the small text, on the wide side; a name is cut before it runs out of its box."""

_STYLE = """
svg { color-scheme: light dark; --ink: #1c2430; --paper: #ffffff; --faint: #667080; --rule: #c3cbd6; --edge: #8f9baa;
  --hot: #d9480f; --apart: #7c3aed; --done: #e3f5ea; --tick: #14804a; }
@media (prefers-color-scheme: dark) { svg { --ink: #e3e8ef; --paper: #161b22; --faint: #9aa6b5; --rule: #3a4452;
  --edge: #66727f; --hot: #ff8a4c; --apart: #b794f6; --done: #16301f; --tick: #4cc38a; } }
text { font: 12px system-ui, sans-serif; fill: var(--ink); } .title { font-size: 18px; font-weight: 600; }
.faint { fill: var(--faint); } .name { font-weight: 600; } .small { font-size: 11px; } .tick { fill: var(--tick); }
.box rect { fill: var(--paper); stroke: var(--rule); } .box.done rect { fill: var(--done); }
.box.critical rect.frame { stroke: var(--hot); stroke-width: 2.5; } .box:target rect.frame { stroke-width: 4; }
.arrow { fill: none; stroke: var(--edge); stroke-width: 1.2; } .arrow.soft { stroke-dasharray: 4 4; }
.apart { fill: none; stroke: var(--apart); stroke-width: 1.6; stroke-dasharray: 2 4; stroke-linecap: round; }
.arrow.critical { stroke: var(--hot); stroke-width: 2.6; }
.tip { fill: var(--edge); } .tip.critical { fill: var(--hot); }
.end { fill: var(--edge); } .back { fill: var(--paper); }
""".strip()


def svg(shown: Picture, about: str = "") -> Iterator[str]:
    """The lines of the document. `about` is one line below the name; without it there is no headline at all."""
    placed = place(shown, _SIZES)
    legend = _legend(shown, max(placed.width, 480.0))
    width = max(placed.width, 480.0) + 2 * _MARGIN
    top = (_TOP if about else 0) + _ROW
    height = top + placed.height + 2 * _MARGIN + _ROW * (1 + max((row for row, _, _, _ in legend), default=-1))
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">'
    )
    yield f"<title>{_text(shown.name)}</title>"
    yield f"<style>{_STYLE}</style>"
    yield f'<rect class="back" width="{width:.0f}" height="{height:.0f}"/>'
    if about:
        yield _words(_MARGIN, 30, _text(shown.name), "title")
        yield _words(_MARGIN, 50, _text(about), "faint")
    yield from _heads(shown, placed, top)
    yield f'<g transform="translate({_MARGIN:g} {top + _MARGIN / 2:g})">'
    for arrow, bends in zip(shown.arrows, placed.bends, strict=False):
        yield _arrow(arrow, shown, placed, bends)
    for pair, bends in zip(shown.apart, placed.bends[len(shown.arrows) :], strict=True):
        yield _pair(pair, shown, placed, bends)
    for i, box in enumerate(shown.boxes):
        yield from _box(i, box, shown, *placed.middles[i])
    yield "</g>"
    for row, x, mark, title in legend:
        y = top + placed.height + 2 * _MARGIN + row * _ROW
        yield _mark(mark, _MARGIN + x, y)
        yield _words(_MARGIN + x + 18, y, _text(title), "small")
    yield "</svg>"


def _legend(shown: Picture, width: float) -> list[tuple[int, float, int | str, str]]:
    """Row, place in it, mark and title of each phase, and of what keeps tasks apart."""
    told: list[tuple[int | str, str]] = list(enumerate(shown.groups))
    if shown.apart:
        told.append(("", "never side by side"))
    if any(box.beyond for box in shown.boxes):
        told.append((BEYOND, "never beside what its tooltip names"))
    found: list[tuple[int, float, int | str, str]] = []
    row, x = 0, 0.0
    for mark, title in told:
        title = cut(title, 60)
        wide = 40 + _CHAR * width_of(title)
        if x and x + wide > width:
            row, x = row + 1, 0.0
        found.append((row, x, mark, title))
        x += wide
    return found


def _mark(mark: int | str, x: float, y: float) -> str:
    """A phase's colour; a sign; or without any the line between two that are kept apart."""
    if isinstance(mark, int):
        return f'<rect x="{x:g}" y="{y - 10:g}" width="12" height="12" rx="3" fill="{colour(mark)}"/>'
    return _words(x + 6, y, mark, "faint", anchor="middle") or f'<path class="apart" d="M{x - 2:g} {y - 4:g}h16"/>'


def _heads(shown: Picture, placed: Placed, top: float) -> Iterator[str]:
    """Numbers of the levels, above their columns."""
    seen: set[int] = set()
    for box, column in zip(shown.boxes, placed.column_of, strict=True):
        if box.kind == "end" or column in seen:
            continue
        seen.add(column)
        left, wide = placed.columns[column]
        told = f"{box.level + 1}" if box.level >= 0 else "in a circle"
        yield _words(_MARGIN + left + wide / 2, top - 4, told, "faint small", anchor="middle")


def _arrow(arrow: Arrow, shown: Picture, placed: Placed, bends: Sequence[tuple[float, float, float]]) -> str:
    ends = []
    for which, sign in ((arrow.first, 1), (arrow.then, -1)):
        x, y = placed.middles[which]
        half = 5.0 if shown.boxes[which].kind == "end" else _SIZES.wide / 2
        ends.append((x + sign * half, y))
    (x0, y0), (x1, y1) = ends[0], (ends[1][0] - 6, ends[1][1])
    name = "arrow" + (" critical" if arrow.critical else "") + (" soft" if arrow.soft else "")
    tip = f'<path class="tip{" critical" if arrow.critical else ""}" d="M{x1:.1f} {y1 - 4:.1f}l7 4l-7 4z"/>'
    return f'<path class="{name}" d="{_way((x0, y0), (x1, y1), bends)}"/>{tip}'


def _pair(pair: Pair, shown: Picture, placed: Placed, bends: Sequence[tuple[float, float, float]]) -> str:
    """A line without a tip: to the next column, or round what stands between the two in their own."""
    (x0, y0), (x1, y1) = placed.middles[pair.first], placed.middles[pair.then]
    half = _SIZES.wide / 2
    if placed.column_of[pair.first] == placed.column_of[pair.then]:
        out = x0 + half + _BULGE
        way = f"M{x0 + half:.1f} {y0:.1f}C{out:.1f} {y0:.1f} {out:.1f} {y1:.1f} {x1 + half:.1f} {y1:.1f}"
    else:
        way = _way((x0 + half, y0), (x1 - half, y1), bends)
    told = f"never side by side: {shown.boxes[pair.first].name} and {shown.boxes[pair.then].name}"
    return f'<path class="apart" d="{way}"><title>{_text(told)}</title></path>'


def _way(first: tuple[float, float], last: tuple[float, float], bends: Sequence[tuple[float, float, float]]) -> str:
    """Level through each column, so that nothing runs behind a box of another row."""
    path, at = [f"M{first[0]:.1f} {first[1]:.1f}"], first
    for to in (*(stop for left, right, y in bends for stop in ((left, y), (right, y))), last):
        half = (to[0] - at[0]) / 2
        path.append(f"C{at[0] + half:.1f} {at[1]:.1f} {to[0] - half:.1f} {to[1]:.1f} {to[0]:.1f} {to[1]:.1f}")
        at = to
    return "".join(path)


def _box(i: int, box: Box, shown: Picture, x: float, y: float) -> Iterator[str]:
    if box.kind == "end":
        yield f'<circle class="end" cx="{x:.1f}" cy="{y:.1f}" r="5"><title>all of {_text(box.name)}</title></circle>'
        return
    wide, high = _SIZES.wide, _SIZES.heights[box.kind]
    left, top = x - wide / 2, y - high / 2
    names = "box" + (" done" if box.done else "") + (" critical" if box.critical else "")
    yield f'<g class="{names}" id="n{i}"><title>{_text(_tip(box, shown))}</title>'
    frame = f'x="{left:.1f}" y="{top:.1f}" height="{high:g}" rx="6"'
    yield f'<rect class="frame" {frame} width="{wide:g}"/>'
    if box.group is not None:
        yield f'<rect x="{left + 5:.1f}" y="{top + 6:.1f}" width="4" height="{high - 12:g}" rx="2" '
        yield f'style="fill:{colour(box.group)};stroke:none"/>'
    signs = (BEYOND if box.beyond else "", "⇄" if box.turns else "", span(box.took_s) if box.took_s else "")
    mark = "✓" if box.done else " ".join(filter(None, signs))
    room = int((wide - 28 - _CHAR * width_of(mark)) / (_CHAR * 1.1))
    yield _words(left + 16, top + 19, _text(cut(box.name, room)), "name")
    yield _words(left + wide - 8, top + 19, mark, "tick" if box.done else "faint small", anchor="end")
    if box.title and box.title != box.name:
        yield _words(left + 16, top + 36, _text(cut(box.title, int((wide - 22) / 5.9))), "faint small")
    yield "</g>"


def _tip(box: Box, shown: Picture) -> str:
    lines = [box.name, box.title, shown.groups[box.group] if box.group is not None else ""]
    lines += [f"takes turns for {path}" for path in box.turns[:5]]
    lines += [f"never beside {name}" for name in box.apart[:5]]
    return "\n".join(filter(None, lines))


def _words(x: float, y: float, text: str, names: str, anchor: str = "start") -> str:
    at = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{names}"{at}>{text}</text>' if text else ""


def colour(group: int) -> str:
    """Of a phase, by its position."""
    return f"hsl({_HUES[group % len(_HUES)]} 65% 52%)"


def _text(text: str) -> str:
    """Fit for XML, which has no control characters at all."""
    return escape("\n".join(line(each) for each in text.splitlines()))
