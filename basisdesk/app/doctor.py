"""What a person needs to know when something does not work: versions, folders, what is missing."""

import os
import platform
import shutil
import sqlite3
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
import pyqtgraph
import PySide6

from basisdesk import __version__
from basisdesk.config import Settings

DISK_LOW_BYTES = 500_000_000


def examine(profile: Path, settings: Settings) -> dict[str, Any]:
    """Versions, profile, disk and display as a flat dict of texts and numbers. Opens no socket."""
    free = shutil.disk_usage(profile).free
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or "none"
    return {
        "basisdesk": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "pyside6": PySide6.__version__,
        "pyqtgraph": pyqtgraph.__version__,
        "websockets": version("websockets"),
        "msgspec": msgspec.__version__,
        "numpy": np.__version__,
        "sqlite": sqlite3.sqlite_version,
        "qt_platform": os.environ.get("QT_QPA_PLATFORM", "default"),
        "display": display if sys.platform.startswith("linux") else "native",
        "profile": str(profile),
        "profile_mode": oct(profile.stat().st_mode & 0o777),
        "disk_free_mb": free // 1_000_000,
        "disk": "low: recording will stop early" if free < DISK_LOW_BYTES else "enough",
        "memory_free_mb": psutil.virtual_memory().available // 1_000_000,
        "venues": ", ".join(sorted(settings.fees)),
        "overrides": ", ".join(
            f"{venue}.{channel}" for venue, urls in settings.feeds.items() for channel in urls
        )
        or "none",
    }
