"""The demo's messages have the keys, their order and the types of the venue's recorded ones."""

import gzip
import json

import pytest

from basisdesk.demo.dialect_bybit import BybitDialect, parse_topic
from basisdesk.demo.dialect_bybit_pages import page
from tests.demo.demo_rig import EPOCH_MS, FIVE, Desk, make_leg

DIALECT = BybitDialect()


def recorded(path):
    with gzip.open(path, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    return [json.loads(row["data"]) for row in rows if row["t"] == "recv"]


def spoken(category, topic_text):
    conn, memory = f"bybit.{category}", {}
    leg = make_leg(f"bybit:{'spot' if category == 'spot' else 'perp'}:BTCUSDT")
    topic = parse_topic(topic_text, category, Desk(EPOCH_MS).floor)
    said = list(DIALECT.greet(conn, topic, leg, memory, EPOCH_MS))
    for at in range(1, 100):
        news = leg.pulse(EPOCH_MS + 100 * at, slow=True)
        said += DIALECT.say(conn, topic, leg, memory, news)
    return [json.loads(message) for message in said]


def shape(value):
    """Keys in order and types, without the values; of a list only its first row."""
    if isinstance(value, dict):
        return [(key, shape(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


@pytest.mark.parametrize("category", ["spot", "linear"])
@pytest.mark.parametrize("kind", ["orderbook.200", "publicTrade", "tickers"])
def test_same_shape_as_recorded(bybit_capture, category, kind):
    theirs = recorded(bybit_capture / f"{category}.{kind}.BTCUSDT.jsonl.gz")
    ours = spoken(category, f"{kind}.BTCUSDT")
    assert theirs[0]["type"] == ours[0]["type"] == "snapshot"
    assert shape(ours[0]) == shape(theirs[0])
    if kind == "orderbook.200":
        mine = next(m for m in ours[1:] if m["data"]["b"] and m["data"]["a"])
        real = next(m for m in theirs[1:] if m["data"]["b"] and m["data"]["a"])
        assert shape(mine) == shape(real)
    if (category, kind) == ("linear", "tickers"):
        known = set(theirs[0]["data"])
        for message in ours[1:]:
            assert [key for key, _ in shape(message)] == [key for key, _ in shape(theirs[1])]
            assert set(message["data"]) <= known


@pytest.mark.parametrize("category", ["spot", "linear"])
def test_instruments_as_recorded(bybit_capture, category):
    """Keys and, for what the desk reads, values of the recorded instruments page."""
    with gzip.open(bybit_capture / "control_and_rest.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    theirs = next(json.loads(r["data"]) for r in rows if f"category={category}" in r.get("url", ""))
    real = {row["symbol"]: row for row in theirs["result"]["list"]}
    made = page(f"/v5/market/instruments-info?category={category}", Desk(EPOCH_MS).floor)
    said = json.loads(made.body)
    assert set(said) == set(theirs)
    assert set(said["result"]) == set(theirs["result"])
    rows = [row for row in said["result"]["list"] if row["baseCoin"] in FIVE]
    assert len(rows) == len(FIVE)
    for row in rows:
        theirs = real[row["symbol"]]
        assert shape({**row, "preListingInfo": 0}) == shape({**theirs, "preListingInfo": 0})
        assert row["priceFilter"]["tickSize"] == theirs["priceFilter"]["tickSize"]
        for name in ("basePrecision", "qtyStep", "minOrderQty", "minOrderAmt", "minNotionalValue"):
            assert row["lotSizeFilter"].get(name) == theirs["lotSizeFilter"].get(name)
        for name in ("fundingInterval", "upperFundingRate", "leverageFilter", "priceScale"):
            assert row.get(name) == theirs.get(name)
