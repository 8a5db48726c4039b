import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.events import BEAT, COMMAND, LINK, Frame, LinkChange
from basisdesk.feed.inbox import Inbox


def frame(conn="a.spot", payload=b"x", t_ns=1):
    return Frame(conn, payload, t_ns)


def changes(frames):
    return [msgspec.json.decode(f.payload, type=LinkChange) for f in frames if f.conn == LINK]


def test_first_in_first_out_and_at_most_n():
    inbox = Inbox()
    for i in range(5):
        assert inbox.put(frame(t_ns=i))
    assert [f.t_ns for f in inbox.take(3)] == [0, 1, 2]
    assert [f.t_ns for f in inbox.take(99)] == [3, 4]
    assert inbox.take(1) == []
    assert inbox.bytes == len(inbox) == 0
    assert (inbox.accepted, inbox.most_frames) == (5, 5)


def test_ready_is_called_only_when_it_turns_non_empty():
    calls = []
    inbox = Inbox(on_ready=lambda: calls.append(len(inbox)))
    inbox.put(frame())
    inbox.put(frame())
    assert calls == [1]
    inbox.take(1)
    inbox.put(frame())
    assert calls == [1]
    inbox.take(9)
    inbox.put(frame(BEAT))
    assert calls == [1, 1]


def test_when_full_a_connection_is_dropped_until_reopened_and_the_hole_is_marked_in_place():
    inbox = Inbox(limit_frames=3)
    kept = [frame("a", b"1"), frame("b", b"2"), frame("a", b"3")]
    assert all(inbox.put(f) for f in kept)
    assert not inbox.put(frame("a", b"4", t_ns=7))
    assert not inbox.put(frame("a", b"5", t_ns=8))
    taken = inbox.take(99)
    assert taken[:3] == kept
    assert changes(taken) == [LinkChange("a", "overflow", "inbox full at 3 frames, 0 KiB")]
    assert taken[3].t_ns == 7
    assert inbox.has_room
    assert inbox.overflowed == {"a"}
    assert not inbox.put(frame("a", b"6"))  # there is room, but the book has a hole
    assert inbox.put(frame("b", b"7"))
    assert inbox.dropped == {"a": 3}
    inbox.reopen("a")
    assert inbox.put(frame("a", b"8"))
    assert not inbox.overflowed
    assert [f.payload for f in inbox.take(99)] == [b"7", b"8"]


def test_bytes_are_limited_too():
    inbox = Inbox(limit_bytes=100)
    assert inbox.put(frame(payload=b"x" * 60))
    assert not inbox.put(frame(payload=b"x" * 60))
    assert inbox.put(frame("other", b"x" * 40))
    inbox.take(99)
    assert inbox.bytes == 0


@pytest.mark.parametrize("conn", [BEAT, COMMAND, LINK])
def test_beats_commands_and_link_changes_have_room_of_their_own(conn):
    inbox = Inbox(limit_frames=1)
    inbox.put(frame())
    for _ in range(100):
        assert inbox.put(frame(conn, b"{}"))
    assert not inbox.put(frame())
    assert len(inbox) == 102


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", BEAT, "take", "open a", "open b"])), max_size=80)
)
def test_nothing_is_lost_unsaid_and_the_bounds_hold(steps):
    inbox, taken, lost = Inbox(limit_frames=4), [], {"a": 0, "b": 0}
    for order, (step,) in enumerate(steps):
        if step == "take":
            taken += inbox.take(2)
        elif step.startswith("open"):
            inbox.reopen(step[-1])
        elif not inbox.put(Frame(step, b"x", order)):
            lost[step] += 1
            assert step in inbox.overflowed
    taken += inbox.take(10**6)
    assert inbox.bytes == len(inbox) == inbox._own == 0
    stamps = [f.t_ns for f in taken]
    assert stamps == sorted(stamps)
    assert {conn: n for conn, n in lost.items() if n} == dict(inbox.dropped)
    put = sum(1 for (s,) in steps if s in ("a", "b", BEAT))
    told = sum(1 for f in taken if f.conn == LINK)
    assert len(taken) - told + sum(lost.values()) == put
    for conn, n in lost.items():
        assert bool(n) == any(c.conn == conn for c in changes(taken))
