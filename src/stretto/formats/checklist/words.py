"""What the words of a task say: its id, its title, and the few remarks that have a plain meaning."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

from stretto.model.plan import Value

_SET = re.compile(
    r"[(\[]ID:\s*`?(?P<a>[\w.#-]+)`?[)\]]|<!--\s*id:\s*(?P<b>[\w.#-]+)\s*-->|\[id::\s*(?P<c>[\w.-]+)\]"
    r"|🆔\s*(?P<d>[\w-]+)|\{#(?P<e>[\w.-]+)\}|(?<=\s)\^(?P<f>[\w-]+)[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
"""An id that a line gives itself, in the ways of several editors."""
_OPEN = re.compile(r"(?P<star>\\?\*[ \t]+)?(?:~~|[*_`\[])*")
"""Marks before the first word; a star of its own is how some lists say that a task is optional."""
_NAMED = re.compile(
    r"(?P<kind>task|ticket|story|user story|item|step|aufgabe|schritt|tarea|paso|tarefa|passo|t[âa]che|[ée]tape|задача"
    r"|шаг|任务|步骤|タスク)\s*#?(?P<number>\d+(?:\.\d+)*[a-z]?)(?!\w)",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"\d+(?:\.\d+)+[a-z]?(?![\w%]|\.\w)")
_BARE = re.compile(r"\d{1,6}(?![\w%])")
_HASH = re.compile(r"#\d+(?!\w)")
_CODED = re.compile(r"(?!P\d\b)[A-Z][A-Z0-9]{0,60}(?:-[A-Z0-9]{1,60})*-?\d{1,60}[a-z]?(?:\.\d+)*(?![\w-])")
_TASK_NUMBER = re.compile(r"T\d{3,}[a-z]?")
"""Ids of spec-kit's, which some lines of other lists have."""
_LABEL = re.compile(r"[A-Za-z]\w*(?:[-.]\w+)+(?=[*`\]]*:)")
_TAIL = re.compile(r"[*_`\]]*(?P<mark>\s*\\?[:.)](?=[\s*_`~]|$)|\s+[-–—]+(?=\s)|\s*[–—])?[*_`\]]*[ \t]*")
_STANDARD = re.compile(
    r"(?:UTF|ISO|IEC|IEEE|SHA|MD|AES|RSA|RFC|PEP|CVE|CWE|GPT|WCAG|ADR|BLAKE|CRC|ARM|IPV|HTTP|TLS|COVID|PRD|BCP)-?\d.*"
)
"""What looks like an id and is the name of something else."""

_PARALLEL = re.compile(r"`?[\[(](?:P|(?i:parallel|in parallel))[\])]`?")
_OPTIONAL = re.compile(r"[\[(]\s*optional\s*[\])]", re.IGNORECASE)
_URGENCY = re.compile(
    r"[\[(](?:P(?P<p>[0-5])|(?P<word>critical|urgent|highest|high|medium|low|lowest)(?:[ -]prio(?:rity)?)?)[\])]"
    r"|^[*_`\s]*P(?P<first>[0-5])\b|(?P<sign>[🔺⏫🔼🔽⏬])",
    re.IGNORECASE,
)
_WORDS = {"critical": 1, "urgent": 1, "highest": 1, "high": 2, "medium": 3, "low": 4, "lowest": 5}
_SIGNS = {"🔺": 1, "⏫": 2, "🔼": 3, "🔽": 4, "⏬": 5}

_PARAGRAPH_END = re.compile(r"\n(?=[ \t]*(?:\n|[-*+][ \t]|\d+[.)][ \t]|`{3}|~{3}|>|\||#{1,6}[ \t]|\Z))")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_EMPHASIS = re.compile(r"\*\*|~~|(?<!\S)\*(?=\S)|(?<=\S)\*(?!\S)")
_LINK = re.compile(r"!?\[([^\]\n]{0,1000})\]\([^)\n]{0,1000}\)")
_REMARK = re.compile(
    r"(?<!\s)\s*+(?:[(\[][*_]*(?:depend|require|needs|blocked|after|in parallel|parallel|optional)[^()\[\]\n]*[)\]]"
    r"|[\[(]P\d?[\])]|[✅➕📅⏳🛫🔁❌]\s*\d{4}-\d\d-\d\d|[🆔⛔]\s*[\w,-]+|[🔺⏫🔼🔽⏬]|\[(?:id|dependsOn)::[^\]\n]*\])",
    re.IGNORECASE,
)
_NOISE = re.compile(r"\b\d{4}-\d\d-\d\d\b|(?<!\w)@[\w-]+|https?://\S+")
"""What comes and goes in a line without making another task of it."""
_REMARKED = re.compile(r"[(\[<{^🆔⛔✅➕📅⏳🛫🔁❌🔺⏫🔼🔽⏬]|^\W*P[0-5]\b")
"""What every id, remark and priority within words has; most words have none of them."""
_MAX_ID = 48

Kind = Literal["set", "coded", "dotted", "named", "hash", "number", "step", ""]


