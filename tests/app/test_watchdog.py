"""A window that stands still is noticed while it does, once, with its place in the code."""

import logging
import threading

import pytest

from basisdesk.app import watchdog
from basisdesk.app.watchdog import FRAMES_MAX, SAMPLES_MAX, STALL_MS, Watchdog, stack_text
from basisdesk.clock import mono_s


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.WARNING, "basisdesk")
    return lambda: [record.getMessage() for record in caplog.records]


def a_loop_that_hangs(look):
    """The watched thread is in here while another one looks."""
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()


def test_a_stall_is_told_once_with_its_length_and_where_it_was(said):
    dog = Watchdog()
    dog.beat()
    began_s = dog._beat_s
    dog.look(began_s + 0.2)
    assert said() == []
    a_loop_that_hangs(lambda: [dog.look(began_s + at) for at in (0.3, 0.4, 0.5, 0.6)])
    assert len(said()) == 1  # while it lasts, not after
    assert "stands still for 300 ms" in said()[0]
    assert "a_loop_that_hangs" in said()[0]
    dog._beat_s = began_s + 0.7
    dog.look(began_s + 0.71)
    dog.look(began_s + 0.72)
    assert said()[1:] == ["the window stood still for 700 ms"]
    assert (dog.stalls, round(dog.last_ms), round(dog.longest_ms)) == (1, 700, 700)


def test_a_long_stall_is_sampled_three_times_and_a_sick_program_thirty_times_an_hour(said):
    dog = Watchdog()
    for _ in range(2 * SAMPLES_MAX):
        dog._beat_s += 10.0
        for tenth in range(70):
            dog.look(dog._beat_s + tenth / 10)
    samples = [text for text in said() if "stands still" in text]
    assert len(samples) == SAMPLES_MAX
    assert [text.split()[5] for text in samples[:3]] == ["300", "1300", "5300"]
    assert dog.stalls == 2 * SAMPLES_MAX - 1  # the last one goes on; all are counted
    dog._beat_s += 3_600.0
    dog.look(dog._beat_s + 1.0)
    assert len([text for text in said() if "stands still" in text]) == SAMPLES_MAX + 1


def test_nothing_is_told_before_the_first_beat(said):
    Watchdog().look(1e6)
    assert said() == []


def test_a_sample_is_bounded_and_holds_no_values():
    def down(depth, secret):
        return down(depth - 1, secret) if depth else stack_text(watchdog.sys._getframe())

    text = down(200, "hunter2")
    assert text.count("\n") == FRAMES_MAX
    assert text.startswith("  ... and further out")
    assert "hunter2" not in text
    assert stack_text(None) == ""


def test_its_thread_ends_when_it_is_stopped():
    dog = Watchdog()
    dog.start()
    assert [t.name for t in threading.enumerate()].count("watchdog") == 1
    dog.stop()
    dog.stop()
    assert "watchdog" not in [t.name for t in threading.enumerate()]


def test_a_beat_costs_next_to_nothing():
    dog = Watchdog(STALL_MS)
    began_s = mono_s()
    for _ in range(10_000):
        dog.beat()
    assert (mono_s() - began_s) / 10_000 < 20e-6  # 0.2 us here; twenty a second are asked for


def test_a_process_that_was_stopped_is_no_stall_of_the_window(said):
    dog = Watchdog()
    dog._beat_s = 10.0
    for now_s, worked_s in ((10.1, 1.0), (10.2, 1.01), (18.2, 1.02)):
        dog.wake(now_s, worked_s)
        dog.look(now_s)
    assert said() == ["the machine or the process stood still for 8000 ms"]
    dog._beat_s = 18.3
    dog.look(18.31)
    assert dog.stalls == 0
    dog.look(18.6)  # from here on it is the window again
    assert "stands still for 300 ms" in said()[1]
    dog.wake(30.0, 9.0)  # late by a call that held the interpreter's lock: it worked all the time
    dog._beat_s = 30.0
    dog.look(30.01)
    assert (dog.stalls, round(dog.last_ms)) == (1, 11_700)
    assert "the machine" not in "".join(said()[1:])


def test_a_stall_that_a_stop_cuts_short_is_counted_as_far_as_it_was_seen(said):
    dog = Watchdog()
    dog._beat_s = 10.0
    for now_s in (10.4, 10.5, 60.5):
        dog.wake(now_s, 1.0)
        dog.look(now_s)
    assert (dog.stalls, round(dog.last_ms)) == (1, 500)
    assert said()[-1] == "the machine or the process stood still for 50000 ms"
