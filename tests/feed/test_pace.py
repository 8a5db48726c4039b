import itertools
import random

from basisdesk.feed.faults import Fault
from basisdesk.feed.pace import HostGate, Pace, Waits, backoff, cooling
from basisdesk.venues import Limits

LIMITS = Limits()


def test_backoff_doubles_to_its_limit_with_jitter_downwards():
    delays = list(itertools.islice(backoff(Pace(), random.Random(1)), 12))
    for i, delay_s in enumerate(delays):
        full_s = min(0.5 * 2**i, 60.0)
        assert full_s / 2 <= delay_s <= full_s


def test_cooling_is_never_shorter_than_it_says():
    delays = list(itertools.islice(cooling(Pace(), random.Random(1)), 7))
    for delay_s, least_s in zip(delays, [60, 120, 240, 480, 900, 900, 900], strict=True):
        assert least_s <= delay_s <= least_s * 1.1


def test_accept_then_close_stays_under_ten_connects_in_a_minute_whatever_the_dice_say():
    most = 0
    for seed in range(200):
        at_s, connects = 0.0, 1
        for delay_s in backoff(Pace(), random.Random(seed)):
            at_s += delay_s
            if at_s > 60:
                break
            connects += 1
        most = max(most, connects)
        assert connects <= 10
    print(f"at most {most} connects in 60 s")


def test_the_gate_lets_one_a_second_and_sixty_in_five_minutes_through_to_one_host():
    gate, passed, now_s = HostGate(), [], 0.0
    for _ in range(100_000):
        wait_s = gate.wait_s("host", LIMITS, now_s)
        if not wait_s:
            passed.append(now_s)
        now_s += wait_s or 0.01
        if now_s > 1500:
            break
    assert min(b - a for a, b in itertools.pairwise(passed)) >= 1.0 - 1e-9
    for start in passed:
        assert sum(start <= t < start + 300 for t in passed) <= 60
    assert len(passed) > 250


def test_hosts_do_not_wait_for_each_other_and_first_connects_wait_for_nobody():
    gate = HostGate()
    assert gate.wait_s("a", LIMITS, 5.0) == 0.0
    assert gate.wait_s("b", LIMITS, 5.0) == 0.0
    assert gate.wait_s("a", LIMITS, 5.2) > 0.7
    assert gate.wait_s("a", LIMITS, 5.2, first=True) == 0.0


def test_a_scaled_pace_scales_what_the_venue_says_too():
    slow, fast = Pace(), Pace().scaled(0.1)
    assert fast.silent_s == slow.silent_s * 0.1
    said = Limits(connects=7, send_gap_s=0.5, floor_s=5.0, life_s=100.0, ping_every_s=20.0)
    limits = fast.limits(said)
    assert (limits.send_gap_s, limits.floor_s, limits.life_s) == (0.05, 0.5, 10.0)
    assert limits.connects == 7
    assert limits.ping_every_s == 2.0


def test_our_own_exchange_needs_no_restraint_but_its_heartbeats():
    said = Limits(send_gap_s=0.5, floor_s=5.0, life_s=100.0, ping_every_s=20.0)
    limits = Pace(restraint=0.0).limits(said)
    assert limits == Limits(60, 0.0, 0.0, 0.0, 0, 100.0, 20.0, 0.0, 0.0)
    gate = HostGate()
    assert not any(gate.wait_s("h", limits, 1.0) for _ in range(1_000))


def test_an_outage_of_thirty_seconds_is_over_within_eight_whatever_the_dice_say():
    slowest_s = []
    for seed in range(300):
        waits, at_s = Waits(Pace(), random.Random(seed)), 0.0
        while at_s < 30.0:
            at_s += waits.after(Fault("refused", "away"))
        slowest_s.append(at_s - 30.0)
    p95_s = sorted(slowest_s)[int(0.95 * 300)]
    print(f"the next try p95 {p95_s:.1f} s after the outage")
    assert p95_s <= 8.0


def test_no_reconnect_is_sooner_than_the_venues_floor():
    waits = Waits(Pace(), random.Random(3), floor_s=5.0)
    for how in ("retry", "away", "retry"):
        assert waits.after(Fault("x", how)) >= 5.0
    assert waits.after(Fault("x", "tls")) == 300.0
