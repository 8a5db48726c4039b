"""One playbook through the desk's own engine and autopilot over one pair, and what came of it.

As in the desk the playbook is looked at on a beat, its commands go in as a person's would, and its
exit plans run at the desk. On a tape a look comes each second of the tape's own time. On bars a
look comes once a bar, when all of its quotes are in, and orders are filled at that bar's prices.
What the data do not tell is absent as in the desk: forecast, scanner, lead-lag, sectors.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

import msgspec

from basisdesk.engine import Engine
from basisdesk.events import (
    BEAT,
    COMMAND,
    ClosePair,
    Command,
    Frame,
    Liquidated,
    OpenPair,
    Outcome,
    PairOpened,
    PairReduced,
    Refused,
    SessionStarted,
    SetValue,
)
from basisdesk.lab.league_data import Field
from basisdesk.lab.league_views import LOOK_S, SlowClock
from basisdesk.lab.replay import by_pair, fresh_engine
from basisdesk.lab.series import Ints
from basisdesk.playbook.autopilot import Autopilot
from basisdesk.playbook.reader import Beside, ViewReader
from basisdesk.playbook.words import Decision, Playbook, View

NS = 1_000_000_000
TERMS = ("basis", "funding", "fees", "slippage", "borrow", "residual", "total")
ZERO = Decimal(0)


class Entrant(NamedTuple):
    """Who takes part. stretch: how many times slower its clock is than the desk's."""

    name: str
    book: Playbook
    stretch: float = 1.0


class Deal(NamedTuple):
    """One pair that was traded. exit_ns: 0 where it was open at the end. terms: of TERMS, exact."""

    pair: int
    entry_ns: int
    exit_ns: int
    direction: int
    qty: Decimal
    notional: Decimal
    code: str
    said: str
    why: str
    terms: dict[str, Decimal]


class Walked(NamedTuple):
    """What one playbook did on one pair. equity: at each edge, account currency, the start first.

    stood: looks by the code of why nothing was done, with no position. said: the newest sentence
    of each. refused: by the desk's limit. held_s: in the market. drawdown: the most that equity
    fell at looks, account currency. looks: how many. skipped: nothing was entered at lower costs,
    so it was not walked again.
    """

    deals: tuple[Deal, ...]
    equity: tuple[Decimal, ...]
    start: Decimal
    end: Decimal
    stood: Counter[str]
    said: dict[str, str]
    refused: Counter[str]
    held_s: float
    drawdown: Decimal
    looks: int
    digest: str
    skipped: bool = False


# --- the walk -------------------------------------------------------------------------------------


def walked(entrant: Entrant, field: Field, edges_ns: Ints) -> Walked:
    """The whole of a field by one entrant, with an engine and an account of its own.

    edges_ns: moments at which the equity is noted, as of the last look before each.
    """
    return _Walk(entrant, field, edges_ns).run()


