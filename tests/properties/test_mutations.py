"""The table of planted bugs stays true to the code: each can still be planted, and each has its row."""

from __future__ import annotations

import pytest

from mutations import PAGE, ROOT
from planted import MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_bug_can_be_planted(mutation: Mutation) -> None:
    text = (ROOT / "src" / "stretto" / mutation.file).read_text()
    assert text.count(mutation.old) == 1
    compile(text.replace(mutation.old, mutation.new), mutation.file, "exec")


def test_the_page_has_a_row_for_every_bug() -> None:
    rows = [line.split("|")[1].strip() for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    assert rows[2:] == [mutation.name for mutation in MUTATIONS]
