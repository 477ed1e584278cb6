"""Taking typed values out of a parsed file. A mistake becomes a finding with its place, and reading goes on."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal, TypeVar

from stretto.formats.places import Places, in_order
from stretto.formats.syntax.source import Source, Steps, plan_error
from stretto.model.plan import Finding, Location, Plan, Value

_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_DURATION = re.compile(r"\s*+".join(rf"(?:{_NUMBER}\s*+{unit})?" for unit in "dhms"))
_UNITS_S = (86400.0, 3600.0, 60.0, 1.0)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
MAX_SECONDS = 10 * 365 * 86400.0
_MARKED = {"pending": "to be done", "open": "to be done", "running": "begun", "succeeded": "done", "later": "put off"}
"""What a check box says, in the words of a list."""


_Meaning = TypeVar("_Meaning")


class Read(Value, frozen=True, kw_only=True):
    """What a reader makes of a file; `findings` are those that left a plan possible."""

    plan: Plan
    places: Mapping[str, Location]
    findings: tuple[Finding, ...] = ()
    placeless: frozenset[str] = frozenset()
    """Tasks for whose status its files have no place, although the format keeps statuses."""


class Reading:
    """The findings of one file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.places = Places(source)
        self.findings: list[Finding] = []
        self._impossible = False

    def root(self, about: str) -> Table:
        tree = self.source.tree
        return Table(self, (), tree if isinstance(tree, dict) else {}, about)

    def report(
        self,
        code: str,
        message: str,
        steps: Steps,
        hint: str = "",
        *,
        severity: Literal["error", "warning", "info"] = "warning",
        key: bool = False,
        tasks: tuple[str, ...] = (),
        unsupported: bool = False,
    ) -> None:
        location = self.source.location(steps, key=key)
        self.findings.append(
            Finding(
                code=code,
                severity=severity,
                message=message,
                hint=hint,
                location=location,
                tasks=tasks,
                unsupported=unsupported,
            )
        )

    def refuse(self, code: str, message: str, steps: Steps, hint: str = "", *, key: bool = False) -> None:
        """Report a mistake that leaves no plan to speak of."""
        self._impossible = True
        self.report(code, message, steps, hint, severity="error", key=key)

    def unknown_status(
        self,
        about: str,
        value: object,
        steps: Steps,
        tasks: tuple[str, ...],
        words: Mapping[str, object],
        *,
        key: str = "status",
        counts_as: str = "pending",
    ) -> None:
        """Report a word for a state that nobody knows. `words`: those that are known, with what each means."""
        message = f"`{key}` of {about} is {kind(value)}, which is no word that is known; it counts as {counts_as}"
        self.report("unknown-status", message, steps, known_words(value, words), tasks=tasks)

    def unknown_mark(self, task: str, mark: str, steps: Steps, marks: Mapping[str, str]) -> None:
        """Report what stands in a check box and nobody knows. `marks`: those that are known, with what each means."""
        message = f"[{mark}] of task {shown(task)!r} is no mark that is known; it counts as to be done"
        known = [f"[{each}] ({_MARKED.get(means, means)})" for means, each in _foremost(marks).items()]
        self.report("unknown-status", message, steps, f"write {_either(known)}", tasks=(task,))

    def finish(self, plan: Callable[[], Plan]) -> Read:
        """The plan and its findings. Raises PlanError with all of them when there can be no plan."""
        findings = in_order(self.findings)
        if self._impossible:
            raise plan_error(self.source.file, findings)
        return Read(plan=plan(), places=self.places, findings=tuple(findings))


