"""OKX V5's public REST pages (`GET /api/v5/...`) over the simulated market, and shared figures.

Shapes follow the venue's pages of 2026-07: every value is text, an answer is {"code", "msg",
"data"}, rows come newest first. Nothing here asks the time.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import msgspec

from basisdesk.demo.wire import Candle, Floor, Leg, Levels, Page, Spec

PREFIX = "/api/v5/"
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
CANDLES = (100, 300)  # default and largest number of rows
HISTORY = (400, 400)
BOOK = (1, 400)
END_MS = 10**14  # later than any minute

encode = msgspec.json.Encoder().encode
_Row = dict[str, Any] | list[str]


class _Ask(NamedTuple):
    floor: Floor
    query: Mapping[str, str]
    now_ms: int


class _Bad(Exception):
    """A request the venue refuses: (code, text)."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def page(path: str, floor: Floor) -> Page:
    """The answer to a GET for `path`, with its query."""
    parts = urlsplit(path)
    made = _PAGES.get(parts.path.removeprefix(PREFIX))
    if made is None or not parts.path.startswith(PREFIX):
        return Page(404, _envelope("404", "Not Found", ()))
    try:
        rows = made(_Ask(floor, dict(parse_qsl(parts.query)), floor.now_ms("okx")))
    except _Bad as exc:
        return Page(400 if exc.code == "51000" else 200, _envelope(exc.code, str(exc), ()))
    return Page(200, _envelope("0", "", rows))


def short(text: str) -> str:
    """Decimal text without trailing zeros: "30244.0" is "30244"."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain(value: float, digits: int) -> str:
    """A figure with at most so many digits after the point, no exponent, no "-0"."""
    text = short(f"{value:.{digits}f}")
    return "0" if text == "-0" else text


def levels(leg: Leg, bids: Levels, asks: Levels) -> tuple[str, str]:
    """Both sides as the venue's arrays: [price, size, "0", orders]; a gone level has none."""
    price, size = leg.price_text, leg.size_text
    sides = [
        ",".join(
            [
                f'["{short(price(tick))}","{short(size(lots))}","0","{lots % 9 + 1}"]'
                if lots
                else f'["{short(price(tick))}","0","0","0"]'
                for tick, lots in side.items()
            ]
        )
        for side in (bids, asks)
    ]
    return sides[0], sides[1]


def funding_fields(leg: Leg) -> dict[str, str]:
    """What the funding channel and page say, but for `ts`."""
    spec, view = leg.spec, leg.view()
    cap = plain(spec.funding_cap, 6)
    return {
        "formulaType": "withRate",
        "fundingRate": plain(view.rate, 10),
        "fundingTime": str(view.next_funding_ms),
        "impactValue": "20000",
        "instId": spec.symbol,
        "instType": "SWAP",
        "interestRate": "0.0001",
        "maxFundingRate": cap,
        "method": "current_period",
        "minFundingRate": f"-{cap}",
        "nextFundingRate": "",
        "nextFundingTime": str(view.next_funding_ms + view.interval_h * HOUR_MS),
        "premium": plain(view.mark_price / view.index_price - 1.0, 10),
        "settFundingRate": plain(view.settled_rate, 10),
        "settState": "settled",
    }


def interest_fields(leg: Leg) -> dict[str, str]:
    """What the open-interest channel and page say, but for `ts`: contracts, coins and dollars."""
    spec, view = leg.spec, leg.view()
    contracts = round(view.open_interest / spec.unit, spec.lot_decimals)
    coins = contracts * spec.unit
    return {
        "instType": "SWAP",
        "instId": spec.symbol,
        "oi": plain(contracts, spec.lot_decimals),
        "oiCcy": plain(coins, 8),
        "oiUsd": plain(coins * view.mark_price, 4),
    }


def _envelope(code: str, text: str, rows: Sequence[_Row]) -> bytes:
    return encode({"code": code, "data": rows, "msg": text})


def _market(query: Mapping[str, str]) -> str:
    kind = query.get("instType")
    if kind not in ("SPOT", "SWAP"):
        raise _Bad("51000", "Parameter instType error")
    return "spot" if kind == "SPOT" else "perp"


def _leg(ask: _Ask, *, swap: bool = False) -> Leg:
    symbol = ask.query.get("instId", "")
    market = "perp" if symbol.endswith("-SWAP") else "spot"
    leg = None if swap and market == "spot" else ask.floor.leg("okx", market, symbol)
    if leg is None:
        text = "Instrument ID, Instrument ID code, or Spread ID doesn't exist."
        raise _Bad("51001", text)
    return leg


def _legs(ask: _Ask, market: str) -> list[Leg]:
    """Every instrument of a market, or the one that was named."""
    if "instId" in ask.query:
        return [_leg(ask, swap=market == "perp")]
    named = [ask.floor.leg("okx", market, spec.symbol) for spec in ask.floor.specs("okx", market)]
    return [leg for leg in named if leg is not None]


