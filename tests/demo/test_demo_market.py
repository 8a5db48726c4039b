"""The market as a whole: seeded, continuous, its venues, candles and settlements consistent."""

import json
import math

import numpy as np
import pytest

from basisdesk.demo.coins import CALIBRATED, COINS
from basisdesk.demo.funding import HOUR_MS, INTERVAL_MS, MINUTE_MS
from basisdesk.demo.listings import specs_of
from basisdesk.demo.market import KEEP_DAYS, Market
from basisdesk.demo.places import DAY_MIN
from basisdesk.errors import SettingsError
from tests.demo.demo_rig import EPOCH_MS, FIVE, PERP_KEYS, SPOT_KEYS

ABROAD = [
    "binance:spot:ADAUSDT", "binance:perp:1000PEPEUSDT", "okx:perp:BTC-USDT-SWAP",
    "kraken:spot:ADA/USD", "kraken:perp:PF_XBTUSD", "kraken:spot:USDT/USD",
]  # fmt: skip
KEYS = [*SPOT_KEYS, *PERP_KEYS, *ABROAD]


def shown(market, now_ms, keys=KEYS):
    market.advance(now_ms)
    return [(market.find(key).mid(now_ms), market.find(key).view(now_ms)) for key in keys]


def past(market, now_ms, keys=KEYS):
    since_ms = now_ms - 2 * DAY_MIN * MINUTE_MS
    return [
        (leg.candles(since_ms, now_ms, now_ms), list(leg.settlements(now_ms)) if leg.perp else [])
        for leg in map(market.find, keys)
    ]


def test_same_seed_same_market_whatever_the_looking_times():
    one, two = Market(11, "mixed", EPOCH_MS), Market(11, "mixed", EPOCH_MS)
    end_ms = EPOCH_MS + 7 * MINUTE_MS + 1234
    for now_ms in range(EPOCH_MS, end_ms, 20_000):
        shown(one, now_ms)
    assert shown(one, end_ms) == shown(two, end_ms)
    assert past(one, end_ms) == past(two, end_ms)


def test_a_coin_that_is_looked_at_late_has_the_same_path():
    one, two = Market(11, "mixed", EPOCH_MS), Market(11, "mixed", EPOCH_MS)
    later_ms = EPOCH_MS + 3 * DAY_MIN * MINUTE_MS
    shown(one, EPOCH_MS, ["okx:perp:SOL-USDT-SWAP"])
    for key in ("okx:perp:SOL-USDT-SWAP", "bybit:perp:ADAUSDT"):
        assert shown(one, later_ms, [key]) == shown(two, later_ms, [key])
        assert past(one, later_ms, [key]) == past(two, later_ms, [key])


def test_another_seed_is_another_market():
    one, two = Market(11, "mixed", EPOCH_MS), Market(12, "mixed", EPOCH_MS)
    assert past(one, EPOCH_MS, KEYS[:1]) != past(two, EPOCH_MS, KEYS[:1])


def test_nothing_is_walked_before_it_is_asked_for():
    market = Market(11, "mixed", EPOCH_MS)
    assert market.dump()["coins"] == {}
    market.find("bybit:perp:ADAUSDT").mid(EPOCH_MS)
    assert set(market.dump()["coins"]) == {"ADA"}


def test_it_begins_at_the_known_prices_with_a_day_of_candles_and_30_settlements():
    market = Market(3, "2025 calm", EPOCH_MS)
    for coin in CALIBRATED:
        perp = market.find(f"bybit:perp:{coin.name}USDT")
        leg = market.find(f"bybit:spot:{coin.name}USDT")
        assert leg.mid(EPOCH_MS) == pytest.approx(coin.price, rel=0.01)
        rows = leg.candles(EPOCH_MS - 1440 * MINUTE_MS, EPOCH_MS, EPOCH_MS)
        times = [row.t_ms for row in rows]
        assert times == list(range(times[0], times[0] + 1440 * MINUTE_MS, MINUTE_MS))
        assert times[-1] == EPOCH_MS // MINUTE_MS * MINUTE_MS
        settled = [t_ms for t_ms, _, _ in perp.settlements(EPOCH_MS)]
        assert len(settled) >= 30
        assert all(t_ms % INTERVAL_MS == 0 for t_ms in settled)
        assert np.all(np.diff(settled) == INTERVAL_MS)


