"""Bybit's REST pages (`GET /v5/market/...`) and the texts they share with its streams. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import msgspec

from basisdesk.demo.coins import NUMBER
from basisdesk.demo.wire import Candle, Floor, Leg, Levels, Page, Spec

Category = Literal["spot", "linear"]
CATEGORIES: dict[str, Category] = {"spot": "spot", "linear": "linear"}
MINUTE_MS = 60_000
PREFIX = "/v5/market/"
BAD_PARAMETER = 10001
KLINE_LIMIT = (200, 1000)  # default, largest
FUNDING_LIMIT = (200, 200)
BOOK_LIMIT = {"spot": (1, 200), "linear": (25, 500)}
LAUNCHED_MS = 1_610_668_800_000

encode = msgspec.json.Encoder().encode


class _Facts(NamedTuple):
    """Of the venue's instruments page of 2026-08-09, spot and linear: ids, largest orders."""

    symbol_id: tuple[int, int]
    max_qty: tuple[str, str]
    max_market_qty: tuple[str, str]
    launched_ms: int


_FACTS = {
    "BTC": _Facts((9, 5), ("230", "1500.000"), ("120", "150.000"), 1_584_230_400_000),
    "ETH": _Facts((10, 6), ("8118", "10000.00"), ("2706", "2000.00"), 1_615_766_400_000),
    "BNB": _Facts((200, 36), ("2200", "940.00"), ("1100", "370.00"), 1_624_951_080_000),
    "DOGE": _Facts((18, 33), ("14000000", "43678900"), ("6800000", "5991100"), 1_622_630_640_000),
    "ADA": _Facts((33, 27), ("7600000", "1500000"), ("1500000", "590000"), LAUNCHED_MS),
}


class Numbers:
    """Texts of one leg's prices and sizes. Spot drops trailing zeros, linear keeps them."""

    __slots__ = ("_leg", "_spot")

    def __init__(self, leg: Leg) -> None:
        self._leg = leg
        self._spot = leg.spec.market == "spot"

    def tick(self, ticks: int) -> str:
        """A price of so many ticks."""
        text = self._leg.price_text(ticks)
        return trimmed(text) if self._spot else text

    def price(self, value: float) -> str:
        """A price that need not be a whole tick, to the digits that the market prints."""
        text = f"{value:.{self._leg.spec.tick_decimals}f}"
        return trimmed(text) if self._spot else text

    def lots(self, lots: int) -> str:
        """A size of so many lots; "0" for none."""
        if lots == 0:
            return "0"
        text = self._leg.size_text(lots)
        return trimmed(text) if self._spot else text

    def levels(self, levels: Levels) -> str:
        """The levels as the venue's JSON array of pairs, without its brackets."""
        tick, lots = self.tick, self.lots
        return ",".join([f'["{tick(t)}","{lots(n)}"]' for t, n in levels.items()])


def trimmed(text: str) -> str:
    """Decimal text without trailing zeros: "65140.0" is "65140"."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def rate_text(rate: float) -> str:
    """A funding rate as the venue prints it: at most 8 decimals, no exponent."""
    text = trimmed(f"{rate:.8f}")
    return "0" if text == "-0" else text


def spot_fields(leg: Leg) -> dict[str, str]:
    """Fields of the spot ticker."""
    spec, numbers, day = leg.spec, Numbers(leg), leg.day()
    last = _last_tick(leg)
    price = last * float(spec.tick)
    return {
        "symbol": spec.symbol,
        "lastPrice": numbers.tick(last),
        "highPrice24h": numbers.price(max(day.high, price)),
        "lowPrice24h": numbers.price(min(day.low, price)),
        "prevPrice24h": numbers.price(day.first),
        "volume24h": trimmed(f"{day.volume:.{spec.lot_decimals}f}"),
        "turnover24h": trimmed(f"{day.turnover:.4f}"),
        "price24hPcnt": trimmed(f"{price / day.first - 1.0:.4f}"),
        "usdIndexPrice": trimmed(f"{leg.view().index_price:.{max(6, spec.tick_decimals)}f}"),
    }


def linear_fields(leg: Leg, direction: str) -> dict[str, str]:
    """Fields of the linear ticker. direction: of the last trade's tick."""
    spec, numbers, day, view = leg.spec, Numbers(leg), leg.day(), leg.view()
    last = _last_tick(leg)
    price = last * float(spec.tick)
    held = view.open_interest / spec.unit
    return {
        "tickDirection": direction,
        "price24hPcnt": trimmed(f"{price / day.first - 1.0:.6f}"),
        "lastPrice": numbers.tick(last),
        "prevPrice24h": numbers.price(day.first),
        "highPrice24h": numbers.price(max(day.high, price)),
        "lowPrice24h": numbers.price(min(day.low, price)),
        "prevPrice1h": numbers.price(day.hour_ago),
        "markPrice": numbers.price(view.mark_price),
        "indexPrice": numbers.price(view.index_price),
        "openInterest": f"{held:.{spec.lot_decimals}f}",
        "openInterestValue": f"{held * view.mark_price:.2f}",
        "turnover24h": f"{day.turnover:.4f}",
        "volume24h": f"{day.volume / spec.unit:.4f}",
        "fundingIntervalHour": str(view.interval_h),
        "fundingCap": trimmed(f"{spec.funding_cap:.6f}"),
        "singleOpenInterest": f"{held / 2.0:.{spec.lot_decimals}f}",
        "singleOpenInterestValue": f"{held / 2.0 * view.mark_price:.2f}",
        "nextFundingTime": str(view.next_funding_ms),
        "fundingRate": rate_text(view.rate),
        **_touch_fields(leg),
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
    }


