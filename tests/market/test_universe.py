"""The watched universe: which legs it holds, what pages and depth pages do, what is odd."""

import math

import msgspec
import numpy as np
import pytest

from basisdesk.config import Scanner, Settings
from basisdesk.events import (
    Changed,
    FundingInfo,
    ScanBook,
    ScanPage,
    ScanPast,
    ScanRow,
)
from basisdesk.market import universe as room
from basisdesk.market.state import Market
from basisdesk.market.universe import Universe
from basisdesk.market_time import in_market_time

T0 = 1_790_006_400_000  # ms, 2026-09-21 16:00:00 UTC
S = 1_000_000_000
NAN = math.nan
SPOT, PERP = "bybit:spot:SOLUSDT", "bybit:perp:SOLUSDT"


def conf(**scanner):
    scanner.setdefault("coins", ("BTC", "SOL", "PEPE"))
    return msgspec.structs.replace(Settings(), scanner=Scanner(**scanner))


def row(key, mid=100.0, **fields):
    return ScanRow(key, mid - 0.5, 2.0, mid + 0.5, 3.0, **fields)


def page(*rows, venue_ms=0):
    return ScanPage(rows[0].instrument.partition(":")[0], rows, venue_ms)


def ns(s=0.0):
    return T0 * 1_000_000 + round(s * S)


@pytest.fixture
def seen():
    return Universe(conf())


def test_only_watched_coins_and_venues(seen):
    seen = Universe(conf(venues=("bybit", "kraken")))
    keys = (SPOT, PERP, "bybit:spot:ADAUSDT", "okx:perp:SOL-USDT-SWAP", "bybit:spot:SOLEUR")
    for key in (*keys, "bybit:perp:BTCPERP", "bybit:spot:nonsense", "no key", "a:b:c:d"):
        seen.apply(page(row(key)), ns())
    assert set(seen.legs) == {SPOT, PERP, "bybit:perp:BTCPERP"}
    assert [leg.key for leg in seen.of("SOL")] == [SPOT, PERP]
    assert seen.of("XRP") == ()


def test_coins_are_known_by_their_venues_names(seen):
    for key in ("kraken:perp:PF_XBTUSD", "kraken:spot:XBT/USD", "binance:perp:1000PEPEUSDT"):
        seen.apply(page(row(key)), ns())
    assert {leg.coin for leg in seen.legs.values()} == {"BTC", "PEPE"}
    leg = seen.legs["kraken:perp:PF_XBTUSD"]
    assert (leg.venue, leg.market, leg.quote) == ("kraken", "perp", "USD")


def test_one_leg_a_place_by_preference_of_currency(seen):
    usdc, usdt, dollar = "bybit:spot:SOLUSDC", SPOT, "bybit:spot:SOLUSD"
    seen.apply(page(row(dollar), row(usdc)), ns())
    assert set(seen.legs) == {usdc}
    seen.apply(page(row(usdt), row(usdc)), ns(1))
    assert set(seen.legs) == {usdt}
    assert [leg.key for leg in seen.of("SOL")] == [usdt]
    seen.apply(page(row(usdc)), ns(2))
    assert set(seen.legs) == {usdt}
    kraken = ("kraken:spot:SOL/USDT", "kraken:spot:SOL/USDC", "kraken:spot:SOL/USD")
    seen.apply(page(*map(row, kraken)), ns(3))
    assert kraken[2] in seen.legs
    assert not set(kraken[:2]) & set(seen.legs)


def test_a_leg_that_is_gone_gives_way(seen):
    seen.apply(page(row(SPOT)), ns())
    other = page(row("bybit:spot:SOLUSDC"))
    seen.apply(other, ns(600))
    assert set(seen.legs) == {SPOT}
    before = seen.edition
    seen.apply(other, ns(601))
    assert set(seen.legs) == {"bybit:spot:SOLUSDC"}
    assert seen.edition == before + 1


def test_the_edition_moves_with_the_legs_only(seen):
    seen.apply(page(row(SPOT)), ns())
    first = seen.edition
    assert first > 0
    seen.apply(page(row(SPOT, 101.0), row("bybit:spot:ADAUSDT")), ns(5))
    seen.apply(ScanBook(SPOT, ((100.0, 1.0),), ((101.0, 1.0),)), ns(6))
    assert seen.edition == first
    seen.apply(page(row(PERP)), ns(7))
    assert seen.edition > first


