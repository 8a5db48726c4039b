"""The lab's trading rule in one line of numbers, what trading costs, and how much is traded.

A rule speaks in basis points from the fair basis (market/fair.py), measured on executable prices
and counted in the direction of the trade: +1 is rich perpetual (long spot, short perpetual), -1 the
reverse. Entering +1 sells the perpetual at its bid and buys spot at its ask:

    x_in(+1)  = (perp bid / spot ask - 1) * 1e4 - fair       enter at or above `entry_bp`
    x_out(+1) = (perp ask / spot bid - 1) * 1e4 - fair       leave at or below `exit_bp`
    x_in(-1)  = fair - (perp ask / spot bid - 1) * 1e4
    x_out(-1) = fair - (perp bid / spot ask - 1) * 1e4

so the same rule reads the same in both directions. Prices are what one really gets: slippage has
moved them already. The stop is on the mid basis: so much wider than at entry.

The law of time, for the engine and the kernel alike: a row is decided on with the prices of both
its legs and traded at those prices, once, without latency. Nothing of a later row is known. In one
row settlements that are due come first, then a liquidation on the mark, then stop, target and time
in that order; what closes in a row does not open again in it. The last row opens nothing and closes
all. An entry that the account cannot pay is its last. On bars nobody trades at the close that
decides: studies of bars also say what the next row's fills leave (`kernel.later`).
"""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.errors import UserError
from basisdesk.lab.series import Terms
from basisdesk.market.fair import fair_band_bp

Direction = Literal[-1, 0, 1]
PARAMETERS = ("direction", "entry_bp", "exit_bp", "stop_bp", "max_hold_h", "leverage")
LEVERAGE_MAX = 125.0  # most that a venue of the desk offers; the desk itself stops at 5


class BandRule(NamedTuple):
    """Enter at a distance from the fair basis, leave nearer to it.

    direction: +1, -1, or 0 for whichever side calls (+1 where both do). entry_bp: -inf enters at
    once and ever again. exit_bp: -inf never. stop_bp: widening of the mid basis since entry, bp;
    inf for none. max_hold_h: hours; inf for none. leverage: of the perpetual.
    """

    direction: Direction = 0
    entry_bp: float = 20.0
    exit_bp: float = 0.0
    stop_bp: float = math.inf
    max_hold_h: float = math.inf
    leverage: float = 2.0


class Costs(NamedTuple):
    """What trading takes. Fees are fractions of each fill's notional, charged in quote currency.

    slippage_bp: per leg and fill, beyond the displayed best price. borrow_hourly: interest on
    borrowed coins, fraction for each started clock hour (direction -1). mmr: maintenance margin
    rate, liq_fee: fee of a forced close, both fractions of the notional. money_rate: cost of money,
    fraction a year; it sets the fair basis and nothing else.
    """

    spot_taker: float = 0.001
    perp_taker: float = 0.0005
    slippage_bp: float = 0.0
    borrow_hourly: float = 0.000_008_33
    mmr: float = 0.005
    liq_fee: float = 0.0005
    money_rate: float = 0.05

    def times(self, factor: float) -> "Costs":
        """The same with fees and slippage so many times as high."""
        return self._replace(
            spot_taker=self.spot_taker * factor,
            perp_taker=self.perp_taker * factor,
            liq_fee=self.liq_fee * factor,
            slippage_bp=self.slippage_bp * factor,
        )

    @property
    def round_trip_bp(self) -> float:
        """Fees and slippage of all four fills, bp of one leg's notional."""
        return 2e4 * (self.spot_taker + self.perp_taker) + 4.0 * self.slippage_bp


class Size(NamedTuple):
    """How much is traded, account currency. notional: of the spot leg at entry, whole lots.

    capital: what the account begins with; what an entry needs and the account lacks is not
    entered. lot: base coin, 0 for the power of ten that holds a 10,000th of the notional.
    """

    capital: float = 10_000.0
    notional: float = 5_000.0
    lot: float = 0.0


