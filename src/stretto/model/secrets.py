"""Secrets that are known by their shape, with no name beside them."""

from __future__ import annotations

import re

HIDDEN = "…"
"""Stands where a value was."""
_KEYS = tuple(
    re.compile(shape)
    for shape in (
        r"\b((?:sk|rk|pk)-[A-Za-z]{0,8}-?)[\w-]{8,}",  # of those who sell models
        r"\b((?:sk|rk|pk|whsec)_(?:live_|test_)?)(?=\w*\d)[A-Za-z0-9]{16,}",  # Stripe
        r"\b(gh[pousr]_)[A-Za-z0-9]{8,}",
        r"\b(github_pat_)\w{8,}",
        r"\b(glpat-)[\w-]{8,}",
        r"\b(A(?:KIA|SIA))[A-Z0-9]{12,}",
        r"\b(AIza)[\w-]{30,}",
        r"\b(xox[a-z]-)[\w-]{8,}",
        r"\b(npm_|hf_)[A-Za-z0-9]{30,}",
        r"\b(eyJ)[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)?",  # a JSON web token
    )
)
"""What a key begins with stays, so that it can be told which one it is."""
_LOGIN = re.compile(
    r"((?<![\w-])(?:-[uU]|--(?:proxy-)?user)(?:\s+|=)?(?!\d+:\d)(?:\"[^\":]+:|'[^':]+:|[^\s:'\"]+:))(?!//)[^\s'\"]+"
)
"""`-u user:password`, but not `-u 1000:1000`."""


def concealed(text: str, by: str = HIDDEN) -> str:
    """`text` with `by` in the place of what only a secret looks like."""
    for shape in (*_KEYS, _LOGIN):
        text = shape.sub(lambda found: found[1] + by, text)
    return text


def is_login(flag: str, word: str) -> bool:
    """Whether `word`, the one behind `flag`, holds a password."""
    return _LOGIN.match(f"{flag} {word}") is not None
