"""What is true now: legs, streams, links and pairs, moved by market events and by nothing else.

A price that can no longer be vouched for is NaN at once: when its connection is lost, when the
inbox overflowed, when its book has a gap. There is no fallback price, so none can stick.
"""

from typing import TYPE_CHECKING, Any

from basisdesk.events import (
    Ack,
    BookLost,
    BookUpdate,
    Candles,
    Changed,
    ComboQuote,
    FundingHistory,
    FundingInfo,
    Heard,
    LinkChange,
    Notice,
    Pong,
    Quote,
    ScanBook,
    ScanPage,
    ScanPast,
    Ticker,
    Trade,
    VenueTime,
)
from basisdesk.market.basis import PairMarket
from basisdesk.market.cross import Fx, cross_rate
from basisdesk.market.described import Described
from basisdesk.market.feeds import Feeds
from basisdesk.market.leg import Leg
from basisdesk.market.prices import Prices
from basisdesk.market.streams import LinkState, Stream
from basisdesk.market.universe import Universe
from basisdesk.venues.instrument import Instruments, Tiers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from basisdesk.config import Settings
    from basisdesk.venues import MarketEvent, Venue

BEAT_NS = 1_000_000_000

__all__ = ["Leg", "LinkState", "Market", "Stream"]

_NOTHING, _QUOTES, _FEEDS = Changed.NOTHING, Changed.QUOTES, Changed.FEEDS
_QUOTES_FEEDS = Changed.QUOTES | Changed.FEEDS  # joined once: `|` of flags is slow