def _last_tick(leg: Leg) -> int:
    return leg.last.tick if leg.last else leg.touch[0]


def _touch_fields(leg: Leg) -> dict[str, str]:
    numbers, (bid, bid_lots, ask, ask_lots) = Numbers(leg), leg.touch
    return {
        "bid1Price": numbers.tick(bid),
        "bid1Size": numbers.lots(bid_lots),
        "ask1Price": numbers.tick(ask),
        "ask1Size": numbers.lots(ask_lots),
    }


# Pages


class _Ask(NamedTuple):
    floor: Floor
    query: dict[str, str]
    now_ms: int


class _Bad(Exception):
    """A parameter the venue refuses; the text is its retMsg."""


def page(target: str, floor: Floor) -> Page:
    """The answer to a GET for `target` (path with query)."""
    parts, now_ms = urlsplit(target), floor.now_ms("bybit")
    made = _PAGES.get(parts.path.removeprefix(PREFIX).rstrip("/"))
    if made is None or not parts.path.startswith(PREFIX):
        return Page(404, _envelope(10404, "Request path not found", {}, now_ms))
    try:
        result = made(_Ask(floor, dict(parse_qsl(parts.query)), now_ms))
    except _Bad as exc:
        return Page(200, _envelope(BAD_PARAMETER, str(exc), {}, now_ms))
    return Page(200, _envelope(0, "OK", result, now_ms))


