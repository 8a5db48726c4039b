"""The challengers beside the desk: fed without waiting, started once more, and said in words."""

import os
import signal
import sys
import threading

import pytest

from basisdesk.app import challengers as module
from basisdesk.app.challengers import Challengers
from basisdesk.clock import mono_s
from basisdesk.forecast.challenge import NO_RIVER, OFF
from basisdesk.forecast.forecaster import Taken
from basisdesk.forecast.table import N
from basisdesk.forecast.words import Candidate, Label

PATIENCE_S = 20.0

# Speaks the lines of lab/challenger_process.py and learns nothing. Its journal is "heard".
CHILD = """
import json, sys
heard = open(sys.argv[1], "a")
print(json.dumps({"kind": "ready", "source": "fake 1.0", "n": 0}), flush=True)
n = 0
for line in sys.stdin:
    row = json.loads(line)
    if row["kind"] == "tell":
        rivals = [{"name": "basisdesk", "n": n, "brier": 0.2}]
        said = {"kind": "table", "rivals": rivals, "n": n, "n_eff": 1.0, "waiting": 3}
    else:
        n += 1
        heard.write(f"{row['kind']} {row['id']}\\n"); heard.flush()
        said = {"kind": "said", "id": row["id"], "p": {"fake": 0.5}}
    print(json.dumps(said), flush=True)
"""
DEAF = """
import json, time
print(json.dumps({"kind": "ready", "source": "deaf", "n": 0}), flush=True)
time.sleep(60)
"""


def candidate(number):
    return Candidate(
        id=number, t_ns=10 * number, pair="a", direction=1, features=(1.0,) * N,
        features_hash="", raw=0.5, p=0.5, version="",
    )  # fmt: skip


def label(number, at_ns):
    return Label(candidate=number, y=1, net_bp=0.0, t_first_ns=0, mae_bp=0.0, mfe_bp=0.0,
                 how="time", released_ns=at_ns)  # fmt: skip


def new(*numbers):
    return Taken(tuple(candidate(number) for number in numbers), ())


def until(what):
    end_s = mono_s() + PATIENCE_S
    waits = threading.Event()
    while not what():
        assert mono_s() < end_s
        waits.wait(0.005)


@pytest.fixture
def beside(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "STOP_WAIT_S", 1.0)  # and it is undone after the last stop

    made = []

    def make(source=CHILD, **more):
        heard = tmp_path / "heard"
        heard.touch()
        command = [sys.executable, "-S", "-c", source, str(heard)]
        found = Challengers(tmp_path / "own", 8.0, **{"on": True, "command": command, **more})
        found.start()
        made.append(found)
        return found, lambda: heard.read_text().splitlines()

    yield make
    for each in made:
        each.stop()
        assert not each._thread or not each._thread.is_alive()


