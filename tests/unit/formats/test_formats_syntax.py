"""JSON, YAML and TOML with places: every mistake is named where it stands."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.errors import PlanError
from stretto.formats.syntax import json_text
from stretto.formats.syntax.parse import parse
from stretto.formats.syntax.source import MAX_BYTES, Node, Source, Text
from unit.formats.corpus import everything


def mistakes(data: str | bytes) -> list[tuple[int, int, str]]:
    with pytest.raises(PlanError) as caught:
        parse("plan", data if isinstance(data, bytes) else data.encode())
    places = [finding.location for finding in caught.value.findings]
    assert all(place and place.file == "plan" for place in places)
    assert all(x.message and x.severity == "error" for x in caught.value.findings)
    return [
        (place.line, place.column, finding.code)
        for place, finding in zip(places, caught.value.findings, strict=True)
        if place
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, // why\n "b": 2}', [(1, 10, "syntax")]),
        ('{"a": /* why */ 1}', [(1, 7, "syntax")]),
        ('{"a": [1, 2,], "b": 1,}', [(1, 12, "syntax"), (1, 22, "syntax")]),
        ("{'a': 'b'}", [(1, 2, "syntax"), (1, 7, "syntax")]),
        ('{"a": NaN, "b": -Infinity}', [(1, 7, "syntax"), (1, 17, "syntax")]),
        ('{"a": True, b: 1}', [(1, 7, "syntax"), (1, 13, "syntax")]),
        ('{"a": 1e400}', [(1, 7, "syntax")]),
        ('{"a": ' + "9" * 5000 + "}", [(1, 7, "syntax")]),
        ('{"a": 01, "b": .5, "c": 0x1}', [(1, 7, "syntax"), (1, 16, "syntax"), (1, 25, "syntax")]),
        ('{"a": 1,\n "a": 2}', [(2, 2, "duplicate-key")]),
        ('{"\\u0061": 1, "a": 2}', [(1, 15, "duplicate-key")]),
        ('{"a": "\\ud800"}', [(1, 7, "syntax")]),
        ('{"a": "b\tc\\q"}', [(1, 9, "syntax"), (1, 11, "syntax")]),
        ('{"a": "b\nc"}', [(1, 7, "syntax")]),
        ('{"a": "b', [(1, 7, "syntax")]),
        ('{"a": [1', [(1, 9, "syntax")]),
        ('{"a" 1}', [(1, 6, "syntax")]),
        ('{"a": 1 "b": 2}', [(1, 9, "syntax")]),
        ('{"a": }', [(1, 7, "syntax")]),
        ("{} {}", [(1, 4, "syntax")]),
        ('{"a": \u201cb\u201d}', [(1, 7, "syntax")]),
        ('{"é": 1,\r\n "𝔘": [}', [(2, 8, "syntax")]),
        ("[" * 300 + "]" * 300, [(1, 201, "too-deep")]),
        ('{"a":' * 100_000, [(1, 1001, "too-deep")]),
    ],
)
def test_json_mistakes(text: str, expected: list[tuple[int, int, str]]) -> None:
    assert mistakes(text) == expected


@pytest.mark.parametrize(("escape", "shown"), [("\\q", "`\\q`"), ("\\\n", "`\\\\n`"), ("\\\x07", "`\\\\x07`")])
def test_a_wrong_escape_is_shown_on_one_line(escape: str, shown: str) -> None:
    text = f'{{"a": "{escape}"}}'
    with pytest.raises(PlanError) as raised:
        json_text.parse(Text("plan", text), text.encode())
    assert shown in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", (3, 1, "duplicate-key")),
        ("a: 1\n---\nb: 2\n", (2, 1, "syntax")),
        ("a:\n\t- b\n", (2, 1, "syntax")),
        ("a: [1\nb: 2", (2, 2, "syntax")),
        ("a: &x [*x]", (1, 8, "syntax")),
        ("a: *x", (1, 4, "syntax")),
        ("? [a]\n: b", (1, 3, "wrong-type")),
        ("a: 1\n<<: 5", (2, 1, "wrong-type")),
        ("a: !!python/object/apply:os.system [id]", (1, 4, "syntax")),
        ("a: !mine b", (1, 4, "syntax")),
        ("a: b\x07", (1, 5, "syntax")),
        ("# nothing\n", (1, 1, "empty")),
        ("a: " + "[" * 300 + "]" * 300, (1, 203, "too-deep")),
        ("\n".join(" " * i + "a:" for i in range(300)), (201, 201, "too-deep")),
        ("name = 1\nname = 2\n", (2, 9, "syntax")),
        ("name = \n", (1, 8, "syntax")),
        ("a = " + "[" * 5000, (1, 205, "too-deep")),
        (".".join("a" * 300) + " = 1", (1, 1, "too-deep")),
    ],
)
def test_yaml_and_toml_mistakes(text: str, expected: tuple[int, int, str]) -> None:
    assert mistakes(text) == [expected]


def test_yaml_bombs_are_refused() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    assert mistakes("\n".join(lines))[0][2] == "too-large"
    names = "abcdefghijklmnopqr"
    merges = ["a: &a {k: 1}"] + [f"{b}: &{b} {{x: *{a}, y: *{a}, <<: *{a}}}" for a, b in pairwise(names)]
    assert mistakes("\n".join(merges))[0][2] == "too-large"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \n\t\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        ("{}".encode("utf-16"), "encoding"),
        ('{"a": 1}'.encode("utf-16-le"), "encoding"),
        (b'{"a": "\xff"}', "encoding"),
        (b'{"a": "x\x00y"}', "encoding"),
        (b"\x7fELF\x02\x01\x00\x00", "encoding"),
        (b" " * (MAX_BYTES + 1), "too-large"),
    ],
)
def test_what_is_no_text(data: bytes, code: str) -> None:
    assert [x[2] for x in mistakes(data)] == [code]


def test_place_of_a_bad_byte() -> None:
    assert mistakes(b'{"\xc3\xa9":\n "a\xff"}') == [(2, 4, "encoding")]


def test_a_byte_order_mark_is_accepted() -> None:
    source = parse("plan", b'\xef\xbb\xbf{"a": 1}')
    assert source.tree == {"a": 1}
    assert source.location(("a",)).column == 7
    assert source.edited([(6, 7, "2")]) == b'\xef\xbb\xbf{"a": 2}'


def test_yaml_scalars() -> None:
    text = "a: 1.10\nb: yes\nc: 2024-01-02\nd: 017\ne: 12:30\nf: ~\ng: '5'\nh: 0x1f\ni: 1_000\nj: .inf\n"
    text += "k: !!str 5\n08: x\nno: y"
    source = parse("plan", text.encode())
    assert source.tree == {
        "a": 1.1,
        "b": True,
        "c": "2024-01-02",
        "d": 15,
        "e": "12:30",
        "f": None,
        "g": "5",
        "h": 31,
        "i": 1000,
        "j": ".inf",
        "k": "5",
        "08": "x",
        "no": "y",
    }
    assert [source.written((key,)) for key in "abdk"] == ["1.10", "yes", "017", "5"]


def test_yaml_merge_keys() -> None:
    source = parse("plan", b"a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc:\n  <<: [*a, {z: 4}]\n")
    assert source.tree == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 1, "y": 2, "z": 4}}
    assert source.location(("c", "x")).line == 1
    assert (source.location(("b", "y")).line, source.location(("b", "y")).column) == (2, 16)


def spans(source: Source, node: Node, value: object, steps: tuple[str | int, ...] = ()) -> None:
    """Every value of the tree has its node, and the text between its offsets is its own."""
    if isinstance(value, dict):
        assert isinstance(node.children, dict)
        assert set(node.children) == set(value)
        for key, child in value.items():
            spans(source, node.children[key], child, (*steps, key))
    elif isinstance(value, list):
        assert isinstance(node.children, list)
        assert len(node.children) == len(value)
        for i, child in enumerate(value):
            spans(source, node.children[i], child, (*steps, i))
    elif source.syntax == "json":
        assert json.loads(source.text.text[node.start : node.end]) == value
    elif source.syntax == "toml" and isinstance(value, bool | int | float):
        assert parse("x", f"x = {source.written(steps)}".encode()).tree == {"x": value}


@pytest.mark.parametrize("path", everything(), ids=lambda path: path.name)
def test_every_value_has_its_place(path: object) -> None:
    source = parse("plan", path.read_bytes())  # type: ignore[attr-defined]
    spans(source, source.root, source.tree)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(_JSON, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_the_scanner_agrees_with_the_library(value: object, indent: int | str | None, ascii: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii)
    source = json_text.parse(Text("plan", text), text.encode("utf-8", "surrogatepass"))
    assert source.tree == value
    spans(source, source.root, value)


@given(st.text(alphabet="{}[]\",:\\ \n01eE+-.tfnull/*'#abu", max_size=40))
def test_the_scanner_refuses_what_the_library_refuses(text: str) -> None:
    try:
        json.loads(text)
        good = True
    except ValueError:
        good = False
    try:
        json_text.parse(Text("plan", text), text.encode())
        assert good
    except PlanError as error:
        assert all(finding.code != "syntax" or not good for finding in error.findings)


@given(st.text(alphabet="[]{}=\".,\n# 'abc1-+_\\", max_size=60))
def test_toml_places_never_stumble(text: str) -> None:
    from stretto.formats.syntax import toml_text

    try:
        source = toml_text.parse(Text("plan", text), text.encode())
    except PlanError:
        return
    spans(source, source.root, source.tree)


def test_toml_places() -> None:
    text = (
        'title = "x" # [no]\r\n"quoted key".b = [1, # one\n'
        "  {c = '''d''', e = "
        '"""\n"f" """}, 1979-05-27 07:32:00]\n'
        "[t.u]\nv = 1_0\n[[w]]\nx.y = 1\n[[w]]\nx = [[2], []]\n[w.z]\nq = true\n"
    )
    source = parse("plan", text.encode())
    spans(source, source.root, source.tree)
    places = [
        (("quoted key", "b", 1, "e"), 3, 21),
        (("t", "u", "v"), 6, 5),
        (("w", 1, "x", 0, 0), 10, 7),
        (("w", 1, "z", "q"), 12, 5),
    ]
    for steps, line, column in places:
        location = source.location(steps)
        assert (location.line, location.column) == (line, column), steps


@pytest.mark.parametrize(
    ("text", "syntax"),
    [
        ("{}", "json"),
        (" \n{}", "json"),
        ("a: 1", "yaml"),
        ("# a = 1\na: 1", "yaml"),
        ("- a", "yaml"),
        ("a = 1", "toml"),
        ('# x\n\n[a]\nb = "c: d"', "toml"),
        ("[[a]]\nb = 1", "toml"),
        ("a: b = c", "yaml"),
        ('"a" = 1', "toml"),
        ("a.b = 1", "toml"),
        ("--- # x\na: 1", "yaml"),
    ],
)
def test_content_decides_the_syntax(text: str, syntax: str) -> None:
    assert parse("plan.json", text.encode()).syntax == syntax


def test_a_large_broken_file_is_refused_with_the_library_s_own_word() -> None:
    assert mistakes('{"a": [' + "1," * 2_100_000 + "}") == [(1, 4_200_008, "syntax")]


@pytest.mark.parametrize(
    ("file", "text", "hint"),
    [
        ("p.yaml", 'verify: [echo "a", "b" c]\n', "needs quotes around all of it"),
        ("p.yaml", "verify: [make\nname: x: y\n", "close the list with `]`"),
        ("p.yaml", "task: {id: a, prompt: do: it}\n", "close it with `}`"),
        ("p.toml", "[[tasks]]\nprompt = hello\n", 'text needs quotes: key = "text"'),
        ("p.toml", "[[tasks]]\ntimeout = 15 minutes\n", "text needs quotes"),
        ("p.toml", "[[tasks]]\nverify = [pytest]\n", "text needs quotes"),
        ("p.toml", "[[tasks]]\nprompt =\n", "mend the file at that place"),
    ],
)
def test_text_that_lacks_its_quotes_is_told_so(file: str, text: str, hint: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse(file, text.encode())
    assert hint in caught.value.findings[0].hint
