"""A market and legs without sockets, and an exchange over real ones."""

import asyncio
import contextlib
import json

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from basisdesk.demo.coins import BY_NAME
from basisdesk.demo.dialects import known_dialects
from basisdesk.demo.exchange import DemoOptions
from basisdesk.demo.floor import Trading, VenueFloor
from basisdesk.demo.leg import SimLeg
from basisdesk.demo.market import Market
from basisdesk.demo.server import Exchange
from basisdesk.errors import BadFrame
from basisdesk.events import BookLost, BookUpdate
from basisdesk.venues import known_venues

EPOCH_MS = 1_790_000_000_000  # 20 s into a minute, 1 h 47 min before 8-hour settlements
FIVE = ("BTC", "ETH", "BNB", "DOGE", "ADA")
SPOT_KEYS = [f"bybit:spot:{name}USDT" for name in FIVE]
PERP_KEYS = [f"bybit:perp:{name}USDT" for name in FIVE]


def make_leg(key, seed=7, now_ms=EPOCH_MS, market=None):
    """A leg of its own, by its name in the desk."""
    market = market or Market(seed, "mixed", EPOCH_MS)
    return SimLeg(market.find(key), seed, market.depth, now_ms)


def basis_bp(market, name, now_ms):
    """Mid basis of a coin on Bybit."""
    spot, perp = (market.find(f"bybit:{m}:{name}USDT").mid(now_ms) for m in ("spot", "perp"))
    return (perp / spot - 1.0) * 1e4


class Desk:
    """A floor under REST pages: a market whose time stands still."""

    def __init__(self, now_ms, seed=7):
        self.market = Market(seed, "mixed", EPOCH_MS)
        self.market.advance(now_ms)
        self.trading = Trading(self.market, lambda: now_ms, seed)
        self.floor = VenueFloor(self.trading, lambda venue: now_ms)


def coin(name):
    return BY_NAME[name]


