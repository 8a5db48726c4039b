"""The sector overlay over a universe: levels, divergence, z, states, flags, words, momentum."""

import math
import time

import numpy as np
import pytest
from sector_rig import DEFI, L1, MAP, NOW_MS, STEP, SectorRig, wobble

from basisdesk.config import COINS
from basisdesk.events import ScanPage, ScanRow
from basisdesk.scan.sector_map import parse_sectors
from basisdesk.scan.sector_states import LINE
from basisdesk.scan.sectors import UNPROVEN
from basisdesk.ui.resources import resource


def hot(coin, i):
    """DeFi far over the rest at the two newest settlements."""
    return 9.0 if coin in DEFI and i < 2 else wobble(coin, i)


def cold(coin, i):
    return -9.0 if coin in DEFI and i < 2 else wobble(coin, i)


def test_nothing_is_said_before_anything_is_known():
    rig = SectorRig()
    assert rig.beats(2).rows == ()
    assert rig.sectors.flag("UNI", 1) == ""
    assert set(rig.sectors.words().values()) == {""}


def test_the_level_is_the_median_of_members_each_the_median_of_its_venues():
    rig = SectorRig()
    rates = dict(zip(L1, (1.0, 2.0, 2.5, 3.0, 4.0, 6.0, 50.0), strict=True))
    rig.page(lambda coin: rates.get(coin, 5.0))
    rig.beats(1)
    assert rig.row("L1").funding_8h_bp == pytest.approx(3.0)
    assert rig.row("L1").divergence_bp == pytest.approx(-2.0)  # median of all is 5
    assert rig.row("DeFi").divergence_bp == pytest.approx(0.0)
    assert (rig.row("L1").members, rig.row("L1").liquid) == (7, 7)


def test_rates_are_brought_to_8_h_by_the_true_interval():
    rig = SectorRig()
    rig.page(lambda coin: 3.0, hours=1.0)
    rig.beats(1)
    assert rig.row("L1").funding_8h_bp == pytest.approx(3.0)


def test_the_weighted_level_goes_by_open_interest():
    rig = SectorRig()
    rig.page(lambda coin: 1.0)
    row = ScanRow("bybit:perp:BTCUSDT", rate=11e-4, open_interest=9e6, turnover_day=5e6)
    rig.universe.apply(ScanPage("bybit", (row,), rig.now_ms), rig.now_ms * 1_000_000)
    rig.beats(1)
    # 11 bp on 9 of L1's 22 million, 1 bp on the rest; all have 32 million
    assert rig.row("L1").funding_oi_8h_bp == pytest.approx((99 + 13) / 22)
    assert rig.row("L1").funding_8h_bp == pytest.approx(1.0)
    assert rig.row("L1").divergence_oi_bp == pytest.approx((99 + 13) / 22 - (99 + 23) / 32)


def test_without_open_interest_the_weighted_figures_are_not_known():
    rig = SectorRig()
    rig.page(interest=math.nan)
    rig.beats(1)
    assert math.isnan(rig.row("L1").funding_oi_8h_bp)
    assert rig.row("L1").funding_8h_bp == pytest.approx(1.0)


def test_fewer_than_four_liquid_members_are_too_few():
    rig = SectorRig(coins=(*L1, "UNI", "AAVE", "CRV"))
    rig.settle(hot)
    rig.page()
    rig.beats()
    row = rig.row("DeFi")
    assert row.words == "DeFi: 3 liquid coins, 4 are needed."
    assert (row.state, row.members, row.liquid) == ("calm", 3, 3)
    assert all(map(math.isnan, (row.funding_8h_bp, row.divergence_bp, row.z, row.change_bp)))
    assert rig.sectors.flag("UNI", 1) == "neutral"


def test_coins_that_hardly_trade_are_not_liquid():
    rig = SectorRig()
    rig.page(turnover=400_000.0)  # on two venues: 800,000 a day
    rig.beats(1)
    assert rig.row("L1").liquid == 0


def test_a_rate_that_is_long_unheard_is_not_the_present_one():
    rig = SectorRig()
    rig.page()
    rig.beats(1)
    assert rig.row("L1").liquid == 7
    rig.beats(1, seconds=121)
    assert rig.row("L1").liquid == 0


def test_two_settlements_over_the_line_make_a_sector_hot():
    rig = SectorRig()
    rig.settle(hot)
    rig.page(lambda coin: 9.0 if coin in DEFI else 1.0)
    view = rig.beats()
    row = rig.row("DeFi")
    assert row.state == "hot"
    assert row.z > LINE
    assert row.words == "DeFi over the line since 2 settlements: longs crowd in."
    assert row.since_ms == (NOW_MS - 600_000) // STEP * STEP
    assert view.verdict == UNPROVEN
    assert "not a reason to trade on its own" in view.verdict.casefold()