def test_candles_are_sane_and_continuous_into_the_present():
    market = Market(3, "mixed", EPOCH_MS)
    now_ms = EPOCH_MS + 5 * MINUTE_MS
    for key in KEYS:
        rows = market.find(key).candles(0, now_ms, now_ms)
        ohlc = np.array([row[1:5] for row in rows])
        assert (ohlc[:, 1] >= ohlc.max(axis=1)).all()
        assert (ohlc[:, 2] <= ohlc.min(axis=1)).all()
        gaps = np.abs(np.log(ohlc[1:, 0] / ohlc[:-1, 3]))
        assert gaps[-6:].max() < 0.004, "history and present do not meet"
        assert min(row.volume for row in rows) > 0
        assert market.find(key).mid(now_ms) == pytest.approx(rows[-1].close, rel=0.001)


def test_a_day_is_that_of_its_candles():
    market = Market(3, "mixed", EPOCH_MS)
    leg = market.find("binance:perp:1000PEPEUSDT")
    whole = EPOCH_MS // MINUTE_MS * MINUTE_MS
    rows = leg.candles(whole - 1440 * MINUTE_MS, whole, EPOCH_MS)
    day = leg.day(EPOCH_MS)
    assert day.high == pytest.approx(max(row.high for row in rows), rel=1e-4)
    assert day.low == pytest.approx(min(row.low for row in rows), rel=1e-4)
    assert day.first == pytest.approx(rows[0].open, rel=1e-4)
    assert day.volume == pytest.approx(sum(row.volume for row in rows))
    assert day.turnover == pytest.approx(day.volume * 4.52e-6, rel=0.3)


@pytest.mark.parametrize("key", ["bybit:spot:BTCUSDT", "bybit:perp:BTCUSDT", *ABROAD[2:5]])
def test_minutes_do_not_jump_at_their_borders(key):
    """Over 20 borders the move across is no larger than the largest inside (100 ms each)."""
    start_ms = EPOCH_MS // MINUTE_MS * MINUTE_MS
    looks = [lambda leg, t_ms: leg.mid(t_ms)]
    if ":perp:" in key:
        looks.append(lambda leg, t_ms: leg.view(t_ms).mark_price)
    for look in looks:
        inside, across, last = [], [], None
        leg = Market(5, "2025 calm", EPOCH_MS).find(key)
        for minute in range(20):
            at_ms = start_ms + minute * MINUTE_MS
            values = [math.log(look(leg, at_ms + k * 100)) for k in range(600)]
            inside.append(np.abs(np.diff(values)).max())
            if last is not None:
                across.append(abs(values[0] - last))
            last = values[-1]
        assert max(across) <= max(inside) * 1.5


@pytest.mark.parametrize(
    ("key", "hours"),
    [("bybit:perp:ADAUSDT", 8), ("okx:perp:PEPE-USDT-SWAP", 4), ("kraken:perp:PF_ADAUSD", 1)],
)
def test_the_rate_shown_before_a_settlement_is_the_rate_settled(key, hours):
    leg = Market(9, "2021 mania", EPOCH_MS).find(key)
    stamp = leg.view(EPOCH_MS).next_funding_ms
    assert stamp % (hours * HOUR_MS) == 0
    before = leg.view(stamp - 1)
    assert before.next_funding_ms == stamp
    assert before.interval_h == hours
    after = leg.view(stamp)
    assert leg.settlements(stamp)[-1][:2] == (stamp, before.rate)
    assert after.settled_rate == before.rate
    assert leg.settlements(stamp)[-1][2] == pytest.approx(after.mark_price, rel=0.001)
    assert after.next_funding_ms == stamp + hours * HOUR_MS


