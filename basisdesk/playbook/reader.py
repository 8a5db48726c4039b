"""Reads one pair of an engine into a `View`. Looking changes nothing in the engine.

The reader keeps its own bands, so that their time constants can be set; what came before it is
taken from the pair's series (and with it from the venue's candles). A value is never in the mean it
is compared with.
"""

import math
from collections.abc import Collection, Mapping
from decimal import Decimal
from math import nan
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from basisdesk.config import Settings, exact
from basisdesk.events import Funds, OpenPair
from basisdesk.forecast.moments import Ew, Kept
from basisdesk.forecast.words import Score
from basisdesk.market.funding import FULL_H, rate_8h_bp
from basisdesk.market.state import Market
from basisdesk.playbook.words import (
    Account,
    Band,
    Flow,
    Funding,
    Gap,
    Held,
    Line,
    Priced,
    Terms,
    View,
    mirrored,
    turned,
)
from basisdesk.trading.costs import CostSheet
from basisdesk.trading.holding import CloseOut, close_bp, close_out
from basisdesk.trading.orders import PairOrder
from basisdesk.trading.positions import PairPosition
from basisdesk.trading.risk import RiskState
from basisdesk.trading.sector import sector_word
from basisdesk.trading.sizing import smallest
from basisdesk.venues.instrument import split_key, split_symbol

if TYPE_CHECKING:
    from basisdesk.market.basis import PairMarket
    from basisdesk.market.leg import Leg

FAST_S, SLOW_S = 300.0, 7_200.0
SLOPE_S, PRICE_S = 60.0, 30.0
PEAK_S = 7_200.0  # the widest basis of so long
SEED_S, SEED_STEP_S = 21_600.0, 10.0  # of the series, a row in each step
NEAR_BP = 10.0
LEVELS = 50
PROBE = Decimal("0.01")  # of the equity
ZERO = Decimal(0)


class Earned(Protocol):
    """What a pair earned so far, at mids."""

    @property
    def total(self) -> Decimal:
        """Account currency."""
        ...


class DeskLike(Protocol):
    """What is read of a desk."""

    @property
    def risk(self) -> RiskState:
        """Whether entries are allowed."""
        ...

    @property
    def pairs(self) -> dict[int, PairPosition]:
        """Open pairs and the last closed ones."""
        ...

    @property
    def pending(self) -> list[PairOrder]:
        """Orders on their way."""
        ...


class EngineLike(Protocol):
    """What is read of an engine; `basisdesk.engine.Engine` is one."""

    @property
    def settings(self) -> Settings:
        """Of the account."""
        ...

    @property
    def market(self) -> Market:
        """What is true now."""
        ...

    @property
    def desk(self) -> DeskLike:
        """Positions and risk."""
        ...

    def funds(self) -> Funds:
        """Of the account."""
        ...

    def sheet(self, request: OpenPair) -> CostSheet:
        """What an order would cost now."""
        ...

    def attribution(self, pair: int) -> Earned:
        """What a pair earned at mids."""
        ...


class Beside(NamedTuple):
    """What others know of a pair: forecast, scanner, lead-lag, and whose the positions are.

    score, score_side, margin: of the forecast. gap: over venues. leader, lead: of lead-lag. own:
    numbers of the autopilot's positions, to be read before a person's in the same legs.
    """

    score: Score | None = None
    score_side: int = 0
    margin: float = 0.02
    gap: Gap | None = None
    leader: str = ""
    lead: str = "not measured"
    own: Collection[int] = ()


NOTHING = Beside()


