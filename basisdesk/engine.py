"""The walk: frames in, one order, the whole house. Start reading here.

`Engine.advance` takes each frame through decode -> market -> desk -> ledger and says what changed.
Live, replay and backtest differ only in who hands it frames. Time is what the frame says.
"""

import decimal
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from basisdesk.config import Settings
from basisdesk.errors import BadFrame
from basisdesk.events import (
    BEAT,
    COMMAND,
    ENTRY,
    LINK,
    Changed,
    Command,
    EquityMarked,
    Frame,
    Funds,
    LegRejected,
    LinkChange,
    Liquidated,
    OpenPair,
    Outcome,
    PairAdded,
    PairOpened,
    PairReduced,
    Refused,
    RiskChanged,
    SessionStarted,
    SetValue,
)
from basisdesk.explain import (
    Explanation,
    explain_cash,
    explain_equity,
    explain_pair,
    forgotten,
)
from basisdesk.ledger.attribution import Attribution
from basisdesk.ledger.audit import Held, audit
from basisdesk.ledger.books import Books
from basisdesk.ledger.covering import booked
from basisdesk.ledger.posting import Transaction
from basisdesk.ledger.valuation import Price, Worth
from basisdesk.market.basis import PairMarket
from basisdesk.market.scan_frames import SCAN, ScanFrames
from basisdesk.market.state import Market
from basisdesk.market_time import in_market_time
from basisdesk.pairing import Looks, is_sector_word, pairs_of, shown_qty
from basisdesk.stories import Stories
from basisdesk.trading.costs import CostSheet
from basisdesk.trading.desk import Desk
from basisdesk.trading.exposure import exposure
from basisdesk.trading.positions import PairPosition
from basisdesk.trading.readings import Reading
from basisdesk.trading.risk import RESUME_WORDS
from basisdesk.trading.sentences import describe
from basisdesk.valuing import CurvePoint, HeldPoint, Values, curve_point, held_after, marked_point
from basisdesk.venues import MarketEvent, Venue

BEAT_NS = 100_000_000  # series samples, exit plans, margin: ten times a second at most
LOG_LINES = 5_000
OUTCOMES_KEPT = 10_000
CURVE_NS = 60_000_000_000  # between two live points of the equity curve
CURVE_POINTS = 10_080  # a week of minutes

_decode_command = msgspec.json.Decoder(Command).decode
_decode_outcome = msgspec.json.Decoder(Outcome).decode
_decode_link = msgspec.json.Decoder(LinkChange).decode
_FILLED = (PairOpened, PairAdded, PairReduced, Liquidated)
_OUTCOMES = Changed.POSITIONS | Changed.LEDGER | Changed.RISK | Changed.LOG


class JournalPort(Protocol):
    """Where outcomes become durable. `append` returns only when the disk has them."""

    def append(self, outcome: Outcome, txns: Sequence[Transaction] = ()) -> int:
        """Write one outcome and its transactions, or raise JournalError and write nothing."""
        ...


class MemoryJournal:
    """A journal that keeps nothing: for replays that were given no file."""

    def append(self, outcome: Outcome, txns: Sequence[Transaction] = ()) -> int:  # noqa: ARG002
        """Accept and forget."""
        return 0


class LogLine(msgspec.Struct, frozen=True):
    """One line of the log panel. level: "info", "warn" or "error"; plain text, already cleaned."""

    t_ns: int
    level: str
    source: str
    text: str