def test_what_a_page_does_not_say_is_kept(seen):
    seen.apply(page(row(PERP, mark=100.1, open_interest=7.0, turnover_day=9.0), venue_ms=T0), ns())
    leg = seen.legs[PERP]
    assert (leg.bid, leg.bid_size, leg.ask, leg.ask_size) == (99.5, 2.0, 100.5, 3.0)
    assert (leg.t_ns, leg.venue_ms, leg.mid) == (ns(), T0, 100.0)
    seen.apply(page(ScanRow(PERP, rate=1e-4, interval_h=4.0, next_ms=T0 + 14_400_000)), ns(5))
    assert (leg.bid, leg.mark, leg.open_interest, leg.turnover_day) == (99.5, 100.1, 7.0, 9.0)
    assert leg.t_ns == ns()  # the touch is not younger for it
    assert (leg.rate_ns, leg.heard_ns) == (ns(5), ns(5))
    clock = leg.funding
    assert (clock.rate, clock.interval_h, clock.next_ms) == (1e-4, 4.0, T0 + 14_400_000)
    assert clock.heard_ms == T0 + 5_000
    assert clock.mark == 100.1
    assert seen.legs.get(SPOT) is None


def test_spot_has_no_funding(seen):
    seen.apply(page(row(SPOT, rate=1e-4, interval_h=8.0)), ns())
    assert seen.legs[SPOT].funding is None


@pytest.mark.parametrize(
    ("bid", "ask"),
    [(101.0, 100.0), (100.0, 100.0), (0.0, 1.0), (-1.0, 1.0), (NAN, 1.0), (1.0, math.inf)],
)
def test_a_touch_that_cannot_be_moves_nothing(seen, bid, ask):
    seen.apply(page(row(SPOT)), ns())
    seen.apply(page(ScanRow(SPOT, bid, 1.0, ask, 1.0)), ns(5))
    leg = seen.legs[SPOT]
    assert (leg.bid, leg.ask, leg.t_ns) == (99.5, 100.5, ns())
    assert seen.refused == 1


def test_a_size_that_is_not_said_is_not_known(seen):
    seen.apply(page(row(SPOT)), ns())
    seen.apply(page(ScanRow(SPOT, 99.0, NAN, 100.0, -1.0)), ns(1))
    leg = seen.legs[SPOT]
    assert math.isnan(leg.bid_size)
    assert math.isnan(leg.ask_size)
    assert leg.bid == 99.0


def test_a_depth_page_is_a_touch_too(seen):
    bids, asks = ((99.0, 1.0), (98.0, 5.0)), ((101.0, 2.0),)
    seen.apply(ScanBook(PERP, bids, asks, T0), ns())
    leg = seen.legs[PERP]
    assert leg.book == (bids, asks, ns())
    assert (leg.bid, leg.bid_size, leg.ask, leg.ask_size, leg.t_ns) == (99.0, 1.0, 101.0, 2.0, ns())
    seen.apply(ScanBook(PERP, ((102.0, 1.0),), asks), ns(1))  # crossed
    seen.apply(ScanBook(PERP, (), asks), ns(2))
    assert leg.book == (bids, asks, ns())
    assert seen.refused == 2
    seen.apply(ScanBook("bybit:perp:ADAUSDT", bids, asks), ns(3))
    assert "bybit:perp:ADAUSDT" not in seen.legs


# --- hygiene --------------------------------------------------------------------------------------


def told(seen, *mids, coin="SOL"):
    venues = ("binance", "bybit", "okx", "kraken")
    keys = [
        {"okx": f"okx:perp:{coin}-USDT-SWAP", "kraken": f"kraken:perp:PF_{coin}USD"}.get(
            venue, f"{venue}:perp:{coin}USDT"
        )
        for venue in venues
    ]
    for key, mid in zip(keys, mids, strict=False):
        seen.apply(page(row(key, mid)), ns())
    return keys[: len(mids)]


def test_the_same_name_for_another_coin_is_odd(seen):
    keys = told(seen, 100.0, 101.0, 200.0)
    assert set(seen.odd) == {keys[2]}
    assert "OKX perp SOL-USDT-SWAP is at 200" in seen.odd[keys[2]]
    assert "the other SOL legs are at 100.5" in seen.odd[keys[2]]
    assert [leg.key for leg in seen.of("SOL")] == keys[:2]
    assert set(seen.legs) == set(keys)
    before = seen.edition
    seen.apply(page(row(keys[2], 102.0)), ns(1))
    assert seen.odd == {}
    assert seen.edition == before + 1


