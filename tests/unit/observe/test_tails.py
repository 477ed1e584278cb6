"""The last lines of logs, read without holding anybody up."""

from __future__ import annotations

from stretto.errors import StateError
from stretto.observe.tails import CHUNKS, LONGEST, Tails
from stretto.ports import Engine, Recorded


class Logs:
    """A RunReader of logs alone; how much was read of them."""

    def __init__(self, text: bytes = b"") -> None:
        self.text, self.read, self.calls = text, 0, 0

    def events(self, after: int = 0) -> list[Recorded]:
        return []

    def engine(self) -> Engine | None:
        return None

    def log(self, task: str, attempt: int, offset: int = 0) -> bytes:
        chunk = self.text[offset : offset + 65536]
        self.read, self.calls = self.read + len(chunk), self.calls + 1
        return chunk


A = ("a", 1)


def test_the_last_line_is_shown_also_before_it_has_an_end() -> None:
    logs = Logs()
    tails = Tails(logs)
    assert not tails.look([A])
    for text, line in [
        (b"one\n", "one"), (b"tw", "tw"), (b"o\n\n   \n", "two"), (b"10%\r20%\r", "20%"),
        (b"\x1b[31mred\x1b[0m", "red"),
    ]:  # fmt: skip
        logs.text += text
        assert tails.look([A])
        assert tails.lines == {A: line}
    assert not tails.look([A]), "nothing new"
    assert tails.lines == {A: "red"}
    assert tails.look([])
    assert tails.lines == {}


def test_a_long_log_is_not_read_from_its_start() -> None:
    logs = Logs(b"x" * 78 + b"\n")
    logs.text = logs.text * 1_000_000 + b"the end\n"
    tails = Tails(logs)
    tails.look([A])
    assert tails.lines == {A: "the end"}
    assert logs.calls < 60
    assert logs.read < 60 * 65536


def test_a_flood_of_output_holds_nobody_up() -> None:
    logs = Logs()
    tails = Tails(logs)
    tails.look([A])
    logs.text = b"no end to this line" * 1_000_000
    logs.calls = 0
    tails.look([A])
    assert logs.calls <= CHUNKS
    assert len(tails.lines[A]) <= LONGEST


def test_a_log_that_cannot_be_read_ends_no_view() -> None:
    class Forbidden(Logs):
        def log(self, task: str, attempt: int, offset: int = 0) -> bytes:
            raise StateError("cannot read the output")

    assert not Tails(Forbidden()).look([A])


def test_another_attempt_begins_with_nothing() -> None:
    tails = Tails(Logs(b"first\n"))
    tails.look([A])
    assert tails.lines == {A: "first"}
    tails.look([("a", 2)])
    assert set(tails.lines) == {("a", 2)}
