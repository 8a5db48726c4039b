"""The real codec and the real engine behind the feeds, on the loopback exchange."""

import gzip
import itertools
import json
from math import isnan

import msgspec
import pytest
from feed_rig import FAST, play, rig
from loopback import Answer, Replay, book, top

from basisdesk.clock import wall_ns
from basisdesk.config import Settings
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.events import Frame
from basisdesk.venues import Limits, known_venues
from basisdesk.venues.bybit import Bybit

pytestmark = pytest.mark.loopback
SPOT, PERP = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"


class RealMarket:
    """The engine, dressed as the market a rig expects."""

    def __init__(self):
        self.engine = Engine(Settings(), known_venues(), MemoryJournal())
        self.streams = self.engine.market.streams
        self.links = self.engine.market.links

    def take(self, frame):
        self.engine.advance([frame])

    @property
    def legs(self):
        return self.engine.market.legs


def script(exchange):
    """Tops and books for ADAUSDT on both sockets."""
    now_ms = wall_ns() // 1_000_000
    exchange.snapshots = {
        "orderbook.1.ADAUSDT": [top("ADAUSDT", 0.51, 0.52, 7, now_ms)],
        "orderbook.50.ADAUSDT": [
            book("ADAUSDT", [(0.51, 900), (0.5, 50)], [(0.52, 80)], 7, now_ms),
            book("ADAUSDT", [(0.5, 60)], [(0.53, 10)], 8, now_ms, "delta"),
        ],
    }
    exchange.http["/v5/market/time"] = json.dumps(
        {"retCode": 0, "retMsg": "OK", "result": {"timeNano": f"{now_ms}000000"}, "time": now_ms}
    ).encode()


def bybit_rig(*instruments, **more):
    market = RealMarket()
    venue = known_venues()["bybit"]
    return rig(watch=instruments, market=market, venue=venue, **more)


def test_both_legs_come_alive_are_lost_with_the_connection_and_come_back():
    async def scenario():
        async with bybit_rig(SPOT, PERP, before=script) as r:
            legs = r.market.legs
            await r.until(lambda: len(legs) == 2 and all(leg.mid == 0.515 for leg in legs.values()))
            await r.until(lambda: r.state("orderbook.50.ADAUSDT", "bybit.spot") == "live")
            assert legs[SPOT].book.best() == (0.51, 900.0, 0.52, 80.0)
            await r.exchange.stop()
            await r.until(lambda: all(isnan(leg.mid) for leg in legs.values()))
            assert r.market.links["bybit.spot"].state in ("down", "connecting")
            await r.exchange.start()
            await r.until(lambda: all(leg.mid == 0.515 for leg in legs.values()))
            assert r.market.links["bybit.linear"].connects == 2
            await r.until(lambda: "bybit" in r.market.engine.market.clock_ms)
            assert r.market.engine.market.bad_frames == 0

    play(scenario)