# Round trips of He, Manela, Ross, von Wachter (arXiv 2212.06888 v6, table 3: maker fees of
# Binance's VIP 8 and VIP 1) and Binance's fee pages for a regular user's taker fees (2026-07).
TIERS: dict[str, Costs] = {
    "low": Costs(spot_taker=0.000_225, perp_taker=0.000_018, liq_fee=0.000_018),  # C = 4.86 bp
    "high": Costs(spot_taker=0.000_675, perp_taker=0.000_144, liq_fee=0.000_144),  # C = 16.38 bp
    "taker": Costs(spot_taker=0.001, perp_taker=0.0005, liq_fee=0.0005),  # C = 30 bp
}


class Lines(NamedTuple):
    """A rule's distances as levels of the executable basis, bp; see `lines`.

    Of `up` (+1): enter where the open line (perp bid over spot ask) is at or above `up_in`, leave
    where the close line (perp ask over spot bid) is at or below `up_out`. Of `down` (-1): enter
    where the close line is at or below `down_in`, leave where the open line is at or above
    `down_out`. Infinite where a side is not traded.
    """

    up_in: float
    up_out: float
    down_in: float
    down_out: float


def lines(rule: BandRule, fair: tuple[float, float]) -> Lines:
    """The levels of a rule. fair: (lowest, highest) fair basis, bp, as of `fair_bounds_bp`.

    Where fair value is a band the distance is to its nearest point and 0 inside (quant.md 2.5), so
    a distance above 0 counts from the far edge, one at or below 0 from the near one.
    """
    low, high = fair
    enter, leave = rule.entry_bp, rule.exit_bp
    up_in = enter + (high if enter > 0.0 else low)
    down_in = (low if enter > 0.0 else high) - enter
    return Lines(
        up_in if rule.direction >= 0 else math.inf,
        leave + (low if leave < 0.0 else high),
        down_in if rule.direction <= 0 else -math.inf,
        (high if leave < 0.0 else low) - leave,
    )


def lots_of(notional: float, price: float, lot: float) -> int:
    """Whole lots that a notional buys at this price."""
    return math.floor(notional / price / lot + 1e-9)


def rule_row(rule: BandRule) -> NDArray[np.float64]:
    """The rule as a row of the kernel's parameters, in the order of PARAMETERS."""
    return np.array(rule, dtype=np.float64)


def rule_of(row: NDArray[np.float64]) -> BandRule:
    """The rule of a row of parameters."""
    side = int(row[0])
    return BandRule(1 if side > 0 else -1 if side < 0 else 0, *(float(x) for x in row[1:6]))


def fair_bounds_bp(terms: Terms, money_rate: float) -> tuple[float, float]:
    """(lowest, highest) fair basis under the perpetual's own funding rule, bp; equal off a band."""
    interest_8h = terms.interest * 1e4 * 8.0 / terms.interval_h
    return fair_band_bp(money_rate, terms.interval_h, interest_8h, terms.clamp * 1e4)


def checked(rule: BandRule, costs: Costs, size: Size) -> None:
    """Raise UserError where a number makes no sense; one sentence with what to enter instead."""
    if rule.direction not in (-1, 0, 1):
        raise UserError(f"Direction {rule.direction} is unknown. Use 1, -1 or 0 for both.")
    if math.isnan(rule.entry_bp) or math.isnan(rule.exit_bp):
        raise UserError("Entry and exit of a rule must be numbers, in bp from the fair basis.")
    if not rule.exit_bp <= rule.entry_bp and rule.entry_bp != -math.inf:
        raise UserError(
            f"The exit at {rule.exit_bp:g} bp is beyond the entry at {rule.entry_bp:g} bp: it "
            "would leave as soon as it enters. Set the exit below the entry."
        )
    if not rule.stop_bp > 0.0:
        raise UserError(f"A stop of {rule.stop_bp:g} bp must be above 0, or inf for none.")
    if not rule.max_hold_h > 0.0:
        raise UserError(f"A hold of {rule.max_hold_h:g} h must be above 0, or inf for no end.")
    if not 1.0 <= rule.leverage <= LEVERAGE_MAX:
        raise UserError(f"Leverage {rule.leverage:g} must be 1 to {LEVERAGE_MAX:g}.")
    if min(costs) < 0.0 or not all(math.isfinite(x) for x in costs):
        raise UserError("Costs must be finite and not below 0.")
    if not (size.capital > 0.0 and size.notional > 0.0 and size.lot >= 0.0):
        raise UserError("Capital and notional must be above 0.")
