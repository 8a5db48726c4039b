"""One pair in columns, as every study of the lab reads it: quotes of both legs, mark, settlements.

A series says where it comes from and what it is not: "quotes" are best bids and asks as recorded;
"bars" are closes of candles, where bid and ask are the close with half an assumed spread on either
side, so whatever is earned on them is a close-to-close proxy.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Bools = NDArray[np.bool_]

Kind = Literal["quotes", "bars"]


class Settlements(NamedTuple):
    """Funding that was settled, oldest first.

    t_ns: the moment it is for. rate: fraction of notional, paid by the long to the short where it
    is above zero. mark: price it was settled at, NaN where unknown (then the series' own mark).
    interval_h: hours that each one was for.
    """

    t_ns: Ints
    rate: Floats
    mark: Floats
    interval_h: Floats


class Coverage(NamedTuple):
    """What of a span the data hold: rows read, rows left out by reason, rows that are missing.

    missing: intervals of the bars' own length that should be there and are not, 0 for quotes.
    longest_gap_s: between two neighbouring rows. files: what was read, in order.
    notes: what was taken for what, each a few words a person reads (units, spreads, marks).
    """

    rows: int
    left_out: dict[str, int]
    missing: int
    longest_gap_s: float
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Terms(NamedTuple):
    """What the perpetual's venue lays down: fair basis and funding follow from it.

    interest, clamp, cap: fractions per interval of `interval_h` hours (cap: most that a rate may
    be). Where a venue makes its rate for 8 or 24 hours and pays it in parts, this is the rule for
    those hours; how often it is paid stands in the settlements.
    """

    interval_h: float
    interest: float
    clamp: float
    cap: float


class PairSeries(NamedTuple):
    """Spot and perpetual of one coin at n moments, oldest first, no moment twice.

    t_ns: UTC nanoseconds; of bars, the close. spot_bid to perp_ask: prices in quote currency.
    mark: of the perpetual; mark_high and mark_low its extremes within a bar, where bars know them.
    spot, perp: keys of the legs, `venue:market:SYMBOL`. step_s: length of a bar, 0 for quotes.
    halted: bars that are not traded on, see lab/halted.py; None of quotes.
    """

    name: str
    spot: str
    perp: str
    kind: Kind
    step_s: float
    t_ns: Ints
    spot_bid: Floats
    spot_ask: Floats
    perp_bid: Floats
    perp_ask: Floats
    mark: Floats
    settled: Settlements
    terms: Terms
    coverage: Coverage
    mark_high: Floats | None = None
    mark_low: Floats | None = None
    halted: Bools | None = None

    @property
    def mid_bp(self) -> Floats:
        """Mid basis, bp of the spot's mid."""
        spot = self.spot_bid + self.spot_ask
        return np.asarray(((self.perp_bid + self.perp_ask) / spot - 1.0) * 1e4)

    def cut(self, first: int, end: int) -> "PairSeries":
        """Rows first to end, the last left out; settlements stay all."""
        return self.at(slice(first, end))

    def at(self, rows: slice | Ints) -> "PairSeries":
        """These rows alone; settlements stay all."""
        names = ("t_ns", "spot_bid", "spot_ask", "perp_bid", "perp_ask", "mark")
        columns = {name: getattr(self, name)[rows] for name in names}
        for name in ("mark_high", "mark_low", "halted"):
            known = getattr(self, name)
            columns[name] = None if known is None else known[rows]
        return self._replace(**columns)
