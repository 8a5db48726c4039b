"""State to rows: the positions table. Pure, no Qt.

A row holds what is on the screen, so two rows are equal when nothing a person can see has moved.
What only sorting needs is left out of the comparison. Texts are made in position_texts.py, figures
in position_figures.py, the slow ones (hold, cost of holding) in holding_rows.py.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.ledger.attribution import Attribution
from basisdesk.trading.orders import PairOrder
from basisdesk.trading.positions import PairPosition
from basisdesk.ui.figures import NOTHING, gain_text, number_text, sign_text, size_text
from basisdesk.ui.holding_rows import NONE, Holding, HoldMemo
from basisdesk.ui.leg_words import legs_text
from basisdesk.ui.position_figures import (
    LIQ_FULL_PCT,
    Worths,
    base_of,
    close_out,
    drift_bp,
    liquidation_meaning,
    liquidation_room,
    meaning_of,
    sign_of,
    stale_text,
    unhedged_value,
)
from basisdesk.ui.position_texts import (
    basis_text,
    delta_detail,
    drift_text,
    legs_detail,
    plan_detail,
    plan_text,
    state_text,
    unhedged_detail,
    work_detail,
)
from basisdesk.ui.shown_cents import whole_cents
from basisdesk.ui.times import held_text
from basisdesk.ui.waterfall_rows import TERMS, Bar, Waterfall, waterfall

__all__ = [
    "LIQ_FULL_PCT",
    "TERMS",
    "Bar",
    "PositionRow",
    "RowMemo",
    "Waterfall",
    "base_of",
    "liquidation_meaning",
    "meaning_of",
    "order_row",
    "plan_text",
    "position_row",
    "position_rows",
    "sign_of",
    "waterfall",
]

ZERO = Decimal(0)
NAN = math.nan
ROWS_A_BEAT = 8  # rows of open pairs that follow the prices in one beat


@dataclass(frozen=True, slots=True)
class PositionRow:
    """One line of the positions table, as text; figures beside it are for sorting and colour.

    key: ("pair", 3) or ("order", time asked). state: "pending" (an order that has not met the
    book), "working", "open", "unhedged", "naked" or "closed". terms: text of each attribution term
    by name. long_pnl, short_pnl: price profit of each leg, before costs. liq_pct: percent the mark
    may still move. drifted: the legs differ by more than the alarm. working: an order of this pair
    can be withdrawn. holding: what holding costs and how long it may last, at most a minute old.
    """

    key: tuple[str, int]
    pair: int
    state: str
    name: str
    legs: str
    size: str
    basis: str
    net: str
    if_closed: str
    liq: str
    held: str
    plan: str
    delta: str
    terms: dict[str, str]
    net_sign: int
    closed_sign: int
    signs: dict[str, int]
    stale: str = ""
    legs_detail: str = ""
    plan_detail: str = ""
    liq_detail: str = ""
    delta_detail: str = ""
    long_pnl: str = NOTHING
    short_pnl: str = NOTHING
    drift: str = NOTHING
    margin: str = NOTHING
    drifted: bool = False
    working: bool = False
    holding: Holding = NONE
    net_value: float = field(default=NAN, compare=False)
    closed_value: float = field(default=NAN, compare=False)
    values: dict[str, float] = field(default_factory=dict, compare=False)
    size_value: float = field(default=NAN, compare=False)
    basis_value: float = field(default=NAN, compare=False)
    held_s: float = field(default=NAN, compare=False)
    delta_value: float = field(default=NAN, compare=False)
    liq_pct: float = field(default=NAN, compare=False)
    long_value: float = field(default=NAN, compare=False)
    short_value: float = field(default=NAN, compare=False)
    drift_value: float = field(default=NAN, compare=False)
    margin_value: float = field(default=NAN, compare=False)

    @property
    def solid(self) -> bool:
        """Whether this row must be seen: a leg stands alone, or an order is on its way."""
        return self.state in ("naked", "unhedged", "pending")

    @property
    def over(self) -> bool:
        """Whether the pair is closed."""
        return self.state == "closed"

    @property
    def holds(self) -> bool:
        """Whether something is held that can be closed."""
        return bool(self.pair) and self.state in ("open", "unhedged", "naked")


@dataclass
class RowMemo:
    """What rows need not make anew at each beat: what is over, and what is slow to work out.

    made: pair -> (what its row depends on but prices, its row). holds: the minute-old figures of
    holding. chosen: the selected pair, whose row is made anew at each beat.
    """

    holds: HoldMemo = field(default_factory=HoldMemo)
    made: dict[int, tuple[object, PositionRow]] = field(default_factory=dict)
    chosen: int = 0
    _turn: int = 0

    def due(self, live: list[PairPosition]) -> set[int]:
        """The pairs whose rows follow the prices in this beat: all, or ROWS_A_BEAT in turn.

        Of fifty pairs each row is a quarter of a second old at most; what happened to a pair and
        a leg that stands alone is always shown at once.
        """
        pairs = [position.pair for position in live]
        if len(pairs) <= ROWS_A_BEAT:
            return set(pairs)
        start = self._turn % len(pairs)
        self._turn = start + ROWS_A_BEAT
        return {self.chosen, *(pairs + pairs)[start : start + ROWS_A_BEAT]}


def position_rows(
    engine: Engine, settings: Settings, dismissed: Iterable[int], memo: RowMemo | None = None
) -> list[PositionRow]:
    """Orders under way, then open pairs (newest first), then closed ones not yet dismissed."""
    memo = memo or RowMemo()
    gone = frozenset(dismissed)
    pairs = list(engine.desk.pairs.values())
    worths = engine.worths()
    rows = [order_row(order, engine) for order in engine.desk.pending if _is_entry(order, engine)]
    closing = {order.pair: order for order in engine.desk.pending if order.kind == "close"}
    live = [p for p in reversed(pairs) if p.state != "closed"]
    over = [p for p in reversed(pairs) if p.state == "closed" and p.pair not in gone]
    memo.holds.keep({position.pair for position in live})
    for old in memo.made.keys() - engine.desk.pairs.keys():
        del memo.made[old]
    due = memo.due(live)
    for position in live + over:
        order = closing.get(position.pair)
        alone = position.state in ("unhedged", "naked")
        sees = _sees(position, order)
        known = memo.made.get(position.pair)
        if known is None or known[0] != sees or alone or position.pair in due:
            open_ = position.state != "closed"
            holding = memo.holds.of(position, engine, settings) if open_ else NONE
            row = position_row(position, engine, settings, order, worths, holding)
            memo.made[position.pair] = known = sees, row
        rows.append(known[1])
    return rows


def _sees(position: PairPosition, order: PairOrder | None) -> object:
    """What a row depends on but prices: once it moves, the row is made anew at once."""
    happened = position.state, len(position.fills), position.funding, position.borrow
    return (*happened, position.plan, position.work, position.margin, order is not None)


def _is_entry(order: PairOrder, engine: Engine) -> bool:
    """An entry that has no row of its own yet; a working order's parts belong to its pair."""
    return order.kind == "open" and order.pair not in engine.desk.pairs


