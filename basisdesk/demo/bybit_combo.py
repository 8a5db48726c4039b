"""Bybit's spread socket: a simulated book for perpetual against spot, and its words.

The combination is quoted around what its two legs add up to: mostly a little better than crossing
both, now and then a little worse, as a function of the legs' update ids alone. Shapes follow the
venue's pages of 2026-07. Nothing here asks the time; the Bybit dialect calls it.
"""

import re
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

import msgspec

from basisdesk.demo.wire import Leg

PATH = "/v5/public/spread"
DEPTH = 25
LEVELS = 3  # a side; the venue's book holds up to 25
ENGINE_LAG_MS = 3  # the engine's stamp lies this far before the publish stamp
BETTER = (0.30, 0.22, 0.15, 0.25, 0.10, -0.05)  # of the synthetic width, gained on each side
TICKS_A_LEG = 10  # the combination is quoted this much finer than its legs

_TOPIC = re.compile(r"orderbook\.25\.([A-Z0-9]{2,30}USDT)_([A-Z0-9]{1,20})/USDT")
_encode = msgspec.json.Encoder().encode


class ComboTouch(NamedTuple):
    """The best of both sides, as the venue writes it: prices perp minus spot, sizes in coins."""

    bid: str
    bid_size: str
    ask: str
    ask_size: str


def combo_symbol(topic: str) -> str | None:
    """The symbol of both legs, "ADAUSDT" of "orderbook.25.ADAUSDT_ADA/USDT"; else None."""
    named = _TOPIC.fullmatch(topic)
    return named[1] if named and named[1] == f"{named[2]}USDT" else None


def combo_touch(spot_leg: Leg, perp_leg: Leg) -> ComboTouch:
    """The combination's best bid and ask while its legs stand as they do.

    Selling it sells the perp at its bid and buys spot at its ask; buying it is the mirror.
    """
    spot_bid, spot_bid_size, spot_ask, spot_ask_size = _coins(spot_leg)
    perp_bid, perp_bid_size, perp_ask, perp_ask_size = _coins(perp_leg)
    low, high = perp_bid - spot_ask, perp_ask - spot_bid
    turn = spot_leg.touch_id + 2 * perp_leg.touch_id
    gains = [Decimal(str(BETTER[(turn + shift) % len(BETTER)])) for shift in (0, 2)]
    width = high - low
    tick = min(Decimal(spot_leg.spec.tick), Decimal(perp_leg.spec.tick)) / TICKS_A_LEG
    bid = _whole(low + width * gains[0], tick, ROUND_FLOOR)
    ask = max(_whole(high - width * gains[1], tick, ROUND_CEILING), bid + tick)
    lot = max(_lot(spot_leg), _lot(perp_leg))
    bid_size = max(lot, _whole(min(perp_bid_size, spot_ask_size) / 2, lot, ROUND_FLOOR))
    ask_size = max(lot, _whole(min(perp_ask_size, spot_bid_size) / 2, lot, ROUND_FLOOR))
    return ComboTouch(*(f"{value:f}" for value in (bid, bid_size, ask, ask_size)))


def combo_message(
    topic: str, kind: str, touch: ComboTouch, ts: int, u: int, before: ComboTouch | None = None
) -> bytes:
    """A book message. kind: "snapshot", or "delta" from `before`, the touch of message u - 1."""
    bids, asks = _sides(touch)
    if kind == "delta" and before is not None:
        old_bids, old_asks = _sides(before)
        bids, asks = _changed(old_bids, bids), _changed(old_asks, asks)
    symbol = topic.removeprefix(f"orderbook.{DEPTH}.")
    levels = [_encode(list(side.items())).decode() for side in (bids, asks)]
    return (
        f'{{"topic":"{topic}","ts":{ts},"type":"{kind}","data":{{"s":"{symbol}","b":{levels[0]},'
        f'"a":{levels[1]},"u":{u},"seq":{4 * u + 7}}},"cts":{ts - ENGINE_LAG_MS}}}'
    ).encode()


def combo_ack(good: Sequence[str], bad: Sequence[str], conn_id: str) -> bytes:
    """The answer to a subscribe or unsubscribe: it names the topics, not the request."""
    outcome = {"failTopics": list(bad), "successTopics": list(good)}
    said = {"success": not bad, "conn_id": conn_id, "data": outcome, "type": "COMMAND_RESP"}
    return _encode(said)


def combo_pong(now_ms: int) -> bytes:
    """The answer to the application ping on this socket."""
    return _encode({"args": [str(now_ms)], "op": "pong"})


def _coins(leg: Leg) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    bid, bid_lots, ask, ask_lots = leg.touch
    tick, lot = Decimal(leg.spec.tick), _lot(leg)
    return bid * tick, bid_lots * lot, ask * tick, ask_lots * lot


def _lot(leg: Leg) -> Decimal:
    return Decimal(leg.spec.lot) * Decimal(str(leg.spec.unit))


def _whole(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (value / step).quantize(Decimal(1), rounding) * step + 0  # + 0: no "-0"


def _sides(touch: ComboTouch) -> tuple[dict[str, str], dict[str, str]]:
    bid, ask = Decimal(touch.bid), Decimal(touch.ask)
    step = Decimal(1).scaleb(int(bid.as_tuple().exponent)) * TICKS_A_LEG
    bids = {f"{bid - step * n:f}": f"{Decimal(touch.bid_size) * (n + 1):f}" for n in range(LEVELS)}
    asks = {f"{ask + step * n:f}": f"{Decimal(touch.ask_size) * (n + 1):f}" for n in range(LEVELS)}
    return bids, asks


def _changed(before: dict[str, str], now: dict[str, str]) -> dict[str, str]:
    gone = {price: "0" for price in before if price not in now}
    return gone | {price: size for price, size in now.items() if before.get(price) != size}
