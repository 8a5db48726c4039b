"""A real engine on a made-up market, and actions that walk commands through it. No socket."""

import math
from decimal import Decimal

import msgspec

from basisdesk.clock import ManualClock
from basisdesk.config import Paper, Settings
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.events import (
    BEAT,
    COMMAND,
    LINK,
    BookUpdate,
    Frame,
    LinkChange,
    Quote,
    SessionStarted,
    SetValue,
    Ticker,
)
from basisdesk.ui.context import Context
from basisdesk.ui.theme import DARK
from basisdesk.venues import known_venues
from basisdesk.venues.instrument import Instrument, Instruments

D = Decimal
SPOT, PERP = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
TICK = 0.0001
START_NS = 1_789_722_862_000_000_000
THEME = DARK


def instrument(market: str) -> Instrument:
    return Instrument(
        key=SPOT if market == "spot" else PERP,
        venue="bybit",
        market=market,
        symbol="ADAUSDT",
        base="ADA",
        quote="USDT",
        tick=D("0.0001"),
        lot=D("0.1") if market == "spot" else D(1),
        min_qty=D(1),
        min_notional=D(5),
        max_qty=D(5_000_000),
        leverage_max=D(75) if market == "perp" else D(1),
        funding_interval_h=D(8) if market == "perp" else D(0),
    )


class Rig:
    """engine, context, and time that moves by hand. `sent` is every command a panel submitted."""

    def __init__(self, settings: Settings | None = None, mode: str = "simulated") -> None:
        self.settings = settings or Settings(paper=Paper(latency_ms=0))
        self.clock = ManualClock(START_NS)
        self.engine = Engine(self.settings, known_venues(), MemoryJournal())
        self.sent: list = []
        self.shown_pairs: list = []
        self.practised: list = []
        self.saved: list = []
        self.reconnected: list[str] = []
        self.left = False
        self.deaf = False  # commands are noted and not carried out
        self.context = Context(self.engine, self.settings, self.clock, self, mode)
        self.context.status.session = "2026-11-21T091400-1f2e"
        self.engine.start_session(SessionStarted(START_NS, "s1", "demo", "0.1", "USDT", D(10_000)))
        self.seq = 0

    # Actions

    def submit(self, command):
        self.sent.append(command)
        if not self.deaf:
            stamped = msgspec.structs.replace(command, t_ns=self.clock.now_ns())
            self.frame(COMMAND, stamped)

    def save_log(self, folder):
        self.saved.append(folder)

    def reconnect(self, conn):
        self.reconnected.append(conn)

    def show_pair(self, first, second):
        self.shown_pairs.append((first, second))
        self.submit(SetValue("pair", f"{first} {second}"))

    def practise(self, kind, conn, for_s):
        self.practised.append((kind, conn, for_s))

    def stop_practice(self):
        self.practised.append("stop")

    def quit(self):
        self.left = True

    # the market

    def frame(self, conn, what):
        payload = b"" if what is None else msgspec.json.encode(what)
        return self.engine.advance([Frame(conn, payload, self.clock.now_ns())])

    def orders(self, *kinds):
        return [
            c for c in self.sent if not isinstance(c, SetValue) and isinstance(c, kinds or object)
        ]

    def begin(self, spot=0.3640, basis_bp=68.0):
        """Instruments, links, and the first quotes of the ADA pair, shown on the screen."""
        for conn in ("bybit.spot", "bybit.linear"):
            self.frame(LINK, LinkChange(conn, "up", "connected"))
        rows = (instrument("spot"), instrument("perp"))
        self.engine.market.apply(Instruments("bybit", rows), self.clock.now_ns())
        self.frame(COMMAND, SetValue("pair", f"{SPOT} {PERP}"))
        self.move(spot, basis_bp)
        return self

    def move(self, spot, basis_bp, seconds=0.1, rate=0.000184, levels=40):
        """Both legs quote around these prices after this many seconds."""
        self.clock.advance(seconds)
        self.seq += 1
        now_ns = self.clock.now_ns()
        ms = now_ns // 1_000_000 - 40
        for key, conn, mid in (
            (SPOT, "bybit.spot", spot),
            (PERP, "bybit.linear", spot * (1 + basis_bp / 1e4)),
        ):
            self._leg(key, conn, mid, ms, now_ns, levels)
        next_ms = (START_NS // 1_000_000 // 28_800_000 + 1) * 28_800_000
        while next_ms <= ms:
            next_ms += 28_800_000
        perp = spot * (1 + basis_bp / 1e4)
        ticker = Ticker(
            PERP, "bybit.linear/tickers.ADAUSDT", perp, spot, 1e8, rate, 8.0, next_ms, 0.02, ms
        )
        self.engine.market.apply(ticker, now_ns)
        self.frame(BEAT, None)
        return self

    def _leg(self, key, conn, mid, ms, now_ns, levels):
        market = self.engine.market
        bid = math.floor(mid / TICK) * TICK
        ask = bid + TICK
        bid, ask = round(bid, 6), round(ask, 6)
        top = f"{conn}/orderbook.1.ADAUSDT"
        market.apply(Quote(key, top, bid, 31_000.0, ask, 28_500.0, ms, self.seq), now_ns)
        sides = [
            [(round(start + way * n * TICK, 6), 30_000.0 + 900 * n) for n in range(levels)]
            for start, way in ((bid, -1), (ask, 1))
        ]
        depth = f"{conn}/orderbook.50.ADAUSDT"
        market.apply(BookUpdate(key, depth, True, *sides, self.seq, ms), now_ns)

    def wait(self, seconds):
        """Nothing is heard for this long; the desk's own beat goes on."""
        for _ in range(max(1, round(seconds))):
            self.clock.advance(min(1.0, seconds))
            self.frame(BEAT, None)
        return self