class Table:
    """A mapping in a file. Every key that is asked for counts as known; `close` reports the others."""

    def __init__(self, reading: Reading, steps: Steps, values: Mapping[str, object], about: str) -> None:
        self.reading = reading
        self.steps = steps
        self.values = values
        self.about = about
        """What it is, for messages: `task 'schema'`."""
        self._known: set[str] = set()

    def get(self, key: str) -> object:
        """The plain value; None when it is absent or null."""
        self._known.add(key)
        return self.values.get(key)

    def wrong(self, key: str, expected: str, value: object, *more: str | int, hint: str = "") -> None:
        message = f"`{key}` of {self.about} should be {expected}, not {kind(value)}"
        self.reading.refuse("wrong-type", message, (*self.steps, key, *more), hint or f"write {expected} there")

    def bad(self, key: str, message: str, *more: str | int, hint: str = "") -> None:
        hint = hint or f"change `{key}`, or leave it out"
        self.reading.refuse("wrong-value", f"`{key}` of {self.about} {message}", (*self.steps, key, *more), hint)

    def missing(self, key: str, hint: str) -> None:
        self.reading.refuse("missing-key", f"{self.about} has no `{key}`", self.steps, hint)

    def misspelt(self, *wanted: str) -> bool:
        """Refuse a key that nobody asked for and that looks like one of these: without it there is no plan to judge."""
        for key in self.values:
            if key not in self._known and (hint := meant(key, wanted)):
                self._known.add(key)
                message = f"{self.about} has no key `{shown(key)}`"
                self.reading.refuse("unknown-key", message, (*self.steps, key), hint, key=True)
                return True
        return False

    def _spelled(self, value: object, steps: Steps, *, numbers: bool) -> str | None:
        """A scalar as text: strings, what YAML wrote without quotes and, where allowed, numbers as written."""
        match value:
            case str():
                return value
            case bool() | int() | float() if self.reading.source.syntax == "yaml":
                return self.reading.source.written(steps)
            case int() if numbers and not isinstance(value, bool):
                return str(value)
            case float() if numbers:
                return self.reading.source.written(steps)
            case _:
                return None

    def text(self, key: str) -> str:
        value = self.get(key)
        if value is None:
            return ""
        text = self._spelled(value, (*self.steps, key), numbers=False)
        if text is None:
            self.wrong(key, "text", value)
        return text or ""

    def id(self, *keys: str, expected: str = "an id") -> str | None:
        """The first of these keys that is there, as an id; None when none is, or when it is no id."""
        for key in keys:
            value = self.get(key)
            if value is not None or (self.reading.source.syntax == "yaml" and key in self.values):
                return self._name(key, value, expected, ())
        return None

    def own_id(self, hint: str) -> str | None:
        """Its `id`. None, and said so, where it has none, or one that is null or no id."""
        before = len(self.reading.findings)
        id = self.id("id")
        if id is None and len(self.reading.findings) == before:
            self.missing("id", hint)
        return id

    def ids(self, key: str) -> tuple[str, ...]:
        """Names of other things: one, or a list."""
        value = self.get(key)
        match value:
            case None:
                return ()
            case list():
                found = [self._name(key, each, "a list of ids", (i,)) for i, each in enumerate(value)]
            case _:
                found = [self._name(key, value, "an id, or a list of ids", ())]
        return tuple(x for x in found if x is not None)

    def _name(self, key: str, value: object, expected: str, more: tuple[int, ...]) -> str | None:
        text = self._spelled(value, (*self.steps, key, *more), numbers=True)
        if text is None:
            self.wrong(key, expected, value, *more)
        elif not text.strip():
            self.bad(key, "is empty", *more)
        elif control := CONTROL.search(text):
            self.bad(key, f"has a control character in it: {control[0]!r}", *more)
        else:
            return text
        return None

    def texts(self, key: str, what: str = "text") -> tuple[str, ...] | None:
        """One text, or a list of them; None when it is absent."""
        value = self.get(key)
        match value:
            case None:
                return None
            case list():
                items, inside = value, True
            case _:
                items, inside = [value], False
        found: list[str] = []
        for i, each in enumerate(items):
            more = (i,) if inside else ()
            text = self._spelled(each, (*self.steps, key, *more), numbers=False)
            if text is None:
                self.wrong(key, f"{what}, or a list of {what}s", each, *more)
            elif not text.strip():
                self.bad(key, "has an empty entry" if inside else "is empty", *more)
            elif "\0" in text:
                self.bad(key, "has a NUL character in it", *more)
            else:
                found.append(text)
        return tuple(found)

    def flag(self, key: str, default: bool) -> bool:
        value = self.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.wrong(key, "true or false", value)
            return default
        return value

    def count(self, key: str, low: int, high: int) -> int | None:
        value = self.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            self.wrong(key, "a whole number", value)
            return None
        if not low <= value <= high:
            self.bad(key, f"should be from {low} to {high}, not {value if abs(value) < 10**9 else 'that'}")
            return None
        return value

    def seconds(self, key: str) -> float | None:
        value = self.get(key)
        if value is None:
            return None
        seconds = duration_s(value)
        if seconds is None:
            self.wrong(key, "a duration such as 90, 15m or 1h30m", value)
        elif not 0 < seconds <= MAX_SECONDS:
            self.bad(key, "should be more than nothing, and less than ten years")
        else:
            return seconds
        return None

    def choice(self, key: str, options: Collection[str]) -> str | None:
        value = self.get(key)
        if value is None:
            return None
        if isinstance(value, str) and value in options:
            return value
        self.wrong(key, " or ".join(options), value, hint=meant(str(value), options))
        return None

    def table(self, key: str) -> Table | None:
        value = self.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.wrong(key, "a mapping", value)
            return None
        return Table(self.reading, (*self.steps, key), value, f"`{key}`")

    def tables(self, key: str, about: str) -> list[Table]:
        value = self.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(key, f"a list of {about}s", value)
            return []
        found = []
        for i, each in enumerate(value):
            if isinstance(each, dict):
                found.append(Table(self.reading, (*self.steps, key, i), each, f"{about} {i + 1}"))
            else:
                self.wrong(key, f"a list of {about}s, each a mapping", each, i)
        return found

    def close(self, not_yet: Mapping[str, str] | None = None, others: Mapping[str, str] | None = None) -> None:
        """Report every key that nobody asked for; those in `not_yet` are right, but not built (R8.7).

        `others`: words of other tools, in lower case and without `_` and `-`, and what they are called here."""
        not_yet = not_yet or {}
        for key in self.values:
            if key in self._known:
                continue
            if key in not_yet:
                self.reading.report(
                    "unsupported",
                    f"`{key}` of {self.about} is not supported yet: {not_yet[key]}",
                    (*self.steps, key),
                    "remove it; stretto ignores nothing in a plan",
                    severity="error",
                    key=True,
                    unsupported=True,
                )
            else:
                here = (others or {}).get(key.casefold().replace("_", "").replace("-", ""), "")
                word, options = (here, {here}) if here in self._known else (key, {*self._known, *not_yet})
                self.reading.report(
                    "unknown-key",
                    f"{self.about} has no key `{shown(key)}`",
                    (*self.steps, key),
                    meant(word, options) or f"it may have: {', '.join(sorted(self._known))}",
                    severity="error",
                    key=True,
                )


