"""Kraken's HTTP pages over the simulated market: spot, derivatives and charts."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from basisdesk.demo.dialect_kraken_futures import RATE_DIGITS
from basisdesk.demo.dialect_kraken_spot import rfc3339
from basisdesk.demo.wire import Candle, Floor, Leg, Page, Spec

MINUTE_MS = 60_000
OHLC_MAX = 720
CHART_MAX = 2_000
MAX_RATE = 0.0025  # of the funding rate an hour
_CHART = "/api/charts/v1/trade/"
_OLD = {"BTC": "XBT", "DOGE": "XDG"}  # spot pages keep the old names; futures only XBT
# Answers of spot pages go by names older still, where there are any: "XXBTZUSD".
_OLDEST = {name: f"X{_OLD.get(name, name)}Z" for name in ("BTC", "ETH", "LTC", "XRP", "XLM")} | {
    "USDT": "USDTZ"
}
DEPTH = (100, 500)  # levels a side: default and largest

encode = msgspec.json.Encoder().encode
Query = dict[str, str]


class _Refusal(Exception):
    """What the venue says of a request it does not take."""


def answer(path: str, floor: Floor) -> Page:
    """The page at a path with its query; 404 where the venue has none."""
    url = urlsplit(path)
    query = dict(parse_qsl(url.query))
    if url.path.startswith(_CHART):
        return _chart(url.path.removeprefix(_CHART), query, floor)
    if spot := _SPOT.get(url.path):
        try:
            return Page(200, encode({"error": [], "result": spot(query, floor)}))
        except _Refusal as exc:
            return Page(200, encode({"error": [str(exc)]}))
    if futures := _FUTURES.get(url.path):
        stamp = rfc3339(floor.now_ms("kraken"))
        try:
            found = futures(query, floor)
        except _Refusal as exc:
            return Page(200, encode({"result": "error", "error": str(exc), "serverTime": stamp}))
        return Page(200, encode({"result": "success", **found, "serverTime": stamp}))
    return Page(404, encode({"error": ["EGeneral:Unknown method"]}))


# --- spot ----------------------------------------------------------------------------------------


def _time(_query: Query, floor: Floor) -> dict[str, Any]:
    return {"unixtime": floor.now_ms("kraken") // 1000}


def _pairs(query: Query, floor: Floor) -> dict[str, Any]:
    specs = floor.specs("kraken", "spot")
    if asked := query.get("pair"):
        specs = [_spot_spec(each, floor) for each in asked.split(",")]
    return {_key(spec): _pair(spec) for spec in specs}


def _spot_spec(name: str, floor: Floor) -> Spec:
    for spec in floor.specs("kraken", "spot"):
        if name in (_altname(spec), spec.symbol, _wsname(spec), _key(spec)):
            return spec
    raise _Refusal("EQuery:Unknown asset pair")


def _wsname(spec: Spec) -> str:
    return "/".join(_OLD.get(each, each) for each in spec.symbol.split("/"))


def _altname(spec: Spec) -> str:
    return _wsname(spec).replace("/", "")


def _key(spec: Spec) -> str:
    base = spec.symbol.partition("/")[0]
    return f"{_OLDEST[base]}{spec.quote}" if base in _OLDEST else _altname(spec)


def _pair(spec: Spec) -> dict[str, Any]:
    lot = Decimal(spec.lot)
    return {
        "altname": _altname(spec),
        "wsname": _wsname(spec),
        "aclass_base": "currency",
        "base": _OLD.get(spec.base, spec.base),
        "aclass_quote": "currency",
        "quote": f"Z{spec.quote}" if spec.quote in ("USD", "EUR") else spec.quote,
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": spec.tick_decimals,
        "lot_decimals": spec.lot_decimals,
        "lot_multiplier": 1,
        "leverage_buy": [2, 3],
        "leverage_sell": [2, 3],
        "fees": [[0, 0.4], [10_000, 0.35]],
        "fees_maker": [[0, 0.25], [10_000, 0.2]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": f"{lot * spec.min_lots:f}",
        "costmin": spec.min_notional,
        "tick_size": spec.tick,
        "status": "online",
    }


def _ohlc(query: Query, floor: Floor) -> dict[str, Any]:
    if query.get("interval", "1") != "1":
        raise _Refusal("EGeneral:Invalid arguments")
    leg, now_ms = _spot_leg(query.get("pair", ""), floor), floor.now_ms("kraken")
    spec = leg.spec
    minute = now_ms - now_ms % MINUTE_MS
    found = leg.candles(minute - (OHLC_MAX - 1) * MINUTE_MS, now_ms + 1)
    rows = [_ohlc_row(row, spec.tick_decimals) for row in found][-OHLC_MAX:]
    closed = [row.t_ms // 1000 for row in found if row.t_ms < minute]
    return {_key(spec): rows, "last": closed[-1] if closed else 0}


def _spot_leg(name: str, floor: Floor) -> Leg:
    leg = floor.leg("kraken", "spot", _spot_spec(name, floor).symbol)
    if leg is None:
        raise _Refusal("EQuery:Unknown asset pair")
    return leg


def _spot_tickers(query: Query, floor: Floor) -> dict[str, Any]:
    if asked := query.get("pair"):
        legs = [_spot_leg(name, floor) for name in asked.split(",")]
    else:
        legs = _all(floor, "spot")
    return {_key(leg.spec): _spot_ticker(leg) for leg in legs}


def _spot_ticker(leg: Leg) -> dict[str, Any]:
    """Pairs are today and the last 24 hours: here both the same."""
    spec, day, (bid, bid_lots, ask, ask_lots) = leg.spec, leg.day(), leg.touch
    last, last_lots = (leg.last.tick, leg.last.lots) if leg.last else (bid, 1)

    def touch(tick: int, lots: int) -> list[str]:
        size = float(leg.size_text(lots))
        return [leg.price_text(tick), str(round(size)), f"{size:.3f}"]

    def twice(value: float, digits: int) -> list[str]:
        return [f"{value:.{digits}f}"] * 2

    digits, price = spec.tick_decimals, last * float(spec.tick)
    return {
        "a": touch(ask, ask_lots),
        "b": touch(bid, bid_lots),
        "c": [leg.price_text(last), f"{float(leg.size_text(last_lots)):.8f}"],
        "v": twice(day.volume, 8),
        "p": twice(day.turnover / day.volume, digits),
        "t": [round(day.turnover / 500.0)] * 2,
        "l": twice(min(day.low, price), digits),
        "h": twice(max(day.high, price), digits),
        "o": f"{day.first:.{digits}f}",
    }


def _spot_depth(query: Query, floor: Floor) -> dict[str, Any]:
    leg, now_s = _spot_leg(query.get("pair", ""), floor), floor.now_ms("kraken") // 1000
    text = query.get("count", str(DEPTH[0]))
    if not text.isascii() or not text.isdigit():
        raise _Refusal("EGeneral:Invalid arguments:count")
    count = max(1, min(int(text[:9]), DEPTH[1]))
    bids, asks = (
        [
            [leg.price_text(tick), leg.size_text(lots), now_s]
            for tick, lots in list(side.items())[:count]
        ]
        for side in leg.sides()
    )
    return {_key(leg.spec): {"asks": asks, "bids": bids}}


def _all(floor: Floor, market: str) -> list[Leg]:
    found = [floor.leg("kraken", market, s.symbol) for s in floor.specs("kraken", market)]
    return [leg for leg in found if leg is not None]


def _ohlc_row(row: Candle, digits: int) -> list[Any]:
    prices = [f"{value:.{digits}f}" for value in (row.open, row.high, row.low, row.close)]
    mean = (row.open + row.high + row.low + row.close) / 4.0
    return [row.t_ms // 1000, *prices, f"{mean:.{digits}f}", f"{row.volume:.8f}", 1]


# --- futures -------------------------------------------------------------------------------------


def _contracts(_query: Query, floor: Floor) -> dict[str, Any]:
    return {"instruments": [_contract(spec) for spec in floor.specs("kraken", "perp")]}


def _contract(spec: Spec) -> dict[str, Any]:
    ends = [tier[0] for tier in spec.tiers]
    levels = [
        {
            "numNonContractUnits": float(low),
            "initialMargin": float(tier[2]),
            "maintenanceMargin": float(tier[1]),
        }
        for low, tier in zip(["0", *ends], spec.tiers, strict=False)
    ]
    lot = Decimal(spec.lot)
    return {
        "symbol": spec.symbol,
        "type": "flexible_futures",
        "tickSize": msgspec.Raw(spec.tick.encode()),
        "contractSize": 1,
        "tradeable": True,
        "impactMidSize": float(lot * spec.min_lots),
        "maxPositionSize": float(lot * spec.max_lots),
        "openingDate": "2022-03-22T13:18:45.000Z",
        "marginLevels": levels,
        "fundingRateCoefficient": 24,
        "maxRelativeFundingRate": spec.funding_cap or MAX_RATE,
        "contractValueTradePrecision": -lot.adjusted(),
        "postOnly": False,
        "base": spec.base,
        "quote": spec.quote,
        "pair": f"{spec.base}:{spec.quote}",
    }


def _tickers(_query: Query, floor: Floor) -> dict[str, Any]:
    return {"tickers": [_ticker(leg) for leg in _all(floor, "perp")]}


def _ticker(leg: Leg) -> dict[str, Any]:
    view, spec, day = leg.view(), leg.spec, leg.day()
    absolute = float(view.rate * view.index_price)
    bid, bid_lots, ask, ask_lots = leg.touch
    last, last_lots = (leg.last.tick, leg.last.lots) if leg.last else (bid, 1)
    price = float(leg.price_text(last))
    return {
        "symbol": spec.symbol,
        "tag": "perpetual",
        "pair": f"{spec.base}:{spec.quote}",
        "last": price,
        "lastTime": rfc3339(leg.last.t_ms if leg.last else view.t_ms),
        "lastSize": float(leg.size_text(last_lots)),
        "markPrice": float(view.mark_price),
        "bid": float(leg.price_text(bid)),
        "bidSize": float(leg.size_text(bid_lots)),
        "ask": float(leg.price_text(ask)),
        "askSize": float(leg.size_text(ask_lots)),
        "vol24h": round(float(day.volume), 4),
        "volumeQuote": round(float(day.turnover), 4),
        "openInterest": float(view.open_interest),
        "open24h": float(day.first),
        "high24h": max(float(day.high), price),
        "low24h": min(float(day.low), price),
        "fundingRate": absolute,
        "fundingRatePrediction": absolute,
        "indexPrice": float(view.index_price),
        "suspended": False,
        "postOnly": False,
        "change24h": round((price / day.first - 1.0) * 100.0, 2),
    }


def _futures_depth(query: Query, floor: Floor) -> dict[str, Any]:
    leg = floor.leg("kraken", "perp", query.get("symbol", "").upper())
    if leg is None:
        raise _Refusal("invalidArgument: symbol")
    bids, asks = (
        [[float(leg.price_text(tick)), float(leg.size_text(lots))] for tick, lots in side.items()]
        for side in leg.sides()
    )
    return {"orderBook": {"bids": bids, "asks": asks}}


def _rates(query: Query, floor: Floor) -> dict[str, Any]:
    leg = floor.leg("kraken", "perp", query.get("symbol", "").upper())
    if leg is None:
        raise _Refusal("invalidArgument: symbol")
    rows = [
        {
            "timestamp": rfc3339(stamp).replace("000Z", "Z"),
            "fundingRate": float(rate * mark),
            "relativeFundingRate": round(float(rate), RATE_DIGITS),
        }
        for stamp, rate, mark in leg.settlements()
    ]
    return {"rates": rows}


def _chart(rest: str, query: Query, floor: Floor) -> Page:
    symbol, _, resolution = rest.partition("/")
    leg = floor.leg("kraken", "perp", symbol)
    if leg is None or resolution != "1m":
        return Page(404, encode({"errors": [{"message": "not found"}]}))
    now_ms = floor.now_ms("kraken")
    try:
        since = int(query.get("from", "0")) * 1000
        until = int(query.get("to", str(now_ms // 1000))) * 1000
    except ValueError:
        return Page(400, encode({"errors": [{"message": "from and to are seconds"}]}))
    found = leg.candles(since or now_ms - CHART_MAX * MINUTE_MS, until + 1)
    digits = leg.spec.tick_decimals
    rows = [_candle(row, digits) for row in found[:CHART_MAX]]
    return Page(200, encode({"candles": rows, "more_candles": len(found) > CHART_MAX}))


def _candle(row: Candle, digits: int) -> dict[str, Any]:
    return {
        "time": row.t_ms,
        "open": f"{row.open:.{digits}f}",
        "high": f"{row.high:.{digits}f}",
        "low": f"{row.low:.{digits}f}",
        "close": f"{row.close:.{digits}f}",
        "volume": f"{row.volume:.4f}",
    }


_SPOT: dict[str, Callable[[Query, Floor], dict[str, Any]]] = {
    "/0/public/Time": _time,
    "/0/public/AssetPairs": _pairs,
    "/0/public/OHLC": _ohlc,
    "/0/public/Ticker": _spot_tickers,
    "/0/public/Depth": _spot_depth,
}
_FUTURES: dict[str, Callable[[Query, Floor], dict[str, Any]]] = {
    "/derivatives/api/v3/instruments": _contracts,
    "/derivatives/api/v3/tickers": _tickers,
    "/derivatives/api/v3/orderbook": _futures_depth,
    "/derivatives/api/v4/historicalfundingrates": _rates,
}
