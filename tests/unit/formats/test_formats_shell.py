"""R5.4: which shell commands may be believed, and why the others may not."""

from __future__ import annotations

import pytest

from stretto.formats.shell_status import judge


@pytest.mark.parametrize(
    "command",
    [
        "make test",
        "CI=1 npm test 2>/dev/null",
        "cd frontend && npm test",
        "cd frontend; npm test",
        "cd a && make && cd .. && make",
        "(cd a && make) && cd b && make",
        'cd "$(git rev-parse --show-toplevel)" && make',
        "make -C sub test",
        "set -e; npm run lint; npm test",
        "make || exit 1",
        "make || { echo bad; exit 1; }",
        "make || (echo bad && false)",
        "test -f a || test -f b",
        "! grep -r TODO src",
        "[[ -f a && -f b ]] && make",
        "make 2>&1 | tail -5",
        "bash -c 'make && make check'",
        "bash -o pipefail -c 'make | tail'",
        "npm start & sleep 5; curl -f localhost:3000",
        "N=$(grep -c x f); test $N -ge 3",
        "make # || true",
        "make && \\\n make check",
        "source ~/.nvm/nvm.sh && npm test",
        "/home/somebody/.venv/bin/python -m pytest",
        "grep -q '/home/dashboard' routes.ts",
        """test $(jq '. | length' < a.json) -ge 7""",
        """python -c "import a; print('|| true')" """,
        "time make test",
    ],
)
def test_r5_4_believed(command: str) -> None:
    judgement = judge(command, None)
    assert (judgement.masked, judgement.leaves) == ("", "")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("make && echo OK || echo FAIL", "`|| echo`"),
        ("make || true", "`|| true`"),
        ("make || :", "`|| :`"),
        ("make 2>/dev/null || echo none && ls", "`|| echo`"),
        ("make || { echo bad; }", "always succeeds"),
        ("make; echo done", "lost behind `;`"),
        ("make\nmake check", "lost behind `;`"),
        ("npm run lint; npm test", "`npm run lint`"),
        ("npm start & curl x; kill %1", "`curl x`"),
        ("npm start &", "in the background"),
        ("echo check it by hand", "always succeeds"),
        ("exit 0", "always succeeds"),
        ("make; exit 0", "lost behind"),
        ("bash -c 'make | tail -5'", "a pipe hides"),
        ('docker exec c sh -c "make || true"', "`|| true`"),
        ("for f in a b; do test -f $f; done", "`for`"),
        ("if make; then echo OK; fi", "`if`"),
        ("timeout 5 bash -c 'until curl x; do sleep 1; done'", "inner shell"),
        ("cat <<EOF\nx\nEOF", "here document"),
        ("make 'a", "without its end"),
        ("make $(a", "missing"),
        ("", "nothing to run"),
        ("f() { make; }; f", "cannot be followed"),
        ("(" * 80 + "a" + ")" * 80, "too deep"),
        ("a " + "$(" * 5000 + ")" * 5000, "too deep"),
    ],
)
def test_r5_4_masked(command: str, why: str) -> None:
    assert why in judge(command, None).masked


@pytest.mark.parametrize(
    ("command", "expected", "believed"),
    [
        ("make && echo OK || echo FAIL", "OK", True),
        ("make || echo FAIL", "OK", True),
        ("make; echo exit=$?", "exit=0", True),
        ("make | grep -q done && echo yes || echo no", "yes", True),
        ("make; echo OK", "OK", False),
        ("make || echo OK", "OK", False),
        ("make || echo 'all OK'", "OK", False),
        ("make && echo OK || printf 'OK\\n'", "OK", False),
        ("grep -c x f || echo 0", "0", False),
        ("echo OK", "OK", False),
        ("npm run lint; npm test", "OK", False),
        ("make &", "OK", False),
        ("if make; then echo OK; fi", "OK", False),
    ],
)
def test_r5_4_one_expected_token_settles_a_mask_unless_failure_prints_it_too(
    command: str, expected: str, believed: bool
) -> None:
    assert (judge(command, expected).masked == "") is believed


@pytest.mark.parametrize(
    "command",
    [
        "cd /Users/somebody/project && make",
        "cd /srv/project && make",
        "cd .. && make",
        "cd a && cd ../.. && make",
        "cd && make",
        "cd ~ && make",
        "cd ~/project && make",
        "cd - && make",
        "cd $PROJECT && make",
        "cd `pwd`/.. && make",
        "pushd ../other; make",
        "make -C .. test",
        "git -C /srv/x status",
        "npm --prefix ../web test",
        "bash -c 'cd .. && make'",
        "(cd ../other && make)",
        "test -f /home/somebody/project/out.md",
        "test -f ~/project/out.md",
        'grep -q x "$HOME/project/a"',
        "for f in /Users/me/project/*; do cat $f; done",
    ],
)
def test_r5_4_leaves_the_workspace(command: str) -> None:
    assert judge(command, "OK").leaves


def test_what_head_cuts_off_is_said() -> None:
    assert judge("npm run build 2>&1 | head -20", None).cut
    assert not judge("npm run build 2>&1 | tail -20", None).cut
    assert not judge("echo a | head -1 && make", None).cut