class _Walk:
    def __init__(self, entrant: Entrant, field: Field, edges_ns: Ints) -> None:
        self.field = field
        self.engine = _engine(field)
        self.pilot = Autopilot([entrant.book])
        self.reader = ViewReader(self.engine)
        self.clock = SlowClock(entrant.stretch) if entrant.stretch > 1.0 else None
        self.pair = " ".join(field.legs)
        self.pilot.set_mode(self.pair, "auto", entrant.book.name, field.start_ns)
        self.edges: list[int] = edges_ns.tolist()
        self.start = self.engine.funds().equity
        self.equity: list[Decimal] = []
        self.now = self.peak = self.start
        self.drawdown = ZERO
        self.entered: list[tuple[int, Decision]] = []
        self.stood: Counter[str] = Counter()
        self.said: dict[str, str] = {}
        self.looks = 0

    def run(self) -> Walked:
        look_ns = self.field.start_ns
        at = 0
        for look_ns, frames in self.field.rows():
            while at < len(self.edges) and self.edges[at] <= look_ns:
                self.equity.append(self.now)
                at += 1
            self.engine.advance(frames)
            self._beat(look_ns)
            self._look(look_ns)
        if self.field.bars:
            self._close_all(look_ns)
        self.now = self.engine.funds().equity
        self._drawn(self.now)
        self.equity += [self.now] * (len(self.edges) - at)
        return self._result(look_ns)

    def _beat(self, now_ns: int) -> None:
        """All is heard: the market reads it, and what is held is judged by it."""
        if self.field.bars and not self.engine.open_pairs() and not self.engine.desk.pending:
            self.engine.market.beat(now_ns)  # with nothing held the desk has nothing to judge
        else:
            self.engine.advance([Frame(BEAT, b"", now_ns)])

    def _look(self, now_ns: int) -> None:
        view = self._view(now_ns)
        self._drawn(view.account.equity)
        self.looks += 1
        commands = self.pilot.step([view], now_ns)
        decision = self.pilot.seen(self.pair)
        if decision is not None and view.held is None and not commands:
            self.stood[decision.code] += 1
            self.said[decision.code] = decision.text
        if not commands:
            return
        if decision is not None and isinstance(commands[0], OpenPair):
            self.entered.append((now_ns, decision))
        self._send(commands, now_ns)
        if self.field.bars:  # the next look of the desk is a second later, not a bar
            later_ns = now_ns + round(LOOK_S * NS)
            self.engine.advance([Frame(BEAT, b"", later_ns)])
            self._send(self.pilot.step([self._view(later_ns)], later_ns), later_ns)

    def _view(self, now_ns: int) -> View:
        view = self.reader.read(self.field.legs, now_ns, Beside(own=tuple(self.pilot.own)))
        if self.clock is None:
            return view
        pair = self.engine.market.pairs.get(self.field.legs)
        return view if pair is None else self.clock.see(view, pair.spot.mid)

    def _drawn(self, equity: Decimal) -> None:
        self.now = equity
        self.peak = max(self.peak, equity)
        self.drawdown = max(self.drawdown, self.peak - equity)

    def _send(self, commands: Iterable[Command], now_ns: int) -> None:
        for command in commands:
            stamped = msgspec.structs.replace(command, t_ns=now_ns)
            self.engine.advance([Frame(COMMAND, msgspec.json.encode(stamped), now_ns)])

    def _close_all(self, now_ns: int) -> None:
        closes = [ClosePair(each.pair, by="league, end of data") for each in
                  self.engine.open_pairs()]  # fmt: skip
        self._send(closes, max(now_ns, self.engine.now_ns))

    def _result(self, end_ns: int) -> Walked:
        deals = tuple(_deals(self.engine, self.field.legs, self.entered))
        told = sum((deal.terms["total"] for deal in deals), ZERO)
        assert told == self.now - self.start, "attribution and equity disagree"
        refused = Counter(o.limit for o in self.engine.outcomes if isinstance(o, Refused))
        held = [(deal.exit_ns or end_ns) - deal.entry_ns for deal in deals]
        return Walked(
            deals=deals,
            equity=tuple(self.equity),
            start=self.start,
            end=self.now,
            stood=self.stood,
            said=self.said,
            refused=refused,
            held_s=sum(held) / NS,
            drawdown=self.drawdown,
            looks=self.looks,
            digest=self.engine.books.digest(),
        )


def _engine(field: Field) -> Engine:
    engine = fresh_engine(field.settings, None, field.speed)
    start = Decimal(repr(field.settings.account.start))
    engine.start_session(SessionStarted(field.start_ns, "league", "league", "", "USDT", start))
    look = msgspec.json.encode(SetValue("pair", " ".join(field.legs)))
    engine.advance([*field.opening, Frame(COMMAND, look, field.start_ns)])
    return engine


def _deals(
    engine: Engine, legs: tuple[str, str], entered: list[tuple[int, Decision]]
) -> Iterator[Deal]:
    for number, mine in sorted(by_pair(engine.outcomes).items()):
        opened = next(each for each in mine if isinstance(each, PairOpened))
        asked = [said for at_ns, said in entered if at_ns <= opened.ts_ns]
        told = engine.attribution(number)
        price = next((f.price for f in opened.fills if f.instrument == legs[0]), ZERO)
        exit_ns, why = _end(mine)
        yield Deal(
            pair=number,
            entry_ns=opened.ts_ns,
            exit_ns=exit_ns,
            direction=1 if opened.long == legs[0] else -1,
            qty=opened.qty,
            notional=opened.qty * price,
            code=asked[-1].code if asked else "",
            said=asked[-1].text if asked else "",
            why=why,
            terms={term: getattr(told, term) for term in TERMS},
        )


def _end(mine: list[Outcome]) -> tuple[int, str]:
    leaving = [each for each in mine if isinstance(each, PairReduced | Liquidated)]
    if not leaving or not leaving[-1].closed:
        return 0, "open"
    last = leaving[-1]
    if any(isinstance(each, Liquidated) for each in leaving):
        return last.ts_ns, "liquidated"
    assert isinstance(last, PairReduced)
    return last.ts_ns, last.by or last.reason


def not_walked(before: Walked) -> Walked:
    """The result at higher costs of one who entered nothing at lower ones: the same, and said so.

    Every playbook asks of an entry that something is left after costs, so what is refused at low
    costs is refused at high ones, and until its first entry nothing of an account differs.
    """
    return before._replace(skipped=True)
