"""Reads one pair of an engine into a `View`. Looking changes nothing in the engine.

The reader keeps its own bands, so that their time constants can be set; what came before it is
taken from the pair's series (and with it from the venue's candles). A value is never in the mean it
is compared with.
"""

import math
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec
import numpy as np

from basisdesk.config import Settings
from basisdesk.events import Funds, OpenPair
from basisdesk.forecast.moments import Ew
from basisdesk.forecast.words import Score
from basisdesk.market.state import Market
from basisdesk.playbook.journal import AUTHOR
from basisdesk.playbook.reading import (
    PRICE_S,
    SLOPE_S,
    Memory,
    account_of,
    flow_of,
    funding_of,
    terms_of,
)
from basisdesk.playbook.words import (
    Band,
    Gap,
    Held,
    Line,
    Priced,
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
from basisdesk.venues.instrument import split_symbol

if TYPE_CHECKING:
    from basisdesk.market.basis import PairMarket

__all__ = ["FAST_S", "PEAK_S", "PRICE_S", "SLOPE_S", "SLOW_S", "Beside", "ViewReader"]

FAST_S, SLOW_S = 300.0, 7_200.0
PEAK_S = 7_200.0  # the widest basis of so long
SEED_S, SEED_STEP_S = 21_600.0, 10.0  # of the series, a row in each step
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


class Positions(NamedTuple):
    """What an account has in the legs of a pair. live, closed, busy: as in `View`."""

    held: Held | None
    live: tuple[int, ...]
    closed: tuple[int, str]
    busy: bool


class ViewReader:
    """All pairs of one engine. `read` once a look and pair; `keep` those that are looked at."""

    def __init__(self, engine: EngineLike, fast_s: float = FAST_S, slow_s: float = SLOW_S) -> None:
        self._engine = engine
        self._taus = fast_s, slow_s
        self._memories: dict[tuple[str, str], Memory] = {}
        self._seeded: dict[tuple[str, str], float] = {}  # oldest row that the memory was told
        self._past: dict[tuple[str, str], tuple[float, int]] = {}  # when it was made, rows by then

    def read(self, legs: tuple[str, str], now_ns: int, beside: Beside = NOTHING) -> View:
        """What stands now. A pair that nobody watches comes as stale, with what is held in it."""
        funds, pair = self._engine.funds(), self._engine.market.pairs.get(legs)
        view = self._account_view(legs, now_ns, funds, beside.own)
        if pair is None:
            return view
        t_s = now_ns / 1e9
        memory = self._memory(legs, pair, t_s)
        memory.catch_up(t_s)
        view = self._market_view(view, pair, memory, (funds, beside))
        if not pair.now.stale:
            memory.note(t_s, pair.now.mid_bp, pair.spot.mid)
        return view

    def _account_view(
        self, legs: tuple[str, str], now_ns: int, funds: Funds, own: Collection[int]
    ) -> View:
        # what the account says of a pair; that is known whether or not its market is heard
        engine, coin = self._engine, _coin(legs[1])
        found = self._position(legs, now_ns, own)
        return View(
            pair=" ".join(legs),
            first=legs[0],
            second=legs[1],
            coin=coin,
            t_ns=now_ns,
            two_perps=":perp:" in legs[0],
            stale="The pair is not watched.",
            account=account_of(funds, engine.settings),
            sector=sector_word(engine.market, coin, 1),
            risk=engine.desk.risk,
            busy=found.busy,
            held=found.held,
            live=found.live,
            closed=found.closed,
            ours=funds.results,
        )

    def _market_view(
        self, view: View, pair: "PairMarket", memory: Memory, told: tuple[Funds, Beside]
    ) -> View:
        (funds, beside), now, t_s = told, pair.now, view.t_ns / 1e9
        low, high = pair.series.bounds("mid_bp", t_s - PEAK_S, t_s)
        return msgspec.structs.replace(
            view,
            stale=now.stale,
            mid_bp=now.mid_bp,
            open_bp=now.open_bp,
            close_bp=now.close_bp,
            fair_bp=now.fair_bp,
            high_bp=float(high),
            low_bp=float(low),
            fast=_band(memory.fast),
            slow=_band(memory.slow),
            funding=funding_of(pair, self._engine.settings, view.t_ns),
            flow=flow_of(pair, memory, (beside.leader, beside.lead)),
            terms=terms_of(pair, funds),
            score=beside.score,
            score_side=beside.score_side,
            margin=beside.margin,
            gap=beside.gap,
            price=self._price,
        )

    def keep(self, pairs: Collection[tuple[str, str]]) -> None:
        """These are looked at and no others: what is remembered of the others goes."""
        for legs in [each for each in self._memories if each not in pairs]:
            del self._memories[legs]
            self._seeded.pop(legs, None)
            self._past.pop(legs, None)

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
        # made anew where the series reaches further back than it was told, or has more of the
        # past while the bands are not full: candles come in pages, in any order
        first_s = float(pair.series.t_first)
        told_s = self._seeded.get(legs, math.inf)
        known = self._memories.get(legs)
        if known is not None and not first_s < told_s - SEED_STEP_S:
            if known.slow.warm:
                return known
            if legs not in self._past:  # restored: what comes from here on is news
                self._past[legs] = t_s, _rows_before(pair, t_s)
            made_s, had = self._past[legs]
            if _rows_before(pair, made_s) <= had:
                return known
        self._past[legs] = t_s, _rows_before(pair, t_s)
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

    def _position(self, legs: tuple[str, str], now_ns: int, own: Collection[int]) -> Positions:
        """What there is in these legs; of several the autopilot's own, then what it asked for."""
        desk, both = self._engine.desk, set(legs)
        mine = [p for p in desk.pairs.values() if {p.long.instrument, p.short.instrument} == both]
        live = [p for p in mine if p.state != "closed"]
        live.sort(key=lambda p: (p.pair not in own, not p.open_by.startswith(AUTHOR)))
        held = self._held(live[0], legs, now_ns) if live else None
        shut = [p for p in mine if p.state == "closed" and p.closed_ns is not None]
        last = max(shut, key=lambda p: (p.closed_ns or 0, p.pair), default=None)
        closed = (0, "")
        if last is not None:
            closed = (last.pair, last.close_by or last.close_reason)
        busy = any({order.long, order.short} == both for order in desk.pending)
        busy = busy or any(p.work is not None or p.state == "working" for p in live)
        return Positions(held, tuple(p.pair for p in live), closed, busy)

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
            by=position.open_by,
        )


def _rows_before(pair: "PairMarket", t_s: float) -> int:
    """Rows of the series in the span that a memory is told, before this time."""
    times, _ = pair.series.window(t_s - SEED_S, t_s)
    return len(times)


def _coin(key: str) -> str:
    try:
        return split_symbol(key)[0]
    except ValueError:
        return ""


def _band(ew: Ew) -> Band:
    return Band(ew.mean, ew.sd, ew.warm)
