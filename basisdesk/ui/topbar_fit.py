"""What the top bar leaves out when it is narrow, and in which order: one list, read from above."""

from basisdesk.ui.figure import Room

EVERY = ("spot", "perp", "open", "close", "fair", "trip", "funding")
RISK = "risk"  # the words beside Halt, while all is well; a halt is always told
# Each step leaves (these figures, so much room). Badges, pair and Halt are not among them: they
# stay whole at any width. The ages of the legs go last of all.
STEPS: tuple[tuple[tuple[str, ...], Room], ...] = (
    (("funding",), Room.ABOVE),
    (("open", "fair"), Room.ABOVE),
    (EVERY, Room.ABOVE),
    (("funding",), Room.SHORT),
    (("open",), Room.BARE),
    (("fair",), Room.BARE),
    (("trip",), Room.GONE),
    (("fair",), Room.GONE),
    ((RISK,), Room.GONE),
    (("spot", "perp"), Room.SHORT),  # the middle of bid and ask, with its age
    (("funding",), Room.BARE),
    (("funding",), Room.GONE),
    (("close",), Room.GONE),
    (("spot", "perp"), Room.GONE),
)


def rooms_at(step: int) -> dict[str, Room]:
    """How much room each figure has after so many steps; step 0 is the whole bar."""
    rooms = dict.fromkeys((*EVERY, RISK), Room.BESIDE)
    for names, room in STEPS[:step]:
        rooms |= {name: max(room, rooms[name]) for name in names}
    return rooms
