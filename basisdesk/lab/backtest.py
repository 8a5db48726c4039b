"""A rule through the desk's own engine: frames in, commands in between, a ledger at the end.

The engine is the one of the desk, with its books, fees, settlements, interest, margin and
liquidation; only who hands it frames and commands differs. A series is told as frames
(series_frames.py) and the rule is asked after each row; a tape is walked as it is, and the rule is
asked after each of its frames. kernel.py does the same a thousand times faster and must agree, see
tests/lab/test_kernel_engine.py.

What an order of a series costs in time: nothing. It is decided on the prices of a row and filled at
them. On a tape the latency of the settings holds.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.errors import UserError
from basisdesk.events import (
    COMMAND,
    ClosePair,
    ExitPlan,
    Fill,
    Frame,
    Liquidated,
    OpenPair,
    Outcome,
    PairOpened,
    PairReduced,
    Refused,
    SessionStarted,
)
from basisdesk.lab.kernel import TRADE, WHYS, hold_ns
from basisdesk.lab.replay import by_pair, fills_of, fresh_engine
from basisdesk.lab.rule import BandRule, Costs, Lines, Size, checked, fair_bounds_bp, lines, lots_of
from basisdesk.lab.series import Floats, PairSeries
from basisdesk.lab.series_frames import legs_of, opening_frames, row_frames, series_settings
from basisdesk.lab.shown import Shown, shown

if TYPE_CHECKING:
    from basisdesk.market.leg import Leg
    from basisdesk.trading.positions import PairPosition

NEVER_BP = Decimal(999_999)  # a plan that no basis reaches: the rule has the word
_STOP, _TARGET, _TIME, _END = "stop", "target", "time", "end"


class BacktestResult(NamedTuple):
    """What a rule did.

    trades: TRADE of kernel.py, from the ledger. refused: the limit that ended it, or "". frames:
    walked. digest: of the ledger. start, end: equity.
    """

    trades: NDArray[np.void]
    refused: str
    frames: int
    digest: str
    start: float
    end: float
    engine: Engine


class Driver:
    """Asks the rule and hands the engine its commands. One pair at a time, filled at once.

    refused: the limit of a refusal, after which nothing is entered any more.
    """

    def __init__(self, engine: Engine, keys: tuple[str, str], rule: BandRule, at: Lines) -> None:
        self.refused = ""
        self.whys: dict[int, str] = {}
        self._engine = engine
        self._keys = keys
        self._rule = rule
        self._at = at
        self._hold_ns = hold_ns(rule.max_hold_h)
        self._spot: Leg = engine.market.leg(keys[0])
        self._perp: Leg = engine.market.leg(keys[1])
        self._held: PairPosition | None = None
        self._d = 0
        self._entry_ns = 0
        self._stop_bp = math.inf

    def row(self, now_ns: int, size: Size, lot: float, last: bool) -> None:
        """Act on what is shown now. last: nothing comes after it."""
        held = self._held
        if held is not None:
            why = "liquidated" if held.state == "naked" else self._why(now_ns, last)
            if why:
                self._close(why, now_ns)
        elif not last and not self.refused:
            spot, perp, at = self._spot, self._perp, self._at
            if (perp.bid / spot.ask - 1.0) * 1e4 >= at.up_in:
                self._open(1, spot.ask, now_ns, (size, lot))
            elif (perp.ask / spot.bid - 1.0) * 1e4 <= at.down_in:
                self._open(-1, spot.bid, now_ns, (size, lot))

    def heard(self) -> None:
        """Raise UserError where a leg has no quote: no rule can have been asked."""
        for leg, key in zip((self._spot, self._perp), self._keys, strict=True):
            if math.isnan(leg.bid):
                raise UserError(
                    f"The desk takes no quote of {key}: prices of this size cannot be walked by "
                    "the engine. Use the kernel."
                )

    def _why(self, now_ns: int, last: bool) -> str:
        spot, perp, at, d = self._spot, self._perp, self._at, self._d
        mid = ((perp.bid + perp.ask) / (spot.bid + spot.ask) - 1.0) * 1e4
        if d * mid >= self._stop_bp:
            return _STOP
        if d > 0:
            done = (perp.ask / spot.bid - 1.0) * 1e4 <= at.up_out
        else:
            done = (perp.bid / spot.ask - 1.0) * 1e4 >= at.down_out
        if done:
            return _TARGET
        if 0 <= self._hold_ns <= now_ns - self._entry_ns:
            return _TIME
        return _END if last else ""

    def _open(self, d: int, price: float, now_ns: int, how: tuple[Size, float]) -> None:
        size, lot = how
        lots = lots_of(size.notional, price, lot)
        if not lots:
            self.refused = "min_qty"
            return
        spot, perp = self._keys
        command = OpenPair(
            long=spot if d > 0 else perp,
            short=perp if d > 0 else spot,
            qty=lots * Decimal(repr(lot)),
            leverage=Decimal(repr(self._rule.leverage)),
            exit=ExitPlan(target_bp=-d * NEVER_BP, stop_bp=d * NEVER_BP),
            t_ns=now_ns,
        )
        for outcome in self._tell(command, now_ns):
            if isinstance(outcome, PairOpened):
                self._held = self._engine.desk.pairs[outcome.pair]
                self._d, self._entry_ns = d, now_ns
                legs = self._spot, self._perp
                mid = (legs[1].bid + legs[1].ask) / (legs[0].bid + legs[0].ask)
                self._stop_bp = d * ((mid - 1.0) * 1e4) + self._rule.stop_bp
            elif isinstance(outcome, Refused):
                self.refused = outcome.limit

    def _close(self, why: str, now_ns: int) -> None:
        assert self._held is not None
        pair = self._held.pair
        self.whys[pair] = why
        said = self._tell(ClosePair(pair, t_ns=now_ns), now_ns)
        if any(isinstance(each, PairReduced) and each.closed for each in said):
            self._held = None
        elif no := next((each for each in said if isinstance(each, Refused)), None):
            raise UserError(f"Pair {pair} could not be closed: {no.text}")

    def _tell(self, command: OpenPair | ClosePair, now_ns: int) -> list[Outcome]:
        outcomes = self._engine.outcomes
        before = len(outcomes)
        self._engine.advance([Frame(COMMAND, msgspec.json.encode(command), now_ns)])
        return [outcomes[at] for at in range(before, len(outcomes))]


def backtest(series: PairSeries, rule: BandRule, costs: Costs, size: Size) -> BacktestResult:
    """A rule over a series, through the engine. Raises UserError where it cannot be walked."""
    checked(rule, costs, size)
    view = shown(series, costs, size)
    engine, driver = begun(series, view, rule, costs, size)
    rows = row_frames(legs_of(series), view, series.terms.interval_h)
    frames = walk(engine, driver, zip(view.t_ns.tolist(), rows, strict=True), (size, view.lot))
    return result(engine, driver, view, frames, size)


def begun(
    series: PairSeries, view: Shown, rule: BandRule, costs: Costs, size: Size
) -> tuple[Engine, Driver]:
    """An engine that knows the series' instruments, and who asks the rule. See `walk`."""
    legs = legs_of(series)
    engine = series_engine(series_settings(costs, size, rule.leverage), int(view.t_ns[0]))
    engine.advance(opening_frames(legs, view, costs, series.terms.interval_h))
    at = lines(rule, fair_bounds_bp(series.terms, costs.money_rate))
    return engine, Driver(engine, (legs.spot, legs.perp), rule, at)


