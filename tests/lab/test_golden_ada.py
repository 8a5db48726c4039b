"""The worked ADA example of the founding note, through the command line, to the last digit."""

import json
from decimal import Decimal

import pytest

from basisdesk.cli import main
from tests.bybit_wire import LINEAR, SPOT, book, instruments, ticker, write_recording

S = 1_000_000_000
T0 = 1_735_689_600 * S
CONFIG = """
[paper]
latency_ms = 0
[fees.bybit]
spot_taker = 0.001
perp_taker = 0.00055
spot_buy_fee_in = "quote"
"""


def example(tmp_path, settle_after_s=7 * 3600, hold_s=600):
    """Recording, commands and settings of the example; returns the paths."""
    ms = T0 // 1_000_000
    rows = [(T0, row) for row in instruments()]
    rows.append((T0 + S, ticker("0.3665", "0.0001", ms + settle_after_s * 1000, ms)))
    exit_s = hold_s - 1
    for second in range(1, hold_s + 3):
        late = second >= exit_s
        spot = ("0.3650", "0.3651") if late else ("0.3639", "0.3640")
        perp = ("0.3650", "0.3651") if late else ("0.3665", "0.3666")
        if second < 4 or second >= exit_s - 2 or second % 60 == 0:
            t = T0 + second * S
            stamp = ms + second * 1000
            rows += [(t, row) for row in book(SPOT, *spot, "50000", stamp, second)]
            rows += [(t, row) for row in book(LINEAR, *perp, "50000", stamp, second)]
    recording = write_recording(tmp_path / "ada.jsonl", rows)
    commands = tmp_path / "commands.jsonl"
    opening = {
        "t_ns": T0 + 2 * S,
        "do": "open_pair",
        "long": "bybit:spot:ADAUSDT",
        "short": "bybit:perp:ADAUSDT",
        "qty": "10000",
        "leverage": "2",
        "exit": {"target_bp": "-1000", "stop_bp": "1000", "max_hold_h": "72"},
    }
    closing = {"t_ns": T0 + hold_s * S, "do": "close_pair", "pair": 1}
    commands.write_text(
        "\n".join(json.dumps(row) for row in ({"basisdesk_commands": 1}, opening, closing))
    )
    config = tmp_path / "settings.toml"
    config.write_text(CONFIG)
    return recording, commands, config


def replayed(tmp_path, capsys, recording, commands, config):
    tape = tmp_path / "ada.tape"
    if not tape.exists():
        assert main(["import", str(recording), "--format", "raw-jsonl", "--out", str(tape)]) == 0
    capsys.readouterr()
    arguments = ["replay", str(tape), "--commands", str(commands), "--config", str(config)]
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_ada_example_to_the_last_digit(tmp_path, capsys):
    result = replayed(tmp_path, capsys, *example(tmp_path))
    assert result["refusals"] == []
    (pair,) = result["pairs"]
    a = {term: Decimal(amount) for term, amount in pair["attribution"].items()}
    assert a["basis"] + a["slippage"] == Decimal(24)
    assert a["fees"] in (Decimal("-11.3138"), Decimal("11.3138"))
    assert a["total"] == Decimal("12.6862")
    assert a["funding"] == a["borrow"] == a["residual"] == 0
    equity = {k: Decimal(v) for k, v in result["equity"].items()}
    assert equity["end"] - equity["start"] == a["total"]
    assert (result["bad_frames"], result["gaps"]) == (0, 0)
    prices = {(f["leg"], f["side"]): f["price"] for f in pair["fills"]}
    assert prices == {
        ("long", "buy"): "0.364",
        ("short", "sell"): "0.3665",
        ("long", "sell"): "0.365",
        ("short", "buy"): "0.3651",
    }


def test_the_same_tape_gives_the_same_digest_every_time(tmp_path, capsys):
    paths = example(tmp_path)
    digests = {replayed(tmp_path, capsys, *paths)["ledger_digest"] for _ in range(3)}
    assert len(digests) == 1


@pytest.mark.parametrize("settle_s", [300])
def test_A4_a_settlement_inside_the_hold_is_paid_on_mark_notional(tmp_path, capsys, settle_s):
    result = replayed(tmp_path, capsys, *example(tmp_path, settle_after_s=settle_s))
    (settled,) = result["settlements"]
    assert Decimal(settled["amount"]) == Decimal(10000) * Decimal("0.3665") * Decimal("0.0001")
    assert Decimal(result["pairs"][0]["attribution"]["total"]) == Decimal("12.6862") + Decimal(
        "0.3665"
    )


def test_A4_a_settlement_before_the_entry_is_not_ours(tmp_path, capsys):
    result = replayed(tmp_path, capsys, *example(tmp_path, settle_after_s=1))
    assert result["settlements"] == []
