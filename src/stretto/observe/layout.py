"""Lines for people: broken between words, never inside one, and nothing that somebody may want to copy is cut."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from stretto.observe.paint import width_of

_PIECES = re.compile(r"`[^`\n]*`\S*|\S+")
"""What stays on one line: a word, or a command between backquotes."""
_COMMAND = re.compile(r"(.*: )?((?:stretto|git) .+)")
"""Words, if there are any, and the command behind them."""


def wrap(text: str, width: int | None, *, first: str = "", rest: str = "  ") -> list[str]:
    """`text` after `first`, in lines of `width` columns of which the further ones begin with `rest`; without a width
    in one line. A single word that is wider than that stands on a line of its own, whole."""
    if width is None or width_of(first) + width_of(text) <= width:
        return [(first + text).rstrip()]
    lines, empty = [first], not first.strip()
    for piece in _PIECES.findall(text):
        space = "" if empty or lines[-1].endswith(" ") else " "
        if empty or width_of(lines[-1]) + len(space) + width_of(piece) <= width:
            lines[-1] += space + piece
        else:
            lines.append(rest + piece)
        empty = False
    return [line.rstrip() for line in lines]


def advice(hint: str, width: int | None, *, first: str = "hint: ") -> list[str]:
    """A hint after `first`: each of its lines begins a line. A command, alone or behind a colon, is never broken."""
    told, rest = list[str](), " " * width_of(first)
    for text in hint.splitlines():
        words, command = (found[1], found[2]) if (found := _COMMAND.fullmatch(text)) else (text, "")
        start = rest if told else first
        if not command or (width is None or width_of(start) + width_of(text) <= width):
            told += wrap(text, width, first=start, rest=rest)
        elif not words:
            told.append(start + command)
        else:
            told += [*wrap(words, width, first=start, rest=rest), f"{rest}  {command}"]
    return told


def flow(names: Sequence[str], separator: str, width: int, most: int = 10**9) -> list[str]:
    """Names, each of them whole, in lines of `width` columns; where `most` lines do not hold them all, the last says
    how many are left."""
    out: list[str] = []
    for n, name in enumerate(names):
        last = n + 1 == len(names)
        text = name if last else name + separator.rstrip()
        gap = " " if separator.startswith(" ") or separator.endswith(" ") else ""
        note = f" … {len(names) - n:,} more"
        if not out:
            out.append(text)
        elif width_of(out[-1] + gap + text) <= width - (0 if last or len(out) < most else len(note)):
            out[-1] += gap + text
        elif len(out) < most:
            out.append(text)
        else:
            out[-1] = out[-1].rstrip(", →") + note
            break
    return out


def column(heads: Iterable[str], width: int) -> int:
    """The width of the first column of a table: as wide as its heads, but no more than a third of it all."""
    return min(max((width_of(head) for head in heads), default=0), width // 3)


def row(head: str, width: int, lines: Sequence[str]) -> Iterator[str]:
    """A head and what stands beside it. A head that is wider than its column stands on a line of its own."""
    if width_of(head) > width and lines:
        yield head
        yield from (f"    {text}" for text in lines)
        return
    for text in lines or [""]:
        yield f"{head}{' ' * max(0, width - width_of(head))}  {text}".rstrip()
        head = ""
