"""What the desk refused a person just now, as a sentence to be seen where it was asked. Pure."""

from collections.abc import Container

from basisdesk.engine import Engine
from basisdesk.events import Refused

SHOWN_S = 10.0  # of a person's own time
LOOKED_BACK = 100  # outcomes searched
# what each command is called in the sentence before the reason
ASKED = {
    "open_pair": "Open",
    "close_pair": "Close",
    "cancel": "Cancel",
    "flip": "Flip",
    "rebalance": "Rebalance",
    "add_margin": "Add margin",
    "withdraw_margin": "Withdraw margin",
    "set_plan": "Exit plan",
    "drill": "Drill",
    "flatten": "Flatten",
}


def newest_refused(
    engine: Engine, speed: float = 1.0, of: Container[str] = ASKED
) -> Refused | None:
    """The newest refusal of one of these commands in the last SHOWN_S; None when there is none.

    speed: how fast the engine's clock runs beside a person's.
    """
    since_ns = engine.now_ns - int(SHOWN_S * max(1.0, speed) * 1e9)
    for number, looked in enumerate(reversed(engine.outcomes)):
        if number >= LOOKED_BACK or looked.ts_ns < since_ns:
            return None
        if isinstance(looked, Refused) and looked.command in of:
            return looked
    return None


def refused_text(engine: Engine, speed: float = 1.0, of: Container[str] = ASKED) -> str:
    """The sentence: "\u25b2 Withdraw margin refused: 2,000.00 USDT is more ..."; "" for none."""
    found = newest_refused(engine, speed, of)
    if found is None:
        return ""
    return f"\u25b2 {ASKED.get(found.command, found.command)} refused: {found.text}"
