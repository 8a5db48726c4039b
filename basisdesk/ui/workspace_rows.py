"""Workspaces as values: the four ready-made ones, what is saved of one, and where windows go.

Pure, no Qt.
"""

import base64
import binascii
import json
import struct
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

MAGIC = b"BDW1"
STATE_BYTES_MAX = 1 << 20  # of one saved workspace
CHARTS_MAX = 4  # chart windows beside the desk; each keeps the feeds of a pair alive
NAME_MAX = 40
KEY_MAX = 80  # of one leg

Rect = tuple[int, int, int, int]  # left, top, width, height in pixels
Pair = tuple[str, str]
Beside = Literal["", "scanner", "lab"]


@dataclass(frozen=True)
class Ready:
    """A workspace that every desk has.

    front: the tab in front. low_share: what the tabs take of the window's height. beside: which
    window comes with it. size: of the desk's window, None for the one it has. about: its tip.
    """

    name: str
    about: str
    front: str = "positions"
    low_share: float = 0.24
    beside: Beside = ""
    size: tuple[int, int] | None = None


READY = (
    Ready("Trade", "Charts and ticket above, positions below. The desk alone."),
    Ready(
        "Scan",
        "The desk and the scanner's window side by side; where the screen is too narrow for both, "
        "the scanner in front.",
        low_share=0.3,
        beside="scanner",
    ),
    Ready(
        "Research",
        "The forecast large under the charts, and the lab's window beside or in front.",
        front="forecast",
        low_share=0.45,
        beside="lab",
    ),
    Ready(
        "Small screen",
        "The desk alone in 1,280 x 800 pixels: one row of tables, the guide away.",
        low_share=0.0,
        size=(1280, 800),
    ),
)


@dataclass(frozen=True)
class ChartState:
    """One chart window. pair: its own, or the desk's when it was saved and `linked`."""

    pair: Pair
    linked: bool
    span: str
    geometry: bytes


@dataclass(frozen=True)
class WorkspaceState:
    """Which windows are open and how each is arranged. Empty bytes: nothing is known of it."""

    desk: bytes
    scanner_open: bool = False
    scanner: bytes = b""
    lab_open: bool = False
    lab: bytes = b""
    charts: tuple[ChartState, ...] = ()


def packed(state: WorkspaceState) -> bytes:
    """The state as bytes with a checksum, for `unpacked`."""
    body = json.dumps(
        {
            "desk": _text(state.desk),
            "scanner": [state.scanner_open, _text(state.scanner)],
            "lab": [state.lab_open, _text(state.lab)],
            "charts": [
                [list(chart.pair), chart.linked, chart.span, _text(chart.geometry)]
                for chart in state.charts[:CHARTS_MAX]
            ],
        }
    ).encode()
    return MAGIC + struct.pack(">I", zlib.crc32(body)) + body


def unpacked(saved: bytes) -> WorkspaceState | None:
    """What `packed` wrote; None for anything else, a single changed bit included."""
    head, body = saved[:8], saved[8:]
    if head[:4] != MAGIC or len(head) < 8 or len(saved) > STATE_BYTES_MAX:
        return None
    if struct.unpack(">I", head[4:])[0] != zlib.crc32(body):
        return None
    try:
        return _state(json.loads(body))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def name_problem(name: str, taken: Collection[str] = ()) -> str:
    """Why a workspace cannot be saved under a name; "" where it can. taken: kept by others."""
    if not name or name != " ".join(name.split()) or not name.isprintable():
        return "A name has letters, digits, signs and single spaces, and does not begin with one."
    if len(name) > NAME_MAX:
        return f"A name has {NAME_MAX} characters at most; this one has {len(name)}."
    if name.lower() in {ready.name.lower() for ready in READY} | {t.lower() for t in taken}:
        return f"{name} is the name of a ready-made workspace. Choose another one."
    return ""


def side_by_side(
    rooms: Sequence[Rect], home: int, desk_min: int, other_min: int
) -> tuple[Rect, Rect]:
    """Where the desk and one more window stand: (desk, other).

    rooms: what each screen has free. home: the desk's screen. On two screens each has one; on one
    that is wide enough both share it; else both fill it and the other stands in front.
    """
    here = rooms[home]
    others = [room for place, room in enumerate(rooms) if place != home]
    if others:
        return here, max(others, key=lambda room: room[2] * room[3])
    left, top, width, height = here
    if width < desk_min + other_min:
        return here, here
    desk = min(max(desk_min, width // 2), width - other_min)
    return (left, top, desk, height), (left + desk, top, width - desk, height)


def _state(found: Any) -> WorkspaceState:
    scanner_open, scanner = found["scanner"]
    lab_open, lab = found["lab"]
    charts = tuple(_chart(*row) for row in found["charts"][:CHARTS_MAX])
    return WorkspaceState(
        _bytes(found["desk"]),
        scanner_open is True,
        _bytes(scanner),
        lab_open is True,
        _bytes(lab),
        charts,
    )


def _chart(pair: Any, linked: Any, span: Any, geometry: Any) -> ChartState:
    first, second = (str(key)[:KEY_MAX] for key in pair)
    return ChartState((first, second), linked is True, str(span)[:8], _bytes(geometry))


def _text(state: bytes) -> str:
    return base64.b64encode(state).decode()


def _bytes(text: Any) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except binascii.Error as exc:
        raise ValueError(str(exc)) from exc
