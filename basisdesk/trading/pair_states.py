"""The states of a pair and the moves between them: one table, and nothing else may happen.

* working: an order works and nothing is filled yet.
* open: both legs stand, hedged up to the tolerance.
* unhedged: a leg is missing by more than the tolerance; the order's policy is at work on it.
* naked: a leg was liquidated, deleveraged or closed alone by hand; nothing is to be mended.
* closed: nothing is left; only late funding may still come.
"""

from typing import Literal

from basisdesk.errors import RuleError

PairState = Literal["working", "open", "unhedged", "naked", "closed"]

MOVES: dict[PairState, frozenset[PairState]] = {
    "working": frozenset({"open", "unhedged", "closed"}),
    "open": frozenset({"open", "unhedged", "naked", "closed"}),
    "unhedged": frozenset({"unhedged", "open", "naked", "closed"}),
    "naked": frozenset({"naked", "closed"}),
    "closed": frozenset(),
}


def moved(pair: int, old: PairState, new: PairState) -> PairState:
    """The new state of a pair. Raises RuleError for a move that is not in the table."""
    if new not in MOVES[old]:
        raise RuleError(f"pair {pair} cannot go from {old} to {new}")
    return new


def state_after(old: PairState, *, hedged: bool, closed: bool, bare: bool) -> PairState:
    """The state that fills lead to; the caller has it checked by `moved`.

    closed: nothing is left. bare: the missing leg was taken away for good (liquidated,
    deleveraged) or closed alone by hand. A naked pair stays naked whatever is traded.
    """
    if closed:
        return "closed"
    if bare or old == "naked":
        return "naked"
    return "open" if hedged else "unhedged"
