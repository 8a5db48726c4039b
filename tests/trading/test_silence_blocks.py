"""Legs of any venue that fall silent, one or both: trading is blocked within 2 s."""

import decimal

import pytest
from cross_rig import BINANCE_PERP, KRAKEN_PERP, KRAKEN_SPOT, OKX_PERP, CrossRig
from trading_rig import FREE, PERP, SPOT, S, order

from basisdesk.events import Refused

PAIRS = {
    "bybit": (SPOT, PERP),
    "okx": (SPOT, OKX_PERP),
    "binance": (SPOT, BINANCE_PERP),
    "kraken": (KRAKEN_SPOT, KRAKEN_PERP),
}
STEP_NS = S // 20


def blocked_after_s(pair, silent):
    """How long these legs had been silent when an order was refused for it, others being fresh."""
    rig = CrossRig()
    rig.fresh()
    begun = rig.now
    while rig.now < begun + 5 * S:
        rig.now += STEP_NS
        for key, leg in rig.market.legs.items():
            leg.quote_ns = leg.quote_ns if key in silent else rig.now
        asked = order("20", *pair, plan=FREE)
        with decimal.localcontext(prec=64):  # decided, and not applied: nothing is ever opened
            (said,) = rig.desk.on_command(asked, rig.market, rig.funds, rig.now)
        if isinstance(said, Refused):
            assert said.limit in ("quote_age", "leg_skew")
            return (rig.now - begun) / 1e9
    raise AssertionError("it was never blocked")


@pytest.mark.parametrize(
    "legs", [slice(0, 1), slice(1, 2), slice(2)], ids=["long", "short", "both"]
)
def test_silent_legs_block_every_pair_of_their_venue(legs):
    slowest_s = max(blocked_after_s(pair, pair[legs]) for pair in PAIRS.values())
    print(f"{len(PAIRS)} venues: blocked after {slowest_s:.2f} s at most")
    assert slowest_s <= 2.05
