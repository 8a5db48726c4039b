"""Frames of the four scan connections, and what the codecs make of them."""

import json
import math

from basisdesk.events import ScanRow

HOUR, MINUTE = 3_600_000, 60_000
T0 = 1_790_136_000_000  # a whole hour


def frame(path, body):
    """An HTTP answer as it comes in. body: text, or what is to become JSON."""
    text = body if isinstance(body, str) else json.dumps(body)
    return json.dumps({"path": path, "data": text}).encode()


def same(row, **said):
    """Whether the row says this and nothing else (NaN and 0 say nothing)."""
    wanted = ScanRow(**said)
    return all(_alike(getattr(row, name), getattr(wanted, name)) for name in row.__struct_fields__)


def _alike(a, b):
    if isinstance(a, float) and math.isnan(a):
        return math.isnan(b)
    return a == b if isinstance(a, str) else math.isclose(a, b, rel_tol=1e-12)


def by_key(events):
    """Rows of a single ScanPage by their instrument."""
    (page,) = events
    rows = {row.instrument: row for row in page.rows}
    assert len(rows) == len(page.rows)
    return rows
