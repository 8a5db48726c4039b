"""The feature vector of a pair, one a beat, from memories of fixed size.

Each group of forecast/table.py has its own file and its own memories; here they are one vector.
Quotes that are stale say nothing: the vector of such a beat is empty and no memory moves.

What changes over minutes (long means, the hour, returns of 10 s) is told on a grid of 10 seconds,
the rest at every beat.
"""

from math import nan
from struct import Struct
from typing import Any, Self

import numpy as np

from basisdesk.forecast.features_basis import BasisState
from basisdesk.forecast.features_books import BookState
from basisdesk.forecast.features_flow import FlowState
from basisdesk.forecast.features_funding import FundingState
from basisdesk.forecast.features_moves import MoveState
from basisdesk.forecast.moments import Kept
from basisdesk.forecast.table import NAMES, N
from basisdesk.forecast.words import Tick, Vector

VERSION = 1  # of what is written down
PRICE_MIN, PRICE_MAX = 1e-15, 1e15
SLOW_NS = 10_000_000_000

_struct = Struct(f"{N}d")  # a third of the time that np.array takes of a tuple, measured here
_pack, _pack_into = _struct.pack, _struct.pack_into
_SHAPE, _FLOAT = (N,), np.dtype(np.float64)
_NOTHING = (nan,) * N
_EMPTY = np.frombuffer(_pack(*_NOTHING))


class FeatureState(Kept):
    """Memories of one pair. `update` takes a tick and gives its vector.

    Ticks come in the order of their time; one that is not later than the last is told nothing and
    gives an empty vector, as a stale one does. Past minutes may be told first, as ticks with bid
    and ask at the known price: what they do not say stays missing.
    """

    __slots__ = ("_slow_ns", "basis", "books", "flow", "funding", "moves", "t_ns")

    def __init__(self) -> None:
        self.t_ns = 0
        self._slow_ns = 0
        self.basis = BasisState()
        self.funding = FundingState()
        self.books = BookState()
        self.flow = FlowState()
        self.moves = MoveState()

    def update(self, tick: Tick) -> Vector:
        """The 44 values at this tick in the order of the table, NaN where missing; read-only."""
        values = self._values(tick)
        return _EMPTY if values is _NOTHING else np.ndarray(_SHAPE, _FLOAT, _pack(*values))

    def write(self, tick: Tick, into: memoryview, byte: int) -> None:
        """`update` into the memory of a matrix, from that byte on: no array is made for a pair."""
        _pack_into(into, byte, *self._values(tick))

    def _values(self, tick: Tick) -> tuple[float, ...]:
        t_ns = tick.t_ns
        if tick.stale or t_ns <= self.t_ns:
            return _NOTHING
        self.t_ns = t_ns
        t_s = t_ns / 1e9
        slow = t_ns - self._slow_ns >= SLOW_NS
        if slow:
            self._slow_ns = t_ns
        bid, ask = tick.spot_bid, tick.spot_ask
        spot = (bid + ask) / 2 if PRICE_MIN < bid <= ask < PRICE_MAX else nan
        bid, ask = tick.perp_bid, tick.perp_ask
        perp = (bid + ask) / 2 if PRICE_MIN < bid <= ask < PRICE_MAX else nan
        mids = spot, perp
        return (
            *self.basis.take(t_s, 1e4 * (perp - spot) / spot, tick, slow=slow),
            *self.funding.take(t_s, tick, slow=slow),
            *self.books.take(t_s, mids, tick, slow=slow),
            *self.flow.take(t_s, tick, slow=slow),
            *self.moves.take(t_s, mids, slow=slow),
            tick.xv_f_bp,
            tick.xv_b_bp,
            tick.mkt_x_bp,
            tick.sector_z,
        )

    @property
    def warming(self) -> tuple[str, ...]:
        """Names of the features whose memory is not full yet, in the order of the table."""
        groups = (self.basis, self.funding, self.books, self.flow, self.moves)
        warm = [full for group in groups for full in group.warm()]
        return tuple(name for name, full in zip(NAMES, warm, strict=False) if not full)

    def dump(self) -> dict[str, Any]:
        """All memories as plain JSON."""
        return {"version": VERSION, **super().dump()}

    @classmethod
    def restored(cls, kept: dict[str, Any]) -> Self:
        """The state that `dump` gave: the next vectors are the same to the last bit.

        Raises ValueError where it was written by another version.
        """
        if kept.get("version") != VERSION:
            raise ValueError(f"features of version {kept.get('version')}, this is {VERSION}")
        return cls().restore(kept)