def _number(query: Mapping[str, str], name: str, usual: int) -> int:
    text = query.get(name)
    if text is None:
        return usual
    if not text.isascii() or not text.isdigit():
        raise _Bad("51000", f"Parameter {name} error")
    return int(text[:18])


def _limit(query: Mapping[str, str], usual: tuple[int, int], name: str = "limit") -> int:
    return max(1, min(_number(query, name, usual[0]), usual[1]))


def _time(ask: _Ask) -> Sequence[_Row]:
    return ({"ts": str(ask.now_ms)},)


def _instruments(ask: _Ask) -> Sequence[_Row]:
    market = _market(ask.query)
    wanted = ask.query.get("instId")
    rows = [
        _rules(spec)
        for spec in ask.floor.specs("okx", market)
        if wanted is None or spec.symbol == wanted
    ]
    if wanted is not None and not rows:
        raise _Bad("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")
    return rows


def _rules(spec: Spec) -> dict[str, str]:
    swap = spec.market == "perp"
    pair = f"{spec.base}-{spec.quote}"
    least, most = (_lots(spec, lots) for lots in (spec.min_lots, spec.max_lots))
    return {
        "instType": "SWAP" if swap else "SPOT",
        "instId": spec.symbol,
        "uly": pair if swap else "",
        "instFamily": pair if swap else "",
        "baseCcy": "" if swap else spec.base,
        "quoteCcy": "" if swap else spec.quote,
        "settleCcy": spec.quote if swap else "",
        "ctVal": plain(spec.unit, 10) if swap else "",
        "ctMult": "1" if swap else "",
        "ctValCcy": spec.base if swap else "",
        "ctType": "linear" if swap else "",
        "expTime": "",
        "lever": spec.leverage_max if swap else "10",
        "tickSz": short(spec.tick),
        "lotSz": short(spec.lot),
        "minSz": least,
        "maxLmtSz": most,
        "maxMktSz": most if swap else "1000000",  # of spot in USDT
        "ruleType": "normal",
        "state": "live",
    }


def _lots(spec: Spec, lots: int) -> str:
    return short(f"{Decimal(spec.lot) * lots:f}")


def _tiers(ask: _Ask) -> Sequence[_Row]:
    if ask.query.get("tdMode") not in ("isolated", "cross") or _market(ask.query) != "perp":
        raise _Bad("51000", "Parameter tdMode error")
    family = ask.query.get("instFamily", "")
    leg = ask.floor.leg("okx", "perp", f"{family}-SWAP")
    if leg is None:
        raise _Bad("51000", "Parameter instFamily error")
    # The tiers of a Spec are notional; the venue's are contracts.
    contract = leg.view().mark_price * leg.spec.unit
    rows: list[_Row] = []
    least = 0
    for number, (limit, maintenance, initial, lever, _) in enumerate(leg.spec.tiers, 1):
        most = max(least + 1, _round(float(limit) / contract))
        rows.append(
            {
                "tier": str(number),
                "instFamily": family,
                "instId": "",
                "uly": family,
                "minSz": str(least),
                "maxSz": str(most),
                "mmr": maintenance,
                "imr": initial,
                "maxLever": short(lever),
                "optMgnFactor": "0",
                "baseMaxLoan": "",
                "quoteMaxLoan": "",
            }
        )
        least = most
    return rows


def _round(contracts: float) -> int:
    """Down to two digits that count, as the venue's tiers are: 13,742 is 13,000."""
    whole = int(contracts)
    step = int(10 ** max(0, len(str(whole)) - 2))
    return whole // step * step


def _candles(ask: _Ask) -> Sequence[_Row]:
    if ask.query.get("bar", "1m") != "1m":
        raise _Bad("51000", "Parameter bar error")
    leg = _leg(ask)
    limit = _limit(ask.query, CANDLES)
    until = min(_number(ask.query, "after", END_MS), ask.now_ms + MINUTE_MS)  # both exclusive
    since = max(_number(ask.query, "before", -1) + 1, until - (limit + 1) * MINUTE_MS)
    newest = list(leg.candles(since, until))[-limit:]
    return [_candle(row, leg.spec, ask.now_ms) for row in reversed(newest)]


def _candle(row: Candle, spec: Spec, now_ms: int) -> list[str]:
    prices = [
        plain(price, spec.tick_decimals) for price in (row.open, row.high, row.low, row.close)
    ]
    turnover = plain(row.volume * (row.open + row.close) / 2.0, 4)
    coins = plain(row.volume, 6)
    swap = spec.market == "perp"
    volumes = [
        plain(row.volume / spec.unit, 6) if swap else coins,
        coins if swap else turnover,
        turnover,
    ]
    return [str(row.t_ms), *prices, *volumes, "1" if row.t_ms + MINUTE_MS <= now_ms else "0"]


def _funding(ask: _Ask) -> Sequence[_Row]:
    now, named = {"ts": str(ask.now_ms)}, ask.query.get("instId")
    every = ask._replace(query={}) if named == "ANY" else ask
    if named is None:
        raise _Bad("50014", "Parameter instId can not be empty.")
    return [{**funding_fields(leg), **now} for leg in _legs(every, "perp")]


