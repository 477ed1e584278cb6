"""What is shown of values that may hold a secret."""

from __future__ import annotations

import re
from typing import Any

from stretto.config.table import Key
from stretto.model.secrets import concealed, is_login
from stretto.model.surroundings import is_secret

MASK = "***"
_ASSIGNMENT = re.compile(r"""(?P<name>-{0,2}[A-Za-z_][\w-]*)(?P<equals>=)(?P<value>"[^"]*"|'[^']*'|[^\s"']+)""")
_HEADER = re.compile(r"(?P<name>[A-Za-z][\w-]*)(?P<equals>:\s*)(?P<value>[^\s\"'=:]+)(?![^\s\"'])")
_BEARER = re.compile(r"\b(bearer|basic)\s+[^\s\"'$]+", re.IGNORECASE)
_OPTION = re.compile(r"""(?P<name>--?[A-Za-z][\w-]*)(?P<equals>\s+)(?P<value>"[^"-][^"]*"|'[^'-][^']*'|[^\s"'-]\S*)""")


def masked(key: Key, value: Any) -> Any:
    """The value as it may be shown: a variable of an agent as a whole, of other text what looks like a secret."""
    if len(key) == 4 and key[2] == "env":
        return MASK
    if isinstance(value, tuple):
        return tuple(
            MASK if _asks(before, word) or is_login(before, word) else _in_text(word)
            for before, word in zip(("", *value), value, strict=False)
        )
    return _in_text(value) if isinstance(value, str) else value


def _asks(before: str, word: str) -> bool:
    """Whether the word before it is a flag that wants a secret."""
    return before.startswith("-") and "=" not in before and _hides(before, word)


def _in_text(text: str) -> str:
    text = _BEARER.sub(rf"\1 {MASK}", concealed(text, MASK))
    for pattern in (_ASSIGNMENT, _HEADER, _OPTION):
        text = pattern.sub(_replaced, text)
    return " ".join(MASK if MASK not in word and is_secret("", word) else word for word in text.split(" "))


def _replaced(found: re.Match[str]) -> str:
    if not _hides(found["name"], found["value"]):
        return found[0]
    return f"{found['name']}{found['equals']}{MASK}"


def _hides(name: str, value: str) -> bool:
    """Whether it is a secret, and not the name of the variable that holds one."""
    bare = value.strip("\"'")
    return not bare.startswith(("$", "-", MASK)) and is_secret(name.lstrip("-").replace("-", "_"), "")
