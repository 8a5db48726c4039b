"""The instruments of the running exchange, by name: what is simulated, listed and true now."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from basisdesk.demo.leg import SimLeg
from basisdesk.demo.listings import MARKETS, Market
from basisdesk.demo.market import Market as Simulated
from basisdesk.demo.wire import Leg, Spec

TRUTH_S = 10.0  # how long touches are remembered
FRESH_MS = 400  # a page that tells of many may be made of legs this old

Name = tuple[str, str, str]  # venue, market, symbol


class Truth(NamedTuple):
    """What was true of one instrument, in prices for one coin and sizes in coins.

    touches: (real time s of the pulse, best bid, best ask) of the last ten seconds, oldest first,
        one for each change; the first may be older. bids, asks: the published book, best first.
    book_id: the update id that stands for it; touch_id: that of the last touch.
    """

    touches: list[tuple[float, float, float]]
    bids: dict[float, float]
    asks: dict[float, float]
    book_id: int
    touch_id: int


class Trading:
    """Every leg that was asked for, and how the listings differ from the usual ones."""

    def __init__(self, market: Simulated, now_ms: Callable[[], int], seed: int) -> None:
        self.market = market
        self.awake: set[Name] = set()  # pulsed by the exchange; the others are caught up here
        self.delisted: set[Name] = set()
        self._now_ms = now_ms
        self._seed = seed
        self._legs: dict[Name, SimLeg] = {}
        self._touches: dict[str, deque[tuple[float, float, float]]] = {}

    def specs(self, venue: str, market: str) -> Sequence[Spec]:
        """What a venue lists now."""
        if market not in MARKETS:
            return ()
        out = []
        for spec in self.market.listed(venue, _market(market)).values():
            name = (venue, market, spec.symbol)
            if name not in self.delisted:
                leg = self._legs.get(name)
                out.append(leg.spec if leg else spec)
        return out

    def sim(self, name: Name) -> SimLeg | None:
        """One leg, caught up to now; None where the venue does not list it."""
        if name in self.delisted:
            return None
        leg = self._legs.get(name)
        if leg is None:
            spec = self._listed(name)
            if spec is None:
                return None
            leg = self._legs[name] = self._made(spec, spec)
        elif name not in self.awake:
            leg.wake(self._now_ms())
        return leg

    def known(self, venue: str, market: str) -> list[Spec]:
        """Instruments of a venue's market that are simulated already."""
        return [leg.spec for name, leg in self._legs.items() if name[:2] == (venue, market)]

    def names(self, venue: str, market: str) -> list[Name]:
        """Every instrument a venue's market lists now."""
        return [(venue, market, spec.symbol) for spec in self.specs(venue, market)]

    def warm(self, name: Name) -> SimLeg | None:
        """A leg with its figures ready for a page that tells of many, at most FRESH_MS old."""
        leg = self._legs.get(name)
        if leg is None or not 0 <= self._now_ms() - leg.now_ms < FRESH_MS:
            leg = self.sim(name)
        if leg is not None:
            leg.view()
            leg.day()
        return leg

    def retick(self, name: Name, *, coarse: bool) -> SimLeg | None:
        """Change a leg's tick, to ten times the usual or back: its book is a new one."""
        old, spec = self._legs.get(name), self._listed(name)
        if old is None or spec is None:
            return None
        if coarse:
            tick = Decimal(spec.tick).scaleb(1)
            digits = max(0, -int(tick.as_tuple().exponent))
            changed = spec._replace(tick=f"{tick:f}", tick_decimals=digits)
        else:
            changed = spec
        leg = self._legs[name] = self._made(spec, changed)
        leg.book_id, leg.touch_id = old.book_id + 1_000, old.touch_id + 1_000
        return leg

    def set_interval(self, name: Name, hours: int | None) -> None:
        """Change a perpetual's funding interval; None: back to the listing's."""
        leg, spec = self._legs.get(name), self._listed(name)
        if leg is not None and spec is not None and spec.interval_h:
            new = hours or spec.interval_h
            leg.quoted.intervals.change(self._now_ms(), new)
            leg.spec = leg.spec._replace(interval_h=new)

    def note(self, leg: SimLeg, at_s: float) -> None:
        """Remember the touch that was published at this real time."""
        bid, _, ask, _ = leg.touch
        kept = self._touches.setdefault(leg.spec.key, deque())
        touch = (_price(leg, bid), _price(leg, ask))
        if not kept or kept[-1][1:] != touch:
            kept.append((at_s, *touch))
        while len(kept) > 1 and kept[1][0] < at_s - TRUTH_S:
            kept.popleft()

    def truth(self, key: str) -> Truth:
        """See `Exchange.truth`."""
        venue, market, symbol = key.split(":")
        leg = self._legs[venue, market, symbol]
        bids, asks = (
            {_price(leg, ticks): _size(leg, lots) for ticks, lots in side.items()}
            for side in leg.sides()
        )
        touches = list(self._touches.get(key, ()))
        return Truth(touches, bids, asks, leg.book_id, leg.touch_id)

    def _listed(self, name: Name) -> Spec | None:
        venue, market, symbol = name
        if market not in MARKETS:
            return None
        return self.market.listed(venue, _market(market)).get(symbol)

    def _made(self, spec: Spec, shown: Spec) -> SimLeg:
        quoted = self.market.leg(spec)
        return SimLeg(quoted, self._seed, self.market.depth, self._now_ms(), shown)


class VenueFloor:
    """A `wire.Floor` for one request: the trading floor under a venue's clock.

    held: legs to show as they are: caught up a moment ago for a page that tells of many, or as they
    stood a while ago, where a fault hands those out over HTTP.
    """

    def __init__(
        self,
        trading: Trading,
        now_ms: Callable[[str], int],
        held: Mapping[Name, Leg] = MappingProxyType({}),
    ) -> None:
        self._trading = trading
        self._now_ms = now_ms
        self._held = held

    def specs(self, venue: str, market: str) -> Sequence[Spec]:
        """Every instrument of a venue's market."""
        return self._trading.specs(venue, market)

    def leg(self, venue: str, market: str, symbol: str) -> Leg | None:
        """One instrument now."""
        name = (venue, market, symbol)
        return self._held.get(name) or self._trading.sim(name)

    def now_ms(self, venue: str) -> int:
        """The venue's clock."""
        return self._now_ms(venue)


def _price(leg: SimLeg, ticks: int) -> float:
    """What a desk reads of a price, for one coin."""
    return float(leg.price_text(ticks)) / leg.spec.price_unit


def _size(leg: SimLeg, lots: int) -> float:
    """What a desk reads of a size, in coins."""
    return float(leg.size_text(lots)) * leg.spec.unit


def _market(market: str) -> Market:
    return "perp" if market == "perp" else "spot"
