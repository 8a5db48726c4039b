"""A pair trade on the real Binance capture: rules from a file, every fill found in a naive book."""

import gzip
import json
from decimal import Decimal

import pytest

from basisdesk.cli import main
from tests.captures import capture, tape_of

LONG, SHORT = "binance:spot:ETHUSDT", "binance:perp:ETHUSDT"
FILES = {LONG: "spot_ethusdt_20240808.gz", SHORT: "usdm_ethusdt_20240808.gz"}
S = 1_000_000_000
T0 = 1_723_161_256 * S  # both books stand
RULES = [
    {"key": LONG, "base": "ETH", "quote": "USDT", "tick": "0.01", "lot": "0.0001"},
    {
        "key": SHORT, "base": "ETH", "quote": "USDT", "tick": "0.01", "lot": "0.001",
        "funding_interval_h": "8",
    },
]  # fmt: skip
# What this trade has always come to; a change must be one that was meant.
DIGEST = "630c9bae810a082a"

pytestmark = pytest.mark.slow


def naive_book(leg, until_ns):
    """Price -> size of bids and asks at a time, by json and dicts alone."""
    sides, reached = ({}, {}), None
    raw = gzip.decompress((capture("binance_20240808") / FILES[leg]).read_bytes()).decode()
    waiting = []
    for line in raw.splitlines():
        stamp, payload = line.split(" ", 1)
        if int(stamp) > until_ns:
            break
        message = json.loads(payload)
        if "lastUpdateId" in message:
            reached = message["lastUpdateId"]
            sides = tuple({Decimal(p): Decimal(s) for p, s in message[k]} for k in ("bids", "asks"))
        elif "@depth" in message["stream"]:
            waiting.append(message["data"])
    for diff in waiting:
        if diff["u"] > reached:
            for levels, changes in zip(sides, (diff["b"], diff["a"]), strict=True):
                levels |= {Decimal(p): Decimal(s) for p, s in changes}
    return [{p: s for p, s in levels.items() if s} for levels in sides]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("binance")
    tape = tape_of("binance", folder / "b.tape")
    opening = {
        "t_ns": T0 + 10 * S,
        "do": "open_pair",
        "long": LONG,
        "short": SHORT,
        "qty": "0.5",
        "leverage": "2",
        "exit": {"target_bp": "-500", "stop_bp": "500", "max_hold_h": "72"},
    }
    closing = {"t_ns": T0 + 300 * S, "do": "close_pair", "pair": 1}
    commands = folder / "c.jsonl"
    commands.write_text(
        "\n".join(json.dumps(row) for row in ({"basisdesk_commands": 1}, opening, closing))
    )
    rules = folder / "rules.json"
    rules.write_text(json.dumps(RULES))
    return tape, commands, rules


@pytest.fixture(scope="module")
def result(files):
    import contextlib
    import io

    tape, commands, rules = map(str, files)
    out = io.StringIO()
    arguments = ["replay", tape, "--commands", commands, "--instruments", rules, "--json"]
    with contextlib.redirect_stdout(out):
        assert main(arguments) == 0
    return json.loads(out.getvalue())


def test_every_fill_stands_in_a_naive_reading_of_the_captured_book(result):
    assert (result["bad_frames"], result["gaps"], result["refusals"]) == (0, 0, [])
    (pair,) = result["pairs"]
    assert pair["closed_ns"] > pair["opened_ns"]
    assert len(pair["fills"]) >= 4
    for fill in pair["fills"]:
        bids, asks = naive_book(fill["instrument"], fill["ts_ns"])
        levels = asks if fill["side"] == "buy" else bids
        assert levels[Decimal(fill["price"])] >= Decimal(fill["qty"])
    first = {(f["instrument"], f["side"]): f for f in reversed(pair["fills"])}
    for (instrument, side), fill in first.items():
        bids, asks = naive_book(instrument, fill["ts_ns"])
        assert Decimal(fill["price"]) == (min(asks) if side == "buy" else max(bids))


def test_the_attribution_is_the_change_in_equity(result):
    terms = {k: Decimal(v) for k, v in result["pairs"][0]["attribution"].items()}
    total = terms.pop("total")
    assert sum(terms.values()) == total
    assert Decimal(result["equity"]["end"]) - Decimal(result["equity"]["start"]) == total


def test_the_ledger_is_the_same_as_ever(result):
    assert result["ledger_digest"][:16] == DIGEST