def _envelope(code: int, message: str, result: Mapping[str, Any], now_ms: int) -> bytes:
    return encode(
        {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": now_ms}
    )


def _time(ask: _Ask) -> dict[str, Any]:
    return {"timeSecond": str(ask.now_ms // 1000), "timeNano": str(ask.now_ms * 1_000_000)}


def _instruments(ask: _Ask) -> dict[str, Any]:
    category, specs = _category(ask.query), _asked(ask)
    rows = [_spot_rules(spec) if category == "spot" else _linear_rules(spec) for spec in specs]
    said: dict[str, Any] = {"category": category, "list": rows}
    return said if category == "spot" else {**said, "nextPageCursor": ""}


def _spot_rules(spec: Spec) -> dict[str, Any]:
    facts = _facts(spec)
    most, most_market = facts.max_qty[0], facts.max_market_qty[0]
    return {
        "symbolId": facts.symbol_id[0],
        "symbol": spec.symbol,
        "baseCoin": spec.base,
        "quoteCoin": spec.quote,
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "utaOnly",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": spec.lot,
            "quotePrecision": _step(spec.tick_decimals + 2),
            "minOrderQty": _lots(spec, spec.min_lots),
            "maxOrderQty": most,
            "minOrderAmt": spec.min_notional,
            "maxOrderAmt": "4000000",
            "maxLimitOrderQty": most,
            "maxMarketOrderQty": most_market,
            "postOnlyMaxLimitOrderSize": most,
        },
        "priceFilter": {"tickSize": spec.tick},
        "riskParameters": {"priceLimitRatioX": "0.005", "priceLimitRatioY": "0.01"},
        "symbolType": "",
        "xstockMultiplier": "1",
    }


def _linear_rules(spec: Spec) -> dict[str, Any]:
    facts, cap = _facts(spec), trimmed(f"{spec.funding_cap:.6f}")
    return {
        "symbol": spec.symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": spec.symbol.removesuffix(spec.quote),
        "quoteCoin": spec.quote,
        "launchTime": str(facts.launched_ms),
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(spec.tick_decimals),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": spec.leverage_max,
            "leverageStep": "0.01",
        },
        "priceFilter": {"minPrice": spec.tick, "maxPrice": "1999999.80", "tickSize": spec.tick},
        "lotSizeFilter": {
            "maxOrderQty": facts.max_qty[1],
            "minOrderQty": _lots(spec, spec.min_lots),
            "qtyStep": spec.lot,
            "postOnlyMaxOrderQty": facts.max_qty[1],
            "maxMktOrderQty": facts.max_market_qty[1],
            "minNotionalValue": spec.min_notional,
        },
        "unifiedMarginTrade": True,
        "fundingInterval": spec.interval_h * 60,
        "settleCoin": spec.quote,
        "copyTrading": "both",
        "upperFundingRate": cap,
        "lowerFundingRate": f"-{cap}",
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {"priceLimitRatioX": "0.05", "priceLimitRatioY": "0.1"},
        "displayName": "",
        "symbolType": "",
        "forbidUplWithdrawal": False,
        "symbolId": facts.symbol_id[1],
    }


def _facts(spec: Spec) -> _Facts:
    """The venue's own where they are known, else of the same kind."""
    known = _FACTS.get(spec.base)
    if known is not None:
        return known
    number = 300 + NUMBER[spec.base]
    most, most_market = _lots(spec, spec.max_lots * 4), _lots(spec, spec.max_lots)
    return _Facts((number, number), (most, most), (most_market, most_market), LAUNCHED_MS)


def _risk_limit(ask: _Ask) -> dict[str, Any]:
    if _category(ask.query) != "linear":
        raise _Bad("Invalid category")
    rows = [
        {
            "id": number,
            "symbol": spec.symbol,
            "riskLimitValue": limit,
            "maintenanceMargin": maintenance,
            "initialMargin": initial,
            "isLowestRisk": int(number == 1),
            "maxLeverage": leverage,
            "mmDeduction": "" if number == 1 else deduction,
        }
        for spec in _asked(ask)
        for number, (limit, maintenance, initial, leverage, deduction) in enumerate(spec.tiers, 1)
    ]
    return {"category": "linear", "list": rows, "nextPageCursor": ""}


def _tickers(ask: _Ask) -> dict[str, Any]:
    category, rows = _category(ask.query), []
    for spec in _asked(ask):
        leg = ask.floor.leg("bybit", spec.market, spec.symbol)
        if leg is not None and category == "spot":
            rows.append({"symbol": spec.symbol, **spot_fields(leg), **_touch_fields(leg)})
        elif leg is not None:
            rows.append({"symbol": spec.symbol, **linear_fields(leg, "ZeroMinusTick")})
    return {"category": category, "list": rows}


def _orderbook(ask: _Ask) -> dict[str, Any]:
    category, leg = _category(ask.query), _leg(ask)
    limit = _limit(ask.query, BOOK_LIMIT[category])
    numbers = Numbers(leg)

    def rows(levels: Levels) -> list[list[str]]:
        best = list(levels.items())[:limit]
        return [[numbers.tick(tick), numbers.lots(lots)] for tick, lots in best]

    bids, asks = leg.sides()
    said = {"s": leg.spec.symbol, "b": rows(bids), "a": rows(asks)}
    return {**said, "ts": ask.now_ms, "u": leg.book_id, "seq": leg.book_id, "cts": ask.now_ms}


def _kline(ask: _Ask) -> dict[str, Any]:
    category, leg = _category(ask.query), _leg(ask)
    if ask.query.get("interval") != "1":
        raise _Bad("Invalid interval: this demo exchange has minutes only")
    start_ms, end_ms = _window(ask.query, "start", "end", ask.now_ms)
    limit = _limit(ask.query, KLINE_LIMIT)
    forward = "end" not in ask.query and "start" in ask.query
    if forward:
        end_ms = min(end_ms, -(-start_ms // MINUTE_MS) * MINUTE_MS + limit * MINUTE_MS)
    else:
        until_ms = min(end_ms, ask.now_ms) // MINUTE_MS * MINUTE_MS
        start_ms = max(start_ms, until_ms - (limit - 1) * MINUTE_MS)
    inside = list(leg.candles(start_ms, end_ms + 1))
    inside = inside[:limit] if forward else inside[-limit:]
    numbers = Numbers(leg)
    rows = [_kline_row(row, numbers, leg.spec.unit) for row in reversed(inside)]
    return {"category": category, "symbol": leg.spec.symbol, "list": rows}


def _kline_row(candle: Candle, numbers: Numbers, unit: float) -> list[str]:
    prices = (candle.open, candle.high, candle.low, candle.close)
    volume = candle.volume / unit
    turnover = volume * (candle.open + candle.close) / 2.0
    texts = [numbers.price(price) for price in prices]
    return [str(candle.t_ms), *texts, trimmed(f"{volume:.6f}"), trimmed(f"{turnover:.4f}")]


def _funding(ask: _Ask) -> dict[str, Any]:
    if _category(ask.query) != "linear":
        raise _Bad("Invalid category")
    leg = _leg(ask)
    if "startTime" in ask.query and "endTime" not in ask.query:
        raise _Bad("params error: endTime is required when startTime is given")
    start_ms, end_ms = _window(ask.query, "startTime", "endTime", ask.now_ms)
    inside = [row for row in leg.settlements() if start_ms <= row[0] <= end_ms]
    rows = [
        {
            "symbol": leg.spec.symbol,
            "fundingRate": rate_text(rate),
            "fundingRateTimestamp": str(t_ms),
        }
        for t_ms, rate, _ in reversed(inside[-_limit(ask.query, FUNDING_LIMIT) :])
    ]
    return {"category": "linear", "list": rows}


# Parameters


def _category(query: dict[str, str]) -> Category:
    category = CATEGORIES.get(query.get("category", ""))
    if category is None:
        raise _Bad("params error: Category is invalid")
    return category


def _market(ask: _Ask) -> Literal["spot", "perp"]:
    return "spot" if _category(ask.query) == "spot" else "perp"


def _asked(ask: _Ask) -> list[Spec]:
    """The instrument that was named, or all of the category."""
    specs = ask.floor.specs("bybit", _market(ask))
    symbol = ask.query.get("symbol")
    found = [spec for spec in specs if not symbol or spec.symbol == symbol]
    if not found:
        raise _Bad("params error: Symbol Is Invalid")
    return found


def _leg(ask: _Ask) -> Leg:
    leg = ask.floor.leg("bybit", _market(ask), ask.query.get("symbol", ""))
    if leg is None:
        raise _Bad("params error: Symbol Is Invalid")
    return leg


def _limit(query: dict[str, str], usual: tuple[int, int]) -> int:
    return max(1, min(_number(query, "limit", usual[0]), usual[1]))


def _window(query: dict[str, str], first: str, last: str, now_ms: int) -> tuple[int, int]:
    start_ms, end_ms = _number(query, first, 0), _number(query, last, now_ms + MINUTE_MS)
    if start_ms > end_ms:
        raise _Bad(f"params error: {first} is after {last}")
    return start_ms, end_ms


def _number(query: dict[str, str], name: str, usual: int) -> int:
    text = query.get(name)
    if text is None:
        return usual
    if not text.isascii() or not text.isdigit():
        raise _Bad(f"params error: {name} is not a number")
    return int(text[:18])


def _step(decimals: int) -> str:
    return f"{10.0**-decimals:.{decimals}f}"


def _lots(spec: Spec, lots: int) -> str:
    return f"{lots * float(spec.lot):.{spec.lot_decimals}f}"


_PAGES: dict[str, Callable[[_Ask], dict[str, Any]]] = {
    "time": _time,
    "instruments-info": _instruments,
    "risk-limit": _risk_limit,
    "tickers": _tickers,
    "orderbook": _orderbook,
    "kline": _kline,
    "funding/history": _funding,
}