def walk(
    engine: Engine,
    driver: Driver,
    rows: Iterable[tuple[int, list[Frame]]],
    how: tuple[Size, float],
    ends: bool = True,
) -> int:
    """Each row through the engine, and the rule after it. Returns the frames.

    how: size, lot. ends: after these rows comes nothing. Raises UserError where the engine took no
    quote of them.
    """
    count, advance, act = 0, engine.advance, driver.row
    size, lot = how
    before: tuple[int, list[Frame]] | None = None  # held back: is it the last one?
    for row in rows:
        if before is not None:
            advance(before[1])
            count += len(before[1])
            act(before[0], size, lot, False)
        before = row
    if before is not None:
        advance(before[1])
        count += len(before[1])
        act(before[0], size, lot, ends)
        driver.heard()
    return count


def series_engine(settings: Settings, now_ns: int) -> Engine:
    """A fresh engine whose account is funded now."""
    engine = fresh_engine(settings, None)
    start = Decimal(repr(settings.account.start))
    engine.start_session(SessionStarted(now_ns, "backtest", "backtest", "", "USDT", start))
    return engine


# --- what came of it ------------------------------------------------------------------------------


def result(engine: Engine, driver: Driver, view: Shown, frames: int, size: Size) -> BacktestResult:
    """What an engine holds after its walk."""
    mid = ((view.perp_bid + view.perp_ask) / (view.spot_bid + view.spot_ask) - 1.0) * 1e4
    times = view.t_ns.tolist()
    found = np.zeros(0, dtype=TRADE)
    outcomes = by_pair(engine.outcomes)
    if outcomes:
        found = np.zeros(len(outcomes), dtype=TRADE)
        for at, number in enumerate(sorted(outcomes)):
            _fill(found[at], engine, number, outcomes[number])
            found[at]["why"] = WHYS.index(driver.whys[number])
            rows = [bisect_left(times, int(found[at][name])) for name in ("entry_ns", "exit_ns")]
            _excursion(found[at], mid[rows[0] : rows[1] + 1])
            found[at]["entry_row"], found[at]["exit_row"] = view.rows[rows]
    end = float(engine.funds().equity)
    digest = engine.books.digest()
    return BacktestResult(found, driver.refused, frames, digest, size.capital, end, engine)


def _fill(row: np.void, engine: Engine, number: int, mine: list[Outcome]) -> None:
    """One trade from its outcomes and its attribution in the ledger."""
    opened = next(each for each in mine if isinstance(each, PairOpened))
    closed = next(each for each in mine if isinstance(each, PairReduced) and each.closed)
    up = ":spot:" in opened.long
    row["direction"] = 1 if up else -1
    row["entry_ns"], row["exit_ns"] = opened.ts_ns, closed.ts_ns
    row["qty"] = float(opened.qty)
    row["spot_in"], row["perp_in"] = _prices(opened.fills)
    leaving = [each for each in mine if isinstance(each, PairReduced | Liquidated)]
    row["spot_out"], row["perp_out"] = _prices([f for each in leaving for f in fills_of(each)])
    terms = engine.attribution(number)
    for name in ("basis", "funding", "slippage", "residual"):
        row[name] = float(getattr(terms, name))
    row["fees"], row["borrow"] = -float(terms.fees), -float(terms.borrow)
    row["net"] = float(terms.total)


def _prices(fills: Iterable[Fill]) -> tuple[float, float]:
    """(spot, perpetual) average prices."""
    out = []
    mine = list(fills)
    for market in (":spot:", ":perp:"):
        some = [fill for fill in mine if market in fill.instrument]
        qty = sum((fill.qty for fill in some), Decimal(0))
        out.append(float(sum((fill.qty * fill.price for fill in some), Decimal(0)) / qty))
    return out[0], out[1]


def _excursion(row: np.void, mid: Floats) -> None:
    path = row["direction"] * (mid - mid[0])
    row["mae_bp"], row["mfe_bp"] = path.max(), -path.min()
