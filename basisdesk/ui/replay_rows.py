"""A replay as text: where it stands, how fast it goes, what is not true of it yet. Pure, no Qt."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from basisdesk.ui.figures import number_text, size_text, span_text

SPEEDS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 100.0, 300.0, 1_000.0)
SLOWER_SHARE = 0.9  # playing at less than this share of what was asked is told
STEPS = (
    ("frame", "Next message", "One message of the tape. Key ."),
    ("change", "Next change of a leg", "To the next move of either leg's best bid or ask. Key ,"),
    ("settlement", "Next settlement", "To the next settlement of a leg on the screen. Key N"),
)
SOURCES = {
    "demo": "the demo exchange",
    "live": "the venues",
    "import": "an imported recording",
}
BEGIN_TIP = "Back to the start of the tape, without trades by hand. Key Home"


@dataclass
class ReplayView:
    """What the bar shows. The app writes, the bar reads; times are UTC nanoseconds of the tape.

    asked: the speed chosen; reached: what it comes to, NaN before it played. progress: 0 to 1 of
    the walk under way. holes: stretches left out. blocked: the recording trades next and waits for
    them. doubt: it traded inside them. walk_s: about how long walking them takes. later: trades by
    hand after the moment shown. surveyed: share of the tape that was looked into. note: a sentence
    that wants to be read.
    """

    name: str = ""
    source: str = ""
    first_ns: int = 0
    last_ns: int = 0
    now_ns: int = 0
    playing: bool = False
    working: bool = False
    at_end: bool = False
    progress: float = 1.0
    asked: float = 1.0
    reached: float = math.nan
    holes: tuple[tuple[int, int], ...] = ()
    blocked: bool = False
    doubt: bool = False
    walk_s: float = 0.0
    commands: int = 0
    later: int = 0
    surveyed: float = 1.0
    note: str = ""
    marks: Sequence[int] = field(default_factory=tuple)  # trades by hand, to be drawn


class ReplayActions(Protocol):
    """What a person can ask of a replay."""

    def play(self) -> None:
        """Play, or pause where it plays; a jump under way stops."""
        ...

    def set_speed(self, speed: float) -> None:
        """Play so many times as fast as it went."""
        ...

    def step(self, what: str) -> None:
        """Go on to the next "frame", "change" or "settlement" and stand there."""
        ...

    def jump(self, t_ns: int) -> None:
        """Go to a time of the tape."""
        ...

    def cancel(self) -> None:
        """Stop a jump or a walk where it is."""
        ...

    def walk(self) -> None:
        """Walk what was left out."""
        ...

    def save_commands(self, path: str) -> None:
        """Write the trades by hand as a file for `basisdesk replay --commands`."""
        ...


def moment_text(t_ns: int) -> tuple[str, str]:
    """(date, time to the tenth of a second) of the tape, always UTC."""
    if not t_ns:
        return "", ""
    at = datetime.fromtimestamp(t_ns // 1_000_000_000, UTC)
    return f"{at:%Y-%m-%d}", f"{at:%H:%M:%S}.{t_ns // 100_000_000 % 10}"


def speed_text(speed: float) -> str:
    """A speed as its choice says it: "0.1×", "1,000×"."""
    return f"{size_text(speed, 1)}×"


def reached_text(view: ReplayView) -> str:
    """What playing comes to where the machine cannot keep up, "" where it can."""
    slow = view.reached < SLOWER_SHARE * view.asked
    if not view.playing or math.isnan(view.reached) or not slow:
        return ""
    places = 0 if view.reached >= 10.0 else 1
    return f"comes to {number_text(view.reached, places)}×"


def share_of(view: ReplayView, t_ns: int) -> float:
    """Where a time lies on the tape, 0 to 1."""
    length = view.last_ns - view.first_ns
    return min(1.0, max(0.0, (t_ns - view.first_ns) / length)) if length > 0 else 0.0


def time_of(view: ReplayView, share: float) -> int:
    """The time at a share of the tape."""
    return view.first_ns + round(min(1.0, max(0.0, share)) * (view.last_ns - view.first_ns))


def place_text(view: ReplayView) -> str:
    """How far in, and how long the tape is: "3m 12s of 1h 04m"."""
    done, length = view.now_ns - view.first_ns, view.last_ns - view.first_ns
    return f"{span_text(max(0, done) / 1e9)} of {span_text(length / 1e9)}"


def about_text(view: ReplayView) -> str:
    """Which tape this is, for a tooltip."""
    source = SOURCES.get(view.source, view.source or "unknown")
    begun = " ".join(moment_text(view.first_ns))[:-2]
    until = " ".join(moment_text(view.last_ns))[:-2]
    return f"{view.name}, recorded from {source}, {begun} to {until} UTC."


def state_text(view: ReplayView) -> tuple[str, str]:
    """(sentence, meaning) under the slider: the most urgent thing first; meaning "" is muted."""
    if view.note:
        return view.note, "warn"
    if view.working:
        return f"Walking the tape: {100 * view.progress:.0f} %", ""
    if view.holes:
        return hole_text(view), "warn"
    if view.later:
        if view.later == 1:
            return "One trade by hand later; a new one here undoes it.", ""
        return f"{view.later} trades by hand later; a new one here undoes them.", ""
    if view.at_end:
        return "End of the tape.", ""
    if view.surveyed < 1.0:
        return f"Looking for trades in the recording: {100 * view.surveyed:.0f} %", ""
    return "Your trades here go to an account of their own.", ""


def hole_text(view: ReplayView) -> str:
    """What was left out by a jump, and what that means."""
    from_ns, to_ns = view.holes[0][0], view.holes[-1][1]
    span = f"{moment_text(from_ns)[1][:8]} to {moment_text(to_ns)[1][:8]}"
    if view.doubt:
        return f"Not walked: {span}. The recording traded there, so this account is not its own."
    if view.blocked:
        return f"Not walked: {span}. The recording trades next: walk it first."
    return f"Not walked: {span}. Depth may be unknown, and trades wait until it is walked."


def walk_text(view: ReplayView) -> str:
    """The button that walks what was left out."""
    return f"Walk it, about {span_text(max(1.0, view.walk_s))}"


def branch_text(later: int) -> str:
    """What is asked before a trade in the past of other trades."""
    stands = "One trade by hand stands" if later == 1 else f"{later} trades by hand stand"
    undone = "it is" if later == 1 else "they are"
    return (
        f"{stands} later on this tape. Trading here lets time go on differently, so {undone} "
        "undone. Save the commands first to keep them."
    )
