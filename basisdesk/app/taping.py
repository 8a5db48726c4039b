"""The tape of a session: opened with what the journal held, or a sentence why there is none."""

from typing import TYPE_CHECKING

import msgspec

from basisdesk import __version__
from basisdesk.errors import TapeError
from basisdesk.events import ENTRY, Frame
from basisdesk.lab.tape import TapeWriter, header_for, tapes_bytes
from basisdesk.ledger.journal import Journal
from basisdesk.ui.context import Status

if TYPE_CHECKING:
    from basisdesk.app.desk import DeskOptions


def start_tape(
    options: "DeskOptions", journal: Journal, status: Status, start_ns: int
) -> TapeWriter | None:
    """A tape named after the session; None where none is wanted or none can be, said in status."""
    limits = options.settings.tape
    if not limits.record:
        status.tape_state = "Recording is off in the settings."
        return None
    tapes = options.folder / "tapes"
    try:
        tapes.mkdir(mode=0o700, exist_ok=True)
        left = int(limits.disk_mb_max * 1e6) - tapes_bytes(tapes)
        if left <= 0:
            status.tape_state = f"Tapes fill their {limits.disk_mb_max} MB. Delete some."
            return None
        header = header_for(
            "demo" if options.mode == "simulated" else "live",
            __version__,
            start_ns,
            options.settings,
            status.speed,
            journal.seq,
        )
        tape = TapeWriter(tapes / f"{status.session}.tape", header, left)
        for _, outcome, _ in journal.entries():
            tape.put(Frame(ENTRY, msgspec.json.encode(outcome), outcome.ts_ns))
        return tape
    except (OSError, TapeError) as exc:
        status.tape_state = f"No recording: {exc}"
        return None
