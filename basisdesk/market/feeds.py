"""Every connection and stream by name: what was asked, what was answered, who is silent.

Says nothing of prices; `Market` acts on what is found here.
"""

from typing import TYPE_CHECKING

from basisdesk.market.streams import LinkState, Stream
from basisdesk.venues import TopicRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from basisdesk.events import Ack, LinkChange, Notice
    from basisdesk.venues import Venue

FIRST_DATA_NS = 10_000_000_000  # a subscription that brought nothing by then is shown as stale
BEHIND_NS = 1_000_000_000  # a depth book that disagrees with a top this much younger is not true
ASKED_MAX = 1_000  # requests without an answer
GONE_MAX = 10_000  # topics that were dropped; their last messages may still be under way
UNASKED_MAX = 4_000  # streams of a connection on which nothing was ever asked for


class Feeds:
    """Streams by id ("bybit.spot/orderbook.1.ADAUSDT") and links by connection.

    A topic that nobody wants any more is no stream; what still comes of it goes to a stream of its
    own that nobody reads (`is_gone`), until it is asked for again.

    On a connection where anything was ever asked for, only what was asked for is a stream. A
    recording that was imported knows of no asking: there the first message makes the stream, and
    UNASKED_MAX of them are enough for any.
    """

    def __init__(self, venues: "Mapping[str, Venue]", speed: float) -> None:
        self.streams: dict[str, Stream] = {}
        self.links: dict[str, LinkState] = {}
        self._venues = venues
        self._speed = speed
        self._first_data_ns = round(FIRST_DATA_NS * speed)
        self._behind_ns = round(BEHIND_NS * speed)
        self._asked: dict[tuple[str, str], tuple[str, ...]] = {}
        self._gone: dict[str, Stream] = {}
        self._live: set[str] = set()  # connections on which something was asked for
        self._unasked: dict[str, int] = {}  # streams by connection that nobody asked for

    # --- by name ---------------------------------------------------------------------------------

    def link(self, conn: str, t_ns: int) -> LinkState:
        """The connection of this name, made when it is new."""
        link = self.links.get(conn)
        if link is None:
            link = self.links[conn] = LinkState(conn)
            link.roll(t_ns)
        return link

    def stream(self, stream_id: str, t_ns: int) -> Stream | None:
        """The stream of this id, made when it is new; None for one that nobody asked for."""
        stream = self.streams.get(stream_id) or self._gone.get(stream_id)
        if stream is None and self._may_begin(stream_id.partition("/")[0]):
            stream = self.streams[stream_id] = self._new(stream_id, t_ns)
        return stream

    def _may_begin(self, conn: str) -> bool:
        count = self._unasked.get(conn, 0)
        if conn in self._live or count >= UNASKED_MAX:
            return False
        self._unasked[conn] = count + 1
        return True

    def is_gone(self, stream_id: str) -> bool:
        """The topic was dropped."""
        return stream_id in self._gone

    def of(self, conn: str) -> list[Stream]:
        """The streams of a connection."""
        return [stream for stream in self.streams.values() if stream.conn == conn]

    def named(self, conn: str, payload: bytes) -> Stream | None:
        """The stream that an unreadable message of this connection seems to belong to."""
        for each in self.streams.values():
            if each.conn == conn and each.named_in(payload):
                return each
        return None

    def depth_id(self, instrument: str) -> str:
        """Id of an instrument's depth stream: one that was heard, else the one its venue names.

        "" where there is none, or nobody asked for it.
        """
        heard = {
            each.id: each.heard_ns
            for each in self.streams.values()
            if each.instrument == instrument and each.depth > 1
        }
        if heard:
            return max(heard, key=heard.__getitem__)
        venue = self._venues.get(instrument.partition(":")[0])
        if venue is None:
            return ""
        depths = {
            f"{conn}/{topic}": rule.depth
            for conn, topics in venue.topics(instrument).items()
            for topic in topics
            if (rule := venue.rule(conn, topic)).what == "book"
        }
        deepest = max(depths, key=depths.__getitem__, default="")
        return deepest if deepest in self.streams else ""

    def ticker_id(self, instrument: str) -> str:
        """Id of an instrument's ticker stream that was asked for; "" where there is none."""
        venue = self._venues.get(instrument.partition(":")[0])
        if venue is None:
            return ""
        tickers = (
            f"{conn}/{topic}"
            for conn, topics in venue.topics(instrument).items()
            for topic in topics
            if venue.rule(conn, topic).what == "ticker"
        )
        return next((each for each in tickers if each in self.streams), "")

    # --- what was asked and answered -------------------------------------------------------------

    def asked(self, change: "LinkChange", t_ns: int) -> list[str]:
        """A subscribe was sent. Returns ids that had been dropped and are wanted again.

        A stream that lives goes on living: what it says stays true until it is proven otherwise.
        """
        if len(self._asked) >= ASKED_MAX:
            self._asked.clear()
        self._asked[change.conn, change.req_id] = change.topics
        self._live.add(change.conn)
        again = []
        for topic in change.topics:
            stream_id = f"{change.conn}/{topic}"
            if self._gone.pop(stream_id, None):
                again.append(stream_id)
            stream = self.streams.get(stream_id)
            if stream is None:
                stream = self.streams[stream_id] = self._new(stream_id, t_ns)
            stream.resyncs += stream.asked_ns > 0 and not stream.live
            stream.asked_ns = t_ns
            if not stream.live:
                stream.move("connecting", t_ns)
        return again

    def drop(self, conn: str, topics: "Iterable[str]", t_ns: int) -> list[Stream]:
        """Nobody wants these topics any more. Returns the streams that are gone."""
        gone = []
        for topic in topics:
            stream_id = f"{conn}/{topic}"
            if stream := self.streams.pop(stream_id, None):
                gone.append(stream)
                if len(self._gone) >= GONE_MAX:
                    self._gone.clear()
                self._gone[stream_id] = self._new(stream_id, t_ns)
        return gone

    def renew(self, conn: str, t_ns: int) -> None:
        """A second socket took over: books may be continued by updates that are cut elsewhere."""
        link = self.link(conn, t_ns)
        link.renewed += 1
        link.closing, link.since_ns = False, t_ns
        for stream in self.of(conn):
            stream.renewals += 1
            stream.book.bridge()

    def forget_asked(self, conn: str) -> None:
        """The connection is gone: nothing that was asked on it will be answered."""
        self._asked = {ask: topics for ask, topics in self._asked.items() if ask[0] != conn}

    def ack(self, event: "Ack", t_ns: int) -> None:
        """The venue answered a request, by its id or by the topics it names."""
        conn, topics = event.conn, self._answered(event)
        if not topics and not event.ok:
            self.link(conn, t_ns).last_error = event.text
        named = event.topics or [topic for topic in topics if topic in event.text]
        for topic in topics:
            stream = self.streams.get(f"{conn}/{topic}")
            if stream is None:
                continue
            if event.ok:
                if stream.state == "connecting":
                    stream.move("acked", t_ns, "")
            elif named and topic not in named:
                # One bad topic fails the whole request: this one is worth asking for again.
                stream.move("resync", t_ns, f"refused together with {named[0]}")
            else:
                stream.move("down", t_ns, f"refused: {event.text}")

    def _answered(self, event: "Ack") -> tuple[str, ...]:
        # Topics that an answer is about. An id we did not subscribe with is that of an unsubscribe.
        ask = (event.conn, event.req_id)
        topics = self._asked.pop(ask, ())
        if not event.topics or not (topics or not event.req_id):
            return topics
        if left := tuple(topic for topic in topics if topic not in event.topics):
            self._asked[ask] = left  # a venue may answer each topic of a request by itself
        return event.topics

    def notice(self, event: "Notice", t_ns: int) -> None:
        """The venue said something about a connection."""
        link = self.link(event.conn, t_ns)
        link.notice = event.text
        link.closing = link.closing or event.closing

    # --- silence ---------------------------------------------------------------------------------

    def check(self, stream: Stream, now_ns: int) -> bool:
        """Look whether a stream fell silent or behind; True when its state changed."""
        silent_ns = now_ns - stream.heard_ns
        if stream.live:
            if stream.depth > 1 and self._behind(stream):
                stream.book.clear("behind the top of book")
                return stream.move("resync", now_ns, "book lost: behind the top of book")
            if silent_ns > stream.floor_ns and 0 < stream.quiet_max_ns() < silent_ns:
                return stream.move("stale", now_ns, f"silent for {silent_ns / 1e9:.0f} s")
        elif stream.awaited and now_ns - stream.asked_ns > self._first_data_ns:
            said = "no data" if stream.state == "acked" else "no answer"
            heard = silent_ns < self._first_data_ns
            if heard and stream.rule.seeded:
                said = "no snapshot of the book"
            return stream.move("resync" if heard else "stale", now_ns, f"{said} {_SINCE}")
        return False

    def _behind(self, stream: Stream) -> bool:
        if not stream.instrument:
            return False
        leg = stream.leg
        return (
            leg.quote_stream is not stream
            and leg.mid == leg.mid  # not NaN
            and leg.quote_ns - stream.heard_ns > self._behind_ns
            and not stream.book.tops(leg.bid, leg.ask)
        )

    def _new(self, stream_id: str, t_ns: int) -> Stream:
        conn, _, topic = stream_id.partition("/")
        venue = self._venues.get(conn.partition(".")[0])
        rule = venue.rule(conn, topic) if venue else TopicRule()
        stream = Stream(stream_id, self.link(conn, t_ns), rule, self._speed)
        stream.since_ns = t_ns
        return stream


_SINCE = f"{FIRST_DATA_NS // 1_000_000_000} s after subscribing"
