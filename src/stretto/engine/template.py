"""Templates of prompts: our wording, and the user's own arrangement of it, which may choose and never compute.

The text of plans, files and agents is put into a template; it never becomes one. Jinja is imported when it is needed.
"""

from __future__ import annotations

import difflib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from stretto.model.excerpt import legible
from stretto.model.plan import Value

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

SECTIONS: Final = ("about", "context", "handoffs", "claims", "gates", "result", "attempts", "work")
"""Of a prompt, in this order; each is a macro, or a few, in `templates/sections.md.j2`."""
FACTS: Final = ("task", "title", "phase", "plan", "base", "attempt")
NAMES: Final = ("words", "seam", "sections", *SECTIONS, *FACTS)
"""What a template may name. All are texts but `attempt`, a number; what there is nothing to say about is empty."""
MOST_OWN: Final = 20_000
"""Characters that a template may have of its own."""
_FILTERS: Final = (
    "capitalize",
    "default",
    "first",
    "int",
    "last",
    "length",
    "lower",
    "string",
    "title",
    "trim",
    "upper",
)
_NODES: Final = frozenset({
    *("Template", "Output", "TemplateData", "Name", "Const", "If", "CondExpr", "Filter", "Test", "Compare", "Operand"),
    *("And", "Or", "Not", "Concat"),
})  # fmt: skip
"""What a template may consist of: no loop, call, macro, import or arithmetic, so that it always ends, and soon."""


class Trouble(Value, frozen=True, kw_only=True):
    """Why a text cannot be the template of prompts. Lines count from 1."""

    line: int
    message: str
    hint: str = ""


class Template:
    """A template that has been found to be sound. Raises nothing but what `examine` would have told."""

    def __init__(self, source: str) -> None:
        self.names = _names(_sandbox().parse(source))
        self._template = _sandbox().from_string(source)

    def render(self, values: dict[str, object]) -> str:
        """The text; `values` has an entry for each of NAMES."""
        return self._template.render(values)


@cache
def compiled(source: str) -> Template:
    """The template of that text."""
    return Template(source)


@cache
def built_in() -> Template:
    """The arrangement that prompts have where the plan names no other."""
    return Template(_read("prompt.md.j2"))


def examine(source: str) -> Trouble | None:
    """What is wrong with a template of the user's, if anything."""
    import jinja2

    if len(source) > MOST_OWN:
        return Trouble(line=1, message=f"it has {len(source)} characters; {MOST_OWN} are the most")
    try:
        tree = _sandbox().parse(source)
        if (trouble := _forbidden(tree)) is not None:
            return trouble
        Template(source)
        return _lost_words(source)
    except jinja2.TemplateSyntaxError as error:
        return Trouble(line=error.lineno, message=error.message or "it is no template")
    except RecursionError:
        return Trouble(line=1, message="it is nested too deeply")


def section(name: str, **values: object) -> str:
    """The words of one section. What `values` hold is data."""
    text: object = getattr(_wording(), name)(**values)
    return str(text)


# --- the user's ----------------------------------------------------------------------------------------------------


def _forbidden(tree: nodes.Template) -> Trouble | None:
    from jinja2 import nodes

    for node in tree.find_all(nodes.Node):
        kind = type(node).__name__
        if kind not in _NODES:
            what = {"For": "a loop", "Call": "a call", "Getattr": "a dot", "Getitem": "an index"}.get(kind, f"`{kind}`")
            return Trouble(
                line=node.lineno,
                message=f"{what} is nothing that a prompt's template may have",
                hint="it puts texts in place, and asks with `if` which ones",
            )
        if isinstance(node, nodes.Name) and node.name not in NAMES:
            return Trouble(line=node.lineno, message=f"there is no {node.name!r}", hint=_near(node.name, NAMES))
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            return Trouble(
                line=node.lineno, message=f"there is no filter {node.name!r}", hint=_near(node.name, _FILTERS)
            )
    return None


def _lost_words(source: str) -> Trouble | None:
    """Try it with everything there and with nothing but the words, which have to come through as they are."""
    import jinja2

    words = "  Do <it> & say {{ 7 * 7 }} {% done %}\n\ttwice, `so`  \n" * 20
    full: dict[str, object] = {name: f"the {name}" for name in NAMES} | {"words": words, "attempt": 2}
    bare: dict[str, object] = dict.fromkeys(NAMES, "") | {"words": words, "attempt": 1}
    for values in (full, bare):
        try:
            if words.strip() not in Template(source).render(values):
                return Trouble(line=1, message="the task's own words are not in it", hint="write {{ words }}")
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError) as error:
            return Trouble(line=_line_of(error), message=str(error) or type(error).__name__)
    return None


def _line_of(error: BaseException) -> int:
    """The line of the template in which rendering failed: Jinja puts it into the traceback."""
    line, at = 1, error.__traceback__
    while at is not None:
        line = at.tb_lineno if at.tb_frame.f_code.co_filename == "<template>" else line
        at = at.tb_next
    return line


def _near(name: str, names: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"


def _names(tree: nodes.Template) -> frozenset[str]:
    from jinja2 import nodes

    return frozenset(node.name for node in tree.find_all(nodes.Name))


# --- the machinery -------------------------------------------------------------------------------------------------


@cache
def _sandbox() -> Environment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    sandbox = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
    )
    sandbox.globals.clear()
    return sandbox


@cache
def _wording() -> object:
    """The macros of our own sections."""
    wording = _sandbox().overlay()
    wording.filters = {**wording.filters, "fenced": fenced, "code": code, "line": line, "flat": flat}
    return wording.from_string(_read("sections.md.j2")).module


def _read(name: str) -> str:
    return (files("stretto.engine") / "templates" / name).read_text(encoding="utf-8")


def fenced(text: str) -> str:
    """`text` in a fence longer than any inside it."""
    fence = _longer("`", text, 3)
    return f"{fence}\n{text.rstrip()}\n{fence}"


def code(text: str) -> str:
    """A short text as code within a line."""
    short = flat(text, 2000)
    tick = _longer("`", short, 1)
    gap = " " if short[:1] == "`" or short[-1:] == "`" else ""
    return f"{tick}{gap}{short}{gap}{tick}"


def line(text: str, limit: int = 200) -> str:
    """The first line, short."""
    return _clean(text).strip().partition("\n")[0][:limit]


def flat(text: str, limit: int = 200) -> str:
    """All of it in one line, short."""
    return " ".join(_clean(text).split())[:limit]


def _clean(text: str) -> str:
    """Most short texts need no cleaning, and a prompt has hundreds."""
    return text if text.isprintable() else legible(text)


def _longer(sign: str, text: str, least: int) -> str:
    if sign not in text:
        return sign * least
    return sign * max(least, *(len(run) + 1 for run in re.findall(f"{sign}+", text)), least)