class Words(Value, frozen=True, kw_only=True):
    """What the first line of a task says. Offsets count from where the text was that was read."""

    id: str = ""
    """The id that it has of its own; empty: none."""
    id_at: int = 0
    kind: Kind = ""
    firm: bool = False
    """It is an id even where another line has the same, which is then a mistake."""
    number: str = ""
    """The number of what is numbered: `3` of `Task 3`, `1.2`."""
    title: str = ""
    """Without its id, and without marks of Markdown."""
    struck: bool = False
    parallel: bool = False
    optional: bool = False
    priority: int | None = None


def read_words(text: str) -> Words:
    """The words of a task: those behind its box, or its heading."""
    line = text.partition("\n")[0]
    opened = _OPEN.match(line)
    assert opened is not None
    start = opened.end()
    kind, id, number, end, firm = _head(line, start, opened.end("star"))
    place = start
    remarked = _REMARKED.search(line) is not None
    if remarked and (found := _SET.search(line)):
        kind, id, number, firm = "set", next(filter(None, found.groups())), number, True
        place = found.start(found.lastgroup or 0)
    paragraph = _PARAGRAPH_END.split(text[end:], maxsplit=1)[0]
    return Words(
        id=id,
        id_at=place,
        kind=kind,
        firm=firm,
        number=number,
        title=plain(_unremarked(paragraph)),
        struck=_struck(line, end),
        parallel=remarked and _PARALLEL.search(line) is not None,
        optional=opened["star"] is not None or (remarked and _OPTIONAL.search(line) is not None),
        priority=urgency(line) if remarked else None,
    )


def _head(line: str, start: int, plain_at: int) -> tuple[Kind, str, str, int, bool]:
    """An id at the start: its kind, how it is spelled, its number, where the words behind it begin, if it is sure."""
    marked = start > max(plain_at, 0)
    if found := _NAMED.match(line, start):
        tail = _tail(line, found.end())
        if tail["mark"] or marked or tail.end() == len(line):
            step = re.match(r"(?:step|schritt|paso|passo|[ée]tape|шаг|步骤)", found["kind"], re.IGNORECASE)
            name = re.sub(r"\s+", "-", found["kind"].casefold())
            return "step" if step else "named", f"{name}-{found['number']}", found["number"], tail.end(), False
    kinds: tuple[tuple[Kind, re.Pattern[str]], ...] = (
        *(("dotted", _DOTTED), ("number", _BARE), ("hash", _HASH), ("coded", _CODED)),
    )
    for kind, pattern in kinds:
        if not (found := pattern.match(line, start)):
            continue
        tail = _tail(line, found.end())
        sure = tail["mark"] is not None or (marked and tail.end() > found.end() and not line[found.end()].isspace())
        if kind == "number" and not sure:
            continue
        if kind == "coded" and not sure and "-" not in found[0] and not _TASK_NUMBER.fullmatch(found[0]):
            continue
        if kind == "coded" and not sure and _STANDARD.fullmatch(found[0]):
            continue
        number = found[0] if kind in ("dotted", "number") else ""
        return kind, found[0], number, tail.end(), sure and kind == "coded"
    if marked and (found := _LABEL.match(line, start)):
        return "coded", found[0], "", _tail(line, found.end()).end(), False
    return "", "", "", max(plain_at, 0), False


def _tail(line: str, at: int) -> re.Match[str]:
    found = _TAIL.match(line, at)
    assert found is not None
    return found


def _struck(line: str, end: int) -> bool:
    """Whether the words are crossed out; new words behind those that are take their place."""
    words = line if line.lstrip("*_ ").startswith("~~") else line[end:]
    found = re.match(r"[*_\s]*~~.*~~[*_\s]*(.?)", words)
    return found is not None and not (found[1].isalnum() or found[1] in ("`", '"', "["))


def _unremarked(text: str) -> str:
    """Words without their ids, and without remarks that have been understood."""
    return _REMARK.sub("", _SET.sub("", text)) if _REMARKED.search(text) else text


@lru_cache(maxsize=1_000)
def urgency(text: str) -> int | None:
    """The priority that words say, from 1 to 5; None: nothing."""
    found = _URGENCY.search(text)
    if found is None:
        return None
    if digit := found["p"] or found["first"]:
        return min(int(digit) + 1, 5)
    return _WORDS[found["word"].casefold()] if found["word"] else _SIGNS[found["sign"]]


def plain(text: str) -> str:
    """Words on one line, without what Markdown adds."""
    if "<!--" in text:
        text = _COMMENT.sub("", text)
    if "](" in text:
        text = _LINK.sub(r"\1", text)
    return " ".join(_EMPHASIS.sub("", text).split())


def made_id(title: str) -> str:
    """An id of words; the same when a line gains a date, a person or a remark about others."""
    words = re.findall(r"\w+", unicodedata.normalize("NFC", _NOISE.sub(" ", _unremarked(title))).casefold())
    id = ""
    for word in words:
        if id and len(id) + 1 + len(word) > _MAX_ID:
            break
        id = f"{id}-{word}" if id else word[:_MAX_ID]
    return id.strip("_") or "task"
