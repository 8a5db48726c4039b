"""The real codecs of all venues and the real engine behind the feeds, on the demo exchange."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from feed_rig import eventually, play

from basisdesk.clock import SystemClock
from basisdesk.config import Settings
from basisdesk.demo.dialects import known_dialects
from basisdesk.demo.exchange import DemoOptions, Exchange
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.feed.inbox import Inbox
from basisdesk.feed.pace import Pace
from basisdesk.feed.supervisor import Supervisor, stop
from basisdesk.feed.tasks import spawn
from basisdesk.venues import known_venues

pytestmark = [pytest.mark.loopback, pytest.mark.slow]
LEGS = {
    "bybit:spot:ADAUSDT",
    "bybit:perp:ADAUSDT",
    "binance:spot:ADAUSDT",
    "binance:perp:ADAUSDT",
    "okx:spot:ADA-USDT",
    "okx:perp:ADA-USDT-SWAP",
    "kraken:spot:ADA/USD",
    "kraken:perp:PF_ADAUSD",
}
SOCKETS = 8  # without Bybit's combinations, which nobody asks for here


class Desk:
    """Feeds and an engine without a window. lost: prices and books that were gone for a frame."""

    def __init__(self, host, exchange):
        venues = known_venues()
        self.clock = SystemClock(1.0, exchange.epoch_ms * 1_000_000)
        self.inbox = Inbox()
        self.engine = Engine(Settings(), venues, MemoryJournal())
        self.market = self.engine.market
        endpoints = {
            conn: f"ws://{host}{path}"
            for dialect in known_dialects()
            for path, conn in dialect.sockets.items()
        }
        self.feeds = Supervisor(
            list(venues.values()),
            self.inbox,
            self.clock,
            self.market,
            endpoints,
            dict.fromkeys(venues, f"http://{host}"),
            pace=Pace(restraint=0.0, first_s=0.1),
        )
        self.feeds.watch(LEGS)
        self.whole = set()
        self.lost = []

    async def walk(self):
        while True:
            for frame in self.inbox.take(200):
                self.engine.advance([frame])
                for key, leg in self.market.legs.items():
                    if leg.mid == leg.mid and leg.book.valid:
                        self.whole.add(key)
                    elif key in self.whole:
                        self.lost.append((key, frame.conn, frame.payload[:100]))
            await asyncio.sleep(0.005)

    def all_live(self):
        streams = [each for each in self.market.streams.values() if each.rule.awaited]
        return self.whole == LEGS and all(stream.state == "live" for stream in streams)

    def links(self):
        return [each for each in self.feeds.facts().values() if not each.conn.endswith(".rest")]

    def story(self):
        return {i: (s.state, s.last_error) for i, s in self.market.streams.items()}


@asynccontextmanager
async def running():
    exchange = Exchange(DemoOptions(seed=5))
    ports = []
    serving = spawn(exchange.run(ports.append), "exchange")
    await eventually(lambda: ports, 20.0)
    desk = Desk(f"127.0.0.1:{ports[0]}", exchange)
    feeds, walking = spawn(desk.feeds.run(), "feeds"), spawn(desk.walk(), "walk")
    try:
        yield desk
        assert not feeds.done()
        assert not walking.done()
    finally:
        await stop(feeds)
        await stop(walking)
        await stop(serving)


def test_eight_sockets_of_four_venues_come_alive_and_their_renewal_loses_no_price():
    async def scenario():
        async with running() as desk:
            await eventually(desk.all_live, 30.0, desk.story)
            desk.lost.clear()  # a top was there before its depth
            for times in (1, 2):
                for link in desk.feeds.links.values():
                    link._renewal._not_before_s = 0.0
                    link._renewal.ask()
                await eventually(
                    lambda times=times: (
                        sum(each.renewals for each in desk.links()) == SOCKETS * times
                    ),
                    30.0,
                    desk.links,
                )
            assert desk.lost == []
            assert desk.market.gaps == desk.market.bad_frames == 0
            assert all(each.connects == 3 for each in desk.links() if each.state == "up")
            assert desk.all_live()
            idle = [each.conn for each in desk.links() if each.state == "idle"]
            assert idle == ["bybit.spread"]

    play(scenario)


def test_every_socket_that_is_lost_comes_back_with_its_books():
    async def scenario():
        async with running() as desk:
            await eventually(desk.all_live, 30.0, desk.story)
            for conn in desk.feeds.links:
                desk.feeds.reconnect(conn)
            await eventually(lambda: desk.lost, 10.0)  # a lost socket shows
            await eventually(lambda: not desk.all_live(), 10.0)
            desk.whole.clear()
            await eventually(desk.all_live, 30.0, desk.story)
            up = [each for each in desk.links() if each.state == "up"]
            assert [each.connects for each in up] == [2] * SOCKETS
            assert desk.market.gaps == 0

    play(scenario)
