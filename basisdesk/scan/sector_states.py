"""Whether longs or shorts crowd into a sector: a state with hysteresis, and its sentence.

The state is folded from the z of each settlement (00:00, 08:00, 16:00 UTC) from the first to the
last and from nothing else. So it is the same after a restart, and the rate that still floats moves
no state: a position is not closed for a figure that the settlement may not bear out.
"""

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

State = Literal["hot", "cold", "calm"]

LINE = 1.5  # |z| beyond it for ENTER settlements: hot or cold (quant.md 2.16)
CALM_BELOW = 0.75  # |z| below it for LEAVE settlements: calm again
ENTER = 2
LEAVE = 2
IN_LINE = "in line with the market."  # how the sentence of a sector ends that has nothing to say
UNKNOWN_MAX = 3  # settlements in a row without a z, after which a state is not held any more


class Rotation(NamedTuple):
    """A sector's state after its last settlement.

    since_ms: the stamp that made it so, 0 before any. stamps: settlements since, that one
    included. beyond: how many of the last settlements in a row lay beyond the line; minus: under
    the lower one.
    """

    state: State = "calm"
    since_ms: int = 0
    stamps: int = 0
    beyond: int = 0


NO_ROTATION = Rotation()


class _Count:
    # what the fold remembers between two settlements
    def __init__(self) -> None:
        self.state: State = "calm"
        self.since_ms = 0
        self.stamps = 0
        self.side = 0  # of the line: 1 above, -1 below, 0 between
        self.beyond = 0
        self.back = 0
        self.unknown = 0

    def take(self, ms: int, z: float) -> None:
        """One more settlement."""
        self.stamps += 1
        if math.isnan(z):
            self._skip(ms)
            return
        self.unknown = 0
        side = 0 if abs(z) <= LINE else (1 if z > 0 else -1)
        self.beyond = self.beyond + 1 if side and side == self.side else abs(side)
        self.side = side
        lean = z if self.state == "hot" else -z
        self.back = self.back + 1 if self.state != "calm" and lean < CALM_BELOW else 0
        if self.beyond >= ENTER:
            self._turn("hot" if side > 0 else "cold", ms)
        elif self.back >= LEAVE:
            self._turn("calm", ms)

    def _skip(self, ms: int) -> None:
        # an unknown settlement bears nothing out: it ends every row, and at length the state
        self.side = self.beyond = self.back = 0
        self.unknown += 1
        if self.unknown >= UNKNOWN_MAX:
            self._turn("calm", ms)

    def _turn(self, state: State, ms: int) -> None:
        if state != self.state:
            self.state, self.since_ms, self.stamps, self.back = state, ms, 1, 0


def replay(times_ms: Iterable[int], z: Iterable[float]) -> Rotation:
    """The state after these settlements, oldest first."""
    count = _Count()
    for ms, value in zip(times_ms, z, strict=True):
        count.take(ms, value)
    return Rotation(count.state, count.since_ms, count.stamps, count.side * count.beyond)


def sentence(name: str, rotation: Rotation, z_now: float) -> str:
    """What a person reads: "DeFi over the line since 2 settlements: longs crowd in" and a stop.

    z_now: by the floating rates; it is told where it says something that no settlement has yet.
    """
    side = {"hot": 1, "cold": -1}.get(rotation.state, 0)
    if not side:
        return _calm(name, rotation, z_now)
    if rotation.beyond * side > 0:
        since = _settlements(abs(rotation.beyond))
        return f"{name} {_over(side)} the line since {since}: {_who(side)} crowd in."
    return (
        f"{name} {rotation.state} since {_settlements(rotation.stamps)} and easing: calm after "
        f"{LEAVE} settlements {'below' if side > 0 else 'above'} z {_signed(CALM_BELOW * side)}."
    )


def _calm(name: str, rotation: Rotation, z_now: float) -> str:
    if rotation.beyond:
        return (
            f"{name} {_over(rotation.beyond)} the line at the last settlement: {ENTER} in a row "
            "count."
        )
    if abs(z_now) > LINE:
        return (
            f"{name} {_over(z_now)} the line by floating rates, z {_signed(z_now)}: {ENTER} "
            "settlements in a row count."
        )
    return f"{name} {IN_LINE}"


def _over(side: float) -> str:
    return "over" if side > 0 else "under"


def _who(side: float) -> str:
    return "longs" if side > 0 else "shorts"


def _settlements(count: int) -> str:
    return "1 settlement" if count == 1 else f"{count} settlements"


def _signed(z: float) -> str:
    return f"{z:+.2f}".replace("-", "\u2212")
