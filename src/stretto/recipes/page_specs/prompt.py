"""What the writers of specifications are told: the same words for every page first, so that models may keep them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from stretto.recipes.page_specs.folder import HEADING, MASTER, PAGES, PLAN, REGISTRY, SCHEMA, Texts, spec_path
from stretto.recipes.page_specs.pages import Page

_MASTER_ASK: Final = f"""\
Write the master frontend interaction specification of this app: `{MASTER}`. One writer a page goes on from it, each on
its own and at the same time, so it has to settle what they share:

- the layouts and the navigation between all pages, by name;
- components, forms, messages, loading, empty and error states that more than one page has, and how each behaves;
- sign-in, roles, and what a visitor without the right role sees;
- which data and which API calls each page works with, by the names that the schema and the contracts give them.

It covers every page of the list below, and leaves the details of a page to its own specification. It invents no page,
no field and no call. The first line begins with `{HEADING}`; nothing stands before it, and no fence stands around it.
"""
_PAGE_ASK: Final = """\
Write the frontend interaction specification of one page of this app, from the material below. Others write those of
the other pages at the same time; what all of them share stands in the master specification, and is not repeated.
A page's specification says what is shown, every element a person can act on, what each action does (call, data by the
schema's names, where it leads, by page name and route), and the loading, empty, error and access cases. It names only
pages of the list, and only fields and calls that the schema and the API have.
"""


def master_prompt(texts: Texts, pages: Sequence[Page]) -> str:
    """For who writes the master."""
    parts = [_MASTER_ASK, page_list(pages), *_material(texts, master=True)]
    return "\n".join(parts)


def shared_prompt(texts: Texts, pages: Sequence[Page]) -> str:
    """What the prompts of all pages begin with."""
    read = f'The master specification; where its text does not stand here, read it first:\n\n<file path="{MASTER}"/>\n'
    return "\n".join([_PAGE_ASK, page_list(pages), *_material(texts, master=False), read])


def page_prompt(shared: str, pages: Sequence[Page], at: int) -> str:
    """For who writes the page at that position of the list."""
    page = pages[at]
    routes = " and ".join(page.routes) or f"{page.route} (not written down; taken from its name)"
    facts = [
        f"- Name: {page.name}",
        f"- Route: {routes}",
        *([f"- Purpose: {page.purpose}"] if page.purpose else []),
        *([f"- Access: {page.access}"] if page.access else []),
        f"- Its place: page {at + 1} of {len(pages)}{_neighbours(pages, at)}",
    ]
    path = spec_path(page.name)
    ask = (
        f"Write exactly one file: `{path}`. Its first line is exactly `{first_line(page.name)}`; nothing stands before "
        "it, and no fence stands around it."
    )
    return "\n".join([shared, f"## Your page: {page.name}\n", *facts, "", ask, ""])


def first_line(name: str) -> str:
    """How the specification of a page begins."""
    return f"{HEADING} - {name}"


def page_list(pages: Sequence[Page]) -> str:
    """Every page of the app, a line each."""
    lines = [f"## All pages of the app ({len(pages)})\n"]
    for page in pages:
        access = f" [{page.access}]" if page.access else ""
        lines.append(f"- {page.name}: {', '.join(page.routes) or page.route}{access}{_about(page)}")
    return "\n".join([*lines, ""])


def _about(page: Page) -> str:
    return f" - {page.purpose}" if page.purpose else ""


def _neighbours(pages: Sequence[Page], at: int) -> str:
    before = f", after {pages[at - 1].name}" if at else ""
    behind = f", before {pages[at + 1].name}" if at + 1 < len(pages) else ""
    return before + behind


def _material(texts: Texts, *, master: bool) -> Iterator[str]:
    """The shared files. A page's writer gets the registry of the API; the contracts where there is none."""
    if master and texts.plan:
        yield _file(PLAN, texts.plan)
    yield _file(PAGES, texts.pages)
    if texts.schema:
        yield _file(SCHEMA, texts.schema)
    if texts.registry is not None:
        yield _file(REGISTRY, texts.registry)
    if master or texts.registry is None:
        for name, text in texts.contracts.items():
            yield _file(name, text)


def _file(name: str, text: str) -> str:
    return f'<file path="{name}">\n{text.rstrip()}\n</file>\n'
