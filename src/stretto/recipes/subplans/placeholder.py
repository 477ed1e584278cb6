"""Whether a paper says nothing yet: `python -m stretto.recipes.subplans.placeholder FILE` ends with 1 if so."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

_MARK = re.compile(
    r"(?:\[\s*(?:to be (?:filled|done|completed|written|defined|added|determined)|fill (?:in|me|this)|placeholder)\b"
    r"|\[\s*(?:tbd|todo)\b[^\]\n]{0,200}\](?!\())(?:(?<=\])|[^\]\n]*\]?)",
    re.IGNORECASE,
)
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})(.*)")
_QUOTED = re.compile(r"`[^`\n]+`")
_SILENT = re.compile(
    r"\s*(?:#{1,6}\s.*|([-*_=])(?:\s*\1){2,}|\*\*[^*\n]{1,60}\*\*\s*:.*|[-*]\s*(?:\[[ xX]\])?|<!--.*-->)?\s*"
)
"""A line that tells of nothing: a heading, a rule, a line of bookkeeping, an empty item."""
_UNTOUCHED = re.compile(r"^## Iteration log\s+No iteration yet\.\s*\Z", re.MULTILINE)


def is_placeholder(text: str) -> bool:
    """Whether it has a mark that asks for content (but in a quotation of code), or no content at all."""
    return next(marks(text), None) is not None or all(_SILENT.fullmatch(line) for line in _without_code(text))


def marks(text: str) -> Iterator[str]:
    """What asks for content, each up to its bracket or the end of its line."""
    plain = _QUOTED.sub("code", "\n".join(_without_code(text)))
    return (found[0] for found in _MARK.finditer(plain))


def _without_code(text: str) -> list[str]:
    """Its lines, with one word for each block of code; a fence that is never closed fences nothing."""
    lines, block, fence = list[str](), list[str](), ""
    for line in text.splitlines():
        mark = _FENCE.fullmatch(line)
        if fence:
            block.append(line)
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                lines.append("code")
                fence, block = "", []
        elif mark:
            fence, block = mark[1], [line]
        else:
            lines.append(line)
    return lines + block


def is_untouched(text: str) -> bool:
    """Whether an execution is as it was filled from the template: nobody has begun it."""
    return _UNTOUCHED.search(text) is not None


def main(words: Sequence[str]) -> int:
    for word in words:
        try:
            text = Path(word).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError, ValueError) as error:
            print(f"{word}: {error}", file=sys.stderr)
            return 1
        if is_placeholder(text):
            print(f"{word} is a placeholder: it asks for content, or has none", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
