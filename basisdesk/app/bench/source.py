"""Where the benchmark's frames come from: the demo exchange, run as users run it."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
from websockets.asyncio.client import connect

from basisdesk.clock import mono_s
from basisdesk.events import Frame
from basisdesk.venues import known_venues

SYMBOL = "ADAUSDT"
LEGS = (f"bybit:spot:{SYMBOL}", f"bybit:perp:{SYMBOL}")


@dataclass(frozen=True)
class Exchange:
    """A running demo exchange."""

    pid: int
    ws: str
    rest: str

    def url(self, conn: str) -> str:
        """Address of one of Bybit's connections on this exchange."""
        return f"{self.ws}/{conn.removeprefix('bybit.')}"


@contextmanager
def demo_exchange(rate: float) -> Iterator[Exchange]:
    """A demo exchange of its own process that sends `rate` times its usual messages."""
    command = [sys.executable, "-m", "basisdesk", "demo-exchange", "--rate", str(rate)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            said = msgspec.json.decode(process.stdout.readline())
            yield Exchange(process.pid, said["ws"], said["rest"])
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def collect(count: int) -> list[Frame]:
    """`count` frames of both legs as they came off the wire, in the order they came."""
    with demo_exchange(rate=20) as exchange:
        return asyncio.run(_collect(exchange, count))


async def _collect(exchange: Exchange, count: int) -> list[Frame]:
    venue = known_venues()["bybit"]
    frames: list[Frame] = []
    started_s = mono_s()

    async def read(leg: str) -> None:
        conn, topics = venue.topics(leg)
        async with connect(exchange.url(conn), proxy=None) as ws:
            await ws.send(venue.subscribe(topics, "bench").decode())
            while len(frames) < count:
                payload = await ws.recv(decode=False)
                frames.append(Frame(conn, payload, int((mono_s() - started_s) * 1e9) + 10**18))

    await asyncio.gather(*(read(leg) for leg in LEGS))
    return frames[:count]
