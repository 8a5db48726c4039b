"""One sequence rule for every venue: seeds over HTTP, bridging, resets, and any disorder."""

import gzip
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.events import BookUpdate
from basisdesk.market.book import EARLY_LEVELS_MAX, EARLY_MAX, LEVELS_MAX, Book

KEY, STREAM = "tiny:spot:ADA/USDT", "tiny.ws/diffs:ADA/USDT"
CAPTURES = Path(__file__).parents[3] / "shared" / "data" / "captures"


def delta(prev, seq, bids=(), asks=()):
    return BookUpdate(KEY, STREAM, False, list(bids), list(asks), seq, 1, prev)


def snapshot(seq, bids=((99.0, 1.0),), asks=((101.0, 3.0),), stream=STREAM):
    return BookUpdate(KEY, stream, True, list(bids), list(asks), seq, 1)


def seed(seq, bids=((99.0, 1.0),), asks=((101.0, 3.0),)):
    return snapshot(seq, bids, asks, stream="")


def bid(price, size=1.0):
    return [(price, size)]


# --- a snapshot over HTTP ------------------------------------------------------------------------


def test_21_early_deltas_are_kept_and_meet_the_seed():
    """Fault 21, Binance spot: buffer, fetch, drop what the snapshot holds, bridge, go on."""
    book = Book()
    for prev, seq, price in ((8, 10, 99.1), (10, 12, 99.2), (12, 15, 99.3)):
        assert book.apply(delta(prev, seq, bid(price))) == "nosnapshot"
    assert book.apply(seed(11)) == ""
    assert (book.valid, book.seq) == (True, 15)
    assert [price for price, _ in book.bids] == [99.3, 99.2, 99.0]
    assert book.apply(delta(15, 16, bid(99.4))) == ""


def test_21_a_seed_older_than_what_was_kept_is_dropped_and_the_next_one_fits():
    book = Book()
    book.apply(delta(20, 22, bid(99.1)))
    assert book.apply(seed(19)) == "nosnapshot"
    assert not book.valid
    assert "older" in book.reason
    assert book.bids == []
    assert book.apply(seed(21)) == ""
    assert book.seq == 22


def test_21_a_seed_newer_than_everything_waits_for_the_delta_that_reaches_it():
    book = Book()
    book.apply(delta(4, 6, bid(99.1)))
    assert book.apply(seed(10)) == "nosnapshot"
    assert (book.valid, book.bids) == (False, [])  # not one level is readable before
    assert book.apply(delta(6, 9, bid(99.2))) == "nosnapshot"
    assert book.apply(delta(9, 11, bid(99.3))) == ""
    assert (book.seq, book.best()[0]) == (11, 99.3)
    assert [price for price, _ in book.bids] == [99.3, 99.0]


def test_a_seed_that_meets_the_newest_delta_exactly_is_whole_at_once():
    book = Book()
    book.apply(delta(4, 6))
    assert book.apply(seed(6)) == ""
    assert book.apply(delta(6, 9)) == ""


def test_a_seed_alone_waits_and_is_dropped_where_the_chain_begins_after_it():
    book = Book()
    assert book.apply(seed(10)) == "nosnapshot"
    assert book.apply(delta(12, 14)) == "nosnapshot"
    assert "older" in book.reason
    assert book.apply(seed(13)) == ""
    assert book.seq == 14


def test_a_seed_never_replaces_a_book_that_stands():
    book = Book()
    book.apply(snapshot(10))
    book.apply(delta(10, 11, bid(99.5)))
    assert book.apply(seed(900, bids=((50.0, 1.0),))) == ""
    assert (book.seq, book.best()[0]) == (11, 99.5)


def test_what_is_kept_is_a_chain_and_bounded():
    book = Book()
    for seq in range(EARLY_MAX + 500):
        book.apply(delta(seq, seq + 1))
    assert book.apply(seed(400)) == "nosnapshot"  # the oldest are gone, so it does not reach
    assert book.apply(seed(1_000)) == ""
    assert book.seq == EARLY_MAX + 500


