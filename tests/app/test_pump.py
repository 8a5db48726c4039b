import pytest

from basisdesk.app.pump import SLICE_FRAMES, Pump
from basisdesk.clock import ManualClock
from basisdesk.events import BEAT, Changed, Frame
from basisdesk.feed.inbox import Inbox


class Recorder:
    """An engine that only remembers."""

    def __init__(self, fault_at=None):
        self.walked = []
        self.fault_at = fault_at

    def advance(self, frames):
        self.walked += frames
        if self.fault_at is not None and len(self.walked) >= self.fault_at:
            raise ZeroDivisionError("a bug")
        return Changed.QUOTES


def frames(count):
    return [Frame("bybit.spot", b"x", n) for n in range(count)]


def test_each_frame_is_recorded_then_walked_once_in_order(qtbot):
    inbox, engine, taped, marks = Inbox(), Recorder(), [], []
    clock = ManualClock(5_000_000)
    pump = Pump(inbox, engine, taped.append, marks.append, clock)
    sent = frames(3 * SLICE_FRAMES + 7)
    for frame in sent:
        inbox.put(frame)
    qtbot.waitUntil(lambda: len(engine.walked) == len(sent))
    assert engine.walked == taped == sent
    assert set(marks) == {Changed.QUOTES}
    assert not pump.stopped
    assert pump.waits_ms["bybit.spot"][0] == 5.0  # the first frame's stamp is 0


def test_a_bug_stops_the_pump_for_good_and_is_not_swallowed(qtbot):
    inbox, engine = Inbox(), Recorder(fault_at=1)
    pump = Pump(inbox, engine, lambda _: None, lambda _: None, ManualClock(0))
    inbox.put(Frame("bybit.spot", b"x", 1))
    with pytest.raises(ZeroDivisionError):
        pump.drain()
    inbox.put(Frame(BEAT, b"", 2))
    pump.drain()
    assert [frame.t_ns for frame in engine.walked] == [1]
