"""What went wrong, in one line of what a program said."""

from __future__ import annotations

import pytest

from stretto.observe.words import plain

NODE = """exit status 1
throw err
AssertionError: 1 is not 2
    at assert.ok (x.js:1)
{
  code: 'ERR_X'
}

Node.js v20.20.2"""
SET_UP = """transient: set-up command 'npm ci' ended with status 1
fetching
no such package
hint: its output: /tmp/a/2.setup.log"""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (NODE, "exit status 1: AssertionError: 1 is not 2"),
        ("exit status 2\nerror: no such file\nmake: *** [test] Error 1", "exit status 2: error: no such file"),
        ("exit status 1\nstep 1\nstep 2", "exit status 1: step 2"),
        (SET_UP, "trouble that may pass: set-up command 'npm ci' ended with status 1: no such package"),
        (
            f"{SET_UP}; next try in 2 s",
            "trouble that may pass: set-up command 'npm ci' ended with status 1: no such package; next try in 2 s",
        ),
        ("Not logged in.\nhint: log in", "Not logged in (hint: log in)"),
        ("hint: alone", "hint: alone"),
        ("'a': setup: set-up command 'x' ended with status 7\nno", "'a': set-up command 'x' ended with status 7: no"),
        ('"it\'s": auth: no key', '"it\'s": not logged in: no key'),
        ("'quota': 5-hour limit", "'quota': 5-hour limit"),
    ],
)
def test_one_line_holds_what_went_wrong(said: str, told: str) -> None:
    assert plain(said) == told
