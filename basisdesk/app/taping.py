"""The tape of a session: opened with what the journal held, or a sentence why there is none.

A session whose disk was full goes on in a second tape: a hole in the middle of one would make
books that never were. That tape begins with the journal as it is then, read in the window's thread.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from basisdesk import __version__
from basisdesk.config import shareable
from basisdesk.errors import JournalError, TapeError
from basisdesk.events import COMMAND, ENTRY, Frame, SetValue
from basisdesk.lab.tape import TapeWriter, header_for, tapes_bytes
from basisdesk.ledger.journal import Journal
from basisdesk.market.scan_frames import SCAN
from basisdesk.ui.context import Status

if TYPE_CHECKING:
    from basisdesk.app.desk import DeskOptions

AGAIN_BYTES = 16_000_000  # of its limit that must be free before a session gets another tape
SET_MAX = 2_100  # values kept for the next tape; the sectors' coins are the most of them
SET_KEYS = ("pair", "watch", "ticket.qty")

# records; off: not wanted; failed: its tape met its limit or a full disk, and nobody knows yet;
# waits: stopped, until `resume`.
Standing = Literal["records", "off", "failed", "waits"]


def tapes_folder(options: "DeskOptions") -> Path:
    """Where the tapes of this account and mode lie: in the profile, or below `tape.folder`."""
    own = options.settings.tape.folder
    if not own:
        return options.folder / "tapes"
    return Path(own).expanduser() / options.account / options.mode


class Recording:
    """What comes in, kept on tape while there is one. Nothing of it ever raises.

    state: "" while recording, else why not, in words. part: which tape of the session this is, 0
    before the first.
    """

    def __init__(
        self, options: "DeskOptions", journal: Journal, status: Status, start_ns: int
    ) -> None:
        self._options = options
        self._journal = journal
        self._status = status
        self._before = 0  # bytes of the tapes before this one
        self._scan = options.settings.tape.scan
        self._set: dict[str, SetValue] = {}
        self._tape = start_tape(options, journal, status, start_ns)
        self.part = 1 if self._tape is not None else 0
        self._why = status.tape_state
        self._waits = self._tape is None and options.settings.tape.record

    def put(self, frame: Frame) -> None:
        """Keep one frame; of what is set on the engine the last of each too, tape or no tape."""
        if frame.conn == COMMAND:
            self._keep_set(frame.payload)
        if self._tape is None or (not self._scan and frame.conn.endswith(SCAN)):
            return
        self._tape.put(frame)

    @property
    def folder(self) -> Path:
        """Where its tapes lie."""
        return tapes_folder(self._options)

    @property
    def standing(self) -> Standing:
        """How it stands; only what waits can be resumed."""
        if self._tape is not None:
            return "failed" if self._tape.state else "records"
        return "waits" if self._waits else "off"

    @property
    def values(self) -> tuple[SetValue, ...]:
        """What is set on the engine, to be said again in a tape that begins now.

        The pair on the screen, those watched unseen, the size, what is said of sectors.
        """
        return tuple(self._set.values())

    @property
    def state(self) -> str:
        """Why nothing is recorded; "" while it is."""
        return self._why if self._tape is None else self._tape.state

    @property
    def bytes_written(self) -> int:
        """Bytes on the disk, all tapes of the session."""
        return self._before + (self._tape.bytes_written if self._tape is not None else 0)

    @property
    def frames(self) -> int:
        """Frames on the tape that records now; 0 where there is none."""
        return self._tape.frames if self._tape is not None else 0

    def stop(self, why: str) -> None:
        """Record no more until `resume`. Nothing where nothing is recorded anyway."""
        if self._tape is None:
            return
        self._tape.close()
        self._before += self._tape.bytes_written
        self._tape, self._why, self._waits = None, why, True

    def resume(self, now_ns: int) -> bool:
        """Begin the next tape after a `stop`. Whether it records; if not it can be tried again."""
        if not self._waits:
            return False
        part = self.part + 1
        self._status.tape_state = ""
        self._tape = start_tape(self._options, self._journal, self._status, now_ns, part)
        self._why = self._status.tape_state
        if self._tape is None:
            return False
        self.part, self._waits = part, False
        return True

    def close(self) -> None:
        """Write what is left and let the file go."""
        if self._tape is not None:
            self._tape.close()

    def _keep_set(self, payload: bytes) -> None:
        try:
            found = msgspec.json.decode(payload, type=SetValue)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return  # another command
        known = found.key in SET_KEYS or found.key.startswith("sector.")
        if known and (found.key in self._set or len(self._set) < SET_MAX):
            self._set[found.key] = found


def start_tape(
    options: "DeskOptions", journal: Journal, status: Status, start_ns: int, part: int = 1
) -> TapeWriter | None:
    """A tape named after the session; None where none is wanted or none can be, said in status.

    part: from 2 on, a tape that goes on where the one before had to stop.
    """
    limits = options.settings.tape
    if not limits.record:
        status.tape_state = "Recording is off in the settings."
        return None
    tapes = tapes_folder(options)
    try:
        tapes.mkdir(mode=0o700, parents=True, exist_ok=True)
        left = int(limits.disk_mb_max * 1e6) - tapes_bytes(tapes)
        if left <= (0 if part == 1 else AGAIN_BYTES):
            status.tape_state = (
                f"Tapes fill their {limits.disk_mb_max} MB. Put sessions into the trash "
                "(Session > Sessions\u2026), or raise the limit in the settings."
            )
            return None
        header = header_for(
            "demo" if options.mode == "simulated" else "live",
            __version__,
            start_ns,
            shareable(options.settings),
            status.speed,
            journal.seq,
        )
        name = status.session if part == 1 else f"{status.session}-{part}"
        return _opened(TapeWriter(tapes / f"{name}.tape", header, left), journal)
    except (OSError, TapeError, JournalError) as exc:
        status.tape_state = f"No recording: {exc}"
        return None


def _opened(tape: TapeWriter, journal: Journal) -> TapeWriter:
    """A tape with all of the journal in it: less of it could not be replayed, and is removed."""
    try:
        for _, outcome, _ in journal.entries():
            tape.put(Frame(ENTRY, msgspec.json.encode(outcome), outcome.ts_ns))
        tape.flush()
    except BaseException:
        tape.discard()
        raise
    if tape.state:
        tape.discard()
        raise TapeError(tape.state)
    return tape