def duration_s(value: object) -> float | None:
    """Seconds of a number, or of text such as `90s`, `15m`, `1h30m`, `2d`."""
    match value:
        case bool():
            return None
        case int() | float():
            return float(value) if math.isfinite(value) else None
        case str() if value.strip():
            if len(value) >= 100:
                return None
            if re.fullmatch(_NUMBER, value.strip()):
                return float(value)
            found = _DURATION.fullmatch(value.strip())
            parts = found.groups() if found else ()
            return sum(float(n) * unit for n, unit in zip(parts, _UNITS_S, strict=False) if n) if any(parts) else None
        case _:
            return None


def meant(word: str, options: Collection[str], *, likeness: float = 0.6) -> str:
    """`did you mean …?`, or nothing. `likeness`: how much alike they have to be, from 0 to 1."""
    close = difflib.get_close_matches(word.casefold()[:60], sorted(options), n=1, cutoff=likeness)
    return f"did you mean `{close[0]}`?" if close else ""


def known_words(value: object, words: Mapping[str, object]) -> str:
    """What to write instead of a word that is not among these: the foremost of each meaning, and what may be meant."""
    close = meant(value, words, likeness=0.7) if isinstance(value, str) else ""
    return f"write {_either(list(_foremost(words).values()))}" + (f"; {close}" if close else "")


def _foremost(words: Mapping[str, _Meaning]) -> dict[_Meaning, str]:
    """For each meaning the first word that has it."""
    found: dict[_Meaning, str] = {}
    for word, meaning in words.items():
        if word:
            found.setdefault(meaning, word)
    return found


def _either(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def shown(text: str, limit: int = 60) -> str:
    """A piece of somebody's text, fit for one line of a message."""
    text = CONTROL.sub(" ", text).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def kind(value: object) -> str:
    """What a value is, in words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {shown(repr(value), 30)}"
        case str():
            return f"{shown(value, 30)!r}" if value.strip() else "empty text"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return type(value).__name__
