"""Orders on their way to the venues, leg by leg. What they become is decided in dealing.py.

An order on its way is not journaled: one that had not filled when the program died never happened.
Orders that work for a while (limit, passive, sliced) are journaled as `events.Work`; what they send
is one of these.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from basisdesk.config import Paper
from basisdesk.events import LegName, OpenPair
from basisdesk.trading.risk import No

MS = 1_000_000  # nanoseconds
FAR_NS = 2**63 - 1  # "nothing is due"
RETRY_NS = 250 * MS  # an order of ours that meets stale quotes looks again after this
PATIENCE_NS = 60_000 * MS  # and gives up after this

Reason = Literal[
    "user",
    "target",
    "net",
    "stop",
    "time",
    "funding",
    "sector",
    "flatten",
    "liquidation",
    "adl",
    "unwind",
    "rebalance",
    "flip",
    "hedge",
    "slice",
]


class LegOrder(msgspec.Struct, frozen=True):
    """One leg of an order on its way: it takes what is displayed then, and the rest is cancelled.

    qty: base coin ordered. part: of an exit, by how much the leg shall shrink (a spot buy-back
    orders a little more, for the fee); equal to qty otherwise. limit: no worse price than this,
    quote currency; None: any that is displayed. due_ns: when it meets its book.
    drill: why it was delayed on purpose, "" for a real order.
    """

    leg: LegName
    instrument: str
    side: str
    qty: Decimal
    part: Decimal
    due_ns: int
    limit: Decimal | None = None
    drill: str = ""


class PairOrder(msgspec.Struct, frozen=True):
    """What was sent to the venues for one pair and has not met its books yet.

    kind: "open": the first fills of a pair; "add": more of it; "close": less of it.
    pair: 0 for an entry whose number is given at its first fill.
    legs: those still on their way. give_up_ns: until when an exit may try again; one by hand or an
    entry tries once. cash: what it is expected to need, account currency; no other may spend it.
    started: a leg of it has traded. refused: legs that were refused, told with the first fill.
    alone: a person closes this one leg, and nothing of the other is to be mended. remedy: sent by
    the legging policy. of_work: sent by the order that works on the pair, and withdrawn with it.
    patient: an exit that meets its books only where both can be seen, and waits until give_up_ns.
    by: of an exit, who asked for it where no person did, as in ClosePair.
    """

    kind: Literal["open", "add", "close"]
    pair: int
    long: str
    short: str
    reason: str
    asked_ns: int
    give_up_ns: int
    legs: tuple[LegOrder, ...]
    request: OpenPair | None = None
    fraction: Decimal = Decimal(1)
    cash: Decimal = Decimal(0)
    started: bool = False
    refused: tuple[tuple[LegOrder, No], ...] = ()
    alone: bool = False
    remedy: bool = False
    of_work: bool = False
    patient: bool = False
    by: str = ""

    @property
    def due_ns(self) -> int:
        """When the next of its legs meets its book."""
        return min((leg.due_ns for leg in self.legs), default=FAR_NS)

    @property
    def last_ns(self) -> int:
        """When the last of its legs meets its book."""
        return max((leg.due_ns for leg in self.legs), default=FAR_NS)

    def waits_until(self, due_ns: int) -> "PairOrder":
        """The same order, due later."""
        legs = tuple(msgspec.structs.replace(leg, due_ns=due_ns) for leg in self.legs)
        return msgspec.structs.replace(self, legs=legs)


def travel_ns(paper: Paper, t_ns: int, pair: int, leg: LegName = "long", venue: str = "") -> int:
    """Nanoseconds between the click and the book of one leg: its venue's latency plus jitter.

    The jitter is uniform in [0, jitter_ms) and a fixed function of the time, the pair's number and
    the leg (the splitmix64 finaliser), so a replay travels exactly as the session did.
    """
    jitter_ns = 0
    if paper.jitter_ms:
        mask = (1 << 64) - 1
        x = (t_ns ^ (pair * 0x9E3779B97F4A7C15) ^ ((leg == "short") * 0xD1B54A32D192ED03)) & mask
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
        jitter_ns = (x ^ (x >> 31)) % (paper.jitter_ms * MS)
    return paper.venue_latency_ms.get(venue, paper.latency_ms) * MS + jitter_ns