def test_what_waits_for_a_snapshot_is_bounded_in_levels_too():
    book = Book()
    wide = [(1.0 + 1e-6 * rank, 1.0) for rank in range(EARLY_LEVELS_MAX // 4)]
    faults = [book.apply(delta(seq, seq + 1, wide)) for seq in range(10)]
    assert faults == (["nosnapshot"] * 4 + ["size"]) * 2
    assert book.reason == "too many levels"
    assert book.apply(delta(10, 11, bid(99.1))) == "nosnapshot"
    assert book.apply(seed(10)) == ""
    assert [price for price, _ in book.bids] == [99.1, 99.0]


def test_updates_that_made_room_no_longer_count():
    book = Book()
    several = [(90.0 + rank, 1.0) for rank in range(EARLY_LEVELS_MAX // EARLY_MAX)]
    for seq in range(2 * EARLY_MAX):
        assert book.apply(delta(seq, seq + 1, several)) == "nosnapshot"
    for round_ in range(3):  # kept ones are forgotten with each snapshot
        assert book.apply(snapshot(2 * EARLY_MAX, bids=bid(9.0), asks=bid(900.0))) == ""
        assert book.apply(delta(5_000, 5_001, several)) == "gap", round_


def test_one_update_or_seed_of_too_many_levels_is_not_kept():
    wide = [(1.0 + 1e-6 * rank, 1.0) for rank in range(EARLY_LEVELS_MAX + 1)]
    book = Book()
    assert book.apply(delta(1, 2, wide)) == "size"
    assert book.apply(seed(5, bids=wide[: LEVELS_MAX + 1])) == "size"
    assert book.apply(snapshot(10)) == ""
    assert book.apply(delta(12, 13, wide)) == "gap"
    assert book.apply(seed(12)) == "nosnapshot"  # the one that came after the gap was too wide


def test_a_hole_in_what_was_kept_throws_away_what_lies_before_it():
    book = Book()
    book.apply(delta(1, 2, bid(98.5)))
    book.apply(delta(5, 6, bid(98.6)))
    assert book.apply(seed(1)) == "nosnapshot"
    assert book.apply(seed(5)) == ""
    assert [price for price, _ in book.bids] == [99.0, 98.6]


def test_after_a_gap_a_new_seed_alone_makes_it_whole_again():
    book = Book()
    book.apply(snapshot(10))
    assert book.apply(delta(12, 13, bid(99.5))) == "gap"
    assert book.apply(delta(13, 14, bid(99.6))) == "nosnapshot"
    assert book.apply(seed(12)) == ""
    assert (book.seq, book.best()[0]) == (14, 99.6)


# --- the chain -----------------------------------------------------------------------------------


def test_bridging_holds_only_right_after_a_snapshot():
    book = Book()
    book.apply(snapshot(10))
    assert book.apply(delta(8, 12)) == ""
    assert book.apply(delta(11, 14)) == "gap"  # pu must equal the last u from here on


def test_usd_m_chain_by_pu_where_ids_are_not_contiguous():
    """Binance USD-M: each pu is the last u; the spot rule would see a gap in every message."""
    book = Book()
    book.apply(delta(100, 137))
    book.apply(delta(137, 190))
    assert book.apply(seed(120)) == ""
    assert book.apply(delta(190, 260)) == ""
    assert book.apply(delta(261, 300)) == "gap"


def test_okx_keep_alive_with_equal_ids_is_no_gap_and_no_duplicate():
    book = Book()
    book.apply(snapshot(10))
    assert book.apply(delta(10, 10)) == ""
    assert (book.seq, book.duplicates, book.valid) == (10, 0, True)
    assert book.apply(delta(10, 12)) == ""


def test_okx_maintenance_reset_continues_from_the_lower_id():
    book = Book()
    book.apply(snapshot(1_000))
    assert book.apply(delta(1_000, 3, bid(99.5))) == ""
    assert (book.seq, book.best()[0]) == (3, 99.5)
    assert book.apply(delta(3, 5)) == ""
    assert book.apply(delta(1_000, 3)) == ""  # once more: it was applied before
    assert book.duplicates == 1


def test_a_reset_while_waiting_forgets_ids_of_the_old_count():
    book = Book()
    book.apply(delta(1_000, 1_001))
    book.apply(delta(1_001, 3))
    book.apply(delta(3, 4, bid(99.5)))
    assert book.apply(seed(3)) == ""
    assert book.seq == 4


def test_a_delta_that_names_nothing_it_builds_on_is_never_trusted():
    book = Book()
    assert book.apply(delta(-1, 5)) == "nosnapshot"
    book.apply(snapshot(5))
    book.apply(delta(5, 6))
    assert book.apply(delta(-1, 8)) == "gap"


def test_another_socket_may_cut_its_messages_elsewhere_once():
    book = Book()
    book.apply(snapshot(10))
    book.apply(delta(10, 14))
    book.bridge()
    assert book.apply(delta(12, 16)) == ""
    assert book.apply(delta(15, 18)) == "gap"


def test_21_a_snapshot_of_the_stream_takes_in_what_overtook_it():
    book = Book()
    book.apply(delta(10, 11, bid(99.5)))
    assert book.apply(snapshot(10)) == ""
    assert (book.seq, book.best()[0]) == (11, 99.5)


def test_20_a_venue_that_began_anew_is_not_mended_with_old_deltas():
    book = Book()
    book.apply(delta(500, 501, bid(99.5)))
    assert book.apply(snapshot(1)) == ""
    assert (book.seq, book.best()[0]) == (1, 99.0)


def test_22_a_seed_that_crosses_is_refused():
    book = Book()
    book.apply(delta(9, 11, bid(102.0)))
    assert book.apply(seed(10)) == "crossed"
    assert not book.valid


# --- any disorder --------------------------------------------------------------------------------

changes = st.lists(st.tuples(st.integers(1, 12), st.sampled_from([0.0, 1.0, 2.5, 7.0])), max_size=4)
steps = st.lists(st.tuples(st.integers(1, 5), changes, changes), min_size=1, max_size=25)


def told(history):
    """The venue's messages, and what its book truly is at each id that a message ends at."""
    seq, bids, asks = 100, {}, {}
    truth, deltas = {100: ({}, {})}, []
    for jump, below, above in history:
        lows = [(float(price), size) for price, size in below]
        highs = [(100.0 + price, size) for price, size in above]
        for side, levels in ((bids, lows), (asks, highs)):
            for price, size in levels:
                side[price] = size
                if not size:
                    del side[price]
        deltas.append(delta(seq, seq + jump, lows, highs))
        seq += jump
        truth[seq] = (dict(bids), dict(asks))
    return truth, deltas


@given(steps, st.data())
def test_17_18_19_any_disorder_gives_the_true_book_or_none(history, data):
    """Faults 17, 18, 19: duplicated, dropped, swapped, late; with snapshots of either kind."""
    truth, deltas = told(history)
    by_seq = sorted(truth)

    def whole(seq, stream):
        bids, asks = truth[seq]
        return snapshot(seq, tuple(bids.items()), tuple(asks.items()), stream)

    messages = [whole(data.draw(st.sampled_from(by_seq)), STREAM), *deltas]
    for _ in range(data.draw(st.integers(0, 12))):
        at = data.draw(st.integers(0, len(messages) - 1))
        what = data.draw(st.sampled_from(["drop", "twice", "late", "whole", "seed"]))
        if what == "drop" and len(messages) > 1:
            del messages[at]
        elif what == "twice":
            messages.insert(data.draw(st.integers(0, len(messages))), messages[at])
        elif what == "late":
            messages.insert(data.draw(st.integers(0, len(messages) - 1)), messages.pop(at))
        else:
            seq = data.draw(st.sampled_from(by_seq))
            messages.insert(at, whole(seq, STREAM if what == "whole" else ""))
    book = Book()
    for message in messages:
        book.apply(message)
        if book.valid:
            assert (dict(book.bids), dict(book.asks)) == truth[book.seq]
        else:
            assert (book.bids, book.asks) == ([], [])


@given(steps, st.data())
def test_21_a_seed_of_any_moment_makes_the_true_book_or_waits(history, data):
    """Fault 21, with a snapshot between two ids, as REST gives them."""
    truth, deltas = told(history)
    last = deltas[-1].seq
    seq = data.draw(st.integers(95, last + 5))
    known = max((each for each in truth if each <= seq), default=100)
    bids, asks = truth[known]
    at = data.draw(st.integers(0, len(deltas)))
    book, rest = Book(), seed(seq, tuple(bids.items()), tuple(asks.items()))
    for number, message in enumerate([*deltas[:at], rest, *deltas[at:]]):
        fault = book.apply(message)
        assert fault in ("", "nosnapshot"), number
        if book.valid and book.seq in truth:
            assert (dict(book.bids), dict(book.asks)) == truth[book.seq]
    assert book.valid == (100 <= seq <= last)


@given(steps)
def test_17_a_run_with_every_delta_twice_equals_the_clean_run(history):
    """Fault 17: duplicates are ignored and counted."""
    _, deltas = told(history)
    clean, twice = Book(), Book()
    for book in (clean, twice):
        book.apply(snapshot(100, (), ()))
    for message in deltas:
        clean.apply(message)
        twice.apply(message)
        twice.apply(message)
    assert (twice.bids, twice.asks, twice.seq) == (clean.bids, clean.asks, clean.seq)
    assert twice.duplicates == len(deltas)


@given(steps, st.data())
def test_19_every_dropped_delta_is_noticed_by_the_next_message(history, data):
    """Fault 19: all gaps are found where the venue gives a sequence."""
    _, deltas = told(history)
    at = data.draw(st.integers(0, len(deltas) - 1))
    book = Book()
    book.apply(snapshot(100, (), ()))
    faults = [book.apply(message) for message in deltas[:at] + deltas[at + 1 :]]
    assert faults.count("gap") == (at < len(deltas) - 1)
    assert all(not fault for fault in faults[:at])


# --- real chains ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["spot", "usdm"])
def test_a_recorded_day_of_binance_has_no_false_gap(name):
    """Both chains over one REST snapshot each; after it every update applies."""
    path = CAPTURES / "binance_20240808" / f"{name}_ethusdt_20240808.gz"
    if not path.exists():
        pytest.skip("the recordings of real venues are not on this machine")
    book, faults, applied = Book(), [], 0
    with gzip.open(path) as lines:
        for line in lines:
            update = binance_update(msgspec.json.decode(line[line.index(b" ") :]))
            if update is None:
                continue
            was_valid = book.valid
            fault = book.apply(update)
            faults.append(fault)
            applied += was_valid and not fault
    first = faults.index("")
    assert set(faults[:first]) <= {"nosnapshot"}
    assert set(faults[first:]) == {""}
    assert applied > 3_000
    bids, asks = book.bids, book.asks
    assert all(a > b for (a, _), (b, _) in pairwise(bids))
    assert bids[0][0] < asks[0][0]


def binance_update(said):
    """A depth message or the REST snapshot of the recording, by its own words alone."""
    data = said.get("data", said)
    levels = {
        side: [(float(price), float(size)) for price, size in data[key]]
        for side, key in (("b", "bids"), ("a", "asks"))
        if key in data
    }
    if "lastUpdateId" in data:
        return seed(data["lastUpdateId"], levels["b"], levels["a"])
    if data.get("e") != "depthUpdate":
        return None
    bids, asks = ([(float(p), float(s)) for p, s in data[side]] for side in "ba")
    return delta(data.get("pu", data["U"] - 1), data["u"], bids, asks)
