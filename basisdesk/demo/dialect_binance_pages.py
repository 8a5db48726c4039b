"""Binance's public REST pages (`/api/v3`, `/fapi/v1`) over the simulated market; shared figures.

Shapes follow the venue's pages of 2026-07 (spot) and SDK models of 2026-08 (USD-M): money is text,
times are numbers, rows come oldest first, refusals are {"code", "msg"} with status 400. Nothing
here asks the time.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import msgspec

from basisdesk.demo.wire import Candle, Floor, Leg, Levels, Page, Spec

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
DEFAULT_HOURS = 8  # a perpetual of this interval is not in fundingInfo
PERPETUAL_ENDS_MS = 4_133_404_800_000
KLINES = {"spot": (500, 1000), "perp": (500, 1500)}  # default and largest number of rows
BOOK = {"spot": (100, 5000), "perp": (500, 1000)}
FUNDING = (100, 1000)

encode = msgspec.json.Encoder().encode
_Market = Literal["spot", "perp"]


class _Ask(NamedTuple):
    floor: Floor
    market: _Market
    query: Mapping[str, str]
    now_ms: int


class _Bad(Exception):
    """A request the venue refuses: (code, text)."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def page(path: str, floor: Floor) -> Page:
    """The answer to a GET for `path`, with its query."""
    parts = urlsplit(path)
    made = _PAGES.get(parts.path)
    if made is None:
        return Page(404, b"<html><body><h2>404 Not found</h2></body></html>")
    market: _Market = "perp" if parts.path.startswith("/fapi/") else "spot"
    query = dict(parse_qsl(parts.query))
    try:
        return Page(200, encode(made(_Ask(floor, market, query, floor.now_ms("binance")))))
    except _Bad as exc:
        return Page(400, encode({"code": exc.code, "msg": str(exc)}))


# Figures


def padded(text: str) -> str:
    """Decimal text with eight digits after the point: "0.8214" is "0.82140000"."""
    whole, _, digits = text.partition(".")
    return f"{whole}.{digits:0<8}"


def eight(value: float) -> str:
    """A number with eight digits after the point, never "-0.00000000"."""
    text = f"{value:.8f}"
    return text.removeprefix("-") if float(text) == 0.0 else text


def price(leg: Leg, ticks: int) -> str:
    """A price of whole ticks as the leg's market prints it."""
    text = leg.price_text(ticks)
    return padded(text) if leg.spec.market == "spot" else text


def quantity(leg: Leg, lots: int) -> str:
    """A size of whole lots as the leg's market prints it."""
    text = leg.size_text(lots)
    return padded(text) if leg.spec.market == "spot" else text


def rows(leg: Leg, levels: Levels, depth: int) -> list[list[str]]:
    """The best levels of a side as pairs of text."""
    best = list(levels.items())[:depth]
    return [[price(leg, tick), quantity(leg, lots)] for tick, lots in best]


# Pages


def _time(ask: _Ask) -> object:
    return {"serverTime": ask.now_ms}


def _ping(_: _Ask) -> object:
    return {}


def _rules(ask: _Ask) -> object:
    specs = ask.floor.specs("binance", ask.market)
    if ask.market == "spot" and "symbol" in ask.query:
        specs = [_leg(ask).spec]
    head: dict[str, Any] = {"timezone": "UTC", "serverTime": ask.now_ms, "rateLimits": []}
    if ask.market == "spot":
        return {**head, "exchangeFilters": [], "symbols": [_spot_rules(spec) for spec in specs]}
    assets = [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}]
    symbols = [_perp_rules(spec) for spec in specs]
    return {**head, "futuresType": "U_MARGINED", "exchangeFilters": [], "assets": assets} | {
        "symbols": symbols
    }


def _spot_rules(spec: Spec) -> dict[str, Any]:
    tick, lot, most = padded(spec.tick), padded(spec.lot), _lots(spec, spec.max_lots)
    filters = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": tick,
            "maxPrice": padded("1000000"),
            "tickSize": tick,
        },
        {"filterType": "LOT_SIZE", "minQty": padded(_lots(spec, spec.min_lots))}
        | {"maxQty": padded(most), "stepSize": lot},
        {"filterType": "ICEBERG_PARTS", "limit": 10},
        {"filterType": "MARKET_LOT_SIZE", "minQty": padded("0"), "maxQty": padded(most)}
        | {"stepSize": padded("0")},
        {"filterType": "NOTIONAL", "minNotional": padded(spec.min_notional)}
        | {"applyMinToMarket": True, "maxNotional": padded("9000000")}
        | {"applyMaxToMarket": False, "avgPriceMins": 5},
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
    ]
    return {
        "symbol": spec.symbol,
        "status": "TRADING",
        "baseAsset": _asset(spec),
        "baseAssetPrecision": 8,
        "quoteAsset": spec.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "icebergAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True,
        "filters": filters,
        "permissions": [],
        "permissionSets": [],
    }


