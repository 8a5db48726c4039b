"""Views by hand: a pair that stands out, and what it is priced at."""

from decimal import Decimal

import msgspec

from basisdesk.playbook.words import (
    Account,
    Band,
    Flow,
    Funding,
    Held,
    Line,
    Priced,
    Terms,
    View,
)

D = Decimal
S = 1_000_000_000
HOUR = 3_600 * S
T0 = 1_735_689_600 * S  # 2025-01-01 00:00 UTC
MS0 = T0 // 1_000_000
FIRST, SECOND = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
PAIR = f"{FIRST} {SECOND}"


class Books:
    """A pricer: 0.50 a coin, and what the size lines say. asked: the orders it was shown."""

    def __init__(self, refusal="", verdict="go", most="20000", depth="15000", slip=lambda q: 3.0):
        self.refusal, self.verdict, self.slip = refusal, verdict, slip
        self.most, self.depth = D(most), D(depth)
        self.asked = []

    def __call__(self, request):
        self.asked.append(request)
        return Priced(
            refusal=self.refusal,
            qty=request.qty,
            notional=request.qty / 2,
            fees_bp=31.0,
            slip_bp=self.slip(request.qty),
            loss_stop=request.qty / 2 * D("0.006"),
            loss_stress=request.qty / 2 * D("0.004"),
            lines=(
                Line("stop", D(40_000), "the stop"),
                Line("stress", D(30_000), "the stress"),
                Line("volatility", None, "not known"),
                Line("depth", self.depth, "the books"),
                Line("capital", self.most, "the cash"),
            ),
            verdict=self.verdict,
        )


def view(mid=60.0, books=None, **given):
    """A pair with a calm past and a mid basis of 60 bp now, three bp of spreads."""
    usual = {
        "pair": PAIR,
        "first": FIRST,
        "second": SECOND,
        "coin": "ADA",
        "t_ns": T0,
        "mid_bp": mid,
        "open_bp": mid - 1.5,
        "close_bp": mid + 1.5,
        "fair_bp": -4.5,
        "high_bp": max(mid, 10.0),
        "low_bp": min(mid, -15.0),
        "fast": Band(35.0, 15.0, True),
        "slow": Band(0.0, 12.0, True),
        "funding": Funding(1.0, 1.0, 0.0, MS0 + 4 * 3_600_000, 8.0, 0.12),
        "flow": Flow(0.5, 0.0, "perp", "the perpetual leads by 200 ms", 0.8, 0.1),
        "terms": Terms(31.0, 34.0, 0.0, D(200), D(1)),
        "account": Account(D(10_000), D(10_000), D(10_000)),
        "price": books or Books(),
    }
    return View(**usual | given)


def held(plan, net="0", hours=0.1, **given):
    """Pair 1 of 5,000 notional, entered at 58.5 bp, so many hours ago."""
    usual = {
        "pair": 1,
        "direction": 1,
        "state": "open",
        "opened_ns": T0 - round(hours * HOUR),
        "entry_bp": 58.5,
        "close_bp": 40.0,
        "notional": D(5_000),
        "plan": plan,
        "net": None if net is None else D(net),
    }
    return Held(**usual | given)


def but(struct, **given):
    """The struct with these fields."""
    return msgspec.structs.replace(struct, **given)
