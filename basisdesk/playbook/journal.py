"""What the autopilot notes: each decision that changed, and what a person did instead."""

import math
from collections import deque
from collections.abc import Iterable
from typing import Literal

import msgspec

from basisdesk.events import ClosePair, Command, OpenPair
from basisdesk.playbook.confidence import unheard
from basisdesk.playbook.words import Decision, View

Mode = Literal["off", "suggest", "auto"]
MODES: tuple[Mode, ...] = ("off", "suggest", "auto")
NOTES_MAX = 2_000
AUTHOR = "autopilot"  # how the author of its trades begins


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the journal.

    n: counts up. kind: "enter", "exit", "stand"; "override": a person did otherwise; "set": a mode
    or a value was set; "opened", "closed", "unanswered": what became of an entry. text: the
    sentence; reason: the person's own words. done: commands were sent, not only suggested.
    position: number of the pair, 0 for none. against: of an override, what the autopilot said
    last. forecast: whether the forecast was used, and if not why.
    mid_bp, entry_bp, p, p_star: at that moment, None where unknown, so that decisions and
    overrides can be scored later.
    """

    n: int
    t_ns: int
    pair: str
    playbook: str
    mode: Mode
    kind: str
    code: str
    text: str
    direction: int = 0
    done: bool = False
    position: int = 0
    reason: str = ""
    against: str = ""
    forecast: str = ""
    mid_bp: float | None = None
    entry_bp: float | None = None
    p: float | None = None
    p_star: float | None = None


class Journal:
    """The last notes, and those that were not handed out yet. Both are bounded."""

    def __init__(self, notes: Iterable[Note] = (), n: int = 0) -> None:
        self.notes: deque[Note] = deque(notes, maxlen=NOTES_MAX)
        self.n = n
        self._fresh: deque[Note] = deque(maxlen=NOTES_MAX)

    def add(self, note: Note) -> Note:
        """Take a note in; it gets its number."""
        self.n += 1
        numbered = msgspec.structs.replace(note, n=self.n)
        self.notes.append(numbered)
        self._fresh.append(numbered)
        return numbered

    def taken(self) -> tuple[Note, ...]:
        """Notes since the last call, to be written down. They are given once."""
        found = tuple(self._fresh)
        self._fresh.clear()
        return found


def noted(view: View, who: tuple[str, Mode], decision: Decision, *, done: bool) -> Note:
    """A decision as a note. who: (playbook, mode)."""
    score = view.score
    entry_bp = view.entry_bp(decision.direction) if decision.direction else math.nan
    return Note(
        n=0,
        t_ns=view.t_ns,
        pair=view.pair,
        playbook=who[0],
        mode=who[1],
        kind=decision.kind,
        code=decision.code,
        text=decision.text,
        direction=decision.direction,
        done=done,
        position=view.held.pair if view.held is not None else 0,
        forecast=decision.forecast,
        mid_bp=_known(view.mid_bp),
        entry_bp=_known(entry_bp),
        p=_known(score.p) if score is not None else None,
        p_star=_known(score.p_star) if score is not None else None,
    )


def heeded(view: View, decision: Decision) -> Decision:
    """The decision, which says whether the forecast was used for it, and if not why."""
    if decision.forecast:
        return decision
    return msgspec.structs.replace(decision, forecast=unheard(view, decision.direction))


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def signed(decision: Decision, playbook: str, n: int, more: str = "") -> list[Command]:
    """The commands of a decision; each says whose it is: "autopilot: carry, reverted".

    n: number of its note. An entry names it, as its pair has no number yet: "autopilot: carry,
    carry, decision 4".
    """
    parts = [part for part in (f"{AUTHOR}: {playbook}", decision.code, more) if part]
    by = {ClosePair: ", ".join(parts), OpenPair: ", ".join([*parts, f"decision {n}"])}
    return [
        msgspec.structs.replace(each, by=by[type(each)])
        if isinstance(each, OpenPair | ClosePair)
        else each
        for each in decision.commands
    ]
