"""Claims: every answer is compared with an enumeration of all short paths, and with tables of real spellings."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stretto.analysis.globs import LONGEST, covers, fold, is_literal, normalize, overlap, within

PATHS = ["/".join(p) for n in range(1, 7) for p in itertools.product(["a", "b", "ab"], repeat=n)]
"""Deep enough that any two patterns of three parts that meet at all meet here."""


def brute(pattern: str) -> re.Pattern[str]:
    """What a pattern means, written down a second time as a regular expression."""
    out, i = "", 0
    if pattern.endswith("/"):
        pattern += "**"
    while i < len(pattern):
        rest = pattern[i:]
        if rest.startswith("**/") and (i == 0 or pattern[i - 1] == "/"):
            out, i = out + "(?:.*/)?", i + 3
        elif rest.startswith("**"):
            out, i = out + ".*", i + 2
        elif rest[0] == "*":
            out, i = out + "[^/]*", i + 1
        elif rest[0] == "?":
            out, i = out + "[^/]", i + 1
        elif rest[0] in "[{":
            end = rest.index("]" if rest[0] == "[" else "}")
            body = rest[1:end]
            out += f"(?:[{body}])" if rest[0] == "[" else f"(?:{body.replace(',', '|')})"
            i += end + 1
        else:
            out, i = out + re.escape(rest[0]), i + 1
    return re.compile(out)


def special(pattern: str) -> bool:
    return any(c in pattern for c in "*?[{") or pattern.endswith("/")


token = st.sampled_from(["a", "b", "ab", "*", "**", "?", "[ab]", "{a,b}", "a*", "*b", "?b"])
patterns = st.builds(
    lambda parts, tail: "/".join(parts) + tail, st.lists(token, min_size=1, max_size=3), st.sampled_from(["", "", "/"])
)


@lru_cache
def named(pattern: str) -> frozenset[str]:
    return frozenset(filter(brute(pattern).fullmatch, PATHS))


def covered(pattern: str) -> set[str]:
    return set(named(pattern)) | {p for p in PATHS if p.startswith(pattern + "/") and not special(pattern)}


@given(patterns)
@settings(max_examples=200, deadline=None)
def test_r2_3a_covers_is_what_enumeration_says(pattern: str) -> None:
    assert {p for p in PATHS if covers(pattern, p)} == covered(pattern)


@given(patterns, patterns)
@settings(max_examples=600, deadline=None)
def test_r2_3a_overlap_is_what_enumeration_says(a: str, b: str) -> None:
    rooted = any(not special(x) and y.startswith(x + "/") for x, y in ((a, b), (b, a)))
    expected = bool(named(a) & named(b)) or rooted
    assert overlap(a, b) == overlap(b, a)
    if expected or ("[" not in a and "[" not in b):  # a name with brackets is also read as a folder of that name
        assert overlap(a, b) == expected


@given(st.text(alphabet="ab/*?[]{},!-^.", min_size=1, max_size=12), st.sampled_from(PATHS[:120]))
@settings(max_examples=800, deadline=None)
def test_two_patterns_that_cover_one_path_overlap_whatever_they_are(text: str, path: str) -> None:
    if special(text) and covers(text, path):
        assert overlap(text, path)
        assert overlap(path, text)
        assert overlap(text, "**")


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("src/a.py", "src/a.py", True),
        ("src/a.py", "SRC/A.py", True),
        ("src/a.py", "src/b.py", False),
        ("src", "src/a.py", True),
        ("src", "srcs/a.py", False),
        ("src", "src/**", True),
        ("src", "src/*/x.py", True),
        ("src/y.py", "**/x.py", False),
        ("docs/", "docs/x.md", True),
        ("docs/", "docs", True),
        ("docs/", "**/x.md", True),
        ("docs/", "docs2/x.md", False),
        ("src/*.py", "src/deep/x.py", False),
        ("src/**", "src/deep/x.py", True),
        ("src/**/*.py", "src/x.py", True),
        ("src/*.py", "src/*.ts", False),
        ("src/a*", "src/*b", True),
        ("migrations/**", "migrations/0001.sql", True),
        ("{src,lib}/**", "lib/x", True),
        ("{src,lib}/**", "test/x", False),
        ("{a,{b,c}}/x", "c/x", True),
        ("v{1..9}/x", "v4/x", True),
        ("[a-c].py", "b.py", True),
        ("[!a].py", "b.py", True),
        ("[[:alpha:]].py", "b.py", True),
        ("app/[id]/page.tsx", "app/[id]/page.tsx", True),
        ("app/[id]/page.tsx", "app/[slug]/page.tsx", False),
        ("app/[id]/page.tsx", "app/about/page.tsx", False),
        ("app/[id]", "app/[id]/page.tsx", True),
        ("app/[...all]/x", "app/[...all]/x", True),
        ("./src//a.py", "src/a.py", True),
        ("src\\a.py", "src/a.py", True),
        ("./", "anything/at/all", True),
        ("caf\u00e9.md", "cafe\u0301.md", True),
        ("ΑΣ.md", "ας.md", True),
        ("?.md", "ß.md", True),
        ("a[b", "a[b", True),
        ("a{b", "a{b", True),
    ],
)
def test_r2_3a_overlap_table(a: str, b: str, expected: bool) -> None:
    assert overlap(a, b) is expected
    assert overlap(b, a) is expected


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("src", "src/deep/a.py", True),
        ("src/", "src/deep/a.py", True),
        ("src/", "src", False),
        ("src/*", "src/deep/a.py", False),
        ("src/*", "src/A.PY", True),
        ("**/x.py", "x.py", True),
        ("**/x.py", "src/y.py/x.py", True),
        ("a**b", "a/x/b", True),
        ("app/[id]/page.tsx", "app/[id]/page.tsx", True),
        ("app/[id]/page.tsx", "app/i/page.tsx", True),
        ("", "a", False),
    ],
)
def test_r2_3a_covers_table(pattern: str, path: str, expected: bool) -> None:
    assert covers(pattern, path) is expected


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("./a//b/./c", "a/b/c"), ("docs/", "docs/"), ("docs//", "docs/"), ("docs/.", "docs/"), (".", "**"),
        ("./", "**"), (".env.test", ".env.test"), (".github/x.yml", ".github/x.yml"), ("a b/c", "a b/c"),
        ("a\\b.py", "a/b.py"), ("..a/b..", "..a/b.."), (".gitignore", ".gitignore"),
    ],
)  # fmt: skip
def test_r2_3a_normalize_has_one_spelling(given_: str, expected: str) -> None:
    assert normalize(given_) == expected
    assert normalize(expected) == expected


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "empty"), ("  ", "empty"), ("/etc/passwd", "not relative"), ("~/x", "not relative"),
        ("C:\\x", "not relative"), ("\\x", "not relative"), ("../x", "leaves"), ("a/../b", "leaves"),
        ("a/..", "leaves"), ("{..,a}/b", "leaves"), ("..\\x", "leaves"),
        ("a\nb", "control"), ("a\x00", "control"), ("a\x1b[0m", "control"),
        (".git", "git's own"), (".git/hooks/x", "git's own"), (".GIT/", "git's own"), ("sub/.git/config", "git's own"),
        ("{.git,x}/y", "git's own"), ("x" * (LONGEST + 1), "longer"),
    ],
)  # fmt: skip
def test_r2_3a_normalize_refuses_with_a_reason(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        normalize(pattern)


@given(st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=500, deadline=None)
def test_any_text_is_answered(a: str, b: str) -> None:
    assert overlap(a, b) == overlap(b, a)
    assert overlap(a, a)
    covers(a, b)
    assert len(fold(a)) <= len(a)
    try:
        once = normalize(a)
    except ValueError as error:
        assert str(error)
    else:
        assert normalize(once) == once


@given(patterns, patterns)
@settings(max_examples=400, deadline=None)
def test_r2_5_within_is_never_wrong_about_yes(inner: str, outer: str) -> None:
    if within(inner, outer):
        assert named(inner) <= covered(outer)


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        ("a/package-lock.json", "**/package-lock.json", True),
        ("docs/*.md", "docs/", True),
        ("docs/*.md", "Docs", True),
        ("docs/**", "docs/*", False),
        ("**", "*.lock", False),
        ("*.lock", "*.lock", True),
        ("src/a", "src/b", False),
        ("src*", "src", False),
    ],
)
def test_r2_5_within_table(inner: str, outer: str, expected: bool) -> None:
    assert within(inner, outer) is expected


def test_is_literal() -> None:
    assert is_literal("src/a.py")
    assert not any(is_literal(p) for p in ("src/", "src/*", "a?", "{a,b}", "[ab]"))


def test_patterns_made_to_explode_do_not() -> None:
    """Backtracking would take for ever here."""
    stars = "*a" * 300
    assert overlap(stars, stars + "b") is False
    assert overlap(stars, "*b" + stars) is True
    assert covers(stars, "a" * 1000)
    assert not covers(stars, "a" * 1000 + "b")
    assert overlap("**/" * 20 + "x?", "**/" * 20 + "y?") is False
    assert overlap("**/" * 300 + "x?", "**/" * 300 + "y?") is True, "beyond its patience it answers on the safe side"
