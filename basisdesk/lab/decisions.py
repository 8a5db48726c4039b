"""The autopilot's notes as a table of the session log: decisions, refusals, overrides, settings."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from basisdesk.errors import UserError
from basisdesk.lab.stamp import utc_text
from basisdesk.playbook.journal import Note

NOTES = ("notes.1.jsonl", "notes.jsonl")  # in a profile's folder "autopilot", the older part first
HEAD = (
    "time_utc",
    "decision",
    "coin_pair",
    "playbook",
    "mode",
    "kind",
    "code",
    "done",
    "side",
    "pair",
    "text",
    "forecast",
    "person_reason",
    "against",
    "mid_bp",
    "entry_bp",
    "p",
    "p_star",
)
_DECODER = msgspec.json.Decoder(Note)
_SIDES = {1: "long first, short second", -1: "short first, long second"}


def note_files(folder: Path) -> tuple[Path, ...]:
    """The parts of the notes that exist beside a journal, oldest first."""
    return tuple(path for name in NOTES if (path := folder / "autopilot" / name).is_file())


def decisions_table(paths: Sequence[Path]) -> list[list[str]]:
    """The notes of these files (oldest file first), each once; the first row names.

    A line that cannot be read is passed over, as a torn tail is. Raises UserError where a file
    cannot be read.
    """
    found: dict[tuple[int, int], Note] = {}
    for path in paths:
        try:
            with path.open("rb") as file:
                found |= {(note.t_ns, note.n): note for note in _notes(file)}
        except OSError as exc:
            raise UserError(f"Cannot read the autopilot's notes {path}: {exc.strerror}.") from exc
    return [list(HEAD), *map(_row, found.values())]


def decisions_beside(folder: Path) -> dict[str, list[list[str]]]:
    """The table "decisions" of what lies beside a journal; nothing where there are no notes."""
    paths = note_files(folder)
    return {"decisions": decisions_table(paths)} if paths else {}


def _notes(lines: Iterator[bytes]) -> Iterator[Note]:
    for line in lines:
        try:
            yield _DECODER.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue


def _row(note: Note) -> list[str]:
    return [
        utc_text(note.t_ns),
        str(note.n),
        note.pair,
        note.playbook,
        note.mode,
        note.kind,
        note.code,
        "yes" if note.done else "",
        _SIDES.get(note.direction, ""),
        str(note.position or ""),
        note.text,
        note.forecast,
        note.reason,
        note.against,
        _number(note.mid_bp, 2),
        _number(note.entry_bp, 2),
        _number(note.p, 4),
        _number(note.p_star, 4),
    ]


def _number(value: float | None, places: int) -> str:
    return "" if value is None else f"{value:.{places}f}"