def order_row(order: PairOrder, engine: Engine) -> PositionRow:
    """An entry that was sent and has not met the book yet."""
    base = base_of(order.long, engine)
    qty = order.request.qty if order.request is not None else ZERO
    left_ms = max(0.0, (order.due_ns - engine.now_ns) / 1e6)
    return PositionRow(
        key=("order", order.asked_ns),
        pair=0,
        state="pending",
        name=base,
        legs=legs_text(order.long, order.short),
        size=f"{size_text(qty)} {base}",
        basis=NOTHING,
        net=NOTHING,
        if_closed=NOTHING,
        liq=NOTHING,
        held=NOTHING,
        plan="order sent",
        delta=NOTHING,
        terms=dict.fromkeys(TERMS, NOTHING),
        net_sign=0,
        closed_sign=0,
        signs={},
        plan_detail=f"The first leg meets its book in {left_ms:.0f} ms.",
        size_value=float(qty),
    )


def money_of(position: PairPosition, engine: Engine, worths: Worths) -> Attribution | None:
    """Where a pair's money came from, at these mids; None while nothing of it is filled."""
    lots = engine.books.pairs.get(position.pair)
    if lots is None:
        return None
    long, short = (worths.get(leg.instrument) for leg in position.legs)
    return lots.attribution(long, short)


