"""Messages of Binance for the tests: payload files decoded, and made ones."""

import json

import refusal
from binance_recorded import rest, row

from basisdesk.venues.binance import Binance

S, P, M = "binance.spot", "binance.public", "binance.market"


def decode(name):
    conn, payload = row(name)
    return Binance().codec(conn).decode(payload)


def combined(stream, **data):
    return json.dumps({"stream": stream, "data": data}, separators=(",", ":")).encode()


def reason_of(conn, payload):
    return refusal.reason_of(Binance().codec(conn), payload)


def top(symbol="ADAUSDT", **more):
    fields = {"u": 7, "s": symbol, "b": "0.8214", "B": "10", "a": "0.8215", "A": "9", **more}
    return combined(f"{symbol.lower()}@bookTicker", **fields)


def change(first, last, prev=None, bids=(), asks=(), stream="adausdt@depth@100ms", **more):
    fields = {"e": "depthUpdate", "E": 5_000, "s": "ADAUSDT", "U": first, "u": last}
    if prev is not None:
        fields |= {"pu": prev, "T": 4_990}
    return combined(stream, **(fields | {"b": bids, "a": asks} | more))


def snapshot(last, path="/api/v3/depth"):
    body = {"lastUpdateId": last, "bids": [["0.80", "5"]], "asks": [["0.90", "5"]]}
    return rest(f"{path}?symbol=ADAUSDT&limit=1000", body)
