"""The YAML that may stand before a Markdown document, read line by line, for it is often no YAML.

`name: Search: part two`, `depends_on: [#2, #3]` and notes behind a value are common in it, and the tools that write it
go by the beginning of each line. Slips whose meaning is plain are read: keys that are all indented, or one that is
below a key which has its value already; `Status` and `depends-on` for `status` and `depends_on`; quotes around a key;
no blank behind its colon.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from stretto.formats.syntax.source import Node
from stretto.model.plan import Value

_FRONT = re.compile(r"\A---[ \t]*(?:\r\n|\r|\n)(?P<body>(?s:.*?))^(?:---|\.\.\.)[ \t]*(?:\r\n|\r|\n|\Z)", re.MULTILINE)
_OPEN = re.compile(r"\A---[ \t]*(?:\r\n|\r|\n)")
_FIELD = re.compile(
    r"^(?P<indent>[ \t]*)(?P<quote>[\"']?)(?P<key>[A-Za-z_][\w-]{0,60})(?P=quote)[ \t]*:(?!//)[ \t]*", re.MULTILINE
)
_ENDS = {"[": "]", "{": "}", "'": "'", '"': '"', "|": "\n", ">": "\n", "&": "\n"}
"""What a value may begin with that goes on in the lines below, and what has to follow in its line if it does not."""
_TEXT = re.compile(r"^(?:[ \t]*\r?\n#[ \t]|#{2,6}[ \t]|<[a-z_]+[ >])", re.MULTILINE)
"""Where a document begins: a heading, which is no note between keys, or a tag."""
_COMMENT = re.compile(r"(?:^|[ \t])#(?!\d)[^\r\n]*")
_ITEM = re.compile(r"\"([^\"\r\n]*)\"|'([^'\r\n]*)'|([^\s,\[\]\"'][^,\[\]\r\n]*)")
_ENTRY = re.compile(r"^[ \t]*-[ \t]+", re.MULTILINE)
_BREAK = re.compile(r"[\r\n]")
_MARKDOWN = re.compile(r"^(?:#{1,6}[ \t]|<[a-z_]+[ >])", re.MULTILINE)
_MORE_KEYS = re.compile(r"(?:[ \t]*+(?:#[^\r\n]*+)?(?>\r\n|\r|\n))*+[\w\"'-]++[ \t]*+:(?:[ \t\r\n]|\Z)")


class Span(Value, frozen=True, kw_only=True):
    """A piece of text, and where it stands."""

    text: str
    start: int
    end: int


class Field(Value, frozen=True, kw_only=True):
    """One key. Its value is read as text and as a list; which of the two is meant is for the reader to know."""

    at: int
    """Where the key stands."""
    value: Span
    """What stands behind the key in its line, without quotes and notes."""
    items: tuple[Span, ...]
    block: Span
    """All that belongs to the key."""

    @property
    def node(self) -> Node:
        if self.items:
            return Node(self.value.start, self.block.end, key=self.at, children=list(listed_nodes(self.items)))
        return Node(self.value.start, self.value.end, key=self.at)


class Front(Value, frozen=True, kw_only=True):
    """All keys, each the first time it stands there, and also in the plain spelling `like_this`."""

    fields: Mapping[str, Field]
    end: int
    """Where the document begins."""

    def text(self, key: str) -> str:
        return self.fields[key].value.text if key in self.fields else ""

    def items(self, key: str) -> tuple[Span, ...]:
        return self.fields[key].items if key in self.fields else ()


def front_matter(text: str) -> Front | None:
    """The keys before a document; None where there are none."""
    found = _FRONT.match(text)
    if found is None:
        return None
    fields: dict[str, Field] = {}
    keys = list(_keys(text, found.start("body"), found.end("body")))
    for i, key in enumerate(keys):
        end = keys[i + 1].start() if i + 1 < len(keys) else found.end("body")
        fields.setdefault(key["key"], _field(text, key, end))
    for word, field in list(fields.items()):
        fields.setdefault(word.casefold().replace("-", "_"), field)
    return Front(fields=fields, end=found.end()) if fields else None


def missing_end(text: str, known: Collection[str]) -> int | None:
    """Where keys stop that have no end, in a text that begins with some that are known; None where they have one."""
    opened = _OPEN.match(text)
    if opened is None:
        return None
    found = _FRONT.match(text)
    end = found.end("body") if found else len(text)
    begins = _TEXT.search(text, opened.end(), end)
    if found and (begins is None or _known(text, begins.end(), end, known)):
        return None
    return max(_known(text, opened.end(), begins.start() if begins else end, known), default=None)


def has_front_matter(text: str) -> bool:
    """Whether keys stand before what is Markdown, with a heading or a tag at the margin, and before no more keys."""
    found = _FRONT.match(text)
    if found is None or _MORE_KEYS.match(text, found.end()):
        return False
    return _MARKDOWN.search(text, found.end()) is not None


def listed_nodes(spans: tuple[Span, ...]) -> Iterator[Node]:
    return (Node(span.start, span.end) for span in spans)


def _known(text: str, start: int, end: int, known: Collection[str]) -> list[int]:
    """Where keys stand that are known."""
    keys = _keys(text, start, end)
    return [key.start("key") for key in keys if key["key"].casefold().replace("-", "_") in known]


def _keys(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """The keys of the outermost level; a deeper one belongs to the key above it, unless that has its value."""
    before: re.Match[str] | None = None
    for key in _FIELD.finditer(text, start, end):
        if before is not None and _depth(key) > _depth(before):
            start, stop = before.end(), _line_end(text, before.end(), end)
            ends = _ENDS.get(text[start : start + 1])
            if not _scalar(text, start, stop).text or (ends and ends not in text[start + 1 : stop]):
                continue
        before = key
        yield key


def _depth(key: re.Match[str]) -> int:
    return len(key["indent"].expandtabs())


def _field(text: str, key: re.Match[str], end: int) -> Field:
    start = key.end()
    value = _scalar(text, start, _line_end(text, start, end))
    block = Span(text=text[start:end], start=start, end=end)
    return Field(at=key.start("key"), value=value, items=tuple(_items(text, start, value, end)), block=block)


def _line_end(text: str, start: int, end: int) -> int:
    found = _BREAK.search(text, start, end)
    return found.start() if found else end


def _scalar(text: str, start: int, end: int) -> Span:
    raw = text[start:end]
    if raw[:1] in ("'", '"') and (close := raw.find(raw[0], 1)) > 0:
        return Span(text=raw[1:close], start=start + 1, end=start + close)
    if comment := _COMMENT.search(raw):
        raw = raw[: comment.start()]
    plain = raw.strip()
    start += len(raw) - len(raw.lstrip()) if plain else 0
    return Span(text=plain, start=start, end=start + len(plain))


def _items(text: str, start: int, value: Span, end: int) -> Iterator[Span]:
    if value.text.startswith("["):
        close = text.find("]", value.start, end)
        yield from _split(text, value.start + 1, close if close >= 0 else value.end)
    elif value.text or text[start : start + 1] in ("'", '"'):
        yield from _split(text, start, value.end + (text[start] in "'\""))
    else:
        for entry in _ENTRY.finditer(text, start, end):
            span = _scalar(text, entry.end(), _line_end(text, entry.end(), end))
            if span.text:
                yield span


def _split(text: str, start: int, end: int) -> Iterator[Span]:
    """What commas separate; notes at the ends of lines are left out."""
    plain = _COMMENT.sub(lambda note: " " * len(note[0]), text[start:end])
    for found in _ITEM.finditer(plain):
        group = next(i for i in (1, 2, 3) if found[i] is not None)
        words = found[group].rstrip()
        if words:
            yield Span(text=words, start=start + found.start(group), end=start + found.start(group) + len(words))
