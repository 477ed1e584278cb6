"""Secrets without a name beside them: one table of shapes, wherever something is shown."""

from __future__ import annotations

import pytest

from stretto.agents.stream import redacted as told
from stretto.model.agent import AgentSpec
from stretto.model.masking import masked, masked_words
from stretto.model.redaction import redacted
from stretto.model.secrets import concealed

BODY = "Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4zAb3d"
SECRETS = [
    *(f"{start}{BODY}" for start in ("sk-", "sk-ant-", "sk_live_", "github_pat_", "glpat-", "xoxb-", "AIza", "hf_")),
    *(f"gh{kind}_{BODY}" for kind in "pousr"),
    *("AKIA" + "IOSFODNN7EXAMPLE", "ASIA" + "IOSFODNN7EXAMPLE"),
    f"eyJhbGciOiJI.{BODY}.{BODY}",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_key_is_known_by_its_shape(secret: str) -> None:
    for text in (f"run {secret} now", f"x='{secret}'", secret, f"a|{secret};b"):
        for shown in (
            told(text),
            masked(text),
            *masked_words(("x", text)),
        ):
            assert secret[-12:] not in shown
    assert secret[-12:] not in repr(redacted({f"shell: {secret}": AgentSpec(command=f"x {secret}", args=(secret,))}))


@pytest.mark.parametrize(
    "text",
    ["curl -u me:hunter2pw x", "curl --user 'me:hunter2pw'", "curl -ume:hunter2pw", 'a; curl -x p -U "me:hunter2pw"'],
)
def test_a_password_of_a_login_is_hidden(text: str) -> None:
    for shown in (told(text), masked(text)):
        assert "hunter2pw" not in shown and shown.split()[0] == text.split()[0]


def test_a_login_of_two_words_is_one_too() -> None:
    words = ("x", "-u", "me:hunter2pw", "--user", "me:hunter2pw", "-u", "1000:1000")
    assert "hunter2pw" not in repr(redacted({"a": AgentSpec(args=words)}))
    assert masked_words(words) == ("x", "-u", "…", "--user", "…", "-u", "1000:1000")


@pytest.mark.parametrize(
    "text",
    [
        "docker run -u 1000:1000 image", "python -u a.py", "date -u", "open -u https://host/x", "task-sk-1", "make -j4",
        "ghp_", "eyJ", "see risk-management-plan.md", "sort -u a:", "AKIA", "sk_learn_of_everything",
    ],
)  # fmt: skip
def test_other_text_stays(text: str) -> None:
    assert concealed(text) == text == masked(text)
