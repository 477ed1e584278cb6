"""Lines without an end: what a reader looks for may begin anew at every character of them, and still it comes back."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from stretto.formats.load import load

LENGTH = 60_000
"""Characters of each line."""
ENOUGH_S = 100
"""A reader for which a line costs what its length squared does needs longer for one; others a second for all."""
PIECES = (
    " ", "\t", "\u3000", "*", "`", "(", "[", "](", ".", "-", "_", ":", "#", "\\", "~", "$", "=", '"', "é", "@a ", "'a",
    "**a", "<!--", "a/", "a.b ", "| ", "_a_", "https://a.b/", "1.", "1.1 ", "1.1,", "1 and ", "T001,", "T001 ", "US1 ",
    "[P] ", "to ", "phase 1 ", "needs ", "needs-", "after ", "after-", "depends on ", "depends on T9 (x), ", "(after ",
    "requires T001-", "1", "A", "-.", "[a](", "1-x",
)  # fmt: skip
LISTS = {
    "spec-kit": (
        "# Tasks: x\n\n## Phase 1: A\n",
        "- [ ] T{} {}\n",
        "\n## Dependencies\n\n- **Phase 1**: depends on {}\n",
    ),
    "checklist": ("# L\n\n## 1. A\n", "- [ ] 1.{} {}\n", "\n{}\n"),
    "kiro": ("# Implementation Plan\n\n", "- [ ] {}. {}\n  - _Requirements: 1.1_\n", "\n{}\n"),
}


@pytest.fixture
def patience() -> Iterator[None]:
    """The test ends red, and does not hang, where a reader does not come back."""

    def give_up(*_: object) -> None:
        pytest.fail(f"not read after {ENOUGH_S} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(ENOUGH_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("words", ["make src/a.py (b)[c](d) ", "needs "])
@pytest.mark.parametrize("format", LISTS)
def test_however_long_a_line_is_it_is_read(tmp_path: Path, patience: None, format: str, words: str) -> None:
    head, box, end = LISTS[format]
    lines = [words + piece * (LENGTH // len(piece)) + "x" for piece in PIECES]
    text = head + "".join(box.format(f"{n:03}", line) for n, line in enumerate(lines, 1))
    (tmp_path / "list.md").write_text(text + "".join(end.format(line) for line in lines))
    loaded = load(tmp_path / "list.md")
    assert (loaded.plan.format, len(loaded.plan.tasks)) == (format, len(PIECES))


@pytest.mark.parametrize("need", ["after 1.999", "depends on 1.999"])
def test_however_long_first_words_and_headings_are_a_name_that_is_nowhere_is_told(
    tmp_path: Path, patience: None, need: str
) -> None:
    """Every name there is has to be known for that: those of parts, and of headings."""
    lines = "".join(f"- [ ] {piece * (LENGTH // len(piece))} b\n" for piece in PIECES)
    headings = "".join(
        f"\n## {piece * (LENGTH // len(piece))}\n\n- [ ] A{n}{'1' * LENGTH}_\n" for n, piece in enumerate(PIECES)
    )
    named = "".join(f"- [ ] 1.{n} write {n}\n" for n in range(1, 5 * len(PIECES)))
    ids = "".join(f"- [ ] write {n} (ID: {n}{'1' * LENGTH}-x)\n" for n in range(2))
    (tmp_path / "list.md").write_text(
        f"# L\n\n{named}- [ ] 1.998 x {need}\n{ids}- [ ] y ({need[:-5]}{'1' * LENGTH}-x)\n{lines}{headings}"
    )
    loaded = load(tmp_path / "list.md")
    assert [x.tasks for x in loaded.findings if x.code == "outside-need"][:1] == [("1.998",)]
