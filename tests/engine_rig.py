"""An engine fed as by a live desk: both ADA legs on Bybit, quotes as asked, a beat each second."""

from decimal import Decimal

import msgspec

from basisdesk.config import Fees, Paper, Risk, Settings
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.events import (
    BEAT,
    COMMAND,
    ENTRY,
    ExitPlan,
    Frame,
    OpenPair,
    RiskChanged,
    SessionStarted,
    SetValue,
)
from basisdesk.venues import known_venues
from tests.bybit_wire import LINEAR, SPOT, book, instruments, ticker

D = Decimal
S = 1_000_000_000
T0 = 1_735_689_600 * S
LONG, SHORT = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
PLAN = ExitPlan(D(-9_000), D(9_000))


def settings(**risk):
    return Settings(
        paper=Paper(latency_ms=0),
        fees={"bybit": Fees(spot_buy_fee_in="quote")},
        risk=Risk(**risk),
    )


class Keeping(MemoryJournal):
    """A journal in memory."""

    def __init__(self):
        self.kept = []

    def append(self, outcome, txns=()):
        self.kept.append((len(self.kept) + 1, outcome, tuple(txns)))
        return len(self.kept)


class Line:
    """An engine and the wire before it. Prices are (spot bid, perp bid); asks one tick above."""

    def __init__(self, entries=(), quoted=True, **risk):
        self.journal = Keeping()
        self.engine = Engine(settings(**risk), known_venues(), self.journal)
        self.engine.restore(entries)
        self.now = max(T0, self.engine.now_ns + S)
        self.seq = 5
        start = SessionStarted(self.now, "s", "demo", "0", "USDT", D(10_000))
        self.engine.start_session(start)
        self.tell(SetValue("pair", f"{LONG} {SHORT}"))
        self.feed(instruments())
        if quoted:
            self.quote()

    def feed(self, rows):
        frames = []
        for row in rows:
            payload = row["data"].encode() if isinstance(row["data"], str) else b""
            if row["conn"].endswith(".rest"):
                payload = msgspec.json.encode({"path": row["path"], "data": row["data"]})
            frames.append(Frame(row["conn"], payload, self.now))
        self.engine.advance(frames)

    def quote(self, spot="0.3639", perp="0.3665", mark=None):
        """Both legs, or the one whose price is not None, are quoted now."""
        self.seq += 1
        ms, rows = self.now // 1_000_000, []
        if spot is not None:
            rows += book(SPOT, spot, f"{D(spot) + D('0.0001')}", "500000", ms, self.seq)
        if perp is not None:
            rows += book(LINEAR, perp, f"{D(perp) + D('0.0001')}", "500000", ms, self.seq)
            rows.append(ticker(mark or perp, "0.0001", T0 // 1_000_000 + 28_800_000, ms))
        self.feed(rows)

    def beat(self):
        self.engine.advance([Frame(BEAT, b"", self.now)])

    def tell(self, what):
        self.engine.advance([Frame(COMMAND, msgspec.json.encode(what), self.now)])

    def entry(self, outcome):
        """What a journal held, as a tape carries it."""
        self.engine.advance([Frame(ENTRY, msgspec.json.encode(outcome), self.now)])

    def run(self, seconds, **prices):
        """Quote and beat each second."""
        for _ in range(seconds):
            self.now += S
            self.quote(**prices)
            self.beat()

    def open(self, qty="10000", leverage="2"):
        self.tell(OpenPair(LONG, SHORT, D(qty), D(leverage), PLAN))

    def said(self):
        """(state, cause) of every change of the risk state so far."""
        kept = [outcome for _, outcome, _ in self.journal.kept]
        return [(each.state, each.cause) for each in kept if isinstance(each, RiskChanged)]

    def reading(self, name):
        return next(each for each in self.engine.readings() if each.name == name)

    def again(self, quoted=True, **risk):
        """The desk after a restart."""
        return Line(self.journal.kept, quoted, **risk)
