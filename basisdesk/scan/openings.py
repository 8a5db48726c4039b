"""All combinations of the universe, priced at one size: what could truly be earned.

The arithmetic is that of the ticket's cost sheet (trading/costs.py), said for all combinations at
once (openings_prices.py). Both legs of a coin trade one quantity: the size over the median price of
the coin's legs.

    net = convergence to fair + expected funding over the hold - borrow - round trip

Convergence counts in full where it costs us. Where it earns, only the way to where the basis came
to rest in our own past counts (resting.py), and of it so much as the basis is expected to go within
the hold by its own half-life; nothing while either is not known.

Costs and the net are in bp of what the cost sheet calls the reference leg: the spot leg, or the
long one of two perpetuals. Bases are in bp of the long leg's price.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from basisdesk.market.funding import FULL_H
from basisdesk.scan.combos import make_combos
from basisdesk.scan.legs import LegTable
from basisdesk.scan.openings_prices import Sizes, capacity, price_all
from basisdesk.scan.openings_worth import (
    Figures,
    NoPast,
    make_flow,
    medians,
    per_8h_bp,
    usual_price,
    worth_all,
)
from basisdesk.scan.past_stats import percentile
from basisdesk.scan.resting import Resting
from basisdesk.scan.steady import BOOK, TOUCH, Steady, steady_of
from basisdesk.scan.triggers import line_bp, strip_of, triggers_of
from basisdesk.scan.words import FRESH, MISSING, STALE, Flag, Floats, Openings, Strip, Trigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from basisdesk.config import Settings
    from basisdesk.market.state import Market
    from basisdesk.market.universe import ScanLeg
    from basisdesk.scan.expected import Flow
    from basisdesk.scan.legs import Now
    from basisdesk.scan.openings_prices import Prices
    from basisdesk.scan.openings_worth import Worth

YEAR_PCT = 10.95  # simple percent a year of 1 bp per 8 h: 1,095 payments of 0.01 %
DEEPEN_BEST = 12  # combinations whose legs come first, before those of crossed gaps
DEEPEN_MAX = 120  # legs
MINUTE_NS = 60_000_000_000
_NO_FLAG: Flag = ""


class Scan:
    """The scanner. `refresh` replaces `openings`, `strip` and `triggers`.

    size: of each opening, account currency; set it at any time. flag: what the sector overlay says
    of a coin and a direction (1: short the perpetual that the funding comes from; Sectors.flag).
    market_levels: past medians of all rates each 8 h, bp per 8 h, for the percentile of today's.
    coins: quantity of each coin that was priced. flow: the expected funding that it counted on.
    deepen: legs whose depth pages matter most, first ones first: of the best nets at the touch,
    then of crossed gaps, then of the next best.
    """

    def __init__(self, settings: "Settings") -> None:
        self.size = settings.scanner.size
        self.flag: Callable[[str, int], Flag] | None = None
        self.market_levels: Floats = np.empty(0)
        self.openings: Openings | None = None
        self.strip = Strip()
        self.triggers: tuple[Trigger, ...] = ()
        self.deepen: tuple[str, ...] = ()
        self.coins: dict[str, float] = {}
        self.flow: Flow | None = None
        self._settings = settings
        self._edition = -1
        self._no_past = NoPast()
        self._resting = Resting()
        self._steady = Steady()
        self._deal(())

    def refresh(self, market: "Market", now_ns: int, figures: "Figures | None" = None) -> None:
        """Price everything anew at this moment. figures: of our own past, where there is one."""
        universe = market.universe
        if universe.edition != self._edition:
            self._edition = universe.edition
            self._steady = steady_of(universe)
            self._deal(tuple(leg for leg in universe.legs.values() if leg.key not in universe.odd))
        past = self._no_past if figures is None else figures
        past.align(self._combos.rows)
        self._resting.align(self._combos.rows)
        self._resting.step(universe.past, now_ns // MINUTE_NS)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            now = self._table.read(market, now_ns)
            self.openings, touch_bp = self._price(now, past, now_ns)
            scanner = self._settings.scanner
            self.triggers = triggers_of(self._table, self._combos, now, scanner)
            strip = strip_of(self.openings, self.triggers, self._table, self._combos, now, scanner)
            known = self.market_levels[np.isfinite(self.market_levels)]
            self.strip = replace(
                strip,
                market_percentile=percentile(known, strip.market_8h_bp),
                market_days=_span_days(self.market_levels),
            )
            self.deepen = self._deepen(touch_bp)

    # --- inside ----------------------------------------------------------------------------------

    def _deal(self, legs: "tuple[ScanLeg, ...]") -> None:
        """Take these legs from now on."""
        self._table = LegTable(self._settings, legs)
        self._combos = make_combos(legs, short_spot=self._settings.scanner.short_spot)
        self._sizes = Sizes(self._table.fixed, self._combos)
        self._steady.align([leg.key for leg in legs])

    def _price(self, now: "Now", past: Figures, now_ns: int) -> tuple[Openings, Floats]:
        """The openings, and the net of each for a size that any book carries."""
        combos, table, hold_h = self._combos, self._table, self._settings.scanner.hold_h
        traded = self.size / usual_price(now.mid, combos.groups)
        self.coins = dict(zip(combos.coins, traded.tolist(), strict=True))
        coins = traded[combos.coin_of]
        table.wanted = np.nan_to_num(coins)
        prices = price_all(table, now, combos, self._sizes, coins)
        known = medians(tuple(leg.key for leg in table.legs), past.median_8h_bp)
        flow = self.flow = make_flow(
            now, prices, combos, table.fixed, (known, past.half_life_h), now_ns
        )
        basis = past.basis_half_life_h, self._resting.logs
        worth = worth_all(now, prices, combos, basis, flow, hold_h)
        return self._columns(now, prices, worth, past, now_ns), worth.touch_bp

    def _columns(
        self, now: "Now", prices: "Prices", worth: "Worth", past: Figures, now_ns: int
    ) -> Openings:
        combos, table, scanner = self._combos, self._table, self._settings.scanner
        long, short = combos.long, combos.short
        newest, usual = self._rooms(now, now_ns)
        room, usually = (np.minimum(each[long], each[short]) for each in (newest, usual))
        held = np.where(table.fixed.perp, now.open_interest, np.inf)
        missing = np.isnan(now.mid[long]) | np.isnan(now.mid[short])
        stale = now.stale[long] | now.stale[short]
        state = np.where(missing, MISSING, np.where(stale, STALE, FRESH)).astype(np.int8)
        return Openings(
            now_ns=now_ns,
            edition=self._edition,
            size=self.size,
            hold_h=scanner.hold_h,
            combos=combos.rows,
            rate_long=now.rate[long],
            rate_short=now.rate[short],
            settled_long=now.settled[long],
            settled_short=now.settled[short],
            interval_long_h=now.interval_h[long],
            interval_short_h=now.interval_h[short],
            next_long_ms=now.next_ms[long],
            next_short_ms=now.next_ms[short],
            rate_8h_bp=worth.rate_8h_bp,
            year_pct=YEAR_PCT * worth.rate_8h_bp,
            settled_8h_bp=worth.settled_8h_bp,
            velocity_bp_h=now.velocity_8h[short] - now.velocity_8h[long],
            momentum_bp=past.momentum_bp,
            z=past.z,
            open_bp=prices.open_bp,
            close_bp=prices.close_bp,
            mid_bp=worth.mid_bp,
            fair_bp=worth.fair_bp,
            to_fair_bp=worth.to_fair_bp,
            cost_bp=prices.cost_bp,
            net_bp=worth.net_bp,
            net_8h_bp=worth.net_bp * 8.0 / scanner.hold_h,
            gain_bp=worth.gain_bp,
            funding_bp=worth.funding_bp,
            borrow_bp=worth.borrow_bp,
            payments=worth.payments,
            days=worth.days,
            capacity=np.where(np.isnan(prices.open_bp), room, usually),
            touch_only=table.depth.touch_only[long] | table.depth.touch_only[short],
            open_interest=np.minimum(held[long], held[short]),
            half_life_h=past.half_life_h,
            basis_half_life_h=past.basis_half_life_h,
            hazard=past.hazard,
            hazard_n=past.hazard_n,
            age_s=np.maximum(now.age_s[long], now.age_s[short]),
            state=state,
            flags=self._flags(now, worth.rate_8h_bp),
            gap_line_bp=line_bp(scanner.gap_trigger),
        )

    def _rooms(self, now: "Now", now_ns: int) -> tuple[Floats, Floats]:
        """Account currency that each leg carries in its newest book, and in its usual one.

        Of a leg without a book, at the newest touch and at the usual one.
        """
        table, steady = self._table, self._steady
        newest = capacity(table, now, self._settings.scanner.capacity_bp / 2)
        at_touch = np.minimum(now.top[1], now.top[3]) * now.mid
        heard_cs = np.rint(100.0 * (now_ns / 1e9 - now.age_s))
        steady.note(TOUCH, at_touch, heard_cs, now_ns)
        booked = np.where(table.depth.touch_only, np.nan, newest)
        steady.note(BOOK, booked, table.book_stamp, now_ns)
        usual = np.where(table.depth.touch_only, steady.usual(TOUCH), steady.usual(BOOK))
        return newest, np.where(newest > 0.0, usual, newest)

    def _flags(self, now: "Now", rate_8h_bp: Floats) -> tuple[Flag, ...]:
        """What the overlay says of each combination.

        Of two perpetuals the one with the larger rate per 8 h either way is what the funding comes
        from: direction 1 where it is the short leg, -1 where the long one, 0 where they are level.
        """
        combos, flag = self._combos, self.flag
        if flag is None:
            return (_NO_FLAG,) * len(combos.rows)
        size = np.abs(per_8h_bp(now.rate, now.interval_h))
        larger = np.sign(size[combos.short] - size[combos.long])
        turn = np.where(combos.perp_perp, larger, np.where(combos.spot_short, -1.0, 1.0))
        said: list[Flag] = [flag(coin, way) for coin in combos.coins for way in (-1, 0, 1)]
        unknown = np.isnan(rate_8h_bp)
        way = np.where(unknown, 0.0, turn).astype(np.intp) + 1
        places = np.where(unknown, len(said), 3 * combos.coin + way)
        said.append(_NO_FLAG)
        return tuple([said[place] for place in places.tolist()])

    def _deepen(self, touch_bp: Floats) -> tuple[str, ...]:
        assert self.openings is not None
        fresh = self.openings.state == FRESH
        order = np.argsort(
            np.where(fresh & np.isfinite(touch_bp), -touch_bp, np.inf), kind="stable"
        )
        best = [self._combos.rows[at] for at in order[:DEEPEN_MAX].tolist() if fresh[at]]
        gaps = [trigger for trigger in self.triggers if trigger.kind == "gap"]
        chosen = [*best[:DEEPEN_BEST], *gaps, *best[DEEPEN_BEST:]]
        keys = dict.fromkeys(key for each in chosen for key in (each.long, each.short))
        return tuple(keys)[:DEEPEN_MAX]


def _span_days(levels: Floats) -> float:
    """Days from the first known one to the last; NaN without any."""
    known = np.flatnonzero(np.isfinite(levels))
    return float(known[-1] - known[0] + 1) * FULL_H / 24.0 if len(known) else float("nan")
