"""A watch over a small book set by hand: one or more ADA pairs, equity as told, looks as asked."""

import math
from decimal import Decimal

import msgspec

from basisdesk.config import Risk, Settings
from basisdesk.events import (
    Execution,
    ExitPlan,
    Fill,
    Funds,
    PairAdded,
    PairOpened,
    PairReduced,
    Result,
    RiskChanged,
    SessionStarted,
)
from basisdesk.market.state import Market
from basisdesk.trading.positions import Positions
from basisdesk.trading.triggers import Watch
from basisdesk.venues.instrument import Instrument

D = Decimal
S = 1_000_000_000
HOUR = 3_600 * S
DAY = 24 * HOUR
T0 = 1_735_689_600 * S  # 2025-01-01 00:00:00 UTC
NOON = T0 + 12 * HOUR
LONG, SHORT = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"


def _rules(key, market):
    return Instrument(
        key=key, venue="bybit", market=market, symbol="ADAUSDT", base="ADA", quote="USDT",
        tick=D("0.0001"), lot=D(1), min_qty=D(1), min_notional=D(5), max_qty=D(0),
        leverage_max=D(75),
    )  # fmt: skip


def _fill(leg, qty, price, ts_ns, opens=True):
    key = LONG if leg == "long" else SHORT
    side = "buy" if (leg == "long") == opens else "sell"
    return Fill(ts_ns, leg, key, side, D(qty), D(price), D(0), "USDT")


class Floor:
    """Positions, market and one watch. `kept` is what a journal would hold."""

    def __init__(self, now=NOON, session=True, **risk):
        self.settings = Settings(risk=Risk(**risk))
        self.market = Market(self.settings)
        for key, market in ((LONG, "spot"), (SHORT, "perp")):
            self.market.instruments[key] = _rules(key, market)
            self.market.leg(key)
        self.positions = Positions("USDT")
        self.watch = Watch(self.settings)
        self.now = now
        self.equity = D(10_000)
        self.known = True
        self.results = []
        self.kept = []
        self.quote()
        if session:
            self.start()

    def start(self):
        """A session begins."""
        self.tell(SessionStarted(self.now, "s", "demo", "0", "USDT", D(10_000)))

    def tell(self, outcome):
        """An outcome as the engine folds it."""
        self.kept.append(outcome)
        self.positions.apply(outcome)
        self.watch.apply(outcome)

    def quote(self, *keys, spot=0.3640, perp=0.3665, mark=None):
        """These legs (both unless named) are heard now."""
        for key, price in ((LONG, spot), (SHORT, perp)):
            if keys and key not in keys:
                continue
            leg = self.market.leg(key)
            leg.bid, leg.ask, leg.quote_ns = price - 0.0001, price, self.now
            if key == SHORT:
                leg.mark = price if mark is None else mark

    def open(self, pair=1, qty="10000", short=None, leverage="2"):
        """A pair stands; `short` less than qty leaves it unhedged."""
        fills = [_fill("long", qty, "0.3640", self.now)]
        short = qty if short is None else short
        if D(short):
            fills.append(_fill("short", short, "0.3665", self.now))
        margin = D(short) * D("0.3665") / D(leverage)
        self.tell(
            PairOpened(
                self.now, pair, LONG, SHORT, D(qty), D(leverage), ExitPlan(D(3), D(150)), "user",
                tuple(fills), D("0.36395"), D("0.36645"), margin, D(0), how=Execution(), step=D(1),
            )
        )  # fmt: skip

    def hedge(self, pair=1, qty="10000"):
        """The missing short leg arrives."""
        fills = (_fill("short", qty, "0.3665", self.now),)
        self.tell(PairAdded(self.now, pair, "hedge", fills, D("0.364"), D("0.3665"), D(0), D(0)))

    def strip(self, pair=1, qty="10000"):
        """The long leg is sold alone by hand."""
        fills = (_fill("long", qty, "0.364", self.now, opens=False),)
        prices = D("0.364"), D("0.3665")
        gone = PairReduced(self.now, pair, D(1), "user", fills, *prices, D(0), D(0), closed=False)
        self.tell(msgspec.structs.replace(gone, alone=True))

    def close(self, pair=1, qty="10000", net="1"):
        """The pair is closed and earned `net`."""
        fills = (
            _fill("long", qty, "0.3640", self.now, opens=False),
            _fill("short", qty, "0.3665", self.now, opens=False),
        )
        margin = self.positions.pairs[pair].margin
        self.tell(
            PairReduced(
                self.now, pair, D(1), "user", fills, D("0.364"), D("0.3665"), margin, D(0), True
            )
        )
        self.earn(net, pair)

    def earn(self, net, pair=0):
        """A closed pair's result, without the pair."""
        self.results.append(Result(pair or len(self.results) + 1, self.now, D(str(net))))

    def funds(self):
        judged = self.equity if self.known else None
        return Funds(self.equity, self.equity, tuple(self.results), judged=judged)

    def look(self, *keys, quoted=True):
        """One look of the desk; what it decides is folded and returned."""
        if quoted:
            self.quote(*keys)
        outcomes = self.watch.judge(self.positions, self.market, self.funds(), self.now)
        for outcome in outcomes:
            self.tell(outcome)
        return outcomes

    def run(self, seconds, equity=None, step=0.5, quoted=True):
        """Looks every `step` seconds; all that is decided meanwhile."""
        if equity is not None:
            self.equity = D(str(equity))
        said = []
        for _ in range(math.ceil(seconds / step)):
            self.now += round(step * S)
            said += self.look(quoted=quoted)
        return said

    def moves(self, outcomes):
        """(state, cause) of the changes of the risk state among outcomes."""
        return [(each.state, each.cause) for each in outcomes if isinstance(each, RiskChanged)]

    def reading(self, name):
        """One reading, as a panel would see it."""
        told = self.watch.readings(self.positions, self.market, self.funds(), self.now)
        return next(each for each in told if each.name == name)

    def resume(self):
        """A person resumes."""
        self.tell(RiskChanged(self.now, "active", ""))

    def again(self):
        """The desk after a restart: everything folded from what a journal holds."""
        twin = Floor(now=self.now, session=False)
        twin.settings, twin.equity, twin.results = self.settings, self.equity, list(self.results)
        twin.watch = Watch(self.settings)
        for outcome in self.kept:
            twin.tell(msgspec.json.decode(msgspec.json.encode(outcome), type=type(outcome)))
        return twin
