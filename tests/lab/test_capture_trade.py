"""A pair trade on the real Bybit capture; every fill is found again in a naive reading of it."""

import gzip
import json
from decimal import Decimal

import pytest

from basisdesk.cli import main

LONG, SHORT = "bybit:spot:BTCUSDT", "bybit:perp:BTCUSDT"
FOLDER_OF = {LONG: "spot", SHORT: "linear"}


def naive_book(capture, leg, until_ns):
    """Bids and asks of one leg at a receive time, by nothing but json and a dict."""
    name = capture / f"{FOLDER_OF[leg]}.orderbook.200.BTCUSDT.jsonl.gz"
    sides = {"b": {}, "a": {}}
    for line in gzip.decompress(name.read_bytes()).decode().splitlines():
        row = json.loads(line, parse_float=Decimal)
        if row["t"] != "recv" or int(row["ts"] * 10**9) > until_ns:
            continue
        message = json.loads(row["data"])
        if message["type"] == "snapshot":
            sides = {"b": {}, "a": {}}
        for side, levels in sides.items():
            for price, size in message["data"][side]:
                if Decimal(size) == 0:
                    levels.pop(Decimal(price), None)
                else:
                    levels[Decimal(price)] = Decimal(size)
    return sides


@pytest.fixture(scope="module")
def replayed(bybit_capture, tmp_path_factory):
    folder = tmp_path_factory.mktemp("capture")
    tape, commands, out = folder / "b.tape", folder / "c.jsonl", folder / "out.json"
    assert main(["import", str(bybit_capture), "--format", "cryptofeed", "--out", str(tape)]) == 0
    start_ns = 1786310819_000000000
    opening = {
        "t_ns": start_ns + 10 * 10**9,
        "do": "open_pair",
        "long": LONG,
        "short": SHORT,
        "qty": "0.01",
        "leverage": "2",
        "exit": {"target_bp": "-500", "stop_bp": "500", "max_hold_h": "72"},
    }
    closing = {"t_ns": start_ns + 30 * 10**9, "do": "close_pair", "pair": 1}
    commands.write_text(
        "\n".join(json.dumps(row) for row in ({"basisdesk_commands": 1}, opening, closing))
    )
    return tape, commands, out


def run_replay(replayed, capsys):
    tape, commands, _ = replayed
    capsys.readouterr()
    assert main(["replay", str(tape), "--commands", str(commands), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_each_fill_stands_in_an_independent_reading_of_the_captured_book(
    replayed, bybit_capture, capsys
):
    result = run_replay(replayed, capsys)
    assert (result["bad_frames"], result["gaps"], result["refusals"]) == (0, 0, [])
    (pair,) = result["pairs"]
    assert pair["closed_ns"] > pair["opened_ns"]
    assert len(pair["fills"]) >= 4
    for fill in pair["fills"]:
        book = naive_book(bybit_capture, fill["instrument"], fill["ts_ns"])
        side = "a" if fill["side"] == "buy" else "b"
        price, qty = Decimal(fill["price"]), Decimal(fill["qty"])
        assert book[side][price] >= qty
    first = {(f["instrument"], f["side"]): f for f in reversed(pair["fills"])}
    for (instrument, side), fill in first.items():
        book = naive_book(bybit_capture, instrument, fill["ts_ns"])
        best = min(book["a"]) if side == "buy" else max(book["b"])
        assert Decimal(fill["price"]) == best


def test_the_attribution_is_the_change_in_equity(replayed, capsys):
    result = run_replay(replayed, capsys)
    terms = {k: Decimal(v) for k, v in result["pairs"][0]["attribution"].items()}
    total = terms.pop("total")
    assert sum(terms.values()) == total
    assert Decimal(result["equity"]["end"]) - Decimal(result["equity"]["start"]) == total


def test_a_spot_buy_pays_its_fee_in_coin_and_the_hedge_fits_what_is_left(replayed, capsys):
    fills = run_replay(replayed, capsys)["pairs"][0]["fills"]
    bought = [f for f in fills if f["instrument"] == LONG and f["side"] == "buy"]
    assert {f["fee_currency"] for f in bought} == {"BTC"}
    qty = sum(Decimal(f["qty"]) for f in bought)
    fee = sum(Decimal(f["fee"]) for f in bought)
    assert (qty, fee) == (Decimal("0.01"), Decimal("0.00001"))
    sold = sum(Decimal(f["qty"]) for f in fills if f["instrument"] == LONG and f["side"] == "sell")
    assert sold == qty - fee
    hedge = sum(
        Decimal(f["qty"]) for f in fills if f["instrument"] == SHORT and f["side"] == "sell"
    )
    assert hedge == Decimal("0.01")  # 0.00999 left; the perpetual's lot is 0.001


def test_the_digest_is_the_same_on_every_run(replayed, capsys):
    assert len({run_replay(replayed, capsys)["ledger_digest"] for _ in range(2)}) == 1
