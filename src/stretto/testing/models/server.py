"""The server: HTTP on loopback, a thread per connection, and what tests steer it by."""

from __future__ import annotations

import contextlib
import selectors
import socket
import socketserver
import sys
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from stretto.testing.models.answering import Answering, Decision, Refused, Wire
from stretto.testing.models.anthropic import Anthropic
from stretto.testing.models.conversation import Event
from stretto.testing.models.directives import Cut, Hang, Json, ScriptError, StreamError
from stretto.testing.models.ledger import Ledger
from stretto.testing.models.log import Asks, Exchange, Outcome, RequestLog
from stretto.testing.models.script import Rule, rule

LARGEST_BODY = 32 * 1024 * 1024
ALIVE_EVERY_S = 1.0


class ModelServer:
    """A model server in this process, on a free port of 127.0.0.1 unless `port` says which.

        with ModelServer() as server:
            run_client(ANTHROPIC_BASE_URL=server.url)
            assert [request.status for request in server.requests()] == [529, 200]

    `log` is a file that gets every request as a line of JSON. Leaving the block ends every answer that is under way.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        log: Path | None = None,
        wires: Sequence[Wire] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now`, in Unix seconds, is what limits and the cache go by. Raises OSError."""
        self.log = RequestLog(log)
        self.ledger = Ledger(now)
        self._answering = [Answering(wire, self.ledger, now) for wire in wires or (Anthropic(),)]
        self._http = _Http(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="model server", daemon=True)

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def requests(self, *, asks: Asks | None = "answer") -> tuple[Exchange, ...]:
        """The requests so far, in the order they came: those for an answer, for a count, for something else, or all."""
        return tuple(one for one in self.log.exchanges() if asks in (None, one.asks))

    def until(self, condition: Callable[[Sequence[Exchange]], bool], *, within_s: float = 20.0) -> tuple[Exchange, ...]:
        """The requests for an answer as soon as the condition holds of them. Raises TimeoutError."""
        self.log.wait(lambda: condition(self.requests()), within_s)
        return self.requests()

    def script(self, when: str, script: str) -> None:
        """Answer prompts in which the pattern `when` is found by `script`, not by their own. Raises ScriptError."""
        self.ledger.add(rule(when, script))

    def reset(self) -> None:
        """Forget every request, count, limit, rule and cache entry."""
        self.log.forget()
        self.ledger.reset()

    def route(self, method: str, path: str) -> tuple[Answering, Asks]:
        """Who answers a request, and what it asks for."""
        for answering in self._answering if method == "POST" else ():
            if answering.wire.answers.fullmatch(path):
                return answering, "answer"
            if answering.wire.counts.fullmatch(path):
                return answering, "count"
        return self._answering[0], "other"

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()
        self._http.disconnect()
        self.log.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _Http(ThreadingHTTPServer):
    """Knows its connections, so that closing ends them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], models: ModelServer) -> None:
        self.models = models
        self._connections: set[socket.socket] = set()
        self._left = threading.Condition()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # Not HTTPServer's, which asks the name service who it is.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # a client that leaves is nothing to print
            super().handle_error(request, client_address)

    def entered(self, connection: socket.socket) -> None:
        with self._left:
            self._connections.add(connection)

    def left(self, connection: socket.socket) -> None:
        with self._left:
            self._connections.discard(connection)
            self._left.notify_all()

    def disconnect(self) -> None:
        with self._left:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._left.wait_for(lambda: not self._connections, timeout=5.0)


class _Gone(Exception):
    """The client has left, or the server is closing."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "stretto-models"
    disable_nagle_algorithm = True
    server: _Http

    def setup(self) -> None:
        super().setup()
        self.server.entered(self.connection)

    def finish(self) -> None:
        try:
            with contextlib.suppress(OSError):
                super().finish()
        finally:
            self.server.left(self.connection)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    # --- requests ---

    def _serve(self) -> None:
        models = self.server.models
        path = self.path.partition("?")[0]
        self._id = f"req_{uuid.uuid4().hex[:24]}"
        if path.startswith("/__"):
            return self._steer(path)
        answering, asks = models.route(self.command, path)
        self._number = models.log.began(
            self.command,
            path,
            asks=asks,
            client=self.headers.get("user-agent", ""),
            retry=int(retry) if (retry := self.headers.get("x-stainless-retry-count", "")).isdecimal() else 0,
        )
        self._ended = False
        try:
            self._answer(answering, asks)
        except (_Gone, OSError):
            self.close_connection = True
            self._end("gone")
        return None

    def _steer(self, path: str) -> None:
        """What a test asks of the server itself; it is not logged."""
        models = self.server.models
        try:
            match self.command, path:
                case "GET", "/__log":
                    return self._send(200, msgspec.to_builtins(models.log.exchanges()))
                case "POST", "/__reset":
                    models.reset()
                case "POST", "/__script":
                    wish = msgspec.json.decode(self._body(), type=Rule)
                    models.script(wish.when, wish.script)
                case _:
                    raise Refused(404, f"there is no {self.command} {path}")
        except (ScriptError, msgspec.MsgspecError) as error:
            return self._send(400, {"error": str(error)})
        except Refused as refused:
            return self._send(refused.status, {"error": refused.message})
        return self._send(200, {})

    def _answer(self, answering: Answering, asks: Asks) -> None:
        """Answer one request. Raises _Gone and OSError."""
        try:
            body = self._body()
            match asks:
                case "answer":
                    return self._play(answering, body)
                case "count":
                    return self._count(answering.wire, body)
                case "other":
                    if self.command == "POST":
                        raise Refused(404, f"there is no {self.path}")
        except Refused as refused:
            return self._refuse(answering.wire, refused)
        return self._send(200, {"data": [], "has_more": False}, outcome="answered")

    def _body(self) -> bytes:
        """Raises Refused."""
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers or not length.isdecimal():
            self.close_connection = True
            raise Refused(411, "the request has no length")
        if int(length) > LARGEST_BODY:
            self.close_connection = True
            raise Refused(413, "the request is too large")
        body = self.rfile.read(int(length))
        match self.headers.get("content-encoding", "identity"):
            case "identity":
                return body
            case "gzip" | "deflate":
                try:
                    return zlib.decompress(body, wbits=47)
                except zlib.error as error:
                    raise Refused(400, f"the request is compressed wrongly: {error}") from None
            case other:
                raise Refused(415, f"the model server does not know content-encoding {other}")

    def _count(self, wire: Wire, body: bytes) -> None:
        try:
            tokens = wire.size(body)
        except ValueError as error:
            raise Refused(400, str(error)) from None
        self._send(200, wire.count(tokens), outcome="answered")

    def _play(self, answering: Answering, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        decision = answering.decide(body, headers, note=self._note, wait=self._wait)
        match decision.blow:
            case Hang(silent=True):
                self._wait(None)
            case Cut(silent=True):
                return self._cut()
            case _:
                pass
        if decision.conversation.streamed:
            return self._stream(answering, decision)
        return self._whole(answering, decision)

    def _refuse(self, wire: Wire, refused: Refused) -> None:
        self._note(message=refused.message)
        error = wire.error(refused.status, refused.kind, refused.message, refused.fields, self._id)
        self._send(refused.status, error, refused.headers, outcome="refused")

    # --- answers ---

    def _whole(self, answering: Answering, decision: Decision) -> None:
        if isinstance(decision.blow, Hang):
            self._wait(None)
        self._wait(decision.slow_s)
        answering.begun(decision)
        answer = answering.wire.whole(decision.conversation.model, decision.turn, decision.tokens)
        if decision.blow is None:
            return self._send(200, answer, decision.headers, outcome="answered")
        self._note(status=200)
        data = msgspec.json.encode(answer)
        self._head(200, decision.headers, {"content-type": "application/json"}, length=len(data))
        self.wfile.write(data[: len(data) // 2])
        return self._cut()

    def _stream(self, answering: Answering, decision: Decision) -> None:
        wire = answering.wire
        events = list(wire.stream(decision.conversation.model, decision.turn, decision.tokens))
        middle = len(events) // 2
        answering.begun(decision)
        self._note(status=200)
        self._head(
            200, decision.headers, {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        )
        for at, event in enumerate(events):
            if at == middle and decision.blow:
                return self._break(wire, decision.blow)
            if at:
                self._wait(decision.slow_s / (len(events) - 1))
            if at == len(events) - 1:
                self._end("answered")
            self._event(event)
        return self._chunk(b"")

    def _break(self, wire: Wire, blow: Hang | Cut | StreamError) -> None:
        match blow:
            case Hang():
                while True:
                    self._event(wire.alive())
                    self._wait(ALIVE_EVERY_S)
            case Cut():
                self._cut()
            case StreamError(type=kind, message=message):
                self._note(message=message)
                self._end("stream-error")
                self._event(wire.broken(kind, message))
                self._chunk(b"")

    def _cut(self) -> None:
        self._end("cut")
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    # --- bytes ---

    def _note(self, **known: Any) -> None:
        self.server.models.log.learned(self._number, **known)

    def _end(self, outcome: Outcome) -> None:
        """Said once, and before the last bytes are sent: whoever has its answer finds it in the log."""
        if not self._ended:
            self._ended = True
            self.server.models.log.ended(self._number, outcome=outcome)

    def _wait(self, seconds: float | None) -> None:
        """Wait for so long, None: for ever. Raises _Gone as soon as nobody listens any more."""
        if seconds == 0:
            return
        with selectors.DefaultSelector() as selector:
            selector.register(self.connection, selectors.EVENT_READ)
            if selector.select(seconds):
                # Nobody sends the next request before this one is answered, so this is the end of the connection.
                raise _Gone

    def _head(self, status: int, *headers: Mapping[str, str], length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("request-id", self._id)
        for name, value in (pair for some in headers for pair in some.items()):
            self.send_header(name, value)
        if length is None:
            self.send_header("transfer-encoding", "chunked")
        else:
            self.send_header("content-length", str(length))
        self.end_headers()

    def _send(
        self, status: int, answer: Json, headers: Mapping[str, str] | None = None, *, outcome: Outcome | None = None
    ) -> None:
        """Send an answer in one piece; without an `outcome` nothing is logged."""
        data = msgspec.json.encode(answer)
        if outcome:
            self._note(status=status)
            self._end(outcome)
        self._head(status, headers or {}, {"content-type": "application/json"}, length=len(data))
        if self.command != "HEAD":
            self.wfile.write(data)

    def _event(self, event: Event) -> None:
        name = f"event: {event.name}\n" if event.name else ""
        self._chunk(f"{name}data: {msgspec.json.encode(event.data).decode()}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        """An empty one ends the answer."""
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
