"""Random execution against the real ledger: every style, policy, drill and a death in between."""

import decimal
import random

import msgspec
import pytest
from cross_rig import (
    BINANCE_PERP,
    KRAKEN_PERP,
    KRAKEN_SPOT,
    OKX_PERP,
    CrossRig,
    venue_settings,
)
from trading_rig import FREE, FREE_BACK, PERP, SPOT, D, S, order

from basisdesk.config import Fees, Paper, Risk
from basisdesk.events import (
    AddMargin,
    CancelOrder,
    ClosePair,
    Drill,
    Execution,
    Flatten,
    FlipPair,
    Halt,
    Rebalance,
    Resume,
    WithdrawMargin,
)
from basisdesk.trading.desk import Desk
from basisdesk.trading.sentences import describe

PRICES = {
    SPOT: 0.3640, PERP: 0.3666, OKX_PERP: 0.3675,
    KRAKEN_SPOT: 0.3640, KRAKEN_PERP: 0.3666, BINANCE_PERP: 0.3665,
}  # fmt: skip
KEYS = tuple(PRICES)


def walk_rig(rng):
    paper = Paper(
        rng.choice([0, 80, 300]),
        rng.choice([0, 100]),
        True,
        rng.choice([{}, {"okx": 900, "kraken": 20}, {"bybit": 0}]),
    )
    conf = msgspec.structs.replace(venue_settings(), paper=paper, risk=Risk())
    if rng.random() < 0.5:
        coins = {venue: Fees(spot_buy_fee_in="base") for venue in ("bybit", "kraken")}
        conf = msgspec.structs.replace(conf, fees=coins)
    return CrossRig(rng.choice([500, 10_000, 100_000]), conf)


def books(rig, rng, prices, key):
    """Thin or deep, wide or narrow; five levels at most."""
    tick = float(rig.market.leg(key).instrument.tick)
    middle = round(prices[key] / tick)
    step = max(1, round(prices[key] * 0.0003 / tick))
    count = rng.choice([1, 3, 5])

    def level(index):
        size = rng.choice([5.0, 300.0, 5_000.0, 1e6]) * rng.uniform(0.5, 1.5)
        return round((middle + step * index) * tick, 8), float(round(size) + 1)

    rig.show(key, [level(-i) for i in range(1, count + 1)], [level(i) for i in range(count)])


def style(rng):
    return Execution(
        style=rng.choice(["market", "market", "limit", "passive"]),
        policy=rng.choice(["hedge", "retry", "unwind"]),
        limit_bp=D(rng.randint(-50, 150)),
        passive_leg=rng.choice(["long", "short"]),
        pay_up=rng.choice([0, 5]),
        slices=rng.choice([1, 1, 1, 3]),
        slice_gap_s=D(1),
        good_for_s=D(rng.choice([5, 60])),
    )


def command(rng, pair):
    pick = rng.random()
    if pick < 0.3:
        long, short = rng.sample(KEYS, 2)
        qty, leverage = str(rng.choice([20, 100, 1000, 20_000])), str(rng.choice([1, 2, 5]))
        return msgspec.structs.replace(order(qty, long, short, leverage, FREE), how=style(rng))
    if pick < 0.45:
        fraction = D(rng.choice(["1", "0.5", "0.3", "0.013"]))
        leg = rng.choice(["both", "both", "long", "short"])
        return ClosePair(pair, fraction, leg=leg, how=style(rng))
    return rng.choice(
        [
            FlipPair(pair, rng.choice([FREE, FREE_BACK])),
            Rebalance(pair),
            AddMargin(pair, D(rng.choice([1, 20, 500]))),
            WithdrawMargin(pair, D(rng.choice([1, 20]))),
            CancelOrder(pair),
            Flatten() if rng.random() < 0.3 else Resume(),
            Halt() if rng.random() < 0.3 else Resume(),
            Drill(
                rng.choice(["reject", "half", "late", "adl", "off"]),
                rng.choice(["long", "short"]),
                rng.choice([0, pair]),
                D(rng.choice([1, 40])),
            ),
        ]
    )


