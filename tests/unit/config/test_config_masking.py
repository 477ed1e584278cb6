"""What `stretto config` shows of values that may hold a secret."""

from __future__ import annotations

from typing import Any

import pytest

from stretto.config.masking import masked
from stretto.config.table import Key

COMMAND: Key = ("agents", "a", "command")
ARGS: Key = ("agents", "a", "args")


def env(name: str) -> Key:
    return ("agents", "a", "env", name)


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        (env("API_KEY"), "sk-1", "***"),
        (env("DATABASE_URL"), "postgres://me:pw@host/db", "***"),
        (env("MODE"), "fast", "***"),
        (COMMAND, "API_KEY=sk-1 my-agent", "API_KEY=*** my-agent"),
        (COMMAND, "my-agent --token abc --model opus", "my-agent --token *** --model opus"),
        (COMMAND, "my-agent --token 'a b' x", "my-agent --token *** x"),
        (COMMAND, 'my-agent --api-key "$KEY"', 'my-agent --api-key "$KEY"'),
        (COMMAND, "my-agent --api-key --verbose", "my-agent --api-key --verbose"),
        (COMMAND, "curl https://me:pw@host/x", "curl ***"),
        (COMMAND, 'curl -H "Authorization: Bearer abc"', 'curl -H "Authorization: *** ***"'),
        (COMMAND, 'tr a-z A-Z < "$STRETTO_PROMPT_FILE"', 'tr a-z A-Z < "$STRETTO_PROMPT_FILE"'),
        (ARGS, ("--api-key", "zzz", "--x=1", "--token=tt"), ("--api-key", "***", "--x=1", "--token=***")),
        (("agent",), "shell: TOKEN=abc run", "shell: TOKEN=*** run"),
        (("timeout",), 90.0, 90.0),
        (("env", "pass"), ("API_KEY",), ("API_KEY",)),
    ],
)
def test_secrets_are_masked(key: Key, value: Any, shown: Any) -> None:
    assert masked(key, value) == shown
