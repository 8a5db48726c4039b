"""What the screen reads of the autopilot, and its rows as text. Pure, no Qt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from basisdesk.playbook.words import SOURCES
from basisdesk.ui.leg_words import coin_of, legs_text
from basisdesk.ui.times import clock_text, held_text

if TYPE_CHECKING:
    from basisdesk.playbook.journal import Note
    from basisdesk.playbook.words import Param, Playbook

NOTES_SHOWN = 300
MODES: dict[str, tuple[str, str]] = {
    "off": ("Off", "It looks at nothing and does nothing. What it holds keeps its exit plan."),
    "suggest": ("Suggest", "It says what it would do; nothing is done until you accept."),
    "auto": ("Auto", "It opens and closes on paper by itself, within the desk's limits."),
}
MINUS = "\u2212"
EMPTY = (
    "The autopilot is off for every pair. Show a pair, press Set the shown pair, choose a playbook "
    "and Suggest. It then says here, each second, what it would do and why. All of it is paper."
)
NO_DESK = "The autopilot is for a running desk."
_KINDS = {
    "enter": "enters",
    "exit": "leaves",
    "stand": "stands",
    "override": "overridden",
    "set": "set",
    "opened": "opened",
    "closed": "closed",
    "unanswered": "unanswered",
}
_COLOURS = {"enter": "accent", "exit": "accent", "override": "warn", "unanswered": "warn"}


class Watch(NamedTuple):
    """One pair as the last look left it.

    kind, code, text: of the decision, "" before the first look. since_ns: when this kind and code
    began. suggested: it can be accepted now. position: number of the autopilot's own pair, 0 none.
    forecast: whether the forecast was used, and if not why.
    """

    pair: str
    mode: str
    playbook: str
    kind: str = ""
    code: str = ""
    text: str = ""
    since_ns: int = 0
    suggested: bool = False
    position: int = 0
    forecast: str = ""

    @property
    def whole(self) -> str:
        """The decision, and whether the forecast was used for it."""
        return f"{self.text} {self.forecast}".rstrip()


@dataclass
class AutopilotView:
    """The newest of everything; each part is replaced as a whole, never changed in place.

    watches: pairs that are not off and pairs it holds. settable: pairs that may be set now, the
    shown one last. notes: newest first. said: of the last start, in words. problem: of the disk or
    of a fault, in words; "" while all is well. stopped: a fault ended it.
    """

    watches: tuple[Watch, ...] = ()
    settable: tuple[str, ...] = ()
    notes: tuple["Note", ...] = ()
    playbooks: tuple["Playbook", ...] = ()
    said: str = ""
    problem: str = ""
    stopped: bool = False
    ready: bool = False
    usual: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def watch(self, pair: str) -> Watch | None:
        """The row of a pair."""
        return next((each for each in self.watches if each.pair == pair), None)

    def playbook(self, name: str) -> "Playbook | None":
        """A playbook with its values as set."""
        return next((each for each in self.playbooks if each.name == name), None)


class WatchRow(NamedTuple):
    """A row of the table of pairs."""

    pair: str
    name: str
    mode: str
    mode_text: str
    playbook: str
    does: str
    said: str
    since: str
    since_ns: int
    position: str
    meaning: str


class NoteRow(NamedTuple):
    """A row of the notes."""

    n: int
    time: str
    coin: str
    name: str
    kind: str
    said: str
    meaning: str


def pair_name(pair: str) -> str:
    """A pair as a person says it: "ADA Bybit spot / perp"."""
    first, _, second = pair.partition(" ")
    return f"{coin_of(second)} {legs_text(first, second)}" if second else pair


def watch_rows(view: AutopilotView, now_ns: int) -> list[WatchRow]:
    """All pairs that are not off, and those held."""
    return [_watch_row(view, each, now_ns) for each in view.watches]


def _watch_row(view: AutopilotView, watch: Watch, now_ns: int) -> WatchRow:
    book = view.playbook(watch.playbook)
    said = watch.whole or ("Waits for the next look." if watch.mode != "off" else "Off.")
    meaning = "accent" if watch.kind in ("enter", "exit") else ""
    return WatchRow(
        pair=watch.pair,
        name=pair_name(watch.pair),
        mode=watch.mode,
        mode_text=MODES[watch.mode][0],
        playbook=book.title if book is not None else watch.playbook,
        does=does_text(watch),
        said=said,
        since=held_text((now_ns - watch.since_ns) / 1e9) if watch.since_ns else "",
        since_ns=watch.since_ns,
        position=f"{watch.position}" if watch.position else "",
        meaning=meaning,
    )


def why_text(watch: Watch) -> str:
    """The whole sentence about a pair, for the line below the tables."""
    return f"{pair_name(watch.pair)}: {watch.whole or 'waits for the next look.'}"


def does_text(watch: Watch) -> str:
    """What it does about a pair, in two words at most."""
    if watch.mode == "off" or not watch.kind:
        return ""
    if watch.kind == "stand":
        return f"stands: {watch.code}"
    what = _KINDS[watch.kind]
    return f"would {what[:-1] if what != 'leaves' else 'leave'}" if watch.suggested else what


def note_rows(notes: Sequence["Note"], utc: bool) -> list[NoteRow]:
    """The notes in the order given."""
    return [
        NoteRow(
            n=note.n,
            time=clock_text(note.t_ns, utc),
            coin=coin_of(note.pair.rpartition(" ")[2]) if note.pair else note.playbook,
            name=pair_name(note.pair) if note.pair else note.playbook,
            kind=_kind_text(note),
            said=_note_text(note),
            meaning=_COLOURS.get(note.kind, "muted" if note.kind == "stand" else ""),
        )
        for note in notes
    ]


def _note_text(note: "Note") -> str:
    text = note.text.replace(note.pair, pair_name(note.pair)) if note.pair else note.text
    text = f"{text} {note.forecast}".rstrip()
    return f"{text} Reason: {note.reason.rstrip('.')}." if note.reason else text


def _kind_text(note: "Note") -> str:
    if note.kind in ("enter", "exit") and not note.done:
        return "would enter" if note.kind == "enter" else "would leave"
    return _KINDS.get(note.kind, note.kind)


def foot_text(view: AutopilotView) -> str:
    """One line below: what is wrong, what the start did, else how many run."""
    if view.problem:
        return view.problem
    counts = {mode: sum(each.mode == mode for each in view.watches) for mode in MODES}
    told = f"Paper only. {counts['auto']} on auto, {counts['suggest']} on suggest."
    if view.said:
        return f"{told} {view.said}"
    return f"{told} Halt silences all of it; what is held keeps its exit plan."


def override_what(watch: Watch) -> str:
    """What an override does to the last decision, as the notes call it."""
    return {"enter": "declined", "exit": "kept"}.get(watch.kind, "set aside")


def param_name(param: "Param") -> str:
    """How a param is called on the screen; its own name, as in files, stands in the tip."""
    words = param.name.replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}"


def rule_text(param: "Param") -> str:
    """Range and rule of one param."""
    span = f"{param.low:g} to {param.high:g} {param.unit}. " if param.unit != "yes/no" else ""
    return f"{span.replace('-', MINUS)}{param.text}"


def source_text(param: "Param") -> str:
    """Whose rule it is, and what it is called in the note and in files."""
    return f"From: {SOURCES[param.source]}. In files: {param.name}."