def test_of_two_that_differ_nobody_knows_which_is_meant(seen):
    assert set(told(seen, 100.0, 130.0)) == set(seen.odd)
    third = "okx:perp:SOL-USDT-SWAP"
    seen.apply(page(row(third, 129.0)), ns(1))
    assert set(seen.odd) == {"binance:perp:SOLUSDT"}


def test_two_against_two_are_all_odd(seen):
    assert set(told(seen, 100.0, 100.0, 130.0, 130.0)) == set(seen.odd)


def test_a_fifth_off_is_still_the_same_coin(seen):
    told(seen, 100.0, 124.0)
    assert seen.odd == {}
    assert told(seen, 100.0, coin="BTC")
    assert seen.odd == {}  # one alone has nothing to differ from


def test_a_mark_far_from_its_own_mid_is_odd(seen):
    keys = told(seen, 100.0, 100.0, 100.0)
    seen.apply(page(ScanRow(keys[1], mark=100_000.0)), ns(1))
    assert set(seen.odd) == {keys[1]}


# --- funding, past, the hand-over -----------------------------------------------------------------


def test_intervals_of_the_venues_list_reach_the_clocks():
    market = Market(conf())
    known = FundingInfo("bybit", ((PERP, 4.0, 0.02),), 8.0)
    market.apply_all([page(row(PERP, rate=1e-4), row("bybit:perp:BTCUSDT", rate=1e-4))], ns())
    assert market.universe.legs[PERP].funding.interval_h == 0.0
    market.apply_all([known], ns(1))
    clocks = {key: leg.funding for key, leg in market.universe.legs.items()}
    assert clocks[PERP].interval_h == 4.0
    assert clocks[PERP].cap == 0.02
    assert clocks["bybit:perp:BTCUSDT"].interval_h == 8.0
    market.apply_all([page(row("bybit:perp:PEPEUSDT"))], ns(2))  # one that comes later
    assert market.universe.legs["bybit:perp:PEPEUSDT"].funding.interval_h == 8.0
    market.apply_all([page(ScanRow(PERP, rate=1e-4, interval_h=1.0))], ns(3))
    assert clocks[PERP].interval_changes[-1][1:] == (4.0, 1.0)


def test_the_past_is_learnt_by_the_store_and_by_the_clock(seen):
    settled = ((T0 - 57_600_000, 0.0002), (T0 - 28_800_000, 0.0001))
    seen.apply(ScanPast(PERP, ((T0 - 120_000, 100.0),), settled), ns())
    ms, rate = seen.past.settled(PERP)
    assert list(zip(ms.tolist(), rate.tolist(), strict=True)) == list(settled)
    assert seen.legs[PERP].funding.last_settled == 0.0001
    seen.apply(ScanPast("bybit:perp:ADAUSDT", (), settled), ns())
    assert len(seen.past.settled("bybit:perp:ADAUSDT")[0]) == 0


