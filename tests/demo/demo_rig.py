"""A market and legs without sockets, and an exchange over real ones."""

import asyncio
import contextlib
import json

from websockets.asyncio.client import connect

from basisdesk.demo.coins import BY_NAME
from basisdesk.demo.exchange import DemoOptions
from basisdesk.demo.floor import Trading, VenueFloor
from basisdesk.demo.leg import SimLeg
from basisdesk.demo.market import Market
from basisdesk.demo.server import Exchange

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
    given = {"proxy": None, "compression": None, "ping_interval": None, **given}
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
