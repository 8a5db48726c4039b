"""The gap between messages holds at every age of the machine."""

from types import SimpleNamespace
from typing import Any

import pytest
from feed_rig import FAST
from websockets.protocol import State

from basisdesk.feed.wire import Request, Wire
from basisdesk.venues import Limits

GAPS_S = (0.05, 0.1, 0.2, 0.3, 1.0 / 3.0)


@pytest.mark.parametrize("gap_s", GAPS_S)
@pytest.mark.parametrize("power", range(31))
def test_the_first_message_goes_out_at_once_however_long_the_machine_has_run(
    monkeypatch, gap_s, power
):
    # now - (now - gap) may round below the gap, for the same gap over a whole power of two of
    # seconds of uptime: a desk that compared so never sent a thing.
    now_s = 1.1 * 2.0**power
    monkeypatch.setattr("basisdesk.feed.wire.mono_s", lambda: now_s)
    went: list[str] = []
    socket: Any = SimpleNamespace(protocol=SimpleNamespace(state=State.CLOSED))
    wire = Wire(socket, Limits(send_gap_s=gap_s), FAST, lambda req_id, _: went.append(req_id))
    for n in range(3):
        wire.send(Request(None, str(n), ("top.ADA",)))
    assert went[0] == "0"
    wire.pump(now_s + 0.4 * gap_s)
    assert len(went) == 1
    wire.pump(now_s + 1.1 * gap_s)
    assert len(went) == 2
    wire.pump(now_s + 2.2 * gap_s)
    assert went == ["0", "1", "2"]
    assert not wire.sending
