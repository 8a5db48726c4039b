import itertools
import random

from basisdesk.feed.pace import HostGate, Pace, backoff, cooling


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
    for seed in range(200):
        at_s, connects = 0.0, 1
        for delay_s in backoff(Pace(), random.Random(seed)):
            at_s += delay_s
            if at_s > 60:
                break
            connects += 1
        assert connects <= 10


def test_the_gate_lets_one_a_second_and_sixty_in_five_minutes_through_to_one_host():
    gate, passed, now_s = HostGate(Pace()), [], 0.0
    for _ in range(100_000):
        wait_s = gate.wait_s("host", now_s)
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
    gate = HostGate(Pace())
    assert gate.wait_s("a", 5.0) == 0.0
    assert gate.wait_s("b", 5.0) == 0.0
    assert gate.wait_s("a", 5.2) > 0.7
    assert gate.wait_s("a", 5.2, first=True) == 0.0


def test_a_scaled_pace_keeps_its_counts():
    slow, fast = Pace(), Pace().scaled(0.1)
    assert fast.silent_s == slow.silent_s * 0.1
    assert fast.connects == slow.connects