def test_mark_lies_between_the_legs_within_a_few_bp():
    market = Market(4, "mixed", EPOCH_MS)
    for now_ms in range(EPOCH_MS, EPOCH_MS + 10 * MINUTE_MS, 15_000):
        for key in (*PERP_KEYS, "okx:perp:BTC-USDT-SWAP", "kraken:perp:PF_XBTUSD"):
            leg = market.find(key)
            view, mid = leg.view(now_ms), leg.mid(now_ms)
            low, high = min(view.index_price, mid), max(view.index_price, mid)
            assert low * (1 - 20e-4) < view.mark_price < high * (1 + 20e-4)


def test_seconds_have_fat_tails_and_coins_move_together():
    market = Market(4, "2025 calm", EPOCH_MS)
    times = range(EPOCH_MS, EPOCH_MS + 60 * MINUTE_MS, 1000)
    moves = [
        np.diff(np.log([market.find(f"bybit:perp:{name}USDT").mid(t) for t in times]))
        for name in ("BTC", "ETH")
    ]
    assert np.corrcoef(moves)[0, 1] > 0.4
    assert (moves[0] ** 4).mean() / (moves[0] ** 2).mean() ** 2 > 3.5
    assert moves[0].std() * math.sqrt(365 * 86_400) == pytest.approx(0.5, rel=0.6)


# Venues


@pytest.mark.parametrize("name", FIVE)
def test_venues_stand_near_each_other_but_not_on_each_other(name):
    market = Market(4, "mixed", EPOCH_MS)
    coin = next(coin for coin in COINS if coin.name == name)
    keys = [f"bybit:spot:{name}USDT", f"binance:spot:{name}USDT", f"okx:spot:{name}-USDT"]
    away = np.array(
        [[market.find(key).mid(EPOCH_MS + k * 30_000) for key in keys] for k in range(240)]
    )
    away = (away[:, 1:] / away[:, :1] - 1) * 1e4
    assert np.abs(away).max() < 15
    assert (away.std(axis=0) > 0.02).all()
    assert np.abs(away.mean(axis=0)).max() < coin.spread_bp[0] + 1.0


def test_premiums_of_venues_go_together():
    """Correlation of the perps' premiums of two venues over ten days is .7 or more."""
    market = Market(4, "mixed", EPOCH_MS)
    first = EPOCH_MS // MINUTE_MS - 10 * DAY_MIN
    for name in FIVE:
        keys = [f"bybit:perp:{name}USDT", f"binance:perp:{name}USDT", f"okx:perp:{name}-USDT-SWAP"]
        paths = [market.find(key)._premiums(first, 10 * DAY_MIN)[::15] for key in keys]
        assert np.corrcoef(paths).min() > 0.7, name


def test_kraken_counts_in_dollars_by_the_cross_rate():
    market = Market(4, "mixed", EPOCH_MS)
    for now_ms in range(EPOCH_MS, EPOCH_MS + 30 * MINUTE_MS, 60_000):
        usd = market.find("kraken:spot:USDT/USD").mid(now_ms)
        ratio = market.find("kraken:perp:PF_ADAUSD").view(now_ms).index_price
        ratio /= market.find("bybit:perp:ADAUSDT").view(now_ms).index_price
        assert ratio == pytest.approx(usd, rel=1e-4)


@pytest.mark.parametrize(
    ("key", "rate"),
    [
        ("kraken:spot:USDT/USD", 0.9995),
        ("bybit:spot:USDCUSDT", 1.0001),
        ("binance:spot:USDCUSDT", 1.0001),
        ("okx:spot:USDC-USDT", 1.0001),
        ("kraken:spot:USDC/USD", 0.9995 * 1.0001),
    ],
)
def test_cross_rates_wander_slowly_around_their_mean(key, rate):
    leg = Market(4, "mixed", EPOCH_MS).find(key)
    closes = np.array([row.close for row in leg.candles(0, EPOCH_MS, EPOCH_MS)])
    assert len(closes) > 9 * DAY_MIN
    assert closes.mean() == pytest.approx(rate, abs=1e-4)
    assert 0.5e-4 < closes.std() < 4e-4
    assert np.abs(np.diff(closes)).max() < 2e-4


