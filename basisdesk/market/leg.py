"""One leg: an instrument as it trades now."""

from math import inf, isnan, nan
from typing import TYPE_CHECKING

from basisdesk.market.book import Book
from basisdesk.market.funding import FundingClock
from basisdesk.market.streams import LAG_LIMIT_MS

if TYPE_CHECKING:
    from basisdesk.market.streams import LinkState, Stream
    from basisdesk.venues.instrument import Instrument


class Leg:
    """One instrument as it trades now. Prices NaN until heard and after they are lost.

    bid, ask: from `quote_source`, "orderbook.1" where the venue has one, else a depth channel;
    never from a ticker or a last price. Sizes in base coin. quote_ns: our stamp of the newest
    message that said or confirmed them, 0 before any; venue_ms: the venue's stamp of it.
    book: the deepest book heard. `depth` says how many levels its channel has.
    """

    __slots__ = (
        "ask",
        "ask_size",
        "bid",
        "bid_size",
        "book",
        "depth",
        "funding",
        "index",
        "instrument",
        "key",
        "last_price",
        "last_trade_ns",
        "link",
        "mark",
        "open_interest",
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
        self.depth = 0
        self.mark = self.index = self.open_interest = nan
        self.ticker_ns = 0
        self.funding = FundingClock()
        self.last_price = nan
        self.last_trade_ns = 0

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

    def follow(self, stream: "Stream") -> None:
        """Take the quote from this stream from now on."""
        self.quote_stream = stream
        self.quote_source = stream.kind
        self.link = stream.link

    def lose(self, stream: "Stream", why: str) -> bool:
        """Forget what came from a stream that can no longer be vouched for.

        Returns whether that was the quote.
        """
        if stream.depth > 1:
            stream.book.clear(why)
        if stream.kind == "tickers":
            self.clear_ticker()
        if self.quote_stream is not stream:
            return False
        self.clear_quote()
        if self.depth <= 1:
            self.book.clear(why)
        return True

    def clear_quote(self) -> None:
        """Forget bid and ask."""
        self.bid = self.ask = nan
        self.bid_size = self.ask_size = 0.0

    def clear_ticker(self) -> None:
        """Forget mark, index and open interest. The funding clock keeps what settlements need."""
        self.mark = self.index = self.open_interest = nan
        self.ticker_ns = 0
