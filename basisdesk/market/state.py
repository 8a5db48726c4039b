"""What is true now: legs, streams, links and pairs, moved by market events and by nothing else.

A price that can no longer be vouched for is NaN at once: when its connection is lost, when the
inbox overflowed, when its book has a gap. There is no fallback price, so none can stick.
"""

import re
from typing import TYPE_CHECKING, Any

from basisdesk.events import (
    Ack,
    BookUpdate,
    Candles,
    Changed,
    FundingHistory,
    Heard,
    LinkChange,
    Pong,
    Quote,
    Ticker,
    Trade,
    VenueTime,
)
from basisdesk.market.basis import PairMarket
from basisdesk.market.described import Described
from basisdesk.market.leg import Leg
from basisdesk.market.streams import LinkState, Stream
from basisdesk.venues.instrument import Instruments, Tiers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from basisdesk.config import Settings
    from basisdesk.venues import MarketEvent, Venue

FIRST_DATA_NS = 10_000_000_000  # a subscription that brought nothing by then is shown as stale
BEHIND_NS = 1_000_000_000  # a depth book that disagrees with a top this much younger is not true
BEAT_NS = 1_000_000_000
ASKED_MAX = 1_000  # requests without an answer

__all__ = ["Leg", "LinkState", "Market", "Stream"]

_NOTHING, _QUOTES, _FEEDS = Changed.NOTHING, Changed.QUOTES, Changed.FEEDS
_FUNDING = Changed.FUNDING
_QUOTES_FEEDS = Changed.QUOTES | Changed.FEEDS  # joined once: `|` of flags is slow
_TOPIC = re.compile(rb'"topic":"([A-Za-z0-9._:@/-]{1,80})"')


