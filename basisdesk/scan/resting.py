"""Where the basis of each combination came to rest, by our own minutes.

Fair value says where a funding rule lets a basis rest; what did rest elsewhere for days will not
come to fair within a day, however fast it swings about its own middle. So the middle of the minutes
is the evidence for a convergence that earns. A pair and its reverse share one figure, of opposite
sign.
"""

import math
from typing import TYPE_CHECKING

import numpy as np

from basisdesk.scan.words import Combo, Floats

if TYPE_CHECKING:
    from basisdesk.market.past import Past

LOOKS = 30  # pairs looked at in one step: 1,320 are through in 44
KNOWN_MIN = 720  # minutes, half a day: under it nothing came to rest
AGAIN_MIN = 10  # minutes until what is known is looked at again

Pair = tuple[str, str]


class Resting:
    """`step` renews a few; `logs` is in the order of the combinations that it was aligned with.

    logs: natural logarithm of short over long price, each in its own quote currency, at rest; NaN
    where too little is known.
    """

    def __init__(self) -> None:
        self.logs: Floats = np.empty(0)
        self._combos: tuple[Combo, ...] = ()
        self._places: dict[Pair, tuple[list[int], list[int]]] = {}  # as named, and reversed
        self._known: dict[Pair, tuple[float, int]] = {}  # with the minute of the look
        self._turns: list[Pair] = []

    def align(self, combos: tuple[Combo, ...]) -> None:
        """Stand in this order from now on; what is known of a pair stays with it."""
        if combos is self._combos:
            return
        self._combos, self._turns, self._places = combos, [], {}
        for place, combo in enumerate(combos):
            turned = combo.short < combo.long
            pair = (combo.short, combo.long) if turned else (combo.long, combo.short)
            self._places.setdefault(pair, ([], []))[turned].append(place)
        self._known = {pair: self._known[pair] for pair in self._places if pair in self._known}
        self.logs = np.full(len(combos), np.nan)
        for pair, (log, _) in self._known.items():
            self._tell(pair, log)

    def step(self, past: "Past", minute: int) -> None:
        """Look at the next few pairs. minute: of now, since 1970."""
        if not self._turns:
            self._turns = [pair for pair in self._places if self._due(pair, minute)]
        for _ in range(min(LOOKS, len(self._turns))):
            pair = self._turns.pop()
            log = _middle(past, *pair)
            self._known[pair] = log, minute
            self._tell(pair, log)

    def _due(self, pair: Pair, minute: int) -> bool:
        log, then = self._known.get(pair, (math.nan, 0))
        return math.isnan(log) or minute - then >= AGAIN_MIN

    def _tell(self, pair: Pair, log: float) -> None:
        straight, turned = self._places[pair]
        self.logs[straight] = log
        self.logs[turned] = -log


def _middle(past: "Past", long: str, short: str) -> float:
    _, one = past.minutes(long)
    _, other = past.minutes(short)
    apart = other - one
    known = apart[np.isfinite(apart)]
    return float(np.median(known)) if len(known) >= KNOWN_MIN else math.nan
