"""The scanner's pages on their way to the universe, beside the walk.

They are not on every tape, so they may neither move the desk's clock nor wake anything that waits
for it: with them or without them the same trades come out, to the last digit.
"""

from typing import TYPE_CHECKING

from basisdesk.errors import BadFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from basisdesk.events import Frame
    from basisdesk.market.state import Market
    from basisdesk.venues import MarketEvent, Venue

SCAN = ".scan"


class ScanFrames:
    """Decoders of "VENUE.scan", and what they find handed to the market's universe."""

    def __init__(self, venues: "Mapping[str, Venue]", market: "Market") -> None:
        self._venues = venues
        self._market = market
        self._decoders: dict[str, Callable[[bytes], Sequence[MarketEvent]]] = {}

    def take(self, frame: "Frame") -> None:
        """One page. What cannot be read is counted."""
        decode = self._decoders.get(frame.conn)
        if decode is None:
            venue = self._venues.get(frame.conn.removesuffix(SCAN))
            if venue is None:
                self._market.bad(frame.conn, "conn", frame.t_ns)
                return
            decode = self._decoders[frame.conn] = venue.codec(frame.conn).decode
        try:
            events = decode(frame.payload)
        except BadFrame as exc:
            self._market.bad(frame.conn, exc.reason, frame.t_ns, exc.payload)
        else:
            self._market.apply_all(events, frame.t_ns)

    def forget(self, conn: str) -> None:
        """Messages were lost: what a decoder had learnt may be wrong."""
        self._decoders.pop(conn, None)
