"""What the autopilot remembers: its limits, what pairs were told, whose a position is."""

import msgspec

from basisdesk.events import Result
from basisdesk.playbook.journal import Mode, Note
from basisdesk.playbook.words import Held, View

S = 1_000_000_000
HOUR_NS = 3_600 * S
FORMAT = 1


class Limits(msgspec.Struct, frozen=True):
    """What the autopilot allows itself, below the desk's own limits.

    cool_s: no entry in a pair so long after its position closed, or its entry failed. patience_s:
    an entry that is neither at work nor filled by then was refused. pairs_max: positions at once.
    entries_h_max: entries in an hour. quiet_s: a pair's journal takes a changed "stand" so often at
    most.
    """

    cool_s: float = 300.0
    patience_s: float = 15.0
    pairs_max: int = 5
    entries_h_max: int = 12
    quiet_s: float = 60.0


class Assigned(msgspec.Struct, frozen=True):
    """What a pair was told: mode and playbook."""

    mode: Mode
    playbook: str


class Own(msgspec.Struct, frozen=True):
    """A position that the autopilot opened. leaving_ns: when it asked to close it, 0 not yet.

    by: as the position says who asked for it; "" where that is not known.
    """

    pair: str
    playbook: str
    opened_ns: int
    leaving_ns: int = 0
    by: str = ""

    def over(self, view: View, number: int) -> bool:
        """Whether the account says that it is closed; a view without positions says nothing."""
        held = view.held
        if held is not None and held.pair == number:
            return bool(self.by) and held.by != self.by  # another one of its number
        if view.live is not None:
            return number not in view.live
        return view.closed[0] == number


class Sent(msgspec.Struct, frozen=True):
    """An entry under way. by: as its position will say; accepted: of a suggestion, by a person."""

    playbook: str
    t_ns: int
    code: str
    direction: int
    by: str = ""
    accepted: bool = False

    def became(self, held: Held) -> bool:
        """Whether this is the position that the entry became, and not a person's beside it."""
        return bool(self.by) and held.by == self.by and held.opened_ns >= self.t_ns

    def hindrance(self, told: Assigned, now_ns: int, oldest_s: float) -> str:
        """Why it may not be sent any more after a wait, as half a sentence; "" where it may."""
        waited_s = (now_ns - self.t_ns) / S
        if waited_s > oldest_s:
            return f"it waited {waited_s:.0f} s for the disk"
        if told.mode == "off" or (told.mode != "auto" and not self.accepted):
            return f"the pair was set to {told.mode} meanwhile"
        if told.playbook != self.playbook:
            return f"the pair was given to {told.playbook} meanwhile"
        return ""


class Kept(msgspec.Struct, frozen=True):
    """All that later decisions depend on."""

    format: int
    limits: Limits
    assigned: dict[str, Assigned]
    values: dict[str, dict[str, float]]
    own: dict[int, Own]
    past: dict[int, str]
    sent: dict[str, Sent]
    cool_ns: dict[str, int]
    results: dict[str, list[Result]]
    entries_ns: list[int]
    last: dict[str, tuple[str, int]]
    n: int
    notes: list[Note]
