"""The venue's REST pages (`GET /v5/market/...`) over the simulated market. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, urlsplit

from basisdesk.demo.coins import BY_SYMBOL, COINS, Coin
from basisdesk.demo.depth import Levels
from basisdesk.demo.dialects import LEG_NUMBER, Category, Numbers, encode, rate_text, trimmed
from basisdesk.demo.funding import INTERVAL_H, MINUTE_MS
from basisdesk.demo.market import Candle, Market

PREFIX = "/v5/market/"
BAD_PARAMETER = 10001
KLINE_LIMIT = (200, 1000)  # default, largest
FUNDING_LIMIT = (200, 200)
BOOK_LIMIT = {"spot": (1, 200), "linear": (25, 500)}


class Desk(Protocol):
    """What the pages need to know of the running exchange."""

    market: Market

    def ticker(self, category: Category, symbol: str, now_ms: int) -> dict[str, str]:
        """All fields of a ticker, as the REST page names them."""
        ...

    def sides(self, category: Category, symbol: str, now_ms: int) -> tuple[Levels, Levels, int]:
        """(bids, asks, cross sequence) of a book now."""
        ...


class _Ask(NamedTuple):
    desk: Desk
    query: dict[str, str]
    now_ms: int


class _Bad(Exception):
    """A parameter the venue refuses; the text is its retMsg."""


def answer(desk: Desk, target: str, now_ms: int) -> tuple[int, bytes]:
    """(HTTP status, body) of a GET for `target` (path with query)."""
    parts = urlsplit(target)
    page = _PAGES.get(parts.path.removeprefix(PREFIX).rstrip("/"))
    if page is None or not parts.path.startswith(PREFIX):
        return 404, _envelope(10404, "Request path not found", {}, now_ms)
    try:
        result = page(_Ask(desk, dict(parse_qsl(parts.query)), now_ms))
    except _Bad as exc:
        return 200, _envelope(BAD_PARAMETER, str(exc), {}, now_ms)
    return 200, _envelope(0, "OK", result, now_ms)


def _envelope(code: int, message: str, result: Mapping[str, Any], now_ms: int) -> bytes:
    return encode(
        {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": now_ms}
    )


def _time(ask: _Ask) -> dict[str, Any]:
    return {"timeSecond": str(ask.now_ms // 1000), "timeNano": str(ask.now_ms * 1_000_000)}


def _instruments(ask: _Ask) -> dict[str, Any]:
    category = _category(ask.query)
    coins = [_coin(ask.query)] if ask.query.get("symbol") else COINS
    rows = [_spot_rules(c) if category == "spot" else _linear_rules(c) for c in coins]
    page: dict[str, Any] = {"category": category, "list": rows}
    return page if category == "spot" else {**page, "nextPageCursor": ""}


def _spot_rules(coin: Coin) -> dict[str, Any]:
    step = _step(coin.spot_lot_decimals)
    most, most_market = coin.max_qty[0], coin.max_market_qty[0]
    return {
        "symbolId": coin.symbol_id[0],
        "symbol": coin.symbol,
        "baseCoin": coin.name,
        "quoteCoin": "USDT",
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "utaOnly",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": step,
            "quotePrecision": _step(coin.tick_decimals + 2),
            "minOrderQty": step,
            "maxOrderQty": most,
            "minOrderAmt": "5",
            "maxOrderAmt": "4000000",
            "maxLimitOrderQty": most,
            "maxMarketOrderQty": most_market,
            "postOnlyMaxLimitOrderSize": most,
        },
        "priceFilter": {"tickSize": _step(coin.tick_decimals)},
        "riskParameters": {"priceLimitRatioX": "0.005", "priceLimitRatioY": "0.01"},
        "symbolType": "",
        "xstockMultiplier": "1",
    }


def _linear_rules(coin: Coin) -> dict[str, Any]:
    tick = f"{10.0**-coin.tick_decimals:.{coin.price_decimals}f}"
    step = _step(coin.perp_lot_decimals)
    cap = trimmed(f"{coin.funding_cap:.6f}")
    return {
        "symbol": coin.symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": coin.name,
        "quoteCoin": "USDT",
        "launchTime": str(coin.launched_ms),
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(coin.price_decimals),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": coin.leverage_max,
            "leverageStep": "0.01",
        },
        "priceFilter": {"minPrice": tick, "maxPrice": "1999999.80", "tickSize": tick},
        "lotSizeFilter": {
            "maxOrderQty": coin.max_qty[1],
            "minOrderQty": step,
            "qtyStep": step,
            "postOnlyMaxOrderQty": coin.max_qty[1],
            "maxMktOrderQty": coin.max_market_qty[1],
            "minNotionalValue": "5",
        },
        "unifiedMarginTrade": True,
        "fundingInterval": INTERVAL_H * 60,
        "settleCoin": "USDT",
        "copyTrading": "both",
        "upperFundingRate": cap,
        "lowerFundingRate": f"-{cap}",
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {"priceLimitRatioX": "0.05", "priceLimitRatioY": "0.1"},
        "displayName": "",
        "symbolType": "",
        "forbidUplWithdrawal": False,
        "symbolId": coin.symbol_id[1],
    }


def _risk_limit(ask: _Ask) -> dict[str, Any]:
    if _category(ask.query) != "linear":
        raise _Bad("Invalid category")
    coins = [_coin(ask.query)] if ask.query.get("symbol") else COINS
    rows = [
        {
            "id": number,
            "symbol": coin.symbol,
            "riskLimitValue": str(tier.limit),
            "maintenanceMargin": tier.maintenance,
            "initialMargin": tier.initial,
            "isLowestRisk": int(number == 1),
            "maxLeverage": tier.leverage_max,
            "mmDeduction": tier.deduction,
        }
        for coin in coins
        for number, tier in enumerate(coin.tiers, 1)
    ]
    return {"category": "linear", "list": rows, "nextPageCursor": ""}


def _tickers(ask: _Ask) -> dict[str, Any]:
    category = _category(ask.query)
    coins = [_coin(ask.query)] if ask.query.get("symbol") else COINS
    rows = [ask.desk.ticker(category, coin.symbol, ask.now_ms) for coin in coins]
    return {"category": category, "list": rows}


def _orderbook(ask: _Ask) -> dict[str, Any]:
    category, coin = _category(ask.query), _coin(ask.query)
    limit = _limit(ask.query, BOOK_LIMIT[category])
    bids, asks, seq = ask.desk.sides(category, coin.symbol, ask.now_ms)
    numbers = Numbers(coin, category)

    def rows(levels: Levels) -> list[list[str]]:
        best = list(levels.items())[:limit]
        return [[numbers.tick(tick), numbers.lots(lots)] for tick, lots in best]

    page = {"s": coin.symbol, "b": rows(bids), "a": rows(asks)}
    return {**page, "ts": ask.now_ms, "u": seq, "seq": seq, "cts": ask.now_ms}


def _kline(ask: _Ask) -> dict[str, Any]:
    category, coin = _category(ask.query), _coin(ask.query)
    if ask.query.get("interval") != "1":
        raise _Bad("Invalid interval: this demo exchange has minutes only")
    start_ms, end_ms = _window(ask.query, "start", "end", ask.now_ms)
    held = ask.desk.market.candles[coin.symbol]
    candles = [*held, ask.desk.market.candle(coin.symbol, ask.now_ms)]
    inside = [row for row in candles if start_ms <= row.t_ms <= end_ms]
    limit = _limit(ask.query, KLINE_LIMIT)
    inside = inside[:limit] if "end" not in ask.query and "start" in ask.query else inside[-limit:]
    numbers = Numbers(coin, category)
    rows = [_kline_row(row, category, numbers) for row in reversed(inside)]
    return {"category": category, "symbol": coin.symbol, "list": rows}


def _kline_row(candle: Candle, category: Category, numbers: Numbers) -> list[str]:
    prices = candle.spot if category == "spot" else candle.perp
    volume = candle.spot_volume if category == "spot" else candle.perp_volume
    turnover = volume * (prices[0] + prices[3]) / 2.0
    texts = [numbers.price(price) for price in prices]
    return [str(candle.t_ms), *texts, trimmed(f"{volume:.6f}"), trimmed(f"{turnover:.4f}")]


def _funding(ask: _Ask) -> dict[str, Any]:
    if _category(ask.query) != "linear":
        raise _Bad("Invalid category")
    coin = _coin(ask.query)
    if "startTime" in ask.query and "endTime" not in ask.query:
        raise _Bad("params error: endTime is required when startTime is given")
    start_ms, end_ms = _window(ask.query, "startTime", "endTime", ask.now_ms)
    held = ask.desk.market.settlements[coin.symbol]
    inside = [row for row in held if start_ms <= row[0] <= end_ms]
    rows = [
        {
            "symbol": coin.symbol,
            "fundingRate": rate_text(rate),
            "fundingRateTimestamp": str(t_ms),
        }
        for t_ms, rate in reversed(inside[-_limit(ask.query, FUNDING_LIMIT) :])
    ]
    return {"category": "linear", "list": rows}


def _category(query: dict[str, str]) -> Category:
    category = query.get("category")
    for known in LEG_NUMBER:
        if category == known:
            return known
    raise _Bad("params error: Category is invalid")


def _coin(query: dict[str, str]) -> Coin:
    coin = BY_SYMBOL.get(query.get("symbol", ""))
    if coin is None:
        raise _Bad("params error: Symbol Is Invalid")
    return coin


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


_PAGES: dict[str, Callable[[_Ask], dict[str, Any]]] = {
    "time": _time,
    "instruments-info": _instruments,
    "risk-limit": _risk_limit,
    "tickers": _tickers,
    "orderbook": _orderbook,
    "kline": _kline,
    "funding/history": _funding,
}
