"""Funding and feeds as plain rows."""

from decimal import Decimal

from ui_rig import PERP, SPOT, Rig

from basisdesk.events import LINK, ExitPlan, FundingHistory, LinkChange, OpenPair
from basisdesk.ui.market_rows import (
    STATES,
    RateMeter,
    delay_ms,
    funding_rows,
    link_rows,
    payment_rows,
    settled_rows,
    state_cell,
    stream_rows,
)

D = Decimal
HOUR_MS = 3_600_000


def test_one_rate_on_three_scales_with_its_countdown():
    rig = Rig().begin()
    (row,) = funding_rows(rig.engine)
    assert row.name == "Bybit perp ADAUSDT"
    assert row.rate == row.per_8h == "+0.0184 %"
    assert row.interval == "8 h"
    assert row.per_year == "+20.1 %"
    assert row.cap == "\u00b12.00 %"
    assert row.held == "none"
    assert len(row.left) == 8


def test_an_interval_of_four_hours_is_scaled_by_four():
    rig = Rig().begin()
    clock = rig.engine.market.legs[PERP].funding
    clock.interval_h = 4.0
    (row,) = funding_rows(rig.engine)
    assert row.rate == "+0.0184 %"
    assert row.per_8h == "+0.0368 %"
    assert row.per_year == "+40.3 %"


def test_before_anything_was_heard_there_are_dashes_and_no_zero():
    rig = Rig()
    rig.engine.market.leg(PERP)
    (row,) = funding_rows(rig.engine)
    assert (row.rate, row.per_8h, row.left, row.settled) == ("\u2013",) * 4


def test_a_settlement_becomes_a_payment_of_the_pair():
    rig = Rig().begin()
    rig.submit(OpenPair(SPOT, PERP, D(4000), D(2), ExitPlan(D(-100), D(900), D(72))))
    for _ in range(410):  # past 16:00 UTC, in steps short enough to be heard in time
        rig.move(0.3640, 68.0, seconds=60.0, levels=5)
    (row,) = payment_rows(list(rig.engine.outcomes), rig.engine, utc=True)
    assert row.pair == 1
    assert row.rate == "+0.0184 %"
    assert row.qty == "\u22123,996"
    assert row.amount.startswith("+0.2")
    assert row.sign == 1
    assert row.late == ""


def test_settled_rates_stand_newest_first():
    rig = Rig().begin()
    now_ms = rig.engine.now_ns // 1_000_000 // HOUR_MS * HOUR_MS
    history = FundingHistory(PERP, [(now_ms - 16 * HOUR_MS, "0.0001"), (now_ms, "-0.0002")])
    rig.engine.market.apply(history, rig.engine.now_ns)
    newest, older = settled_rows(rig.engine.market.legs[PERP].funding, utc=True)
    assert newest.rate == "\u22120.0200 %"
    assert newest.sign == -1
    assert older.rate == "+0.0100 %"


def test_every_stream_has_a_state_with_a_shape_and_its_counts():
    rig = Rig().begin()
    meter = RateMeter()
    rows = {row.key: row for row in stream_rows(rig.engine, meter)}
    assert len(rows) == 5
    row = rows["bybit.spot/orderbook.1.ADAUSDT"]
    assert row.state == "\u25cf live"
    assert row.latency == "0 / 0"  # as quick as the quickest of its connection
    assert (row.gaps, row.resyncs, row.bad) == ("0", "0", "0")
    rig.frame(LINK, LinkChange("bybit.spot", "down", "the venue closed"))
    rows = {row.key: row for row in stream_rows(rig.engine, meter)}
    assert rows["bybit.spot/orderbook.1.ADAUSDT"].state == "\u25a0 down"
    assert rows["bybit.spot/orderbook.1.ADAUSDT"].error == "the venue closed"


def test_each_connection_says_why_it_is_down():
    rig = Rig().begin()
    rig.frame(LINK, LinkChange("bybit.spot", "down", "the venue closed"))
    rows = {row.key: row for row in link_rows(rig.engine, rig.context.status, utc=True)}
    assert rows["bybit.linear"].state == "\u25cf up"
    assert rows["bybit.spot"].state == "\u25a0 down"
    assert rows["bybit.spot"].reason == "the venue closed"
    assert rows["bybit.spot"].connects == "1"


def test_states_differ_by_more_than_colour():
    by_colour = {}
    for state, (shape, token, _) in STATES.items():
        by_colour.setdefault(token, set()).add(shape)
        assert state in state_cell(state)[0]
    shapes = [shape for token in ("gain", "warn", "loss") for shape in by_colour[token]]
    assert len(shapes) == len(set(shapes))
    assert state_cell("")[0] == "\u25cb idle"


def test_messages_a_second_are_measured_over_whole_seconds():
    meter = RateMeter()
    assert meter.rate("a", 0, 0) != meter.rate("a", 0, 0)  # NaN until a second has passed
    assert meter.rate("a", 40, 1_000_000_000) == 40.0
    assert meter.rate("a", 90, 1_500_000_000) == 40.0
    assert 40.0 < meter.rate("a", 140, 2_000_000_000) < 100.0


def test_a_delay_is_over_the_best_of_its_connection_and_never_negative():
    rig = Rig().begin()
    stream = rig.engine.market.streams["bybit.spot/orderbook.1.ADAUSDT"]
    best = stream.link.best_lag_ms()
    stream.lags.clear()
    stream.lags.extend([best - 5_000.0, best + 12.0, best + 85.0])
    assert delay_ms(stream) == (12.0, 85.0)
    stream.lags.clear()
    stream.lags.extend([best - 5_000.0])  # a clock that was put back, or fast motion
    assert delay_ms(stream) == (0.0, 0.0)