def test_a_gap_is_noticed_and_only_that_book_is_asked_for_again():
    async def scenario():
        async with bybit_rig(SPOT, before=script) as r:
            topic = "orderbook.50.ADAUSDT"
            await r.until(lambda: r.state(topic, "bybit.spot") == "live")
            lost = book("ADAUSDT", [(0.5, 1)], [], 10, wall_ns() // 1_000_000, "delta")
            r.exchange.publish(topic, lost)
            await r.until(lambda: r.market.streams[f"bybit.spot/{topic}"].gaps == 1)
            await r.until(lambda: r.state(topic, "bybit.spot") == "live")
            assert r.exchange.asked("subscribe") == {
                topic: 2,
                "orderbook.1.ADAUSDT": 1,
                "publicTrade.ADAUSDT": 1,
                "tickers.ADAUSDT": 1,
            }
            assert not r.said("bybit.spot", "down")

    play(scenario)


def test_a_topic_the_venue_refuses_is_shown_and_the_others_live():
    async def scenario():
        def spoil(exchange):
            script(exchange)
            exchange.faults.bad_topics = {"tickers.ADAUSDT"}

        async with bybit_rig(SPOT, before=spoil) as r:
            await r.until(lambda: r.state("orderbook.1.ADAUSDT", "bybit.spot") == "live")
            await r.until(lambda: r.state("orderbook.50.ADAUSDT", "bybit.spot") == "live")
            refused = r.market.streams["bybit.spot/tickers.ADAUSDT"]
            await r.until(lambda: refused.state == "down")
            assert "handler not found" in refused.last_error

    play(scenario)


def test_garbage_is_counted_by_reason_and_moves_nothing():
    async def scenario():
        async with bybit_rig(SPOT, before=script) as r:
            market = r.market.engine.market
            await r.until(lambda: r.state("orderbook.1.ADAUSDT", "bybit.spot") == "live")
            good = top("ADAUSDT", 0.51, 0.52, 9, wall_ns() // 1_000_000)
            for wrong in (b'"0.51"', b'"nan"'), (b'"0.52"', b'"1e999"'), (b'"u":9', b'"u":9.5'):
                r.exchange.blurt(good.replace(*wrong))
            r.exchange.blurt(b"{")
            r.exchange.blurt(b'{"topic":"kline.1.ADAUSDT"}')
            await r.until(lambda: market.bad_frames == 5)
            assert sum(market.bad_by_reason.values()) == 5
            # Three unreadable messages of one stream in a minute: it is asked for anew (fault 23).
            await r.until(lambda: r.exchange.asked("subscribe")["orderbook.1.ADAUSDT"] == 2)
            await r.until(lambda: r.state("orderbook.1.ADAUSDT", "bybit.spot") == "live")
            assert market.legs[SPOT].mid == 0.515
            assert not r.said("bybit.spot", "down")

    play(scenario)


class Mortal(Bybit):
    """Bybit, were it to cut its connections like others: after a second of this pace."""

    limits = Limits(connect_gap_s=0.0, life_s=1.0 / 0.05)


class Watchful(RealMarket):
    """Notes every frame after which a leg had lost its price, or its book."""

    def __init__(self):
        super().__init__()
        self.lost = []
        self.seen = set()

    def take(self, frame):
        super().take(frame)
        for key, leg in self.legs.items():
            if leg.mid == leg.mid and leg.book.valid:
                self.seen.add(key)
            elif key in self.seen:
                self.lost.append((key, frame))


def test_fault_12_a_renewal_loses_no_price_and_no_book_for_a_single_frame():
    async def scenario():
        market = Watchful()
        pace = msgspec.structs.replace(FAST, renew_again_s=0.1)
        venue = Mortal()
        async with rig(pace, (SPOT, PERP), market=market, venue=venue, before=script) as r:
            await r.until(lambda: market.seen == {SPOT, PERP})
            links = [market.links[conn] for conn in ("bybit.spot", "bybit.linear")]
            await r.until(lambda: all(link.renewed >= 2 for link in links))
            assert market.lost == []
            assert market.engine.market.gaps == market.engine.market.bad_frames == 0
            assert not r.said("bybit.spot", "down") + r.said("bybit.linear", "down")
            assert market.legs[SPOT].book.best() == (0.51, 900.0, 0.52, 80.0)

    play(scenario)


def test_an_unscripted_http_side_does_not_hold_up_the_sockets():
    async def scenario():
        def broken(exchange):
            script(exchange)
            exchange.http["/v5/market/time"] = Answer(b"<html>", 200)

        async with bybit_rig(SPOT, before=broken) as r:
            assert await r.until(lambda: r.state("orderbook.1.ADAUSDT", "bybit.spot") == "live")
            assert await r.until(lambda: any("HTTP 404" in x for x in r.said("bybit.rest", "down")))

    play(scenario)


def captured(folder, conn):
    """The payloads of one socket of the real capture, in the order they were received."""
    rows = []
    for path in folder.glob(f"{conn}.*.jsonl.gz"):
        with gzip.open(path, "rt") as lines:
            rows += [json.loads(line) for line in lines]
    rows.sort(key=lambda row: row["ts"])
    return [row["data"].encode() for row in rows if row["t"] == "recv"]


@pytest.mark.slow
def test_the_real_capture_over_real_sockets_gives_the_same_quotes(bybit_capture):
    payloads = {conn: captured(bybit_capture, conn) for conn in ("spot", "linear")}
    assert all(len(rows) > 300 for rows in payloads.values())

    def quotes(frames):
        market = RealMarket()
        seen = []
        for frame in frames:
            market.take(frame)
            seen.append([(k, leg.top(), leg.mark, leg.index) for k, leg in market.legs.items()])
        return seen, market.engine.market

    async def scenario():
        def serve(exchange):
            exchange.replays = {conn: [Replay(rows)] for conn, rows in payloads.items()}

        watch = ("bybit:spot:BTCUSDT", "bybit:perp:BTCUSDT")
        async with bybit_rig(*watch, before=serve, pace=FAST.scaled(20)) as r:
            total = sum(map(len, payloads.values()))
            wire = lambda: [f for f in r.frames if f.payload.startswith(b'{"topic"')]  # noqa: E731
            await r.until(lambda: len(wire()) >= total * 0.9, within_s=20)
            await r.until(
                lambda: all(
                    set(rows) <= {f.payload for f in r.frames} for rows in payloads.values()
                )
            )
            return r.frames

    frames = play(scenario)
    for conn, rows in payloads.items():
        heard = [f.payload for f in frames if f.conn == f"bybit.{conn}"]
        known = set(rows)
        assert [p for p in heard if p in known] == rows  # each once, in order, bit by bit
        direct = [Frame(f"bybit.{conn}", p, t) for t, p in enumerate(rows, 1)]
        wired = [Frame(f"bybit.{conn}", p, t) for t, p in enumerate(heard, 1) if p in known]
        (one, market), (other, _) = quotes(direct), quotes(wired)
        assert repr(one) == repr(other)
        assert market.bad_frames == market.gaps == 0
    assert len(set(itertools.chain(*payloads.values()))) > 700