def _history(ask: _Ask) -> Sequence[_Row]:
    leg = _leg(ask, swap=True)
    before, after = _number(ask.query, "before", -1), _number(ask.query, "after", END_MS)
    inside = [row for row in leg.settlements() if before < row[0] < after]
    rows: list[_Row] = []
    for t_ms, rate, _ in reversed(inside[-_limit(ask.query, HISTORY) :]):
        text = plain(rate, 10)
        rows.append(
            {
                "formulaType": "withRate",
                "fundingRate": text,
                "fundingTime": str(t_ms),
                "instId": leg.spec.symbol,
                "instType": "SWAP",
                "method": "current_period",
                "realizedRate": text,
            }
        )
    return rows


def _swaps(ask: _Ask) -> list[Leg]:
    if _market(ask.query) != "perp":
        raise _Bad("51000", "Parameter instType error")
    return _legs(ask, "perp")


def _mark(ask: _Ask) -> Sequence[_Row]:
    now = str(ask.now_ms)
    return [
        {
            "instType": "SWAP",
            "instId": leg.spec.symbol,
            "markPx": plain(leg.view().mark_price, leg.spec.tick_decimals + 1),
            "ts": now,
        }
        for leg in _swaps(ask)
    ]


def _interest(ask: _Ask) -> Sequence[_Row]:
    now = {"ts": str(ask.now_ms)}
    return [{**interest_fields(leg), **now} for leg in _swaps(ask)]


def _ticker(ask: _Ask) -> Sequence[_Row]:
    return (_ticker_row(_leg(ask), ask.now_ms),)


def _tickers(ask: _Ask) -> Sequence[_Row]:
    market = _market(ask.query)
    every = ask._replace(query={})
    return [_ticker_row(leg, ask.now_ms) for leg in _legs(every, market)]


def _ticker_row(leg: Leg, now_ms: int) -> dict[str, str]:
    """Volumes: contracts and coins of a swap, coins and quote currency of a spot market."""
    spec, day, (bid, bid_lots, offer, offer_lots) = leg.spec, leg.day(), leg.touch
    swap, digits = spec.market == "perp", spec.tick_decimals
    coins = plain(day.volume, 4)
    last, last_lots = (leg.last.tick, leg.last.lots) if leg.last else (bid, 1)
    price = last * float(spec.tick)
    return {
        "instType": "SWAP" if swap else "SPOT",
        "instId": spec.symbol,
        "last": short(leg.price_text(last)),
        "lastSz": short(leg.size_text(last_lots)),
        "askPx": short(leg.price_text(offer)),
        "askSz": short(leg.size_text(offer_lots)),
        "bidPx": short(leg.price_text(bid)),
        "bidSz": short(leg.size_text(bid_lots)),
        "open24h": plain(day.first, digits),
        "high24h": plain(max(day.high, price), digits),
        "low24h": plain(min(day.low, price), digits),
        "volCcy24h": coins if swap else plain(day.turnover, 4),
        "vol24h": plain(day.volume / spec.unit, 4) if swap else coins,
        "ts": str(now_ms),
        "sodUtc0": plain(day.first, digits),
        "sodUtc8": plain(day.first, digits),
    }


def _indices(ask: _Ask) -> Sequence[_Row]:
    """Named by their coins; the spot markets of this exchange stand for them."""
    named, quote = ask.query.get("instId"), ask.query.get("quoteCcy")
    if named is None and quote is None:
        raise _Bad("50014", "Parameter instId or quoteCcy can not be empty.")
    now = str(ask.now_ms)
    return [
        {
            "instId": leg.spec.symbol,
            "idxPx": plain(leg.view().index_price, leg.spec.tick_decimals + 1),
            "ts": now,
        }
        for leg in _legs(ask if named is not None else ask._replace(query={}), "spot")
        if quote is None or leg.spec.quote == quote
    ]


def _books(ask: _Ask) -> Sequence[_Row]:
    leg, depth = _leg(ask), _limit(ask.query, BOOK, "sz")
    bids, asks = leg.sides()
    sides = levels(leg, dict(list(bids.items())[:depth]), dict(list(asks.items())[:depth]))
    return (
        {
            "asks": msgspec.Raw(f"[{sides[1]}]".encode()),
            "bids": msgspec.Raw(f"[{sides[0]}]".encode()),
            "ts": str(ask.now_ms),
            "seqId": leg.book_id,
        },
    )


_PAGES: Mapping[str, Callable[[_Ask], Sequence[_Row]]] = {
    "public/time": _time,
    "public/instruments": _instruments,
    "public/position-tiers": _tiers,
    "public/funding-rate": _funding,
    "public/funding-rate-history": _history,
    "public/mark-price": _mark,
    "public/open-interest": _interest,
    "market/books": _books,
    "market/ticker": _ticker,
    "market/tickers": _tickers,
    "market/index-tickers": _indices,
    "market/candles": _candles,
    "market/history-candles": _candles,
}