def kill(found):
    os.kill(found._process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def test_off_means_no_process(tmp_path):
    found = Challengers(tmp_path, 8.0, on=False)
    found.start()
    found.offer(new(1))
    found.tick(0.0)
    assert found.now.state == OFF
    assert found._thread is None
    found.stop()


def test_without_river_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    found = Challengers(tmp_path, 8.0, on=True)
    found.start()
    assert found.now.state == NO_RIVER == "no source: pip install basisdesk[ai]"
    assert found._thread is None


def test_rows_come_in_the_order_of_their_time(beside):
    found, heard = beside()
    found.offer(Taken((candidate(1), candidate(3)), (label(1, 20), label(2, 30))))
    until(lambda: found.said[0] == 3)
    assert heard() == ["candidate 1", "outcome 1", "outcome 2", "candidate 3"]
    assert found.said == (3, {"fake": 0.5})
    assert found.now.state == "fake 1.0"


def test_the_table_is_asked_for_now_and_then(beside):
    found, _ = beside()
    until(lambda: found.now.state == "fake 1.0")
    found.tick(100.0)
    until(lambda: found.now.rivals)
    assert found.now.waiting == 3
    found.now = module.msgspec.structs.replace(found.now, rivals=())
    found.tick(200.0)  # nothing new was heard since
    found.offer(new(1))
    found.tick(200.0 + module.TELL_S)
    until(lambda: found.now.n == 1)


def test_after_a_sudden_end_it_starts_once_more_and_hears_the_last_rows_again(beside):
    found, heard = beside()
    found.offer(new(1, 2))
    until(lambda: found.said[0] == 2)
    kill(found)
    until(lambda: found.restarts == 1 and found.now.state == "fake 1.0")
    found.offer(new(3))
    until(lambda: found.said[0] == 3)
    assert heard() == [f"candidate {i}" for i in (1, 2, 1, 2, 3)]
    assert found.now.running


def test_a_second_end_is_said_in_words(beside):
    found, _ = beside()
    for restarts in (0, 1):
        until(lambda n=restarts: found.restarts == n and found.now.state == "fake 1.0")
        kill(found)
    until(lambda: not found.now.running)
    assert found.now.state.startswith("stopped: their process ended twice (exit code")
    found.offer(new(9))
    found.tick(1_000.0)
    assert not found._waiting


def test_why_it_ended_is_told(beside):
    found, _ = beside("raise SystemExit('out of cheese')")
    until(lambda: not found.now.running)
    assert "out of cheese" in found.now.state


def test_a_command_that_does_not_exist_is_said(tmp_path):
    found = Challengers(tmp_path, 8.0, on=True, command=[str(tmp_path / "nothing")])
    found.start()
    until(lambda: not found.now.running)
    assert "does not start" in found.now.state
    found.stop()


def test_a_process_that_does_not_read_never_holds_the_loop_up(beside, monkeypatch):
    monkeypatch.setattr(module, "STOP_WAIT_S", 0.1)
    monkeypatch.setattr(module, "WAITING_MAX", 500)
    found, _ = beside(DEAF)
    until(lambda: found.now.state == "deaf")
    began_s, worst_s = mono_s(), 0.0
    for i in range(1_500):
        at_s = mono_s()
        found.offer(new(i))
        worst_s = max(worst_s, mono_s() - at_s)
    assert mono_s() - began_s < 5.0
    assert worst_s < 1.0  # a busy machine; it is microseconds
    assert len(found._waiting) <= 500
    assert found._lost > 0


def test_a_process_that_does_not_answer_is_ended(beside, monkeypatch):
    monkeypatch.setattr(module, "STOP_WAIT_S", 0.1)
    found, _ = beside(DEAF)
    until(lambda: found.now.state == "deaf")
    found.offer(new(1))
    found.tick(100.0)
    found.tick(101.0 + module.ANSWER_S)
    until(lambda: found.restarts == 1)


def test_a_process_that_never_gets_ready_is_ended(beside, monkeypatch):
    monkeypatch.setattr(module, "STOP_WAIT_S", 0.1)
    found, _ = beside("import time; time.sleep(60)")

    def runs():
        return found._process is not None and found._process.poll() is None

    for restarts in (0, 1):
        until(lambda n=restarts: found.restarts == n and runs())
        found.tick(100.0)
        found.tick(100.0 + module.START_S)
        assert runs()
        found.tick(101.0 + module.START_S)
        until(lambda n=restarts: found.restarts > n or not found.now.running)
    assert "ended twice" in found.now.state


def test_what_it_says_is_kept_and_bounded(beside, tmp_path):
    found, _ = beside("import sys; sys.exit('x' * 3_000_000 + 'out of cheese')")
    until(lambda: not found.now.running)
    said = (tmp_path / "own" / "challengers.log").read_bytes()
    assert len(said) == module.LOG_BYTES_MAX
    assert b"out of cheese" in said
    assert "out of cheese" in found.now.state


def test_stop_hands_over_what_waits(beside):
    found, heard = beside()
    until(lambda: found.now.state == "fake 1.0")
    found.offer(new(*range(1, 200)))
    found.stop()
    assert len(heard()) == 199
    assert found.now.state == OFF


def test_its_words_are_bounded_and_printable(beside):
    found, _ = beside("import sys; sys.exit('x' * 5000 + chr(27))")
    until(lambda: not found.now.running)
    assert len(found.now.state) < 400
    assert found.now.state.isprintable()


def test_answers_that_are_none_are_passed_over(beside):
    odd = 'print("hello"); print("{}"); print("[1]"); print("\\x00")\n'
    found, _ = beside(odd + CHILD)
    until(lambda: found.now.state == "fake 1.0")
    assert found.now.n == 0
