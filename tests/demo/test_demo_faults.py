"""Schedules and orders of faults: names, targets, times."""

import json

import pytest

from basisdesk.demo.faults import Fault, Faults, checked, fault_kinds, read_faults, read_order
from basisdesk.errors import SettingsError


def test_on_by_kind_connection_and_time():
    faults = Faults((Fault("silence", 2.0, "linear", for_s=3.0),))
    seen = []
    for now_s in (1.9, 2.0, 4.9, 5.0):
        faults.tick(now_s)
        seen.append(faults.active("silence", "bybit.linear") is not None)
    assert seen == [False, True, True, False]


def test_only_what_it_is_aimed_at():
    faults = Faults((Fault("mute", 0.0, "binance", for_s=9.0, symbol="ADA"),))
    faults.tick(1.0)
    assert faults.active("mute", "binance.public", "ADAUSDT", "ADA")
    assert faults.active("mute", "binance.rest")
    assert not faults.active("mute", "binance.public", "BTCUSDT", "BTC")
    assert not faults.active("mute", "bybit.linear")
    assert not faults.active("silence", "binance.public")
    everywhere = Faults((Fault("storm", for_s=1.0),))
    everywhere.tick(0.5)
    assert everywhere.active("storm", "kraken.futures")


def test_begin_and_end_are_told_once():
    one, two = Fault("close", 2.0, "spot"), Fault("day_cut", 2.0, "okx", for_s=1.0)
    faults = Faults((two, one))
    assert faults.tick(1.0) == ([], [])
    assert faults.tick(2.5) == ([two, one], [])
    assert faults.on == [two]
    assert faults.tick(3.0) == ([], [two])
    assert faults.tick(4.0) == ([], [])


def test_by_hand_from_now_on_and_cleared():
    faults = Faults()
    faults.add(Fault("mute", conn="okx", for_s=5.0), 10.0)
    begun, _ = faults.tick(10.0)
    assert [fault.end_s for fault in begun] == [15.0]
    assert faults.clear() == begun
    assert faults.tick(11.0) == ([], [])


def test_file(tmp_path):
    path = tmp_path / "faults.json"
    path.write_text(json.dumps([{"at_s": 1, "kind": "garbage", "conn": "spot", "for_s": 2}]))
    faults = read_faults(path)
    faults.tick(1.5)
    assert faults.active("garbage", "bybit.spot")
    assert read_faults(None).tick(99.0) == ([], [])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[", "truncated"),
        ("{}", "array"),
        ('[{"at_s": -1, "kind": "mute", "conn": "spot"}]', "at_s"),
        ('[{"at_s": 1, "kind": "explode", "conn": "spot"}]', "no fault 'explode'; known: refuse"),
        ('[{"at_s": 1, "kind": "mute", "conn": "inverse"}]', "no connection 'inverse'; known: by"),
        ('[{"at_s": 1, "kind": "mute", "conn": "okx.public", "venue": "kraken"}]', "of 'kraken'"),
        ('[{"at_s": 1, "kind": "seq_reset", "conn": "bybit"}]', "strikes okx.public, not 'bybit'"),
        ('[{"at_s": 1, "kind": "mute", "conn": "spot", "why": 1}]', "why"),
        ('[{"at_s": 1, "conn": "spot"}]', "kind"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path, text, why):
    path = tmp_path / "faults.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"^Faults file .* cannot be used: .*\.$") as caught:
        read_faults(path)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(SettingsError, match=r"Cannot read faults file .*none\.json"):
        read_faults(tmp_path / "none.json")


def test_orders():
    order = read_order(b'{"fault": {"kind": "slow", "venue": "kraken", "for_s": 2}}')
    assert order.fault is not None
    assert order.fault.target == "kraken"
    assert read_order(b'{"clear": true}').clear
    for bad in (b"", b"[]", b'{"fault": {"kind": "none"}}', b"\xff", b'{"stop": 1}'):
        with pytest.raises(SettingsError, match=r"^The order cannot be followed: .*\.$"):
            read_order(bad)


def test_every_kind_says_what_it_does_and_can_be_ordered():
    kinds = fault_kinds()
    assert len({kind.name for kind in kinds}) == len(kinds) >= 30
    for kind in kinds:
        assert kind.about.endswith(".")
        assert checked(Fault(kind.name, conn=kind.on[0])).target == kind.on[0]
