"""The sector map: the shipped one, an edited one, and what is refused with which sentence."""

import json

import pytest

from basisdesk.config import COINS
from basisdesk.errors import SettingsError
from basisdesk.scan.sector_map import COINS_MAX, parse_sectors, sector_map_text
from basisdesk.ui.resources import resource

EIGHT = {"L1", "L2", "DeFi", "Meme", "Gaming", "AI", "Infrastructure", "Payment"}
GOOD = {"date": "2026-11-21", "source": "a test", "sectors": {"L1": ["BTC", "ETH"], "L2": ["OP"]}}


def data(**changes):
    return json.dumps(GOOD | changes).encode()


def shipped():
    return parse_sectors(resource("sectors.json").read_bytes())


def test_the_shipped_map_is_dated_and_large_enough():
    sectors = shipped()
    assert sectors.date == "2026-11-21"
    assert "hand" in sectors.source
    assert len(sectors.sector_of) >= 200
    assert set(sectors.order) >= EIGHT


def test_the_shipped_map_knows_all_coins_that_are_watched_by_default():
    coins = COINS.split() if isinstance(COINS, str) else COINS
    assert [coin for coin in coins if coin not in shipped().sector_of] == []


def test_each_default_sector_can_have_four_liquid_members():
    sectors = shipped()
    coins = set(COINS.split() if isinstance(COINS, str) else COINS)
    assert {name: len(coins & set(sectors.members(name))) for name in sectors.order} == {
        "L1": 16,
        "L2": 5,
        "DeFi": 7,
        "Meme": 6,
        "Gaming": 4,
        "AI": 5,
        "Infrastructure": 9,
        "Payment": 4,
        "RWA": 4,
    }


def test_the_shipped_file_is_what_an_editable_copy_looks_like():
    assert sector_map_text(shipped()) == resource("sectors.json").read_bytes()


def test_a_map_survives_being_written_and_read():
    sectors = parse_sectors(data(about="mine"))
    assert parse_sectors(sector_map_text(sectors)) == sectors
    assert sectors.order == ("L1", "L2")
    assert sectors.members("L1") == ("BTC", "ETH")
    assert sectors.members("none") == ()
    assert sectors.sector_of["OP"] == "L2"


def test_a_long_sector_is_written_in_short_lines():
    many = [f"C{i}" for i in range(300)]
    text = sector_map_text(parse_sectors(data(sectors={"Many": many})))
    assert max(map(len, text.decode().splitlines()[4:])) <= 96
    assert parse_sectors(text).members("Many") == tuple(many)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"{", "it is not JSON: Expecting property name enclosed in double quotes at line 1"),
        (b"\xff\xfe", "it is not UTF-8 text"),
        (b"[" * 100_000, "it is not JSON that can be read"),
        (b"[]", "it must be one object"),
        (b" " * 1_000_001, "it has 1,000,001 bytes, at most 1,000,000 are read"),
        (data(colour="red"), "'colour' is no key of it (known: date, source, about, sectors)"),
        (data(date="soon"), "the date 'soon' is none; write it as 2026-11-21"),
        (data(date=20261121), '"date" must be one line of text'),
        (data(source=""), '"source" must be one line of text'),
        (data(source="a\nb"), '"source" must be one line of text'),
        (data(sectors={}), '"sectors" must name 1 to 16 sectors'),
        (data(sectors={str(i): ["BTC"] for i in range(17)}), '"sectors" must name 1 to 16'),
        (data(sectors={"<b>": ["BTC"]}), "'<b>' is no name of a sector"),
        (data(sectors={"L1": "BTC"}), "sector L1 must be a list of coins"),
        (data(sectors={"L1": []}), "sector L1 must be a list of coins"),
        (data(sectors={"L1": ["btc"]}), "'btc' in sector L1 is no coin (capitals and digits)"),
        (data(sectors={"L1": [7]}), "7 in sector L1 is no coin"),
        (data(sectors={"L1": ["BTC", "BTC"]}), "BTC stands twice in L1, and a coin has one sector"),
        (
            data(sectors={"L1": ["BTC"], "L2": ["BTC"]}),
            "BTC stands in L1 and in L2, and a coin has one sector",
        ),
        (
            b'{"date": "2026-11-21", "source": "x", "sectors": {"L1": ["A"], "L1": ["B"]}}',
            "'L1' stands in it twice",
        ),
        (
            data(sectors={"L1": [f"C{i}" for i in range(COINS_MAX + 1)]}),
            "it names 2,001 coins, at most 2,000 are read",
        ),
    ],
)
def test_a_wrong_map_is_refused_in_one_sentence(raw, said):
    with pytest.raises(SettingsError) as refused:
        parse_sectors(raw, "/home/me/sectors.json")
    text = str(refused.value)
    assert text.startswith("Cannot use the sector map /home/me/sectors.json: " + said)
    assert text.endswith("remove it to use the map that comes with the program.")
    assert "\n" not in text
