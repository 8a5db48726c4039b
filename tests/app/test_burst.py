"""A burst of messages in one second: the engine catches up, and no queue outgrows its bounds.

The long form is 50,000 of them: BASISDESK_BURST=50000.
"""

import os

import msgspec
import pytest

from basisdesk.app.pump import Pump
from basisdesk.clock import SystemClock, mono_s
from basisdesk.config import Settings
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.events import LINK, Frame, LinkChange
from basisdesk.feed.inbox import Inbox
from basisdesk.venues import known_venues
from tests.bybit_wire import LINEAR, SPOT, book, instruments

BURST = int(os.environ.get("BASISDESK_BURST", "4000"))
BURST_S = BURST / 50_000
CAUGHT_UP_NS = 100_000_000
RECOVER_S = 3.0


def payloads(clock):
    """Books of both legs as they are sent, each newer than the one before."""
    ms = clock.now_ns() // 10**6
    made = []
    while len(made) < BURST:
        u = len(made) + 10
        conn, bid = (SPOT, "0.3639") if u % 4 < 2 else (LINEAR, "0.3665")
        made += [
            (conn, row["data"].encode())
            for row in book(conn, bid, bid[:-1] + str(int(bid[-1]) + 1), f"{u}", ms, u)
        ]
    return made[:BURST]


@pytest.mark.slow
def test_a_burst_is_caught_up_with_within_three_seconds_and_the_inbox_stays_bounded(qtbot):
    clock = SystemClock()
    engine, inbox = Engine(Settings(), known_venues(), MemoryJournal()), Inbox()
    pump = Pump(inbox, engine, lambda _: None, lambda _: None, clock)
    for row in instruments():
        body = msgspec.json.encode({"path": row["path"], "data": row["data"]})
        inbox.put(Frame(row["conn"], body, clock.now_ns()))
    for conn in (SPOT, LINEAR):
        inbox.put(Frame(LINK, msgspec.json.encode(LinkChange(conn, "up")), clock.now_ns()))
    burst = payloads(clock)
    begun_s, sent, oldest_ns, most = mono_s(), 0, 0, 0
    done_s = recovered_s = 0.0
    while not recovered_s:
        now_s = mono_s() - begun_s
        due = min(BURST, int(BURST * now_s / BURST_S) if BURST_S else BURST)
        while sent < due:
            conn, payload = burst[sent]
            inbox.put(Frame(conn, payload, clock.now_ns()))
            sent += 1
        done_s = done_s or (now_s if sent == BURST else 0.0)
        most = max(most, len(inbox))
        oldest_ns = next(iter(inbox._queue)).t_ns if len(inbox) else clock.now_ns()
        if done_s and clock.now_ns() - oldest_ns < CAUGHT_UP_NS:
            recovered_s = mono_s() - begun_s - done_s
        pump.drain()
    dropped = sum(inbox.dropped.values())
    print(f"burst of {BURST}: caught up {recovered_s:.2f} s after its end; at most {most} waited, "
          f"{dropped} dropped and said")  # fmt: skip
    assert recovered_s <= RECOVER_S
    assert most <= inbox.limit_frames + 10
    assert inbox.bytes <= inbox.limit_bytes
    assert bool(dropped) == bool(inbox.overflowed)
