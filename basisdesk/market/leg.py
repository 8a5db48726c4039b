"""One leg: an instrument as it trades now."""

from collections import deque
from math import inf, isnan, nan
from typing import TYPE_CHECKING

import msgspec

from basisdesk.market.book import Book
from basisdesk.market.cross import is_cross_leg
from basisdesk.market.funding import FundingClock
from basisdesk.market.guard import CrossGuard, Doubt, Guard
from basisdesk.market.streams import LAG_LIMIT_MS

if TYPE_CHECKING:
    from basisdesk.events import Ticker
    from basisdesk.market.streams import LinkState, Stream
    from basisdesk.venues.instrument import Instrument


PRINTS_KEPT = 512  # public trades a leg


class Leg:
    """One instrument as it trades now. Prices NaN until heard and after they are lost.

    bid, ask: from `quote_source`, "top" where the venue has a top of book, else "book"; never from
    a ticker or a last price. Sizes in base coin. quote_ns: our stamp of the newest message that
    said or confirmed them, 0 before any; venue_ms: the venue's stamp of it, 0 where it has none.
    book: the deepest book heard. `depth` says how many levels its channel has.
    doubt: why the newest quote is not believed, or None; bid, ask and book are empty meanwhile.
    guard: of the quote. floor: half a tick, 0 until the venue described the instrument.
    dropped: nobody wants its streams any more, so its silence is no fault.
    prints: the last public trades, oldest first: (our ns, price, base coin, side of the taker).
    """

    __slots__ = (
        "_book_kept",
        "_index_from",
        "_index_guard",
        "_interest_from",
        "_mark_from",
        "_mark_guard",
        "ask",
        "ask_size",
        "bid",
        "bid_size",
        "book",
        "depth",
        "doubt",
        "dropped",
        "floor",
        "funding",
        "guard",
        "index",
        "instrument",
        "key",
        "last_price",
        "last_trade_ns",
        "link",
        "mark",
        "open_interest",
        "prints",
        "quote_lag_ms",
        "quote_ns",
        "quote_source",
        "quote_stream",
        "ticker_ns",
        "venue_ms",
    )

    def __init__(self, key: str, instrument: "Instrument | None" = None) -> None:
        self.key = key
        self.instrument = instrument
        self.bid = self.ask = nan
        self.bid_size = self.ask_size = 0.0
        self.quote_ns = 0
        self.venue_ms = 0
        self.quote_lag_ms = nan
        self.quote_source = ""
        self.quote_stream: Stream | None = None
        self.link: LinkState | None = None  # of the quote stream
        self.book = Book()
        self._book_kept: Book | None = None  # the true book, while the quote is in doubt
        self.depth = 0
        self.dropped = False
        self.doubt: Doubt | None = None
        self.guard = CrossGuard() if is_cross_leg(key) else Guard()
        self._mark_guard, self._index_guard = Guard(), Guard()
        self.floor = float(instrument.tick) / 2 if instrument is not None else 0.0
        self.mark = self.index = self.open_interest = nan
        self._mark_from: Stream | None = None  # the stream that tells the figure
        self._index_from: Stream | None = None
        self._interest_from: Stream | None = None
        self.ticker_ns = 0
        self.funding = FundingClock()
        self.last_price = nan
        self.last_trade_ns = 0
        self.prints: deque[tuple[int, float, float, str]] = deque(maxlen=PRINTS_KEPT)

    @property
    def mid(self) -> float:
        """The middle of bid and ask, NaN unless both are known."""
        return (self.bid + self.ask) / 2

    def top(self) -> tuple[float, float, float, float]:
        """(bid, bid size, ask, ask size)."""
        return self.bid, self.bid_size, self.ask, self.ask_size

    def age_ms(self, now_ns: int) -> float:
        """How old the quote truly is, ms: time since it came, plus what it was late when it came.

        Late means: its lag behind the venue's stamp beyond the best lag of that connection, so
        messages that waited in a buffer while the desk was frozen carry their true age, and a
        clock difference cancels out. Infinite when there is no quote on both sides.
        """
        if not self.quote_ns or isnan(self.mid):
            return inf
        late_ms = self.quote_lag_ms - self.link.best_lag_ms() if self.link is not None else 0.0
        if not 0.0 < late_ms < LAG_LIMIT_MS:  # NaN where the venue sends no time
            late_ms = 0.0
        return max(0.0, (now_ns - self.quote_ns) / 1e6) + late_ms

    def sound(self, bid: float, ask: float, t_ns: int) -> bool:
        """Whether a new quote is believed. While it is not, the leg has no quote and no book."""
        self.doubt = self.guard.judge(bid, ask, t_ns, self.floor)
        if self.doubt is None:
            self._give_back()
            return True
        self.clear_quote()
        if self._book_kept is None:
            self._book_kept, self.book = self.book, Book()
            self.book.reason = "its price is in doubt"
        return False

    def deepen(self, stream: "Stream") -> None:
        """Take the book from this stream from now on."""
        self.depth = stream.depth
        if self._book_kept is None:
            self.book = stream.book
        else:
            self._book_kept = stream.book

    def hear(self, event: "Ticker", stream: "Stream", t_ns: int) -> str:
        """Take what a ticker says; what it does not say (NaN, 0) stays.

        Mark and index that are not believed stay out; the reason, or "".
        """
        bad_mark = bad_index = None
        if event.mark > 0.0:
            marks = self._mark_guard
            if isnan(marks.last) and not isnan(self.guard.last):  # the first is near the quote
                marks.believe(self.guard.last, self.guard.last, t_ns)
            bad_mark = marks.judge(event.mark, event.mark, t_ns)
            self.mark = nan if bad_mark else event.mark
            self._mark_from = stream
        if event.index > 0.0:
            bad_index = self._index_guard.judge(event.index, event.index, t_ns)
            self.index = nan if bad_index else event.index
            self._index_from = stream
        if event.open_interest > 0.0:
            self.open_interest = event.open_interest
            self._interest_from = stream
        self.ticker_ns = t_ns
        if bad_mark:
            event = msgspec.structs.replace(event, mark=nan)
        self.funding.apply(event, t_ns // 1_000_000)
        bad = bad_mark or bad_index
        return bad.reason if bad else ""

    def describe(self, instrument: "Instrument | None") -> None:
        """The venue described the instrument."""
        self.instrument = instrument
        if instrument is None:
            return
        self.floor = float(instrument.tick) / 2
        if self.bid <= self.floor:
            self.clear_quote()
        if not self.funding.interval_h:
            self.funding.interval_h = float(instrument.funding_interval_h)

    def follow(self, stream: "Stream") -> None:
        """Take the quote from this stream from now on."""
        self.quote_stream = stream
        self.dropped = False
        self.quote_source = stream.what
        self.link = stream.link

    def lose(self, stream: "Stream", why: str) -> bool:
        """Forget what came from a stream that can no longer be vouched for.

        Returns whether that was the quote.
        """
        if stream.depth > 1:
            stream.book.clear(why)
        self._lose_figures(stream)
        if self.quote_stream is not stream:
            return False
        self.guard.forget_doubt()
        self.doubt = None
        self._give_back()
        self.clear_quote()
        if self.depth <= 1:
            self.book.clear(why)
        return True

    def drop(self, stream: "Stream") -> None:
        """Nobody wants this stream any more: what came from it goes, and its place is free."""
        self.lose(stream, "not watched")
        if self._book_kept is stream.book:
            self._give_back()
        if self.book is stream.book:
            self.book, self.depth = Book(), 0
            self.book.reason = "not watched"
        if self.quote_stream is stream:
            self.quote_stream, self.quote_source, self.link = None, "", None
            self.quote_ns = 0
            self.dropped = True

    def clear_quote(self) -> None:
        """Forget bid and ask."""
        self.bid = self.ask = nan
        self.bid_size = self.ask_size = 0.0

    def _lose_figures(self, stream: "Stream") -> None:
        # The funding clock keeps what settlements need.
        if self._mark_from is stream:
            self.mark, self._mark_from = nan, None
            self._mark_guard.forget_doubt()
            self.ticker_ns = 0
        if self._index_from is stream:
            self.index, self._index_from = nan, None
            self._index_guard.forget_doubt()
        if self._interest_from is stream:
            self.open_interest, self._interest_from = nan, None

    def _give_back(self) -> None:
        if self._book_kept is not None:
            self.book, self._book_kept = self._book_kept, None
