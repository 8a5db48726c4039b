"""Settlements that passed while the desk was down: each is paid once, none twice, none guessed.

The long run of 1,000 absences: BASISDESK_OUTAGES=1000.
"""

import os
import random

from exec_rig import ExecRig
from trading_rig import FREE, HOUR, PERP, PERP_B, T0, D, S, order, settings

from basisdesk.events import FundingHistory, FundingSettled
from basisdesk.trading.accrual import LATE_MS

OUTAGES = int(os.environ.get("BASISDESK_OUTAGES", "60"))
MARK = 0.4


def away(seed):
    """One absence: (due, settled, double, guessed), settlements of both legs of one pair."""
    rng = random.Random(seed)
    rig = ExecRig(settings())
    interval_h = rng.choice([1, 4, 8])
    rig.now = T0 + rng.randrange(30 * 60) * 60 * S
    opened_ns = rig.now
    rig.show(PERP_B, [(0.3675, 1e6)], [(0.3676, 1e6)])
    rig.fresh()
    rig.do(order("1000", long=PERP, short=PERP_B, plan=FREE))
    if rng.random() < 0.5:
        rig.reborn()  # the desk was closed, and comes back from its journal
    rig.now += rng.choice([1, 3, 24, rng.randrange(1, 24 * 7)]) * HOUR + rng.randrange(3_600) * S
    step_ms = interval_h * 3_600_000
    if rig.now // 10**6 % step_ms <= LATE_MS:  # what is that young is still the live clock's
        rig.now += 2 * LATE_MS * 10**6
    rig.fresh()
    first_ms = (opened_ns // 10**6 // step_ms + 1) * step_ms
    before_ms = range(first_ms - 3 * step_ms, first_ms, step_ms)
    due_ms = range(first_ms, rig.now // 10**6 + 1, step_ms)
    rates = {ms: f"{rng.choice([-1, 1]) * rng.randrange(1, 90) / 1e5:.5f}" for ms in due_ms}
    rows = [(ms, "0.09") for ms in before_ms] + list(rates.items())
    paid = []
    for leg in (PERP, PERP_B):
        rig.ticker(leg, MARK, 0.01, (rig.now // 10**6 // step_ms + 1) * step_ms)
        rig.market.leg(leg).funding.interval_h = float(interval_h)
    for part in parts(rng, rows):  # the history comes in pieces, in any order, some of them twice
        for leg in (PERP, PERP_B):
            rig.market.leg(leg).funding.learn(FundingHistory(leg, part))
        paid += [each for each in rig.later(0) if isinstance(each, FundingSettled)]
        if rng.random() < 0.2:
            rig.reborn()
    wanted = {(leg, ms) for leg in (PERP, PERP_B) for ms in due_ms}
    got = [(each.instrument, each.settle_ms) for each in paid]
    guessed = sum(
        (each.instrument, each.settle_ms) not in wanted
        or each.rate != D(rates[each.settle_ms])
        or not each.late
        for each in paid
    )
    return len(wanted), len(set(got) & wanted), len(got) - len(set(got)), guessed


def parts(rng, rows):
    """The rows cut into at most three pieces that overlap, newest or oldest first."""
    cuts = sorted(rng.sample(range(1, len(rows)), min(2, len(rows) - 1)))
    pieces = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    return [*pieces, rows[-1:], rows]


def test_what_was_due_while_away_is_settled_once_at_the_published_rate():
    cases = list(map(away, range(OUTAGES)))
    due, settled, double, guessed = (sum(each) for each in zip(*cases, strict=True))
    print(f"{OUTAGES} absences: {due} due, {settled} settled, {double} double, {guessed} guessed")
    assert (settled, double, guessed) == (due, 0, 0)
    assert due > OUTAGES
