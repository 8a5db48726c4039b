"""Messages a second from a real socket to the desk while the window paints, and what it feels."""

import asyncio
import os
import tempfile
from pathlib import Path

import msgspec
from websockets.asyncio.client import connect

from basisdesk.app.bench.source import LEGS, demo_exchange
from basisdesk.clock import mono_s
from basisdesk.config import Settings
from basisdesk.ui.context import Context
from basisdesk.ui.window import MainWindow
from basisdesk.venues import known_venues

RATE = 6_000.0  # times the usual messages: more than any reader here takes
WARM_S = 3.0
MEASURE_S = 8.0
LAG_BEAT_S = 0.01


def measure_socket() -> dict[str, float]:
    """Messages a second into the desk and into nothing, and the p99 of the window's lag."""
    from basisdesk.app.desk import DeskOptions, run_desk

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with demo_exchange(RATE) as exchange:
        bare = asyncio.run(_bare(exchange.url))
    with demo_exchange(RATE) as exchange, tempfile.TemporaryDirectory() as folder:
        watch = _Watch()
        urls = {"spot": exchange.url("bybit.spot"), "linear": exchange.url("bybit.linear")}
        settings = msgspec.structs.replace(
            Settings(), feeds={"bybit": urls | {"rest": exchange.rest}}
        )
        run_desk(DeskOptions(Path(folder), settings, mode="live", pilot=watch.fly))
    return {
        "socket.msgs_per_s": watch.messages_per_s,
        "socket.bare_msgs_per_s": bare,
        "socket.ratio": watch.messages_per_s / bare,
        "socket.ui_lag_p99_ms": watch.lag_p99_ms,
        "socket.paints_per_s": watch.paints_per_s,
    }


class _Watch:
    """Sits in the desk's place of a person and counts."""

    def __init__(self) -> None:
        self.messages_per_s = 0.0
        self.lag_p99_ms = 0.0
        self.paints_per_s = 0.0

    async def fly(self, context: Context, window: MainWindow) -> None:
        """Let the flood start, then measure for a while."""
        await asyncio.sleep(WARM_S)
        market = context.engine.market
        frames, start_s = market.frames, mono_s()
        paints = window.refreshes
        lags = []
        last_s = start_s
        while last_s - start_s < MEASURE_S:
            await asyncio.sleep(LAG_BEAT_S)
            now_s = mono_s()
            lags.append(max(0.0, now_s - last_s - LAG_BEAT_S) * 1e3)
            last_s = now_s
        took_s = last_s - start_s
        self.messages_per_s = (market.frames - frames) / took_s
        self.paints_per_s = (window.refreshes - paints) / took_s
        self.lag_p99_ms = sorted(lags)[int(len(lags) * 0.99)]


async def _bare(url: object) -> float:
    """The library alone on plain asyncio: two sockets read to nowhere."""
    venue = known_venues()["bybit"]
    count = 0

    async def read(leg: str) -> None:
        nonlocal count
        conn, topics = venue.topics(leg)
        assert callable(url)
        async with connect(url(conn), proxy=None) as ws:
            await ws.send(venue.subscribe(topics, "bench").decode())
            while True:
                await ws.recv(decode=False)
                count += 1

    readers = [asyncio.create_task(read(leg)) for leg in LEGS]
    await asyncio.sleep(WARM_S)
    start_s, before = mono_s(), count
    await asyncio.sleep(MEASURE_S)
    rate = (count - before) / (mono_s() - start_s)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    return rate