def position_row(
    position: PairPosition,
    engine: Engine,
    settings: Settings,
    closing: PairOrder | None,
    worths: Worths,
    holding: Holding,
) -> PositionRow:
    """One pair: what it holds, what it earned and why, what leaving now would leave."""
    base = base_of(position.long.instrument, engine)
    closed = position.state == "closed"
    ended_ns = position.closed_ns if position.closed_ns is not None else engine.now_ns
    held_s = (ended_ns - position.opened_ns) / 1e9
    held_qty = max(abs(position.long.qty), abs(position.short.qty))
    qty = held_qty if held_qty and not closed else position.asked
    alone = position.state in ("unhedged", "naked")
    exposure = unhedged_value(position, worths) if alone else 0.0
    return PositionRow(
        key=("pair", position.pair),
        pair=position.pair,
        state=position.state,
        name=f"{base} #{position.pair}",
        legs=legs_text(position.long.instrument, position.short.instrument),
        size=f"{size_text(qty)} {base}",
        basis=basis_text(position, engine),
        held=held_text(held_s),
        plan=state_text(position, closing, engine, settings, exposure),
        stale="" if closed else stale_text(position, engine),
        legs_detail=legs_detail(position, engine),
        plan_detail=_next_detail(position, engine, settings),
        working=position.work is not None,
        holding=holding,
        size_value=float(qty),
        basis_value=position.entry_bp,
        held_s=held_s,
        **_earned(position, engine, settings, worths),
        **_exposed(position, engine, settings, base),
    )


def _earned(
    position: PairPosition, engine: Engine, settings: Settings, worths: Worths
) -> dict[str, Any]:
    """The money of a row: net, its terms, what leaving leaves, and each leg alone."""
    closed = position.state == "closed"
    money = money_of(position, engine, worths)
    net = money.total if money is not None else ZERO
    out = NAN if closed else close_out(net, position, engine, settings, worths)
    exact = {name: getattr(money, name, ZERO) for name in TERMS}
    terms = whole_cents(exact, net)  # as in the waterfall: they add up to the net beside them
    long, short = (getattr(money, name, ZERO) for name in ("long_gross", "short_gross"))
    return {
        "net": gain_text(net, 2),
        "net_sign": sign_of(net),
        "net_value": float(net),
        "if_closed": "closed" if closed else gain_text(out, 2),
        "closed_sign": 0 if closed else sign_of(out),
        "closed_value": out,
        "terms": {name: sign_text(value, 2) for name, value in terms.items()},
        "signs": {name: sign_of(value) for name, value in terms.items()},
        "values": {name: float(value) for name, value in exact.items()},
        "long_pnl": sign_text(long, 2),
        "short_pnl": sign_text(short, 2),
        "long_value": float(long),
        "short_value": float(short),
    }


def _exposed(
    position: PairPosition, engine: Engine, settings: Settings, base: str
) -> dict[str, Any]:
    """What a row can lose by: the room to liquidation, what is not hedged, the margin."""
    closed = position.state == "closed"
    room, room_text = liquidation_room(position, engine)
    drift = drift_bp(position) if position.state in ("open", "unhedged") else NAN
    return {
        "liq": NOTHING if math.isnan(room) else f"{number_text(room, 0)} %",
        "liq_detail": room_text,
        "liq_pct": room,
        "delta": f"{size_text(position.delta)} {base}",
        "delta_detail": delta_detail(position, base),
        "delta_value": float(position.delta),
        "drift": drift_text(drift),
        "drift_value": abs(drift),
        "drifted": position.state == "open" and abs(drift) > settings.risk.hedge_alarm_bp,
        "margin": NOTHING if closed else number_text(position.margin, 2),
        "margin_value": float(position.margin),
    }


def _next_detail(position: PairPosition, engine: Engine, settings: Settings) -> str:
    """All of what is going on with a pair, for the tooltip of its plan."""
    parts = [plan_detail(position, settings)]
    if position.state == "unhedged":
        parts.insert(0, unhedged_detail(position, engine))
    if position.work is not None:
        parts.append(work_detail(position, position.work, engine, settings.ui.utc))
    return " ".join(parts)
