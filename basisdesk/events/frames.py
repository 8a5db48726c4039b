"""What crosses the border of the pure core: frames in, changed flags out."""

import enum

import msgspec

# Connections that are ours, not a venue's. They travel in frames like any other.
BEAT = "desk.beat"  # empty payload: time passes
COMMAND = "desk.command"  # payload: one Command as JSON
LINK = "desk.link"  # payload: one LinkChange as JSON
ENTRY = "desk.entry"  # payload: one Outcome as JSON; only on tapes: what the journal held before


class Frame(msgspec.Struct, frozen=True, gc=False):
    """Raw bytes as they came off the wire: the only thing that crosses into the engine.

    conn: "bybit.spot", "bybit.linear", "bybit.rest", "bybit.scan" (what the scanner polls), or one
    of BEAT, COMMAND, LINK.
    A REST answer's payload is JSON: {"path": "/v5/...?query", "data": "<body text>"}.
    """

    conn: str
    payload: bytes
    t_ns: int


class Changed(enum.Flag):
    """What moved since the last repaint. Panels say what they care about in the same words."""

    NOTHING = 0
    QUOTES = enum.auto()
    BASIS = enum.auto()  # a new point in the series, ten a second at most
    FUNDING = enum.auto()
    POSITIONS = enum.auto()
    LEDGER = enum.auto()
    RISK = enum.auto()
    FEEDS = enum.auto()
    LOG = enum.auto()
    SCAN = enum.auto()  # the scanner counted anew, once a second
    ALERTS = enum.auto()
    AUTOPILOT = enum.auto()
    FORECAST = enum.auto()  # a beat of the forecast, once a second


class LinkChange(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a connection did, said by the supervisor through the inbox so that replay sees it too.

    state: "connecting", "up", "down", "idle" (closed, for no leg needs it), "overflow", "asked" (a
    subscribe was sent), "dropped" (the topics are not wanted any more: their streams and prices
    go), "renewed" (a second socket took over without a pause: what was merged starts afresh, prices
    stay).
    """

    conn: str
    state: str
    reason: str = ""
    req_id: str = ""
    topics: tuple[str, ...] = ()
