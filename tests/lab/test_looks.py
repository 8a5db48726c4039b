"""How often data were looked at before, and what is wrong with them, stands in every study."""

from msgspec import structs

from basisdesk.lab.looks import LOOKS_LINE, before, looks_of, with_cautions, with_looks
from basisdesk.lab.words import pre_registration, registered


def study(digest="d", first="2024-01-01", last="2024-12-31", **row):
    data = {"name": "BTC", "digest": digest, "from": first, "to": last} | row
    block = pre_registration("h", {}, 1, {}, {})
    return {"data": [data], "pre_registration": block, "sentences": ["Found."]}


def test_the_same_data_and_overlapping_days_count_apart():
    mine = looks_of(study())
    earlier = [
        looks_of(study()) * 2,  # one run over two series
        [structs.replace(look, plan="another") for look in looks_of(study())],
        looks_of(study("other", first="2024-06-01", last="2025-06-01")),
        looks_of(study("later", first="2025-01-01", last="2025-06-01")),
        looks_of(study("x", name="ETH")),
    ]
    assert before(mine, earlier) == (2, 1, 1)
    assert before(mine, []) == (0, 0, 0)


def test_the_count_stands_beside_the_plan_and_its_hash_holds():
    first = with_looks(study(), [])
    assert first["sentences"] == ["Found."]
    assert first["pre_registration"][LOOKS_LINE].startswith("0 of the very same")
    fifth = with_looks(study(), [looks_of(study())] * 4)
    assert "looked at 4 times before this run" in fifth["sentences"][-1]
    assert registered(fifth["pre_registration"])
    assert fifth["pre_registration"]["hash"] == first["pre_registration"]["hash"]


def test_simulated_data_are_nobodys_past():
    found = study(simulated=True)
    assert with_looks(found, [looks_of(study())] * 4) == found


def test_a_hole_and_a_doubt_come_first():
    assert with_cautions(study(longest_gap_s=3_600.0)) == study(longest_gap_s=3_600.0)
    found = with_cautions(study(longest_gap_s=200 * 3_600.0, cautions=["Data: doubtful."]))
    assert "BTC has a hole of 200 h" in found["sentences"][0]
    assert found["sentences"][1:] == ["Data: doubtful.", "Found."]
    assert found["cautions"] == found["sentences"][:2]
    many = study(longest_gap_s=200 * 3_600.0)
    many["data"] = many["data"] * 9
    assert "5 more" in with_cautions(many)["sentences"][4]
