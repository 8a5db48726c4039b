"""Bybit messages by hand, for tapes with known prices. Shapes after the venue's documentation."""

import json

SPOT, LINEAR, REST = "bybit.spot", "bybit.linear", "bybit.rest"


def instruments(
    symbol: str = "ADAUSDT", tick: str = "0.0001", spot_lot: str = "0.01"
) -> list[dict]:
    """raw-jsonl rows (without t_ns) that describe both legs."""
    base = symbol.removesuffix("USDT")
    linear = {
        "symbol": symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": base,
        "quoteCoin": "USDT",
        "launchTime": "1600000000000",
        "priceScale": "4",
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "75.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": tick, "maxPrice": "199.9998", "tickSize": tick},
        "lotSizeFilter": {
            "maxOrderQty": "16000000",
            "minOrderQty": "1",
            "qtyStep": "1",
            "maxMktOrderQty": "3000000",
            "minNotionalValue": "5",
        },
        "fundingInterval": 480,
        "settleCoin": "USDT",
        "upperFundingRate": "0.02",
        "lowerFundingRate": "-0.02",
        "isPreListing": False,
    }
    spot = {
        "symbol": symbol,
        "baseCoin": base,
        "quoteCoin": "USDT",
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "both",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": spot_lot,
            "quotePrecision": "0.00000001",
            "minOrderQty": "1",
            "maxOrderQty": "2000000",
            "minOrderAmt": "5",
            "maxOrderAmt": "4000000",
        },
        "priceFilter": {"tickSize": tick},
    }
    return [_described("linear", linear), _described("spot", spot)]


def _described(category: str, row: dict) -> dict:
    body = {
        "retCode": 0,
        "retMsg": "OK",
        "result": {"category": category, "list": [row], "nextPageCursor": ""},
        "retExtInfo": {},
        "time": 1,
    }
    path = f"/v5/market/instruments-info?category={category}&symbol={row['symbol']}"
    return {"conn": REST, "path": path, "data": json.dumps(body)}


def book(
    conn: str, bid: str, ask: str, size: str, ms: int, u: int, symbol: str = "ADAUSDT"
) -> list[dict]:
    """Top of book and a depth snapshot with one level a side, as raw-jsonl rows without t_ns."""
    rows = []
    for depth in (1, 50):
        data = {"s": symbol, "b": [[bid, size]], "a": [[ask, size]], "u": u, "seq": u}
        message = {
            "topic": f"orderbook.{depth}.{symbol}",
            "type": "snapshot",
            "ts": ms,
            "data": data,
            "cts": ms,
        }
        rows.append({"conn": conn, "data": json.dumps(message)})
    return rows


def ticker(mark: str, rate: str, next_ms: int, ms: int, symbol: str = "ADAUSDT") -> dict:
    """A linear ticker snapshot as a raw-jsonl row without t_ns."""
    data = {
        "symbol": symbol,
        "lastPrice": mark,
        "markPrice": mark,
        "indexPrice": mark,
        "openInterest": "1000000",
        "fundingIntervalHour": "8",
        "fundingCap": "0.02",
        "nextFundingTime": str(next_ms),
        "fundingRate": rate,
        "bid1Price": mark,
        "bid1Size": "1",
        "ask1Price": mark,
        "ask1Size": "1",
    }
    message = {"topic": f"tickers.{symbol}", "type": "snapshot", "data": data, "cs": 1, "ts": ms}
    return {"conn": LINEAR, "data": json.dumps(message)}


def write_recording(path, rows: list[tuple[int, dict]]):
    """raw-jsonl from (t_ns, row) pairs, in time order."""
    ordered = sorted(rows, key=lambda pair: pair[0])
    path.write_text("".join(json.dumps({"t_ns": t, **row}) + "\n" for t, row in ordered))
    return path
