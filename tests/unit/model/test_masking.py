"""What a command shows to others: no secret, and everything else."""

from __future__ import annotations

import time

import pytest

from stretto.model.masking import masked, masked_words
from stretto.model.secrets import HIDDEN, is_secret_name

SECRETS = [
    "PASS=hunter22",
    "SSHPASS=hunter22 x",
    'PGPASSWORD="a hunter22" x',
    "DB_PWD=hunter22",
    "Server=a;Pwd=hunter22;Database=d",
    "MYKEY=hunter22",
    "GITHUB_PAT=hunter22",
    "MY_OTP=hunter22",
    "COOKIE=hunter22",
    "SESSION_ID=hunter22",
    "DSN=hunter22",
    "WEBHOOK=hunter22",
    "curl -b session=hunter22 x",
    "curl -b x=hunter22 x",
    'curl --cookie "sid=hunter22; b=hunter22" x',
    "openssl rsa -passin pass:hunter22 -in k",
    "git clone https://u:p@hunter22@host/x",
    "git clone https://u:hunter22@ss@host/x",
    "TOKEN='hunter22 x hunter22",
    'TOKEN="hunter22 x hunter22',
    'curl -d \'{"api_key": "hunter22 b", "n": 1}\'',
    'curl -d "{\\"api_key\\": \\"hunter22 b\\", \\"n\\": 1}"',
    "curl -H 'Authorization: token hunter22' x",
    "Authorization: token hunter22",
    'KEY="$(cat hunter22)" x',
    'KEY="$(cat "hunter22 hunter22")" x',
    "TOKEN= hunter22",
    "mysql -phunter22 db",
    "mysql -uroot -p'hunter22 hunter22' db",
    "sshpass -p hunter22 ssh -p 2222 h",
    "sshpass -phunter22 ssh h",
    "curl https://hooks.slack.com/services/T0/B0/hunter22",
    "PASSWORD=a\\ hunter22 x",
    "TOKEN=`echo hunter22` x",
    "TOKEN='it'\\''s hunter22' x",
    'TOKEN=ab"cd hunter22" x',
    'docker run -e "PASSWORD=a hunter22" img',
    "sh -c 'TOKEN=hunter22 run x'",
    "sh -c \"TOKEN='hunter22 b' run x\" foo",
    "redis-cli -a hunter22",
    "export API_KEY=hunter22; run",
    "docker login -u me -p hunter22",
    "tool --token hunter22 x",
    "tool --token 'hunter22 hunter22' x",
    "tool --client-secret=hunter22",
    "Bearer hunter22",
    "curl -H X-Api-Key:hunter22",
    "curl -H 'Cookie: a=hunter22; b=hunter22'",
    "npm set //registry.example/:_authToken=hunter22",
    "java -Dspring.password=hunter22",
    "TOKEN=$(echo hunter22 x) y",
    "postgres://u:p/hunter22@h1/db",
    '"Server=x;Password=a;bhunter22;Database=d"',
    "PASSWORD='$ecrhunter22'",
    "x://h?a=1&sig=hunter22",
    "TOKEN = hunter22",
    "PASSWORD=$Xhunter22!y",
    "password: 'hunter22'",
    "PASSWORD=${X:-hunter22}",
    "curl -u 'me:a hunter22' x",
    'curl -u "me:a hunter22" x',
    "TOKEN=$(echo $(a $(b hunter22 c) d) e) x",
    "TOKEN+=hunter22",
    "setx API_KEY hunter22",
    "set -gx API_KEY hunter22",
    "aws configure set aws_secret_access_key hunter22",
    "tool --password \\\n  hunter22",
    "'tool' '--password' 'hunter22'",
]
HARMLESS = [
    "PYTHONPATH=src pytest -q",
    "MONKEY=1 x",
    "keyboard=us",
    "TOKENIZERS_PARALLELISM=false",
    "claude --max-tokens 100 x",
    "make test -j 4",
    "https://host/a@b",
    "git commit -m 'token handling'",
    "pytest tests/test_auth.py::test_token -k auth",
    "src/auth/token.py:12: error",
    "ssh -p 22 git@host",
    "docker run -u 1000:1000 x",
    'my-agent --api-key "$KEY"',
    "my-agent --api-key --verbose",
    'tr a-z A-Z < "$STRETTO_PROMPT_FILE"',
    "http://registry:4873/@scope/package",
    "mkdir -p a/b; cat > x",
    "mysql -p db",
    "PWD=/x make",
    "AUTHOR=me",
    "git log --author me",
    "bypass=1 compass=2",
    "3f2a9c1d8e7b6a5f4e3d2c1b0a9f8e7d6c5b4a39",
    'curl -H "Authorization: Bearer $TOKEN"',
    "MAX_TOKENS=64000",
    "sort -k 2",
    "echo don't; touch a.txt",
    "ssh://git@host/repo",
    "docker compose up keycloak:latest",
    "sh -c 'cp -p a b'",
    "",
    'echo "a" > b',
    "HOTKEY=x",
    "image: registry/x:1",
    "KEY_LENGTH=5",
    "curl -o x https://h/p",
    "x@y.z",
    "--passthrough x",
    "PASSED=3",
]


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_are_hidden_and_the_rest_stays(text: str) -> None:
    shown = masked(text)
    assert "hunter22" not in shown
    assert HIDDEN in shown
    assert masked(shown) == shown


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("API_KEY=sk-1 my-agent --model opus", "API_KEY=… my-agent --model opus"),
        ("my-agent --token 'a b' x", "my-agent --token … x"),
        ("curl https://me:pw@host/x", "curl https://…@host/x"),
        ('curl -H "Authorization: Bearer abc" x', 'curl -H "Authorization: …" x'),
        ("Server=a;Pwd=b;Database=c", "Server=a;Pwd=…;Database=c"),
        ("sshpass -p a ssh -p 22 host", "sshpass -p … ssh -p 22 host"),
        ("sh -c 'TOKEN=a make test' x", "sh -c 'TOKEN=… make test' x"),
        ('{"api_key": "a", "n": 1}', '{"api_key": "…", "n": 1}'),
        (r"TOKEN='it'\''s a' x", "TOKEN=… x"),
        ("TOKEN=`echo a` x", "TOKEN=… x"),
    ],
)
def test_only_the_value_is_hidden(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    ("words", "after", "shown"),
    [
        (("--api-key", "z", "--x=1", "--token=t t"), "", ("--api-key", "…", "--x=1", "--token=…")),
        (("-p", "z", "host"), "sshpass", ("-p", "…", "host")),
        (("-pz", "-p", "db"), "/usr/bin/mysql", ("-p…", "-p", "db")),
        (("-u", "me:pw", "-u", "1000:1000"), "x", ("-u", "…", "-u", "1000:1000")),
        (("--max-tokens", "100", "-p", "hi"), "claude", ("--max-tokens", "100", "-p", "hi")),
    ],
)
def test_words_are_hidden_as_a_whole(words: tuple[str, ...], after: str, shown: tuple[str, ...]) -> None:
    assert masked_words(words, after=after) == shown


@pytest.mark.parametrize(
    "name", ["MAX_TOKENS", "TOKENIZERS_PARALLELISM", "MONKEY", "keyboard", "PWD", "AUTHOR", "COMPASS"]
)
def test_names_of_no_secret(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "piece",
    [
        "x://a:b", "://u:@", "TOKEN=", 'TOKEN="', "eyJ-", "sk-", "-u'", "$(", 'TOKEN="$(', "mysql -p ", "token  ",
        "a=", "'TOKEN=;", '"KEY=a;b=', '{"key": \\"', "\\", " ", "A",
    ],
)  # fmt: skip
def test_a_line_of_a_megabyte_is_read_in_no_time(piece: str) -> None:
    began = time.process_time()
    masked(piece * (1_000_000 // len(piece)))
    assert time.process_time() - began < 10
