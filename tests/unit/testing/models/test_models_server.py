"""The model server itself: its log, how it is steered, how it begins and ends."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stretto.testing.models.directives import ScriptError
from stretto.testing.models.log import most_at_once, read_log
from stretto.testing.models.server import ModelServer
from unit.testing.models.client import CLAUDE, Client, ask, events_of, tools


def test_the_log_tells_who_asked_what_and_what_became_of_it(server: ModelServer) -> None:
    client = Client(server.url, session="the-session")
    headers = {"x-stainless-retry-count": "2", "user-agent": "cli/1"}
    client.send(ask("MODEL name t\nMODEL bash x\nMODEL usage 5 6 7 8", offers=tools(CLAUDE)), **headers)
    (one,) = server.requests()
    assert (one.number, one.method, one.path, one.asks) == (1, "POST", "/v1/messages", "answer") or one.number > 1
    assert (one.status, one.outcome, one.model, one.streamed) == (200, "answered", "m", False)
    assert (one.script, one.attempt, one.turn, one.calls, one.tools) == ("t", 1, 1, ("Bash",), tuple(sorted(CLAUDE)))
    assert (one.messages, one.session, one.retry, one.client) == (1, "the-session", 2, "cli/1")
    assert (one.input_tokens, one.output_tokens, one.cache_read_tokens, one.cache_write_tokens) == (5, 6, 7, 8)
    assert one.ended_s is not None
    assert 0 <= one.began_s <= one.ended_s


def test_requests_that_overlap_are_seen() -> None:
    with ModelServer() as server, ThreadPoolExecutor(3) as pool:
        Client(server.url).ask("MODEL name before")
        held = [pool.submit(Client(server.url).ask, f"MODEL name {n}\nMODEL hang silent") for n in range(3)]
        server.until(lambda requests: {one.script for one in requests} == {"before", "0", "1", "2"})
        assert most_at_once(server.requests()) == 3
        server.close()
        assert all(one.exception(timeout=20) for one in held)
    assert most_at_once(server.requests()) == 3
    assert most_at_once(server.requests()[:1]) == 1
    assert most_at_once(()) == 0


def test_it_is_steered_over_http_and_that_is_not_logged(server: ModelServer, client: Client) -> None:
    client.ask("MODEL name n\nMODEL text x")
    logged = json.loads(client.send(None, "/__log", "GET").body)
    assert [(one["script"], one["status"], one["outcome"]) for one in logged] == [("n", 200, "answered")]
    assert client.send({"when": "^Review", "script": "MODEL text fine"}, "/__script").status == 200
    assert client.ask("Review it").text == "fine"
    for wrong in ({"when": "(", "script": ""}, {"when": "x", "script": "MODEL nonsense"}, {"script": "x"}):
        refused = client.send(wrong, "/__script")
        assert refused.status == 400
        assert refused.json["error"]
    with pytest.raises(ScriptError, match="nonsense"):
        server.script("x", "MODEL nonsense")
    assert client.send(None, "/__nothing", "GET").status == 404
    assert client.send(b"", "/__reset").status == 200
    assert server.requests() == ()
    assert client.ask("Review it").text == "Done."


def test_waiting_for_requests_is_bounded(server: ModelServer) -> None:
    with pytest.raises(TimeoutError, match="there were 0 requests"):
        server.until(lambda requests: bool(requests), within_s=0.05)


def test_it_listens_on_loopback_alone_and_writes_its_log(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    with ModelServer(log=file) as server, ThreadPoolExecutor(1) as pool:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert server._http.socket.getsockname()[0] == "127.0.0.1"
        client = Client(server.url)
        client.ask("MODEL name first")
        hanging = pool.submit(client.ask, "MODEL name second\nMODEL hang silent")
        server.until(lambda requests: len(requests) == 2 and bool(requests[1].script))
        logged = read_log(file)
        assert [(one.script, one.outcome) for one in logged] == [("first", "answered"), ("second", None)]
        server.close()
        assert isinstance(hanging.exception(timeout=20), OSError | http.client.HTTPException)
    assert [one.outcome for one in read_log(file)] == ["answered", "gone"]
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=5):
        pass


COMMAND = (sys.executable, "-m", "stretto.testing.models")


def test_as_a_process_it_says_where_it_is_and_ends_when_asked(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    with subprocess.Popen([*COMMAND, "--log", log], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        answer = Client(url).ask("MODEL text x", stream=True)
        assert events_of(answer.body)[-1]["type"] == "message_stop"
        port = url.rpartition(":")[2]
        twice = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, timeout=60)
        assert twice.returncode == 1
        assert twice.stderr.startswith("cannot start: ")
        assert "Traceback" not in twice.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert [one.status for one in read_log(log)] == [200]


def test_as_a_process_it_ends_with_its_parent() -> None:
    reader, writer = os.pipe()  # the server holds the writing end as long as it lives
    shell = f"{' '.join(COMMAND)} & read -r line"
    with subprocess.Popen(["sh", "-c", shell], stdin=subprocess.PIPE, stdout=writer) as parent:
        os.close(writer)
        with os.fdopen(reader) as said:
            url = said.readline().strip()
            assert Client(url).ask("MODEL text x").status == 200
            parent.kill()
            ready, _, _ = select.select([said], [], [], 20)
            assert ready and said.read() == "", "it is closed when the server has ended"


def test_its_help_is_the_language() -> None:
    told = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, timeout=60).stdout
    assert "edit PATH OLD => NEW" in told
    assert "--port" in told
