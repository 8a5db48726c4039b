"""Messages a second from real sockets to the desk while the window paints, and what it feels.

Two loads: one pair under a flood, as much as goes through; and forty pairs on four venues at a
steady rate, where the window must stay smooth and a core be left.
"""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec
import psutil
from websockets.asyncio.client import connect

from basisdesk.app.bench.source import LEGS, Exchange, demo_exchange, pairs_of
from basisdesk.clock import mono_s
from basisdesk.config import Settings
from basisdesk.errors import UserError
from basisdesk.market.cross import cross_leg
from basisdesk.venues import known_venues
from basisdesk.venues.instrument import split_symbol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from basisdesk.app.running import Desk
    from basisdesk.ui.context import Context
    from basisdesk.ui.window import MainWindow

    Fly = Callable[[Context, MainWindow], Awaitable[None]]

RATE = 6_000.0  # times the usual messages: more than any reader here takes
WARM_S = 3.0
MEASURE_S = 8.0
LAG_BEAT_S = 0.01

PAIRS_RATE = 1.1  # of the demo's usual messages: some 3,000 a second for the forty pairs
PAIRS_WARM_S = 60.0  # at most, until every leg has a quote and the history is in
PAIRS_SETTLE_S = 5.0
PAIRS_MEASURE_S = 20.0


def measure_socket() -> dict[str, float]:
    """Messages a second into the desk and into nothing, and the p99 of the window's lag."""
    with demo_exchange(RATE) as exchange:
        bare = asyncio.run(_bare(exchange))
    watch = Watch(MEASURE_S)

    async def fly(context: "Context", window: "MainWindow") -> None:
        await asyncio.sleep(WARM_S)
        await watch.measure(context, window)

    with demo_exchange(RATE) as exchange:
        run_desk_on(exchange, fly)
    return {
        "socket.msgs_per_s": watch.messages_per_s,
        "socket.bare_msgs_per_s": bare,
        "socket.ratio": watch.messages_per_s / bare,
        "socket.ui_lag_p99_ms": watch.lag_p99_ms,
        "socket.paints_per_s": watch.paints_per_s,
    }


def measure_pairs40() -> dict[str, float]:
    """Forty pairs on four venues: the window's lag, the share of a core, messages a second."""
    watch = Watch(PAIRS_MEASURE_S)
    pairs = [pair for name in known_venues() for pair in pairs_of(name)]

    async def fly(context: "Context", window: "MainWindow") -> None:
        await watch_pairs(context, pairs)
        await asyncio.sleep(PAIRS_SETTLE_S)
        await watch.measure(context, window)

    with demo_exchange(PAIRS_RATE) as exchange:
        run_desk_on(exchange, fly)
    return {
        "pairs40.ui_lag_p99_ms": watch.lag_p99_ms,
        "pairs40.cpu_share": watch.cpu_share,
        "pairs40.msgs_per_s": watch.messages_per_s,
        "pairs40.paints_per_s": watch.paints_per_s,
        "pairs40.pairs": float(len(pairs)),
    }


async def watch_pairs(context: "Context", pairs: list[tuple[str, str]]) -> None:
    """Have the desk's own feeds bring all of them; wait until every leg is quoted."""
    market = context.engine.market
    legs = {key for pair in pairs for key in pair}
    legs |= {leg for key in legs if (leg := cross_leg(split_symbol(key)[1]))}
    cast("Desk", context.actions).feeding.supervisor.watch(legs)
    for pair in pairs:
        market.pair(*pair)
    silent: list[str] = []
    for _ in range(int(PAIRS_WARM_S / 0.1)):
        await asyncio.sleep(0.1)
        silent = [key for key in sorted(legs) if not market.leg(key).quote_ns]
        if not silent and sum(len(p.series) > 500 for p in market.pairs.values()) >= len(pairs):
            return
    if silent:
        raise UserError(f"bench: {len(silent)} of {len(legs)} legs stayed silent: {silent[0]}.")


def run_desk_on(exchange: Exchange, fly: "Fly", settings: Settings | None = None) -> None:
    """A desk whose feeds all come from this exchange, with a pilot in a person's place."""
    from basisdesk.app.desk import DeskOptions, run_desk

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    settings = msgspec.structs.replace(settings or Settings(), feeds=exchange.feeds())
    with tempfile.TemporaryDirectory() as folder:
        run_desk(DeskOptions(Path(folder), settings, mode="live", pilot=fly))


class Watch:
    """Sits in the desk's place of a person and counts."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.messages_per_s = 0.0
        self.lag_p99_ms = 0.0
        self.paints_per_s = 0.0
        self.cpu_share = 0.0

    async def measure(self, context: "Context", window: "MainWindow") -> None:
        """Look at the desk for a while."""
        market, process = context.engine.market, psutil.Process()
        frames, paints, start_s = market.frames, window.refreshes, mono_s()
        used_s = _used_s(process)
        lags = []
        last_s = start_s
        while last_s - start_s < self._seconds:
            await asyncio.sleep(LAG_BEAT_S)
            now_s = mono_s()
            lags.append(max(0.0, now_s - last_s - LAG_BEAT_S) * 1e3)
            last_s = now_s
        took_s = last_s - start_s
        self.messages_per_s = (market.frames - frames) / took_s
        self.paints_per_s = (window.refreshes - paints) / took_s
        self.cpu_share = (_used_s(process) - used_s) / took_s
        self.lag_p99_ms = sorted(lags)[int(len(lags) * 0.99)]


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _bare(exchange: Exchange) -> float:
    """The library alone on plain asyncio: the same sockets read to nowhere."""
    venue = known_venues()["bybit"]
    topics: dict[str, list[str]] = {}
    for leg in LEGS:
        for conn, each in venue.topics(leg).items():
            topics.setdefault(conn, []).extend(each)
    count = 0

    async def read(conn: str) -> None:
        nonlocal count
        async with connect(exchange.sockets[conn], proxy=None) as ws:
            for number, batch in enumerate(venue.batches(topics[conn])):
                await ws.send(venue.subscribe(batch, str(number + 1)).decode())
            while True:
                await ws.recv(decode=False)
                count += 1

    readers = [asyncio.create_task(read(conn)) for conn in topics]
    await asyncio.sleep(WARM_S)
    start_s, before = mono_s(), count
    await asyncio.sleep(MEASURE_S)
    rate = (count - before) / (mono_s() - start_s)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    return rate
