"""kill -9 at random moments of a trading desk: nothing a user saw is lost, nothing half-booked.

A quarter of the kills comes from inside a commit, a quarter on a disk that is full. The long run of
1,000 kills: BASISDESK_KILLS=1000.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from basisdesk.events import PairOpened, PlanChanged, RiskChanged, Traded
from basisdesk.ledger.check import check_journal, journal_entries

KILLS = int(os.environ.get("BASISDESK_KILLS", "24"))
FIRST = int(os.environ.get("BASISDESK_FIRST_KILL", "0"))
START_WAIT_S = 60
RESTART_S = 2.0  # what a restart may take until plan, timers and risk state stand again, unladen
SCRIPT = Path(__file__).parents[1] / "scripted_desk.py"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(60 + 30 * KILLS),
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX"),
]


class Desk:
    """One life of the scripted desk; `lines` fills from a thread while it runs."""

    def __init__(self, profile, seed, mode):
        self.mode = mode
        environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(profile), str(seed), mode],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )
        self.lines = []
        self.ready = threading.Event()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        sign = {"disk": "full", "commit": "never"}.get(self.mode, "fill")
        for line in self.process.stdout:
            if line.endswith("\n"):  # a line cut by the kill was never shown
                self.lines.append(line.split(maxsplit=2 if line.startswith("resumed") else -1))
                if line.startswith(sign):
                    self.ready.set()
        self.ready.set()

    def end(self, after_s):
        """Let it trade, wait a little longer, and end it as a power cut would; it may be gone."""
        assert self.ready.wait(START_WAIT_S)
        time.sleep(after_s)  # the random moment is the point of the test
        alive = self.process.poll() is None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.reader.join()
        said = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        if self.mode != "commit":
            assert alive, f"the desk ended by itself: {said[-2000:]}"
        assert "Traceback" not in said or self.mode == "disk", said[-2000:]


class Story:
    """What the journal says up to an entry, by sums of its own."""

    def __init__(self, journal, until):
        self.booked = set()
        self.held = defaultdict(lambda: {"long": Decimal(0), "short": Decimal(0)})
        self.plans = {}
        self.risk = ("active", "user")
        for seq, outcome, _ in journal_entries(journal):
            if seq > until:
                break
            if isinstance(outcome, Traded):
                for f in outcome.fills:
                    row = (outcome.pair, f.leg, f.side, f.qty, f.price, f.ts_ns)
                    self.booked.add(tuple(map(str, row)))
                    sign = 1 if f.side == "buy" else -1
                    coins = f.fee if f.fee_currency != "USDT" else 0
                    self.held[outcome.pair][f.leg] += sign * f.qty - coins - f.dust
            if isinstance(outcome, PairOpened):  # a plan changed while the entry worked stays
                self.plans.setdefault(outcome.pair, outcome.plan)
            if isinstance(outcome, PlanChanged):
                self.plans[outcome.pair] = outcome.plan
            if isinstance(outcome, RiskChanged):
                self.risk = (outcome.state, outcome.cause)

    def meets(self, resumed):
        """Assert that a restart shows exactly what this journal says."""
        live = {pair: held for pair, held in self.held.items() if any(held.values())}
        shown = {int(pair): row for pair, row in resumed["pairs"].items()}
        assert {pair for pair, row in shown.items() if row["state"] != "working"} == set(live)
        for pair, held in live.items():
            row = shown[pair]
            assert (Decimal(row["long"]), Decimal(row["short"])) == (held["long"], held["short"])
            assert row["plan"] == msgspec.json.encode(self.plans[pair]).decode()
            assert (row["unhedged_ns"] is not None) == (row["state"] == "unhedged")
        assert (resumed["risk"], resumed["cause"]) == self.risk


def test_killed_at_random_moments_nothing_shown_is_lost(tmp_path):
    rng = random.Random(20261121 + FIRST)
    journal = tmp_path / "simulated" / "journal.db"
    shown, took_s, states, last = set(), [], set(), 0
    for number in range(FIRST, FIRST + KILLS):
        mode = ("", "", "commit", "disk")[number % 4]
        desk = Desk(tmp_path, number, mode)
        desk.end(after_s=0.0 if mode == "commit" else rng.uniform(0.0, 1.0))
        report = check_journal(journal)
        assert report.problems == []
        _, started_s, text = next(line for line in desk.lines if line[0] == "resumed")
        told = msgspec.json.decode(text)
        assert told["seq"] > last  # nothing that stood at the kill before is gone
        Story(journal, told["seq"]).meets(told)
        shown |= {tuple(line[1:]) for line in desk.lines if line[0] == "fill"}
        assert shown <= Story(journal, report.entries).booked
        took_s.append(float(started_s))
        states |= {row["state"] for row in told["pairs"].values()}
        last = report.entries
    print(f"{KILLS} kills: {len(shown)} fills shown, restarts took a median of "
          f"{sorted(took_s)[len(took_s) // 2]:.2f} s, at most {max(took_s):.2f} s; "
          f"states met: {sorted(states)}")  # fmt: skip
    assert len(shown) >= KILLS
