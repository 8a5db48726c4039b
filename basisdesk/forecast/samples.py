"""The journal of samples: each tick that was heard as a small JSON object, and back.

What is not known is left out, and so is the settlement tail while it stays the same; a tick that is
read back is equal to the one that was written, bit for bit.
"""

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from basisdesk.forecast.words import Settled, Tick

if TYPE_CHECKING:
    from basisdesk.forecast.forecaster import Forecaster

_FIELDS = tuple(name for name in Tick.__struct_fields__ if name not in ("t_ns", "settled"))
_USUAL = Tick(t_ns=0)
_DEFAULTS = {name: getattr(_USUAL, name) for name in _FIELDS}


class SampleWriter:
    """Rows of ticks, in the order they are heard."""

    def __init__(self) -> None:
        self._settled: dict[str, Settled] = {}

    def row(self, pair: str, tick: Tick) -> dict[str, Any]:
        """The row of one tick, plain JSON."""
        row: dict[str, Any] = {"pair": pair, "t_ns": tick.t_ns}
        for name, usual in _DEFAULTS.items():
            value = getattr(tick, name)
            if value == usual or value != value:
                continue
            row[name] = _infinite(value) if value in (math.inf, -math.inf) else value
        if self._settled.get(pair, ()) != tick.settled:
            self._settled[pair] = tick.settled
            row["settled"] = [list(each) for each in tick.settled]
        return row


class SampleReader:
    """Ticks of rows, in the order they were written."""

    def __init__(self) -> None:
        self._settled: dict[str, Settled] = {}

    def tick(self, row: dict[str, Any]) -> tuple[str, Tick]:
        """(pair, tick) of one row.

        Raises:
            msgspec.ValidationError: it is no row of this journal.
        """
        kept = dict(row)
        pair = str(kept.pop("pair"))
        if "settled" in kept:
            self._settled[pair] = msgspec.convert(kept.pop("settled"), Settled)
        for name, value in kept.items():
            if value in ("inf", "-inf"):
                kept[name] = float(value)
        settled = self._settled.get(pair, ())
        return pair, msgspec.convert({**kept, "settled": settled}, Tick)


def replay(forecaster: "Forecaster", rows: Iterable[dict[str, Any]]) -> Iterator[Any]:
    """Let a forecaster hear the rows again; gives its scores."""
    reader = SampleReader()
    for row in rows:
        yield forecaster.beat(*reader.tick(row))


def _infinite(value: float) -> str:
    return "inf" if value > 0.0 else "-inf"
