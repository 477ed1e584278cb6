"""Nothing that looks like a secret is shown to others; what does not is."""

from __future__ import annotations

import pytest

from stretto.model.agent import AgentSpec
from stretto.model.redaction import redact, redacted
from stretto.model.secrets import HIDDEN


@pytest.mark.parametrize(
    "text",
    [
        "tool --api-key=s3cret", "tool --token s3cret", "curl -H 'Authorization: Bearer s3cret' x",
        "K=1 API_KEY=s3cret",
        "API_KEY='a s3cret' x", 'x_password: "s3cret"', "git clone https://me:s3cret@host/x", "https://s3cret@host/",
        "--apikey s3cret", "--client-secret=s3cret", "AUTH=s3cret;x",
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    assert "s3cret" not in redact(text)
    assert HIDDEN in redact(text)


@pytest.mark.parametrize("text", ["monkey business", "echo hi > out.txt", "make test -j 4", "https://host/a@b", ""])
def test_other_text_stays(text: str) -> None:
    assert redact(text) == text


def test_agents_show_the_names_of_their_variables_and_never_a_value() -> None:
    spec = AgentSpec(command="x", args=("--token", "s3cret", "-m", "a b", "--key=s3cret"), env={"MODE": "s3cret"})
    shown = redacted({"a": spec})["a"]
    assert "s3cret" not in repr(shown)
    assert shown.args == ("--token", HIDDEN, "-m", "a b", f"--key={HIDDEN}")
    assert shown.env == {"MODE": HIDDEN}
