"""The allow-list of environment variables."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.model.surroundings import surroundings

USERS = {
    "PATH": "/bin", "HOME": "/h", "LANG": "C", "LC_ALL": "C", "TERM": "x", "TMPDIR": "/t", "USER": "u",
    "EDITOR": "vi", "PYTHONPATH": "/x", "ANTHROPIC_API_KEY": "k", "GH_TOKEN": "t", "my_password": "p", "APP_URL": "a",
    "APP_SECRET": "s", "STRETTO_STATE_DIR": "/s", "STRETTO_TASK": "outer", "GIT_DIR": "/g", "GIT_INDEX_FILE": "/i",
    "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_SSH_COMMAND": "ssh", "VIRTUAL_ENV": "/v", "PATHS": "no",
}  # fmt: skip
BARE = {"PATH", "HOME", "LANG", "LC_ALL", "TERM", "TMPDIR", "USER"}


@pytest.mark.parametrize(
    ("passed", "more"),
    [
        ((), set()),
        (("EDITOR", "ABSENT"), {"EDITOR"}),
        (("APP_*",), {"APP_URL", "APP_SECRET"}),
        (("app_url", "APP_", "A?P_URL", "[A]PP_URL"), set()),
        (("ANTHROPIC_API_KEY", "my_password"), {"ANTHROPIC_API_KEY", "my_password"}),
        (("STRETTO_TASK", "STRETTO_*", "GIT_DIR"), set()),
        (("GIT_*",), {"GIT_SSH_COMMAND"}),
    ],
)
def test_only_what_is_listed_gets_through(passed: tuple[str, ...], more: set[str]) -> None:
    assert set(surroundings(USERS, passed=passed)) == BARE | more


def test_values_are_handed_on_as_they_are() -> None:
    assert surroundings({"PATH": "a b", "X": "1"}, passed=("X",)) == {"PATH": "a b", "X": "1"}


def test_gates_never_see_a_secret() -> None:
    seen = surroundings(USERS, passed=("*",), gate=True)
    assert {"APP_URL", "EDITOR", "PATH"} <= set(seen)
    assert not {"ANTHROPIC_API_KEY", "GH_TOKEN", "APP_SECRET", "my_password"} & set(seen)


NAMES = st.sampled_from(sorted(USERS)) | st.text("STREO_GIKYPA*", min_size=1, max_size=12)


@given(environ=st.dictionaries(NAMES, st.just("v")), passed=st.lists(NAMES), gate=st.booleans())
def test_reserved_names_never_come_from_outside(environ: dict[str, str], passed: list[str], gate: bool) -> None:
    seen = surroundings(environ, passed=passed, gate=gate)
    assert not [name for name in seen if name.startswith("STRETTO_") or name in ("GIT_DIR", "GIT_INDEX_FILE")]
    assert seen.items() <= environ.items()


SECRET_NAMES = [
    *("GH_PAT", "AZURE_DEVOPS_EXT_PAT", "PAT", "pat_2", "OPENAI_AUTH", "NPM_CONFIG__AUTH", "npm_config_registry"),
    *("DB_PASS", "SSHPASS", "GIT_ASKPASS", "PGPASSWORD", "PGPASSFILE", "MYSQL_PWD", "PWD_DB", "DBPWD", "passphrase"),
    *("X_CREDENTIALS", "COOKIE_JAR", "AWS_SESSION", "SESSION_ID", "PRIVATE_PEM", "AUTHORIZATION", "XAUTHORITY"),
    *("SSH_AUTH_SOCK", "DOCKER_AUTH_CONFIG", "OAUTH_ID", "API_KEY", "apiKey", "MY_TOKEN", "LC_SECRET", "SENTRY_DSN"),
    *("AWS_PROFILE", "ANTHROPIC_BASE_URL", "GOOGLE_APPLICATION_X", "HF_HOME", "GITHUB_ACTOR", "GITLAB_USER", "CI_JWT"),
    *("SLACK_WEBHOOK_URL", "DB_CONNECTION_STRING", "KUBECONFIG", "mistral_x", "OPENROUTER_X", "GROQ_X", "GEMINI_X"),
]
HARMLESS_NAMES = [
    *("PWD", "OLDPWD", "PATH", "MANPATH", "PATTERN", "DISPATCH", "GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "AUTHOR"),
    *("CI", "NODE_ENV", "DATABASE_URL", "VIRTUAL_ENV", "CARGO_HOME", "GHC", "AWSOME", "HFS", "DOCKER_HOST", "LC_ALL"),
    *("SASS", "JAVA_HOME", "GOPATH", "LD_LIBRARY_PATH", "XDG_CONFIG_HOME", "COMPAT", "DISPLAY"),
]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_names_that_gates_never_see(name: str) -> None:
    assert surroundings({name: "v"}, passed=(name, "*"), gate=True) == {}
    assert surroundings({name: "v"}, passed=(name,)) == {name: "v"}, "an agent gets what is listed"


@pytest.mark.parametrize("name", HARMLESS_NAMES)
def test_names_that_gates_see_when_they_are_listed(name: str) -> None:
    assert surroundings({name: "v"}, passed=(name,), gate=True) == {name: "v"}


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ("postgres://user:hunter2@db.example:5432/app", True),
        ("postgresql+asyncpg://u:12345@db/app", True),
        ("redis://:hunter2@cache:6379/0", True),
        ("POSTGRES://U:P@H", True),
        ("amqp://guest:p%40ss@mq//", True),
        ("mongodb://u:p/w@h1,h2", True),
        ("mongodb://u:p@ss@h1", True),
        ("first http://a:b@c second", True),
        ("https://x-y-z@git.example/repo", True),
        ("jdbc:postgresql://db/app?user=u&password=p", True),
        ("Server=db;Password=p;", True),
        ("host=db password=p", True),
        ("https://blob.example/x?sv=1&sig=abc", True),
        ("postgres://user@db/app", False),
        ("ssh://git@git.example/repo", False),
        ("mysql://root:@127.0.0.1/test", False),
        ("http://registry:4873/@scope/package", False),
        ("http://h:80?mail=a@b", False),
        ("https://example.org/a:b", False),
        ("git@git.example:group/repo", False),
        ("/usr/bin:/home/u@host/bin", False),
        ("a@b", False),
        ("", False),
    ],
)
def test_values_that_gates_never_see(value: str, secret: bool) -> None:
    environ = {"SERVICE": value}
    assert surroundings(environ, passed=("SERVICE",), gate=True) == ({} if secret else environ)
    assert surroundings(environ, passed=("SERVICE",)) == environ


def test_a_huge_value_is_looked_through_in_no_time() -> None:
    began = time.process_time()
    for piece in ("x://a:b", "http://", "://:", "x:", "a", "?x"):
        surroundings({"X": piece * (131_072 // len(piece))}, passed=("X",), gate=True)
    assert time.process_time() - began < 5
