"""The performance figures, each beside the bare-library limit measured in the same run.

Ratios within one run are what counts: machines differ, and so does what else they are doing.
Only paths that users take are measured: the desk's own engine, feeds, panels and start.
"""

import platform
from collections.abc import Callable
from typing import Any

import psutil

from basisdesk import __version__
from basisdesk.errors import UserError

Figures = dict[str, float]
ON_DEMAND = frozenset({"replay"})  # makes a tape of 1 GB: only when named


def run_bench(only: str | None = None) -> dict[str, Any]:
    """All groups, or the one named: {"machine": {...}, "figures": {name: value}}."""
    groups = _groups()
    if only is not None and only not in groups:
        raise UserError(f"bench: no group {only!r}. There are {', '.join(groups)}.")
    figures: Figures = {}
    for name, measure in groups.items():
        if only == name or (only is None and name not in ON_DEMAND):
            figures |= measure()
    return {"machine": _machine(), "figures": figures}


def _groups() -> dict[str, Callable[[], Figures]]:
    from basisdesk.app.bench.engine import measure_engine, measure_venues
    from basisdesk.app.bench.forecast import measure_forecast
    from basisdesk.app.bench.lab import measure_lab
    from basisdesk.app.bench.memory import measure_memory
    from basisdesk.app.bench.money import measure_fills, measure_journal, measure_pairs50
    from basisdesk.app.bench.paint import measure_paint
    from basisdesk.app.bench.replay import measure_replay
    from basisdesk.app.bench.scan import measure_scanner
    from basisdesk.app.bench.socket import measure_pairs40, measure_socket
    from basisdesk.app.bench.start import measure_start

    return {
        "engine": measure_engine,
        "venue": measure_venues,
        "socket": measure_socket,
        "pairs40": measure_pairs40,
        "pairs50": measure_pairs50,
        "journal": measure_journal,
        "fill": measure_fills,
        "paint": measure_paint,
        "scanner": measure_scanner,
        "forecast": measure_forecast,
        "lab": measure_lab,
        "replay": measure_replay,
        "start": measure_start,
        "memory": measure_memory,
    }


def _machine() -> dict[str, Any]:
    return {
        "basisdesk": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
    }
