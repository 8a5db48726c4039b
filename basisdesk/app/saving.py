"""Writing the session log of a running desk, beside its loop."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from basisdesk.clock import wall_ns
from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.errors import UserError
from basisdesk.lab.stamp import utc_text

if TYPE_CHECKING:
    from basisdesk.lab.report import SaveJob


def save_job(folder: Path, journal: Path, settings: Settings, engine: Engine) -> "SaveJob":
    """What is to be written, into a new folder inside `folder`. The report is imported late."""
    from basisdesk.lab.report import SaveJob, feed_counters

    return SaveJob(
        journal=journal,
        folder=folder / f"basisdesk-{utc_text(wall_ns())[:19].replace(':', '')}",
        settings=settings,
        mids=dict(engine.worths()),
        feeds=feed_counters(engine),
    )


async def saved(job: "SaveJob") -> str:
    """Write it in a thread; the sentence why it could not be, "" when it stands."""
    from basisdesk.lab.report import save_session

    try:
        await asyncio.get_running_loop().run_in_executor(None, save_session, job)
    except UserError as exc:
        return str(exc)
    return ""
