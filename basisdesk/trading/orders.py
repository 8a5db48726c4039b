"""Orders of a pair on their way to the venue. What they become is decided in desk.py.

A pending order is not journaled: an order that had not filled when the program died never
happened.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from basisdesk.config import Paper
from basisdesk.events import OpenPair

MS = 1_000_000  # nanoseconds
FAR_NS = 2**63 - 1  # "nothing is due"
RETRY_NS = 250 * MS  # an order of ours that meets stale quotes looks again after this
PATIENCE_NS = 60_000 * MS  # and gives up after this

Reason = Literal["user", "target", "stop", "time", "flatten", "liquidation"]


class PairOrder(msgspec.Struct, frozen=True):
    """A market order for both legs that has been sent and not yet met the book.

    pair: the pair to close; 0 for an entry, whose number is given at the fill.
    due_ns: when it meets the book. give_up_ns: until when it may wait for fresh quotes there;
        an order by hand does not wait.
    cash: what an entry is expected to need, account currency; later entries may not spend it.
    """

    kind: Literal["open", "close"]
    pair: int
    long: str
    short: str
    reason: str
    asked_ns: int
    due_ns: int
    give_up_ns: int
    request: OpenPair | None = None
    fraction: Decimal = Decimal(1)
    cash: Decimal = Decimal(0)

    def waits_until(self, due_ns: int) -> "PairOrder":
        """The same order, due later."""
        return msgspec.structs.replace(self, due_ns=due_ns)


def travel_ns(paper: Paper, t_ns: int, pair: int) -> int:
    """Nanoseconds between the click and the book: latency plus jitter.

    The jitter is uniform in [0, jitter_ms) and a fixed function of the time and the pair's
    number (the splitmix64 finaliser), so a replay travels exactly as the session did.
    """
    jitter_ns = 0
    if paper.jitter_ms:
        mask = (1 << 64) - 1
        x = (t_ns ^ (pair * 0x9E3779B97F4A7C15)) & mask
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
        jitter_ns = (x ^ (x >> 31)) % (paper.jitter_ms * MS)
    return paper.latency_ms * MS + jitter_ns