def test_one_settlement_or_a_floating_rate_makes_no_state():
    rig = SectorRig()
    rig.settle(lambda coin, i: 9.0 if coin in DEFI and i < 1 else wobble(coin, i))
    rig.page(lambda coin: 30.0 if coin in DEFI else 1.0)
    rig.beats()
    assert rig.row("DeFi").state == "calm"
    assert rig.row("DeFi").z > LINE
    assert rig.sectors.flag("UNI", 1) == "neutral"


def test_the_state_is_the_same_after_a_restart():
    rig = SectorRig()
    rig.settle(lambda coin, i: 9.0 if coin in DEFI and 4 <= i < 9 else wobble(coin, i))
    rig.page()
    rig.beats()
    again = SectorRig()
    again.universe.past.restore(rig.universe.past.drain())
    again.page(lambda coin: 7.0, interest=5.0)  # other rates now, other weights: the same state
    again.beats()
    for name in MAP.order:
        before, after = rig.row(name), again.row(name)
        assert (before.state, before.since_ms) == (after.state, after.since_ms)
    assert rig.row("DeFi").since_ms > 0


def test_flags_confirm_who_receives_from_the_crowd():
    rig = SectorRig()
    rig.settle(hot)
    rig.page()
    rig.beats()
    assert rig.sectors.flag("UNI", 1) == "confirmed"
    assert rig.sectors.flag("UNI", -1) == "contradicted"
    assert rig.sectors.flag("UNI", 0) == "neutral"
    assert rig.sectors.flag("XRP", 1) == ""  # in no sector


def test_flags_of_a_cold_sector_are_the_other_way_round():
    rig = SectorRig()
    rig.settle(cold)
    rig.page()
    rig.beats()
    assert rig.row("DeFi").words == "DeFi under the line since 2 settlements: shorts crowd in."
    assert rig.sectors.flag("UNI", 1) == "contradicted"
    assert rig.sectors.flag("UNI", -1) == "confirmed"


def test_words_wait_until_the_past_stands_still():
    rig = SectorRig()
    rig.settle(cold)
    rig.page()
    rig.beats(12)
    assert rig.row("DeFi").state == "cold"
    assert set(rig.sectors.words().values()) == {""}
    rig.beats(35)
    assert rig.sectors.words() == dict.fromkeys(L1, "") | dict.fromkeys(DEFI, "against")
    rig.settle(hot)  # the venue's history says otherwise
    rig.beats(12)
    assert rig.row("DeFi").state == "hot"
    assert rig.sectors.words()["UNI"] == "against"
    rig.page()
    rig.beats(35)
    assert rig.sectors.words()["UNI"] == "for"


def test_in_fast_motion_a_past_stands_still_for_as_long_in_real_time():
    rig = SectorRig(speed=60.0)
    rig.settle(cold)
    rig.page()
    rig.beats(12, seconds=60)
    assert rig.row("DeFi").state == "cold"
    assert set(rig.sectors.words().values()) == {""}  # twelve real seconds
    rig.page()
    rig.beats(20, seconds=60)
    assert rig.sectors.words()["UNI"] == "against"


def test_in_fast_motion_the_history_is_looked_at_as_often(monkeypatch):
    rig = SectorRig(speed=60.0)
    rig.settle(cold)
    rig.page()
    looked = []
    monkeypatch.setattr(rig.sectors._history, "look", lambda *args: looked.append(args[2]))
    rig.beats(11, seconds=60)
    assert np.diff(looked).tolist() == [300 * 10**9] * 2


def test_two_settlements_that_were_corrected_to_the_same_sum_are_seen():
    rig = SectorRig()
    rig.settle(lambda coin, i: 9.0 if coin in DEFI and i == 5 else 1.0)
    rig.page()
    before = rig.beats().divergence_lines["DeFi"]
    rig.settle(lambda coin, i: 9.0 if coin in DEFI and i == 7 else 1.0)
    after = rig.beats().divergence_lines["DeFi"]
    found = [int(np.nanargmax(line[:-1])) for line in (before, after)]
    assert found == [len(before) - 7, len(after) - 9]


