"""The drills that wait for their order, in words. Pure, no Qt."""

from collections.abc import Iterable

from basisdesk.events import Drill
from basisdesk.ui.figures import size_text

_DOES = {"reject": "is rejected", "half": "fills half"}


def drill_text(drill: Drill) -> str:
    """One drill: "short leg is rejected"."""
    does = _DOES.get(drill.kind, f"comes {size_text(drill.seconds)} s late")
    return f"{drill.leg} leg {does}"


def drills_text(drills: Iterable[Drill]) -> str:
    """What goes wrong with the next order: "Next order: short leg fills half"; "" for nothing."""
    said = ", ".join(drill_text(drill) for drill in drills)
    return f"Next order: {said}" if said else ""