class Memory(Kept):
    """The bands of one pair, kept bit for bit. What was read last waits until time has passed."""

    __slots__ = ("brief", "fast", "last_bp", "last_price", "last_s", "price", "slow", "t_s")

    def __init__(self, fast_s: float, slow_s: float) -> None:
        self.fast, self.slow = Ew(fast_s), Ew(slow_s)
        self.brief, self.price = Ew(SLOPE_S), Ew(PRICE_S)
        self.t_s = self.last_s = self.last_bp = self.last_price = nan

    def catch_up(self, t_s: float) -> None:
        """Take what was read before this time."""
        if self.last_s < t_s:
            self.take(self.last_s, self.last_bp, self.last_price)
            self.last_s = nan

    def note(self, t_s: float, mid_bp: float, price: float) -> None:
        """What stands now, to be taken at the next look."""
        self.last_s, self.last_bp, self.last_price = t_s, mid_bp, price

    def take(self, t_s: float, mid_bp: float, price: float) -> None:
        """A reading, later than the one before."""
        if not (math.isfinite(mid_bp) and math.isfinite(price)) or t_s <= self.t_s:
            return
        dt_s = t_s - self.t_s if math.isfinite(self.t_s) else 0.0
        self.t_s = t_s
        for each in (self.fast, self.slow, self.brief):
            each.update(dt_s, mid_bp)
        self.price.update(dt_s, price)


