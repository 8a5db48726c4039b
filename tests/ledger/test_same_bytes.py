"""An account and legs in one currency book what they always did, byte for byte.

The digests were taken with the rules as they stood before there were cross rates.
"""

import msgspec
from ledger_cases import ada_example, every_kind, session, take, traded

from basisdesk.events import Outcome
from basisdesk.ledger.books import Books

FOUR_HUNDRED_PAIRS = "ac75675384b952ced4cf4adaad3d20b23b2d55033d54f12182fa8d8f9b513f0e"
EVERY_KIND = "e2475a40895a14fbf8e6f403aedac53a553163d35f73c690db48a57b9fba1282"
NEW = ("fx", "long_fx", "short_fx", "share", "margin_share")


def test_four_hundred_random_pairs_give_the_digest_they_gave_before():
    assert traded(400, seed=21)[0].digest() == FOUR_HUNDRED_PAIRS


def test_every_kind_of_outcome_gives_the_digest_it_gave_before():
    books = Books()
    take(books, *every_kind())
    assert books.digest() == EVERY_KIND


def test_an_outcome_written_before_there_were_rates_reads_as_the_same_outcome():
    for outcome in (session(), *ada_example(), *every_kind()):
        told = msgspec.json.decode(msgspec.json.encode(outcome))
        if told["kind"] == "liquidated":
            told.pop("margin")
        older = msgspec.json.encode(_without(told))
        assert msgspec.json.decode(older, type=Outcome) == outcome


def _without(told):
    if isinstance(told, dict):
        return {name: _without(value) for name, value in told.items() if name not in NEW}
    return [_without(each) for each in told] if isinstance(told, list) else told
