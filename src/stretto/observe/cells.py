"""A line of a screen: pieces of text, each with its colour, whose width in columns is known."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from stretto.model.excerpt import legible
from stretto.observe.paint import Colour, Paint, cut, width_of


class Piece(NamedTuple):
    text: str
    colour: Colour | None = None


Line = tuple[Piece, ...]
BLANK: Line = ()


def flat(text: str) -> str:
    """A text from outside on one line, without what terminals do not agree on: joiners, variants, skin tones."""
    text = " ".join(legible(text).split())
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFC", text) if not _disputed(c)).strip()


def _disputed(char: str) -> bool:
    point = ord(char)
    variant = 0xFE00 <= point <= 0xFE0F or 0xE0100 <= point <= 0xE01EF or 0x1F3FB <= point <= 0x1F3FF
    return variant or unicodedata.category(char) in ("Cf", "Cc", "Cs", "Cn")


def wide(line: Line) -> int:
    """Columns that it takes."""
    return sum(width_of(piece.text) for piece in line)


def clipped(pieces: Iterable[Piece], width: int) -> Line:
    """At most `width` columns; what is cut off is shown by an ellipsis, and no blanks are left at the end."""
    line = list(pieces)
    while line and not (last := line.pop()).text.isspace():
        if last.text:
            line.append(Piece(last.text.rstrip(), last.colour))
            break
    if wide(tuple(line)) <= width:
        return tuple(line)
    found: list[Piece] = []
    left = width
    for piece in line:
        if width_of(piece.text) >= left:
            return (*found, Piece(cut(f"{piece.text}…", left), piece.colour)) if left > 0 else tuple(found)
        found.append(piece)
        left -= width_of(piece.text)
    return tuple(found)


def folded(text: str, width: int, most: int) -> list[str]:
    """The text in at most `most` lines of `width` columns, broken between words where one fits; what is left over is
    shown by an ellipsis."""
    lines: list[str] = []
    while len(lines) + 1 < most and width_of(text) > width:
        head = text[: max(1, width)]
        while len(head) > 1 and width_of(head) > width:
            head = head[:-1]
        at = len(head) if text[len(head) :].startswith(" ") else head.rfind(" ")
        lines.append(text[: at if at > 0 else len(head)].rstrip())
        text = text[at if at > 0 else len(head) :].lstrip()
    return [*lines, cut(text, width)] if text or not lines else lines


def cell(text: str, width: int, colour: Colour | None = None, *, right: bool = False) -> Piece:
    """Exactly `width` columns; `right`: the text stands at their end."""
    text = cut(text, width)
    gap = " " * (width - width_of(text))
    return Piece(gap + text if right else text + gap, colour)


def plain(line: Line) -> str:
    """The line without colours."""
    return "".join(piece.text for piece in line).rstrip()


def painted(line: Line, paint: Paint) -> str:
    """The line for a terminal. After a text that it may measure in another way than we do, the column is set anew."""
    out, column = "", 0
    for piece in line:
        out += piece.text if piece.text.isspace() else paint(piece.text, piece.colour)
        column += width_of(piece.text)
        if not piece.text.isascii():
            out += f"\x1b[{column + 1}G"
    return out