class ViewReader:
    """All pairs of one engine. `read` once a look and pair; `forget` what is not looked at."""

    def __init__(self, engine: EngineLike, fast_s: float = FAST_S, slow_s: float = SLOW_S) -> None:
        self._engine = engine
        self._taus = fast_s, slow_s
        self._memories: dict[tuple[str, str], Memory] = {}
        self._seeded: dict[tuple[str, str], float] = {}  # oldest row that the memory was told

    def read(self, legs: tuple[str, str], now_ns: int, beside: Beside = NOTHING) -> View:
        """What stands now. A pair that nobody watches comes as stale."""
        engine, market = self._engine, self._engine.market
        pair = market.pairs.get(legs)
        name, coin = " ".join(legs), _coin(legs[1])
        if pair is None:
            return View(
                pair=name, first=legs[0], second=legs[1], coin=coin, t_ns=now_ns,
                stale="The pair is not watched.", risk=engine.desk.risk,
            )  # fmt: skip
        now, t_s = pair.now, now_ns / 1e9
        memory = self._memory(legs, pair, t_s)
        memory.catch_up(t_s)
        funds = engine.funds()
        low, high = pair.series.bounds("mid_bp", t_s - PEAK_S, t_s)
        held, closed, busy = self._position(legs, now_ns, beside.own)
        view = View(
            pair=name,
            first=legs[0],
            second=legs[1],
            coin=coin,
            t_ns=now_ns,
            two_perps=split_key(legs[0])[1] == "perp",
            stale=now.stale,
            mid_bp=now.mid_bp,
            open_bp=now.open_bp,
            close_bp=now.close_bp,
            fair_bp=now.fair_bp,
            high_bp=float(high),
            low_bp=float(low),
            fast=_band(memory.fast),
            slow=_band(memory.slow),
            funding=_funding(pair, engine.settings, now_ns),
            flow=_flow(pair, memory, beside),
            terms=_terms(pair, funds),
            account=_account(funds, engine.settings),
            score=beside.score,
            score_side=beside.score_side,
            margin=beside.margin,
            sector=sector_word(market, coin, 1),
            gap=beside.gap,
            risk=engine.desk.risk,
            busy=busy,
            held=held,
            closed=closed,
            ours=funds.results,
            price=self._price,
        )
        if not now.stale:
            memory.note(t_s, now.mid_bp, pair.spot.mid)
        return view

    def forget(self, legs: tuple[str, str]) -> None:
        """Nobody looks at this pair any more."""
        self._memories.pop(legs, None)
        self._seeded.pop(legs, None)

    def dump(self) -> dict[str, Any]:
        """The bands, as plain JSON."""
        return {" ".join(legs): memory.dump() for legs, memory in self._memories.items()}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take back a dump of a reader with the same time constants."""
        for name, said in kept.items():
            first, _, second = name.partition(" ")
            self._memories[first, second] = Memory(*self._taus).restore(said)
            self._seeded[first, second] = -math.inf

    # --- inside ----------------------------------------------------------------------------------

    def _memory(self, legs: tuple[str, str], pair: "PairMarket", t_s: float) -> Memory:
        # made anew where the series reaches further back than it was told: candles came
        first_s = float(pair.series.t_first)
        told_s = self._seeded.get(legs, math.inf)
        if legs in self._memories and not first_s < told_s - SEED_STEP_S:
            return self._memories[legs]
        memory = self._memories[legs] = Memory(*self._taus)
        self._seeded[legs] = first_s if math.isfinite(first_s) else math.inf
        last_s = float(pair.series.t_last)
        if math.isfinite(last_s):
            times, columns = pair.series.window(last_s - SEED_S, last_s)
            _, rows = np.unique(times[times < t_s] // SEED_STEP_S, return_index=True)
            told = (times[rows], columns["mid_bp"][rows], columns["spot"][rows])
            for at_s, mid_bp, price in zip(*(each.tolist() for each in told), strict=True):
                memory.take(at_s, mid_bp, price)
        return memory

    def _price(self, request: OpenPair) -> Priced:
        sheet = self._engine.sheet(request)
        lines = sheet.advice.lines if sheet.advice is not None else ()
        return Priced(
            refusal=sheet.refusal.text if sheet.refusal is not None else "",
            qty=request.qty,
            notional=sheet.notional,
            entry_bp=sheet.entry_bp,
            exit_bp=sheet.exit_bp_now,
            fees_bp=sheet.fees_bp + sheet.conversion_bp,
            slip_bp=sheet.slip_bp,
            capital=sheet.capital_used,
            loss_stop=sheet.loss_at_stop,
            loss_stress=sheet.loss_stress,
            lines=tuple(Line(line.name, line.qty, line.text) for line in lines),
            verdict=sheet.verdict_kind,
        )

    def _position(
        self, legs: tuple[str, str], now_ns: int, own: Collection[int]
    ) -> tuple[Held | None, tuple[int, str], bool]:
        """(what is held, what was closed last, whether an order is on its way) in these legs."""
        desk, both = self._engine.desk, set(legs)
        mine = [p for p in desk.pairs.values() if {p.long.instrument, p.short.instrument} == both]
        live = [p for p in mine if p.state != "closed"]
        held = next((p for p in live if p.pair in own), live[0] if live else None)
        shut = [p for p in mine if p.state == "closed" and p.closed_ns is not None]
        last = max(shut, key=lambda p: (p.closed_ns or 0, p.pair), default=None)
        closed = (last.pair, last.close_reason) if last is not None else (0, "")
        busy = any({order.long, order.short} == both for order in desk.pending)
        busy = busy or any(p.work is not None or p.state == "working" for p in live)
        return (None if held is None else self._held(held, legs, now_ns)), closed, busy

    def _held(self, position: PairPosition, legs: tuple[str, str], now_ns: int) -> Held:
        engine, market = self._engine, self._engine.market
        currency = engine.settings.account.currency
        leave = close_out(position, market, engine.settings, now_ns)
        net = None
        if isinstance(leave, CloseOut) and position.fills:
            net = leave.net(engine.attribution(position.pair).total)
        entry, out = position.entry_bp, close_bp(position, market, currency, now_ns)
        direction, plan = 1 if position.long.instrument == legs[0] else -1, position.plan
        if direction != position.direction:  # two perpetuals, bought against the pair's order
            entry, out, plan = mirrored(entry), mirrored(out), turned(plan)
        reference = position.reference
        return Held(
            pair=position.pair,
            direction=direction,
            state=position.state,
            opened_ns=position.opened_ns,
            entry_bp=entry,
            close_bp=out,
            notional=abs(reference.qty) * reference.entry_worth,
            plan=plan,
            net=net,
        )


def _coin(key: str) -> str:
    try:
        return split_symbol(key)[0]
    except ValueError:
        return ""


def _band(ew: Ew) -> Band:
    return Band(ew.mean, ew.sd, ew.warm)


def _funding(pair: "PairMarket", settings: Settings, now_ns: int) -> Funding:
    """Second leg minus first; a spot leg pays nothing."""
    told, settled, pace = _rates(pair.perp)
    stamps, steps = _clock(pair.perp, now_ns)
    venue, market, _ = split_key(pair.spot.key)
    borrow = 0.0
    if market == "perp":
        first = _rates(pair.spot)
        told, settled, pace = told - first[0], settled - first[1], pace - first[2]
        more = _clock(pair.spot, now_ns)
        stamps, steps = [*stamps, *more[0]], [*steps, *more[1]]
    else:
        borrow = 8e4 * float(settings.borrow_rate(venue))
    return Funding(told, settled, pace, min(stamps, default=0), min(steps, default=0.0), borrow)


def _rates(leg: "Leg") -> tuple[float, float, float]:
    """(indicative, last settled, slope an hour) in bp per 8 h."""
    clock = leg.funding
    if not clock.interval_h > 0.0:
        return nan, nan, nan
    scale, settled = FULL_H / clock.interval_h, nan
    if clock.settled:
        stamp_ms, rate = clock.settled[-1]
        hours = clock.interval_at(stamp_ms)
        settled = rate_8h_bp(rate, hours) if hours > 0.0 else nan
    return rate_8h_bp(clock.rate, clock.interval_h), settled, clock.velocity_bp_h * scale


def _clock(leg: "Leg", now_ns: int) -> tuple[list[int], list[float]]:
    """(the coming stamp, the interval), each as a list that is empty where it is not known."""
    clock = leg.funding
    coming = [clock.next_ms] if clock.next_ms * 1_000_000 > now_ns else []
    return coming, [clock.interval_h] if clock.interval_h > 0.0 else []


def _flow(pair: "PairMarket", memory: Memory, beside: Beside) -> Flow:
    price, mean = pair.spot.mid, memory.price.mean
    (bids, asks), (other_bids, other_asks) = _near(pair.spot), _near(pair.perp)
    here, there = bids + asks, other_bids + other_asks
    tilt = nan
    if here > 0.0 and there > 0.0:
        tilt = (other_bids - other_asks) / there - (bids - asks) / here
    return Flow(
        slope_bp_min=(pair.now.mid_bp - memory.brief.mean) * 60.0 / SLOPE_S,
        first_slope_bp_s=1e4 * (price - mean) / mean / PRICE_S if mean > 0.0 else nan,
        leader=beside.leader,
        lead=beside.lead,
        depth_ratio=there / here if here > 0.0 else nan,
        tilt=tilt,
    )


def _near(leg: "Leg") -> tuple[float, float]:
    """Base coin (bid, asked) within 10 bp of mid; NaN where only the touch is heard."""
    mid = leg.mid
    if leg.depth <= 1 or not leg.book.valid or math.isnan(mid):
        return nan, nan
    far = mid * NEAR_BP / 1e4
    sums = [
        math.fsum(size for price, size in leg.book.levels(side, LEVELS) if abs(price - mid) <= far)
        for side in ("sell", "buy")
    ]
    return sums[0], sums[1]


def _terms(pair: "PairMarket", funds: Funds) -> Terms:
    first, second, mid = pair.spot.instrument, pair.perp.instrument, pair.spot.mid
    fees, trip, qty = pair.now.fees_bp, pair.now.round_trip_bp, pair.qty
    if first is None or second is None or not mid > 0.0:
        return Terms(fees, trip, qty)
    lot = max(first.lot, second.lot)
    for _ in range(100):
        if lot % first.lot == 0 and lot % second.lot == 0:
            break
        lot += max(first.lot, second.lot)
    price = exact(mid)
    least = max(smallest(first, price), smallest(second, price), PROBE * funds.equity / price)
    lots = (2 * least / lot).to_integral_value("ROUND_CEILING")
    return Terms(fees, trip, qty, lots * lot, lot)


def _account(funds: Funds, settings: Settings) -> Account:
    start = funds.start or exact(settings.account.start)
    below = [row for row in settings.risk.size_cuts if funds.equity < start * exact(row[0])]
    return Account(
        free=funds.free,
        equity=funds.equity,
        start=start,
        currency=settings.account.currency,
        cut=min(below)[1] if below else 1.0,
        leverage_max=settings.risk.leverage_max,
    )
