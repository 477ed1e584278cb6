"""What the code of a finding means, in the words of docs/findings.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from stretto.model.plan import Value

_PAGES = (Path(__file__).with_name("findings.md"), Path(__file__).parents[3] / "docs" / "findings.md")
"""The page that is packed into a wheel, and the one of a checkout."""
_SECTION = re.compile(r"^## (\S+)\n\n\*(\w+)[^.]*\.\*? (.+?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_SENTENCE = re.compile(r".+?\.(?=\s|$)")


class Meaning(Value, frozen=True, kw_only=True):
    """One section of the page. Texts are Markdown without links, each paragraph on one line."""

    severity: str
    short: str
    """The first sentence."""
    what: str
    """The first paragraph."""
    advice: str
    """Why it matters, and how to mend it."""


def meanings(page: str | None = None) -> Mapping[str, Meaning]:
    """Every section of the page, by its code; none where this installation came without it."""
    if page is None:
        page = next((path.read_text(encoding="utf-8") for path in _PAGES if path.is_file()), "")
    return {code: _meaning(severity, text) for code, severity, text in _SECTION.findall(page)}


def _meaning(severity: str, text: str) -> Meaning:
    what, *rest = (" ".join(part.split()) for part in _LINK.sub(r"\1", text).strip().split("\n\n"))
    sentence = _SENTENCE.match(what)
    return Meaning(
        severity=severity.lower(), short=sentence[0] if sentence else what, what=what, advice="\n\n".join(rest)
    )
