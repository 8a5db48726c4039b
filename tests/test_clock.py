from basisdesk.clock import ManualClock, SystemClock


def test_the_clock_runs_from_its_start_and_never_back():
    clock = SystemClock(start_ns=5_000)
    seen = [clock.now_ns() for _ in range(1_000)]
    assert seen == sorted(seen)
    assert seen[0] >= 5_000


def test_a_fast_clock_passes_more_time():
    slow, fast = SystemClock(start_ns=0), SystemClock(speed=600.0, start_ns=0)
    while slow.now_ns() < 1_000_000:
        pass
    assert fast.now_ns() > 100 * 1_000_000


def test_slept_time_is_caught_up():
    clock = SystemClock(start_ns=0)
    clock.skip(3600.0)
    assert clock.now_ns() >= 3_600_000_000_000
    clock.skip(-5.0)
    assert clock.now_ns() >= 3_600_000_000_000


def test_a_manual_clock_moves_by_hand():
    clock = ManualClock(7)
    clock.advance(1.5)
    assert clock.now_ns() == 1_500_000_007