class Engine:
    """The pure core: market, desk and books, moved only by frames.

    pair: the legs on the screen (spot key, perp key), "" before the first choice.
    speed: how many seconds the stamps advance in a real one; 1 except on a demo in fast motion.
    outcomes: what was done last, oldest first; marks of equity stand in `curve` instead, with a
    point a minute between them. held: what was held after each fill.
    """

    def __init__(
        self,
        settings: Settings,
        venues: Mapping[str, Venue],
        journal: JournalPort,
        speed: float = 1.0,
    ) -> None:
        self.settings = settings = in_market_time(settings, speed)
        self.now_ns = 0
        self.market = Market(settings, venues, speed)
        self._scans = ScanFrames(venues, self.market)
        self.desk = Desk(settings)
        self.books = Books(settings.account.currency)
        self.pair: tuple[str, str] = ("", "")
        self.session: SessionStarted | None = None
        self.log: deque[LogLine] = deque(maxlen=LOG_LINES)
        self.outcomes: deque[Outcome] = deque(maxlen=OUTCOMES_KEPT)
        self.curve: deque[CurvePoint] = deque(maxlen=CURVE_POINTS)
        self.held: deque[HeldPoint] = deque(maxlen=OUTCOMES_KEPT)
        self.values = Values(settings, self.market, self.books)
        self._venues = venues
        self._journal = journal
        self._decoders: dict[str, Callable[[bytes], Sequence[MarketEvent]]] = {}
        self._due_ns = 0
        self._next_beat_ns = 0
        self._looks = Looks()
        self._stories = Stories()

    # --- the walk --------------------------------------------------------------------------------

    def advance(self, frames: Iterable[Frame]) -> Changed:
        """Walk each frame through the house once, in order. Same frames, same result."""
        changed = last = nothing = Changed.NOTHING
        decoders = self._decoders
        market = self.market
        apply = market.apply_all
        for frame in frames:
            decode = decoders.get(frame.conn)
            if decode is None and frame.conn.endswith(SCAN):  # no part of the walk
                self._scans.take(frame)
                continue
            now_ns = frame.t_ns
            if now_ns < self.now_ns:  # one order: a stamp never goes back
                now_ns = self.now_ns
            else:
                self.now_ns = now_ns
            if decode is None:
                changed |= self._first_or_ours(frame, now_ns)
            else:
                try:
                    events = decode(frame.payload)
                except BadFrame as exc:
                    moved = market.bad(frame.conn, exc.reason, now_ns, exc.payload)
                else:
                    moved = apply(events, now_ns)
                if moved is not last:  # singletons, and `|` is slow; most frames move the same
                    changed = moved if changed is nothing else changed | moved
                    last = moved
            if now_ns >= self._due_ns and frame.conn != ENTRY:  # half restored, it decides nothing
                changed |= self._on_time(now_ns)
        return changed

    def _first_or_ours(self, frame: Frame, now_ns: int) -> Changed:
        if frame.conn == BEAT:
            return Changed.FEEDS
        if frame.conn == COMMAND:
            return self._command(frame.payload, now_ns)
        if frame.conn == LINK:
            return self._link(frame.payload, now_ns)
        if frame.conn == ENTRY:
            return self._entry(frame.payload, now_ns)
        venue = self._venues.get(frame.conn.partition(".")[0])
        if venue is None:
            return self.market.bad(frame.conn, "conn", now_ns)
        try:
            decode = venue.codec(frame.conn).decode
        except ValueError:  # a venue we know, a connection it does not have
            return self.market.bad(frame.conn, "conn", now_ns)
        self._decoders[frame.conn] = decode
        try:
            events = decode(frame.payload)
        except BadFrame as exc:
            return self.market.bad(frame.conn, exc.reason, now_ns, exc.payload)
        return self.market.apply_all(events, now_ns)

    def _link(self, payload: bytes, now_ns: int) -> Changed:
        try:
            change = _decode_link(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.market.bad(LINK, "json", now_ns)
            return Changed.FEEDS
        if change.state in ("connecting", "up", "down", "idle", "overflow", "renewed"):
            # A new connection starts with nothing merged: the next frame builds a fresh decoder.
            self._decoders.pop(change.conn, None)
            self._scans.forget(change.conn)
        self.market.link(change, now_ns)
        if change.state in ("up", "down", "idle", "overflow", "renewed"):
            level = "info" if change.state in ("up", "idle", "renewed") else "warn"
            self._say(now_ns, level, change.conn, f"{change.state}: {change.reason}".rstrip(": "))
        return Changed.FEEDS | Changed.QUOTES | Changed.LOG

    def _entry(self, payload: bytes, now_ns: int) -> Changed:
        """What the journal held when the tape began: booked and folded again, as at a restart."""
        try:
            outcome = _decode_outcome(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, decimal.InvalidOperation):
            self.market.bad(ENTRY, "json", now_ns)
            return Changed.FEEDS
        outcome, txns = booked(outcome, self.books)
        self._journal.append(outcome, txns)
        self._fold(outcome, txns)
        return _OUTCOMES

    def _command(self, payload: bytes, now_ns: int) -> Changed:
        try:
            command = _decode_command(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, decimal.InvalidOperation):
            self.market.bad(COMMAND, "json", now_ns)
            return Changed.FEEDS
        if isinstance(command, SetValue):
            return self._set(command, now_ns)
        with decimal.localcontext(prec=64):
            outcomes = self.desk.on_command(command, self.market, self.funds(), now_ns)
            self._commit(outcomes)
        self._due_ns = min(self._due_ns, self.desk.next_due_ns)
        return _OUTCOMES

    def _on_time(self, now_ns: int) -> Changed:
        changed = Changed.NOTHING
        with decimal.localcontext(prec=64):
            if now_ns >= self._next_beat_ns:
                changed |= self.market.beat(now_ns)
                self._next_beat_ns = now_ns + BEAT_NS
            pairs = self.open_pairs()
            worths = self.values.beat(pairs, now_ns)
            funds = self.values.funds(pairs, worths, now_ns)
            self._draw(funds, now_ns)
            outcomes = self.desk.on_time(self.market, funds, now_ns)
            if outcomes:
                self._commit(outcomes)
                changed |= _OUTCOMES | Changed.FUNDING
        self._due_ns = min(self._next_beat_ns, self.desk.next_due_ns)
        return changed

    # --- what becomes durable --------------------------------------------------------------------

    def _commit(self, outcomes: Iterable[Outcome]) -> None:
        """Disk first, then memory: nothing a user can see is ahead of the journal.

        Each is booked on what the one before it left.
        """
        for each in outcomes:
            outcome, txns = booked(each, self.books)
            self._journal.append(outcome, txns)
            self._fold(outcome, txns)
            if not isinstance(outcome, EquityMarked):  # a mark is no news
                self._say(outcome.ts_ns, self._level(outcome), "desk", describe(outcome))
            if isinstance(outcome, _FILLED):
                self.values.folded(outcome.pair)
        self.values.known = self.worths()

    def _fold(self, outcome: Outcome, txns: Sequence[Transaction]) -> None:
        self.books.apply(outcome, txns)
        with decimal.localcontext(prec=64):  # quotients come out alike, live and restored
            self.desk.apply(outcome)
        self._stories.fold(outcome, txns, self.books.currency)
        if isinstance(outcome, SessionStarted):
            self.session = outcome
        elif isinstance(outcome, _FILLED):
            self.held.append(held_after(outcome.ts_ns, self.books))
        if isinstance(outcome, EquityMarked):
            self.curve.append(marked_point(outcome))
        else:
            self.outcomes.append(outcome)

    def _level(self, outcome: Outcome) -> str:
        """How loud the log says an outcome: a refusal or a missing leg warns, a lost leg shouts."""
        if isinstance(outcome, Liquidated):
            return "error"
        if isinstance(outcome, RiskChanged):
            return {"active": "info", "halted": "error"}.get(outcome.state, "warn")
        position = self.desk.pairs.get(getattr(outcome, "pair", 0))
        missing = position is not None and position.state == "unhedged"
        if isinstance(outcome, Refused | LegRejected) or (isinstance(outcome, _FILLED) and missing):
            return "warn"
        return "info"

    def restore(self, entries: Iterable[tuple[int, Outcome, Sequence[Transaction]]]) -> None:
        """Fold a journal's entries, oldest first. Start and crash recovery are this same path."""
        for _, outcome, txns in entries:
            self._fold(outcome, txns)
            self.now_ns = max(self.now_ns, outcome.ts_ns)

    def start_session(self, started: SessionStarted) -> None:
        """Journal the start of a session. The first of a journal deposits the starting cash.

        Positions and ledger are compared first: where they disagree the desk starts halted. What
        is held can be closed all the same.
        """
        self.now_ns = max(self.now_ns, started.ts_ns)
        problems = self.audit()
        self._commit([started])
        for problem in problems:
            self._say(self.now_ns, "error", "audit", problem)
        risk = self.desk.risk
        if problems and not (risk.halted and risk.cause == "audit"):
            more = f" (and {len(problems) - 1} more in the log)" if len(problems) > 1 else ""
            text = f"Positions and ledger disagree. {problems[0]}{more}"
            self._commit(
                [RiskChanged(self.now_ns, "halted", text, "audit", "desk", RESUME_WORDS["audit"])]
            )

    def audit(self) -> list[str]:
        """Where positions and ledger disagree, a sentence each; empty when they agree."""
        with decimal.localcontext(prec=64):
            told = {
                each.pair: Held(each.long.qty, each.short.qty, each.margin, each.collateral)
                for each in self.open_pairs()
            }
            return audit(self.books, told)

    # --- what panels and the command line read ---------------------------------------------------

    def shown(self) -> PairMarket | None:
        """The pair on the screen, or None before the first choice."""
        return self.market.pairs.get(self.pair)

    def open_pairs(self) -> list[PairPosition]:
        """Pairs that still hold something, oldest first."""
        return self.desk.live()

    def worths(self) -> dict[str, Worth]:
        """Exact mid and cross rate per instrument held; the last heard where a leg is silent.

        The last known stands also where the prices of a pair's legs cannot both be true. Looking
        changes nothing: what was heard last is noted at each beat and outcome, by the walk.
        """
        return self.values.worths(self.open_pairs(), self.now_ns)

    def mids(self) -> dict[str, Decimal]:
        """Exact mid per instrument held, in its own quote currency."""
        return {key: worth.price for key, worth in self.worths().items()}

    def value_at(self, worths: Mapping[str, Price]) -> None:
        """Value what is held so until quotes are heard: for a report beside the desk.

        A bare price is at the cross rate of its pair's last outcome.
        """
        self.values.take(worths, self.open_pairs())

    def funds(self) -> Funds:
        """Free cash and equity at mids, account currency, and what plans and triggers ask for."""
        return self.values.funds(self.open_pairs(), self.worths(), self.now_ns)

    def readings(self) -> tuple[Reading, ...]:
        """Every trigger of the risk state as it stands, those that halt first."""
        with decimal.localcontext(prec=64):
            return self.desk.readings(self.market, self.funds(), self.now_ns)

    def explain(self, term: str, pair: int | None = None) -> Explanation:
        """The rows behind a figure, which sum to it exactly, and its formula in one line.

        Of a pair: a term of its attribution, "margin" or "collateral". Of the account (no pair):
        "cash" (or "free") and "equity". Raises KeyError for another, RuleError for an unknown pair.
        """
        if pair is None:
            if term == "equity":
                return explain_equity(self.books, self.worths(), self.now_ns)
            if term in ("cash", "free"):
                return explain_cash(self.books, self.now_ns)
            raise KeyError(term)
        story = self._stories.of(pair)
        if story is not None:
            return explain_pair(story, term, self.worths(), self.now_ns)
        figure = getattr(self.attribution(pair), term, Decimal(0))
        return forgotten(pair, term, figure, self.books.currency, self.now_ns)

    def attribution(self, pair: int) -> Attribution:
        """Where a pair's money came from, exactly; an open pair is valued at current mids."""
        now, legs = self.worths(), self.books.lots(pair).legs
        return self.books.attribution(pair, now.get(legs["long"].key), now.get(legs["short"].key))

    def sheet(self, request: OpenPair) -> CostSheet:
        """What an order would cost now, and whether the desk would take it."""
        with decimal.localcontext(prec=64):
            return self.desk.sheet(request, self.market, self.funds(), self.now_ns)

    # --- small ones ------------------------------------------------------------------------------

    def _set(self, command: SetValue, now_ns: int) -> Changed:
        """The few settings of a running engine; SetValue names them."""
        if command.key in ("pair", "watch"):
            return self._look_at(command, now_ns)
        if command.key == "ticket.qty":
            shown, qty = self.shown(), shown_qty(command.value)
            if shown is not None and qty > 0.0:
                shown.qty = qty
                return Changed.BASIS
        if command.key.startswith("sector."):
            coin = command.key.removeprefix("sector.")
            if is_sector_word(coin, command.value, self.market.sectors):
                self.market.sectors[coin] = command.value
                return Changed.POSITIONS
        text = f"Cannot set {command.key[:40]!r} to {command.value[:80]!r}."
        self._say(now_ns, "warn", "desk", text)
        return Changed.LOG

    def _draw(self, funds: Funds, now_ns: int) -> None:
        """A point a minute, once the account has begun."""
        last_ns = self.curve[-1].t_ns if self.curve else 0
        if self.session is not None and now_ns - last_ns >= CURVE_NS:
            currency = self.settings.account.currency
            at = exposure(self.open_pairs(), self.market, currency, now_ns)
            self.curve.append(curve_point(now_ns, funds.equity, funds.free, at))

    def _look_at(self, command: SetValue, now_ns: int) -> Changed:
        """Show a pair or watch some unseen; what nobody looks at any more is forgotten."""
        pairs, fault = pairs_of(command.key, command.value, self._venues)
        if command.key == "watch":
            self._looks.watch(pairs)
        elif pairs:
            self.pair = pairs[0]
            self._looks.show(self.pair)
        for pair in pairs:
            self.market.pair(*pair)
        held = [{leg.instrument for leg in position.legs} for position in self.open_pairs()]
        for old in self._looks.spare(held):
            self.market.forget(old)
        if fault:
            self._say(now_ns, "warn", "desk", fault)
            return Changed.LOG
        return Changed.BASIS | Changed.QUOTES

    def _say(self, t_ns: int, level: str, source: str, text: str) -> None:
        self.log.append(LogLine(t_ns, level, source, text))
