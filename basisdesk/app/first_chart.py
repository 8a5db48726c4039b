"""Runs the desk on a new profile until its charts have painted data, and says so.

Run as `python -m basisdesk.app.first_chart FOLDER`, of a bundle as `basisdesk -m ...`.
"""

import asyncio
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from basisdesk.app.desk import DeskOptions, run_desk
from basisdesk.config import Settings

if TYPE_CHECKING:
    from basisdesk.ui.context import Context
    from basisdesk.ui.window import MainWindow

LOOK_S = 0.01


def run_until_first_chart(profile: Path) -> int:
    """Prints "painted" once the charts show a day of history and a live price."""
    return run_desk(DeskOptions(profile=profile, settings=Settings(), pilot=_first_chart))


async def _first_chart(context: "Context", window: "MainWindow") -> None:
    while True:
        shown = context.engine.shown()
        if shown is not None and len(shown.series) > 1_000 and math.isfinite(shown.now.open_bp):
            break
        await asyncio.sleep(LOOK_S)
    window.refresh_all()
    window.grab()
    print("painted", flush=True)  # noqa: T201  (the bench reads this line)


if __name__ == "__main__":
    sys.exit(run_until_first_chart(Path(sys.argv[1])))
