"""`python -m stretto.testing.models`: the model server as a process of its own; `--help` shows the script language."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from stretto.testing.models import script
from stretto.testing.models.server import ModelServer

LOOK_EVERY_S = 0.2
"""How often it looks whether its parent is still there."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m stretto.testing.models",
        description="A scripted model server on 127.0.0.1. Its first line is its URL. It ends with its parent.",
        epilog=script.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="0, the default: any that is free")
    parser.add_argument("--log", type=Path, help="append every request to this file, as a line of JSON")
    chosen = parser.parse_args()
    parent = os.getppid()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        server = ModelServer(port=chosen.port, log=chosen.log)
    except OSError as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 1
    with server:
        print(server.url, flush=True)
        while os.getppid() == parent and not stop.wait(LOOK_EVERY_S):
            pass
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
