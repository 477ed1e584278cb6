"""The pages that a technical specification names, in every shape in which people write such lists.

    - **HomePage**: what it is for (Route: `/`)        a bold bullet
    #### **CreateBookingPage**                         a heading, with `**Purpose**:` or a paragraph below it
    - ProfilePage (protected) - what it is for         a plain bullet; its route stands elsewhere, behind an arrow:
    /profile -> ProfilePage [requires: auth]
    HomePage: /      HomePage (/)      HomePage -> /    one line a page
    ## 2) Notes — `/notes` and `/notes/:id`            a numbered heading with its routes
    | HomePage | `/` | what it is for |                a row of a table

A page that is named twice is one page: what the first place leaves open, a later one fills in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from stretto.model.plan import Value

_NAME = r"[A-Z][A-Za-z0-9]*Page"
_JOIN = r"\s*(?:/|,|&|\+|\band\b)\s*"
_MARK = r"(?:\*\*|__|`)"
_ROUTE = r"/(?:[\w:.~*$\[\]{}?=&%@+-]+/?)*"
_ARROW = r"(?:->|=>|→|⇒)"
_NAMES = rf"(?P<names>{_MARK}?{_NAME}{_MARK}?(?:{_JOIN}{_MARK}?{_NAME}{_MARK}?)*)"
_LIST = r"(?:[-*+]|\d{1,4}[.)])[ \t]+(?:\[.\][ \t]+)?"

_ITEM = re.compile(rf"[ \t]*(?:{_LIST}){_MARK}?{_NAMES}(?P<rest>.*)$")
_PLAIN = re.compile(rf"[ \t]*{_NAMES}(?P<rest>[ \t]*(?::|\(|{_ARROW})[ \t]*`?/.*)$")
_HEADING = re.compile(r"(?P<level>#{1,6})[ \t]++(?P<title>(?:[^ \t]+|[ \t]++(?!#+[ \t]*$|$))*+)(?:[ \t]+#+)?[ \t]*$")
_NUMBER = re.compile(r"(?:\d{1,4}(?:\.\d{1,4})*[.)]?[ \t]+)")
_TITLED = re.compile(
    rf"\d{{1,4}}[.)][ \t]++(?P<title>[^`/]*?[^`/ \t])[ \t]*(?:—|–|-|:)[ \t]+(?P<rest>`?{_ROUTE}`?(?:[ ,].*)?)$"
)
_POINTED = re.compile(rf"[ \t]*(?:{_LIST})?`?(?P<route>{_ROUTE})`?[ \t]*{_ARROW}[ \t]*{_NAMES}(?P<rest>.*)$")
_ROW = re.compile(r"[ \t]*\|(?P<cells>.*)\|[ \t]*$")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_KEY = re.compile(
    r"[ \t]*(?:[-*+][ \t]+)?(?:\*\*|__)?(?P<key>Purpose|Description|Routes?|Path|URL|Access|Auth)(?P<in>:)?(?:\*\*|__)?"
    r"(?(in)|[ \t]*:)[ \t]*(?P<value>\S.*)$",
    re.IGNORECASE,
)
_BEHIND = re.compile(rf"[ \t]*(?:$|[:(\[–—|]|-(?!>)|{_ARROW}[ \t]*`?/|`/)")
"""What may stand behind the names of a line that lists them; other words make it a sentence about them."""
_SAID = re.compile(
    rf"\b(?:routes?|paths?|urls?)[ \t]*:[ \t]*(?P<routes>`?{_ROUTE}`?(?:[ \t]*(?:,|and|or|\|)[ \t]*`?{_ROUTE}`?)*)",
    re.IGNORECASE,
)
_QUOTED = re.compile(rf"`({_ROUTE})`")
_ANY = re.compile(rf"(?:^|[ ,`(])({_ROUTE})(?=$|[ ,`)])")
_BRACKETED = re.compile(rf"\([ \t]*({_ROUTE})[ \t]*\)")
_FIRST = re.compile(rf"[ \t]*(?::|{_ARROW}|-|–|—)?[ \t]*({_ROUTE})(?=[ \t,;)\]]|$)")
_ACCESS = re.compile(
    r"(?:^[ \t]*[(\[]|[(\[](?=[ \t]*requires?\b))[ \t]*"
    r"(?P<access>(?!(?:route|path|url)s?\b)[a-z][\w ,:-]{0,40}?)[ \t]*[)\]]",
    re.IGNORECASE,
)
_KNOWN: Final = {
    "homepage": "/", "landingpage": "/", "loginpage": "/login", "signinpage": "/login", "signuppage": "/signup",
    "registerpage": "/signup", "dashboardpage": "/dashboard", "profilepage": "/profile", "notfoundpage": "*",
}  # fmt: skip
"""Routes that go without saying."""


class Page(Value, frozen=True, kw_only=True):
    """A page as it is listed; line and column are where its name stands first, from 1."""

    name: str
    routes: tuple[str, ...] = ()
    purpose: str = ""
    access: str = ""
    line: int
    column: int

    @property
    def route(self) -> str:
        """The first that was written down, else the one that goes without saying."""
        return self.routes[0] if self.routes else _KNOWN.get(self.key, f"/{self.key.removesuffix('page')}")

    @property
    def key(self) -> str:
        """Two pages with one key would share one file."""
        return self.name.lower()


def pages_of(text: str) -> tuple[Page, ...]:
    """Every page that the text lists, in the order in which they are named first."""
    found: dict[str, Page] = {}
    below: list[str] = []
    """Pages that lines like `**Purpose**: …` speak of."""
    under_heading = fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if _FENCE.match(line):
            fenced = not fenced
            continue
        heading = None if fenced else _HEADING.match(line)
        named = tuple(_named(line, number, heading, fenced=fenced))
        if named:
            for page in named:
                found[page.key] = _with(found[page.key], page) if page.key in found else page
            below, under_heading = [page.key for page in named], heading is not None
        elif heading is not None:
            below = []
        elif below and not fenced:
            for key in below:
                found[key] = _told(found[key], line, prose=under_heading)
    return tuple(found.values())


def _named(line: str, number: int, heading: re.Match[str] | None, *, fenced: bool) -> Iterator[Page]:
    """The pages that a line lists."""
    if heading is not None:
        yield from _of_heading(heading, number)
    elif (pointed := _POINTED.match(line)) is not None:
        for name, at in _each(pointed):
            yield Page(name=name, routes=(pointed["route"],), access=_access(pointed["rest"]), line=number, column=at)
    elif fenced:
        return
    elif (row := _ROW.match(line)) is not None:
        yield from _of_row(row, number)
    elif (item := _ITEM.match(line) or _PLAIN.match(line)) is not None and _BEHIND.match(_plain(item["rest"])):
        yield from _listed(item, number)


def _of_heading(heading: re.Match[str], number: int) -> Iterator[Page]:
    title = heading["title"]
    titled = _TITLED.match(title)
    routes = tuple(_ANY.findall(titled["rest"])) if titled else ()
    if titled and routes and not routes[0].startswith("/api"):
        at = heading.start("title") + titled.start("title") + 1
        yield Page(name=page_name(titled["title"]), routes=routes, line=number, column=at)
        return
    start = found.end() if (found := _NUMBER.match(title)) else 0
    named = re.compile(rf"{_MARK}?{_NAMES}(?P<rest>.*)$").match(title, start)
    if named is not None and _BEHIND.match(_plain(named["rest"])):
        yield from _listed(named, number, shift=heading.start("title"))


def _of_row(row: re.Match[str], number: int) -> Iterator[Page]:
    cells = [cell.strip() for cell in row["cells"].split("|")]
    at = next((n for n, cell in enumerate(cells) if re.fullmatch(_NAMES, cell)), None)
    if at is None:
        return
    others = [cell for n, cell in enumerate(cells) if n != at]
    routes = tuple(route for cell in others for route in _ANY.findall(cell))
    told = [cell for cell in others if cell and not cell.strip("`").startswith("/") and cell.strip("-– ")]
    purpose = max(told, key=len, default="")
    access = next((cell for cell in told if cell is not purpose), "")
    match = re.compile(_NAMES).search(row.string)
    for name, column in _each(match) if match else ():
        yield Page(name=name, routes=routes, purpose=purpose, access=access, line=number, column=column)


def _listed(match: re.Match[str], number: int, *, shift: int = 0) -> Iterator[Page]:
    """The pages of one item. As many routes as pages: one each."""
    rest = _plain(match["rest"])
    routes, names = _routes(rest), list(_each(match, shift))
    for n, (name, at) in enumerate(names):
        own = routes if len(names) == 1 else (routes[n],) if len(routes) == len(names) else ()
        yield Page(name=name, routes=own, purpose=_purpose(rest), access=_access(rest), line=number, column=at)


def _each(match: re.Match[str], shift: int = 0) -> Iterator[tuple[str, int]]:
    """(name, column) of every page of a list of names."""
    for found in re.finditer(_NAME, match["names"]):
        yield found[0], shift + match.start("names") + found.start() + 1


def _plain(rest: str) -> str:
    """What stands behind the names, without the end of their emphasis."""
    return re.sub(r"^(:?)[ \t]*(?:\*\*|__)", r"\1", rest)


def _routes(rest: str) -> tuple[str, ...]:
    """Routes that are meant as such: named, quoted, in brackets of their own, or first of all."""
    if (said := _SAID.search(rest)) is not None:
        return tuple(dict.fromkeys(re.findall(_ROUTE, said["routes"])))
    found = _QUOTED.findall(rest) or _BRACKETED.findall(rest)
    if not found and (first := _FIRST.match(rest)) is not None:
        found = [first[1]]
    return tuple(dict.fromkeys(found))


def _access(rest: str) -> str:
    """`(protected)` right behind the name, or `[requires: auth]`."""
    found = _ACCESS.search(rest)
    return found["access"] if found else ""


def _purpose(rest: str) -> str:
    """The prose of an item, without its routes and access."""
    routes = rf"\((?:[^()]*\b(?:routes?|paths?|urls?)[ \t]*:[^()]*|[ \t]*`?{_ROUTE}`?[ \t]*)\)"
    text = re.sub(routes, "", rest, flags=re.IGNORECASE)
    text = re.sub(rf"^[ \t:]*(?:{_ARROW})?[ \t]*`?{_ROUTE}`?(?=[ \t,;]|$)", "", text)
    text = re.sub(r"^[ \t]*[(\[][^()\[\]]*[)\]]", "", text)
    return re.sub(rf"^(?:[ \t]|:|-|–|—|{_ARROW})+", "", text).strip()


def _told(page: Page, line: str, *, prose: bool) -> Page:
    """What a line below a page adds to it."""
    if (said := _KEY.match(line)) is not None:
        key, value = said["key"].lower(), said["value"].strip()
        if key in ("purpose", "description"):
            return replace(page, purpose=page.purpose or value)
        if key in ("access", "auth"):
            return replace(page, access=page.access or value.strip("`"))
        routes = tuple(dict.fromkeys(_ANY.findall(value)))
        return replace(page, routes=page.routes or routes)
    if prose and not page.purpose and re.match(r"[^\s#>|*_`<+-]", line):
        return replace(page, purpose=line.strip())
    return page


def _with(page: Page, again: Page) -> Page:
    """One page that was named twice."""
    return replace(
        page,
        routes=page.routes or again.routes,
        purpose=page.purpose or again.purpose,
        access=page.access or again.access,
    )


def page_name(title: str) -> str:
    """A page's name from a title in words: `Chapel detail` is ChapelDetailPage."""
    words = re.findall(r"\w+", title)
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if name.endswith("Page") else f"{name.removesuffix('Pages')}Page"


def guessed(pages: Sequence[Page]) -> tuple[Page, ...]:
    """Pages whose route nobody has written down."""
    return tuple(page for page in pages if not page.routes)


def named(pages: Iterable[Page], name: str) -> Page | None:
    """The page that is called so, in whatever case."""
    return next((page for page in pages if page.key == name.lower()), None)
