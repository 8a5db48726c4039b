"""The demo exchange as a coroutine and as a process of its own, which ends with its parent.

The process takes orders from a pipe on standing input, one JSON object a line: see `faults.Order`.
"""

import asyncio
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

import msgspec

from basisdesk.demo.dialects import known_dialects
from basisdesk.demo.options import DemoOptions
from basisdesk.demo.server import HOST, Exchange
from basisdesk.errors import UserError

__all__ = ["DemoOptions", "Exchange", "main_demo", "serve"]

STDIN = 0
ORDER_MAX = 64 << 10  # bytes of one order
STOPS = (signal.SIGINT, signal.SIGTERM)


async def serve(options: DemoOptions, ready: Callable[[int], None]) -> None:
    """Serve until cancelled. Calls ready(port) when listening. Raises UserError."""
    await Exchange(options).run(ready)


def main_demo(options: DemoOptions) -> int:
    """Serve until stdin (a pipe) ends, or SIGTERM or SIGINT; then 0. Raises UserError.

    When listening it prints one JSON line: port, ws, rest, epoch_ms, speed, tls.
    """
    return asyncio.run(_main(options))


async def _main(options: DemoOptions) -> int:
    stop = asyncio.Event()
    _on_signals(stop)
    exchange = Exchange(options)
    _on_orphaned(stop, exchange)
    serving = asyncio.create_task(exchange.run(lambda port: _announce(exchange, port)))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    serving.cancel()
    try:
        await serving
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
    return 0


def _announce(exchange: Exchange, port: int) -> None:
    secure = "s" if exchange.tls else ""
    line = {
        "port": port,
        "ws": f"ws{secure}://{HOST}:{port}/v5/public",
        "rest": f"http{secure}://{HOST}:{port}",
        "epoch_ms": exchange.epoch_ms,
        "speed": exchange.options.speed,
        "tls": exchange.tls is not None,
        "sockets": {
            conn: f"ws{secure}://{HOST}:{port}{path}"
            for dialect in known_dialects()
            for path, conn in dialect.sockets.items()
        },
    }
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()


def _on_signals(stop: asyncio.Event) -> None:
    """Ctrl-C and a polite kill end the serving; no traceback."""
    loop = asyncio.get_running_loop()
    for number in STOPS:
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows: its loop has no signal handlers
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


def _on_orphaned(stop: asyncio.Event, exchange: Exchange) -> None:
    """A pipe on stdin belongs to whoever started us: it brings orders; when it ends, so do we.

    A terminal, a file or /dev/null says nothing about a parent and is left alone.
    """
    try:
        mode = os.fstat(STDIN).st_mode
    except OSError:
        return
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return
    loop = asyncio.get_running_loop()

    def read_on() -> None:
        rest = b""
        with suppress(OSError, RuntimeError):  # gone is gone; the loop has ended first
            while read := os.read(STDIN, 4096):
                *lines, rest = (rest + read).split(b"\n")
                rest = rest[-ORDER_MAX:]
                for line in lines:
                    loop.call_soon_threadsafe(_follow, exchange, line)
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.set)

    # os.read, not sys.stdin: a daemon thread must not hold stdin's lock when Python ends.
    threading.Thread(target=read_on, name="demo:stdin", daemon=True).start()


def _follow(exchange: Exchange, line: bytes) -> None:
    """One order; what is wrong with it is said on standard error."""
    if not line.strip():
        return
    try:
        exchange.command(line)
    except UserError as exc:
        with suppress(OSError):
            sys.stderr.write(f"{exc}\n")
            sys.stderr.flush()
