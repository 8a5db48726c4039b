"""Failures of execution, practised: each happens once, to the next order it fits.

A drill changes what the paper venue does, never what is booked: its fills stand at displayed
prices, and their grades say that it was a drill. The ADL of a pair is made by exits.py, at once.
"""

from decimal import Decimal

from basisdesk.events import Drill, LegName
from basisdesk.trading import words
from basisdesk.trading.orders import MS
from basisdesk.trading.risk import No

SECONDS_MAX = Decimal(600)


class Drills:
    """The drills that wait for their order. waiting: the newest of each leg and kind."""

    def __init__(self) -> None:
        self.waiting: list[Drill] = []

    def arm(self, drill: Drill) -> No | None:
        """Take a drill; "off" forgets those that wait."""
        if drill.kind == "off":
            self.waiting.clear()
            return None
        if drill.kind == "late" and not (
            drill.seconds.is_finite() and 0 < drill.seconds <= SECONDS_MAX
        ):
            asked, most = words.plain(drill.seconds), words.plain(SECONDS_MAX)
            text = f"A delay of {asked} s cannot be practised. Give one above 0 and up to {most} s."
            return No("drill", f"{asked} s", f"up to {most} s", text)
        self.waiting = [
            each for each in self.waiting if (each.kind, each.leg) != (drill.kind, drill.leg)
        ]
        self.waiting.append(drill)
        return None

    def delay_ns(self, leg: LegName, pair: int) -> int:
        """By how much the next order of this leg is late, once; 0 where nothing says so."""
        drill = self._take(("late",), leg, pair)
        return int(drill.seconds * 1000) * MS if drill is not None else 0

    def at_venue(self, leg: LegName, pair: int) -> str:
        """What the venue does to the order of this leg, once: "reject", "half" or ""."""
        drill = self._take(("reject", "half"), leg, pair)
        return drill.kind if drill is not None else ""

    def _take(self, kinds: tuple[str, ...], leg: LegName, pair: int) -> Drill | None:
        for drill in self.waiting:
            if drill.kind in kinds and drill.leg == leg and drill.pair in (0, pair):
                self.waiting.remove(drill)
                return drill
        return None