class Market:
    """Everything known of the venues. `apply_all` takes the events of one frame.

    perps: the legs that are perpetuals.
    frames, events, bad_frames, gaps, bad_by_reason: counted since the start.
    instruments: rules by leg key. candles: 1-minute backfill by leg key, merged over pages.
    funding_history: settlement ms -> rate as the venue's text, by leg key.
    clock_ms: our clock minus the venue's server clock, by venue, at most one REST trip off.
    loop_gaps, loop_gap_ms: beats that came too late, and the last such delay.
    sectors: what the sector overlay says of a coin, "for", "against" or ""; empty without a source.
    universe: what the scanner's pages say; it moves no leg, and says nothing to the screen's beat.

    speed: stamped seconds in a real one (a demo exchange in fast motion); limits on silence and
    age that are properties of a real feed are counted in real seconds.
    """

    def __init__(
        self,
        settings: "Settings",
        venues: "Mapping[str, Venue] | None" = None,
        speed: float = 1.0,
    ) -> None:
        self.settings = settings
        self.legs: dict[str, Leg] = {}
        self.perps: dict[str, Leg] = {}
        self.pairs: dict[tuple[str, str], PairMarket] = {}
        self._feeds = Feeds(venues or {}, speed)
        self.streams = self._feeds.streams
        self.links = self._feeds.links
        self._described = Described()
        self.instruments = self._described.instruments
        self.candles = self._described.candles
        self.funding_history = self._described.funding_history
        self.clock_ms: dict[str, float] = {}
        self.sectors: dict[str, str] = {}
        self.universe = Universe(settings, self._described)
        self.frames = self.events = 0
        self._prices = prices = Prices(self._feeds, self.leg, self.legs)
        self.bad_by_reason = prices.bad_by_reason
        self.loop_gaps = 0
        self.loop_gap_ms = 0.0
        self._beat_ns = 0
        self._late_ns = settings.risk.loop_gap_ms_max * 1_000_000
        self._take: dict[type, Callable[[Any, int], Changed]] = {
            Quote: prices.quote,
            BookUpdate: prices.book,
            BookLost: prices.book_lost,
            Trade: prices.trade,
            Ticker: prices.ticker,
            ComboQuote: self._combo,
            Heard: prices.heard,
            Ack: self._ack,
            Pong: self._pong,
            Notice: self._notice,
            VenueTime: self._venue_time,
            Candles: self._candles,
            FundingHistory: self._funding,
            FundingInfo: self._intervals,
            Instruments: self._rules,
            Tiers: self._rules,
            ScanPage: self._scanned,
            ScanBook: self._scanned,
            ScanPast: self._scanned,
        }

    @property
    def gaps(self) -> int:
        """Sequence gaps of depth books."""
        return self._prices.gaps

    @property
    def bad_frames(self) -> int:
        """Messages that could not be read or believed."""
        return self._prices.bad

    # --- who is there ----------------------------------------------------------------------------

    def leg(self, key: str) -> Leg:
        """The leg of this name, made when it is new."""
        leg = self.legs.get(key)
        if leg is None:
            leg = self.legs[key] = Leg(key)
            self._describe(leg)
            leg.funding.set_interval(*self._described.interval(key), self._beat_ns // 1_000_000)
            if rows := self.funding_history.get(key):
                leg.funding.learn(FundingHistory(key, list(rows.items())))
            if ":perp:" in key:
                self.perps[key] = leg
        return leg

    def pair(self, spot_key: str, perp_key: str) -> PairMarket:
        """The pair of these legs, made (and backfilled with what candles there are) when new."""
        pair = self.pairs.get((spot_key, perp_key))
        if pair is None:
            legs = self.leg(spot_key), self.leg(perp_key)
            pair = PairMarket(*legs, self.settings, fx=self.fx)
            self.pairs[spot_key, perp_key] = pair
            self._seed(spot_key, perp_key, self._beat_ns)
        return pair

    def fx(self, currency: str, now_ns: int) -> Fx:
        """What a unit of a currency is worth in the account's, from its cross leg."""
        settings = self.settings
        limit_ms = settings.risk.quote_age_ms_max
        return cross_rate(self.legs, currency, settings.account.currency, now_ns, limit_ms)

    def forget(self, pair: tuple[str, str]) -> None:
        """Nobody looks at this pair any more: its history goes, its legs stay."""
        self.pairs.pop(pair, None)

    # --- the walk --------------------------------------------------------------------------------

    def apply_all(self, events: "Sequence[MarketEvent]", t_ns: int) -> Changed:
        """Take the events of one frame, received at t_ns; counts the frame."""
        self.frames += 1
        if len(events) == 1:  # all but trades
            self.events += 1
            event = events[0]
            return self._take[type(event)](event, t_ns)
        changed = _NOTHING
        for event in events:
            said = self.apply(event, t_ns)
            if said is not changed:
                changed |= said
        return changed

    def apply(self, event: "MarketEvent", t_ns: int) -> Changed:
        """Take one event, received at t_ns. Does not count a frame."""
        self.events += 1
        return self._take[type(event)](event, t_ns)

    def bad(self, conn: str, reason: str, t_ns: int, payload: bytes = b"") -> Changed:
        """Count a frame that could not be read, with its stream where the payload names one."""
        self.frames += 1
        self._prices.count_bad(reason)
        link = self._feeds.link(conn, t_ns)
        link.bad += 1
        link.bad_by_reason[reason] = link.bad_by_reason.get(reason, 0) + 1
        stream = self._feeds.named(conn, payload)
        if stream is not None:
            stream.count_bad(reason)
            stream.last_error = f"a message could not be read: {reason}"
            # A book notices a lost delta by its sequence; what the codec merges has none here.
            merged = stream.what in ("ticker", "combo") and stream.has_state
            if (stream.worn_out(t_ns) or merged) and stream.live:
                stream.move("resync", t_ns)
                self._lose_combos(stream)
        return _FEEDS

    def beat(self, now_ns: int) -> Changed:
        """Time passed: sample the pairs, notice silent streams and late beats."""
        changed = _NOTHING
        late_ns = now_ns - self._beat_ns - BEAT_NS
        if self._beat_ns and late_ns > self._late_ns:
            self.loop_gaps += 1
            self.loop_gap_ms = late_ns / 1e6
            changed = _FEEDS
        self._beat_ns = now_ns
        for link in self.links.values():
            link.roll(now_ns)
        for stream in self.streams.values():
            if self._feeds.check(stream, now_ns):
                changed = changed | _FEEDS
        for pair in self.pairs.values():
            if pair.beat(now_ns):
                changed = changed | Changed.BASIS
        return changed

    def link(self, change: LinkChange, t_ns: int) -> Changed:
        """Take what the supervisor says of a connection: see LinkChange."""
        feeds, conn = self._feeds, change.conn
        link = feeds.link(conn, t_ns)
        if change.state == "asked":
            for stream_id in feeds.asked(change, t_ns):
                self._prices.release(stream_id)
            return _FEEDS
        if change.state == "dropped":
            return self._drop(feeds.drop(conn, change.topics, t_ns))
        if change.state == "renewed":
            feeds.renew(conn, t_ns)
            return _FEEDS
        if change.state == "overflow":
            self._lose(change.conn, t_ns, "overflow", "the inbox overflowed, messages were dropped")
            link.reason = change.reason
            return _QUOTES_FEEDS
        if change.state in ("down", "idle"):
            self._lose(change.conn, t_ns, "down", change.reason or "the connection is gone")
        link.connects += change.state == "up"
        link.closing = False
        link.state, link.reason, link.since_ns = change.state, change.reason, t_ns
        return _QUOTES_FEEDS

    # --- events ----------------------------------------------------------------------------------

    def _combo(self, event: ComboQuote, t_ns: int) -> Changed:
        self._prices.heard(event, t_ns)
        pair = self.pairs.get((event.spot, event.perp))
        if pair is not None and event.stream in self.streams:
            pair.hear_combo(event, t_ns)
        return _QUOTES

    def _ack(self, event: Ack, t_ns: int) -> Changed:
        self._feeds.ack(event, t_ns)
        return _FEEDS

    def _pong(self, event: Pong, t_ns: int) -> Changed:
        self._feeds.link(event.conn, t_ns).pong_ns = t_ns
        return _NOTHING

    def _notice(self, event: Notice, t_ns: int) -> Changed:
        self._feeds.notice(event, t_ns)
        return _FEEDS

    def _venue_time(self, event: VenueTime, t_ns: int) -> Changed:
        self.clock_ms[event.venue] = t_ns / 1e6 - event.venue_ms
        return _FEEDS

    def _candles(self, event: Candles, t_ns: int) -> Changed:
        self._described.add_candles(event, event.instrument in self.legs)
        for legs in self.pairs:
            if event.instrument in legs:
                self._seed(*legs, t_ns)
        return Changed.BASIS

    def _funding(self, event: FundingHistory, _t_ns: int) -> Changed:
        leg = self.legs.get(event.instrument)  # none is made because of an answer over HTTP
        self._described.add_funding(event, leg is not None)
        if leg is not None:
            leg.funding.learn(event)
        return Changed.FUNDING

    def _intervals(self, event: FundingInfo, t_ns: int) -> Changed:
        self._described.add_intervals(event)
        for key, leg in self.legs.items():
            if key.startswith(f"{event.venue}:"):
                leg.funding.set_interval(*self._described.interval(key), t_ns // 1_000_000)
        self.universe.set_intervals(t_ns)
        return Changed.FUNDING

    def _scanned(self, event: ScanPage | ScanBook | ScanPast, t_ns: int) -> Changed:
        self.universe.apply(event, t_ns)
        return _NOTHING

    def _rules(self, event: Instruments | Tiers, _t_ns: int) -> Changed:
        for key in self._described.add_rules(event):
            if key in self.legs:
                self._describe(self.legs[key])
        return _FEEDS

    # --- streams ---------------------------------------------------------------------------------

    def _drop(self, gone: list[Stream]) -> Changed:
        for stream in gone:
            self._prices.release(stream.id)
            if stream.instrument:
                stream.leg.drop(stream)
            self._lose_shared(stream, "not watched")
            if stream.what == "combo":
                self._lose_combos(stream)
        return _QUOTES_FEEDS

    def _lose(self, conn: str, t_ns: int, state: str, why: str) -> None:
        lost: set[str] = set()
        for stream in self._feeds.of(conn):
            if stream.what == "combo":
                self._lose_combos(stream)
            if stream.instrument and stream.leg.lose(stream, why):
                lost.add(stream.leg.key)
            self._lose_shared(stream, why)
            stream.seq = 0
            if stream.asked_ns:  # what comes next is waited for as after a subscribe
                stream.asked_ns = t_ns
            again = "resync" if stream.has_state else "acked"
            stream.move("down" if state == "down" else again, t_ns, why)
        if state == "down":
            self._feeds.forget_asked(conn)
        for legs, pair in self.pairs.items():
            for key in lost.intersection(legs):
                pair.down(key, t_ns)

    def _lose_shared(self, stream: Stream, why: str) -> None:
        if stream.shared:
            for leg in self.legs.values():
                leg.lose(stream, why)

    def _lose_combos(self, stream: Stream) -> None:
        for pair in self.pairs.values():
            if pair.combo_stream == stream.id:
                pair.lose_combo()

    # --- small things ----------------------------------------------------------------------------

    def _describe(self, leg: Leg) -> None:
        leg.describe(self.instruments.get(leg.key))

    def _seed(self, spot_key: str, perp_key: str, now_ns: int) -> None:
        spot, perp = self.candles.get(spot_key), self.candles.get(perp_key)
        if spot is not None and perp is not None:
            self.pairs[spot_key, perp_key].seed(spot, perp, now_ns)