class Market:
    """Everything known of the venues. `apply_all` takes the events of one frame.

    frames, events, bad_frames, gaps, bad_by_reason: counted since the start.
    instruments: rules by leg key. candles: 1-minute backfill by leg key, merged over pages.
    funding_history: settlement ms -> rate as the venue's text, by leg key.
    clock_ms: our clock minus the venue's server clock, by venue, at most one REST trip off.
    loop_gaps, loop_gap_ms: beats that came too late, and the last such delay.

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
        self._speed = speed
        self._first_data_ns = round(FIRST_DATA_NS * speed)
        self._behind_ns = round(BEHIND_NS * speed)
        self.legs: dict[str, Leg] = {}
        self.pairs: dict[tuple[str, str], PairMarket] = {}
        self.streams: dict[str, Stream] = {}
        self.links: dict[str, LinkState] = {}
        self._described = Described()
        self.instruments = self._described.instruments
        self.candles = self._described.candles
        self.funding_history = self._described.funding_history
        self.clock_ms: dict[str, float] = {}
        self.frames = self.events = self.bad_frames = self.gaps = 0
        self.bad_by_reason: dict[str, int] = {}
        self.loop_gaps = 0
        self.loop_gap_ms = 0.0
        self._venues = venues or {}
        self._bound: dict[str, Stream] = {}  # streams whose leg is known
        self._asked: dict[tuple[str, str], tuple[str, ...]] = {}
        self._beat_ns = 0
        self._late_ns = settings.risk.loop_gap_ms_max * 1_000_000
        self._take: dict[type, Callable[[Any, int], Changed]] = {
            Quote: self._quote,
            BookUpdate: self._book,
            Trade: self._trade,
            Ticker: self._ticker,
            Heard: self._heard,
            Ack: self._ack,
            Pong: self._pong,
            VenueTime: self._venue_time,
            Candles: self._candles,
            FundingHistory: self._funding,
            Instruments: self._rules,
            Tiers: self._rules,
        }

    # --- who is there ----------------------------------------------------------------------------

    def leg(self, key: str) -> Leg:
        """The leg of this name, made when it is new."""
        leg = self.legs.get(key)
        if leg is None:
            leg = self.legs[key] = Leg(key)
            self._describe(leg)
        return leg

    def pair(self, spot_key: str, perp_key: str) -> PairMarket:
        """The pair of these legs, made (and backfilled with what candles there are) when new."""
        pair = self.pairs.get((spot_key, perp_key))
        if pair is None:
            pair = PairMarket(self.leg(spot_key), self.leg(perp_key), self.settings)
            self.pairs[spot_key, perp_key] = pair
            self._seed(spot_key, perp_key, self._beat_ns)
        return pair

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
        self._count_bad(reason)
        link = self._link(conn, t_ns)
        link.bad += 1
        link.bad_by_reason[reason] = link.bad_by_reason.get(reason, 0) + 1
        named = _TOPIC.search(payload[:200])
        stream = self.streams.get(f"{conn}/{named[1].decode()}") if named else None
        if stream is not None:
            stream.count_bad(reason)
            stream.last_error = f"a message could not be read: {reason}"
            if stream.live and stream.kind == "tickers" and stream.instrument:
                # A book notices a lost delta by its sequence; a merged ticker has none.
                stream.move("resync", t_ns)
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
            if self._check(stream, now_ns):
                changed = changed | _FEEDS
        for pair in self.pairs.values():
            if pair.beat(now_ns):
                changed = changed | Changed.BASIS
        return changed

    def link(self, change: LinkChange, t_ns: int) -> Changed:
        """Take what the supervisor says of a connection: see LinkChange."""
        link = self._link(change.conn, t_ns)
        if change.state == "asked":
            if len(self._asked) >= ASKED_MAX:
                self._asked.clear()
            self._asked[change.conn, change.req_id] = change.topics
            for topic in change.topics:
                stream = self._stream(f"{change.conn}/{topic}", t_ns)
                stream.resyncs += stream.asked_ns > 0
                stream.asked_ns = t_ns
                stream.move("connecting", t_ns)
            return _FEEDS
        if change.state == "overflow":
            self._lose(change.conn, t_ns, "overflow", "the inbox overflowed, messages were dropped")
            link.reason = change.reason
            return _QUOTES_FEEDS
        if change.state == "down":
            self._lose(change.conn, t_ns, "down", change.reason or "the connection is gone")
        link.connects += change.state == "up"
        link.state, link.reason, link.since_ns = change.state, change.reason, t_ns
        return _QUOTES_FEEDS

    # --- events ----------------------------------------------------------------------------------

    def _quote(self, event: Quote, t_ns: int) -> Changed:
        stream = self._bound.get(event.stream) or self._bind(event.stream, event.instrument, t_ns)
        leg, link, venue_ms = stream.leg, stream.link, event.venue_ms
        lag_ms = t_ns / 1e6 - venue_ms
        stream.lags.append(lag_ms)
        stream.frames += 1
        stream.heard_ns = t_ns
        if event.seq < stream.seq and venue_ms < leg.venue_ms:
            stream.late += 1
            return _NOTHING
        stream.seq = event.seq
        if lag_ms < link.low_ms:
            link.note_lag(lag_ms)
        bid, ask, guard = event.bid, event.ask, leg.guard
        if leg.doubt is None and guard.low <= bid and ask <= guard.high and ask <= 2.0 * bid:
            guard.believe(bid, ask)
        elif not leg.sound(bid, ask, t_ns):
            return self._doubted(stream, t_ns)
        leg.bid = bid
        leg.bid_size = event.bid_size
        leg.ask = ask
        leg.ask_size = event.ask_size
        leg.quote_ns = t_ns
        leg.venue_ms = venue_ms
        leg.quote_lag_ms = lag_ms
        if leg.quote_stream is not stream:
            leg.follow(stream)
        if leg.depth <= 1:
            leg.book.set_top(bid, event.bid_size, ask, event.ask_size)
        return _QUOTES if stream.live else self._wake(stream, _QUOTES, t_ns)

    def _book(self, event: BookUpdate, t_ns: int) -> Changed:
        stream = self._bound.get(event.stream) or self._bind(event.stream, event.instrument, t_ns)
        leg, link, venue_ms, book = stream.leg, stream.link, event.venue_ms, stream.book
        lag_ms = t_ns / 1e6 - venue_ms
        stream.lags.append(lag_ms)
        stream.frames += 1
        stream.heard_ns = t_ns
        if lag_ms < link.low_ms:
            link.note_lag(lag_ms)
        fault = book.apply(event)
        if fault:
            return self._broken(stream, fault, t_ns)
        source, top = leg.quote_stream, book.best()
        if source is stream or source is None:
            if source is None:
                leg.follow(stream)
            if not leg.sound(top[0], top[2], t_ns):
                return self._doubted(stream, t_ns)
            leg.bid, leg.bid_size, leg.ask, leg.ask_size = top
        elif leg.doubt is None and (top[0] < leg.guard.low or top[2] > leg.guard.high):
            book.clear("far from the top of book")
            return self._broken(stream, "jump", t_ns)
        elif venue_ms <= leg.venue_ms or not book.tops(leg.bid, leg.ask):
            return _QUOTES if stream.live else self._wake(stream, _QUOTES, t_ns)
        # The quote is this book's own top, or this book confirms it.
        leg.quote_ns = t_ns
        leg.venue_ms = venue_ms
        leg.quote_lag_ms = lag_ms
        return _QUOTES if stream.live else self._wake(stream, _QUOTES, t_ns)

    def _trade(self, event: Trade, t_ns: int) -> Changed:
        stream = self._bound.get(event.stream) or self._bind(event.stream, event.instrument, t_ns)
        stream.lags.append(t_ns / 1e6 - event.venue_ms)
        stream.frames += 1
        stream.heard_ns = t_ns
        leg = stream.leg
        leg.last_price = event.price
        leg.last_trade_ns = t_ns
        return _QUOTES if stream.live else self._wake(stream, _QUOTES, t_ns)

    def _ticker(self, event: Ticker, t_ns: int) -> Changed:
        stream = self._bound.get(event.stream) or self._bind(event.stream, event.instrument, t_ns)
        stream.lags.append(t_ns / 1e6 - event.venue_ms)
        stream.frames += 1
        stream.heard_ns = t_ns
        if bad := stream.leg.hear(event, t_ns):
            stream.count_bad(bad)
            self._count_bad(bad)
        return _FUNDING if stream.live else self._wake(stream, _FUNDING, t_ns)

    def _heard(self, event: Heard, t_ns: int) -> Changed:
        stream = self.streams.get(event.stream) or self._stream(event.stream, t_ns)
        stream.lags.append(t_ns / 1e6 - event.venue_ms)
        stream.frames += 1
        stream.heard_ns = t_ns
        return _NOTHING if stream.live else self._wake(stream, _NOTHING, t_ns)

    def _ack(self, event: Ack, t_ns: int) -> Changed:
        topics = self._asked.pop((event.conn, event.req_id), ())
        named = [topic for topic in topics if topic in event.text]
        for topic in topics:
            stream = self._stream(f"{event.conn}/{topic}", t_ns)
            if event.ok:
                if stream.state == "connecting":
                    stream.move("acked", t_ns, "")
            elif named and topic not in named:
                # One bad topic fails the whole request: this one is worth asking for again.
                stream.move("resync", t_ns, f"refused together with {named[0]}")
            else:
                stream.move("down", t_ns, f"refused: {event.text}")
        if not event.ok and not topics:
            self._link(event.conn, t_ns).last_error = event.text
        return _FEEDS

    def _pong(self, event: Pong, t_ns: int) -> Changed:
        self._link(event.conn, t_ns).pong_ns = t_ns
        return _NOTHING

    def _venue_time(self, event: VenueTime, t_ns: int) -> Changed:
        self.clock_ms[event.venue] = t_ns / 1e6 - event.venue_ms
        return _FEEDS

    def _candles(self, event: Candles, t_ns: int) -> Changed:
        self._described.add_candles(event)
        for legs in self.pairs:
            if event.instrument in legs:
                self._seed(*legs, t_ns)
        return Changed.BASIS

    def _funding(self, event: FundingHistory, _t_ns: int) -> Changed:
        self._described.add_funding(event)
        self.leg(event.instrument).funding.learn(event)
        return Changed.FUNDING

    def _rules(self, event: Instruments | Tiers, _t_ns: int) -> Changed:
        for key in self._described.add_rules(event):
            if key in self.legs:
                self._describe(self.legs[key])
        return _FEEDS

    # --- streams ---------------------------------------------------------------------------------

    def _link(self, conn: str, t_ns: int) -> LinkState:
        link = self.links.get(conn)
        if link is None:
            link = self.links[conn] = LinkState(conn)
            link.roll(t_ns)
        return link

    def _stream(self, stream_id: str, t_ns: int) -> Stream:
        stream = self.streams.get(stream_id)
        if stream is None:
            conn, _, topic = stream_id.partition("/")
            venue = self._venues.get(conn.partition(".")[0])
            quiet_s = venue.quiet_s.get(topic.rpartition(".")[0], 0.0) if venue else 0.0
            stream = Stream(stream_id, self._link(conn, t_ns), round(quiet_s * 1e9 * self._speed))
            stream.since_ns = t_ns
            self.streams[stream_id] = stream
        return stream

    def _bind(self, stream_id: str, instrument: str, t_ns: int) -> Stream:
        stream = self._stream(stream_id, t_ns)
        stream.instrument = instrument
        leg = stream.leg = self.leg(instrument)
        if stream.depth > max(leg.depth, 1):
            leg.deepen(stream)
        self._bound[stream_id] = stream
        return stream

    def _wake(self, stream: Stream, moved: Changed, t_ns: int) -> Changed:
        # After "resync" only a new subscription, or for a book a new snapshot, makes it whole.
        if stream.state == "resync" and not (stream.depth > 1 and stream.book.valid):
            return moved
        stream.move("live", t_ns, "")
        return moved | _FEEDS

    def _broken(self, stream: Stream, fault: str, t_ns: int) -> Changed:
        leg = stream.leg
        if leg.quote_stream is stream:
            leg.clear_quote()
        if fault == "nosnapshot":
            if stream.state in ("connecting", "acked") and stream.asked_ns:
                return _NOTHING  # messages of the old subscription, the snapshot is on its way
        elif fault == "gap":
            stream.gaps += 1
            self.gaps += 1
        else:
            stream.count_bad(fault)
            self._count_bad(fault)
        stream.move("resync", t_ns, f"book lost: {fault}")
        return _QUOTES_FEEDS

    def _doubted(self, stream: Stream, t_ns: int) -> Changed:
        doubt = stream.leg.doubt
        if doubt is not None:
            stream.count_bad(doubt.reason)
            self._count_bad(doubt.reason)
        if stream.leg.quote_stream is not stream:
            stream.leg.follow(stream)
        return _QUOTES if stream.live else self._wake(stream, _QUOTES, t_ns)

    def _check(self, stream: Stream, now_ns: int) -> bool:
        silent_ns = now_ns - stream.heard_ns
        if stream.live:
            if stream.depth > 1 and self._behind(stream):
                stream.book.clear("behind the top of book")
                return stream.move("resync", now_ns, "book lost: behind the top of book")
            if 0 < stream.quiet_ns < silent_ns:
                return stream.move("stale", now_ns, f"silent for {silent_ns / 1e9:.0f} s")
        elif stream.awaited and now_ns - stream.asked_ns > self._first_data_ns:
            said = "no data" if stream.state == "acked" else "no answer"
            state = "resync" if silent_ns < self._first_data_ns else "stale"
            return stream.move(state, now_ns, f"{said} 10 s after subscribing")
        return False

    def _behind(self, stream: Stream) -> bool:
        leg = stream.leg
        return (
            leg.quote_stream is not stream
            and leg.mid == leg.mid  # not NaN
            and leg.quote_ns - stream.heard_ns > self._behind_ns
            and not stream.book.tops(leg.bid, leg.ask)
        )

    def _lose(self, conn: str, t_ns: int, state: str, why: str) -> None:
        lost: set[str] = set()
        for stream in self.streams.values():
            if stream.conn != conn:
                continue
            if stream.instrument and stream.leg.lose(stream, why):
                lost.add(stream.leg.key)
            stream.seq = 0
            again = "resync" if stream.has_state else "acked"
            stream.move("down" if state == "down" else again, t_ns, why)
        if state == "down":
            self._asked = {ask: topics for ask, topics in self._asked.items() if ask[0] != conn}
        for legs, pair in self.pairs.items():
            for key in lost.intersection(legs):
                pair.down(key, t_ns)

    # --- small things ----------------------------------------------------------------------------

    def _count_bad(self, reason: str) -> None:
        self.bad_frames += 1
        self.bad_by_reason[reason] = self.bad_by_reason.get(reason, 0) + 1

    def _describe(self, leg: Leg) -> None:
        leg.describe(self.instruments.get(leg.key))

    def _seed(self, spot_key: str, perp_key: str, now_ns: int) -> None:
        spot, perp = self.candles.get(spot_key), self.candles.get(perp_key)
        if spot is not None and perp is not None:
            self.pairs[spot_key, perp_key].seed(spot, perp, now_ns)
