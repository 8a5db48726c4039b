"""Commits the faults that need a hand on the exchange: cuts, notices, bursts, changed instruments.

Faults that only ask "is it on?" (silence, refusal, spoilt messages) are asked for where they act.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from basisdesk.demo.clients import Channel, Client, Voice, frame
from basisdesk.demo.faults import AGAIN_S, Fault
from basisdesk.demo.floor import Name
from basisdesk.demo.leg import SimLeg
from basisdesk.demo.tamper import huge, notice
from basisdesk.demo.warp import STRAIGHT, Bent, Sides
from basisdesk.demo.wire import Leg, Topic

if TYPE_CHECKING:
    from basisdesk.demo.server import Exchange

_BOOK_WORDS = ("book", "depth", "bbo")
_CONNS: dict[tuple[str, str], tuple[str, ...]] = {
    ("bybit", "spot"): ("bybit.spot",),
    ("bybit", "perp"): ("bybit.linear",),
    ("binance", "spot"): ("binance.spot",),
    ("binance", "perp"): ("binance.public", "binance.market"),
    ("okx", "spot"): ("okx.public",),
    ("okx", "perp"): ("okx.public",),
    ("kraken", "spot"): ("kraken.spot",),
    ("kraken", "perp"): ("kraken.futures",),
}


class Drills:
    """What the faults that are on have done and have still to do."""

    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange
        self._again_s: dict[Fault, float] = {}
        self._doomed: dict[Fault, list[Client]] = {}
        self._changed: dict[Fault, set[Name]] = {}
        self._frozen: dict[Fault, dict[Name, Leg]] = {}
        self._blows: dict[str, Callable[[Fault], None]] = {
            "disconnect": self._cut,
            "storm": self._cut,
            "close": self._close,
            "reset": self._reset,
            "burst": self._burst,
            "gap": self._gap,
            "resnapshot": self._resnapshot,
            "seq_reset": self._fall_back,
            "huge": self._huge,
            "day_cut": self._announce,
        }

    def tick(self, now_s: float) -> None:
        """Begin, repeat and end what is due."""
        faults = self._exchange.faults
        begun, ended = faults.tick(now_s)
        for fault in begun:
            blow = self._blows.get(fault.kind)
            if blow is not None:
                blow(fault)
            self._again_s[fault] = now_s
            if fault.for_s == 0.0:
                self.end((fault,))
        self.end(ended)
        for fault in faults.on:
            self._lasting(fault, now_s)

    def end(self, faults: Iterable[Fault]) -> None:
        """Undo what a fault has done, or do what it did at its end."""
        exchange = self._exchange
        for fault in faults:
            self._again_s.pop(fault, None)
            self._frozen.pop(fault, None)
            for client in self._doomed.pop(fault, ()):
                exchange.close(client, 1001)
            for name in self._changed.pop(fault, ()):
                self._change(fault, name, on=False)
            if fault.kind == "half_open":
                for client in exchange.clients:
                    client.pause(on=bool(exchange.faults.active("half_open", client.conn)))

    def old_legs(self, conn: str) -> dict[Name, Leg]:
        """Legs as they stood when a late snapshot was ordered, for HTTP."""
        out: dict[Name, Leg] = {}
        for fault, legs in self._frozen.items():
            if fault.hits(conn):
                out.update(legs)
        return out

    def _lasting(self, fault: Fault, now_s: float) -> None:
        if fault.kind in ("gap", "huge", "seq_reset") and now_s - self._again_s[fault] >= AGAIN_S:
            self._again_s[fault] = now_s
            self._blows[fault.kind](fault)
        elif fault.kind == "half_open":
            for client in self._clients(fault):
                client.pause(on=True)
        elif fault.kind in ("interval", "delist", "tick"):
            done = self._changed.setdefault(fault, set())
            for name in self._names(fault):
                if name not in done:
                    done.add(name)
                    self._change(fault, name, on=True)
        elif fault.kind == "late_snapshot":
            kept = self._frozen.setdefault(fault, {})
            for name, voice in self._exchange.voices.items():
                if name not in kept and fault.hits(f"{name[0]}.rest", name[2], voice.leg.spec.base):
                    kept[name] = Frozen(voice.leg)

    # Whom it concerns

    def _clients(self, fault: Fault) -> list[Client]:
        return [client for client in self._exchange.clients if fault.hits(client.conn)]

    def _channels(self, fault: Fault) -> Iterator[tuple[Voice, Channel]]:
        for voice in self._exchange.voices.values():
            spec = voice.leg.spec
            for channel in voice.channels:
                if fault.hits(channel.conn, spec.symbol, spec.base):
                    yield voice, channel

    def _names(self, fault: Fault) -> list[Name]:
        out = []
        for (venue, market), conns in _CONNS.items():
            hit = [conn for conn in (*conns, f"{venue}.rest") if fault.hits(conn)]
            if hit:
                known = self._exchange.trading.known(venue, market)
                out += [
                    (venue, market, spec.symbol)
                    for spec in known
                    if fault.hits(hit[0], spec.symbol, spec.base)
                ]
        return out

    # Blows

    def _cut(self, fault: Fault) -> None:
        for client in self._clients(fault):
            client.ws.transport.abort()

    def _close(self, fault: Fault) -> None:
        for client in self._clients(fault):
            self._exchange.close(client, int(fault.number(1012)))

    def _reset(self, fault: Fault) -> None:
        for client in self._clients(fault):
            client.reset()

    def _announce(self, fault: Fault) -> None:
        doomed = self._doomed[fault] = self._clients(fault)
        for client in doomed:
            said = notice(client.conn, self._exchange.now_ms())
            if said is not None:
                client.write(frame(said))

    def _huge(self, fault: Fault) -> None:
        made = frame(huge())
        for client in self._clients(fault):
            client.write(made)

    def _burst(self, fault: Fault) -> None:
        exchange = self._exchange
        voices = {
            voice.name: voice for voice, channel in self._channels(fault) if is_book(channel.topic)
        }
        share = max(1, int(fault.number(10_000)) // max(1, len(voices)))
        for voice in voices.values():
            exchange.speak(voice, exchange.now_ms(), exchange.now_s(), share, anyway=True)

    def _gap(self, fault: Fault) -> None:
        for _, channel in self._channels(fault):
            if is_book(channel.topic):
                channel.tamper.drop += 1

    def _resnapshot(self, fault: Fault) -> None:
        restarted = set()
        for voice, channel in self._channels(fault):
            if channel.conn in ("bybit.spot", "bybit.linear") and voice.name not in restarted:
                restarted.add(voice.name)
                voice.leg.restart()
            if is_book(channel.topic):
                self._exchange.greet(channel, tuple(channel.clients))

    def _fall_back(self, fault: Fault) -> None:
        for voice in {voice.name: voice for voice, _ in self._channels(fault)}.values():
            voice.leg.fall_back()

    def _change(self, fault: Fault, name: Name, *, on: bool) -> None:
        trading = self._exchange.trading
        if fault.kind == "interval":
            trading.set_interval(name, max(1, int(fault.number(1))) if on else None)
        elif fault.kind == "delist" and on:
            trading.delisted.add(name)
        elif fault.kind == "delist":
            trading.delisted.discard(name)
        else:
            self._retick(name, coarse=on)

    def _retick(self, name: Name, *, coarse: bool) -> None:
        leg = self._exchange.trading.retick(name, coarse=coarse)
        voice = self._exchange.voices.get(name)
        if leg is None or voice is None:
            return
        voice.leg = leg
        voice.warps.clear()
        for channel in voice.channels:
            channel.memory = {"floor": channel.memory["floor"]}
            self._exchange.greet(channel, tuple(channel.clients))


class Frozen(Bent):
    """A leg whose book stands still."""

    def __init__(self, leg: SimLeg) -> None:
        super().__init__(leg, STRAIGHT)
        self._sides = leg.sides()

    def sides(self) -> Sides:
        """The book of then."""
        return self._sides


def is_book(topic: Topic) -> bool:
    """Whether the topic tells prices of a book or its top."""
    kind = topic.kind.lower()
    return any(word in kind for word in _BOOK_WORDS)
