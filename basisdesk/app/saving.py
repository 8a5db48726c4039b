"""A session of the desk: how it begins, and how its log is written beside the loop."""

import asyncio
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from basisdesk import __version__
from basisdesk.clock import wall_ns
from basisdesk.config import Settings, exact, shareable
from basisdesk.engine import Engine
from basisdesk.errors import UserError
from basisdesk.events import SessionStarted
from basisdesk.lab.stamp import utc_text

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from basisdesk.lab.report import SaveJob
    from basisdesk.ui.pulse import Pulse

LOGS = "logs"  # the folder that session logs go to where a person chose none


def session_begun(engine: Engine, settings: Settings, mode: str, start_ns: int) -> SessionStarted:
    """What the journal says of a session that starts now. The first one deposits the start."""
    start = exact(settings.account.start)
    return SessionStarted(
        ts_ns=start_ns,
        session=utc_text(start_ns)[:19].replace(":", "") + "-" + secrets.token_hex(2),
        source="demo" if mode == "simulated" else mode,
        version=__version__,
        currency=settings.account.currency,
        start=start,
        equity=engine.funds().equity if engine.session is not None else start,
        settings=msgspec.json.encode(shareable(settings)).decode(),
    )


def save_job(
    folder: Path,
    journal: Path,
    settings: Settings,
    engine: Engine,
    signals: tuple[Path, ...] = (),
) -> "SaveJob":
    """What is to be written, into a new folder inside `folder`. The report is imported late.

    signals: the parts of the signal journal, oldest first.
    """
    from basisdesk.lab.report import SaveJob, feed_counters

    return SaveJob(
        journal=journal,
        folder=folder / f"basisdesk-{utc_text(wall_ns())[:19].replace(':', '')}",
        settings=settings,
        mids=dict(engine.worths()),
        feeds=feed_counters(engine),
        signals=signals,
    )


async def saved(job: "SaveJob") -> str:
    """Write it in a thread; the sentence why it could not be, "" when it stands."""
    from basisdesk.lab.report import save_session

    try:
        await asyncio.get_running_loop().run_in_executor(None, save_session, job)
    except UserError as exc:
        return str(exc)
    return ""


def save_picture(window: "QWidget | None", pulse: "Pulse", path: Path) -> None:
    """Draw a window as it is now. Raises UserError where it cannot be written."""
    pulse.mark_all()
    pulse.beat()
    if window is None or not window.grab().save(str(path)):
        raise UserError(f"Cannot write the picture {path}. Choose a folder that exists.")