def test_a_new_settlement_is_taken_ten_minutes_after_its_stamp():
    rig = SectorRig()
    rig.settle(wobble)
    rig.page()
    first = rig.beats()
    rig.now_ms = NOW_MS - 5 * 3_600_000 + STEP + 9 * 60_000
    rig.settle(hot, stamps=1)
    rig.settle(hot, stamps=1)
    assert len(rig.beats().times_ms) == len(first.times_ms)
    assert rig.beats().times_ms[-2] == first.times_ms[-2]
    rig.now_ms += 120_000
    assert rig.beats().times_ms[-2] == first.times_ms[-2] + STEP


def test_hourly_payments_count_as_those_of_8_h():
    eight, hourly = SectorRig(), SectorRig()
    eight.settle(hot)
    hourly.settle(hot, hours=1)
    for rig in (eight, hourly):
        rig.page()
        rig.beats()
    for name in MAP.order:
        apart = eight.sectors.view.divergence_lines[name]
        assert hourly.sectors.view.divergence_lines[name] == pytest.approx(apart, nan_ok=True)


def test_the_lines_are_as_long_as_the_times_and_end_now():
    rig = SectorRig()
    rig.settle(hot)
    rig.page(lambda coin: 2.0 if coin in DEFI else 1.0)
    view = rig.beats()
    assert view.times_ms[-1] == rig.now_ms
    assert np.all(np.diff(view.times_ms[:-1]) == STEP)
    assert list(view.z_lines) == list(view.divergence_lines) == ["L1", "DeFi"]
    assert all(len(line) == len(view.times_ms) for line in view.z_lines.values())
    assert view.z_lines["DeFi"][-1] == rig.row("DeFi").z
    assert (view.map_date, view.map_source) == ("2026-11-21", "a test")


def test_change_is_against_the_settlement_a_day_ago():
    rig = SectorRig()
    rig.settle(lambda coin, i: 4.0 if i == 2 else 1.0)
    rig.now_ms = (NOW_MS - 600_000) // STEP * STEP + 3_600_000  # an hour after the newest
    rig.page(lambda coin: 6.5)
    rig.beats()
    assert rig.row("L1").change_bp == pytest.approx(6.5 - 1.0)  # the newest but three
    rig.now_ms += 7 * 3_600_000  # the next would come now; a day ago is the newest but two
    rig.page(lambda coin: 6.5)
    rig.beats(3)
    assert rig.row("L1").change_bp == pytest.approx(6.5 - 4.0)


def test_too_short_a_past_gives_no_z_and_says_so():
    rig = SectorRig()
    rig.settle(hot, stamps=10)
    rig.page()
    rig.beats()
    assert math.isnan(rig.row("DeFi").z)
    assert rig.row("DeFi").words == "DeFi: 10 settlements known, 21 are needed."


def test_momentum_is_the_mean_move_of_a_day_and_a_week_only_where_known():
    rig = SectorRig()
    rig.page()
    rig.prices(lambda coin, ago: 100.0 if ago >= 1440 else (110.0 if coin in DEFI else 99.0))
    rig.beats(1)
    assert rig.row("DeFi").momentum_day_pct == pytest.approx(10.0, abs=0.01)
    assert rig.row("L1").momentum_day_pct == pytest.approx(-1.0, abs=0.01)
    assert math.isnan(rig.row("L1").momentum_week_pct)


def test_coins_without_a_sector_are_named():
    rig = SectorRig(coins=(*L1, "QQQ", "XRP"))
    rig.page()
    assert rig.beats(1).unmapped == ("QQQ", "XRP")


def test_an_odd_leg_takes_no_part():
    rig = SectorRig()
    rig.page()
    row = ScanRow("bybit:perp:BTCUSDT", 9.9, 1.0, 10.1, 1.0, 10.0, 10.0, 0.01, 8.0)
    rig.universe.apply(ScanPage("bybit", (row,), rig.now_ms), rig.now_ms * 1_000_000)
    rig.beats(1)
    assert "bybit:perp:BTCUSDT" in rig.universe.odd
    assert rig.row("L1").funding_8h_bp == pytest.approx(1.0)


@pytest.mark.slow
def test_a_beat_over_sixty_coins_is_cheap():
    coins = tuple(COINS.split() if isinstance(COINS, str) else COINS)
    rig = SectorRig(coins, parse_sectors(resource("sectors.json").read_bytes()), days=90)
    rig.settle(wobble, stamps=270, hours=1)
    rig.page()
    took = []
    for _ in range(30):
        began = time.perf_counter()
        rig.beats(1)
        took.append((time.perf_counter() - began) * 1e3)
    assert sorted(took)[15] < 40  # ms; about 3 on the machine it was written on
    assert max(took) < 400
