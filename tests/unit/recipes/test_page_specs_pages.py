"""Lists of pages in every shape in which people write them."""

from __future__ import annotations

import pytest

from stretto.recipes.page_specs.pages import Page, guessed, named, page_name, pages_of


def one(text: str) -> Page:
    (page,) = pages_of(text)
    return page


@pytest.mark.parametrize(
    ("line", "routes", "purpose", "access"),
    [
        ("- **MapPage**: Where to find us (Route: `/map`)", ("/map",), "Where to find us", ""),
        ("- **MapPage**: Where to find us (Route: /map)", ("/map",), "Where to find us", ""),
        ("* **MapPage** (`/map`) - Where to find us", ("/map",), "Where to find us", ""),
        ("- **MapPage:** Where to find us", (), "Where to find us", ""),
        ("1. **MapPage** — Where to find us", (), "Where to find us", ""),
        ("- [ ] MapPage: /map", ("/map",), "", ""),
        ("- MapPage (protected) - Where to find us", (), "Where to find us", "protected"),
        ("- MapPage (admin only)", (), "", "admin only"),
        ("MapPage: /map", ("/map",), "", ""),
        ("MapPage (/map)", ("/map",), "", ""),
        ("MapPage -> /map", ("/map",), "", ""),
        ("MapPage → /map", ("/map",), "", ""),
        ("/map -> MapPage [requires: auth]", ("/map",), "", "requires: auth"),
        ("- `/map/:id` => MapPage", ("/map/:id",), "", ""),
        ("#### **MapPage**", (), "", ""),
        ("### 3.2 MapPage: `/map`", ("/map",), "", ""),
        ("## 2) Map — `/map` and `/map/:id`", ("/map", "/map/:id"), "", ""),
        ("## 2) Map — /map and /map/:id", ("/map", "/map/:id"), "", ""),
        ("| MapPage | `/map` | Where to find us |", ("/map",), "Where to find us", ""),
        ("- **MapPage**: opened and/or closed", (), "opened and/or closed", ""),
    ],
)
def test_a_page_of_one_line(line: str, routes: tuple[str, ...], purpose: str, access: str) -> None:
    page = one(f"# App\n\n{line}\n")
    assert (page.name, page.routes, page.purpose, page.access) == ("MapPage", routes, purpose, access)
    assert page.line == 3
    if "MapPage" in line:
        assert page.column == line.index("MapPage") + 1


@pytest.mark.parametrize(
    "line",
    [
        "- **ShopLayout**: around everything",
        "- **LoginModal**: over everything (Route: /login)",
        "- MapPage leads to HomePage",
        "- HomePage -> MapPage -> ShopPage",
        "The MapPage is on / and nowhere else",
        "- **Navigation**: HomePage, MapPage",
        "## 1) List the breads — `/api/breads`",
        "## 2) Reading and/or writing",
        "## 3) Prices - 10 EUR / month",
        "    const page = MapPage;",
        "| Page | Route |",
        "# Pages and routes",
    ],
)
def test_a_line_that_lists_no_page(line: str) -> None:
    assert pages_of(f"{line}\n") == ()


def test_several_pages_of_one_bullet_share_its_words_and_have_a_route_each() -> None:
    first, second = pages_of("- **LoginPage/SignupPage**: Come in (Routes: /in, /join)\n")
    assert (first.name, first.routes, first.purpose) == ("LoginPage", ("/in",), "Come in")
    assert (second.name, second.routes, second.purpose) == ("SignupPage", ("/join",), "Come in")
    assert second.column > first.column


@pytest.mark.parametrize("joined", ["APage/BPage", "APage, BPage", "APage & BPage", "`APage` and `BPage`"])
def test_pages_are_joined_in_many_ways(joined: str) -> None:
    assert [page.name for page in pages_of(f"- {joined}: what they are for\n")] == ["APage", "BPage"]


def test_what_stands_below_a_page_belongs_to_it() -> None:
    page = one("#### **MapPage**\nFirst words of it.\n\n- **Route**: `/map`\n- **Access:** protected\n- Step 1\n")
    assert (page.routes, page.purpose, page.access) == (("/map",), "First words of it.", "protected")


def test_a_purpose_below_ends_with_the_next_heading() -> None:
    text = "#### **MapPage**\n\n#### Colours\n**Purpose**: of the colours\n"
    assert one(text).purpose == ""


def test_a_purpose_below_a_bullet_is_its_own() -> None:
    first, second = pages_of("- **APage**\n  - Purpose: the first\n- **BPage**\n  - **Purpose**: the second\n")
    assert (first.purpose, second.purpose) == ("the first", "the second")


def test_a_page_that_is_named_twice_is_one_and_the_first_place_counts() -> None:
    text = "- MapPage (protected) - Where\n\n```\n/map -> MapPage [requires: admin]\n```\n- mapPage\n"
    page = one(text)
    assert (page.routes, page.purpose, page.access, page.line) == (("/map",), "Where", "protected", 1)


def test_in_a_fence_only_arrows_count() -> None:
    assert [page.name for page in pages_of("```\n- **APage**: no\n/b -> BPage\n```\n- **CPage**\n")] == [
        "BPage",
        "CPage",
    ]


@pytest.mark.parametrize(
    ("name", "route"),
    [("HomePage", "/"), ("SignupPage", "/signup"), ("NotFoundPage", "*"), ("ChapelDetailPage", "/chapeldetail")],
)
def test_a_route_that_nobody_wrote_down_comes_from_the_name(name: str, route: str) -> None:
    pages = pages_of(f"- **{name}**: what it is for\n- **OtherPage**: (Route: /other)\n")
    assert pages[0].route == route
    assert guessed(pages) == (pages[0],)


def test_a_title_becomes_a_name() -> None:
    assert [page_name(title) for title in ("Chapel detail", "Home page", "notes")] == [
        "ChapelDetailPage",
        "HomePage",
        "NotesPage",
    ]


def test_a_page_is_found_in_whatever_case() -> None:
    pages = pages_of("- **HomePage**\n")
    assert named(pages, "homepage") == pages[0]
    assert named(pages, "home") is None
