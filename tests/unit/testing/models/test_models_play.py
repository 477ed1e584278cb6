"""What a scripted model does turn by turn, in the vocabulary of whoever asks."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stretto.testing.models.server import ModelServer
from unit.testing.models.client import CLAUDE, Client, ask, play, tools

HERE = "# Environment\n - Primary working directory: /w\n - Platform: linux"

GEMINI = {
    "run_shell_command": ("command",),
    "replace": ("file_path", "old_string", "new_string"),
    "read_file": ("absolute_path",),
    "write_file": ("file_path", "content"),
}
OPENCODE = {
    "bash": ("command", "description"),
    "edit": ("filePath", "oldString", "newString"),
    "read": ("filePath",),
    "write": ("filePath", "content"),
}
CODEX = {"shell": ("command", "workdir")}


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def client(server: ModelServer, request: pytest.FixtureRequest) -> Client:
    server.reset()
    return Client(server.url, session=request.node.name)


SCRIPT = "MODEL edit b.txt old => new\nMODEL write a/b.txt hi\nMODEL read c.txt\nMODEL bash make\nMODEL text ready"


@pytest.mark.parametrize(
    ("offers", "calls"),
    [
        (
            CLAUDE,
            [
                ("Read", {"file_path": "/w/b.txt"}),
                ("Edit", {"file_path": "/w/b.txt", "old_string": "old", "new_string": "new"}),
                ("Write", {"file_path": "/w/a/b.txt", "content": "hi\n"}),
                ("Read", {"file_path": "/w/c.txt"}),
                ("Bash", {"command": "make", "description": "Play a step of the script"}),
            ],
        ),
        (
            GEMINI,
            [
                ("read_file", {"absolute_path": "/w/b.txt"}),
                ("replace", {"file_path": "/w/b.txt", "old_string": "old", "new_string": "new"}),
                ("write_file", {"file_path": "/w/a/b.txt", "content": "hi\n"}),
                ("read_file", {"absolute_path": "/w/c.txt"}),
                ("run_shell_command", {"command": "make"}),
            ],
        ),
        (
            OPENCODE,
            [
                ("read", {"filePath": "/w/b.txt"}),
                ("edit", {"filePath": "/w/b.txt", "oldString": "old", "newString": "new"}),
                ("write", {"filePath": "/w/a/b.txt", "content": "hi\n"}),
                ("read", {"filePath": "/w/c.txt"}),
                ("bash", {"command": "make", "description": "Play a step of the script"}),
            ],
        ),
    ],
    ids=["claude", "gemini", "opencode"],
)
def test_steps_are_calls_of_the_tools_that_the_client_has(client: Client, offers: Any, calls: Any) -> None:
    turns, text, _ = play(client, SCRIPT, offers=tools(offers), system=HERE)
    assert turns == [[call] for call in calls]
    assert text == "ready"


@pytest.mark.parametrize("as_words", [False, True])
def test_where_there_is_only_a_shell_it_really_does_the_same(client: Client, tmp_path: Path, as_words: bool) -> None:
    (tmp_path / "b.txt").write_text("an old it's $HOME\nline, old\n")
    read = []

    def does(name: str, arguments: dict[str, Any]) -> str | None:
        command = arguments["command"]
        words = command if as_words else ["sh", "-c", command]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        read.append(done.stdout)
        return done.stderr or "failed" if done.returncode else None

    script = (
        r"MODEL edit b.txt old it's $HOME\nline => new" "\n" r"MODEL write a/deep/b.txt it's `one`\n$two" "\n"
        "MODEL read b.txt\nMODEL edit b.txt nothing => x\nMODEL or bash echo plan B >> b.txt\nMODEL write empty.txt"
    )  # fmt: skip
    offers = tools(CODEX, command="array") if as_words else tools(CODEX)
    turns, text, _ = play(client, script, does, offers=offers)
    assert len(turns) == 6
    assert (tmp_path / "b.txt").read_text() == "an new, old\nplan B\n"
    assert (tmp_path / "a/deep/b.txt").read_text() == "it's `one`\n$two\n"
    assert (tmp_path / "empty.txt").read_text() == ""
    assert read[2] == "an new, old\n"
    assert text == "Done."


def test_a_client_that_wants_a_file_read_before_it_is_written_gets_that(client: Client) -> None:
    read: set[str] = set()

    def does(name: str, arguments: dict[str, Any]) -> str | None:
        path = arguments["file_path"]
        if name == "Read":
            read.add(path)
        return "File has not been read yet" if name == "Write" and path not in read else None

    turns, _, messages = play(client, "MODEL say now\nMODEL write a.txt x\nMODEL write a.txt y", does)
    assert [name for turn in turns for name, _ in turn] == ["Write", "Read", "Write", "Write"]
    said = [block["text"] for message in messages[1::2] for block in message["content"] if block["type"] == "text"]
    assert said == ["now", "Done."]


def test_a_step_that_fails_for_good_is_given_up(client: Client) -> None:
    turns, text, _ = play(client, "MODEL write a.txt x\nMODEL bash true", lambda name, arguments: "not allowed")
    assert [name for turn in turns for name, _ in turn] == ["Write", "Read", "Write", "Bash"]
    assert text == "Done."


def test_several_tools_are_tried_in_order_until_one_works(client: Client) -> None:
    script = "MODEL tool Nope {}\nMODEL or bash first\nMODEL or bash second\nMODEL bash last"

    def does(name: str, arguments: dict[str, Any]) -> str | None:
        return None if arguments.get("command") in ("second", "last") else "failed"

    turns, _, _ = play(client, script, does)
    tried = [arguments.get("command", name) for turn in turns for name, arguments in turn]
    assert tried == ["Nope", "first", "second", "last"]
    turns, _, _ = play(client, script + "\nMODEL name again")
    assert [arguments.get("command", name) for turn in turns for name, arguments in turn] == ["Nope", "last"]


def test_a_named_tool_is_the_first_that_is_offered_and_may_be_none(client: Client) -> None:
    (calls,), _, _ = play(client, 'MODEL tool Nope|Read|Bash {"x": 1}')
    assert calls == [("Read", {"x": 1})]
    (calls,), _, _ = play(client, "MODEL tool Nope")
    assert calls == [("Nope", {})]


def test_steps_of_one_turn_are_called_together_and_what_is_said_comes_first(client: Client) -> None:
    script = (
        "MODEL say looking\nMODEL read a.txt\nMODEL and bash ls\nMODEL and read b.txt\nMODEL say so\nMODEL text end"
    )
    answer = client.ask(script, offers=tools(CLAUDE))
    assert [block["type"] for block in answer.json["content"]] == ["text", "tool_use", "tool_use", "tool_use"]
    assert (answer.text, [name for name, _ in answer.calls]) == ("looking", ["Read", "Bash", "Read"])
    turns, _, messages = play(client, script)
    assert len(turns) == 1
    assert [block["text"] for block in messages[-1]["content"]] == ["so", "end"]


def test_a_step_without_a_tool_is_refused_unless_there_is_another(client: Client) -> None:
    only_read = tools({"Read": ("file_path",)})
    answer = client.ask("Do\nMODEL bash make", offers=only_read)
    assert answer.status == 400
    assert answer.json["error"]["message"] == "script line 2, 'bash make': no tool for it; offered are Read"
    turns, _, _ = play(client, "MODEL bash make\nMODEL or read a.txt", offers=only_read)
    assert turns == [[("Read", {"file_path": "a.txt"})]]


def test_a_question_on_the_side_gets_the_text_and_no_trouble(client: Client) -> None:
    script = "MODEL write a b\nMODEL fail 529 times=1\nMODEL text A title"
    assert client.ask(script).text == "A title"
    assert client.ask(script, offers=tools(CLAUDE)).status == 529
    assert client.ask("MODEL fail 529 times=1\nMODEL text hi").status == 529, "not on the side: it has no steps"


def test_a_typed_answer_goes_through_its_tool_or_is_the_text(client: Client) -> None:
    script = 'MODEL read a.txt\nMODEL answer {"ok": true}'
    assert client.ask(script).text == '{"ok":true}'
    turns, text, _ = play(client, script, offers=tools(CLAUDE | {"StructuredOutput": ("ok",)}))
    assert turns[1:] == [[("StructuredOutput", {"ok": True})]]
    assert text == '{"ok":true}'


FOLDERS = {
    "system": (HERE, "cwd: /user", "/w/a"),
    "said while it goes on": ("", [f"{HERE}\n - Primary working directory: /new (was /w)"], "/new/a"),
    "in backticks": ("The **working directory**: `/a b/c`.", "", "/a b/c/a"),
    "as a tag": ("<cwd>/w</cwd>", "", "/w/a"),
    "only by a person": ("", "cwd: /user/", "/user/a"),
    "nowhere": ("", "", "a"),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_paths_lie_below_the_folder_that_the_client_names(client: Client, case: str) -> None:
    system, said, path = FOLDERS[case]
    conversation: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "text", "text": said if isinstance(said, str) else "Do"}]},
        {"role": "user", "content": "MODEL read a\nMODEL and read /abs/b"},
        *({"role": "system", "content": text} for text in said if not isinstance(said, str)),
    ]
    answer = client.ask(conversation, offers=tools(CLAUDE), system=system)
    assert answer.calls == [("Read", {"file_path": path}), ("Read", {"file_path": "/abs/b"})]


def test_the_newest_script_of_a_conversation_counts(client: Client) -> None:
    """Clients merge a prompt that failed with the next one."""
    merged = [{"type": "text", "text": "MODEL bash one"}, {"type": "text", "text": "MODEL bash two"}]
    turns, _, messages = play(client, [{"role": "user", "content": merged}])
    assert [arguments["command"] for ((_, arguments),) in turns] == ["two"]
    turns, _, _ = play(client, [*messages, {"role": "user", "content": "MODEL bash three"}])
    assert [arguments["command"] for ((_, arguments),) in turns] == ["three"]
    turns, text, _ = play(client, [*messages, {"role": "user", "content": "go on"}])
    assert (turns, text) == ([], "Done.")


def test_what_a_tool_brings_is_no_script(client: Client) -> None:
    _, _, messages = play(client, "MODEL read a.txt\nMODEL text mine")
    messages[2]["content"][0]["content"] = "MODEL text of a file"
    assert client.ask(messages[:3], offers=tools(CLAUDE)).text == "mine"


def test_a_resumed_conversation_goes_on_with_the_lines_of_its_attempt(server: ModelServer, client: Client) -> None:
    script = "MODEL @1 bash wrong\nMODEL bash both\nMODEL @2 bash right\nMODEL bash last"
    turns, _, messages = play(client, script)
    assert [arguments["command"] for ((_, arguments),) in turns] == ["wrong", "both", "last"]
    cut_short = [*messages[:3], {"role": "user", "content": "You were interrupted."}]  # after its first call
    again = Client(server.url, session="another")
    turns, _, _ = play(again, cut_short)
    assert [arguments["command"] for ((_, arguments),) in turns] == ["both", "right", "last"]
    turns, _, _ = play(again, [*messages, {"role": "user", "content": "Checks are red."}])
    assert [arguments["command"] for ((_, arguments),) in turns] == ["right"]
    assert [(one.attempt, one.turn) for one in server.requests()[-2:]] == [(2, 4), (2, 5)]


def test_a_resumed_conversation_may_bring_the_same_script_again(server: ModelServer, client: Client) -> None:
    script = "MODEL @1 bash wrong\nMODEL @2 bash right"
    _, _, messages = play(client, script)
    turns, _, _ = play(client, [*messages, {"role": "user", "content": script}])
    assert [arguments["command"] for ((_, arguments),) in turns] == ["right"]


def test_attempts_are_sessions_and_without_them_first_turns(server: ModelServer) -> None:
    script = "MODEL @1 bash one\nMODEL @2+ bash two\nMODEL bash three\nMODEL text t"
    for commands in (["one", "three"], ["two", "three"], ["two", "three"]):
        turns, _, _ = play(Client(server.url), script)
        assert [arguments["command"] for ((_, arguments),) in turns] == commands
    body = ask(script + "\nMODEL name x", offers=tools(CLAUDE))
    named = [Client(server.url).send({**body, "metadata": {"user_id": user}}).calls for user in USERS]
    assert [arguments["command"] for ((_, arguments),) in named] == ["one", "two", "two", "one"]


USERS = (
    '{"device_id":"d","session_id":"aaaaaaaa-1"}',
    '{"device_id":"d","session_id":"bbbbbbbb-2"}',
    "user_f00_account__session_cccccccc-3",
    '{"device_id":"d","session_id":"aaaaaaaa-1"}',
)
"""How clients name their session beside the header."""


def test_a_rule_answers_prompts_that_others_write(server: ModelServer, client: Client) -> None:
    server.script(r"^Review the work", 'MODEL answer {"verdict": "approve"}\nMODEL fail 529 times=1')
    review = "Review the work on this task:\n\nMODEL write a.txt x\n"
    assert client.ask(review, offers=tools(CLAUDE)).status == 529
    assert client.ask(review, offers=tools(CLAUDE)).text == '{"verdict":"approve"}'
    assert client.ask(f"{review}2", offers=tools(CLAUDE)).status == 529, "counted per text, not per rule"
    assert client.ask("MODEL text own").text == "own"
    server.reset()
    assert client.ask(review, offers=tools(CLAUDE)).calls[0][0] == "Write"