def test_every_instrument_of_every_venue_can_be_had():
    market = Market(4, "mixed", EPOCH_MS)
    count = 0
    for venue in ("bybit", "binance", "okx", "kraken"):
        for kind in ("spot", "perp"):
            for spec in specs_of(venue, kind)[::7]:
                view, mid = market.leg(spec).view(EPOCH_MS), market.leg(spec).mid(EPOCH_MS)
                assert mid == pytest.approx(view.index_price, rel=0.02)
                assert mid / float(spec.tick) > 1_000, spec.key
                count += 1
    assert count > 60


# Keeping


def test_dump_goes_through_json_and_continues_the_same_path():
    market = Market(21, "mixed", EPOCH_MS)
    later_ms = EPOCH_MS + 3 * MINUTE_MS + 700
    shown(market, later_ms)
    kept = json.loads(json.dumps(market.dump()))
    again = Market.restored(21, "mixed", kept, later_ms)
    assert again.anchor_ms == EPOCH_MS
    for now_ms in (later_ms, later_ms + 4 * MINUTE_MS):
        assert shown(again, now_ms) == shown(market, now_ms)
        assert past(again, now_ms) == past(market, now_ms)


def test_a_market_of_many_days_forgets_the_oldest_and_can_still_be_dumped():
    market = Market(21, "2025 calm", EPOCH_MS)
    key = ["bybit:perp:ADAUSDT"]
    shown(market, EPOCH_MS, key)
    for day in range(1, 61):
        now_ms = EPOCH_MS + day * DAY_MIN * MINUTE_MS
        shown(market, now_ms, key)
    assert len(market._days["ADA"]._days) <= KEEP_DAYS + 2
    again = Market.restored(21, "2025 calm", json.loads(json.dumps(market.dump())), now_ms)
    assert shown(again, now_ms, key) == shown(market, now_ms, key)
    since_ms = now_ms - 9 * DAY_MIN * MINUTE_MS
    for one, two in [(again.find(key[0]), market.find(key[0]))]:
        assert one.candles(since_ms, now_ms, now_ms) == two.candles(since_ms, now_ms, now_ms)
        assert one.settlements(now_ms)[-25:] == two.settlements(now_ms)[-25:]


def test_a_process_that_slept_for_months_goes_on():
    market = Market(21, "mixed", EPOCH_MS)
    keys = ["bybit:perp:ADAUSDT", "kraken:perp:PF_ADAUSD"]
    shown(market, EPOCH_MS, keys)
    later_ms = EPOCH_MS + 200 * DAY_MIN * MINUTE_MS
    shown(market, later_ms, [*keys, "okx:spot:SOL-USDT"])
    for key in keys:
        leg = market.find(key)
        assert leg.settlements(later_ms)[-1][0] > later_ms - INTERVAL_MS
        assert len(leg.candles(later_ms - 1440 * MINUTE_MS, later_ms, later_ms)) >= 1440


def test_a_long_gap_is_filled_and_does_not_jump():
    market = Market(21, "2025 calm", EPOCH_MS)
    before = shown(market, EPOCH_MS)
    later_ms = EPOCH_MS + 720 * MINUTE_MS
    after = shown(market, later_ms)
    for key, (was, _), (now, _) in zip(KEYS, before, after, strict=True):
        assert abs(math.log(now / was)) < 0.2
        rows = market.find(key).candles(EPOCH_MS, later_ms, later_ms)
        assert np.all(np.diff([row.t_ms for row in rows]) == MINUTE_MS)
        closes = np.array([row.close for row in rows])
        assert np.abs(np.diff(np.log(closes))).max() < 0.03


@pytest.mark.parametrize("spoilt", [{}, {"version": 1}, {"version": 2, "anchor_ms": 1}])
def test_a_foreign_dump_is_refused(spoilt):
    with pytest.raises(ValueError, match=r".+"):
        Market.restored(1, "mixed", spoilt, EPOCH_MS)


def test_an_unknown_scenario_is_one_sentence():
    with pytest.raises(SettingsError, match=r"Unknown scenario 'boom'\. Known: mixed, "):
        Market(1, "boom", EPOCH_MS)
