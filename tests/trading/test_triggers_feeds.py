"""Feeds, clock and lone legs: entries stop, and go on by themselves once the cause is healthy."""

import math

import pytest
from watch_rig import HOUR, LONG, D, Floor, S

HEALTHY = 31  # seconds after which a cause that went away lets entries go on


def test_a_silent_leg_stops_entries_until_it_was_heard_for_half_a_minute():
    floor = Floor()
    floor.open()
    floor.run(5)
    said = []
    for _ in range(200):  # 100 s in which only the spot leg is heard
        floor.now += S // 2
        said += floor.look(LONG)
    assert floor.moves(said) == [("reducing", "stale")]
    assert "Bybit perp ADAUSDT was last heard 60 s ago" in floor.watch.risk.reason
    assert floor.reading("stale").value == pytest.approx(100.0, abs=1)
    assert floor.moves(floor.run(29)) == []
    assert floor.moves(floor.run(5)) == [("active", "stale")]


def test_a_feed_that_comes_and_goes_makes_no_storm():
    floor = Floor(stale_s_max=5)
    floor.open()
    said = []
    for number in range(2_000):
        floor.now += S // 2
        said += floor.look(quoted=number % 14 == 0)  # heard every 7 s, each time within the 30 s
    assert floor.moves(said) == [("reducing", "stale")]


def test_no_leg_held_means_no_feed_can_be_stale():
    floor = Floor()
    assert floor.moves(floor.run(600, quoted=False)) == []
    assert floor.reading("stale").note == "No leg is held."


def test_a_suspend_stops_entries_until_quotes_are_fresh_for_half_a_minute():
    floor = Floor()
    floor.open()
    floor.run(60)
    floor.now += 9 * HOUR
    assert floor.moves(floor.look(quoted=False)) == [("reducing", "clock")]
    assert "32400 s" in floor.watch.risk.reason
    assert "Waiting for a new quote" in floor.watch.risk.reason
    assert floor.moves(floor.run(60, quoted=False)) == []
    assert floor.reading("clock").state == "over"
    assert floor.moves(floor.run(30)) == []
    assert floor.moves(floor.run(2)) == [("active", "clock")]
    assert floor.reading("clock").state == "ok"


def test_a_tape_of_few_frames_is_no_machine_that_sleeps():
    floor = Floor()
    for _ in range(100):
        floor.now += 60 * S
        assert floor.moves(floor.look()) == []


def test_a_pause_just_long_enough_is_none():
    floor = Floor()
    floor.run(60)
    floor.now += 10 * S
    assert floor.moves(floor.look()) == []
    floor.now += 10 * S + 1
    assert floor.moves(floor.look()) == [("reducing", "clock")]


def test_a_missing_leg_stops_entries_after_its_time():
    floor = Floor()
    floor.open(short="0")
    assert floor.positions.pairs[1].state == "unhedged"
    assert floor.moves(floor.run(29.5)) == []
    assert floor.reading("unhedged").state == "near"
    assert floor.moves(floor.run(1)) == [("reducing", "unhedged")]
    assert "Pair 1 has missed a leg for 30 s" in floor.watch.risk.reason
    floor.hedge()
    assert floor.moves(floor.run(HEALTHY)) == [("active", "unhedged")]


def test_a_naked_leg_stops_entries_too():
    """Found by a trader: after an ADL the risk panel said that every pair stands on both legs."""
    floor = Floor()
    floor.open()
    floor.run(5)
    assert floor.reading("unhedged").state == "ok"
    floor.strip()
    assert floor.positions.pairs[1].state == "naked"
    assert floor.moves(floor.run(31)) == [("reducing", "unhedged")]
    assert "Pair 1 has stood naked on one leg for 30 s" in floor.watch.risk.reason


def test_a_near_liquidation_stops_entries_of_the_nearest_perpetual():
    floor = Floor()
    floor.open(1, leverage="5")
    floor.open(2, leverage="1")
    floor.run(5)
    far = floor.reading("liq_distance")
    assert far.state == "ok"
    assert "of pair 1" in far.note
    said = []
    for _ in range(20):
        floor.now += S // 2
        floor.quote(mark=0.42)  # 5x: liquidated at about 0.437
        said += floor.look(quoted=False)
    assert floor.moves(said) == [("reducing", "liq_distance")]
    assert "of pair 1 is 4." in floor.watch.risk.reason
    assert "Add margin or close" in floor.watch.risk.resume


def test_a_perpetual_that_no_price_liquidates_is_far_from_it():
    floor = Floor()
    floor.open()
    perp = floor.positions.pairs[1].short
    perp.added = D(-(10**9))  # margin so odd that the formula has no positive price
    reading = floor.reading("liq_distance")
    assert (reading.state, reading.value) == ("ok", math.inf)
    assert "No price" in reading.note


def test_a_mark_that_is_not_known_neither_stops_nor_lets_go():
    floor = Floor()
    floor.open(leverage="5")
    for _ in range(4):
        floor.now += S // 2
        floor.quote(mark=0.42)
        floor.look(quoted=False)
    assert floor.watch.risk.cause == "liq_distance"
    for _ in range(100):
        floor.now += S // 2
        floor.quote(mark=float("nan"))
        assert floor.moves(floor.look(quoted=False)) == []
    assert floor.reading("liq_distance").state == "unknown"
    assert floor.moves(floor.run(HEALTHY)) == [("active", "liq_distance")]


def test_one_cause_hands_over_to_the_next():
    floor = Floor(stale_s_max=20)
    floor.open(short="0")
    floor.run(31)
    assert floor.watch.risk.cause == "unhedged"
    floor.hedge()
    said = []
    for _ in range(200):  # 100 s without the short leg; the missing leg is well after 30 s
        floor.now += S // 2
        said += floor.look(LONG)
    assert floor.moves(said) == [("reducing", "stale")]
    assert floor.moves(floor.run(HEALTHY)) == [("active", "stale")]


def test_reducing_gives_way_to_halted():
    floor = Floor()
    floor.open(short="0")
    floor.run(31)
    assert floor.moves(floor.run(5, 8_000)) == [("halted", "drawdown")]
    floor.hedge()
    assert floor.moves(floor.run(600)) == []