def _perp_rules(spec: Spec) -> dict[str, Any]:
    least, most = _lots(spec, spec.min_lots), _lots(spec, spec.max_lots)
    filters = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": spec.tick,
            "maxPrice": "1000000",
            "tickSize": spec.tick,
        },
        {"filterType": "LOT_SIZE", "minQty": least, "maxQty": most, "stepSize": spec.lot},
        {"filterType": "MARKET_LOT_SIZE", "minQty": least, "maxQty": most, "stepSize": spec.lot},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {"filterType": "MIN_NOTIONAL", "notional": spec.min_notional},
    ]
    return {
        "symbol": spec.symbol,
        "pair": spec.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": PERPETUAL_ENDS_MS,
        "onboardDate": 1_569_398_400_000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": _asset(spec),
        "quoteAsset": spec.quote,
        "marginAsset": spec.quote,
        "pricePrecision": spec.tick_decimals + 1,  # finer than the tick, as at the venue
        "quantityPrecision": spec.lot_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [spec.sector],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "filters": filters,
        "orderTypes": ["LIMIT", "MARKET", "STOP"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def _depth(ask: _Ask) -> object:
    leg, depth = _leg(ask), _limit(ask, BOOK[ask.market])
    bids, asks = leg.sides()
    head: dict[str, Any] = {"lastUpdateId": leg.book_id}
    if ask.market == "perp":
        head |= {"E": ask.now_ms, "T": ask.now_ms}
    return {**head, "bids": rows(leg, bids, depth), "asks": rows(leg, asks, depth)}


def _klines(ask: _Ask) -> object:
    leg, limit = _leg(ask), _limit(ask, KLINES[ask.market])
    if _text(ask, "interval") != "1m":
        raise _Bad(-1120, "Invalid interval.")  # this exchange has minutes only
    end = _number(ask, "endTime", ask.now_ms)
    start = _number(ask, "startTime", max(0, end - end % MINUTE_MS - (limit - 1) * MINUTE_MS))
    if start > end:
        return []
    return [_kline(leg, row) for row in leg.candles(start, end + 1)[:limit]]


def _kline(leg: Leg, row: Candle) -> list[Any]:
    spec = leg.spec
    digits, volume = (8, 8) if spec.market == "spot" else (spec.tick_decimals, spec.lot_decimals)
    prices = [f"{value:.{digits}f}" for value in (row.open, row.high, row.low, row.close)]
    units = row.volume / spec.unit
    turnover = units * (row.open + row.close) / 2.0
    closes_ms = row.t_ms + MINUTE_MS - 1
    taken = [f"{units / 2.0:.{volume}f}", f"{turnover / 2.0:.{digits}f}", "0"]
    amounts = [f"{units:.{volume}f}", closes_ms, f"{turnover:.{digits}f}", int(units) % 1_000]
    return [row.t_ms, *prices, *amounts, *taken]


def _touch(ask: _Ask) -> object:
    if "symbol" in ask.query:
        return _touch_row(_leg(ask), ask.now_ms)
    return [_touch_row(leg, ask.now_ms) for leg in _legs(ask)]


def _touch_row(leg: Leg, now_ms: int) -> dict[str, Any]:
    bid, bid_lots, ask_tick, ask_lots = leg.touch
    told: dict[str, Any] = {
        "symbol": leg.spec.symbol,
        "bidPrice": price(leg, bid),
        "bidQty": quantity(leg, bid_lots),
        "askPrice": price(leg, ask_tick),
        "askQty": quantity(leg, ask_lots),
    }
    return {**told, "time": now_ms} if leg.spec.market == "perp" else told


def _premium(ask: _Ask) -> object:
    if "symbol" in ask.query:
        return _premium_row(_leg(ask), ask.now_ms)
    return [_premium_row(leg, ask.now_ms) for leg in _legs(ask)]


def _premium_row(leg: Leg, now_ms: int) -> dict[str, Any]:
    view = leg.view()
    return {
        "symbol": leg.spec.symbol,
        "markPrice": eight(view.mark_price),
        "indexPrice": eight(view.index_price),
        "estimatedSettlePrice": eight(view.mark_price),
        "lastFundingRate": eight(view.rate),
        "interestRate": "0.00010000",
        "nextFundingTime": view.next_funding_ms,
        "time": now_ms,
    }


def _funding(ask: _Ask) -> object:
    leg, limit = _leg(ask), _limit(ask, FUNDING)
    start, end = _number(ask, "startTime", 0), _number(ask, "endTime", ask.now_ms)
    held = [row for row in leg.settlements() if start <= row[0] <= end]
    held = held[:limit] if "startTime" in ask.query else held[-limit:]
    return [
        {
            "symbol": leg.spec.symbol,
            "fundingTime": stamp_ms + stamp_ms // HOUR_MS % 10,  # booked a few ms after the hour
            "fundingRate": eight(rate),
            "markPrice": eight(mark),
            "rateType": "Regular",
        }
        for stamp_ms, rate, mark in held
    ]


def _intervals(ask: _Ask) -> object:
    told = []
    for leg in _legs(ask):
        hours, cap = leg.view().interval_h, eight(leg.spec.funding_cap)
        if hours != DEFAULT_HOURS:
            row: dict[str, Any] = {"symbol": leg.spec.symbol, "adjustedFundingRateCap": cap}
            row["adjustedFundingRateFloor"] = f"-{cap}"
            told.append(row | {"fundingIntervalHours": hours, "disclaimer": False})
    return told


def _open_interest(ask: _Ask) -> object:
    leg = _leg(ask)
    held = leg.view().open_interest / leg.spec.unit
    digits = leg.spec.lot_decimals
    return {"openInterest": f"{held:.{digits}f}", "symbol": leg.spec.symbol, "time": ask.now_ms}


# What was asked


def _leg(ask: _Ask) -> Leg:
    leg = ask.floor.leg("binance", ask.market, _text(ask, "symbol"))
    if leg is None:
        raise _Bad(-1121, "Invalid symbol.")
    return leg


def _legs(ask: _Ask) -> Sequence[Leg]:
    specs = ask.floor.specs("binance", ask.market)
    found = [ask.floor.leg("binance", ask.market, spec.symbol) for spec in specs]
    return [leg for leg in found if leg is not None]


def _text(ask: _Ask, name: str) -> str:
    if not (text := ask.query.get(name, "")):
        wrong = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
        raise _Bad(-1102, wrong)
    return text


def _limit(ask: _Ask, usual: tuple[int, int]) -> int:
    return max(1, min(_number(ask, "limit", usual[0]), usual[1]))


def _number(ask: _Ask, name: str, usual: int) -> int:
    text = ask.query.get(name)
    if text is None:
        return usual
    if not text.isascii() or not text.isdigit() or len(text) > 20:
        legal = "legal range is '^[0-9]{1,20}$'."
        raise _Bad(-1100, f"Illegal characters found in parameter '{name}'; {legal}")
    return int(text)


def _asset(spec: Spec) -> str:
    return spec.symbol.removesuffix(spec.quote)  # 1000PEPE, not the plain coin


def _lots(spec: Spec, lots: int) -> str:
    return f"{Decimal(spec.lot) * lots:f}"


_PAGES: dict[str, Callable[[_Ask], object]] = {
    "/api/v3/ping": _ping,
    "/api/v3/time": _time,
    "/api/v3/exchangeInfo": _rules,
    "/api/v3/depth": _depth,
    "/api/v3/klines": _klines,
    "/api/v3/ticker/bookTicker": _touch,
    "/fapi/v1/ping": _ping,
    "/fapi/v1/time": _time,
    "/fapi/v1/exchangeInfo": _rules,
    "/fapi/v1/depth": _depth,
    "/fapi/v1/klines": _klines,
    "/fapi/v1/ticker/bookTicker": _touch,
    "/fapi/v1/premiumIndex": _premium,
    "/fapi/v1/fundingRate": _funding,
    "/fapi/v1/fundingInfo": _intervals,
    "/fapi/v1/openInterest": _open_interest,
}
