"""Who asked for a trade where no person did: one short line, "autopilot: carry, reverted".

The part before the first comma names the author, the rest the reason. "" is a person.
"""

from basisdesk.events import ClosePair, OpenPair

AUTHOR_MAX = 120  # characters


def author(command: OpenPair | ClosePair) -> str:
    """Who asked, as one short line; "" for a person."""
    return " ".join(command.by.split())[:AUTHOR_MAX]


def reason_of(by: str) -> str:
    """Why, as an author says it: "reverted" of "autopilot: carry, reverted"; "" of a person."""
    who, _, why = by.partition(", ")
    return why or who
