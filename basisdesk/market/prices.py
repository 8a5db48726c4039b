"""What prices do: each quote, book, trade and ticker on its way from a stream to its leg.

A frame costs a few microseconds, most of them here, so `quote` says in line what others call for.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from basisdesk.events import (
    BookLost,
    BookUpdate,
    Changed,
    ComboQuote,
    Heard,
    Quote,
    Ticker,
    Trade,
)
from basisdesk.market.leg import Leg
from basisdesk.market.streams import Stream

if TYPE_CHECKING:
    from basisdesk.market.feeds import Feeds

LATE_NS_MAX = 2_000_000_000  # lower ids for longer than this are not late: the venue began anew
LATE_UNTIMED_NS_MAX = 10_000_000_000  # the same where nothing but the id tells what is older
UNKNOWN_DEPTH = 2  # levels of a book whose venue we have no rules of: below any that says it
NAN = float("nan")

_NOTHING, _QUOTES, _FEEDS = Changed.NOTHING, Changed.QUOTES, Changed.FEEDS
_FUNDING = Changed.FUNDING
_QUOTES_FEEDS = Changed.QUOTES | Changed.FEEDS  # joined once: `|` of flags is slow


class Prices:
    """Takes price events. leg_of: the leg of a name, made when new. legs: those that exist.

    gaps: sequence gaps of books. bad_by_reason: messages that were readable but not believable or
    broke a book, and those counted by `count_bad`; "topic": of streams that nobody asked for.
    """

    def __init__(
        self, feeds: "Feeds", leg_of: Callable[[str], Leg], legs: Mapping[str, Leg]
    ) -> None:
        self.gaps = 0
        self.bad = 0
        self.bad_by_reason: dict[str, int] = {}
        self._feeds = feeds
        self._leg_of = leg_of
        self._legs = legs
        self._bound: dict[str, Stream] = {}  # streams whose leg is known

    def count_bad(self, reason: str) -> None:
        """Count one bad message."""
        self.bad += 1
        self.bad_by_reason[reason] = self.bad_by_reason.get(reason, 0) + 1

    def release(self, stream_id: str) -> None:
        """Look anew whom this stream belongs to."""
        self._bound.pop(stream_id, None)

    # --- events ----------------------------------------------------------------------------------

    def quote(self, event: Quote, t_ns: int) -> Changed:
        """A best bid and ask."""
        stream = self._bound.get(event.stream) or self._bind(event.stream, event.instrument, t_ns)
        if stream is None:
            return _FEEDS
        leg, venue_ms = stream.leg, event.venue_ms
        stream.frames += 1
        if t_ns - stream.heard_ns > stream.pause_ns:
            stream.note_pause(t_ns)
        stream.heard_ns = t_ns
        if event.seq < stream.seq and self._is_late(event, stream, t_ns):
            stream.late += 1
            return _NOTHING
        stream.seq = event.seq
        if venue_ms:
            lag_ms = t_ns / 1e6 - venue_ms
            stream.lags.append(lag_ms)
            if not stream.link.low_ms <= lag_ms <= stream.link.high_ms:
                stream.link.note(lag_ms, venue_ms - leg.venue_ms)
        else:
            lag_ms = NAN
        bid, ask, guard = event.bid, event.ask, leg.guard
        if leg.doubt is None and guard.low <= bid and ask <= guard.high and ask <= 2.0 * bid:
            guard.believe(bid, ask, t_ns)
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

    def book(self, event: BookUpdate, t_ns: int) -> Changed:
        """A snapshot or a delta of a depth book."""
        if not event.stream:
            return self._seed_book(event, t_ns)
        key = event.instrument
        stream = self._bound.get(event.stream) or self._bind(event.stream, key, t_ns, "book")
        if stream is None:
            return _FEEDS
        leg, venue_ms, book = stream.leg, event.venue_ms, stream.book
        lag_ms = stream.arrived(t_ns, venue_ms)
        if not stream.link.low_ms <= lag_ms <= stream.link.high_ms:
            stream.link.note(lag_ms, venue_ms - leg.venue_ms)
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

    def _seed_book(self, event: BookUpdate, t_ns: int) -> Changed:
        """A snapshot over HTTP: the instrument's own depth stream takes it, if it needs one."""
        stream_id = self._feeds.depth_id(event.instrument)
        if not stream_id or self._feeds.is_gone(stream_id):
            return _NOTHING
        stream = self._bound.get(stream_id) or self._bind(stream_id, event.instrument, t_ns)
        if stream is None:
            return _NOTHING
        leg, book = stream.leg, stream.book
        if book.valid:
            return _NOTHING
        fault = book.apply(event)
        if fault:
            return _NOTHING if fault == "nosnapshot" else self._broken(stream, fault, t_ns)
        # It is true as of the newest update that was waiting for it.
        if leg.quote_stream is None or leg.quote_stream is stream:
            leg.follow(stream)
            top = book.best()
            if not leg.sound(top[0], top[2], stream.heard_ns):
                return self._doubted(stream, t_ns)
            leg.bid, leg.bid_size, leg.ask, leg.ask_size = top
            leg.quote_ns, leg.venue_ms, leg.quote_lag_ms = stream.heard_ns, 0, NAN
        return self._wake(stream, _QUOTES, t_ns)

    def book_lost(self, event: BookLost, t_ns: int) -> Changed:
        """The codec cannot vouch for a book any more."""
        key = event.instrument
        stream = self._bound.get(event.stream) or self._bind(event.stream, key, t_ns, "book")
        if stream is None:
            return _FEEDS
        stream.frames += 1
        stream.heard_ns = t_ns
        stream.book.clear(event.reason)
        return self._broken(stream, "checksum", t_ns)

    def trade(self, event: Trade, t_ns: int) -> Changed:
        """A public trade: moves only the last price, and that not far from the quote.

        It is kept for the queue of a resting order (trading/maker_queue.py).
        """
        stream = self._bound.get(event.stream) or self._bind(event.stream, event.instrument, t_ns)
        if stream is None:
            return _FEEDS
        stream.arrived(t_ns, event.venue_ms)
        leg = stream.leg
        if leg.guard.fits(event.price):
            leg.last_price = event.price
            leg.last_trade_ns = t_ns
            leg.prints.append((t_ns, event.price, event.size, "buy" if event.taker_buy else "sell"))
        else:
            stream.count_bad("jump")
            self.count_bad("jump")
        return _QUOTES if stream.live else self._wake(stream, _QUOTES, t_ns)

    def ticker(self, event: Ticker, t_ns: int) -> Changed:
        """What a venue says of a perpetual."""
        if not event.stream:
            return self._told_over_http(event, t_ns)
        stream = self._bound.get(event.stream) or self._bind(event.stream, event.instrument, t_ns)
        if stream is None:
            return _FEEDS
        stream.arrived(t_ns, event.venue_ms)
        leg: Leg | None = stream.leg
        if event.instrument != stream.instrument:  # one array tells of every contract
            stream.shared = True
            leg = self._legs.get(event.instrument)
        if leg is not None and (bad := leg.hear(event, stream, t_ns)):
            stream.count_bad(bad)
            self.count_bad(bad)
        return _FUNDING if stream.live else self._wake(stream, _FUNDING, t_ns)

    def _told_over_http(self, event: Ticker, t_ns: int) -> Changed:
        """Figures over HTTP belong to the leg's ticker stream: they are lost with it.

        They are no sign of its life, and of a leg that nobody watches they tell nothing.
        """
        stream_id = self._feeds.ticker_id(event.instrument)
        if not stream_id:
            return _NOTHING
        stream = self._bound.get(stream_id) or self._bind(stream_id, event.instrument, t_ns)
        if stream is None:
            return _NOTHING
        if bad := stream.leg.hear(event, stream, t_ns):
            stream.count_bad(bad)
            self.count_bad(bad)
        return _FUNDING

    def heard(self, event: Heard | ComboQuote, t_ns: int) -> Changed:
        """A sign of life."""
        stream = self._feeds.stream(event.stream, t_ns)
        if stream is None:
            return self._unasked(event.stream, t_ns)
        stream.arrived(t_ns, event.venue_ms)
        return _NOTHING if stream.live else self._wake(stream, _NOTHING, t_ns)

    # --- inside ----------------------------------------------------------------------------------

    def _bind(self, stream_id: str, instrument: str, t_ns: int, what: str = "") -> Stream | None:
        stream = self._feeds.stream(stream_id, t_ns)
        if stream is None:
            self._unasked(stream_id, t_ns)
            return None
        stream.instrument = instrument
        gone = self._feeds.is_gone(stream_id)  # its last messages move a leg that nobody sees
        leg = stream.leg = Leg(instrument) if gone else self._leg_of(instrument)
        if what and stream.what == "other":  # a venue we have no rules of
            stream.what, stream.depth = "book", UNKNOWN_DEPTH
        if stream.depth > max(leg.depth, 1):
            leg.deepen(stream)
        self._bound[stream_id] = stream
        return stream

    def _unasked(self, stream_id: str, t_ns: int) -> Changed:
        # Nobody reads it and it makes no leg: a venue may not fill our memory with its own names.
        link = self._feeds.link(stream_id.partition("/")[0], t_ns)
        link.bad += 1
        link.bad_by_reason["topic"] = link.bad_by_reason.get("topic", 0) + 1
        self.count_bad("topic")
        return _FEEDS

    @staticmethod
    def _is_late(event: Quote, stream: Stream, t_ns: int) -> bool:
        # An older id that is not from a later time, unless it lasts: then the venue began anew.
        leg = stream.leg
        if event.venue_ms:
            return event.venue_ms <= leg.venue_ms and t_ns - leg.quote_ns < LATE_NS_MAX
        # Without a time a second socket may begin with an older top, however quiet it was before.
        if stream.late_run[0] != stream.seq:
            stream.late_run = (stream.seq, t_ns)
        return t_ns - stream.late_run[1] < LATE_UNTIMED_NS_MAX

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
            if stream.rule.seeded or (stream.state in ("connecting", "acked") and stream.asked_ns):
                return _NOTHING  # messages of the old subscription, the snapshot is on its way
        elif fault == "gap":
            stream.gaps += 1
            self.gaps += 1
        else:
            stream.count_bad(fault)
            self.count_bad(fault)
        stream.move("resync", t_ns, f"book lost: {fault}")
        return _QUOTES_FEEDS

    def _doubted(self, stream: Stream, t_ns: int) -> Changed:
        doubt = stream.leg.doubt
        if doubt is not None:
            stream.count_bad(doubt.reason)
            self.count_bad(doubt.reason)
        if stream.leg.quote_stream is not stream:
            stream.leg.follow(stream)
        return _QUOTES if stream.live else self._wake(stream, _QUOTES, t_ns)
