"""A rule over a recording, as it was recorded: real books, real silence, the desk's own latency.

The tape's frames are walked one by one and the rule is asked after each that came from a venue.
Orders travel as long as the settings say and meet the book that is there then, so this is the
nearest to what the desk would have done, and no kernel equals it. Commands and journal entries of
the recording are left out: the rule trades alone. Fair basis follows the perpetual's own funding
rule as the tape tells it.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.events import (
    COMMAND,
    ENTRY,
    ClosePair,
    ExitPlan,
    Frame,
    OpenPair,
    Refused,
    SessionStarted,
)
from basisdesk.lab.backtest import NEVER_BP
from basisdesk.lab.kernel import hold_ns
from basisdesk.lab.replay import fresh_engine, report
from basisdesk.lab.rule import BandRule, Lines, lines
from basisdesk.market.fair import FULL_INTERVAL_H, fair_band_bp
from basisdesk.trading.risk import check_fresh

if TYPE_CHECKING:
    from basisdesk.market.leg import Leg

BACK_OFF_NS = 1_000_000_000  # after a refusal; the books may show something else by then
OURS = "desk."


class TapeResult(NamedTuple):
    """What a rule did on a tape. report: as of `basisdesk replay --json`. refusals: by limit."""

    report: dict[str, Any]
    refusals: dict[str, int]
    engine: Engine


class TapeDriver:
    """Asks the rule at each frame and sends what it wants, one order at a time."""

    def __init__(
        self, engine: Engine, keys: tuple[str, str], rule: BandRule, notional: float
    ) -> None:
        self.refusals: dict[str, int] = {}
        self._engine = engine
        self._keys = keys
        self._rule = rule
        self._notional = notional
        self._hold_ns = hold_ns(rule.max_hold_h)
        self._spot: Leg = engine.market.leg(keys[0])
        self._perp: Leg = engine.market.leg(keys[1])
        self._told = 0  # outcomes seen
        self._quiet_ns = 0
        self._stop_mid: tuple[int, float] = (0, 0.0)  # pair, mid at its entry
        self._lines: tuple[float, Lines] | None = None  # for an interval, hours

    def look(self, now_ns: int) -> None:
        """Act on what is shown now."""
        engine = self._engine
        self._hear(now_ns)
        desk = engine.desk
        if desk.pending or now_ns < self._quiet_ns:
            return
        if check_fresh(self._spot, self._perp, engine.settings.risk, now_ns) is not None:
            return
        held = engine.open_pairs()
        at = self._levels()
        if at is None:
            return
        command = self._enter(at, now_ns) if not held else self._leave(at, held[0], now_ns)
        if command is not None:
            engine.advance([Frame(COMMAND, msgspec.json.encode(command), now_ns)])

    def _hear(self, now_ns: int) -> None:
        outcomes = self._engine.outcomes
        while self._told < len(outcomes):
            outcome = outcomes[self._told]
            self._told += 1
            if isinstance(outcome, Refused):
                self.refusals[outcome.limit] = self.refusals.get(outcome.limit, 0) + 1
                self._quiet_ns = now_ns + BACK_OFF_NS

    def _levels(self) -> Lines | None:
        """The rule's lines under the perpetual's funding rule; None until both are described."""
        rule, hours = self._perp.instrument, self._perp.funding.interval_h
        if rule is None or self._spot.instrument is None or not hours > 0.0:
            return None
        if self._lines is None or self._lines[0] != hours:
            money = self._engine.settings.risk.money_rate_year
            terms = rule.funding
            if terms.scale == "24h":
                fair = (1e4 * money / 365.0,) * 2
            else:
                per = FULL_INTERVAL_H if terms.scale == "8h" else hours
                fair = fair_band_bp(money, per, terms.interest_8h_bp, terms.clamp_bp)
            self._lines = hours, lines(self._rule, fair)
        return self._lines[1]

    def _enter(self, at: Lines, now_ns: int) -> OpenPair | None:
        spot, perp = self._spot, self._perp
        if (perp.bid / spot.ask - 1.0) * 1e4 >= at.up_in:
            d, price = 1, spot.ask
        elif (perp.ask / spot.bid - 1.0) * 1e4 <= at.down_in:
            d, price = -1, spot.bid
        else:
            return None
        assert spot.instrument is not None
        assert perp.instrument is not None
        lot = max(spot.instrument.lot, perp.instrument.lot)
        qty = Decimal(repr(self._notional / price)) // lot * lot
        keys = self._keys if d > 0 else self._keys[::-1]
        plan = ExitPlan(target_bp=-d * NEVER_BP, stop_bp=d * NEVER_BP)
        leverage = Decimal(repr(self._rule.leverage))
        return OpenPair(*keys, qty, leverage, plan, now_ns)

    def _leave(self, at: Lines, held: Any, now_ns: int) -> ClosePair | None:
        spot, perp, d = self._spot, self._perp, held.direction
        mid = ((perp.bid + perp.ask) / (spot.bid + spot.ask) - 1.0) * 1e4
        if self._stop_mid[0] != held.pair:
            self._stop_mid = held.pair, mid
        if d > 0:
            done = (perp.ask / spot.bid - 1.0) * 1e4 <= at.up_out
        else:
            done = (perp.bid / spot.ask - 1.0) * 1e4 >= at.down_out
        wider = d * (mid - self._stop_mid[1]) >= self._rule.stop_bp
        late = 0 <= self._hold_ns <= now_ns - held.opened_ns
        if not (done or wider or late or held.state == "naked"):
            return None
        return ClosePair(held.pair, t_ns=now_ns)


def backtest_tape(
    frames: Iterable[Frame],
    keys: tuple[str, str],
    rule: BandRule,
    notional: float,
    settings: Settings,
) -> TapeResult:
    """A rule over the frames of a tape, legs (spot, perpetual) as the tape names them."""
    engine = fresh_engine(settings, None)
    driver = TapeDriver(engine, keys, rule, notional)
    start = Decimal(repr(settings.account.start))
    count = 0
    for frame in frames:
        if frame.conn in (COMMAND, ENTRY):
            continue
        if not count:
            engine.start_session(
                SessionStarted(frame.t_ns, "backtest", "backtest", "", "USDT", start)
            )
        count += 1
        engine.advance([frame])
        if not frame.conn.startswith(OURS):
            driver.look(engine.now_ns)
    return TapeResult(report(engine, start, count), driver.refusals, engine)
