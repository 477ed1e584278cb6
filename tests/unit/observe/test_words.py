"""What went wrong, in one line of what a program said."""

from __future__ import annotations

import pytest

from stretto.model.run import Remark
from stretto.observe.words import gist, plain, remark

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


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("E   assert 1 == 2\n== short summary ==\nFAILED t.py::test_a - assert 1 == 2\n1 failed, 2 passed in 1s",
         "FAILED t.py::test_a - assert 1 == 2"),
        ("a.py:3: error: Incompatible types\nFound 1 error in 1 file (checked 1 source file)",
         "a.py:3: error: Incompatible types"),
        ("a.py:1:8: F401 `os` imported but unused\nFound 1 error.\n[*] 1 fixable",
         "a.py:1:8: F401 `os` imported but unused"),
        ("error[E0308]: mismatched types\n --> a.rs:2\nerror: could not compile `x` due to previous error",
         "error[E0308]: mismatched types"),
        ("--- FAIL: TestA (0.00s)\n    a_test.go:5: got 1\nFAIL\nFAIL\tx/y\t0.002s\nFAIL", "--- FAIL: TestA (0.00s)"),
        ("FAIL: test_a (t.T)\nAssertionError: 1 != 2\nRan 1 test in 0.000s\nFAILED (failures=1)",
         "AssertionError: 1 != 2"),
        ("a.c:3:5: error: 'x' undeclared\nmake: *** [Makefile:2: all] Error 1", "a.c:3:5: error: 'x' undeclared"),
        ("12 files looked at\nFound 3 errors.", "Found 3 errors"),
        ("nothing of the kind", "nothing of the kind"),
    ],
)  # fmt: skip
def test_what_an_error_is_counts_more_than_how_many_there_are(said: str, told: str) -> None:
    assert gist(f"exit status 1\n{said}") == f"exit status 1: {told}"


def test_a_check_that_is_a_script_stands_behind_what_it_said() -> None:
    script = "test -s page.md || { echo page.md was not written; exit 1; }; head -n 1 page.md | grep -q '^#'"
    said = remark(Remark(check=script, message="exit status 1\npage.md was not written"))
    assert said == "page.md was not written (check: test -s page.md || { echo page.md was n…)"
    assert remark(Remark(check=script, message="exit status 3")).startswith("exit status 3 (check: test")
    assert remark(Remark(check="make test", message="exit status 1\nno")) == "make test: exit status 1: no"