def over_sockets(work, **given):
    """Run `await work(exchange)` against a fresh exchange that listens; what it returns."""

    async def main():
        ready = asyncio.get_running_loop().create_future()
        exchange = Exchange(DemoOptions(**{"seed": 3, "epoch_ms": EPOCH_MS, **given}))
        serving = asyncio.create_task(exchange.run(ready.set_result))
        await asyncio.wait((serving, ready), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        try:
            async with asyncio.timeout(30):
                return await work(exchange)
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving

    return asyncio.run(main())


def wire(exchange, path, **given):
    """A client socket; path as "/v5/public/spot"."""
    usual = {"proxy": None, "compression": None, "ping_interval": None, "close_timeout": 0.2}
    given = usual | given
    return connect(f"ws://127.0.0.1:{exchange.port}{path}", **given)


async def ask(ws, *args, op="subscribe", req_id="r"):
    """A request in Bybit's words."""
    await ws.send(json.dumps({"req_id": req_id, "op": op, "args": list(args)}))


async def hear(ws, wanted=lambda message: "data" in message):
    """The next message for which wanted(message) holds; what is not JSON is passed over."""
    while True:
        try:
            message = json.loads(await ws.recv(decode=False))
        except (ValueError, RecursionError):
            continue
        if isinstance(message, dict) and wanted(message):
            return message


def order(exchange, kind, conn="*", **given):
    """Commit a fault now."""
    fault = {"kind": kind, "conn": conn, "for_s": 99, **given}
    exchange.command(json.dumps({"fault": fault}).encode())


class Listener:
    """The desk's own codec on one socket, and a book kept by the rule of BookUpdate.

    `kinds` counts what came; `bad` what the codec refused; `gaps` what did not fit.
    """

    def __init__(self, exchange, key, what="book"):
        self.exchange = exchange
        self.key = key
        self.venue = known_venues()[key.split(":")[0]]
        topics = {t: c for c, some in self.venue.topics(key).items() for t in some}
        self.topic, self.conn = next(
            (topic, conn)
            for topic, conn in topics.items()
            if self.venue.rule(conn, topic).what == what
        )
        dialects = [d for d in known_dialects() if d.venue == self.venue.name]
        (path,) = (p for d in dialects for p, conn in d.sockets.items() if conn == self.conn)
        self.path = path
        self.codec = self.venue.codec(self.conn)
        self.bids, self.asks, self.seq, self.behind = {}, {}, None, []
        self.gaps = self.bad = self.lost = 0
        self.fresh, self.seeded = False, None
        self.events = []

    async def __aenter__(self):
        self.ws = await wire(self.exchange, self.path).__aenter__()
        await self.subscribe()
        return self

    async def __aexit__(self, *_):
        await self.ws.close()

    async def subscribe(self, req_id="1"):
        self.codec = self.venue.codec(self.conn)
        self.seq, self.behind = None, []
        await self.ws.send(self.venue.subscribe([self.topic], req_id).decode())

    async def again(self):
        await self.ws.send(self.venue.unsubscribe([self.topic], "2").decode())
        await self.subscribe("3")

    async def seed(self):
        """The snapshot of a book that has none on its socket."""
        path = self.venue.seed_path(self.conn, self.topic)
        async with httpx.AsyncClient(trust_env=False) as http:
            got = await http.get(f"http://127.0.0.1:{self.exchange.port}{path}")
        payload = json.dumps({"path": path, "data": got.text}).encode()
        for event in self.venue.codec(f"{self.venue.name}.rest").decode(payload):
            if isinstance(event, BookUpdate):
                self.seeded = event.seq
                self._apply(event)

    async def step(self):
        """One message: the events of it."""
        try:
            events = self.codec.decode(await self.ws.recv(decode=False))
        except BadFrame:
            self.bad += 1
            return []
        for event in events:
            if isinstance(event, BookUpdate):
                self._apply(event)
            elif isinstance(event, BookLost):
                self.lost += 1
                self.seq = None
        self.events += events
        return events

    async def until(self, wanted):
        """Read on until wanted() holds."""
        while not wanted():
            await self.step()

    def true(self):
        """Whether the book is the exchange's own; None while it stands for another moment.

        Kraken Futures tells changes of the best level at once, of deeper ones now and then.
        """
        if self.seq is None:
            return None
        truth = self.exchange.truth(self.key)
        if self.venue.name != "kraken" and self.seq != truth.book_id:
            return None
        depth = {"kraken.spot": 10, "kraken.futures": 1}.get(self.conn, 50)
        return _near(self.bids, truth.bids, depth, -1) and _near(self.asks, truth.asks, depth, 1)

    @property
    def touch(self):
        return max(self.bids), min(self.asks)

    @property
    def crossed(self):
        return bool(self.bids and self.asks) and max(self.bids) >= min(self.asks)

    def _apply(self, update):
        if update.snapshot:
            self.bids, self.asks, self.seq = dict(update.bids), dict(update.asks), update.seq
            behind, self.behind, self.fresh = self.behind, [], True
            for delta in behind:
                self._apply(delta)
            return
        if self.seq is None:
            self.behind.append(update)
        elif update.prev == self.seq or (self.fresh and update.prev < self.seq < update.seq):
            for side, levels in ((self.bids, update.bids), (self.asks, update.asks)):
                side.update(levels)
                for price in [price for price, size in side.items() if size == 0.0]:
                    del side[price]
            self.seq, self.fresh = update.seq, False
        elif update.seq > self.seq or update.prev > self.seq:
            self.gaps += 1
            self.seq = None


def _near(ours, theirs, depth, sign):
    mine = sorted(ours.items(), key=lambda row: sign * row[0])[:depth]
    true = sorted(theirs.items(), key=lambda row: sign * row[0])[:depth]
    return len(mine) == len(true) and all(
        abs(ours / theirs - 1) < 1e-9
        for row in zip(mine, true, strict=True)
        for ours, theirs in zip(*row, strict=True)
    )


def is_answer(message):
    return "success" in message


def about(topic):
    return lambda message: message.get("topic") == topic


def clear(exchange):
    exchange.command(b'{"clear": true}')


async def on(exchange, kind):
    """Wait until the beat has seen the fault (or its end)."""
    while not any(fault.kind == kind for fault in exchange.faults.on):  # noqa: ASYNC110 - a beat
        await asyncio.sleep(0.005)


async def drained(ws):
    """Read on until the end, which raises."""
    while True:
        await ws.recv()


async def get(exchange, path):
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.get(f"http://127.0.0.1:{exchange.port}{path}")


async def refused(exchange, path):
    """The HTTP answer to somebody who wants a socket; None if it was given."""
    try:
        async with wire(exchange, path):
            return None
    except InvalidStatus as exc:
        return exc.response