def reborn(rig):
    """A desk that knows what was journaled stands where the one before stood."""
    old, rig.desk = rig.desk, Desk(rig.settings)
    with decimal.localcontext(prec=64):
        for outcome in rig.log:
            rig.desk.apply(outcome)
    for pair, was in old.pairs.items():
        now = rig.desk.pairs[pair]
        assert (now.state, now.delta, now.margin) == (was.state, was.delta, was.margin)
        assert (now.work, now.long_done, now.collateral) == (
            was.work,
            was.long_done,
            was.collateral,
        )


def market_moves(rig, rng, prices):
    pick = rng.random()
    if pick < 0.3:
        factor = rng.uniform(0.97, 1.03) if rng.random() < 0.9 else rng.uniform(0.7, 1.3)
        for key in KEYS:
            prices[key] *= factor * rng.uniform(0.998, 1.002)
            books(rig, rng, prices, key)
    elif pick < 0.4:
        next_ms = (rig.now // 10**6 // 3_600_000 + 1) * 3_600_000
        for key in (PERP, OKX_PERP, KRAKEN_PERP, BINANCE_PERP):
            rig.ticker(key, prices[key] * rng.uniform(0.999, 1.001), rng.gauss(0, 0.003), next_ms)
    elif pick < 0.5:
        key = rng.choice(KEYS)
        leg = rig.market.leg(key)
        price = rng.choice([leg.bid, leg.ask, leg.bid * 0.999, leg.ask * 1.001])
        leg.prints.append(
            (rig.now, price, rng.choice([10.0, 1e4, 1e7]), rng.choice(["buy", "sell"]))
        )
    elif pick < 0.53:
        rig.market.leg(rng.choice(KEYS)).book.clear("gap")
    else:
        books(rig, rng, prices, rng.choice(KEYS))


def check(rig):
    assert rig.books.balance("assets:cash") >= 0
    for position in rig.desk.pairs.values():
        sizes = [leg.qty for leg in position.legs]
        assert sizes[0] >= 0 >= sizes[1]
        if position.state == "working":
            continue
        lots = rig.books.lots(position.pair).legs
        assert [lots["long"].qty, -lots["short"].qty] == sizes
        # Nothing is sent twice: no leg ever outgrows what was asked, but for a lot and a fee.
        most = position.asked * D("1.006") + position.step
        assert max(abs(size) for size in sizes) <= most
        if position.state == "open":
            assert abs(position.delta) <= position.tolerance


@pytest.mark.parametrize("seed", range(8))
def test_no_execution_breaks_the_ledger_or_leaves_a_leg_unmended(seed):
    rng = random.Random(seed)
    for _ in range(2):
        rig, prices = walk_rig(rng), dict(PRICES)
        for _ in range(120):
            if rng.random() < 0.5:
                rig.do(command(rng, rng.choice(list(rig.desk.pairs) or [1])))
            market_moves(rig, rng, prices)
            if rng.random() < 0.03:
                reborn(rig)
            for _ in range(rng.choice([1, 3, 10])):
                rig.later(rng.choice([S // 10, S // 10, S // 10, 2 * S]), rng.random() < 0.95)
            check(rig)
        assert all(describe(outcome) for outcome in rig.log)
        rig.do(Drill("off"))
        for key in KEYS:  # a calm market mends everything in its time
            price = prices[key]
            rig.show(key, [(round(price * 0.9999, 5), 1e7)], [(round(price * 1.0001, 5), 1e7)])
            if ":perp:" in key:
                rig.ticker(key, price, 0.0, (rig.now // 10**6 // 3_600_000 + 1) * 3_600_000)
        for _ in range(330):
            rig.later(S // 5)
        check(rig)
        left = [each for each in rig.desk.pairs.values() if each.state == "unhedged" or each.work]
        assert not left, [(each.pair, each.state, each.delta) for each in left]
