"""One server for the tests of a file, empty again for each of them, and a time that tests turn forward."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stretto.testing.models.server import ModelServer
from unit.testing.models.client import Client
from unit.testing.models.clock import Clock


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def shared(clock: Clock) -> Iterator[ModelServer]:
    with ModelServer(now=clock) as server:
        yield server


@pytest.fixture
def server(shared: ModelServer) -> ModelServer:
    shared.reset()
    return shared


@pytest.fixture
def client(server: ModelServer) -> Client:
    return Client(server.url, session="s")
