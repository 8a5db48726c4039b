"""A freeze or a suspend: what waited in the sockets meanwhile is applied, and never used.

The backlog is as many messages as a burst leaves: BASISDESK_BACKLOG=9160 for the long form.
"""

import os

import pytest
from engine_rig import LONG, PLAN, SHORT, D, Line, S

from basisdesk.events import OpenPair, Refused
from tests.bybit_wire import LINEAR, SPOT, book

BACKLOG = int(os.environ.get("BASISDESK_BACKLOG", "200"))
LEAD_MS = 2_500  # the youngest message that waited is older than a quote may be


def quoted(line, ms):
    """One leg's quote of that moment, read only now."""
    line.seq += 1
    conn = (SPOT, LINEAR)[line.seq % 2]
    bid = D("0.3639") + D(line.seq % 5) / 10_000
    line.feed(book(conn, f"{bid}", f"{bid + D('0.0001')}", "500000", ms, line.seq))


def live(line):
    """Whether the pair is shown as one to trade on."""
    return not line.engine.market.pair(LONG, SHORT).now.stale


def traded(line):
    """Whether an order that is given now goes through."""
    line.tell(OpenPair(LONG, SHORT, D(10_000), D(2), PLAN))
    return not isinstance(line.engine.outcomes[-1], Refused)


@pytest.mark.parametrize("away_s", [10, 60, 3_600])
@pytest.mark.parametrize("beat_first", [True, False], ids=["beat", "no beat"])
def test_nothing_that_waited_through_a_freeze_is_used(away_s, beat_first):
    line = Line()
    line.run(3)
    slept_ms = line.now // 10**6
    line.now += away_s * S
    if beat_first:
        line.beat()
    used, span_ms = 0, away_s * 1_000 - LEAD_MS
    for number in range(BACKLOG):
        line.now += 2_000  # read one after the other, at once
        quoted(line, slept_ms + span_ms * number // BACKLOG)
        used += live(line)
        if number % (BACKLOG // 40) == 0:
            used += traded(line)
            line.beat()
    print(f"{away_s} s away: {BACKLOG} old messages, {used} used")
    assert used == 0
    assert line.engine.open_pairs() == []
    line.run(3)  # and what is new is used again
    assert traded(line)
