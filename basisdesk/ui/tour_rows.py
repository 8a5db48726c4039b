"""The five steps of the tour: what each one says, what it points at, and where its panel stands.

Pure, no Qt: texts and plain geometry. A box is (left, top, width, height) in px of the window.
"""

from collections.abc import Sequence
from typing import NamedTuple

GAP_PX = 12  # between the panel and what it explains
EDGE_PX = 6  # between the panel and the window's edge, where there is room


class Box(NamedTuple):
    """A rectangle."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column right of it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.top + self.height

    def shared(self, other: "Box") -> int:
        """The area that both cover, px²."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0, wide) * max(0, high)


class Stop(NamedTuple):
    """One step. parts: names of what it points at, the first one first; dock: to be in front."""

    title: str
    text: str
    parts: tuple[str, ...]
    dock: str = ""


_REAL = {
    "simulated": "SIMULATED says that prices come from the built-in exchange",
    "live": "LIVE says that prices come from the venues now",
    "replay": "REPLAY says that prices come from a recording",
}


def stops(mode: str, age_ms_max: int, more: str) -> tuple[Stop, ...]:
    """The five steps.

    mode: "simulated", "live" or "replay". age_ms_max: the age from which a quote is not traded on.
    more: what comes after the tour, a sentence.
    """
    return (
        Stop(
            "Is this real, and can I trust it?",
            f"{_REAL.get(mode, _REAL['live'])}, PAPER that every order is filled on paper. Beside "
            "each leg's bid and ask stands the age of the quote. Over "
            f"{age_ms_max / 1000:.1f} s it is dimmed, and no order is taken on it.",
            ("prices",),
        ),
        Stop(
            "What is the gap, and what does it cost?",
            "Above the two prices, below them the basis in bp: the open basis is what entering "
            "now would lock in at your size, the close basis what leaving costs. The shaded band "
            "is the cost zone, an immediate round trip around fair value. Inside it a trade does "
            "not pay.",
            ("chart",),
            "charts",
        ),
        Stop(
            "What would I do?",
            "Direction, size and a way out are filled in; change what you like. Below stands every "
            "cost, then the verdict with its arithmetic. Most of the time it says no, and it is "
            "right. The button says what it will do, or why it cannot.",
            ("ticket",),
            "ticket",
        ),
        Stop(
            "What do I hold, and why is it up or down?",
            "Each pair a row: net now, at mids, and if closed, the one you can have. The "
            "waterfall splits it into basis, funding, fees, slippage, borrow and unhedged delta, "
            "which sum to it exactly. Right-click a figure to see where it comes from.",
            ("positions",),
            "positions",
        ),
        Stop(
            "How do I stop, and what do I keep?",
            "Halt, or Ctrl+. from anywhere: no new entries, closing stays possible. Session > "
            f"Save log, Ctrl+S: a report, tables and data of all you did. {more}".strip(),
            ("halt", "session"),
        ),
    )


def place(size: tuple[int, int], parts: Sequence[Box], room: Box) -> Box:
    """Where a panel of this size stands in the window so that it covers no part.

    Below, above, right and left of each part are tried, the first part first; then the corners of
    the window. Where nothing is free, the place that covers least.
    """
    wide, high = min(size[0], room.width), min(size[1], room.height)
    spots: list[tuple[int, int]] = []
    for part in parts:
        middle = part.top + (part.height - high) // 2
        spots += [
            (part.left, part.bottom + GAP_PX),
            (part.right - wide, part.bottom + GAP_PX),
            (part.left, part.top - GAP_PX - high),
            (part.right + GAP_PX, middle),
            (part.left - GAP_PX - wide, middle),
        ]
    spots += [
        (left, top)
        for top in (room.bottom - high - GAP_PX, room.top + GAP_PX)
        for left in (room.right - wide - GAP_PX, room.left + GAP_PX)
    ]
    boxes = [_inside(Box(left, top, wide, high), room) for left, top in spots]
    return min(boxes, key=lambda box: sum(box.shared(part) for part in parts))


def _inside(box: Box, room: Box) -> Box:
    across = min(EDGE_PX, (room.width - box.width) // 2)
    down = min(EDGE_PX, (room.height - box.height) // 2)
    left = max(room.left + across, min(box.left, room.right - across - box.width))
    top = max(room.top + down, min(box.top, room.bottom - down - box.height))
    return Box(left, top, box.width, box.height)
