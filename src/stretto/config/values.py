"""The kinds of values that settings have: how each is read from a file or from a word, and written again."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Protocol

from stretto.formats.native_schema import DURATION
from stretto.formats.reading import MAX_SECONDS, duration_s, meant
from stretto.model.plan import Value


class Kind(Protocol):
    """`read` takes what a TOML file holds, `parse` a flag or a variable; both answer None to what is no such value."""

    @property
    def means(self) -> str:
        """In words that fit behind "must be"."""

    def read(self, said: object) -> Any: ...

    def parse(self, text: str) -> Any: ...

    def write(self, value: Any) -> str:
        """As a TOML file would say it."""

    def hint(self, said: object) -> str: ...

    def schema(self) -> dict[str, Any]:
        """What a file may hold, as JSON Schema."""
        ...


class Count(Value, frozen=True, kw_only=True):
    """A whole number."""

    least: int = 1

    @property
    def means(self) -> str:
        return f"a whole number of at least {self.least}"

    def read(self, said: object) -> int | None:
        return said if isinstance(said, int) and not isinstance(said, bool) and said >= self.least else None

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least}

    def parse(self, text: str) -> int | None:
        return self.read(int(text)) if re.fullmatch(r"\s*[0-9]{1,9}\s*", text) else None

    def write(self, value: int) -> str:
        return str(value)

    def hint(self, said: object) -> str:
        return ""


class Duration(Value, frozen=True, kw_only=True):
    """Seconds; more than nothing."""

    means = "a duration such as 90, 15m or 1h30m"

    def read(self, said: object) -> float | None:
        seconds = duration_s(said)
        return seconds if seconds is not None and 0 < seconds <= MAX_SECONDS else None

    def schema(self) -> dict[str, Any]:
        return DURATION

    def parse(self, text: str) -> float | None:
        return self.read(text)

    def write(self, value: float) -> str:
        return f'"{spelled(value)}"'

    def hint(self, said: object) -> str:
        return "write 90s, 15m or 1h30m"


class Choice(Value, frozen=True, kw_only=True):
    """One of a few words."""

    options: tuple[str, ...]

    @property
    def means(self) -> str:
        *others, last = (f"`{option}`" for option in self.options)
        return f"{', '.join(others)} or {last}"

    def read(self, said: object) -> str | None:
        return said if isinstance(said, str) and said in self.options else None

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.options)}

    def parse(self, text: str) -> str | None:
        return self.read(text.strip())

    def write(self, value: str) -> str:
        return _quoted(value)

    def hint(self, said: object) -> str:
        close = meant(said, self.options) if isinstance(said, str) else ""
        return close or f"write {self.means}, or leave it out"


class Text(Value, frozen=True, kw_only=True):
    """Text that is not blank."""

    means: str

    def read(self, said: object) -> str | None:
        return said if isinstance(said, str) and said.strip() else None

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": r"\S"}

    def parse(self, text: str) -> str | None:
        return self.read(text)

    def write(self, value: str) -> str:
        return _quoted(value)

    def hint(self, said: object) -> str:
        return ""


class Names(Value, frozen=True, kw_only=True):
    """A list of words; with commas between them where there is only one word to say it with."""

    means: str
    pattern: str = r".*\S.*"

    def read(self, said: object) -> tuple[str, ...] | None:
        if isinstance(said, list) and all(isinstance(name, str) and re.fullmatch(self.pattern, name) for name in said):
            return tuple(said)
        return None

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string", "pattern": f"^({self.pattern})$"}}

    def parse(self, text: str) -> tuple[str, ...] | None:
        return self.read([name.strip() for name in text.split(",") if name.strip()])

    def write(self, value: Sequence[str]) -> str:
        return f"[{', '.join(map(_quoted, value))}]"

    def hint(self, said: object) -> str:
        return ""


def spelled(seconds: float) -> str:
    """A duration as it can be read again: `15m`, `1h30m`, `0.5s`."""
    parts, left = "", seconds
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        whole, left = divmod(left, size)
        parts += f"{whole:.0f}{unit}" if whole else ""
    return parts + (f"{left:.9f}".rstrip("0").rstrip(".") + "s" if left or not parts else "")


def _quoted(text: str) -> str:
    """A TOML string: one line, in the quotes that need no escapes where that can be."""
    if "'" not in text and ('"' in text or "\\" in text) and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
