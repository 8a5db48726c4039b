"""The faults file and the clock it is asked by."""

import json

import pytest

from basisdesk.demo.faults import Fault, Faults, read_faults
from basisdesk.errors import SettingsError


def test_active_by_kind_connection_and_time():
    faults = Faults((Fault(2.0, "silence", "linear", 3.0),))
    assert [faults.active("silence", "linear", s) for s in (1.9, 2.0, 4.9, 5.0)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert not faults.active("silence", "spot", 3.0)
    assert not faults.active("mute", "linear", 3.0)


def test_a_cut_is_told_once():
    faults = Faults((Fault(2.0, "disconnect", "spot"), Fault(2.0, "disconnect", "linear")))
    assert faults.cuts(1.0) == []
    assert faults.cuts(2.5) == ["spot", "linear"]
    assert faults.cuts(3.0) == []


def test_file(tmp_path):
    path = tmp_path / "faults.json"
    path.write_text(json.dumps([{"at_s": 1, "kind": "garbage", "conn": "spot", "for_s": 2}]))
    assert read_faults(path).active("garbage", "spot", 1.5)
    assert not read_faults(None).active("garbage", "spot", 1.5)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '[{"at_s": -1, "kind": "mute", "conn": "spot"}]',
        '[{"at_s": 1, "kind": "explode", "conn": "spot"}]',
        '[{"at_s": 1, "kind": "mute", "conn": "inverse"}]',
        '[{"at_s": 1, "kind": "mute", "conn": "spot", "why": 1}]',
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path, text):
    path = tmp_path / "faults.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"^Faults file .* cannot be used: .*\.$"):
        read_faults(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(SettingsError, match=r"Cannot read faults file .*none\.json"):
        read_faults(tmp_path / "none.json")
