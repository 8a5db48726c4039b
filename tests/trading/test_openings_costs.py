"""The scanner and the ticket's cost sheet price the same pair alike, to a float's accuracy."""

import math

import pytest
from cross_rig import (
    BINANCE_PERP,
    KRAKEN_PERP,
    KRAKEN_SPOT,
    OKX_PERP,
    CrossRig,
)
from trading_rig import PERP, SPOT, D, order

from basisdesk.events import ScanPage, ScanRow
from basisdesk.scan.expected import Flow
from basisdesk.scan.openings import Scan

LEGS = (SPOT, PERP, BINANCE_PERP, OKX_PERP, KRAKEN_SPOT, KRAKEN_PERP)
PAIRS = (
    (SPOT, PERP),  # a fee in coins: less is hedged
    (SPOT, BINANCE_PERP),
    (SPOT, KRAKEN_PERP),  # two currencies
    (KRAKEN_SPOT, PERP),  # money is changed, the fee is in quote
    (KRAKEN_SPOT, KRAKEN_PERP),
    (PERP, OKX_PERP),
    (KRAKEN_PERP, BINANCE_PERP),
    (PERP, SPOT),  # coins are borrowed, and bought back with the fee on top
    (BINANCE_PERP, KRAKEN_SPOT),
    (KRAKEN_PERP, SPOT),
)


class Both(CrossRig):
    """The ticket's rig, with the scanner over the same live legs."""

    def __init__(self, qty):
        super().__init__(start=10_000_000)
        deep = [(0.0001, 300.0), (0.0003, 5_000.0), (0.0011, 1e6)]
        for place, key in enumerate(LEGS):
            low = 0.3639 + 0.0007 * place
            bids = [(round(low - step, 6), size + place) for step, size in deep]
            asks = [(round(low + 0.0001 + step, 6), size + 7 * place) for step, size in deep]
            self.show(key, bids, asks)
            self.market.leg(key).depth = 50
            self.rules(key, tick=D("0.000001"), lot=D("1e-12"), min_qty=D("1e-12"))
            if ":perp:" in key:
                self.ticker(key, low, 0.0001 * (place - 1))
        rows = [ScanRow(key, 0.36, 1.0, 0.37, 1.0) for key in LEGS]
        for venue in ("bybit", "binance", "okx", "kraken"):
            page = tuple(row for row in rows if row.instrument.startswith(venue))
            self.market.apply_all([ScanPage(venue, page)], self.now)
        self.scan = Scan(self.settings)
        self.scan.refresh(self.market, self.now)
        usual = self.scan.size / self.scan.coins["ADA"]
        self.scan.size = qty * usual
        self.scan.refresh(self.market, self.now)

    def row(self, long, short):
        openings = self.scan.openings
        at = [combo[2:] for combo in openings.combos].index((long, short))
        return {
            name: getattr(openings, name)[at]
            for name in ("open_bp", "close_bp", "cost_bp", "rate_8h_bp", "age_s")
        }


@pytest.mark.parametrize("qty", [250.0, 4_000.0, 60_000.0])
@pytest.mark.parametrize(("long", "short"), PAIRS)
def test_one_cost_model(long, short, qty):
    both = Both(qty)
    assert both.scan.coins["ADA"] == pytest.approx(qty, rel=1e-12)
    sheet = both.sheet(order(repr(qty), long=long, short=short))
    assert sheet.priced, sheet.refusal
    row = both.row(long, short)
    assert row["cost_bp"] == pytest.approx(sheet.round_trip_bp, abs=2e-7)
    entry, leave = sheet.entry_bp, sheet.exit_bp_now
    if sheet.direction < 0:  # the sheet measures the perpetual on the spot leg
        entry, leave = (-bp / (1 + bp / 1e4) for bp in (entry, leave))
    assert row["open_bp"] == pytest.approx(entry, abs=2e-7)
    assert row["close_bp"] == pytest.approx(leave, abs=2e-7)
    assert row["age_s"] == 0.0


@pytest.mark.parametrize(("long", "short"), PAIRS)
def test_one_funding_and_one_interest(long, short):
    """The next payments and the interest of eight hours are the sheet's, of its notional."""
    both = Both(4_000.0)
    sheet = both.sheet(order("4000", long=long, short=short))
    flow: Flow = both.scan.flow
    at = [combo[2:] for combo in both.scan.openings.combos].index((long, short))
    short_part = flow.weight_short[at] * flow.short.rate[at]
    next_bp = 1e4 * (short_part - flow.weight_long[at] * flow.long.rate[at])
    assert next_bp == pytest.approx(float(sheet.funding_next / sheet.notional) * 1e4, abs=2e-7)
    borrow_bp = 8e4 * flow.borrow_h[at]
    assert borrow_bp == pytest.approx(float(sheet.borrow_8h / sheet.notional) * 1e4, abs=2e-7)


def test_beyond_the_books_both_refuse():
    both = Both(2e6)
    sheet = both.sheet(order("2000000", long=SPOT, short=PERP))
    assert not sheet.priced
    assert math.isnan(both.row(SPOT, PERP)["cost_bp"])