def test_a_minute_that_passed_is_sampled_and_settlements_are_noted(seen):
    stamp = T0 + 60_000
    seen.apply(page(row(PERP, mark=100.0, rate=3e-4, interval_h=8.0, next_ms=stamp)), ns(50))
    seen.apply(page(row(SPOT, 99.0)), ns(10))
    seen.apply(page(row(PERP, 102.0, rate=5e-4, next_ms=stamp + 28_800_000)), ns(61))
    first, logs = seen.past.minutes(PERP)
    at = T0 // 60_000 - first
    assert math.exp(logs[at]) == pytest.approx(100.0, rel=1e-6)
    assert math.exp(seen.past.minutes(SPOT)[1][at]) == pytest.approx(99.0, rel=1e-6)
    seen.apply(page(row(PERP, 103.0)), ns(121))
    ms, rate = seen.past.settled(PERP)
    assert (ms.tolist(), rate.tolist()) == ([stamp], [3e-4])  # what was told before it
    # a leg that was silent in a minute has no close in it
    first, logs = seen.past.minutes(SPOT)
    assert math.isnan(logs[T0 // 60_000 + 1 - first])


@pytest.mark.parametrize(
    ("speed", "poll_s"), [(1, 5), (20, 5), (60, 5), (600, 5), (1, 90), (1, 300), (60, 300)]
)
def test_each_round_of_polling_leaves_a_close_however_far_apart_they_are(speed, poll_s):
    market = Market(in_market_time(conf(poll_s=poll_s), speed), speed=speed)
    apart_s = poll_s * speed
    rounds = 4_000 * 60 // apart_s  # in a grid of three days
    for turn in range(min(rounds, 200)):
        for key, late_s in ((PERP, 0.0), (SPOT, 0.4 * apart_s)):
            mid = 100.0 + turn % 50
            market.apply_all([page(row(key, mid))], ns(turn * apart_s + late_s))
    past = market.universe.past
    heard = {int(ns(turn * apart_s) // 60 // S) for turn in range(min(rounds, 200))}
    first, logs = past.minutes(PERP)
    known = {first + int(at) for at in np.flatnonzero(np.isfinite(logs))}
    assert heard - known <= {max(heard)}  # the newest is not over
    at = T0 // 60_000 + apart_s // 60 - first  # where the second round fell
    if apart_s >= 60:
        assert math.exp(logs[at]) == pytest.approx(101.0, rel=1e-6)
    both = np.isfinite(logs) & np.isfinite(past.minutes(SPOT)[1])
    assert both.sum() >= len(heard) - 2


def test_a_leg_that_went_silent_has_no_close_after_a_round_and_a_half():
    seen = Universe(conf(poll_s=300.0))
    for turn in range(4):
        seen.apply(page(row(PERP)), ns(300 * turn))
        if not turn:
            seen.apply(page(row(SPOT)), ns(1))
    for late_s in range(0, 660, 60):
        seen.apply(page(row("bybit:perp:BTCUSDT")), ns(late_s + 900))
    first, logs = seen.past.minutes(SPOT)
    known = first + np.flatnonzero(np.isfinite(logs)) - T0 // 60_000
    assert known.tolist() == [0, 5]  # 359 s old at the end of the sixth minute


def test_a_machine_that_slept_has_closes_up_to_its_sleep(seen):
    seen.apply(page(row(PERP)), ns(30))
    seen.apply(page(row(PERP, 120.0)), ns(8 * 3_600))
    first, logs = seen.past.minutes(PERP)
    known = np.flatnonzero(np.isfinite(logs))
    assert (first + known - T0 // 60_000).tolist() == [0]
    assert seen.past.reached == T0 // 60_000 + 8 * 60 - 1


def test_cross_rates_are_kept_and_are_no_legs(seen):
    key = "kraken:spot:USDT/USD"
    seen.apply(page(ScanRow(key, 0.9996, 1.0, 0.9998, 1.0)), ns())
    assert seen.legs == {}
    assert seen.crosses[key].mid == pytest.approx(0.9997)
    assert seen.edition == 0


def test_strangers_are_forgotten_before_they_fill_the_memory(seen, monkeypatch):
    monkeypatch.setattr(room, "NAMES_MAX", 50)
    seen.apply(page(row(SPOT)), ns())
    for place in range(200):
        seen.apply(page(row(f"bybit:spot:X{place}USDT")), ns(1))
    assert len(seen._names) <= 50
    seen.apply(page(row(SPOT, 101.0)), ns(2))
    assert seen.legs[SPOT].mid == 101.0
    assert seen.edition == 1


def test_the_market_hands_over_and_moves_no_leg():
    market = Market(conf())
    events = (page(row(SPOT)), ScanBook(SPOT, ((99.0, 1.0),), ((101.0, 1.0),)), ScanPast(SPOT))
    for event in events:
        assert market.apply_all([event], ns()) is Changed.NOTHING
    assert market.legs == {}
    assert market.universe.legs[SPOT].book is not None
    assert (market.frames, market.events) == (3, 3)
    market.leg(SPOT)
    market.apply_all([page(row(SPOT))], ns(1))
    assert math.isnan(market.legs[SPOT].mid)


def test_a_renamed_instrument_takes_the_old_ones_place_once_that_is_gone(seen):
    old, new = "bybit:perp:1000PEPEUSDT", "bybit:perp:PEPEUSDT"
    seen.apply(page(row(old)), ns())
    seen.apply(page(row(new)), ns(300))
    assert set(seen.legs) == {old}
    seen.apply(page(row(new)), ns(601))
    assert set(seen.legs) == {new}
    assert [leg.key for leg in seen.of("PEPE")] == [new]
    seen.apply(page(row(old)), ns(602))  # it comes back too late
    assert set(seen.legs) == {new}
