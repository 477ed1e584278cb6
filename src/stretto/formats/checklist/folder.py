"""The papers that a task links to: files beside the list, inside its repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

_LINK = re.compile(r"\]\(\s*<?([^()\s<>#?]+)(?:#[^()\s<>]*)?>?(?:\s+[\"'][^\"'\n]*[\"'])?\s*\)")
_TEXT = re.compile(r"\.(?:md|mdx|rst|adoc|txt|ya?ml|json|graphql|proto|sql|toml|xml|csv)", re.IGNORECASE)
_MAX_BYTES = 256 * 1024
_MOST = 8
"""More links than this of one task are a reading list."""


class Papers:
    """Looks files up, each once."""

    def __init__(self, file: Path) -> None:
        self._file = file.absolute()
        self._folder = self._file.parent
        self._top: Path | None = None
        self._known: dict[str, str | None] = {}

    def of(self, text: str) -> tuple[str, ...]:
        """What the text links to, relative to the list."""
        return tuple(dict.fromkeys(self._found(text)))[:_MOST] if "](" in text else ()

    def _found(self, text: str) -> Iterator[str]:
        for link in _LINK.finditer(text):
            name = unquote(link[1])
            if name not in self._known:
                self._known[name] = self._look(name)
            if (path := self._known[name]) is not None:
                yield path

    def _look(self, name: str) -> str | None:
        if ":" in name or name.startswith("/") or not _TEXT.search(name[-10:]) or "\0" in name:
            return None
        try:
            path = (self._folder / name).resolve()
            top = self._repository()
            if not path.is_relative_to(top) or ".git" in path.relative_to(top).parts or path == self._file.resolve():
                return None
            if not path.is_file() or path.stat().st_size > _MAX_BYTES:
                return None
        except (OSError, ValueError, RuntimeError):
            return None
        return Path(name).as_posix()

    def _repository(self) -> Path:
        """The nearest folder around the list that is a repository; else its own."""
        if self._top is None:
            here = self._folder.resolve()
            self._top = next((x for x in (here, *here.parents) if (x / ".git").exists()), here)
        return self._top
